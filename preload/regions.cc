#include "preload/regions.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "mpi_coord/half.h"
#include "mpi_coord/lower/abi.h"
#include "preload/base/log.h"
#include "preload/base/own_heap.h"
#include "preload/base/system.h"
#include "preload/segments.h"
#include "preload/settings.h"
#include "preload/shared_memory.h"
#include "preload/smaps.h"
#include "preload/world.h"

namespace sckpt {
namespace {

using image::RegionKind;

bool in_arena(const MapsLine &line) { return line.start >= SCKPT_ARENA && line.end <= SCKPT_ARENA + SCKPT_ARENA_SIZE; }

// Writable data of a lower library: the pristine copies stand for it.
bool is_lower_data(const MapsLine &line) {
    for (const mpi::Segment &segment : mpi::lower_segments()) {
        const auto start = reinterpret_cast<std::uint64_t>(segment.start);
        if (line.start >= start && line.end <= start + segment.size) return true;
    }
    return false;
}

// By the last blocker_memory().
std::size_t mappings_seen = 0;

// Of madvise(MADV_DONTFORK) and WIPEONFORK a child does not see the pages, and huge ones it may lose.
bool kept_from_children = false;

bool is_deleted(std::string_view name) { return name.ends_with(" (deleted)"); }

// Shared memory of a process alone, or of several by a name that no mapping leads to any more.
bool has_no_name(std::string_view name) { return name.starts_with("/dev/zero") || is_deleted(name); }

RegionKind kind_of(const Mapping &mapping) {
    const MapsLine &line = mapping.line;
    if (line.name == "[heap]") return RegionKind::heap;
    if (line.name == "[stack]") return RegionKind::stack;
    if (line.name.starts_with("[v")) return RegionKind::vdso;
    if (line.name.starts_with(kSegmentName)) return RegionKind::segment;
    if (line.shared) return has_no_name(line.name) ? RegionKind::object_shared : RegionKind::file_shared;
    if (is_lower_data(line)) return RegionKind::lower;
    if (mapping.attributes & image::kHugeTlb) return RegionKind::anonymous;
    return line.inode ? RegionKind::file_private : RegionKind::anonymous;
}

// Why a mapping cannot be saved, null when it can.  Where it says so the name of the mapping belongs behind it.
const char *obstacle_of(const Mapping &mapping) {
    const MapsLine &line = mapping.line;
    if (mapping.obstacle) return mapping.obstacle;
    const bool of_file = line.inode != 0 && !line.name.starts_with("/anon_hugepage");
    if (mapping.attributes & image::kHugeTlb && (line.shared || of_file)) return "shared memory of huge pages";
    if (line.name.starts_with("/[")) return "memory of the kernel's asynchronous input and output";
    if (line.shared && !line.name.starts_with('/')) return "memory of the kernel's";
    return nullptr;
}

// What the lower half attaches is its own affair, and gone from here before the regions are listed.
const char *segment_obstacle(const MapsLine &line) {
    Segment segment;
    if (!find_segment(line.inode, segment)) return "System V shared memory that the kernel does not know any more";
    const std::uint64_t pages = (segment.size + 4095) & ~std::uint64_t{4095};
    return line.offset == 0 && line.end - line.start == pages ? nullptr : "a part of System V shared memory";
}

// A sentence of an obstacle; its text stays until the next.
const char *sentence_about(const Mapping &mapping, const char *obstacle) {
    static char sentence[320];
    snprintf(sentence, sizeof sentence, "%s is mapped at %#llx (%.*s)", obstacle,
             static_cast<unsigned long long>(mapping.line.start),
             static_cast<int>(std::min<size_t>(mapping.line.name.size(), 200)), mapping.line.name.data());
    return sentence;
}

bool is_skipped(const MapsLine &line) { return line.name == "[vsyscall]" || in_arena(line); }

struct Listing {
    Plan *plan = nullptr;  // null: only obstacles are looked for
    std::size_t count = 0, of_arena = 0;
    const char *refusal = nullptr;
    image::Ref last_ref{};
    std::vector<int> attached{};  // kernel's ids of System V segments
};

bool list_one(void *context, const Mapping &mapping) {
    auto &listing = *static_cast<Listing *>(context);
    const MapsLine &line = mapping.line;
    ++(in_arena(line) ? listing.of_arena : listing.count);
    if (is_skipped(line)) return true;
    const RegionKind kind = kind_of(mapping);
    if (const char *obstacle = obstacle_of(mapping)) {
        listing.refusal = sentence_about(mapping, obstacle);
        return false;
    }
    if (kind == RegionKind::segment) listing.attached.push_back(static_cast<int>(line.inode));
    if (!listing.plan) return true;
    if (const char *obstacle = kind == RegionKind::segment ? segment_obstacle(line) : nullptr) {
        listing.refusal = sentence_about(mapping, obstacle);
        return false;
    }
    Plan &plan = *listing.plan;
    if (image::written_shared(kind, line.protection))
        system_call(SYS_msync, static_cast<long>(line.start), static_cast<long>(line.end - line.start), MS_SYNC);
    // Regions of one file lie together; a program of many mappings has few names.
    if (plan.text(listing.last_ref) != line.name) listing.last_ref = plan.add(line.name);
    std::uint32_t attributes = mapping.attributes;
    if (kind == RegionKind::file_private && is_deleted(line.name)) attributes |= image::kCopied;
    plan.regions.push_back({line.start, line.end - line.start, line.protection, kind, attributes, mapping.page_kib,
                            line.offset, line.device, line.inode, listing.last_ref});
    return true;
}

// Why what is listed cannot be saved, null when it can.
const char *refusal_of(const Listing &listing) {
    if (listing.refusal) return listing.refusal;
    const int id = unattached_segment(listing.attached.data(), listing.attached.size());
    if (id < 0) return nullptr;
    static char sentence[128];
    snprintf(sentence, sizeof sentence, "System V shared memory %d is not attached, so its contents cannot be saved",
             id);
    return sentence;
}

const char *list(Listing &listing, bool &is_read) {
    const long error = for_each_mapping(list_one, &listing);
    is_read = error >= 0;
    if (is_read) return refusal_of(listing);
    static char sentence[128];
    snprintf(sentence, sizeof sentence, "cannot read /proc/thread-self/smaps: %s",
             strerrordesc_np(static_cast<int>(-error)));
    return sentence;
}

// While there is time to decline: where the kernel maps no more, a checkpoint would run out of memory half way, and
// nothing would be left for the MPI of a restored rank.
const char *refusal_of_count(const Listing &listing) {
    constexpr std::size_t kOurs = 64;  // that a checkpoint makes, for its records
    char text[32];
    std::size_t most = 0;
    const long length = sys::read_file("/proc/sys/vm/max_map_count", text, sizeof text);
    if (length <= 0 || std::from_chars(text, text + length, most).ec != std::errc{}) return nullptr;
    const std::size_t restored = listing.count + mappings_beside(world::size());
    if (std::max(listing.count + listing.of_arena + kOurs, restored) <= most) return nullptr;
    static char sentence[192];
    snprintf(sentence, sizeof sentence,
             "the program has %zu memory mappings and this kernel allows %zu, which leaves too few for a checkpoint: "
             "raise vm.max_map_count",
             listing.count, most);
    return sentence;
}

// Memory that is mapped once needs no name to be made again.
void single_out_anonymous(Plan &plan) {
    std::vector<std::uint64_t> inodes;
    const auto anonymous = [&](const image::Region &region) {
        return region.kind == RegionKind::object_shared && plan.text(region.path).starts_with("/dev/zero");
    };
    for (const image::Region &region : plan.regions)
        if (anonymous(region)) inodes.push_back(region.inode);
    std::ranges::sort(inodes);
    for (image::Region &region : plan.regions)
        if (anonymous(region) && std::ranges::equal_range(inodes, region.inode).size() == 1)
            region.kind = RegionKind::anonymous_shared;
}

// Code that the image shall hold: private mappings of files of which a part is executable.
void copy_libraries(Plan &plan) {
    const auto of_file = [](const image::Region &region) {
        return (region.kind == RegionKind::file_private || region.kind == RegionKind::lower) && region.inode;
    };
    std::vector<std::uint64_t> code;  // inodes
    for (const image::Region &region : plan.regions)
        if (of_file(region) && region.protection & PROT_EXEC) code.push_back(region.inode);
    std::ranges::sort(code);
    for (image::Region &region : plan.regions)
        if (of_file(region) && std::ranges::binary_search(code, region.inode)) region.attributes |= image::kCopied;
}

}  // namespace

const char *blocker_memory() {
    Listing listing;
    // A list that cannot be read forbids nothing: it makes the checkpoint fail, which is told.
    if (for_each_mapping_named(list_one, &listing) < 0) return nullptr;
    mappings_seen = listing.count;
    const char *refusal = refusal_of(listing);
    return refusal ? refusal : refusal_of_count(listing);
}

const char *record_regions(Plan &plan, bool &is_read) {
    // The list must hold what our own heap maps for it, so it is made again until that is so.  What is allocated
    // between here and the snapshot finds room in what is mapped.
    // To read the list costs time in which the ranks stand still; with room for as many as there were when the
    // checkpoint was asked for, and some, once is enough.
    constexpr std::size_t kRoom = 512 << 10;
    plan.regions.reserve(mappings_seen + mappings_seen / 16 + 64);
    for (;;) {
        own_reserve(kRoom);
        const std::size_t before = own_heap_bytes();
        plan.regions.clear();
        Listing listing{&plan};
        if (const char *refusal = list(listing, is_read)) return refusal;
        single_out_anonymous(plan);
        if (settings().spec.copy_libraries) copy_libraries(plan);
        record_shared_memory(plan);
        if (own_heap_bytes() == before) break;
        forget_shared_memory();
    }
    kept_from_children = std::ranges::any_of(plan.regions, [](const image::Region &region) {
        return region.attributes & (image::kDontFork | image::kWipeOnFork | image::kHugeTlb) &&
               region.kind != RegionKind::vdso;
    });
    return nullptr;
}

bool must_read_in_place() { return kept_from_children; }

bool needs_synchronous_write(const Plan &plan) {
    for (const image::Region &region : plan.regions)
        if (region.kind == RegionKind::anonymous_shared || region.kind == RegionKind::object_shared ||
            region.kind == RegionKind::segment || image::written_shared(region.kind, region.protection))
            return true;
    return kept_from_children;
}

void record_layout(image::Process &process) {
    char text[2048];
    if (sys::read_file("/proc/thread-self/stat", text, sizeof text) <= 0) return;
    const char *at = strrchr(text, ')');
    if (!at) return;
    std::uint64_t fields[53] = {};
    const char *const end = text + strlen(text);
    at += 4;  // behind ") S "
    for (int field = 4; field < 53 && at < end; ++field) {
        if (*at == '-') ++at;
        at = std::from_chars(at, end, fields[field]).ptr + 1;
    }
    process.start_code = fields[26];
    process.end_code = fields[27];
    process.start_stack = fields[28];
    process.start_data = fields[45];
    process.end_data = fields[46];
    process.start_brk = fields[47];
    process.arg_start = fields[48];
    process.arg_end = fields[49];
    process.env_start = fields[50];
    process.env_end = fields[51];
    // The kernel's, not sbrk(0): a thread may be stopped inside sbrk() with libc's variable behind.
    process.brk = static_cast<std::uint64_t>(system_call(SYS_brk, 0));
    alignas(std::uint64_t) static char auxiliary[2048];
    if (const long length = sys::read_file("/proc/thread-self/auxv", auxiliary, sizeof auxiliary); length > 0) {
        process.auxv = reinterpret_cast<std::uint64_t>(auxiliary);
        process.auxv_size = static_cast<std::uint64_t>(length);
    }
}

}  // namespace sckpt
