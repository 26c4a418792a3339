#include "storage_hdf5/table.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "storage_hdf5/reader.h"

namespace sckpt::storage {

namespace {

constexpr char kChecksum[] = "xxh3_128";
// A table larger than this is not ours, and is refused before memory is allocated for it.
constexpr std::uint64_t kMaxTable = 1ULL << 30;
// From here on a table with text is compressed: its columns are as wide as their longest text.
constexpr std::size_t kCompressFrom = 1 << 20;

std::size_t field_size(FieldType type) {
    switch (type) {
        case FieldType::u16:
            return 2;
        case FieldType::u32:
        case FieldType::i32:
        case FieldType::region_kind:
        case FieldType::run_kind:
            return 4;
        case FieldType::u64:
        case FieldType::i64:
            return 8;
        case FieldType::text:
        case FieldType::texts:
            break;
    }
    return 0;
}

h5::Id field_type(FieldType type, std::size_t width) {
    const auto copy = [](hid_t of) { return h5::Id(H5Tcopy(of), H5Tclose, "copy a type"); };
    switch (type) {
        case FieldType::u16:
            return copy(H5T_STD_U16LE);
        case FieldType::u32:
            return copy(H5T_STD_U32LE);
        case FieldType::i32:
            return copy(H5T_STD_I32LE);
        case FieldType::u64:
            return copy(H5T_STD_U64LE);
        case FieldType::i64:
            return copy(H5T_STD_I64LE);
        case FieldType::text:
        case FieldType::texts:
            return h5::string_type(width);
        case FieldType::region_kind:
        case FieldType::run_kind:
            break;
    }
    h5::Id values(H5Tenum_create(H5T_STD_U32LE), H5Tclose, "make an enumeration");
    for (const auto &value : enum_values(type))
        h5::check(H5Tenum_insert(values, value.name, &value.value), "name an enumeration's value");
    return values;
}

image::Ref ref_at(const std::byte *field) {
    image::Ref ref;
    std::memcpy(&ref, field, sizeof ref);
    return ref;
}

std::vector<std::string> split(std::string_view texts) {
    std::vector<std::string> parts;
    while (!texts.empty()) {
        const auto end = std::min(texts.find('\0'), texts.size());
        parts.emplace_back(texts.substr(0, end));
        texts.remove_prefix(std::min(end + 1, texts.size()));
    }
    return parts;
}

struct Shape {
    std::vector<hsize_t> dimensions;
    bool compress = false;
};

// Creates the dataset, writes its rows and its checksum.
h5::Id write_dataset(hid_t file, const char *name, hid_t type, const Shape &shape, std::span<const std::byte> packed,
                     const char *description, Digest &digest) {
    const std::string what = std::string("write /") + name;
    h5::Id space(H5Screate_simple(static_cast<int>(shape.dimensions.size()), shape.dimensions.data(), nullptr),
                 H5Sclose, what);
    h5::Id properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, what);
    h5::check(H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER), what);
    if (shape.compress) {
        auto chunk = shape.dimensions;
        chunk[0] = std::clamp<hsize_t>(chunk[0] * kCompressFrom / packed.size(), 1, chunk[0]);
        h5::check(H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data()), what);
        h5::check(H5Pset_deflate(properties, 1), what);
    }
    h5::Id dataset(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose, what);
    if (!packed.empty()) h5::check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.data()), what);
    const std::string checksum = hash_hex(packed);
    h5::write_attribute(dataset, kChecksum, checksum);
    h5::write_attribute(dataset, "description", std::string_view(description));
    digest.add(name, checksum);
    return dataset;
}

struct Raw {
    h5::Id type;
    std::vector<hsize_t> dimensions;
    std::vector<std::byte> bytes;
};

// Reads a dataset as it lies in the file and compares its checksum.
Raw read_dataset(hid_t file, const char *name, Digest &digest) {
    const std::string what = std::string("read /") + name;
    h5::Id dataset(H5Dopen2(file, name, H5P_DEFAULT), H5Dclose, what);
    Raw raw;
    raw.type = h5::Id(H5Dget_type(dataset), H5Tclose, what);
    h5::Id space(H5Dget_space(dataset), H5Sclose, what);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 1 || rank > 2) throw Altered{std::string("/") + name + " has another shape than it was written with"};
    raw.dimensions.resize(static_cast<std::size_t>(rank));
    h5::check(H5Sget_simple_extent_dims(space, raw.dimensions.data(), nullptr), what);
    std::uint64_t size = H5Tget_size(raw.type);
    for (const auto extent : raw.dimensions) {
        if (extent != 0 && size > kMaxTable / extent) throw Altered{std::string("/") + name + " is impossibly large"};
        size *= extent;
    }
    if (H5Tdetect_class(raw.type, H5T_VLEN) > 0 || H5Tis_variable_str(raw.type) > 0)
        throw Altered{std::string("/") + name + " has a variable-length type"};
    raw.bytes.resize(size);
    if (size > 0) h5::check(H5Dread(dataset, raw.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw.bytes.data()), what);
    const std::string checksum = hash_hex(raw.bytes);
    if (h5::read_text(dataset, kChecksum) != checksum)
        throw Altered{std::string("the checksum of /") + name + " does not match"};
    digest.add(name, checksum);
    return raw;
}

}  // namespace

image::Ref Pool::add(std::string_view text) {
    if (text.empty()) return {};
    const auto [known, added] = known_.try_emplace(std::string(text));
    if (added) {
        if (bytes_.size() + text.size() > UINT32_MAX) throw Altered{"the tables hold more than 4 GiB of text"};
        known->second = {static_cast<std::uint32_t>(bytes_.size()), static_cast<std::uint32_t>(text.size())};
        bytes_ += text;
    }
    return known->second;
}

void Digest::add(std::string_view name, std::string_view value) {
    lines_.append(name).append("=").append(value).append("\n");
}

std::string Digest::value() const { return hash_hex(std::as_bytes(std::span(lines_))); }

void write_table(hid_t file, const TableSchema &schema, std::span<const std::byte> records, const Pool &pool,
                 Digest &digest) {
    const std::size_t rows = records.size() / schema.record_size;
    std::vector<std::size_t> sizes;
    std::size_t row_size = 0;
    bool has_text = false;
    for (const auto &field : schema.fields) {
        std::size_t size = field_size(field.type);
        if (field.type == FieldType::text) {
            size = 1;
            has_text = true;
            for (std::size_t row = 0; row < rows; ++row)
                size =
                    std::max(size, ref_at(&records[row * schema.record_size + field.offset]).length + std::size_t{1});
        }
        sizes.push_back(size);
        row_size += size;
    }

    std::vector<std::byte> packed(rows * row_size);
    std::byte *to = packed.data();
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto &field = schema.fields[i];
            const std::byte *from = &records[row * schema.record_size + field.offset];
            if (field.type == FieldType::text) {
                const auto text = pool.view(ref_at(from));
                std::memcpy(to, text.data(), text.size());
            } else if (sizes[i] > 0) {
                std::memcpy(to, from, sizes[i]);
            }
            to += sizes[i];
        }
    }

    h5::Id type(H5Tcreate(H5T_COMPOUND, row_size), H5Tclose, "make a compound type");
    std::size_t offset = 0;
    std::vector<std::string> units;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto &field = schema.fields[i];
        if (sizes[i] == 0) continue;
        h5::check(H5Tinsert(type, field.name, offset, field_type(field.type, sizes[i])), "describe a column");
        units.push_back(std::string(field.name) + ": " + (*field.unit ? field.unit : "-"));
        offset += sizes[i];
    }
    const Shape shape{{rows}, has_text && packed.size() >= kCompressFrom};
    const auto dataset = write_dataset(file, schema.name, type, shape, packed, schema.description, digest);
    h5::write_attribute(dataset, "units", units);

    for (const auto &field : schema.fields) {
        if (field.type != FieldType::texts || rows == 0) continue;
        write_strings(file, field.name, split(pool.view(ref_at(&records[field.offset]))), "each string a row", digest);
    }
}

std::vector<std::byte> read_table(hid_t file, const TableSchema &schema, Pool &pool, Digest &digest) {
    const auto raw = read_dataset(file, schema.name, digest);
    const auto other = [&] { return Altered{std::string("/") + schema.name + " has other columns than this version"}; };
    if (H5Tget_class(raw.type) != H5T_COMPOUND || raw.dimensions.size() != 1) throw other();
    const std::size_t row_size = H5Tget_size(raw.type);
    const std::size_t rows = raw.dimensions[0];

    struct Column {
        const Field *field;
        std::size_t offset, size;
    };
    std::vector<Column> columns;
    for (const auto &field : schema.fields) {
        if (field.type == FieldType::texts) continue;
        const int index = H5Tget_member_index(raw.type, field.name);
        if (index < 0) throw other();
        h5::Id type(H5Tget_member_type(raw.type, static_cast<unsigned>(index)), H5Tclose, "read a column's type");
        const std::size_t size = H5Tget_size(type);
        const h5::Id expected = field_type(field.type, size);
        if (H5Tequal(type, expected) <= 0) throw other();
        columns.push_back({&field, H5Tget_member_offset(raw.type, static_cast<unsigned>(index)), size});
    }
    if (static_cast<std::size_t>(H5Tget_nmembers(raw.type)) != columns.size()) throw other();

    std::vector<std::byte> records(rows * schema.record_size);
    for (std::size_t row = 0; row < rows; ++row) {
        for (const auto &column : columns) {
            const std::byte *from = &raw.bytes[row * row_size + column.offset];
            std::byte *to = &records[row * schema.record_size + column.field->offset];
            if (column.field->type == FieldType::text) {
                std::string_view text(reinterpret_cast<const char *>(from), column.size);
                text = text.substr(0, text.find_last_not_of('\0') + 1);
                const image::Ref ref = pool.add(text);
                std::memcpy(to, &ref, sizeof ref);
            } else {
                std::memcpy(to, from, column.size);
            }
        }
    }
    for (const auto &field : schema.fields) {
        if (field.type != FieldType::texts || rows == 0) continue;
        std::string joined;
        for (const auto &text : read_strings(file, field.name, digest)) joined.append(text).push_back('\0');
        const image::Ref ref = pool.add(joined);
        std::memcpy(&records[field.offset], &ref, sizeof ref);
    }
    return records;
}

void write_strings(hid_t file, const char *name, const std::vector<std::string> &texts, const char *description,
                   Digest &digest) {
    std::size_t width = 1;
    for (const auto &text : texts) width = std::max(width, text.size() + 1);
    std::vector<std::byte> packed(width * texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) std::memcpy(&packed[i * width], texts[i].data(), texts[i].size());
    const Shape shape{{texts.size()}, packed.size() >= kCompressFrom};
    write_dataset(file, name, h5::string_type(width), shape, packed, description, digest);
}

std::vector<std::string> read_strings(hid_t file, const char *name, Digest &digest) {
    const auto raw = read_dataset(file, name, digest);
    if (H5Tget_class(raw.type) != H5T_STRING || raw.dimensions.size() != 1)
        throw Altered{std::string("/") + name + " does not hold strings"};
    const std::size_t width = H5Tget_size(raw.type);
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < raw.bytes.size(); at += width) {
        std::string_view text(reinterpret_cast<const char *>(&raw.bytes[at]), width);
        texts.emplace_back(text.substr(0, text.find_last_not_of('\0') + 1));
    }
    return texts;
}

void write_bytes(hid_t file, const char *name, std::span<const std::byte> bytes, std::size_t width,
                 const char *description, Digest &digest) {
    h5::Id type(H5Tcopy(H5T_STD_U8LE), H5Tclose, "copy a type");
    write_dataset(file, name, type, Shape{{bytes.size() / width, width}}, bytes, description, digest);
}

std::vector<std::byte> read_bytes(hid_t file, const char *name, std::size_t width, Digest &digest) {
    auto raw = read_dataset(file, name, digest);
    if (H5Tget_class(raw.type) != H5T_INTEGER || H5Tget_size(raw.type) != 1 || raw.dimensions.size() != 2 ||
        raw.dimensions[1] != width)
        throw Altered{std::string("/") + name + " has another shape than it was written with"};
    return std::move(raw.bytes);
}

PageHash page_hash(const void *data, std::size_t length) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, length));
    PageHash hash;
    static_assert(sizeof canonical == sizeof hash);
    std::memcpy(&hash, &canonical, sizeof hash);
    return hash;
}

std::string hash_hex(std::span<const std::byte> bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const auto byte : page_hash(bytes.data(), bytes.size()).bytes) {
        text += kDigits[std::to_integer<unsigned>(byte) >> 4];
        text += kDigits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

}  // namespace sckpt::storage
