// MPI_THREAD_FUNNELED with OpenMP: parallel loops between the reductions of the main thread.
#include <omp.h>

#include "testcase_mpi.h"

enum { kCells = 4000 };

int main(int argc, char **argv) {
    int provided, is_main;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    begin("openmp_funneled");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(provided >= MPI_THREAD_FUNNELED);
    static uint64_t cells[kCells];
    static long private_rounds;
#pragma omp threadprivate(private_rounds)
    omp_set_num_threads(2);
    for (int i = 0; i < kCells; ++i) cells[i] = i + rank;
    long round = 0;
    ready();
    for (; all_still_waiting(MPI_COMM_WORLD); ++round) {
        uint64_t sum = 0, all;
#pragma omp parallel reduction(+ : sum)
        {
            ++private_rounds;
            if (omp_get_num_threads() != 2) fail("the team has %d threads", omp_get_num_threads());
#pragma omp for schedule(dynamic, 100)
            for (int i = 0; i < kCells; ++i) {
                cells[i] += mix(i);
                sum += cells[i];
            }
        }
        MPI_Allreduce(&sum, &all, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
        uint64_t wanted = 0;
        for (int i = 0; i < kCells; ++i) wanted += size * (i + (round + 1) * mix(i)) + size * (size - 1) / 2;
        CHECK(all == wanted);
    }
#pragma omp parallel
    {
        if (private_rounds != round) fail("a thread has counted %ld rounds, should be %ld", private_rounds, round);
    }
    MPI_Is_thread_main(&is_main);
    CHECK(is_main);
    return finish();
}
