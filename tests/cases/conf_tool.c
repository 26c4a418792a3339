// MPI-3.1, 14.3: the tool interface.  Control and performance variables, sessions, categories, enumerations: everything
// is looked at before the checkpoint and again after it.  None is in use at the checkpoint, which would be declined.
// What tells of the load (values of performance variables) is used, and not compared.
#include "conformance.h"

enum { kText = 512 };
static MPI_Comm comm;

static void make(void) { MPI_Comm_dup(MPI_COMM_WORLD, &comm); }

static uint64_t text_sum(const char *text) {
    uint64_t sum = 1;
    for (; *text; ++text) sum = mix(sum ^ (unsigned char)*text);
    return sum;
}

static void control_variables(void) {
    int count, read = 0, failed = 0;
    uint64_t sum = 0;
    CALL(MPI_T_cvar_get_num(&count));
    TELL(count > 100);
    for (int i = 0; i < count; ++i) {
        char name[kText], text[kText], value[1 << 14];
        int name_length = kText, text_length = kText, verbosity, bind, scope, values;
        MPI_Datatype type;
        MPI_T_enum list;
        MPI_T_cvar_handle handle;
        if (MPI_T_cvar_get_info(i, name, &name_length, &verbosity, &type, &list, text, &text_length, &bind, &scope)) {
            ++failed;
            continue;
        }
        int index;
        CHECK(MPI_T_cvar_get_index(name, &index) == MPI_SUCCESS);
        sum += text_sum(name) ^ (uint64_t)verbosity ^ (uint64_t)bind << 8;
        int bytes;
        CHECK(MPI_Type_size(type, &bytes) == MPI_SUCCESS);
        sum += (unsigned)bytes << 16;
        if (MPI_T_cvar_handle_alloc(i, &comm, &handle, &values)) {
            ++failed;
            continue;
        }
        if (type != MPI_CHAR || values < (int)sizeof value)
            if (MPI_T_cvar_read(handle, value) == MPI_SUCCESS) ++read;
        if (list != MPI_T_ENUM_NULL) {
            int items, number, length = kText;
            MPI_T_enum_get_info(list, &items, text, &length);
            for (int k = 0; k < items; ++k) {
                length = kText;
                CHECK(MPI_T_enum_get_item(list, k, &number, text, &length) == MPI_SUCCESS);
                sum += text_sum(text) * (unsigned)(number + 1);
            }
        }
        CHECK(MPI_T_cvar_handle_free(&handle) == MPI_SUCCESS);
    }
    tell("%d control variables, %d read, %d not, %llx", count, read, failed, (unsigned long long)sum);

    // One that may be written.
    int index, values, level = -1;
    MPI_T_cvar_handle handle;
    CALL(MPI_T_cvar_get_index("mpi_show_mca_params_file", &index));
    CALL(MPI_T_cvar_get_index("coll_base_verbose", &index));
    CALL(MPI_T_cvar_handle_alloc(index, NULL, &handle, &values));
    CALL(MPI_T_cvar_read(handle, &level));
    TELL(level);
    CALL(MPI_T_cvar_write(handle, &level));
    CALL(MPI_T_cvar_handle_free(&handle));
    TELL(handle == MPI_T_CVAR_HANDLE_NULL);
}

static void performance_variables(void) {
    int count, used = 0;
    MPI_T_pvar_session session;
    CALL(MPI_T_pvar_get_num(&count));
    CALL(MPI_T_pvar_session_create(&session));
    uint64_t sum = 0;
    for (int i = 0; i < count; ++i) {
        char name[kText], text[kText];
        int name_length = kText, text_length = kText, verbosity, class, bind, readonly, continuous, atomic, values;
        MPI_Datatype type;
        MPI_T_enum list;
        MPI_T_pvar_handle handle;
        if (MPI_T_pvar_get_info(i, name, &name_length, &verbosity, &class, &type, &list, text, &text_length, &bind,
                                &readonly, &continuous, &atomic))
            continue;
        int index;
        CHECK(MPI_T_pvar_get_index(name, class, &index) == MPI_SUCCESS);
        sum += text_sum(name) + (uint64_t)class;
        if (strncmp(name, "mtl_", 4) == 0) continue;  // crash natively where their network is not in use
        if (bind != MPI_T_BIND_NO_OBJECT && bind != MPI_T_BIND_MPI_COMM) continue;
        if (MPI_T_pvar_handle_alloc(session, i, bind == MPI_T_BIND_NO_OBJECT ? NULL : &comm, &handle, &values)) continue;
        char *value = calloc(values + 1, 64), *again = calloc(values + 1, 64);
        int results[6] = {continuous ? 0 : MPI_T_pvar_start(session, handle)};
        results[1] = MPI_T_pvar_read(session, handle, value);
        results[2] = continuous ? 0 : MPI_T_pvar_stop(session, handle);
        if (!readonly) {
            results[3] = MPI_T_pvar_write(session, handle, value);
            results[4] = MPI_T_pvar_reset(session, handle);
            results[5] = MPI_T_pvar_readreset(session, handle, again);
        }
        tell_ints(name, results, 6);
        CHECK(MPI_T_pvar_handle_free(session, &handle) == MPI_SUCCESS);
        ++used;
        free(value);
        free(again);
    }
    // How many there are depends on the components that were looked at, and those not chosen have none to use.
    tell("performance variables, %d used, %llx", used, (unsigned long long)sum);
    CALL(MPI_T_pvar_session_free(&session));
    TELL(session == MPI_T_PVAR_SESSION_NULL);
}

static void categories(void) {
    enum { kMost = 4096 };
    int count, stamp, index;
    CALL(MPI_T_category_get_num(&count));
    TELL(count);
    CALL(MPI_T_category_changed(&stamp));
    for (int i = 0; i < count; ++i) {
        char name[kText], text[kText];
        int name_length = kText, text_length = kText, controls, performances, inner, list[kMost];
        // Some have gone with the components that were not chosen.
        if (MPI_T_category_get_info(i, name, &name_length, text, &text_length, &controls, &performances, &inner)) continue;
        CHECK(controls <= kMost && performances <= kMost && inner <= kMost);
        CHECK(MPI_T_category_get_cvars(i, kMost, list) == MPI_SUCCESS);
        CHECK(MPI_T_category_get_pvars(i, kMost, list) == MPI_SUCCESS);
        CHECK(MPI_T_category_get_categories(i, kMost, list) == MPI_SUCCESS);
        CHECK(MPI_T_category_get_index(name, &index) == MPI_SUCCESS);
    }
}

static void look(void) {
    int provided, value;
    char name[8];
    int length = 8;
    CALL(MPI_T_init_thread(MPI_THREAD_SERIALIZED, &provided));
    TELL(provided);
    control_variables();
    performance_variables();
    categories();
    MPI_T_cvar_handle handle;
    TELL(MPI_T_cvar_handle_alloc(1 << 20, NULL, &handle, &value));
    TELL(MPI_T_cvar_get_index("there is no such variable", &value));
    TELL(MPI_T_pvar_get_index("there is no such variable", MPI_T_PVAR_CLASS_LEVEL, &value));
    TELL(MPI_T_category_get_index("there is no such category", &value));
    TELL(MPI_T_cvar_get_info(-1, name, &length, &value, NULL, NULL, NULL, NULL, NULL, NULL));
    TELL(MPI_T_cvar_get_info(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    TELL(MPI_T_category_get_info(1 << 20, name, &length, NULL, NULL, NULL, NULL, NULL));
    TELL(MPI_T_pvar_get_info(1 << 20, name, &length, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    CALL(MPI_T_finalize());
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_tool", make, look); }
