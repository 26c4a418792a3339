// files=copy: the contents of files that are open for writing travel in the image.
//
// From RECORD until the image is durable each such file is mapped shared and writable.  That is all: such a mapping is
// stored with the file's size and contents (storage_hdf5/image.h, written_shared()), the ranks wait meanwhile, and a
// restore gives the file back, be it changed, cut or gone, before the restored process opens it and drops the mapping.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/files.h"
#include "preload/wrap.h"

namespace sckpt {
namespace {

struct Mapping {
    long start, length;
    std::uint64_t device, inode;
};
std::vector<Mapping> *mappings = nullptr;

bool is_written(const OpenFile &file) {
    return file.kind == FileKind::regular && file.shares_with < 0 && (file.flags & O_ACCMODE) != O_RDONLY &&
           !(file.flags & O_PATH) && file.info.st_size > 0 && !file.path.starts_with("/proc/") &&
           !file.path.starts_with("/sys/");
}

bool is_mapped(const OpenFile &file) {
    for (const Mapping &one : *mappings)
        if (one.device == file.info.st_dev && one.inode == file.info.st_ino) return true;
    return false;
}

}  // namespace

const char *map_written_files(const std::vector<OpenFile> &files) {
    static std::string *sentence = new std::string;
    if (!mappings) mappings = new std::vector<Mapping>;
    for (const OpenFile &file : files) {
        if (!is_written(file) || is_mapped(file)) continue;
        constexpr std::int64_t kPage = 4096;
        const long length = (file.info.st_size + kPage - 1) / kPage * kPage;
        const bool readable = (file.flags & O_ACCMODE) == O_RDWR;
        const long fd = readable ? file.fd : sys::open(file.path.c_str(), O_RDWR);
        const long start =
            fd < 0 ? fd : system_call(SYS_mmap, 0, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (!readable && fd >= 0) {
            sys::close(static_cast<int>(fd));
            take_locks(file);  // closing has given them up
        }
        if (failed(start)) {
            *sentence = "the file " + file.path +
                        " cannot be copied (files=copy): " + strerrordesc_np(static_cast<int>(-start));
            return sentence->c_str();
        }
        mappings->push_back({start, length, file.info.st_dev, file.info.st_ino});
    }
    return nullptr;
}

void unmap_written_files() {
    if (!mappings) return;
    for (const Mapping &one : *mappings) system_call(SYS_munmap, one.start, one.length);
    mappings->clear();
}

}  // namespace sckpt
