#include "preload/restore/request.h"

#include <charconv>
#include <cstring>
#include <span>
#include <string_view>

#include "preload/base/spec.h"
#include "preload/env.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

std::expected<std::uint32_t, std::string> number(const Lookup &lookup, std::span<const char *const> names,
                                                 const char *what) {
    for (const char *name : names) {
        const char *value = lookup(name);
        if (value == nullptr || *value == 0) continue;
        std::uint32_t result = 0;
        const char *end = value + std::strlen(value);
        const auto [stop, error] = std::from_chars(value, end, result);
        if (error != std::errc() || stop != end) {
            return std::unexpected(text(name, "=", value, " is not the ", what));
        }
        return result;
    }
    return std::unexpected(text("the ", what, " is unknown: ", names[0], " is not set; start the program by srun"));
}

}  // namespace

std::expected<Request, std::string> read_request(const Lookup &lookup) {
    Request request;
    const char *generation = lookup(env::kRestart);
    if (generation == nullptr || *generation == 0) {
        return std::unexpected(text(env::kRestart, " is not set: it names the checkpoint to restore"));
    }
    request.generation = generation;
    while (request.generation.size() > 1 && request.generation.ends_with('/')) request.generation.pop_back();
    const auto rank = number(lookup, env::kRankNames, "rank of this process");
    if (!rank) return std::unexpected(rank.error());
    const auto size = number(lookup, env::kSizeNames, "number of ranks");
    if (!size) return std::unexpected(size.error());
    if (*rank >= *size) return std::unexpected(text("rank ", *rank, " does not exist among ", *size, " ranks"));
    request.rank = *rank;
    request.world_size = *size;
    const char *log = lookup(env::kLog);
    request.debug = log != nullptr && std::string_view(log) == "debug";
    const char *spec = lookup(env::kSpec);
    const auto policy = base::parse_spec(spec != nullptr && *spec != 0 ? spec : "on");
    request.accept_changed = policy && policy->changed == base::Changed::kAccept;
    return request;
}

}  // namespace sckpt::restore
