#include "preload/restore/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "preload/base/context.h"
#include "preload/env.h"
#include "preload/restore/maps.h"
#include "preload/restore/restorer_blob.h"
#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

static_assert(sizeof(Context) == sizeof(image::Context) && offsetof(Context, rbx) == offsetof(image::Context, rbx) &&
              offsetof(Context, r15) == offsetof(image::Context, r15) &&
              offsetof(Context, rsp) == offsetof(image::Context, rsp) &&
              offsetof(Context, rip) == offsetof(image::Context, rip) &&
              offsetof(Context, mxcsr) == offsetof(image::Context, mxcsr) &&
              offsetof(Context, x87_control) == offsetof(image::Context, x87_control));

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kStack = 64 << 10;

std::uint64_t page_up(std::uint64_t size) { return (size + kPage - 1) / kPage * kPage; }

std::string failure(const char *what) { return text("cannot ", what, ": ", std::strerror(errno)); }

// Where the parts lie in the restorer's range, bytes from its start.
struct Layout {
    std::uint64_t code = 0, order, steps, strings, environment, generation, parked, guard, stack, length;
};

Layout lay_out(const Plan &plan, std::span<const VdsoMove> moves, std::uint64_t environment, std::uint64_t generation) {
    Layout layout;
    layout.order = page_up(restorer_code().size());
    layout.steps = layout.order + sizeof(Order);
    static_assert(sizeof(Order) % alignof(Step) == 0);
    layout.strings = layout.steps + plan.steps.size() * sizeof(Step);
    layout.environment = layout.strings + plan.strings.size();
    layout.generation = layout.environment + environment;
    layout.parked = page_up(layout.generation + generation);
    layout.guard = layout.parked;
    for (const auto &move : moves) layout.guard += move.length;
    layout.stack = layout.guard + kPage;
    layout.length = layout.stack + kStack;
    return layout;
}

// All variables, each with its NUL; LD_PRELOAD is what was kept aside of it, if anything.
std::string joined(char **environment) {
    constexpr std::string_view kOwn = "LD_PRELOAD=";
    const std::string kept_name = std::string(env::kPreload) + "=";
    std::string_view own, kept;
    std::string result;
    for (char **entry = environment; *entry != nullptr; ++entry) {
        const std::string_view variable(*entry);
        if (variable.starts_with(kOwn)) {
            own = variable.substr(kOwn.size());
        } else if (variable.starts_with(kept_name)) {
            kept = variable.substr(kept_name.size());
        } else {
            result.append(variable).push_back('\0');
        }
    }
    const std::string_view preload = kept.empty() ? own : kept;
    if (!preload.empty()) result.append(kOwn).append(preload).push_back('\0');
    return result;
}

bool has_one_thread() {
    const std::unique_ptr<DIR, int (*)(DIR *)> tasks(opendir("/proc/self/task"), closedir);
    int count = 0;
    while (tasks != nullptr) {
        const dirent *entry = readdir(tasks.get());
        if (entry == nullptr) break;
        if (entry->d_name[0] != '.') ++count;
    }
    return count == 1;
}

// The rank file under a number above every recorded descriptor, or where the limit forbids that, any above 2.
int open_image(const Source &source) {
    const int fd = open(source.rank_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int above = 3;
    for (const auto &file : source.files) above = std::max(above, file.descriptor + 1);
    const int high = fcntl(fd, F_DUPFD_CLOEXEC, above);
    const int result = high >= 0 ? high : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return result;
}

bool close_others(int kept) {
    const bool below = kept == 3 || close_range(3, static_cast<unsigned>(kept) - 1, 0) == 0;
    return below && close_range(static_cast<unsigned>(kept) + 1, ~0u, 0) == 0;
}

// The kernel would write into these after the memory behind them is somebody else's.
bool unregister_thread() {
    if (__rseq_size != 0) {
        auto *area = static_cast<char *>(__builtin_thread_pointer()) + __rseq_offset;
        constexpr unsigned kRegisteredSize =
            32;  // glibc registers struct rseq of the first ABI, whatever __rseq_size says
        if (syscall(SYS_rseq, area, std::max(kRegisteredSize, __rseq_size), RSEQ_FLAG_UNREGISTER, RSEQ_SIG) != 0)
            return false;
    }
    syscall(SYS_set_tid_address, nullptr);
    return syscall(SYS_set_robust_list, nullptr, sizeof(robust_list_head)) == 0;
}

Order make_order(const Source &source, const Plan &plan, const Request &request) {
    const image::Process &process = source.process;
    Order order{};
    order.address_limit = kAddressLimit;
    order.step_count = plan.steps.size();
    order.debug = request.debug ? 1 : 0;
    order.layout = {process.start_code, process.end_code,  process.start_data,  process.end_data,
                    process.start_brk,  process.brk,       process.start_stack, process.arg_start,
                    process.arg_end,    process.env_start, process.env_end};
    order.auxv = process.auxv;
    order.auxv_size = process.auxv_size;
    order.fs_base = process.fs_base;
    order.gs_base = process.gs_base;
    order.handover = process.handover;
    order.resume = process.resume;
    return order;
}

}  // namespace

std::string launch(const Source &source, const Plan &plan, std::span<const VdsoMove> moves, const Request &request,
                   char **environment, std::int64_t started_ns) {
    const std::string variables = joined(environment);
    const Layout layout = lay_out(plan, moves, variables.size(), request.generation.size() + 1);
    Order order = make_order(source, plan, request);

    const auto maps = read_maps();
    if (!maps) return maps.error();
    std::vector<Interval> current;
    for (const auto &mapping : *maps) current.push_back({mapping.start, mapping.end});
    const auto place = find_range(occupied_ranges(source, current), layout.length);
    if (!place)
        return text("there is no free range of ", layout.length,
                    " bytes for the restorer between the program's memory");
    void *range = mmap(reinterpret_cast<void *>(*place), layout.length, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (range == MAP_FAILED) return failure("map the restorer");

    const std::uint64_t start = *place;
    auto *bytes = static_cast<char *>(range);
    order.range_start = start;
    order.range_length = layout.length;
    order.stack_top = start + layout.length;
    order.steps = reinterpret_cast<const Step *>(start + layout.steps);
    order.strings = bytes + layout.strings;
    order.environment = start + layout.environment;
    order.environment_length = variables.size();
    order.generation = start + layout.generation;
    order.started_ns = started_ns;
    std::uint64_t parked = start + layout.parked;
    for (const auto &move : moves) {
        order.moves[order.move_count++] = {move.from, parked, move.to, move.length};
        parked += move.length;
    }
    order.image = open_image(source);
    if (order.image < 0) return failure(text("open ", source.rank_file).c_str());

    std::memcpy(bytes, restorer_code().data(), restorer_code().size());
    std::memcpy(bytes + layout.order, &order, sizeof order);
    std::memcpy(bytes + layout.steps, plan.steps.data(), plan.steps.size() * sizeof(Step));
    std::memcpy(bytes + layout.strings, plan.strings.data(), plan.strings.size());
    std::memcpy(bytes + layout.environment, variables.data(), variables.size());
    std::memcpy(bytes + layout.generation, request.generation.c_str(), request.generation.size() + 1);
    if (mprotect(bytes, layout.order, PROT_READ | PROT_EXEC) != 0 ||
        mprotect(bytes + layout.guard, kPage, PROT_NONE) != 0) {
        return failure("protect the restorer");
    }

    if (!has_one_thread()) return "a thread of the verification is still running: this is a bug in sckpt-restore";
    sigset_t all;
    sigfillset(&all);
    // Not sigprocmask(): the C library keeps its own two signals out of the set.
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, 8) != 0) return failure("block signals");
    if (!close_others(order.image)) return failure("close descriptors");
    if (!unregister_thread()) return failure("unregister the thread's restartable sequences");

    using Entry = void (*)(const void *order);
    reinterpret_cast<Entry>(start)(bytes + layout.order);
    __builtin_unreachable();
}

}  // namespace sckpt::restore
