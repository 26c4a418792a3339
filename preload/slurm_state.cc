#include "preload/slurm_state.h"

#include <charconv>

namespace sckpt {
namespace {

std::string_view value_of(std::string_view text, std::string_view name) {
    for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
        const size_t end = at + name.size();
        if ((at != 0 && text[at - 1] != ' ') || end >= text.size() || text[end] != '=') continue;
        return text.substr(end + 1, text.find_first_of(" \n", end) - end - 1);
    }
    return {};
}

// Takes a number off the front; -1 when there is none.
long take_number(std::string_view &text) {
    long value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return -1;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return value;
}

// Seconds of "[days-]hours:minutes:seconds"; -1 for UNLIMITED and the like.
long seconds_of(std::string_view text) {
    long total = 0, part = take_number(text);
    if (part >= 0 && text.starts_with('-')) {
        total = part * 24;
        text.remove_prefix(1);
        part = take_number(text);
    }
    for (int i = 0; i < 3; ++i) {
        if (part < 0) return -1;
        total = (i == 0 ? total : total * 60) + part;
        if (!text.starts_with(':')) return i == 2 ? total : -1;
        text.remove_prefix(1);
        part = take_number(text);
    }
    return -1;
}

}  // namespace

Fate fate_of(std::string_view text, int restarts) {
    const std::string_view state = value_of(text, "JobState");
    if (state.empty()) return Fate::unknown;
    std::string_view counted = value_of(text, "Restarts");
    if (take_number(counted) > restarts) return Fate::requeued;
    if (state.starts_with("CANCELLED")) return Fate::cancelled;
    if (state.starts_with("TIMEOUT") || state.starts_with("DEADLINE")) return Fate::time_limit;
    if (state.starts_with("PENDING") || state.starts_with("REQUEUE") || state.starts_with("NODE_FAIL"))
        return Fate::requeued;
    const std::string_view preempted = value_of(text, "PreemptTime");
    if (state.starts_with("PREEMPTED") || (!preempted.empty() && preempted != "None" && preempted != "Unknown"))
        return Fate::preempted;
    const long limit = seconds_of(value_of(text, "TimeLimit")), run = seconds_of(value_of(text, "RunTime"));
    if (limit >= 0 && run >= limit) return Fate::time_limit;
    return state.starts_with("COMPLETING") ? Fate::cancelled : Fate::running;
}

const char *name_of(Fate fate) {
    switch (fate) {
        case Fate::running: return "running";
        case Fate::preempted: return "preempted";
        case Fate::requeued: return "requeued";
        case Fate::cancelled: return "cancelled";
        case Fate::time_limit: return "at its time limit";
        case Fate::unknown: break;
    }
    return "in a state that Slurm did not tell";
}

}  // namespace sckpt
