#include "preload/base/spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace sckpt::base {
namespace {

constexpr std::string_view kKeys = "interval=, on=, keep=, sync=, requeue=, fallback=, files=, changed=, libraries=, "
                                   "children=";

// A wrong word in a message: bounded, since a message must stay one sentence.
std::string quoted(std::string_view word) {
    constexpr std::size_t kShown = 64;
    std::string text = "'";
    text += word.substr(0, kShown);
    if (word.size() > kShown) text += "...";
    return text + "'";
}

std::unexpected<std::string> wrong(std::string sentence) { return std::unexpected("checkpoint SPEC: " + sentence); }

std::unexpected<std::string> wrong_value(std::string_view key, std::string_view value, std::string_view allowed) {
    return wrong(quoted(value) + " is not a value of " + std::string(key) + "= (allowed: " + std::string(allowed) +
                 ")");
}

// Decimal digits only: no sign, no blank, nothing behind.
std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Takes the text up to the separator off the front of rest.
std::string_view take(std::string_view &rest, char separator) {
    const std::size_t at = rest.find(separator);
    const std::string_view word = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return word;
}

bool starts_like_a_time(std::string_view word) { return !word.empty() && word.front() >= '0' && word.front() <= '9'; }

std::expected<void, std::string> set_interval(Spec &spec, std::string_view value) {
    const auto seconds = parse_slurm_time(value);
    if (!seconds) return wrong("interval " + quoted(value) + " " + seconds.error());
    spec.interval_seconds = *seconds;
    return {};
}

std::expected<void, std::string> set_events(Spec &spec, std::string_view value) {
    spec.on_preempt = spec.on_timelimit = spec.on_term = false;
    if (value == "none") return {};
    constexpr std::string_view kAllowed = "preempt, timelimit, term joined by +, or none";
    if (value.empty() || value.back() == '+') return wrong_value("on", value, kAllowed);
    for (std::string_view rest = value; !rest.empty();) {
        const std::string_view event = take(rest, '+');
        bool *flag = event == "preempt"     ? &spec.on_preempt
                     : event == "timelimit" ? &spec.on_timelimit
                     : event == "term"      ? &spec.on_term
                                            : nullptr;
        if (flag == nullptr) return wrong_value("on", event, kAllowed);
        *flag = true;
    }
    return {};
}

std::expected<void, std::string> set_keep(Spec &spec, std::string_view value) {
    const auto count = number(value);
    if (!count || *count < 1 || *count > kKeepMaximum) {
        return wrong_value("keep", value, "a number from 1 to " + std::to_string(kKeepMaximum));
    }
    spec.keep = static_cast<std::uint32_t>(*count);
    return {};
}

// One of two words.
template <class Value>
std::expected<void, std::string> choose(Value &place, std::string_view key, std::string_view word,
                                        std::pair<std::string_view, Value> first,
                                        std::pair<std::string_view, Value> second) {
    for (const auto &[name, value] : {first, second})
        if (word == name) {
            place = value;
            return {};
        }
    return wrong_value(key, word, std::string(first.first) + ", " + std::string(second.first));
}

std::expected<void, std::string> set_synchronous(Spec &spec, std::string_view value) {
    return choose<bool>(spec.synchronous, "sync", value, {"yes", true}, {"no", false});
}

std::expected<void, std::string> set_requeue(Spec &spec, std::string_view value) {
    return choose<Requeue>(spec.requeue, "requeue", value, {"auto", Requeue::kAuto}, {"hold", Requeue::kHold});
}

std::expected<void, std::string> set_fallback(Spec &spec, std::string_view value) {
    return choose<Fallback>(spec.fallback, "fallback", value, {"refuse", Fallback::kRefuse},
                            {"fresh", Fallback::kFresh});
}

std::expected<void, std::string> set_files(Spec &spec, std::string_view value) {
    return choose<bool>(spec.copy_files, "files", value, {"name", false}, {"copy", true});
}

std::expected<void, std::string> set_changed(Spec &spec, std::string_view value) {
    return choose<Changed>(spec.changed, "changed", value, {"refuse", Changed::kRefuse}, {"accept", Changed::kAccept});
}

std::expected<void, std::string> set_libraries(Spec &spec, std::string_view value) {
    return choose<bool>(spec.copy_libraries, "libraries", value, {"name", false}, {"copy", true});
}

std::expected<void, std::string> set_children(Spec &spec, std::string_view value) {
    return choose<bool>(spec.ignore_children, "children", value, {"decline", false}, {"ignore", true});
}

struct Key {
    std::string_view name;
    std::expected<void, std::string> (*set)(Spec &, std::string_view);
};
constexpr std::array<Key, 10> kTable = {{{"interval", set_interval},
                                        {"on", set_events},
                                        {"keep", set_keep},
                                        {"sync", set_synchronous},
                                        {"requeue", set_requeue},
                                        {"fallback", set_fallback},
                                        {"files", set_files},
                                        {"changed", set_changed},
                                        {"libraries", set_libraries},
                                        {"children", set_children}}};

}  // namespace

std::expected<std::uint64_t, std::string> parse_slurm_time(std::string_view text) {
    const auto malformed = [] {
        return std::unexpected<std::string>(
            "is not a time (write minutes, minutes:seconds, hours:minutes:seconds, "
            "days-hours[:minutes[:seconds]], or seconds with an s behind)");
    };
    constexpr std::uint64_t kLargestField = kIntervalMaximum + 1;  // products and sums of fields stay far below 2^64
    std::array<std::uint64_t, 3> field{};
    std::size_t fields = 0;
    std::uint64_t days = 0;
    std::string_view rest = text;
    const bool has_days = rest.find('-') != std::string_view::npos;
    const bool in_seconds = rest.ends_with('s');
    if (in_seconds) rest.remove_suffix(1);
    if (has_days) {
        const auto value = number(take(rest, '-'));
        if (!value || in_seconds) return malformed();
        days = std::min(*value, kLargestField);
    }
    if (rest.ends_with(':')) return malformed();
    do {
        const auto value = number(take(rest, ':'));
        if (!value || fields == field.size()) return malformed();
        field[fields++] = std::min(*value, kLargestField);
    } while (!rest.empty());
    if (in_seconds && fields != 1) return malformed();

    std::uint64_t seconds = 0;
    if (in_seconds) {
        seconds = field[0];
    } else if (has_days || fields == 3) {
        seconds = days * 86400 + field[0] * 3600 + field[1] * 60 + field[2];
    } else {
        seconds = field[0] * 60 + field[1];
    }
    if (seconds == 0) return std::unexpected("is no time at all (the least is one second, 0:01)");
    if (seconds > kIntervalMaximum) return std::unexpected("is longer than ten years");
    return seconds;
}

std::expected<Spec, std::string> parse_spec(std::string_view text) {
    if (text.size() > kSpecMaximum) {
        return wrong("it is " + std::to_string(text.size()) + " bytes long (at most " + std::to_string(kSpecMaximum) +
                     ")");
    }
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
        return wrong("it contains a control character (write words joined by commas)");
    }
    if (text.empty() || text.back() == ',') {
        return wrong("a word is missing at its end (allowed: on, off, a Slurm time, or " + std::string(kKeys) + ")");
    }
    Spec spec;
    std::array<bool, kTable.size()> seen{};
    bool first = true;
    for (std::string_view rest = text; !rest.empty(); first = false) {
        const std::string_view word = take(rest, ',');
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            if (word == "off" && first && rest.empty()) {
                spec.enabled = false;
            } else if (first && starts_like_a_time(word)) {
                if (auto done = set_interval(spec, word); !done) return std::unexpected(done.error());
                seen[0] = true;
            } else if (!first || word != "on") {
                return wrong(quoted(word) +
                             " is not understood (allowed: first on, off alone, or a Slurm time such as 30:00; "
                             "then " +
                             std::string(kKeys) + ")");
            }
            continue;
        }
        const std::string_view name = word.substr(0, equals);
        const auto key = std::ranges::find(kTable, name, &Key::name);
        if (key == kTable.end()) return wrong(quoted(name) + " is not a key (allowed: " + std::string(kKeys) + ")");
        bool &already = seen[static_cast<std::size_t>(key - kTable.begin())];
        if (already)
            return wrong(quoted(name) + " is given twice (write each key once, a bare time counts as interval=)");
        already = true;
        if (auto done = key->set(spec, word.substr(equals + 1)); !done) return std::unexpected(done.error());
    }
    return spec;
}

std::string canonical(const Spec &spec) {
    if (!spec.enabled) return "off";
    std::string events;
    const auto add = [&events](bool wanted, const char *name) {
        if (wanted) events += (events.empty() ? "" : "+") + std::string(name);
    };
    add(spec.on_preempt, "preempt");
    add(spec.on_timelimit, "timelimit");
    add(spec.on_term, "term");
    std::string text;
    if (spec.interval_seconds != 0) text += "interval=" + std::to_string(spec.interval_seconds) + "s,";
    text += "on=" + (events.empty() ? "none" : events);
    text += ",keep=" + std::to_string(spec.keep);
    text += spec.synchronous ? ",sync=yes" : ",sync=no";
    text += spec.requeue == Requeue::kAuto ? ",requeue=auto" : ",requeue=hold";
    text += spec.fallback == Fallback::kRefuse ? ",fallback=refuse" : ",fallback=fresh";
    text += spec.copy_files ? ",files=copy" : ",files=name";
    text += spec.changed == Changed::kRefuse ? ",changed=refuse" : ",changed=accept";
    text += spec.copy_libraries ? ",libraries=copy" : ",libraries=name";
    text += spec.ignore_children ? ",children=ignore" : ",children=decline";
    return text;
}

}  // namespace sckpt::base
