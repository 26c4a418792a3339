#include "storage_hdf5/request.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fstream>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

std::uint64_t read_request(const std::filesystem::path &incarnation) {
    std::ifstream file(incarnation / "request");
    for (std::string line; std::getline(file, line);) {
        std::uint64_t id = 0;
        if (line.starts_with("id=") &&
            std::from_chars(line.data() + 3, line.data() + line.size(), id).ec == std::errc())
            return id;
    }
    return 0;
}

std::expected<std::uint64_t, std::string> write_request(const std::filesystem::path &incarnation,
                                                        const std::string &by) {
    const auto path = incarnation / "request";
    const auto cannot = [&](const std::string &why) {
        return std::unexpected("cannot write " + path.string() + ": " + why);
    };
    // The lock is on the directory: the file itself is replaced.
    const Descriptor directory(open(incarnation.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return cannot(system_error(errno));
    int locked;
    do locked = flock(directory.get(), LOCK_EX);
    while (locked != 0 && errno == EINTR);
    const std::uint64_t id = read_request(incarnation) + 1;
    const std::string temporary = path.string() + ".tmp";
    {
        std::ofstream file(temporary);
        file << "id=" << id << "\nby=" << by << "\n";
        file.close();
        if (!file) return cannot(system_error(errno));
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return cannot(system_error(errno));
    return id;
}

}  // namespace sckpt::storage
