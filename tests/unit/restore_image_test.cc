// The whole way through the real programs: sckpt-writer records a victim and commits, the victim is killed, and a new
// process with the same command line becomes it through sckpt-restore, or is refused with the right sentence.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "preload/env.h"
#include "preload/restore/testing/snapshot.h"

namespace sckpt::restore {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

class RestoreImage : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/sckpt-image-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        library_ = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib";
        fs::create_directories(directory_ / "test.1.0/r0/0000.partial");
        generation_ = directory_ / "test.1.0/r0/0000";
        std::ofstream(directory_ / "opened") << "content";
    }
    void TearDown() override { fs::remove_all(directory_); }

    // Records a victim, as rank 0 of 1, and kills it.
    void checkpoint() {
        testing::Victim victim(directory_);
        arguments_ = victim.arguments();
        Source source = testing::record(victim, 0, 1);
        source.files.push_back({5, O_RDWR, S_IFREG | 0600, -1, directory_ / "opened"});
        const int plan = testing::make_plan_descriptor(source);
        const int status_file = open((directory_ / "status").c_str(), O_WRONLY | O_CREAT, 0600);
        const pid_t writer =
            testing::start((library_ / "sckpt-writer").c_str(),
                           {"sckpt-writer", "--plan", std::to_string(plan), "--source", std::to_string(victim.pid()),
                            "--directory", generation_.string() + ".partial", "--rank", "0", "--ranks", "1", "--keep",
                            "2", "--status", std::to_string(status_file)},
                           [] {});
        int status = 0;
        waitpid(writer, &status, 0);
        close(plan);
        close(status_file);
        std::ifstream said(directory_ / "status");
        ASSERT_EQ(status, 0) << std::string(std::istreambuf_iterator<char>(said), {});
        ASSERT_TRUE(fs::is_directory(generation_));
    }

    // The recorded command line (or another one), started in the environment of a new step.
    struct Ended {
        int status = 0;  // as waitpid() gives it
        std::string said;
    };
    Ended restart(const Variables &changed = {}, const std::vector<std::string> &other_arguments = {}) {
        Variables variables = {{env::kRestart, generation_},
                               {env::kLibrary, library_},
                               {"PMIX_RANK", "0"},
                               {"SLURM_STEP_NUM_TASKS", "1"},
                               {"SCKPT_TEST_VARIABLE", "of the new step"},
                               {env::kPreload, "/of/the/new/step.so"},
                               {env::kLog, "debug"}};
        for (const auto &[name, value] : changed) variables[name] = value;
        const auto &arguments = other_arguments.empty() ? arguments_ : other_arguments;
        ::testing::internal::CaptureStderr();
        const pid_t child = testing::start("/proc/self/exe", arguments, [&] {
            for (const auto &[name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
            // One of the parent's that the restored process must not have.
            dup2(2, 77);
        });
        Ended ended;
        waitpid(child, &ended.status, 0);
        ended.said = ::testing::internal::GetCapturedStderr();
        return ended;
    }

    void expect_refused(const Ended &ended, const std::string &sentence) {
        ASSERT_TRUE(WIFEXITED(ended.status)) << WTERMSIG(ended.status);
        EXPECT_EQ(WEXITSTATUS(ended.status), 3);
        EXPECT_TRUE(ended.said.starts_with("sckpt-restore: error: ")) << ended.said;
        EXPECT_NE(ended.said.find(sentence), std::string::npos) << ended.said;
        EXPECT_EQ(std::ranges::count(ended.said, '\n'), 1) << ended.said;
    }

    fs::path directory_, library_, generation_;
    std::vector<std::string> arguments_;
};

TEST_F(RestoreImage, TheProgramGoesOnAndCanBeRestoredAgain) {
    checkpoint();
    for (int i = 0; i < 2; ++i) {
        const Ended ended = restart();
        ASSERT_TRUE(WIFEXITED(ended.status)) << "signal " << WTERMSIG(ended.status) << " " << ended.said;
        EXPECT_EQ(WEXITSTATUS(ended.status), 0) << ended.said;
    }
}

TEST_F(RestoreImage, WhatASharedFileBecameSinceIsUndone) {
    checkpoint();
    const fs::path shared = directory_ / "shared";
    const auto size = fs::file_size(shared);
    const auto comes_back = [&] {
        const Ended ended = restart();
        ASSERT_TRUE(WIFEXITED(ended.status)) << "signal " << WTERMSIG(ended.status) << " " << ended.said;
        EXPECT_EQ(WEXITSTATUS(ended.status), 0) << ended.said;
        EXPECT_EQ(fs::file_size(shared), size);
    };
    std::ofstream(shared, std::ios::binary) << std::string(size + 12345, '#');
    comes_back();
    fs::resize_file(shared, size / 2 + 1);
    comes_back();
    fs::remove(shared);
    comes_back();
}

TEST_F(RestoreImage, ADirectoryInPlaceOfASharedFile) {
    checkpoint();
    fs::remove(directory_ / "shared");
    fs::create_directory(directory_ / "shared");
    expect_refused(restart(), "the mapped file " + (directory_ / "shared").string() + " is no regular file any more");
}

TEST_F(RestoreImage, AnotherProgramIsNoMatch) {
    checkpoint();
    auto other = arguments_;
    other.back() += "/elsewhere";
    const Ended ended = restart({}, other);
    ASSERT_TRUE(WIFEXITED(ended.status));
    EXPECT_EQ(WEXITSTATUS(ended.status), testing::kNoMatch + 1) << ended.said;
    EXPECT_EQ(ended.said, "");
}

TEST_F(RestoreImage, MatchWithoutAnImageIsAnError) {
    checkpoint();
    const Ended ended = restart({{env::kRestart, generation_.string() + "9"}});
    ASSERT_TRUE(WIFEXITED(ended.status));
    EXPECT_EQ(WEXITSTATUS(ended.status), testing::kNoMatch + 2) << ended.said;
    EXPECT_TRUE(ended.said.starts_with("sckpt-restore: error: ")) << ended.said;
}

TEST_F(RestoreImage, AnotherNumberOfRanks) {
    checkpoint();
    expect_refused(restart({{"SLURM_STEP_NUM_TASKS", "2"}}), "1 ranks and cannot be restored by 2");
}

TEST_F(RestoreImage, AnAlteredPage) {
    checkpoint();
    const fs::path file = generation_ / "rank00000.h5";
    const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const char flipped = static_cast<char>(stream.seekg(middle).get() ^ 1);
    stream.seekp(middle).put(flipped);
    stream.close();
    expect_refused(restart(), "rank00000.h5");
}

TEST_F(RestoreImage, AChangedMappedFile) {
    checkpoint();
    std::ofstream(directory_ / "data", std::ios::app) << "more";
    expect_refused(restart(), "the mapped file " + (directory_ / "data").string() + " has been changed");
}

TEST_F(RestoreImage, AMissingOpenFile) {
    checkpoint();
    fs::remove(directory_ / "opened");
    expect_refused(restart(), "the open file " + (directory_ / "opened").string() + " (descriptor 5) cannot be opened");
}

TEST_F(RestoreImage, ALimitOfTheStack) {
    checkpoint();
    const Ended ended = [this] {
        rlimit before{};
        getrlimit(RLIMIT_STACK, &before);
        rlimit low = before;
        low.rlim_cur = 256 << 10;  // less than the victim has on its stack
        setrlimit(RLIMIT_STACK, &low);
        Ended result = restart();
        setrlimit(RLIMIT_STACK, &before);
        return result;
    }();
    expect_refused(ended, "the limit of the stack is 262144 bytes");
}

TEST_F(RestoreImage, TheImageIsUntouchedByARefusal) {
    checkpoint();
    const auto written = fs::last_write_time(generation_ / "rank00000.h5");
    const auto size = fs::file_size(generation_ / "rank00000.h5");
    fs::rename(directory_ / "opened", directory_ / "hidden");
    expect_refused(restart(), "cannot be opened");
    fs::rename(directory_ / "hidden", directory_ / "opened");
    EXPECT_EQ(fs::last_write_time(generation_ / "rank00000.h5"), written);
    EXPECT_EQ(fs::file_size(generation_ / "rank00000.h5"), size);
    EXPECT_EQ(WEXITSTATUS(restart().status), 0);
}

}  // namespace
}  // namespace sckpt::restore

int main(int count, char **arguments) {
    sckpt::restore::testing::victim_main(count, arguments);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
