// Which MPI_X are a profiling library's; see alias.h.
#include "mpi_coord/profiled.h"

#include <dlfcn.h>

#include "mpi_coord/by_name.h"

namespace sckpt::mpi {
namespace {

struct Entry {
    const char *name;
    void *target;
};

// Of the section that alias.h fills, by the linker.
extern "C" {
[[gnu::visibility("hidden")]] extern Entry __start_sckpt_profiled[];
[[gnu::visibility("hidden")]] extern Entry __stop_sckpt_profiled[];
}

}  // namespace

void find_profilers() {
    void *libmpi = dlopen("libmpi.so.40", RTLD_LAZY | RTLD_NOLOAD);
    if (!libmpi) return;
    for (Entry *entry = __start_sckpt_profiled; entry != __stop_sckpt_profiled; ++entry) {
        void *next = dlsym(RTLD_NEXT, entry->name);
        if (next && next != symbol_in(libmpi, entry->name)) entry->target = next;
    }
    dlclose(libmpi);
}

}  // namespace sckpt::mpi
