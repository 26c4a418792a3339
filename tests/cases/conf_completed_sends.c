// MPI-3.1, 3.7.3 and 3.7.5: sends that are complete when MPI_Isend returns, for which MPI may give a request that they
// share: held over the cut, and each way to complete, free or cancel one.  In rounds: messages to oneself, small ones to
// the next rank, and to nobody.
#include "conformance.h"

enum { WAYS = 9, TAG = 11 };
static const int kNobody = MPI_PROC_NULL;
static MPI_Request held[3];
static int64_t data = 42;

static int peers(int i) { return i == 0 ? rank : i == 1 ? (rank + 1) % size : kNobody; }

static void send_all(MPI_Request *requests) {
    for (int i = 0; i < 3; ++i) CALL(MPI_Isend(&data, 1, MPI_INT64_T, peers(i), TAG, MPI_COMM_WORLD, &requests[i]));
}

// Two messages came with each send_all().
static void receive_all(void) {
    int64_t got = 0;
    for (int i = 0; i < 2; ++i) {
        const int from = i == 0 ? rank : (rank + size - 1) % size;
        CHECK_EQUAL(MPI_Recv(&got, 1, MPI_INT64_T, from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE), MPI_SUCCESS);
        CHECK_EQUAL(got, 42);
    }
}

static void tell_nulls(const char *what, const MPI_Request *requests) {
    tell("%s: null %d %d %d", what, requests[0] == MPI_REQUEST_NULL, requests[1] == MPI_REQUEST_NULL,
         requests[2] == MPI_REQUEST_NULL);
}

static void complete(int way, MPI_Request *requests) {
    MPI_Status statuses[3];
    int flag = -1, index = -1, count = 0, indices[3], found = 0, round;
    memset(statuses, 0, sizeof statuses);
    switch (way) {
        case 0:
            for (int i = 0; i < 3; ++i) CALL(MPI_Wait(&requests[i], &statuses[i]));
            break;
        case 1:
            for (int i = 0; i < 3; ++i) do MPI_Test(&requests[i], &flag, &statuses[i]); while (!flag);
            break;
        case 2: CALL(MPI_Waitall(3, requests, statuses)); break;
        case 3: do MPI_Testall(3, requests, &flag, statuses); while (!flag); break;
        case 4:
            for (round = 0; round < 3; ++round) MPI_Waitany(3, requests, &index, &statuses[round]);
            CALL(MPI_Waitany(3, requests, &index, &statuses[0]));
            TELL(index == MPI_UNDEFINED);
            break;
        case 5:
            for (round = 0; round < 3; ++round) do MPI_Testany(3, requests, &index, &flag, &statuses[round]); while (!flag);
            break;
        case 6:
            while (found < 3) {
                MPI_Waitsome(3, requests, &count, indices, statuses);
                found += count;
            }
            CALL(MPI_Waitsome(3, requests, &count, indices, statuses));
            TELL(count == MPI_UNDEFINED);
            return tell_nulls("waitsome", requests);
        case 7:
            for (int i = 0; i < 3; ++i) CALL(MPI_Request_free(&requests[i]));
            return tell_nulls("free", requests);
        case 8:
            for (int i = 0; i < 3; ++i) {
                do MPI_Request_get_status(requests[i], &flag, &statuses[i]); while (!flag);
                CALL(MPI_Cancel(&requests[i]));
                CALL(MPI_Wait(&requests[i], &statuses[i]));
            }
            break;
    }
    for (int i = 0; i < 3; ++i) {
        int cancelled = -1;
        MPI_Test_cancelled(&statuses[i], &cancelled);
        tell("way %d, %d: cancelled %d", way, i, cancelled);
    }
    tell_nulls("completed", requests);
}

static void make(void) { send_all(held); }

static void look(void) {
    tell_nulls("held", held);
    MPI_Request again[3];
    for (int way = 0; way < WAYS; ++way) {
        send_all(again);
        for (int i = 0; i < 3; ++i) CHECK(MPI_Request_f2c(MPI_Request_c2f(again[i])) == again[i]);
        complete(way, again);
        receive_all();
    }
    complete(2, held);
    receive_all();
    send_all(held);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_completed_sends", make, look); }
