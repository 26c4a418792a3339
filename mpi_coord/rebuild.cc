#include "mpi_coord/rebuild.h"

#include <algorithm>

#include "mpi_coord/call.h"
#include "mpi_coord/control.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/generalized.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/persistent_collective.h"
#include "mpi_coord/requests.h"
#include "mpi_coord/synchronous.h"
#include "preload/base/log.h"

namespace sckpt::mpi {
namespace {

using Init = int(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);

Init *persistent_send(Mode mode) {
    switch (mode) {
        case Mode::buffered: return lower.Bsend_init;
        case Mode::synchronous: return lower.Ssend_init;
        case Mode::ready: return lower.Rsend_init;
        case Mode::standard: break;
    }
    return lower.Send_init;
}

// Where a request is posted again: on its communicator, or, when that has been freed, where nothing ever matches it.
// (What was on its way to it has been received by now.)
struct Place {
    MPI_Comm comm;
    int peer, tag;
};
Place place_of(const RequestRecord *record) {
    constexpr int kNever = 1;
    if (record->comm->freed) return {control::self_comm(), 0, kNever};
    return {static_cast<MPI_Comm>(record->comm->real), record->peer, record->tag};
}

void make_persistent_again(RequestRecord *record) {
    auto *real = reinterpret_cast<MPI_Request *>(&record->real);
    const MPI_Datatype type = real_of(handle_of(record->datatype));
    const auto [comm, peer, tag] = place_of(record);
    const int error = record->operation == Operation::send
                          ? persistent_send(record->mode)(record->buffer, record->count, type, peer, tag, comm, real)
                          : lower.Recv_init(record->buffer, record->count, type, peer, tag, comm, real);
    if (error != MPI_SUCCESS) die("cannot make a persistent request again: MPI error %d", error);
}

}  // namespace

void rebuild_requests() {
    std::vector<RequestRecord *> receives;
    for_each_request([&](RequestRecord *record) {
        if (record->persistent && record->operation != Operation::collective) make_persistent_again(record);
        if (record->token) return put_in_place(record);
        if (!record->active || record->complete) {
            if (!record->persistent) record->real = real_of(MPI_REQUEST_NULL);
            return;
        }
        if (record->operation == Operation::generalized) return make_generalized_again(record);
        SCKPT_ASSERT(record->operation == Operation::receive);  // all else is complete after DRAIN
        receives.push_back(record);
    });
    std::ranges::sort(receives, {}, &RequestRecord::order);
    for (RequestRecord *record : receives) {
        auto *real = reinterpret_cast<MPI_Request *>(&record->real);
        const auto [comm, peer, tag] = place_of(record);
        const int error = record->persistent
                              ? lower.Start(real)
                              : lower.Irecv(record->buffer, record->count, real_of(handle_of(record->datatype)), peer,
                                            tag, comm, real);
        if (error != MPI_SUCCESS) die("cannot post a pending receive again: MPI error %d", error);
    }
}

std::string record_objects() {
    record_wtime();
    record_groups();
    record_infos();
    record_datatypes();
    record_communicators();
    std::string refusal = record_files();
    std::string windows = record_windows();
    return refusal.empty() ? windows : refusal;
}

void resume_objects() { resume_windows(); }

std::string rebuild_mpi() {
    initialise_again();
    rebuild_wtime();
    restart_coordinator();
    rebuild_error_classes();
    rebuild_infos();
    rebuild_communicators();
    rebuild_groups();
    rebuild_datatypes();
    rebuild_operations();
    rebuild_errhandlers();
    if (std::string failure = rebuild_files(); !failure.empty()) return failure;
    if (std::string failure = rebuild_windows(); !failure.empty()) return failure;
    rebuild_set_errhandlers();
    rebuild_buffer();
    rebuild_requests();
    rebuild_persistent_collectives();
    return {};
}

}  // namespace sckpt::mpi
