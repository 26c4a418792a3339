#include "mpi_coord/generalized.h"

#include "mpi_coord/alias.h"
#include "mpi_coord/complete.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

// What RequestRecord::buffer of such a request points to.
struct Generalized {
    MPI_Grequest_query_function *query;
    MPI_Grequest_free_function *free;
    MPI_Grequest_cancel_function *cancel;
    void *state;
    bool complete = false;
};

Generalized *of(const RequestRecord *record) { return static_cast<Generalized *>(record->buffer); }

}  // namespace

void forget_generalized(RequestRecord *record) {
    delete of(record);
    record->buffer = nullptr;
    record->noted = false;
}

bool free_generalized_later(RequestRecord *record) {
    if (record->operation != Operation::generalized || !record->active || of(record)->complete) return false;
    record->orphan = true;
    return true;
}

void make_generalized_again(RequestRecord *record) {
    const Generalized &made = *of(record);
    MPI_Request real = nullptr;
    const int error = lower.Grequest_start(made.query, made.free, made.cancel, made.state, &real);
    if (error != MPI_SUCCESS) die("cannot make a generalized request again: MPI error %d", error);
    record->real = real;
    if (made.complete) lower.Grequest_complete(real);
}

extern "C" {

int PMPI_Grequest_start(MPI_Grequest_query_function *query, MPI_Grequest_free_function *free_function,
                        MPI_Grequest_cancel_function *cancel, void *state, MPI_Request *request) {
    Guard guard;
    MPI_Request real;
    const int error = lower.Grequest_start(query, free_function, cancel, state, &real);
    if (error != MPI_SUCCESS) return error;
    RequestRecord *record = new_collective_request(real, nullptr);
    record->operation = Operation::generalized;
    record->buffer = new Generalized{query, free_function, cancel, state};
    record->noted = true;
    *request = handle_of(record);
    return error;
}

int PMPI_Grequest_complete(MPI_Request request) {
    Guard guard;
    RequestRecord *record = request ? record_of(request) : nullptr;
    if (!record || !record->used || record->operation != Operation::generalized)
        return lower.Grequest_complete(real_of(request));
    of(record)->complete = true;
    const int error = lower.Grequest_complete(real_of(request));
    if (!record->orphan) return error;
    auto real = static_cast<MPI_Request>(record->real);
    lower.Request_free(&real);
    retire(record);
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Grequest_start)
SCKPT_ALIAS(Grequest_complete)

}  // namespace sckpt::mpi
