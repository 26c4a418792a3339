// Timers whose expiry starts a thread (SIGEV_THREAD): ours instead of glibc's, whose helper thread nobody could bring back.
#pragma once

#include <signal.h>

namespace sckpt {

// The notification by which the kernel tells our helper thread of the expiries of such a timer; starts that thread when
// there is none.  An error number on failure.
int notification_for_threads(const sigevent &wanted, sigevent &translated);
// The timer is gone: no thread is started for it any more.
void forget_notification(const sigevent &translated);

}  // namespace sckpt
