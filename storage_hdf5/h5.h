// The thin layer over the HDF5 C library: owned identifiers, failures as C++ exceptions, attributes and tables.
// Exceptions do not leave storage_hdf5: every public function turns them into std::expected at its boundary.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sckpt::storage::h5 {

// What HDF5 (or the system below it) said, in one clause.
struct Failure {
    std::string reason;
};

// An HDF5 identifier and the function that closes it.
class Id {
  public:
    using Closer = herr_t (*)(hid_t);
    Id() = default;
    // Throws Failure when `id` is negative; `what` says what was attempted ("create /pages").
    Id(hid_t id, Closer closer, const std::string &what);
    Id(Id &&other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
    Id &operator=(Id &&other) noexcept;
    ~Id();
    operator hid_t() const { return id_; }
    // Closes now and throws Failure when that fails: closing a file is what writes its last bytes.
    void close(const std::string &what);

  private:
    hid_t id_ = -1;
    Closer closer_ = nullptr;
};

// Throws Failure when an HDF5 call that returns herr_t, htri_t or hid_t reported one.
void check(std::int64_t result, const std::string &what);

// Sets HDF5 up for use in an ordinary program: no error stack on standard error (a setting of each thread), nothing at
// exit.  Call before anything else of HDF5.
void quiet();

// The deepest entry of the current error stack, or the system's message when a system call failed; clears the stack.
std::string reason();
// The whole stack's descriptions, joined; does not clear it.
std::string stack_text();

// File properties of every file of ours: libver latest (its open-for-write mark and its checksums of metadata are
// relied upon), objects of a page or more aligned to pages, metadata in blocks of 1 MiB.
Id file_properties();

// Fixed-length text of `length` bytes, the terminating NUL included (h5dump shows the padding of any other kind).
Id string_type(std::size_t length);

// A text as an attribute keeps it: up to its first NUL.  Checksums are made over this form.
std::string_view attribute_text(std::string_view text);

void write_attribute(hid_t object, const char *name, std::string_view text);
void write_attribute(hid_t object, const char *name, std::uint64_t value);
void write_attribute(hid_t object, const char *name, const std::vector<std::string> &texts);
std::string read_text(hid_t object, const char *name);
std::uint64_t read_number(hid_t object, const char *name);
bool has_attribute(hid_t object, const char *name);

}  // namespace sckpt::storage::h5
