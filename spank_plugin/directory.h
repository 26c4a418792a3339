// The checkpoint directories, touched only as the user: by srun, sbatch and salloc.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace sckpt::plugin {

// Is path a directory in which the caller may create files?  Error: one sentence with what to do.
std::expected<void, std::string> check_writable_directory(const std::string &path);

// Is file there and readable?  Error: one sentence that names libdir=.
std::expected<void, std::string> check_installed(const std::string &library_directory, const char *file);

// "<cluster>.<job>.<step>"; slashes in the cluster's name become underscores.
std::string step_name(const std::string &cluster, std::uint32_t job, std::uint32_t step);

// Creates the directory of a step, mode 0700, or takes the one that is there: it must be a directory (no symbolic
// link) of the caller.  At incarnation 0 one that is there stems from an earlier job with the same number (job ids
// recur): it is renamed, so that its generations are never taken for this job's.
// Result: the new name of what was moved aside, empty when nothing was.  Error: one sentence.
std::expected<std::string, std::string> open_step_directory(const std::string &path, unsigned incarnation);

// Creates <step directory>/r<incarnation>, mode 0700, where the ranks and `sckpt create` write.  Error: one sentence.
std::expected<void, std::string> open_incarnation(const std::string &step_directory, unsigned incarnation);

// What --restart-dir names: a committed generation (it has a job.h5), or the directory of a step, whose newest
// generation (highest incarnation, then highest number) is taken.  The number of its rank files must be ranks.
// Nothing is changed: the step that wrote it may be running.  Contents are verified by the ranks, each its own.
// Result: absolute path of the generation.  Error: one sentence.
std::expected<std::string, std::string> find_named_generation(const std::string &path, std::uint32_t ranks);

}  // namespace sckpt::plugin
