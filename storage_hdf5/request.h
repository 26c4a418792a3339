// The request file of a step's run, <step>/r<N>/request: how `sckpt create` asks the ranks for a checkpoint.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

namespace sckpt::storage {

// Writes a new request with an id higher than any earlier one and returns the id.  Atomic: readers see the old file or
// the new one, and two callers at once get different ids.  The error is one sentence.
std::expected<std::uint64_t, std::string> write_request(const std::filesystem::path &incarnation,
                                                        const std::string &by);

// The id of the request there, 0 when there is none.
std::uint64_t read_request(const std::filesystem::path &incarnation);

}  // namespace sckpt::storage
