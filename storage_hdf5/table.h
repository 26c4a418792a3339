// Arrays of records as HDF5 datasets: compound types with fixed-length strings (they read well in h5dump and h5py,
// and unlike variable-length ones they are checksummed and cannot point anywhere).  Every dataset carries the
// xxh3-128 of its packed rows as an attribute, because HDF5 does not check the raw data of contiguous datasets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage_hdf5/h5.h"
#include "storage_hdf5/schema.h"

namespace sckpt::storage {

// Thrown by readers of this directory's internals when a checksum or a bound does not hold.
struct Altered {
    std::string what;
};

// Text that records refer to.  Equal texts share their bytes.
class Pool {
  public:
    Pool() = default;
    explicit Pool(std::string_view initial) : bytes_(initial) {}
    image::Ref add(std::string_view text);
    std::string_view view(image::Ref ref) const { return std::string_view(bytes_).substr(ref.offset, ref.length); }

  private:
    std::string bytes_;
    std::unordered_map<std::string, image::Ref> known_;
};

// "name=checksum\n" of everything written to or read from a file, in that order: what its digest is made of.
class Digest {
  public:
    void add(std::string_view name, std::string_view value);
    std::string value() const;

  private:
    std::string lines_;
};

// Writes `records` (an array of the schema's records) as dataset /<schema.name>; throws h5::Failure.
void write_table(hid_t file, const TableSchema &schema, std::span<const std::byte> records, const Pool &pool,
                 Digest &digest);
// Reads it back in the form it was written from, texts into `pool`; throws h5::Failure or Altered.
std::vector<std::byte> read_table(hid_t file, const TableSchema &schema, Pool &pool, Digest &digest);

// One-dimensional dataset of strings.
void write_strings(hid_t file, const char *name, const std::vector<std::string> &texts, const char *description,
                   Digest &digest);
std::vector<std::string> read_strings(hid_t file, const char *name, Digest &digest);

// Two-dimensional dataset of bytes, rows x width.
void write_bytes(hid_t file, const char *name, std::span<const std::byte> bytes, std::size_t width,
                 const char *description, Digest &digest);
std::vector<std::byte> read_bytes(hid_t file, const char *name, std::size_t width, Digest &digest);

// xxh3-128 of some bytes in its canonical (big-endian) form.
struct PageHash {
    std::byte bytes[16];
    friend bool operator==(const PageHash &, const PageHash &) = default;
};
PageHash page_hash(const void *data, std::size_t length);

}  // namespace sckpt::storage
