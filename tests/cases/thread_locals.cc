// Threads with __thread and C++ thread_local objects of dynamic initialisation, pthread keys and their destructors.
#include <pthread.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testcase_mpi.h"

namespace {

thread_local std::vector<std::string> words;
__thread int plain = 5;
int destroyed, keys_destroyed;
std::unique_ptr<pthread_barrier_t> prepared;

struct Counted {
    int value = 11;
    ~Counted() { __atomic_fetch_add(&destroyed, 1, __ATOMIC_SEQ_CST); }
};
thread_local Counted counted;

void destroy_key(void *) { __atomic_fetch_add(&keys_destroyed, 1, __ATOMIC_SEQ_CST); }

void work(int number, pthread_key_t key) {
    pthread_setname_np(pthread_self(), ("app-" + std::to_string(number)).c_str());
    plain += number;
    counted.value += number;
    for (int i = 0; i < 100; ++i) words.push_back("word " + std::to_string(i * number));
    pthread_setspecific(key, &words);
    pthread_barrier_wait(prepared.get());
    wait_for_go();
    CHECK_EQUAL(plain, 5 + number);
    CHECK_EQUAL(counted.value, 11 + number);
    CHECK_EQUAL(words.size(), 100);
    for (int i = 0; i < 100; ++i) CHECK(words[i] == "word " + std::to_string(i * number));
    CHECK(pthread_getspecific(key) == &words);
}

}  // namespace

int main(int argc, char **argv) {
    start(&argc, &argv, "thread_locals");
    prepared = std::make_unique<pthread_barrier_t>();
    pthread_barrier_init(prepared.get(), nullptr, 4);
    pthread_key_t key;
    CHECK_EQUAL(pthread_key_create(&key, destroy_key), 0);
    std::vector<std::thread> threads;
    for (int i = 1; i <= 3; ++i) threads.emplace_back(work, i, key);
    plain = 99;
    pthread_barrier_wait(prepared.get());
    ready();
    wait_for_go();
    for (auto &thread : threads) thread.join();
    CHECK_EQUAL(plain, 99);
    CHECK_EQUAL(destroyed, 3);
    CHECK_EQUAL(keys_destroyed, 3);
    // A thread made after the restore starts from the initial values.
    std::thread([] {
        CHECK_EQUAL(plain, 5);
        CHECK_EQUAL(counted.value, 11);
        CHECK(words.empty());
    }).join();
    CHECK_EQUAL(destroyed, 4);
    return finish();
}
