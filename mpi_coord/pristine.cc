// Pristine copies and the reset to them.
//
// A module's TLS needs care: dlpi_tls_data is null for static-TLS modules whose slot this thread never touched (the
// lower libc itself is one), so the distance from the thread pointer is noted once, through __tls_get_addr; dynamic
// modules are found in the thread's own vector, and those it never touched need no reset.  Resetting takes no lock and
// allocates nothing: it runs in re-created threads that may hold malloc's and ld.so's locks.
#include "mpi_coord/pristine.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include <string_view>
#include <vector>

#include "mpi_coord/lower/abi.h"
#include "preload/base/log.h"
#include "preload/base/system.h"

extern "C" void *__tls_get_addr(void *);

namespace sckpt::mpi {
namespace {

struct ThreadLocal {
    std::uint64_t module;
    const char *image;  // initial contents
    std::uint64_t image_size, size;
    std::uint64_t below_thread_pointer;  // bytes; 0 for dynamic TLS
};

std::vector<Segment> segments;
std::vector<ThreadLocal> thread_locals;
char *arena_copy;
std::uint64_t arena_copied;  // bytes of header and heap
char *kept_copy;
std::uint64_t kept_copied;   // bytes

constexpr std::uint64_t kKeptStart = SCKPT_ARENA + SCKPT_ARENA_HEADER + SCKPT_ARENA_HEAP - SCKPT_ARENA_KEPT;
constexpr std::uint64_t kPageMask = ~std::uint64_t{4095};

sckpt_arena *arena() { return reinterpret_cast<sckpt_arena *>(SCKPT_ARENA); }

char *map_copy(std::uint64_t size) {
    const long address = system_call(SYS_mmap, 0, static_cast<long>(size), PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(address)) die("cannot map %lu bytes for the pristine copy", size);
    return reinterpret_cast<char *>(address);
}

char *thread_pointer() {
    char *pointer;
    asm("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

// ld.so belongs to both halves, and the root library holds nothing that a reset must undo.
bool left_alone(std::string_view name) {
    return name.find("ld-linux") != name.npos || name.find("libsckpt_lower.so") != name.npos ||
           name.find("linux-vdso") != name.npos;
}

void add_segment(std::uint64_t start, std::uint64_t end) {
    if (end <= start) return;
    for (const Segment &known : segments)
        if (known.start == reinterpret_cast<char *>(start)) return;
    Segment segment{reinterpret_cast<char *>(start), end - start, map_copy(end - start)};
    memcpy(segment.copy, segment.start, segment.size);
    segments.push_back(segment);
}

void add_thread_local(const dl_phdr_info &info, const ElfW(Phdr) & header) {
    for (const ThreadLocal &known : thread_locals)
        if (known.module == info.dlpi_tls_modid) return;
    std::uint64_t index[2] = {info.dlpi_tls_modid, 0};
    const char *block = static_cast<char *>(__tls_get_addr(index));
    const auto distance = static_cast<std::int64_t>(thread_pointer() - block);
    constexpr std::int64_t kLargestStatic = 65536;
    thread_locals.push_back({info.dlpi_tls_modid, reinterpret_cast<char *>(info.dlpi_addr + header.p_vaddr),
                             header.p_filesz, header.p_memsz,
                             distance > 0 && distance < kLargestStatic ? static_cast<std::uint64_t>(distance) : 0});
}

int visit_library(dl_phdr_info *info, size_t, void *added) {
    if (left_alone(info->dlpi_name)) return 0;
    std::uint64_t relro_start = 0, relro_end = 0;
    for (int i = 0; i < info->dlpi_phnum; ++i)
        if (const auto &header = info->dlpi_phdr[i]; header.p_type == PT_GNU_RELRO) {
            relro_start = (info->dlpi_addr + header.p_vaddr) & kPageMask;
            relro_end = (info->dlpi_addr + header.p_vaddr + header.p_memsz) & kPageMask;
        }
    const size_t before = segments.size();
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto &header = info->dlpi_phdr[i];
        if (header.p_type == PT_TLS && info->dlpi_tls_modid) add_thread_local(*info, header);
        if (header.p_type != PT_LOAD || !(header.p_flags & PF_W)) continue;
        std::uint64_t start = (info->dlpi_addr + header.p_vaddr) & kPageMask;
        const std::uint64_t end = (info->dlpi_addr + header.p_vaddr + header.p_memsz + 4095) & kPageMask;
        if (relro_end > relro_start && relro_start <= start && relro_end > start) start = relro_end;
        add_segment(start, end);
    }
    *static_cast<int *>(added) += segments.size() > before;
    return 0;
}

void extend_kept_copy() {
    if (!arena()->kept_next) return;
    const std::uint64_t used = arena()->kept_next - kKeptStart;
    if (used <= kept_copied) return;
    if (!kept_copy) kept_copy = map_copy(SCKPT_ARENA_KEPT);
    memcpy(kept_copy + kept_copied, reinterpret_cast<char *>(kKeptStart + kept_copied), used - kept_copied);
    kept_copied = used;
}

}  // namespace

int extend_pristine() {
    int added = 0;
    static auto iterate = reinterpret_cast<decltype(&sckpt_lower_iterate)>(lower_symbol("sckpt_lower_iterate"));
    iterate(visit_library, &added);
    extend_kept_copy();
    return added;
}

void freeze_pristine_arena() {
    arena_copied = arena()->heap_next - SCKPT_ARENA;
    arena_copy = map_copy(arena_copied);
    memcpy(arena_copy, reinterpret_cast<char *>(SCKPT_ARENA), arena_copied);
    arena()->kept_next = kKeptStart;
}

std::span<const Segment> lower_segments() { return segments; }

void reset_lower_memory() {
    system_call(SYS_mmap, SCKPT_ARENA, SCKPT_ARENA_SIZE, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    prepare_arena();
    const auto *saved = reinterpret_cast<sckpt_arena *>(arena_copy);
    const std::uint64_t heap_start = SCKPT_ARENA + SCKPT_ARENA_HEADER;
    system_call(SYS_mprotect, static_cast<long>(heap_start), static_cast<long>(saved->heap_committed - heap_start),
                PROT_READ | PROT_WRITE);
    memcpy(reinterpret_cast<char *>(SCKPT_ARENA), arena_copy, arena_copied);
    arena()->kept_next = kKeptStart + kept_copied;
    if (kept_copy) memcpy(reinterpret_cast<char *>(kKeptStart), kept_copy, kept_copied);
    for (const Segment &segment : segments) memcpy(segment.start, segment.copy, segment.size);
}

void reset_lower_thread() {
    char *pointer = thread_pointer();
    struct Slot {
        char *block;
        void *to_free;
    };
    const Slot *vector = *reinterpret_cast<Slot **>(pointer + 8);
    const auto slots = *reinterpret_cast<const std::uint64_t *>(vector - 1);
    for (const ThreadLocal &module : thread_locals) {
        char *block;
        if (module.below_thread_pointer) {
            block = pointer - module.below_thread_pointer;
        } else {
            if (module.module > slots) continue;
            block = vector[module.module].block;
            if (!block || block == reinterpret_cast<char *>(-1)) continue;
        }
        memcpy(block, module.image, module.image_size);
        memset(block + module.image_size, 0, module.size - module.image_size);
    }
    start_lower_thread();
}

}  // namespace sckpt::mpi
