#include "storage_hdf5/pages.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "storage_hdf5/records.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

// From <linux/fs.h> of Linux 6.7; Debian 12's headers are older than the kernels it runs on.
struct ScannedRange {
    std::uint64_t start, end, categories;
};
struct ScanArgument {
    std::uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    std::uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArgument);
constexpr std::uint64_t kIsFile = 1 << 2, kIsPresent = 1 << 3, kIsSwapped = 1 << 4, kIsZeroPage = 1 << 5;

// /proc/PID/pagemap, Documentation/admin-guide/mm/pagemap.rst.
constexpr std::uint64_t kEntryPresent = 1ULL << 63, kEntrySwapped = 1ULL << 62, kEntryFile = 1ULL << 61;

bool stored(const image::Region &region) {
    switch (region.kind) {
        case image::RegionKind::anonymous:
        case image::RegionKind::heap:
        case image::RegionKind::stack:
        case image::RegionKind::file_private:
        case image::RegionKind::anonymous_shared:
        case image::RegionKind::object_shared:
        case image::RegionKind::segment:
            return true;
        case image::RegionKind::file_shared:
            return image::written_shared(region.kind, region.protection);
        case image::RegionKind::vdso:  // the code, for a restore under another kernel; not the kernel's data
            return (region.protection & PROT_EXEC) != 0;
        case image::RegionKind::lower:
            return false;
    }
    return false;
}

void append(std::vector<PageRange> &ranges, std::uint64_t first, std::uint64_t count) {
    if (!ranges.empty() && ranges.back().first + ranges.back().count == first)
        ranges.back().count += count;
    else
        ranges.push_back({first, count});
}

}  // namespace

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) close(fd_);
}

int Descriptor::release() { return std::exchange(fd_, -1); }

std::string ProcessMemory::gone_or(int error, const std::string &what) const {
    const std::string process = "process " + std::to_string(pid_);
    if (error == ESRCH || error == ENOENT || kill(pid_, 0) != 0) return process + " ended before it was saved";
    std::string text = "cannot " + what + " of " + process + ": " + system_error(error);
    if (error == EPERM || error == EACCES)
        text += "; saving needs the right to trace the process (kernel.yama.ptrace_scope)";
    return text;
}

std::expected<ProcessMemory, std::string> ProcessMemory::open(pid_t pid) {
    ProcessMemory process;
    process.pid_ = pid;
    const std::string directory = "/proc/" + std::to_string(pid);
    process.pagemap_ = Descriptor(::open((directory + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC));
    if (!process.pagemap_) return std::unexpected(process.gone_or(errno, "open the page map"));
    process.memory_ = Descriptor(::open((directory + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    if (!process.memory_) return std::unexpected(process.gone_or(errno, "open the memory"));
    return process;
}

std::expected<std::vector<PageRange>, std::string> ProcessMemory::pages_to_store(const image::Region &region,
                                                                                 std::uint64_t file_size) const {
    using enum image::RegionKind;
    if (!stored(region) || region.attributes & image::kElsewhere) return std::vector<PageRange>{};
    if (region.kind == anonymous_shared || region.kind == segment || region.kind == vdso)
        return std::vector<PageRange>{{0, region.length / kPageSize}};
    if (region.kind == object_shared || (region.kind == file_private && region.attributes & image::kCopied)) {
        const std::uint64_t pages = readable_pages(region);
        return pages ? std::vector<PageRange>{{0, pages}} : std::vector<PageRange>{};
    }
    if (region.kind == file_shared) {
        if (file_size <= region.file_offset) return std::vector<PageRange>{};
        const std::uint64_t bytes = std::min(region.length, file_size - region.file_offset);
        return std::vector<PageRange>{{0, (bytes + kPageSize - 1) / kPageSize}};
    }
    auto ranges = scan(region);
    if (!ranges && (ranges.error() == ENOTTY || ranges.error() == EINVAL || ranges.error() == EPERM))
        ranges = walk_pagemap(region);
    if (!ranges) return std::unexpected(gone_or(ranges.error(), "list the pages at " + hex(region.start)));
    return std::move(*ranges);
}

std::expected<std::vector<PageRange>, int> ProcessMemory::scan(const image::Region &region) const {
    std::vector<PageRange> ranges;
    std::array<ScannedRange, 512> found;
    ScanArgument argument{};
    argument.size = sizeof argument;
    argument.start = region.start;
    argument.end = region.start + region.length;
    argument.vec = reinterpret_cast<std::uint64_t>(found.data());
    argument.vec_len = found.size();
    argument.category_anyof_mask = kIsPresent | kIsSwapped;
    // Of a file mapping those that are no file pages, of anonymous memory all but the shared zero page.
    argument.category_inverted = region.kind == image::RegionKind::file_private ? kIsFile : kIsZeroPage;
    argument.category_mask = argument.category_inverted;
    argument.return_mask = kIsPresent | kIsSwapped;
    for (;;) {
        const int got = ioctl(pagemap_.get(), kPagemapScan, &argument);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(errno);
        for (int i = 0; i < got; ++i) {
            const auto &range = found[static_cast<std::size_t>(i)];
            append(ranges, (range.start - region.start) / kPageSize, (range.end - range.start) / kPageSize);
        }
        // walk_end may stay short of the end although everything was looked at; a vector that did not fill up is the
        // reliable sign.
        if (static_cast<std::size_t>(got) < found.size() || argument.walk_end >= argument.end) return ranges;
        argument.start = argument.walk_end;
    }
}

std::expected<std::vector<PageRange>, int> ProcessMemory::walk_pagemap(const image::Region &region) const {
    std::vector<PageRange> ranges;
    std::vector<std::uint64_t> entries(4096);
    const std::uint64_t pages = region.length / kPageSize;
    for (std::uint64_t page = 0; page < pages;) {
        const auto wanted = std::min<std::uint64_t>(entries.size(), pages - page) * sizeof(std::uint64_t);
        const auto at = (region.start / kPageSize + page) * sizeof(std::uint64_t);
        const ssize_t got = pread(pagemap_.get(), entries.data(), wanted, static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got < static_cast<ssize_t>(sizeof(std::uint64_t))) return std::unexpected(got < 0 ? errno : ESRCH);
        const auto count = static_cast<std::uint64_t>(got) / sizeof(std::uint64_t);
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto entry = entries[i];
            const bool there = entry & (kEntryPresent | kEntrySwapped);
            const bool file_page = region.kind == image::RegionKind::file_private && (entry & kEntryFile);
            if (there && !file_page) append(ranges, page + i, 1);
        }
        page += count;
    }
    return ranges;
}

// Not process_vm_readv(2): it pins what it reads, and since Linux 5.19 the kernel gives a process a copy of its own of a
// page that is shared by copy-on-write before it is pinned.  To read a snapshot by it would double the memory.
std::expected<void, std::string> ProcessMemory::read(std::span<const Piece> pieces, std::byte *to) const {
    for (const Piece &piece : pieces) {
        const std::uint64_t end = piece.address + piece.count * kPageSize;
        for (std::uint64_t address = piece.address; address != end;) {
            const ssize_t got = pread(memory_.get(), to, end - address, static_cast<off_t>(address));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0)
                return std::unexpected(gone_or(got < 0 ? errno : ESRCH, "read the memory at " + hex(address)));
            to += got;
            address += static_cast<std::uint64_t>(got);
        }
    }
    return {};
}

std::uint64_t ProcessMemory::readable_pages(const image::Region &region) const {
    const auto there = [&](std::uint64_t page) {
        std::byte byte;
        return read_some(region.start + page * kPageSize, &byte, 1) == 1;
    };
    std::uint64_t low = 0, high = region.length / kPageSize;  // pages below `low` are there, from `high` on not
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (there(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

std::size_t ProcessMemory::read_some(std::uint64_t address, std::byte *to, std::size_t size) const {
    const ssize_t got = pread(memory_.get(), to, size, static_cast<off_t>(address));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace sckpt::storage
