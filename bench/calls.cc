// What a call of MPI costs: two ranks, run natively and under sckpt by bench/run.py, which compares the two.
//
// Rank 0 runs Google Benchmark; rank 1 follows.  Google Benchmark decides how many iterations a benchmark makes only
// when it runs it, so rank 0 sends an Order first and both sides make exactly that many.  The control messages and one
// untimed exchange (connections are set up at the first message) stay outside the timed loop.
#include <benchmark/benchmark.h>
#include <mpi.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace sckpt::bench {
namespace {

enum class Kind : std::int64_t { end, ping_pong, exchange, window, allreduce, iallreduce };

struct Order {
    Kind kind;
    std::int64_t bytes;
    std::int64_t iterations;
};

constexpr int kControlTag = 1;
constexpr int kDataTag = 2;

void ping(std::vector<char> &buffer) {
    const int bytes = static_cast<int>(buffer.size());
    MPI_Send(buffer.data(), bytes, MPI_CHAR, 1, kDataTag, MPI_COMM_WORLD);
    MPI_Recv(buffer.data(), bytes, MPI_CHAR, 1, kDataTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void pong(std::vector<char> &buffer) {
    const int bytes = static_cast<int>(buffer.size());
    MPI_Recv(buffer.data(), bytes, MPI_CHAR, 0, kDataTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(buffer.data(), bytes, MPI_CHAR, 0, kDataTag, MPI_COMM_WORLD);
}

void exchange(int peer, std::vector<char> &out, std::vector<char> &in) {
    const int bytes = static_cast<int>(out.size());
    MPI_Request requests[2];
    MPI_Irecv(in.data(), bytes, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(out.data(), bytes, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
}

constexpr int kWindow = 64;

// The window of the usual message-rate benchmarks: many small messages one way, then an answer.
void send_window(int peer, std::vector<char> &buffer) {
    MPI_Request requests[kWindow];
    const int bytes = static_cast<int>(buffer.size());
    for (MPI_Request &request : requests)
        MPI_Isend(buffer.data(), bytes, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD, &request);
    MPI_Waitall(kWindow, requests, MPI_STATUSES_IGNORE);
    MPI_Recv(nullptr, 0, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void receive_window(int peer, std::vector<char> &buffer) {
    MPI_Request requests[kWindow];
    const int bytes = static_cast<int>(buffer.size());
    for (MPI_Request &request : requests)
        MPI_Irecv(buffer.data(), bytes, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD, &request);
    MPI_Waitall(kWindow, requests, MPI_STATUSES_IGNORE);
    MPI_Send(nullptr, 0, MPI_CHAR, peer, kDataTag, MPI_COMM_WORLD);
}

double iallreduce(double value) {
    double sum = 0;
    MPI_Request request;
    MPI_Iallreduce(&value, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    return sum;
}

// Memory of both ranks that the other writes to; made once, since a window must be made by both.
struct Target {
    std::int64_t memory[8] = {};
    MPI_Win window = MPI_WIN_NULL;
    void open() {
        MPI_Win_create(memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &window);
        MPI_Win_lock_all(MPI_MODE_NOCHECK, window);
    }
    void close() {
        MPI_Win_unlock_all(window);
        MPI_Win_free(&window);
    }
    void put(std::int64_t value) {
        MPI_Put(&value, sizeof value, MPI_BYTE, 1, 0, sizeof value, MPI_BYTE, window);
        MPI_Win_flush(1, window);
    }
} target;

double allreduce(double value) {
    double sum = 0;
    MPI_Allreduce(&value, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

void send_order(const Order &order) { MPI_Send(&order, sizeof order, MPI_BYTE, 1, kControlTag, MPI_COMM_WORLD); }

void run_comm_rank(benchmark::State &state) {
    int rank = -1;
    for (auto _ : state) {
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        benchmark::DoNotOptimize(rank);
    }
}

void run_ping_pong(benchmark::State &state) {
    std::vector<char> buffer(static_cast<std::size_t>(state.range(0)));
    send_order({Kind::ping_pong, state.range(0), static_cast<std::int64_t>(state.max_iterations)});
    ping(buffer);
    for (auto _ : state) ping(buffer);
}

void run_exchange(benchmark::State &state) {
    std::vector<char> out(static_cast<std::size_t>(state.range(0))), in(out.size());
    send_order({Kind::exchange, state.range(0), static_cast<std::int64_t>(state.max_iterations)});
    exchange(1, out, in);
    for (auto _ : state) exchange(1, out, in);
}

void run_allreduce(benchmark::State &state) {
    send_order({Kind::allreduce, sizeof(double), static_cast<std::int64_t>(state.max_iterations)});
    double sum = allreduce(1);
    for (auto _ : state) sum = allreduce(1);
    if (sum != 2) state.SkipWithError("MPI_Allreduce of 1 over two ranks is not 2");
}

void run_message_rate(benchmark::State &state) {
    std::vector<char> buffer(static_cast<std::size_t>(state.range(0)));
    send_order({Kind::window, state.range(0), static_cast<std::int64_t>(state.max_iterations)});
    send_window(1, buffer);
    for (auto _ : state) send_window(1, buffer);
}

void run_iallreduce(benchmark::State &state) {
    send_order({Kind::iallreduce, sizeof(double), static_cast<std::int64_t>(state.max_iterations)});
    double sum = iallreduce(1);
    for (auto _ : state) sum = iallreduce(1);
    if (sum != 2) state.SkipWithError("MPI_Iallreduce of 1 over two ranks is not 2");
}

void run_put_flush(benchmark::State &state) {
    std::int64_t number = 0;
    for (auto _ : state) target.put(++number);  // rank 1 waits for its next order, which is all that it has to do
}

// Rank 1: obeys until told to end.
void follow() {
    for (;;) {
        Order order;
        MPI_Recv(&order, sizeof order, MPI_BYTE, 0, kControlTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (order.kind == Kind::end) return;
        std::vector<char> out(static_cast<std::size_t>(order.bytes)), in(out.size());
        for (std::int64_t i = 0; i <= order.iterations; ++i) {  // one more: the untimed first
            switch (order.kind) {
                case Kind::ping_pong:
                    pong(in);
                    break;
                case Kind::exchange:
                    exchange(0, out, in);
                    break;
                case Kind::allreduce:
                    allreduce(1);
                    break;
                case Kind::window:
                    receive_window(0, in);
                    break;
                case Kind::iallreduce:
                    iallreduce(1);
                    break;
                case Kind::end:
                    break;
            }
        }
    }
}

void register_benchmarks() {
    constexpr std::int64_t kMiB = 1 << 20;
    // Real time: a rank that waits in MPI spins, so its CPU time says nothing.
    benchmark::RegisterBenchmark("comm_rank", run_comm_rank)->UseRealTime();
    benchmark::RegisterBenchmark("ping_pong", run_ping_pong)->Arg(8)->Arg(kMiB)->UseRealTime();
    benchmark::RegisterBenchmark("irecv_isend_waitall", run_exchange)->Arg(8)->UseRealTime();
    benchmark::RegisterBenchmark("message_rate", run_message_rate)->Arg(8)->UseRealTime();
    benchmark::RegisterBenchmark("allreduce", run_allreduce)->UseRealTime();
    benchmark::RegisterBenchmark("iallreduce", run_iallreduce)->UseRealTime();
    benchmark::RegisterBenchmark("put_flush", run_put_flush)->UseRealTime();
}

}  // namespace
}  // namespace sckpt::bench

int main(int argc, char **argv) {
    using namespace sckpt::bench;
    MPI_Init(&argc, &argv);
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size != 2) {
        if (rank == 0) std::fprintf(stderr, "calls: needs 2 ranks, got %d: start it with mpirun -np 2\n", size);
        MPI_Finalize();
        return EXIT_FAILURE;
    }
    std::size_t benchmarks = 1;
    target.open();
    if (rank == 0) {
        register_benchmarks();
        benchmark::Initialize(&argc, argv);
        benchmarks = benchmark::RunSpecifiedBenchmarks();
        send_order({Kind::end, 0, 0});
    } else {
        follow();
    }
    target.close();
    MPI_Finalize();
    return benchmarks > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
