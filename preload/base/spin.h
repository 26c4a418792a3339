// A lock for short stretches of our own code.  It yields, as ranks may outnumber the cores.
#pragma once

#include <atomic>

#include "preload/base/system.h"

namespace sckpt {

class Spin {
  public:
    void lock() {
        while (held_.exchange(true, std::memory_order_acquire)) sys::yield();
    }
    bool try_lock() { return !held_.exchange(true, std::memory_order_acquire); }
    void unlock() { held_.store(false, std::memory_order_release); }

  private:
    std::atomic<bool> held_{false};
};

}  // namespace sckpt
