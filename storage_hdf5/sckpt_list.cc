#include <iostream>
#include <memory>

#include "storage_hdf5/names.h"
#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace {

struct Options {
    std::string directory = ".";
    bool json = false;
};

int run(const Options &options) {
    const auto steps = storage::list_steps(options.directory);
    if (!steps) return fail(steps.error().sentence);
    if (options.json) {
        auto all = nlohmann::ordered_json::array();
        for (const auto &step : *steps) {
            auto generations = nlohmann::ordered_json::array();
            for (const auto &generation : step.generations) generations.push_back(to_json(generation));
            all.push_back(
                {{"step", step.path.filename().string()}, {"path", step.path.string()}, {"generations", generations}});
        }
        std::cout << dump(all) << "\n";
        return 0;
    }
    std::vector<std::vector<std::string>> rows{
        {"STEP", "RUN", "GENERATION", "TAKEN", "CAUSE", "RANKS", "SIZE", "STATE"}};
    for (const auto &step : *steps) {
        for (const auto &generation : step.generations) {
            const auto &manifest = generation.manifest;
            rows.push_back(
                {step.path.filename().string(), "r" + std::to_string(generation.incarnation),
                 storage::generation_name(generation.number), manifest ? storage::utc(manifest->cut_time_ns) : "-",
                 manifest && !manifest->cause.empty() ? manifest->cause : "-",
                 manifest ? std::to_string(manifest->ranks) : "-", manifest ? human_bytes(manifest->bytes()) : "-",
                 manifest ? "valid" : storage::name(generation.problem.refusal)});
        }
    }
    print_columns(rows);
    return 0;
}

}  // namespace

void add_list(CLI::App &app, int &status) {
    auto options = std::make_shared<Options>();
    auto *command = app.add_subcommand("list", "list the checkpoints in a directory");
    command->add_option("--directory", options->directory, "checkpoint directory, or one step's (default: here)");
    command->add_flag("--json", options->json, "print JSON");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sckpt::command
