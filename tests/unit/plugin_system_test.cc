// The plugin's parts that touch the system: directories, executables, the stale socket, running a program.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "preload/base/executable.h"
#include "preload/base/unserved.h"
#include "spank_plugin/directory.h"
#include "spank_plugin/pmix_socket.h"
#include "spank_plugin/run.h"

namespace sckpt::plugin {
namespace {

namespace fs = std::filesystem;

class PluginSystem : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = fs::temp_directory_path() / "pluginXXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        here_ = pattern;
    }
    void TearDown() override { fs::remove_all(here_); }

    std::string file(const std::string &name, const std::string &content = "", mode_t mode = 0644) const {
        const fs::path path = here_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << content;
        chmod(path.c_str(), mode);
        return path;
    }
    std::string path(const std::string &name) const { return here_ / name; }
    void generation(const std::string &name, int ranks) const {
        file(name + "/job.h5");
        for (int rank = 0; rank < ranks; ++rank) file(name + "/rank0000" + std::to_string(rank) + ".h5");
    }
    fs::path here_;
};

using Directory = PluginSystem;
using Executable = PluginSystem;
using Socket = PluginSystem;
using RunProgram = PluginSystem;

TEST_F(Directory, WritableOrASentence) {
    EXPECT_TRUE(check_writable_directory(here_));
    EXPECT_NE(check_writable_directory(path("none")).error().find("No such file"), std::string::npos);
    EXPECT_NE(check_writable_directory(file("plain")).error().find("not a directory"), std::string::npos);
    EXPECT_NE(check_writable_directory("/proc/self").error().find("not writable"), std::string::npos);
    EXPECT_TRUE(check_installed(here_, "plain"));
    EXPECT_NE(check_installed(here_, "libsckpt.so").error().find("libdir="), std::string::npos);
}

TEST_F(Directory, OfAStepIsPrivateAndNamedByClusterJobAndStep) {
    EXPECT_EQ(step_name("mini", 12, 3), "mini.12.3");
    EXPECT_EQ(step_name("a/b", 12, 3), "a_b.12.3");
    EXPECT_EQ(step_name("", 12, 3), "cluster.12.3");
    const std::string step = path("mini.12.3");
    ASSERT_TRUE(open_step_directory(step, 0));
    ASSERT_TRUE(open_incarnation(step, 0));
    ASSERT_TRUE(open_incarnation(step, 0));
    for (const auto &name : {step, step + "/r0"}) {
        struct stat status {};
        ASSERT_EQ(stat(name.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode, S_IFDIR | 0700u) << name;
    }
}

TEST_F(Directory, OfAnEarlierJobIsMovedAsideAndOfThisJobKept) {
    const std::string step = path("mini.12.3");
    for (int i = 1; i <= 2; ++i) {
        file("mini.12.3/r0/0001/job.h5");
        const auto moved = open_step_directory(step, 0);
        ASSERT_TRUE(moved) << moved.error();
        EXPECT_EQ(*moved, step + ".old." + std::to_string(i));
        EXPECT_TRUE(fs::exists(*moved + "/r0/0001/job.h5"));
        EXPECT_TRUE(fs::is_empty(step));
    }
    file("mini.12.3/r0/0001/job.h5");
    EXPECT_EQ(open_step_directory(step, 1), "");
    EXPECT_TRUE(fs::exists(step + "/r0/0001/job.h5"));
}

TEST_F(Directory, ASymbolicLinkOrAFileIsNotTaken) {
    fs::create_directory_symlink("/tmp", path("link"));
    EXPECT_FALSE(open_step_directory(path("link"), 1));
    EXPECT_FALSE(open_step_directory(path("link"), 0));
    EXPECT_FALSE(open_step_directory(file("plain"), 1));
    EXPECT_FALSE(open_step_directory(path("no/parent"), 0));
}

TEST_F(Directory, NamedGeneration) {
    generation("step/r0.closed/0009", 2);
    generation("step/r2/0001", 2);
    generation("step/r2/0010", 2);
    generation("step/r2/0011.partial", 2);
    generation("step/r2x/0099", 2);
    file("step/r3/0012/rank00000.h5");
    EXPECT_EQ(find_named_generation(path("step"), 2), path("step/r2/0010"));
    EXPECT_EQ(find_named_generation(path("step/r0.closed/0009"), 2), path("step/r0.closed/0009"));
    EXPECT_NE(find_named_generation(path("step"), 4).error().find("holds 2 ranks, this step has 4"), std::string::npos);
    EXPECT_NE(find_named_generation(path("step/r2/0011.partial"), 2).error().find("never committed"),
              std::string::npos);
    EXPECT_NE(find_named_generation(path("step/r3"), 2).error().find("no committed checkpoint"), std::string::npos);
    EXPECT_NE(find_named_generation(path("none"), 2).error().find("none"), std::string::npos);
    EXPECT_NE(find_named_generation(file("plain"), 2).error().find("not a directory"), std::string::npos);
}

// Empty: none.
std::string found(const std::string &name, const std::string &search) {
    char path[PATH_MAX];
    return base::find_executable(name.c_str(), search.c_str(), path) ? path : "";
}

std::string why_not(const std::string &file) {
    const char *reason = base::why_not_intercepted(file.c_str());
    return reason ? reason : "";
}

TEST_F(Executable, IsFoundAsExecvpeWould) {
    const std::string program = file("bin/program", "#!/bin/sh\n", 0755);
    file("other/program", "#!/bin/sh\n", 0644);
    fs::create_directories(path("dir/program"));
    const std::string search = path("none") + ":" + path("dir") + ":" + path("other") + ":" + path("bin");
    EXPECT_EQ(found("program", search), program);
    EXPECT_EQ(found(program, ""), program);
    EXPECT_EQ(found("program", path("dir")), "");
    EXPECT_EQ(found("", search), "");
    EXPECT_EQ(found(path("other/program"), search), "");
    EXPECT_EQ(found("program", std::string(PATH_MAX, 'x') + ":" + search), program);
    EXPECT_EQ(found(std::string(PATH_MAX, 'x'), search), "");
}

TEST_F(Executable, WithoutCheckpointsIsToldOnceInAStepAndNotedByEachTask) {
    fs::create_directories(path("r0"));
    EXPECT_TRUE(base::note_unserved(path("r0").c_str(), 1, "a sentence"));
    EXPECT_FALSE(base::note_unserved(path("r0").c_str(), 0, "another sentence"));
    EXPECT_EQ(fs::file_size(path("r0/unserved.0")), strlen("another sentence"));
    base::forget_unserved(path("r0").c_str(), 1);
    EXPECT_FALSE(fs::exists(path("r0/unserved.1")));
    EXPECT_FALSE(base::note_unserved(path("r0").c_str(), 1, "a sentence"));
    EXPECT_TRUE(base::note_unserved(path("nowhere").c_str(), 0, "a sentence"));
}

std::string elf(unsigned char width, std::initializer_list<std::uint32_t> segments, std::uint16_t claimed) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = width;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = claimed;
    std::string bytes(reinterpret_cast<const char *>(&header), sizeof header);
    for (const auto type : segments) {
        Elf64_Phdr segment{};
        segment.p_type = type;
        bytes.append(reinterpret_cast<const char *>(&segment), sizeof segment);
    }
    return bytes;
}

TEST_F(Executable, WhyItIsNotIntercepted) {
    EXPECT_EQ(why_not("/proc/self/exe"), "");
    EXPECT_EQ(why_not(file("dynamic", elf(ELFCLASS64, {PT_LOAD, PT_INTERP}, 2))), "");
    EXPECT_EQ(why_not(file("static", elf(ELFCLASS64, {PT_LOAD, PT_DYNAMIC}, 2))), "is statically linked");
    EXPECT_EQ(why_not(file("narrow", elf(ELFCLASS32, {PT_LOAD}, 1))), "is a 32-bit program");
    EXPECT_EQ(why_not(file("script", "#!/bin/sh\n")), "");
    EXPECT_EQ(why_not(file("empty")), "");
    EXPECT_EQ(why_not(file("cut", elf(ELFCLASS64, {PT_LOAD}, 65535))), "");
    EXPECT_EQ(why_not(file("short", elf(ELFCLASS64, {}, 0).substr(0, 20))), "");
    EXPECT_EQ(why_not(path("none")), "");
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(why_not(path("fifo")), "");
}

TEST_F(Executable, SetUserIdCountsWhenItChangesTheUser) {
    const std::string own = file("own", elf(ELFCLASS64, {PT_INTERP}, 1), 04755);
    EXPECT_EQ(why_not(own), "");
    if (geteuid() != 0) GTEST_SKIP() << "another owner needs root";
    ASSERT_EQ(chown(own.c_str(), 1, 1), 0);
    ASSERT_EQ(chmod(own.c_str(), 04755), 0);
    EXPECT_EQ(why_not(own), "has the set-user-ID or set-group-ID bit");
}

class Listener {
  public:
    explicit Listener(const std::string &path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        good_ = bind(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 && listen(fd_, 1) == 0;
    }
    ~Listener() { close(fd_); }
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;
    bool good() const { return good_; }

  private:
    int fd_;
    bool good_ = false;
};

TEST_F(Socket, OnlyAStaleOneIsRemoved) {
    const std::string name = path("stepd.slurm.pmix.7.0");
    EXPECT_EQ(remove_stale_pmix_socket(here_, 7, 0), SocketFound::kNone);
    {
        const Listener alive(name);
        ASSERT_TRUE(alive.good());
        for (int i = 0; i < 5; ++i) EXPECT_EQ(remove_stale_pmix_socket(here_, 7, 0), SocketFound::kAlive);
    }
    EXPECT_EQ(remove_stale_pmix_socket(here_, 7, 1), SocketFound::kNone);
    EXPECT_TRUE(fs::exists(name));
    EXPECT_EQ(remove_stale_pmix_socket(here_, 7, 0), SocketFound::kRemoved);
    EXPECT_FALSE(fs::exists(name));
}

TEST_F(Socket, OtherFilesAreLeftAlone) {
    const std::string plain = file("stepd.slurm.pmix.7.0");
    EXPECT_EQ(remove_stale_pmix_socket(here_, 7, 0), SocketFound::kForeign);
    EXPECT_TRUE(fs::exists(plain));
    { const Listener stale(path("socket")); }
    fs::create_symlink(path("socket"), path("stepd.slurm.pmix.8.0"));
    EXPECT_EQ(remove_stale_pmix_socket(here_, 8, 0), SocketFound::kForeign);
    EXPECT_TRUE(fs::exists(path("socket")));
}

TEST_F(Socket, SpoolDirectoryIsReadFromTheAddressOfTheStep) {
    EXPECT_EQ(spool_directory_of_step(7, 0), "");
    const Listener step(path("node1_7.0"));
    ASSERT_TRUE(step.good());
    EXPECT_EQ(spool_directory_of_step(7, 0), here_);
    EXPECT_EQ(spool_directory_of_step(7, 1), "");
}

TEST_F(RunProgram, OutputErrorAndStatus) {
    const auto finished =
        run_program({file("p", "#!/bin/sh\necho out $1 \"$2\"; echo err >&2; exit 3\n", 0755), "a", "b c"});
    ASSERT_TRUE(finished) << finished.error();
    EXPECT_EQ(finished->exit_code, 3);
    EXPECT_EQ(finished->output, "out a b c\n");
    EXPECT_EQ(finished->error, "err\n");
}

TEST_F(RunProgram, MuchOutputIsCutButDoesNotBlock) {
    const auto finished = run_program({"/bin/sh", "-c", "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"});
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->exit_code, 0);
    EXPECT_EQ(finished->output.size(), 65536u);
    EXPECT_EQ(finished->error.size(), 65536u);
}

TEST_F(RunProgram, SignalsAndMissingPrograms) {
    const auto killed = run_program({"/bin/sh", "-c", "kill -9 $$"});
    ASSERT_TRUE(killed);
    EXPECT_EQ(killed->exit_code, -1);
    EXPECT_NE(killed->error.find("signal 9"), std::string::npos);
    EXPECT_NE(run_program({path("none")}).error().find("No such file"), std::string::npos);
}

TEST_F(RunProgram, TheProgramIsNotIntercepted) {
    setenv("LD_PRELOAD", "", 1);
    const auto finished = run_program({"/bin/sh", "-c", "env"});
    unsetenv("LD_PRELOAD");
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->output.find("LD_PRELOAD"), std::string::npos);
    EXPECT_NE(finished->output.find("PATH="), std::string::npos);
}

}  // namespace
}  // namespace sckpt::plugin
