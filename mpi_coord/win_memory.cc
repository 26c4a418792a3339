// Memory of windows that the lower half has allocated (MPI_Win_allocate, MPI_Win_allocate_shared).
//
// A snapshot does not hold shared memory still, and members of a window must not each restore a copy of their own.  So
// at the cut the contents are copied into private memory, by one rank, and the application's mapping makes room for a
// reservation, which keeps the address free at a restart.  The lower half's mapping is no part of an image.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "mpi_coord/call.h"
#include "mpi_coord/win.h"
#include "preload/base/system.h"

namespace sckpt::mpi {
namespace {

constexpr std::uintptr_t kPage = 4096;

// The whole pages around some memory.
struct Pages {
    std::uintptr_t start, length;
    Pages(const char *memory, std::size_t bytes) {
        const auto first = reinterpret_cast<std::uintptr_t>(memory);
        start = first & ~(kPage - 1);
        length = ((first + bytes + kPage - 1) & ~(kPage - 1)) - start;
    }
};

char *map_private(std::uintptr_t where, std::uintptr_t length, int protection) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where ? MAP_FIXED : 0);
    const long got = system_call(SYS_mmap, static_cast<long>(where), static_cast<long>(length), protection, flags, -1);
    return failed(got) ? nullptr : reinterpret_cast<char *>(got);
}

// The same pages once more: mremap(2) with an old size of 0, which exists for shared mappings alone.
char *map_once_more(const Pages &pages, std::uintptr_t where) {
    const long got = system_call(SYS_mremap, static_cast<long>(pages.start), 0, static_cast<long>(pages.length),
                                 MREMAP_MAYMOVE | (where ? MREMAP_FIXED : 0), static_cast<long>(where));
    return failed(got) ? nullptr : reinterpret_cast<char *>(got);
}

// Stretches that hold nothing stay unwritten, so that they take no room: `to` is new.
void copy_used(char *to, const char *from, std::size_t bytes) {
    static const char zero[kPage] = {};
    for (std::size_t at = 0; at < bytes; at += kPage) {
        const std::size_t part = bytes - at < kPage ? bytes - at : kPage;
        if (memcmp(from + at, zero, part) != 0) memcpy(to + at, from + at, part);
    }
}

void drop_contents(WinMemory *memory) {
    if (!memory->contents) return;
    const Pages pages(memory->contents, memory->bytes);
    system_call(SYS_munmap, static_cast<long>(pages.start), static_cast<long>(pages.length));
    memory->contents = nullptr;
}

// Makes `bytes` bytes at `lower` visible at memory->upper, or anywhere when that is null.  False: it is not shared
// memory, or cannot be had there.
bool show_memory(WinMemory *memory, char *lower, std::size_t bytes) {
    memory->lower = lower;
    memory->bytes = bytes;
    memory->lent = true;
    if (bytes == 0) return true;
    const Pages pages(lower, bytes), wanted(memory->upper, bytes);
    const auto within = reinterpret_cast<std::uintptr_t>(lower) - pages.start;
    if (memory->upper && reinterpret_cast<std::uintptr_t>(memory->upper) - wanted.start != within) return false;
    char *start = map_once_more(pages, memory->upper ? wanted.start : 0);
    if (!start) return false;
    memory->upper = start + within;
    return true;
}

void hide_memory(WinMemory *memory) {
    if (!memory->upper) return;
    const Pages pages(memory->upper, memory->bytes);
    system_call(SYS_munmap, static_cast<long>(pages.start), static_cast<long>(pages.length));
    memory->upper = nullptr;
}

// When shared memory is not to be had at a restart: private memory at the same address.
void make_private(WinMemory *memory) {
    const Pages pages(memory->upper, memory->bytes);
    memory->lent = false;
    if (memory->bytes != 0) map_private(pages.start, pages.length, PROT_READ | PROT_WRITE);
}

// Makes the memory that a live window has allocated visible.  False in all members when one of them cannot.
bool show_all(const CommRecord *own, WinMemory &memory, char *start, std::size_t bytes, MPI_Win *real) {
    const bool shown = show_memory(&memory, start, bytes);
    if (!any_of(own, !shown)) return true;
    if (shown) hide_memory(&memory);
    lower.Win_free(real);
    return false;
}

// From the application's heap, the first time; where it is, at a restart.
int make_over_own(WinInfo &info, MPI_Info hints, const CommRecord *own, MPI_Win *real) {
    if (!info.made) {
        const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        const auto bytes = static_cast<size_t>(std::max<MPI_Aint>(info.size, 1));
        info.owns_memory = posix_memalign(&info.base, page, bytes) == 0;
        if (any_of(own, !info.owns_memory)) return MPI_ERR_NO_MEM;  // nobody is to be left alone in what follows
    }
    return lower.Win_create(info.base, info.size, info.unit, hints, static_cast<MPI_Comm>(own->real), real);
}

int make_shared(WinInfo &info, MPI_Info hints, const CommRecord *own, MPI_Win *real) {
    const auto comm = static_cast<MPI_Comm>(own->real);
    const auto members = static_cast<int>(own->info->world.size());
    if (members == 1) return make_over_own(info, hints, own, real);
    char *mine = nullptr, *start = nullptr, *end = nullptr;
    const int error = lower.Win_allocate_shared(info.size, info.unit, hints, comm, &mine, real);
    if (error != MPI_SUCCESS) return error;
    for (int rank = 0; rank < members; ++rank) {
        MPI_Aint size = 0;
        int unit = 0;
        char *part = nullptr;
        lower.Win_shared_query(*real, rank, &size, &unit, &part);
        if (size == 0) continue;
        start = start ? std::min(start, part) : part;
        end = std::max(end, part + size);
    }
    if (!info.memory) info.memory = std::make_unique<WinMemory>();
    if (!show_all(own, *info.memory, start, static_cast<std::size_t>(end - start), real)) return MPI_ERR_RMA_SHARED;
    if (!info.made && start && mine >= start && mine <= end) info.base = info.memory->upper + (mine - start);
    return MPI_SUCCESS;
}

// As the lower half does it, if it takes memory for that which can be mapped once more.
int make_allocated(WinInfo &info, MPI_Info hints, const CommRecord *own, MPI_Win *real) {
    if (info.made && !(info.memory && info.memory->lent)) return make_over_own(info, hints, own, real);
    char *start = nullptr;
    const int error = lower.Win_allocate(info.size, info.unit, hints, static_cast<MPI_Comm>(own->real), &start, real);
    if (error != MPI_SUCCESS) return error;
    if (!info.memory) info.memory = std::make_unique<WinMemory>();
    if (show_all(own, *info.memory, start, static_cast<std::size_t>(info.size), real)) {
        info.base = info.memory->upper;
        return MPI_SUCCESS;
    }
    info.memory->upper = static_cast<char *>(info.base);
    if (info.made)
        make_private(info.memory.get());
    else
        info.memory.reset();
    return make_over_own(info, hints, own, real);
}

}  // namespace

void release_memory(WinInfo &info) {
    if (info.owns_memory) free(info.base);
    if (info.memory) hide_memory(info.memory.get());
}

int make_live(WinInfo &info, MPI_Info hints, const CommRecord *own, MPI_Win *real) {
    const auto comm = static_cast<MPI_Comm>(own->real);
    if (info.flavor == MPI_WIN_FLAVOR_SHARED) return make_shared(info, hints, own, real);
    if (info.flavor == MPI_WIN_FLAVOR_ALLOCATE) return make_allocated(info, hints, own, real);
    if (info.flavor == MPI_WIN_FLAVOR_DYNAMIC) return lower.Win_create_dynamic(hints, comm, real);
    return lower.Win_create(info.base, info.size, info.unit, hints, comm, real);
}

std::string put_aside(WinMemory *memory, bool keep) {
    if (!memory->lent || memory->bytes == 0) return {};
    const Pages pages(memory->upper, memory->bytes);
    if (keep) {
        memory->contents = map_private(0, Pages(nullptr, memory->bytes).length, PROT_READ | PROT_WRITE);
        if (!memory->contents) return "there is no memory for a copy of the memory of a window";
        copy_used(memory->contents, memory->upper, memory->bytes);
    }
    map_private(pages.start, pages.length, PROT_NONE);
    return {};
}

void show_again(WinMemory *memory) {
    drop_contents(memory);
    if (memory->lent) show_memory(memory, memory->lower, memory->bytes);
}

void fill_memory(WinMemory *memory) {
    if (memory->contents) copy_used(memory->upper, memory->contents, memory->bytes);
    drop_contents(memory);
}

}  // namespace sckpt::mpi
