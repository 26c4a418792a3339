// A child that does not call MPI and is no obstacle (children=ignore): the program goes on with it, and a restored one
// has none.
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "children_ignored");
    const pid_t parent = getpid(), child = fork();
    if (child == 0) {
        // Ends with the program, also when that is killed.
        while (getppid() == parent) nap();
        _exit(0);
    }
    ready();
    wait_for_go();

    int status;
    errno = 0;
    const pid_t found = waitpid(child, &status, WNOHANG);
    if (found == -1) {
        CHECK_EQUAL(errno, ECHILD);
    } else {
        CHECK_EQUAL(found, 0);
        CHECK_EQUAL(kill(child, SIGKILL), 0);
        CHECK_EQUAL(waitpid(child, &status, 0), child);
    }
    return finish();
}
