#include "preload/restore/checks.h"

#include <sys/mman.h>

#include <algorithm>
#include <unordered_set>

#include "preload/base/maps.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

constexpr std::uint64_t kOwnBytes = 16ull << 20;  // a generous restorer

}  // namespace

Problem check_cpu(std::span<const std::string> recorded, std::span<const std::string> present) {
    const std::unordered_set<std::string> here(present.begin(), present.end());
    std::string missing;
    for (const auto &flag : recorded) {
        if (!here.contains(flag)) missing += (missing.empty() ? "" : " ") + flag;
    }
    if (missing.empty()) return {};
    return text("this processor lacks what the checkpoint's had (", missing,
                "): restore on a node with the same type of processor");
}

Problem check_page_size(std::uint64_t recorded, std::uint64_t present) {
    if (recorded == present) return {};
    return text("the checkpoint was taken with pages of ", recorded, " bytes, this kernel uses ", present);
}

Problem check_world(const image::Process &recorded, std::uint32_t rank, std::uint32_t world_size) {
    if (recorded.world_size != world_size) {
        return text("the checkpoint is of ", recorded.world_size, " ranks and cannot be restored by ", world_size,
                    ": start the step with ", recorded.world_size, " tasks");
    }
    if (recorded.rank != rank) return text("the image is of rank ", recorded.rank, ", this process is rank ", rank);
    return {};
}

Problem check_limits(const Source &source, const Plan &plan, const Limits &limits) {
    std::uint64_t stack = 0, total = kOwnBytes, data = 0;
    for (const auto &region : source.regions) {
        total += region.length;
        const bool shared =
            region.kind == image::RegionKind::file_shared || region.kind == image::RegionKind::anonymous_shared;
        if (region.kind == image::RegionKind::stack) {
            stack = std::max(stack, region.length);
        } else if (!shared && (region.protection & PROT_WRITE) != 0) {
            data += region.length;
        }
    }
    const auto short_of = [](const char *what, std::uint64_t granted, std::uint64_t needed, const char *remedy) {
        return text("the limit of ", what, " is ", granted, " bytes and the program needs ", needed, ": ", remedy);
    };
    if (stack > limits.stack) return short_of("the stack", limits.stack, stack, "raise it (ulimit -s)");
    if (total > limits.address_space) {
        return short_of("virtual memory", limits.address_space, total, "raise it (ulimit -v)");
    }
    if (data > limits.data) return short_of("the data segment", limits.data, data, "raise it (ulimit -d)");
    if (plan.data_bytes > limits.memory) {
        return text("the program needs ", plan.data_bytes, " bytes of memory and this node has ", limits.memory,
                    " left: restore on a node with more");
    }
    const std::uint64_t mappings = plan.map_count + mappings_beside(source.process.world_size);
    if (mappings > limits.mappings) {
        return text("the program has ", plan.map_count, " memory mappings and may need ", mappings,
                    " with those of MPI, while this node allows ", limits.mappings, ": raise vm.max_map_count");
    }
    return {};
}

}  // namespace sckpt::restore
