// The patched vdso, called in this process: a copy of the present one over pages of zeros, as a restore makes it.
#include <elf.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "preload/restore/maps.h"
#include "preload/restore/vdso.h"

namespace sckpt::restore {
namespace {

std::vector<std::byte> present_code() {
    const auto maps = read_maps();
    if (!maps) return {};
    const auto pieces = vdso_pieces(*maps);
    const auto code = vdso_code(pieces);
    return {code.begin(), code.end()};
}

// Its functions by name, found by the section headers: another way than the one under test.
std::map<std::string, std::uint64_t> functions_of(const std::vector<std::byte> &code) {
    std::map<std::string, std::uint64_t> found;
    const auto *header = reinterpret_cast<const Elf64_Ehdr *>(code.data());
    const auto *sections = reinterpret_cast<const Elf64_Shdr *>(&code[header->e_shoff]);
    for (int i = 0; i < header->e_shnum; ++i) {
        if (sections[i].sh_type != SHT_DYNSYM) continue;
        const auto *names = reinterpret_cast<const char *>(&code[sections[sections[i].sh_link].sh_offset]);
        const auto *symbols = reinterpret_cast<const Elf64_Sym *>(&code[sections[i].sh_offset]);
        for (std::uint64_t s = 0; s < sections[i].sh_size / sizeof(Elf64_Sym); ++s)
            if (ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC) found[names + symbols[s].st_name] = symbols[s].st_value;
    }
    return found;
}

class PatchedVdso : public ::testing::Test {
  protected:
    void SetUp() override {
        code_ = present_code();
        if (code_.empty()) GTEST_SKIP() << "this kernel gives no vdso";
        // Zeros before it, where the code looks for its data.
        constexpr std::size_t kData = 64 << 10;
        area_ = mmap(nullptr, kData + code_.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(area_, MAP_FAILED);
        start_ = static_cast<char *>(area_) + kData;
        std::memcpy(start_, code_.data(), code_.size());
        const auto patches = patch_vdso(code_);
        ASSERT_TRUE(patches) << patches.error();
        for (const auto &patch : *patches) std::memcpy(start_ + patch.offset, &patch.bytes, sizeof patch.bytes);
        ASSERT_EQ(mprotect(start_, code_.size(), PROT_READ | PROT_EXEC), 0);
    }

    template <class Function>
    Function *function(const char *name) const {
        const auto functions = functions_of(code_);
        const auto found = functions.find(name);
        EXPECT_NE(found, functions.end()) << name;
        return reinterpret_cast<Function *>(start_ + found->second);
    }

    std::vector<std::byte> code_;
    void *area_ = nullptr;
    char *start_ = nullptr;
};

TEST_F(PatchedVdso, EveryFunctionAnswersAsTheKernelDoes) {
    timespec before{}, got{}, after{};
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME}) {
        syscall(SYS_clock_gettime, clock, &before);
        EXPECT_EQ(function<int(clockid_t, timespec *)>("__vdso_clock_gettime")(clock, &got), 0);
        syscall(SYS_clock_gettime, clock, &after);
        EXPECT_GE(got.tv_sec, before.tv_sec);
        EXPECT_LE(got.tv_sec, after.tv_sec);
    }
    EXPECT_EQ(function<int(clockid_t, timespec *)>("__vdso_clock_gettime")(9999, &got), -EINVAL);
    timeval day{};
    EXPECT_EQ(function<int(timeval *, void *)>("__vdso_gettimeofday")(&day, nullptr), 0);
    EXPECT_NEAR(static_cast<double>(day.tv_sec), static_cast<double>(time(nullptr)), 2);
    EXPECT_NEAR(static_cast<double>(function<time_t(time_t *)>("__vdso_time")(nullptr)),
                static_cast<double>(time(nullptr)), 2);
    EXPECT_EQ(function<int(clockid_t, timespec *)>("__vdso_clock_getres")(CLOCK_MONOTONIC, &got), 0);
    EXPECT_GT(got.tv_nsec, 0);
    unsigned cpu = ~0u, node = ~0u;
    EXPECT_EQ(function<int(unsigned *, unsigned *, void *)>("__vdso_getcpu")(&cpu, &node, nullptr), 0);
    EXPECT_LT(cpu, static_cast<unsigned>(sysconf(_SC_NPROCESSORS_CONF)));
}

TEST(Vdso, WhatIsNoVdsoIsSaidToBeNone) {
    auto code = present_code();
    if (code.empty()) GTEST_SKIP() << "this kernel gives no vdso";
    for (const std::size_t length : {0u, 3u, 64u, 200u}) {
        const auto patches = patch_vdso(std::span(code).first(length));
        ASSERT_FALSE(patches) << length;
        EXPECT_NE(patches.error().find("the recorded vdso"), std::string::npos);
    }
    const char name[] = "__vdso_time";
    auto *at = static_cast<std::byte *>(memmem(code.data(), code.size(), name, sizeof name));
    ASSERT_NE(at, nullptr);
    at[7] = std::byte{'T'};
    const auto patches = patch_vdso(code);
    ASSERT_FALSE(patches);
    EXPECT_NE(patches.error().find("__vdso_Time that no system call is known for"), std::string::npos)
        << patches.error();
}

}  // namespace
}  // namespace sckpt::restore
