#include <gtest/gtest.h>
#include <sys/mman.h>

#include <chrono>

#include "preload/restore/handover.h"
#include "preload/restore/plan.h"

namespace sckpt::restore {
namespace {

using image::RegionKind;

constexpr std::uint64_t kPage = 4096;
constexpr int kRead = PROT_READ, kWrite = PROT_READ | PROT_WRITE, kText = PROT_READ | PROT_EXEC;

SourceRegion region(std::uint64_t start, std::uint64_t pages, std::uint32_t protection = kWrite,
                    RegionKind kind = RegionKind::anonymous, std::string path = "", std::uint64_t offset = 0) {
    return {start, pages * kPage, protection, kind, offset, std::move(path), "", 0, 0};
}

// An image whose first region holds the hand-over structure.
Source source(std::vector<SourceRegion> regions, std::vector<SourceRun> runs = {}) {
    Source result;
    result.process.page_size = kPage;
    result.pages_offset = 65536;
    result.page_count = 1000;
    result.regions.push_back(region(0x10000, 1));
    result.process.handover = 0x10100;
    for (auto &one : regions) result.regions.push_back(std::move(one));
    for (auto &run : runs) ++run.region;
    result.runs = std::move(runs);
    return result;
}

std::vector<Step> steps(const Source &image) {
    auto plan = make_plan(image);
    if (!plan) {
        ADD_FAILURE() << plan.error();
        return {};
    }
    plan->steps.erase(plan->steps.begin());  // the hand-over's page
    return plan->steps;
}

std::string problem(const Source &image) {
    const auto plan = make_plan(image);
    return plan ? "" : plan.error();
}

TEST(Plan, AdjacentAnonymousRegionsAreOneMapping) {
    const auto list = steps(source({region(0x100000, 2), region(0x102000, 3), region(0x105000, 1, kRead)}));
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].action, Action::map_anonymous);
    EXPECT_EQ(list[0].address, 0x100000u);
    EXPECT_EQ(list[0].length, 5 * kPage);
    EXPECT_EQ(list[1].protection, static_cast<std::uint32_t>(kRead));
}

TEST(Plan, FileMappingsJoinOnlyWhereTheFileContinues) {
    const auto list = steps(source({region(0x100000, 2, kText, RegionKind::file_private, "/lib/a", 0),
                                    region(0x102000, 1, kText, RegionKind::file_private, "/lib/a", 2 * kPage),
                                    region(0x103000, 1, kText, RegionKind::file_private, "/lib/a", 9 * kPage),
                                    region(0x104000, 1, kText, RegionKind::file_private, "/lib/b", 10 * kPage)}));
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0].length, 3 * kPage);
    EXPECT_EQ(list[1].offset, 9 * kPage);
    EXPECT_NE(list[1].path, list[2].path);
}

TEST(Plan, NamesAreInTheStringsWithTheirNul) {
    const auto plan = make_plan(source({region(0x100000, 1, kText, RegionKind::file_private, "/lib/a"),
                                        region(0x200000, 1, kText, RegionKind::file_shared, "/lib/b")}));
    ASSERT_TRUE(plan);
    EXPECT_STREQ(plan->strings.c_str() + plan->steps[1].path, "/lib/a");
    EXPECT_STREQ(plan->strings.c_str() + plan->steps[2].path, "/lib/b");
    EXPECT_EQ(plan->steps[2].action, Action::map_file_shared);
}

TEST(Plan, ReadOnlyMemoryWithContentsIsOpenedAndClosedAgain) {
    const auto list = steps(source({region(0x100000, 4, kRead)}, {{0, 1, 2, false, 7}}));
    ASSERT_EQ(list.size(), 3u);
    EXPECT_EQ(list[0].protection, static_cast<std::uint32_t>(kWrite));
    EXPECT_EQ(list[1].action, Action::read);
    EXPECT_EQ(list[1].address, 0x101000u);
    EXPECT_EQ(list[1].length, 2 * kPage);
    EXPECT_EQ(list[1].offset, 65536 + 7 * kPage);
    EXPECT_EQ(list[2].action, Action::protect);
    EXPECT_EQ(list[2].protection, static_cast<std::uint32_t>(kRead));
    EXPECT_EQ(list[2].length, 4 * kPage);
}

TEST(Plan, MemoryWithoutContentsGetsItsProtectionAtOnce) {
    const auto list = steps(source({region(0x100000, 4, PROT_NONE)}));
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].protection, static_cast<std::uint32_t>(PROT_NONE));
}

TEST(Plan, ZeroPagesAreWrittenOnlyOverFiles) {
    const auto list = steps(source({region(0x100000, 4), region(0x200000, 4, kRead, RegionKind::file_private, "/f")},
                                   {{0, 0, 1, true, 0}, {1, 2, 1, true, 0}}));
    ASSERT_EQ(list.size(), 4u);
    EXPECT_EQ(list[1].protection, static_cast<std::uint32_t>(kWrite));
    EXPECT_EQ(list[2].action, Action::clear);
    EXPECT_EQ(list[2].address, 0x202000u);
    EXPECT_EQ(list[3].action, Action::protect);
}

TEST(Plan, WrittenSharedFilesGetSizeAndContents) {
    auto image = source({region(0x100000, 1, kRead, RegionKind::file_shared, "/f"),
                         region(0x200000, 4, kWrite, RegionKind::file_shared, "/f", kPage),
                         region(0x300000, 4, kRead, RegionKind::file_shared, "/g")},
                        {{1, 0, 2, false, 3}, {1, 2, 1, true, 0}});
    for (auto &one : image.regions) one.file_size = 12345;
    const auto list = steps(image);
    ASSERT_EQ(list.size(), 5u);
    EXPECT_EQ(list[0].file_size, 12345u);
    EXPECT_EQ(list[1].file_size, 12345u);
    EXPECT_EQ(list[1].protection, static_cast<std::uint32_t>(kWrite));
    EXPECT_EQ(list[2].file_size, 0u);
    EXPECT_EQ(list[3].action, Action::clear);
    EXPECT_EQ(list[3].address, 0x202000u);
    EXPECT_EQ(list[4].action, Action::read);
    EXPECT_EQ(list[4].address, 0x200000u);
    EXPECT_EQ(make_plan(image)->data_bytes, 0u);
}

TEST(Plan, ReadsFollowTheFileAndJoin) {
    const auto list =
        steps(source({region(0x100000, 8), region(0x200000, 8)},
                     {{0, 0, 1, false, 4}, {0, 1, 2, false, 5}, {1, 0, 1, false, 0}, {1, 1, 1, false, 8}}));
    ASSERT_EQ(list.size(), 5u);
    EXPECT_EQ(list[2].address, 0x200000u);
    EXPECT_EQ(list[3].address, 0x100000u);
    EXPECT_EQ(list[3].length, 3 * kPage);
    EXPECT_EQ(list[4].offset, 65536 + 8 * kPage);
}

TEST(Plan, EveryKindIsMappedInItsWay) {
    const auto plan = make_plan(source({region(0x100000, 1, kWrite, RegionKind::heap, "[heap]"),
                                        region(0x200000, 1, kWrite, RegionKind::anonymous_shared),
                                        region(0x300000, 1, kWrite, RegionKind::lower, "/lib/lower"),
                                        region(0x301000, 1, kWrite, RegionKind::lower),
                                        region(0x400000, 1, kWrite, RegionKind::stack, "[stack]"),
                                        region(0x500000, 1, kText, RegionKind::vdso, "[vdso]")}));
    ASSERT_TRUE(plan) << plan.error();
    ASSERT_EQ(plan->steps.size(), 6u);
    EXPECT_EQ(plan->steps[1].action, Action::map_anonymous);
    EXPECT_EQ(plan->steps[2].action, Action::map_anonymous_shared);
    EXPECT_EQ(plan->steps[3].action, Action::map_file_private);
    EXPECT_EQ(plan->steps[4].action, Action::map_anonymous);
    EXPECT_EQ(plan->steps[5].action, Action::map_stack);
    ASSERT_EQ(plan->vdso.size(), 1u);
    EXPECT_EQ(plan->vdso[0].start, 0x500000u);
    EXPECT_EQ(plan->map_count, 7u);
}

SourceRegion with(SourceRegion region, std::uint32_t attributes, std::uint32_t page_kib = 0) {
    region.attributes = attributes;
    region.page_kib = page_kib;
    return region;
}

TEST(Plan, AttributesAreGivenAgain) {
    const auto list = steps(source({with(region(0x100000, 1), image::kNoReserve), with(region(0x101000, 1), image::kLocked),
                                    with(region(0x102000, 1), image::kGrowsDown),
                                    with(region(0x200000, 512), image::kHugeTlb, 2048),
                                    with(region(0x600000, 1), image::kHuge | image::kDontFork)},
                                   {{0, 0, 1, false, 8}}));
    ASSERT_EQ(list.size(), 9u);
    EXPECT_EQ(list[0].flags, static_cast<std::uint32_t>(MAP_NORESERVE));
    EXPECT_EQ(list[1].flags, 0u);
    EXPECT_EQ(list[2].flags, static_cast<std::uint32_t>(MAP_GROWSDOWN));
    EXPECT_EQ(list[3].flags, static_cast<std::uint32_t>(MAP_HUGETLB | 21 << 26));
    EXPECT_EQ(list[5].action, Action::advise);
    EXPECT_EQ(list[5].flags, static_cast<std::uint32_t>(MADV_HUGEPAGE));
    EXPECT_EQ(list[6].flags, static_cast<std::uint32_t>(MADV_DONTFORK));
    EXPECT_EQ(list[7].action, Action::read);
    EXPECT_EQ(list[8].action, Action::lock);
    EXPECT_EQ(list[8].address, 0x101000u);
}

TEST(Plan, MappingsAreCountedAsTheyWillBe) {
    const auto count = [](std::vector<SourceRegion> regions, std::vector<SourceRun> runs = {}) {
        const auto plan = make_plan(source(std::move(regions), std::move(runs)));
        return plan ? plan->map_count : 0;
    };
    const auto one = count({region(0x100000, 1), region(0x101000, 1), region(0x102000, 1)});
    EXPECT_EQ(count({region(0x100000, 1), region(0x101000, 1, kRead), region(0x102000, 1)}), one + 2);
    EXPECT_EQ(count({region(0x100000, 1), region(0x101000, 1, kRead), region(0x102000, 1)}, {{1, 0, 1, false, 8}}),
              one + 2);
    EXPECT_EQ(count({region(0x100000, 1), with(region(0x101000, 1), image::kDontDump), region(0x102000, 1)}), one + 2);
    EXPECT_EQ(count({region(0x100000, 1), with(region(0x101000, 1), image::kLocked)}), one + 1);
}

TEST(Plan, CopiedFilesComeBackAsPlainMemory) {
    const auto list = steps(source({with(region(0x100000, 2, kText, RegionKind::file_private, "/lib/a"), image::kCopied),
                                    with(region(0x102000, 1, kWrite, RegionKind::lower, "/lib/a"), image::kCopied),
                                    region(0x103000, 1, kWrite, RegionKind::object_shared, "/memfd:x (deleted)"),
                                    region(0x104000, 1, kRead, RegionKind::segment, "/SYSV00000000 (deleted)")},
                                   {{0, 0, 1, false, 8}, {0, 1, 1, true, 0}, {2, 0, 1, false, 9}}));
    ASSERT_EQ(list.size(), 5u);
    EXPECT_EQ(list[0].action, Action::map_anonymous);
    EXPECT_EQ(list[0].length, 4 * kPage);
    EXPECT_EQ(list[1].action, Action::map_anonymous);
    EXPECT_EQ(list[2].action, Action::read);
    EXPECT_EQ(list[3].action, Action::read);
    EXPECT_EQ(list[4].action, Action::protect);
}

TEST(Plan, HundredThousandRegions) {
    std::vector<SourceRegion> regions;
    std::vector<SourceRun> runs;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        regions.push_back(region(0x100000000 + i * 4 * kPage, 2, i % 2 == 0 ? kRead : kWrite));
        runs.push_back({i, 0, 1, false, i});
    }
    auto image = source(std::move(regions), std::move(runs));
    image.page_count = 100'000;
    const auto begin = std::chrono::steady_clock::now();
    const auto list = steps(image);
    EXPECT_EQ(list.size(), 250'000u);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Plan, ContradictionsAreRefused) {
    EXPECT_NE(problem(source({region(0x100000, 2), region(0x101000, 1)})).find("overlaps"), std::string::npos);
    EXPECT_NE(problem(source({region(0x200000, 2), region(0x100000, 1)})).find("precedes"), std::string::npos);
    EXPECT_NE(problem(source({region(0x100100, 2)})).find("not a range of pages"), std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 0)})).find("not a range of pages"), std::string::npos);
    EXPECT_NE(problem(source({region(kAddressLimit - kPage, 2)})).find("not a range of pages"), std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, ~0ull / kPage)})).find("not a range of pages"), std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2, kWrite, static_cast<RegionKind>(77))})).find("unknown kind"),
              std::string::npos);
}

TEST(Plan, RunsOutsideAreRefused) {
    EXPECT_NE(problem(source({region(0x100000, 2)}, {{0, 1, 2, false, 0}})).find("outside its region"),
              std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2)}, {{0, 1, ~0ull, false, 0}})).find("outside its region"),
              std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2)}, {{5, 0, 1, false, 0}})).find("names region"), std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2)}, {{0, 0, 1, false, 1000}})).find("outside the stored"),
              std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2)}, {{0, 0, 2, false, 999}})).find("outside the stored"),
              std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2, kRead, RegionKind::vdso)}, {{0, 0, 1, false, 0}})).find("keeps none"),
              std::string::npos);
    EXPECT_NE(problem(source({region(0x100000, 2, kRead, RegionKind::file_shared, "/f")}, {{0, 0, 1, false, 0}}))
                  .find("keeps none"),
              std::string::npos);
}

TEST(Plan, HandoverMustBeWritableMemoryOfTheImage) {
    auto image = source({region(0x100000, 1, kRead)});
    EXPECT_EQ(problem(image), "");
    for (const std::uint64_t address : {0x8000ull, 0x100100ull, 0x11000ull - sizeof(Handover) + 8, 0x10101ull, 0ull}) {
        image.process.handover = address;
        EXPECT_NE(problem(image).find("hand-over"), std::string::npos) << std::hex << address;
    }
}

bool overlaps(const std::vector<Interval> &occupied, std::uint64_t start, std::uint64_t length) {
    for (const auto &interval : occupied) {
        if (start < interval.end && interval.start < start + length) return true;
    }
    return false;
}

TEST(Range, AvoidsImageProcessHeapStackAndArena) {
    auto image = source({region(0x555555554000, 100), region(0x7ffffff00000, 16, kWrite, RegionKind::stack)});
    image.process.start_brk = 0x555556000000;
    image.process.brk = 0x555557000000;
    const std::vector<Interval> current = {{0x400000, 0x500000}, {0x7ffff0000000, 0x7ffff8000000}};
    const auto occupied = occupied_ranges(image, current);
    const auto place = find_range(occupied, 1 << 20);
    ASSERT_TRUE(place);
    EXPECT_FALSE(overlaps(occupied, *place, 1 << 20));
    EXPECT_TRUE(overlaps(occupied, kArena, 1));
    EXPECT_TRUE(overlaps(occupied, 0x555557000000 + (100ull << 30), 1));
    EXPECT_TRUE(overlaps(occupied, 0x7ffffff00000 - (1ull << 30), 1));
}

TEST(Range, GoesBehindWhateverIsInTheWay) {
    const std::vector<Interval> occupied = {{0x100000000000, 0x200000000000}, {0x1f0000000000, 0x210000000000}};
    const auto place = find_range(occupied, 1 << 20);
    ASSERT_TRUE(place);
    EXPECT_GE(*place, 0x210000000000u);
}

TEST(Range, FallsBackToLowAddresses) {
    const auto place = find_range({{0x80000000, kAddressLimit}}, 1 << 20);
    ASSERT_TRUE(place);
    EXPECT_LT(*place + (1 << 20), 0x80000000u);
}

TEST(Range, NothingFree) {
    EXPECT_FALSE(find_range({{0, kAddressLimit}}, kPage));
    EXPECT_FALSE(find_range({}, kAddressLimit));
}

TEST(Vdso, PiecesAreMatchedByNameAndDistance) {
    const std::vector<VdsoPiece> recorded = {{"[vvar]", 0x1000, 0x4000}, {"[vdso]", 0x5000, 0x2000}};
    const std::vector<VdsoPiece> present = {{"[vvar]", 0x91000, 0x4000}, {"[vdso]", 0x95000, 0x2000}};
    const auto moves = match_vdso(recorded, present);
    ASSERT_TRUE(moves) << moves.error();
    ASSERT_EQ(moves->size(), 2u);
    EXPECT_EQ((*moves)[1].from, 0x95000u);
    EXPECT_EQ((*moves)[1].to, 0x5000u);
}

TEST(Vdso, DifferencesAreRefused) {
    const std::vector<VdsoPiece> recorded = {{"[vvar]", 0x1000, 0x4000}, {"[vdso]", 0x5000, 0x2000}};
    const auto said = [&](std::vector<VdsoPiece> present) {
        const auto moves = match_vdso(recorded, present);
        return moves ? "" : moves.error();
    };
    EXPECT_NE(said({{"[vdso]", 0x5000, 0x2000}}).find("1 mappings instead of 2"), std::string::npos);
    EXPECT_NE(said({{"[vvar]", 0x1000, 0x4000}, {"[vdso2]", 0x5000, 0x2000}}).find("no [vdso]"), std::string::npos);
    EXPECT_NE(said({{"[vvar]", 0x1000, 0x4000}, {"[vdso]", 0x5000, 0x1000}}).find("4096 bytes instead of 8192"),
              std::string::npos);
    EXPECT_NE(said({{"[vvar]", 0x1000, 0x4000}, {"[vdso]", 0x8000, 0x2000}}).find("lies elsewhere"), std::string::npos);
}

}  // namespace
}  // namespace sckpt::restore
