// The restorer end to end, without storage: a victim is recorded into a flat file, killed, and brought back.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "preload/env.h"
#include "preload/restore/launch.h"
#include "preload/restore/maps.h"
#include "preload/restore/testing/snapshot.h"
#include "preload/restore/vdso.h"

namespace sckpt::restore {
namespace {

std::int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

class Launch : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/sckpt-launch-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    Source record_and_kill() {
        testing::Victim victim(directory_);
        Source source = testing::record(victim, 0, 1);
        source.rank_file = directory_ + "/flat";
        testing::store_flat(victim, source);
        victim.kill();
        return source;
    }

    // Becomes the recorded process in a child; its wait status.
    static int bring_back(const Source &source, const std::vector<VdsoPatch> &patches = {}) {
        const pid_t child = fork();
        if (child == 0) {
            setenv("SCKPT_TEST_VARIABLE", "of the new step", 1);
            setenv(env::kPreload, "/of/the/new/step.so", 1);
            setenv("LD_PRELOAD", "/of/the/restorer.so", 1);
            const auto plan = make_plan(source, patches);
            const auto maps = read_maps();
            if (!plan || !maps) _exit(4);
            const auto moves = match_vdso(plan->vdso, patches.empty() ? vdso_pieces(*maps) : std::vector<VdsoPiece>{});
            if (!moves) _exit(5);
            Request request;
            request.generation = "/some/generation";
            request.debug = true;
            const std::string problem = launch(source, *plan, *moves, request, environ, now());
            std::fprintf(stderr, "%s\n", problem.c_str());
            _exit(6);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return status;
    }

    std::string directory_;
};

TEST_F(Launch, BringsAProcessBack) {
    const Source source = record_and_kill();
    const int status = bring_back(source);
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Launch, UnderAnotherKernelTheRecordedVdsoAsksTheKernel) {
    const Source source = record_and_kill();
    const auto code = recorded_vdso(source);
    ASSERT_TRUE(code) << code.error();
    const auto patches = patch_vdso(*code);
    ASSERT_TRUE(patches) << patches.error();
    EXPECT_EQ(bring_back(source, *patches), 0);
}

TEST_F(Launch, ASharedFileGetsItsSizeBack) {
    const Source source = record_and_kill();
    const auto size = std::filesystem::file_size(directory_ + "/shared");
    std::filesystem::resize_file(directory_ + "/shared", 3 * size);
    EXPECT_EQ(bring_back(source), 0);
    EXPECT_EQ(std::filesystem::file_size(directory_ + "/shared"), size);
    std::filesystem::remove(directory_ + "/shared");
    EXPECT_EQ(bring_back(source), 0);
    EXPECT_EQ(std::filesystem::file_size(directory_ + "/shared"), size);
}

TEST_F(Launch, ShortRankFileIsRefusedWithASentence) {
    const Source source = record_and_kill();
    std::filesystem::resize_file(source.rank_file, std::filesystem::file_size(source.rank_file) / 2);
    ::testing::internal::CaptureStderr();
    const int status = bring_back(source);
    const std::string said = ::testing::internal::GetCapturedStderr();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT_NE(said.find("cannot read pages at 0x"), std::string::npos) << said;
}

TEST_F(Launch, MissingMappedFileIsRefusedWithItsName) {
    const Source source = record_and_kill();
    std::filesystem::remove(directory_ + "/data");
    ::testing::internal::CaptureStderr();
    const int status = bring_back(source);
    const std::string said = ::testing::internal::GetCapturedStderr();
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT_NE(said.find("cannot open " + directory_ + "/data at 0x"), std::string::npos) << said;
    EXPECT_NE(said.find("(errno 2)"), std::string::npos) << said;
}

}  // namespace
}  // namespace sckpt::restore

int main(int count, char **arguments) {
    sckpt::restore::testing::victim_main(count, arguments);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
