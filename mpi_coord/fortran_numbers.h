// The table behind Fortran's numbers for the application's objects (fortran.cc).
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "preload/base/log.h"
#include "preload/base/spin.h"

namespace sckpt::mpi {

// Small numbers for objects, given back and taken again.  Entries never move, so that finding one needs no lock while
// others are added: chunk c holds 64 << c of them.
template <class Object>
class Numbers {
  public:
    // The object that has the number, null when none has.
    Object *find(std::uint32_t index) const {
        const auto [chunk, offset] = place(index);
        if (chunk >= kChunks) return nullptr;
        const Entry *entries = chunks_[chunk].load(std::memory_order_acquire);
        return entries ? entries[offset].load(std::memory_order_acquire) : nullptr;
    }

    // Takes a number for the object.
    std::uint32_t take(Object *object) {
        std::lock_guard locked(lock_);
        std::uint32_t index = size_;
        if (!free_.empty()) {
            index = free_.back();
            free_.pop_back();
        } else {
            ++size_;
        }
        const auto [chunk, offset] = place(index);
        SCKPT_ASSERT(chunk < kChunks);
        if (!chunks_[chunk].load(std::memory_order_relaxed))
            chunks_[chunk].store(new Entry[size_t{64} << chunk]{}, std::memory_order_release);
        chunks_[chunk].load(std::memory_order_relaxed)[offset].store(object, std::memory_order_release);
        return index;
    }

    // The object that has the number gives it back.
    void give(std::uint32_t index) {
        std::lock_guard locked(lock_);
        const auto [chunk, offset] = place(index);
        chunks_[chunk].load(std::memory_order_relaxed)[offset].store(nullptr, std::memory_order_release);
        free_.push_back(index);
    }

  private:
    using Entry = std::atomic<Object *>;
    static constexpr std::uint32_t kChunks = 24;
    struct Place {
        std::uint32_t chunk, offset;
    };
    static Place place(std::uint32_t index) {
        const std::uint64_t shifted = std::uint64_t{index} + 64;
        const auto chunk = static_cast<std::uint32_t>(std::bit_width(shifted)) - 7;
        return {chunk, static_cast<std::uint32_t>(shifted - (std::uint64_t{64} << chunk))};
    }

    std::atomic<Entry *> chunks_[kChunks]{};
    std::uint32_t size_ = 0;
    std::vector<std::uint32_t> free_;
    Spin lock_;
};

}  // namespace sckpt::mpi
