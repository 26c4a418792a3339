#include "preload/regions.h"

#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "mpi_coord/half.h"
#include "mpi_coord/lower/abi.h"
#include "preload/base/log.h"
#include "preload/base/maps.h"
#include "preload/base/own_heap.h"
#include "preload/base/system.h"

namespace sckpt {
namespace {

using image::RegionKind;

// The text stays where it is between calls: a buffer that comes and goes would be a region of the image.
std::string_view read_whole(const char *path, long *error = nullptr) {
    static std::vector<char> text(1 << 20);
    for (;;) {
        const long length = sys::read_file(path, text.data(), text.size());
        if (length < 0 && error) *error = length;
        if (length < 0) return {};
        if (static_cast<size_t>(length) + 1 < text.size()) return {text.data(), static_cast<size_t>(length)};
        text.resize(text.size() * 4);
    }
}

bool in_arena(const MapsLine &line) {
    return line.start >= SCKPT_ARENA && line.end <= SCKPT_ARENA + SCKPT_ARENA_SIZE;
}

// Writable data of a lower library: the pristine copies stand for it.
bool is_lower_data(const MapsLine &line) {
    for (const mpi::Segment &segment : mpi::lower_segments()) {
        const auto start = reinterpret_cast<std::uint64_t>(segment.start);
        if (line.start >= start && line.end <= start + segment.size) return true;
    }
    return false;
}

RegionKind kind_of(const MapsLine &line) {
    if (line.name == "[heap]") return RegionKind::heap;
    if (line.name == "[stack]") return RegionKind::stack;
    if (line.name.starts_with("[v")) return RegionKind::vdso;
    if (line.shared) return line.name.starts_with("/dev/zero") ? RegionKind::anonymous_shared : RegionKind::file_shared;
    if (is_lower_data(line)) return RegionKind::lower;
    return line.inode ? RegionKind::file_private : RegionKind::anonymous;
}

}  // namespace

namespace {

const char *list_regions(Plan &plan) {
    static char refusal[256];
    long error = 0;
    std::string_view rest = read_whole("/proc/self/maps", &error);
    if (rest.empty()) {
        snprintf(refusal, sizeof refusal, "cannot read /proc/self/maps: %s", strerrordesc_np(static_cast<int>(-error)));
        return refusal;
    }
    for (MapsLine line; next_maps_line(rest, line);) {
        if (line.name == "[vsyscall]" || in_arena(line)) continue;
        const RegionKind kind = kind_of(line);
        const bool from_file = kind == RegionKind::file_private || kind == RegionKind::file_shared;
        if (from_file && line.name.ends_with(" (deleted)")) {
            snprintf(refusal, sizeof refusal, "the mapped file %.*s has been deleted", static_cast<int>(line.name.size()),
                     line.name.data());
            return refusal;
        }
        if (kind == RegionKind::file_shared && !line.name.starts_with('/')) {
            snprintf(refusal, sizeof refusal, "a shared mapping of %.*s is alive", static_cast<int>(line.name.size()),
                     line.name.data());
            return refusal;
        }
        if (kind == RegionKind::file_shared && (line.protection & PROT_WRITE))
            system_call(SYS_msync, static_cast<long>(line.start), static_cast<long>(line.end - line.start), MS_SYNC);
        plan.regions.push_back({line.start, line.end - line.start, line.protection, kind, line.offset, line.device,
                                line.inode, plan.add(line.name)});
    }
    return nullptr;
}

// madvise(MADV_DONTFORK) and WIPEONFORK: a child does not see such pages.
bool kept_from_children = false;

void look_for_kept_from_children() {
    kept_from_children = false;
    const std::string_view all = read_whole("/proc/self/smaps");
    for (size_t at = all.find("VmFlags:"); at != all.npos; at = all.find("VmFlags:", at + 1)) {
        const std::string_view flags = all.substr(at, all.find('\n', at) - at);
        if (flags.find(" dc") != flags.npos || flags.find(" wf") != flags.npos) kept_from_children = true;
    }
}

}  // namespace

const char *record_regions(Plan &plan) {
    look_for_kept_from_children();
    // The list must hold what our own heap maps for it, so it is made again until that is so.  What is allocated between
    // here and the snapshot finds room in what is mapped.
    constexpr std::size_t kRoom = 512 << 10;
    for (;;) {
        own_reserve(kRoom);
        const std::size_t before = own_heap_bytes();
        plan.regions.clear();
        if (const char *refusal = list_regions(plan)) return refusal;
        if (own_heap_bytes() == before) return nullptr;
    }
}

bool must_read_in_place() { return kept_from_children; }

bool needs_synchronous_write(const Plan &plan) {
    for (const image::Region &region : plan.regions)
        if (region.kind == RegionKind::anonymous_shared || image::written_shared(region.kind, region.protection))
            return true;
    return kept_from_children;
}

void record_layout(image::Process &process) {
    char text[2048];
    if (sys::read_file("/proc/self/stat", text, sizeof text) <= 0) return;
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
}

}  // namespace sckpt
