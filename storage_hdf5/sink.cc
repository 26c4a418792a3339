#include "storage_hdf5/sink.h"

#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <cerrno>

#include "storage_hdf5/text.h"

namespace sckpt::storage {

struct Sink::Ring {
    io_uring ring{};
    bool up = false;
    explicit Ring(unsigned depth) { up = io_uring_queue_init(depth, &ring, 0) == 0; }
    ~Ring() {
        if (up) io_uring_queue_exit(&ring);
    }
};

Sink::Sink() = default;
// Leaving the ring waits for nothing, but whoever owns the buffers calls wait() first.
Sink::~Sink() = default;

std::expected<std::unique_ptr<Sink>, std::string> Sink::open(const std::filesystem::path &file, unsigned depth,
                                                             bool direct) {
    std::unique_ptr<Sink> sink(new Sink);
    sink->plain_ = Descriptor(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!sink->plain_) return std::unexpected(system_error(errno));
    if (direct) sink->direct_ = Descriptor(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_DIRECT));
    sink->writes_ = std::make_unique<Write[]>(depth);
    // Refused by seccomp, by kernel.io_uring_disabled, by a limit: then without it.
    if (auto ring = std::make_unique<Ring>(depth); ring->up) sink->ring_ = std::move(ring);
    return sink;
}

std::expected<void, std::string> Sink::submit(unsigned tag, const std::byte *data, std::size_t length,
                                              std::uint64_t offset) {
    writes_[tag] = {data, length, offset};
    if (!ring_) {
        if (auto written = finish(writes_[tag], 0); !written) return written;
        done_.push_back(tag);
        ++pending_;
        return {};
    }
    io_uring_sqe *entry = io_uring_get_sqe(&ring_->ring);
    if (!entry) return std::unexpected("io_uring accepts no more writes");
    io_uring_prep_write(entry, direct_ ? direct_.get() : plain_.get(), data, static_cast<unsigned>(length), offset);
    io_uring_sqe_set_data64(entry, tag);
    int submitted;
    do submitted = io_uring_submit(&ring_->ring);
    while (submitted == -EINTR || submitted == -EAGAIN);
    if (submitted < 0) return std::unexpected(system_error(-submitted));
    ++pending_;
    return {};
}

std::expected<unsigned, std::string> Sink::wait() {
    if (!ring_) {
        const unsigned tag = done_.front();
        done_.pop_front();
        --pending_;
        return tag;
    }
    io_uring_cqe *event = nullptr;
    int result;
    do result = io_uring_wait_cqe(&ring_->ring, &event);
    while (result == -EINTR);
    if (result < 0) return std::unexpected(system_error(-result));
    const auto tag = static_cast<unsigned>(io_uring_cqe_get_data64(event));
    const int written = event->res;
    io_uring_cqe_seen(&ring_->ring, event);
    --pending_;
    const Write &write = writes_[tag];
    if (written < 0 || static_cast<std::size_t>(written) < write.length) {
        // A short write, or a file system that takes O_DIRECT at open() and refuses it here: pwrite() does the rest
        // or says what is wrong (pages are disjoint, so both ways may be used on one file).
        std::size_t done = written > 0 ? static_cast<std::size_t>(written) : 0;
        if (auto finished = finish(write, done); !finished) return std::unexpected(finished.error());
    }
    return tag;
}

const char *Sink::method() const {
    if (!ring_) return "pwrite";
    return direct_ ? "io_uring, O_DIRECT" : "io_uring";
}

std::expected<void, std::string> Sink::finish(const Write &write, std::size_t done) const {
    while (done < write.length) {
        const ssize_t got =
            pwrite(plain_.get(), write.data + done, write.length - done, static_cast<off_t>(write.offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::unexpected(system_error(got < 0 ? errno : EIO));
        done += static_cast<std::size_t>(got);
    }
    return {};
}

}  // namespace sckpt::storage
