// Sockets of the application.  sockets.cc looks at them at the cut, sockets_restore.cc makes them again.
//
// What comes back: sockets that listen, sockets that are connected to nothing, datagram sockets with the peer that they
// send to, and connections of which both ends are in this process, with what is unread in them.  A connection to
// somebody else cannot: it is refused by name.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sckpt {

struct OpenFile;

// Bits of Socket::shut_down.
inline constexpr unsigned kNoReceive = 1, kNoSend = 2;

struct SocketOption {
    int level, name;
    std::string value;  // as getsockopt(2) gave it
};

// One send: a datagram, or all that a stream holds.
struct SocketMessage {
    std::string bytes;
    std::string from;  // address of the sender, of datagrams only
};

struct Socket {
    int domain = 0, type = 0, protocol = 0;
    std::string here, peer;  // addresses as the kernel keeps them; empty: none
    bool listens = false;
    int backlog = 0;
    int pair = -1;                // the descriptor at the other end
    int waits_at = -1;            // connected to this listening descriptor, which has not accepted it yet
    bool abandoned = false;       // of the Unix domain: the other end has been closed
    unsigned shut_down = 0;       // kNoReceive, kNoSend
    std::uint32_t name_mode = 0;  // st_mode of the file of a Unix-domain name; 0: there is none
    std::vector<SocketOption> options;
    std::vector<SocketMessage> unread;

    bool is_stream() const { return type == SOCK_STREAM; }
    bool is_internet() const;
    bool has_name() const;  // bound, by the program or by the kernel
    bool is_connection() const { return pair >= 0 || waits_at >= 0 || abandoned; }
};

// For every descriptor of kind `socket`: what it is, and who is at its other end.  Those that cannot come back become
// `refused`, with the sentence.
void look_at_sockets(std::vector<OpenFile> &all);

// Copies what is unread in a socket; it stays there.  Empty, or why that cannot be done.
std::string copy_unread(OpenFile &file);

// Makes all sockets again at their numbers.  The error is a sentence.
std::string restore_sockets(const std::vector<OpenFile> &all, int above);

// An address for people; empty when it has no name.
std::string address_text(const std::string &address);

// "a TCP connection to 10.0.0.1:80" and the like, of any socket.
std::string describe_socket(int fd);

// Whether an address of the Unix domain is more than its family.
bool has_path(const std::string &address);
// The socket of this type that listens where `address` leads to, or null.
const OpenFile *listener_for(const std::vector<OpenFile> &all, int type, const std::string &address);

// Equal for addresses that mean the same place, whichever family the socket is of.
std::string address_key(const std::string &address);

}  // namespace sckpt
