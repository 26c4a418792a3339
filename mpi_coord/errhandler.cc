// Error handlers (MPI-3.1, 8.3).
//
// The lower half calls a trampoline, which finds the application's function and the application's handle for the object
// that the error is about.  A function taken from the table stays in its slot until the slot is given to another, since
// the lower half may call it for an object that is just being freed.
//
// References are counted here, so that they are right after a restart too: the lower half's object is freed when the
// application has freed its last handle (each MPI_Comm_get_errhandler gives one more), the record when no communicator,
// window or file uses it either.
#include "mpi_coord/errhandler.h"

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <utility>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/cxx.h"
#include "mpi_coord/fortran.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/reverse.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

using For = ErrhandlerRecord::For;

constexpr int kSlots = 512;

struct Slot {
    bool taken = false;
    Language language = Language::c;
    void (*function)() = nullptr;
};
Slot slots[kSlots];
Spin lock;  // of the slots and of all reference counts

template <class Handle>
void invoke(int number, Handle *real, int *error, char *message) {
    constexpr Kind K = std::is_same_v<Handle, MPI_Comm>  ? Kind::Comm
                       : std::is_same_v<Handle, MPI_Win> ? Kind::Win
                                                         : Kind::File;
    const Slot slot = slots[number];
    auto *record = find_record<K>(*real);
    // Not the application's: an internal duplicate, on behalf of the world as far as the application can tell.
    if constexpr (K == Kind::Comm)
        if (!record) record = record_of(MPI_COMM_WORLD);
    Handle handle = record ? handle_of(record) : null_handle<K>();
    if (slot.language == Language::fortran) {
        MPI_Fint index = fortran_index(record_of(handle)), code = *error;
        reinterpret_cast<void (*)(MPI_Fint *, MPI_Fint *)>(slot.function)(&index, &code);
        *error = code;
    } else if (slot.language == Language::cxx) {
        call_cxx_errhandler(K, &handle, error, message, slot.function);
    } else {
        reinterpret_cast<void (*)(Handle *, int *, ...)>(slot.function)(&handle, error, message, nullptr);
    }
}

// Open MPI passes a message and a null pointer behind the code.
template <class Handle, int Number>
void trampoline(Handle *real, int *error, ...) {
    va_list rest;
    va_start(rest, error);
    char *message = va_arg(rest, char *);
    va_end(rest);
    invoke(Number, real, error, message);
}

template <class Handle>
auto trampoline_of(int number) {
    static constexpr auto all = []<int... N>(std::integer_sequence<int, N...>) {
        return std::array{&trampoline<Handle, N>...};
    }
    (std::make_integer_sequence<int, kSlots>());
    return all[static_cast<size_t>(number)];
}

int make_real(For object, int slot, void **real) {
    auto *place = reinterpret_cast<MPI_Errhandler *>(real);
    if (object == For::comm) return lower.Comm_create_errhandler(trampoline_of<MPI_Comm>(slot), place);
    if (object == For::win) return lower.Win_create_errhandler(trampoline_of<MPI_Win>(slot), place);
    return lower.File_create_errhandler(trampoline_of<MPI_File>(slot), place);
}

int take_slot(void (*function)(), Language language) {
    std::lock_guard locked(lock);
    for (int i = 0; i < kSlots; ++i)
        if (!slots[i].taken) {
            slots[i] = {true, language, function};
            return i;
        }
    return -1;
}

int fail(int error) {
    lower.Comm_call_errhandler(real_of(MPI_COMM_WORLD), error);
    return error;
}

// One handle of the application (`handles`) or one object (`users`) less.
void release(ErrhandlerRecord *record, int ErrhandlerRecord::*count) {
    if (!record || record->predefined) return;
    std::unique_lock locked(lock);
    --(record->*count);
    const bool free_real = record->handles == 0 && record->real && count == &ErrhandlerRecord::handles;
    const bool free_record = record->handles == 0 && record->users == 0;
    if (record->handles == 0) record->freed = true;
    if (free_record) slots[record->slot].taken = false;
    locked.unlock();
    auto real = static_cast<MPI_Errhandler>(record->real);
    if (free_real) lower.Errhandler_free(&real);
    if (!free_record) return;
    delist(record);
    delete record;
}

void use(ErrhandlerRecord *&place, ErrhandlerRecord *record) {
    ErrhandlerRecord *old = place;
    if (record && !record->predefined) {
        std::lock_guard locked(lock);
        ++record->users;
    }
    place = record;
    release(old, &ErrhandlerRecord::users);
}

template <class Handle>
int set(int (*function)(Handle, MPI_Errhandler), Handle object, MPI_Errhandler handler) {
    Guard guard;
    const int error = function(real_of(object), real_errhandler(handler));
    if (error == MPI_SUCCESS) use(record_of(object)->errhandler, record_of(handler));
    return error;
}

template <class Handle>
int get(int (*function)(Handle, MPI_Errhandler *), Handle object, MPI_Errhandler *handler) {
    Guard guard;
    MPI_Errhandler real = nullptr;
    const int error = function(real_of(object), handler ? &real : nullptr);
    if (error != MPI_SUCCESS) return error;
    auto *record = record_of(object)->errhandler;
    if (!record) record = find_record<Kind::Errhandler>(real);
    if (!record) record = wrap<Kind::Errhandler>(real);
    if (!record->predefined) {
        std::unique_lock locked(lock);
        const bool first = record->handles++ == 0;
        record->freed = false;
        locked.unlock();
        // The call has added a reference there, which is one too many unless the application had freed all of its own.
        if (!first) lower.Errhandler_free(&real);
    }
    *handler = handle_of(record);
    return error;
}

template <class Function>
int create(For object, Function *function, MPI_Errhandler *result) {
    Guard guard;
    return create_errhandler(object, reinterpret_cast<void (*)()>(function), Language::c, result);
}

}  // namespace

int create_errhandler(For object, void (*function)(), Language language, MPI_Errhandler *result) {
    if (!function || !result) return fail(MPI_ERR_ARG);
    const int slot = take_slot(function, language);
    if (slot < 0) {
        say(Severity::error, "more than %d error handlers at a time are not supported; free some", kSlots);
        return fail(MPI_ERR_NO_MEM);
    }
    void *real = nullptr;
    if (const int error = make_real(object, slot, &real); error != MPI_SUCCESS) {
        slots[slot].taken = false;
        return error;
    }
    auto *record = new ErrhandlerRecord;
    record->real = real;
    record->kind = Kind::Errhandler;
    record->object = object;
    record->function = function;
    record->language = language;
    record->slot = slot;
    record->handles = 1;
    enlist(record);
    *result = handle_of(record);
    return MPI_SUCCESS;
}

void inherit_errhandler(CommRecord *from, CommRecord *to) {
    if (from && !to->predefined) use(to->errhandler, from->errhandler);
}
void inherit_errhandler(FileRecord *file) { use(file->errhandler, record_of(MPI_FILE_NULL)->errhandler); }
void return_errors(CommRecord *comm) {
    lower.Comm_set_errhandler(static_cast<MPI_Comm>(comm->real), real_of(MPI_ERRORS_RETURN));
    use(comm->errhandler, record_of(MPI_ERRORS_RETURN));
}
void drop_errhandler(CommRecord *comm) { use(comm->errhandler, nullptr); }
void drop_errhandler(WinRecord *win) { use(win->errhandler, nullptr); }
void drop_errhandler(FileRecord *file) { use(file->errhandler, nullptr); }

void rebuild_errhandlers() {
    for_each_live<ErrhandlerRecord>(Kind::Errhandler, [](ErrhandlerRecord *record) {
        if (record->slot < 0) return;
        if (const int error = make_real(record->object, record->slot, &record->real); error != MPI_SUCCESS)
            die("cannot make an error handler again: MPI error %d", error);
    });
}

void rebuild_set_errhandlers() {
    const auto set_again = [](CommRecord *comm) {
        if (comm->errhandler && !comm->freed)
            lower.Comm_set_errhandler(static_cast<MPI_Comm>(comm->real), real_errhandler(handle_of(comm->errhandler)));
    };
    set_again(record_of(MPI_COMM_WORLD));
    set_again(record_of(MPI_COMM_SELF));
    for_each_live<CommRecord>(Kind::Comm, set_again);
    for_each_live<FileRecord>(Kind::File, [](FileRecord *file) {
        if (file->errhandler)
            lower.File_set_errhandler(static_cast<MPI_File>(file->real), real_errhandler(handle_of(file->errhandler)));
    });
    for_each_live<WinRecord>(Kind::Win, [](WinRecord *win) {
        if (win->errhandler)
            lower.Win_set_errhandler(static_cast<MPI_Win>(win->real), real_of(handle_of(win->errhandler)));
    });
    // Of files yet to be opened.
    if (ErrhandlerRecord *handler = record_of(MPI_FILE_NULL)->errhandler)
        lower.File_set_errhandler(real_of(MPI_FILE_NULL), real_errhandler(handle_of(handler)));
    // What the application has freed lives in the lower half by its users alone, as before the restart.
    for_each_live<ErrhandlerRecord>(Kind::Errhandler, [](ErrhandlerRecord *record) {
        auto real = static_cast<MPI_Errhandler>(record->real);
        if (record->slot >= 0 && record->freed) lower.Errhandler_free(&real);
    });
}

void describe_errhandlers(Describe describe, void *context) {
    for_each_live<ErrhandlerRecord>(Kind::Errhandler, [&](ErrhandlerRecord *record) {
        char text[80];
        snprintf(text, sizeof text, "function %p%s, set on %d objects", reinterpret_cast<void *>(record->function),
                 record->language == Language::fortran ? " (Fortran)" : "", record->users);
        describe(context, "errhandler",
                 record->object == For::comm  ? "MPI_Comm_create_errhandler"
                 : record->object == For::win ? "MPI_Win_create_errhandler"
                                              : "MPI_File_create_errhandler",
                 text);
    });
}

extern "C" {

int PMPI_Comm_create_errhandler(MPI_Comm_errhandler_function *function, MPI_Errhandler *result) {
    return create(For::comm, function, result);
}
int PMPI_Win_create_errhandler(MPI_Win_errhandler_function *function, MPI_Errhandler *result) {
    return create(For::win, function, result);
}
int PMPI_File_create_errhandler(MPI_File_errhandler_function *function, MPI_Errhandler *result) {
    return create(For::file, function, result);
}
int PMPI_Errhandler_create(SckptHandlerFunction *function, MPI_Errhandler *result) {
    return create(For::comm, function, result);
}

int PMPI_Comm_set_errhandler(MPI_Comm comm, MPI_Errhandler handler) {
    return set(lower.Comm_set_errhandler, comm, handler);
}
int PMPI_Win_set_errhandler(MPI_Win win, MPI_Errhandler handler) { return set(lower.Win_set_errhandler, win, handler); }
int PMPI_File_set_errhandler(MPI_File file, MPI_Errhandler handler) {
    return set(lower.File_set_errhandler, file, handler);
}
int PMPI_Errhandler_set(MPI_Comm comm, MPI_Errhandler handler) { return set(lower.Comm_set_errhandler, comm, handler); }

int PMPI_Comm_get_errhandler(MPI_Comm comm, MPI_Errhandler *handler) {
    return get(lower.Comm_get_errhandler, comm, handler);
}
int PMPI_Win_get_errhandler(MPI_Win win, MPI_Errhandler *handler) {
    return get(lower.Win_get_errhandler, win, handler);
}
int PMPI_File_get_errhandler(MPI_File file, MPI_Errhandler *handler) {
    return get(lower.File_get_errhandler, file, handler);
}
int PMPI_Errhandler_get(MPI_Comm comm, MPI_Errhandler *handler) {
    return get(lower.Comm_get_errhandler, comm, handler);
}

int PMPI_Errhandler_free(MPI_Errhandler *handler) {
    Guard guard;
    ErrhandlerRecord *record = handler ? record_of(*handler) : nullptr;
    if (!record || record->predefined) {
        MPI_Errhandler real = record ? static_cast<MPI_Errhandler>(record->real) : nullptr;
        const int error = lower.Errhandler_free(handler ? &real : nullptr);
        if (error == MPI_SUCCESS) *handler = MPI_ERRHANDLER_NULL;
        return error;
    }
    *handler = MPI_ERRHANDLER_NULL;
    release(record, &ErrhandlerRecord::handles);
    return MPI_SUCCESS;
}

}  // extern "C"

SCKPT_ALIAS(Comm_create_errhandler)
SCKPT_ALIAS(Win_create_errhandler)
SCKPT_ALIAS(File_create_errhandler)
SCKPT_ALIAS(Errhandler_create)
SCKPT_ALIAS(Comm_set_errhandler)
SCKPT_ALIAS(Win_set_errhandler)
SCKPT_ALIAS(File_set_errhandler)
SCKPT_ALIAS(Errhandler_set)
SCKPT_ALIAS(Comm_get_errhandler)
SCKPT_ALIAS(Win_get_errhandler)
SCKPT_ALIAS(File_get_errhandler)
SCKPT_ALIAS(Errhandler_get)
SCKPT_ALIAS(Errhandler_free)

}  // namespace sckpt::mpi
