// Small text helpers of this directory: numbers padded and in hexadecimal, the system's error messages, UTC times.
#pragma once

#include <cstdint>
#include <string>

namespace sckpt::storage {

std::string padded(std::uint64_t value, int width);  // decimal, with leading zeros
std::string hex(std::uint64_t value);                // 0x...
std::string system_error(int error);                 // strerror(3), safe in threads
std::string utc(std::int64_t ns);                    // 2026-11-28T03:00:00Z; `ns` since 1970
std::string one_line(std::string text);              // newlines become spaces
std::string seconds(double value);                   // three decimals
std::int64_t now_ns();                               // CLOCK_REALTIME

}  // namespace sckpt::storage
