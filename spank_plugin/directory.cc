#include "spank_plugin/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

namespace sckpt::plugin {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPrivate = 0700;

std::string because(int error) { return std::string(": ") + std::strerror(error); }

// The number in prefix<digits>suffix, all digits.
std::optional<std::uint64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
        return std::nullopt;
    name = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return value;
}

bool is_generation(const fs::path &path) {
    std::error_code ignored;
    return fs::is_regular_file(path / "job.h5", ignored);
}

// r<N> or r<N>.closed
std::optional<std::uint64_t> incarnation_of(const std::string &name) {
    const auto open = number_in(name, "r", "");
    return open ? open : number_in(name, "r", ".closed");
}

std::optional<fs::path> newest_generation(const fs::path &step_directory) {
    std::optional<fs::path> newest;
    std::pair<std::uint64_t, std::uint64_t> best{};
    std::error_code error;
    for (const auto &outer : fs::directory_iterator(step_directory, error)) {
        const auto incarnation = incarnation_of(outer.path().filename().string());
        if (!incarnation) continue;
        std::error_code inner_error;
        for (const auto &inner : fs::directory_iterator(outer.path(), inner_error)) {
            const auto number = number_in(inner.path().filename().string(), "", "");
            if (!number || !is_generation(inner.path())) continue;
            const std::pair key{*incarnation, *number};
            if (!newest || key > best) {
                best = key;
                newest = inner.path();
            }
        }
    }
    return newest;
}

std::uint32_t count_rank_files(const fs::path &generation) {
    std::uint32_t count = 0;
    std::error_code error;
    for (const auto &file : fs::directory_iterator(generation, error)) {
        if (number_in(file.path().filename().string(), "rank", ".h5")) ++count;
    }
    return count;
}

// The first name of the form path.old.<N> that nothing has.  renameat2 keeps the promise that nothing is replaced.
std::expected<std::string, std::string> move_aside(const std::string &path) {
    constexpr unsigned kTries = 10000;
    for (unsigned i = 1; i <= kTries; ++i) {
        std::string target = path + ".old." + std::to_string(i);
        if (renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return target;
        if (errno == EINVAL && access(target.c_str(), F_OK) != 0 && rename(path.c_str(), target.c_str()) == 0)
            return target;
        if (errno != EEXIST && errno != EINVAL) break;
    }
    return std::unexpected("cannot move the checkpoints of an earlier job aside, " + path + because(errno));
}

}  // namespace

std::expected<void, std::string> check_writable_directory(const std::string &path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
        return std::unexpected("checkpoint directory " + path + because(errno) +
                               " (create it or name another with --checkpoint-dir)");
    }
    if (!S_ISDIR(status.st_mode)) {
        return std::unexpected("checkpoint directory " + path +
                               " is not a directory (name another with --checkpoint-dir)");
    }
    if (faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
        return std::unexpected("checkpoint directory " + path + " is not writable" + because(errno) +
                               " (name another with --checkpoint-dir)");
    }
    return {};
}

std::expected<void, std::string> check_installed(const std::string &library_directory, const char *file) {
    const std::string path = library_directory + "/" + file;
    if (faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0) return {};
    return std::unexpected(path + because(errno) + " (install sckpt there or correct libdir= in plugstack.conf)");
}

std::string step_name(const std::string &cluster, std::uint32_t job, std::uint32_t step) {
    std::string name = cluster.empty() ? "cluster" : cluster;
    std::ranges::replace(name, '/', '_');
    return name + "." + std::to_string(job) + "." + std::to_string(step);
}

std::expected<std::string, std::string> open_step_directory(const std::string &path, unsigned incarnation) {
    const auto failed = [&] {
        return std::unexpected("cannot create the checkpoint directory " + path + because(errno));
    };
    if (mkdir(path.c_str(), kPrivate) == 0) return std::string();
    if (errno != EEXIST) return failed();
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return failed();
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) {
        return std::unexpected(path +
                               " is not a directory of yours (remove it or name another place with --checkpoint-dir)");
    }
    if (incarnation != 0) return std::string();
    auto moved = move_aside(path);
    if (moved && mkdir(path.c_str(), kPrivate) != 0) return failed();
    return moved;
}

std::expected<void, std::string> open_incarnation(const std::string &step_directory, unsigned incarnation) {
    const std::string path = step_directory + "/r" + std::to_string(incarnation);
    if (mkdir(path.c_str(), kPrivate) == 0 || errno == EEXIST) return {};
    return std::unexpected("cannot create " + path + because(errno));
}

std::expected<std::string, std::string> find_named_generation(const std::string &path, std::uint32_t ranks) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
        const std::string reason = error ? ": " + error.message() : std::string(" is not a directory");
        return std::unexpected("--restart-dir " + path + reason);
    }
    std::optional<fs::path> generation = is_generation(path) ? std::optional(fs::path(path)) : newest_generation(path);
    if (!generation) {
        return std::unexpected("--restart-dir " + path +
                               " holds no committed checkpoint (name a generation such as r0/0007, or the "
                               "directory of a step)");
    }
    if (generation->extension() == ".partial") {
        return std::unexpected("--restart-dir " + path + " was never committed (name a generation such as r0/0007)");
    }
    const std::uint32_t files = count_rank_files(*generation);
    if (files != ranks) {
        return std::unexpected("--restart-dir " + generation->string() + " holds " + std::to_string(files) +
                               (files == 1 ? " rank" : " ranks") + ", this step has " + std::to_string(ranks) +
                               ": start it with -n " + std::to_string(files));
    }
    return generation->string();
}

}  // namespace sckpt::plugin
