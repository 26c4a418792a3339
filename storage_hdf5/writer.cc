// The order matters.  The file is created in the latest format and flushed before page data is written: from then on
// it carries HDF5's open-for-write mark, and a file whose writer died is refused by every HDF5 reader.  How many
// pages are worth storing is known only when all have been read; so /pages is first created large enough for all
// candidates, which fixes its place at the end of the file, and replaced by one of the true size afterwards, which
// HDF5 puts at the same place.  That is checked, not assumed.
#include "storage_hdf5/writer.h"

#include <unistd.h>

#include <algorithm>

#include "storage_hdf5/durable.h"
#include "storage_hdf5/facts.h"
#include "storage_hdf5/names.h"
#include "storage_hdf5/pipeline.h"
#include "storage_hdf5/table.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

using image::Table;

// A plain failure of this file's steps; like h5::Failure it does not leave it.
struct Failed {
    std::string sentence;
};

template <class T>
T need(std::expected<T, std::string> value) {
    if (!value) throw Failed{value.error()};
    if constexpr (!std::is_void_v<T>) return std::move(*value);
}

using Facts = std::unordered_map<std::string_view, FileFacts>;

std::vector<Candidate> find_candidates(const Plan &plan, const ProcessMemory &memory, const Facts &facts) {
    std::vector<Candidate> candidates;
    const auto regions = plan.regions();
    for (std::uint32_t i = 0; i < regions.size(); ++i) {
        const auto &region = regions[i];
        const auto path = plan.text(region.path);
        const auto known = facts.find(path);
        const bool present = known != facts.end() && known->second.present;
        if (!present && image::written_shared(region.kind, region.protection))
            throw Failed{"the file " + std::string(path) + ", which the program maps to write it, is not there"};
        const bool over_file = (region.kind == image::RegionKind::file_private ||
                                region.kind == image::RegionKind::file_shared) &&
                               !(region.attributes & image::kCopied);
        for (const auto &range : need(memory.pages_to_store(region, present ? known->second.size : 0)))
            candidates.push_back({i, over_file, region.start + range.first * kPageSize, range.first, range.count});
    }
    return candidates;
}

struct Pages {
    h5::Id dataset;
    std::uint64_t offset;
};

Pages create_pages(hid_t file, std::uint64_t count) {
    const std::string what = "create /pages";
    const hsize_t dimensions[2] = {count, kPageSize};
    h5::Id space(H5Screate_simple(2, dimensions, nullptr), H5Sclose, what);
    h5::Id properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, what);
    h5::check(H5Pset_layout(properties, H5D_CONTIGUOUS), what);
    h5::check(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY), what);
    h5::check(H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER), what);
    h5::Id dataset(H5Dcreate2(file, kPages, H5T_STD_U8LE, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose, what);
    const haddr_t offset = count > 0 ? H5Dget_offset(dataset) : 0;
    if (offset == HADDR_UNDEF || offset % kPageSize != 0) throw h5::Failure{"HDF5 placed /pages off a page boundary"};
    return {std::move(dataset), offset};
}

// The rows of /regions as far as they can be known before the pages are copied.
std::vector<StoredRegion> stored_regions(const Plan &plan, const Facts &facts, Pool &pool) {
    std::vector<StoredRegion> stored;
    for (const auto &region : plan.regions()) {
        StoredRegion row{};
        row.region = region;
        if (const auto known = facts.find(plan.text(region.path)); known != facts.end()) {
            row.build_id = pool.add(known->second.build_id);
            row.file_size = known->second.size;
            row.file_mtime_ns = known->second.mtime_ns;
        }
        stored.push_back(row);
    }
    return stored;
}

template <class Record>
std::span<const std::byte> bytes_of(const std::vector<Record> &records) {
    return std::as_bytes(std::span(records));
}

class ImageFile {
  public:
    ImageFile(const WriteRequest &request, const ProcessMemory &memory)
        : request_(request), memory_(memory), pool_(request.plan.strings()) {}

    Written write(const std::filesystem::path &temporary) {
        const auto &plan = request_.plan;
        // All that is asked of the process comes first: once its pages have been copied it may be gone.
        const auto facts = file_facts(plan, memory_);
        const auto candidates = find_candidates(plan, memory_, facts);
        const auto vdso = vdso_hash(plan, memory_);
        auto regions = stored_regions(plan, facts, pool_);

        file_ = h5::Id(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, h5::file_properties()), H5Fclose,
                       "create " + temporary.string());
        write_head(vdso);
        std::uint64_t count = 0;
        for (const auto &candidate : candidates) count += candidate.count;
        Pages pages = create_pages(file_, count);
        h5::check(H5Fflush(file_, H5F_SCOPE_LOCAL), "write " + temporary.string());

        const auto copied = need(copy_pages({memory_, candidates, temporary, pages.offset,
                                             std::max(request_.threads, 1U), request_.direct, request_.pages_read}));
        if (copied.hashes.size() != count) replace_pages(pages, copied.hashes.size());
        write_tables(copied, regions);
        h5::write_attribute(pages.dataset, "unit", std::string_view("bytes; each row a page"));
        h5::write_attribute(pages.dataset, "description", std::string_view("stored pages, see runs"));
        h5::write_attribute(file_, "digest", digest_.value());
        h5::write_attribute(file_, "complete", std::uint64_t{1});
        pages.dataset.close("close /pages");
        file_.close("write " + temporary.string());
        return {{}, 0, copied.hashes.size(), digest_.value(), copied.method};
    }

  private:
    void replace_pages(Pages &pages, std::uint64_t count) {
        pages.dataset.close("close /pages");
        h5::check(H5Ldelete(file_, kPages, H5P_DEFAULT), "replace /pages");
        Pages smaller = create_pages(file_, count);
        if (count > 0 && smaller.offset != pages.offset)
            throw h5::Failure{"HDF5 moved /pages from " + hex(pages.offset) + " to " + hex(smaller.offset)};
        pages = std::move(smaller);
    }

    // The root's attributes; all but the format's name are under the digest.
    void write_head(const std::string &vdso) {
        const auto &plan = request_.plan;
        const auto &process = plan.process();
        h5::write_attribute(file_, "format", std::string_view(kRankFormat));
        number("format_version", kFormatVersion);
        number("plan_version", image::kVersion);
        number("rank", process.rank);
        number("ranks", process.world_size);
        number("generation", process.generation);
        number("incarnation", process.incarnation);
        number("page_size_bytes", kPageSize);
        words("host", plan.text(process.host));
        words("created_utc", utc(process.cut_time_ns));
        words("vdso_xxh3_128", vdso);
    }

    void number(const char *name, std::uint64_t value) {
        h5::write_attribute(file_, name, value);
        digest_.add(name, std::to_string(value));
    }
    void words(const char *name, std::string_view value) {
        h5::write_attribute(file_, name, value);
        digest_.add(name, h5::attribute_text(value));
    }

    void write_tables(const PipelineResult &copied, std::vector<StoredRegion> &regions) {
        std::size_t run = 0;
        for (std::uint32_t i = 0; i < regions.size(); ++i) {
            regions[i].first_run = run;
            while (run < copied.runs.size() && copied.runs[run].region == i) ++run;
            regions[i].run_count = run - regions[i].first_run;
        }
        for (auto i = static_cast<std::uint32_t>(Table::process); i < static_cast<std::uint32_t>(Table::count); ++i) {
            const auto which = static_cast<Table>(i);
            const auto records = which == Table::regions ? bytes_of(regions) : request_.plan.table(which);
            write_table(file_, schema(which), records, pool_, digest_);
        }
        write_table(file_, runs_schema(), bytes_of(copied.runs), pool_, digest_);
        write_strings(file_, kCpuFlags, cpu_flags(), "flags of /proc/cpuinfo where this was written", digest_);
        write_bytes(file_, kHashes, bytes_of(copied.hashes), sizeof(PageHash),
                    "xxh3-128, canonical, of each row of /pages", digest_);
    }

    const WriteRequest &request_;
    const ProcessMemory &memory_;
    Pool pool_;
    Digest digest_;
    h5::Id file_;
};

}  // namespace

std::expected<Written, std::string> write_image(const WriteRequest &request) {
    h5::quiet();
    const auto file = request.directory / rank_file_name(request.plan.process().rank);
    auto temporary = file;
    temporary += ".tmp";
    try {
        const auto memory = need(ProcessMemory::open(request.source));
        Written written = ImageFile(request, memory).write(temporary);
        need(sync_file(temporary));
        written.bytes = std::filesystem::file_size(temporary);
        std::filesystem::rename(temporary, file);
        need(sync_directory(request.directory));
        written.file = file;
        return written;
    } catch (const Failed &failed) {
        unlink(temporary.c_str());
        return std::unexpected(failed.sentence);
    } catch (const h5::Failure &failed) {
        unlink(temporary.c_str());
        return std::unexpected(failed.reason);
    } catch (const Altered &failed) {
        unlink(temporary.c_str());
        return std::unexpected(failed.what);
    } catch (const std::exception &failed) {
        unlink(temporary.c_str());
        return std::unexpected("cannot write " + file.string() + ": " + failed.what());
    }
}

}  // namespace sckpt::storage
