// Threads that load, use and unload a library with thread-local variables without a pause: ld.so's lock, its list of
// libraries and the threads' tables of thread-local storage change all the time.
#define _GNU_SOURCE
#include <dlfcn.h>

#include "hammer.h"

enum { kThreads = 2 };

static char path[4096];

static long call(void *library, const char *name, long value) {
    long (*function)(long);
    *(void **)&function = dlsym(library, name);
    if (!function) fail("dlsym: %s", dlerror());
    return function(value);
}

static void turn(Hammer *self) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("dlopen: %s", dlerror());
    const long before = call(library, "plugin_calls_of_thread", 0);
    call(library, "plugin_step", self->number);
    CHECK_EQUAL(call(library, "plugin_calls_of_thread", 0), before + 1);
    CHECK(dlsym(library, "plugin_has_no_such_function") == NULL);
    CHECK(dlerror() != NULL);
    CHECK_EQUAL(dlclose(library), 0);
}

int main(int argc, char **argv) {
    start(&argc, &argv, "hammer_dlopen");
    snprintf(path, sizeof path, "%.*s/lib/libcase_plugin.so", (int)(__builtin_strrchr(argv[0], '/') - argv[0]),
             argv[0]);
    static Hammer threads[kThreads];
    hammer_until_go(threads, kThreads, turn);
    return finish();
}
