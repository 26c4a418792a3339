// A unit gets a buffer and its number in one step under the lock, so the lowest unfinished unit always owns a buffer
// and the writing side, which takes units by number, never waits for one that cannot come.
#include "storage_hdf5/pipeline.h"

#include <sys/mman.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "storage_hdf5/sink.h"

namespace sckpt::storage {

namespace {

constexpr unsigned kBuffers = 16;
constexpr std::uint64_t kUnitPages = 256;
constexpr std::size_t kUnitBytes = kUnitPages * kPageSize;

bool is_zero(const std::byte *page) {
    constexpr std::size_t kWords = 8;
    for (std::size_t at = 0; at < kPageSize; at += kWords * sizeof(std::uint64_t)) {
        std::uint64_t words[kWords];
        std::memcpy(words, page + at, sizeof words);
        if (words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]) return false;
    }
    return true;
}

void append(std::vector<Run> &runs, const Run &run) {
    if (!runs.empty()) {
        auto &last = runs.back();
        const bool follows = last.region == run.region && last.kind == run.kind &&
                             last.first_page + last.count == run.first_page &&
                             (run.kind == RunKind::zero || last.offset + last.count == run.offset);
        if (follows) {
            last.count += run.count;
            return;
        }
    }
    runs.push_back(run);
}

struct Unit {
    unsigned buffer;
    std::vector<Candidate> pieces;  // at most kUnitPages pages together
    std::vector<Run> runs;          // offsets from the unit's first stored page
    std::vector<PageHash> hashes;
};

class Buffers {
  public:
    Buffers() {
        memory_ = mmap(nullptr, kBuffers * kUnitBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    ~Buffers() {
        if (ok()) munmap(memory_, kBuffers * kUnitBytes);
    }
    Buffers(const Buffers &) = delete;
    Buffers &operator=(const Buffers &) = delete;
    bool ok() const { return memory_ != MAP_FAILED; }
    std::byte *at(unsigned index) const { return static_cast<std::byte *>(memory_) + index * kUnitBytes; }

  private:
    void *memory_;
};

class Pipeline {
  public:
    explicit Pipeline(const PipelineRequest &request) : request_(request) {
        for (unsigned i = 0; i < kBuffers; ++i) free_.push_back(i);
    }

    ~Pipeline() {
        stop();
        for (auto &thread : threads_) thread.join();
    }

    std::expected<PipelineResult, std::string> run() {
        if (!buffers_.ok()) return std::unexpected("there is no memory for the writer's buffers");
        auto sink = Sink::open(request_.file, kBuffers, request_.direct);
        if (!sink) return std::unexpected("cannot write " + request_.file.string() + ": " + sink.error());
        result_.method = (*sink)->method();
        start_threads();
        auto written = write_all(**sink);
        // Buffers must outlive the writes that are still under way.
        for (unsigned left = (*sink)->pending(); left > 0; --left) (void)(*sink)->wait();
        if (!written) return std::unexpected(written.error());
        return std::move(result_);
    }

  private:
    void start_threads() {
        for (unsigned i = 0; i < request_.threads; ++i) {
            try {
                threads_.emplace_back([this] {
                    while (read_unit(true)) {
                    }
                });
            } catch (const std::system_error &) {
                break;  // RLIMIT_NPROC: with fewer, if need be with the writing thread alone
            }
        }
    }

    void stop() {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }

    bool exhausted() const { return next_candidate_ == request_.candidates.size(); }

    // Takes the next unit's pieces; the lock is held.
    std::vector<Candidate> take_pieces() {
        std::vector<Candidate> pieces;
        std::uint64_t room = kUnitPages;
        while (room > 0 && !exhausted()) {
            auto piece = request_.candidates[next_candidate_];
            piece.first += taken_;
            piece.address += taken_ * kPageSize;
            piece.count = std::min(piece.count - taken_, room);
            taken_ += piece.count;
            room -= piece.count;
            if (taken_ == request_.candidates[next_candidate_].count) {
                ++next_candidate_;
                taken_ = 0;
            }
            pieces.push_back(piece);
        }
        return pieces;
    }

    // Reads one unit.  False when there is none left (or, without `wait`, no free buffer).
    bool read_unit(bool wait) {
        std::unique_lock lock(mutex_);
        if (wait) changed_.wait(lock, [this] { return stopping_ || exhausted() || !free_.empty(); });
        if (stopping_ || exhausted() || free_.empty()) return false;
        Unit unit;
        unit.buffer = free_.back();
        free_.pop_back();
        const auto number = units_taken_++;
        unit.pieces = take_pieces();
        if (exhausted()) changed_.notify_all();
        lock.unlock();

        auto filled = fill(unit);

        lock.lock();
        if (!filled && error_.empty()) error_ = filled.error();
        ready_.emplace(number, std::move(unit));
        changed_.notify_all();
        return true;
    }

    std::expected<void, std::string> fill(Unit &unit) const {
        std::byte *const buffer = buffers_.at(unit.buffer);
        std::vector<Piece> places;
        for (const auto &piece : unit.pieces) places.push_back({piece.address, piece.count});
        if (auto got = request_.memory.read(places, buffer); !got) return got;
        const std::byte *from = buffer;
        std::byte *to = buffer;
        for (const auto &piece : unit.pieces) {
            for (std::uint64_t page = 0; page < piece.count; ++page, from += kPageSize) {
                if (is_zero(from)) {
                    if (piece.keep_zeros) append(unit.runs, {piece.region, RunKind::zero, piece.first + page, 1, 0});
                    continue;
                }
                if (to != from) std::memcpy(to, from, kPageSize);
                append(unit.runs, {piece.region, RunKind::data, piece.first + page, 1, unit.hashes.size()});
                unit.hashes.push_back(page_hash(to, kPageSize));
                to += kPageSize;
            }
        }
        return {};
    }

    std::expected<void, std::string> reap(Sink &sink) {
        auto tag = sink.wait();
        if (!tag) return std::unexpected("cannot write " + request_.file.string() + ": " + tag.error());
        give_back(*tag);
        return {};
    }

    void give_back(unsigned buffer) {
        std::lock_guard lock(mutex_);
        free_.push_back(buffer);
        changed_.notify_all();
    }

    // The next unit in order, nothing when all have been handed out, or an error.
    std::expected<std::vector<Unit>, std::string> next_unit(Sink &sink) {
        for (;;) {
            {
                std::unique_lock lock(mutex_);
                const auto available = [this] {
                    return !error_.empty() || ready_.contains(next_unit_) ||
                           (exhausted() && next_unit_ == units_taken_);
                };
                if (!available() && sink.pending() == 0 && !threads_.empty()) changed_.wait(lock, available);
                if (!error_.empty()) return std::unexpected(error_);
                if (auto found = ready_.extract(next_unit_)) {
                    ++next_unit_;
                    std::vector<Unit> one;
                    one.push_back(std::move(found.mapped()));
                    return one;
                }
                if (exhausted() && next_unit_ == units_taken_) return {};
            }
            if (threads_.empty() && read_unit(false)) continue;
            if (sink.pending() > 0) {
                if (auto reaped = reap(sink); !reaped) return std::unexpected(reaped.error());
            }
        }
    }

    std::expected<void, std::string> write_all(Sink &sink) {
        bool told = false;
        for (;;) {
            auto next = next_unit(sink);
            if (!next) return std::unexpected(next.error());
            if (next->empty()) break;
            Unit &unit = next->front();
            const std::uint64_t base = result_.hashes.size();
            for (auto run : unit.runs) {
                if (run.kind == RunKind::data) run.offset += base;
                append(result_.runs, run);
            }
            result_.hashes.insert(result_.hashes.end(), unit.hashes.begin(), unit.hashes.end());
            if (unit.hashes.empty()) {
                give_back(unit.buffer);
            } else {
                auto sent = sink.submit(unit.buffer, buffers_.at(unit.buffer), unit.hashes.size() * kPageSize,
                                        request_.offset + base * kPageSize);
                if (!sent) return std::unexpected("cannot write " + request_.file.string() + ": " + sent.error());
            }
            if (!told && everything_read()) told = tell();
        }
        if (!told) tell();
        while (sink.pending() > 0) {
            if (auto reaped = reap(sink); !reaped) return reaped;
        }
        return {};
    }

    bool everything_read() {
        std::lock_guard lock(mutex_);
        return exhausted() && next_unit_ + ready_.size() == units_taken_ && error_.empty();
    }

    bool tell() {
        if (request_.all_read) request_.all_read();
        return true;
    }

    const PipelineRequest &request_;
    Buffers buffers_;
    PipelineResult result_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<unsigned> free_;
    std::map<std::uint64_t, Unit> ready_;
    std::size_t next_candidate_ = 0;  // of request_.candidates
    std::uint64_t taken_ = 0;         // pages of that candidate
    std::uint64_t units_taken_ = 0;
    std::uint64_t next_unit_ = 0;  // to be written
    std::string error_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

std::expected<PipelineResult, std::string> copy_pages(const PipelineRequest &request) {
    Pipeline pipeline(request);
    return pipeline.run();
}

}  // namespace sckpt::storage
