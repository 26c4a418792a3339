// Reading an image back: one rank of one committed generation.  Whatever is wrong with it is refused with a reason
// of its own, before anything is handed out.  No HDF5 types here: users of this header need no HDF5 headers.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage_hdf5/image.h"
#include "storage_hdf5/records.h"

namespace sckpt::storage {

enum class Refusal {
    unreadable,     // the system refused (errno in the sentence)
    not_complete,   // no committed generation: still being written, or its writer died
    foreign,        // not a file of ours
    version,        // of ours, in another format version
    truncated,      // shorter or longer than it was when it was committed
    altered_data,   // the checksum of a stored page does not match
    altered_table,  // the checksum of a table or of HDF5's own structure does not match, or a value is out of bounds
    missing_rank,   // a rank's file is not there
    wrong_ranks,    // the generation is of another number of ranks, or the file of another rank or generation
};

// The refusal's name as --json shows it, for example "altered_data".
const char *name(Refusal refusal);

struct Error {
    Refusal refusal = Refusal::unreadable;
    std::string sentence;  // what, where, what to do; no newline
};

// A row of the table regions with its texts resolved; the views live as long as the Image.
struct RegionInfo {
    image::Region record;
    std::string_view path;       // of the file, or the kernel's [name], or empty
    std::string_view build_id;   // hexadecimal, empty when the file is not ELF or has none
    std::uint64_t file_size;     // bytes when the image was written
    std::int64_t file_mtime_ns;  // nanoseconds since 1970
    std::size_t first_run;       // Image::runs()[first_run, first_run + run_count) are this region's
    std::size_t run_count;
};

struct FileInfo {
    image::File record;
    std::string_view path;
};

class Image {
  public:
    // Opens the image of `rank` in `generation` (a committed generation's directory) and checks everything but the
    // page data: job.h5, format version, completeness, file size against the manifest, bounds, table checksums.
    static std::expected<Image, Error> open(const std::filesystem::path &generation, std::uint32_t rank);

    // The same for a single rank file that is not (yet) part of a generation; nothing is compared with job.h5.
    static std::expected<Image, Error> open_file(const std::filesystem::path &file);

    Image(Image &&) noexcept;
    Image &operator=(Image &&) noexcept;
    ~Image();

    // Reads every stored page and compares its checksum.  `threads` 0: as many as there are CPUs, at most 8; all
    // have been joined when this returns.  `progress`, if given, is called now and then, from one thread at a time,
    // with the bytes done.
    std::expected<void, Error> verify(unsigned threads = 0,
                                      const std::function<void(std::uint64_t bytes)> &progress = {}) const;

    // The text a Ref of any record below refers to.  Multi-string texts (Process::arguments, environment) have a
    // NUL after each string, as in the plan.
    std::string_view text(image::Ref ref) const;

    const image::Process &process() const;
    std::span<const RegionInfo> regions() const;  // by ascending address, not overlapping
    std::span<const Run> runs() const;            // by region, then first page; not overlapping
    std::span<const FileInfo> files() const;

    // Any table of the plan as an array of its image.h records (Table::regions: of StoredRegion); Refs go to text().
    std::span<const std::byte> table(image::Table table) const;
    template <class Record>
    std::span<const Record> table(image::Table which) const {
        auto bytes = table(which);
        return {reinterpret_cast<const Record *>(bytes.data()), bytes.size() / sizeof(Record)};
    }

    // The rank file, and where its page data lie: page i of Run::offset is at pages_offset() + i * kPageSize,
    // 4096-aligned.
    const std::filesystem::path &path() const;
    std::uint64_t pages_offset() const;  // bytes from the start of the file
    std::uint64_t page_count() const;    // stored pages
    std::uint64_t file_bytes() const;

    // The flags line of /proc/cpuinfo where the image was written, one flag each.
    std::span<const std::string> cpu_flags() const;
    // xxh3-128 of the [vdso] mapping's content, 32 hexadecimal digits; empty when the process had none.
    const std::string &vdso_hash() const;
    // One checksum over all tables, attributes and page hashes, as the manifest in job.h5 records it.
    const std::string &digest() const;

    struct State;

  private:
    explicit Image(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// A row of job.h5's manifest.
struct RankEntry {
    std::uint32_t rank = 0;
    std::string file;  // name inside the generation's directory
    std::string host;  // where it was written
    std::uint64_t bytes = 0;
    std::uint64_t pages = 0;  // stored
    std::string digest;       // Image::digest()
};

// What job.h5 says about a generation.
struct Manifest {
    std::filesystem::path generation;
    std::uint32_t number = 0;
    std::uint32_t incarnation = 0;
    std::uint32_t ranks = 0;
    std::int64_t cut_time_ns = 0;     // CLOCK_REALTIME of rank 0 at the cut
    std::int64_t commit_time_ns = 0;  // CLOCK_REALTIME when job.h5 was written
    std::string job, cluster, user, cause;
    std::string topology;            // hwloc XML of rank 0's node
    std::vector<RankEntry> entries;  // by rank

    std::uint64_t bytes() const;  // all rank files together
};

// Reads and checks job.h5 of a committed generation.
std::expected<Manifest, Error> read_manifest(const std::filesystem::path &generation);

// read_manifest(), and every rank file is there with its recorded size.  Page data and tables are not read.
std::expected<Manifest, Error> check_generation(const std::filesystem::path &generation);

// xxh3-128 in hexadecimal, as vdso_hash() has it.
std::string hash_hex(std::span<const std::byte> bytes);

}  // namespace sckpt::storage
