// A job that does nothing but synchronise: barriers DIRECTORY.  It talks to bench/settle.py through files in DIRECTORY:
//   ready.R   written by rank R before its loop: its process id
//   go        ends the loop; then result.R says "ok", and barrier has the median of the times that MPI_Barrier took in
//             rank 0, in microseconds (checkpoints are between few of them)
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/job_files.h"

int main(int argc, char **argv) {
    using namespace sckpt::bench;
    MPI_Init(&argc, &argv);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc != 2) {
        if (rank == 0) std::fprintf(stderr, "usage: barriers DIRECTORY\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    const std::string directory = argv[1];
    const std::string name = std::to_string(rank);
    constexpr std::size_t kKept = 1 << 16, kInARow = 32;
    std::vector<double> times;
    times.reserve(kKept);
    put(directory + "/ready." + name, std::to_string(getpid()) + "\n");

    for (std::size_t turn = 0; keep_going(rank, directory + "/go");) {
        for (std::size_t i = 0; i < kInARow; ++i, ++turn) {
            const double begin = MPI_Wtime();
            MPI_Barrier(MPI_COMM_WORLD);
            const double seconds = MPI_Wtime() - begin;
            if (times.size() < kKept)
                times.push_back(seconds);
            else
                times[turn % kKept] = seconds;
        }
    }

    if (rank == 0) {
        const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        put(directory + "/barrier", (times.empty() ? "0" : std::to_string(*middle * 1e6)) + "\n");
    }
    put(directory + "/result." + name, "ok\n");
    MPI_Finalize();
    return EXIT_SUCCESS;
}
