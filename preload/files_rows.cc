// The rows that people read about descriptors: `sckpt show` and h5dump.
#include <stdio.h>
#include <sys/epoll.h>

#include "preload/base/clock.h"
#include "preload/files.h"

namespace sckpt {
namespace {

const char *name_of(FileKind kind) {
    switch (kind) {
        case FileKind::regular:
            return "regular";
        case FileKind::directory:
            return "directory";
        case FileKind::device:
            return "device";
        case FileKind::stream:
            return "stream";
        case FileKind::pipe:
            return "pipe";
        case FileKind::fifo:
            return "fifo";
        case FileKind::eventfd:
            return "eventfd";
        case FileKind::epoll:
            return "epoll";
        case FileKind::timerfd:
            return "timerfd";
        case FileKind::signalfd:
            return "signalfd";
        case FileKind::inotify:
            return "inotify";
        case FileKind::socket:
            return "socket";
        case FileKind::terminal:
            return "terminal";
        case FileKind::deleted:
            return "deleted";
        case FileKind::memory:
            return "memory";
        case FileKind::foreign:
            return "foreign";
        case FileKind::refused:
            break;
    }
    return "refused";
}

const char *state_of(const Socket &socket) {
    if (socket.listens) return "listening";
    if (socket.pair >= 0) return socket.shut_down ? "connected, partly shut down" : "connected";
    if (socket.waits_at >= 0) return "waiting to be accepted";
    if (socket.abandoned) return "other end closed";
    return socket.peer.empty() ? "unconnected" : "sends to its peer";
}

const char *family_of(const Socket &socket) {
    return socket.domain == AF_UNIX ? "Unix" : socket.domain == AF_INET ? "IPv4" : "IPv6";
}
const char *type_of(const Socket &socket) {
    return socket.type == SOCK_STREAM ? "stream" : socket.type == SOCK_DGRAM ? "datagram" : "packets";
}

std::string hexadecimal(std::uint64_t value) {
    char text[20];
    snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

// Value of a line of fdinfo, as it stands there.
std::string line(const std::string &facts, const char *name) {
    const std::string key = "\n" + std::string(name) + ":";
    std::size_t at = facts.find(key);
    if (at == std::string::npos) return {};
    at = facts.find_first_not_of(" \t", at + key.size());
    return at == std::string::npos ? std::string() : facts.substr(at, facts.find('\n', at) - at);
}

std::string state_of(const OpenFile &file) {
    std::string text;
    switch (file.kind) {
        case FileKind::eventfd:
            text = "count " + std::to_string(fact(file.facts, "eventfd-count", 16));
            return file.semaphore ? text + ", semaphore" : text;
        case FileKind::timerfd:
            return "clock " + line(file.facts, "clockid") + ", expirations " + line(file.facts, "ticks") +
                   ", next in (s, ns) " + line(file.facts, "it_value") + ", interval " +
                   line(file.facts, "it_interval");
        case FileKind::signalfd:
            return "signals " + line(file.facts, "sigmask");
        case FileKind::epoll:
            for (const EpollMember &member : file.members)
                text += (text.empty() ? "" : "; ") + std::to_string(member.fd) + " events " +
                        hexadecimal(member.events) + " data " + hexadecimal(member.data);
            return text;
        case FileKind::inotify:
            for (const Watch &watch : file.watches)
                text += (text.empty() ? "" : "; ") + std::to_string(watch.number) + " " + watch.path + " mask " +
                        hexadecimal(watch.mask);
            return text;
        case FileKind::terminal:
            return std::string(file.terminal.is_master ? "master" : "slave") + " of /dev/pts/" +
                   std::to_string(file.terminal.number) + ", unread bytes " +
                   std::to_string(file.terminal.unread.size());
        case FileKind::memory:
            return "bytes " + std::to_string(file.content.size()) + ", seals " +
                   hexadecimal(static_cast<unsigned>(file.seals));
        default:
            return {};
    }
}

const char *name_of(FileLock::Kind kind) {
    return kind == FileLock::Kind::posix ? "fcntl" : kind == FileLock::Kind::flock ? "flock" : "description";
}

}  // namespace

void add_file_rows(const std::vector<OpenFile> &files, Plan &plan) {
    for (const OpenFile &file : files) {
        plan.files.push_back({file.fd, file.shares_with, static_cast<std::uint32_t>(file.flags),
                              file.close_on_exec ? 1u : 0u, file.info.st_mode, static_cast<std::uint32_t>(file.thread),
                              file.offset, file.info.st_size, file.info.st_dev, file.info.st_ino, to_ns(file.info.st_mtim),
                              file.fingerprint, plan.add(file.path), plan.add(name_of(file.kind))});
        if (file.shares_with >= 0) continue;
        for (const FileLock &lock : file.locks)
            plan.file_locks.push_back({file.fd, lock.write, lock.start, lock.length, plan.add(name_of(lock.kind))});
        if (file.kind == FileKind::pipe || file.kind == FileKind::fifo) {
            plan.pipes.push_back(
                {file.fd, file.capacity, file.thread, 0, static_cast<std::int64_t>(file.content.size())});
        } else if (file.kind == FileKind::socket) {
            const Socket &socket = file.socket;
            std::int64_t unread = 0;
            for (const SocketMessage &message : socket.unread)
                unread += static_cast<std::int64_t>(message.bytes.size());
            plan.sockets.push_back({file.fd, socket.pair, socket.backlog,
                                    static_cast<std::int32_t>(socket.unread.size()), file.thread, 0, unread,
                                    plan.add(family_of(socket)), plan.add(type_of(socket)), plan.add(state_of(socket)),
                                    plan.add(address_text(socket.here)), plan.add(address_text(socket.peer))});
        } else if (const std::string state = state_of(file); !state.empty()) {
            plan.descriptors.push_back({file.fd, file.thread, plan.add(name_of(file.kind)), plan.add(state)});
        }
    }
}

}  // namespace sckpt
