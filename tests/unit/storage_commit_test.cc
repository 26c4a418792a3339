// A generation is valid exactly when its directory has its final name, whatever happens on the way there.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "storage_hdf5/catalog.h"
#include "storage_hdf5/commit.h"
#include "storage_hdf5/log.h"
#include "storage_hdf5/testing/rank.h"
#include "storage_hdf5/writer.h"

namespace {

using namespace sckpt;
using namespace sckpt::storage;
using namespace sckpt::storage::testing;
namespace fs = std::filesystem;

class CommitTest : public ::testing::Test {
  protected:
    Scratch scratch_;
    Victim victim_{scratch_.path()};
    fs::path step_ = scratch_.path() / "mini.5.0";

    fs::path generation(const std::string &name, const std::string &run = "r0") const { return step_ / run / name; }

    int save(const std::string &name, std::uint32_t ranks = 1, std::uint32_t keep = 2, const std::string &run = "r0") {
        return save_generation(victim_, generation(name + ".partial", run), ranks, keep);
    }

    // Rank files only, written here.
    void write_ranks(const fs::path &partial, std::uint32_t ranks, std::uint32_t number,
                     std::uint32_t incarnation = 0) {
        fs::create_directories(partial);
        for (std::uint32_t rank = 0; rank < ranks; ++rank) {
            const auto plan = Plan::parse(victim_.plan(rank, ranks, number, incarnation).bytes());
            const auto written = write_image({*plan, victim_.pid(), partial, 1, false, {}});
            ASSERT_TRUE(written) << written.error();
        }
    }

    std::vector<std::string> valid() const {
        std::vector<std::string> names;
        const auto step = read_step(step_, Depth::data);
        for (const auto &found : step->generations)
            names.push_back(found.path.parent_path().filename().string() + "/" + found.path.filename().string() +
                            (found.manifest ? "" : " bad"));
        return names;
    }

    std::string log() const {
        std::ifstream file(step_ / "log");
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

using Names = std::vector<std::string>;

TEST_F(CommitTest, TheProgramCommitsAndTellsHowFarItIs) {
    std::string told;
    ASSERT_EQ(save_generation(victim_, generation("0001.partial"), 3, 2, &told), 0);
    EXPECT_EQ(told, "read\ndone\ncommitted\n");
    EXPECT_EQ(valid(), Names{"r0/0001"});
    const auto line = parse_log_line(log().substr(0, log().find('\n')));
    ASSERT_TRUE(line);
    EXPECT_EQ(line->event, "committed");
    EXPECT_EQ(line->generation, 1U);
    EXPECT_EQ(line->text.find("committed 3 ranks "), 0U) << line->text;
    EXPECT_EQ(fs::status(generation("0001") / "rank00000.h5").permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(CommitTest, KeepsTheNewestOfAllRuns) {
    ASSERT_EQ(save("0001"), 0);
    ASSERT_EQ(save("0002"), 0);
    ASSERT_EQ(save("0003"), 0);
    EXPECT_EQ(valid(), (Names{"r0/0002", "r0/0003"}));
    ASSERT_TRUE(fence(step_, 1));
    ASSERT_EQ(save("0004", 1, 2, "r1"), 0);
    EXPECT_EQ(valid(), (Names{"r0.closed/0003", "r1/0004"}));
    ASSERT_EQ(save("0005", 1, 2, "r1"), 0);
    EXPECT_EQ(valid(), (Names{"r1/0004", "r1/0005"}));
    EXPECT_FALSE(fs::exists(step_ / "r0.closed"));
}

TEST_F(CommitTest, ADamagedGenerationDoesNotCountAsKept) {
    ASSERT_EQ(save("0001"), 0);
    ASSERT_EQ(save("0002"), 0);
    fs::remove(generation("0002") / "rank00000.h5");
    ASSERT_EQ(save("0003"), 0);
    EXPECT_EQ(valid(), (Names{"r0/0001", "r0/0002 bad", "r0/0003"}));
}

class Interrupted : public CommitTest, public ::testing::WithParamInterface<CommitStep> {};

// Killed at each step: before the rename the old generation is the newest valid one, from then on the new one is.
TEST_P(Interrupted, LeavesExactlyOneTruth) {
    ASSERT_EQ(save("0001", 2), 0);
    const auto partial = generation("0002.partial");
    write_ranks(partial, 2, 2);
    const pid_t child = fork();
    if (child == 0) {
        CommitRequest request{partial, 2, 2, 5, [](CommitStep step) {
                                  if (step == GetParam()) raise(SIGKILL);
                              }};
        (void)commit(request);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    const bool renamed = GetParam() >= CommitStep::renamed;
    const auto point = restart_point(step_, 1, 2);
    ASSERT_TRUE(point) << point.error().sentence;
    EXPECT_EQ(point->generation->filename(), renamed ? "0002" : "0001");
    EXPECT_TRUE(point->skipped.empty());
    // The next run cleans up what was left.
    ASSERT_EQ(save("0003", 2, 5, "r1"), 0);
    EXPECT_FALSE(fs::exists(step_ / "r0.closed/0002.partial"));
    EXPECT_EQ(valid().back(), "r1/0003");
}
INSTANTIATE_TEST_SUITE_P(AtEachStep, Interrupted,
                         ::testing::Values(CommitStep::files_there, CommitStep::manifest_written, CommitStep::renamed,
                                           CommitStep::durable, CommitStep::retired));

TEST_F(CommitTest, AFencedRunCannotCommit) {
    ASSERT_EQ(save("0001", 2), 0);
    const auto partial = generation("0002.partial");
    write_ranks(partial, 2, 2);
    // The new run closes this one at the last moment, between job.h5 and the rename.
    CommitRequest request{partial, 2, 2, 5, {}};
    request.on_step = [&](CommitStep step) {
        if (step == CommitStep::manifest_written) {
            ASSERT_TRUE(fence(step_, 1));
        }
    };
    const auto committed = commit(request);
    ASSERT_FALSE(committed);
    EXPECT_NE(committed.error().find("a newer run of this job has closed it"), std::string::npos) << committed.error();
    EXPECT_EQ(valid(), Names{"r0.closed/0001"});
    // A writer that comes late neither.
    EXPECT_EQ(save_generation(victim_, generation("0003.partial", "r7"), 1), 0);
    fs::remove_all(step_ / "r7");
    int status = -1;
    const auto plan = victim_.plan(0, 1, 3, 0).bytes();
    EXPECT_EQ(finish(start_writer(plan, victim_.pid(), generation("0003.partial"), 0, 1, 2, &status)), 1);
    EXPECT_EQ(drain(status).find("failed: cannot create "), 0U);
    EXPECT_FALSE(fs::exists(step_ / "r0"));
}

TEST_F(CommitTest, FencingAnswersARunThatCameBack) {
    ASSERT_EQ(save("0001"), 0);
    ASSERT_TRUE(fence(step_, 1));
    ASSERT_EQ(save("0009"), 0);  // an old rank that made r0 again
    ASSERT_TRUE(fence(step_, 1));
    EXPECT_EQ(valid(), Names{"r0.closed/0001"});
    EXPECT_FALSE(fs::exists(step_ / "r0"));
    ASSERT_EQ(save("0002", 1, 2, "r1"), 0);
    ASSERT_TRUE(fence(step_, 1));
    EXPECT_TRUE(fs::exists(step_ / "r1"));  // never its own
}

TEST_F(CommitTest, OneRanksFailureFailsAll) {
    ASSERT_EQ(save("0001", 2), 0);
    const auto partial = generation("0002.partial");
    int status[2];
    const auto plan0 = victim_.plan(0, 2, 2, 0).bytes();
    const auto plan1 = victim_.plan(1, 2, 2, 0).bytes();
    fs::create_directories(partial);
    // As on a full disk: the file may not grow beyond 1 MiB.
    const pid_t failing = start_writer(plan1, victim_.pid(), partial, 1, 2, 2, &status[1], 60, 1 << 20);
    EXPECT_EQ(finish(failing), 1);
    const auto told = drain(status[1]);
    EXPECT_NE(told.find("failed: "), std::string::npos) << told;
    EXPECT_NE(told.find("File too large"), std::string::npos) << told;
    EXPECT_TRUE(fs::exists(partial / "rank00001.failed"));
    EXPECT_FALSE(fs::exists(partial / "rank00001.h5.tmp"));
    const pid_t committer = start_writer(plan0, victim_.pid(), partial, 0, 2, 2, &status[0]);
    EXPECT_EQ(finish(committer), 1);
    EXPECT_NE(drain(status[0]).find("done\nfailed: rank 1: "), std::string::npos);
    EXPECT_FALSE(fs::exists(partial));
    EXPECT_EQ(valid(), Names{"r0/0001"});
    EXPECT_NE(log().find("r0 0002 failed rank 1: "), std::string::npos) << log();
}

TEST_F(CommitTest, ALateRankDoesNotBringAGenerationBack) {
    const auto partial = generation("0001.partial");
    fs::create_directories(partial);
    abandon(partial, "rank 0: given up");
    int status;
    EXPECT_EQ(finish(start_writer(victim_.plan(1, 2, 1, 0).bytes(), victim_.pid(), partial, 1, 2, 2, &status)), 1);
    const auto told = drain(status);
    EXPECT_NE(told.find("this checkpoint has been given up"), std::string::npos) << told;
    EXPECT_FALSE(fs::exists(partial));
}

TEST_F(CommitTest, RankZeroMakesTheDirectoryForItsOwnerOnly) {
    fs::create_directories(step_ / "r0");
    int status;
    EXPECT_EQ(finish(start_writer(victim_.plan(0, 1, 1, 0).bytes(), victim_.pid(), generation("0001.partial"), 0, 1, 2,
                                  &status)),
              0);
    EXPECT_EQ(drain(status), "read\ndone\ncommitted\n");
    EXPECT_EQ(fs::status(generation("0001")).permissions(), fs::perms::owner_all);
}

TEST_F(CommitTest, DoesNotWaitForever) {
    const auto partial = generation("0001.partial");
    int status;
    const auto plan = victim_.plan(0, 2, 1, 0).bytes();
    fs::create_directories(partial.parent_path());
    EXPECT_EQ(finish(start_writer(plan, victim_.pid(), partial, 0, 2, 2, &status, 0.2)), 1);
    EXPECT_NE(drain(status).find("failed: rank 1: its image was not there after"), std::string::npos);
    EXPECT_FALSE(fs::exists(partial));
}

TEST_F(CommitTest, AFileOfAnEarlierAttemptIsNotTaken) {
    const auto partial = generation("0002.partial");
    write_ranks(partial, 2, 1);  // generation 1's
    const auto committed = commit({partial, 2, 2, 5, {}});
    ASSERT_FALSE(committed);
    EXPECT_NE(committed.error().find("not what is being committed"), std::string::npos) << committed.error();
    EXPECT_TRUE(valid().empty());
}

TEST_F(CommitTest, NothingWasEverCommitted) {
    const auto point = restart_point(step_, 0, 4);
    ASSERT_TRUE(point);
    EXPECT_FALSE(point->generation);
    fs::create_directories(generation("0001.partial"));
    const auto again = restart_point(step_, 1, 4);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->generation);
}

TEST_F(CommitTest, AnUnusableNewestIsSkipped) {
    ASSERT_EQ(save("0001"), 0);
    ASSERT_EQ(save("0002"), 0);
    std::ofstream(generation("0002") / "rank00000.h5", std::ios::app) << "x";
    const auto point = restart_point(step_, 1, 1);
    ASSERT_TRUE(point);
    EXPECT_EQ(point->generation->filename(), "0001");
    ASSERT_EQ(point->skipped.size(), 1U);
    EXPECT_EQ(point->skipped[0].refusal, Refusal::truncated);
}

// A signal that Slurm sends to the whole step must not stop a writer.
TEST_F(CommitTest, TheWriterOutlivesTheStepsSignals) {
    const auto partial = generation("0001.partial");
    fs::create_directories(partial.parent_path());
    int status;
    const pid_t writer = start_writer(victim_.plan(0, 2, 1, 0).bytes(), victim_.pid(), partial, 0, 2, 2, &status);
    char first[5];
    ASSERT_EQ(read(status, first, 5), 5);  // "read\n": it is well under way
    for (const int number : {SIGTERM, SIGINT, SIGURG, SIGUSR1, SIGHUP}) kill(writer, number);
    const auto plan = Plan::parse(victim_.plan(1, 2, 1, 0).bytes());
    ASSERT_TRUE(write_image({*plan, victim_.pid(), partial, 1, false, {}}));
    EXPECT_EQ(finish(writer), 0);
    EXPECT_EQ(drain(status), "done\ncommitted\n");
}

}  // namespace
