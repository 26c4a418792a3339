// What a test case and the runner (tests/run.py) say to each other, through files in the case's directory:
//   begun.<rank>    the program has started
//   ready.<rank>    the case has set up what it tests and may be checkpointed from now on
//   requested       a checkpoint has been asked for
//   go              the runner is finished: check and end
//   result.<rank>   "pass", or one sentence that says what was wrong
//   told.<rank>     what the case has found out about MPI, to be compared with a native run
// The directory is named by SCKPT_CASE_DIR, read once in begin(): a restored program goes on using the same one.
// Usable from C, C++ and (testcase.f90) Fortran.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define TESTCASE_NORETURN [[noreturn]]
#else
#define TESTCASE_NORETURN _Noreturn
#endif

// Starts the case; before or after MPI_Init, or without MPI at all.  Fails when the same case was begun before: a
// restored program does not come here again.
void begin(const char *name);

// Tells the runner that the state under test exists.  Call it once, directly before the loop or the call that waits.
void ready(void);

// True until the runner says go.  One raw access(2), so that it neither locks nor calls what is under test.
bool still_waiting(void);

// True from the moment at which the first checkpoint was asked for.
bool requested(void);

// Does nothing, about two milliseconds at a time, until the runner says go.
void wait_for_go(void);

// One such pause, by a raw nanosleep(2) that goes on after an interruption.
void nap(void);

// Announces memory of this rank whose address and protection the runner must find unchanged after a restore.
// Page-aligned.
void watch(const void *start, size_t bytes);

// Announces a descriptor whose state, as /proc/PID/fdinfo shows it, the runner must find unchanged after a restore.
void watch_descriptor(int fd);

// Records success; returns the exit code for main.
int pass(void);

// Records what was wrong and ends this process at once, without destructors or MPI_Finalize.
TESTCASE_NORETURN void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The same for a sentence that is complete, where variable arguments cannot be passed (Fortran).
TESTCASE_NORETURN void fail_with(const char *sentence);

// Adds a line to what this rank has found out: return codes, statuses, contents of objects; nothing that differs from
// run to run, such as addresses.  A program that tells anything is run natively as well, and both must tell the same.
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Number of this rank as its launcher gave it, 0 when it gave none.
int case_rank(void);

// Absolute path, in the case's directory, of a file of this rank alone.  Static: good until the fourth call after it.
const char *case_path(const char *leaf);

// Number that depends on all bits of its argument: test data that needs no memory to be checked (splitmix64).
uint64_t mix(uint64_t value);

// Fills a buffer with bytes that depend on the seed and on the position of each.
void fill(void *buffer, size_t bytes, uint64_t seed);

// Fails, naming `what` and the first wrong byte, unless the buffer is as fill() with this seed left it.
void expect(const void *buffer, size_t bytes, uint64_t seed, const char *what);

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) fail("%s:%d: %s is not so", __FILE__, __LINE__, #condition); \
    } while (0)

// For int-like values, of which the message shows both.
#define CHECK_EQUAL(got, wanted)                                                                                 \
    do {                                                                                                         \
        long long got_ = (long long)(got), wanted_ = (long long)(wanted);                                        \
        if (got_ != wanted_) fail("%s:%d: %s is %lld, should be %lld", __FILE__, __LINE__, #got, got_, wanted_); \
    } while (0)

#ifdef __cplusplus
}
#endif
