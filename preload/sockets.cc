// What a socket is at the cut.  Who is at the other end of a Unix-domain socket only the kernel's socket diagnosis
// tells (sock_diag(7)); of a TCP connection the addresses of both ends say it.
#include "preload/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <optional>

#include "preload/files.h"
#include "preload/wrap.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

namespace sckpt {
namespace {

using Address = sockaddr_storage;

std::string ask_address(int fd, long call) {
    Address address{};
    socklen_t length = sizeof address;
    if (system_call(call, fd, as_long(&address), as_long(&length)) < 0) return {};
    return {reinterpret_cast<const char *>(&address), std::min<std::size_t>(length, sizeof address)};
}

int number_option(int fd, int level, int name, int otherwise = -1) {
    int value = 0;
    socklen_t size = sizeof value;
    return system_call(SYS_getsockopt, fd, level, name, as_long(&value), as_long(&size)) < 0 ? otherwise : value;
}

Address unpack(const std::string &address) {
    Address whole{};
    memcpy(&whole, address.data(), std::min(address.size(), sizeof whole));
    return whole;
}

// Options with a value that can be asked for and set alike.  Buffer sizes are apart: asking gives twice what was set.
constexpr std::pair<int, int> kOptions[] = {
    {SOL_SOCKET, SO_REUSEADDR},
    {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_BROADCAST},
    {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_OOBINLINE},
    {SOL_SOCKET, SO_PRIORITY},
    {SOL_SOCKET, SO_LINGER},
    {SOL_SOCKET, SO_RCVLOWAT},
    {SOL_SOCKET, SO_RCVTIMEO},
    {SOL_SOCKET, SO_SNDTIMEO},
    {SOL_SOCKET, SO_PASSCRED},
    {SOL_SOCKET, SO_TIMESTAMP},
    {SOL_SOCKET, SO_TIMESTAMPNS},
    {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TTL},
    {IPPROTO_IP, IP_PKTINFO},
    {IPPROTO_IP, IP_RECVTTL},
    {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_MTU_DISCOVER},
    {IPPROTO_IP, IP_MULTICAST_IF},
    {IPPROTO_IP, IP_MULTICAST_TTL},
    {IPPROTO_IP, IP_MULTICAST_LOOP},
    {IPPROTO_IPV6, IPV6_V6ONLY},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
    {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_CORK},
    {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},
    {IPPROTO_TCP, TCP_SYNCNT},
    {IPPROTO_TCP, TCP_LINGER2},
    {IPPROTO_TCP, TCP_DEFER_ACCEPT},
    {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_FASTOPEN},
};

void read_options(int fd, Socket &socket) {
    for (const auto &[level, name] : kOptions) {
        if (level != SOL_SOCKET && !socket.is_internet()) continue;
        if (level == IPPROTO_TCP && !socket.is_stream()) continue;
        if (level == IPPROTO_IPV6 && socket.domain != AF_INET6) continue;
        char value[32];
        socklen_t size = sizeof value;
        if (system_call(SYS_getsockopt, fd, level, name, as_long(value), as_long(&size)) == 0)
            socket.options.push_back({level, name, std::string(value, size)});
    }
    // Only sizes that the program has set: another one would switch the kernel's own choice off.
    const int locked = number_option(fd, SOL_SOCKET, SO_BUF_LOCK, 0);
    const std::pair<int, int> buffers[] = {{SOCK_SNDBUF_LOCK, SO_SNDBUF}, {SOCK_RCVBUF_LOCK, SO_RCVBUF}};
    for (const auto &[bit, name] : buffers) {
        if (!(locked & bit)) continue;
        const int half = number_option(fd, SOL_SOCKET, name) / 2;
        socket.options.push_back({SOL_SOCKET, name, std::string(reinterpret_cast<const char *>(&half), sizeof half)});
    }
}

struct UnixState {
    std::uint32_t peer = 0;  // inode; 0: nobody has it open
    bool has_peer = false;
    unsigned shut_down = 0;
    int backlog = 0;
    std::vector<std::uint32_t> waiting;  // inodes of sockets that are connected and not accepted
};

// nullopt: the kernel does not tell.
std::optional<UnixState> diagnose(std::uint64_t inode) {
    const int link = static_cast<int>(system_call(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (link < 0) return {};
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } question{};
    question.header = {sizeof question, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0};
    question.request.sdiag_family = AF_UNIX;
    question.request.udiag_states = ~0u;
    question.request.udiag_ino = static_cast<std::uint32_t>(inode);
    question.request.udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_ICONS;
    question.request.udiag_cookie[0] = question.request.udiag_cookie[1] = ~0u;
    std::string answer(16384, 0);
    long length = system_call(SYS_sendto, link, as_long(&question), sizeof question, 0, 0, 0);
    if (length > 0) length = system_call(SYS_recvfrom, link, as_long(answer.data()), 16384, 0, 0, 0);
    sys::close(link);
    const auto *header = reinterpret_cast<const nlmsghdr *>(answer.data());
    if (length < static_cast<long>(sizeof *header) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
    UnixState state;
    const auto *message = reinterpret_cast<const unix_diag_msg *>(NLMSG_DATA(header));
    auto rest = static_cast<unsigned>(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
    for (auto *one = reinterpret_cast<const rtattr *>(message + 1); RTA_OK(one, rest); one = RTA_NEXT(one, rest)) {
        const auto *data = static_cast<const char *>(RTA_DATA(one));
        if (one->rta_type == UNIX_DIAG_PEER) {
            state.has_peer = true;
            memcpy(&state.peer, data, sizeof state.peer);
        } else if (one->rta_type == UNIX_DIAG_SHUTDOWN) {
            state.shut_down = static_cast<unsigned char>(*data);
        } else if (one->rta_type == UNIX_DIAG_RQLEN) {
            unix_diag_rqlen lengths{};
            memcpy(&lengths, data, sizeof lengths);
            state.backlog = static_cast<int>(lengths.udiag_wqueue);
        } else if (one->rta_type == UNIX_DIAG_ICONS) {
            state.waiting.resize(RTA_PAYLOAD(one) / 4);
            memcpy(state.waiting.data(), data, state.waiting.size() * 4);
        }
    }
    return state;
}

void refuse(OpenFile &file, const std::string &what) {
    file.kind = FileKind::refused;
    file.refusal = "descriptor " + std::to_string(file.fd) + " is " + what;
}

std::string passed_on(const OpenFile &file) {
    return "descriptor " + std::to_string(file.fd) + " is a socket to which descriptors are on their way";
}

OpenFile *with_inode(std::vector<OpenFile> &all, std::uint64_t inode) {
    for (OpenFile &file : all)
        if (file.kind == FileKind::socket && file.shares_with < 0 && inode && file.info.st_ino == inode) return &file;
    return nullptr;
}

// Would a socket that listens at `listener` be reached at `address`?
bool is_reached(const std::string &listener, const std::string &address) {
    const std::string at = address_key(listener), wanted = address_key(address);
    if (at == wanted) return !at.empty();
    const int family = unpack(listener).ss_family;
    if ((family != AF_INET && family != AF_INET6) || at.size() != 18 || wanted.size() != 18) return false;
    const std::string any4 = std::string(10, '\0') + "\xff\xff" + std::string(4, '\0'), any6(16, '\0');
    const std::string host = at.substr(0, 16);
    return at.substr(16) == wanted.substr(16) && (host == any4 || host == any6);
}

void look_at_unix(OpenFile &file, std::vector<OpenFile> &all) {
    Socket &socket = file.socket;
    const std::optional<UnixState> state = diagnose(file.info.st_ino);
    if (!state)
        return refuse(file, describe_socket(file.fd) + ", and this kernel does not say who is at its other end");
    socket.backlog = state->backlog;
    socket.shut_down = state->shut_down;
    if (socket.has_name()) {
        const Address here = unpack(socket.here);
        const auto &local = reinterpret_cast<const sockaddr_un &>(here);
        struct stat info {};
        if (local.sun_path[0] && system_call(SYS_stat, as_long(local.sun_path), as_long(&info)) == 0 &&
            S_ISSOCK(info.st_mode))
            socket.name_mode = info.st_mode;
    }
    if (fact(file.facts, "scm_fds", 10) > 0) {
        file.kind = FileKind::refused;
        file.refusal = passed_on(file);
        return;
    }
    for (const std::uint32_t inode : state->waiting)
        if (!with_inode(all, inode)) return refuse(file, describe_socket(file.fd) + ", where another process waits");
    if (!state->has_peer) return;
    const bool by_name = has_path(socket.peer);
    const bool datagrams = socket.type == SOCK_DGRAM;
    const OpenFile *other = with_inode(all, state->peer);
    if (other) {
        // A datagram socket that only sends to the other is connected one way; its peer is found by name.
        if (!datagrams || !by_name) socket.pair = other->fd;
        return;
    }
    if (state->peer == 0 && (state->shut_down == (kNoReceive | kNoSend) || (datagrams && !by_name))) {
        socket.abandoned = true;
    } else if (const OpenFile *listener =
                   state->peer == 0 && !datagrams ? listener_for(all, socket.type, socket.peer) : nullptr) {
        socket.waits_at = listener->fd;
        int unsent = 0;
        system_call(SYS_ioctl, file.fd, SIOCOUTQ, as_long(&unsent));
        if (unsent) refuse(file, describe_socket(file.fd) + ", which was not accepted yet and holds data");
    } else if (!datagrams || !by_name) {
        refuse(file, describe_socket(file.fd) + (state->peer ? ", in another process" : ""));
    }
}

// tcpi_data_segs_out, which glibc's header lacks and linux/tcp.h, which has it, cannot be included beside that one.
bool data_was_sent(int fd) {
    constexpr std::size_t kOffset = 156;
    char info[kOffset + 4] = {};
    socklen_t size = sizeof info;
    system_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, as_long(info), as_long(&size));
    std::uint32_t segments = 0;
    memcpy(&segments, info + kOffset, sizeof segments);
    return segments > 0;
}

void look_at_tcp(OpenFile &file, std::vector<OpenFile> &all) {
    Socket &socket = file.socket;
    tcp_info info{};
    socklen_t size = sizeof info;
    system_call(SYS_getsockopt, file.fd, IPPROTO_TCP, TCP_INFO, as_long(&info), as_long(&size));
    if (socket.listens) {
        socket.backlog = static_cast<int>(info.tcpi_sacked);
        const auto ours = std::ranges::count_if(all, [&](const OpenFile &other) {
            return other.kind == FileKind::socket && other.shares_with < 0 && other.socket.waits_at == file.fd;
        });
        if (static_cast<long>(info.tcpi_unacked) > ours)
            refuse(file, describe_socket(file.fd) + ", where a connection from outside waits to be accepted");
        return;
    }
    if (info.tcpi_state == TCP_CLOSE) return;
    for (const OpenFile &other : all)
        if (&other != &file && other.kind == FileKind::socket && other.shares_with < 0 && !other.socket.listens &&
            !socket.peer.empty() && address_key(other.socket.here) == address_key(socket.peer) &&
            address_key(other.socket.peer) == address_key(socket.here))
            socket.pair = other.fd;
    if (socket.pair >= 0) {
        if (info.tcpi_state != TCP_ESTABLISHED && info.tcpi_state != TCP_CLOSE_WAIT) socket.shut_down |= kNoSend;
        int unsent = 0;
        system_call(SYS_ioctl, file.fd, SIOCOUTQNSD, as_long(&unsent));
        if (unsent) refuse(file, describe_socket(file.fd) + ", with more in it than its receiver has room for");
        return;
    }
    const OpenFile *listener = info.tcpi_state == TCP_ESTABLISHED ? listener_for(all, socket.type, socket.peer) : nullptr;
    if (!listener) return refuse(file, describe_socket(file.fd));
    // The other end may be gone, and only a connection that waits has none in any process; then the queue is not empty.
    tcp_info queue{};
    size = sizeof queue;
    system_call(SYS_getsockopt, listener->fd, IPPROTO_TCP, TCP_INFO, as_long(&queue), as_long(&size));
    if (queue.tcpi_unacked == 0) return refuse(file, describe_socket(file.fd));
    if (data_was_sent(file.fd))
        return refuse(file, describe_socket(file.fd) + ", which was not accepted yet and holds data");
    socket.waits_at = listener->fd;
}

}  // namespace

bool Socket::is_internet() const { return domain == AF_INET || domain == AF_INET6; }

std::string address_text(const std::string &address) {
    const Address whole = unpack(address);
    char host[INET6_ADDRSTRLEN] = "?";
    if (whole.ss_family == AF_INET) {
        const auto &in = reinterpret_cast<const sockaddr_in &>(whole);
        inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
        return std::string(host) + ":" + std::to_string(ntohs(in.sin_port));
    }
    if (whole.ss_family == AF_INET6) {
        const auto &in = reinterpret_cast<const sockaddr_in6 &>(whole);
        inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof host);
        return "[" + std::string(host) + "]:" + std::to_string(ntohs(in.sin6_port));
    }
    constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
    if (whole.ss_family != AF_UNIX || address.size() <= kPath) return {};
    if (address[kPath]) return {address.c_str() + kPath};
    return "@" + address.substr(kPath + 1);  // an abstract name, as ss(8) and /proc/net/unix write it
}

bool has_path(const std::string &address) { return address.size() > offsetof(sockaddr_un, sun_path); }

bool Socket::has_name() const {
    if (domain == AF_UNIX) return has_path(here);
    const Address address = unpack(here);
    return reinterpret_cast<const sockaddr_in &>(address).sin_port != 0;  // at the same place in both families
}

const OpenFile *listener_for(const std::vector<OpenFile> &all, int type, const std::string &address) {
    for (const OpenFile &file : all)
        if (file.kind == FileKind::socket && file.shares_with < 0 && file.socket.listens && file.socket.type == type &&
            is_reached(file.socket.here, address))
            return &file;
    return nullptr;
}

std::string address_key(const std::string &address) {
    const Address whole = unpack(address);
    if (whole.ss_family == AF_INET) {
        const auto &in = reinterpret_cast<const sockaddr_in &>(whole);
        const std::string mapped =
            std::string(10, '\0') + "\xff\xff" + std::string(reinterpret_cast<const char *>(&in.sin_addr), 4);
        return mapped + std::string(reinterpret_cast<const char *>(&in.sin_port), 2);
    }
    if (whole.ss_family == AF_INET6) {
        const auto &in = reinterpret_cast<const sockaddr_in6 &>(whole);
        return std::string(reinterpret_cast<const char *>(&in.sin6_addr), 16) +
               std::string(reinterpret_cast<const char *>(&in.sin6_port), 2);
    }
    return address_text(address);
}

std::string describe_socket(int fd) {
    const int domain = number_option(fd, SOL_SOCKET, SO_DOMAIN), type = number_option(fd, SOL_SOCKET, SO_TYPE);
    const bool internet = domain == AF_INET || domain == AF_INET6, stream = type == SOCK_STREAM;
    const std::string family = internet               ? stream               ? "TCP"
                                                        : type == SOCK_DGRAM ? "UDP"
                                                                             : "raw IP"
                               : domain == AF_UNIX    ? "Unix-domain"
                               : domain == AF_NETLINK ? "netlink"
                               : domain == AF_PACKET  ? "packet"
                               : domain == AF_ALG     ? "kernel cryptography"
                                                      : "family " + std::to_string(domain);
    const std::string peer = ask_address(fd, SYS_getpeername);
    if (!peer.empty() && domain != AF_NETLINK) {
        const std::string name = address_text(peer);
        return "a " + family + (stream ? " connection" : " socket") + (name.empty() ? "" : " to " + name);
    }
    const std::string here = address_text(ask_address(fd, SYS_getsockname));
    const bool listens = number_option(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
    return "a " + family + (listens ? " socket that listens" : " socket") +
           (here.empty() ? "" : (listens ? " on " : " at ") + here);
}

void look_at_sockets(std::vector<OpenFile> &all) {
    auto each = [&](auto &&look) {
        for (OpenFile &file : all)
            if (file.kind == FileKind::socket && file.shares_with < 0) look(file);
    };
    each([](OpenFile &file) {
        Socket &socket = file.socket;
        socket.domain = number_option(file.fd, SOL_SOCKET, SO_DOMAIN);
        socket.type = number_option(file.fd, SOL_SOCKET, SO_TYPE);
        socket.protocol = number_option(file.fd, SOL_SOCKET, SO_PROTOCOL);
        socket.listens = number_option(file.fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
        socket.here = ask_address(file.fd, SYS_getsockname);
        socket.peer = ask_address(file.fd, SYS_getpeername);
        const bool internet = socket.is_internet() && ((socket.type == SOCK_STREAM && socket.protocol == IPPROTO_TCP) ||
                                                       (socket.type == SOCK_DGRAM && socket.protocol == IPPROTO_UDP));
        if (!internet && socket.domain != AF_UNIX) return refuse(file, describe_socket(file.fd));
        read_options(file.fd, socket);
    });
    // Listeners last: what waits at them is known by then.
    for (const bool listeners : {false, true})
        each([&](OpenFile &file) {
            if (file.socket.listens != listeners) return;
            if (file.socket.domain == AF_UNIX)
                look_at_unix(file, all);
            else if (file.socket.is_stream())
                look_at_tcp(file, all);
        });
}

std::string copy_unread(OpenFile &file) {
    Socket &socket = file.socket;
    socket.unread.clear();
    // Of UDP only the first datagram could be seen, and any may be lost on its way.
    if (socket.listens || socket.waits_at >= 0 || (socket.is_internet() && !socket.is_stream())) return {};
    int waiting = 0;
    if (system_call(SYS_ioctl, file.fd, FIONREAD, as_long(&waiting)) < 0) return {};
    const int start = number_option(file.fd, SOL_SOCKET, SO_PEEK_OFF);
    int offset = 0;
    std::string why;
    if (!socket.is_stream() &&
        system_call(SYS_setsockopt, file.fd, SOL_SOCKET, SO_PEEK_OFF, as_long(&offset), sizeof offset) < 0)
        return {};
    // A datagram can be as long as the socket's buffer; `waiting` is the length of the first or of all of them.
    std::string buffer(static_cast<std::size_t>(
                           std::max(waiting, socket.is_stream() ? 0 : number_option(file.fd, SOL_SOCKET, SO_RCVBUF))) +
                           1,
                       0);
    for (;;) {
        alignas(cmsghdr) char control[1024];
        Address from{};
        iovec part{buffer.data(), buffer.size()};
        msghdr header{&from, sizeof from, &part, 1, control, sizeof control, 0};
        const long got =
            system_call(SYS_recvmsg, file.fd, as_long(&header), MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got >= 0 && (header.msg_flags & MSG_CTRUNC)) why = passed_on(file);
        for (cmsghdr *one = got >= 0 ? CMSG_FIRSTHDR(&header) : nullptr; one; one = CMSG_NXTHDR(&header, one)) {
            if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
            for (std::size_t at = 0; at + CMSG_LEN(0) < one->cmsg_len; at += sizeof(int)) {
                int one_of_them = -1;
                memcpy(&one_of_them, CMSG_DATA(one) + at, sizeof one_of_them);
                sys::close(one_of_them);
            }
            why = passed_on(file);
        }
        if (got < 0 || !why.empty() || (got == 0 && socket.is_stream())) break;
        // A connection that was shut down ends in empty reads; an empty datagram before that comes once, and is kept.
        if (got == 0 && (socket.shut_down & kNoReceive)) break;
        socket.unread.push_back({std::string(buffer.data(), static_cast<std::size_t>(got)),
                                 std::string(reinterpret_cast<const char *>(&from), header.msg_namelen)});
        if (socket.is_stream()) break;
    }
    if (!socket.is_stream()) system_call(SYS_setsockopt, file.fd, SOL_SOCKET, SO_PEEK_OFF, as_long(&start), 4);
    if (why.empty() && socket.is_stream() && waiting > 0 &&
        (socket.unread.empty() || static_cast<int>(socket.unread[0].bytes.size()) < waiting))
        why = "descriptor " + std::to_string(file.fd) + " is " + describe_socket(file.fd) +
              ", and what is unread in it cannot be seen";
    return why;
}

}  // namespace sckpt
