// Both ends act on the settings of the slave; what is written into one end becomes readable in the other in the
// background, by a worker of the kernel.  While bytes are put back nothing may be echoed, translated or taken for a
// signal, but lines stay lines: ICANON is left as it is, so that the slave reads line by line as before.
#include "preload/terminals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "preload/files.h"
#include "preload/wrap.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

namespace sckpt {
namespace {

// asm/ioctls.h, which cannot be included beside termios.h.
constexpr long kGetSettings = 0x802C542A, kSetSettings = 0x402C542B, kGetSize = 0x5413, kSetSize = 0x5414;
constexpr long kNumber = 0x80045430, kLock = 0x40045431, kIsLocked = 0x80045439;
constexpr long kPackets = 0x5420, kSendsPackets = 0x80045438, kWaiting = 0x541B;

bool is_master(const OpenFile &file) {
    return S_ISCHR(file.info.st_mode) && major(file.info.st_rdev) == 5 && minor(file.info.st_rdev) == 2;
}
bool is_slave(const OpenFile &file) {
    return S_ISCHR(file.info.st_mode) && major(file.info.st_rdev) >= 136 && major(file.info.st_rdev) <= 143;
}

int number_of(int fd, long request) {
    int value = 0;
    return system_call(SYS_ioctl, fd, request, as_long(&value)) < 0 ? 0 : value;
}

void read_state(OpenFile &file) {
    system_call(SYS_ioctl, file.fd, kGetSettings, as_long(&file.terminal.settings));
    system_call(SYS_ioctl, file.fd, kGetSize, as_long(file.terminal.size));
    if (!file.terminal.is_master) return;
    file.terminal.locked = number_of(file.fd, kIsLocked);
    file.terminal.packets = number_of(file.fd, kSendsPackets);
}

void set(int fd, const termios2 &settings) { system_call(SYS_ioctl, fd, kSetSettings, as_long(&settings)); }
void set_packets(int master, bool on) {
    const int value = on;
    system_call(SYS_ioctl, master, kPackets, as_long(&value));
}

// The kernel's worker has delivered everything when a while passes without more.
std::string take(int fd) {
    std::string bytes;
    const timespec moment{0, 2'000'000};
    for (;;) {
        pollfd state{fd, POLLIN, 0};
        if (system_call(SYS_ppoll, as_long(&state), 1, as_long(&moment), 0, 8) <= 0) return bytes;
        const int waiting = number_of(fd, kWaiting);
        if (!(state.revents & POLLIN) || waiting <= 0) return bytes;
        const std::size_t before = bytes.size();
        bytes.resize(before + static_cast<std::size_t>(waiting));
        const long got = sys::read(fd, bytes.data() + before, static_cast<std::size_t>(waiting));
        bytes.resize(before + static_cast<std::size_t>(std::max(got, 0l)));
        if (got <= 0) return bytes;
    }
}

bool put(int fd, const std::string &bytes) {
    for (std::size_t have = 0; have < bytes.size();) {
        pollfd state{fd, POLLOUT, 0};
        const timespec limit{1, 0};
        if (system_call(SYS_ppoll, as_long(&state), 1, as_long(&limit), 0, 8) <= 0) return false;
        const long put = sys::write(fd, bytes.data() + have, bytes.size() - have);
        if (put < 0 && put != -EAGAIN) return false;
        if (put > 0) have += static_cast<std::size_t>(put);
    }
    return true;
}

termios2 without_effects(termios2 settings) {
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    settings.c_lflag &= ICANON;
    return settings;
}

// Into the slave what its program had not read, into the master what its own had not.
bool fill(int master, int slave, const std::string &for_slave, const std::string &for_master, const Terminal &state) {
    set(master, without_effects(state.settings));
    const bool good = put(master, for_slave) && (for_master.empty() || put(slave, for_master));
    set(master, state.settings);
    set_packets(master, state.packets);
    return good;
}

const OpenFile *slave_of(const OpenFile &master, const std::vector<OpenFile> &all) {
    for (const OpenFile &file : all)
        if (file.kind == FileKind::terminal && !file.terminal.is_master && file.shares_with < 0 &&
            file.terminal.number == master.terminal.number)
            return &file;
    return nullptr;
}

long slave_end(int master, int flags) {
    return system_call(SYS_ioctl, master, TIOCGPTPEER, flags | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

void look_at_terminals(std::vector<OpenFile> &all) {
    auto ours = [&](int number) {
        return std::ranges::any_of(all, [&](const OpenFile &file) {
            return file.kind == FileKind::terminal && file.terminal.is_master && file.terminal.number == number;
        });
    };
    for (const bool masters : {true, false})
        for (OpenFile &file : all) {
            if (file.kind != FileKind::refused || (masters ? !is_master(file) : !is_slave(file))) continue;
            const int number =
                masters ? number_of(file.fd, kNumber)
                        : static_cast<int>((major(file.info.st_rdev) - 136) * 256 + minor(file.info.st_rdev));
            if (!masters && !ours(number)) continue;
            file.kind = FileKind::terminal;
            file.terminal.number = number;
            file.terminal.is_master = masters;
            read_state(file);
        }
}

bool copy_terminal(OpenFile &master, std::vector<OpenFile> &all) {
    const OpenFile *slave = slave_of(master, all);
    const int end = slave ? slave->fd : -1;
    if (!slave && number_of(master.fd, kWaiting) == 0) return true;  // nothing in it, and its slave stays as it is
    termios2 raw = without_effects(master.terminal.settings);
    raw.c_lflag = 0;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (master.terminal.packets) set_packets(master.fd, false);
    set(master.fd, raw);
    const std::string for_slave = slave ? take(end) : std::string();
    master.terminal.unread = take(master.fd);
    const int writer = slave ? end : static_cast<int>(slave_end(master.fd, O_RDWR));
    const bool good = fill(master.fd, writer, for_slave, master.terminal.unread, master.terminal);
    if (!slave && writer >= 0) sys::close(writer);
    for (OpenFile &file : all)
        if (&file == slave) file.terminal.unread = for_slave;
    return good;
}

std::string restore_terminals(const std::vector<OpenFile> &all, int above) {
    auto failed = [](const OpenFile &file, long error) {
        return "cannot make the pseudo-terminal of descriptor " + std::to_string(file.fd) +
               " again: " + strerrordesc_np(static_cast<int>(-error));
    };
    for (const OpenFile &master : all) {
        if (master.kind != FileKind::terminal || !master.terminal.is_master || master.shares_with >= 0) continue;
        long fd = sys::open("/dev/ptmx", O_RDWR | O_NOCTTY | (master.flags & O_NONBLOCK));
        if (fd < 0) return failed(master, fd);
        const long high = sys::set_aside(fd, above);
        if (high < 0) return failed(master, high);
        const int no = 0;
        system_call(SYS_ioctl, high, kLock, as_long(&no));
        if (const long error = move_to(master, high); error < 0) return failed(master, error);
        const OpenFile *first = slave_of(master, all);
        for (const OpenFile &slave : all) {
            if (slave.kind != FileKind::terminal || slave.terminal.is_master || slave.shares_with >= 0 ||
                slave.terminal.number != master.terminal.number)
                continue;
            fd = slave_end(master.fd, slave.flags);
            const long error = fd < 0 ? fd : move_to(slave, fd);
            if (error < 0) return failed(slave, error);
        }
        const bool alone = !first && !master.terminal.unread.empty();
        const int writer = first ? first->fd : alone ? static_cast<int>(slave_end(master.fd, O_RDWR)) : -1;
        system_call(SYS_ioctl, master.fd, kSetSize, as_long(master.terminal.size));
        const std::string for_slave = first ? first->terminal.unread : std::string();
        if (!fill(master.fd, writer, for_slave, master.terminal.unread, master.terminal)) return failed(master, -EIO);
        if (alone && writer >= 0) sys::close(writer);
        const int lock = master.terminal.locked;
        system_call(SYS_ioctl, master.fd, kLock, as_long(&lock));
    }
    return {};
}

}  // namespace sckpt
