// The plugin's decisions as pure functions: what was asked for, restore or not, what a task is given.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "preload/env.h"
#include "spank_plugin/restart.h"
#include "spank_plugin/settings.h"
#include "spank_plugin/task.h"

namespace sckpt::plugin {
namespace {

using Variables = std::map<std::string, std::string>;

Lookup lookup_in(const Variables &variables) {
    return [&variables](const char *name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

Variables applied(Variables variables, const std::vector<Change> &changes) {
    for (const auto &[name, value] : changes) {
        if (value) {
            variables[name] = *value;
        } else {
            variables.erase(name);
        }
    }
    return variables;
}

TEST(Arguments, LibraryAndDefaultDirectory) {
    const char *words[] = {"default_dir=/scratch", "libdir=/opt/sckpt"};
    const auto arguments = parse_arguments(words, "/own");
    ASSERT_TRUE(arguments);
    EXPECT_EQ(arguments->library, "/opt/sckpt");
    EXPECT_EQ(arguments->default_directory, "/scratch");
    EXPECT_EQ(parse_arguments({}, "/own")->library, "/own");
}

TEST(Arguments, WrongOnesAreNamed) {
    for (const char *word : {"lib=/x", "libdir", "libdir=relative", "default_dir="}) {
        const char *words[] = {word};
        const auto arguments = parse_arguments(words, "/own");
        ASSERT_FALSE(arguments) << word;
        EXPECT_NE(arguments.error().find(word), std::string::npos) << arguments.error();
    }
}

TEST(Defaults, EachProgramHasItsOwnVariables) {
    const Variables variables = {{"SLURM_CHECKPOINT", "1"},
                                 {"SBATCH_CHECKPOINT", "2"},
                                 {"SALLOC_CHECKPOINT", "3"},
                                 {"SBATCH_CHECKPOINT_DIR", "/b"},
                                 {"SLURM_RESTART_DIR", ""}};
    const auto environment = lookup_in(variables);
    EXPECT_EQ(with_defaults({}, Program::kSrun, environment).checkpoint, "1");
    EXPECT_EQ(with_defaults({}, Program::kSbatch, environment).checkpoint, "2");
    EXPECT_EQ(with_defaults({}, Program::kSalloc, environment).checkpoint, "3");
    EXPECT_EQ(with_defaults({}, Program::kSbatch, environment).directory, "/b");
    EXPECT_EQ(with_defaults({}, Program::kSrun, environment).restart, std::nullopt);
    const Request given{.checkpoint = "9", .directory = {}, .restart = {}};
    EXPECT_EQ(with_defaults(given, Program::kSrun, environment).checkpoint, "9");
}

TEST(Defaults, OfTheJobReachItsSteps) {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    const Variables variables = {
        {"SBATCH_CHECKPOINT", "2"}, {"SBATCH_CHECKPOINT_DIR", "/b"}, {"SLURM_CHECKPOINT_DIR", "/s"}};
    const auto environment = lookup_in(variables);
    EXPECT_EQ(inherited_defaults(Program::kSbatch, {}, environment), (Pairs{{"SLURM_CHECKPOINT", "2"}}));
    EXPECT_EQ(inherited_defaults(Program::kSbatch, {.checkpoint = "on", .directory = {}, .restart = {}}, environment),
              Pairs{});
    EXPECT_EQ(inherited_defaults(Program::kSrun, {}, environment), Pairs{});
}

TEST(Settle, NothingAskedForIsNothing) {
    ASSERT_TRUE(settle({}));
    EXPECT_FALSE(*settle({}));
    EXPECT_FALSE(*settle({.checkpoint = {}, .directory = "/d", .restart = {}}));
    EXPECT_FALSE(*settle({.checkpoint = "off", .directory = "/d", .restart = {}}));
}

TEST(Settle, RestartImpliesCheckpoints) {
    const auto settings = settle({.checkpoint = {}, .directory = {}, .restart = "/g"});
    ASSERT_TRUE(settings && *settings);
    EXPECT_EQ((*settings)->spec, base::Spec{});
    EXPECT_EQ((*settings)->restart, "/g");
    EXPECT_FALSE(settle({.checkpoint = "off", .directory = {}, .restart = "/g"}));
}

TEST(Settle, MistakesAreSentences) {
    EXPECT_NE(settle({.checkpoint = "often", .directory = {}, .restart = {}}).error().find("'often'"),
              std::string::npos);
    EXPECT_NE(settle({.checkpoint = "on", .directory = "", .restart = {}}).error().find("--checkpoint-dir is empty"),
              std::string::npos);
    EXPECT_NE(settle({.checkpoint = "on", .directory = "/a\nb", .restart = {}}).error().find("control"),
              std::string::npos);
    EXPECT_NE(settle({.checkpoint = "on", .directory = {}, .restart = std::string(5000, 'x')}).error().find("longer"),
              std::string::npos);
}

TEST(Settle, PathsBecomeAbsolute) {
    EXPECT_EQ(absolute_path("", "/w"), "/w");
    EXPECT_EQ(absolute_path("a/../b/./c/", "/w"), "/w/b/c");
    EXPECT_EQ(absolute_path("/x//y/", "/w"), "/x/y");
    EXPECT_EQ(absolute_path("/", "/w"), "/");
}

TEST(RestartPoint, AnswersAreRead) {
    EXPECT_EQ(std::get<Found>(read_restart_point(0, "/d/r0.closed/0007\n", "")).generation, "/d/r0.closed/0007");
    EXPECT_TRUE(std::holds_alternative<NoneCommitted>(read_restart_point(0, "", "checking\n")));
    EXPECT_EQ(std::get<NoneUsable>(read_restart_point(1, "", "checking 7\nsckpt: error: 0007 is truncated\n")).reason,
              "0007 is truncated");
    EXPECT_FALSE(std::get<NoneUsable>(read_restart_point(1, "", "")).reason.empty());
    EXPECT_NE(std::get<ToolBroken>(read_restart_point(-1, "/d/0007\n", "ended by signal 9")).reason.find("signal 9"),
              std::string::npos);
    EXPECT_TRUE(std::holds_alternative<ToolBroken>(read_restart_point(127, "", "")));
    EXPECT_TRUE(std::holds_alternative<ToolBroken>(read_restart_point(0, "relative\n", "")));
    EXPECT_TRUE(std::holds_alternative<ToolBroken>(read_restart_point(0, "/a\n/b\n", "")));
    EXPECT_EQ(std::get<NoneUsable>(read_restart_point(1, "", "bad\x1b[31m")).reason, "bad?[31m");
}

TEST(Restart, FirstRunStartsFromTheBeginningInSilence) {
    const auto decision = decide_restart({});
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->generation, "");
    EXPECT_EQ(decision->notice, "");
}

TEST(Restart, OwnGenerationGoesBeforeTheNamedOne) {
    const auto decision = decide_restart({.incarnation = 1, .own = Found{"/own"}, .named = "/named", .fallback = {}});
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->generation, "/own");
}

TEST(Restart, NoneCommittedFallsToTheNamedOneOrTheBeginning) {
    EXPECT_EQ(decide_restart({.incarnation = 1, .own = NoneCommitted{}, .named = "/named", .fallback = {}})->generation,
              "/named");
    const auto fresh = decide_restart({.incarnation = 1, .own = NoneCommitted{}, .named = {}, .fallback = {}});
    ASSERT_TRUE(fresh);
    EXPECT_EQ(fresh->generation, "");
    EXPECT_TRUE(fresh->notice.starts_with("starting from the beginning"));
}

TEST(Restart, NoneUsableIsRefusedUnlessFreshIsAskedFor) {
    RestartInput input{.incarnation = 1,
                       .own = NoneUsable{"0007 is truncated"},
                       .named = "/named",
                       .fallback = base::Fallback::kRefuse};
    ASSERT_FALSE(decide_restart(input));
    EXPECT_NE(decide_restart(input).error().find("0007 is truncated"), std::string::npos);
    input.fallback = base::Fallback::kFresh;
    ASSERT_TRUE(decide_restart(input));
    EXPECT_EQ(decide_restart(input)->generation, "");
    EXPECT_NE(decide_restart(input)->notice.find("0007 is truncated"), std::string::npos);
}

TEST(Restart, WhatIsNotKnownIsNeverTakenForNothingThere) {
    const RestartInput broken{
        .incarnation = 1, .own = ToolBroken{"it died"}, .named = {}, .fallback = base::Fallback::kFresh};
    ASSERT_FALSE(decide_restart(broken));
    EXPECT_EQ(decide_restart(broken).error(), "it died");
    const RestartInput named{.incarnation = 0,
                             .own = {},
                             .named = std::unexpected<std::string>("not there"),
                             .fallback = base::Fallback::kFresh};
    ASSERT_FALSE(decide_restart(named));
    EXPECT_EQ(decide_restart(named).error(), "not there");
}

TEST(Preload, LibraryIsAppendedOnce) {
    EXPECT_EQ(with_library("", "/l/libsckpt.so"), "/l/libsckpt.so");
    EXPECT_EQ(with_library("/a.so /b.so", "/l/libsckpt.so"), "/a.so:/b.so:/l/libsckpt.so");
    EXPECT_EQ(with_library(":/a.so::", "/l/libsckpt.so"), "/a.so:/l/libsckpt.so");
    EXPECT_EQ(with_library("/l/libsckpt.so:/a.so", "/l/libsckpt.so"), "/a.so:/l/libsckpt.so");
    EXPECT_EQ(without_library("/x/libsckpt.so:/a.so libsckpt.so", "libsckpt.so"), "/a.so");
    EXPECT_EQ(without_library("/x/notlibsckpt.so", "libsckpt.so"), "/x/notlibsckpt.so");
}

StepSettings settings_of(const std::string &step, const std::string &generation = {}) {
    return {.directory = "/d/c." + step, .incarnation = 3, .spec = {}, .generation = generation, .step = step};
}

TEST(Task, SettingsTravelUnderNamesThatSlurmAlwaysExports) {
    for (const auto &change : travelling(settings_of("7.0", "/g")))
        EXPECT_TRUE(change.name.starts_with("SLURM_")) << change.name;
}

TEST(Task, IsGivenTheContractAndTheInterceptor) {
    const Variables before =
        applied({{"LD_PRELOAD", "/mine.so"}, {"HOME", "/h"}}, travelling(settings_of("7.0", "/g")));
    const Variables after = applied(before, task_changes(lookup_in(before), "/l", "7.0"));
    EXPECT_EQ(after, (Variables{{"ASAN_OPTIONS", "verify_asan_link_order=0"},
                                {"HOME", "/h"},
                                {"LD_PRELOAD", "/mine.so:/l/libsckpt.so"},
                                {env::kDirectory, "/d/c.7.0"},
                                {env::kIncarnation, "3"},
                                {env::kSpec, base::canonical({})},
                                {env::kRestart, "/g"},
                                {env::kLibrary, "/l"},
                                {env::kContractVersion, std::to_string(env::kContract)},
                                {env::kStep, "7.0"}}));
}

TEST(Task, OptionsOfTheSanitizerAreKept) {
    const Variables before = applied({{"ASAN_OPTIONS", "detect_leaks=0"}}, travelling(settings_of("7.0", "/g")));
    EXPECT_EQ(applied(before, task_changes(lookup_in(before), "/l", "7.0")).at("ASAN_OPTIONS"),
              "detect_leaks=0:verify_asan_link_order=0");
    const Variables own = applied({{"ASAN_OPTIONS", "verify_asan_link_order=1"}}, travelling(settings_of("7.0", "/g")));
    EXPECT_EQ(applied(own, task_changes(lookup_in(own), "/l", "7.0")).at("ASAN_OPTIONS"), "verify_asan_link_order=1");
}

TEST(Task, OfAStepThatDidNotAskLosesWhatItInherited) {
    const Variables start = applied({{"LD_PRELOAD", "/mine.so"}}, travelling(settings_of("7.0", "/g")));
    const Variables rank = applied(start, task_changes(lookup_in(start), "/l", "7.0"));
    EXPECT_EQ(applied(rank, task_changes(lookup_in(rank), "/l", "7.1")),
              (Variables{{"ASAN_OPTIONS", "verify_asan_link_order=0"}, {"LD_PRELOAD", "/mine.so"}}));
}

TEST(Task, OfAStepThatAskedInsideARankTakesNothingOver) {
    const Variables start = applied({}, travelling(settings_of("7.0", "/g")));
    const Variables rank = applied(start, task_changes(lookup_in(start), "/l", "7.0"));
    const Variables inner = applied(rank, travelling(settings_of("7.1")));
    const Variables task = applied(inner, task_changes(lookup_in(inner), "/other", "7.1"));
    EXPECT_FALSE(task.contains(env::kRestart));
    EXPECT_EQ(task.at(env::kDirectory), "/d/c.7.1");
    EXPECT_EQ(task.at("LD_PRELOAD"), "/other/libsckpt.so");
}

TEST(Task, OfOtherLaunchersIsLeftAlone) {
    const Variables variables = {{env::kDirectory, "/d"}, {"LD_PRELOAD", "/l/libsckpt.so"}};
    EXPECT_TRUE(task_changes(lookup_in(variables), "/l", "7.0").empty());
    EXPECT_TRUE(task_changes(lookup_in({}), "/l", "7.0").empty());
}

TEST(Task, SettingsOfAnotherStepAreRemoved) {
    const Variables strayed = applied({}, travelling(settings_of("7.0")));
    EXPECT_TRUE(applied(strayed, task_changes(lookup_in(strayed), "/l", "8.0")).empty());
    EXPECT_TRUE(applied(strayed, nothing_travelling()).empty());
}

}  // namespace
}  // namespace sckpt::plugin
