#include "preload/meeting.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <charconv>

#include "mpi_coord/coordinator.h"
#include "preload/base/clock.h"
#include "preload/base/file_limit.h"
#include "preload/base/system.h"
#include "preload/generations.h"
#include "preload/settings.h"
#include "preload/world.h"

namespace sckpt {
namespace {

constexpr std::string_view kPrefix = "meeting.";
// How long a task may take to answer, and how much longer the leader.
constexpr std::int64_t kPatience = 20 * kSecondNs, kLeaderPatience = 5 * kSecondNs;

std::int64_t now() { return kernel_time(CLOCK_MONOTONIC); }

std::string member(const char *prefix, int rank) { return std::string(prefix) + std::to_string(rank); }

// The value behind `name` in lines of NAME=VALUE.
std::string_view value_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == '=')
            return line.substr(name.size() + 1);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

template <class Number>
Number number_of(std::string_view text, std::string_view name) {
    const std::string_view value = value_of(text, name);
    Number number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

std::string to_text(const Decision &decision) {
    std::string line = decision.reason;
    for (char &letter : line)
        if (letter == '\n') letter = ' ';
    return "cause=" + std::to_string(decision.cause) + "\nwhy=" + std::to_string(decision.why) +
           "\nrank=" + std::to_string(decision.rank) + "\nrequest=" + std::to_string(decision.request) +
           "\nreason=" + line + "\n";
}

Decision from_text(std::string_view text) {
    return {number_of<std::uint32_t>(text, "cause"), number_of<std::int64_t>(text, "why"), number_of<int>(text, "rank"),
            number_of<unsigned long>(text, "request"), std::string(value_of(text, "reason"))};
}

}  // namespace

bool Meeting::enter(bool only_join, std::string &error) {
    const std::string parent = incarnation_directory();
    *this = Meeting();
    for (;;) {
        for_each_name(parent.c_str(), [this](int, const char *name) {
            const std::string_view all = name;
            std::uint32_t number = 0;
            if (!all.starts_with(kPrefix)) return;
            std::from_chars(name + kPrefix.size(), name + all.size(), number);
            if (number > number_) number_ = number;
        });
        begun_ns_ = now();
        auto name = [&] { directory_ = parent + "/" + std::string(kPrefix) + std::to_string(number_); };
        name();
        Decision decided;
        if (number_ && !read_decision(decided)) return true;
        if (only_join) return false;
        ++number_;
        name();
        make_incarnation_directory(parent.c_str());
        const long result = system_call(SYS_mkdir, as_long(directory_.c_str()), 0700);
        leads_ = result == 0;
        if (leads_) return true;
        if (result == -EEXIST) continue;  // another task has just made it
        error = "cannot make " + directory_ + ": " + strerrordesc_np(static_cast<int>(-result));
        return false;
    }
}

bool Meeting::take_part(std::uint32_t cause, std::int64_t why, unsigned long request, const std::string &reason) {
    return put(member("here.", world::rank()).c_str(), to_text({cause, why, world::rank(), request, reason}), false);
}

bool Meeting::look(Decision &decision, const char *(*verdict)(std::uint32_t)) {
    if (read_decision(decision)) return true;
    const bool late = now() - begun_ns_ > (leads_ ? kPatience : kPatience + kLeaderPatience);
    const int ranks = world::size();
    if (!late && (!leads_ || count("here.") < ranks)) return false;
    Decision all;
    for (int rank = 0; rank < ranks; ++rank) {
        std::string text;
        if (!get(member("here.", rank).c_str(), text)) {
            if (all.why) continue;
            all.why = static_cast<std::int64_t>(mpi::Decline::object);
            all.rank = world::rank();
            all.reason = "task " + std::to_string(rank) +
                         " does not answer: it has ended, or is nothing that can be checkpointed";
            continue;
        }
        const Decision one = from_text(text);
        all.cause |= one.cause;
        all.request = std::max(all.request, one.request);
        if (!one.why || all.why) continue;
        all.why = one.why;
        all.rank = one.rank;
        all.reason = one.reason;
    }
    if (const char *sentence = verdict(all.cause)) {
        all.why = static_cast<std::int64_t>(mpi::Decline::native);
        all.rank = world::rank();
        all.reason = sentence;
    }
    decide(all);
    // Everybody is here, so nobody is in the one before.
    if (number_ > 1 && !late) {
        const size_t dot = directory_.rfind('.');
        remove_generation((directory_.substr(0, dot + 1) + std::to_string(number_ - 1)).c_str());
    }
    return read_decision(decision);
}

void Meeting::decide(const Decision &decision) const { put("decision", to_text(decision), true); }

bool Meeting::read_decision(Decision &decision) const {
    std::string text;
    if (!get("decision", text)) return false;
    decision = from_text(text);
    return true;
}

std::uint32_t Meeting::agree(std::uint32_t bits, int patience_s) {
    const std::string turn = std::to_string(agreements_);
    const std::string values = "value." + turn + ".";
    put(member(values.c_str(), world::rank()).c_str(), "bits=" + std::to_string(bits) + "\n", false);
    if (world::rank() == 0 && !broken_) {
        std::uint32_t all = bits;
        broken_ = !await_count(values.c_str(), world::size(), patience_s);
        std::string text;
        for (int rank = 0; rank < world::size() && !broken_; ++rank) {
            broken_ = !get(member(values.c_str(), rank).c_str(), text);
            all |= number_of<std::uint32_t>(text, "bits");
        }
        bits = broken_ ? ~0u : all;
    }
    return tell(&bits, sizeof bits, patience_s) ? bits : ~0u;
}

bool Meeting::tell(void *data, int bytes, int patience_s) {
    const std::string name = "result." + std::to_string(agreements_++);
    const auto size = static_cast<size_t>(bytes);
    if (world::rank() == 0) {
        broken_ |= !put(name.c_str(), std::string(static_cast<char *>(data), size), false);
        return !broken_;
    }
    std::string text;
    if (!broken_)
        broken_ = !await_count(name.c_str(), 1, patience_s) || !get(name.c_str(), text) || text.size() != size;
    if (!broken_) memcpy(data, text.data(), size);
    return !broken_;
}

bool Meeting::put(const char *name, const std::string &text, bool exclusively) const {
    char path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", directory_.c_str(), name) >= static_cast<int>(sizeof path) ||
        snprintf(temporary, sizeof temporary, "%s/tmp.%d", directory_.c_str(), world::rank()) >=
            static_cast<int>(sizeof temporary))
        return false;
    const WithinFileLimit no_signal;
    const long fd = sys::open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return false;
    const bool written = sys::write(static_cast<int>(fd), text.data(), text.size()) == static_cast<long>(text.size());
    const bool closed = sys::close(static_cast<int>(fd)) == 0;  // where NFS tells that there was no room
    if (written && closed && !exclusively) return system_call(SYS_rename, as_long(temporary), as_long(path)) == 0;
    long linked = written && closed ? system_call(SYS_link, as_long(temporary), as_long(path)) : -ENOSPC;
    // A file system without links: only the leader decides, as long as no task is late.
    if (linked == -EPERM || linked == -EOPNOTSUPP) linked = system_call(SYS_rename, as_long(temporary), as_long(path));
    system_call(SYS_unlink, as_long(temporary));
    return linked == 0 || linked == -EEXIST;
}

bool Meeting::get(const char *name, std::string &text) const {
    char path[PATH_MAX];
    static char content[PATH_MAX + 512];  // the longest: what generations.cc tells; the serving thread is the only one
    if (snprintf(path, sizeof path, "%s/%s", directory_.c_str(), name) >= static_cast<int>(sizeof path)) return false;
    const long length = sys::read_file(path, content, sizeof content);
    if (length < 0) return false;
    text.assign(content, static_cast<size_t>(length));
    return true;
}

int Meeting::count(const char *prefix) const {
    int found = 0;
    const std::string_view wanted = prefix;
    for_each_name(directory_.c_str(),
                  [&](int, const char *name) { found += std::string_view(name).starts_with(wanted); });
    return found;
}

// Lists the directory instead of asking for a name: network file systems remember for long that one was not there.
bool Meeting::await_count(const char *prefix, int wanted, int patience_s) const {
    constexpr std::int64_t kLongestPause = 20'000'000;
    const std::int64_t end = now() + patience_s * kSecondNs;
    std::int64_t pause = 500'000;
    while (count(prefix) < wanted) {
        if (now() > end) return false;
        const timespec moment{0, static_cast<long>(pause)};
        system_call(SYS_nanosleep, as_long(&moment), 0);
        pause = std::min(pause * 2, kLongestPause);
    }
    return true;
}

}  // namespace sckpt
