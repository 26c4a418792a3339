#include "spank_plugin/task.h"

#include <string_view>

#include "preload/base/preload_list.h"
#include "preload/env.h"

namespace sckpt::plugin {
namespace {

constexpr const char *kTravellers[] = {env::kDirectory, env::kIncarnation,     env::kSpec,
                                       env::kRestart,   env::kContractVersion, env::kStep};

std::string travel_name(const char *name) { return std::string(kTravelPrefix) + name; }

void append(std::string &list, std::string_view element) {
    if (!list.empty()) list += ':';
    list += element;
}

}  // namespace

std::string with_library(const std::string &preload, const std::string &library) {
    std::string list;
    base::for_each_library(preload, [&](std::string_view element) {
        if (element != library) append(list, element);
    });
    append(list, library);
    return list;
}

std::string without_library(const std::string &preload, std::string_view library_name) {
    std::string list;
    base::for_each_library(preload, [&](std::string_view element) {
        if (!base::is_named(element, library_name)) append(list, element);
    });
    return list;
}

std::vector<Change> travelling(const StepSettings &settings) {
    std::vector<Change> changes = nothing_travelling();
    const auto set = [&](const char *name, std::string value) {
        changes.push_back({travel_name(name), std::move(value)});
    };
    set(env::kDirectory, settings.directory);
    set(env::kIncarnation, std::to_string(settings.incarnation));
    set(env::kSpec, base::canonical(settings.spec));
    set(env::kContractVersion, std::to_string(env::kContract));
    set(env::kStep, settings.step);
    if (!settings.generation.empty()) set(env::kRestart, settings.generation);
    return changes;
}

std::vector<Change> nothing_travelling() {
    std::vector<Change> changes;
    for (const char *name : kTravellers) changes.push_back({travel_name(name), std::nullopt});
    changes.push_back({kRefused, std::nullopt});
    return changes;
}

std::vector<Change> task_changes(const Lookup &environment, const std::string &library_directory,
                                 const std::string &step) {
    std::vector<Change> changes;
    const std::string preload = environment("LD_PRELOAD").value_or("");
    const bool asked = environment(travel_name(env::kStep).c_str()) == step;
    const auto inherited = environment(env::kStep);
    if (asked || (inherited && *inherited != step)) {
        for (const char *name : kTravellers) {
            const auto value = asked ? environment(travel_name(name).c_str()) : std::nullopt;
            if (value || environment(name)) changes.push_back({name, value});
        }
    }
    if (asked) {
        changes.push_back({env::kLibrary, library_directory});
        changes.push_back({"LD_PRELOAD", with_library(without_library(preload, base::kInterceptor),
                                                      library_directory + "/" + base::kInterceptor)});
        const std::string sanitizer = environment("ASAN_OPTIONS").value_or("");
        if (!sanitizer.contains(base::kLinkOrderOption))
            changes.push_back(
                {"ASAN_OPTIONS", sanitizer + (sanitizer.empty() ? "" : ":") + base::kLinkOrderOption + "=0"});
    } else if (inherited && *inherited != step) {
        if (environment(env::kLibrary)) changes.push_back({env::kLibrary, std::nullopt});
        const std::string rest = without_library(preload, base::kInterceptor);
        if (rest != preload) changes.push_back({"LD_PRELOAD", rest.empty() ? std::nullopt : std::optional(rest)});
    }
    for (const auto &change : nothing_travelling()) {
        if (environment(change.name.c_str())) changes.push_back(change);
    }
    return changes;
}

}  // namespace sckpt::plugin
