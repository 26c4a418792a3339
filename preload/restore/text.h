// Sentences out of parts (the compiler of Debian 12 has no std::format).
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

namespace sckpt::restore {

/// An address, written as 0x...
struct Hex {
    std::uint64_t value;
};

inline std::ostream &operator<<(std::ostream &out, Hex hex) { return out << "0x" << std::hex << hex.value << std::dec; }

/// The parts one after the other.
template <class... Parts>
std::string text(const Parts &...parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

}  // namespace sckpt::restore
