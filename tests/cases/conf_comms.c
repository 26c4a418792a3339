// MPI-3.1, 6.4 and 6.8: communicators.  All constructors, comparison, names, info, splits by colour and type, and the
// errors of wrong arguments.
#include "conformance.h"

enum { kMost = 16 };
static MPI_Comm comms[kMost];
static int count;

static void make(void) {
    MPI_Group world, some;
    MPI_Info info;
    MPI_Request request;
    CALL(MPI_Comm_dup(MPI_COMM_WORLD, &comms[count++]));
    CALL(MPI_Info_create(&info));
    CALL(MPI_Info_set(info, "mpi_assert_no_any_tag", "true"));
    CALL(MPI_Info_set(info, "colour", "blue"));
    CALL(MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comms[count++]));
    CALL(MPI_Comm_idup(comms[1], &comms[count++], &request));
    CALL(MPI_Wait(&request, MPI_STATUS_IGNORE));
    CALL(MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &comms[count++]));
    CALL(MPI_Comm_split(MPI_COMM_WORLD, rank == 0 ? MPI_UNDEFINED : 3, 0, &comms[count++]));
    CALL(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, -rank, MPI_INFO_NULL, &comms[count++]));
    CALL(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_UNDEFINED, 0, MPI_INFO_NULL, &comms[count++]));
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_range_incl(world, 1, (int[1][3]){{size - 1, 0, -1}}, &some);
    CALL(MPI_Comm_create(MPI_COMM_WORLD, some, &comms[count++]));
    MPI_Group_free(&some);
    MPI_Group_range_incl(world, 1, (int[1][3]){{0, size - 1, 2}}, &some);
    CALL(MPI_Comm_create(MPI_COMM_WORLD, some, &comms[count++]));
    comms[count] = MPI_COMM_NULL;
    if (rank % 2 == 0) MPI_Comm_create_group(MPI_COMM_WORLD, some, 17, &comms[count]);
    ++count;
    CALL(MPI_Comm_create(MPI_COMM_WORLD, MPI_GROUP_EMPTY, &comms[count++]));
    CALL(MPI_Comm_dup(MPI_COMM_SELF, &comms[count++]));
    CALL(MPI_Comm_dup(comms[3], &comms[count++]));
    CALL(MPI_Comm_set_name(comms[0], "zero"));
    CALL(MPI_Comm_set_name(comms[12], "the twelfth"));
    CALL(MPI_Comm_set_info(comms[3], info));
    CALL(MPI_Info_free(&info));
    MPI_Group_free(&some);
    MPI_Group_free(&world);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

// The order of keys is the library's affair.
static void tell_info(MPI_Comm comm) {
    enum { kKeys = 20 };
    int keys = -1;
    char key[MPI_MAX_INFO_KEY + 1], value[100], lines[kKeys][400];
    MPI_Info info;
    CALL(MPI_Comm_get_info(comm, &info));
    MPI_Info_get_nkeys(info, &keys);
    CHECK(keys <= kKeys);
    for (int i = 0, found; i < keys; ++i) {
        MPI_Info_get_nthkey(info, i, key);
        MPI_Info_get(info, key, sizeof value - 1, value, &found);
        snprintf(lines[i], sizeof lines[i], "  info %s: %d %s", key, found, value);
    }
    qsort(lines, keys, sizeof lines[0], by_text);
    for (int i = 0; i < keys; ++i) tell("%s", lines[i]);
    MPI_Info_free(&info);
}

static void look(void) {
    int result, length, inter, members, mine;
    char name[MPI_MAX_OBJECT_NAME];
    MPI_Comm made;
    MPI_Request request;
    for (int i = 0; i < count; ++i) {
        tell("communicator %d: null %d", i, comms[i] == MPI_COMM_NULL);
        if (comms[i] == MPI_COMM_NULL) continue;
        MPI_Comm_size(comms[i], &members);
        MPI_Comm_rank(comms[i], &mine);
        MPI_Comm_test_inter(comms[i], &inter);
        tell("  size %d, rank %d, inter %d", members, mine, inter);
        MPI_Comm_get_name(comms[i], name, &length);
        // Open MPI numbers communicators in the names that it gives itself.
        if (strncmp(name, "MPI COMMUNICATOR", 16) != 0) tell("  name %s, %d", name, length);
        for (int j = 0; j < count; ++j)
            if (comms[j] != MPI_COMM_NULL) {
                MPI_Comm_compare(comms[i], comms[j], &result);
                tell("  compared with %d: %d", j, result);
            }
        MPI_Comm_compare(comms[i], MPI_COMM_WORLD, &result);
        tell("  compared with the world: %d", result);
        check_comm(comms[i], members);
        tell_info(comms[i]);
    }
    MPI_Comm_get_name(MPI_COMM_WORLD, name, &length);
    tell("%s %d", name, length);
    MPI_Comm_get_parent(&made);
    TELL(made == MPI_COMM_NULL);

    CALL(MPI_Comm_size(MPI_COMM_NULL, &result));
    CALL(MPI_Comm_rank(MPI_COMM_NULL, &result));
    CALL(MPI_Comm_rank(MPI_COMM_WORLD, NULL));
    CALL(MPI_Comm_compare(MPI_COMM_WORLD, MPI_COMM_NULL, &result));
    CALL(MPI_Comm_dup(MPI_COMM_NULL, &made));
    CALL(MPI_Comm_dup_with_info(MPI_COMM_NULL, MPI_INFO_NULL, &made));
    CALL(MPI_Comm_idup(MPI_COMM_NULL, &made, &request));
    CALL(MPI_Comm_split(MPI_COMM_WORLD, -5, 0, &made));
    CALL(MPI_Comm_split_type(MPI_COMM_WORLD, 77, 0, MPI_INFO_NULL, &made));
    CALL(MPI_Comm_create(MPI_COMM_WORLD, MPI_GROUP_NULL, &made));
    CALL(MPI_Comm_create_group(MPI_COMM_WORLD, MPI_GROUP_NULL, 0, &made));
    CALL(MPI_Comm_remote_size(MPI_COMM_WORLD, &result));
    CALL(MPI_Comm_test_inter(MPI_COMM_NULL, &result));
    CALL(MPI_Comm_set_name(MPI_COMM_NULL, "nobody"));
    CALL(MPI_Comm_get_name(MPI_COMM_NULL, name, &length));
    tell("%s", name);
    CALL(MPI_Comm_set_info(MPI_COMM_NULL, MPI_INFO_NULL));
    made = MPI_COMM_NULL;
    CALL(MPI_Comm_free(&made));
    made = MPI_COMM_WORLD;
    CALL(MPI_Comm_free(&made));
    made = MPI_COMM_SELF;
    CALL(MPI_Comm_disconnect(&made));
    CALL(MPI_Comm_dup(comms[0], &made));
    CALL(MPI_Comm_disconnect(&made));
    TELL(made == MPI_COMM_NULL);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_comms", make, look); }
