// The outside view of a stopped process (the rank's snapshot, or the parked rank): which of its pages must be
// stored, and their content.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "storage_hdf5/image.h"

namespace sckpt::storage {

// An owned file descriptor.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor &&other) noexcept : fd_(other.release()) {}
    Descriptor &operator=(Descriptor &&other) noexcept;
    ~Descriptor();
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release();

  private:
    int fd_ = -1;
};

struct PageRange {
    std::uint64_t first;  // pages from the start of the region
    std::uint64_t count;  // pages
};

// A piece of the process's memory, in pages.
struct Piece {
    std::uint64_t address;  // bytes, page-aligned
    std::uint64_t count;    // pages
};

class ProcessMemory {
  public:
    // Needs the rights of ptrace(2) PTRACE_MODE_ATTACH over `pid` (Yama: see PR_SET_PTRACER in prctl(2)).
    static std::expected<ProcessMemory, std::string> open(pid_t pid);

    // Pages of `region` whose content a fresh mapping would not have, or may not have when it is restored.  anonymous,
    // heap, stack: present or swapped out, the shared zero page apart; file_private: written since they were mapped;
    // file_private with kCopied, object_shared: all that are there; segment, anonymous_shared: all, because a snapshot
    // made by clone() has no page-table entries of shared memory;
    // file_shared, writable: all that the file's `file_size` bytes reach into (mmap(2): others raise SIGBUS); other
    // kinds: none.
    std::expected<std::vector<PageRange>, std::string> pages_to_store(const image::Region &region,
                                                                      std::uint64_t file_size) const;
    // From the start of `region`, how many pages are there at all: behind the end of a file mmap(2) has none.
    std::uint64_t readable_pages(const image::Region &region) const;

    // Reads the pieces one after the other into `to` (as many bytes as they have).  Thread-safe.
    std::expected<void, std::string> read(std::span<const Piece> pieces, std::byte *to) const;
    // Reads up to `size` bytes at any address; returns how many could be read.
    std::size_t read_some(std::uint64_t address, std::byte *to, std::size_t size) const;

    // By PAGEMAP_SCAN (ioctl_pagemap_scan, Linux 6.7) and by reading /proc/PID/pagemap; pages_to_store() uses the first
    // where the kernel has it.  Ranges are sorted and merged.
    std::expected<std::vector<PageRange>, int> scan(const image::Region &region) const;
    std::expected<std::vector<PageRange>, int> walk_pagemap(const image::Region &region) const;

  private:
    std::string gone_or(int error, const std::string &what) const;

    pid_t pid_ = 0;
    Descriptor pagemap_;
    Descriptor memory_;
};

}  // namespace sckpt::storage
