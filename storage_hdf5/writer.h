// Writes one rank's image: the plan's tables and the pages of the process, as one HDF5 file that is complete and
// durable under its name, or not there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "storage_hdf5/plan.h"

namespace sckpt::storage {

struct WriteRequest {
    const Plan &plan;
    pid_t source;                      // stopped, or waiting: its memory must not change
    std::filesystem::path directory;   // where rankNNNNN.h5 appears; exists
    unsigned threads = 2;              // that read and hash
    bool direct = true;                // O_DIRECT if possible
    std::function<void()> pages_read;  // called when `source` is no longer needed
};

struct Written {
    std::filesystem::path file;
    std::uint64_t bytes;  // of the file
    std::uint64_t pages;  // stored
    std::string digest;
    std::string method;  // how the page data was written
};

// On failure nothing is left but the error, one sentence.
std::expected<Written, std::string> write_image(const WriteRequest &request);

}  // namespace sckpt::storage
