#include "preload/restore/plan.h"

#include <linux/mman.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <map>
#include <string_view>

#include "preload/restore/handover.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

using image::RegionKind;

constexpr std::uint64_t kLowestPlace = 0x100000000000;  // above 32-bit programs and sanitizers' shadow memory
constexpr std::uint64_t kAlignment = 2ull << 20;
constexpr std::uint64_t kMargin = 1ull << 20;
constexpr std::uint64_t kHeapRoom = 1ull << 40;
constexpr std::uint64_t kStackRoom = 16ull << 30;

bool is_copied(const SourceRegion &region) { return (region.attributes & image::kCopied) != 0; }

bool keeps_contents(const SourceRegion &region) {
    if (region.kind == RegionKind::file_shared) return image::written_shared(region.kind, region.protection);
    return (region.kind != RegionKind::vdso || holds_vdso_code(region)) && region.kind != RegionKind::lower;
}

bool reads_zero_when_fresh(const SourceRegion &region) {
    return region.kind != RegionKind::file_shared && (region.kind != RegionKind::file_private || is_copied(region));
}

// MAP_* that a mapping was made with, beside its kind's own.
std::uint32_t map_flags(const SourceRegion &region) {
    std::uint32_t flags = 0;
    if (region.attributes & image::kNoReserve) flags |= MAP_NORESERVE;
    if (region.attributes & image::kGrowsDown && region.kind != RegionKind::stack) flags |= MAP_GROWSDOWN;
    if (region.attributes & image::kHugeTlb && region.page_kib != 0)
        flags |= MAP_HUGETLB | static_cast<std::uint32_t>(std::countr_zero(region.page_kib) + 10) << MAP_HUGE_SHIFT;
    return flags;
}

struct Advice {
    std::uint32_t attribute, advice;
};
constexpr Advice kAdvices[] = {
    {image::kHuge, MADV_HUGEPAGE},         {image::kNoHuge, MADV_NOHUGEPAGE},         {image::kDontFork, MADV_DONTFORK},
    {image::kWipeOnFork, MADV_WIPEONFORK}, {image::kDontDump, MADV_DONTDUMP},         {image::kMergeable, MADV_MERGEABLE},
    {image::kRandom, MADV_RANDOM},         {image::kSequential, MADV_SEQUENTIAL}};

Action map_action(const SourceRegion &region) {
    switch (region.kind) {
        case RegionKind::anonymous:
        case RegionKind::heap:
        case RegionKind::vdso:
        case RegionKind::object_shared:  // the rank itself makes shared memory of it (shared_memory.h)
        case RegionKind::segment:
            return Action::map_anonymous;
        case RegionKind::stack:
            return Action::map_stack;
        case RegionKind::file_private:
            return is_copied(region) ? Action::map_anonymous : Action::map_file_private;
        case RegionKind::file_shared:
            return Action::map_file_shared;
        case RegionKind::anonymous_shared:
            return Action::map_anonymous_shared;
        case RegionKind::lower:  // its bss has no file
            return region.path.starts_with('/') && !is_copied(region) ? Action::map_file_private : Action::map_anonymous;
    }
    return Action::map_anonymous;
}

bool maps_file(Action action) { return action == Action::map_file_private || action == Action::map_file_shared; }

std::expected<void, std::string> check_regions(const Source &source) {
    const std::uint64_t page = source.process.page_size;
    std::uint64_t end = 0;
    for (const auto &region : source.regions) {
        if (region.kind > RegionKind::segment) {
            return std::unexpected(text("the region at ", Hex{region.start}, " is of an unknown kind"));
        }
        if (region.start % page != 0 || region.length % page != 0 || region.length == 0 ||
            region.start >= kAddressLimit || region.length > kAddressLimit - region.start) {
            return std::unexpected(text("the region at ", Hex{region.start}, " with ", region.length,
                                        " bytes is not a range of pages in user space"));
        }
        if (region.start < end) {
            return std::unexpected(
                text("the region at ", Hex{region.start}, " overlaps or precedes the one before it"));
        }
        end = region.start + region.length;
    }
    return {};
}

std::expected<void, std::string> check_run(const Source &source, const SourceRun &run) {
    if (run.region >= source.regions.size()) {
        return std::unexpected(text("a run of pages names region ", run.region, " of ", source.regions.size()));
    }
    const auto &region = source.regions[run.region];
    const std::uint64_t pages = region.length / source.process.page_size;
    if (run.count == 0 || run.first_page >= pages || run.count > pages - run.first_page) {
        return std::unexpected(text("a run of pages lies outside its region at ", Hex{region.start}));
    }
    if (!keeps_contents(region)) {
        return std::unexpected(text("there are contents for the region at ", Hex{region.start}, ", which keeps none"));
    }
    if (!run.zero && (run.position >= source.page_count || run.count > source.page_count - run.position)) {
        return std::unexpected(text("a run of the region at ", Hex{region.start}, " lies outside the stored pages"));
    }
    return {};
}

std::expected<void, std::string> check_handover(const Source &source) {
    const std::uint64_t address = source.process.handover;
    const auto next = std::ranges::upper_bound(source.regions, address, {}, &SourceRegion::start);
    if (next != source.regions.begin()) {
        const auto &region = *std::prev(next);
        const std::uint64_t offset = address - region.start;
        if (offset < region.length && region.length - offset >= sizeof(Handover) && address % alignof(Handover) == 0 &&
            (region.protection & PROT_WRITE) != 0 && keeps_contents(region)) {
            return {};
        }
    }
    return std::unexpected(
        text("the hand-over structure at ", Hex{address}, " is not in writable memory of the image"));
}

class Builder {
  public:
    Builder(const Source &source, std::span<const VdsoPatch> patches) : source_(source), patches_(patches) {}

    std::expected<Plan, std::string> build() {
        written_.assign(source_.regions.size(), false);
        for (const auto &region : source_.regions)
            if (image::written_shared(region.kind, region.protection)) sizes_[region.path] = region.file_size;
        for (const auto &run : source_.runs) {
            if (auto checked = check_run(source_, run); !checked) return std::unexpected(checked.error());
            if (is_moved(source_.regions[run.region])) continue;
            if (!run.zero || !reads_zero_when_fresh(source_.regions[run.region])) written_[run.region] = true;
        }
        plan_.steps.reserve(source_.regions.size() + source_.runs.size());
        add_maps();
        // Before the contents: how they are to be held in memory.
        for (const auto &[attribute, advice] : kAdvices)
            add_for(attribute, Action::advise, [advice](const SourceRegion &) { return advice; });
        add_contents();
        add_patches();
        add_protections();
        // Last, since a locked page that cannot be accessed is not brought in.
        add_for(image::kLocked, Action::lock, [](const SourceRegion &region) {
            return region.attributes & image::kLockedOnFault ? std::uint32_t{MLOCK_ONFAULT} : 0;
        });
        return std::move(plan_);
    }

  private:
    // By the kernel's own vdso, which is moved there.
    bool is_moved(const SourceRegion &region) const { return region.kind == RegionKind::vdso && patches_.empty(); }

    bool must_be_opened(std::size_t index) const {
        return written_[index] && (source_.regions[index].protection & PROT_WRITE) == 0;
    }

    void add_maps() {
        for (std::size_t i = 0; i < source_.regions.size(); ++i) {
            const auto &region = source_.regions[i];
            // What one step maps comes apart again where it is protected, advised or locked differently.
            const bool is_alike = i > 0 && region.attributes == source_.regions[i - 1].attributes &&
                                  region.protection == source_.regions[i - 1].protection;
            const std::size_t steps = plan_.steps.size();
            if (is_moved(region)) {
                ++plan_.map_count;
                plan_.vdso.push_back({region.path, region.start, region.length});
                continue;
            }
            Step step{};
            step.action = map_action(region);
            step.protection = must_be_opened(i) ? PROT_READ | PROT_WRITE : region.protection;
            step.address = region.start;
            step.length = region.length;
            step.flags = map_flags(region);
            if (maps_file(step.action)) {
                step.offset = region.file_offset;
                step.path = name(region.path);
            }
            // Also of read-only mappings of such a file: the first one to be made has to find it.
            if (step.action == Action::map_file_shared)
                if (const auto known = sizes_.find(region.path); known != sizes_.end()) step.file_size = known->second;
            append(step);
            if (!is_alike || plan_.steps.size() != steps) ++plan_.map_count;
        }
    }

    void add_contents() {
        std::vector<Step> reads;
        for (const auto &run : source_.runs) {
            const auto &region = source_.regions[run.region];
            if (is_moved(region)) continue;
            Step step{};
            step.address = region.start + run.first_page * source_.process.page_size;
            step.length = run.count * source_.process.page_size;
            if (!run.zero) {
                step.action = Action::read;
                step.offset = source_.pages_offset + run.position * source_.process.page_size;
                if (region.kind != RegionKind::file_shared) plan_.data_bytes += step.length;
                reads.push_back(step);
            } else if (!reads_zero_when_fresh(region)) {
                step.action = Action::clear;
                append(step);
            }
        }
        std::ranges::stable_sort(reads, {}, &Step::offset);
        for (const auto &step : reads) append(step);
    }

    void add_patches() {
        for (const auto &region : source_.regions) {
            if (!holds_vdso_code(region)) continue;
            for (const auto &patch : patches_) {
                Step step{};
                step.action = Action::store;
                step.address = region.start + patch.offset;
                step.length = sizeof patch.bytes;
                step.offset = patch.bytes;
                plan_.steps.push_back(step);
            }
        }
    }

    void add_protections() {
        for (std::size_t i = 0; i < source_.regions.size(); ++i) {
            if (!must_be_opened(i)) continue;
            Step step{};
            step.action = Action::protect;
            step.protection = source_.regions[i].protection;
            step.address = source_.regions[i].start;
            step.length = source_.regions[i].length;
            append(step);
        }
    }

    template <class Flags>
    void add_for(std::uint32_t attribute, Action action, Flags flags_of) {
        for (const auto &region : source_.regions) {
            if (!(region.attributes & attribute) || region.kind == RegionKind::vdso) continue;
            Step step{};
            step.action = action;
            step.address = region.start;
            step.length = region.length;
            step.flags = flags_of(region);
            append(step);
        }
    }

    // Joins the step to the last one where one call can do both.  Stacks and shared memory keep their own mapping.
    void append(const Step &step) {
        if (!plan_.steps.empty()) {
            Step &last = plan_.steps.back();
            const bool adjacent = last.action == step.action && last.protection == step.protection &&
                                  last.flags == step.flags && last.path == step.path && last.file_size == step.file_size &&
                                  last.address + last.length == step.address;
            const bool has_offset = maps_file(step.action) || step.action == Action::read;
            const bool single = step.action == Action::map_stack || step.action == Action::map_anonymous_shared ||
                                (step.action == Action::map_anonymous && (step.flags & MAP_GROWSDOWN) != 0);
            if (adjacent && !single && (!has_offset || last.offset + last.length == step.offset)) {
                last.length += step.length;
                return;
            }
        }
        plan_.steps.push_back(step);
    }

    // Regions of one file lie together, so comparing with the last name finds nearly all repetitions.
    std::uint32_t name(const std::string &path) {
        if (path != last_name_ || plan_.strings.empty()) {
            last_name_ = path;
            last_offset_ = static_cast<std::uint32_t>(plan_.strings.size());
            plan_.strings += path;
            plan_.strings += '\0';
        }
        return last_offset_;
    }

    const Source &source_;
    const std::span<const VdsoPatch> patches_;
    Plan plan_;
    std::vector<bool> written_;
    std::map<std::string_view, std::uint64_t> sizes_;  // of files that are written through a shared mapping
    std::string last_name_;
    std::uint32_t last_offset_ = 0;
};

}  // namespace

bool holds_vdso_code(const SourceRegion &region) {
    return region.kind == RegionKind::vdso && (region.protection & PROT_EXEC) != 0;
}

std::expected<Plan, std::string> make_plan(const Source &source, std::span<const VdsoPatch> patches) {
    const std::uint64_t page = source.process.page_size;
    if (page == 0 || (page & (page - 1)) != 0) return std::unexpected(text(page, " is no page size"));
    if (auto checked = check_regions(source); !checked) return std::unexpected(checked.error());
    if (auto checked = check_handover(source); !checked) return std::unexpected(checked.error());
    return Builder(source, patches).build();
}

std::vector<Interval> occupied_ranges(const Source &source, std::span<const Interval> current) {
    std::vector<Interval> occupied(current.begin(), current.end());
    for (const auto &region : source.regions) {
        const bool grows = region.kind == RegionKind::stack || (region.attributes & image::kGrowsDown) != 0;
        const std::uint64_t room = grows ? std::min(kStackRoom, region.start) : 0;
        occupied.push_back({region.start - room, region.start + region.length});
    }
    if (source.process.start_brk != 0) {
        const std::uint64_t end = std::max(source.process.brk, source.process.start_brk);
        occupied.push_back({source.process.start_brk, std::min(end + kHeapRoom, kAddressLimit)});
    }
    occupied.push_back({kArena - kArenaMargin, kArena + kArenaMargin});
    return occupied;
}

std::optional<std::uint64_t> find_range(std::vector<Interval> occupied, std::uint64_t length) {
    std::ranges::sort(occupied, {}, &Interval::start);
    const auto search = [&](std::uint64_t from) -> std::optional<std::uint64_t> {
        const auto align = [](std::uint64_t address) { return (address + kAlignment - 1) / kAlignment * kAlignment; };
        std::uint64_t place = align(from);
        for (const auto &interval : occupied) {
            if (interval.end + kMargin <= place) continue;
            if (interval.start >= place && interval.start - place >= length + kMargin) break;
            place = align(interval.end + kMargin);
        }
        if (place >= kAddressLimit || kAddressLimit - place < length + kMargin) return std::nullopt;
        return place;
    };
    const auto place = search(kLowestPlace);
    return place ? place : search(kAlignment);
}

std::expected<std::vector<VdsoMove>, std::string> match_vdso(std::span<const VdsoPiece> recorded,
                                                             std::span<const VdsoPiece> present) {
    const auto differs = [](const std::string &how) {
        return std::unexpected(
            text("the kernel's vdso differs from the recorded one (", how, "): restore under the same kernel"));
    };
    if (recorded.size() > kMaxVdsoMoves || present.size() != recorded.size()) {
        return differs(text(present.size(), " mappings instead of ", recorded.size()));
    }
    std::vector<VdsoMove> moves;
    for (const auto &piece : recorded) {
        const auto same = std::ranges::find(present, piece.name, &VdsoPiece::name);
        if (same == present.end()) return differs("no " + piece.name);
        if (same->length != piece.length) {
            return differs(text(piece.name, " has ", same->length, " bytes instead of ", piece.length));
        }
        if (!moves.empty() && same->start - moves[0].from != piece.start - moves[0].to) {
            return differs(piece.name + " lies elsewhere");
        }
        moves.push_back({same->start, 0, piece.start, piece.length});
    }
    return moves;
}

}  // namespace sckpt::restore
