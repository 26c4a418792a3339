#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "preload/base/fingerprint.h"
#include "preload/env.h"
#include "preload/restore/checks.h"
#include "preload/restore/elf.h"
#include "preload/restore/files_check.h"
#include "preload/restore/limits.h"
#include "preload/restore/maps.h"
#include "preload/restore/match.h"
#include "preload/restore/request.h"

namespace sckpt::restore {
namespace {

using image::RegionKind;

::testing::AssertionResult says(const Problem &problem, const std::string &part) {
    if (problem && problem->find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "it says: " << problem.value_or("nothing");
}

TEST(Cpu, MissingFlagsAreNamed) {
    const std::vector<std::string> recorded = {"sse2", "avx512f", "avx2", "amx_tile"};
    const std::vector<std::string> present = {"avx2", "sse2", "sse4_2"};
    EXPECT_TRUE(says(check_cpu(recorded, present), "(avx512f amx_tile)"));
    EXPECT_FALSE(check_cpu(present, present));
    EXPECT_FALSE(check_cpu({}, present));
}

TEST(Cpu, FlagsOfTheFirstProcessor) {
    const auto flags = cpu_flags("processor\t: 0\nflags\t\t: fpu vme de\nbugs\t\t: x\nflags\t\t: other\n");
    EXPECT_EQ(flags, (std::vector<std::string>{"fpu", "vme", "de"}));
    EXPECT_TRUE(cpu_flags("nothing here\n").empty());
    EXPECT_TRUE(read_cpu_flags());
}

TEST(Machine, PageSizeAndVdso) {
    EXPECT_FALSE(check_page_size(4096, 4096));
    EXPECT_TRUE(says(check_page_size(4096, 65536), "4096 bytes, this kernel uses 65536"));
}

TEST(World, RankAndSize) {
    image::Process process{};
    process.rank = 2;
    process.world_size = 4;
    EXPECT_FALSE(check_world(process, 2, 4));
    EXPECT_TRUE(says(check_world(process, 2, 8), "of 4 ranks and cannot be restored by 8"));
    EXPECT_TRUE(says(check_world(process, 1, 4), "of rank 2, this process is rank 1"));
}

TEST(LimitsCheck, EachIsRefusedByItself) {
    Source source;
    source.regions.push_back({0x1000, 1 << 20, PROT_READ | PROT_WRITE, RegionKind::anonymous, 0, "", "", 0, 0});
    source.regions.push_back({0x7000000000, 8 << 20, PROT_READ | PROT_WRITE, RegionKind::stack, 0, "", "", 0, 0});
    Plan plan;
    plan.data_bytes = 5000;
    plan.map_count = 10;
    EXPECT_FALSE(check_limits(source, plan, {}));
    EXPECT_TRUE(says(check_limits(source, plan, {.stack = 4 << 20}), "ulimit -s"));
    EXPECT_TRUE(says(check_limits(source, plan, {.address_space = 8 << 20}), "ulimit -v"));
    EXPECT_TRUE(says(check_limits(source, plan, {.data = 1 << 19}), "ulimit -d"));
    EXPECT_FALSE(check_limits(source, plan, {.data = 1 << 20}));
    EXPECT_TRUE(says(check_limits(source, plan, {.memory = 4999}), "needs 5000 bytes of memory"));
    EXPECT_TRUE(says(check_limits(source, plan, {.mappings = 10}), "vm.max_map_count"));
    source.process.world_size = 4;
    EXPECT_FALSE(check_limits(source, plan, {.mappings = 82}));
    EXPECT_TRUE(says(check_limits(source, plan, {.mappings = 81}), "may need 82 with those of MPI"));
}

TEST(LimitsCheck, MemoryIsWhatIsAvailableAndSwap) {
    EXPECT_EQ(free_memory("MemTotal: 100 kB\nMemAvailable:  20 kB\nSwapFree: 5 kB\n"), 25u * 1024);
    EXPECT_EQ(free_memory("MemTotal: 100 kB\n"), ~0ull);
    EXPECT_LT(read_limits().memory, ~0ull);
    EXPECT_LT(read_limits().mappings, ~0ull);
}

class Files : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/sckpt-checks-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
        source_.directory = directory_;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string &name, const std::string &content) {
        const std::string path = directory_ + "/" + name;
        std::ofstream(path) << content;
        return path;
    }
    SourceRegion mapped(const std::string &path, RegionKind kind = RegionKind::file_private) {
        SourceRegion region;
        region.kind = kind;
        region.path = path;
        struct stat file {};
        if (stat(path.c_str(), &file) == 0) {
            region.file_size = static_cast<std::uint64_t>(file.st_size);
            region.file_mtime_ns = file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec;
        }
        region.build_id = build_id(path).value_or("");
        return region;
    }

    static SourceRegion written(const std::string &path, std::uint64_t offset, std::uint64_t pages,
                                std::uint64_t file_size) {
        return {0, pages * 4096, PROT_READ | PROT_WRITE, RegionKind::file_shared, offset, path, "", file_size, 0};
    }

    std::string directory_;
    Source source_;
};

TEST_F(Files, UnchangedOnesPass) {
    source_.regions = {mapped(write("data", "content")),
                       mapped("/proc/self/exe"),
                       mapped(write("shared", "123"), RegionKind::file_shared),
                       {}};
    EXPECT_FALSE(check_mapped_files(source_));
}

TEST_F(Files, AnotherBuildIdIsRefused) {
    source_.regions = {mapped("/proc/self/exe")};
    ASSERT_EQ(source_.regions[0].build_id.size(), 40u);
    source_.regions[0].build_id[7] ^= 1;
    EXPECT_TRUE(says(check_mapped_files(source_), "/proc/self/exe is another version: build-id "));
    source_.regions[0].path = write("plain", "not ELF");
    EXPECT_TRUE(says(check_mapped_files(source_), "build-id none instead of"));
}

TEST_F(Files, BuildIdDecidesForElfWhateverTheTime) {
    source_.regions = {mapped("/proc/self/exe")};
    source_.regions[0].file_mtime_ns += 1;
    EXPECT_FALSE(check_mapped_files(source_));
}

TEST_F(Files, ChangedDataIsRefused) {
    source_.regions = {mapped(write("data", "content"))};
    source_.regions[0].file_mtime_ns -= 1;
    EXPECT_TRUE(says(check_mapped_files(source_), "(time of modification differs)"));
    write("data", "longer content");
    EXPECT_TRUE(says(check_mapped_files(source_), "data has been changed since the checkpoint (size differs)"));
}

TEST_F(Files, MissingAndDeletedAreRefused) {
    source_.regions = {mapped(directory_ + "/absent")};
    EXPECT_TRUE(says(check_mapped_files(source_), "/absent cannot be used here: No such file"));
    source_.regions = {mapped(directory_ + "/gone (deleted)", RegionKind::file_shared)};
    EXPECT_TRUE(says(check_mapped_files(source_), "/gone had been deleted before the checkpoint"));
    source_.regions = {written(directory_ + "/gone (deleted)", 0, 1, 5)};
    EXPECT_TRUE(says(check_mapped_files(source_), "/gone had been deleted before the checkpoint"));
}

TEST_F(Files, SharedMayChangeButNotShrink) {
    source_.regions = {mapped(write("shared", "12345"), RegionKind::file_shared)};
    write("shared", "54321 and more");
    EXPECT_FALSE(check_mapped_files(source_));
    write("shared", "1");
    EXPECT_TRUE(says(check_mapped_files(source_), "shared has 1 bytes, at the checkpoint it had 5"));
}

TEST_F(Files, WrittenSharedMayBecomeAnything) {
    const std::string path = write("shared", "12345");
    source_.regions = {written(path, 0, 1, 5)};
    source_.regions[0].file_mtime_ns -= 1;
    EXPECT_FALSE(check_mapped_files(source_));
    write("shared", "54321 and more");
    EXPECT_FALSE(check_mapped_files(source_));
    write("shared", "1");
    EXPECT_FALSE(check_mapped_files(source_));
    std::filesystem::remove(path);
    EXPECT_FALSE(check_mapped_files(source_));
    // A second view of the same file finds it as the first one leaves it.
    source_.regions.push_back(mapped(path, RegionKind::file_shared));
    source_.regions.back().protection = PROT_READ;
    source_.regions.back().file_size = 5;
    EXPECT_FALSE(check_mapped_files(source_));
}

TEST_F(Files, WrittenSharedIsRefusedWhereItCannotBeMade) {
    source_.regions = {written(directory_ + "/elsewhere/out", 0, 1, 5)};
    EXPECT_TRUE(says(check_mapped_files(source_), "/elsewhere/out is missing and cannot be made again in " +
                                                      directory_ + "/elsewhere: No such file"));
    source_.regions = {written(write("file", "") + "/out", 0, 1, 5)};
    EXPECT_TRUE(says(check_mapped_files(source_), "/file/out cannot be used here: Not a directory"));
    source_.regions = {written(directory_, 0, 1, 5)};
    EXPECT_TRUE(says(check_mapped_files(source_), directory_ + " is no regular file any more"));
}

TEST_F(Files, WhatIsLostOfWrittenSharedMustBeMapped) {
    const std::string path = write("shared", std::string(8192, 'x'));
    // The second and the fourth page of four and a half.
    source_.regions = {written(path, 3 * 4096, 1, 18000), written(path, 4096, 1, 18000)};
    EXPECT_TRUE(says(check_mapped_files(source_), "shared has 8192 bytes, at the checkpoint it had 18000, and the"));
    source_.regions.push_back(written(path, 2 * 4096, 1, 18000));
    EXPECT_TRUE(says(check_mapped_files(source_), "only the mapped parts"));
    source_.regions.push_back(written(path, 4 * 4096, 1, 18000));
    EXPECT_FALSE(check_mapped_files(source_));
    std::filesystem::remove(path);
    EXPECT_TRUE(says(check_mapped_files(source_), "shared is missing, and the checkpoint holds only the mapped parts"));
    source_.regions.push_back(written(path, 0, 1, 18000));
    EXPECT_FALSE(check_mapped_files(source_));
}

TEST_F(Files, WithoutBytesNothingIsWritten) {
    source_.regions = {written("/dev/null", 0, 1, 0)};
    EXPECT_FALSE(check_mapped_files(source_));
    source_.regions = {written(directory_ + "/absent", 0, 1, 0)};
    EXPECT_TRUE(says(check_mapped_files(source_), "/absent cannot be used here: No such file"));
}

TEST_F(Files, WorkingDirectoryMustExist) {
    source_.directory = directory_ + "/elsewhere";
    EXPECT_TRUE(says(check_open_files(source_), "working directory " + directory_ + "/elsewhere is not on this node"));
    source_.directory = write("file", "");
    EXPECT_TRUE(says(check_open_files(source_), "is not on this node"));
}

TEST_F(Files, OpenFilesMustExist) {
    const std::string present = write("present", "");
    source_.files = {{3, O_RDWR, S_IFREG | 0600, -1, present}, {4, O_RDONLY, S_IFIFO, -1, "/nowhere/fifo"}};
    EXPECT_FALSE(check_open_files(source_));
    source_.files.push_back({7, O_WRONLY, S_IFREG | 0600, -1, directory_ + "/out.log"});
    EXPECT_TRUE(
        says(check_open_files(source_), directory_ + "/out.log (descriptor 7) cannot be opened here: No such file"));
}

TEST_F(Files, StandardStreamsAndDeletedFilesAreNotLookedFor) {
    source_.files = {{1, O_WRONLY, S_IFREG | 0600, -1, "/nowhere/slurm-1.out"},
                     {9, O_WRONLY, S_IFREG | 0600, 1, "/nowhere/slurm-1.out"},
                     {5, O_RDWR, S_IFREG | 0600, -1, "/nowhere/tmp (deleted)"}};
    EXPECT_FALSE(check_open_files(source_));
}

TEST_F(Files, InputsMustBeWhatTheyWere) {
    const std::string content(300'000, 'x'), input = write("input", content);
    const int fd = open(input.c_str(), O_RDONLY);
    struct stat info {};
    fstat(fd, &info);
    const auto time = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    const auto size = static_cast<std::int64_t>(content.size());
    source_.files = {{.descriptor = 5,
                      .flags = O_RDONLY,
                      .mode = S_IFREG | 0600,
                      .path = input,
                      .kind = "regular",
                      .offset = 150'000,
                      .size = size,
                      .modified_ns = time,
                      .fingerprint = fingerprint(fd, size, 150'000)}};
    close(fd);
    EXPECT_TRUE(changed_files(source_).empty());
    const auto wrong = [&](std::string now) {
        write("input", now);
        source_.files[0].modified_ns = 1;
        const auto said = changed_files(source_);
        return said.empty() ? std::string() : said[0];
    };
    EXPECT_EQ(wrong(content), "");
    EXPECT_EQ(wrong(content + "more"), "") << "it has grown";
    std::string other = content;
    for (const std::size_t at : {std::size_t{0}, std::size_t{150'000}, content.size() - 1}) {
        other[at] = 'y';
        EXPECT_NE(wrong(other).find("(descriptor 5) has been changed since the checkpoint: its content"),
                  std::string::npos);
        other = content;
    }
    EXPECT_NE(wrong(content.substr(1)).find("it has 299999 bytes instead of 300000"), std::string::npos);
    source_.files[0].fingerprint = 0;
    EXPECT_NE(wrong(content), "") << "nothing but the time tells";
    source_.files[0].flags = O_RDWR;
    EXPECT_EQ(wrong(other), "");
}

TEST(BuildId, FilesWithoutOne) {
    EXPECT_FALSE(build_id("/nowhere/file"));
    EXPECT_EQ(build_id("/etc/passwd").value_or("error"), "");
}

TEST(Maps, LinesOfProc) {
    const auto maps = parse_maps(
        "55d0a2c00000-55d0a2c01000 r-xp 00002000 fe:00 332383                     /usr/bin/with blank\n"
        "7fff00000000-7fff00002000 rw-p 00000000 00:00 0\n"
        "7fff5e400000-7fff5e404000 r--p 00000000 00:00 0                          [vvar]\n"
        "7fff5e404000-7fff5e406000 r-xp 00000000 00:00 0                          [vdso]\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n");
    ASSERT_TRUE(maps) << maps.error();
    ASSERT_EQ(maps->size(), 5u);
    EXPECT_EQ((*maps)[0].name, "/usr/bin/with blank");
    EXPECT_EQ((*maps)[0].offset, 0x2000u);
    EXPECT_EQ((*maps)[0].permissions, "r-xp");
    EXPECT_EQ((*maps)[1].name, "");
    EXPECT_EQ((*maps)[4].end, 0xffffffffff601000u);
    const auto pieces = vdso_pieces(*maps);
    ASSERT_EQ(pieces.size(), 2u);
    EXPECT_EQ(pieces[1].length, 0x2000u);
    EXPECT_FALSE(parse_maps("no mapping\n"));
    EXPECT_FALSE(parse_maps("2000-1000 r-xp 0 00:00 0\n"));
}

TEST(Match, ExecutableAndArgumentsDecide) {
    const auto program = program_of(getpid());
    ASSERT_TRUE(program) << program.error();
    Source source;
    source.executable = program->executable;
    source.arguments = program->arguments;
    EXPECT_TRUE(is_recorded(source, *program));
    source.arguments += std::string("-x\0", 3);
    EXPECT_FALSE(is_recorded(source, *program));
    source.arguments = program->arguments;
    source.executable = "/bin/bash";
    EXPECT_FALSE(is_recorded(source, *program));
    EXPECT_FALSE(program_of(0x7fffffff));
}

std::expected<Request, std::string> request(const std::map<std::string, std::string> &variables) {
    return read_request([&](const char *name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    });
}

TEST(RequestTest, RankComesFromTheFirstName) {
    const auto read = request({{env::kRestart, "/d/r0/0007/"},
                               {"PMIX_RANK", "3"},
                               {"SLURM_PROCID", "9"},
                               {"SLURM_NTASKS", "4"},
                               {env::kLog, "debug"}});
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->generation, "/d/r0/0007");
    EXPECT_EQ(read->rank, 3u);
    EXPECT_EQ(read->world_size, 4u);
    EXPECT_TRUE(read->debug);
}

TEST(RequestTest, EachMissingPieceIsNamed) {
    const auto said = [](const std::map<std::string, std::string> &variables) {
        const auto read = request(variables);
        return read ? Problem{} : Problem{read.error()};
    };
    EXPECT_TRUE(says(said({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}}), "SCKPT_RESTART is not set"));
    EXPECT_TRUE(says(said({{env::kRestart, "/d"}, {"SLURM_NTASKS", "1"}}), "PMIX_RANK is not set"));
    EXPECT_TRUE(says(said({{env::kRestart, "/d"}, {"SLURM_PROCID", "0"}}), "number of ranks is unknown"));
    EXPECT_TRUE(says(said({{env::kRestart, "/d"}, {"SLURM_PROCID", "0x"}, {"SLURM_NTASKS", "1"}}), "SLURM_PROCID=0x"));
    EXPECT_TRUE(
        says(said({{env::kRestart, "/d"}, {"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "1"}}), "rank 1 does not exist"));
}

}  // namespace
}  // namespace sckpt::restore
