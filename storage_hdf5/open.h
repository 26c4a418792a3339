// Opening a file of ours and saying what is wrong with one that is not: shared by the readers of rank files and of
// job.h5.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "storage_hdf5/h5.h"
#include "storage_hdf5/reader.h"
#include "storage_hdf5/table.h"

namespace sckpt::storage {

// Thrown inside this directory with a refusal that is already worded.
struct Refused {
    Error error;
};

struct Opened {
    h5::Id file;
    std::uint64_t bytes;
};

// Opens read-only; checks the kind of file, its format version and that it was finished.  Throws Refused.
Opened open_image(const std::filesystem::path &path, const char *format);

// A rank file is there and has the size that the manifest says.
std::expected<void, Error> check_rank_file(const std::filesystem::path &generation, const RankEntry &entry);

// Runs `body` and turns what this directory throws into an Error about `path`.
template <class Body>
auto guarded(const std::filesystem::path &path, Body body) -> std::expected<decltype(body()), Error> {
    try {
        return body();
    } catch (const Refused &refused) {
        return std::unexpected(refused.error);
    } catch (const Altered &altered) {
        return std::unexpected(Error{Refusal::altered_table, path.string() + ": " + altered.what +
                                                                 "; the file was altered after it was written"});
    } catch (const h5::Failure &failure) {
        return std::unexpected(Error{Refusal::altered_table, path.string() + ": " + failure.reason});
    } catch (const std::exception &error) {
        return std::unexpected(Error{Refusal::unreadable, "cannot read " + path.string() + ": " + error.what()});
    }
}

}  // namespace sckpt::storage
