#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "spank_plugin/directory.h"
#include "spank_plugin/host.h"
#include "spank_plugin/restart.h"
#include "spank_plugin/run.h"
#include "spank_plugin/task.h"

namespace sckpt::plugin {
namespace {

struct Step {
    std::uint32_t job = 0, step = 0, ranks = 0;
};

void apply(const std::vector<Change> &changes) {
    for (const auto &[name, value] : changes) {
        if (value) {
            setenv(name.c_str(), value->c_str(), 1);
        } else {
            unsetenv(name.c_str());
        }
    }
}

std::string cluster_name() {
    const auto *configuration = slurm_configuration();
    if (configuration != nullptr && configuration->cluster_name != nullptr) return configuration->cluster_name;
    return process_environment("SLURM_CLUSTER_NAME").value_or("");
}

// SLURM_RESTART_COUNT of the batch job: unset on its first run.  (SPANK's own item is 0 in slurmstepd and refused
// here.)
std::expected<unsigned, std::string> incarnation() {
    const std::string text = process_environment("SLURM_RESTART_COUNT").value_or("0");
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::unexpected("SLURM_RESTART_COUNT is '" + text.substr(0, 40) +
                               "', not a number: leave it as Slurm set it");
    }
    return value;
}

std::expected<Step, std::string> this_step(spank_t spank) {
    const auto job = item<std::uint32_t>(spank, S_JOB_ID), step = item<std::uint32_t>(spank, S_JOB_STEPID),
               ranks = item<std::uint32_t>(spank, S_JOB_TOTAL_TASK_COUNT);
    if (!job || !step || !ranks) return std::unexpected("srun does not tell the number of this step or of its tasks");
    return Step{*job, *step, *ranks};
}

RestartPoint ask_restart_point(const std::string &library_directory, const std::string &directory, unsigned incarnation,
                               std::uint32_t ranks) {
    const auto finished = run_program({library_directory + "/sckpt", "restart-point", "--directory", directory,
                                       "--incarnation", std::to_string(incarnation), "--ranks", std::to_string(ranks)});
    if (!finished) return ToolBroken{finished.error()};
    return read_restart_point(finished->exit_code, finished->output, finished->error);
}

std::expected<StepSettings, std::string> prepare(const Step &step, const Settings &settings,
                                                 const Arguments &arguments) {
    char working_directory[4096];
    if (getcwd(working_directory, sizeof working_directory) == nullptr) {
        return std::unexpected(std::string("the working directory cannot be found: ") + std::strerror(errno));
    }
    const auto count = incarnation();
    if (!count) return std::unexpected(count.error());

    const std::string base =
        absolute_path(settings.directory.empty() ? arguments.default_directory : settings.directory, working_directory);
    if (auto good = check_writable_directory(base); !good) return std::unexpected(good.error());
    const std::string directory = base + "/" + step_name(cluster_name(), step.job, step.step);

    RestartInput input{.incarnation = *count, .own = {}, .named = {}, .fallback = settings.spec.fallback};
    if (!settings.restart.empty()) {
        const std::string named = absolute_path(settings.restart, working_directory);
        if (*count == 0 && (named + "/").starts_with(directory + "/")) {
            return std::unexpected("--restart-dir " + named +
                                   " lies where this step writes its own checkpoints: rename " + directory);
        }
        input.named = find_named_generation(named, step.ranks);
        if (!*input.named && *count == 0) return std::unexpected(input.named->error());
    }
    const auto moved = open_step_directory(directory, *count);
    if (!moved) return std::unexpected(moved.error());
    if (!moved->empty()) tell("checkpoints of an earlier job with the same number are now in " + *moved);
    if (*count > 0) input.own = ask_restart_point(arguments.library, directory, *count, step.ranks);

    const auto decision = decide_restart(input);
    if (!decision) return std::unexpected("this step cannot be restored: " + decision.error());
    if (!decision->notice.empty()) tell(decision->notice);
    if (!decision->generation.empty()) tell("restoring from " + decision->generation);
    if (auto good = open_incarnation(directory, *count); !good) return std::unexpected(good.error());
    return StepSettings{.directory = directory,
                        .incarnation = *count,
                        .spec = settings.spec,
                        .generation = decision->generation,
                        .step = std::to_string(step.job) + "." + std::to_string(step.step)};
}

int refuse(const std::string &sentence) {
    tell_error(sentence);
    setenv(kRefused, "1", 1);
    return ESPANK_ERROR;
}

}  // namespace

int launch(spank_t spank, int count, char **words) {
    const Request request = with_defaults(given_options(), Program::kSrun, process_environment);
    const auto settings = settle(request);
    if (!settings) return refuse(settings.error());
    if (!*settings) return ESPANK_SUCCESS;
    static bool launched = false;
    if (std::exchange(launched, true)) {
        return refuse(
            "the components of a heterogeneous step cannot be checkpointed together: start it without --checkpoint");
    }
    const auto arguments = plugin_arguments(count, words);
    if (!arguments) return refuse(arguments.error());
    const auto step = this_step(spank);
    if (!step) return refuse(step.error());
    const auto prepared = prepare(*step, **settings, *arguments);
    if (!prepared) return refuse(prepared.error());
    apply(travelling(*prepared));
    return ESPANK_SUCCESS;
}

}  // namespace sckpt::plugin
