// What a window says of itself (MPI-3.1, 11.2.6): predefined attributes, attributes with callbacks (6.7.3), name, group
// and info.
#include <string.h>

#include "testcase_mpi.h"

static int copies, deletions;

static int copy(MPI_Win window, int keyval, void *extra, void *in, void *out, int *flag) {
    (void)window, (void)keyval, (void)extra, (void)in, (void)out;
    ++copies;
    *flag = 0;
    return MPI_SUCCESS;
}

static int erase(MPI_Win window, int keyval, void *value, void *extra) {
    (void)window, (void)keyval;
    CHECK_EQUAL((long)extra, 5);
    deletions += *(int *)value;
    return MPI_SUCCESS;
}

static MPI_Win made_by_us;

int main(int argc, char **argv) {
    start(&argc, &argv, "win_attributes");
    int memory[100], value = 3, more = 40, key, other, found, *unit, *flavor, *model, count, length, order;
    void *base;
    int *mine;
    MPI_Aint *bytes;
    char name[MPI_MAX_OBJECT_NAME], text[8] = "";
    MPI_Group group, world;
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "no_locks", "false");
    MPI_Win_create(memory, sizeof memory, sizeof *memory, info, MPI_COMM_WORLD, &made_by_us);
    MPI_Info_free(&info);
    MPI_Win_create_keyval(copy, erase, &key, (void *)5);
    MPI_Win_create_keyval(MPI_WIN_NULL_COPY_FN, MPI_WIN_NULL_DELETE_FN, &other, NULL);
    MPI_Win_set_attr(made_by_us, key, &value);
    MPI_Win_set_attr(made_by_us, key, &more);
    CHECK_EQUAL(deletions, 3);
    MPI_Win_set_attr(made_by_us, other, &value);
    MPI_Win_free_keyval(&other);
    MPI_Win_set_name(made_by_us, "a window");
    int *model_before;
    MPI_Win_get_attr(made_by_us, MPI_WIN_MODEL, &model_before, &found);
    int was = *model_before;
    ready();
    wait_for_go();

    MPI_Win_get_attr(made_by_us, key, &mine, &found);
    CHECK(found && mine == &more);
    MPI_Win_get_attr(made_by_us, MPI_WIN_BASE, &base, &found);
    CHECK(found && base == memory);
    MPI_Win_get_attr(made_by_us, MPI_WIN_SIZE, &bytes, &found);
    CHECK(found && *bytes == sizeof memory);
    MPI_Win_get_attr(made_by_us, MPI_WIN_DISP_UNIT, &unit, &found);
    CHECK(found && *unit == sizeof *memory);
    MPI_Win_get_attr(made_by_us, MPI_WIN_CREATE_FLAVOR, &flavor, &found);
    CHECK(found && *flavor == MPI_WIN_FLAVOR_CREATE);
    MPI_Win_get_attr(made_by_us, MPI_WIN_MODEL, &model, &found);
    CHECK(found && *model == was && *model_before == was);
    MPI_Win_get_name(made_by_us, name, &length);
    CHECK(strcmp(name, "a window") == 0);
    MPI_Win_get_group(made_by_us, &group);
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Group_compare(group, world, &order);
    CHECK_EQUAL(order, MPI_IDENT);
    MPI_Group_free(&group);
    MPI_Group_free(&world);
    MPI_Win_get_info(made_by_us, &info);
    MPI_Info_get(info, "no_locks", sizeof text - 1, text, &found);
    CHECK(!found || strcmp(text, "false") == 0);
    MPI_Info_get_nkeys(info, &count);
    MPI_Win_set_info(made_by_us, info);
    MPI_Info_free(&info);
    MPI_Win_delete_attr(made_by_us, key);
    CHECK_EQUAL(deletions, 43);
    MPI_Win_set_attr(made_by_us, key, &value);
    MPI_Win_free_keyval(&key);
    MPI_Win_free(&made_by_us);
    CHECK_EQUAL(deletions, 46);
    CHECK_EQUAL(copies, 0);
    return finish();
}
