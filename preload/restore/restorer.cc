// The restorer: position-independent code without libc that replaces the memory of its process by the image.
//
// It is copied, with its Order, into a range that neither the image nor the present process uses, and runs there on a
// stack of its own.  It must not refer to anything outside: no libc, no thread-local storage, no relocation (the
// linker script and the Makefile rule check), no stack protector, since the FS register changes while it runs.
// When it begins all signals are blocked, the process has one thread, rseq and the robust list are unregistered,
// and no descriptor but 0, 1, 2 and the rank file is open.  Whatever fails here ends the process with a sentence and
// status 3; the checkpoint has only been read.
#include <asm/prctl.h>
#include <errno.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <cstddef>

#include "preload/base/system.h"
#include "preload/restore/handover.h"
#include "preload/restore/order.h"

using namespace sckpt;
using namespace sckpt::restore;

static_assert(offsetof(Order, stack_top) == 0, "the entry code loads it from there");

// The compiler may call these by itself.
extern "C" void *memcpy(void *to, const void *from, std::size_t count) {
    void *result = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    return result;
}

extern "C" void *memset(void *to, int value, std::size_t count) {
    void *result = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
    return result;
}

namespace {

constexpr int kExitRefused = 3;
constexpr int kBatch = 256;  // pieces of memory per read

// One line on standard error, put together here so that it leaves in one write.
class Line {
  public:
    Line &operator<<(const char *string) {
        while (*string != 0 && used_ < sizeof buffer_) buffer_[used_++] = *string++;
        return *this;
    }
    Line &hex(unsigned long value) {
        *this << "0x";
        int shift = 60;
        while (shift > 0 && (value >> shift) == 0) shift -= 4;
        for (; shift >= 0; shift -= 4)
            put(static_cast<char>((value >> shift & 15) < 10 ? '0' + (value >> shift & 15)
                                                             : 'a' + (value >> shift & 15) - 10));
        return *this;
    }
    Line &decimal(unsigned long value) {
        unsigned long unit = 1;
        while (value / unit >= 10) unit *= 10;
        for (; unit > 0; unit /= 10) put(static_cast<char>('0' + value / unit % 10));
        return *this;
    }
    void print() {
        put('\n');
        system_call(SYS_write, 2, as_long(buffer_), static_cast<long>(used_));
    }

  private:
    void put(char character) {
        if (used_ < sizeof buffer_) buffer_[used_++] = character;
    }
    char buffer_[4608];
    unsigned long used_ = 0;
};

[[noreturn]] void refuse(const char *what, const char *name, unsigned long address, long error) {
    Line line;
    line << "sckpt-restore: error: the restorer cannot " << what << name << " at ";
    line.hex(address) << " (errno ";
    line.decimal(static_cast<unsigned long>(-error)) << "); the checkpoint is untouched";
    line.print();
    for (;;) system_call(SYS_exit_group, kExitRefused);
}

// What does not keep the program from running.
void tell(const char *what, unsigned long address, long error) {
    Line line;
    line << "sckpt-restore: warning: this node " << what << " at ";
    line.hex(address) << " (errno ";
    line.decimal(static_cast<unsigned long>(-error)) << "); the program goes on without";
    line.print();
}

void must(long result, const char *what, unsigned long address, const char *name = "") {
    if (failed(result)) refuse(what, name, address, result);
}

long move(unsigned long from, unsigned long to, unsigned long length) {
    return system_call(SYS_mremap, static_cast<long>(from), static_cast<long>(length), static_cast<long>(length),
                       MREMAP_MAYMOVE | MREMAP_FIXED, static_cast<long>(to));
}

void park_vdso(const Order &order) {
    for (unsigned i = 0; i < order.move_count; ++i) {
        must(move(order.moves[i].from, order.moves[i].parked, order.moves[i].length), "move the vdso aside",
             order.moves[i].from);
    }
}

void place_vdso(const Order &order) {
    for (unsigned i = 0; i < order.move_count; ++i) {
        must(move(order.moves[i].parked, order.moves[i].to, order.moves[i].length), "move the vdso into its place",
             order.moves[i].to);
    }
}

void drop_memory(const Order &order) {
    const unsigned long end = order.range_start + order.range_length;
    must(system_call(SYS_munmap, 0, static_cast<long>(order.range_start)), "unmap its own program", 0);
    must(system_call(SYS_munmap, static_cast<long>(end), static_cast<long>(order.address_limit - end)),
         "unmap its own program", end);
}

long open_file(const char *path, int flags, int mode = 0) {
    long descriptor;
    do {
        descriptor = sys::open(path, flags, mode);
    } while (descriptor == -EINTR);
    return descriptor;
}

// A shared mapping that may be written through later (mprotect) needs a descriptor opened for writing.  O_CREAT only
// where there is no file: fs.protected_regular (proc_sys_fs(5)) refuses it for another user's file in /tmp.
long open_shared(const char *path, bool written, bool made) {
    const long descriptor = open_file(path, O_RDWR);
    if (descriptor == -ENOENT && made) return open_file(path, O_RDWR | O_CREAT, 0600);
    return failed(descriptor) && !written ? open_file(path, O_RDONLY) : descriptor;
}

long map(const Step &step, int flags, long descriptor) {
    return system_call(SYS_mmap, static_cast<long>(step.address), static_cast<long>(step.length), step.protection,
                       flags | MAP_FIXED, descriptor, static_cast<long>(step.offset));
}

// Keeps the last file open: a library has several mappings in a row.
class Mapper {
  public:
    explicit Mapper(const Order &order) : order_(order) {}
    ~Mapper() { close(); }

    // Huge pages that there are not here become ordinary ones.
    void map_anonymous(const Step &step) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | static_cast<int>(step.flags);
        if (step.action == Action::map_stack) flags |= MAP_GROWSDOWN | MAP_STACK;
        if (step.action == Action::map_anonymous_shared) flags = MAP_SHARED | MAP_ANONYMOUS;
        long result = map(step, flags, -1);
        if (failed(result) && (flags & MAP_HUGETLB) != 0) {
            flags &= ~(MAP_HUGETLB | MAP_HUGE_MASK << MAP_HUGE_SHIFT);
            tell("has no huge pages for the memory", step.address, result);
            result = map(step, flags, -1);
        }
        if (result == -ENOMEM) result = map(step, flags | MAP_NORESERVE, -1);
        must(result, "map memory", step.address);
    }

    void map_file(const Step &step) {
        const char *path = order_.strings + step.path;
        const bool shared = step.action == Action::map_file_shared;
        const bool sized = shared && step.file_size != 0;
        const bool written = sized || (shared && (step.protection & PROT_WRITE) != 0);
        if (descriptor_ < 0 || path != path_ || shared != shared_ || (written && !written_)) {
            close();
            path_ = path;
            shared_ = shared;
            written_ = written;
            descriptor_ = shared ? open_shared(path, written, sized) : open_file(path, O_RDONLY);
            must(descriptor_, "open ", step.address, path);
            if (sized) {
                must(system_call(SYS_ftruncate, descriptor_, static_cast<long>(step.file_size)), "set the size of ",
                     step.address, path);
            }
        }
        must(map(step, (shared ? MAP_SHARED : MAP_PRIVATE) | static_cast<int>(step.flags), descriptor_), "map ",
             step.address, path);
    }

  private:
    void close() {
        if (descriptor_ >= 0) system_call(SYS_close, descriptor_);
        descriptor_ = -1;
    }

    const Order &order_;
    long descriptor_ = -1;
    const char *path_ = nullptr;
    bool shared_ = false, written_ = false;
};

bool is_zero(const unsigned long *words, unsigned long count) {
    for (unsigned long i = 0; i < count; ++i)
        if (words[i] != 0) return false;
    return true;
}

// Looks before it writes: a hole of a file mapped shared would become a block on the disk.
void clear(const Step &step) {
    constexpr unsigned long kPiece = 4096;  // bytes; divides every page size
    for (unsigned long at = step.address; at != step.address + step.length; at += kPiece) {
        if (!is_zero(reinterpret_cast<const unsigned long *>(at), kPiece / sizeof(unsigned long)))
            memset(reinterpret_cast<void *>(at), 0, kPiece);
    }
}

// Reads steps [first, ...) that follow each other in the rank file; returns how many.
unsigned long read_batch(const Order &order, const Step *first, const Step *end) {
    iovec pieces[kBatch];
    unsigned long count = 0;
    unsigned long offset = first->offset;
    for (const Step *step = first;
         step != end && count < kBatch && step->action == Action::read && step->offset == offset; ++step) {
        pieces[count].iov_base = reinterpret_cast<void *>(step->address);
        pieces[count].iov_len = step->length;
        offset += step->length;
        ++count;
    }
    offset = first->offset;
    for (unsigned long next = 0; next < count;) {
        long got = system_call(SYS_preadv, order.image, as_long(pieces + next), static_cast<long>(count - next),
                               static_cast<long>(offset), 0);
        if (got == -EINTR) continue;
        if (got == 0) got = -EIO;  // the file has become shorter
        must(got, "read pages", reinterpret_cast<unsigned long>(pieces[next].iov_base));
        offset += static_cast<unsigned long>(got);
        while (next < count && static_cast<unsigned long>(got) >= pieces[next].iov_len) {
            got -= static_cast<long>(pieces[next++].iov_len);
        }
        if (next < count) {
            pieces[next].iov_base = static_cast<char *>(pieces[next].iov_base) + got;
            pieces[next].iov_len -= static_cast<unsigned long>(got);
        }
    }
    return count;
}

void execute(const Order &order) {
    Mapper mapper(order);
    const Step *const end = order.steps + order.step_count;
    for (const Step *step = order.steps; step != end;) {
        if (step->action == Action::read) {
            step += read_batch(order, step, end);
            continue;
        }
        if (step->action == Action::map_file_private || step->action == Action::map_file_shared) {
            mapper.map_file(*step);
        } else if (step->action == Action::clear) {
            clear(*step);
        } else if (step->action == Action::advise) {
            const long result = system_call(SYS_madvise, static_cast<long>(step->address),
                                            static_cast<long>(step->length), step->flags);
            if (failed(result) && order.debug != 0) tell("cannot repeat an madvise for the memory", step->address, result);
        } else if (step->action == Action::lock) {
            const long result = system_call(SYS_mlock2, static_cast<long>(step->address),
                                            static_cast<long>(step->length), step->flags);
            if (failed(result)) tell("cannot lock the memory", step->address, result);
        } else if (step->action == Action::store) {
            *reinterpret_cast<unsigned long *>(step->address) = step->offset;
        } else if (step->action == Action::protect) {
            must(system_call(SYS_mprotect, static_cast<long>(step->address), static_cast<long>(step->length),
                             step->protection),
                 "protect memory", step->address);
        } else {
            mapper.map_anonymous(*step);
        }
        ++step;
    }
}

// Without it brk() fails and /proc shows another command line; programs run all the same.
void set_layout(const Order &order) {
    prctl_mm_map map{};
    map.start_code = order.layout.start_code;
    map.end_code = order.layout.end_code;
    map.start_data = order.layout.start_data;
    map.end_data = order.layout.end_data;
    map.start_brk = order.layout.start_brk;
    map.brk = order.layout.brk;
    map.start_stack = order.layout.start_stack;
    map.arg_start = order.layout.arg_start;
    map.arg_end = order.layout.arg_end;
    map.env_start = order.layout.env_start;
    map.env_end = order.layout.env_end;
    map.auxv = reinterpret_cast<__u64 *>(order.auxv);
    map.auxv_size = static_cast<__u32>(order.auxv_size);
    map.exe_fd = ~0u;
    const long result = system_call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, as_long(&map), sizeof map);
    if (failed(result) && order.debug != 0) {
        Line line;
        line << "sckpt-restore: debug: the kernel refuses PR_SET_MM_MAP (errno ";
        line.decimal(static_cast<unsigned long>(-result)) << "): the heap will grow by mmap";
        line.print();
    }
}

void set_thread(const Order &order) {
    must(system_call(SYS_arch_prctl, ARCH_SET_FS, static_cast<long>(order.fs_base)), "set the FS base", order.fs_base);
    if (order.gs_base != 0) {
        must(system_call(SYS_arch_prctl, ARCH_SET_GS, static_cast<long>(order.gs_base)), "set the GS base",
             order.gs_base);
    }
}

void hand_over(const Order &order) {
    auto *handover = reinterpret_cast<Handover *>(order.handover);
    handover->restorer_start = order.range_start;
    handover->restorer_length = order.range_length;
    handover->environment = order.environment;
    handover->environment_length = order.environment_length;
    handover->generation = order.generation;
    handover->started_ns = order.started_ns;
    handover->restored = 1;
}

[[noreturn]] void jump(const image::Context &context) {
    asm volatile(
        "cld\n\t"
        "ldmxcsr 64(%0)\n\t"
        "fninit\n\t"
        "fldcw 68(%0)\n\t"
        "movq 0(%0), %%rbx\n\t"
        "movq 8(%0), %%rbp\n\t"
        "movq 16(%0), %%r12\n\t"
        "movq 24(%0), %%r13\n\t"
        "movq 32(%0), %%r14\n\t"
        "movq 40(%0), %%r15\n\t"
        "movq 56(%0), %%rcx\n\t"
        "movq 48(%0), %%rsp\n\t"
        "movl $1, %%eax\n\t"
        "jmp *%%rcx"
        :
        : "d"(&context)
        : "memory");
    __builtin_unreachable();
}

}  // namespace

extern "C" [[noreturn]] __attribute__((used)) void sckpt_restorer(const Order &order) {
    park_vdso(order);
    drop_memory(order);
    execute(order);
    place_vdso(order);
    set_layout(order);
    set_thread(order);
    must(system_call(SYS_close, order.image), "close the rank file", 0);
    hand_over(order);
    jump(order.resume);
}

// First in the flat binary: rdi points to the Order, whose first word is the top of the stack to use.
asm(".section .text.entry, \"ax\"\n"
    ".globl sckpt_restorer_entry\n"
    "sckpt_restorer_entry:\n"
    "  movq (%rdi), %rsp\n"
    "  xorl %ebp, %ebp\n"
    "  call sckpt_restorer\n"
    "  ud2\n"
    ".previous\n");
