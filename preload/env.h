// The contract between whoever launches a rank (the SPANK plugin, the test runner) and the
// interceptor inside it: names and meanings of environment variables.  Nothing else passes
// between them.  Raise kContract when a meaning changes: the two sides are installed apart.
#pragma once

namespace sckpt::env {

inline constexpr int kContract = 1;

// Absolute directory of this step: <checkpoint-dir>/<cluster>.<jobid>.<stepid>.  Its presence is what
// switches the interceptor on; a process without it is left alone.
inline constexpr char kDirectory[] = "SCKPT_DIR";

// Decimal incarnation: SLURM_RESTART_COUNT, 0 on the first run.  Names the fenced sub-directory r<N>.
inline constexpr char kIncarnation[] = "SCKPT_INCARNATION";

// The canonical form of --checkpoint's SPEC (see base/spec.h), for example "interval=600,keep=2,on=preempt+term".
inline constexpr char kSpec[] = "SCKPT_SPEC";

// Absolute path of the committed generation to restore from.  Set only when a restore was decided.
inline constexpr char kRestart[] = "SCKPT_RESTART";

// Directory with libsckpt.so, libsckpt_lower.so, sckpt-writer, sckpt-restore and sckpt.
inline constexpr char kLibrary[] = "SCKPT_LIBDIR";

// Least severity that is logged to standard error: error, warning (default), info, debug.
inline constexpr char kLog[] = "SCKPT_LOG";

// Decimal kContract of the side that set the variables; the interceptor refuses another number in one sentence.
inline constexpr char kContractVersion[] = "SCKPT_CONTRACT";

// "job.step" that these variables were made for.  Set by the plugin: a step started from inside a rank inherits them
// all and must not take them for its own (the plugin then removes them).  Not set by other launchers.
inline constexpr char kStep[] = "SCKPT_STEP";

// The LD_PRELOAD of a rank while sckpt-restore runs in its place, which is exec'd without LD_PRELOAD so that it is not
// intercepted itself.  The restored program's environment has it under its own name again.
inline constexpr char kPreload[] = "SCKPT_PRELOAD";

// Where a rank finds its number before MPI is initialised, in this order.
inline constexpr const char *kRankNames[] = {"PMIX_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK"};
// And the number of ranks of its world.
inline constexpr const char *kSizeNames[] = {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE"};

}  // namespace sckpt::env
