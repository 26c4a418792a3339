// Libraries that the program loads after MPI_Init find space for their static thread-local data, a kilobyte at least,
// and a program that has used up all of it is checkpointed and restored like any other.
#include "static_tls.h"
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "static_tls");
    const int bytes = use_up_static_tls();
    if (bytes < 1024) fail("only %d bytes were left", bytes);
    ready();
    wait_for_go();
    CHECK(static_tls_right());
    return finish();
}
