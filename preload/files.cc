// Descriptors of the application: the rows of the image, and opening them again at the same numbers.
//
// In a restored process only 0, 1 and 2 are open, those of the new step.  They are set aside above all recorded numbers
// first; then every description is opened once and moved to its number, then what shares it is duplicated, and in the
// end epoll instances get their members and files their locks.
#include "preload/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>

#include "preload/base/fingerprint.h"
#include "preload/base/log.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

std::vector<OpenFile> *saved = nullptr;

std::string sentence(const OpenFile &file, const char *what, long error) {
    return "cannot " + std::string(what) + " " + file.path + " (descriptor " + std::to_string(file.fd) +
           "): " + strerrordesc_np(static_cast<int>(-error));
}

bool writable(const OpenFile &file) { return (file.flags & O_ACCMODE) != O_RDONLY && !(file.flags & O_PATH); }

}  // namespace

long move_to(const OpenFile &file, long fd) {
    if (fd == file.fd) return system_call(SYS_fcntl, fd, F_SETFD, file.close_on_exec ? FD_CLOEXEC : 0);
    const long error = system_call(SYS_dup3, fd, file.fd, file.close_on_exec ? O_CLOEXEC : 0);
    sys::close(static_cast<int>(fd));
    return error;
}

namespace {

// Output that was written after the cut is cut back.
Restored cut_back(const OpenFile &file, int fd) {
    struct stat now {};
    if (const long error = system_call(SYS_fstat, fd, as_long(&now)); error < 0)
        return std::unexpected(sentence(file, "look at", error));
    if (now.st_size < file.info.st_size)
        return std::unexpected("the file " + file.path + " has " + std::to_string(now.st_size) +
                               " bytes, at the checkpoint it had " + std::to_string(file.info.st_size));
    if (now.st_size > file.info.st_size)
        if (const long error = system_call(SYS_ftruncate, fd, file.info.st_size); error < 0)
            return std::unexpected(sentence(file, "cut back", error));
    return {};
}

Restored open_named(const OpenFile &file) {
    const long fd = sys::open(file.path.c_str(), file.flags | O_NOCTTY);
    if (fd < 0) return std::unexpected(sentence(file, "open", fd));
    struct stat now {};
    system_call(SYS_fstat, fd, as_long(&now));
    if ((now.st_mode & S_IFMT) != (file.info.st_mode & S_IFMT))
        return std::unexpected(file.path + " (descriptor " + std::to_string(file.fd) + ") is of another type now");
    if (file.kind == FileKind::regular && writable(file))
        if (Restored cut = cut_back(file, static_cast<int>(fd)); !cut) return cut;
    if (file.kind != FileKind::device && !(file.flags & O_PATH) && file.offset != 0)
        if (const long error = system_call(SYS_lseek, fd, file.offset, SEEK_SET); error < 0)
            return std::unexpected(sentence(file, "go to the old place in", error));
    if (const long error = move_to(file, fd); error < 0) return std::unexpected(sentence(file, "place", error));
    return {};
}

// All descriptors of one pipe.  Each is opened through the ends that are made first, so that it has its own flags.
Restored open_pipe(const OpenFile &first, int above) {
    long ends[2] = {-1, -1};
    int made[2];
    std::string content;
    for (const OpenFile &file : *saved)
        if (file.info.st_ino == first.info.st_ino && file.info.st_dev == first.info.st_dev && !file.content.empty())
            content = file.content;
    const bool named = first.kind == FileKind::fifo;
    if (named) {
        ends[0] = sys::open(first.path.c_str(), O_RDWR | O_NONBLOCK);
        if (ends[0] < 0) return std::unexpected(sentence(first, "open", ends[0]));
        ends[0] = ends[1] = sys::set_aside(ends[0], above);
    } else {
        if (const long error = system_call(SYS_pipe2, as_long(made), O_CLOEXEC); error < 0)
            return std::unexpected(sentence(first, "make", error));
        ends[0] = sys::set_aside(made[0], above);
        ends[1] = sys::set_aside(made[1], above);
    }
    const long capacity = std::max<long>(first.capacity, static_cast<long>(content.size()));
    if (capacity != system_call(SYS_fcntl, ends[1], F_GETPIPE_SZ))
        system_call(SYS_fcntl, ends[1], F_SETPIPE_SZ, capacity);
    if (!content.empty() &&
        sys::write(static_cast<int>(ends[1]), content.data(), content.size()) != static_cast<long>(content.size()))
        return std::unexpected(sentence(first, "refill", -EIO));
    Restored result;
    for (const OpenFile &file : *saved) {
        if (file.info.st_ino != first.info.st_ino || file.info.st_dev != first.info.st_dev || file.shares_with >= 0)
            continue;
        char name[64];
        snprintf(name, sizeof name, "/proc/thread-self/fd/%ld",
                 (file.flags & O_ACCMODE) == O_RDONLY ? ends[0] : ends[1]);
        const long fd = sys::open(named ? file.path.c_str() : name, named ? file.flags : file.flags & ~O_NOFOLLOW);
        const long error = fd < 0 ? fd : move_to(file, fd);
        if (error < 0) result = std::unexpected(sentence(file, "open", error));
    }
    sys::close(static_cast<int>(ends[0]));
    if (ends[1] != ends[0]) sys::close(static_cast<int>(ends[1]));
    return result;
}

// Another description of a nameless file that is open already, by that one.
const OpenFile *earlier_description(const OpenFile &file) {
    for (const OpenFile &other : *saved) {
        if (&other == &file) return nullptr;
        if (other.shares_with < 0 && other.kind == file.kind && other.info.st_ino == file.info.st_ino &&
            other.info.st_dev == file.info.st_dev)
            return &other;
    }
    return nullptr;
}

Restored open_one(const OpenFile &file, int above) {
    switch (file.kind) {
        case FileKind::regular:
        case FileKind::directory:
        case FileKind::device:
            return open_named(file);
        case FileKind::pipe:
        case FileKind::fifo:
            return earlier_description(file) ? Restored{} : open_pipe(file, above);
        case FileKind::foreign:
        case FileKind::stream:
        case FileKind::socket:    // all together,
        case FileKind::terminal:  // later
            return {};
        default:
            break;
    }
    const bool nameless = file.kind == FileKind::deleted || file.kind == FileKind::memory;
    long fd;
    if (const OpenFile *earlier = nameless ? earlier_description(file) : nullptr) {
        char name[64];
        snprintf(name, sizeof name, "/proc/thread-self/fd/%d", earlier->fd);
        fd = sys::open(name, file.flags & ~O_NOFOLLOW);
        if (fd >= 0) system_call(SYS_lseek, fd, file.offset, SEEK_SET);
    } else {
        fd = open_special(file);
    }
    if (fd >= 0) fd = move_to(file, fd);
    if (fd < 0) return std::unexpected(sentence(file, "make", fd));
    return {};
}

// The numbers must be allowed while they are made: the program may have lowered its limit below them since.
class HigherLimit {
  public:
    explicit HigherLimit(int highest) {
        system_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, as_long(&before_));
        const auto needed = static_cast<rlim_t>(highest) + 1;
        if (before_.rlim_cur >= needed) return;
        const rlimit higher{std::min(needed, before_.rlim_max), before_.rlim_max};
        system_call(SYS_prlimit64, 0, RLIMIT_NOFILE, as_long(&higher), 0);
    }
    ~HigherLimit() { system_call(SYS_prlimit64, 0, RLIMIT_NOFILE, as_long(&before_), 0); }
    HigherLimit(const HigherLimit &) = delete;
    HigherLimit &operator=(const HigherLimit &) = delete;

  private:
    rlimit before_{};
};

// Read and not written by this process: it must still be the same at a restore.
bool is_input(const OpenFile &file) {
    return file.kind == FileKind::regular && file.shares_with < 0 && file.info.st_size > 0 &&
           (file.flags & (O_ACCMODE | O_PATH)) == O_RDONLY && !(file.flags & O_DIRECT);
}

const char *first_refusal(const std::vector<OpenFile> &files) {
    static std::string *sentence_kept = new std::string;
    const auto refused = std::ranges::find(files, FileKind::refused, &OpenFile::kind);
    if (refused == files.end()) return nullptr;
    *sentence_kept = refused->refusal;
    return sentence_kept->c_str();
}

}  // namespace

const char *record_files(Plan &plan, bool copy_written) {
    if (!saved) saved = new std::vector<OpenFile>;
    *saved = scan_files(true);
    for (OpenFile &file : *saved)
        if (is_input(file)) file.fingerprint = fingerprint(file.fd, file.info.st_size, file.offset);
    add_file_rows(*saved, plan);
    if (const char *refusal = first_refusal(*saved)) return refusal;
    return copy_written ? map_written_files(*saved) : nullptr;
}

const char *blocker_files() { return first_refusal(scan_files(false)); }

Restored restore_files() {
    unmap_written_files();
    note_inherited_files();
    if (!saved) return {};
    int above = 3;
    for (const OpenFile &file : *saved) above = std::max(above, file.fd + 1);
    // Three streams, and what is open for the time being: ends of pipes, other ends of sockets.
    const HigherLimit limit(above + 8 + static_cast<int>(saved->size()));
    long streams[3];
    for (int number = 0; number <= 2; ++number) streams[number] = sys::set_aside(number, above);

    Restored result;
    for (const OpenFile &file : *saved) {
        if (!result) break;
        if (file.kind == FileKind::stream) {
            // A step may have closed one of its streams; then there is nothing to put in its place.
            const long from = streams[file.stream] >= 0 ? streams[file.stream] : streams[1];
            if (from >= 0 && system_call(SYS_dup3, from, file.fd, file.close_on_exec ? O_CLOEXEC : 0) < 0)
                result = std::unexpected(sentence(file, "place", -EBADF));
        } else if (file.shares_with < 0) {
            result = open_one(file, above);
        }
    }
    if (result)
        if (std::string wrong = restore_sockets(*saved, above); !wrong.empty())
            result = std::unexpected(std::move(wrong));
    if (result)
        if (std::string wrong = restore_terminals(*saved, above); !wrong.empty())
            result = std::unexpected(std::move(wrong));
    for (const OpenFile &file : *saved) {
        if (!result) break;
        if (file.shares_with < 0 || file.kind == FileKind::stream || file.kind == FileKind::foreign) continue;
        if (const long error = system_call(SYS_dup3, file.shares_with, file.fd, file.close_on_exec ? O_CLOEXEC : 0);
            error < 0)
            result = std::unexpected(sentence(file, "duplicate", error));
    }
    for (const OpenFile &file : *saved) {
        if (!result || file.shares_with >= 0) continue;
        if (const long error = add_members(file); error < 0) result = std::unexpected(sentence(file, "fill", error));
        if (const long error = take_locks(file); error == -EAGAIN || error == -EACCES)
            result = std::unexpected("the lock on " + file.path + " (descriptor " + std::to_string(file.fd) +
                                     ") cannot be taken again: it is held by " + lock_holder(file));
        else if (error < 0)
            result = std::unexpected(sentence(file, "lock", error));
    }
    for (const long stream : streams)
        if (stream >= 0) sys::close(static_cast<int>(stream));
    return result;
}

void restore_owners() {
    if (!saved) return;
    for (const OpenFile &file : *saved)
        if (file.shares_with < 0) set_owner(file);
}

}  // namespace sckpt
