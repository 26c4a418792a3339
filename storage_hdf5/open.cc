#include "storage_hdf5/open.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

[[noreturn]] void refuse(Refusal refusal, const std::string &sentence) { throw Refused{{refusal, sentence}}; }

}  // namespace

const char *name(Refusal refusal) {
    switch (refusal) {
        case Refusal::unreadable:
            return "unreadable";
        case Refusal::not_complete:
            return "not_complete";
        case Refusal::foreign:
            return "foreign";
        case Refusal::version:
            return "version";
        case Refusal::truncated:
            return "truncated";
        case Refusal::altered_data:
            return "altered_data";
        case Refusal::altered_table:
            return "altered_table";
        case Refusal::missing_rank:
            return "missing_rank";
        case Refusal::wrong_ranks:
            return "wrong_ranks";
    }
    return "unknown";
}

Opened open_image(const std::filesystem::path &path, const char *format) {
    h5::quiet();
    const std::string text = path.string();
    const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!descriptor || fstat(descriptor.get(), &status) != 0)
        refuse(errno == ENOENT ? Refusal::missing_rank : Refusal::unreadable,
               "cannot open " + text + ": " + system_error(errno));
    if (!S_ISREG(status.st_mode)) refuse(Refusal::foreign, text + " is not a regular file");
    if (status.st_size == 0) refuse(Refusal::truncated, text + " is empty");

    if (H5Fis_hdf5(path.c_str()) <= 0) refuse(Refusal::foreign, text + " is not a checkpoint file (not HDF5)");
    h5::Id properties = h5::file_properties();
    const hid_t raw = H5Fopen(path.c_str(), H5F_ACC_RDONLY, properties);
    if (raw < 0) {
        const auto stack = h5::stack_text();
        if (stack.find("truncated") != std::string::npos) refuse(Refusal::truncated, text + " is truncated");
        if (stack.find("already open for write") != std::string::npos)
            refuse(Refusal::not_complete, text + " is not complete: its writer is still at work or was killed");
        refuse(Refusal::altered_table, text + ": " + h5::reason());
    }
    Opened opened{h5::Id(raw, H5Fclose, "open " + text), static_cast<std::uint64_t>(status.st_size)};

    if (!h5::has_attribute(opened.file, "format") || h5::read_text(opened.file, "format") != format)
        refuse(Refusal::foreign, text + " is an HDF5 file, but no " + format);
    const auto version = h5::read_number(opened.file, "format_version");
    if (version != kFormatVersion)
        refuse(Refusal::version, text + " is of format version " + std::to_string(version) +
                                     "; this sckpt reads version " + std::to_string(kFormatVersion));
    if (h5::has_attribute(opened.file, "plan_version")) {
        if (const auto plan = h5::read_number(opened.file, "plan_version"); plan != image::kVersion)
            refuse(Refusal::version, text + " has tables of version " + std::to_string(plan) +
                                         "; this sckpt reads version " + std::to_string(image::kVersion));
    }
    if (!h5::has_attribute(opened.file, "complete") || h5::read_number(opened.file, "complete") != 1)
        refuse(Refusal::not_complete, text + " was not finished by its writer");
    return opened;
}

std::expected<void, Error> check_rank_file(const std::filesystem::path &generation, const RankEntry &entry) {
    const auto path = generation / entry.file;
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        return std::unexpected(Error{errno == ENOENT ? Refusal::missing_rank : Refusal::unreadable,
                                     "cannot open " + path.string() + ": " + system_error(errno)});
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes != entry.bytes)
        return std::unexpected(Error{Refusal::truncated, path.string() + " has " + std::to_string(bytes) +
                                                             " bytes, but had " + std::to_string(entry.bytes) +
                                                             " when it was committed"});
    return {};
}

}  // namespace sckpt::storage
