// What a stopped rank hands over to sckpt-writer, and what comes back from an image: plain structs, no pointers.
//
// The rank fills one memfd ("the plan") without allocating: a Header, then the sections it names, each an array of
// one kind of record.  Strings live in the section `strings` and are referred to by Ref.  The writer adds what can
// be found out from outside (present pages, build-ids, hashes) and turns every section into a named, typed HDF5
// table.  Raise kVersion whenever a record changes: plan and image carry it, and readers refuse another one.
#pragma once

#include <sys/mman.h>

#include <cstdint>

namespace sckpt::image {

inline constexpr std::uint64_t kMagic = 0x4e414c5054504b43;  // "CKPTPLAN", little endian
inline constexpr std::uint32_t kVersion = 4;

// A string of the plan: bytes [offset, offset + length) of the section `strings`, no terminator.
struct Ref {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

enum class Table : std::uint32_t {
    strings,          // char
    process,          // Process, exactly one row
    regions,          // Region, by ascending address
    files,            // File, one row per open descriptor of the application, of every kind
    pipes,            // Pipe, one row per pipe or fifo
    sockets,          // Socket
    descriptors,      // Descriptor: the state of eventfd, timerfd, signalfd, epoll, inotify, terminals and memory
    file_locks,       // FileLock
    threads,          // Thread, the first row is the main thread unless that has ended (Process::main_ended)
    signals,          // Signal, one row per signal with an action other than the default
    interval_timers,  // IntervalTimer (setitimer)
    posix_timers,     // PosixTimer (timer_create)
    communicators,    // Communicator
    mpi_objects,      // MpiObject: datatypes, operations, groups, error handlers, infos, attributes keys
    requests,         // Request: what was pending at the cut
    messages,         // Message: drained from the network, not yet received by the application
    count
};

struct Section {
    std::uint32_t record_size = 0;  // bytes; must equal sizeof of the record named above
    std::uint32_t reserved = 0;
    std::uint64_t offset = 0;       // bytes from the start of the plan, 8-aligned
    std::uint64_t count = 0;        // records
};

struct Header {
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    std::uint32_t section_count = static_cast<std::uint32_t>(Table::count);
    std::uint64_t size = 0;  // bytes of the whole plan
    Section sections[static_cast<std::uint32_t>(Table::count)];
};

// Registers with which the restored rank continues: a call to save_context() that returns a second time, with 1.
struct Context {
    std::uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
    std::uint32_t mxcsr;
    std::uint16_t x87_control;
    std::uint16_t reserved;
};

struct Process {
    std::uint32_t rank;
    std::uint32_t world_size;
    std::uint32_t generation;
    std::uint32_t incarnation;
    std::int32_t pid;
    std::uint32_t page_size;      // bytes
    std::uint32_t umask;
    std::uint32_t thread_level;   // MPI_THREAD_SINGLE .. MULTIPLE, as provided
    std::uint32_t main_ended;     // 1: the main thread has ended by pthread_exit(3), others go on
    std::uint32_t reserved;
    std::int64_t cut_time_ns;     // CLOCK_REALTIME at the cut
    std::int64_t monotonic_ns;    // CLOCK_MONOTONIC as the application saw it at the cut
    Ref host;
    Ref executable;               // absolute path
    Ref arguments;                // argv, each with its terminating NUL
    Ref environment;              // as the application sees it, each with its NUL
    Ref directory;                // working directory
    Ref cluster;
    Ref job;                      // "<jobid>.<stepid>", empty outside Slurm
    Ref user;
    Ref cause;                    // why this checkpoint was taken: interval, preempt, create, call ...
    std::uint64_t fs_base, gs_base;
    Context resume;
    std::uint64_t handover;       // address of a sckpt::restore::Handover inside the image
    // /proc/self/stat and brk(): for PR_SET_MM_MAP
    std::uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end;
    std::uint64_t auxv, auxv_size;  // address of a copy of the auxiliary vector (getauxval(3)), bytes
};

enum class RegionKind : std::uint32_t {
    anonymous,         // private, no file
    heap,              // [heap]
    stack,             // [stack], grows down
    file_private,      // MAP_PRIVATE of a file: only pages written since are stored
    file_shared,       // MAP_SHARED of a file: stored where it is writable (see written_shared()), else only mapped again
    anonymous_shared,  // MAP_SHARED without a name: stored whole
    vdso,              // [vdso], [vvar], [vvar_vclock]: moved; the code of [vdso] is stored for other kernels
    lower,             // writable data of the lower half: mapped again from its file, contents not stored
    object_shared,     // MAP_SHARED of what has no name (memfd, a deleted file, anonymous memory mapped twice): stored
                       // whole, made again as one object for all mappings of its device and inode
    segment,           // System V shared memory: the same, attached again
};

// How a region differs from a plain mapping of its kind: what madvise(2), mlock(2) and mmap(2) were told.
enum Attribute : std::uint32_t {
    kLocked = 1 << 0,         // mlock
    kLockedOnFault = 1 << 1,  // mlock2(MLOCK_ONFAULT), with kLocked
    kNoReserve = 1 << 2,      // MAP_NORESERVE
    kGrowsDown = 1 << 3,      // MAP_GROWSDOWN
    kHuge = 1 << 4,           // MADV_HUGEPAGE
    kNoHuge = 1 << 5,         // MADV_NOHUGEPAGE
    kDontFork = 1 << 6,       // MADV_DONTFORK
    kWipeOnFork = 1 << 7,     // MADV_WIPEONFORK
    kDontDump = 1 << 8,       // MADV_DONTDUMP
    kMergeable = 1 << 9,      // MADV_MERGEABLE
    kSequential = 1 << 10,    // MADV_SEQUENTIAL
    kRandom = 1 << 11,        // MADV_RANDOM
    kHugeTlb = 1 << 12,       // MAP_HUGETLB, with page_kib
    kCopied = 1 << 13,        // of a private mapping of a file: stored whole, comes back from the image as plain memory
    kElsewhere = 1 << 14,     // shared between ranks of a node, and stored by another one
};

// Is this a mapping through which the program writes a file?  What such a mapping shows must be what it showed at the
// cut, also if the file was written since.  So the pages within the file's size are stored (a page of zeros as a zero
// run: the file may hold something else by then), and a restore gives the file back its size and these contents.  When
// several ranks map one file, each stores and restores what it maps.  On one node they see the same pages and were all
// stopped, so whoever comes last writes what is there already; none of them runs on before all are back in MPI_Init.
constexpr bool written_shared(RegionKind kind, std::uint32_t protection) {
    return kind == RegionKind::file_shared && (protection & PROT_WRITE) != 0;
}

struct Region {
    std::uint64_t start;   // bytes, page-aligned
    std::uint64_t length;  // bytes
    std::uint32_t protection;  // PROT_*
    RegionKind kind;
    std::uint32_t attributes;  // Attribute bits
    std::uint32_t page_kib;    // of kHugeTlb: size of its pages, KiB; else 0
    std::uint64_t file_offset;
    std::uint64_t device, inode;
    Ref path;              // of the file, or the kernel's [name]
};

struct File {
    std::int32_t descriptor;
    std::int32_t shares_with;    // lowest descriptor with the same open file description, else -1
    std::uint32_t flags;         // O_* as open() takes them
    std::uint32_t close_on_exec;
    std::uint32_t mode;          // st_mode
    std::uint32_t thread;        // id of the thread that opened it, 0 when unknown
    std::int64_t offset;         // bytes, at the cut
    std::int64_t size;           // bytes, at the cut: output beyond it is cut back at restore
    std::uint64_t device, inode;
    std::int64_t modified_ns;    // time of modification at the cut, nanoseconds since 1970
    std::uint64_t fingerprint;   // of a file that is open for reading only (base/fingerprint.h), else 0
    Ref path;
    Ref kind;                    // regular, directory, socket ...
};

struct Pipe {
    std::int32_t descriptor;
    std::int32_t capacity;  // bytes
    std::int32_t thread;    // id of the thread that made it, 0 when unknown
    std::int32_t reserved;
    std::int64_t unread;    // bytes, kept at the lowest descriptor that reads
};

struct Socket {
    std::int32_t descriptor;
    std::int32_t pair;     // descriptor at the other end, -1 when it is not in this process
    std::int32_t backlog;  // connections, of one that listens
    std::int32_t messages; // unread, 1 for a stream
    std::int32_t thread;   // id of the thread that made it, 0 when unknown
    std::int32_t reserved;
    std::int64_t unread;   // bytes
    Ref family, type;
    Ref state;             // listening, connected, ...
    Ref here, peer;        // addresses, empty when there is none
};

struct Descriptor {
    std::int32_t descriptor;
    std::int32_t thread;  // id of the thread that made it, 0 when unknown
    Ref kind;
    Ref state;            // in words
};

struct FileLock {
    std::int32_t descriptor;
    std::int32_t exclusive;  // boolean
    std::int64_t start;      // bytes
    std::int64_t length;     // bytes, 0: to the end
    Ref kind;                // fcntl, description, flock
};

struct Thread {
    std::int32_t id;       // the id that the program knows
    std::uint32_t detached;
    std::uint64_t pthread; // pthread_t
    std::uint64_t stack;   // stack pointer at the cut
    std::uint64_t signal_mask;
    Ref name;
};

struct Signal {
    std::int32_t number;
    std::uint32_t flags;   // SA_*
    std::uint64_t handler; // address, 0 SIG_DFL, 1 SIG_IGN
    std::uint64_t mask;
};

struct IntervalTimer {
    std::int32_t which;    // ITIMER_*
    std::int32_t thread;   // that armed it
    std::int64_t value_us, interval_us;
};

struct PosixTimer {
    std::int32_t id;       // kernel id, as the program's timer_t holds it
    std::int32_t clock;
    std::int32_t notify;   // SIGEV_*
    std::int32_t signal;
    std::int32_t thread;   // of SIGEV_THREAD_ID, else of the creator
    std::int32_t overrun;
    std::int64_t value_ns, interval_ns;
};

struct Communicator {
    std::uint64_t id;      // the same on all members
    std::int32_t size, rank;
    std::uint64_t collectives;  // entered by this rank up to the cut
    Ref name;
    Ref constructor;       // MPI function that made it
    Ref members;           // world ranks as text, ranges compressed: "0-3,8"
};

struct MpiObject {
    Ref kind;              // datatype, operation, group, errhandler, info, keyval
    Ref constructor;
    Ref description;
};

struct Request {
    Ref kind;              // MPI function that made it
    std::uint64_t communicator;
    std::int32_t peer, tag;
    std::int64_t count;    // elements
    std::uint64_t buffer;
    Ref state;             // active, inactive, complete
};

struct Message {
    std::uint64_t communicator;
    std::int32_t source, tag;
    std::int64_t bytes;
};

}  // namespace sckpt::image
