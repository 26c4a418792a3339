// A rank that others wait for in a collective waits, in the way that the argument names, for a rank that stands before a
// collective of its own: that one must not be held at its gate.  Everything that brings this about happens only once the
// checkpoint has been requested, so that all ranks know of it when the rank begins to wait:
//   kKeeps is inside a collective with kWaits, hears nothing, and so keeps the gates open until kWaits enters it;
//   meanwhile kOwner enters a collective with kWaits; then kHelps and kKeeps enter one, before kHelps gives the signal.
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kWaits, kHelps, kKeeps, kOwner, kBytes = 4096, kTag = 7 };

static void naps(int count) {
    for (int i = 0; i < count; ++i) nap();
}

static void await_signal(const char *how, atomic_int *memory) {
    int got = 0, done = 0, index = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Message message;
    if (strcmp(how, "memory") == 0) {
        while (!*memory) {
        }
        return;
    }
    if (strcmp(how, "recv") == 0) {
        MPI_Recv(&got, 1, MPI_INT, kHelps, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (strcmp(how, "iprobe") == 0) {
        while (!done) MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &done, MPI_STATUS_IGNORE);
        MPI_Recv(&got, 1, MPI_INT, kHelps, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (strcmp(how, "mprobe") == 0) {
        MPI_Mprobe(kHelps, MPI_ANY_TAG, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE);
        MPI_Mrecv(&got, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
    } else {
        MPI_Irecv(&got, 1, MPI_INT, kHelps, kTag, MPI_COMM_WORLD, &request);
        if (strcmp(how, "get_status") == 0)
            while (!done) MPI_Request_get_status(request, &done, MPI_STATUS_IGNORE);
        else if (strcmp(how, "testsome") == 0)
            while (!done) MPI_Testsome(1, &request, &done, &index, MPI_STATUSES_IGNORE);
        else
            fail("what is %s?", how);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    CHECK_EQUAL(got, 4711);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "owed_and_waiting");
    CHECK_EQUAL(size, 4);
    CHECK_EQUAL(argc, 2);
    MPI_Comm with_keeper, with_owner, helpers;
    MPI_Comm_split(MPI_COMM_WORLD, rank == kWaits || rank == kKeeps, rank, &with_keeper);
    MPI_Comm_split(MPI_COMM_WORLD, rank == kWaits || rank == kOwner, rank, &with_owner);
    MPI_Comm_split(MPI_COMM_WORLD, rank == kHelps || rank == kKeeps, rank, &helpers);
    char *path = strdup(case_path("memory"));
    strcpy(strrchr(path, '/'), "/memory");
    const int file = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0);
    CHECK_EQUAL(ftruncate(file, kBytes), 0);
    atomic_int *memory = mmap(NULL, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(memory != MAP_FAILED);
    close(file);
    ready();
    if (rank != kKeeps)
        while (still_waiting() && !requested()) nap();
    switch (rank) {
        case kWaits:
            naps(60);
            MPI_Barrier(with_keeper);
            naps(5);
            await_signal(argv[1], memory);
            MPI_Barrier(with_owner);
            break;
        case kHelps: {
            const int told = 4711;
            naps(120);
            MPI_Barrier(helpers);
            *memory = 1;
            if (strcmp(argv[1], "memory") != 0) MPI_Send(&told, 1, MPI_INT, kWaits, kTag, MPI_COMM_WORLD);
            break;
        }
        case kKeeps:
            MPI_Barrier(with_keeper);
            naps(60);
            MPI_Barrier(helpers);
            break;
        default:
            naps(30);
            MPI_Barrier(with_owner);
    }
    wait_for_go();
    MPI_Barrier(MPI_COMM_WORLD);
    CHECK(*memory == 1);
    munmap(memory, kBytes);
    MPI_Comm_free(&with_keeper);
    MPI_Comm_free(&with_owner);
    MPI_Comm_free(&helpers);
    return finish();
}
