#include "storage_hdf5/schema.h"

#include <array>
#include <type_traits>

namespace sckpt::storage {

namespace {

using image::Table;

template <class Member>
consteval FieldType type_of() {
    if constexpr (std::is_same_v<Member, std::uint16_t>) return FieldType::u16;
    if constexpr (std::is_same_v<Member, std::uint32_t>) return FieldType::u32;
    if constexpr (std::is_same_v<Member, std::int32_t>) return FieldType::i32;
    if constexpr (std::is_same_v<Member, std::uint64_t>) return FieldType::u64;
    if constexpr (std::is_same_v<Member, std::int64_t>) return FieldType::i64;
    if constexpr (std::is_same_v<Member, image::Ref>) return FieldType::text;
    if constexpr (std::is_same_v<Member, image::RegionKind>) return FieldType::region_kind;
    if constexpr (std::is_same_v<Member, RunKind>) return FieldType::run_kind;
}

#define FIELD(Record, member, unit) \
    Field { #member, type_of < decltype(Record::member)>(), offsetof(Record, member), unit }
#define NESTED(Record, part, member, unit)                                          \
    Field {                                                                         \
#member, type_of < decltype(decltype(Record::part)::member)>(),             \
            offsetof(Record, part) + offsetof(decltype(Record::part), member), unit \
    }
#define TEXTS(Record, member) \
    Field { #member, FieldType::texts, offsetof(Record, member), "" }

constexpr char kAddress[] = "address";

constexpr std::array kProcess{
    FIELD(image::Process, rank, "rank"),
    FIELD(image::Process, world_size, "ranks"),
    FIELD(image::Process, generation, ""),
    FIELD(image::Process, incarnation, ""),
    FIELD(image::Process, pid, ""),
    FIELD(image::Process, page_size, "bytes"),
    FIELD(image::Process, umask, "mode bits"),
    FIELD(image::Process, thread_level, "MPI_THREAD_*"),
    FIELD(image::Process, main_ended, "boolean"),
    FIELD(image::Process, cut_time_ns, "ns since 1970-01-01 UTC"),
    FIELD(image::Process, monotonic_ns, "ns, CLOCK_MONOTONIC"),
    FIELD(image::Process, host, ""),
    FIELD(image::Process, executable, "path"),
    TEXTS(image::Process, arguments),
    TEXTS(image::Process, environment),
    FIELD(image::Process, directory, "path"),
    FIELD(image::Process, cluster, ""),
    FIELD(image::Process, job, "jobid.stepid"),
    FIELD(image::Process, user, ""),
    FIELD(image::Process, cause, ""),
    FIELD(image::Process, fs_base, kAddress),
    FIELD(image::Process, gs_base, kAddress),
    NESTED(image::Process, resume, rbx, "register"),
    NESTED(image::Process, resume, rbp, "register"),
    NESTED(image::Process, resume, r12, "register"),
    NESTED(image::Process, resume, r13, "register"),
    NESTED(image::Process, resume, r14, "register"),
    NESTED(image::Process, resume, r15, "register"),
    NESTED(image::Process, resume, rsp, "register"),
    NESTED(image::Process, resume, rip, "register"),
    NESTED(image::Process, resume, mxcsr, "register"),
    NESTED(image::Process, resume, x87_control, "register"),
    FIELD(image::Process, handover, kAddress),
    FIELD(image::Process, start_code, kAddress),
    FIELD(image::Process, end_code, kAddress),
    FIELD(image::Process, start_data, kAddress),
    FIELD(image::Process, end_data, kAddress),
    FIELD(image::Process, start_brk, kAddress),
    FIELD(image::Process, brk, kAddress),
    FIELD(image::Process, start_stack, kAddress),
    FIELD(image::Process, arg_start, kAddress),
    FIELD(image::Process, arg_end, kAddress),
    FIELD(image::Process, env_start, kAddress),
    FIELD(image::Process, env_end, kAddress),
    FIELD(image::Process, auxv, kAddress),
    FIELD(image::Process, auxv_size, "bytes"),
};

// Region comes first in StoredRegion, so its offsets hold for both.
static_assert(offsetof(StoredRegion, region) == 0);
constexpr std::array kRegions{
    FIELD(image::Region, start, kAddress),
    FIELD(image::Region, length, "bytes"),
    FIELD(image::Region, protection, "PROT_* bits"),
    FIELD(image::Region, kind, ""),
    FIELD(image::Region, attributes, "bits, see image.h"),
    FIELD(image::Region, page_kib, "KiB, 0 ordinary"),
    FIELD(image::Region, file_offset, "bytes"),
    FIELD(image::Region, device, "st_dev"),
    FIELD(image::Region, inode, "st_ino"),
    FIELD(image::Region, path, "path"),
    FIELD(StoredRegion, build_id, "hexadecimal"),
    FIELD(StoredRegion, file_size, "bytes"),
    FIELD(StoredRegion, file_mtime_ns, "ns since 1970-01-01 UTC"),
    FIELD(StoredRegion, first_run, "row of runs"),
    FIELD(StoredRegion, run_count, "rows of runs"),
};
constexpr std::size_t kPlanRegionFields = 10;

constexpr std::array kFiles{
    FIELD(image::File, descriptor, ""),    FIELD(image::File, shares_with, "descriptor, -1 none"),
    FIELD(image::File, flags, "O_* bits"), FIELD(image::File, close_on_exec, "boolean"),
    FIELD(image::File, mode, "st_mode"),   FIELD(image::File, thread, "thread id, 0 unknown"),
    FIELD(image::File, offset, "bytes"),   FIELD(image::File, size, "bytes"),
    FIELD(image::File, device, "st_dev"),  FIELD(image::File, inode, "st_ino"),
    FIELD(image::File, modified_ns, "ns since 1970-01-01 UTC"),
    FIELD(image::File, fingerprint, "0 none"),
    FIELD(image::File, path, "path"),      FIELD(image::File, kind, ""),
};

constexpr std::array kPipes{
    FIELD(image::Pipe, descriptor, ""),
    FIELD(image::Pipe, capacity, "bytes"),
    FIELD(image::Pipe, thread, "thread id, 0 unknown"),
    FIELD(image::Pipe, unread, "bytes"),
};

constexpr std::array kSockets{
    FIELD(image::Socket, descriptor, ""),
    FIELD(image::Socket, pair, "descriptor, -1 none"),
    FIELD(image::Socket, backlog, "connections"),
    FIELD(image::Socket, messages, "messages"),
    FIELD(image::Socket, thread, "thread id, 0 unknown"),
    FIELD(image::Socket, unread, "bytes"),
    FIELD(image::Socket, family, ""),
    FIELD(image::Socket, type, ""),
    FIELD(image::Socket, state, ""),
    FIELD(image::Socket, here, "address"),
    FIELD(image::Socket, peer, "address"),
};

constexpr std::array kDescriptors{
    FIELD(image::Descriptor, descriptor, ""),
    FIELD(image::Descriptor, thread, "thread id, 0 unknown"),
    FIELD(image::Descriptor, kind, ""),
    FIELD(image::Descriptor, state, ""),
};

constexpr std::array kFileLocks{
    FIELD(image::FileLock, descriptor, ""), FIELD(image::FileLock, exclusive, "boolean"),
    FIELD(image::FileLock, start, "bytes"), FIELD(image::FileLock, length, "bytes, 0 to the end"),
    FIELD(image::FileLock, kind, ""),
};

constexpr std::array kThreads{
    FIELD(image::Thread, id, ""),
    FIELD(image::Thread, detached, "boolean"),
    FIELD(image::Thread, pthread, kAddress),
    FIELD(image::Thread, stack, kAddress),
    FIELD(image::Thread, signal_mask, "bit n-1: signal n"),
    FIELD(image::Thread, name, ""),
};

constexpr std::array kSignals{
    FIELD(image::Signal, number, "signal"),
    FIELD(image::Signal, flags, "SA_* bits"),
    FIELD(image::Signal, handler, "address, 0 default, 1 ignore"),
    FIELD(image::Signal, mask, "bit n-1: signal n"),
};

constexpr std::array kIntervalTimers{
    FIELD(image::IntervalTimer, which, "ITIMER_*"),
    FIELD(image::IntervalTimer, thread, "thread id"),
    FIELD(image::IntervalTimer, value_us, "us"),
    FIELD(image::IntervalTimer, interval_us, "us"),
};

constexpr std::array kPosixTimers{
    FIELD(image::PosixTimer, id, "timer_t"),       FIELD(image::PosixTimer, clock, "clockid_t"),
    FIELD(image::PosixTimer, notify, "SIGEV_*"),   FIELD(image::PosixTimer, signal, "signal"),
    FIELD(image::PosixTimer, thread, "thread id"), FIELD(image::PosixTimer, overrun, "expirations"),
    FIELD(image::PosixTimer, value_ns, "ns"),      FIELD(image::PosixTimer, interval_ns, "ns"),
};

constexpr std::array kCommunicators{
    FIELD(image::Communicator, id, ""),
    FIELD(image::Communicator, size, "ranks"),
    FIELD(image::Communicator, rank, "rank"),
    FIELD(image::Communicator, collectives, "calls"),
    FIELD(image::Communicator, name, ""),
    FIELD(image::Communicator, constructor, "MPI function"),
    FIELD(image::Communicator, members, "world ranks"),
};

constexpr std::array kMpiObjects{
    FIELD(image::MpiObject, kind, ""),
    FIELD(image::MpiObject, constructor, "MPI function"),
    FIELD(image::MpiObject, description, ""),
};

constexpr std::array kRequests{
    FIELD(image::Request, kind, "MPI function"),
    FIELD(image::Request, communicator, "id"),
    FIELD(image::Request, peer, "rank"),
    FIELD(image::Request, tag, ""),
    FIELD(image::Request, count, "elements"),
    FIELD(image::Request, buffer, kAddress),
    FIELD(image::Request, state, ""),
};

constexpr std::array kMessages{
    FIELD(image::Message, communicator, "id"),
    FIELD(image::Message, source, "rank"),
    FIELD(image::Message, tag, ""),
    FIELD(image::Message, bytes, "bytes"),
};

constexpr std::array kRuns{
    FIELD(Run, region, "row of regions"),
    FIELD(Run, kind, ""),
    FIELD(Run, first_page, "pages from the start of the region"),
    FIELD(Run, count, "pages"),
    FIELD(Run, offset, "row of /pages"),
};

constexpr std::array kManifest{
    FIELD(ManifestRow, rank, "rank"),   FIELD(ManifestRow, file, "file name"),
    FIELD(ManifestRow, host, ""),       FIELD(ManifestRow, bytes, "bytes"),
    FIELD(ManifestRow, pages, "pages"), FIELD(ManifestRow, digest, "hexadecimal"),
};

#undef FIELD
#undef NESTED
#undef TEXTS

const TableSchema kTables[] = {
    {"strings", "", 1, {}},
    {"process", "the rank and its process at the cut", sizeof(image::Process), kProcess},
    {"regions", "mapped memory by ascending address", sizeof(StoredRegion), kRegions},
    {"files", "open descriptors of the application", sizeof(image::File), kFiles},
    {"pipes", "pipes and fifos", sizeof(image::Pipe), kPipes},
    {"sockets", "sockets", sizeof(image::Socket), kSockets},
    {"descriptors", "states of other descriptors", sizeof(image::Descriptor), kDescriptors},
    {"file_locks", "locks on files", sizeof(image::FileLock), kFileLocks},
    {"threads", "threads of the application, the main thread first unless it has ended", sizeof(image::Thread), kThreads},
    {"signals", "signals with an action other than the default", sizeof(image::Signal), kSignals},
    {"interval_timers", "timers of setitimer(2)", sizeof(image::IntervalTimer), kIntervalTimers},
    {"posix_timers", "timers of timer_create(2)", sizeof(image::PosixTimer), kPosixTimers},
    {"communicators", "MPI communicators", sizeof(image::Communicator), kCommunicators},
    {"mpi_objects", "MPI datatypes, operations, groups and the like", sizeof(image::MpiObject), kMpiObjects},
    {"requests", "MPI requests pending at the cut", sizeof(image::Request), kRequests},
    {"messages", "MPI messages drained from the network, not yet received", sizeof(image::Message), kMessages},
};
static_assert(std::size(kTables) == static_cast<std::size_t>(Table::count));

constexpr EnumValue kRegionKinds[] = {
    {"anonymous", static_cast<std::uint32_t>(image::RegionKind::anonymous)},
    {"heap", static_cast<std::uint32_t>(image::RegionKind::heap)},
    {"stack", static_cast<std::uint32_t>(image::RegionKind::stack)},
    {"file_private", static_cast<std::uint32_t>(image::RegionKind::file_private)},
    {"file_shared", static_cast<std::uint32_t>(image::RegionKind::file_shared)},
    {"anonymous_shared", static_cast<std::uint32_t>(image::RegionKind::anonymous_shared)},
    {"vdso", static_cast<std::uint32_t>(image::RegionKind::vdso)},
    {"lower", static_cast<std::uint32_t>(image::RegionKind::lower)},
    {"object_shared", static_cast<std::uint32_t>(image::RegionKind::object_shared)},
    {"segment", static_cast<std::uint32_t>(image::RegionKind::segment)},
};

constexpr EnumValue kRunKinds[] = {
    {"data", static_cast<std::uint32_t>(RunKind::data)},
    {"zero", static_cast<std::uint32_t>(RunKind::zero)},
};

}  // namespace

const TableSchema &schema(Table table) { return kTables[static_cast<std::size_t>(table)]; }

const TableSchema &runs_schema() {
    static const TableSchema schema{"runs", "which pages of which region are stored, and where", sizeof(Run), kRuns};
    return schema;
}

const TableSchema &manifest_schema() {
    static const TableSchema schema{"manifest", "the rank files of this generation", sizeof(ManifestRow), kManifest};
    return schema;
}

std::size_t plan_record_size(Table table) {
    return table == Table::regions ? sizeof(image::Region) : schema(table).record_size;
}

std::span<const Field> plan_fields(Table table) {
    const auto fields = schema(table).fields;
    return table == Table::regions ? fields.first(kPlanRegionFields) : fields;
}

std::span<const EnumValue> enum_values(FieldType type) {
    if (type == FieldType::region_kind) return kRegionKinds;
    if (type == FieldType::run_kind) return kRunKinds;
    return {};
}

}  // namespace sckpt::storage
