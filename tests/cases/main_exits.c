// The main thread ends by pthread_exit(3) and the process goes on in others, which is legal (pthread_exit(3), NOTES):
// they keep its memory, files, timers and signals, its end can be joined, and the last of them ends the process with
// status 0 and its exit handlers.  The oldest that is left has the smallest stack that there is.  "in-place": memory that no
// snapshot can hold (MADV_DONTFORK).
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "main_ends.h"

static pthread_t main_thread;
static pid_t process;
static int lines;
static volatile sig_atomic_t ticks, told;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ended;  // threads that have done all they had to
static void *not_forked;
enum { kThreads = 3, kNotForked = 1 << 16 };

static void on_tick(int number) {
    (void)number;
    ++ticks;
}
static void on_told(int number) {
    (void)number;
    ++told;
}

static void at_exit(void) {
    CHECK_EQUAL(ended, kThreads);
    pass();
}

static void end_thread(void) {
    pthread_mutex_lock(&mutex);
    ++ended;
    pthread_mutex_unlock(&mutex);
    pthread_exit(NULL);
}

static void *work(void *timer) {
    pthread_setname_np(pthread_self(), "app-work");
    const pid_t own = gettid();
    unsigned char *heap = malloc(100000);
    fill(heap, 100000, 7);
    await_end_of_main();
    ready();
    wait_for_go();
    CHECK_EQUAL(getpid(), process);
    CHECK_EQUAL(gettid(), own);
    CHECK(own != process);
    await_end_of_main();  // which a restored process may come to a moment later
    expect(heap, 100000, 7, "memory");
    free(heap);
    if (not_forked) expect(not_forked, kNotForked, 8, "memory that is not forked");
    CHECK_EQUAL(write(lines, "second\n", 7), 7);
    CHECK_EQUAL(lseek(lines, 0, SEEK_CUR), 13);
    const int before = ticks;
    while (ticks < before + 3) nap();
    CHECK_EQUAL(kill(process, SIGUSR1), 0);
    while (!told) nap();
    // A timer that signals the main thread alone goes on and signals nobody.
    struct itimerspec left;
    CHECK_EQUAL(timer_gettime(*(timer_t *)timer, &left), 0);
    CHECK(left.it_interval.tv_sec == 1000);
    CHECK(left.it_value.tv_sec > 0 && left.it_value.tv_sec <= 1000);
    pthread_t another;
    void *result;
    CHECK_EQUAL(pthread_create(&another, NULL, (void *(*)(void *))(void *)getpid, NULL), 0);
    CHECK_EQUAL(pthread_join(another, &result), 0);
    CHECK_EQUAL((pid_t)(uintptr_t)result, process);
    end_thread();
    return NULL;
}

static void *join_main(void *unused) {
    void *result = unused;
    pthread_setname_np(pthread_self(), "app-join");
    CHECK_EQUAL(pthread_join(main_thread, &result), 0);
    CHECK(result == &mutex);
    wait_for_go();
    end_thread();
    return NULL;
}

static void *idle(void *unused) {
    pthread_setname_np(pthread_self(), "app-idle");
    wait_for_go();
    end_thread();
    return unused;
}

int main(int argc, char **argv) {
    begin("main_exits");
    if (argc > 1 && strcmp(argv[1], "in-place") == 0) {
        not_forked = mmap(NULL, kNotForked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(not_forked != MAP_FAILED);
        CHECK_EQUAL(madvise(not_forked, kNotForked, MADV_DONTFORK), 0);
        fill(not_forked, kNotForked, 8);
    }
    main_thread = pthread_self();
    process = getpid();
    atexit(at_exit);
    lines = open(case_path("lines"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK_EQUAL(write(lines, "first\n", 6), 6);
    signal(SIGALRM, on_tick);
    signal(SIGUSR1, on_told);
    const struct itimerval often = {{0, 10000}, {0, 10000}};
    CHECK_EQUAL(setitimer(ITIMER_REAL, &often, NULL), 0);
    static timer_t timer;
    struct sigevent to_main = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    to_main._sigev_un._tid = gettid();
    const struct itimerspec late = {{1000, 0}, {1000, 0}};
    CHECK_EQUAL(timer_create(CLOCK_MONOTONIC, &to_main, &timer), 0);
    CHECK_EQUAL(timer_settime(timer, 0, &late, NULL), 0);
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK_EQUAL(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)), 0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, idle, NULL), 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, work, &timer), 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, join_main, NULL), 0);
    pthread_exit(&mutex);
}
