// A derived datatype is the same type after a restore when it packs the same bytes, has the same bounds and the same
// description, and still moves data between ranks: all of that is compared here, for a type that a case has made.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

struct TypeFacts {
    MPI_Aint lower, extent, true_lower, true_extent;
    int size, integers, addresses, types, combiner, packed;
    char *pack;
};

static inline struct TypeFacts type_facts(MPI_Datatype type, int count, const char *memory) {
    struct TypeFacts facts;
    int length;
    MPI_Type_get_extent(type, &facts.lower, &facts.extent);
    MPI_Type_get_true_extent(type, &facts.true_lower, &facts.true_extent);
    MPI_Type_size(type, &facts.size);
    MPI_Type_get_envelope(type, &facts.integers, &facts.addresses, &facts.types, &facts.combiner);
    MPI_Pack_size(count, type, MPI_COMM_WORLD, &length);
    facts.pack = calloc(1, length);
    facts.packed = 0;
    MPI_Pack(memory, count, type, facts.pack, length, &facts.packed, MPI_COMM_WORLD);
    return facts;
}

// `type` is committed; `count` of it fit into `bytes` bytes.
static inline int check_type(MPI_Datatype type, int count, size_t bytes) {
    char *memory = malloc(bytes), *received = calloc(1, bytes), *wanted = calloc(1, bytes);
    fill(memory, bytes, 77);
    struct TypeFacts before = type_facts(type, count, memory);
    CHECK_EQUAL(before.packed, before.size * count);
    CHECK(before.extent * (count - 1) + before.true_lower + before.true_extent <= (MPI_Aint)bytes);
    ready();
    wait_for_go();

    expect(memory, bytes, 77, "the memory that the type describes");
    struct TypeFacts after = type_facts(type, count, memory);
    CHECK_EQUAL(after.lower, before.lower);
    CHECK_EQUAL(after.extent, before.extent);
    CHECK_EQUAL(after.true_lower, before.true_lower);
    CHECK_EQUAL(after.true_extent, before.true_extent);
    CHECK_EQUAL(after.size, before.size);
    CHECK_EQUAL(after.integers, before.integers);
    CHECK_EQUAL(after.addresses, before.addresses);
    CHECK_EQUAL(after.types, before.types);
    CHECK_EQUAL(after.combiner, before.combiner);
    CHECK_EQUAL(after.packed, before.packed);
    CHECK(memcmp(after.pack, before.pack, before.packed) == 0);

    // Sent as the type, received as the type: exactly the bytes that it covers change.
    int position = 0;
    MPI_Unpack(before.pack, before.packed, &position, wanted, count, type, MPI_COMM_WORLD);
    MPI_Sendrecv(memory, count, type, (rank + 1) % size, 1, received, count, type, (rank + size - 1) % size, 1,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK(memcmp(received, wanted, bytes) == 0);
    MPI_Type_free(&type);
    return finish();
}
