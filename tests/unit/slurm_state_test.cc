// Why a SIGTERM came, from what `scontrol --oneliner show job` says (Slurm 22.05).
#include "preload/slurm_state.h"

#include <gtest/gtest.h>

#include <string>

namespace sckpt {
namespace {

std::string job(const char *state, const char *more = "", int restarts = 0, const char *run = "00:01:05",
                const char *limit = "UNLIMITED") {
    return std::string("JobId=7 JobName=run.sh UserId=alice(2001) GroupId=alice(2001) Priority=1 JobState=") + state +
           " Reason=None Dependency=(null) Requeue=1 Restarts=" + std::to_string(restarts) +
           " BatchFlag=1 Reboot=0 ExitCode=0:0 RunTime=" + run + " TimeLimit=" + limit + " TimeMin=N/A " + more + "\n";
}

TEST(SlurmState, RunningWithoutAReason) {
    EXPECT_EQ(fate_of(job("RUNNING", "PreemptEligibleTime=2026-11-28T03:00:00 PreemptTime=None"), 0), Fate::running);
}
TEST(SlurmState, PreemptedInItsGraceTime) {
    EXPECT_EQ(fate_of(job("RUNNING", "PreemptTime=2026-11-28T03:00:00"), 0), Fate::preempted);
    EXPECT_EQ(fate_of(job("COMPLETING", "PreemptTime=2026-11-28T03:00:00"), 0), Fate::preempted);
    EXPECT_EQ(fate_of(job("PREEMPTED"), 0), Fate::preempted);
}
TEST(SlurmState, ARequeueHasCountedUpRestarts) {
    EXPECT_EQ(fate_of(job("COMPLETING", "PreemptTime=None", 1), 0), Fate::requeued);
    EXPECT_EQ(fate_of(job("COMPLETING", "PreemptTime=2026-11-28T03:00:00", 3), 2), Fate::requeued);
    EXPECT_EQ(fate_of(job("PENDING"), 0), Fate::requeued);
}
TEST(SlurmState, AnOldRestartIsNone) { EXPECT_EQ(fate_of(job("RUNNING", "", 2), 2), Fate::running); }
TEST(SlurmState, Cancelled) {
    EXPECT_EQ(fate_of(job("CANCELLED"), 0), Fate::cancelled);
    EXPECT_EQ(fate_of(job("COMPLETING", "PreemptTime=None"), 0), Fate::cancelled);
    EXPECT_EQ(fate_of(job("COMPLETING", "", 0, "00:00:59", "00:01:00"), 0), Fate::cancelled);
}
TEST(SlurmState, TimeLimit) {
    EXPECT_EQ(fate_of(job("COMPLETING", "", 0, "00:01:19", "00:01:00"), 0), Fate::time_limit);
    EXPECT_EQ(fate_of(job("COMPLETING", "", 0, "1-00:00:01", "1-00:00:00"), 0), Fate::time_limit);
    EXPECT_EQ(fate_of(job("COMPLETING", "", 0, "23:59:59", "1-00:00:00"), 0), Fate::cancelled);
    EXPECT_EQ(fate_of(job("TIMEOUT"), 0), Fate::time_limit);
}
TEST(SlurmState, NoAnswer) {
    EXPECT_EQ(fate_of("", 0), Fate::unknown);
    EXPECT_EQ(fate_of("slurm_load_jobs error: Invalid job id specified", 0), Fate::unknown);
    EXPECT_EQ(fate_of("XJobState=RUNNING", 0), Fate::unknown);
}

}  // namespace
}  // namespace sckpt
