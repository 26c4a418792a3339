// Ends in the way that its argument names, when told to.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

static void at_exit(void) { printf("handler of exit\n"); }

static void *leave(void *unused) {
    (void)unused;
    exit(8);
}
static void *outlive_main(void *thread) {
    pthread_join(*(pthread_t *)thread, NULL);
    printf("main has ended\n");
    return NULL;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "endings");
    const char *way = argv[1];
    atexit(at_exit);
    ready();
    wait_for_go();
    pass();
    if (strcmp(way, "exit") == 0) exit(7);
    if (strcmp(way, "_exit") == 0) _exit(6);
    if (strcmp(way, "quick_exit") == 0) quick_exit(4);
    if (strcmp(way, "abort") == 0) abort();
    if (strcmp(way, "MPI_Abort") == 0) MPI_Abort(MPI_COMM_WORLD, 3);
    if (strcmp(way, "fault") == 0) *(volatile int *)(uintptr_t)argc = 1;
    if (strcmp(way, "SIGTERM") == 0) raise(SIGTERM);
    if (strcmp(way, "SIGKILL") == 0) kill(getpid(), SIGKILL);
    if (strcmp(way, "exit_in_thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, leave, NULL);
        pthread_join(thread, NULL);
    }
    MPI_Finalize();
    if (strcmp(way, "status") == 0) return 5;
    if (strcmp(way, "SIGTERM_after_MPI") == 0) raise(SIGTERM);
    if (strcmp(way, "pthread_exit") == 0) {
        static pthread_t self;
        self = pthread_self();
        pthread_t thread;
        pthread_create(&thread, NULL, outlive_main, &self);
        pthread_exit(NULL);
    }
    return strcmp(way, "return") == 0 ? 0 : 99;
}
