// Loading of the lower half.  See half.h; the pristine copies are in pristine.cc.
#include "mpi_coord/half.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "mpi_coord/pristine.h"
#include "mpi_coord/services.h"
#include "preload/base/log.h"
#include "preload/base/system.h"

namespace sckpt::mpi {
namespace {

void *handle;
decltype(&sckpt_lower_environment) lower_environment;
decltype(&sckpt_lower_thread_start) lower_thread_start;
decltype(&sckpt_lower_preload) lower_preload;
struct Environment {
    std::vector<std::string> text;
    std::vector<char *> list;

    void end_list() {
        list.clear();
        for (std::string &variable : text) list.push_back(variable.data());
        list.push_back(nullptr);
    }
};
Environment *later_environment = nullptr;  // given before there was a lower half
int late = 0;
bool armed = false;

sckpt_arena *arena() { return reinterpret_cast<sckpt_arena *>(SCKPT_ARENA); }

// Settings without which the lower half would patch code that is not its own, or hold identity in constructors that
// run once.  A user's own setting of the same variable comes first, but for the two that would corrupt the process.
struct Setting {
    const char *name, *value;
    bool forced;
};
constexpr Setting kSettings[] = {
    {"OMPI_MCA_memory", "^patcher", true},
    {"OMPI_MCA_patcher", "^overwrite", true},
    {"UCX_MEM_MMAP_HOOK_MODE", "none", true},
    {"HWLOC_COMPONENTS", "-gl,-opencl", false},
    {"HWLOC_PLUGINS_BLACKLIST", "hwloc_gl,hwloc_opencl", false},
    {"OMPI_MCA_pml", "^ucx", false},
    {"OMPI_MCA_mtl", "^ofi,psm,psm2", false},
    {"OMPI_MCA_osc", "^ucx", false},
};

// Components that are not loaded ahead: their constructors keep the process's identity (UCX, libfabric, PSM), open
// displays or devices (hwloc's gl and opencl), or belong to OpenSHMEM and to debuggers.
constexpr std::string_view kLeftOut[] = {"ucx",     "uct",   "_ofi",   "_psm",   "openib", "hwloc_gl", "hwloc_opencl",
                                         "memheap", "spml_", "sshmem", "scoll_", "atomic_", "dbg_msgq", "usnic"};

std::vector<std::string> loaded_libraries() {
    std::vector<std::string> names;
    link_map *map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0)
        for (; map; map = map->l_next)
            if (map->l_name && *map->l_name) names.emplace_back(map->l_name);
    return names;
}

void add_matches(std::vector<std::string> &found, const std::string &pattern) {
    glob_t matches{};
    if (glob(pattern.c_str(), 0, nullptr, &matches) == 0)
        for (size_t i = 0; i < matches.gl_pathc; ++i) found.emplace_back(matches.gl_pathv[i]);
    globfree(&matches);
}

// The component directories of the libraries that are there now.
std::vector<std::string> component_files() {
    std::vector<std::string> files;
    for (const std::string &name : loaded_libraries()) {
        char resolved[PATH_MAX];
        if (!realpath(name.c_str(), resolved)) continue;
        const std::string_view path = resolved;
        const auto slash = path.rfind('/');
        const std::string directory(path.substr(0, slash));
        const std::string_view file = path.substr(slash + 1);
        if (file.starts_with("libmpi.so") || file.starts_with("libopen-pal")) {
            add_matches(files, directory + "/openmpi*/mca_*.so");
            add_matches(files, directory + "/openmpi/lib/openmpi*/mca_*.so");
        } else if (file.starts_with("libpmix.so")) {
            add_matches(files, directory + "/pmix/*.so");
        } else if (file.starts_with("libhwloc.so")) {
            add_matches(files, directory + "/hwloc/*.so");
        }
    }
    return files;
}

void preload_components() {
    std::set<std::string> tried;
    // Components bring libraries (libpmix) that have components of their own.
    for (size_t before = ~size_t{0}; before != tried.size();) {
        before = tried.size();
        for (const std::string &file : component_files()) {
            if (!tried.insert(file).second) continue;
            if (std::ranges::any_of(kLeftOut, [&](auto part) { return file.find(part) != std::string::npos; })) continue;
            if (!lower_preload(file.c_str())) say(Severity::debug, "component not loaded: %s", file.c_str());
        }
    }
}

void library_loaded(const char *path) {
    if (!armed) return;
    const int added = extend_pristine();
    if (!added) return;
    ++late;
    say(Severity::info, "%s was loaded after the pristine snapshot", path);
}

std::expected<void, std::string> reserve_arena() {
    const long got = system_call(SYS_mmap, SCKPT_ARENA, SCKPT_ARENA_SIZE, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != static_cast<long>(SCKPT_ARENA)) {
        if (got > 0) system_call(SYS_munmap, got, SCKPT_ARENA_SIZE);
        return std::unexpected("the address range of the lower half is taken (a sanitizer, or an address space limit)");
    }
    prepare_arena();
    arena()->services = base_services(library_loaded);
    return {};
}

}  // namespace

void prepare_arena() {
    constexpr std::uint64_t heap = SCKPT_ARENA + SCKPT_ARENA_HEADER;
    constexpr std::uint64_t kept = heap + SCKPT_ARENA_HEAP - SCKPT_ARENA_KEPT;
    system_call(SYS_mprotect, SCKPT_ARENA, SCKPT_ARENA_HEADER, PROT_READ | PROT_WRITE);
    system_call(SYS_mprotect, kept, SCKPT_ARENA_KEPT, PROT_READ | PROT_WRITE);
    arena()->heap_next = arena()->heap_committed = heap;
    arena()->map_next = heap + SCKPT_ARENA_HEAP;
}

std::expected<void, std::string> load_lower_half(const char *directory) {
    if (handle) return {};
    if (auto reserved = reserve_arena(); !reserved) return reserved;
    const std::string path = std::string(directory) + "/libsckpt_lower.so";
    handle = dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        system_call(SYS_munmap, SCKPT_ARENA, SCKPT_ARENA_SIZE);
        return std::unexpected(std::string("cannot load the lower half: ") + dlerror());
    }
    lower_environment = reinterpret_cast<decltype(lower_environment)>(lower_symbol("sckpt_lower_environment"));
    lower_thread_start = reinterpret_cast<decltype(lower_thread_start)>(lower_symbol("sckpt_lower_thread_start"));
    lower_preload = reinterpret_cast<decltype(lower_preload)>(lower_symbol("sckpt_lower_preload"));
    auto abi = reinterpret_cast<decltype(&sckpt_lower_abi)>(lower_symbol("sckpt_lower_abi"));
    if (!lower_environment || !lower_thread_start || !lower_preload || !abi || abi() != kAbiVersion)
        return std::unexpected(path + " is not of this version of sckpt");
    set_lower_environment(later_environment ? later_environment->list.data() : environ);
    preload_components();
    extend_pristine();
    freeze_pristine_arena();
    record_keys_from_now();
    armed = true;
    return {};
}

bool lower_half_loaded() { return armed; }

void *lower_symbol(const char *name) { return dlsym(handle, name); }

bool lower_owns_descriptor(int fd) {
    if (!armed || fd < 0 || fd >= kLowerDescriptors) return false;
    return arena()->descriptors[fd / 8] >> fd % 8 & 1;
}

namespace {

void keep_for_later(char **variables) {
    delete later_environment;
    later_environment = new Environment;
    for (char **variable = variables; *variable; ++variable) later_environment->text.emplace_back(*variable);
    later_environment->end_list();
}

}  // namespace

void set_lower_environment(char **variables) {
    if (!lower_environment) return keep_for_later(variables);
    // Libraries of the lower half keep pointers into it until the next reset.  What the pristine copies may point to
    // stays for good: the first one, and any during which a library was loaded late.
    static Environment *last = nullptr;
    static int late_before = 0;
    if (armed && last && late_before == late) delete last;
    late_before = late;
    auto *fresh = new Environment;
    auto names = [](const char *variable, const char *name) {
        const size_t length = strlen(name);
        return strncmp(variable, name, length) == 0 && variable[length] == '=';
    };
    std::set<std::string_view> present;
    for (char **variable = variables; *variable; ++variable) {
        bool replaced = names(*variable, "LD_PRELOAD");
        for (const Setting &setting : kSettings)
            if (names(*variable, setting.name)) {
                replaced |= setting.forced;
                if (!setting.forced) present.insert(setting.name);
            }
        if (!replaced) fresh->text.emplace_back(*variable);
    }
    for (const Setting &setting : kSettings)
        if (!present.contains(setting.name)) fresh->text.push_back(std::string(setting.name) + "=" + setting.value);
    fresh->end_list();
    lower_environment(fresh->list.data());
    last = armed ? fresh : nullptr;
}

void start_lower_thread() {
    if (lower_thread_start) lower_thread_start();
}

int late_libraries() { return late; }

}  // namespace sckpt::mpi
