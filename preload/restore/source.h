// One rank's image as sckpt-restore sees it: everything but the page data, with strings resolved.  Filled from HDF5 by
// source_hdf5.cc; the checks and the planner know only this, and so do their tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "storage_hdf5/image.h"

namespace sckpt::restore {

struct SourceRegion {
    std::uint64_t start = 0;   // bytes
    std::uint64_t length = 0;  // bytes
    std::uint32_t protection = 0;
    image::RegionKind kind = image::RegionKind::anonymous;
    std::uint64_t file_offset = 0;
    std::string path;      // of the file, or the kernel's [name]
    std::string build_id;  // hexadecimal, empty when the file is not ELF or has none
    std::uint64_t file_size = 0;
    std::int64_t file_mtime_ns = 0;
    std::uint32_t attributes = 0;  // image::Attribute bits
    std::uint32_t page_kib = 0;    // of image::kHugeTlb
};

struct SourceRun {
    std::uint64_t region = 0;      // index
    std::uint64_t first_page = 0;  // within the region
    std::uint64_t count = 0;       // pages
    bool zero = false;
    std::uint64_t position = 0;  // data: in /pages, in pages
};

struct SourceFile {
    std::int32_t descriptor = -1;
    std::uint32_t flags = 0;        // O_*
    std::uint32_t mode = 0;         // st_mode
    std::int32_t shares_with = -1;  // lowest descriptor of the same open file description
    std::string path{};
    std::string kind{};  // as the table files has it
    std::int64_t offset = 0, size = 0;  // bytes, at the cut
    std::int64_t modified_ns = 0;       // likewise, nanoseconds since 1970
    std::uint64_t fingerprint = 0;      // base/fingerprint.h; 0: none
};

struct Source {
    image::Process process{};  // its Refs are meaningless here, the strings follow
    std::string host;
    std::string executable;
    std::string arguments;  // argv, each with its NUL
    std::string directory;
    std::vector<std::string> cpu_flags;  // as in /proc/cpuinfo
    std::string vdso_hash;               // hexadecimal xxh3-128 of [vdso]
    std::vector<SourceRegion> regions;
    std::vector<SourceRun> runs;
    std::vector<SourceFile> files;
    std::string rank_file;           // absolute path
    std::uint64_t pages_offset = 0;  // of /pages in it, bytes
    std::uint64_t page_count = 0;    // pages in /pages
};

/// Reads the tables of rank `rank` in `generation` (a committed generation's directory) without looking at page data.
/// The error is one sentence.
std::expected<Source, std::string> open_source(const std::string &generation, std::uint32_t rank);

/// Verifies checksums, formats and sizes of the rank's whole image and of the job's manifest, which must be for
/// `world_size` ranks.  Returns what open_source() returns.  All threads that it used have ended.
std::expected<Source, std::string> verify_source(const std::string &generation, std::uint32_t rank,
                                                 std::uint32_t world_size);

/// The hash that Source::vdso_hash holds, of these bytes.
std::string content_hash(std::span<const std::byte> bytes);

}  // namespace sckpt::restore
