// A stack of several MiB, cut at its deepest point; every frame is checked on the way back, which then goes deeper
// still.
#include "testcase_mpi.h"

enum { kDepth = 4000 };

static uint64_t descend(int depth, int bottom, bool wait) {
    uint64_t frame[100];
    fill(frame, sizeof frame, depth);
    uint64_t below = 0;
    if (depth < bottom) {
        below = descend(depth + 1, bottom, wait);
    } else if (wait) {
        ready();
        wait_for_go();
    }
    expect(frame, sizeof frame, depth, "a frame of the stack");
    return mix(below + depth);
}

static uint64_t computed(int bottom) {
    uint64_t value = 0;
    for (int depth = bottom; depth >= 0; --depth) value = mix(value + depth);
    return value;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "deep_recursion");
    CHECK(descend(0, kDepth, true) == computed(kDepth));
    CHECK(descend(0, 2 * kDepth, false) == computed(2 * kDepth));
    return finish();
}
