// What a program does with the system all the time, in loops: files, threads, mappings, memory.  No MPI is called.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace {

void open_close(benchmark::State &state) {
    for (auto _ : state) {
        const int fd = open("/dev/null", O_RDONLY);
        if (fd < 0 || close(fd) != 0) state.SkipWithError("cannot open /dev/null");
    }
}
BENCHMARK(open_close);

void thread_create_join(benchmark::State &state) {
    for (auto _ : state) {
        pthread_t thread;
        if (pthread_create(&thread, nullptr, [](void *) -> void * { return nullptr; }, nullptr) != 0 ||
            pthread_join(thread, nullptr) != 0)
            state.SkipWithError("cannot create a thread");
    }
}
BENCHMARK(thread_create_join)->UseRealTime();

void mmap_munmap(benchmark::State &state) {
    constexpr std::size_t kBytes = 64 << 10;
    for (auto _ : state) {
        void *memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) state.SkipWithError("cannot map memory");
        *static_cast<volatile char *>(memory) = 1;
        munmap(memory, kBytes);
    }
}
BENCHMARK(mmap_munmap);

void malloc_free(benchmark::State &state) {
    for (auto _ : state) {
        void *memory = malloc(static_cast<std::size_t>(state.range(0)));
        benchmark::DoNotOptimize(memory);
        free(memory);
    }
}
BENCHMARK(malloc_free)->Arg(64)->Arg(4096);

}  // namespace

BENCHMARK_MAIN();
