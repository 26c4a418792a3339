// The reading side of job.h5; apart from the writing side so that programs that only read need no hwloc.
#include <cstring>

#include "storage_hdf5/names.h"
#include "storage_hdf5/open.h"
#include "storage_hdf5/reader.h"

namespace sckpt::storage {

namespace {

Manifest read_file(const std::filesystem::path &generation, hid_t file) {
    Manifest manifest;
    manifest.generation = generation;
    Digest digest;
    std::uint64_t version = 0, ranks = 0, number = 0, incarnation = 0, cut = 0, commit = 0;
    struct Number {
        const char *name;
        std::uint64_t *value;
    };
    for (const auto &[name, value] :
         {Number{"format_version", &version}, Number{"ranks", &ranks}, Number{"generation", &number},
          Number{"incarnation", &incarnation}, Number{"cut_time_ns", &cut}, Number{"commit_time_ns", &commit}}) {
        *value = h5::read_number(file, name);
        digest.add(name, std::to_string(*value));
    }
    struct Text {
        const char *name;
        std::string *value;
    };
    for (const auto &[name, value] : {Text{"job", &manifest.job}, Text{"cluster", &manifest.cluster},
                                      Text{"user", &manifest.user}, Text{"cause", &manifest.cause}}) {
        *value = h5::read_text(file, name);
        digest.add(name, *value);
    }
    manifest.number = static_cast<std::uint32_t>(number);
    manifest.incarnation = static_cast<std::uint32_t>(incarnation);
    manifest.ranks = static_cast<std::uint32_t>(ranks);
    manifest.cut_time_ns = static_cast<std::int64_t>(cut);
    manifest.commit_time_ns = static_cast<std::int64_t>(commit);

    Pool pool;
    const auto bytes = read_table(file, manifest_schema(), pool, digest);
    std::vector<ManifestRow> rows(bytes.size() / sizeof(ManifestRow));
    if (!rows.empty()) std::memcpy(rows.data(), bytes.data(), bytes.size());
    if (rows.size() != ranks) throw Altered{"the manifest does not list every rank"};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto &row = rows[i];
        const std::string name(pool.view(row.file));
        if (row.rank != i || name != rank_file_name(row.rank))
            throw Altered{"the manifest does not list every rank in order"};
        manifest.entries.push_back({row.rank, name, std::string(pool.view(row.host)), row.bytes, row.pages,
                                    std::string(pool.view(row.digest))});
    }
    auto topology = read_strings(file, kTopology, digest);
    if (!topology.empty()) manifest.topology = std::move(topology.front());
    if (h5::read_text(file, "digest") != digest.value()) throw Altered{"the checksum over all tables does not match"};
    return manifest;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
    std::uint64_t sum = 0;
    for (const auto &entry : entries) sum += entry.bytes;
    return sum;
}

std::expected<Manifest, Error> read_manifest(const std::filesystem::path &generation) {
    const auto path = generation / kJobFile;
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return std::unexpected(Error{Refusal::not_complete,
                                     generation.string() + " is not a committed checkpoint: it has no " + kJobFile});
    return guarded(path, [&] { return read_file(generation, open_image(path, kJobFormat).file); });
}

std::expected<Manifest, Error> check_generation(const std::filesystem::path &generation) {
    auto manifest = read_manifest(generation);
    if (!manifest) return manifest;
    for (const auto &entry : manifest->entries) {
        if (auto good = check_rank_file(generation, entry); !good) return std::unexpected(good.error());
    }
    return manifest;
}

}  // namespace sckpt::storage
