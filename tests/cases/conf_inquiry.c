// What a program asks MPI about itself: version, names, time, level, parent, info of a communicator, positions in maps;
// the same answers after the cut where the standard says so (MPI-3.1, 6.4.4, 7.5.8, 8.1, 8.6, 8.7, 9, 10.3.2, 12.4.3, 14.2.4).
#include <string.h>

#include "testcase_mpi.h"

struct Answers {
    int version, subversion, initialized, finalized, level, main_thread, no_parent, cart, graph, valuelen, has_key;
    char library[MPI_MAX_LIBRARY_VERSION_STRING], value[64];
    double tick;
};

static struct Answers ask(MPI_Comm comm, MPI_Info hints) {
    struct Answers a;
    int length, dims[1] = {size}, periods[1] = {1}, index[8], edges[16], flag;
    MPI_Comm parent;
    MPI_Info info;
    memset(&a, 0, sizeof a);
    MPI_Get_version(&a.version, &a.subversion);
    MPI_Get_library_version(a.library, &length);
    CHECK(length >= (int)strlen(a.library)); /* Open MPI counts the end too */
    MPI_Initialized(&a.initialized);
    MPI_Finalized(&a.finalized);
    MPI_Query_thread(&a.level);
    MPI_Is_thread_main(&a.main_thread);
    MPI_Comm_get_parent(&parent);
    a.no_parent = parent == MPI_COMM_NULL;
    MPI_Cart_map(comm, 1, dims, periods, &a.cart);
    for (int r = 0; r < size; ++r) {
        index[r] = 2 * (r + 1);
        edges[2 * r] = (r + size - 1) % size;
        edges[2 * r + 1] = (r + 1) % size;
    }
    MPI_Graph_map(comm, size, index, edges, &a.graph);
    MPI_Info_get_valuelen(hints, "purpose", &a.valuelen, &a.has_key);
    MPI_Info_get(hints, "purpose", sizeof a.value - 1, a.value, &flag);
    MPI_Comm_get_info(comm, &info);
    MPI_Info_free(&info);
    a.tick = MPI_Wtick();
    MPI_Pcontrol(1);
    return a;
}

int main(int argc, char **argv) {
    MPI_Comm comm, twin, later;
    MPI_Request request;
    MPI_Info hints;
    char name[MPI_MAX_PROCESSOR_NAME];
    int length = -1, result;
    start(&argc, &argv, "conf_inquiry");
    MPI_Info_create(&hints);
    MPI_Info_set(hints, "purpose", "inquiry");
    MPI_Comm_dup_with_info(MPI_COMM_WORLD, hints, &comm);
    MPI_Comm_set_info(comm, hints);
    MPI_Comm_idup(comm, &twin, &request);
    const struct Answers before = ask(comm, hints);
    const double then = MPI_Wtime();
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_idup(twin, &later, &request);

    ready();
    wait_for_go();

    const struct Answers after = ask(comm, hints);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(before.initialized && !before.finalized && before.main_thread && before.no_parent && before.has_key);
    CHECK_EQUAL(before.valuelen, 7);
    CHECK(MPI_Wtime() >= then);
    MPI_Get_processor_name(name, &length);
    CHECK(length > 0 && length == (int)strlen(name));
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_compare(twin, later, &result);
    CHECK_EQUAL(result, MPI_CONGRUENT);
    check_comm(comm, size);
    check_comm(twin, size);
    check_comm(later, size);
    MPI_Comm_free(&later);
    MPI_Comm_free(&twin);
    MPI_Comm_free(&comm);
    MPI_Info_free(&hints);
    return finish();
}
