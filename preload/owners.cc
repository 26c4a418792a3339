// Who gets the signal of a descriptor with O_ASYNC (fcntl(2), F_SETOWN).  The kernel keeps a process or thread by its
// own number, which is another one after a restart; the program goes on asking and setting by the number it knows.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "preload/files.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

int own_group() { return static_cast<int>(system_call(SYS_getpgid, 0)); }

bool is_own_process(int program_id) { return program_id == getpid(); }

// By the kernel's number, from the program's and back; a negative number is a process group.
int to_kernel_owner(int id) { return is_own_process(id) ? static_cast<int>(sys::getpid()) : id; }
int to_program_owner(int id) { return id == static_cast<int>(sys::getpid()) ? getpid() : id; }

int program_thread_of(int kernel_id) {
    for (const ThreadRecord *record = all_threads; record; record = record->next)
        if (record->alive && record->kernel_id == kernel_id) return record->id;
    return kernel_id == static_cast<int>(sys::gettid()) ? program_thread_id() : kernel_id;
}

}  // namespace

void read_owner(OpenFile &file) {
    f_owner_ex owner{};
    if (system_call(SYS_fcntl, file.fd, F_GETOWN_EX, as_long(&owner)) < 0 || owner.pid == 0) return;
    const long signal = system_call(SYS_fcntl, file.fd, F_GETSIG);
    file.owner.signal = signal > 0 ? static_cast<int>(signal) : 0;
    if (owner.type == F_OWNER_TID) {
        file.owner.kind = FileOwner::Kind::thread;
        file.owner.id = program_thread_of(owner.pid);
    } else if (owner.type == F_OWNER_PID && owner.pid == static_cast<int>(sys::getpid())) {
        file.owner.kind = FileOwner::Kind::process;
    } else if (owner.type == F_OWNER_PGRP && owner.pid == own_group()) {
        file.owner.kind = FileOwner::Kind::group;
    }
}

void set_owner(const OpenFile &file) {
    f_owner_ex owner{};
    switch (file.owner.kind) {
        case FileOwner::Kind::none:
            return;
        case FileOwner::Kind::thread:
            owner = {F_OWNER_TID, to_kernel_id(file.owner.id)};
            break;
        case FileOwner::Kind::process:
            owner = {F_OWNER_PID, static_cast<int>(sys::getpid())};
            break;
        case FileOwner::Kind::group:
            owner = {F_OWNER_PGRP, own_group()};
            break;
    }
    system_call(SYS_fcntl, file.fd, F_SETOWN_EX, as_long(&owner));
    if (file.owner.signal) system_call(SYS_fcntl, file.fd, F_SETSIG, file.owner.signal);
    if (file.flags & O_ASYNC) system_call(SYS_fcntl, file.fd, F_SETFL, file.flags);
}

}  // namespace sckpt

using namespace sckpt;

// The argument is passed on whether it was given or not: the kernel ignores it then.
SCKPT_WRAPPER int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    if (!real::fcntl) [[unlikely]]
        recording();
    if (!restored_process) [[likely]]
        return real::fcntl(fd, command, argument);
    if (command == F_SETOWN) return real::fcntl(fd, command, to_kernel_owner(static_cast<int>(argument)));
    if (command == F_GETOWN) return to_program_owner(real::fcntl(fd, command, argument));
    if (command == F_SETOWN_EX) {
        f_owner_ex owner = *reinterpret_cast<const f_owner_ex *>(argument);
        if (owner.type == F_OWNER_TID) owner.pid = to_kernel_id(owner.pid);
        if (owner.type == F_OWNER_PID) owner.pid = to_kernel_owner(owner.pid);
        return real::fcntl(fd, command, &owner);
    }
    const int result = real::fcntl(fd, command, argument);
    if (command == F_GETOWN_EX && result == 0) {
        auto *owner = reinterpret_cast<f_owner_ex *>(argument);
        if (owner->type == F_OWNER_TID) owner->pid = program_thread_of(owner->pid);
        if (owner->type == F_OWNER_PID) owner->pid = to_program_owner(owner->pid);
    }
    return result;
}
SCKPT_WRAPPER int fcntl64(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return fcntl(fd, command, argument);
}
