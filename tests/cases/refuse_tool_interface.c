// While the tool interface is in use a checkpoint is declined: its sessions and handles are those of the live library.
// They work on afterwards.
#include "testcase_mpi.h"

int main(int argc, char **argv) {
    int provided, count, index, value = -1, values, again = -1;
    MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);  // before MPI_Init, as it may be
    start(&argc, &argv, "refuse_tool_interface");
    MPI_T_cvar_handle handle;
    CHECK(MPI_T_cvar_get_num(&count) == MPI_SUCCESS && count > 0);
    CHECK(MPI_T_cvar_get_index("coll_base_verbose", &index) == MPI_SUCCESS);
    CHECK(MPI_T_cvar_handle_alloc(index, NULL, &handle, &values) == MPI_SUCCESS);
    CHECK(MPI_T_cvar_read(handle, &value) == MPI_SUCCESS);
    ready();
    wait_for_go();

    CHECK(MPI_T_cvar_read(handle, &again) == MPI_SUCCESS && again == value);
    CHECK(MPI_T_cvar_handle_free(&handle) == MPI_SUCCESS);
    CHECK(MPI_T_finalize() == MPI_SUCCESS);
    return finish();
}
