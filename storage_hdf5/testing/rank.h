// For tests: plans built without a rank, and a process with known memory that can be saved.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "storage_hdf5/plan.h"
#include "storage_hdf5/reader.h"

namespace sckpt::storage::testing {

// Puts a plan together the way a rank does.
class PlanBuilder {
  public:
    image::Ref text(std::string_view text);
    template <class Record>
    void add(image::Table table, const Record &record) {
        add(table, &record, sizeof record);
    }
    image::Process process{};  // may be changed until bytes() is called
    std::vector<std::byte> bytes() const;

  private:
    void add(image::Table table, const void *record, std::size_t size);
    struct Section {
        std::vector<std::byte> bytes;
        std::size_t record_size = 0;
    };
    Section sections_[static_cast<std::size_t>(image::Table::count)];
    std::string strings_;
};

// A scratch directory that goes away.
class Scratch {
  public:
    // In $TMPDIR, or where `base` says.
    explicit Scratch(const std::filesystem::path &base = std::filesystem::temp_directory_path());
    ~Scratch();
    const std::filesystem::path &path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// Regions of every kind in this process, and a fork of it that holds them still: what a snapshot is to a rank.
class Victim {
  public:
    explicit Victim(const std::filesystem::path &scratch);
    ~Victim();
    Victim(const Victim &) = delete;
    Victim &operator=(const Victim &) = delete;

    pid_t pid() const { return pid_; }
    // The plan of rank `rank` of `ranks`, with a row in every table.
    PlanBuilder plan(std::uint32_t rank, std::uint32_t ranks, std::uint32_t generation,
                     std::uint32_t incarnation) const;

    struct Mapping {
        std::string what;
        image::Region region{};  // without its path
        std::string path;
        std::vector<std::byte> content;  // as it must come back
        std::vector<std::byte> fresh;    // as a fresh mapping of it would be
    };
    const std::vector<Mapping> &mappings() const { return mappings_; }

  private:
    std::byte *map(const std::string &what, image::RegionKind kind, std::size_t pages, int flags, int fd = -1,
                   const std::string &path = {});
    void note_system_regions();

    std::vector<Mapping> mappings_;
    std::vector<std::pair<void *, std::size_t>> owned_;
    pid_t pid_ = -1;
};

// The content of an image's region: what is mapped there afresh, with the stored runs laid over it.
std::vector<std::byte> restored(const Image &image, std::size_t region, const std::vector<std::byte> &fresh);

// Saves a victim as a whole generation of `ranks` ranks by running sckpt-writer; returns the exit status of rank 0's.
// `status`, if given, receives what it told.
int save_generation(const Victim &victim, const std::filesystem::path &partial, std::uint32_t ranks,
                    std::uint32_t keep = 2, std::string *status = nullptr);
// Starts one sckpt-writer; its pid. `status` receives the reading end of its status pipe.
pid_t start_writer(const std::vector<std::byte> &plan, pid_t source, const std::filesystem::path &partial,
                   std::uint32_t rank, std::uint32_t ranks, std::uint32_t keep, int *status, double timeout = 60,
                   std::uint64_t file_limit = 0);
// Waits for it; its exit status, 128 + signal when killed.
int finish(pid_t pid);
std::string drain(int fd);  // reads to the end and closes

// Where the programs are: beside the test, in ../lib.
std::filesystem::path program(const char *name);

}  // namespace sckpt::storage::testing
