#include "storage_hdf5/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "storage_hdf5/names.h"
#include "storage_hdf5/open.h"
#include "storage_hdf5/pages.h"
#include "storage_hdf5/table.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

using image::Table;

struct Image::State {
    std::filesystem::path path;
    std::uint64_t file_bytes = 0;
    std::uint64_t pages_offset = 0;
    std::uint64_t page_count = 0;
    Pool pool;
    std::vector<std::byte> tables[static_cast<std::size_t>(Table::count)];
    std::vector<Run> runs;
    std::vector<RegionInfo> regions;
    std::vector<FileInfo> files;
    std::vector<PageHash> hashes;
    std::vector<std::string> cpu_flags;
    std::string vdso_hash;
    std::string digest;

    void load(hid_t file);
    void locate_pages(hid_t file);
    void check_rows();
};

namespace {

template <class Record>
std::vector<Record> records_of(const std::vector<std::byte> &bytes) {
    std::vector<Record> records(bytes.size() / sizeof(Record));
    if (!records.empty()) std::memcpy(records.data(), bytes.data(), records.size() * sizeof(Record));
    return records;
}

}  // namespace

void Image::State::load(hid_t file) {
    Digest digests;
    for (const char *name :
         {"format_version", "plan_version", "rank", "ranks", "generation", "incarnation", "page_size_bytes"})
        digests.add(name, std::to_string(h5::read_number(file, name)));
    for (const char *name : {"host", "created_utc"}) digests.add(name, h5::read_text(file, name));
    vdso_hash = h5::read_text(file, "vdso_xxh3_128");
    digests.add("vdso_xxh3_128", vdso_hash);
    if (const auto size = h5::read_number(file, "page_size_bytes"); size != kPageSize)
        throw Refused{{Refusal::version, path.string() + " has pages of " + std::to_string(size) +
                                             " bytes; this sckpt reads only pages of 4096"}};

    for (auto i = static_cast<std::uint32_t>(Table::process); i < static_cast<std::uint32_t>(Table::count); ++i)
        tables[i] = read_table(file, schema(static_cast<Table>(i)), pool, digests);
    runs = records_of<Run>(read_table(file, runs_schema(), pool, digests));
    cpu_flags = read_strings(file, kCpuFlags, digests);
    hashes = records_of<PageHash>(read_bytes(file, kHashes, sizeof(PageHash), digests));
    digest = digests.value();
    if (h5::read_text(file, "digest") != digest) throw Altered{"the checksum over all tables does not match"};
    locate_pages(file);
    check_rows();
}

void Image::State::locate_pages(hid_t file) {
    const std::string what = "read /pages";
    h5::Id dataset(H5Dopen2(file, kPages, H5P_DEFAULT), H5Dclose, what);
    h5::Id space(H5Dget_space(dataset), H5Sclose, what);
    h5::Id type(H5Dget_type(dataset), H5Tclose, what);
    hsize_t dimensions[2] = {};
    if (H5Sget_simple_extent_ndims(space) != 2 || H5Tget_size(type) != 1) throw Altered{"/pages has another shape"};
    h5::check(H5Sget_simple_extent_dims(space, dimensions, nullptr), what);
    page_count = dimensions[0];
    if (dimensions[1] != kPageSize || page_count != hashes.size())
        throw Altered{"/pages and /hash are not of the same number of pages"};
    if (page_count == 0) return;
    const haddr_t offset = H5Dget_offset(dataset);
    if (offset == HADDR_UNDEF || offset % kPageSize != 0 || offset > file_bytes ||
        page_count > (file_bytes - offset) / kPageSize)
        throw Altered{"/pages does not lie inside the file"};
    pages_offset = offset;
}

// The checksums say that these are the rows that were written; this says that whoever follows them stays inside.
void Image::State::check_rows() {
    const auto process = records_of<image::Process>(tables[static_cast<std::size_t>(Table::process)]);
    if (process.size() != 1) throw Altered{"/process has not exactly one row"};
    const auto rows = records_of<StoredRegion>(tables[static_cast<std::size_t>(Table::regions)]);
    std::uint64_t end = 0, next_run = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto &row = rows[i];
        const auto &region = row.region;
        const std::string where = "the region at " + hex(region.start);
        if (region.start < end || region.start % kPageSize != 0 || region.length % kPageSize != 0 ||
            region.length == 0 || region.length > UINT64_MAX - region.start)
            throw Altered{where + " overlaps another or is not made of whole pages"};
        end = region.start + region.length;
        if (row.first_run != next_run || row.run_count > runs.size() - next_run)
            throw Altered{where + " names runs that are not its own"};
        next_run += row.run_count;
        std::uint64_t page = 0;
        for (std::uint64_t r = row.first_run; r < next_run; ++r) {
            const auto &run = runs[r];
            const std::uint64_t pages = region.length / kPageSize;
            const bool inside = run.region == i && run.count > 0 && run.first_page >= page && run.first_page <= pages &&
                                run.count <= pages - run.first_page;
            const bool kept =
                run.kind == RunKind::zero || (run.offset <= page_count && run.count <= page_count - run.offset);
            if (!inside || !kept) throw Altered{where + " has a run of pages that is out of bounds"};
            page = run.first_page + run.count;
        }
        regions.push_back({region, pool.view(region.path), pool.view(row.build_id), row.file_size, row.file_mtime_ns,
                           row.first_run, row.run_count});
    }
    if (next_run != runs.size()) throw Altered{"/runs has rows that belong to no region"};
    for (const auto &row : records_of<image::File>(tables[static_cast<std::size_t>(Table::files)]))
        files.push_back({row, pool.view(row.path)});
}

Image::Image(std::unique_ptr<State> state) : state_(std::move(state)) {}
Image::Image(Image &&) noexcept = default;
Image &Image::operator=(Image &&) noexcept = default;
Image::~Image() = default;

std::expected<Image, Error> Image::open_file(const std::filesystem::path &file) {
    return guarded(file, [&]() -> Image {
        auto state = std::make_unique<State>();
        state->path = file;
        const auto opened = open_image(file, kRankFormat);
        state->file_bytes = opened.bytes;
        state->load(opened.file);
        return Image(std::move(state));
    });
}

std::expected<Image, Error> Image::open(const std::filesystem::path &generation, std::uint32_t rank) {
    const auto manifest = read_manifest(generation);
    if (!manifest) return std::unexpected(manifest.error());
    if (rank >= manifest->ranks)
        return std::unexpected(Error{Refusal::wrong_ranks, generation.string() + " is of " +
                                                               std::to_string(manifest->ranks) +
                                                               " ranks; there is no rank " + std::to_string(rank)});
    const auto &entry = manifest->entries[rank];
    if (auto good = check_rank_file(generation, entry); !good) return std::unexpected(good.error());
    auto image = open_file(generation / entry.file);
    if (!image) return image;
    const auto &process = image->process();
    if (process.rank != rank || process.world_size != manifest->ranks || process.generation != manifest->number ||
        process.incarnation != manifest->incarnation)
        return std::unexpected(Error{Refusal::wrong_ranks, image->path().string() + " is of rank " +
                                                               std::to_string(process.rank) + " of " +
                                                               std::to_string(process.world_size) +
                                                               " of another generation than its directory"});
    if (image->digest() != entry.digest)
        return std::unexpected(
            Error{Refusal::altered_table, image->path().string() +
                                              " is not the file that was committed: its checksum differs "
                                              "from the one in job.h5"});
    return image;
}

std::expected<void, Error> Image::verify(unsigned threads,
                                         const std::function<void(std::uint64_t bytes)> &progress) const {
    constexpr std::uint64_t kPortion = 512;  // pages
    const Descriptor file(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return std::unexpected(
            Error{Refusal::unreadable, "cannot open " + path().string() + ": " + system_error(errno)});
    if (threads == 0) threads = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);

    std::mutex mutex;
    std::expected<void, Error> result;
    std::uint64_t done = 0;
    std::atomic<std::uint64_t> next{0};
    const auto fail = [&](Refusal refusal, const std::string &sentence) {
        std::lock_guard lock(mutex);
        if (result) result = std::unexpected(Error{refusal, sentence});
        next = page_count();
    };
    const auto work = [&] {
        std::vector<std::byte> buffer(kPortion * kPageSize);
        for (;;) {
            const std::uint64_t first = next.fetch_add(kPortion);
            if (first >= page_count()) return;
            const std::uint64_t count = std::min(kPortion, page_count() - first);
            for (std::uint64_t got = 0; got < count * kPageSize;) {
                const ssize_t part = pread(file.get(), &buffer[got], count * kPageSize - got,
                                           static_cast<off_t>(pages_offset() + first * kPageSize + got));
                if (part < 0 && errno == EINTR) continue;
                if (part < 0)
                    return fail(Refusal::unreadable, "cannot read " + path().string() + ": " + system_error(errno));
                if (part == 0) return fail(Refusal::truncated, path().string() + " became shorter while it was read");
                got += static_cast<std::uint64_t>(part);
            }
            for (std::uint64_t i = 0; i < count; ++i) {
                if (page_hash(&buffer[i * kPageSize], kPageSize) == state_->hashes[first + i]) continue;
                return fail(Refusal::altered_data, path().string() + ": the checksum of stored page " +
                                                       std::to_string(first + i) +
                                                       " does not match; the file was altered after it was written");
            }
            std::lock_guard lock(mutex);
            done += count * kPageSize;
            if (progress) progress(done);
        }
    };
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i) {
        try {
            others.emplace_back(work);
        } catch (const std::system_error &) {
            break;  // a limit on processes: the calling thread does the work
        }
    }
    work();
    others.clear();
    return result;
}

std::string_view Image::text(image::Ref ref) const { return state_->pool.view(ref); }
const image::Process &Image::process() const { return table<image::Process>(Table::process)[0]; }
std::span<const RegionInfo> Image::regions() const { return state_->regions; }
std::span<const Run> Image::runs() const { return state_->runs; }
std::span<const FileInfo> Image::files() const { return state_->files; }
std::span<const std::byte> Image::table(Table which) const { return state_->tables[static_cast<std::size_t>(which)]; }
const std::filesystem::path &Image::path() const { return state_->path; }
std::uint64_t Image::pages_offset() const { return state_->pages_offset; }
std::uint64_t Image::page_count() const { return state_->page_count; }
std::uint64_t Image::file_bytes() const { return state_->file_bytes; }
std::span<const std::string> Image::cpu_flags() const { return state_->cpu_flags; }
const std::string &Image::vdso_hash() const { return state_->vdso_hash; }
const std::string &Image::digest() const { return state_->digest; }

}  // namespace sckpt::storage
