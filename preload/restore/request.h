// What the environment asks of sckpt-restore.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace sckpt::restore {

struct Request {
    std::string generation;  // directory
    std::uint32_t rank = 0;
    std::uint32_t world_size = 0;
    bool debug = false;
    bool accept_changed = false;  // changed=accept in SCKPT_SPEC
};

/// Looks a variable up; nullptr when it is not set.  getenv(3) fits.
using Lookup = std::function<const char *(const char *)>;

/// Reads SCKPT_RESTART, the rank and the world size from the first variable of env.h that is set.  The error is a
/// sentence that names the variable.
std::expected<Request, std::string> read_request(const Lookup &lookup);

}  // namespace sckpt::restore
