// Fortran bindings that are replaced as a whole: the installed ones look into objects of Open MPI or call functions of
// libmpi that are no MPI functions, where there are records of ours (fortran.cc).  Most of them take a callback.
//
// A binding has thirteen names: the four ways to spell a Fortran name, each with the profiling prefix too, and those
// that the installed bindings have among themselves, as mpi_f08 calls them.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/errhandler.h"
#include "mpi_coord/fortran.h"
#include "mpi_coord/half.h"
#include "mpi_coord/operation.h"
#include "mpi_coord/reverse.h"

// SCKPT_BINDING(op_create, OP_CREATE, Op_create) gives sckpt_fortran_op_create, defined above in this file, all names.
#define SCKPT_NAME(function, name) \
    extern "C" decltype(function) name __attribute__((alias(#function), visibility("default")));
#define SCKPT_BINDING_OF(function, prefix, PREFIX, name, NAME, Name) \
    SCKPT_NAME(function, prefix##_##name)                            \
    SCKPT_NAME(function, prefix##_##name##_)                         \
    SCKPT_NAME(function, prefix##_##name##__)                        \
    SCKPT_NAME(function, PREFIX##_##NAME)                            \
    SCKPT_NAME(function, PREFIX##_##Name##_f)                        \
    SCKPT_NAME(function, PREFIX##_##Name##_f08)                      \
    SCKPT_NAME(function, p##prefix##_##name)                         \
    SCKPT_NAME(function, p##prefix##_##name##_)                      \
    SCKPT_NAME(function, p##prefix##_##name##__)                     \
    SCKPT_NAME(function, P##PREFIX##_##NAME)                         \
    SCKPT_NAME(function, P##PREFIX##_##Name##_f)                     \
    SCKPT_NAME(function, P##PREFIX##_##Name##_f08)                   \
    SCKPT_NAME(function, o##prefix##_##name##_f)

#define SCKPT_BINDING(name, NAME, Name) SCKPT_BINDING_OF(sckpt_fortran_##name, mpi, MPI, name, NAME, Name)
#define SCKPT_EXTENSION(name, NAME, Name) SCKPT_BINDING_OF(sckpt_fortran_##name, mpix, MPIX, name, NAME, Name)

namespace sckpt::mpi {
namespace {

using For = ErrhandlerRecord::For;

void report(MPI_Fint *place, int error) {
    if (place) *place = error;
}

// --- generalized requests (MPI-3.1, 12.2)

struct Generalized {
    void (*query)(MPI_Aint *, MPI_Fint *, MPI_Fint *);
    void (*free)(MPI_Aint *, MPI_Fint *);
    void (*cancel)(MPI_Aint *, MPI_Fint *, MPI_Fint *);
    MPI_Aint extra;
};

int query_generalized(void *state, MPI_Status *status) {
    auto *request = static_cast<Generalized *>(state);
    MPI_Fint as_integers[sizeof(MPI_Status) / sizeof(MPI_Fint)], error = MPI_SUCCESS;
    PMPI_Status_c2f(status, as_integers);
    request->query(&request->extra, as_integers, &error);
    PMPI_Status_f2c(as_integers, status);
    return error;
}

int free_generalized(void *state) {
    std::unique_ptr<Generalized> request(static_cast<Generalized *>(state));
    MPI_Fint error = MPI_SUCCESS;
    request->free(&request->extra, &error);
    return error;
}

int cancel_generalized(void *state, int complete) {
    auto *request = static_cast<Generalized *>(state);
    MPI_Fint is_complete = complete != 0, error = MPI_SUCCESS;
    request->cancel(&request->extra, &is_complete, &error);
    return error;
}

// --- data representations (MPI-3.1, 13.5.3); one is never taken back, so neither is its state

using FortranConversion = void(void *, MPI_Fint *, MPI_Fint *, void *, MPI_Offset *, MPI_Aint *, MPI_Fint *);
using FortranExtent = void(MPI_Fint *, MPI_Aint *, MPI_Aint *, MPI_Fint *);

struct Representation {
    FortranConversion *read, *write;
    FortranExtent *extent;
    MPI_Aint extra;
};

MPI_Fint number_of_live(MPI_Datatype real) {
    DatatypeRecord *type = find_record<Kind::Datatype>(real);
    return fortran_index(type ? type : record_of(MPI_DATATYPE_NULL));
}

template <FortranConversion *Representation::*Function>
int convert(void *user, MPI_Datatype real, int count, void *file, MPI_Offset position, void *state) {
    auto *representation = static_cast<Representation *>(state);
    MPI_Fint type = number_of_live(real), number = count, error = MPI_SUCCESS;
    (representation->*Function)(user, &type, &number, file, &position, &representation->extra, &error);
    return error;
}

int extent_in_file(MPI_Datatype real, MPI_Aint *extent, void *state) {
    auto *representation = static_cast<Representation *>(state);
    MPI_Fint type = number_of_live(real), error = MPI_SUCCESS;
    representation->extent(&type, extent, &representation->extra, &error);
    return error;
}

// --- attributes and error handlers

template <Kind K, class Integer>
void get_fortran(int (*get)(Kind, Record *, int, Integer *, int *), MPI_Fint *object, MPI_Fint *keyval, Integer *value,
                 MPI_Fint *found, MPI_Fint *error) {
    Guard guard;
    report(error, get(K, fortran_record(K, *object), *keyval, value, found));
}

template <Kind K, class Integer>
void set_fortran(int (*set)(Kind, Record *, int, Integer), MPI_Fint *object, MPI_Fint *keyval, Integer *value,
                 MPI_Fint *error) {
    Guard guard;
    report(error, set(K, fortran_record(K, *object), *keyval, *value));
}

void make_keyval(Kind kind, Binding binding, Callback copy, Callback remove, MPI_Aint extra, MPI_Fint *keyval,
                 MPI_Fint *error) {
    Guard guard;
    report(error, create_keyval_fortran(kind, binding, copy, remove, extra, keyval));
}

void make_errhandler(For object, void (*function)(), MPI_Fint *handler, MPI_Fint *error) {
    Guard guard;
    MPI_Errhandler made = MPI_ERRHANDLER_NULL;
    const int result = create_errhandler(object, function, Language::fortran, &made);
    if (result == MPI_SUCCESS) *handler = to_fortran(made);
    report(error, result);
}

// --- arrays of datatypes

void *fortran_buffer(void *buffer) {
    static const void *const in_place = application_symbol("mpi_fortran_in_place_");
    static const void *const bottom = application_symbol("mpi_fortran_bottom_");
    if (buffer == in_place) return MPI_IN_PLACE;
    return buffer == bottom ? MPI_BOTTOM : buffer;
}

struct Alltoallw {
    void *send, *receive;
    std::vector<MPI_Datatype> send_types, receive_types;
    MPI_Comm comm;

    Alltoallw(void *send_buffer, const MPI_Fint *sends, void *receive_buffer, const MPI_Fint *receives, MPI_Fint number)
        : send(fortran_buffer(send_buffer)),
          receive(fortran_buffer(receive_buffer)),
          comm(from_fortran<Kind::Comm>(number)) {
        // Without a communicator the call itself reports the error.
        int inter = 0, size = 0;
        if (!comm || comm == MPI_COMM_NULL) return;
        PMPI_Comm_test_inter(comm, &inter);
        inter ? PMPI_Comm_remote_size(comm, &size) : PMPI_Comm_size(comm, &size);
        for (int i = 0; i < size; ++i) {
            if (send != MPI_IN_PLACE) send_types.push_back(from_fortran<Kind::Datatype>(sends[i]));
            receive_types.push_back(from_fortran<Kind::Datatype>(receives[i]));
        }
    }
};

}  // namespace

extern "C" {

void sckpt_fortran_op_create(MPI_User_function *function, MPI_Fint *commutes, MPI_Fint *op, MPI_Fint *error) {
    Guard guard;
    MPI_Op made = MPI_OP_NULL;
    const int result = create_operation(function, *commutes, true, &made);
    if (result == MPI_SUCCESS) *op = to_fortran(made);
    report(error, result);
}

void sckpt_fortran_grequest_start(decltype(Generalized::query) query, decltype(Generalized::free) free,
                                  decltype(Generalized::cancel) cancel, MPI_Aint *extra, MPI_Fint *request,
                                  MPI_Fint *error) {
    auto state = std::make_unique<Generalized>(query, free, cancel, *extra);
    MPI_Request made = MPI_REQUEST_NULL;
    const int result = PMPI_Grequest_start(query_generalized, free_generalized, cancel_generalized, state.get(), &made);
    if (result == MPI_SUCCESS) {
        state.release();
        *request = to_fortran(made);
    }
    report(error, result);
}

// The last argument is the length of the name, which the compiler adds.
void sckpt_fortran_register_datarep(const char *name, FortranConversion *read, FortranConversion *write,
                                    FortranExtent *extent, MPI_Aint *extra, MPI_Fint *error, int length) {
    static const auto none = reinterpret_cast<FortranConversion *>(application_symbol("mpi_conversion_fn_null_"));
    std::string text(name, static_cast<size_t>(length));
    text.resize(text.find_last_not_of(' ') + 1);
    auto state = std::make_unique<Representation>(read, write, extent, *extra);
    const int result = PMPI_Register_datarep(
        text.c_str(), read == none ? MPI_CONVERSION_FN_NULL : &convert<&Representation::read>,
        write == none ? MPI_CONVERSION_FN_NULL : &convert<&Representation::write>, extent_in_file, state.get());
    if (result == MPI_SUCCESS) state.release();
    report(error, result);
}

// Unlike MPI_Type_match_size in C, finds Fortran's types: MPI_INTEGER4 where that finds MPI_INT.
void sckpt_fortran_type_match_size(MPI_Fint *type_class, MPI_Fint *size, MPI_Fint *type, MPI_Fint *error) {
    using Match = const void *(int size, std::uint16_t flags, std::uint16_t language);
    constexpr std::uint16_t kInteger = 0x1000, kReal = 0x2000, kComplex = 0x3000, kFortran = 0xc000;
    Guard guard;
    static const auto match = reinterpret_cast<Match *>(lower_symbol("ompi_datatype_match_size"));
    const std::uint16_t flags = *type_class == MPI_TYPECLASS_INTEGER   ? kInteger
                                : *type_class == MPI_TYPECLASS_REAL    ? kReal
                                : *type_class == MPI_TYPECLASS_COMPLEX ? kComplex
                                                                       : 0;
    Record *found = flags && match ? predefined_record(Kind::Datatype, match(*size, flags, kFortran)) : nullptr;
    const bool usable = found && found != record_of(MPI_DATATYPE_NULL);
    *type = fortran_index(usable ? found : record_of(MPI_DATATYPE_NULL));
    if (!usable) lower.Comm_call_errhandler(real_of(MPI_COMM_WORLD), MPI_ERR_ARG);
    report(error, usable ? MPI_SUCCESS : MPI_ERR_ARG);
}

void sckpt_fortran_keyval_create(Callback copy, Callback remove, MPI_Fint *keyval, MPI_Fint *extra, MPI_Fint *error) {
    make_keyval(Kind::Comm, Binding::fortran_integer, copy, remove, *extra, keyval, error);
}
void sckpt_fortran_comm_create_keyval(Callback copy, Callback remove, MPI_Fint *keyval, MPI_Aint *extra,
                                      MPI_Fint *error) {
    make_keyval(Kind::Comm, Binding::fortran_address, copy, remove, *extra, keyval, error);
}
void sckpt_fortran_type_create_keyval(Callback copy, Callback remove, MPI_Fint *keyval, MPI_Aint *extra,
                                      MPI_Fint *error) {
    make_keyval(Kind::Datatype, Binding::fortran_address, copy, remove, *extra, keyval, error);
}
void sckpt_fortran_win_create_keyval(Callback copy, Callback remove, MPI_Fint *keyval, MPI_Aint *extra,
                                     MPI_Fint *error) {
    make_keyval(Kind::Win, Binding::fortran_address, copy, remove, *extra, keyval, error);
}

void sckpt_fortran_attr_put(MPI_Fint *object, MPI_Fint *keyval, MPI_Fint *value, MPI_Fint *error) {
    set_fortran<Kind::Comm>(set_attribute_fint, object, keyval, value, error);
}
void sckpt_fortran_comm_set_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *error) {
    set_fortran<Kind::Comm>(set_attribute_aint, object, keyval, value, error);
}
void sckpt_fortran_type_set_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *error) {
    set_fortran<Kind::Datatype>(set_attribute_aint, object, keyval, value, error);
}
void sckpt_fortran_win_set_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *error) {
    set_fortran<Kind::Win>(set_attribute_aint, object, keyval, value, error);
}

void sckpt_fortran_attr_get(MPI_Fint *object, MPI_Fint *keyval, MPI_Fint *value, MPI_Fint *found, MPI_Fint *error) {
    get_fortran<Kind::Comm>(get_attribute_fint, object, keyval, value, found, error);
}
void sckpt_fortran_comm_get_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *found,
                                 MPI_Fint *error) {
    get_fortran<Kind::Comm>(get_attribute_aint, object, keyval, value, found, error);
}
void sckpt_fortran_type_get_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *found,
                                 MPI_Fint *error) {
    get_fortran<Kind::Datatype>(get_attribute_aint, object, keyval, value, found, error);
}
void sckpt_fortran_win_get_attr(MPI_Fint *object, MPI_Fint *keyval, MPI_Aint *value, MPI_Fint *found, MPI_Fint *error) {
    get_fortran<Kind::Win>(get_attribute_aint, object, keyval, value, found, error);
}

void sckpt_fortran_errhandler_create(void (*function)(), MPI_Fint *handler, MPI_Fint *error) {
    make_errhandler(For::comm, function, handler, error);
}
void sckpt_fortran_comm_create_errhandler(void (*function)(), MPI_Fint *handler, MPI_Fint *error) {
    make_errhandler(For::comm, function, handler, error);
}
void sckpt_fortran_win_create_errhandler(void (*function)(), MPI_Fint *handler, MPI_Fint *error) {
    make_errhandler(For::win, function, handler, error);
}
void sckpt_fortran_file_create_errhandler(void (*function)(), MPI_Fint *handler, MPI_Fint *error) {
    make_errhandler(For::file, function, handler, error);
}

void sckpt_fortran_alltoallw(void *send, MPI_Fint *send_counts, MPI_Fint *send_offsets, MPI_Fint *send_types,
                             void *receive, MPI_Fint *receive_counts, MPI_Fint *receive_offsets,
                             MPI_Fint *receive_types, MPI_Fint *comm, MPI_Fint *error) {
    const Alltoallw call(send, send_types, receive, receive_types, *comm);
    report(error, PMPI_Alltoallw(call.send, send_counts, send_offsets, call.send_types.data(), call.receive,
                                 receive_counts, receive_offsets, call.receive_types.data(), call.comm));
}

void sckpt_fortran_ialltoallw(void *send, MPI_Fint *send_counts, MPI_Fint *send_offsets, MPI_Fint *send_types,
                              void *receive, MPI_Fint *receive_counts, MPI_Fint *receive_offsets,
                              MPI_Fint *receive_types, MPI_Fint *comm, MPI_Fint *request, MPI_Fint *error) {
    const Alltoallw call(send, send_types, receive, receive_types, *comm);
    MPI_Request made = MPI_REQUEST_NULL;
    const int result = PMPI_Ialltoallw(call.send, send_counts, send_offsets, call.send_types.data(), call.receive,
                                       receive_counts, receive_offsets, call.receive_types.data(), call.comm, &made);
    if (result == MPI_SUCCESS) *request = to_fortran(made);
    report(error, result);
}

void sckpt_fortran_alltoallw_init(void *send, MPI_Fint *send_counts, MPI_Fint *send_offsets, MPI_Fint *send_types,
                                  void *receive, MPI_Fint *receive_counts, MPI_Fint *receive_offsets,
                                  MPI_Fint *receive_types, MPI_Fint *comm, MPI_Fint *info, MPI_Fint *request,
                                  MPI_Fint *error) {
    const Alltoallw call(send, send_types, receive, receive_types, *comm);
    MPI_Request made = MPI_REQUEST_NULL;
    const int result = PMPIX_Alltoallw_init(call.send, send_counts, send_offsets, call.send_types.data(), call.receive,
                                            receive_counts, receive_offsets, call.receive_types.data(), call.comm,
                                            from_fortran<Kind::Info>(*info), &made);
    if (result == MPI_SUCCESS) *request = to_fortran(made);
    report(error, result);
}

// Not a binding: how the installed ones raise an error that they find themselves, such as a lack of memory.  What they
// read from our records as handler and kind is meaningless; the object tells both.
[[gnu::visibility("default")]] int ompi_errhandler_invoke(void *, void *object, int, int code, const char *) {
    Guard guard;
    const auto *record = static_cast<const Record *>(object);
    if (record && record->kind == Kind::File)
        lower.File_call_errhandler(static_cast<MPI_File>(record->real), code);
    else if (record && record->kind == Kind::Win)
        lower.Win_call_errhandler(static_cast<MPI_Win>(record->real), code);
    else
        lower.Comm_call_errhandler(record ? static_cast<MPI_Comm>(record->real) : real_of(MPI_COMM_WORLD), code);
    return code;
}

}  // extern "C"

SCKPT_BINDING(op_create, OP_CREATE, Op_create)
SCKPT_BINDING(grequest_start, GREQUEST_START, Grequest_start)
SCKPT_BINDING(register_datarep, REGISTER_DATAREP, Register_datarep)
SCKPT_BINDING(type_match_size, TYPE_MATCH_SIZE, Type_match_size)
SCKPT_BINDING(keyval_create, KEYVAL_CREATE, Keyval_create)
SCKPT_BINDING(comm_create_keyval, COMM_CREATE_KEYVAL, Comm_create_keyval)
SCKPT_BINDING(type_create_keyval, TYPE_CREATE_KEYVAL, Type_create_keyval)
SCKPT_BINDING(win_create_keyval, WIN_CREATE_KEYVAL, Win_create_keyval)
SCKPT_BINDING(attr_put, ATTR_PUT, Attr_put)
SCKPT_BINDING(comm_set_attr, COMM_SET_ATTR, Comm_set_attr)
SCKPT_BINDING(type_set_attr, TYPE_SET_ATTR, Type_set_attr)
SCKPT_BINDING(win_set_attr, WIN_SET_ATTR, Win_set_attr)
SCKPT_BINDING(attr_get, ATTR_GET, Attr_get)
SCKPT_BINDING(comm_get_attr, COMM_GET_ATTR, Comm_get_attr)
SCKPT_BINDING(type_get_attr, TYPE_GET_ATTR, Type_get_attr)
SCKPT_BINDING(win_get_attr, WIN_GET_ATTR, Win_get_attr)
SCKPT_BINDING(errhandler_create, ERRHANDLER_CREATE, Errhandler_create)
SCKPT_BINDING(comm_create_errhandler, COMM_CREATE_ERRHANDLER, Comm_create_errhandler)
SCKPT_BINDING(win_create_errhandler, WIN_CREATE_ERRHANDLER, Win_create_errhandler)
SCKPT_BINDING(file_create_errhandler, FILE_CREATE_ERRHANDLER, File_create_errhandler)
SCKPT_BINDING(alltoallw, ALLTOALLW, Alltoallw)
SCKPT_BINDING(ialltoallw, IALLTOALLW, Ialltoallw)
SCKPT_EXTENSION(alltoallw_init, ALLTOALLW_INIT, Alltoallw_init)

}  // namespace sckpt::mpi
