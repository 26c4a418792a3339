// SPEC, the argument of --checkpoint: what a user writes, and its canonical form that the rank is handed in
// SCKPT_SPEC.  A pure parser with bounds, used by the plugin (also inside root's slurmstepd) and by libsckpt.so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace sckpt::base {

// Longest SPEC that is looked at, bytes.
inline constexpr std::size_t kSpecMaximum = 4096;
// Longest interval, seconds (ten years: what is longer is a typing error, and sums with a clock cannot overflow).
inline constexpr std::uint64_t kIntervalMaximum = 10ULL * 366 * 24 * 3600;
// Most generations that can be asked for.
inline constexpr std::uint32_t kKeepMaximum = 1000;

// What becomes of the job after the checkpoint of a preemption.
enum class Requeue : std::uint8_t {
    kAuto,  // rank 0 asks Slurm for the requeue at once: the nodes are free seconds after the commit
    kHold,  // the ranks wait until Slurm kills and requeues the job
};

// What a requeued job does when generations were committed and none of them is usable.
enum class Fallback : std::uint8_t {
    kRefuse,  // it does not start
    kFresh,   // it starts from the beginning
};

// What becomes of a file that the program has open for reading only, when it was changed between checkpoint and restore.
enum class Changed : std::uint8_t {
    kRefuse,  // the restore does not start
    kAccept,  // the restored program reads what is there now
};

// A checkpoint policy.  The default value is what `on` means.
struct Spec {
    bool enabled = true;                 // false: `off`, for one srun in a script whose job asked for checkpoints
    std::uint64_t interval_seconds = 0;  // time between two periodic checkpoints; 0: none
    bool on_preempt = true;              // SIGTERM of a job that Slurm preempts or requeues
    bool on_timelimit = true;            // SIGTERM of a job whose time limit has come
    bool on_term = false;                // any other SIGTERM, scancel's for example
    std::uint32_t keep = 2;              // newest generations that are kept
    bool synchronous = false;            // ranks stay parked until the commit, instead of a copy-on-write snapshot
    Requeue requeue = Requeue::kAuto;
    Fallback fallback = Fallback::kRefuse;
    bool copy_files = false;             // contents of files that are open for writing go into the checkpoint
    Changed changed = Changed::kRefuse;
    bool copy_libraries = false;   // programs and libraries that are mapped go into the checkpoint whole
    bool ignore_children = false;  // child processes are no obstacle; a restored program has none

    bool operator==(const Spec &) const = default;
};

// Parses SPEC: `on`, `off`, or a Slurm time (srun(1), --time: 10, 30:00, 1:00:00, 1-0, 1-2:3, 1-2:3:4; also 600s) as
// the interval, followed by key=value pairs, or these alone, joined by commas:
//   interval=TIME  on=EVENT[+EVENT...] (preempt, timelimit, term; or none)  keep=N  sync=yes|no  requeue=auto|hold
//   fallback=refuse|fresh  files=name|copy  changed=refuse|accept  libraries=name|copy  children=decline|ignore
// Error: one sentence that names the wrong word and what is allowed.
std::expected<Spec, std::string> parse_spec(std::string_view text);

// The one text for a policy, interval in seconds: `interval=600s,on=preempt+timelimit,keep=2,sync=no,requeue=auto,
// fallback=refuse,files=name,changed=refuse,libraries=name,children=decline` (one line).
// parse_spec(canonical(s)) == s for every s that parse_spec gives.
std::string canonical(const Spec &spec);

// Seconds of a Slurm time (see parse_spec).  Error: what is wrong with it, to follow the quoted text.
std::expected<std::uint64_t, std::string> parse_slurm_time(std::string_view text);

}  // namespace sckpt::base
