// What a thread has registered with the kernel: restartable sequences, its list of robust mutexes, and the word that
// tells of its end.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

static volatile int ready_threads;

static void *robust_list(void) {
    void *head = NULL;
    size_t bytes = 0;
    CHECK_EQUAL(syscall(SYS_get_robust_list, 0, &head, &bytes), 0);
    return head;
}

static void check_rseq(void) {
    if (__rseq_size == 0) return;  // this libc, or this kernel, does not use them
    const volatile struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
    // Only the kernel writes there, and only while the area is registered.
    CHECK(area->cpu_id < 0x80000000u);
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &all)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK_EQUAL(sched_setaffinity(0, sizeof one, &one), 0);
        CHECK_EQUAL(area->cpu_id, cpu);
    }
    CHECK_EQUAL(sched_setaffinity(0, sizeof all, &all), 0);
}

static void *work(void *unused) {
    pthread_setname_np(pthread_self(), "app-worker");
    void *const list = robust_list();
    check_rseq();
    __atomic_add_fetch(&ready_threads, 1, __ATOMIC_SEQ_CST);
    wait_for_go();
    CHECK(robust_list() == list);
    check_rseq();
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "threads_in_kernel");
    pthread_t threads[2];
    void *const list = robust_list();
    check_rseq();
    for (int i = 0; i < 2; ++i) CHECK_EQUAL(pthread_create(&threads[i], NULL, work, NULL), 0);
    while (ready_threads < 2) nap();
    ready();
    wait_for_go();
    CHECK(robust_list() == list);
    check_rseq();
    // The kernel clears the word at the end of each: without that, this would wait for ever.
    for (int i = 0; i < 2; ++i) CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
    return finish();
}
