// Memory shared by the members of a window (MPI_Win_allocate_shared): a mapping of ours in each of them, of one file
// in memory that has no name any more once all have mapped it.
//
// A snapshot does not hold shared memory still, and the members must not each restore a copy of their own.  So at the
// cut rank 0 copies the contents into private memory, and in all members the mapping moves into the lower half's arena,
// which is no part of an image; in its place stays a reservation, which keeps the address free at a restart.
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "mpi_coord/call.h"
#include "mpi_coord/half.h"
#include "mpi_coord/win.h"
#include "preload/base/system.h"

namespace sckpt::mpi {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) & ~(kPage - 1); }

bool any_of(const CommRecord *comm, bool mine) {
    int own = mine, all = 1;
    lower.Allreduce(&own, &all, 1, real_of(MPI_INT), real_of(MPI_MAX), static_cast<MPI_Comm>(comm->real));
    return all != 0;
}

void *map(void *where, std::size_t bytes, int protection, int flags, int fd = -1) {
    const long got = system_call(SYS_mmap, as_long(where), static_cast<long>(bytes), protection, flags, fd, 0);
    return got < 0 && got > -4096 ? nullptr : reinterpret_cast<void *>(got);
}

void unmap(void *start, std::size_t bytes) { system_call(SYS_munmap, as_long(start), static_cast<long>(bytes)); }

bool move(void *from, void *to, std::size_t bytes) {
    return system_call(SYS_mremap, as_long(from), static_cast<long>(bytes), static_cast<long>(bytes),
                       MREMAP_MAYMOVE | MREMAP_FIXED, as_long(to)) == as_long(to);
}

void *reserve(void *where, std::size_t bytes) {
    return map(where, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where ? MAP_FIXED : 0));
}

// Memory of the lower half.
void *lower_map(std::size_t bytes) {
    using Map = void *(void *, size_t, int, int, int, off_t);
    auto *function = reinterpret_cast<Map *>(lower_symbol("mmap"));
    void *got = function(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return got == MAP_FAILED ? nullptr : got;
}

void lower_unmap(void *start, std::size_t bytes) {
    reserve(start, bytes);  // what the arena expects there
    reinterpret_cast<int (*)(void *, size_t)>(lower_symbol("munmap"))(start, bytes);
}

// Collective: the file is made by rank 0 and mapped by all, at `where` or anywhere.  Null in all when one could not.
char *map_common(const CommRecord *comm, std::size_t bytes, void *where) {
    static unsigned made = 0;
    const bool first = comm->info->rank == 0;
    char path[96] = "";
    long fd = -1;
    if (first) {
        timespec now;
        system_call(SYS_clock_gettime, CLOCK_REALTIME, as_long(&now));
        snprintf(path, sizeof path, "/dev/shm/sckpt-window.%ld.%u.%lx", sys::getpid(), made++,
                 static_cast<long>(now.tv_nsec));
        fd = sys::open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        // Not only its size: memory that turns out to be missing later would be a SIGBUS.
        if (fd >= 0 && system_call(SYS_fallocate, fd, 0, 0, static_cast<long>(bytes)) < 0) {
            sys::close(static_cast<int>(fd));
            system_call(SYS_unlink, as_long(path));
            fd = -1;
            path[0] = 0;
        }
    }
    lower.Bcast(path, sizeof path, real_of(MPI_CHAR), 0, static_cast<MPI_Comm>(comm->real));
    if (!first && path[0]) fd = sys::open(path, O_RDWR);
    void *start = nullptr;
    if (fd >= 0)
        start = map(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (where ? MAP_FIXED : 0), static_cast<int>(fd));
    const bool failed = any_of(comm, !start);
    if (fd >= 0) sys::close(static_cast<int>(fd));
    if (first && path[0]) system_call(SYS_unlink, as_long(path));
    if (!failed) return static_cast<char *>(start);
    if (start) unmap(start, bytes);
    return nullptr;
}

// Pages that hold nothing stay unwritten, so that they take no room in the image.
void copy_pages(char *to, const char *from, std::size_t bytes) {
    static const char zero[kPage] = {};
    for (std::size_t at = 0; at < bytes; at += kPage)
        if (memcmp(from + at, zero, kPage) != 0) memcpy(to + at, from + at, kPage);
}

}  // namespace

int make_shared_segment(CommRecord *comm, MPI_Aint size, int unit, bool contiguous, SharedSegment *segment) {
    const std::size_t members = comm->info->world.size();
    const MPI_Aint own[2] = {size, unit};
    std::vector<MPI_Aint> all(2 * members);
    lower.Allgather(own, 2, real_of(MPI_AINT), all.data(), 2, real_of(MPI_AINT), static_cast<MPI_Comm>(comm->real));
    MPI_Aint end = 0;
    for (std::size_t i = 0; i < members; ++i) {
        MPI_Aint bytes = all[2 * i];
        if (!contiguous) bytes = static_cast<MPI_Aint>(pages(static_cast<std::size_t>(bytes)));
        segment->parts.push_back({bytes, end, static_cast<int>(all[2 * i + 1])});
        end += bytes;
    }
    segment->bytes = pages(static_cast<std::size_t>(end) + 1);
    segment->start = map_common(comm, segment->bytes, nullptr);
    return segment->start ? MPI_SUCCESS : MPI_ERR_RMA_SHARED;
}

void drop_shared_segment(SharedSegment *segment) { unmap(segment->start, segment->bytes); }

std::string detach(SharedSegment *segment, int rank) {
    const std::size_t bytes = segment->bytes;
    if (rank == 0) {
        segment->contents =
            static_cast<char *>(map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
        if (!segment->contents) return "there is no memory for a copy of the shared memory of a window";
        copy_pages(segment->contents, segment->start, bytes);
    }
    segment->parked = lower_map(bytes);
    if (segment->parked && move(segment->start, segment->parked, bytes)) {
        reserve(segment->start, bytes);
        return {};
    }
    if (segment->parked) lower_unmap(segment->parked, bytes);
    segment->parked = nullptr;
    return "the shared memory of a window cannot be moved aside";
}

void reattach(SharedSegment *segment) {
    if (segment->contents) unmap(segment->contents, segment->bytes);
    segment->contents = nullptr;
    if (!segment->parked) return;
    move(segment->parked, segment->start, segment->bytes);
    lower_unmap(segment->parked, segment->bytes);
    segment->parked = nullptr;
}

std::string make_again(CommRecord *comm, SharedSegment *segment) {
    segment->parked = nullptr;  // went with the arena
    MPI_Comm node = nullptr;
    int together = 0;
    lower.Comm_split_type(static_cast<MPI_Comm>(comm->real), MPI_COMM_TYPE_SHARED, 0, real_of(MPI_INFO_NULL), &node);
    lower.Comm_size(node, &together);
    lower.Comm_free(&node);
    const std::size_t members = comm->info->world.size();
    if (any_of(comm, static_cast<std::size_t>(together) != members))
        return std::to_string(members) +
               " ranks share the memory of a window (MPI_Win_allocate_shared) and have to be on one node; they are not";
    if (!map_common(comm, segment->bytes, segment->start))
        return "there is no shared memory for a window of " + std::to_string(segment->bytes) + " bytes in /dev/shm";
    if (segment->contents) {
        copy_pages(segment->start, segment->contents, segment->bytes);
        unmap(segment->contents, segment->bytes);
        segment->contents = nullptr;
    }
    lower.Barrier(static_cast<MPI_Comm>(comm->real));
    return {};
}

}  // namespace sckpt::mpi
