// Sockets of a restored process.  Listeners and single sockets come first, then connections, made through the listener
// that the program has at their address or one that lives only for this; then what was unread, then what was shut down.
//
// Names are kept: the address of a listener must be free, or the restore ends with a sentence.  Only the client's port
// of a connection within the process gives way to another one, since nobody outside knows it.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <algorithm>

#include "preload/base/log.h"
#include "preload/files.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

class SocketRestore {
  public:
    SocketRestore(const std::vector<OpenFile> &all, int above) : all_(all), above_(above) {}
    std::string run();

  private:
    std::string failed(const OpenFile &file, const char *what, long error) const;
    long make(const Socket &socket) const;
    void set_options(long fd, const Socket &socket) const;
    long bind_to(long fd, const Socket &socket) const;
    long place(const OpenFile &file, long fd) const;
    std::string single(const OpenFile &file);
    std::string connection(const OpenFile &first, const OpenFile &second);
    std::string through_listener(const OpenFile &server, const OpenFile &client, long listener);
    std::string waiting(const OpenFile &file);
    std::string nameless(const OpenFile &first, const OpenFile *second);
    std::string fill(const OpenFile &file) const;
    const OpenFile *at(int fd) const;

    const std::vector<OpenFile> &all_;
    int above_;
    std::vector<std::pair<int, int>> other_ends_;  // descriptor of an abandoned socket, its other end
};

std::string SocketRestore::failed(const OpenFile &file, const char *what, long error) const {
    const std::string address = address_text(file.socket.here);
    return "cannot " + std::string(what) + " the socket of descriptor " + std::to_string(file.fd) +
           (address.empty() ? "" : " at " + address) + ": " + strerrordesc_np(static_cast<int>(-error));
}

const OpenFile *SocketRestore::at(int fd) const {
    const auto found = std::ranges::find(all_, fd, &OpenFile::fd);
    return found == all_.end() ? nullptr : &*found;
}

// Above all numbers of the program, until it is placed.
long SocketRestore::make(const Socket &socket) const {
    const long fd = system_call(SYS_socket, socket.domain, socket.type | SOCK_CLOEXEC, socket.protocol);
    return fd < 0 ? fd : sys::set_aside(fd, above_);
}

// Only those that differ: setting one can switch a choice of the kernel's off.
void SocketRestore::set_options(long fd, const Socket &socket) const {
    for (const SocketOption &option : socket.options) {
        char value[32] = {};
        socklen_t size = sizeof value;
        if (system_call(SYS_getsockopt, fd, option.level, option.name, as_long(value), as_long(&size)) == 0 &&
            option.value == std::string(value, size))
            continue;
        if (system_call(SYS_setsockopt, fd, option.level, option.name, as_long(option.value.data()),
                        static_cast<long>(option.value.size())) < 0)
            say(Severity::debug, "socket option %d of level %d could not be set again", option.name, option.level);
    }
}

long SocketRestore::bind_to(long fd, const Socket &socket) const {
    const int yes = 1;
    // What an earlier incarnation left behind in the kernel does not stand in the way.
    if (socket.is_internet()) system_call(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, as_long(&yes), sizeof yes);
    const auto length = static_cast<long>(socket.here.size());
    const char *path = socket.here.data() + offsetof(sockaddr_un, sun_path);
    const bool file = socket.domain == AF_UNIX && has_path(socket.here) && *path;
    long result = system_call(SYS_bind, fd, as_long(socket.here.data()), length);
    if (result == -EADDRINUSE && file) {
        // The name that the earlier incarnation has left: nobody answers there.
        const long probe = make(socket);
        const long answer = system_call(SYS_connect, probe, as_long(socket.here.data()), length);
        sys::close(static_cast<int>(probe));
        struct stat info {};
        if (answer != -ECONNREFUSED || system_call(SYS_stat, as_long(path), as_long(&info)) < 0 ||
            !S_ISSOCK(info.st_mode))
            return result;
        system_call(SYS_unlink, as_long(path));
        result = system_call(SYS_bind, fd, as_long(socket.here.data()), length);
    }
    if (result == 0 && file) {
        if (socket.name_mode)
            system_call(SYS_chmod, as_long(path), socket.name_mode & 07777);
        else
            system_call(SYS_unlink, as_long(path));
    }
    return result;
}

long SocketRestore::place(const OpenFile &file, long fd) const {
    if (const long error = move_to(file, fd); error < 0) return error;
    set_options(file.fd, file.socket);
    return system_call(SYS_fcntl, file.fd, F_SETFL, file.flags & (O_NONBLOCK | O_ASYNC));
}

// One that listens, is bound, or is nothing yet.
std::string SocketRestore::single(const OpenFile &file) {
    const Socket &socket = file.socket;
    const long fd = make(socket);
    if (fd < 0) return failed(file, "make", fd);
    set_options(fd, socket);
    if (socket.has_name())
        if (const long error = bind_to(fd, socket); error < 0) return failed(file, "bind", error);
    if (socket.listens)
        if (const long error = system_call(SYS_listen, fd, socket.backlog); error < 0)
            return failed(file, "listen on", error);
    if (const long error = place(file, fd); error < 0) return failed(file, "place", error);
    return {};
}

std::string SocketRestore::nameless(const OpenFile &first, const OpenFile *second) {
    int made[2];
    const Socket &socket = first.socket;
    if (const long error =
            system_call(SYS_socketpair, socket.domain, socket.type | SOCK_CLOEXEC, socket.protocol, as_long(made));
        error < 0)
        return failed(first, "make", error);
    long ends[2];
    for (int i = 0; i < 2; ++i) ends[i] = sys::set_aside(made[i], above_);
    long error = place(first, ends[0]);
    if (second && error >= 0)
        error = place(*second, ends[1]);
    else
        other_ends_.emplace_back(first.fd, static_cast<int>(ends[1]));
    return error < 0 ? failed(first, "place", error) : std::string();
}

std::string SocketRestore::through_listener(const OpenFile &server, const OpenFile &client, long listener) {
    const Socket &socket = client.socket;
    const long fd = make(socket);
    if (fd < 0) return failed(client, "make", fd);
    long bound = socket.has_name() ? bind_to(fd, socket) : 0;
    if (bound < 0 && socket.is_internet())
        say(Severity::warning, "the address %s of a connection within the process is taken: it has another one now",
            address_text(socket.here).c_str());
    else if (bound < 0)
        return failed(client, "bind", bound);
    const std::string &to = socket.peer;
    long error = system_call(SYS_connect, fd, as_long(to.data()), static_cast<long>(to.size()));
    if (error < 0) return failed(client, "connect", error);
    pollfd state{static_cast<int>(listener), POLLIN, 0};
    const timespec limit{10, 0};
    if (system_call(SYS_ppoll, as_long(&state), 1, as_long(&limit), 0, 8) <= 0)
        return failed(server, "accept", -ETIMEDOUT);
    const long accepted = system_call(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
    if (accepted < 0) return failed(server, "accept", accepted);
    const long high = sys::set_aside(accepted, above_);
    error = place(client, fd);
    if (error >= 0) error = place(server, high);
    return error < 0 ? failed(client, "place", error) : std::string();
}

std::string SocketRestore::connection(const OpenFile &first, const OpenFile &second) {
    if (first.socket.domain == AF_UNIX && !has_path(first.socket.here) && !has_path(second.socket.here))
        return nameless(first, &second);
    for (const auto &[server, client] : {std::pair{&first, &second}, std::pair{&second, &first}})
        if (const OpenFile *listener = listener_for(all_, server->socket.type, server->socket.here))
            return through_listener(*server, *client, listener->fd);
    // The listener has been closed since.  In the Unix domain the accepted end has its name.
    const bool second_serves = first.socket.domain == AF_UNIX && !has_path(first.socket.here);
    const OpenFile &server = second_serves ? second : first, &client = second_serves ? first : second;
    const long listener = make(server.socket);
    if (listener < 0) return failed(server, "make", listener);
    std::string wrong;
    if (const long error = bind_to(listener, server.socket); error < 0) wrong = failed(server, "bind", error);
    if (wrong.empty()) system_call(SYS_listen, listener, 1);
    if (wrong.empty()) wrong = through_listener(server, client, listener);
    sys::close(static_cast<int>(listener));
    return wrong;
}

// Connected to a listener that has not accepted it: last, so that nobody else accepts it.
std::string SocketRestore::waiting(const OpenFile &file) {
    const Socket &socket = file.socket;
    const long fd = make(socket);
    if (fd < 0) return failed(file, "make", fd);
    if (socket.has_name()) bind_to(fd, socket);
    const long error = system_call(SYS_connect, fd, as_long(socket.peer.data()), static_cast<long>(socket.peer.size()));
    if (error < 0) return failed(file, "connect", error);
    if (const long placed = place(file, fd); placed < 0) return failed(file, "place", placed);
    return {};
}

std::string SocketRestore::fill(const OpenFile &file) const {
    for (const SocketMessage &message : file.socket.unread) {
        int from = file.socket.pair;
        for (const auto &[fd, other] : other_ends_)
            if (fd == file.fd) from = other;
        // A datagram comes from whoever has its sender's name, else from one without a name.
        long temporary = -1;
        if (from < 0)
            for (const OpenFile &sender : all_)
                if (sender.kind == FileKind::socket && sender.shares_with < 0 && has_path(message.from) &&
                    sender.socket.here == message.from)
                    from = sender.fd;
        if (from < 0) from = static_cast<int>(temporary = make(file.socket));
        const bool by_name = file.socket.pair < 0 && !file.socket.abandoned;
        std::size_t have = 0;
        long put = 0;
        do {
            put = system_call(SYS_sendto, from, as_long(message.bytes.data() + have),
                              static_cast<long>(message.bytes.size() - have), MSG_DONTWAIT | MSG_NOSIGNAL,
                              by_name ? as_long(file.socket.here.data()) : 0,
                              by_name ? static_cast<long>(file.socket.here.size()) : 0);
            if (put > 0) have += static_cast<std::size_t>(put);
        } while (put > 0 && have < message.bytes.size());
        if (temporary >= 0) sys::close(static_cast<int>(temporary));
        if (put < 0) return failed(file, "put back what was unread in", put);
    }
    return {};
}

std::string SocketRestore::run() {
    std::string wrong;
    auto each = [&](auto &&step) {
        for (const OpenFile &file : all_)
            if (wrong.empty() && file.kind == FileKind::socket && file.shares_with < 0) wrong = step(file);
    };
    each([&](const OpenFile &file) { return file.socket.is_connection() ? std::string() : single(file); });
    each([&](const OpenFile &file) {
        const OpenFile *other = file.socket.pair >= 0 ? at(file.socket.pair) : nullptr;
        if (other) return file.fd < other->fd ? connection(file, *other) : std::string();
        return file.socket.abandoned ? nameless(file, nullptr) : std::string();
    });
    each([&](const OpenFile &file) { return file.socket.waits_at >= 0 ? waiting(file) : std::string(); });
    // Peers of datagram sockets: all names are there now.
    each([&](const OpenFile &file) {
        const Socket &socket = file.socket;
        if (socket.is_connection() || socket.listens || socket.peer.empty() || socket.type != SOCK_DGRAM)
            return std::string();
        const long error =
            system_call(SYS_connect, file.fd, as_long(socket.peer.data()), static_cast<long>(socket.peer.size()));
        return error < 0 ? failed(file, "connect", error) : std::string();
    });
    each([&](const OpenFile &file) { return fill(file); });
    each([&](const OpenFile &file) {
        const unsigned both = file.socket.shut_down;
        if (both && !file.socket.abandoned)
            system_call(SYS_shutdown, file.fd,
                        both == (kNoReceive | kNoSend) ? SHUT_RDWR
                        : both == kNoSend              ? SHUT_WR
                                                       : SHUT_RD);
        return std::string();
    });
    for (const auto &[fd, other] : other_ends_) sys::close(other);
    return wrong;
}

}  // namespace

std::string restore_sockets(const std::vector<OpenFile> &all, int above) { return SocketRestore(all, above).run(); }

}  // namespace sckpt
