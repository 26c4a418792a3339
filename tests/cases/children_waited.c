// Checkpoints are invisible to a program that looks after its children: no SIGCHLD, nothing that wait() could find.
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "testcase_mpi.h"

static atomic_int told;

static void on_child(int number) {
    (void)number;
    ++told;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "children_waited");
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    told = 0;
    ready();
    do {
        int status;
        errno = 0;
        CHECK_EQUAL(waitpid(-1, &status, WNOHANG), -1);
        CHECK_EQUAL(errno, ECHILD);
        CHECK_EQUAL(told, 0);
    } while (still_waiting());
    return finish();
}
