// The main thread has ended, and so do the others: each makes the next and is gone.  Whoever looks after requests is never
// there for long.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "main_ends.h"

static long made;

static void *run(void *number) {
    CHECK_EQUAL((long)number, made);
    ++made;
    if (!still_waiting()) {
        await_end_of_main();
        exit(pass());
    }
    if (!getenv("FAST")) nap();
    pthread_t next;
    CHECK_EQUAL(pthread_create(&next, NULL, run, (void *)made), 0);
    CHECK_EQUAL(pthread_detach(next), 0);
    return NULL;
}

static void *first(void *unused) {
    await_end_of_main();
    ready();
    return run(unused);
}

int main(void) {
    begin("main_exits_relay");
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, first, NULL), 0);
    CHECK_EQUAL(pthread_detach(thread), 0);
    pthread_exit(NULL);
}
