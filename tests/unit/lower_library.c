// A component as lower_reset_test has it loaded into the lower half: with data, thread-local data, a constructor that
// allocates, and what it learns about the namespace that it lives in.
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

int component_data = 1;
static __thread int component_local = 2;
static char *allocated;
static pthread_key_t key;

__attribute__((constructor)) static void construct(void) {
    allocated = malloc(64);
    strcpy(allocated, "by the constructor");
}

int *component_local_address(void) { return &component_local; }
const char *component_allocated(void) { return allocated; }
int component_make_key(void) { return pthread_key_create(&key, NULL) == 0 ? (int)key : -1; }
void *component_open(const char *path, int flags) {
    void *volatile handle = dlopen(path, flags);
    return handle;
}
void *component_find(void *handle, const char *name) {
    void *volatile found = dlsym(handle, name);
    return found;
}
