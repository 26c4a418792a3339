// The wait and test families, cancel and request_free.
//
// Arrays go to the lower half's own *all, *any and *some calls, which give them the meaning and the speed of native MPI
// (batch.h).
#include <algorithm>

#include "mpi_coord/alias.h"
#include "mpi_coord/batch.h"

namespace sckpt::mpi {
namespace {

// The end of a call that tests and has found nothing.  collect(Peers &): as for wait_until().
template <class Collect>
void looked_in_vain(Collect collect) {
    if (attention.load(std::memory_order_relaxed)) [[unlikely]] {
        Peers peers;
        collect(peers);
        serve_waiting(peers);
    } else {
        look_for_receipts();
    }
}

// Hands out the outcome of an *all or *some call: statuses with MPI_ERROR where the call as a whole failed.
int report(int error, int count, const MPI_Status *from, MPI_Status *to, const int *errors) {
    bool failed = error == MPI_ERR_IN_STATUS;
    for (int i = 0; i < count; ++i) failed |= errors[i] != MPI_SUCCESS;
    if (to != MPI_STATUSES_IGNORE)
        for (int i = 0; i < count; ++i) {
            copy_status(&to[i], from[i]);
            if (failed) to[i].MPI_ERROR = errors[i] != MPI_SUCCESS ? errors[i] : from[i].MPI_ERROR;
        }
    if (failed) return MPI_ERR_IN_STATUS;
    return error;
}

int all_complete(Batch &batch, int error, MPI_Status *statuses) {
    if (error == MPI_SUCCESS && undelivered == 0) [[likely]] {
        batch.complete_all();
        if (statuses != MPI_STATUSES_IGNORE)
            for (int i = 0; i < batch.count(); ++i) copy_status(&statuses[i], batch.statuses()[i]);
        return MPI_SUCCESS;
    }
    batch.make_up_statuses();
    std::vector<int> errors;
    bool any = error == MPI_ERR_IN_STATUS;
    for (int i = 0; i < batch.count(); ++i) {
        const int own = batch.complete(i, error == MPI_ERR_IN_STATUS ? batch.statuses()[i].MPI_ERROR : MPI_SUCCESS);
        if (own != MPI_SUCCESS && errors.empty()) errors.resize(static_cast<size_t>(batch.count()));
        if (own != MPI_SUCCESS) errors[static_cast<size_t>(i)] = own, any = true;
    }
    if (!any && error == MPI_SUCCESS) {
        if (statuses != MPI_STATUSES_IGNORE)
            for (int i = 0; i < batch.count(); ++i) copy_status(&statuses[i], batch.statuses()[i]);
        return MPI_SUCCESS;
    }
    errors.resize(static_cast<size_t>(batch.count()));
    return report(error, batch.count(), batch.statuses(), statuses, errors.data());
}

int some_complete(Batch &batch, int error, int *outcount, int *indices, MPI_Status *statuses) {
    std::vector<MPI_Status> found;
    std::vector<int> errors;
    if (*outcount == MPI_UNDEFINED && batch.first_complete() >= 0) *outcount = 0;
    if (*outcount == MPI_UNDEFINED) return error;
    std::vector<MPI_Status> reported(batch.statuses(), batch.statuses() + *outcount);
    for (int k = 0; k < *outcount; ++k) {
        const int i = indices[k];
        const int given = error == MPI_ERR_IN_STATUS ? reported[static_cast<size_t>(k)].MPI_ERROR : MPI_SUCCESS;
        batch.statuses()[i] = reported[static_cast<size_t>(k)];
        errors.push_back(batch.complete(i, given));
        found.push_back(batch.statuses()[i]);
    }
    for (int i; (i = batch.first_complete()) >= 0;) {
        errors.push_back(batch.complete(i, MPI_SUCCESS));
        found.push_back(batch.statuses()[i]);
        indices[(*outcount)++] = i;
    }
    return report(error, *outcount, found.data(), statuses, errors.data());
}

int one_complete(Batch &batch, int index, int error, const MPI_Status &from, MPI_Status *status) {
    if (index == MPI_UNDEFINED) {
        if (status != MPI_STATUS_IGNORE) copy_status(status, from);
        return error;
    }
    batch.statuses()[index] = from;
    error = batch.complete(index, error);
    if (status != MPI_STATUS_IGNORE) copy_status(status, batch.statuses()[index]);
    return error;
}

// Sends that were complete when they had begun: true when there is nothing else to wait for.
bool were_all_sent(int count, MPI_Request *requests, MPI_Status *statuses) {
    const MPI_Request shared = handle_of(&completed_at_once);
    if (requests[0] != shared || status_place == 0) return false;
    if (!std::all_of(requests, requests + count, [=](MPI_Request request) { return request == shared; })) return false;
    if (statuses != MPI_STATUSES_IGNORE)
        for (int i = 0; i < count; ++i) copy_status(&statuses[i], outcome_of(real_of(shared)));
    std::fill_n(requests, count, MPI_REQUEST_NULL);
    return true;
}

// After a call that has completed what the handle stood for, if it was one that many share.
void forget_predefined(MPI_Request *request) {
    if (request && *request && record_of(*request)->predefined) *request = MPI_REQUEST_NULL;
}

}  // namespace

int finish_later(RequestRecord *record, MPI_Status *status) {
    MPI_Status own;
    MPI_Status *result = status == MPI_STATUS_IGNORE ? &own : status;
    own.MPI_SOURCE = MPI_PROC_NULL;
    int error = MPI_SUCCESS;
    Outlook outlook;
    wait_until(
        [&] {
            auto real = static_cast<MPI_Request>(record->real);
            const Outlook::Answer answer = outlook.look(&real, 1);
            if (answer == Outlook::incomplete) return false;
            int done = 1;
            error = answer == Outlook::complete ? lower.Wait(&real, result) : lower.Test(&real, &done, result);
            if (done) record->real = real;
            return done || error != MPI_SUCCESS;
        },
        [&](Peers &peers) { add_peer(peers, record); });
    if (record->complete) [[unlikely]]
        error = deliver_outcome(record, result);
    else
        count_completion(record, *result);
    retire(record);
    return error;
}

int deliver_outcome(RequestRecord *record, MPI_Status *status) {
    copy_status(status, record->status);
    const int error = record->error;
    record->complete = false;
    record->error = MPI_SUCCESS;
    --undelivered;
    if (error != MPI_SUCCESS) lower.Comm_call_errhandler(static_cast<MPI_Comm>(record->comm->real), error);
    return error;
}

extern "C" {

int PMPI_Wait(MPI_Request *request, MPI_Status *status) {
    Guard guard;
    RequestRecord *record = request ? record_of(*request) : nullptr;
    if (!record || !record->active) [[unlikely]] {
        MPI_Request real = record ? static_cast<MPI_Request>(record->real) : nullptr;
        const int error = lower.Wait(request ? &real : nullptr, status);
        forget_predefined(request);
        return error;
    }
    const bool kept = record->persistent;
    const int error = finish(record, status);
    if (!kept) *request = MPI_REQUEST_NULL;
    return error;
}

int PMPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
    Guard guard;
    RequestRecord *record = request ? record_of(*request) : nullptr;
    MPI_Request real = record ? static_cast<MPI_Request>(record->real) : nullptr;
    if (!record || !record->active) {
        const int error = lower.Test(request ? &real : nullptr, flag, status);
        forget_predefined(request);
        return error;
    }
    MPI_Status own;
    MPI_Status *result = status == MPI_STATUS_IGNORE ? &own : status;
    int error = MPI_SUCCESS;
    if (record->complete) [[unlikely]] {
        *flag = 1;
        error = deliver_outcome(record, result);
    } else {
        error = lower.Test(&real, flag, result);
        if (!*flag && error == MPI_SUCCESS) {
            looked_in_vain([&](Peers &peers) { add_peer(peers, record); });
            return error;
        }
        record->real = real;
        count_completion(record, *result);
    }
    const bool kept = record->persistent;
    retire(record);
    if (!kept) *request = MPI_REQUEST_NULL;
    return error;
}

int PMPI_Waitall(int count, MPI_Request *requests, MPI_Status *statuses) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Waitall(count, requests, statuses);
    if (were_all_sent(count, requests, statuses)) return MPI_SUCCESS;
    Batch batch(count, requests, statuses != MPI_STATUSES_IGNORE);
    int error = MPI_SUCCESS, done = 0;
    bool fresh = true;
    Outlook outlook;
    wait_until(
        [&] {
            if (!fresh) {
                batch.read();
                outlook.forget();
                fresh = true;
            }
            if (outlook.look(batch.handles(), batch.count()) == Outlook::incomplete) return false;
            error = lower.Testall(batch.count(), batch.handles(), &done, batch.wanted_statuses());
            return done || error != MPI_SUCCESS;
        },
        [&](Peers &peers) {
            fresh = false;
            batch.collect(peers);
        });
    return all_complete(batch, error, statuses);
}

int PMPI_Testall(int count, MPI_Request *requests, int *flag, MPI_Status *statuses) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Testall(count, requests, flag, statuses);
    Batch batch(count, requests);
    const int error = lower.Testall(batch.count(), batch.handles(), flag, batch.statuses());
    if (!*flag && error == MPI_SUCCESS) {
        looked_in_vain([&](Peers &peers) { batch.collect(peers); });
        return error;
    }
    return all_complete(batch, error, statuses);
}

int PMPI_Waitany(int count, MPI_Request *requests, int *index, MPI_Status *status) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Waitany(count, requests, index, status);
    Batch batch(count, requests);
    MPI_Status found{};
    int error = MPI_SUCCESS, done = 0;
    wait_until(
        [&] {
            if ((*index = batch.first_complete()) >= 0) return true;
            batch.read();
            error = lower.Testany(batch.count(), batch.handles(), index, &done, &found);
            return done || error != MPI_SUCCESS;
        },
        [&](Peers &peers) { batch.collect(peers); });
    return one_complete(batch, *index, error, found, status);
}

int PMPI_Testany(int count, MPI_Request *requests, int *index, int *flag, MPI_Status *status) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Testany(count, requests, index, flag, status);
    Batch batch(count, requests);
    MPI_Status found{};
    int error = MPI_SUCCESS;
    if ((*index = batch.first_complete()) >= 0) {
        *flag = 1;
    } else {
        error = lower.Testany(batch.count(), batch.handles(), index, flag, &found);
        if (!*flag && error == MPI_SUCCESS) {
            looked_in_vain([&](Peers &peers) { batch.collect(peers); });
            *index = MPI_UNDEFINED;
            return error;
        }
    }
    return one_complete(batch, *index, error, found, status);
}

int PMPI_Waitsome(int count, MPI_Request *requests, int *outcount, int *indices, MPI_Status *statuses) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Waitsome(count, requests, outcount, indices, statuses);
    Batch batch(count, requests);
    int error = MPI_SUCCESS;
    wait_until(
        [&] {
            batch.read();
            error = lower.Testsome(batch.count(), batch.handles(), outcount, indices, batch.statuses());
            return *outcount != 0 || error != MPI_SUCCESS || batch.first_complete() >= 0;
        },
        [&](Peers &peers) { batch.collect(peers); });
    return some_complete(batch, error, outcount, indices, statuses);
}

int PMPI_Testsome(int count, MPI_Request *requests, int *outcount, int *indices, MPI_Status *statuses) {
    Guard guard;
    if (count <= 0 || !requests) return lower.Testsome(count, requests, outcount, indices, statuses);
    Batch batch(count, requests);
    const int error = lower.Testsome(batch.count(), batch.handles(), outcount, indices, batch.statuses());
    if (*outcount == 0 && error == MPI_SUCCESS && batch.first_complete() < 0) {
        looked_in_vain([&](Peers &peers) { batch.collect(peers); });
        return error;
    }
    return some_complete(batch, error, outcount, indices, statuses);
}

int PMPI_Request_get_status(MPI_Request request, int *flag, MPI_Status *status) {
    Guard guard;
    RequestRecord *record = record_of(request);
    if (record && record->complete) {
        *flag = 1;
        if (status != MPI_STATUS_IGNORE) copy_status(status, record->status);
        return MPI_SUCCESS;
    }
    const int error = lower.Request_get_status(real_of(request), flag, status);
    if (record && record->active && error == MPI_SUCCESS && !*flag)
        looked_in_vain([&](Peers &peers) { add_peer(peers, record); });
    return error;
}

int PMPI_Cancel(MPI_Request *request) {
    Guard guard;
    RequestRecord *record = request ? record_of(*request) : nullptr;
    if (record && record->complete) return MPI_SUCCESS;  // it was matched before the cut: too late to cancel
    if (record && !record->predefined) record->cancelled = true;
    MPI_Request real = record ? static_cast<MPI_Request>(record->real) : nullptr;
    return lower.Cancel(request ? &real : nullptr);
}

int PMPI_Request_free(MPI_Request *request) {
    Guard guard;
    RequestRecord *record = request ? record_of(*request) : nullptr;
    if (record && record->predefined) {
        auto real = static_cast<MPI_Request>(record->real);
        const int error = lower.Request_free(&real);
        if (error == MPI_SUCCESS) *request = MPI_REQUEST_NULL;
        return error;
    }
    if (record && stop_awaiting(record)) {
        // Its message is out of the network and needs nothing of it: the request is complete, as far as freeing goes.
        record->complete = true;
        record->error = MPI_SUCCESS;
        ++undelivered;
    }
    const bool pending = record && record->active && !record->complete &&
                         (record->operation == Operation::send || record->operation == Operation::receive);
    if (pending) {
        // It goes on to its end without the application: kept until then, since a cut has to know of it.
        record->orphan = true;
        if (record->noted) note_end(record);
        *request = MPI_REQUEST_NULL;
        return MPI_SUCCESS;
    }
    if (record && free_generalized_later(record)) {
        *request = MPI_REQUEST_NULL;
        return MPI_SUCCESS;
    }
    MPI_Request real = record ? static_cast<MPI_Request>(record->real) : nullptr;
    if (record && record->complete && !record->persistent) {
        MPI_Status nobody;
        deliver_outcome(record, &nobody);
    } else {
        const int error = lower.Request_free(request ? &real : nullptr);
        if (error != MPI_SUCCESS) return error;
        if (record->complete) {
            record->complete = false;
            --undelivered;
        }
    }
    if (persistent_collective(record)) forget_persistent_collective(record);
    record->persistent = false;
    retire(record);
    *request = MPI_REQUEST_NULL;
    return MPI_SUCCESS;
}

}  // extern "C"

SCKPT_ALIAS(Wait)
SCKPT_ALIAS(Test)
SCKPT_ALIAS(Waitall)
SCKPT_ALIAS(Testall)
SCKPT_ALIAS(Waitany)
SCKPT_ALIAS(Testany)
SCKPT_ALIAS(Waitsome)
SCKPT_ALIAS(Testsome)
SCKPT_ALIAS(Request_get_status)
SCKPT_ALIAS(Cancel)
SCKPT_ALIAS(Request_free)

}  // namespace sckpt::mpi
