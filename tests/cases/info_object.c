// MPI_Info objects keep keys, values and order; a copy stays independent.
#include <string.h>

#include "testcase_mpi.h"

static void check_key(MPI_Info info, const char *key, const char *wanted) {
    char value[MPI_MAX_INFO_VAL + 1] = "";
    int found;
    MPI_Info_get(info, key, MPI_MAX_INFO_VAL, value, &found);
    if (!found != !wanted || (found && strcmp(value, wanted) != 0))
        fail("key %s is '%s', should be '%s'", key, found ? value : "(absent)", wanted ? wanted : "(absent)");
}

int main(int argc, char **argv) {
    start(&argc, &argv, "info_object");
    MPI_Info info, copy;
    MPI_Info_create(&info);
    MPI_Info_set(info, "striping_factor", "8");
    MPI_Info_set(info, "access_style", "write_once, read_mostly");
    MPI_Info_set(info, "gone", "soon");
    MPI_Info_dup(info, &copy);
    MPI_Info_delete(info, "gone");
    ready();
    wait_for_go();

    int keys;
    char key[MPI_MAX_INFO_KEY + 1];
    MPI_Info_get_nkeys(info, &keys);
    CHECK_EQUAL(keys, 2);
    MPI_Info_get_nthkey(info, 1, key);
    CHECK(strcmp(key, "access_style") == 0);
    check_key(info, "striping_factor", "8");
    check_key(info, "access_style", "write_once, read_mostly");
    check_key(info, "gone", NULL);
    check_key(copy, "gone", "soon");
    MPI_Info_set(copy, "striping_factor", "16");
    check_key(info, "striping_factor", "8");
    MPI_Info_free(&copy);
    MPI_Info_free(&info);
    CHECK(info == MPI_INFO_NULL);
    return finish();
}
