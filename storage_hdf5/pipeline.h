// Reading a process's pages and writing them packed, at the same time: threads read, look for zeros and hash units of
// up to 1 MiB in any order; one thread gives them their place in order and writes them, several at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/records.h"
#include "storage_hdf5/table.h"

namespace sckpt::storage {

// Pages of one region that are to be read.
struct Candidate {
    std::uint32_t region;
    bool keep_zeros;        // a page of zeros must be recorded as such
    std::uint64_t address;  // bytes, of the first page
    std::uint64_t first;    // pages from the start of the region
    std::uint64_t count;    // pages
};

struct PipelineResult {
    std::vector<Run> runs;         // by region, then first page
    std::vector<PageHash> hashes;  // one per stored page
    std::string method;            // Sink::method()
};

struct PipelineRequest {
    const ProcessMemory &memory;
    const std::vector<Candidate> &candidates;  // by region, then first page
    std::filesystem::path file;                // exists
    std::uint64_t offset;                      // bytes, page-aligned: where page 0 goes
    unsigned threads;                          // that read; at least 1
    bool direct;                               // O_DIRECT if possible
    std::function<void()> all_read;            // called once when the process is no longer needed
};

// The error is one sentence.
std::expected<PipelineResult, std::string> copy_pages(const PipelineRequest &request);

}  // namespace sckpt::storage
