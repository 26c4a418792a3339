// Records a waiting victim from outside, for the tests: what a rank of its own would hand over.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "preload/restore/source.h"
#include "preload/restore/testing/victim.h"

namespace sckpt::restore::testing {

/// A victim that has reported itself; killed and waited for when this ends.
class Victim {
  public:
    /// Starts this program again with `--victim` (see victim_main()); throws std::runtime_error.
    explicit Victim(const std::string &directory);
    Victim(const Victim &) = delete;
    Victim &operator=(const Victim &) = delete;
    ~Victim();

    pid_t pid() const { return pid_; }
    const Mail &mail() const { return mail_; }
    const std::vector<std::string> &arguments() const { return arguments_; }
    void kill();

  private:
    pid_t pid_ = -1;
    Mail mail_{};
    std::vector<std::string> arguments_;
};

/// To be called first in main(): returns unless the arguments ask for the victim.  With SCKPT_RESTART set it does what
/// the interceptor does in a real rank: asks `sckpt-restore --match` of SCKPT_LIBDIR and becomes sckpt-restore; where
/// the answer is no, it exits with kNoMatch plus that answer.
inline constexpr int kNoMatch = 40;
void victim_main(int count, char **arguments);

/// fork(), and in the child execv() of `path` with these arguments, the first being the program's name.  In the child
/// `prepare` is called first.
pid_t start(const char *path, const std::vector<std::string> &arguments, const std::function<void()> &prepare);

/// Process, texts and regions of the victim; no runs, no hashes.
Source record(const Victim &victim, std::uint32_t rank, std::uint32_t world_size);

/// Adds the runs to `source` and writes their pages to the flat file source.rank_file, at pages_offset 8192.
void store_flat(const Victim &victim, Source &source);

/// `source` as a plan (image.h) in a memfd, to be handed to sckpt-writer.
int make_plan_descriptor(const Source &source);

}  // namespace sckpt::restore::testing
