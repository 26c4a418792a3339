// Numbers of handles, and what else the Fortran bindings need of libmpi.
//
// The bindings (libmpi_mpifh, and libmpi_usempif08 on top of it) are the installed ones and run in the upper half. They
// call PMPI functions, which are ours, but also look into the objects of Open MPI 4.1 where that saved a call: the
// number of a request after a completion call and that of a new group are read from the object.  So both records hold
// it at the place where Open MPI's structures do, and groups get a number when they are made.  Functions that look
// deeper are replaced as a whole, see fortran_callbacks.cc.
//
// Request numbers are on the path of every message: a record of the pool keeps its number for good, and translation is
// an array access without a lock.
#include "mpi_coord/fortran.h"

#include <dlfcn.h>

#include <cstring>
#include <mutex>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/fortran_numbers.h"
#include "mpi_coord/half.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

constexpr size_t kRequestNumberPlace = 0x68, kGroupNumberPlace = 0x18;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
static_assert(offsetof(RequestRecord, fortran_copy) == kRequestNumberPlace);
static_assert(offsetof(GroupRecord, fortran) == kGroupNumberPlace);
#pragma GCC diagnostic pop

constexpr size_t kKinds = static_cast<size_t>(Kind::count);

// Never destroyed: exit handlers of the application may still convert handles.
std::array<Numbers<Record>, kKinds> &numbers = *new std::array<Numbers<Record>, kKinds>;

// Predefined handles by number, filled as they are asked for.
constexpr MPI_Fint kPredefinedNumbers = 1024;
std::atomic<Record *> predefined[kKinds][kPredefinedNumbers];

std::atomic<bool> prepared = false;
Spin preparing;
Spin numbering;

template <Kind K>
struct Live;
#define SCKPT_LIVE(kind, name)                                                                               \
    template <>                                                                                              \
    struct Live<Kind::kind> {                                                                                \
        static MPI_Fint to(void *real) { return lower.name##_c2f(static_cast<HandleOf<Kind::kind>>(real)); } \
        static void *from(MPI_Fint number) { return lower.name##_f2c(number); }                              \
    };
SCKPT_LIVE(Comm, Comm)
SCKPT_LIVE(Datatype, Type)
SCKPT_LIVE(Request, Request)
SCKPT_LIVE(Op, Op)
SCKPT_LIVE(Group, Group)
SCKPT_LIVE(Win, Win)
SCKPT_LIVE(File, File)
SCKPT_LIVE(Info, Info)
SCKPT_LIVE(Errhandler, Errhandler)
SCKPT_LIVE(Message, Message)
#undef SCKPT_LIVE

template <class Function>
auto with_kind(Kind kind, Function function) {
    switch (kind) {
        case Kind::Comm:
            return function.template operator()<Kind::Comm>();
        case Kind::Datatype:
            return function.template operator()<Kind::Datatype>();
        case Kind::Request:
            return function.template operator()<Kind::Request>();
        case Kind::Op:
            return function.template operator()<Kind::Op>();
        case Kind::Group:
            return function.template operator()<Kind::Group>();
        case Kind::Win:
            return function.template operator()<Kind::Win>();
        case Kind::File:
            return function.template operator()<Kind::File>();
        case Kind::Info:
            return function.template operator()<Kind::Info>();
        case Kind::Errhandler:
            return function.template operator()<Kind::Errhandler>();
        case Kind::Message:
            return function.template operator()<Kind::Message>();
        case Kind::count:
            break;
    }
    die("a handle of unknown kind %d was to be converted", static_cast<int>(kind));
}

MPI_Fint live_number(Kind kind, void *real) {
    return with_kind(kind, [=]<Kind K>() { return Live<K>::to(real); });
}

void *live_handle(Kind kind, MPI_Fint number) {
    return with_kind(kind, [=]<Kind K>() { return Live<K>::from(number); });
}

void set_number(Record *record, MPI_Fint number) {
    if (record->kind == Kind::Request) static_cast<RequestRecord *>(record)->fortran_copy = number;
    if (record->predefined && number >= 0 && number < kPredefinedNumbers)
        predefined[static_cast<size_t>(record->kind)][number] = record;
    std::atomic_ref(record->fortran).store(number, std::memory_order_release);
}

MPI_Fint number_at(const void *object, size_t place) {
    MPI_Fint number;
    memcpy(&number, static_cast<const char *>(object) + place, sizeof number);
    return number;
}

// The places above are those of the Open MPI that the bindings were compiled against: is it this one?
bool places_are_right() {
    MPI_Request request = nullptr;
    if (lower.Recv_init(nullptr, 0, real_of(MPI_BYTE), MPI_PROC_NULL, 0, real_of(MPI_COMM_SELF), &request) !=
        MPI_SUCCESS)
        return false;
    const MPI_Fint number = lower.Request_c2f(request);  // Open MPI numbers some requests here
    const bool right = number_at(request, kRequestNumberPlace) == number;
    lower.Request_free(&request);
    return right && number_at(real_of(MPI_GROUP_EMPTY), kGroupNumberPlace) == lower.Group_c2f(real_of(MPI_GROUP_EMPTY));
}

// What the bindings read without a call, before they can read it: every path there begins with a conversion.
void prepare() {
    std::lock_guard locked(preparing);
    if (prepared) return;
    if (!places_are_right()) {
        constexpr auto sentence =
            "this version of Open MPI lays out its objects in another way than 4.1: "
            "Fortran programs cannot be run with checkpoints";
        if (void *bindings = dlopen("libmpi_mpifh.so.40", RTLD_LAZY | RTLD_NOLOAD)) {
            dlclose(bindings);
            die("%s", sentence);
        }
        say(Severity::warning, "%s", sentence);
    }
    set_number(record_of(MPI_REQUEST_NULL), live_number(Kind::Request, real_of(MPI_REQUEST_NULL)));
    for (MPI_Group group : {MPI_GROUP_NULL, MPI_GROUP_EMPTY})
        set_number(record_of(group), live_number(Kind::Group, real_of(group)));
    // MPI_Waitany of no request gives this status; MPI_Init fills it in the lower half alone.
    const char *const empty = "ompi_status_empty";
    void *mine = application_symbol(empty), *theirs = lower_symbol(empty);
    if (mine && theirs) memcpy(mine, theirs, sizeof(MPI_Status));
    prepared = true;
}

[[gnu::noinline]] MPI_Fint new_number(Record *record) {
    Guard guard;
    if (!prepared) prepare();
    std::lock_guard locked(numbering);
    if (record->fortran >= 0) return record->fortran;
    set_number(record, record->predefined
                           ? live_number(record->kind, record->real)
                           : kFirstFortranNumber +
                                 static_cast<MPI_Fint>(numbers[static_cast<size_t>(record->kind)].take(record)));
    return record->fortran;
}

[[gnu::noinline]] Record *predefined_by_number(Kind kind, MPI_Fint number) {
    if (number < 0 || number >= kPredefinedNumbers) return nullptr;
    std::atomic<Record *> &known = predefined[static_cast<size_t>(kind)][number];
    if (Record *record = known) return record;
    Guard guard;
    void *real = live_handle(kind, number);
    Record *record = real ? predefined_record(kind, real) : nullptr;  // what is not predefined is ours alone
    if (record) known = record;
    return record;
}

template <Kind K>
MPI_Fint c2f(HandleOf<K> handle) {
    // Before MPI_Init the application's libmpi answers, and handles lead to no records.
    if (!prepared.load(std::memory_order_acquire)) [[unlikely]]
        if (Busy busy; !lower_half_loaded()) return Live<K>::to(handle);
    return fortran_index(record_of(handle));
}

template <Kind K>
HandleOf<K> f2c(MPI_Fint number) {
    if (!prepared.load(std::memory_order_acquire)) [[unlikely]] {
        if (Busy busy; !lower_half_loaded()) return static_cast<HandleOf<K>>(Live<K>::from(number));
        Guard guard;
        prepare();
    }
    return from_fortran<K>(number);
}

}  // namespace

MPI_Fint fortran_index(Record *record) {
    if (!record) return -1;
    const MPI_Fint number = std::atomic_ref(record->fortran).load(std::memory_order_acquire);
    return number >= 0 && prepared.load(std::memory_order_acquire) ? number : new_number(record);
}

Record *fortran_record(Kind kind, MPI_Fint number) {
    if (number < kFirstFortranNumber) return predefined_by_number(kind, number);
    Record *record = numbers[static_cast<size_t>(kind)].find(static_cast<std::uint32_t>(number - kFirstFortranNumber));
    if (kind == Kind::Request && record && !static_cast<RequestRecord *>(record)->used) return nullptr;
    return record;
}

void forget_fortran(Record *record) {
    if (record->predefined || record->fortran < kFirstFortranNumber) return;
    numbers[static_cast<size_t>(record->kind)].give(static_cast<std::uint32_t>(record->fortran - kFirstFortranNumber));
    record->fortran = -1;
}

extern "C" {

MPI_Fint PMPI_Comm_c2f(MPI_Comm handle) { return c2f<Kind::Comm>(handle); }
MPI_Fint PMPI_Type_c2f(MPI_Datatype handle) { return c2f<Kind::Datatype>(handle); }
MPI_Fint PMPI_Group_c2f(MPI_Group handle) { return c2f<Kind::Group>(handle); }
MPI_Fint PMPI_Op_c2f(MPI_Op handle) { return c2f<Kind::Op>(handle); }
MPI_Fint PMPI_Request_c2f(MPI_Request handle) { return c2f<Kind::Request>(handle); }
MPI_Fint PMPI_Message_c2f(MPI_Message handle) { return c2f<Kind::Message>(handle); }
MPI_Fint PMPI_Info_c2f(MPI_Info handle) { return c2f<Kind::Info>(handle); }
MPI_Fint PMPI_Errhandler_c2f(MPI_Errhandler handle) { return c2f<Kind::Errhandler>(handle); }
MPI_Fint PMPI_Win_c2f(MPI_Win handle) { return c2f<Kind::Win>(handle); }
MPI_Fint PMPI_File_c2f(MPI_File handle) { return c2f<Kind::File>(handle); }

MPI_Comm PMPI_Comm_f2c(MPI_Fint number) { return f2c<Kind::Comm>(number); }
MPI_Datatype PMPI_Type_f2c(MPI_Fint number) { return f2c<Kind::Datatype>(number); }
MPI_Group PMPI_Group_f2c(MPI_Fint number) { return f2c<Kind::Group>(number); }
MPI_Op PMPI_Op_f2c(MPI_Fint number) { return f2c<Kind::Op>(number); }
MPI_Request PMPI_Request_f2c(MPI_Fint number) { return f2c<Kind::Request>(number); }
MPI_Message PMPI_Message_f2c(MPI_Fint number) { return f2c<Kind::Message>(number); }
MPI_Info PMPI_Info_f2c(MPI_Fint number) { return f2c<Kind::Info>(number); }
MPI_Errhandler PMPI_Errhandler_f2c(MPI_Fint number) { return f2c<Kind::Errhandler>(number); }
MPI_Win PMPI_Win_f2c(MPI_Fint number) { return f2c<Kind::Win>(number); }
MPI_File PMPI_File_f2c(MPI_Fint number) { return f2c<Kind::File>(number); }

// What Fortran has for MPI_STATUS_IGNORE is a place in the application's libmpi; the lower half knows its own.
int PMPI_Status_f2c(const MPI_Fint *fortran, MPI_Status *status) {
    Guard guard;
    static const void *const ignore = application_symbol("mpi_fortran_status_ignore_");
    static const void *const ignore_all = application_symbol("mpi_fortran_statuses_ignore_");
    if (fortran && (fortran == ignore || fortran == ignore_all)) fortran = nullptr;  // the same error
    return lower.Status_f2c(fortran, status);
}

}  // extern "C"

SCKPT_ALIAS(Comm_c2f)
SCKPT_ALIAS(Type_c2f)
SCKPT_ALIAS(Group_c2f)
SCKPT_ALIAS(Op_c2f)
SCKPT_ALIAS(Request_c2f)
SCKPT_ALIAS(Message_c2f)
SCKPT_ALIAS(Info_c2f)
SCKPT_ALIAS(Errhandler_c2f)
SCKPT_ALIAS(Win_c2f)
SCKPT_ALIAS(File_c2f)
SCKPT_ALIAS(Comm_f2c)
SCKPT_ALIAS(Type_f2c)
SCKPT_ALIAS(Group_f2c)
SCKPT_ALIAS(Op_f2c)
SCKPT_ALIAS(Request_f2c)
SCKPT_ALIAS(Message_f2c)
SCKPT_ALIAS(Info_f2c)
SCKPT_ALIAS(Errhandler_f2c)
SCKPT_ALIAS(Win_f2c)
SCKPT_ALIAS(File_f2c)
SCKPT_ALIAS(Status_f2c)

}  // namespace sckpt::mpi
