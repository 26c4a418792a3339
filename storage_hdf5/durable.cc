#include "storage_hdf5/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

std::expected<void, std::string> sync_path(const std::filesystem::path &path, int flags) {
    const Descriptor opened(open(path.c_str(), flags | O_CLOEXEC));
    if (!opened) return std::unexpected("cannot open " + path.string() + ": " + system_error(errno));
    int result;
    do result = fsync(opened.get());
    while (result != 0 && errno == EINTR);
    // Some file systems cannot sync a directory and say EINVAL; what can be done has been done then.
    if (result != 0 && !(errno == EINVAL && (flags & O_DIRECTORY)))
        return std::unexpected("cannot make " + path.string() + " durable: " + system_error(errno));
    return {};
}

}  // namespace

std::expected<void, std::string> sync_directory(const std::filesystem::path &directory) {
    return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

std::expected<void, std::string> sync_file(const std::filesystem::path &file) { return sync_path(file, O_RDONLY); }

}  // namespace sckpt::storage
