// A library loaded by dlopen: its code, its static, allocated and thread-local state, and dlsym, dlclose, dlopen again.
#include <dlfcn.h>
#include <stdio.h>

#include "testcase_mpi.h"

static long (*symbol(void *library, const char *name))(long) {
    long (*function)(long);
    *(void **)&function = dlsym(library, name);
    if (!function) fail("dlsym: %s", dlerror());
    return function;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "dlopen_state");
    char path[4096];
    snprintf(path, sizeof path, "%.*s/lib/libcase_plugin.so", (int)(__builtin_strrchr(argv[0], '/') - argv[0]),
             argv[0]);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("dlopen: %s", dlerror());
    long (*step)(long) = symbol(library, "plugin_step"), wanted = 0;
    for (long i = 1; i <= 70000; ++i) {
        step(i);
        wanted += i;
    }
    ready();
    wait_for_go();

    CHECK_EQUAL(step(5), 70001);
    CHECK_EQUAL(symbol(library, "plugin_sum")(0), wanted + 5);
    CHECK_EQUAL(symbol(library, "plugin_calls_of_thread")(0), 70001);
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == library);
    CHECK_EQUAL(dlclose(library), 0);
    CHECK_EQUAL(dlclose(library), 0);
    CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL);
    library = dlopen(path, RTLD_NOW);
    CHECK(library != NULL);
    CHECK_EQUAL(symbol(library, "plugin_step")(5), 1);
    return finish();
}
