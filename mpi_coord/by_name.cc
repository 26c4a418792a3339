// dlsym: run-time systems of languages open libmpi and ask that very library for each function, so that no symbol of
// ours comes before it.  For a function of MPI they are given ours.
//
// What RTLD_NEXT means depends on the caller, which the real dlsym knows by its return address: so it is jumped to, not
// called.  May be called at any time, before our constructor too.
#include "mpi_coord/by_name.h"

#include <dlfcn.h>

#include <cstring>

extern "C" {

using Dlsym = void *(void *, const char *);

// Found by the first call of sckpt_function_of_mpi, which always comes first.
[[gnu::visibility("hidden")]] Dlsym *sckpt_real_dlsym = nullptr;

// Ours, when `name` in this library is a function of the application's libmpi that we have as well; else null.
[[gnu::visibility("hidden")]] void *sckpt_function_of_mpi(void *library, const char *name) {
    if (!sckpt_real_dlsym) sckpt_real_dlsym = reinterpret_cast<Dlsym *>(dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5"));
    if (library == RTLD_DEFAULT || library == RTLD_NEXT || !name) return nullptr;
    if (!strstr(name, "MPI") && !strstr(name, "mpi_")) return nullptr;
    void *theirs = sckpt_real_dlsym(library, name);
    if (!theirs) return nullptr;
    // The lower half's, in a namespace of its own, is not meant.
    void *libmpi = dlopen("libmpi.so.40", RTLD_LAZY | RTLD_NOLOAD);
    const bool is_of_libmpi = libmpi && sckpt_real_dlsym(libmpi, name) == theirs;
    if (libmpi) dlclose(libmpi);
    dlerror();  // the program has called dlsym alone, and that has succeeded
    if (!is_of_libmpi) return theirs;
    // A library that was preloaded has to be opened before anything can be asked of it.
    Dl_info info;
    static void *const self = dladdr(reinterpret_cast<void *>(&sckpt_function_of_mpi), &info)
                                  ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD)
                                  : nullptr;
    void *ours = self ? sckpt_real_dlsym(self, name) : nullptr;
    return ours ? ours : theirs;
}

[[gnu::visibility("default"), gnu::naked]] void *dlsym(void *, const char *) {
    asm(R"(
        pushq %rdi
        .cfi_adjust_cfa_offset 8
        pushq %rsi
        .cfi_adjust_cfa_offset 8
        subq $8, %rsp
        .cfi_adjust_cfa_offset 8
        call sckpt_function_of_mpi
        addq $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq %rsi
        .cfi_adjust_cfa_offset -8
        popq %rdi
        .cfi_adjust_cfa_offset -8
        testq %rax, %rax
        jne 1f
        jmp *sckpt_real_dlsym(%rip)
    1:  ret
    )");
}

}  // extern "C"

namespace sckpt::mpi {

void *symbol_in(void *library, const char *name) {
    if (!sckpt_real_dlsym) sckpt_function_of_mpi(RTLD_DEFAULT, nullptr);
    return sckpt_real_dlsym(library, name);
}

}  // namespace sckpt::mpi
