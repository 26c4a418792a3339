// What the writer finds out about a process from outside, so that a restore can tell whether it would run the same
// code on a machine that can run it: build-ids of mapped files, the vdso's content, the CPU's features.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/plan.h"

namespace sckpt::storage {

// Reads `size` bytes at `offset` of an ELF image; returns how many it got.
using ReadAt = std::function<std::size_t(std::uint64_t offset, std::byte *to, std::size_t size)>;

// NT_GNU_BUILD_ID of a 64-bit ELF image in hexadecimal, empty when it is none or has none (elf(5)).
std::string elf_build_id(const ReadAt &read);

struct FileFacts {
    bool present = false;  // there is a file of this name
    std::string build_id;
    std::uint64_t size = 0;     // bytes
    std::int64_t mtime_ns = 0;  // since 1970
};

// Facts about the files that the plan's regions map, by path.  The build-id is taken from the mapped memory where the
// file's beginning is mapped, since the file may have been replaced meanwhile; else from the file.
std::unordered_map<std::string_view, FileFacts> file_facts(const Plan &plan, const ProcessMemory &memory);

// xxh3-128 of the [vdso] region, empty when the plan has none.
std::string vdso_hash(const Plan &plan, const ProcessMemory &memory);

// The flags line of /proc/cpuinfo (of the first CPU).
std::vector<std::string> cpu_flags();

}  // namespace sckpt::storage
