// The tool interface, used and left before the cut and used again after it: whatever variables there are can be listed,
// read and given back (MPI-3.1, 14.3).
#include <string.h>

#include "testcase_mpi.h"

enum { kName = 256 };

static void use(void) {
    int provided, count, length, verbosity, bind, scope, class, readonly, continuous, atomic, categories, index, stamp;
    char name[kName], text[kName];
    MPI_Datatype type;
    MPI_T_enum values;
    CHECK_EQUAL(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided), MPI_SUCCESS);
    CHECK_EQUAL(MPI_T_cvar_get_num(&count), MPI_SUCCESS);
    CHECK(count > 0);
    int read = 0;
    for (int i = 0; i < count; ++i) {
        MPI_T_cvar_handle handle;
        int elements = 0, desc = kName, buffer[64];
        length = kName;
        if (MPI_T_cvar_get_info(i, name, &length, &verbosity, &type, &values, text, &desc, &bind, &scope)) continue;
        CHECK(MPI_T_cvar_get_index(name, &index) == MPI_SUCCESS);
        if (values != MPI_T_ENUM_NULL) {
            int items = 0, value, name_length = kName, item_length = kName;
            char item[kName], enum_name[kName];
            CHECK_EQUAL(MPI_T_enum_get_info(values, &items, enum_name, &name_length), MPI_SUCCESS);
            if (items > 0) CHECK_EQUAL(MPI_T_enum_get_item(values, 0, &value, item, &item_length), MPI_SUCCESS);
        }
        if (bind != MPI_T_BIND_NO_OBJECT || type != MPI_INT || MPI_T_cvar_handle_alloc(i, NULL, &handle, &elements)) continue;
        if (elements == 1 && MPI_T_cvar_read(handle, buffer) == MPI_SUCCESS) {
            ++read;
            if (scope == MPI_T_SCOPE_LOCAL) MPI_T_cvar_write(handle, buffer); /* to what it is */
        }
        CHECK_EQUAL(MPI_T_cvar_handle_free(&handle), MPI_SUCCESS);
    }
    CHECK(read > 0);

    MPI_T_pvar_session session;
    CHECK_EQUAL(MPI_T_pvar_session_create(&session), MPI_SUCCESS);
    CHECK_EQUAL(MPI_T_pvar_get_num(&count), MPI_SUCCESS);
    for (int i = 0; i < count; ++i) {
        MPI_T_pvar_handle handle;
        int elements = 0, desc = kName;
        unsigned long long buffer[256];
        MPI_Comm comm = MPI_COMM_WORLD;
        length = kName;
        if (MPI_T_pvar_get_info(i, name, &length, &verbosity, &class, &type, &values, text, &desc, &bind, &readonly,
                                &continuous, &atomic))
            continue;
        MPI_T_pvar_get_index(name, class, &index);
        if (bind != MPI_T_BIND_NO_OBJECT && bind != MPI_T_BIND_MPI_COMM) continue;
        if (strncmp(name, "pml_", 4) != 0) continue; /* those of hardware that is not there crash, natively too */
        if (MPI_T_pvar_handle_alloc(session, i, bind == MPI_T_BIND_NO_OBJECT ? NULL : (void *)&comm, &handle, &elements))
            continue;
        if (!continuous) MPI_T_pvar_start(session, handle);
        if (elements <= 256) {
            MPI_T_pvar_read(session, handle, buffer);
            if (!readonly) MPI_T_pvar_write(session, handle, buffer);
            if (!readonly) MPI_T_pvar_readreset(session, handle, buffer);
        }
        if (!readonly) MPI_T_pvar_reset(session, handle);
        if (!continuous) MPI_T_pvar_stop(session, handle);
        CHECK_EQUAL(MPI_T_pvar_handle_free(session, &handle), MPI_SUCCESS);
    }
    CHECK_EQUAL(MPI_T_pvar_session_free(&session), MPI_SUCCESS);

    MPI_T_category_get_num(&categories);
    MPI_T_category_changed(&stamp);
    for (int i = 0; i < categories; ++i) {
        int cvars = 0, pvars = 0, below = 0, desc = kName, some[4];
        length = kName;
        if (MPI_T_category_get_info(i, name, &length, text, &desc, &cvars, &pvars, &below)) continue;
        CHECK_EQUAL(MPI_T_category_get_index(name, &index), MPI_SUCCESS);
        MPI_T_category_get_cvars(i, 4, some);
        MPI_T_category_get_pvars(i, 4, some);
        MPI_T_category_get_categories(i, 4, some);
    }
    CHECK_EQUAL(MPI_T_finalize(), MPI_SUCCESS);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "conf_tool_interface");
    use();
    ready();
    wait_for_go();
    use();
    return finish();
}
