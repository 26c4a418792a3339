// Whatever is wrong with an image is refused, each with its own reason, before anything of it is used.
#include <gtest/gtest.h>
#include <hdf5.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "storage_hdf5/catalog.h"
#include "storage_hdf5/reader.h"
#include "storage_hdf5/testing/rank.h"
#include "storage_hdf5/writer.h"

namespace {

using namespace sckpt;
using namespace sckpt::storage;
using namespace sckpt::storage::testing;
namespace fs = std::filesystem;

// One good generation of two ranks is made once and copied for every test.
class Refuses : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        original_ = new Scratch;
        const Victim victim(original_->path());
        ASSERT_EQ(save_generation(victim, original_->path() / "mini.1.0/r0/0001.partial", 2), 0);
    }
    static void TearDownTestSuite() { delete original_; }

    void SetUp() override {
        fs::copy(original_->path() / "mini.1.0", step_, fs::copy_options::recursive);
        ASSERT_EQ(verdict(), "valid");
    }

    // The verdict of a complete verification.
    std::string verdict() const {
        const auto manifest = verify_generation(generation_, Depth::data);
        if (manifest) return "valid";
        EXPECT_FALSE(manifest.error().sentence.empty());
        EXPECT_EQ(manifest.error().sentence.find('\n'), std::string::npos);
        return name(manifest.error().refusal);
    }

    static void flip(const fs::path &file, std::uint64_t at, int bit = 0) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(static_cast<std::streamoff>(at));
        const char byte = static_cast<char>(stream.get() ^ (1 << bit));
        stream.seekp(static_cast<std::streamoff>(at));
        stream.put(byte);
    }

    // Where a dataset's bytes are in the file.
    static std::uint64_t place_of(const fs::path &file, const char *dataset) {
        const hid_t opened = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
        const hid_t set = H5Dopen2(opened, dataset, H5P_DEFAULT);
        const auto offset = H5Dget_offset(set);
        H5Dclose(set);
        H5Fclose(opened);
        return offset;
    }

    static void set_attribute(const fs::path &file, const char *attribute, std::uint64_t value) {
        const hid_t opened = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
        const hid_t found = H5Aopen(opened, attribute, H5P_DEFAULT);
        ASSERT_GE(H5Awrite(found, H5T_NATIVE_UINT64, &value), 0);
        H5Aclose(found);
        H5Fclose(opened);
    }

    static inline Scratch *original_ = nullptr;
    Scratch scratch_;
    fs::path step_ = scratch_.path() / "mini.1.0";
    fs::path generation_ = step_ / "r0/0001";
    fs::path rank1_ = generation_ / "rank00001.h5";
    fs::path job_ = generation_ / "job.h5";
};

TEST_F(Refuses, ATruncatedFile) {
    fs::resize_file(rank1_, fs::file_size(rank1_) - 1);
    EXPECT_EQ(verdict(), "truncated");
    const auto alone = Image::open_file(rank1_);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().refusal, Refusal::truncated);
}

TEST_F(Refuses, AFileThatGrew) {
    std::ofstream(rank1_, std::ios::app) << "x";
    EXPECT_EQ(verdict(), "truncated");
}

TEST_F(Refuses, AnEmptyFile) {
    fs::resize_file(rank1_, 0);
    EXPECT_EQ(verdict(), "truncated");
}

TEST_F(Refuses, ABitFlippedInAPage) {
    const auto pages = Image::open_file(rank1_)->page_count();
    flip(rank1_, place_of(rank1_, "pages") + (pages - 1) * 4096 + 4095, 7);
    EXPECT_EQ(verdict(), "altered_data");
    // Tables are whole, so that a restart point is found in it; the restore itself reads every page.
    EXPECT_TRUE(verify_generation(generation_, Depth::tables));
}

TEST_F(Refuses, ABitFlippedInAnyTable) {
    for (const char *table : {"process", "regions", "runs", "hash", "files", "threads", "arguments", "cpu_flags"}) {
        const auto at = place_of(rank1_, table) + 3;
        flip(rank1_, at);
        EXPECT_EQ(verdict(), "altered_table") << table;
        flip(rank1_, at);
    }
    EXPECT_EQ(verdict(), "valid");
}

TEST_F(Refuses, ABitFlippedInTheManifest) {
    flip(job_, place_of(job_, "manifest") + 3);
    EXPECT_EQ(verdict(), "altered_table");
}

TEST_F(Refuses, AForeignFile) {
    const auto size = fs::file_size(rank1_);
    std::ofstream(rank1_, std::ios::trunc) << "not ours";
    fs::resize_file(rank1_, size);
    EXPECT_EQ(verdict(), "foreign");
    // HDF5, but somebody else's.
    fs::remove(job_);
    const hid_t file = H5Fcreate(job_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    EXPECT_EQ(verdict(), "foreign");
}

TEST_F(Refuses, ARankFileInPlaceOfTheManifest) {
    fs::copy_file(rank1_, job_, fs::copy_options::overwrite_existing);
    EXPECT_EQ(verdict(), "foreign");
}

TEST_F(Refuses, AnotherFormatVersion) {
    set_attribute(rank1_, "format_version", kFormatVersion + 1);
    const auto alone = Image::open_file(rank1_);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().refusal, Refusal::version);
    set_attribute(job_, "format_version", 0);
    EXPECT_EQ(verdict(), "version");
}

TEST_F(Refuses, AnAlteredAttribute) {
    set_attribute(rank1_, "rank", 0);
    const auto alone = Image::open_file(rank1_);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().refusal, Refusal::altered_table);
}

TEST_F(Refuses, AFileThatIsNotFinished) {
    set_attribute(rank1_, "complete", 0);
    const auto alone = Image::open_file(rank1_);
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().refusal, Refusal::not_complete);
}

TEST_F(Refuses, AMissingRankFile) {
    fs::remove(rank1_);
    EXPECT_EQ(verdict(), "missing_rank");
}

TEST_F(Refuses, AMissingManifest) {
    fs::remove(job_);
    EXPECT_EQ(verdict(), "not_complete");
}

TEST_F(Refuses, TheFileOfAnotherRank) {
    fs::copy_file(generation_ / "rank00000.h5", rank1_, fs::copy_options::overwrite_existing);
    const auto image = Image::open(generation_, 1);
    ASSERT_FALSE(image);
    EXPECT_TRUE(image.error().refusal == Refusal::wrong_ranks || image.error().refusal == Refusal::truncated)
        << image.error().sentence;
}

TEST_F(Refuses, ARankThatIsNotInIt) {
    const auto image = Image::open(generation_, 2);
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().refusal, Refusal::wrong_ranks);
}

TEST_F(Refuses, AnotherGenerationUnderItsName) {
    fs::rename(generation_, step_ / "r0/0002");
    generation_ = step_ / "r0/0002";
    const auto point = restart_point(step_, 1, 2);
    // The manifest agrees with its rank files, and says which generation it is.
    ASSERT_TRUE(point) << point.error().sentence;
    EXPECT_EQ(read_manifest(*point->generation)->number, 1U);
}

// A writer killed when all pages have been read and most are written: HDF5's open-for-write mark is on disk by then.
TEST_F(Refuses, AFileWhoseWriterDied) {
    const Victim victim(scratch_.path());
    const auto plan = Plan::parse(victim.plan(0, 1, 1, 0).bytes());
    const pid_t child = fork();
    if (child == 0) {
        (void)write_image({*plan, victim.pid(), scratch_.path(), 1, false, [] { raise(SIGKILL); }});
        _exit(0);
    }
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    const auto image = Image::open_file(scratch_.path() / "rank00000.h5.tmp");
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().refusal, Refusal::not_complete) << image.error().sentence;
}

// Random damage anywhere: found, or harmless (padding, unused metadata), but never a crash and never another content.
TEST_F(Refuses, RandomDamageNeverGoesUnnoticed) {
    const auto good = Image::open_file(rank1_);
    ASSERT_TRUE(good);
    const std::string digest = good->digest();
    const auto size = fs::file_size(rank1_);
    const auto pages_begin = good->pages_offset(), pages_end = pages_begin + good->page_count() * 4096;
    const unsigned seed = 20261128;
    std::mt19937_64 random(seed);
    int noticed = 0;
    for (int i = 0; i < 300; ++i) {
        // Half of the flips into the first KiB and the tables, where they hurt.
        std::uint64_t at = i % 2          ? random() % size
                           : random() % 2 ? random() % 4096
                                          : pages_end + random() % (size - pages_end);
        const int bit = static_cast<int>(random() % 8);
        flip(rank1_, at, bit);
        const auto image = Image::open_file(rank1_);
        const bool refused = !image || !image->verify(1);
        if (refused)
            ++noticed;
        else
            EXPECT_EQ(image->digest(), digest) << "seed " << seed << ", flip " << i << " at " << at;
        EXPECT_TRUE(refused || at < pages_begin || at >= pages_end)
            << "seed " << seed << ", flip " << i << " at " << at;
        flip(rank1_, at, bit);
    }
    EXPECT_GT(noticed, 100);
    EXPECT_EQ(verdict(), "valid");
}

TEST_F(Refuses, ARestartWithAnotherNumberOfRanks) {
    const auto point = restart_point(step_, 1, 3);
    ASSERT_FALSE(point);
    EXPECT_EQ(point.error().refusal, Refusal::wrong_ranks);
    EXPECT_NE(point.error().sentence.find("-n 2"), std::string::npos) << point.error().sentence;
}

TEST_F(Refuses, ARestartFromNothingUsable) {
    fs::remove(rank1_);
    const auto point = restart_point(step_, 1, 2);
    ASSERT_FALSE(point);
    EXPECT_EQ(point.error().refusal, Refusal::missing_rank);
}

}  // namespace
