// MPI-3.1, 6.3: groups.  Set operations on groups in different orders, with empty operands, comparison, translation, and
// the errors of wrong ranks and ranges.
#include "conformance.h"

enum { kGroups = 14 };
static MPI_Group groups[kGroups];
static MPI_Comm backwards;

static void make(void) {
    int last = size - 1, *reversed = malloc(sizeof(int) * size);
    for (int i = 0; i < size; ++i) reversed[i] = last - i;
    MPI_Comm_group(MPI_COMM_WORLD, &groups[0]);
    MPI_Comm_group(MPI_COMM_SELF, &groups[1]);
    CALL(MPI_Group_incl(groups[0], size, reversed, &groups[2]));
    CALL(MPI_Group_excl(groups[0], 1, &last, &groups[3]));
    CALL(MPI_Group_range_incl(groups[0], 1, (int[1][3]){{last, 0, -2}}, &groups[4]));
    CALL(MPI_Group_range_excl(groups[0], 1, (int[1][3]){{0, last, 2}}, &groups[5]));
    CALL(MPI_Group_union(groups[4], groups[2], &groups[6]));
    CALL(MPI_Group_union(groups[1], groups[4], &groups[7]));
    CALL(MPI_Group_intersection(groups[2], groups[3], &groups[8]));
    CALL(MPI_Group_difference(groups[2], groups[4], &groups[9]));
    CALL(MPI_Group_difference(groups[4], groups[0], &groups[10]));
    CALL(MPI_Group_incl(groups[0], 0, NULL, &groups[11]));
    CALL(MPI_Group_excl(groups[0], 0, NULL, &groups[12]));
    groups[13] = MPI_GROUP_EMPTY;
    CALL(MPI_Comm_create(MPI_COMM_WORLD, groups[2], &backwards));
    free(reversed);
}

static void tell_group(const char *what, MPI_Group group) {
    int members, mine, ranks[64], translated[64];
    MPI_Group world;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    CALL(MPI_Group_size(group, &members));
    CALL(MPI_Group_rank(group, &mine));
    for (int i = 0; i < members; ++i) ranks[i] = i;
    CALL(MPI_Group_translate_ranks(group, members, ranks, world, translated));
    tell("%s: size %d, rank %d", what, members, mine);
    tell_ints("  in the world", translated, members);
    MPI_Group_free(&world);
}

static void look(void) {
    char what[40];
    int result, one = 0, translated[3];
    MPI_Group made, again;
    for (int i = 0; i < kGroups; ++i) {
        snprintf(what, sizeof what, "group %d", i);
        tell_group(what, groups[i]);
        for (int j = 0; j < kGroups; ++j) {
            MPI_Group_compare(groups[i], groups[j], &result);
            tell("  compared with %d: %d, the same empty group: %d", j, result, groups[i] == MPI_GROUP_EMPTY);
        }
    }
    CALL(MPI_Group_translate_ranks(groups[0], 2, (int[]){0, MPI_PROC_NULL}, groups[1], translated));
    tell_ints("to the own group", translated, 2);
    CALL(MPI_Comm_group(backwards, &again));
    MPI_Group_compare(again, groups[2], &result);
    TELL(result);
    CALL(MPI_Group_free(&again));
    TELL(again == MPI_GROUP_NULL);

    CALL(MPI_Group_incl(groups[0], 1, (int[]){size}, &made));
    CALL(MPI_Group_incl(groups[0], 1, (int[]){-1}, &made));
    CALL(MPI_Group_excl(groups[0], 1, (int[]){size + 7}, &made));
    CALL(MPI_Group_incl(groups[0], size + 1, translated, &made));
    CALL(MPI_Group_range_incl(groups[0], 1, (int[1][3]){{0, size - 1, 0}}, &made));
    CALL(MPI_Group_range_excl(groups[0], 1, (int[1][3]){{0, size, 1}}, &made));
    CALL(MPI_Group_union(MPI_GROUP_NULL, groups[0], &made));
    CALL(MPI_Group_intersection(groups[0], MPI_GROUP_NULL, &made));
    CALL(MPI_Group_difference(MPI_GROUP_NULL, groups[0], &made));
    CALL(MPI_Group_size(MPI_GROUP_NULL, &result));
    CALL(MPI_Group_size(groups[0], NULL));
    CALL(MPI_Group_rank(MPI_GROUP_NULL, &result));
    CALL(MPI_Group_compare(MPI_GROUP_NULL, groups[0], &result));
    CALL(MPI_Group_translate_ranks(groups[0], 1, &one, MPI_GROUP_NULL, &result));
    CALL(MPI_Comm_group(MPI_COMM_NULL, &made));
    CALL(MPI_Comm_remote_group(MPI_COMM_WORLD, &made));
    made = MPI_GROUP_NULL;
    CALL(MPI_Group_free(&made));
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_groups", make, look); }
