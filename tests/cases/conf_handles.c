// The numbers by which Fortran knows the handles are the same after the cut, for every kind of object and for predefined
// ones, and lead back to the same objects; statuses too (MPI-3.1, 17.2.4 and 17.2.5).
#include "testcase_mpi.h"

/* Of MPI-4.0, not in this mpi.h: more than any MPI needs. */
enum { kFortranStatus = 64 };

static void add(void *in, void *inout, int *count, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *count; ++i) ((int *)inout)[i] += ((int *)in)[i];
}

static void ignore_error(MPI_Comm *comm, int *error, ...) {
    (void)comm;
    (void)error;
}

int main(int argc, char **argv) {
    MPI_Comm comm;
    MPI_Datatype type;
    MPI_Group group;
    MPI_Op op;
    MPI_Errhandler handler;
    MPI_Info info;
    MPI_Request request;
    MPI_File file;
    MPI_Message message;
    MPI_Status status, again;
    MPI_Fint f_status[kFortranStatus];
    int value, in = -1, found = 0, answer = -1, count = -1, nkeys = -1, sum = 0;
    start(&argc, &argv, "conf_handles");
    value = 5 + rank;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Type_contiguous(3, MPI_INT, &type);
    MPI_Type_commit(&type);
    MPI_Comm_group(comm, &group);
    MPI_Op_create(add, 1, &op);
    MPI_Comm_create_errhandler(ignore_error, &handler);
    MPI_Info_create(&info);
    MPI_Info_set(info, "key", "value");
    MPI_File_open(MPI_COMM_SELF, argv[0], MPI_MODE_RDONLY, MPI_INFO_NULL, &file);
    MPI_Irecv(&in, 1, MPI_INT, (rank + size - 1) % size, 1, comm, &request);
    MPI_Send(&value, 1, MPI_INT, rank, 2, comm);
    while (!found) MPI_Improbe(rank, 2, comm, &found, &message, &status);
    MPI_Status_c2f(&status, f_status);

    const MPI_Fint numbers[] = {MPI_Comm_c2f(comm),       MPI_Type_c2f(type),    MPI_Group_c2f(group),
                                MPI_Op_c2f(op),           MPI_Errhandler_c2f(handler), MPI_Info_c2f(info),
                                MPI_Request_c2f(request), MPI_File_c2f(file),    MPI_Message_c2f(message)};
    const MPI_Fint known[] = {MPI_Comm_c2f(MPI_COMM_WORLD), MPI_Comm_c2f(MPI_COMM_NULL), MPI_Type_c2f(MPI_DOUBLE),
                              MPI_Op_c2f(MPI_SUM), MPI_Group_c2f(MPI_GROUP_EMPTY), MPI_Win_c2f(MPI_WIN_NULL),
                              MPI_Request_c2f(MPI_REQUEST_NULL)};
    ready();
    wait_for_go();
    const MPI_Fint later[] = {MPI_Comm_c2f(comm),       MPI_Type_c2f(type),    MPI_Group_c2f(group),
                              MPI_Op_c2f(op),           MPI_Errhandler_c2f(handler), MPI_Info_c2f(info),
                              MPI_Request_c2f(request), MPI_File_c2f(file),    MPI_Message_c2f(message)};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; ++i) CHECK_EQUAL(later[i], numbers[i]);
    CHECK(MPI_Comm_f2c(numbers[0]) == comm);
    CHECK(MPI_Type_f2c(numbers[1]) == type);
    CHECK(MPI_Group_f2c(numbers[2]) == group);
    CHECK(MPI_Op_f2c(numbers[3]) == op);
    CHECK(MPI_Errhandler_f2c(numbers[4]) == handler);
    CHECK(MPI_Info_f2c(numbers[5]) == info);
    CHECK(MPI_Request_f2c(numbers[6]) == request);
    CHECK(MPI_File_f2c(numbers[7]) == file);
    CHECK(MPI_Message_f2c(numbers[8]) == message);
    CHECK(MPI_Comm_f2c(known[0]) == MPI_COMM_WORLD);
    CHECK(MPI_Comm_f2c(known[1]) == MPI_COMM_NULL);
    CHECK(MPI_Type_f2c(known[2]) == MPI_DOUBLE);
    CHECK(MPI_Op_f2c(known[3]) == MPI_SUM);
    CHECK(MPI_Group_f2c(known[4]) == MPI_GROUP_EMPTY);
    CHECK(MPI_Win_f2c(known[5]) == MPI_WIN_NULL);
    CHECK(MPI_Request_f2c(known[6]) == MPI_REQUEST_NULL);

    MPI_Status_f2c(f_status, &again);
    MPI_Get_count(&again, MPI_INT, &count);
    CHECK(again.MPI_SOURCE == rank && again.MPI_TAG == 2);
    CHECK_EQUAL(count, 1);
    MPI_Mrecv(&answer, 1, MPI_INT, &message, MPI_STATUS_IGNORE);
    CHECK_EQUAL(answer, value);
    MPI_Request waited = MPI_Request_f2c(numbers[6]);
    MPI_Send(&value, 1, MPI_INT, (rank + 1) % size, 1, comm);
    MPI_Wait(&waited, MPI_STATUS_IGNORE);
    CHECK_EQUAL(in, 5 + (rank + size - 1) % size);
    MPI_Allreduce(&value, &sum, 1, MPI_INT, op, MPI_Comm_f2c(numbers[0]));
    CHECK_EQUAL(sum, 5 * size + size * (size - 1) / 2);
    MPI_Info_get_nkeys(MPI_Info_f2c(numbers[5]), &nkeys);
    CHECK_EQUAL(nkeys, 1);
    MPI_File_close(&file);
    return finish();
}
