// The actions of signals as the application has set them: shared by signals.cc and signal_record.cc.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

#include "preload/base/spin.h"

namespace sckpt {

inline constexpr int kSignals = 65;  // signal numbers are below

struct ApplicationAction {
    std::atomic<void *> handler{nullptr};  // SIG_DFL is null
    std::atomic<std::uint32_t> flags{0};   // SA_*
    std::atomic<std::uint64_t> mask{0};
    std::atomic<bool> known{false};  // set by the application, or inherited and asked for
};
extern ApplicationAction actions[kSignals];
extern Spin action_lock;

inline void *as_pointer(void (*handler)(int)) { return reinterpret_cast<void *>(handler); }

// Of a handler address that the kernel reports.
bool is_trampoline(std::uint64_t handler);
bool is_our_handler(std::uint64_t handler);

}  // namespace sckpt
