// A task without MPI that has started a command and waits for it: the command is not the task, and stands in its way.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testcase.h"

int main(void) {
    begin("serial_child");
    int status;
    const pid_t child = fork();
    if (child == 0) {
        execlp("sleep", "sleep", "600", (char *)NULL);
        _exit(127);
    }
    ready();
    wait_for_go();
    CHECK_EQUAL(waitpid(child, &status, WNOHANG), 0);
    CHECK_EQUAL(kill(child, SIGTERM), 0);
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    return pass();
}
