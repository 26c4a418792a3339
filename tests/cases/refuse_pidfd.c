// A descriptor of a kind that cannot be made again is named by its kind.
#include <sys/syscall.h>
#include <unistd.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_pidfd");
    int fd = syscall(SYS_pidfd_open, getpid(), 0);
    CHECK(fd >= 0);
    ready();
    wait_for_go();
    CHECK_EQUAL(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
    return finish();
}
