// A program that has used up the space for static thread-local data before MPI_Init: the lower half cannot be loaded,
// and the program has to run all the same.
#include "static_tls.h"
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    const int bytes = use_up_static_tls();
    start(&argc, &argv, "static_tls_gone");
    CHECK(bytes > 0);
    ready();
    wait_for_go();
    CHECK(static_tls_right());
    return finish();
}
