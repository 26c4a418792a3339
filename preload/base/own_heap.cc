#include "preload/base/own_heap.h"

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <new>

#include "preload/base/log.h"
#include "preload/base/system.h"

namespace sckpt {
namespace {

// Size classes: four steps in each power of two, from 32 bytes to kLargest; larger blocks get mappings of their own.
constexpr std::size_t kHeader = 16;
constexpr std::size_t kLargest = 256 << 10;
constexpr std::size_t kChunk = 1 << 20;
constexpr int kClasses = 64;

struct Block {
    std::uint64_t size;   // of the whole block, header included
    std::uint64_t index;  // size class, kClasses for a mapping of its own
};
static_assert(sizeof(Block) == kHeader);

struct Free {
    Free *next;
};

std::atomic<int> lock;
Free *free_lists[kClasses];
char *chunk_next, *chunk_end;
std::atomic<std::size_t> bytes_from_system;

struct Locked {
    Locked() {
        while (lock.exchange(1, std::memory_order_acquire)) sys::yield();
    }
    ~Locked() { lock.store(0, std::memory_order_release); }
};

struct Class {
    int index;
    std::size_t size;
};

Class class_of(std::size_t size) {
    if (size <= 32) return {0, 32};
    const int power = std::bit_width(size - 1) - 1;
    const std::size_t base = std::size_t{1} << power, step = base / 4;
    const std::size_t steps = (size - 1 - base) / step + 1;
    return {(power - 5) * 4 + static_cast<int>(steps), base + step * steps};
}

// Where the kernel maps no more (vm.max_map_count, limits), a program runs on that lives with what it has: our records
// then come from here, which costs nothing until it is touched.
constexpr std::size_t kSpare = 8 << 20;
alignas(4096) char spare[kSpare];
std::atomic<std::size_t> spare_used;

bool is_spare(const void *memory) { return memory >= spare && memory < spare + kSpare; }

char *map(std::size_t size) {
    const long address =
        system_call(SYS_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!failed(address)) {
        bytes_from_system += size;
        return reinterpret_cast<char *>(address);
    }
    const std::size_t at = spare_used.fetch_add(size);
    if (at + size > kSpare) die("cannot map %zu bytes for checkpoint records: error %ld", size, -address);
    return spare + at;
}

// Of spare memory only what was taken last comes back.
void unmap(void *memory, std::size_t size) {
    if (is_spare(memory)) {
        std::size_t end = static_cast<std::size_t>(static_cast<char *>(memory) - spare) + size;
        spare_used.compare_exchange_strong(end, end - size);
        return;
    }
    bytes_from_system -= size;
    system_call(SYS_munmap, as_long(memory), static_cast<long>(size));
}

}  // namespace

void *own_allocate(std::size_t size) {
    const std::size_t whole = size + kHeader;
    if (whole > kLargest) {
        const std::size_t mapped = (whole + 4095) & ~std::size_t{4095};
        auto *block = reinterpret_cast<Block *>(map(mapped));
        *block = {mapped, kClasses};
        return block + 1;
    }
    const Class wanted = class_of(whole);
    Locked locked;
    Block *block;
    if (Free *reused = free_lists[wanted.index]) {
        free_lists[wanted.index] = reused->next;
        block = reinterpret_cast<Block *>(reused) - 1;
    } else {
        if (static_cast<std::size_t>(chunk_end - chunk_next) < wanted.size) {
            chunk_next = map(kChunk);
            chunk_end = chunk_next + kChunk;
        }
        block = reinterpret_cast<Block *>(chunk_next);
        chunk_next += wanted.size;
    }
    *block = {wanted.size, static_cast<std::uint64_t>(wanted.index)};
    return block + 1;
}

void own_free(void *memory) noexcept {
    if (!memory) return;
    Block *block = static_cast<Block *>(memory) - 1;
    if (block->index == kClasses) return unmap(block, block->size);
    Locked locked;
    auto *freed = static_cast<Free *>(memory);
    freed->next = free_lists[block->index];
    free_lists[block->index] = freed;
}

void own_reserve(std::size_t size) {
    Locked locked;
    if (static_cast<std::size_t>(chunk_end - chunk_next) >= size) return;
    chunk_next = map(kChunk);
    chunk_end = chunk_next + kChunk;
}

bool own_room(std::size_t size) {
    const auto length = static_cast<long>(size);
    const long address = system_call(SYS_mmap, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (failed(address)) return false;
    system_call(SYS_munmap, address, length);
    return true;
}

std::size_t own_heap_bytes() { return bytes_from_system; }

}  // namespace sckpt

void *operator new(std::size_t size) { return sckpt::own_allocate(size); }
void *operator new[](std::size_t size) { return sckpt::own_allocate(size); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return sckpt::own_allocate(size); }
void operator delete(void *memory) noexcept { sckpt::own_free(memory); }
void operator delete[](void *memory) noexcept { sckpt::own_free(memory); }
void operator delete(void *memory, std::size_t) noexcept { sckpt::own_free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { sckpt::own_free(memory); }
