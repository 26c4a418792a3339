// The commit of a generation: the step from "every rank's file is durable" to "there is exactly one more valid
// generation", by one rename(2); and the retirement of older ones.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

namespace sckpt::storage {

// The points between which a commit may be interrupted; for tests.
enum class CommitStep {
    files_there,       // all rank files are there, and checked
    manifest_written,  // job.h5 is durable in the partial directory
    renamed,           // the generation has its final name
    durable,           // and so has the directory above it
    retired,           // older generations have been removed
};

struct CommitRequest {
    std::filesystem::path partial;  // <step>/r<N>/<generation>.partial, absolute
    std::uint32_t ranks = 1;
    std::uint32_t keep = 1;  // newest valid generations of the step to keep, this one included; at least 1
    double timeout = 600;    // seconds to wait for the other ranks' files
    std::function<void(CommitStep)> on_step;
};

struct Committed {
    std::filesystem::path generation;
    std::uint64_t bytes;  // of all rank files
};

// Waits for all rank files (or a rank's .failed), writes job.h5, renames, retires, and appends to the step's log.  On
// failure the partial directory is removed, the failure logged, and the error one sentence.  When the incarnation
// has been fenced (its r<N> renamed) this fails like any other write below a directory that is gone.
std::expected<Committed, std::string> commit(const CommitRequest &request);

// Gives a partial generation up: removes it and logs `sentence`.
void abandon(const std::filesystem::path &partial, const std::string &sentence);

// Leaves rankNNNNN.failed for the committer; a failure to do so is not reported (the committer's time-out remains).
void mark_failed(const std::filesystem::path &partial, std::uint32_t rank, const std::string &sentence);

// Removes all but the newest `keep` valid generations of a step, over all incarnations, and what interrupted commits
// left behind in r<incarnation>: partial generations below number `current`, generations half removed.
void retire(const std::filesystem::path &step, std::uint32_t incarnation, std::uint32_t current, std::uint32_t keep);

}  // namespace sckpt::storage
