// Every rank floods every rank: random sizes, tags, communicators and modes of sending, received by exact receives, by
// wildcards and by probing, every byte verified, every message once, those of one source in their order (MPI-3.1, 3.5).
// All ranks draw the same plan of a round from the same seed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testcase_mpi.h"

enum { kMessages = 48, kLargest = 150000, kBuffered = 4000, kComms = 3 };

enum How { kExact, kWildcard, kProbed, kHows };
enum Mode { kSend, kIsend, kSsend, kIssend, kBsend, kIbsend, kPersistent, kRsend, kIrsend, kModes };

struct Message {
    int source, destination, tag, bytes;
    enum How how;
    enum Mode mode;
};
struct Header {
    int round, index, bytes;
    uint32_t sum;
};

static uint64_t seed = 20261128;
static struct Message plan[kMessages];
static MPI_Comm comms[kComms];

static unsigned draw(unsigned below) { return (unsigned)((seed = mix(seed)) >> 33) % below; }

static void make_plan(void) {
    for (int i = 0; i < kMessages; ++i) {
        struct Message *m = &plan[i];
        m->source = (int)draw((unsigned)size);
        m->destination = (int)draw((unsigned)size);
        m->how = (enum How)draw(kHows);
        m->mode = (enum Mode)draw(m->how == kExact ? kModes : m->how == kWildcard ? kRsend : kSsend);
        if (m->how == kProbed) m->mode = kIsend; /* nobody may wait for who is not probing yet */
        m->tag = m->how == kExact ? i : (int)draw(5);
        m->bytes = (int)sizeof(struct Header) + (int)draw(1u << draw(18)) % kLargest;
        if (m->mode == kBsend || m->mode == kIbsend) m->bytes = m->bytes % kBuffered + (int)sizeof(struct Header);
    }
}

static uint32_t sum_of(const unsigned char *bytes, int count) {
    uint32_t sum = 1;
    for (int i = 0; i < count; ++i) sum = sum * 31 + bytes[i];
    return sum;
}

static unsigned char *content(int round, int index) {
    const int bytes = plan[index].bytes, extra = bytes - (int)sizeof(struct Header);
    unsigned char *data = malloc((size_t)bytes);
    uint64_t value = (uint64_t)round << 20 | (unsigned)index;
    for (int i = 0; i < extra; ++i) {
        if (i % 8 == 0) value = mix(value);
        data[(int)sizeof(struct Header) + i] = (unsigned char)(value >> 8 * (i % 8));
    }
    const struct Header header = {round, index, bytes, sum_of(data + sizeof header, extra)};
    memcpy(data, &header, sizeof header);
    return data;
}

// Whether what has come is the message that it says it is, for the first time, behind the earlier ones of its source.
static void accept(const unsigned char *data, const MPI_Status *status, int round, enum How how, char *seen, int *latest) {
    struct Header header;
    int bytes = -1;
    MPI_Get_count(status, MPI_BYTE, &bytes);
    CHECK(bytes >= (int)sizeof header);
    memcpy(&header, data, sizeof header);
    CHECK_EQUAL(header.round, round);
    CHECK(header.index >= 0 && header.index < kMessages);
    const struct Message *m = &plan[header.index];
    CHECK(m->how == how && m->destination == rank && m->source == status->MPI_SOURCE && m->tag == status->MPI_TAG);
    CHECK_EQUAL(bytes, m->bytes);
    CHECK_EQUAL(header.bytes, bytes);
    CHECK_EQUAL(sum_of(data + sizeof header, bytes - (int)sizeof header), header.sum);
    CHECK(!seen[header.index]);
    seen[header.index] = 1;
    if (how == kExact) return;
    CHECK(header.index > latest[m->source]);
    latest[m->source] = header.index;
}

static MPI_Request begin_to_send(const struct Message *m, unsigned char *data) {
    const MPI_Comm comm = comms[m->how];
    MPI_Request request = MPI_REQUEST_NULL;
    switch (m->mode) {
        case kSend: MPI_Send(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm); break;
        case kSsend: MPI_Ssend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm); break;
        case kBsend: MPI_Bsend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm); break;
        case kRsend: MPI_Rsend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm); break;
        case kIssend: MPI_Issend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm, &request); break;
        case kIbsend: MPI_Ibsend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm, &request); break;
        case kIrsend: MPI_Irsend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm, &request); break;
        case kPersistent:
            MPI_Send_init(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm, &request);
            MPI_Start(&request);
            break;
        default: MPI_Isend(data, m->bytes, MPI_BYTE, m->destination, m->tag, comm, &request);
    }
    return request;
}

static void flood(int round) {
    unsigned char *out[kMessages] = {NULL}, *in[kMessages] = {NULL};
    MPI_Request sends[kMessages], receives[kMessages];
    MPI_Status statuses[kMessages];
    char seen[kMessages] = {0};
    int latest[kHows][16], expected = 0, probed = 0, wildcards = 0;
    enum How how_of[kMessages];
    make_plan();
    for (int h = 0; h < kHows; ++h)
        for (int r = 0; r < size; ++r) latest[h][r] = -1;
    for (int i = 0; i < kMessages; ++i) {
        const struct Message *m = &plan[i];
        sends[i] = MPI_REQUEST_NULL;
        if (m->destination != rank) continue;
        if (m->how == kProbed) {
            ++probed;
            continue;
        }
        in[expected] = malloc(kLargest + sizeof(struct Header));
        how_of[expected] = m->how;
        const int exact = m->how == kExact;
        wildcards += !exact;
        MPI_Irecv(in[expected], kLargest + (int)sizeof(struct Header), MPI_BYTE, exact ? m->source : MPI_ANY_SOURCE,
                  exact ? m->tag : MPI_ANY_TAG, comms[m->how], &receives[expected]);
        ++expected;
    }
    MPI_Barrier(MPI_COMM_WORLD); /* what is sent in ready mode meets a posted receive */
    for (int i = 0; i < kMessages; ++i)
        if (plan[i].source == rank) {
            out[i] = content(round, i);
            sends[i] = begin_to_send(&plan[i], out[i]);
        }
    while (probed > 0) {
        MPI_Status status;
        MPI_Message message;
        int bytes = -1;
        if (probed % 2) {
            int found = 0;
            while (!found) MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, comms[kProbed], &found, &message, &status);
        } else {
            MPI_Mprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comms[kProbed], &message, &status);
        }
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        unsigned char *data = malloc((size_t)bytes);
        MPI_Mrecv(data, bytes, MPI_BYTE, &message, &status);
        accept(data, &status, round, kProbed, seen, latest[kProbed]);
        free(data);
        --probed;
    }
    MPI_Waitall(expected, receives, statuses);
    for (int i = 0; i < expected; ++i) { /* in the order of posting, which is that of matching */
        accept(in[i], &statuses[i], round, how_of[i], seen, latest[how_of[i]]);
        free(in[i]);
    }
    for (int i = 0; i < kMessages; ++i) {
        if (plan[i].source != rank) continue;
        MPI_Wait(&sends[i], MPI_STATUS_IGNORE);
        if (sends[i] != MPI_REQUEST_NULL) MPI_Request_free(&sends[i]);
        free(out[i]);
    }
    for (int i = 0; i < kMessages; ++i) CHECK_EQUAL(seen[i], plan[i].destination == rank);
}

int main(int argc, char **argv) {
    static char room[kMessages * (kBuffered + 200 + MPI_BSEND_OVERHEAD)];
    int round = 0;
    start(&argc, &argv, "torture");
    CHECK(size <= 16);
    for (int i = 0; i < kComms; ++i) MPI_Comm_dup(MPI_COMM_WORLD, &comms[i]);
    MPI_Buffer_attach(room, sizeof room);
    flood(round);
    ready();
    while (all_still_waiting(MPI_COMM_WORLD)) flood(++round);
    void *back;
    int bytes;
    MPI_Buffer_detach(&back, &bytes);
    CHECK(back == room && bytes == sizeof room);
    CHECK(round > 0);
    return finish();
}
