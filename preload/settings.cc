#include "preload/settings.h"

#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "preload/base/file_limit.h"
#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/env.h"

namespace sckpt {
namespace {

std::string_view value_of(char *const *environment, std::string_view name) {
    for (; *environment; ++environment) {
        const std::string_view variable = *environment;
        if (variable.starts_with(name) && variable.size() > name.size() && variable[name.size()] == '=')
            return variable.substr(name.size() + 1);
    }
    return {};
}

int number(std::string_view text, int otherwise) {
    int value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

void set_level(std::string_view text) {
    if (text == "error") set_log_level(Severity::error);
    if (text == "info") set_log_level(Severity::info);
    if (text == "debug") set_log_level(Severity::debug);
}

}  // namespace

Settings &settings() {
    static auto *current = new Settings;
    return *current;
}

Settings read_settings(char *const *environment) {
    Settings read;
    set_level(value_of(environment, env::kLog));
    read.directory = value_of(environment, env::kDirectory);
    if (read.directory.empty()) return read;
    if (const auto given = value_of(environment, env::kContractVersion);
        !given.empty() && number(given, -1) != env::kContract) {
        say(Severity::warning, "the plugin and libsckpt.so are of different versions: running without checkpoints");
        return read;
    }
    read.incarnation = number(value_of(environment, env::kIncarnation), 0);
    read.library = value_of(environment, env::kLibrary);
    auto spec = base::parse_spec(value_of(environment, env::kSpec).empty() ? "on" : value_of(environment, env::kSpec));
    if (!spec) {
        say(Severity::warning, "%s: running without checkpoints", spec.error().c_str());
        return read;
    }
    read.spec = *spec;
    read.job_id = value_of(environment, "SLURM_JOB_ID");
    read.cluster = value_of(environment, "SLURM_CLUSTER_NAME");
    read.user = value_of(environment, "USER");
    if (!read.job_id.empty()) read.job = read.job_id + "." + std::string(value_of(environment, "SLURM_STEP_ID"));
    read.active = read.spec.enabled && !read.library.empty();
    return read;
}

std::string incarnation_directory() { return settings().directory + "/r" + std::to_string(settings().incarnation); }

void make_incarnation_directory(const char *incarnation) {
    system_call(SYS_mkdir, as_long(settings().directory.c_str()), 0700);
    system_call(SYS_mkdir, as_long(incarnation), 0700);
}

void log_event(std::string_view generation, std::string_view text) {
    timespec now;
    system_call(SYS_clock_gettime, CLOCK_REALTIME, as_long(&now));
    tm parts;
    gmtime_r(&now.tv_sec, &parts);
    char line[1024], path[PATH_MAX];
    const int length = std::snprintf(line, sizeof line - 1, "%04d-%02d-%02dT%02d:%02d:%02dZ r%d %.*s %.*s",
                                     parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                                     parts.tm_sec, settings().incarnation, static_cast<int>(generation.size()),
                                     generation.data(), static_cast<int>(text.size()), text.data());
    const std::size_t shown = std::min(static_cast<std::size_t>(length), sizeof line - 2);
    line[shown] = '\n';
    if (std::snprintf(path, sizeof path, "%s/log", settings().directory.c_str()) >= static_cast<int>(sizeof path))
        return;
    const long fd = sys::open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd < 0) return;
    const WithinFileLimit no_signal;
    sys::write(static_cast<int>(fd), line, shown + 1);
    sys::close(static_cast<int>(fd));
}

}  // namespace sckpt
