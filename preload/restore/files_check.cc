#include "preload/restore/files_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "preload/base/fingerprint.h"
#include "preload/restore/elf.h"
#include "preload/restore/plan.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

constexpr std::string_view kDeleted = " (deleted)";

bool maps_file(const SourceRegion &region) {
    using enum image::RegionKind;
    if ((region.attributes & image::kCopied) != 0) return false;
    return region.kind == file_private || region.kind == file_shared ||
           (region.kind == lower && region.path.starts_with('/'));
}

Problem check_mapped_file(const SourceRegion &region) {
    const std::string &path = region.path;
    if (path.ends_with(kDeleted)) {
        return text("the mapped file ", path.substr(0, path.size() - kDeleted.size()),
                    " had been deleted before the checkpoint: its content is not part of it");
    }
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) {
        return text("the mapped file ", path, " cannot be used here: ", std::strerror(errno));
    }
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (region.kind == image::RegionKind::file_shared) {
        if (size >= region.file_size) return {};
        return text("the mapped file ", path, " has ", size, " bytes, at the checkpoint it had ", region.file_size);
    }
    const auto present = build_id(path);
    if (!present) return text("the mapped file ", path, " cannot be read: ", present.error());
    if (!region.build_id.empty()) {
        if (*present == region.build_id) return {};
        return text("the mapped file ", path, " is another version: build-id ", present->empty() ? "none" : *present,
                    " instead of ", region.build_id, " (with libraries=copy in --checkpoint the checkpoint would hold it)");
    }
    const std::int64_t modified = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec;
    if (size == region.file_size && modified == region.file_mtime_ns) return {};
    return text("the mapped file ", path, " has been changed since the checkpoint (",
                size != region.file_size ? "size" : "time of modification", " differs)");
}

// A file whose mapped parts the image holds.
struct WrittenFile {
    std::uint64_t size = 0;        // bytes, at the checkpoint
    std::vector<Interval> mapped;  // bytes of the file
};

// A file without bytes has nothing to be given back, and a device has none either: those are like any other.
std::map<std::string_view, WrittenFile> written_files(const Source &source) {
    std::map<std::string_view, WrittenFile> files;
    for (const auto &region : source.regions) {
        if (!image::written_shared(region.kind, region.protection) || region.file_size == 0) continue;
        auto &file = files[region.path];
        file.size = region.file_size;
        file.mapped.push_back({region.file_offset, region.file_offset + region.length});
    }
    for (auto &[path, file] : files) std::ranges::sort(file.mapped, {}, &Interval::start);
    return files;
}

bool maps_all_from(const WrittenFile &file, std::uint64_t position) {
    for (const auto &part : file.mapped)
        if (part.start <= position) position = std::max(position, part.end);
    return position >= file.size;
}

Problem check_written_file(const std::string &path, const WrittenFile &file) {
    if (path.ends_with(kDeleted)) {
        return text("the mapped file ", path.substr(0, path.size() - kDeleted.size()),
                    " had been deleted before the checkpoint: restore cannot write it");
    }
    struct stat found {};
    if (stat(path.c_str(), &found) != 0) {
        if (errno != ENOENT) return text("the mapped file ", path, " cannot be used here: ", std::strerror(errno));
        const std::string directory = std::filesystem::path(path).parent_path().string();
        if (access(directory.c_str(), W_OK | X_OK) != 0) {
            return text("the mapped file ", path, " is missing and cannot be made again in ", directory, ": ",
                        std::strerror(errno));
        }
        if (maps_all_from(file, 0)) return {};
        return text("the mapped file ", path, " is missing, and the checkpoint holds only the mapped parts of it");
    }
    if (!S_ISREG(found.st_mode)) return text("the mapped file ", path, " is no regular file any more");
    if (access(path.c_str(), R_OK | W_OK) != 0) {
        return text("the mapped file ", path, " cannot be written here: ", std::strerror(errno));
    }
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (size >= file.size || maps_all_from(file, size)) return {};
    return text("the mapped file ", path, " has ", size, " bytes, at the checkpoint it had ", file.size,
                ", and the checkpoint holds only the mapped parts of it");
}

bool is_opened_by_name(const SourceFile &file) {
    return (S_ISREG(file.mode) || S_ISDIR(file.mode)) && file.path.starts_with('/') && !file.path.ends_with(kDeleted) &&
           file.kind != "deleted" && file.kind != "memory" && file.kind != "stream";
}

// Files about the system differ from node to node and from moment to moment.
bool is_of_the_system(std::string_view path) {
    return path.starts_with("/proc/") || path.starts_with("/sys/") || path.starts_with("/dev/");
}

std::optional<std::string> change_of(const SourceFile &file) {
    struct stat now {};
    const int fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return {};  // check_open_files() says that
    fstat(fd, &now);
    const bool same_time = now.st_mtim.tv_sec * 1'000'000'000 + now.st_mtim.tv_nsec == file.modified_ns;
    const bool shorter = now.st_size < file.size;
    const bool same =
        (same_time && now.st_size == file.size) ||
        (!shorter && file.fingerprint != 0 && fingerprint(fd, file.size, file.offset) == file.fingerprint);
    close(fd);
    if (same) return {};
    return text("the open file ", file.path, " (descriptor ", file.descriptor,
                ") has been changed since the checkpoint: ",
                shorter ? text("it has ", now.st_size, " bytes instead of ", file.size) : "its content differs");
}

}  // namespace

std::vector<std::string> changed_files(const Source &source) {
    std::vector<std::string> changes;
    // What the program writes itself, it may have written since.
    std::set<std::string_view> own;
    for (const auto &file : source.files)
        if ((file.flags & O_ACCMODE) != O_RDONLY) own.insert(file.path);
    for (const auto &[path, file] : written_files(source)) own.insert(path);
    for (const auto &file : source.files) {
        if (!S_ISREG(file.mode) || !is_opened_by_name(file) || file.shares_with >= 0 || is_of_the_system(file.path))
            continue;
        if ((file.flags & O_ACCMODE) != O_RDONLY || (file.flags & O_PATH) != 0 || file.size == 0) continue;
        if (own.contains(file.path)) continue;
        if (auto change = change_of(file)) changes.push_back(std::move(*change));
    }
    return changes;
}

Problem check_mapped_files(const Source &source) {
    const auto written = written_files(source);
    for (const auto &[path, file] : written)
        if (auto problem = check_written_file(std::string(path), file)) return problem;
    std::set<std::pair<std::string_view, bool>> checked;
    for (const auto &region : source.regions) {
        const bool shared = region.kind == image::RegionKind::file_shared;
        if (!maps_file(region) || (shared && written.contains(region.path))) continue;
        if (!checked.emplace(region.path, shared).second) continue;
        if (auto problem = check_mapped_file(region)) return problem;
    }
    return {};
}

Problem check_open_files(const Source &source) {
    struct stat found {};
    if (stat(source.directory.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
        return text("the working directory ", source.directory, " is not on this node: create it or restore elsewhere");
    }
    const auto written = written_files(source);  // those come back, should they be gone
    for (const auto &file : source.files) {
        const bool standard = file.descriptor <= 2 || (file.shares_with >= 0 && file.shares_with <= 2);
        if (standard || !is_opened_by_name(file) || written.contains(file.path)) continue;
        const auto mode = file.flags & O_ACCMODE;
        const int wanted = (mode != O_WRONLY ? R_OK : 0) | (mode != O_RDONLY ? W_OK : 0);
        if (access(file.path.c_str(), wanted) != 0) {
            return text("the open file ", file.path, " (descriptor ", file.descriptor,
                        ") cannot be opened here: ", std::strerror(errno));
        }
    }
    return {};
}

}  // namespace sckpt::restore
