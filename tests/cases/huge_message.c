// A message of more bytes than an int counts, sent as a few elements of a derived type, is in the network at the cut.
// Nearly all of it is zero, so that the checkpoint stays small.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

#define PART ((size_t)1 << 28)   // bytes of an element
#define WHOLE (9 * PART)         // 2.25 GiB
#define STEP ((size_t)64 << 20)  // between two marks
enum { TAG = 3 };

// So much for the sender's copy, the one taken off the network and the receiver's.
static bool enough_memory(void) { return sysconf(_SC_AVPHYS_PAGES) > (long)(4 * WHOLE / sysconf(_SC_PAGESIZE)); }

static unsigned char mark(size_t place) { return (unsigned char)(1 + place / STEP * 7); }

int main(int argc, char **argv) {
    start(&argc, &argv, "huge_message");
    int enough = enough_memory(), all = 0;
    MPI_Allreduce(&enough, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    MPI_Datatype part;
    MPI_Type_contiguous(PART, MPI_BYTE, &part);
    MPI_Type_commit(&part);
    const int elements = all ? WHOLE / PART : 1;
    const size_t bytes = elements * PART;
    unsigned char *buffer = calloc(bytes, 1);
    CHECK(buffer != NULL);
    MPI_Request request = MPI_REQUEST_NULL;
    if (rank == 0) {
        for (size_t place = 0; place < bytes; place += STEP) buffer[place] = mark(place);
        buffer[bytes - 1] = 99;
        MPI_Isend(buffer, elements, part, 1, TAG, MPI_COMM_WORLD, &request);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    ready();
    wait_for_go();

    if (rank == 1) {
        MPI_Status status;
        int count = 0;
        MPI_Recv(buffer, elements, part, 0, TAG, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, part, &count);
        CHECK_EQUAL(count, elements);
        for (size_t place = 0; place < bytes; place += STEP) {
            CHECK_EQUAL(buffer[place], mark(place));
            buffer[place] = 0;
        }
        CHECK_EQUAL(buffer[bytes - 1], 99);
        buffer[bytes - 1] = 0;
        for (size_t place = 0; place < bytes; place += sizeof(uint64_t))
            if (*(uint64_t *)(buffer + place) != 0) fail("byte %zu is not what was sent", place);
    }
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Type_free(&part);
    free(buffer);
    return finish();
}
