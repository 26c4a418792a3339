// How the tasks of a step agree where there is no MPI: by files below r<N>/meeting.<k>/, each written under another
// name and renamed.  A checkpoint of theirs is one meeting:
//
//   here.<rank>      the task takes part: causes, id of the request that it knows, and what stands in its way, if
//   anything decision         one for all, made by whoever links it first: stop, or why not value.<n>.<rank>,
//   result.<n>   agreements of the stopped tasks, in order; rank 0 collects
//
// The tasks run on until the decision, so one that has ended or does not answer costs the others nothing.  Between
// tasks without MPI there is nothing in flight: each may stop when it likes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sckpt {

struct Decision {
    std::uint32_t cause = 0;    // of all tasks together
    std::int64_t why = 0;       // mpi::Decline; 0: stop
    int rank = 0;               // who stands in the way
    unsigned long request = 0;  // the highest id that any of them knew
    std::string reason;
};

class Meeting {
  public:
    // The newest meeting that is undecided, or a new one.  `only_join`: not a new one.  False when there is none, with
    // the reason in `error` if it could not be made.
    bool enter(bool only_join, std::string &error);
    // This task has made the meeting, and so decides for all as long as it lives.
    bool leads() const { return leads_; }
    // This task takes part; `reason` (empty: none) stands in its way.  False when it cannot be written.
    bool take_part(std::uint32_t cause, std::int64_t why, unsigned long request, const std::string &reason);

    // Looks once.  True when decided.  The leader decides when all are there, `verdict` (null, or a sentence; asked
    // once, with the causes of all) having the last word, and after kPatience without those that are missing; the
    // others do so later, in case the leader has ended.
    bool look(Decision &decision, const char *(*verdict)(std::uint32_t cause));

    // For the stopped tasks, in the same order in all.  agree() returns the union of the bits, all bits set when a task
    // has not answered in time; tell() what rank 0 gives, false when it has not.
    std::uint32_t agree(std::uint32_t bits, int patience_s);
    bool tell(void *data, int bytes, int patience_s);

    // At once, for all, unless it has been decided before.
    void decide(const Decision &decision) const;

  private:
    bool put(const char *name, const std::string &text, bool exclusively) const;
    bool get(const char *name, std::string &text) const;
    int count(const char *prefix) const;
    bool await_count(const char *prefix, int wanted, int patience_s) const;
    bool read_decision(Decision &decision) const;

    std::string directory_;
    bool leads_ = false;
    std::int64_t begun_ns_ = 0;
    std::uint32_t number_ = 0;  // of this meeting
    std::uint32_t agreements_ = 0;
    bool broken_ = false;  // a task has not answered: nobody is waited for again
};

}  // namespace sckpt
