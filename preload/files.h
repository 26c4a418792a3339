// Open descriptors at the cut, as files_scan.cc finds them and files.cc opens them again.
#pragma once

#include <stdio.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "preload/resources.h"
#include "preload/sockets.h"
#include "preload/terminals.h"

namespace sckpt {

enum class FileKind {
    regular,
    directory,
    device,  // /dev/null and its like
    stream,  // standard input, output or error of the step: the new step's takes its place
    pipe,    // with both ends in this process, or one end and nobody at the other
    fifo,    // the same with a name
    eventfd,
    epoll,
    timerfd,
    signalfd,
    inotify,
    socket,    // sockets.h
    terminal,  // one end of a pseudo-terminal of this process, terminals.h
    deleted,   // a regular file without a name: its content is kept
    memory,    // memfd_create
    foreign,   // inherited from the launcher and of no kind that a program uses by itself: left alone
    refused,   // cannot be restored
};

struct FileLock {
    enum class Kind { posix, description, flock } kind;
    bool write;
    std::int64_t start, length;  // bytes, length 0: to the end
};
// inotify_add_watch(2)
struct Watch {
    int number;
    std::uint32_t mask;
    std::string path;
};
// Who gets SIGIO for a descriptor (F_SETOWN, F_SETSIG).
struct FileOwner {
    enum class Kind { none, thread, process, group } kind = Kind::none;
    int id = 0;      // as the program knows it
    int signal = 0;  // 0: SIGIO without details
};
struct EpollMember {
    int fd;
    std::uint32_t events;
    std::uint64_t data;
};

struct OpenFile {
    int fd = -1;
    FileKind kind = FileKind::refused;
    int shares_with = -1;  // lowest descriptor with the same open file description
    int flags = 0;         // O_*, as open() takes them
    bool close_on_exec = false;
    struct stat info {};
    std::int64_t offset = 0;
    std::string path;     // what /proc/thread-self/fd says
    std::string facts;    // what /proc/thread-self/fdinfo says
    int stream = -1;      // 0, 1 or 2
    int thread = 0;       // that opened it
    std::string content;  // of a pipe, a deleted file or memory
    std::vector<EpollMember> members;
    std::vector<FileLock> locks;
    std::vector<Watch> watches;
    FileOwner owner;
    Socket socket;
    Terminal terminal;
    int capacity = 0;               // of a pipe, bytes
    int seals = 0;                  // F_SEAL_* of memory
    std::uint64_t fingerprint = 0;  // of a file that is only read, base/fingerprint.h
    bool semaphore = false;         // an eventfd of this kind
    std::int64_t cut_time = 0;      // CLOCK_REALTIME when a timer was looked at, nanoseconds
    std::string refusal;            // sentence, where `refused`
};

// All descriptors of the application, ascending.  With `content` what only exists through a descriptor is copied, which
// changes nothing.  Takes no lock of libc and allocates from our own heap.
std::vector<OpenFile> scan_files(bool content);

// Notes the launcher's descriptors: at start, and again in a restored process before anything is opened.
void note_inherited_files();

// Descriptors of our own that live longer than one call: never recorded.
void mark_own_descriptor(int fd);
void unmark_own_descriptor(int fd);
bool is_own_descriptor(int fd);

// The thread that opened what the descriptor refers to, by files_opened.cc; 0 when unknown.
int note_opener(int fd);  // notes the calling thread, and returns what it was given
FILE *note_opener(FILE *file);
int opener_of(int fd);

// A number that follows `name:` at the start of a line of fdinfo; `missing` when there is none.
std::uint64_t fact(const std::string &facts, const char *name, int base, std::uint64_t missing = 0);

// files.cc: moves a descriptor to the number that the program knows; a negative errno when that fails.
long move_to(const OpenFile &file, long fd);

// files_special.cc: copies the content that a pipe, a deleted file or memory holds; false when it cannot be read.
bool copy_content(OpenFile &file);
// Why it cannot be restored, as "descriptor 7 is a TCP connection to 10.0.0.1:80".
std::string describe_refused(const OpenFile &file);
// Makes a new one of the same kind, with its content, and returns its descriptor or a negative errno.
long open_special(const OpenFile &file);
// Once all descriptors are in place.
long add_members(const OpenFile &file);
long take_locks(const OpenFile &file);
// Who has what take_locks() wanted, for a sentence.
std::string lock_holder(const OpenFile &file);

// watches.cc: what an inotify instance watches; false, with a refusal, when that cannot be said.
bool read_watches(OpenFile &file);
long open_watches(const OpenFile &file);

// files_rows.cc
void add_file_rows(const std::vector<OpenFile> &files, Plan &plan);

// files_copy.cc: keeps files that are open for writing mapped, and so in the image, until they are unmapped; null or
// the sentence that says which cannot be.
const char *map_written_files(const std::vector<OpenFile> &files);
void unmap_written_files();

// owners.cc: with all threads there again.
void read_owner(OpenFile &file);
void set_owner(const OpenFile &file);

inline constexpr std::int64_t kLargestCopy = 64 << 20;  // bytes of one deleted file

}  // namespace sckpt
