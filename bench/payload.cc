// A job with memory to save: payload DIRECTORY MIB [MAPPINGS].  Every rank fills MIB MiB with pseudo-random bytes and
// makes MAPPINGS mappings more, of one page each, then runs a loop of one small MPI_Allreduce and a pause of 2 ms, which
// makes it an idle job that notices everything soon. It talks to bench/checkpoint.py through files in DIRECTORY:
//   ready.R  written by rank R when its memory is filled: its process id
//   ping     asks: every rank R that sees it creates pong.R with the milliseconds of its longest turn so far
//   go       ends the loop; the memory is checked, and result.R says "ok" or "wrong"
#include <mpi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/job_files.h"

namespace {

using Clock = std::chrono::steady_clock;

void fill(std::vector<std::uint64_t> &memory, int rank) {
    std::mt19937_64 generator(static_cast<std::uint64_t>(rank) + 1);
    std::generate(memory.begin(), memory.end(), generator);
}

bool intact(const std::vector<std::uint64_t> &memory, int rank) {
    std::mt19937_64 generator(static_cast<std::uint64_t>(rank) + 1);
    return std::all_of(memory.begin(), memory.end(), [&](std::uint64_t word) { return word == generator(); });
}

// Every second page is read-only, so that no two are one mapping to the kernel.
bool map_pages(std::size_t count) {
    constexpr std::size_t kPage = 4096;
    if (count == 0) return true;
    void *area = mmap(nullptr, count * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) return false;
    for (std::size_t page = 0; page < count; page += 2)
        if (mprotect(static_cast<char *>(area) + page * kPage, kPage, PROT_READ) != 0) return false;
    return true;
}

}  // namespace

int main(int argc, char **argv) {
    using namespace sckpt::bench;
    MPI_Init(&argc, &argv);
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc != 3 && argc != 4) {
        if (rank == 0) std::fprintf(stderr, "usage: payload DIRECTORY MIB [MAPPINGS]\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    const std::string directory = argv[1];
    const std::string name = std::to_string(rank);
    std::vector<std::uint64_t> memory(std::strtoull(argv[2], nullptr, 10) * ((1 << 20) / sizeof(std::uint64_t)));
    fill(memory, rank);
    if (!map_pages(argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 0)) {
        std::perror("cannot make so many mappings (vm.max_map_count)");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    put(directory + "/ready." + name, std::to_string(getpid()) + "\n");

    bool answered = false;
    std::chrono::duration<double, std::milli> longest{0};
    for (auto last = Clock::now(); keep_going(rank, directory + "/go");) {
        const bool asked = exists(directory + "/ping");
        if (asked && !answered) put(directory + "/pong." + name, std::to_string(longest.count()) + "\n");
        answered = asked;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const auto now = Clock::now();
        longest = std::max<std::chrono::duration<double, std::milli>>(longest, now - last);
        last = now;
    }

    const bool good = intact(memory, rank);
    put(directory + "/result." + name, good ? "ok\n" : "wrong\n");
    MPI_Finalize();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
