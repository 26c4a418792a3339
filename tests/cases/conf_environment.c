// MPI-3.1, 8.1, 8.2, 8.6, 8.7, 12.4, 14.2: the environment.  Versions, names, clocks, memory, the level of threads, what is
// predefined on MPI_COMM_WORLD and on what is made of it; MPI_Pcontrol; before MPI_Init and after MPI_Finalize.
#include <pthread.h>

#include "conformance.h"
// Relies on mpi.h.
#include <mpi-ext.h>

static double before;
static char *memory;
static MPI_Comm copy;
static int provided;

static void make(void) {
    MPI_Info info;
    before = MPI_Wtime();
    MPI_Comm_dup(MPI_COMM_WORLD, &copy);
    MPI_Info_create(&info);
    MPI_Info_set(info, "alignment", "64");
    CALL(MPI_Alloc_mem(1 << 16, info, &memory));
    MPI_Info_free(&info);
    fill(memory, 1 << 16, 12);
}

static void *elsewhere(void *result) {
    MPI_Is_thread_main(result);
    return NULL;
}

static void look(void) {
    int version, subversion, length, flag, found;
    char text[MPI_MAX_LIBRARY_VERSION_STRING], processor[MPI_MAX_PROCESSOR_NAME];
    void *value;
    CALL(MPI_Get_version(&version, &subversion));
    tell("%d.%d", version, subversion);
    CALL(MPI_Get_library_version(text, &length));
    tell("%s, %d", text, length);
    CALL(MPI_Get_processor_name(processor, &length));
    tell("%s, %d", processor, length);
    CALL(MPI_Initialized(&flag));
    TELL(flag);
    CALL(MPI_Finalized(&flag));
    TELL(flag);
    CALL(MPI_Query_thread(&flag));
    TELL(flag == provided && flag >= MPI_THREAD_FUNNELED);
    CALL(MPI_Is_thread_main(&flag));
    TELL(flag);
    pthread_t thread;
    pthread_create(&thread, NULL, elsewhere, &flag);
    pthread_join(thread, NULL);
    TELL(flag);
    // The clock goes on, also over a restart.
    double now = MPI_Wtime();
    TELL(now >= before && now < before + 600);
    before = now;
    TELL(MPI_Wtick() > 0 && MPI_Wtick() <= 1e-3);
    expect(memory, 1 << 16, 12, "memory of MPI_Alloc_mem");

    MPI_Comm comms[] = {MPI_COMM_WORLD, MPI_COMM_SELF, copy};
    int keys[] = {MPI_TAG_UB, MPI_HOST, MPI_IO, MPI_WTIME_IS_GLOBAL, MPI_UNIVERSE_SIZE, MPI_APPNUM, MPI_LASTUSEDCODE};
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 7; ++k) {
            int code = MPI_Comm_get_attr(comms[i], keys[k], &value, &found);
            tell("key %d of %d: %d, %d, %d", k, i, code, found, found ? *(int *)value : 0);
        }
    char bound[OMPI_AFFINITY_STRING_MAX], now_bound[OMPI_AFFINITY_STRING_MAX], there[OMPI_AFFINITY_STRING_MAX];
    CALL(OMPI_Affinity_str(OMPI_AFFINITY_LAYOUT_FMT, bound, now_bound, there));
    tell("%s; %s; %s", bound, now_bound, there);
    TELL(MPIX_Query_cuda_support());
    CALL(MPI_Pcontrol(1));
    CALL(MPI_Pcontrol(2, "anything", 3.0));
    CALL(MPI_Info_get_nkeys(MPI_INFO_ENV, &length));
    TELL(length > 0);

    CALL(MPI_Alloc_mem(-1, MPI_INFO_NULL, &value));
    CALL(MPI_Alloc_mem(0, MPI_INFO_NULL, &value));
    CALL(MPI_Get_processor_name(NULL, &length));
    CALL(MPI_Get_version(NULL, &length));
    CALL(MPI_Query_thread(NULL));
    CALL(MPI_Is_thread_main(NULL));
    CALL(MPI_Initialized(NULL));
}

int main(int argc, char **argv) {
    int flag, version, subversion, length;
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    // What may be called before MPI_Init.
    CHECK(MPI_Initialized(&flag) == MPI_SUCCESS && !flag);
    CHECK(MPI_Finalized(&flag) == MPI_SUCCESS && !flag);
    CHECK(MPI_Get_version(&version, &subversion) == MPI_SUCCESS && version == 3);
    CHECK(MPI_Get_library_version(text, &length) == MPI_SUCCESS && length > 0);
    MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided);
    begin("conf_environment");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    tell("provided %d", provided);
    make();
    look();
    ready();
    wait_for_go();

    look();
    CALL(MPI_Free_mem(memory));
    check_comm(copy, size);
    MPI_Finalize();
    CHECK(MPI_Initialized(&flag) == MPI_SUCCESS && flag);
    CHECK(MPI_Finalized(&flag) == MPI_SUCCESS && flag);
    CHECK(MPI_Get_version(&version, &subversion) == MPI_SUCCESS && version == 3);
    return pass();
}
