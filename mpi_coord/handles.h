// Every handle of the application points at a record of ours whose first word is the live handle of the lower half:
// translation is one load.  Predefined handles are no exception: their records lie in the storage of the application's
// own libmpi (which is never initialised), at the addresses that programs were linked against.
#pragma once

#include "mpi_coord/mpi_all.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mpi_coord/predefined.h"
#include "preload/base/spin.h"

namespace sckpt::mpi {

// Where the application sees the predefined objects.  Found when MPI starts, not by the dynamic linker: programs
// without MPI load this library too, and some load MPI only later.
struct ApplicationObjects {
#define X(kind, symbol, size) void *symbol = nullptr;
    SCKPT_PREDEFINED(X)
#undef X
};
extern ApplicationObjects application;

}  // namespace sckpt::mpi

// MPI_COMM_WORLD and its like, in our code.
#undef OMPI_PREDEFINED_GLOBAL
#define OMPI_PREDEFINED_GLOBAL(type, global) ((type)::sckpt::mpi::application.global)

namespace sckpt::mpi {

enum class Kind : std::uint8_t { Comm, Datatype, Request, Op, Group, Win, File, Info, Errhandler, Message, count };

// The head of every record.  Live records of a kind form a list, so that all can be found at the cut.
struct Record {
    void *real = nullptr;  // handle of the lower half
    Record *next = nullptr, *previous = nullptr;
    int fortran = -1;  // number handed to Fortran, -1 when never asked for; the place matters, see fortran.cc
    Kind kind = Kind::count;
    bool predefined = false;
    bool freed = false;  // by the application, but something still depends on it
};

struct AttributeMap;  // attributes.h: keyval -> value
struct ErrhandlerRecord;
struct DrainedMessage;  // drain.h
struct CommInfo;
struct SendStream;      // synchronous.cc

struct CommRecord : Record {
    CommInfo *info = nullptr;             // what is not needed on the hot path; null for MPI_COMM_NULL
    std::int64_t collectives = 0;         // entered or initiated by this rank
    std::uint64_t *sent = nullptr;        // messages sent, by rank of destination; valid from MPI_ROOT (-4) on
    std::uint64_t *received = nullptr;    // messages matched and complete, by rank of source; likewise
    DrainedMessage *drained = nullptr;    // taken off the network at a cut, oldest first; null nearly always
    AttributeMap *attributes = nullptr;
    ErrhandlerRecord *errhandler = nullptr;  // as set by the application; null: the default
    std::atomic<int> synchronous_pending = 0;  // synchronous sends not complete, see synchronous.h
};

struct DatatypeRecord : Record {
    AttributeMap *attributes = nullptr;
    struct TypeRecipe *recipe = nullptr;  // filled at the cut, see datatype.cc
    unsigned eager_count = 0;             // this many are sent eagerly (hints.h); 0 when that is not known
};

struct OpRecord : Record {
    MPI_User_function *function = nullptr;
    int commutes = 0;
    int slot = -1;         // of the trampoline
    bool fortran_function = false;
    MPI_User_function *cxx_function = nullptr;  // a fifth argument to `function`, see cxx.cc
};

struct GroupRecord : Record {
    std::vector<int> *members = nullptr;  // world ranks, filled at the cut
};

struct InfoRecord : Record {
    std::vector<std::pair<std::string, std::string>> *entries = nullptr;  // filled at the cut
};

enum class Language : std::uint8_t { c, fortran, cxx };

struct ErrhandlerRecord : Record {
    enum class For : std::uint8_t { comm, file, win } object = For::comm;
    void (*function)() = nullptr;  // MPI_Comm_errhandler_function and its like
    int slot = -1;
    Language language = Language::c;  // of `function`
    int handles = 0;  // of the application: from its creation and from MPI_Comm_get_errhandler
    int users = 0;    // communicators, windows and files that have it set; it lives while one has
    char written_by_cxx[96] = {};  // room for what libmpi_cxx takes for its own, see cxx.cc
};

struct WinRecord : Record {
    std::uint64_t operations = 0;    // since this rank's last synchronisation, as far as that matters: win_epoch.cc
    CommRecord *comm = nullptr;      // of its own, with the members of the one it was made on
    struct WinInfo *info = nullptr;  // win.h
    AttributeMap *attributes = nullptr;
    ErrhandlerRecord *errhandler = nullptr;
};
struct FileRecord : Record {
    ErrhandlerRecord *errhandler = nullptr;
    CommRecord *comm = nullptr;       // of its own, with the members of the one it was opened on
    struct FileInfo *info = nullptr;  // file.h
};

// A message in hand (MPI_Mprobe).  At a cut it is received into `drained`.
struct MessageRecord : Record {
    CommRecord *comm = nullptr;
    DrainedMessage *drained = nullptr;
    MPI_Status status;
};

enum class Operation : std::uint8_t { send, receive, collective, generalized };
enum class Mode : std::uint8_t { standard, buffered, synchronous, ready };

struct RequestRecord : Record {
    Operation operation = Operation::send;
    Mode mode = Mode::standard;
    bool used = false;        // belongs to the application
    bool persistent = false;
    bool active = false;      // started and not yet completed towards the application
    bool complete = false;    // completed at a cut: `status` and `error` hold the outcome, `real` is the null request
    bool orphan = false;      // MPI_Request_free on an active one: nobody will ask for it
    bool noted = false;       // its end is to be told to others: a generalized one, or a synchronous send
    bool cancelled = false;   // MPI_Cancel was called: its status says what came of it
    int error = 0;
    void *buffer = nullptr;
    int count = 0;
    int peer = 0, tag = 0;
    DatatypeRecord *datatype = nullptr;
    CommRecord *comm = nullptr;
    std::uint64_t order = 0;  // of posting, for receives; within `stream`, for synchronous sends
    RequestRecord *next_free = nullptr;
    int fortran_copy = -1;    // of Record::fortran; the place matters, see fortran.cc
    MPI_Status status;
    SendStream *stream = nullptr;  // of a synchronous send that is not complete
    std::uint64_t token = 0;       // not zero: a synchronous send that awaits the receipt of its drained message
    void *parked = nullptr;        // live handle of a persistent request that has another one in its place
};

// Kind -> C handle and record.
template <Kind K>
struct Of;
#define SCKPT_KIND(name)                     \
    template <>                              \
    struct Of<Kind::name> {                  \
        using Handle = MPI_##name;           \
        using RecordType = name##Record;     \
    };
SCKPT_KIND(Comm)
SCKPT_KIND(Datatype)
SCKPT_KIND(Request)
SCKPT_KIND(Op)
SCKPT_KIND(Group)
SCKPT_KIND(Win)
SCKPT_KIND(File)
SCKPT_KIND(Info)
SCKPT_KIND(Errhandler)
SCKPT_KIND(Message)
#undef SCKPT_KIND

template <Kind K>
using HandleOf = typename Of<K>::Handle;
template <Kind K>
using RecordOf = typename Of<K>::RecordType;

// The record behind a handle of the application; null for a null pointer, which native Open MPI rejects as well.
inline CommRecord *record_of(MPI_Comm handle) { return reinterpret_cast<CommRecord *>(handle); }
inline DatatypeRecord *record_of(MPI_Datatype handle) { return reinterpret_cast<DatatypeRecord *>(handle); }
inline RequestRecord *record_of(MPI_Request handle) { return reinterpret_cast<RequestRecord *>(handle); }
inline OpRecord *record_of(MPI_Op handle) { return reinterpret_cast<OpRecord *>(handle); }
inline GroupRecord *record_of(MPI_Group handle) { return reinterpret_cast<GroupRecord *>(handle); }
inline WinRecord *record_of(MPI_Win handle) { return reinterpret_cast<WinRecord *>(handle); }
inline FileRecord *record_of(MPI_File handle) { return reinterpret_cast<FileRecord *>(handle); }
inline InfoRecord *record_of(MPI_Info handle) { return reinterpret_cast<InfoRecord *>(handle); }
inline ErrhandlerRecord *record_of(MPI_Errhandler handle) { return reinterpret_cast<ErrhandlerRecord *>(handle); }
inline MessageRecord *record_of(MPI_Message handle) { return reinterpret_cast<MessageRecord *>(handle); }

// The live handle behind a handle of the application.
template <class Handle>
inline Handle real_of(Handle handle) {
    return handle ? *reinterpret_cast<Handle *>(handle) : nullptr;
}

template <class RecordType>
inline auto handle_of(RecordType *record) {
    if constexpr (std::is_same_v<RecordType, CommRecord>) return reinterpret_cast<MPI_Comm>(record);
    else if constexpr (std::is_same_v<RecordType, DatatypeRecord>) return reinterpret_cast<MPI_Datatype>(record);
    else if constexpr (std::is_same_v<RecordType, RequestRecord>) return reinterpret_cast<MPI_Request>(record);
    else if constexpr (std::is_same_v<RecordType, OpRecord>) return reinterpret_cast<MPI_Op>(record);
    else if constexpr (std::is_same_v<RecordType, GroupRecord>) return reinterpret_cast<MPI_Group>(record);
    else if constexpr (std::is_same_v<RecordType, WinRecord>) return reinterpret_cast<MPI_Win>(record);
    else if constexpr (std::is_same_v<RecordType, FileRecord>) return reinterpret_cast<MPI_File>(record);
    else if constexpr (std::is_same_v<RecordType, InfoRecord>) return reinterpret_cast<MPI_Info>(record);
    else if constexpr (std::is_same_v<RecordType, ErrhandlerRecord>) return reinterpret_cast<MPI_Errhandler>(record);
    else return reinterpret_cast<MPI_Message>(record);
}

// Live records of the application, predefined ones left out.
struct RecordList {
    Record *first = nullptr;
    Spin lock;
};
extern std::array<RecordList, static_cast<size_t>(Kind::count)> live_records;

void enlist(Record *record);
void delist(Record *record);

template <class RecordType, class Function>
void for_each_live(Kind kind, Function function) {
    for (Record *record = live_records[static_cast<size_t>(kind)].first; record;) {
        Record *next = record->next;
        function(static_cast<RecordType *>(record));
        record = next;
    }
}

// Where the application sees a symbol of libmpi, null when there is none.
void *application_symbol(const char *name);

// Places the records of predefined handles into the application's libmpi and points them at the lower half.  Returns
// a sentence when a symbol is missing in either, empty when all is well.
std::string bind_predefined();

// The record whose live handle is `real`, among predefined ones; null when it is none of them.
Record *predefined_record(Kind kind, const void *real);
// Another one, whose live handle has no name in mpi.h.
void add_predefined(Record *record);
void for_each_predefined(Kind kind, const std::function<void(Record *)> &visit);

// The record for a live handle that a call has just returned: a predefined one, or a new one.
template <Kind K>
RecordOf<K> *wrap(HandleOf<K> real) {
    if (!real) return nullptr;
    if (Record *known = predefined_record(K, real)) return static_cast<RecordOf<K> *>(known);
    auto *record = new RecordOf<K>;
    record->real = real;
    record->kind = K;
    enlist(record);
    return record;
}

// Of the application's own: MPI_COMM_NULL and its like, as a handle to give back.
template <Kind K>
HandleOf<K> null_handle();
template <> inline MPI_Comm null_handle<Kind::Comm>() { return MPI_COMM_NULL; }
template <> inline MPI_Datatype null_handle<Kind::Datatype>() { return MPI_DATATYPE_NULL; }
template <> inline MPI_Request null_handle<Kind::Request>() { return MPI_REQUEST_NULL; }
template <> inline MPI_Op null_handle<Kind::Op>() { return MPI_OP_NULL; }
template <> inline MPI_Group null_handle<Kind::Group>() { return MPI_GROUP_NULL; }
template <> inline MPI_Win null_handle<Kind::Win>() { return MPI_WIN_NULL; }
template <> inline MPI_File null_handle<Kind::File>() { return MPI_FILE_NULL; }
template <> inline MPI_Info null_handle<Kind::Info>() { return MPI_INFO_NULL; }
template <> inline MPI_Errhandler null_handle<Kind::Errhandler>() { return MPI_ERRHANDLER_NULL; }
template <> inline MPI_Message null_handle<Kind::Message>() { return MPI_MESSAGE_NULL; }

}  // namespace sckpt::mpi
