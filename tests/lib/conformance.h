// Frame of the cases conf_*.c, each of which goes through sections of the MPI-3.1 standard.  make() creates objects,
// look() uses every one of them and tells what it finds; look() comes once before the checkpoint and once after it.  What
// is right is what the installed MPI does: the runner compares everything told with a native run, return codes of
// erroneous calls included.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

// Makes a call and tells it with its return code, as text where it is an error.
#define CALL(call) told_call(#call, call)

static inline int told_call(const char *text, int code) {
    char error[MPI_MAX_ERROR_STRING] = "success";
    int length, class = MPI_SUCCESS;
    if (code != MPI_SUCCESS) {
        MPI_Error_class(code, &class);
        MPI_Error_string(code, error, &length);
    }
    tell("%s: %d, class %d, %s", text, code, class, error);
    return code;
}

// Tells a number under its expression.
#define TELL(value) tell("%s = %lld", #value, (long long)(value))

static inline void tell_ints(const char *what, const int *values, int count) {
    char line[1000];
    int length = snprintf(line, sizeof line, "%s:", what);
    for (int i = 0; i < count && length < (int)sizeof line - 16; ++i)
        length += snprintf(line + length, sizeof line - length, " %d", values[i]);
    tell("%s", line);
}

// Tells a sum that depends on every byte and its place.
static inline void tell_bytes(const char *what, const void *bytes, size_t count) {
    uint64_t sum = count;
    for (size_t i = 0; i < count; ++i) sum = mix(sum ^ ((const unsigned char *)bytes)[i]);
    tell("%s: %zu bytes, %016llx", what, count, (unsigned long long)sum);
}

// Tells a status as a receive of `type` has left it; an error code that the call does not set is left out.
static inline void tell_status(const char *what, const MPI_Status *status, MPI_Datatype type, bool with_error) {
    int count = -1, elements = -1, cancelled = -1;
    MPI_Get_count(status, type, &count);
    MPI_Get_elements(status, type, &elements);
    MPI_Test_cancelled(status, &cancelled);
    tell("%s: source %d, tag %d, error %d, count %d, elements %d, cancelled %d", what, status->MPI_SOURCE,
         status->MPI_TAG, with_error ? status->MPI_ERROR : -1, count, elements, cancelled);
}

static inline int conformance(int argc, char **argv, const char *name, void (*make)(void), void (*look)(void)) {
    start(&argc, &argv, name);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
    make();
    tell("-- before");
    look();
    ready();
    wait_for_go();

    tell("-- after");
    look();
    return finish();
}
