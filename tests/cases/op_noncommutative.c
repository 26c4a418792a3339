// A user operation whose order matters: composition of affine maps, in order of ranks.
#include "testcase_mpi.h"

enum { kPrime = 10007 };

// (a, b) stands for x -> a x + b; the result of "in op inout" applies `in` first.
static void compose(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type;
    int *f = in, *g = inout;
    for (int i = 0; i < *count; ++i, f += 2, g += 2) {
        int a = g[0] * f[0] % kPrime, b = (g[0] * f[1] + g[1]) % kPrime;
        g[0] = a;
        g[1] = b;
    }
}

int main(int argc, char **argv) {
    start(&argc, &argv, "op_noncommutative");
    MPI_Op op;
    MPI_Op_create(compose, 0, &op);
    ready();
    wait_for_go();

    int commutative, mine[2] = {rank + 2, 3 * rank + 1}, all[2], so_far[2];
    MPI_Op_commutative(op, &commutative);
    CHECK_EQUAL(commutative, 0);
    MPI_Allreduce(mine, all, 1, MPI_2INT, op, MPI_COMM_WORLD);
    MPI_Scan(mine, so_far, 1, MPI_2INT, op, MPI_COMM_WORLD);
    for (int x = 0; x < 5; ++x) {
        int through = x, up_to_me = 0;
        for (int r = 0; r < size; ++r) {
            through = ((r + 2) * through + 3 * r + 1) % kPrime;
            if (r == rank) up_to_me = through;
        }
        CHECK_EQUAL((all[0] * x + all[1]) % kPrime, through);
        CHECK_EQUAL((so_far[0] * x + so_far[1]) % kPrime, up_to_me);
    }
    return finish();
}
