// Threads and thread-specific data of the lower half belong to the base libc, as both libcs would index the same slots
// of the thread control block; and exit() must run the application's handlers.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "mpi_coord/lower/arena.h"

using sckpt::lower::arena;

extern "C" {

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) noexcept {
    return arena()->services.key_create(key, destructor);
}
int __pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) noexcept {
    return arena()->services.key_create(key, destructor);
}
int pthread_key_delete(pthread_key_t key) noexcept { return arena()->services.key_delete(key); }
void *pthread_getspecific(pthread_key_t key) noexcept { return arena()->services.get_specific(key); }
int pthread_setspecific(pthread_key_t key, const void *value) noexcept {
    return arena()->services.set_specific(key, value);
}
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) noexcept {
    return arena()->services.thread_create(thread, attributes, start, argument);
}
int pthread_join(pthread_t thread, void **result) { return arena()->services.thread_join(thread, result); }
int pthread_detach(pthread_t thread) noexcept { return arena()->services.thread_detach(thread); }
int pthread_cancel(pthread_t thread) { return arena()->services.thread_cancel(thread); }
void pthread_exit(void *result) {
    arena()->services.thread_exit(result);
    __builtin_unreachable();
}
void exit(int status) noexcept {
    fflush(nullptr);
    arena()->services.process_exit(status);
    __builtin_unreachable();
}

}  // extern "C"
