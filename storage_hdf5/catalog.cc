#include "storage_hdf5/catalog.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "storage_hdf5/names.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace fs = std::filesystem;

namespace {

template <class Visit>
std::expected<void, Error> for_each_entry(const fs::path &directory, Visit visit) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
        visit(*entry);
    if (error)
        return std::unexpected(
            Error{Refusal::unreadable, "cannot list " + directory.string() + ": " + error.message()});
    return {};
}

bool older(const Generation &a, const Generation &b) {
    return std::pair(a.incarnation, a.number) < std::pair(b.incarnation, b.number);
}

}  // namespace

std::expected<Manifest, Error> verify_generation(const fs::path &generation, Depth depth,
                                                 const std::function<void(std::uint64_t bytes)> &progress) {
    auto manifest = check_generation(generation);
    if (!manifest || depth == Depth::manifest) return manifest;
    std::uint64_t before = 0;
    for (const auto &entry : manifest->entries) {
        const auto image = Image::open(generation, entry.rank);
        if (!image) return std::unexpected(image.error());
        if (depth != Depth::data) continue;
        const auto report = [&](std::uint64_t bytes) {
            if (progress) progress(before + bytes);
        };
        if (auto good = image->verify(0, report); !good) return std::unexpected(good.error());
        before += image->page_count() * kPageSize;
    }
    return manifest;
}

bool is_step(const fs::path &directory) {
    bool found = false;
    const auto listed = for_each_entry(directory, [&](const fs::directory_entry &entry) {
        found = found || parse_incarnation(entry.path().filename().string()).has_value();
    });
    return listed && found;
}

std::expected<Step, Error> read_step(const fs::path &step, Depth depth) {
    Step result{step, {}};
    std::vector<std::pair<fs::path, IncarnationName>> incarnations;
    auto listed = for_each_entry(step, [&](const fs::directory_entry &entry) {
        if (auto name = parse_incarnation(entry.path().filename().string()))
            incarnations.emplace_back(entry.path(), *name);
    });
    if (!listed) return std::unexpected(listed.error());
    for (const auto &[path, incarnation] : incarnations) {
        listed = for_each_entry(path, [&](const fs::directory_entry &entry) {
            const auto number = parse_generation(entry.path().filename().string());
            if (number)
                result.generations.push_back({entry.path(), incarnation.number, *number, incarnation.closed, {}, {}});
        });
        if (!listed) return std::unexpected(listed.error());
    }
    std::ranges::sort(result.generations, older);
    for (auto &generation : result.generations) {
        if (auto manifest = verify_generation(generation.path, depth))
            generation.manifest = std::move(*manifest);
        else
            generation.problem = manifest.error();
    }
    return result;
}

std::expected<std::vector<Step>, Error> list_steps(const fs::path &directory) {
    std::vector<fs::path> paths;
    if (is_step(directory)) {
        paths.push_back(directory);
    } else {
        auto listed = for_each_entry(directory, [&](const fs::directory_entry &entry) {
            std::error_code error;
            if (entry.is_directory(error) && is_step(entry.path())) paths.push_back(entry.path());
        });
        if (!listed) return std::unexpected(listed.error());
    }
    std::ranges::sort(paths);
    std::vector<Step> steps;
    for (const auto &path : paths) {
        auto step = read_step(path);
        if (!step) return std::unexpected(step.error());
        steps.push_back(std::move(*step));
    }
    return steps;
}

std::expected<void, std::string> fence(const fs::path &step, std::uint32_t incarnation) {
    std::error_code missing;
    if (!fs::exists(step, missing)) return {};
    std::vector<fs::path> open;
    auto listed = for_each_entry(step, [&](const fs::directory_entry &entry) {
        const auto name = parse_incarnation(entry.path().filename().string());
        if (name && !name->closed && name->number < incarnation) open.push_back(entry.path());
    });
    if (!listed) return std::unexpected(listed.error().sentence);
    for (const auto &path : open) {
        const std::string closed = path.string() + kClosedSuffix;
        int result = std::rename(path.c_str(), closed.c_str());
        // Closed before, and made again by a rank that did not know: what it writes there is of no use to anybody.
        for (int i = 0; result != 0 && (errno == ENOTEMPTY || errno == EEXIST); ++i)
            result = std::rename(path.c_str(), (path.string() + ".stale" + std::to_string(i)).c_str());
        if (result != 0 && errno != ENOENT)
            return std::unexpected("cannot close the earlier run's checkpoints: rename " + path.string() + ": " +
                                   system_error(errno));
    }
    return {};
}

std::expected<RestartPoint, Error> restart_point(const fs::path &step, std::uint32_t incarnation, std::uint32_t ranks) {
    if (auto fenced = fence(step, incarnation); !fenced)
        return std::unexpected(Error{Refusal::unreadable, fenced.error()});
    RestartPoint point;
    std::error_code missing;
    if (!fs::exists(step, missing)) return point;
    auto read = read_step(step);
    if (!read) return std::unexpected(read.error());
    if (read->generations.empty()) return point;
    for (auto generation = read->generations.rbegin(); generation != read->generations.rend(); ++generation) {
        auto manifest = verify_generation(generation->path, Depth::tables);
        if (!manifest) {
            point.skipped.push_back(manifest.error());
            continue;
        }
        if (manifest->ranks != ranks)
            return std::unexpected(
                Error{Refusal::wrong_ranks, generation->path.string() + " is of " + std::to_string(manifest->ranks) +
                                                " ranks, but this step has " + std::to_string(ranks) +
                                                "; start it with -n " + std::to_string(manifest->ranks)});
        point.generation = fs::absolute(generation->path);
        return point;
    }
    auto newest = point.skipped.front();
    newest.sentence = "none of the " + std::to_string(point.skipped.size()) + " checkpoints in " + step.string() +
                      " is usable; the newest: " + newest.sentence;
    return std::unexpected(newest);
}

}  // namespace sckpt::storage
