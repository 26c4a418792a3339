// A request that comes before MPI_Init is served after it.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    begin("request_before_init");
    static unsigned char data[100000];
    fill(data, sizeof data, 3);
    ready();
    while (still_waiting() && !requested()) nap();
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    wait_for_go();
    expect(data, sizeof data, 3, "data of before MPI_Init");
    return finish();
}
