#include <dlfcn.h>

#include <climits>
#include <cstring>

#include "preload/base/spec.h"
#include "spank_plugin/host.h"

namespace sckpt::plugin {
namespace {

enum Option : int { kCheckpoint = 1, kDirectory, kRestart };

Request &request() {
    static Request values;
    return values;
}

// Called for each option found, in slurmstepd too, where nothing is taken from it: there the settings come from srun.
int take_option(int option, const char *value, int remote) noexcept {
    if (remote != 0 || value == nullptr) return 0;
    try {
        const std::string text(value, strnlen(value, base::kSpecMaximum + 1));
        if (option == kDirectory) request().directory = text;
        if (option == kRestart) request().restart = text;
        if (option == kCheckpoint) {
            if (const auto spec = base::parse_spec(text); !spec) {
                tell_error(spec.error());
                return -1;
            }
            request().checkpoint = text;
        }
        return 0;
    } catch (...) {
        slurm_error("sckpt: an option could not be read: out of memory");
        return -1;
    }
}

// The directory that this library was loaded from.
std::string own_directory() {
    Dl_info info{};
    char resolved[PATH_MAX];
    if (dladdr(reinterpret_cast<void *>(&own_directory), &info) == 0 || realpath(info.dli_fname, resolved) == nullptr)
        return {};
    const std::string path = resolved;
    return path.substr(0, path.find_last_of('/'));
}

}  // namespace

std::expected<Arguments, std::string> plugin_arguments(int count, char **words) {
    return parse_arguments({words, static_cast<std::size_t>(count)}, own_directory());
}

const Request &given_options() { return request(); }

int register_options(spank_t spank) {
    // Slurm wants writable strings and keeps the pointers.
    static char names[][20] = {"checkpoint", "checkpoint-dir", "restart-dir"};
    static char kinds[][8] = {"SPEC", "DIR", "DIR"};
    static char usages[][120] = {
        "checkpoint the step: on, off, an interval (10, 30:00, 1-0) or key=value,... (see spank_checkpoint(8))",
        "directory for checkpoints (default: the working directory)",
        "restore from this generation, or the newest of this step directory"};
    static spank_option options[] = {{names[0], kinds[0], usages[0], 1, kCheckpoint, take_option},
                                     {names[1], kinds[1], usages[1], 1, kDirectory, take_option},
                                     {names[2], kinds[2], usages[2], 1, kRestart, take_option}};
    for (auto &option : options) {
        if (const auto code = spank_option_register(spank, &option); code != ESPANK_SUCCESS) {
            slurm_error("sckpt: option --%s cannot be registered: %s", option.name, spank_strerror(code));
            return ESPANK_ERROR;
        }
    }
    return ESPANK_SUCCESS;
}

}  // namespace sckpt::plugin
