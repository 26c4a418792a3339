// What goes into an image comes out of it: every region kind bytewise, every table field by field, and the same read
// by other people's HDF5 readers.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/reader.h"
#include "storage_hdf5/schema.h"
#include "storage_hdf5/testing/rank.h"
#include "storage_hdf5/writer.h"

namespace {

using namespace sckpt;
using namespace sckpt::storage;
using namespace sckpt::storage::testing;
using image::Table;

class ImageTest : public ::testing::Test {
  protected:
    Scratch scratch_;
    Victim victim_{scratch_.path()};
    std::vector<std::byte> bytes_ = victim_.plan(0, 1, 7, 2).bytes();

    Plan plan() {
        auto plan = Plan::parse(bytes_);
        if (!plan) throw std::runtime_error(plan.error());
        return std::move(*plan);
    }
};

class ImageByMethod : public ImageTest, public ::testing::WithParamInterface<bool> {};

TEST_P(ImageByMethod, EveryRegionComesBackBytewise) {
    const auto plan = this->plan();
    int told = 0;
    const auto written = write_image({plan, victim_.pid(), scratch_.path(), 2, GetParam(), [&] { ++told; }});
    ASSERT_TRUE(written) << written.error();
    EXPECT_EQ(told, 1);
    EXPECT_FALSE(std::filesystem::exists(written->file.string() + ".tmp"));
    auto image = Image::open_file(written->file);
    ASSERT_TRUE(image) << image.error().sentence;
    const auto good = image->verify();
    ASSERT_TRUE(good) << good.error().sentence;
    EXPECT_EQ(image->pages_offset() % 4096, 0U);
    EXPECT_EQ(image->page_count(), written->pages);
    EXPECT_EQ(image->digest(), written->digest);
    ASSERT_EQ(image->regions().size(), victim_.mappings().size());
    for (std::size_t i = 0; i < victim_.mappings().size(); ++i) {
        const auto &mapping = victim_.mappings()[i];
        EXPECT_EQ(image->regions()[i].path, mapping.path);
        EXPECT_EQ(
            std::memcmp(restored(*image, i, mapping.fresh).data(), mapping.content.data(), mapping.content.size()), 0)
            << mapping.what;
    }
}
INSTANTIATE_TEST_SUITE_P(WithAndWithoutDirect, ImageByMethod, ::testing::Bool());

TEST_F(ImageTest, StoresNoPageThatNeedNotBe) {
    const auto plan = this->plan();
    const auto written = write_image({plan, victim_.pid(), scratch_.path(), 2, true, {}});
    ASSERT_TRUE(written) << written.error();
    const auto image = Image::open_file(written->file);
    ASSERT_TRUE(image) << image.error().sentence;
    const auto stored = [&](const std::string &what, RunKind kind) {
        std::uint64_t pages = 0;
        for (std::size_t i = 0; i < victim_.mappings().size(); ++i) {
            if (victim_.mappings()[i].what != what) continue;
            const auto &region = image->regions()[i];
            for (const auto &run : image->runs().subspan(region.first_run, region.run_count))
                if (run.kind == kind) pages += run.count;
        }
        return pages;
    };
    EXPECT_EQ(stored("sparse anonymous", RunKind::data), 1366U);
    EXPECT_EQ(stored("anonymous with zeros", RunKind::data), 420U);
    EXPECT_EQ(stored("anonymous with zeros", RunKind::zero), 0U);
    EXPECT_EQ(stored("untouched anonymous", RunKind::data), 0U);
    EXPECT_EQ(stored("anonymous shared", RunKind::data), 30U);
    EXPECT_EQ(stored("private file", RunKind::data), 3U);
    EXPECT_EQ(stored("private file", RunKind::zero), 2U);
    EXPECT_EQ(stored("untouched private file", RunKind::data), 0U);
    EXPECT_EQ(stored("shared file", RunKind::data), 94U);
    EXPECT_EQ(stored("shared file", RunKind::zero), 2U);
    EXPECT_EQ(stored("shared file that is only read", RunKind::data), 0U);
    EXPECT_EQ(stored("shared file that is only read", RunKind::zero), 0U);
    EXPECT_EQ(stored("vdso", RunKind::data), 0U);
    // Tables, hashes and HDF5's own structure besides the pages: no more than a metadata block and a bit.
    EXPECT_LT(image->file_bytes(), image->page_count() * 4096 + (2 << 20));
}

TEST_F(ImageTest, OfASharedFileThePagesWithinItsSize) {
    const auto memory = ProcessMemory::open(victim_.pid());
    ASSERT_TRUE(memory) << memory.error();
    image::Region region{};
    region.start = 0x100000;
    region.length = 16 * kPageSize;
    region.protection = PROT_READ | PROT_WRITE;
    region.kind = image::RegionKind::file_shared;
    region.file_offset = 4 * kPageSize;
    const auto pages = [&](std::uint64_t file_size) {
        const auto ranges = memory->pages_to_store(region, file_size);
        if (!ranges) throw std::runtime_error(ranges.error());
        std::uint64_t count = 0;
        for (const auto &range : *ranges) count += range.count;
        EXPECT_TRUE(ranges->empty() || ranges->front().first == 0);
        return count;
    };
    EXPECT_EQ(pages(0), 0U);
    EXPECT_EQ(pages(4 * kPageSize), 0U);
    EXPECT_EQ(pages(4 * kPageSize + 1), 1U);
    EXPECT_EQ(pages(10 * kPageSize), 6U);
    EXPECT_EQ(pages(20 * kPageSize), 16U);
    EXPECT_EQ(pages(99 * kPageSize), 16U);
    region.protection = PROT_READ;
    EXPECT_EQ(pages(99 * kPageSize), 0U);
}

TEST_F(ImageTest, AMappedFileThatIsGoneIsSaidToBe) {
    const auto plan = this->plan();
    std::filesystem::remove(scratch_.path() / "written");
    const auto written = write_image({plan, victim_.pid(), scratch_.path(), 1, true, {}});
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().find((scratch_.path() / "written").string() + ", which the program maps"),
              std::string::npos)
        << written.error();
}

TEST_F(ImageTest, EveryFieldOfEveryTableComesBack) {
    const auto plan = this->plan();
    const auto written = write_image({plan, victim_.pid(), scratch_.path(), 1, true, {}});
    ASSERT_TRUE(written) << written.error();
    const auto image = Image::open_file(written->file);
    ASSERT_TRUE(image) << image.error().sentence;
    for (auto i = static_cast<std::uint32_t>(Table::process); i < static_cast<std::uint32_t>(Table::count); ++i) {
        const auto which = static_cast<Table>(i);
        const auto before = plan.table(which);
        const auto after = image->table(which);
        const std::size_t old_size = plan_record_size(which), new_size = schema(which).record_size;
        ASSERT_GT(before.size(), 0U) << schema(which).name << ": the test has no row of it";
        ASSERT_EQ(before.size() / old_size, after.size() / new_size) << schema(which).name;
        for (std::size_t row = 0; row < before.size() / old_size; ++row) {
            for (const auto &field : plan_fields(which)) {
                const auto *a = &before[row * old_size + field.offset], *b = &after[row * new_size + field.offset];
                if (field.type == FieldType::text || field.type == FieldType::texts) {
                    image::Ref from, to;
                    std::memcpy(&from, a, sizeof from);
                    std::memcpy(&to, b, sizeof to);
                    EXPECT_EQ(plan.text(from), image->text(to)) << schema(which).name << "." << field.name;
                    continue;
                }
                const std::size_t size = field.type == FieldType::u16                                   ? 2
                                         : field.type == FieldType::u64 || field.type == FieldType::i64 ? 8
                                                                                                        : 4;
                EXPECT_EQ(std::memcmp(a, b, size), 0) << schema(which).name << "." << field.name;
            }
        }
    }
    EXPECT_EQ(image->vdso_hash().size(), 32U);
    EXPECT_GT(image->cpu_flags().size(), 5U);
}

// Bytes of each record that some field covers: a member added to image.h and forgotten in schema.cc shows here.
TEST(Schema, CoversEveryRecord) {
    for (auto i = static_cast<std::uint32_t>(Table::process); i < static_cast<std::uint32_t>(Table::count); ++i) {
        const auto &table = schema(static_cast<Table>(i));
        std::vector<bool> covered(table.record_size);
        for (const auto &field : table.fields) {
            const std::size_t size = field.type == FieldType::u16 ? 2
                                     : field.type == FieldType::u32 || field.type == FieldType::i32 ||
                                             field.type == FieldType::region_kind || field.type == FieldType::run_kind
                                         ? 4
                                         : 8;
            for (std::size_t at = field.offset; at < field.offset + size; ++at) {
                EXPECT_FALSE(covered.at(at)) << table.name << "." << field.name << " overlaps another field";
                covered[at] = true;
            }
        }
        std::size_t bare = 0;
        for (const bool byte : covered) bare += !byte;
        // Padding (and Context::reserved) only.
        EXPECT_LE(bare, 6U) << table.name;
    }
}

TEST_F(ImageTest, RecordsTheBuildIdOfMappedPrograms) {
    const auto plan = this->plan();
    const auto written = write_image({plan, victim_.pid(), scratch_.path(), 1, true, {}});
    ASSERT_TRUE(written) << written.error();
    const auto image = Image::open_file(written->file);
    ASSERT_TRUE(image) << image.error().sentence;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string listing = (scratch_.path() / "notes").string();
    ASSERT_EQ(std::system(("readelf -n '" + self + "' > " + listing + " 2>/dev/null").c_str()), 0);
    std::ifstream notes(listing);
    std::string expected;
    for (std::string line; std::getline(notes, line);) {
        if (const auto at = line.find("Build ID: "); at != std::string::npos) expected = line.substr(at + 10);
    }
    ASSERT_FALSE(expected.empty());
    int seen = 0;
    for (const auto &region : image->regions()) {
        if (region.path == self) {
            EXPECT_EQ(region.build_id, expected);
            EXPECT_EQ(region.file_size, std::filesystem::file_size(self));
            ++seen;
        } else {
            EXPECT_EQ(region.build_id, "");
        }
    }
    EXPECT_GE(seen, 2);
}

TEST_F(ImageTest, ScanAndPagemapAgree) {
    const auto memory = ProcessMemory::open(victim_.pid());
    ASSERT_TRUE(memory) << memory.error();
    for (const auto &mapping : victim_.mappings()) {
        const auto walked = memory->walk_pagemap(mapping.region);
        ASSERT_TRUE(walked) << mapping.what;
        const auto scanned = memory->scan(mapping.region);
        if (!scanned && scanned.error() == ENOTTY) GTEST_SKIP() << "this kernel has no PAGEMAP_SCAN";
        ASSERT_TRUE(scanned) << mapping.what;
        // The scan leaves out the shared zero page, which the page map cannot tell from another page.
        std::vector<bool> in_scan(mapping.region.length / kPageSize), in_walk = in_scan;
        for (const auto &range : *scanned)
            std::fill_n(in_scan.begin() + static_cast<long>(range.first), range.count, true);
        for (const auto &range : *walked)
            std::fill_n(in_walk.begin() + static_cast<long>(range.first), range.count, true);
        for (std::size_t page = 0; page < in_scan.size(); ++page) {
            if (in_scan[page] == in_walk[page]) continue;
            ASSERT_TRUE(in_walk[page]) << mapping.what << " page " << page;
            const auto *from = &mapping.content[page * kPageSize];
            EXPECT_TRUE(std::all_of(from, from + kPageSize, [](std::byte byte) { return byte == std::byte{0}; }))
                << mapping.what << " page " << page;
        }
    }
}

// kB of memory that a process shares with nobody.  A page that the kernel has copied for a reader counts as clean.
long private_memory(pid_t pid) {
    std::ifstream lines("/proc/" + std::to_string(pid) + "/smaps_rollup");
    long sum = 0, value = 0;
    for (std::string word; lines >> word;)
        if ((word == "Private_Clean:" || word == "Private_Dirty:") && lines >> value) sum += value;
    return sum;
}

// What a snapshot shares with its rank by copy-on-write stays shared: there may be no memory for it twice.
TEST(Memory, ToReadASnapshotTakesNone) {
    constexpr std::size_t kPages = 4096;
    auto *memory = static_cast<std::byte *>(
        mmap(nullptr, kPages * kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory, MAP_FAILED);
    std::memset(memory, 7, kPages * kPageSize);
    const pid_t snapshot = fork();
    if (snapshot == 0)
        for (;;) pause();
    const long before = private_memory(snapshot);
    const auto source = ProcessMemory::open(snapshot);
    std::vector<std::byte> copy(kPages * kPageSize);
    const Piece piece{reinterpret_cast<std::uint64_t>(memory), kPages};
    const bool is_read = source && source->read({&piece, 1}, copy.data());
    const long after = private_memory(snapshot);
    kill(snapshot, SIGKILL);
    finish(snapshot);
    ASSERT_TRUE(is_read);
    EXPECT_EQ(std::memcmp(copy.data(), memory, copy.size()), 0);
    ASSERT_GT(before, 0);
    EXPECT_LT(after - before, 1024);
    munmap(memory, kPages * kPageSize);
}

TEST_F(ImageTest, AProcessThatIsGoneIsSaidToBe) {
    const auto plan = this->plan();
    const pid_t child = fork();
    if (child == 0) _exit(0);
    finish(child);
    const auto written = write_image({plan, child, scratch_.path(), 1, true, {}});
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().find("ended before it was saved"), std::string::npos) << written.error();
}

TEST_F(ImageTest, OtherReadersReadAllOfIt) {
    const auto partial = scratch_.path() / "mini.123.0/r2/0007.partial";
    ASSERT_EQ(save_generation(victim_, partial, 2), 0);
    const auto generation = scratch_.path() / "mini.123.0/r2/0007";
    for (const char *name : {"job.h5", "rank00000.h5", "rank00001.h5"}) {
        const std::string dump =
            "h5dump -d /pages -s 0,0 -c 1,8 '" + (generation / "rank00000.h5").string() + "' > /dev/null 2>&1";
        EXPECT_EQ(std::system(dump.c_str()), 0);
        const std::string tables = "h5dump -A '" + (generation / name).string() + "' > /dev/null 2>&1";
        EXPECT_EQ(std::system(tables.c_str()), 0) << name;
    }
    const std::string script = R"(
import h5py, sys
g = sys.argv[1]
with h5py.File(g + '/job.h5', 'r') as job:
    assert job.attrs['ranks'] == 2 and job.attrs['generation'] == 7 and job.attrs['incarnation'] == 2
    assert [row['file'] for row in job['manifest']] == [b'rank00000.h5', b'rank00001.h5']
    assert b'<topology' in job['topology'][0]
    rank = job['ranks/00001']
    assert rank['process'][0]['rank'] == 1 and rank['process'][0]['executable'] == b'/usr/bin/app'
    assert list(rank['arguments'][:]) == [b'app', b'-n', b'', b'last']
    names = {v: k for k, v in h5py.check_enum_dtype(rank['regions'].dtype['kind']).items()}
    kinds = {names[k] for k in rank['regions']['kind']}
    assert {'anonymous', 'heap', 'file_private', 'vdso'} <= kinds, kinds
    assert rank['pages'].shape == (rank['hash'].shape[0], 4096)
    read = []
    def visit(name, node):
        if isinstance(node, h5py.Dataset):
            node[()]
            assert node.attrs['description'], name
            read.append(name)
    rank.visititems(visit)
    assert len(read) >= 17, read
    assert len(rank['regions'].attrs['units']) == len(rank['regions'].dtype.names)
)";
    std::ofstream(scratch_.path() / "read.py") << script;
    EXPECT_EQ(
        std::system(("/usr/bin/python3 '" + (scratch_.path() / "read.py").string() + "' '" + generation.string() + "'")
                        .c_str()),
        0);
}

}  // namespace
