// A plan comes from a rank whose memory may be anything: it is accepted whole or refused, and nothing is read outside.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "storage_hdf5/plan.h"
#include "storage_hdf5/reader.h"
#include "storage_hdf5/testing/rank.h"
#include "storage_hdf5/writer.h"

namespace {

using namespace sckpt;
using namespace sckpt::storage;
using namespace sckpt::storage::testing;
using image::Table;

class PlanTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        scratch_ = new Scratch("/dev/shm");
        victim_ = new Victim(scratch_->path());
    }
    static void TearDownTestSuite() {
        delete victim_;
        delete scratch_;
    }
    static std::string problem(const std::vector<std::byte> &bytes) {
        const auto plan = Plan::parse(bytes);
        return plan ? "" : plan.error();
    }
    static image::Header &header(std::vector<std::byte> &bytes) {
        return *reinterpret_cast<image::Header *>(bytes.data());
    }
    static image::Section &section(std::vector<std::byte> &bytes, Table table) {
        return header(bytes).sections[static_cast<std::uint32_t>(table)];
    }
    template <class Record>
    static Record &record(std::vector<std::byte> &bytes, Table table, std::size_t row = 0) {
        return reinterpret_cast<Record *>(bytes.data() + section(bytes, table).offset)[row];
    }

    static inline Scratch *scratch_ = nullptr;
    static inline Victim *victim_ = nullptr;
    std::vector<std::byte> good_ = victim_->plan(0, 1, 1, 0).bytes();
};

TEST_F(PlanTest, AcceptsAGoodOne) { EXPECT_EQ(problem(good_), ""); }

#define EXPECT_REFUSED(change, words)                                                              \
    do {                                                                                           \
        auto bad = good_;                                                                          \
        change;                                                                                    \
        EXPECT_NE(problem(bad).find(words), std::string::npos) << problem(bad) << " for " #change; \
    } while (false)

TEST_F(PlanTest, RefusesEachKindOfBadOne) {
    EXPECT_REFUSED(bad.resize(20), "shorter than its header");
    EXPECT_REFUSED(bad.resize(bad.size() - 1), "cut short");
    EXPECT_REFUSED(header(bad).magic ^= 1, "mark");
    EXPECT_REFUSED(header(bad).version += 1, "version");
    EXPECT_REFUSED(section(bad, Table::regions).count += 1000000, "outside");
    EXPECT_REFUSED(section(bad, Table::regions).count = UINT64_MAX / 8, "outside");
    EXPECT_REFUSED(section(bad, Table::files).offset = UINT64_MAX - 7, "outside");
    EXPECT_REFUSED(section(bad, Table::files).offset += 1, "outside");
    EXPECT_REFUSED(section(bad, Table::threads).record_size -= 8, "another size");
    EXPECT_REFUSED(section(bad, Table::process).count = 0, "exactly one process");
    EXPECT_REFUSED(record<image::File>(bad, Table::files).path.offset = UINT32_MAX, "text of files");
    EXPECT_REFUSED(record<image::Process>(bad, Table::process).environment.length = UINT32_MAX, "text of process");
    EXPECT_REFUSED(record<image::Process>(bad, Table::process).page_size = 65536, "65536");
    EXPECT_REFUSED(record<image::Process>(bad, Table::process).rank = 1, "rank");
    EXPECT_REFUSED(record<image::Region>(bad, Table::regions).start += 1, "whole pages");
    EXPECT_REFUSED(record<image::Region>(bad, Table::regions).length = 0, "whole pages");
    EXPECT_REFUSED(record<image::Region>(bad, Table::regions, 1).length = ~0xfffULL, "whole pages");
    EXPECT_REFUSED(
        std::swap(record<image::Region>(bad, Table::regions, 1), record<image::Region>(bad, Table::regions, 2)),
        "out of order");
    EXPECT_REFUSED(record<image::Region>(bad, Table::regions).kind = static_cast<image::RegionKind>(99),
                   "unknown kind");
}

// Attributes end at a NUL; a name with one in it must not make the image look altered.
TEST_F(PlanTest, TextsWithNulsAreNotMistakenForDamage) {
    auto builder = victim_->plan(0, 1, 1, 0);
    builder.process.host = builder.text(std::string_view("node\0x", 6));
    builder.process.user = builder.text(std::string_view("\0", 1));
    const auto plan = Plan::parse(builder.bytes());
    ASSERT_TRUE(plan) << plan.error();
    const auto written = write_image({*plan, victim_->pid(), scratch_->path(), 1, false, {}});
    ASSERT_TRUE(written) << written.error();
    const auto image = Image::open_file(written->file);
    EXPECT_TRUE(image) << image.error().sentence;
    std::filesystem::remove(written->file);
}

// Random damage.  What is still accepted is written as an image: that may fail, with a sentence, but not otherwise.
TEST_F(PlanTest, SurvivesRandomDamage) {
    const unsigned seed = 4711;
    std::mt19937_64 random(seed);
    int accepted = 0, written = 0;
    for (int i = 0; i < 2000; ++i) {
        auto bytes = good_;
        const int changes = 1 + static_cast<int>(random() % 4);
        for (int c = 0; c < changes; ++c) {
            // Text bytes are many and dull; prefer the header and the tables in front.
            const auto range = random() % 3 ? std::min<std::size_t>(bytes.size(), 1024) : bytes.size();
            const auto at = random() % range;
            switch (random() % 4) {
                case 0:
                    bytes[at] ^= static_cast<std::byte>(1 << random() % 8);
                    break;
                case 1:
                    bytes[at] = static_cast<std::byte>(random());
                    break;
                case 2: {
                    const std::uint64_t values[] = {0, 1, UINT32_MAX, UINT64_MAX, 1ULL << 63, random()};
                    const auto value = values[random() % std::size(values)];
                    std::memcpy(&bytes[at & ~std::size_t{7}], &value,
                                std::min<std::size_t>(8, bytes.size() - (at & ~std::size_t{7})));
                    break;
                }
                default:
                    bytes.resize(random() % 50 ? bytes.size() : at + 1);
                    break;
            }
        }
        auto plan = Plan::parse(std::move(bytes));
        if (!plan) {
            EXPECT_FALSE(plan.error().empty());
            continue;
        }
        ++accepted;
        // Every tenth: each costs some milliseconds.
        if (accepted % 10 != 0) continue;
        const auto result = write_image({*plan, victim_->pid(), scratch_->path(), 1, false, {}});
        if (!result) {
            EXPECT_FALSE(result.error().empty()) << "seed " << seed << ", change " << i;
            continue;
        }
        ++written;
        const auto image = Image::open_file(result->file);
        EXPECT_TRUE(image) << image.error().sentence << ", seed " << seed << ", change " << i;
        std::filesystem::remove(result->file);
    }
    EXPECT_GT(accepted, 50);
    EXPECT_GT(written, 5);
}

}  // namespace
