// The C++ bindings, which MPI-3.0 removed and Open MPI 4.1 still builds.
//
// Like those of Fortran they run in the upper half, call MPI functions, which are ours, and a few functions of libmpi
// that are no MPI functions, which are replaced here.  They also write function pointers into the error handlers that
// these return: a record has room where Open MPI 4.1 has those members.
//
// MPI::ERRORS_THROW_EXCEPTIONS throws from a callback of libmpi, through its frames.  There they belong to the lower
// half, whose namespace the unwinder does not see, so that exception would end the process in any case: the error is
// fatal at once, with MPI's own message, and the log says so beforehand.
#include "mpi_coord/cxx.h"

#include <cstddef>

#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/errhandler.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// eh_comm_fn to eh_cxx_dispatch_fn of ompi_errhandler_t.
constexpr size_t kFirstWritten = 0x58, kLastWritten = 0x78;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
static_assert(offsetof(ErrhandlerRecord, written_by_cxx) <= kFirstWritten);
static_assert(sizeof(ErrhandlerRecord) >= kLastWritten + sizeof(void *));
#pragma GCC diagnostic pop
static_assert(sizeof(ErrhandlerRecord) <= room::Errhandler);

const char *dispatcher_of(Kind kind) {
    switch (kind) {
        case Kind::Win:
            return "ompi_mpi_cxx_win_errhandler_invoke";
        case Kind::File:
            return "ompi_mpi_cxx_file_errhandler_invoke";
        default:
            return "ompi_mpi_cxx_comm_errhandler_invoke";
    }
}

}  // namespace

void call_cxx_errhandler(Kind kind, void *handle, int *error, const char *message, void (*function)()) {
    using Dispatcher = void(void *, int *, const char *, void (*)());
    if (auto *dispatch = reinterpret_cast<Dispatcher *>(application_symbol(dispatcher_of(kind))))
        dispatch(handle, error, message, function);
}

MPI_Errhandler real_errhandler(MPI_Errhandler handler) {
    if (!handler || handler != application.ompi_mpi_errors_throw_exceptions) return real_of(handler);
    static std::atomic<bool> told = false;
    if (!told.exchange(true))
        say(Severity::warning,
            "MPI::ERRORS_THROW_EXCEPTIONS cannot be had with checkpoints: errors of MPI end the job");
    return real_of(MPI_ERRORS_ARE_FATAL);
}

#pragma GCC visibility push(default)
extern "C" {

// MPI::Op::Init, after MPI_Op_create of a function of libmpi_cxx that takes the user's as its fifth argument.
void ompi_op_set_cxx_callback(OpRecord *op, MPI_User_function *function) { op->cxx_function = function; }

// MPI::Comm::Create_keyval and its like: C functions, whose state is an object of libmpi_cxx.  That would be released
// with the keyval; the few bytes are left to the process.
int ompi_attr_create_keyval(int object, Callback copy, Callback remove, int *keyval, void *state, int, void *) {
    constexpr int kComm = 1, kWin = 2;
    const Kind kind = object == kComm ? Kind::Comm : object == kWin ? Kind::Win : Kind::Datatype;
    Guard guard;
    return create_keyval(kind, copy, remove, state, keyval);
}

// MPI::Comm::Create_errhandler and its like.
void *ompi_errhandler_create(int object, void (*function)(), int) {
    using For = ErrhandlerRecord::For;
    constexpr int kWin = 2, kFile = 3;
    Guard guard;
    MPI_Errhandler made = MPI_ERRHANDLER_NULL;
    create_errhandler(object == kWin    ? For::win
                      : object == kFile ? For::file
                                        : For::comm,
                      function, Language::cxx, &made);
    return made;
}

}  // extern "C"
#pragma GCC visibility pop

}  // namespace sckpt::mpi
