// MPI-3.1, chapter 13: files.  Every function of the individual, explicit, shared, ordered, collective, split and
// non-blocking kinds, with hints, groups, sizes, views, atomicity, deletion and errors; objects made before the
// checkpoint go on after it.
#include "conformance.h"

enum { kRoom = 64 };
static MPI_File shared, own;
static char shared_path[4096];
static int mine[kRoom], got[kRoom];

static void make(void) {
    MPI_Info info;
    if (rank == 0) snprintf(shared_path, sizeof shared_path, "%s", case_path("shared"));
    MPI_Bcast(shared_path, sizeof shared_path, MPI_CHAR, 0, MPI_COMM_WORLD);
    CALL(MPI_Info_create(&info));
    CALL(MPI_Info_set(info, "cb_buffer_size", "65536"));
    CALL(MPI_File_open(MPI_COMM_WORLD, shared_path, MPI_MODE_CREATE | MPI_MODE_RDWR, info, &shared));
    CALL(MPI_File_open(MPI_COMM_SELF, case_path("own"), MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_UNIQUE_OPEN,
                       MPI_INFO_NULL, &own));
    CALL(MPI_Info_free(&info));
    for (int i = 0; i < kRoom; ++i) mine[i] = rank * 100 + i;
}

// Of a status only the count means something.
static void tell_count(const char *what, const MPI_Status *status) {
    int count, elements;
    MPI_Get_count(status, MPI_INT, &count);
    MPI_Get_elements(status, MPI_INT, &elements);
    tell("%s: %d %d", what, count, elements);
}

static void tell_got(const char *what, const MPI_Status *status) {
    tell_count(what, status);
    tell_ints("  got", got, 12);
    memset(got, 0xff, sizeof got);
}

static void tell_place(MPI_File file) {
    MPI_Offset place, bytes, size_now;
    MPI_File_get_position(file, &place);
    MPI_File_get_byte_offset(file, place, &bytes);
    MPI_File_get_size(file, &size_now);
    tell("  at %lld, byte %lld of %lld", (long long)place, (long long)bytes, (long long)size_now);
}

static void explicit_offsets(void) {
    MPI_Status status;
    MPI_Request request;
    CALL(MPI_File_write_at(own, 8, mine, 4, MPI_INT, &status));
    tell_count("write_at", &status);
    CALL(MPI_File_read_at(own, 4, got, 8, MPI_INT, &status));
    tell_got("read_at", &status);
    CALL(MPI_File_iwrite_at(own, 40, mine, 3, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_File_iread_at(own, 40, got, 3, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    tell_got("iread_at", &status);
    CALL(MPI_File_write_at_all(shared, rank * 16, mine, 4, MPI_INT, &status));
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_read_at_all(shared, ((rank + 1) % size) * 16, got, 4, MPI_INT, &status));
    tell_got("read_at_all", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_iwrite_at_all(shared, rank * 16, mine + 4, 4, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_File_sync(shared));
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_iread_at_all(shared, ((rank + 1) % size) * 16, got, 4, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    tell_got("iread_at_all", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_write_at_all_begin(shared, rank * 16, mine + 8, 4, MPI_INT));
    CALL(MPI_File_write_at_all_end(shared, mine + 8, &status));
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_read_at_all_begin(shared, ((rank + 1) % size) * 16, got, 4, MPI_INT));
    CALL(MPI_File_read_at_all_end(shared, got, &status));
    tell_got("read_at_all_end", &status);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void individual_pointers(void) {
    MPI_Status status;
    MPI_Request request;
    CALL(MPI_File_seek(own, 0, MPI_SEEK_SET));
    CALL(MPI_File_write(own, mine, 10, MPI_INT, &status));
    tell_place(own);
    CALL(MPI_File_iwrite(own, mine + 20, 2, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    CALL(MPI_File_seek(own, -8, MPI_SEEK_END));
    CALL(MPI_File_read(own, got, 5, MPI_INT, &status));
    tell_got("read", &status);
    CALL(MPI_File_seek(own, 12, MPI_SEEK_SET));
    CALL(MPI_File_iread(own, got, 2, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    tell_got("iread", &status);
    CALL(MPI_File_seek(own, 4, MPI_SEEK_CUR));
    tell_place(own);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek(shared, rank * 20, MPI_SEEK_SET));
    CALL(MPI_File_write_all(shared, mine, 5, MPI_INT, &status));
    CALL(MPI_File_write_all_begin(shared, mine, 0, MPI_INT));
    CALL(MPI_File_write_all_end(shared, mine, &status));
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek(shared, ((rank + 1) % size) * 20, MPI_SEEK_SET));
    CALL(MPI_File_read_all(shared, got, 2, MPI_INT, &status));
    tell_got("read_all", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_read_all_begin(shared, got, 2, MPI_INT));
    CALL(MPI_File_read_all_end(shared, got, &status));
    tell_got("read_all_end", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek(shared, ((rank + 1) % size) * 20, MPI_SEEK_SET));
    CALL(MPI_File_iread_all(shared, got, 5, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    tell_got("iread_all", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek(shared, rank * 20, MPI_SEEK_SET));
    CALL(MPI_File_iwrite_all(shared, mine + 1, 5, MPI_INT, &request));
    CALL(MPI_Wait(&request, &status));
    tell_place(shared);
}

// One rank at a time, so that it is known who gets what.
static void shared_pointer(void) {
    MPI_Status status;
    MPI_Request request;
    MPI_Offset place;
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek_shared(shared, 0, MPI_SEEK_SET));
    for (int r = 0; r < size; ++r) {
        MPI_Barrier(MPI_COMM_WORLD);
        if (r != rank) continue;
        CALL(MPI_File_write_shared(shared, mine, 2, MPI_INT, &status));
        CALL(MPI_File_iwrite_shared(shared, mine + 2, 2, MPI_INT, &request));
        CALL(MPI_Wait(&request, &status));
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_get_position_shared(shared, &place));
    TELL(place);
    CALL(MPI_File_write_ordered(shared, mine + 4, 1 + rank % 2, MPI_INT, &status));
    CALL(MPI_File_write_ordered_begin(shared, mine + 6, 1, MPI_INT));
    CALL(MPI_File_write_ordered_end(shared, mine + 6, &status));
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_seek_shared(shared, 0, MPI_SEEK_SET));
    for (int r = 0; r < size; ++r) {
        MPI_Barrier(MPI_COMM_WORLD);
        if (r != rank) continue;
        CALL(MPI_File_read_shared(shared, got, 2, MPI_INT, &status));
        tell_got("read_shared", &status);
        CALL(MPI_File_iread_shared(shared, got, 2, MPI_INT, &request));
        CALL(MPI_Wait(&request, &status));
        tell_got("iread_shared", &status);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_read_ordered(shared, got, 1 + rank % 2, MPI_INT, &status));
    tell_got("read_ordered", &status);
    CALL(MPI_File_read_ordered_begin(shared, got, 1, MPI_INT));
    CALL(MPI_File_read_ordered_end(shared, got, &status));
    tell_got("read_ordered_end", &status);
    MPI_Barrier(MPI_COMM_WORLD);
    CALL(MPI_File_get_position_shared(shared, &place));
    TELL(place);
}

static void inquiries(void) {
    int flag, amode, members, found;
    MPI_Aint extent;
    MPI_Offset displacement, bytes;
    MPI_Datatype element, filetype, spread;
    MPI_Group group;
    MPI_Info info;
    char representation[MPI_MAX_DATAREP_STRING], value[100];
    CALL(MPI_File_get_amode(shared, &amode));
    TELL(amode);
    CALL(MPI_File_get_group(shared, &group));
    MPI_Group_size(group, &members);
    TELL(members);
    MPI_Group_free(&group);
    CALL(MPI_File_get_info(shared, &info));
    value[0] = 0;
    MPI_Info_get(info, "cb_buffer_size", 99, value, &found);
    tell("cb_buffer_size %d %s", found, value);
    CALL(MPI_File_set_info(shared, info));
    MPI_Info_free(&info);
    CALL(MPI_File_get_atomicity(own, &flag));
    TELL(flag);
    CALL(MPI_File_set_atomicity(own, !flag));
    CALL(MPI_File_get_atomicity(own, &flag));
    TELL(flag);
    CALL(MPI_File_set_atomicity(own, 0));
    CALL(MPI_File_get_type_extent(own, MPI_DOUBLE_INT, &extent));
    TELL(extent);
    CALL(MPI_File_preallocate(own, 4096));
    CALL(MPI_File_get_size(own, &bytes));
    TELL(bytes);
    CALL(MPI_File_set_size(own, 48));
    CALL(MPI_File_get_size(own, &bytes));
    TELL(bytes);
    MPI_Type_vector(4, 1, 2, MPI_INT, &spread);
    MPI_Type_commit(&spread);
    CALL(MPI_File_set_view(own, 4, MPI_INT, spread, "native", MPI_INFO_NULL));
    CALL(MPI_File_get_view(own, &displacement, &element, &filetype, representation));
    tell("%lld %d %s", (long long)displacement, element == MPI_INT, representation);
    CALL(MPI_File_read(own, got, 3, MPI_INT, MPI_STATUS_IGNORE));
    tell_ints("through the view", got, 3);
    tell_place(own);
    CALL(MPI_File_set_view(own, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL));
    MPI_Type_free(&filetype);
    MPI_Type_free(&spread);
}

static int extent(MPI_Datatype type, MPI_Aint *bytes, void *state) {
    (void)state;
    int in_memory;
    int code = MPI_Type_size(type, &in_memory);
    *bytes = in_memory;
    return code;
}

static void errors(void) {
    // Open MPI's own implementation of files has none of these, and says so; but only of the first of a name.
    static bool registered;
    if (!registered)
        CALL(MPI_Register_datarep("of this program", MPI_CONVERSION_FN_NULL, MPI_CONVERSION_FN_NULL, extent, NULL));
    registered = true;
    MPI_File none;
    MPI_Status status;
    MPI_Offset place;
    int class;
    class = MPI_File_open(MPI_COMM_SELF, "/nowhere/at all", MPI_MODE_RDONLY, MPI_INFO_NULL, &none);
    MPI_Error_class(class, &class);
    TELL(class);
    class = MPI_File_delete("/nowhere/at all", MPI_INFO_NULL);
    MPI_Error_class(class, &class);
    TELL(class);
    CALL(MPI_File_open(MPI_COMM_SELF, case_path("x"), MPI_MODE_RDONLY | MPI_MODE_RDWR, MPI_INFO_NULL, &none));
    CALL(MPI_File_open(MPI_COMM_NULL, case_path("x"), MPI_MODE_RDONLY, MPI_INFO_NULL, &none));
    CALL(MPI_File_seek(own, -100, MPI_SEEK_SET));
    CALL(MPI_File_seek(own, 0, 77));
    CALL(MPI_File_read(own, got, -1, MPI_INT, &status));
    CALL(MPI_File_write(own, got, 1, MPI_DATATYPE_NULL, &status));
    CALL(MPI_File_read_at(own, -4, got, 1, MPI_INT, &status));
    CALL(MPI_File_write_at(own, 0, got, -1, MPI_INT, &status));
    CALL(MPI_File_set_size(own, -1));
    CALL(MPI_File_set_view(own, 0, MPI_INT, MPI_BYTE, "nonsense", MPI_INFO_NULL));
    CALL(MPI_File_get_position(MPI_FILE_NULL, &place));
    none = MPI_FILE_NULL;
    CALL(MPI_File_close(&none));
    CALL(MPI_File_open(MPI_COMM_SELF, case_path("gone"), MPI_MODE_CREATE | MPI_MODE_WRONLY | MPI_MODE_DELETE_ON_CLOSE,
                       MPI_INFO_NULL, &none));
    CALL(MPI_File_read(none, got, 1, MPI_INT, &status));
    CALL(MPI_File_write(none, mine, 1, MPI_INT, &status));
    CALL(MPI_File_close(&none));
    class = MPI_File_open(MPI_COMM_SELF, case_path("gone"), MPI_MODE_RDONLY, MPI_INFO_NULL, &none);
    MPI_Error_class(class, &class);
    TELL(class);
}

static void look(void) {
    explicit_offsets();
    individual_pointers();
    shared_pointer();
    inquiries();
    errors();
    static bool again;
    if (again) {
        CALL(MPI_File_close(&shared));
        CALL(MPI_File_close(&own));
        TELL(own == MPI_FILE_NULL);
        MPI_Barrier(MPI_COMM_WORLD);
        if (rank == 0) CALL(MPI_File_delete(shared_path, MPI_INFO_NULL));
    }
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_io", make, look); }
