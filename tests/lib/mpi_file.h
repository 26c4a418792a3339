// What the cases of MPI-IO share: one file for all ranks in the directory of the case.
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "testcase_mpi.h"

static inline const char *shared_path(const char *leaf) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("SCKPT_CASE_DIR"), leaf);
    return path;
}

static inline MPI_File open_shared(MPI_Comm comm, const char *leaf, int amode) {
    MPI_File file;
    CHECK_EQUAL(MPI_File_open(comm, shared_path(leaf), amode, MPI_INFO_NULL, &file), MPI_SUCCESS);
    return file;
}

// How many elements of `type` a transfer has moved, according to its status.
static inline int moved(const MPI_Status *status, MPI_Datatype type) {
    int count = -1;
    MPI_Get_count(status, type, &count);
    return count;
}

// Position of the individual pointer, in etypes of the view.
static inline long long position(MPI_File file) {
    MPI_Offset offset = -1;
    MPI_File_get_position(file, &offset);
    return offset;
}

static inline long long shared_position(MPI_File file) {
    MPI_Offset offset = -1;
    MPI_File_get_position_shared(file, &offset);
    return offset;
}

static inline long long file_size(MPI_File file) {
    MPI_Offset bytes = -1;
    MPI_File_get_size(file, &bytes);
    return bytes;
}
