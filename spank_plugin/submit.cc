#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "spank_plugin/directory.h"
#include "spank_plugin/host.h"
#include "spank_plugin/task.h"

namespace sckpt::plugin {
namespace {

constexpr char kOpenMode[] = "SLURM_OPEN_MODE";

Program this_program() {
    const std::string_view name = program_invocation_short_name;
    return name == "sbatch" ? Program::kSbatch : name == "salloc" ? Program::kSalloc : Program::kSrun;
}

// SLURM_OPEN_MODE as it was when sbatch began: sbatch sets it from --open-mode, wherever that was given, and what a job
// that calls sbatch has in its environment must not be taken for it.
std::optional<std::string> &inherited_open_mode() {
    static std::optional<std::string> value;
    return value;
}

void warn_of_truncation() {
    const auto mode = process_environment(kOpenMode);
    const auto *configuration = slurm_configuration();
    const bool appends_by_default = configuration != nullptr && configuration->job_file_append != 0;
    if (mode ? mode->starts_with('a') : appends_by_default) return;
    slurm_spank_log(
        "sbatch: warning: sckpt: Slurm truncates the output file of this job when it is requeued; "
        "add --open-mode=append to keep what was written before");
}

std::expected<void, std::string> check_directories(const Settings &settings, const Arguments &arguments,
                                                   Program program) {
    char working_directory[4096];
    if (getcwd(working_directory, sizeof working_directory) == nullptr) working_directory[0] = '\0';
    const bool is_srun = program == Program::kSrun;
    // In sbatch and salloc a relative path is one of the job's, whose working directory (--chdir) is not known here.
    const std::string &directory = settings.directory.empty() ? arguments.default_directory : settings.directory;
    if (is_srun || directory.starts_with('/')) {
        if (auto good = check_writable_directory(absolute_path(directory, working_directory)); !good) return good;
    }
    if (!settings.restart.empty() && (is_srun || settings.restart.starts_with('/')) &&
        access(absolute_path(settings.restart, working_directory).c_str(), R_OK | X_OK) != 0) {
        return std::unexpected("--restart-dir " + settings.restart + " cannot be read: " + std::strerror(errno));
    }
    return {};
}

std::expected<void, std::string> check(const Request &request, Program program, int count, char **words) {
    const auto settings = settle(request);
    if (!settings) return std::unexpected(settings.error());
    if (!*settings) return {};
    const auto arguments = plugin_arguments(count, words);
    if (!arguments) return std::unexpected(arguments.error());
    for (const char *file : {"libsckpt.so", "sckpt"}) {
        if (auto good = check_installed(arguments->library, file); !good) return good;
    }
    if (auto good = check_directories(**settings, *arguments, program); !good) return good;
    if (program == Program::kSbatch) warn_of_truncation();
    return {};
}

}  // namespace

int submit_begin() {
    if (this_program() == Program::kSbatch) {
        inherited_open_mode() = process_environment(kOpenMode);
        unsetenv(kOpenMode);
    }
    return ESPANK_SUCCESS;
}

int submit_check(int count, char **words) {
    const Program program = this_program();
    for (const auto &change : nothing_travelling()) unsetenv(change.name.c_str());
    const Request request = with_defaults(given_options(), program, process_environment);
    if (const auto good = check(request, program, count, words); !good) {
        tell_error(good.error());
        // sbatch submits whatever init_post_opt returns, and srun and salloc go on when the plugin is `optional`.
        // Nothing exists yet, so the command can end here.
        std::exit(EXIT_FAILURE);
    }
    for (const auto &[name, value] : inherited_defaults(program, given_options(), process_environment)) {
        setenv(name.c_str(), value.c_str(), 1);
    }
    if (program == Program::kSbatch && inherited_open_mode() && !process_environment(kOpenMode)) {
        setenv(kOpenMode, inherited_open_mode()->c_str(), 1);
    }
    return ESPANK_SUCCESS;
}

}  // namespace sckpt::plugin
