// MPI-3.1, 3.2 to 3.11: point-to-point communication.  Every mode, blocking and not, with its status; requests started
// before the checkpoint and completed after it; MPI_PROC_NULL, null and inactive requests, truncation, cancelled
// receives, and the errors of wrong arguments.
#include "conformance.h"

enum { kPending = 16, kPersistent = 6, kLength = 300 };
static MPI_Request pending[kPending], persistent[kPersistent];
static int outgoing[kPending][kLength], incoming[kPending][kLength], count;
static int from_persistent[kPersistent][kLength];
static char attached[1 << 16];
static MPI_Comm comm;

static int next(void) { return (rank + 1) % size; }
static int previous(void) { return (rank + size - 1) % size; }

// Receives are posted first: that makes ready mode correct.
static void start_pending(void) {
    count = 0;
    int ignored = 0;
    for (int i = 0; i < 4; ++i)
        CALL(MPI_Irecv(incoming[i], kLength, MPI_INT, i == 2 ? MPI_ANY_SOURCE : previous(), i == 3 ? MPI_ANY_TAG : i, comm,
                       &pending[count++]));
    MPI_Barrier(comm);
    for (int i = 0; i < 4; ++i)
        for (int k = 0; k < kLength; ++k) outgoing[i][k] = rank * 1000 + i * 100 + k;
    CALL(MPI_Irsend(outgoing[0], kLength, MPI_INT, next(), 0, comm, &pending[count++]));
    CALL(MPI_Issend(outgoing[1], kLength - 1, MPI_INT, next(), 1, comm, &pending[count++]));
    CALL(MPI_Ibsend(outgoing[2], kLength - 2, MPI_INT, next(), 2, comm, &pending[count++]));
    CALL(MPI_Isend(outgoing[3], kLength - 3, MPI_INT, next(), 3, comm, &pending[count++]));
    CALL(MPI_Irecv(&ignored, 1, MPI_INT, MPI_PROC_NULL, 3, comm, &pending[count++]));
    CALL(MPI_Isend(&ignored, 1, MPI_INT, MPI_PROC_NULL, 3, comm, &pending[count++]));
    pending[count++] = MPI_REQUEST_NULL;
}

static void complete_pending(void) {
    MPI_Status statuses[kPending];
    CALL(MPI_Waitall(count, pending, statuses));
    for (int i = 0; i < count; ++i) {
        // Statuses of sends say nothing but their error.
        if (i < 4 || i >= 8) tell_status("pending", &statuses[i], MPI_INT, false);
        TELL(pending[i] == MPI_REQUEST_NULL);
    }
    for (int i = 0; i < 4; ++i) tell_bytes("pending", incoming[i], sizeof incoming[i]);
}

static void make(void) {
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    CALL(MPI_Buffer_attach(attached, sizeof attached));
    CALL(MPI_Recv_init(from_persistent[0], kLength, MPI_INT, previous(), MPI_ANY_TAG, comm, &persistent[0]));
    CALL(MPI_Send_init(from_persistent[1], 10, MPI_INT, next(), 50, comm, &persistent[1]));
    CALL(MPI_Bsend_init(from_persistent[2], 20, MPI_INT, next(), 51, comm, &persistent[2]));
    CALL(MPI_Ssend_init(from_persistent[3], 30, MPI_INT, next(), 52, comm, &persistent[3]));
    CALL(MPI_Rsend_init(from_persistent[4], 40, MPI_INT, next(), 53, comm, &persistent[4]));
    CALL(MPI_Recv_init(from_persistent[5], 1, MPI_INT, MPI_PROC_NULL, 53, comm, &persistent[5]));
    for (int i = 1; i < 5; ++i)
        for (int k = 0; k < kLength; ++k) from_persistent[i][k] = rank + i * k;
}

static void all_modes(void) {
    int data[8] = {rank, 1, 2, 3, 4, 5, 6, 7}, got[8];
    MPI_Status status;
    MPI_Request request;
    int (*const modes[])(const void *, int, MPI_Datatype, int, int, MPI_Comm) = {MPI_Send, MPI_Bsend, MPI_Ssend, MPI_Rsend};
    for (int i = 0; i < 4; ++i) {
        MPI_Irecv(got, 8, MPI_INT, previous(), MPI_ANY_TAG, comm, &request);
        MPI_Barrier(comm);
        tell("mode %d: %d", i, modes[i](data, 4 + i, MPI_INT, next(), 10 + i, comm));
        MPI_Wait(&request, &status);
        tell_status("  status", &status, MPI_INT, false);
        tell_ints("  got", got, 4 + i);
    }
    CALL(MPI_Sendrecv(data, 3, MPI_INT, next(), 1, got, 8, MPI_INT, previous(), 1, comm, &status));
    tell_status("sendrecv", &status, MPI_INT, false);
    CALL(MPI_Sendrecv_replace(data, 3, MPI_INT, next(), 2, previous(), MPI_ANY_TAG, comm, &status));
    tell_status("replace", &status, MPI_INT, false);
    tell_ints("replaced", data, 8);
    CALL(MPI_Sendrecv(data, 3, MPI_INT, MPI_PROC_NULL, 1, got, 8, MPI_INT, MPI_PROC_NULL, 1, comm, &status));
    tell_status("null", &status, MPI_INT, false);

    int found, index;
    MPI_Message message;
    MPI_Isend(data, 5, MPI_INT, next(), 77, comm, &request);
    CALL(MPI_Probe(MPI_ANY_SOURCE, 77, comm, &status));
    tell_status("probe", &status, MPI_INT, false);
    CALL(MPI_Mprobe(previous(), MPI_ANY_TAG, comm, &message, &status));
    tell_status("mprobe", &status, MPI_BYTE, false);
    CALL(MPI_Mrecv(got, 8, MPI_INT, &message, &status));
    TELL(message == MPI_MESSAGE_NULL);
    tell_status("mrecv", &status, MPI_INT, false);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CALL(MPI_Iprobe(MPI_PROC_NULL, 1, comm, &found, &status));
    TELL(found);
    tell_status("iprobe", &status, MPI_INT, false);
    CALL(MPI_Improbe(MPI_PROC_NULL, 1, comm, &found, &message, &status));
    TELL(found && message == MPI_MESSAGE_NO_PROC);
    CALL(MPI_Imrecv(got, 8, MPI_INT, &message, &request));
    CALL(MPI_Wait(&request, &status));
    tell_status("imrecv", &status, MPI_INT, false);

    MPI_Request none[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL}, inactive[2] = {persistent[0], persistent[1]};
    MPI_Status statuses[2];
    CALL(MPI_Wait(&none[0], &status));
    tell_status("wait null", &status, MPI_INT, false);
    CALL(MPI_Waitany(2, none, &index, &status));
    TELL(index == MPI_UNDEFINED);
    tell_status("waitany null", &status, MPI_INT, false);
    CALL(MPI_Testany(2, inactive, &index, &found, &status));
    TELL(found && index == MPI_UNDEFINED);
    CALL(MPI_Testsome(2, inactive, &index, &found, statuses));
    TELL(index == MPI_UNDEFINED);
    CALL(MPI_Waitsome(2, none, &index, &found, statuses));
    TELL(index == MPI_UNDEFINED);
    CALL(MPI_Testall(2, inactive, &found, statuses));
    TELL(found);
    tell_status("inactive", &statuses[0], MPI_INT, false);
    CALL(MPI_Request_get_status(persistent[0], &found, &status));
    TELL(found);
    CALL(MPI_Request_get_status(MPI_REQUEST_NULL, &found, &status));
    tell_status("status of null", &status, MPI_INT, false);

    MPI_Irecv(got, 8, MPI_INT, previous(), 99, comm, &request);
    CALL(MPI_Cancel(&request));
    CALL(MPI_Wait(&request, &status));
    MPI_Test_cancelled(&status, &found);
    TELL(found);
}

static void use_persistent(void) {
    MPI_Status status;
    for (int i = 1; i < 5; ++i) {
        CALL(MPI_Start(&persistent[0]));
        MPI_Barrier(comm);
        CALL(MPI_Startall(1, &persistent[i]));
        CALL(MPI_Wait(&persistent[i], MPI_STATUS_IGNORE));
        CALL(MPI_Wait(&persistent[0], &status));
        tell_status("persistent", &status, MPI_INT, false);
        tell_bytes("persistent", from_persistent[0], sizeof from_persistent[0]);
        TELL(persistent[0] != MPI_REQUEST_NULL);
    }
    CALL(MPI_Start(&persistent[5]));
    CALL(MPI_Wait(&persistent[5], &status));
    tell_status("persistent null", &status, MPI_INT, false);
}

static void errors(void) {
    int data[4] = {1, 2, 3, 4}, got[4] = {0};
    MPI_Status status, statuses[2];
    MPI_Request request, two[2];
    MPI_Message message;
    CALL(MPI_Send(data, 1, MPI_INT, size, 0, comm));
    CALL(MPI_Send(data, 1, MPI_INT, -7, 0, comm));
    CALL(MPI_Send(data, 1, MPI_INT, next(), -1, comm));
    CALL(MPI_Send(data, 1, MPI_INT, next(), MPI_ANY_TAG, comm));
    CALL(MPI_Send(data, -1, MPI_INT, next(), 0, comm));
    CALL(MPI_Send(data, 1, MPI_DATATYPE_NULL, next(), 0, comm));
    CALL(MPI_Send(data, 1, MPI_INT, next(), 0, MPI_COMM_NULL));
    CALL(MPI_Ssend(data, 1, MPI_INT, MPI_ANY_SOURCE, 0, comm));
    CALL(MPI_Rsend(data, -2, MPI_INT, next(), 0, comm));
    CALL(MPI_Isend(data, 1, MPI_INT, size, 0, comm, &request));
    CALL(MPI_Issend(data, 1, MPI_INT, next(), 0, comm, NULL));
    CALL(MPI_Irsend(data, 1, MPI_INT, next(), -8, comm, &request));
    CALL(MPI_Ibsend(data, 1, MPI_INT, size + 1, 0, comm, &request));
    CALL(MPI_Recv(got, 1, MPI_INT, size, 0, comm, &status));
    CALL(MPI_Recv(got, -1, MPI_INT, 0, 0, comm, &status));
    CALL(MPI_Recv(got, 1, MPI_INT, 0, -9, comm, &status));
    CALL(MPI_Irecv(got, 1, MPI_DATATYPE_NULL, 0, 0, comm, &request));
    CALL(MPI_Irecv(got, 1, MPI_INT, 0, 0, MPI_COMM_NULL, &request));
    CALL(MPI_Send_init(data, 1, MPI_INT, size, 0, comm, &request));
    CALL(MPI_Send_init(data, 1, MPI_INT, 0, 0, comm, NULL));
    CALL(MPI_Irecv(data, 1, MPI_INT, 0, 0, comm, NULL));
    CALL(MPI_Bsend_init(data, 1, MPI_INT, size, 0, comm, &request));
    CALL(MPI_Ssend_init(data, -1, MPI_INT, 0, 0, comm, &request));
    CALL(MPI_Rsend_init(data, 1, MPI_INT, 0, -5, comm, &request));
    CALL(MPI_Recv_init(data, 1, MPI_INT, size, 0, comm, &request));
    request = MPI_REQUEST_NULL;
    CALL(MPI_Start(&request));
    CALL(MPI_Startall(1, &request));
    CALL(MPI_Cancel(&request));
    CALL(MPI_Request_free(&request));
    CALL(MPI_Wait(NULL, &status));
    CALL(MPI_Waitall(-1, &request, statuses));
    CALL(MPI_Waitany(1, NULL, got, &status));
    CALL(MPI_Probe(size, 0, comm, &status));
    CALL(MPI_Iprobe(0, -4, comm, got, &status));
    CALL(MPI_Sendrecv(data, 1, MPI_INT, size, 0, got, 1, MPI_INT, 0, 0, comm, &status));
    CALL(MPI_Sendrecv_replace(data, 1, MPI_INT, 0, 0, size, 0, comm, &status));
    CALL(MPI_Get_count(&status, MPI_DATATYPE_NULL, got));
    CALL(MPI_Buffer_attach(attached, sizeof attached));
    CALL(MPI_Buffer_attach(NULL, -1));

    // Truncation is an error of the receive: a single one, one of several, a matched one.
    MPI_Isend(data, 4, MPI_INT, next(), 5, comm, &request);
    CALL(MPI_Recv(got, 2, MPI_INT, previous(), 5, comm, &status));
    TELL(status.MPI_SOURCE);
    TELL(status.MPI_TAG);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Irecv(got, 1, MPI_INT, previous(), 6, comm, &two[0]);
    MPI_Irecv(got + 1, 1, MPI_INT, previous(), 7, comm, &two[1]);
    MPI_Barrier(comm);
    MPI_Send(data, 3, MPI_INT, next(), 6, comm);
    MPI_Send(data, 1, MPI_INT, next(), 7, comm);
    // Of a single rank Open MPI reports none here; statuses hold an error only when the call fails.
    if (CALL(MPI_Waitall(2, two, statuses)) == MPI_ERR_IN_STATUS) {
        TELL(statuses[0].MPI_ERROR);
        TELL(statuses[1].MPI_ERROR);
    }
    for (int i = 0; i < 2; ++i)
        if (two[i] != MPI_REQUEST_NULL) MPI_Wait(&two[i], MPI_STATUS_IGNORE);
    MPI_Isend(data, 4, MPI_INT, next(), 8, comm, &request);
    MPI_Mprobe(previous(), 8, comm, &message, &status);
    CALL(MPI_Mrecv(got, 3, MPI_INT, &message, &status));
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}

static void look(void) {
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    // Before the checkpoint these are left pending, and completed after it.
    if (count) complete_pending();
    all_modes();
    use_persistent();
    errors();
    MPI_Barrier(comm);
    bool first = !count;
    if (first) start_pending();
    if (first) return;
    void *buffer;
    int bytes;
    for (int i = 0; i < kPersistent; ++i) CALL(MPI_Request_free(&persistent[i]));
    CALL(MPI_Buffer_detach(&buffer, &bytes));
    TELL(buffer == attached && bytes == sizeof attached);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_pt2pt", make, look); }
