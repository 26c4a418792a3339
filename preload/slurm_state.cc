#include "preload/slurm_state.h"

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

}  // namespace

Fate fate_of(std::string_view text, std::string_view now) {
    const std::string_view state = value_of(text, "JobState");
    if (state.empty()) return Fate::unknown;
    if (state.starts_with("CANCELLED")) return Fate::cancelled;
    if (state.starts_with("TIMEOUT")) return Fate::time_limit;
    if (state.starts_with("PREEMPTED")) return Fate::preempted;
    if (state.starts_with("PENDING") || state.starts_with("REQUEUE") || state.starts_with("NODE_FAIL"))
        return Fate::requeued;
    const std::string_view preempted = value_of(text, "PreemptTime");
    if (!preempted.empty() && preempted != "None" && preempted != "Unknown") return Fate::preempted;
    // ISO times of one length compare as text.
    const std::string_view end = value_of(text, "EndTime");
    if (end.size() == now.size() && !end.empty() && end <= now) return Fate::time_limit;
    return Fate::running;
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
