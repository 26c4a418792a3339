#include "spank_plugin/restart.h"

#include <algorithm>

namespace sckpt::plugin {
namespace {

// The last non-empty line: a tool may show progress before its sentence.
std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const std::size_t at = text.find_last_of('\n');
    if (at != std::string::npos) text.erase(0, at + 1);
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    constexpr std::string_view kPrefix = "sckpt: error: ";
    if (text.starts_with(kPrefix)) text.erase(0, kPrefix.size());
    constexpr std::size_t kLongest = 1000;
    return text.substr(0, kLongest);
}

}  // namespace

RestartPoint read_restart_point(int exit_code, const std::string &output, const std::string &error) {
    const std::string sentence = last_line(error);
    if (exit_code == 1) return NoneUsable{sentence.empty() ? "no reason was given" : sentence};
    if (exit_code != 0)
        return ToolBroken{"sckpt restart-point failed: " + (sentence.empty() ? "no reason was given" : sentence)};
    std::string path = output;
    while (!path.empty() && path.back() == '\n') path.pop_back();
    if (path.empty()) return NoneCommitted{};
    if (!path.starts_with('/') || path.find('\n') != std::string::npos) {
        return ToolBroken{"sckpt restart-point did not answer with one absolute path"};
    }
    return Found{path};
}

std::expected<RestartDecision, std::string> decide_restart(const RestartInput &input) {
    RestartDecision decision;
    if (input.own) {
        if (const auto *found = std::get_if<Found>(&*input.own)) {
            decision.generation = found->generation;
            return decision;
        }
        if (const auto *broken = std::get_if<ToolBroken>(&*input.own)) return std::unexpected(broken->reason);
        if (const auto *unusable = std::get_if<NoneUsable>(&*input.own)) {
            if (input.fallback == base::Fallback::kRefuse) {
                return std::unexpected(unusable->reason +
                                       " (fallback=fresh in --checkpoint starts from the beginning instead)");
            }
            decision.notice = "starting from the beginning (fallback=fresh): " + unusable->reason;
            return decision;
        }
    }
    if (input.named) {
        if (!*input.named) return std::unexpected(input.named->error());
        decision.generation = **input.named;
        return decision;
    }
    if (input.incarnation > 0) decision.notice = "starting from the beginning: no checkpoint was committed before";
    return decision;
}

}  // namespace sckpt::plugin
