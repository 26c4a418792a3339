// Operations (MPI-3.1, 5.9.5).
//
// The lower half calls a trampoline, which passes the application's own handle for the datatype.  An operation may be
// freed while non-blocking reductions still use it: its record and its slot then stay until no collective is pending.
#include <array>
#include <cstdio>
#include <mutex>
#include <utility>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/fortran.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/operation.h"
#include "mpi_coord/predefined.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/reverse.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

constexpr int kSlots = 1024;
OpRecord *slots[kSlots];
Spin lock;

// Open MPI's Fortran bindings write a flag into the object that they believe to be behind the handle: there is room for
// a whole one.
struct RoomyOpRecord : OpRecord {
    char room[room::Op - sizeof(OpRecord)] = {};
};

void apply(int slot, void *in, void *inout, int *length, MPI_Datatype *real) {
    const OpRecord *op = slots[slot];
    DatatypeRecord *type = find_record<Kind::Datatype>(*real);
    MPI_Datatype handle = type ? handle_of(type) : MPI_DATATYPE_NULL;
    if (op->fortran_function) {
        MPI_Fint index = fortran_index(record_of(handle)), count = *length;
        reinterpret_cast<void (*)(void *, void *, MPI_Fint *, MPI_Fint *)>(op->function)(in, inout, &count, &index);
    } else if (op->cxx_function) {
        using Intercept = void(void *, void *, int *, MPI_Datatype *, MPI_User_function *);
        auto *intercept = reinterpret_cast<Intercept *>(reinterpret_cast<void (*)()>(op->function));
        intercept(in, inout, length, &handle, op->cxx_function);
    } else {
        op->function(in, inout, length, &handle);
    }
}

template <int Number>
void trampoline(void *in, void *inout, int *length, MPI_Datatype *type) {
    apply(Number, in, inout, length, type);
}

constexpr auto kTrampolines = []<int... N>(std::integer_sequence<int, N...>) { return std::array{&trampoline<N>...}; }
(std::make_integer_sequence<int, kSlots>());

bool collectives_pending() {
    bool found = false;
    for_each_request([&](RequestRecord *request) { found |= request->operation == Operation::collective; });
    return found;
}

// Records that were kept for the sake of pending collectives.
void sweep() {
    if (collectives_pending()) return;
    RecordList &list = live_records[static_cast<size_t>(Kind::Op)];
    std::vector<OpRecord *> finished;
    {
        std::lock_guard both(list.lock);
        for (Record *record = list.first; record; record = record->next)
            if (record->freed) finished.push_back(static_cast<OpRecord *>(record));
    }
    for (OpRecord *record : finished) {
        slots[record->slot] = nullptr;
        auto real = static_cast<MPI_Op>(record->real);
        if (real != real_of(MPI_OP_NULL)) lower.Op_free(&real);  // made again at a restart, for a request
        delist(record);
        delete static_cast<RoomyOpRecord *>(record);
    }
}

int fail(int error) {
    lower.Comm_call_errhandler(real_of(MPI_COMM_WORLD), error);
    return error;
}

}  // namespace

int create_operation(MPI_User_function *function, int commutes, bool fortran, MPI_Op *result) {
    if (!function || !result) return fail(result ? MPI_ERR_ARG : MPI_ERR_OP);
    std::unique_lock locked(lock);
    sweep();
    int slot = 0;
    while (slot < kSlots && slots[slot]) ++slot;
    if (slot == kSlots) {
        locked.unlock();
        say(Severity::error, "more than %d operations of MPI_Op_create at a time are not supported; free some", kSlots);
        return fail(MPI_ERR_NO_MEM);
    }
    OpRecord *record = new RoomyOpRecord;
    record->kind = Kind::Op;
    record->function = function;
    record->commutes = commutes;
    record->slot = slot;
    record->fortran_function = fortran;
    slots[slot] = record;
    locked.unlock();
    const int error =
        lower.Op_create(kTrampolines[static_cast<size_t>(slot)], commutes, reinterpret_cast<MPI_Op *>(&record->real));
    if (error != MPI_SUCCESS) {
        slots[slot] = nullptr;
        delete static_cast<RoomyOpRecord *>(record);
        return error;
    }
    enlist(record);
    *result = handle_of(record);
    return MPI_SUCCESS;
}

void rebuild_operations() {
    for_each_live<OpRecord>(Kind::Op, [](OpRecord *record) {
        // A freed one as well: a persistent collective may be made again with it.
        const int error = lower.Op_create(kTrampolines[static_cast<size_t>(record->slot)], record->commutes,
                                          reinterpret_cast<MPI_Op *>(&record->real));
        if (error != MPI_SUCCESS) die("cannot make an operation again: MPI error %d", error);
    });
}

void describe_operations(Describe describe, void *context) {
    for_each_live<OpRecord>(Kind::Op, [&](OpRecord *record) {
        char text[80];
        snprintf(text, sizeof text, "function %p%s, %s%s", reinterpret_cast<void *>(record->function),
                 record->fortran_function ? " (Fortran)" : "", record->commutes ? "commutative" : "not commutative",
                 record->freed ? ", freed" : "");
        describe(context, "op", "MPI_Op_create", text);
    });
}

extern "C" {

int PMPI_Op_create(MPI_User_function *function, int commutes, MPI_Op *result) {
    Guard guard;
    return create_operation(function, commutes, false, result);
}

int PMPI_Op_free(MPI_Op *op) {
    Guard guard;
    OpRecord *record = op ? record_of(*op) : nullptr;
    MPI_Op real = record ? static_cast<MPI_Op>(record->real) : nullptr;
    const int error = lower.Op_free(op ? &real : nullptr);
    if (error != MPI_SUCCESS) return error;
    *op = MPI_OP_NULL;
    std::lock_guard locked(lock);
    record->freed = true;
    record->real = real;
    sweep();
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Op_create)
SCKPT_ALIAS(Op_free)

}  // namespace sckpt::mpi
