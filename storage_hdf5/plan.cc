#include "storage_hdf5/plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage_hdf5/schema.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

using image::Table;

// A plan holds tables, not memory; more than this is a mistake, and Ref could not reach it.
constexpr std::uint64_t kMaxPlan = 1ULL << 32;
// The user half of the address space, with five-level page tables.
constexpr std::uint64_t kMaxAddress = 1ULL << 56;

std::unexpected<std::string> bad(const std::string &what) {
    return std::unexpected("the plan handed over by the rank is not usable: " + what);
}

std::expected<void, std::string> check_regions(std::span<const image::Region> regions) {
    std::uint64_t end = 0;
    for (const auto &region : regions) {
        if (region.start % kPageSize != 0 || region.length % kPageSize != 0 || region.length == 0 ||
            region.length > kMaxAddress || region.start > kMaxAddress - region.length)
            return bad("a region at " + hex(region.start) + " is not made of whole pages");
        if (region.start < end) return bad("regions overlap or are out of order at " + hex(region.start));
        end = region.start + region.length;
        const auto kinds = enum_values(FieldType::region_kind);
        if (std::ranges::find(kinds, static_cast<std::uint32_t>(region.kind), &EnumValue::value) == kinds.end())
            return bad("the region at " + hex(region.start) + " is of an unknown kind");
    }
    return {};
}

}  // namespace

std::expected<Plan, std::string> Plan::parse(std::vector<std::byte> bytes) {
    Plan plan(std::move(bytes));
    if (auto good = plan.check(); !good) return std::unexpected(good.error());
    return plan;
}

std::expected<Plan, std::string> Plan::read(int descriptor) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0)
        return bad("descriptor " + std::to_string(descriptor) + ": " + system_error(errno));
    if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > kMaxPlan) return bad("it is too large");
    std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t got = pread(descriptor, &bytes[done], bytes.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return bad("cannot read it: " + (got < 0 ? system_error(errno) : "it became shorter"));
        done += static_cast<std::size_t>(got);
    }
    return parse(std::move(bytes));
}

std::expected<void, std::string> Plan::check() const {
    if (bytes_.size() < sizeof(image::Header)) return bad("it is shorter than its header");
    if (header().magic != image::kMagic) return bad("it does not begin with the plan's mark");
    if (header().version != image::kVersion || header().section_count != static_cast<std::uint32_t>(Table::count))
        return bad("it is of version " + std::to_string(header().version) + ", this sckpt-writer of version " +
                   std::to_string(image::kVersion) + "; install both from one build");
    if (header().size > bytes_.size() || header().size < sizeof(image::Header)) return bad("it is cut short");

    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(Table::count); ++i) {
        const auto &section = header().sections[i];
        const auto which = static_cast<Table>(i);
        const std::string name = schema(which).name;
        if (section.count == 0) continue;
        if (section.record_size != plan_record_size(which)) return bad("records of " + name + " have another size");
        if (section.offset % 8 != 0 || section.offset < sizeof(image::Header) || section.offset > header().size ||
            section.count > (header().size - section.offset) / section.record_size)
            return bad("section " + name + " lies outside of it");
    }
    if (header().sections[static_cast<std::uint32_t>(Table::process)].count != 1)
        return bad("it does not describe exactly one process");

    const auto all = strings();
    for (std::uint32_t i = 1; i < static_cast<std::uint32_t>(Table::count); ++i) {
        const auto which = static_cast<Table>(i);
        const auto records = table(which);
        const std::size_t size = plan_record_size(which);
        for (const auto &field : plan_fields(which)) {
            if (field.type != FieldType::text && field.type != FieldType::texts) continue;
            for (std::size_t at = field.offset; at < records.size(); at += size) {
                image::Ref ref;
                std::memcpy(&ref, &records[at], sizeof ref);
                if (ref.offset > all.size() || ref.length > all.size() - ref.offset)
                    return bad(std::string("a text of ") + schema(which).name + " lies outside of it");
            }
        }
    }

    if (process().page_size != kPageSize)
        return bad("pages of " + std::to_string(process().page_size) + " bytes are not supported");
    if (process().rank >= process().world_size) return bad("its rank is not below its number of ranks");
    return check_regions(regions());
}

std::span<const std::byte> Plan::table(Table table) const {
    const auto &section = header().sections[static_cast<std::uint32_t>(table)];
    if (section.count == 0) return {};
    return std::span(bytes_).subspan(section.offset, section.count * section.record_size);
}

std::string_view Plan::strings() const {
    const auto bytes = table(Table::strings);
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

}  // namespace sckpt::storage
