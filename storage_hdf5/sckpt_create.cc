// A request is a file with a number and a signal that makes the ranks look at it.  The answer is read from what they
// leave: a generation that was not there (nor begun) before, or a line about this request in the step's log.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#include "preload/base/unserved.h"
#include "storage_hdf5/log.h"
#include "storage_hdf5/names.h"
#include "storage_hdf5/request.h"
#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kTimeToTakeUp{5};

struct Options {
    std::string target;     // JOB or JOB.STEP
    std::string directory;  // empty: to be found out
    double timeout = 600;   // seconds
    bool json = false;
};

// Thrown by the steps below; what goes behind "sckpt: error:".
struct Problem {
    std::string sentence;
};

std::string job_of(const std::string &target) { return target.substr(0, target.find('.')); }

fs::path checkpoint_directory(const Options &options) {
    if (!options.directory.empty()) return options.directory;
    if (const char *set = std::getenv("SLURM_CHECKPOINT_DIR"); set && *set) return set;
    const auto shown = run_program({"scontrol", "show", "job", job_of(options.target)});
    if (shown.status != 0) throw Problem{"cannot ask Slurm about job " + job_of(options.target) + ": " + shown.error};
    std::istringstream lines(shown.text);
    for (std::string line; std::getline(lines, line);) {
        constexpr std::string_view kKey = "WorkDir=";
        if (const auto at = line.find(kKey); at != std::string::npos) return line.substr(at + kKey.size());
    }
    throw Problem{"Slurm does not say the working directory of job " + job_of(options.target) + "; give --directory"};
}

// Ids of the job's running steps, JOB.STEP; empty also when Slurm does not answer.
std::vector<std::string> running_steps(const std::string &job) {
    const auto listed = run_program({"squeue", "--noheader", "--steps", "--jobs", job, "--format", "%i"});
    std::vector<std::string> steps;
    std::istringstream words(listed.status == 0 ? listed.text : "");
    for (std::string word; words >> word;) steps.push_back(word);
    return steps;
}

struct Target {
    std::string id;  // JOB.STEP
    fs::path step;   // its directory
    fs::path run;    // its newest r<N> that is not closed
    std::uint32_t incarnation = 0;
};

Target find_target(const Options &options) {
    const auto directory = checkpoint_directory(options);
    const bool step_given = options.target.find('.') != std::string::npos;
    const std::string wanted = "." + options.target + (step_given ? "" : ".");
    std::vector<Target> found;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        const auto at = step_given ? (name.ends_with(wanted) ? name.size() - wanted.size() : std::string::npos)
                                   : name.rfind(wanted);
        if (at != std::string::npos && storage::is_step(entry->path()))
            found.push_back({name.substr(at + 1), entry->path(), {}, 0});
    }
    if (error) throw Problem{"cannot list " + directory.string() + ": " + error.message()};
    if (found.empty())
        throw Problem{"no step of job " + options.target + " is checkpointed in " + directory.string() +
                      "; was it started with --checkpoint, and is that its --checkpoint-dir?"};
    if (found.size() > 1) {
        const auto running = running_steps(job_of(options.target));
        std::erase_if(found,
                      [&](const Target &target) { return std::ranges::find(running, target.id) == running.end(); });
        if (found.size() != 1)
            throw Problem{"job " + options.target +
                          (found.empty() ? " has no running step" : " has several running steps") +
                          "; name one as JOB.STEP"};
    }
    auto target = found.front();
    for (const auto &entry : fs::directory_iterator(target.step)) {
        const auto run = storage::parse_incarnation(entry.path().filename().string());
        if (!run || run->closed || (!target.run.empty() && run->number < target.incarnation)) continue;
        target.run = entry.path();
        target.incarnation = run->number;
    }
    if (target.run.empty()) throw Problem{"step " + target.id + " is not running: all its runs are closed"};
    return target;
}

struct Seen {
    std::optional<std::uint32_t> newest;     // highest number, committed or being written
    std::optional<std::uint32_t> committed;  // highest committed number
    fs::path partial;                        // being written
    std::string unserved;                    // why a program of the step cannot be checkpointed, empty if all can
};

std::string first_line(const fs::path &path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

Seen look(const fs::path &run) {
    Seen seen;
    std::error_code error;
    for (fs::directory_iterator entry(run, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(std::string(base::kUnserved) + ".")) {
            if (auto why = first_line(entry->path()); !why.empty()) seen.unserved = std::move(why);
            continue;
        }
        const auto place = storage::parse_place(entry->path());
        if (!place || name.ends_with(storage::kRetiredSuffix)) continue;
        seen.newest = std::max(seen.newest, std::optional(place->generation));
        if (name.ends_with(storage::kPartialSuffix))
            seen.partial = entry->path();
        else
            seen.committed = std::max(seen.committed, std::optional(place->generation));
    }
    if (error)
        throw Problem{"cannot list " + run.string() + ": " + error.message() + "; the step may have been restarted"};
    return seen;
}

// Lines of the log since it was last read.
class Log {
  public:
    explicit Log(const fs::path &step) : path_(step / "log") {
        std::error_code missing;
        const auto size = fs::file_size(path_, missing);
        if (!missing) at_ = static_cast<std::streamoff>(size);
    }
    std::vector<storage::LogLine> news() {
        std::vector<storage::LogLine> lines;
        std::ifstream file(path_);
        file.seekg(at_);
        for (std::string line; std::getline(file, line) && !file.eof();) {
            at_ = file.tellg();
            if (auto parsed = storage::parse_log_line(line)) lines.push_back(std::move(*parsed));
        }
        return lines;
    }

  private:
    fs::path path_;
    std::streamoff at_ = 0;
};

std::string progress_line(const Target &target, const Seen &seen) {
    if (seen.partial.empty()) return "step " + target.id + ": waiting for the ranks to agree";
    std::uint64_t files = 0, bytes = 0;
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator(seen.partial, ignored)) {
        if (entry.path().extension() == ".h5") ++files;
        bytes += entry.file_size(ignored);
    }
    return "step " + target.id + ": writing, " + std::to_string(files) + " ranks done, " + human_bytes(bytes);
}

std::uint32_t wait_for_commit(const Target &target, std::uint64_t request, const Seen &before, Log &log,
                              double timeout) {
    const auto start = Clock::now();
    auto next_question = start + std::chrono::seconds(5);
    const std::string mark = "request=" + std::to_string(request);
    Progress progress;
    for (;;) {
        const bool last_look = Clock::now() - start > std::chrono::duration<double>(timeout);
        const auto seen = look(target.run);
        // Begun before the request: cut too early to count.
        if (seen.committed > before.newest) return *seen.committed;
        for (const auto &line : log.news()) {
            if (line.incarnation != target.incarnation) continue;
            const bool ours = line.text.find(mark + " ") != std::string::npos || line.text.ends_with(mark);
            const bool later = line.generation > before.newest;
            if ((line.event == "declined" && ours) || (line.event == "failed" && (ours || later)))
                throw Problem{"step " + target.id + ": the checkpoint was not taken: " + line.text};
        }
        // Another program of the same task, beside this one, may be able to.
        if (!seen.unserved.empty() && seen.partial.empty() && Clock::now() - start > kTimeToTakeUp)
            throw Problem{"step " + target.id + " cannot be checkpointed: " + seen.unserved};
        if (last_look)
            throw Problem{"step " + target.id + ": no checkpoint within " + storage::seconds(timeout) +
                          " s; the request stays, see " + (target.step / "log").string()};
        progress.show(progress_line(target, seen));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (Clock::now() > next_question) {
            const auto running = running_steps(job_of(target.id));
            if (!running.empty() && std::ranges::find(running, target.id) == running.end())
                throw Problem{"step " + target.id + " ended before it was checkpointed"};
            next_question = Clock::now() + std::chrono::seconds(5);
        }
    }
}

std::string user_name() {
    const passwd *entry = getpwuid(getuid());
    return entry ? entry->pw_name : std::to_string(getuid());
}

int run(const Options &options) {
    try {
        const auto target = find_target(options);
        const auto before = look(target.run);
        Log log(target.step);
        const auto request = storage::write_request(target.run, user_name());
        if (!request) return fail(request.error());
        const auto signalled = run_program({"scancel", "--signal=URG", target.id});
        if (signalled.status != 0) return fail("cannot signal step " + target.id + ": " + signalled.error);
        const auto number = wait_for_commit(target, *request, before, log, options.timeout);
        const auto generation = fs::absolute(target.run / storage::generation_name(number)).lexically_normal();
        if (!options.json) {
            std::cout << generation.string() << "\n";
            return 0;
        }
        const auto manifest = storage::check_generation(generation);
        if (!manifest) return fail(manifest.error().sentence);
        std::cout << dump(to_json(*manifest)) << "\n";
        return 0;
    } catch (const Problem &problem) {
        return fail(problem.sentence);
    }
}

}  // namespace

void add_create(CLI::App &app, int &status) {
    auto options = std::make_shared<Options>();
    auto *command = app.add_subcommand("create", "take a checkpoint of a running step now, and wait for it");
    command->add_option("step", options->target, "JOB or JOB.STEP")->required();
    command->add_option(
        "--directory", options->directory,
        "the step's checkpoint directory (default: SLURM_CHECKPOINT_DIR, else the job's working directory)");
    command->add_option("--timeout", options->timeout, "seconds to wait (default 600)")->check(CLI::PositiveNumber);
    command->add_flag("--json", options->json, "print JSON");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sckpt::command
