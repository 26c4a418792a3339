// The library that cases static_tls and static_tls_gone load many copies of: each needs BYTES of the space that ld.so
// sets aside for thread-local data of libraries that come late.
#include <string.h>

static __thread char data[BYTES] __attribute__((tls_model("initial-exec")));

char *static_tls_data(void) {
    memset(data + 1, 1, sizeof data - 1);
    return data;
}
