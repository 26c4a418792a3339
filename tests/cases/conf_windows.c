// MPI-3.1, chapter 11: windows of every kind and all operations on them, with their errors, names, info, groups and error
// handlers.  None is alive at the checkpoint: everything is gone through before it and once more after it, on a lower
// half that has just been made again.
#include "conformance.h"

enum { kInts = 16 };

static void make(void) {}

static MPI_Comm comm;
static int next(void) { return (rank + 1) % size; }
static int previous(void) { return (rank + size - 1) % size; }

static void describe(MPI_Win window, const int *memory) {
    char name[MPI_MAX_OBJECT_NAME];
    int length, found, members;
    void *value;
    MPI_Group group;
    MPI_Info info;
    CALL(MPI_Win_set_name(window, "memory of all"));
    CALL(MPI_Win_get_name(window, name, &length));
    tell("%s %d", name, length);
    CALL(MPI_Win_get_group(window, &group));
    MPI_Group_size(group, &members);
    TELL(members);
    MPI_Group_free(&group);
    CALL(MPI_Win_get_info(window, &info));
    CALL(MPI_Win_set_info(window, info));
    MPI_Info_free(&info);
    CALL(MPI_Win_get_attr(window, MPI_WIN_BASE, &value, &found));
    TELL(found && (!memory || value == memory));
    CALL(MPI_Win_get_attr(window, MPI_WIN_CREATE_FLAVOR, &value, &found));
    TELL(*(int *)value);
    CALL(MPI_Win_get_attr(window, MPI_WIN_SIZE, &value, &found));
    TELL(*(MPI_Aint *)value);
    TELL(MPI_Win_f2c(MPI_Win_c2f(window)) == window);
}

static void synchronise(MPI_Win window, int *memory) {
    int got[4] = {0}, value = rank + 50, flag = 0, old = -1, compared = 3, swapped = 77;
    MPI_Group world, to, from;
    MPI_Request request;
    MPI_Status status;
    for (int i = 0; i < kInts; ++i) memory[i] = rank * 10 + i;
    CALL(MPI_Win_fence(MPI_MODE_NOPRECEDE, window));
    CALL(MPI_Put(&value, 1, MPI_INT, next(), 2, 1, MPI_INT, window));
    CALL(MPI_Get(got, 2, MPI_INT, next(), 4, 2, MPI_INT, window));
    CALL(MPI_Accumulate(&value, 1, MPI_INT, next(), 7, 1, MPI_INT, MPI_SUM, window));
    CALL(MPI_Win_fence(MPI_MODE_NOSUCCEED, window));
    tell_ints("after the fence", memory, kInts);
    tell_ints("got", got, 2);

    MPI_Comm_group(comm, &world);
    int target = next(), origin = previous();
    MPI_Group_incl(world, 1, &target, &to);
    MPI_Group_incl(world, 1, &origin, &from);
    CALL(MPI_Win_post(from, 0, window));
    CALL(MPI_Win_start(to, 0, window));
    CALL(MPI_Put(&value, 1, MPI_INT, next(), 9, 1, MPI_INT, window));
    CALL(MPI_Win_complete(window));
    CALL(MPI_Win_wait(window));
    tell_ints("after post and wait", memory, kInts);
    CALL(MPI_Win_post(from, 0, window));
    CALL(MPI_Win_start(to, 0, window));
    CALL(MPI_Win_complete(window));
    while (!flag) MPI_Win_test(window, &flag);
    MPI_Group_free(&world);
    MPI_Group_free(&to);
    MPI_Group_free(&from);

    MPI_Barrier(comm);
    CALL(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, next(), 0, window));
    CALL(MPI_Get_accumulate(&value, 1, MPI_INT, got, 1, MPI_INT, next(), 3, 1, MPI_INT, MPI_SUM, window));
    CALL(MPI_Win_flush(next(), window));
    CALL(MPI_Fetch_and_op(&value, &old, MPI_INT, next(), 5, MPI_REPLACE, window));
    CALL(MPI_Win_flush_local(next(), window));
    CALL(MPI_Compare_and_swap(&swapped, &compared, got + 1, MPI_INT, next(), 0, window));
    CALL(MPI_Win_unlock(next(), window));
    tell("%d %d %d", got[0], old, got[1]);
    MPI_Barrier(comm);
    CALL(MPI_Win_lock_all(0, window));
    CALL(MPI_Rput(&value, 1, MPI_INT, next(), 11, 1, MPI_INT, window, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_Win_flush_all(window));
    CALL(MPI_Raccumulate(&value, 1, MPI_INT, next(), 12, 1, MPI_INT, MPI_MAX, window, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_Win_flush_local_all(window));
    CALL(MPI_Rget(got, 1, MPI_INT, next(), 13, 1, MPI_INT, window, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_Rget_accumulate(&value, 1, MPI_INT, got + 1, 1, MPI_INT, next(), 14, 1, MPI_INT, MPI_NO_OP, window, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_Win_sync(window));
    CALL(MPI_Win_unlock_all(window));
    MPI_Barrier(comm);
    tell("%d %d", got[0], got[1]);
    tell_ints("in the end", memory, kInts);
}

static void errors(MPI_Win window) {
    int value = 0;
    MPI_Win none = MPI_WIN_NULL;
    CALL(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN));
    CALL(MPI_Win_fence(0, window));
    CALL(MPI_Put(&value, 1, MPI_INT, size, 0, 1, MPI_INT, window));
    CALL(MPI_Put(&value, -1, MPI_INT, 0, 0, 1, MPI_INT, window));
    CALL(MPI_Get(&value, 1, MPI_DATATYPE_NULL, 0, 0, 1, MPI_INT, window));
    CALL(MPI_Accumulate(&value, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_OP_NULL, window));
    CALL(MPI_Put(&value, 1, MPI_INT, MPI_PROC_NULL, 0, 1, MPI_INT, window));
    CALL(MPI_Win_fence(0, window));
    CALL(MPI_Win_lock(77, 0, 0, window));
    CALL(MPI_Win_lock(MPI_LOCK_SHARED, size, 0, window));
    CALL(MPI_Win_call_errhandler(window, MPI_ERR_WIN));
    CALL(MPI_Win_free(&none));
    CALL(MPI_Win_create(&value, -1, 1, MPI_INFO_NULL, comm, &none));
    CALL(MPI_Win_create(&value, 4, 0, MPI_INFO_NULL, comm, &none));
}

static void look(void) {
    static int created[kInts];
    int *memory, unit;
    MPI_Aint bytes, address, *addresses = malloc(sizeof *addresses * size);
    MPI_Win window;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    tell("- create");
    CALL(MPI_Win_create(created, sizeof created, sizeof(int), MPI_INFO_NULL, comm, &window));
    describe(window, created);
    synchronise(window, created);
    errors(window);
    CALL(MPI_Win_free(&window));
    TELL(window == MPI_WIN_NULL);
    tell("- allocate");
    CALL(MPI_Win_allocate(kInts * sizeof(int), sizeof(int), MPI_INFO_NULL, comm, &memory, &window));
    describe(window, memory);
    synchronise(window, memory);
    CALL(MPI_Win_free(&window));
    tell("- allocate_shared");
    CALL(MPI_Win_allocate_shared(kInts * sizeof(int), sizeof(int), MPI_INFO_NULL, comm, &memory, &window));
    describe(window, memory);
    synchronise(window, memory);
    int *theirs;
    CALL(MPI_Win_shared_query(window, next(), &bytes, &unit, &theirs));
    tell("%ld %d, %d", (long)bytes, unit, theirs[4]);
    CALL(MPI_Win_free(&window));
    tell("- create_dynamic");
    CALL(MPI_Win_create_dynamic(MPI_INFO_NULL, comm, &window));
    describe(window, NULL);
    CALL(MPI_Win_attach(window, created, sizeof created));
    MPI_Get_address(created, &address);
    MPI_Allgather(&address, 1, MPI_AINT, addresses, 1, MPI_AINT, comm);
    CALL(MPI_Win_lock(MPI_LOCK_SHARED, next(), 0, window));
    CALL(MPI_Put(&rank, 1, MPI_INT, next(), addresses[next()] + 5 * sizeof(int), 1, MPI_INT, window));
    CALL(MPI_Win_unlock(next(), window));
    MPI_Barrier(comm);
    CALL(MPI_Win_detach(window, created));
    tell_ints("attached", created, kInts);
    CALL(MPI_Win_free(&window));
    MPI_Comm_free(&comm);
    free(addresses);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_windows", make, look); }
