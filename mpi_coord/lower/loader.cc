// dlopen of the lower half, and what it offers to the upper one.
//
// ld.so chooses the namespace of dlopen, dlsym and dl_iterate_phdr by the RETURN ADDRESS: a tail call from here would
// run them for the caller's namespace, the base.  Hence -fno-optimize-sibling-calls for this directory.
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <unistd.h>

#include "mpi_coord/lower/arena.h"

using namespace sckpt::lower;

namespace {

void *load(const char *path, int flags) {
    using Dlopen = void *(const char *, int);
    static Dlopen *real;
    if (!real) real = reinterpret_cast<Dlopen *>(dlsym(RTLD_NEXT, "dlopen"));
    // RTLD_GLOBAL in a namespace made by dlmopen follows a null pointer in ld.so 2.36; the search list of this
    // library, the root, serves as the global scope.  RTLD_NOW: a lazy binding could take ld.so's lock in a handler.
    ++loading;
    void *handle = real(path, (flags & ~(RTLD_GLOBAL | RTLD_LAZY)) | RTLD_NOW);
    if (path && handle && loading == 1) arena()->services.library_loaded(path);
    --loading;
    return handle;
}

}  // namespace

extern "C" {

void __ctype_init(void);

void *dlopen(const char *path, int flags) noexcept { return load(path, flags); }

// Libraries stay for good: a reset restores their data at the addresses where the first run found them.
int dlclose(void *) noexcept { return 0; }

int sckpt_lower_abi(void) { return kAbiVersion; }

int sckpt_lower_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data) {
    return dl_iterate_phdr(callback, data);
}

void sckpt_lower_environment(char **environment) { environ = environment; }

void sckpt_lower_thread_start(void) { __ctype_init(); }

void sckpt_lower_flush(void) { fflush(nullptr); }

int sckpt_lower_preload(const char *path) { return load(path, RTLD_NOW | RTLD_LOCAL) != nullptr; }

const char *sckpt_lower_error(void) { return dlerror(); }

}  // extern "C"
