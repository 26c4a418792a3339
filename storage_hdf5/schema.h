// The typed description of every record that is stored: which members, as what, in which unit.  From it the tables
// are written and read (table.h) and shown (`sckpt show`).  No HDF5 in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "storage_hdf5/image.h"
#include "storage_hdf5/records.h"

namespace sckpt::storage {

enum class FieldType {
    u16,
    u32,
    i32,
    u64,
    i64,
    text,   // an image::Ref; a fixed-length string column
    texts,  // an image::Ref to strings with a NUL after each; a dataset of strings of its own, named like the field
    region_kind,
    run_kind,
};

struct Field {
    const char *name;
    FieldType type;
    std::size_t offset;  // bytes, in the record
    const char *unit;    // "" where a unit makes no sense
};

struct TableSchema {
    const char *name;         // of the dataset
    const char *description;  // its attribute `description`
    std::size_t record_size;  // bytes
    std::span<const Field> fields;
};

// A row of job.h5's manifest.
struct ManifestRow {
    std::uint32_t rank;
    image::Ref file, host, digest;
    std::uint64_t bytes, pages;
};

// The schema of a plan's table; for Table::regions that of StoredRegion.  Not for Table::strings.
const TableSchema &schema(image::Table table);
const TableSchema &runs_schema();
const TableSchema &manifest_schema();

// Bytes that a record of this table has in the plan; 1 for Table::strings.
std::size_t plan_record_size(image::Table table);
// The fields of a record of this table as it is in the plan, for checking its Refs.
std::span<const Field> plan_fields(image::Table table);

struct EnumValue {
    const char *name;
    std::uint32_t value;
};
// The values of an enumerated field type; empty for other types.
std::span<const EnumValue> enum_values(FieldType type);

// Names of datasets that are no record tables.
inline constexpr char kPages[] = "pages";
inline constexpr char kHashes[] = "hash";
inline constexpr char kCpuFlags[] = "cpu_flags";
inline constexpr char kTopology[] = "topology";
inline constexpr char kRankLinks[] = "ranks";

// Attribute `format` of the root group.
inline constexpr char kRankFormat[] = "sckpt rank image";
inline constexpr char kJobFormat[] = "sckpt job manifest";

}  // namespace sckpt::storage
