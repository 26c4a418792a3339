// MPI-3.1, 3.2.5, 12.3, 12.5 (names) and 17.2.3 to 17.2.5: statuses that a program fills in itself, opaque counts,
// statuses and handles of all kinds as Fortran has them, names of types, also predefined ones.
#include "conformance.h"

static MPI_Datatype pair, named;
static MPI_Comm comm;
static MPI_Group group;
static MPI_Op op;
static MPI_Info info;
static MPI_Errhandler handler;
static MPI_Request request, pending;
static MPI_File file;
static MPI_Message message;
static MPI_Fint numbers[8];
static int got;

static void do_nothing(MPI_Comm *about, int *code, ...) { (void)about, (void)code; }
static void add(void *in, void *inout, int *length, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *length; ++i) ((int *)inout)[i] += ((int *)in)[i];
}

static void make(void) {
    MPI_Type_create_struct(2, (int[]){1, 1}, (MPI_Aint[]){0, 8}, (MPI_Datatype[]){MPI_INT, MPI_DOUBLE}, &pair);
    MPI_Type_commit(&pair);
    MPI_Type_dup(pair, &named);
    CALL(MPI_Type_set_name(named, "a pair of numbers"));
    CALL(MPI_Type_set_name(MPI_LONG, "longish"));
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_group(comm, &group);
    MPI_Op_create(add, 1, &op);
    MPI_Info_create(&info);
    MPI_Comm_create_errhandler(do_nothing, &handler);
    MPI_Recv_init(&got, 1, MPI_INT, 0, 3, comm, &request);
    MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, 4, comm, &pending);
    MPI_File_open(MPI_COMM_SELF, case_path("file"), MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file);
    MPI_Send(&rank, 1, MPI_INT, rank, 5, comm);
    MPI_Mprobe(rank, 5, comm, &message, MPI_STATUS_IGNORE);
    numbers[0] = MPI_Comm_c2f(comm);
    numbers[1] = MPI_Type_c2f(named);
    numbers[2] = MPI_Group_c2f(group);
    numbers[3] = MPI_Op_c2f(op);
    numbers[4] = MPI_Info_c2f(info);
    numbers[5] = MPI_Errhandler_c2f(handler);
    numbers[6] = MPI_Request_c2f(request);
    numbers[7] = MPI_File_c2f(file);
}

static void handles(void) {
    TELL(MPI_Comm_f2c(numbers[0]) == comm && MPI_Comm_c2f(comm) == numbers[0]);
    TELL(MPI_Type_f2c(numbers[1]) == named && MPI_Type_c2f(named) == numbers[1]);
    TELL(MPI_Group_f2c(numbers[2]) == group && MPI_Group_c2f(group) == numbers[2]);
    TELL(MPI_Op_f2c(numbers[3]) == op && MPI_Op_c2f(op) == numbers[3]);
    TELL(MPI_Info_f2c(numbers[4]) == info && MPI_Info_c2f(info) == numbers[4]);
    TELL(MPI_Errhandler_f2c(numbers[5]) == handler && MPI_Errhandler_c2f(handler) == numbers[5]);
    TELL(MPI_Request_f2c(numbers[6]) == request && MPI_Request_c2f(request) == numbers[6]);
    TELL(MPI_File_f2c(numbers[7]) == file && MPI_File_c2f(file) == numbers[7]);
    TELL(MPI_Request_f2c(MPI_Request_c2f(pending)) == pending);
    if (message != MPI_MESSAGE_NULL) TELL(MPI_Message_f2c(MPI_Message_c2f(message)) == message);
    // The numbers of predefined handles are the same in all programs: Fortran's header has them.
    TELL(MPI_Comm_c2f(MPI_COMM_WORLD));
    TELL(MPI_Comm_c2f(MPI_COMM_SELF));
    TELL(MPI_Comm_c2f(MPI_COMM_NULL));
    TELL(MPI_Type_c2f(MPI_INTEGER));
    TELL(MPI_Type_c2f(MPI_DOUBLE_PRECISION));
    TELL(MPI_Type_c2f(MPI_DOUBLE));
    TELL(MPI_Type_c2f(MPI_DATATYPE_NULL));
    TELL(MPI_Group_c2f(MPI_GROUP_EMPTY));
    TELL(MPI_Group_c2f(MPI_GROUP_NULL));
    TELL(MPI_Op_c2f(MPI_SUM));
    TELL(MPI_Op_c2f(MPI_OP_NULL));
    TELL(MPI_Info_c2f(MPI_INFO_NULL));
    TELL(MPI_Info_c2f(MPI_INFO_ENV));
    TELL(MPI_Errhandler_c2f(MPI_ERRORS_RETURN));
    TELL(MPI_Errhandler_c2f(MPI_ERRHANDLER_NULL));
    TELL(MPI_Request_c2f(MPI_REQUEST_NULL));
    TELL(MPI_Message_c2f(MPI_MESSAGE_NULL));
    TELL(MPI_Message_c2f(MPI_MESSAGE_NO_PROC));
    TELL(MPI_Win_c2f(MPI_WIN_NULL));
    TELL(MPI_File_c2f(MPI_FILE_NULL));
    TELL(MPI_Comm_f2c(0) == MPI_COMM_WORLD);
    TELL(MPI_Win_f2c(MPI_Win_c2f(MPI_WIN_NULL)) == MPI_WIN_NULL);
    TELL(MPI_Type_f2c(MPI_Type_c2f(MPI_LONG_DOUBLE)) == MPI_LONG_DOUBLE);
    TELL(MPI_Message_f2c(MPI_Message_c2f(MPI_MESSAGE_NO_PROC)) == MPI_MESSAGE_NO_PROC);
    TELL(MPI_File_f2c(MPI_File_c2f(MPI_FILE_NULL)) == MPI_FILE_NULL);
}

static void statuses(void) {
    MPI_Status status, back;
    MPI_Fint fortran[sizeof(MPI_Status) / sizeof(MPI_Fint)];
    MPI_Count many;
    int found;
    memset(&status, 0, sizeof status);
    status.MPI_SOURCE = 3;
    status.MPI_TAG = 9;
    status.MPI_ERROR = MPI_ERR_TAG;
    CALL(MPI_Status_set_elements(&status, MPI_INT, 7));
    CALL(MPI_Status_set_cancelled(&status, 0));
    tell_status("set", &status, MPI_INT, true);
    tell_status("set, as pairs", &status, pair, true);
    CALL(MPI_Status_set_elements(&status, pair, 5));
    tell_status("five elements of pairs", &status, pair, true);
    CALL(MPI_Status_set_elements_x(&status, MPI_BYTE, (MPI_Count)3 << 31));
    CALL(MPI_Get_elements_x(&status, MPI_BYTE, &many));
    TELL(many);
    CALL(MPI_Get_elements(&status, MPI_BYTE, &found));
    TELL(found == MPI_UNDEFINED);
    CALL(MPI_Get_count(&status, MPI_DOUBLE, &found));
    TELL(found);
    CALL(MPI_Status_set_cancelled(&status, 1));
    CALL(MPI_Status_c2f(&status, fortran));
    memset(&back, 0, sizeof back);
    CALL(MPI_Status_f2c(fortran, &back));
    tell_status("there and back", &back, MPI_BYTE, true);
    CALL(MPI_Get_elements_x(&back, MPI_BYTE, &many));
    TELL(many);
    tell_ints("in Fortran", (int *)fortran, 3);
    CALL(MPI_Status_c2f(MPI_STATUS_IGNORE, fortran));
    CALL(MPI_Status_f2c(NULL, &back));
    CALL(MPI_Status_f2c(MPI_F_STATUS_IGNORE, &back));
    CALL(MPI_Get_elements(&status, MPI_DATATYPE_NULL, &found));
    CALL(MPI_Get_elements_x(&status, MPI_DATATYPE_NULL, &many));
    CALL(MPI_Status_set_elements(&status, MPI_DATATYPE_NULL, 1));
    CALL(MPI_Status_set_elements_x(&status, MPI_INT, -1));
    CALL(MPI_Status_set_cancelled(NULL, 1));
    CALL(MPI_Test_cancelled(NULL, &found));
}

static void names(void) {
    char name[MPI_MAX_OBJECT_NAME + 20];
    int length;
    MPI_Datatype types[] = {MPI_CHAR, MPI_INT, MPI_DOUBLE, MPI_LONG_DOUBLE, MPI_DOUBLE_INT, MPI_INTEGER, MPI_COMPLEX,
                            MPI_C_BOOL, MPI_PACKED, MPI_AINT, MPI_LONG, MPI_CXX_BOOL, MPI_INT32_T, MPI_2REAL, named, pair,
                            MPI_DATATYPE_NULL};
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
        name[0] = 0;
        int code = MPI_Type_get_name(types[i], name, &length);
        tell("%zu: %d '%s' %d", i, code, name, code ? 0 : length);
    }
    CALL(MPI_Type_set_name(MPI_DATATYPE_NULL, "nothing"));
    CALL(MPI_Type_set_name(pair, NULL));
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    CALL(MPI_Type_set_name(pair, name));
    CALL(MPI_Type_get_name(pair, name, &length));
    TELL(length);
    CALL(MPI_Comm_set_name(comm, "c"));
    CALL(MPI_Comm_get_name(comm, NULL, &length));
}

static void look(void) {
    handles();
    statuses();
    names();
    static bool again;
    if (again) {
        MPI_Status status;
        CALL(MPI_Mrecv(&got, 1, MPI_INT, &message, &status));
        tell_status("the message", &status, MPI_INT, false);
        TELL(got == rank);
        CALL(MPI_Cancel(&pending));
        CALL(MPI_Wait(&pending, &status));
        CALL(MPI_Request_free(&request));
        CALL(MPI_File_close(&file));
    }
    again = true;
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_status", make, look); }
