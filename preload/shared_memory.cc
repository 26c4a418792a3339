#include "preload/shared_memory.h"

#include <errno.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <utility>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/fingerprint.h"
#include "preload/base/log.h"
#include "preload/base/system.h"
#include "preload/segments.h"
#include "preload/world.h"

namespace sckpt {
namespace {

using image::RegionKind;

constexpr unsigned long kPiece = 1 << 20;  // bytes copied at a time
constexpr unsigned long kPage = 4096;

struct Part {
    unsigned long address, length, offset;  // bytes
    int protection;
    bool stored;  // its contents are in this image, and in no other
};

struct Object {
    std::uint64_t device, inode;  // at the cut
    bool named;                   // a file in /dev/shm: it came back by its name, only contents are to be looked for
    bool anonymous;               // shared memory that never had a descriptor
    bool shared;                  // by several ranks
    std::string name;             // of memfd_create, or the directory of a deleted file with a slash behind it
    Segment segment;              // id -1: it is none
    std::vector<Part> parts;
    int fd;  // while it is being made again
};

struct Claim {
    int fd;
    size_t object;
    char name[80];
    bool used;  // by a mapping of the present listing
};

std::vector<Object> objects;
std::vector<Claim> claims;
char mark[256];  // what is the same in all ranks of the node, and in no other checkpoint that can be there

bool is_object(RegionKind kind) { return kind == RegionKind::object_shared || kind == RegionKind::segment; }

// Files in memory that ranks share by name: stored once as well.  Other files are each rank's own business, since they
// may be seen by ranks on other nodes.
bool is_named(const Plan &plan, const image::Region &region) {
    return image::written_shared(region.kind, region.protection) && plan.text(region.path).starts_with("/dev/shm/");
}

std::uint64_t hash_of(const Object &object) {
    char text[sizeof mark + 64];
    const int length = snprintf(text, sizeof text, "%s/%llx/%llx", mark, static_cast<unsigned long long>(object.device),
                                static_cast<unsigned long long>(object.inode));
    return hash_bytes(text, static_cast<std::size_t>(length));
}

struct Name {
    char text[64];
    Name(const Object &object, const char *suffix) {
        snprintf(text, sizeof text, "/dev/shm/sckpt.%016llx%s", static_cast<unsigned long long>(hash_of(object)),
                 suffix);
    }
};

size_t object_of(const Plan &plan, const image::Region &region) {
    for (size_t i = 0; i < objects.size(); ++i)
        if (objects[i].inode == region.inode && objects[i].device == region.device) return i;
    Object object{region.device, region.inode, false, false, false, {}, {}, {}, -1};
    object.named = !is_object(region.kind);
    const std::string_view path = plan.text(region.path), kMemory = "/memfd:";
    object.name = path.starts_with(kMemory) ? path.substr(kMemory.size(), path.rfind(" (deleted)") - kMemory.size())
                                            : path.substr(0, path.rfind('/') + 1);
    object.anonymous = path.starts_with("/dev/zero");
    if (region.kind == RegionKind::segment) find_segment(region.inode, object.segment);
    objects.push_back(std::move(object));
    return objects.size() - 1;
}

// True when this mapping is the one to store the range.
bool claim(size_t number, const image::Region &region) {
    Claim mine{-1, number, "", true};
    const int length =
        snprintf(mine.name, sizeof mine.name, "sckpt.%016llx.%llx.%llx",
                 static_cast<unsigned long long>(hash_of(objects[number])),
                 static_cast<unsigned long long>(region.file_offset), static_cast<unsigned long long>(region.length));
    for (Claim &one : claims)
        if (strcmp(one.name, mine.name) == 0) {
            one.object = number;
            return !std::exchange(one.used, true);
        }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path + 1, mine.name);
    const long size = static_cast<long>(offsetof(sockaddr_un, sun_path)) + 1 + length;
    const long fd = system_call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return true;
    if (system_call(SYS_bind, fd, as_long(&address), size) == 0) {
        system_call(SYS_listen, fd, 4096);
        mine.fd = static_cast<int>(fd);
        claims.push_back(mine);
        return true;
    }
    system_call(SYS_connect, fd, as_long(&address), size);
    objects[number].shared = true;
    sys::close(static_cast<int>(fd));
    return false;
}

std::string why(const char *what, const Object &object, long error) {
    char text[160];
    snprintf(text, sizeof text, "cannot %s the shared memory that was inode %llu: %s", what,
             static_cast<unsigned long long>(object.inode), strerrordesc_np(static_cast<int>(-error)));
    return text;
}

unsigned long extent_of(const Object &object) {
    unsigned long end = 0;
    for (const Part &part : object.parts) end = std::max(end, part.offset + part.length);
    return end;
}

bool is_zero(const unsigned long *words, unsigned long bytes) {
    return std::all_of(words, words + bytes / sizeof *words, [](unsigned long word) { return word == 0; });
}

// From the private memory that the restorer has filled; what has been copied is given back at once, so that a large
// object is not there twice.  Pages of zeros are left out of a new object.
void fill(char *to, const Part &part, bool is_new) {
    system_call(SYS_mprotect, static_cast<long>(part.address), static_cast<long>(part.length), PROT_READ | PROT_WRITE);
    const auto *from = reinterpret_cast<const char *>(part.address);
    for (unsigned long at = 0; at < part.length; at += kPiece) {
        const unsigned long piece = std::min(kPiece, part.length - at);
        for (unsigned long page = at; page < at + piece; page += kPage)
            if (!is_new || !is_zero(reinterpret_cast<const unsigned long *>(from + page), kPage))
                memcpy(to + page, from + page, kPage);
        system_call(SYS_madvise, as_long(from + at), static_cast<long>(piece), MADV_DONTNEED);
    }
}

long map(unsigned long address, unsigned long length, int protection, int flags, int fd, unsigned long offset) {
    return system_call(SYS_mmap, static_cast<long>(address), static_cast<long>(length), protection, flags, fd,
                       static_cast<long>(offset));
}

// Ranks make it at the same time, and may have mapped unequal parts of it.
long open_shared(const Object &object, unsigned long bytes) {
    const long fd = sys::open(Name(object, "").text, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return fd;
    struct stat now {};
    system_call(SYS_flock, fd, LOCK_EX);
    system_call(SYS_fstat, fd, as_long(&now));
    long error = 0;
    if (static_cast<unsigned long>(now.st_size) < bytes)
        error = system_call(SYS_ftruncate, fd, static_cast<long>(bytes));
    system_call(SYS_flock, fd, LOCK_UN);
    return error < 0 ? error : fd;
}

long open_alone(const Object &object, unsigned long bytes) {
    long fd = -ENOENT;
    if (object.name.starts_with('/')) fd = sys::open(object.name.c_str(), O_TMPFILE | O_RDWR, 0600);
    if (fd < 0) fd = system_call(SYS_memfd_create, as_long(object.name.c_str()), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0)
        if (const long error = system_call(SYS_ftruncate, fd, static_cast<long>(bytes)); error < 0) return error;
    return fd;
}

// To a number that none of the program's descriptors is likely to have.
int out_of_the_way(long fd) {
    for (const int above : {65536, 4096, 1000, 500, 100})
        if (const long high = sys::set_aside(fd, above); high >= 0) return static_cast<int>(high);
    return static_cast<int>(fd);
}

// The object as a whole, for a moment: at a free address, since all that the image maps is mapped.
Restored make(Object &object) {
    const unsigned long bytes = extent_of(object);
    long fd = -1;
    if (!object.anonymous || object.shared) {
        fd = object.shared ? open_shared(object, bytes) : open_alone(object, bytes);
        if (fd < 0) return std::unexpected(why("make", object, fd));
        object.fd = out_of_the_way(fd);
    }
    const int flags = MAP_SHARED | (object.fd < 0 ? MAP_ANONYMOUS : 0);
    const long whole = map(0, bytes, PROT_READ | PROT_WRITE, flags, object.fd, 0);
    if (failed(whole)) return std::unexpected(why("map", object, whole));
    for (const Part &part : object.parts)
        if (part.stored) fill(reinterpret_cast<char *>(whole) + part.offset, part, true);
    long error = 0;
    for (const Part &part : object.parts) {
        long got;
        if (object.fd >= 0) {
            got = map(part.address, part.length, part.protection, MAP_SHARED | MAP_FIXED, object.fd, part.offset);
        } else {
            // The same pages once more: mremap(2) with an old size of 0.
            got = system_call(SYS_mremap, whole + static_cast<long>(part.offset), 0, static_cast<long>(part.length),
                              MREMAP_MAYMOVE | MREMAP_FIXED, static_cast<long>(part.address));
            system_call(SYS_mprotect, static_cast<long>(part.address), static_cast<long>(part.length), part.protection);
        }
        if (failed(got)) error = got;
    }
    system_call(SYS_munmap, whole, static_cast<long>(bytes));
    if (error < 0) return std::unexpected(why("map", object, error));
    return {};
}

// Without a key of its own it gets one by which all ranks find it.
int key_of(const Object &object) {
    const int key = object.segment.key ? object.segment.key : static_cast<int>(hash_of(object) & 0x7fffffff);
    return key ? key : 1;
}

Restored make_attached(const Object &object) {
    const long id = make_segment(object.segment, key_of(object));
    if (id < 0) return std::unexpected(why("make", object, id));
    for (const Part &part : object.parts)
        if (part.stored) {
            const long whole = system_call(SYS_shmat, id, 0, 0);
            if (failed(whole)) return std::unexpected(why("attach", object, whole));
            fill(reinterpret_cast<char *>(whole), part, false);  // one with a key may have been left behind
            system_call(SYS_shmdt, whole);
        }
    for (const Part &part : object.parts) {
        const int flags =
            SHM_REMAP | (part.protection & PROT_WRITE ? 0 : SHM_RDONLY) | (part.protection & PROT_EXEC ? SHM_EXEC : 0);
        const long got = system_call(SYS_shmat, id, static_cast<long>(part.address), flags);
        if (failed(got)) return std::unexpected(why("attach", object, got));
        system_call(SYS_mprotect, static_cast<long>(part.address), static_cast<long>(part.length), part.protection);
    }
    return {};
}

bool stores_part(const Object &object) { return std::ranges::any_of(object.parts, &Part::stored); }

}  // namespace

void record_shared_memory(Plan &plan) {
    objects.clear();
    snprintf(mark, sizeof mark, "%.*s/%.*s/%u/%u/%d", static_cast<int>(std::min(plan.process.job.length, 64u)),
             plan.text(plan.process.job).data(), static_cast<int>(std::min(plan.process.host.length, 64u)),
             plan.text(plan.process.host).data(), plan.process.incarnation, plan.process.generation,
             mpi::mpi_running() ? -1 : world::rank());
    for (image::Region &region : plan.regions) {
        if (!is_object(region.kind) && !is_named(plan, region)) continue;
        const size_t number = object_of(plan, region);
        const bool stored = claim(number, region);
        if (!stored) region.attributes |= image::kElsewhere;
        objects[number].parts.push_back(
            {region.start, region.length, region.file_offset, static_cast<int>(region.protection), stored});
    }
}

void forget_shared_memory() {
    objects.clear();
    for (Claim &one : claims) one.used = false;
}

void release_claims() {
    for (const Claim &one : claims) {
        long other;
        while ((other = system_call(SYS_accept4, one.fd, 0, 0, SOCK_CLOEXEC)) >= 0) {
            objects[one.object].shared = true;
            sys::close(static_cast<int>(other));
        }
        sys::close(one.fd);
    }
    claims.clear();
}

Restored restore_shared_memory() {
    for (Object &object : objects) {
        if (object.named) continue;
        const Restored made = object.segment.id >= 0 ? make_attached(object) : make(object);
        if (!made) return made;
    }
    for (const Object &object : objects) {
        if (!object.shared || !stores_part(object)) continue;
        const long fd = sys::open(Name(object, ".full").text, O_WRONLY | O_CREAT, 0600);
        if (fd < 0) return std::unexpected(why("announce", object, fd));
        sys::close(static_cast<int>(fd));
    }
    return {};
}

int restored_object(std::uint64_t device, std::uint64_t inode) {
    for (const Object &object : objects)
        if (object.device == device && object.inode == inode) return object.fd;
    return -1;
}

void forget_objects() {
    for (Object &object : objects) {
        if (object.fd >= 0) sys::close(object.fd);
        object.fd = -1;
    }
}

Restored complete_shared_memory() {
    bool missing = false;
    for (const Object &object : objects)
        if (object.shared && !stores_part(object) &&
            system_call(SYS_access, as_long(Name(object, ".full").text), F_OK) < 0)
            missing = true;
    if (mpi::mpi_running()) missing = world::agree_union(missing) != 0;
    for (const Object &object : objects) {
        if (object.shared && !object.named) system_call(SYS_unlink, as_long(Name(object, "").text));
        if (object.shared) system_call(SYS_unlink, as_long(Name(object, ".full").text));
        if (object.segment.id >= 0 && object.segment.removed) {
            const long id = system_call(SYS_shmget, key_of(object), 0, 0);
            if (id >= 0) system_call(SYS_shmctl, id, IPC_RMID, 0);
        }
    }
    if (missing) return std::unexpected("ranks that share memory are on different nodes now: restore them on one node");
    return {};
}

}  // namespace sckpt
