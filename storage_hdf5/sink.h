// Where page data goes: positioned writes of page-aligned buffers to one file, several at a time by io_uring with
// O_DIRECT; where the kernel or the file system refuses either, by pwrite(2) through the page cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "storage_hdf5/pages.h"

namespace sckpt::storage {

class Sink {
  public:
    // `depth`: how many writes may be under way.  The error is one clause ("No space left on device").
    static std::expected<std::unique_ptr<Sink>, std::string> open(const std::filesystem::path &file, unsigned depth,
                                                                  bool direct);
    ~Sink();
    Sink(const Sink &) = delete;
    Sink &operator=(const Sink &) = delete;

    // Starts writing `length` bytes (whole pages) at `offset` (page-aligned).  The buffer must stay as it is until
    // wait() returns its `tag` (below `depth`, not in use).
    std::expected<void, std::string> submit(unsigned tag, const std::byte *data, std::size_t length,
                                            std::uint64_t offset);
    // Waits for one write; returns its tag.  Only when pending() > 0.
    std::expected<unsigned, std::string> wait();
    unsigned pending() const { return pending_; }

    // How data is written, for reports: "io_uring, O_DIRECT", "io_uring", "pwrite".
    const char *method() const;

  private:
    struct Ring;
    struct Write {
        const std::byte *data;
        std::size_t length;
        std::uint64_t offset;
    };
    Sink();
    std::expected<void, std::string> finish(const Write &write, std::size_t done) const;

    Descriptor plain_;
    Descriptor direct_;
    std::unique_ptr<Ring> ring_;
    std::unique_ptr<Write[]> writes_;  // by tag
    std::deque<unsigned> done_;        // without a ring: written already
    unsigned pending_ = 0;
};

}  // namespace sckpt::storage
