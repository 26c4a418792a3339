// A small program that is restarted over and over: nothing of the earlier starts of MPI may be left in it.
#include <limits.h>
#include <pthread.h>

#include "testcase_mpi.h"

static int free_keys(void) {
    static pthread_key_t keys[PTHREAD_KEYS_MAX];
    int count = 0;
    while (count < PTHREAD_KEYS_MAX && pthread_key_create(&keys[count], NULL) == 0) ++count;
    for (int i = 0; i < count; ++i) pthread_key_delete(keys[i]);
    return count;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "generations_flat");
    static unsigned char data[1 << 20];
    fill(data, sizeof data, 4);
    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    const int keys = free_keys();
    CHECK(keys > 0 && keys < PTHREAD_KEYS_MAX);
    ready();
    wait_for_go();
    CHECK_EQUAL(free_keys(), keys);
    expect(data, sizeof data, 4, "data");
    MPI_Comm_free(&half);
    return finish();
}
