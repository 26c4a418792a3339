// How the jobs of bench/ talk to the scripts that run them: by files in a directory (payload.py).
#pragma once

#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace sckpt::bench {

inline bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

// The file is there with all of its text or not at all.  Ends the program when that cannot be.
inline void put(const std::string &path, const std::string &text) {
    const std::string temporary = path + ".tmp";
    std::FILE *file = std::fopen(temporary.c_str(), "w");
    if (file == nullptr || std::fputs(text.c_str(), file) < 0 || std::fclose(file) != 0 ||
        std::rename(temporary.c_str(), path.c_str()) != 0) {
        std::perror(("cannot write " + path).c_str());
        std::exit(EXIT_FAILURE);
    }
}

// True while rank 0 has not seen `go`: all ranks leave the loop in the same turn.
inline bool keep_going(int rank, const std::string &go) {
    int stop = rank == 0 && exists(go) ? 1 : 0;
    int any = 0;
    MPI_Allreduce(&stop, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return any == 0;
}

}  // namespace sckpt::bench
