// What checkpoints there are: steps below a directory, their incarnations and generations; the newest valid one; and
// the fence that keeps ranks of an older incarnation from ever committing.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage_hdf5/reader.h"

namespace sckpt::storage {

struct Generation {
    std::filesystem::path path;
    std::uint32_t incarnation = 0;
    std::uint32_t number = 0;
    bool closed = false;               // its incarnation may not commit any more
    std::optional<Manifest> manifest;  // nothing: not usable, see `problem`
    Error problem;
};

struct Step {
    std::filesystem::path path;
    std::vector<Generation> generations;  // by incarnation, then number: the newest last
};

// How much of a generation is looked at before it is called usable.
enum class Depth {
    manifest,  // job.h5, and every rank file there with its size
    tables,    // and every rank file's structure and table checksums
    data,      // and every page's checksum
};

// Checks one generation; `progress` as in Image::verify(), over all rank files.
std::expected<Manifest, Error> verify_generation(const std::filesystem::path &generation, Depth depth,
                                                 const std::function<void(std::uint64_t bytes)> &progress = {});

// Whether `directory` looks like a step's directory: has an r<N> or r<N>.closed.
bool is_step(const std::filesystem::path &directory);

// The committed generations of a step, checked to `depth`.
std::expected<Step, Error> read_step(const std::filesystem::path &step, Depth depth = Depth::manifest);

// The steps in `directory`, which may be a step itself; by name.
std::expected<std::vector<Step>, Error> list_steps(const std::filesystem::path &directory);

// Renames every r<M> with M < `incarnation` to r<M>.closed.  Renames first and asks never: a rank of the old
// incarnation commits by absolute path, which then no longer exists.  The error is one sentence.
std::expected<void, std::string> fence(const std::filesystem::path &step, std::uint32_t incarnation);

// Where to restart from.
struct RestartPoint {
    std::optional<std::filesystem::path> generation;  // nothing: none was ever committed
    std::vector<Error> skipped;                       // newer generations that are not usable
};
// Fences, then finds the newest usable generation of older incarnations (or of this one).  An error when some were
// committed and none is usable, or when the one found is of another number of ranks.
std::expected<RestartPoint, Error> restart_point(const std::filesystem::path &step, std::uint32_t incarnation,
                                                 std::uint32_t ranks);

}  // namespace sckpt::storage
