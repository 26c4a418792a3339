// Persistent synchronous sends that are active at the cut: one completes when it is received, and can be started again;
// one is freed while it is active, and its message is received all the same; cancelling does not complete one.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "ssend_init_pending");
    int left = (rank + size - 1) % size, right = (rank + 1) % size, done;
    char kept_data[300], freed_data[300], in[300];
    MPI_Request kept, freed;
    MPI_Ssend_init(kept_data, sizeof kept_data, MPI_CHAR, right, 5, MPI_COMM_WORLD, &kept);
    MPI_Ssend_init(freed_data, sizeof freed_data, MPI_CHAR, right, 6, MPI_COMM_WORLD, &freed);
    fill(kept_data, sizeof kept_data, 100 * rank);
    fill(freed_data, sizeof freed_data, 100 * rank + 50);
    MPI_Start(&kept);
    MPI_Start(&freed);
    ready();
    while (still_waiting()) {
        MPI_Test(&kept, &done, MPI_STATUS_IGNORE);
        if (done) fail("a persistent synchronous send completed although nobody has received it");
        nap();
    }
    MPI_Request_free(&freed);
    CHECK(freed == MPI_REQUEST_NULL);
    MPI_Cancel(&kept);  // Open MPI cancels no sends
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Test(&kept, &done, MPI_STATUS_IGNORE);
    if (done) fail("a persistent synchronous send completed although nobody has received it");
    MPI_Barrier(MPI_COMM_WORLD);
    for (int round = 0; round < 4; ++round) {
        if (round > 0) {
            MPI_Test(&kept, &done, MPI_STATUS_IGNORE);  // inactive: complete at once
            CHECK_EQUAL(done, 1);
            fill(kept_data, sizeof kept_data, 100 * rank + round);
            MPI_Start(&kept);
        }
        MPI_Recv(in, sizeof in, MPI_CHAR, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        expect(in, sizeof in, 100 * left + round, "a message of a persistent synchronous send");
        MPI_Wait(&kept, MPI_STATUS_IGNORE);
        CHECK(kept != MPI_REQUEST_NULL);
    }
    MPI_Recv(in, sizeof in, MPI_CHAR, left, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    expect(in, sizeof in, 100 * left + 50, "a message whose request was freed");
    MPI_Request_free(&kept);
    return finish();
}
