// The one file of the restore side that knows the storage's reader.
#include <utility>

#include "preload/restore/source.h"
#include "preload/restore/text.h"
#include "storage_hdf5/reader.h"

namespace sckpt::restore {

namespace {

Source convert(const storage::Image &image) {
    Source source;
    source.process = image.process();
    source.host = image.text(source.process.host);
    source.executable = image.text(source.process.executable);
    source.arguments = image.text(source.process.arguments);
    source.directory = image.text(source.process.directory);
    source.cpu_flags.assign(image.cpu_flags().begin(), image.cpu_flags().end());
    source.vdso_hash = image.vdso_hash();
    source.regions.reserve(image.regions().size());
    for (const auto &region : image.regions()) {
        const auto &record = region.record;
        source.regions.push_back({record.start, record.length, record.protection, record.kind, record.file_offset,
                                  std::string(region.path), std::string(region.build_id), region.file_size,
                                  region.file_mtime_ns, record.attributes, record.page_kib});
    }
    source.runs.reserve(image.runs().size());
    for (const auto &run : image.runs()) {
        source.runs.push_back({run.region, run.first_page, run.count, run.kind == storage::RunKind::zero, run.offset});
    }
    for (const auto &file : image.files()) {
        source.files.push_back({file.record.descriptor, file.record.flags, file.record.mode, file.record.shares_with,
                                std::string(file.path), std::string(image.text(file.record.kind)), file.record.offset,
                                file.record.size, file.record.modified_ns, file.record.fingerprint});
    }
    source.rank_file = image.path().string();
    source.pages_offset = image.pages_offset();
    source.page_count = image.page_count();
    return source;
}

std::expected<storage::Image, std::string> open_image(const std::string &generation, std::uint32_t rank) {
    auto image = storage::Image::open(generation, rank);
    if (!image) return std::unexpected(image.error().sentence);
    return std::move(*image);
}

}  // namespace

std::expected<Source, std::string> open_source(const std::string &generation, std::uint32_t rank) {
    auto image = open_image(generation, rank);
    if (!image) return std::unexpected(image.error());
    return convert(*image);
}

std::expected<Source, std::string> verify_source(const std::string &generation, std::uint32_t rank,
                                                 std::uint32_t world_size) {
    const auto manifest = storage::check_generation(generation);
    if (!manifest) return std::unexpected(manifest.error().sentence);
    if (manifest->ranks != world_size) {
        return std::unexpected(text(generation, " is a checkpoint of ", manifest->ranks,
                                    " ranks and cannot be restored by ", world_size, ": start the step with ",
                                    manifest->ranks, " tasks"));
    }
    auto image = open_image(generation, rank);
    if (!image) return std::unexpected(image.error());
    if (const auto verified = image->verify(); !verified) return std::unexpected(verified.error().sentence);
    return convert(*image);
}

std::string content_hash(std::span<const std::byte> bytes) { return storage::hash_hex(bytes); }

}  // namespace sckpt::restore
