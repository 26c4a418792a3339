#include "preload/world.h"

#include <stdlib.h>

#include <charconv>
#include <cstring>
#include <span>

#include "mpi_coord/coordinator.h"
#include "preload/env.h"
#include "preload/meeting.h"
#include "preload/serial.h"

namespace sckpt::world {
namespace {

int serial_rank = 0, serial_size = 1;

// In seconds.  The writer of rank 0 waits for the files of the others for ten minutes.
constexpr int kPatience = 60, kPatienceForCommit = 720;

int number(std::span<const char *const> names, int otherwise) {
    for (const char *name : names) {
        const char *value = getenv(name);
        int result = 0;
        if (value && *value && std::from_chars(value, value + strlen(value), result).ptr == value + strlen(value))
            return result;
    }
    return otherwise;
}

bool without_mpi() { return !mpi::mpi_running() && !mpi::mpi_finished(); }

std::uint32_t agree(std::uint32_t bits, int patience) {
    if (!without_mpi()) return mpi::agree_union(bits);
    return serial_size == 1 ? bits : current_meeting().agree(bits, patience);
}

}  // namespace

int launched_rank() { return number(env::kRankNames, 0); }

void read_environment() {
    serial_size = number(env::kSizeNames, 1);
    serial_rank = launched_rank();
    if (serial_rank < 0 || serial_rank >= serial_size) serial_rank = 0, serial_size = 1;
}

int rank() { return without_mpi() ? serial_rank : mpi::world_rank(); }
int size() { return without_mpi() ? serial_size : mpi::world_size(); }

std::uint32_t agree_union(std::uint32_t bits) { return agree(bits, kPatience); }
std::uint32_t agree_after_commit(std::uint32_t bits) { return agree(bits, kPatienceForCommit); }

bool broadcast(void *data, int bytes) {
    if (without_mpi()) return serial_size == 1 || current_meeting().tell(data, bytes, kPatience);
    mpi::broadcast(data, bytes, 0);
    return true;
}

}  // namespace sckpt::world
