#include "spank_plugin/settings.h"

#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace sckpt::plugin {
namespace {

struct Default {
    std::optional<std::string> Request::*value;
    const char *name;  // without the program's prefix
};
constexpr std::array<Default, 3> kDefaults = {{{&Request::checkpoint, "CHECKPOINT"},
                                               {&Request::directory, "CHECKPOINT_DIR"},
                                               {&Request::restart, "RESTART_DIR"}}};

std::string variable(Program program, const char *name) {
    const char *prefix = program == Program::kSrun ? "SLURM_" : program == Program::kSbatch ? "SBATCH_" : "SALLOC_";
    return std::string(prefix) + name;
}

std::expected<std::string, std::string> usable_path(const char *option, const std::optional<std::string> &path) {
    if (!path) return std::string();
    if (path->empty()) return std::unexpected(std::string(option) + " is empty: name a directory");
    if (path->size() > base::kSpecMaximum) return std::unexpected(std::string(option) + " is longer than 4096 bytes");
    for (const unsigned char c : *path) {
        if (c < 0x20 || c == 0x7f) return std::unexpected(std::string(option) + " contains a control character");
    }
    return *path;
}

}  // namespace

std::expected<Arguments, std::string> parse_arguments(std::span<const char *const> words, std::string own_directory) {
    Arguments arguments{.library = std::move(own_directory), .default_directory = {}};
    for (const std::string_view word : words) {
        constexpr std::string_view kLibdir = "libdir=", kDirectory = "default_dir=";
        std::string *target = word.starts_with(kLibdir)      ? &arguments.library
                              : word.starts_with(kDirectory) ? &arguments.default_directory
                                                             : nullptr;
        if (target == nullptr) {
            return std::unexpected("plugstack.conf: argument '" + std::string(word.substr(0, 100)) +
                                   "' is not understood (allowed: libdir=DIR, default_dir=DIR)");
        }
        *target = word.substr(word.find('=') + 1);
        if (!target->starts_with('/')) {
            return std::unexpected("plugstack.conf: '" + std::string(word.substr(0, 100)) +
                                   "' must be an absolute path");
        }
    }
    return arguments;
}

Request with_defaults(Request options, Program program, const Lookup &environment) {
    for (const auto &[value, name] : kDefaults) {
        if (options.*value) continue;
        auto found = environment(variable(program, name).c_str());
        if (found && !found->empty()) options.*value = std::move(found);
    }
    return options;
}

std::expected<std::optional<Settings>, std::string> settle(const Request &request) {
    if (!request.checkpoint && !request.restart) return std::nullopt;
    auto spec = base::parse_spec(request.checkpoint.value_or("on"));
    if (!spec) return std::unexpected(spec.error());
    if (!spec->enabled) {
        if (request.restart) return std::unexpected("--restart-dir needs checkpoints: leave --checkpoint=off away");
        return std::nullopt;
    }
    auto directory = usable_path("--checkpoint-dir", request.directory);
    if (!directory) return std::unexpected(directory.error());
    auto restart = usable_path("--restart-dir", request.restart);
    if (!restart) return std::unexpected(restart.error());
    return Settings{.spec = *spec, .directory = *std::move(directory), .restart = *std::move(restart)};
}

std::vector<std::pair<std::string, std::string>> inherited_defaults(Program program, const Request &options,
                                                                    const Lookup &environment) {
    std::vector<std::pair<std::string, std::string>> variables;
    if (program == Program::kSrun) return variables;
    for (const auto &[value, name] : kDefaults) {
        if (options.*value) continue;
        const auto found = environment(variable(program, name).c_str());
        const std::string inner = variable(Program::kSrun, name);
        if (found && !found->empty() && !environment(inner.c_str())) variables.emplace_back(inner, *found);
    }
    return variables;
}

std::string absolute_path(const std::string &path, const std::string &working_directory) {
    const auto joined = std::filesystem::path(working_directory) / path;
    std::string text = joined.lexically_normal().string();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

}  // namespace sckpt::plugin
