// files=copy: what the program overwrites, cuts or writes anew in an open file after the cut is undone by a restore.
// The memory knows what must be in the files, whichever moment it is.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "testcase_mpi.h"

enum { kBlock = 512, kBlocks = 40 };

static unsigned char expected[kBlocks * kBlock + 100];

int main(int argc, char **argv) {
    start(&argc, &argv, "files_copy");
    int blocks = open(case_path("blocks"), O_RDWR | O_CREAT | O_EXCL, 0600);
    int anew = open(case_path("anew"), O_WRONLY | O_CREAT | O_EXCL, 0600), reader = open(case_path("anew"), O_RDONLY);
    CHECK(blocks >= 0 && anew >= 0 && reader >= 0);
    fill(expected, sizeof expected, rank);
    CHECK_EQUAL(write(blocks, expected, sizeof expected), sizeof expected);
    static unsigned char got[sizeof expected];
    uint64_t version = 0, there = 0;
    long length = 8;
    CHECK_EQUAL(write(anew, &version, sizeof version), sizeof version);
    ready();
    while (still_waiting()) {
        ++version;
        const long at = (long)(mix(version) % kBlocks) * kBlock;
        fill(expected + at, kBlock, version);
        CHECK_EQUAL(pwrite(blocks, expected + at, kBlock, at), kBlock);
        CHECK_EQUAL(pread(blocks, got, kBlock, (long)(mix(version + 1) % kBlocks) * kBlock), kBlock);
        length = 8 + (long)(version % 3) * 5000;
        CHECK_EQUAL(ftruncate(anew, 0), 0);
        CHECK_EQUAL(ftruncate(anew, length), 0);
        CHECK_EQUAL(pwrite(anew, &version, sizeof version, 0), sizeof version);
        CHECK_EQUAL(pread(blocks, got, sizeof got, 0), sizeof got);
        CHECK(memcmp(got, expected, sizeof got) == 0);
        CHECK_EQUAL(pread(reader, &there, sizeof there, 0), sizeof there);
        CHECK_EQUAL(there, version);
        CHECK_EQUAL(lseek(reader, 0, SEEK_END), length);
        nap();
    }
    CHECK(version > 0);
    return finish();
}
