// System V shared memory that exists and is attached nowhere: nobody could save its contents.  Once it is gone nothing
// stands in the way.
#include <sys/ipc.h>
#include <sys/shm.h>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "refuse_segment");
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    CHECK(id >= 0);
    ready();
    wait_for_go();
    CHECK_EQUAL(shmctl(id, IPC_RMID, NULL), 0);
    return finish();
}
