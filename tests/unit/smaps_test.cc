#include "preload/smaps.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <string>

#include "storage_hdf5/image.h"

namespace sckpt {
namespace {

std::string record(const std::string &line, const std::string &flags, const std::string &more = "") {
    return line + "\nSize:                  4 kB\nKernelPageSize:     2048 kB\n" + more + "VmFlags: " + flags + " \n";
}

TEST(Smaps, TakesRecordsOffOneByOne) {
    const std::string text = record("1000-2000 rw-p 00000000 00:00 0 ", "rd wr mr mw me ac lo lf dc") +
                             record("3000-5000 r--s 00001000 08:01 7 /some/file", "rd mr sr");
    std::string_view rest = text;
    Mapping mapping;
    ASSERT_TRUE(next_mapping(rest, mapping));
    EXPECT_EQ(mapping.line.start, 0x1000u);
    EXPECT_EQ(mapping.attributes, image::kLocked | image::kLockedOnFault | image::kDontFork);
    EXPECT_EQ(mapping.obstacle, nullptr);
    EXPECT_EQ(mapping.page_kib, 0u);
    ASSERT_TRUE(next_mapping(rest, mapping));
    EXPECT_EQ(mapping.line.name, "/some/file");
    EXPECT_TRUE(mapping.line.shared);
    EXPECT_EQ(mapping.attributes, image::kSequential);
    EXPECT_FALSE(next_mapping(rest, mapping));
    EXPECT_TRUE(rest.empty());
}

TEST(Smaps, WaitsForTheRestOfARecord) {
    const std::string text = record("1000-2000 rw-p 00000000 00:00 0 ", "rd wr hg");
    for (size_t length = 0; length < text.size(); ++length) {
        std::string_view part = std::string_view(text).substr(0, length);
        Mapping mapping;
        ASSERT_FALSE(next_mapping(part, mapping)) << length;
        ASSERT_EQ(part.size(), length);
    }
}

TEST(Smaps, EveryAttribute) {
    std::string text = record("1000-2000 rw-p 00000000 00:00 0 ", "nr gd hg nh wf dd mg rr ht");
    std::string_view rest = text;
    Mapping mapping;
    ASSERT_TRUE(next_mapping(rest, mapping));
    EXPECT_EQ(mapping.attributes, image::kNoReserve | image::kGrowsDown | image::kHuge | image::kNoHuge |
                                      image::kWipeOnFork | image::kDontDump | image::kMergeable | image::kRandom |
                                      image::kHugeTlb);
    EXPECT_EQ(mapping.page_kib, 2048u);
}

TEST(Smaps, NamesWhatCannotBeSaved) {
    const auto obstacle = [](const std::string &flags, const std::string &more = "", const char *name = "/dev/thing") {
        const std::string text = record(std::string("1000-2000 rw-s 00000000 00:05 3 ") + name, flags, more);
        std::string_view rest = text;
        Mapping mapping;
        EXPECT_TRUE(next_mapping(rest, mapping));
        return std::string(mapping.obstacle ? mapping.obstacle : "");
    };
    EXPECT_EQ(obstacle("rd wr io pf"), "memory of a device");
    EXPECT_EQ(obstacle("rd um"), "memory under userfaultfd");
    EXPECT_EQ(obstacle("rd sl"), "sealed memory (mseal)");
    EXPECT_EQ(obstacle("rd", "ProtectionKey:         3\n"), "memory with a protection key");
    EXPECT_EQ(obstacle("rd", "ProtectionKey:         0\n"), "");
    EXPECT_EQ(obstacle("rd io pf dd", "", "[vvar]"), "");
}

TEST(Smaps, ReadsThoseOfThisProcess) {
    static void *wanted;
    static bool seen;
    wanted = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(wanted, MAP_FAILED);
    ASSERT_EQ(madvise(wanted, 4096, MADV_DONTDUMP), 0);
    const long error = for_each_mapping(
        [](void *, const Mapping &mapping) {
            const auto at = reinterpret_cast<std::uint64_t>(wanted);
            if (mapping.line.start <= at && at < mapping.line.end) seen = mapping.attributes & image::kDontDump;
            return true;
        },
        nullptr);
    EXPECT_EQ(error, 0);
    EXPECT_TRUE(seen);
    munmap(wanted, 4096);
}

}  // namespace
}  // namespace sckpt
