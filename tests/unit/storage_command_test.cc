// The command `sckpt`, run as a user runs it; Slurm's commands are small scripts in front of PATH.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "storage_hdf5/catalog.h"
#include "storage_hdf5/log.h"
#include "storage_hdf5/request.h"
#include "storage_hdf5/testing/rank.h"

namespace {

using namespace sckpt;
using namespace sckpt::storage;
using namespace sckpt::storage::testing;
namespace fs = std::filesystem;

// A running command: standard output, then standard error, then the exit status.
class Running {
  public:
    Running(const fs::path &scratch, const std::string &arguments) : errors_(scratch / "stderr") {
        const std::string line = "PATH='" + (scratch / "bin").string() + "':\"$PATH\" '" + program("sckpt").string() +
                                 "' " + arguments + " 2> '" + errors_.string() + "'";
        stream_ = popen(line.c_str(), "r");
    }
    ~Running() { finish(); }
    void finish() {
        if (!stream_) return;
        char buffer[4096];
        for (std::size_t got; (got = fread(buffer, 1, sizeof buffer, stream_)) > 0;) out.append(buffer, got);
        const int result = pclose(stream_);
        stream_ = nullptr;
        status = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
        std::ifstream file(errors_);
        error.assign(std::istreambuf_iterator<char>(file), {});
    }
    std::string out, error;
    int status = -1;

  private:
    fs::path errors_;
    FILE *stream_;
};

class CommandTest : public ::testing::Test {
  protected:
    CommandTest() {
        fs::create_directories(scratch_.path() / "bin");
        script("scancel", "echo \"$@\" >> '" + (scratch_.path() / "signalled").string() + "'");
        script("squeue", "echo 5.0; echo 5.batch");
        script("scontrol", "echo '   JobState=RUNNING'; echo '   WorkDir=" + scratch_.path().string() + "'");
    }
    void script(const char *name, const std::string &body) {
        const auto path = scratch_.path() / "bin" / name;
        std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
        chmod(path.c_str(), 0755);
    }
    Running run(const std::string &arguments) {
        Running command(scratch_.path(), arguments);
        command.finish();
        return command;
    }
    std::string quoted(const fs::path &path) { return "'" + path.string() + "'"; }
    int save(const std::string &name, std::uint32_t ranks = 2) {
        return save_generation(victim_, step_ / "r0" / (name + ".partial"), ranks);
    }
    // Until `sckpt create` has asked.
    bool asked(std::uint64_t id) {
        for (int i = 0; i < 1000; ++i) {
            if (fs::exists(scratch_.path() / "signalled") && read_request(step_ / "r0") == id) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }

    Scratch scratch_;
    Victim victim_{scratch_.path()};
    fs::path step_ = scratch_.path() / "mini.5.0";
};

TEST_F(CommandTest, ListShowsWhatThereIs) {
    ASSERT_EQ(save("0001"), 0);
    ASSERT_EQ(save("0002"), 0);
    fs::remove(step_ / "r0/0002/rank00001.h5");
    const auto text = run("list --directory " + quoted(scratch_.path()));
    EXPECT_EQ(text.status, 0) << text.error;
    EXPECT_NE(text.out.find("mini.5.0  r0   0001"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("missing_rank"), std::string::npos) << text.out;
    const auto json = nlohmann::json::parse(run("list --json --directory " + quoted(step_)).out);
    ASSERT_EQ(json.size(), 1U);
    EXPECT_EQ(json[0]["step"], "mini.5.0");
    EXPECT_EQ(json[0]["generations"][0]["valid"], true);
    EXPECT_EQ(json[0]["generations"][0]["ranks"], 2);
    EXPECT_EQ(json[0]["generations"][1]["problem"], "missing_rank");
    const auto missing = run("list --directory /nonexistent");
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(missing.error.find("sckpt: error: cannot list /nonexistent"), 0U) << missing.error;
}

TEST_F(CommandTest, VerifyReadsEveryPage) {
    ASSERT_EQ(save("0001"), 0);
    EXPECT_EQ(run("verify " + quoted(step_ / "r0/0001")).status, 0);
    EXPECT_EQ(run("verify " + quoted(step_) + " --json").status, 0);
    const auto image = Image::open(step_ / "r0/0001", 1);
    ASSERT_TRUE(image);
    std::fstream file(image->path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(image->pages_offset() + 4096 * 7 + 1));
    const char byte = static_cast<char>(file.peek() ^ 4);
    file.seekp(static_cast<std::streamoff>(image->pages_offset() + 4096 * 7 + 1));
    file.put(byte);
    file.close();
    const auto bad = run("verify " + quoted(step_ / "r0/0001"));
    EXPECT_EQ(bad.status, 1);
    EXPECT_NE(bad.out.find("altered_data"), std::string::npos) << bad.out;
    EXPECT_NE(bad.error.find("stored page 7"), std::string::npos) << bad.error;
    EXPECT_EQ(run("verify " + quoted(scratch_.path())).status, 1);
}

TEST_F(CommandTest, ShowPrintsTables) {
    ASSERT_EQ(save("0001"), 0);
    const auto manifest = nlohmann::json::parse(run("show --json " + quoted(step_ / "r0/0001")).out);
    EXPECT_EQ(manifest["files"].size(), 2U);
    EXPECT_NE(manifest["topology"].get<std::string>().find("<topology"), std::string::npos);
    const auto rank = nlohmann::json::parse(run("show --json --rank 1 " + quoted(step_ / "r0/0001")).out);
    EXPECT_EQ(rank["process"][0]["rank"], 1);
    EXPECT_EQ(rank["process"][0]["arguments"], nlohmann::json({"app", "-n", "", "last"}));
    EXPECT_EQ(rank["files"][0]["path"], "/tmp/out put");
    const auto text = run("show --rank 0 " + quoted(step_ / "r0/0001"));
    EXPECT_EQ(text.status, 0) << text.error;
    EXPECT_NE(text.out.find("file_private"), std::string::npos);
    EXPECT_NE(text.out.find("offset [bytes]"), std::string::npos);
    EXPECT_NE(text.out.find("WRONLY"), std::string::npos) << "flags by name";
    EXPECT_EQ(rank["units"]["files"]["size"], "bytes");
    const auto sockets = nlohmann::json::parse(run("show --json --table sockets,pipes " + quoted(step_ / "r0/0001")).out);
    ASSERT_EQ(sockets.size(), 2U) << "one object per rank";
    EXPECT_EQ(sockets[1]["sockets"][0]["here"], "127.0.0.1:80");
    EXPECT_EQ(sockets[1]["pipes"][0]["unread"], 12);
    EXPECT_FALSE(sockets[1].contains("files"));
    EXPECT_NE(run("show --table nothing " + quoted(step_ / "r0/0001")).status, 0);
    EXPECT_EQ(run("show --rank 2 " + quoted(step_ / "r0/0001")).status, 1);
}

TEST_F(CommandTest, RestartPointFencesAndPrints) {
    const auto none = run("restart-point --directory " + quoted(step_) + " --incarnation 0 --ranks 2");
    EXPECT_EQ(none.status, 0);
    EXPECT_EQ(none.out, "");
    ASSERT_EQ(save("0001"), 0);
    const auto point = run("restart-point --directory " + quoted(step_) + " --incarnation 1 --ranks 2");
    EXPECT_EQ(point.status, 0) << point.error;
    EXPECT_EQ(point.out, (step_ / "r0.closed/0001").string() + "\n");
    const auto wrong = run("restart-point --directory " + quoted(step_) + " --incarnation 1 --ranks 3");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_EQ(wrong.out, "");
    EXPECT_EQ(std::count(wrong.error.begin(), wrong.error.end(), '\n'), 1) << wrong.error;
}

TEST_F(CommandTest, CreateAsksAndWaitsForTheCommit) {
    ASSERT_EQ(save("0001"), 0);
    Running create(scratch_.path(), "create 5 --timeout 60");
    ASSERT_TRUE(asked(1));
    // One that had begun before does not count: none is there here; a later one does.
    ASSERT_EQ(save("0002"), 0);
    create.finish();
    EXPECT_EQ(create.status, 0) << create.error;
    EXPECT_EQ(create.out, (step_ / "r0/0002").string() + "\n");
    std::ifstream signalled(scratch_.path() / "signalled");
    std::string line;
    std::getline(signalled, line);
    EXPECT_EQ(line, "--signal=URG 5.0");
}

TEST_F(CommandTest, CreateTellsWhyNot) {
    ASSERT_EQ(save("0001"), 0);
    {
        Running create(scratch_.path(), "create 5.0 --timeout 60 --directory " + quoted(scratch_.path()));
        ASSERT_TRUE(asked(1));
        ASSERT_TRUE(append_log(step_, 0, {}, "declined request=1 rank 2: an intercommunicator is alive"));
        create.finish();
        EXPECT_EQ(create.status, 1);
        EXPECT_NE(create.error.find("rank 2: an intercommunicator is alive"), std::string::npos) << create.error;
    }
    fs::remove(scratch_.path() / "signalled");
    {
        // An answer to request 1 is none to request 2.
        Running create(scratch_.path(), "create 5.0 --timeout 0.3");
        ASSERT_TRUE(asked(2));
        ASSERT_TRUE(append_log(step_, 0, {}, "declined request=1 rank 2: late"));
        create.finish();
        EXPECT_EQ(create.status, 1);
        EXPECT_NE(create.error.find("no checkpoint within"), std::string::npos) << create.error;
    }
    {
        // A program that can never answer, and one beside it that does.
        std::ofstream(step_ / "r0/unserved.3") << "program is statically linked";
        const auto silent = run("create 5.0 --timeout 60");
        EXPECT_EQ(silent.status, 1);
        EXPECT_NE(silent.error.find("step 5.0 cannot be checkpointed: program is statically linked"), std::string::npos)
            << silent.error;
        fs::remove(scratch_.path() / "signalled");
        Running create(scratch_.path(), "create 5.0 --timeout 60");
        ASSERT_TRUE(asked(4));
        ASSERT_EQ(save("0002"), 0);
        create.finish();
        EXPECT_EQ(create.status, 0) << create.error;
        fs::remove(step_ / "r0/unserved.3");
    }
    EXPECT_NE(run("create 6").error.find("no step of job 6 is checkpointed"), std::string::npos);
    script("scancel", "echo 'scancel: error: Invalid job id' >&2; exit 1");
    EXPECT_NE(run("create 5.0").error.find("Invalid job id"), std::string::npos);
    EXPECT_NE(run("frobnicate").status, 0);
}

TEST_F(CommandTest, CreateChoosesTheRunningStep) {
    ASSERT_EQ(save("0001"), 0);
    fs::copy(step_, scratch_.path() / "mini.5.1", fs::copy_options::recursive);
    fs::copy(step_, scratch_.path() / "mini.55.0", fs::copy_options::recursive);
    Running create(scratch_.path(), "create 5 --timeout 60 --json");
    ASSERT_TRUE(asked(1));
    ASSERT_EQ(save("0002"), 0);
    create.finish();
    EXPECT_EQ(create.status, 0) << create.error;
    EXPECT_EQ(nlohmann::json::parse(create.out)["number"], 2);
    script("squeue", "echo 5.0; echo 5.1");
    EXPECT_NE(run("create 5").error.find("several running steps"), std::string::npos);
}

}  // namespace
