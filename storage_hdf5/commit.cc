// What makes this safe is the order: rank files durable, job.h5 durable, one rename, the parent durable, and only then
// is anything older removed.  Nothing is checked first and done later: when this incarnation has been fenced, every
// path below r<N> is gone and the rename itself fails.
#include "storage_hdf5/commit.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "storage_hdf5/catalog.h"
#include "storage_hdf5/durable.h"
#include "storage_hdf5/log.h"
#include "storage_hdf5/manifest.h"
#include "storage_hdf5/names.h"
#include "storage_hdf5/reader.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

std::string first_line(const fs::path &file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line.empty() ? "it could not say why" : line;
}

// Waits until every rank's file has its final name.  Lists the directory instead of asking for each name: network
// file systems remember for long that a name was not there.
std::expected<void, std::string> wait_for_files(const CommitRequest &request) {
    const auto deadline = Clock::now() + std::chrono::duration<double>(request.timeout);
    auto pause = std::chrono::milliseconds(1);
    for (;;) {
        std::set<std::string> names;
        std::error_code error;
        for (fs::directory_iterator entry(request.partial, error), end; !error && entry != end; entry.increment(error))
            names.insert(entry->path().filename().string());
        if (error) return std::unexpected("cannot list " + request.partial.string() + ": " + error.message());
        std::uint32_t missing = 0, first_missing = 0;
        for (std::uint32_t rank = 0; rank < request.ranks; ++rank) {
            if (names.contains(rank_failed_name(rank)))
                return std::unexpected("rank " + std::to_string(rank) + ": " +
                                       first_line(request.partial / rank_failed_name(rank)));
            if (names.contains(rank_file_name(rank))) continue;
            if (missing++ == 0) first_missing = rank;
        }
        if (missing == 0) return {};
        if (Clock::now() >= deadline)
            return std::unexpected("rank " + std::to_string(first_missing) + ": its image was not there after " +
                                   seconds(request.timeout) + " s (" + std::to_string(missing) + " of " +
                                   std::to_string(request.ranks) + " missing)");
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(100));
    }
}

// Opens every rank file: this is the last moment at which a bad one costs nothing.
std::expected<Manifest, std::string> collect(const CommitRequest &request, const Place &place) {
    Manifest manifest;
    manifest.generation = request.partial;
    manifest.number = place.generation;
    manifest.incarnation = place.incarnation;
    manifest.ranks = request.ranks;
    for (std::uint32_t rank = 0; rank < request.ranks; ++rank) {
        const auto image = Image::open_file(request.partial / rank_file_name(rank));
        if (!image) return std::unexpected("rank " + std::to_string(rank) + ": " + image.error().sentence);
        const auto &process = image->process();
        if (process.rank != rank || process.world_size != request.ranks || process.generation != place.generation ||
            process.incarnation != place.incarnation)
            return std::unexpected("rank " + std::to_string(rank) + ": " + image->path().string() + " is of rank " +
                                   std::to_string(process.rank) + " of " + std::to_string(process.world_size) +
                                   ", generation " + std::to_string(process.generation) + " of incarnation " +
                                   std::to_string(process.incarnation) + ", which is not what is being committed");
        manifest.entries.push_back({rank, rank_file_name(rank), std::string(image->text(process.host)),
                                    image->file_bytes(), image->page_count(), image->digest()});
        if (rank != 0) continue;
        manifest.cut_time_ns = process.cut_time_ns;
        manifest.job = image->text(process.job);
        manifest.cluster = image->text(process.cluster);
        manifest.user = image->text(process.user);
        manifest.cause = image->text(process.cause);
    }
    manifest.topology = topology_xml();
    manifest.commit_time_ns = now_ns();
    return manifest;
}

// A directory must not look like a generation while it is being removed.  Under its new name no writer that still runs
// finds it, but one that was just making a file there may finish that between the look and the removal.
void remove_generation(const fs::path &directory) {
    const fs::path doomed = directory.string() + kRetiredSuffix;
    std::error_code error;
    fs::rename(directory, doomed, error);
    constexpr int kTries = 100;
    for (int i = 0; i < kTries && fs::exists(doomed, error); ++i) fs::remove_all(doomed, error);
}

std::expected<Committed, std::string> try_commit(const CommitRequest &request, const Place &place) {
    const auto reached = [&](CommitStep step) {
        if (request.on_step) request.on_step(step);
    };
    if (auto there = wait_for_files(request); !there) return std::unexpected(there.error());
    const auto manifest = collect(request, place);
    if (!manifest) return std::unexpected(manifest.error());
    reached(CommitStep::files_there);
    if (auto written = write_manifest(*manifest); !written) return std::unexpected(written.error());
    reached(CommitStep::manifest_written);

    const auto generation = request.partial.parent_path() / generation_name(place.generation);
    if (std::rename(request.partial.c_str(), generation.c_str()) != 0)
        return std::unexpected("cannot rename " + request.partial.string() + ": " + system_error(errno) +
                               (errno == ENOENT ? "; a newer run of this job has closed it" : ""));
    reached(CommitStep::renamed);
    if (auto synced = sync_directory(generation.parent_path()); !synced) {
        // Valid now, but perhaps not after a crash: whoever asked must not rely on it.
        remove_generation(generation);
        return std::unexpected(synced.error());
    }
    reached(CommitStep::durable);
    const double took = static_cast<double>(now_ns() - manifest->cut_time_ns) / 1e9;
    (void)append_log(place.step, place.incarnation, place.generation,
                     "committed " + std::to_string(request.ranks) + " ranks " + std::to_string(manifest->bytes()) +
                         " bytes " + seconds(took) + " s");
    retire(place.step, place.incarnation, place.generation, request.keep);
    reached(CommitStep::retired);
    return Committed{generation, manifest->bytes()};
}

}  // namespace

std::expected<Committed, std::string> commit(const CommitRequest &request) {
    const auto place = parse_place(request.partial);
    if (!place) return std::unexpected(request.partial.string() + " is not named like a generation of a step");
    auto committed = try_commit(request, *place);
    if (!committed) abandon(request.partial, committed.error());
    return committed;
}

void abandon(const fs::path &partial, const std::string &sentence) {
    const auto place = parse_place(partial);
    if (!place) return;
    remove_generation(partial);
    (void)append_log(place->step, place->incarnation, place->generation, "failed " + sentence);
}

void mark_failed(const fs::path &partial, std::uint32_t rank, const std::string &sentence) {
    const auto path = partial / rank_failed_name(rank);
    const auto temporary = path.string() + ".tmp";
    std::ofstream(temporary) << one_line(sentence) << "\n";
    std::error_code ignored;
    fs::rename(temporary, path, ignored);
}

void retire(const fs::path &step, std::uint32_t incarnation, std::uint32_t current, std::uint32_t keep) {
    const auto all = read_step(step);
    if (!all) return;
    std::uint32_t valid = 0;
    for (auto generation = all->generations.rbegin(); generation != all->generations.rend(); ++generation) {
        if (valid >= std::max(keep, 1U))
            remove_generation(generation->path);
        else if (generation->manifest)
            ++valid;
    }
    std::error_code ignored;
    std::vector<fs::path> leftovers, closed;
    for (const auto &directory : fs::directory_iterator(step, ignored)) {
        const auto run = parse_incarnation(directory.path().filename().string());
        if (!run || (!run->closed && run->number != incarnation)) continue;
        if (run->closed) closed.push_back(directory.path());
        for (const auto &entry : fs::directory_iterator(directory.path(), ignored)) {
            const std::string name = entry.path().filename().string();
            const auto place = parse_place(entry.path());
            const bool dead = name.ends_with(kPartialSuffix) && place && (run->closed || place->generation < current);
            if (dead || name.ends_with(kRetiredSuffix)) leftovers.push_back(entry.path());
        }
    }
    for (const auto &path : leftovers) fs::remove_all(path, ignored);
    for (const auto &path : closed) fs::remove(path, ignored);  // only when empty
}

}  // namespace sckpt::storage
