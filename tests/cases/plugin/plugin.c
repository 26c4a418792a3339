// The library that cases dlopen_state and hammer_dlopen load: code with state of its own, static and thread-local.
#include <stdlib.h>

static long calls;
static long *history;
static __thread long calls_of_thread;

__attribute__((constructor)) static void construct(void) { history = calloc(1 << 16, sizeof *history); }
__attribute__((destructor)) static void destruct(void) { free(history); }

long plugin_step(long value) {
    history[calls % (1 << 16)] += value;
    ++calls_of_thread;
    return ++calls;
}

long plugin_calls_of_thread(void) { return calls_of_thread; }

long plugin_sum(void) {
    long sum = 0;
    for (int i = 0; i < 1 << 16; ++i) sum += history[i];
    return sum;
}
