// malloc and mmap of the lower half: everything it allocates lies in the arena, so that what belongs to it is a
// question of address and a reset drops it at once.  As the root of its namespace this library interposes for the
// lower libc and all libraries in it.  Runs before its own relocation is complete in the eyes of constructors of
// libmpi: no static constructors, no calls into libc.
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "mpi_coord/lower/arena.h"

namespace sckpt::lower {

// Set while a library loads after the snapshot: what its constructors allocate must survive a reset.
thread_local int loading [[gnu::tls_model("initial-exec")]] = 0;

namespace {

struct Header {
    uint64_t index;  // size class
    uint64_t size;   // whole block; for memalign: distance from the block's start, with kMoved in `index`
};
constexpr uint64_t kMoved = ~uint64_t{0};
constexpr uint64_t kCommitStep = 4UL << 20;
constexpr uint64_t kHeapStart = SCKPT_ARENA + SCKPT_ARENA_HEADER;
constexpr uint64_t kHeapEnd = kHeapStart + SCKPT_ARENA_HEAP - SCKPT_ARENA_KEPT;
constexpr uint64_t kKeptEnd = kHeapStart + SCKPT_ARENA_HEAP;
constexpr uint64_t kMapStart = kKeptEnd;
constexpr uint64_t kMapEnd = SCKPT_ARENA + SCKPT_ARENA_SIZE;

uint64_t pages(uint64_t size) { return (size + 4095) & ~uint64_t{4095}; }

struct Class {
    int index;
    uint64_t size;
};

// Four steps in each power of two, from 32 bytes.
Class class_of(uint64_t size) {
    if (size <= 32) return {0, 32};
    const int power = 63 - __builtin_clzl(size - 1);
    const uint64_t base = uint64_t{1} << power, step = base / 4;
    const uint64_t steps = (size - 1 - base) / step + 1;
    return {(power - 5) * 4 + static_cast<int>(steps), (base + step * steps + 15) & ~uint64_t{15}};
}

bool in_heap(const void *memory) {
    const auto address = reinterpret_cast<uint64_t>(memory);
    return address >= kHeapStart && address < kKeptEnd;
}
bool in_maps(const void *memory) {
    const auto address = reinterpret_cast<uint64_t>(memory);
    return address >= kMapStart && address < kMapEnd;
}

Header *header_of(void *memory) {
    Header *header = static_cast<Header *>(memory) - 1;
    if (header->index == kMoved) header = reinterpret_cast<Header *>(reinterpret_cast<char *>(header) - header->size);
    return header;
}

// Takes `size` bytes at *next, making pages usable in steps: a reservation of gigabytes is not counted as committed.
char *advance(uint64_t *next, uint64_t *committed, uint64_t end, uint64_t size) {
    if (size > end - *next) return nullptr;
    if (*next + size > *committed) {
        uint64_t upto = (*next + size + kCommitStep - 1) & ~(kCommitStep - 1);
        if (upto > end) upto = end;
        if (system_call(SYS_mprotect, static_cast<long>(*committed), static_cast<long>(upto - *committed),
                        PROT_READ | PROT_WRITE) < 0)
            return nullptr;
        *committed = upto;
    }
    char *block = reinterpret_cast<char *>(*next);
    *next += size;
    return block;
}

void *allocate(uint64_t size) {
    if (size > SCKPT_ARENA_HEAP / 2) {
        errno = ENOMEM;
        return nullptr;
    }
    const Class wanted = class_of(size + sizeof(Header));
    char *block;
    {
        Locked locked;
        if (loading && arena()->kept_next) {
            static uint64_t kept_committed = kKeptEnd;  // the kept part is committed as a whole at the start
            block = advance(&arena()->kept_next, &kept_committed, kKeptEnd, wanted.size);
        } else if (void *reused = arena()->free_lists[wanted.index]) {
            block = static_cast<char *>(reused) - sizeof(Header);
            arena()->free_lists[wanted.index] = *static_cast<void **>(reused);
        } else {
            block = advance(&arena()->heap_next, &arena()->heap_committed, kHeapEnd, wanted.size);
        }
    }
    if (!block) {
        errno = ENOMEM;
        return nullptr;
    }
    *reinterpret_cast<Header *>(block) = {static_cast<uint64_t>(wanted.index), wanted.size};
    return block + sizeof(Header);
}

uint64_t usable_size(void *memory) {
    Header *header = header_of(memory);
    return static_cast<uint64_t>(reinterpret_cast<char *>(header) + header->size - static_cast<char *>(memory));
}

void *aligned(uint64_t alignment, uint64_t size) {
    if (alignment <= 16) return allocate(size);
    if (alignment > (1UL << 30) || size > SCKPT_ARENA_HEAP / 2) {
        errno = ENOMEM;
        return nullptr;
    }
    char *memory = static_cast<char *>(allocate(size + alignment));
    if (!memory) return nullptr;
    auto address = (reinterpret_cast<uint64_t>(memory) + alignment - 1) & ~(alignment - 1);
    if (address == reinterpret_cast<uint64_t>(memory)) return memory;
    char *moved = reinterpret_cast<char *>(address);
    reinterpret_cast<Header *>(moved)[-1] = {kMoved, static_cast<uint64_t>(moved - memory)};
    return moved;
}

uint64_t take_range(uint64_t length) {
    length = pages(length);
    Locked locked;
    for (uint32_t i = 0; i < arena()->free_range_count; ++i) {
        sckpt_free_range &range = arena()->free_ranges[i];
        if (range.length < length) continue;
        const uint64_t start = range.start;
        range.start += length;
        range.length -= length;
        if (range.length == 0) range = arena()->free_ranges[--arena()->free_range_count];
        return start;
    }
    constexpr uint64_t kHuge = 2UL << 20;
    if (length >= kHuge) arena()->map_next = (arena()->map_next + kHuge - 1) & ~(kHuge - 1);
    if (length > kMapEnd - arena()->map_next) return 0;
    const uint64_t start = arena()->map_next;
    arena()->map_next += length;
    return start;
}

void give_range(uint64_t start, uint64_t length) {
    Locked locked;
    if (arena()->free_range_count < sizeof arena()->free_ranges / sizeof arena()->free_ranges[0])
        arena()->free_ranges[arena()->free_range_count++] = {start, pages(length)};
}

void reserve_again(uint64_t start, uint64_t length) {
    system_call(SYS_mmap, static_cast<long>(start), static_cast<long>(pages(length)), PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void *map_result(long result) {
    if (result < 0 && result > -4096) {
        errno = static_cast<int>(-result);
        return MAP_FAILED;
    }
    return reinterpret_cast<void *>(result);
}

}  // namespace
}  // namespace sckpt::lower

using namespace sckpt::lower;
using sckpt::as_long;
using sckpt::system_call;

extern "C" {

void *malloc(size_t size) { return allocate(size); }

void free(void *memory) {
    if (!memory) return;
    if (!in_heap(memory)) {
        arena()->services.free_foreign(memory);
        return;
    }
    Header *header = header_of(memory);
    if (reinterpret_cast<uint64_t>(header) >= kHeapEnd) return;  // of a constructor: lives as long as its library
    void *freed = header + 1;
    Locked locked;
    *static_cast<void **>(freed) = arena()->free_lists[header->index];
    arena()->free_lists[header->index] = freed;
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    void *memory = allocate(bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

void *realloc(void *memory, size_t size) {
    if (!memory) return allocate(size);
    if (size == 0) {
        free(memory);
        return nullptr;
    }
    // Foreign memory has a size that only its owner knows; no library of the lower half grows such a block.
    const uint64_t usable = in_heap(memory) ? usable_size(memory) : 0;
    if (usable >= size) return memory;
    void *grown = allocate(size);
    if (!grown) return nullptr;
    memcpy(grown, memory, usable ? usable : size);
    free(memory);
    return grown;
}

void *reallocarray(void *memory, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    return realloc(memory, bytes);
}

size_t malloc_usable_size(void *memory) { return memory && in_heap(memory) ? usable_size(memory) : 0; }
void *memalign(size_t alignment, size_t size) { return aligned(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return aligned(alignment, size); }
void *valloc(size_t size) { return aligned(4096, size); }
void *pvalloc(size_t size) { return aligned(4096, pages(size)); }
int posix_memalign(void **result, size_t alignment, size_t size) {
    void *memory = aligned(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        return map_result(system_call(SYS_mmap, as_long(address), static_cast<long>(length), protection, flags, fd,
                                      static_cast<long>(offset)));
    const uint64_t start = take_range(length);
    if (!start) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    const long result = system_call(SYS_mmap, static_cast<long>(start), static_cast<long>(length), protection,
                                    flags | MAP_FIXED, fd, static_cast<long>(offset));
    if (result < 0) give_range(start, length);
    return map_result(result);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length) {
    if (in_maps(address)) {
        reserve_again(reinterpret_cast<uint64_t>(address), length);
        give_range(reinterpret_cast<uint64_t>(address), length);
        return 0;
    }
    const long result = system_call(SYS_munmap, as_long(address), static_cast<long>(length));
    if (result < 0) errno = static_cast<int>(-result);
    return result < 0 ? -1 : 0;
}

void *mremap(void *old_address, size_t old_length, size_t new_length, int flags, ...) noexcept {
    if (!in_maps(old_address)) {
        va_list arguments;
        va_start(arguments, flags);
        void *target = va_arg(arguments, void *);
        va_end(arguments);
        return map_result(system_call(SYS_mremap, as_long(old_address), static_cast<long>(old_length),
                                      static_cast<long>(new_length), flags, as_long(target)));
    }
    if (pages(new_length) <= pages(old_length)) return old_address;
    const uint64_t start = take_range(new_length);
    if (!start) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    const long result =
        system_call(SYS_mremap, as_long(old_address), static_cast<long>(old_length), static_cast<long>(new_length),
                    MREMAP_MAYMOVE | MREMAP_FIXED, static_cast<long>(start));
    if (result < 0) return map_result(result);
    reserve_again(reinterpret_cast<uint64_t>(old_address), old_length);
    give_range(reinterpret_cast<uint64_t>(old_address), old_length);
    return reinterpret_cast<void *>(start);
}

void *shmat(int id, const void *address, int flags) {
    if (address) return map_result(system_call(SYS_shmat, id, as_long(address), flags));
    shmid_ds state{};
    const long asked = system_call(SYS_shmctl, id, IPC_STAT, as_long(&state));
    if (asked < 0) return map_result(asked);
    const uint64_t start = take_range(state.shm_segsz);
    if (!start) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return map_result(system_call(SYS_shmat, id, static_cast<long>(start), flags | SHM_REMAP));
}

}  // extern "C"
