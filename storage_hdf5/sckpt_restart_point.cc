#include <iostream>
#include <memory>

#include "storage_hdf5/sckpt_command.h"

namespace sckpt::command {

namespace {

struct Options {
    std::string directory;
    std::uint32_t incarnation = 0;
    std::uint32_t ranks = 0;
};

int run(const Options &options) {
    const auto point = storage::restart_point(options.directory, options.incarnation, options.ranks);
    if (!point) return fail(point.error().sentence);
    for (const auto &problem : point->skipped)
        std::cerr << "sckpt: warning: a newer checkpoint is not usable: " << problem.sentence << "\n";
    if (point->generation) std::cout << point->generation->string() << "\n";
    return 0;
}

}  // namespace

void add_restart_point(CLI::App &app, int &status) {
    auto options = std::make_shared<Options>();
    auto *command = app.add_subcommand("restart-point", "close earlier runs of a step and print where to restart from");
    command->add_option("--directory", options->directory, "the step's directory")->required();
    command->add_option("--incarnation", options->incarnation, "number of the run that is about to start")->required();
    command->add_option("--ranks", options->ranks, "its number of ranks")->required();
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sckpt::command
