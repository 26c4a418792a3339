// Memory that MPI_Alloc_mem gave, and the places of the predefined attributes that MPI_Comm_get_attr gave, belong to the
// program: contents and addresses stay.
#include "testcase_mpi.h"

enum { kBytes = 5000000 };

int main(int argc, char **argv) {
    start(&argc, &argv, "alloc_mem");
    unsigned char *small, *large;
    MPI_Alloc_mem(1000, MPI_INFO_NULL, &small);
    MPI_Alloc_mem(kBytes, MPI_INFO_NULL, &large);
    fill(small, 1000, 1);
    fill(large, kBytes, 2);
    const int kNames[] = {MPI_TAG_UB, MPI_WTIME_IS_GLOBAL, MPI_UNIVERSE_SIZE};
    int *places[3], values[3], found[3];
    for (int i = 0; i < 3; ++i) {
        MPI_Comm_get_attr(MPI_COMM_WORLD, kNames[i], &places[i], &found[i]);
        if (found[i]) values[i] = *places[i];
    }
    CHECK(found[0]);
    ready();
    wait_for_go();

    expect(small, 1000, 1, "memory of MPI_Alloc_mem");
    expect(large, kBytes, 2, "memory of MPI_Alloc_mem");
    for (int i = 0; i < 3; ++i)
        if (found[i]) CHECK_EQUAL(*places[i], values[i]);
    MPI_Free_mem(small);
    MPI_Free_mem(large);
    return finish();
}
