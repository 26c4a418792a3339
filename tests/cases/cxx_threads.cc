// Threads and synchronisation of the C++ library, waiting at the cut: jthread and stop_token, async, timed futures,
// atomic wait, latch, barrier, semaphore, condition_variable_any, shared_mutex.
#include <pthread.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "testcase_mpi.h"

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

std::atomic<int> started, finished, flag;
std::atomic<long> wide;
std::promise<int> promised, never;
std::latch latch(1);
std::barrier<> barrier(2);
std::counting_semaphore<> semaphore(0), empty(0);
std::timed_mutex held;
std::shared_timed_mutex shared;
std::mutex mutex;
std::condition_variable_any any;
std::condition_variable condition;

template <class Wait>
std::jthread waiting(Wait wait) {
    return std::jthread([wait](std::stop_token stop) {
        pthread_setname_np(pthread_self(), "app-waiter");
        ++started;
        wait(stop);
        ++finished;
    });
}
// Runs `wait`, which is to last as long as `span`.
template <class Wait>
auto timed(const char *what, Wait wait) {
    return waiting([=](std::stop_token) {
        constexpr auto span = 4s;
        const auto began = Clock::now();
        CHECK(!wait(span));
        const double took = std::chrono::duration<double>(Clock::now() - began).count();
        if (took < 3.99 || took > 15) fail("%s took %.3f s, should be 4", what, took);
    });
}

}  // namespace

int main(int argc, char **argv) {
    start(&argc, &argv, "cxx_threads");
    std::vector<std::jthread> threads, timers;
    std::future<int> result = promised.get_future();
    std::shared_future<int> silent = never.get_future().share();
    held.lock();
    shared.lock();
    threads.push_back(waiting([](std::stop_token stop) {
        std::unique_lock lock(mutex);
        CHECK(!any.wait(lock, stop, [] { return false; }));
    }));
    threads.push_back(waiting([](std::stop_token) { flag.wait(0); }));
    threads.push_back(waiting([](std::stop_token) { wide.wait(0); }));
    threads.push_back(waiting([](std::stop_token) { latch.wait(); }));
    threads.push_back(waiting([](std::stop_token) { barrier.arrive_and_wait(); }));
    threads.push_back(waiting([](std::stop_token) { semaphore.acquire(); }));
    threads.push_back(waiting([&](std::stop_token) { CHECK_EQUAL(result.get(), 41); }));
    timers.push_back(timed("wait_for of a future",
                           [=](auto span) { return silent.wait_for(span) != std::future_status::timeout; }));
    timers.push_back(timed("try_lock_for", [](auto span) { return held.try_lock_for(span); }));
    timers.push_back(timed("try_lock_shared_for", [](auto span) { return shared.try_lock_shared_for(span); }));
    timers.push_back(timed("try_acquire_for", [](auto span) { return empty.try_acquire_for(span); }));
    timers.push_back(timed("sleep_for", [](auto span) { return std::this_thread::sleep_for(span), false; }));
    timers.push_back(timed("wait_for of a condition", [](auto span) {
        std::unique_lock lock(mutex);
        return condition.wait_for(lock, span, [] { return false; });
    }));
    auto task = std::async(std::launch::async, [] {
        pthread_setname_np(pthread_self(), "app-async");
        ++started;
        wait_for_go();
        return 7;
    });
    auto failing = std::async(std::launch::async, [] {
        pthread_setname_np(pthread_self(), "app-async");
        ++started;
        wait_for_go();
        if (started) throw 3;
    });
    while (started < static_cast<int>(threads.size() + timers.size()) + 2) nap();
    nap();
    ready();
    wait_for_go();

    timers.clear();
    CHECK_EQUAL(finished, 6);
    for (auto &thread : threads) thread.request_stop();
    flag = 1;
    flag.notify_all();
    wide = 1;
    wide.notify_one();
    latch.count_down();
    barrier.arrive_and_wait();
    semaphore.release();
    promised.set_value(41);
    threads.clear();
    CHECK_EQUAL(finished, 13);
    CHECK_EQUAL(task.get(), 7);
    int thrown = 0;
    try {
        failing.get();
    } catch (int number) {
        thrown = number;
    }
    CHECK_EQUAL(thrown, 3);
    held.unlock();
    shared.unlock();
    return finish();
}
