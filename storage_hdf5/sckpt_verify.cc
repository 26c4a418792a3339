#include <iostream>
#include <memory>

#include "storage_hdf5/names.h"
#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace {

struct Options {
    std::string path;
    bool json = false;
};

int run(const Options &options) {
    std::vector<storage::Generation> generations;
    if (const auto place = storage::parse_place(options.path)) {
        generations.push_back({options.path, place->incarnation, place->generation, false, {}, {}});
        const auto parent = std::filesystem::absolute(options.path).lexically_normal().parent_path();
        generations.back().closed = parent.filename().string().ends_with(storage::kClosedSuffix);
    } else if (storage::is_step(options.path)) {
        auto step = storage::read_step(options.path);
        if (!step) return fail(step.error().sentence);
        generations = std::move(step->generations);
    } else {
        return fail(options.path + " is neither a checkpoint (<step>/r<N>/<number>) nor the directory of a step");
    }

    bool good = true;
    for (auto &generation : generations) {
        Progress progress;
        const auto report = [&](std::uint64_t bytes) {
            progress.show("verifying " + generation.path.string() + ": " + human_bytes(bytes));
        };
        auto manifest = storage::verify_generation(generation.path, storage::Depth::data, report);
        generation.manifest.reset();
        if (manifest) {
            generation.manifest = std::move(*manifest);
        } else {
            generation.problem = manifest.error();
            good = false;
        }
    }
    if (options.json) {
        auto all = nlohmann::ordered_json::array();
        for (const auto &generation : generations) all.push_back(to_json(generation));
        std::cout << dump(all) << "\n";
    } else {
        std::vector<std::vector<std::string>> rows{{"CHECKPOINT", "RANKS", "SIZE", "STATE"}};
        for (const auto &[path, incarnation, number, closed, manifest, problem] : generations)
            rows.push_back({path.string(), manifest ? std::to_string(manifest->ranks) : "-",
                            manifest ? human_bytes(manifest->bytes()) : "-",
                            manifest ? "valid" : storage::name(problem.refusal)});
        print_columns(rows);
    }
    for (const auto &generation : generations) {
        if (!generation.manifest) fail(generation.problem.sentence);
    }
    return good ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App &app, int &status) {
    auto options = std::make_shared<Options>();
    auto *command = app.add_subcommand("verify", "read whole checkpoints and compare every checksum");
    command->add_option("path", options->path, "a checkpoint, or the directory of a step")->required();
    command->add_flag("--json", options->json, "print JSON");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sckpt::command
