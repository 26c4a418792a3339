#include "storage_hdf5/h5.h"

#include <algorithm>
#include <cstring>

namespace sckpt::storage::h5 {

namespace {

// Longer texts than this in an attribute are not ours.
constexpr std::size_t kMaxAttribute = 1 << 16;

herr_t collect(unsigned, const H5E_error2_t *entry, void *into) {
    auto &all = *static_cast<std::vector<std::string> *>(into);
    all.emplace_back(entry->desc ? entry->desc : "");
    return 0;
}

std::vector<std::string> stack() {
    std::vector<std::string> all;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &all);
    return all;
}

}  // namespace

Id::Id(hid_t id, Closer closer, const std::string &what) : id_(id), closer_(closer) {
    if (id < 0) throw Failure{"cannot " + what + ": " + reason()};
}

Id &Id::operator=(Id &&other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
}

Id::~Id() {
    if (id_ >= 0) closer_(id_);
}

void Id::close(const std::string &what) { check(closer_(std::exchange(id_, -1)), what); }

void check(std::int64_t result, const std::string &what) {
    if (result < 0) throw Failure{"cannot " + what + ": " + reason()};
}

void quiet() {
    // At exit HDF5 1.10 closes again a file whose closing has failed (a full disk), and crashes.  Every file of ours is
    // closed by its owner, so there is nothing left to do at exit.
    [[maybe_unused]] static const herr_t once = H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string stack_text() {
    std::string text;
    for (const auto &entry : stack()) text += (text.empty() ? "" : "; ") + entry;
    return text;
}

std::string reason() {
    const auto all = stack();
    H5Eclear2(H5E_DEFAULT);
    // The file driver quotes strerror() inside a long line of ours-only details (offsets, buffer addresses).
    constexpr std::string_view kMark = "error message = '";
    for (const auto &entry : all) {
        if (auto at = entry.find(kMark); at != std::string::npos) {
            const auto from = at + kMark.size();
            return entry.substr(from, entry.find('\'', from) - from);
        }
    }
    return all.empty() || all.front().empty() ? "HDF5 gave no reason" : all.front();
}

Id file_properties() {
    Id properties(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "set file properties");
    check(H5Pset_libver_bounds(properties, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST), "choose the file format");
    check(H5Pset_alignment(properties, 4096, 4096), "set the alignment");
    check(H5Pset_meta_block_size(properties, 1 << 20), "set the metadata block size");
    check(H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG), "set the close degree");
    // Parallel file systems without flock() are usual; the open mark in the file protects it all the same.
    check(H5Pset_file_locking(properties, true, true), "set file locking");
    return properties;
}

Id string_type(std::size_t length) {
    Id type(H5Tcopy(H5T_C_S1), H5Tclose, "make a string type");
    check(H5Tset_size(type, std::max<std::size_t>(length, 1)), "size a string type");
    check(H5Tset_strpad(type, H5T_STR_NULLTERM), "pad a string type");
    check(H5Tset_cset(type, H5T_CSET_UTF8), "set a string type's characters");
    return type;
}

std::string_view attribute_text(std::string_view text) { return text.substr(0, text.find('\0')); }

void write_attribute(hid_t object, const char *name, std::string_view text) {
    text = attribute_text(text);
    const std::string what = std::string("write the attribute ") + name;
    Id type = string_type(text.size() + 1);
    Id space(H5Screate(H5S_SCALAR), H5Sclose, what);
    Id attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
    check(H5Awrite(attribute, type, std::string(text).c_str()), what);
}

void write_attribute(hid_t object, const char *name, std::uint64_t value) {
    const std::string what = std::string("write the attribute ") + name;
    Id space(H5Screate(H5S_SCALAR), H5Sclose, what);
    Id attribute(H5Acreate2(object, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
    check(H5Awrite(attribute, H5T_NATIVE_UINT64, &value), what);
}

void write_attribute(hid_t object, const char *name, const std::vector<std::string> &texts) {
    const std::string what = std::string("write the attribute ") + name;
    std::size_t width = 1;
    for (const auto &text : texts) width = std::max(width, text.size() + 1);
    std::vector<char> packed(width * texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) std::memcpy(&packed[i * width], texts[i].data(), texts[i].size());
    const hsize_t count = texts.size();
    Id type = string_type(width);
    Id space(H5Screate_simple(1, &count, nullptr), H5Sclose, what);
    Id attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, what);
    check(H5Awrite(attribute, type, packed.data()), what);
}

bool has_attribute(hid_t object, const char *name) {
    const htri_t there = H5Aexists(object, name);
    check(there, std::string("look for the attribute ") + name);
    return there > 0;
}

std::string read_text(hid_t object, const char *name) {
    const std::string what = std::string("read the attribute ") + name;
    Id attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, what);
    Id type(H5Aget_type(attribute), H5Tclose, what);
    Id space(H5Aget_space(attribute), H5Sclose, what);
    const auto size = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 || size > kMaxAttribute ||
        H5Sget_simple_extent_npoints(space) != 1)
        throw Failure{what + ": it is not a text"};
    std::string text(size, '\0');
    check(H5Aread(attribute, type, text.data()), what);
    text.resize(strnlen(text.data(), size));
    return text;
}

std::uint64_t read_number(hid_t object, const char *name) {
    const std::string what = std::string("read the attribute ") + name;
    Id attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, what);
    Id type(H5Aget_type(attribute), H5Tclose, what);
    Id space(H5Aget_space(attribute), H5Sclose, what);
    if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1)
        throw Failure{what + ": it is not a number"};
    std::uint64_t value = 0;
    check(H5Aread(attribute, H5T_NATIVE_UINT64, &value), what);
    return value;
}

}  // namespace sckpt::storage::h5
