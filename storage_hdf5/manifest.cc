#include "storage_hdf5/manifest.h"

#include <hwloc.h>
#include <unistd.h>

#include <cstring>

#include "storage_hdf5/durable.h"
#include "storage_hdf5/names.h"
#include "storage_hdf5/table.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

// The root's attributes in the order in which they enter the digest.
struct NamedNumber {
    const char *name;
    std::uint64_t value;
};
struct NamedText {
    const char *name;
    const std::string *value;
};

void write_file(const Manifest &manifest, const std::filesystem::path &path) {
    h5::Id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, h5::file_properties()), H5Fclose,
                "create " + path.string());
    // Flushed at once, so that the file carries the open-for-write mark from its beginning.
    h5::check(H5Fflush(file, H5F_SCOPE_LOCAL), "write " + path.string());
    h5::write_attribute(file, "format", std::string_view(kJobFormat));
    Digest digest;
    for (const auto &[name, value] :
         {NamedNumber{"format_version", kFormatVersion}, NamedNumber{"ranks", manifest.ranks},
          NamedNumber{"generation", manifest.number}, NamedNumber{"incarnation", manifest.incarnation},
          NamedNumber{"cut_time_ns", static_cast<std::uint64_t>(manifest.cut_time_ns)},
          NamedNumber{"commit_time_ns", static_cast<std::uint64_t>(manifest.commit_time_ns)}}) {
        h5::write_attribute(file, name, value);
        digest.add(name, std::to_string(value));
    }
    for (const auto &[name, value] : {NamedText{"job", &manifest.job}, NamedText{"cluster", &manifest.cluster},
                                      NamedText{"user", &manifest.user}, NamedText{"cause", &manifest.cause}}) {
        h5::write_attribute(file, name, std::string_view(*value));
        digest.add(name, h5::attribute_text(*value));
    }
    h5::write_attribute(file, "cut_time_utc", std::string_view(utc(manifest.cut_time_ns)));
    h5::write_attribute(file, "commit_time_utc", std::string_view(utc(manifest.commit_time_ns)));

    Pool pool;
    std::vector<ManifestRow> rows;
    h5::Id links(H5Gcreate2(file, kRankLinks, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "create /ranks");
    for (const auto &entry : manifest.entries) {
        rows.push_back(
            {entry.rank, pool.add(entry.file), pool.add(entry.host), pool.add(entry.digest), entry.bytes, entry.pages});
        h5::check(
            H5Lcreate_external(entry.file.c_str(), "/", links, padded(entry.rank, 5).c_str(), H5P_DEFAULT, H5P_DEFAULT),
            "link " + entry.file);
    }
    write_table(file, manifest_schema(), std::as_bytes(std::span(rows)), pool, digest);
    write_strings(file, kTopology, {manifest.topology}, "hwloc XML of rank 0's node", digest);
    h5::write_attribute(file, "digest", digest.value());
    h5::write_attribute(file, "complete", std::uint64_t{1});
    links.close("close /ranks");
    file.close("write " + path.string());
}

}  // namespace

std::expected<void, std::string> write_manifest(const Manifest &manifest) {
    h5::quiet();
    const auto path = manifest.generation / kJobFile;
    const std::filesystem::path temporary = path.string() + ".tmp";
    const auto fail = [&](const std::string &sentence) {
        unlink(temporary.c_str());
        return std::unexpected(sentence);
    };
    try {
        write_file(manifest, temporary);
        if (auto synced = sync_file(temporary); !synced) return fail(synced.error());
        std::filesystem::rename(temporary, path);
        return sync_directory(manifest.generation);
    } catch (const h5::Failure &failure) {
        return fail(failure.reason);
    } catch (const Altered &altered) {
        return fail(altered.what);
    } catch (const std::exception &error) {
        return fail("cannot write " + path.string() + ": " + error.what());
    }
}

std::string topology_xml() {
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) != 0) return {};
    std::string xml;
    char *buffer = nullptr;
    int length = 0;
    if (hwloc_topology_load(topology) == 0 && hwloc_topology_export_xmlbuffer(topology, &buffer, &length, 0) == 0) {
        xml.assign(buffer, strnlen(buffer, static_cast<std::size_t>(length)));
        hwloc_free_xmlbuffer(topology, buffer);
    }
    hwloc_topology_destroy(topology);
    return xml;
}

}  // namespace sckpt::storage
