// A filter of system calls that the program has installed itself cannot be installed again.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_seccomp");
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {1, &allow};
    CHECK_EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQUAL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ready();
    wait_for_go();
    return finish();
}
