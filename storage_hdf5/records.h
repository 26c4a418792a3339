// Records that the writer adds to what a rank hands over (image.h): which pages are stored and where, and what
// could be found out about mapped files from outside.  Plain structs; their HDF5 form is in schema.cc.
#pragma once

#include <cstdint>

#include "storage_hdf5/image.h"

namespace sckpt::storage {

// Version of the files' layout; an image of another version is refused, never guessed at.
inline constexpr std::uint32_t kFormatVersion = 1;

// Granularity of /pages and /hash.  A machine with larger pages is refused by the writer.
inline constexpr std::uint64_t kPageSize = 4096;

enum class RunKind : std::uint32_t {
    data,  // the pages are stored
    zero,  // the pages read as zeros although what is mapped there (a file) does not; nothing is stored
};

// Consecutive pages of one region.  Pages that no run names are as a fresh mapping has them: zero in anonymous
// memory, the file's content in a file mapping.
struct Run {
    std::uint32_t region;  // row of the table regions
    RunKind kind;
    std::uint64_t first_page;  // pages from the start of the region
    std::uint64_t count;       // pages
    std::uint64_t offset;      // pages from the start of /pages; 0 for zero runs
};

// A row of the table regions: the rank's record and the writer's findings.
struct StoredRegion {
    image::Region region;
    image::Ref build_id;         // NT_GNU_BUILD_ID of the mapped ELF file in hexadecimal, else empty
    std::uint64_t file_size;     // bytes, of the file at `path` when the image was written; 0 when there is none
    std::int64_t file_mtime_ns;  // nanoseconds since 1970
    std::uint64_t first_run;     // row of the table runs
    std::uint64_t run_count;
};

}  // namespace sckpt::storage
