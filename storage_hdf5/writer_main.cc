// sckpt-writer: run by a rank at a checkpoint, outside of it.  Reads the plan and the memory of the snapshot, writes
// rankNNNNN.h5; the one of rank 0 also commits the generation.  What has been reached is told on --status, one line
// each: read, done, committed, failed: SENTENCE.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "storage_hdf5/commit.h"
#include "storage_hdf5/plan.h"
#include "storage_hdf5/text.h"
#include "storage_hdf5/writer.h"

namespace {

namespace fs = std::filesystem;
using namespace sckpt::storage;

struct Arguments {
    int plan = -1;
    int status = -1;
    int go = -1;
    pid_t source = 0;
    fs::path directory;
    std::uint32_t rank = 0;
    std::uint32_t ranks = 1;
    std::uint32_t keep = 1;
    unsigned threads = 2;
    double timeout = 600;
};

// Slurm signals every process of a step, this one too, and a limit of the job's is no reason to leave a file half
// written: everything that can be ignored is, and writes report EFBIG or EPIPE instead.
void ignore_signals() {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGURG, SIGXFSZ,
                             SIGXCPU, SIGTSTP, SIGTTIN, SIGTTOU, SIGVTALRM, SIGPROF})
        signal(number, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The rank's descriptors are the application's: a pipe that stays open here would not end there.
void close_others(int a, int b) {
    const unsigned low = static_cast<unsigned>(std::min(a, b)), high = static_cast<unsigned>(std::max(a, b));
    const auto close_between = [](unsigned first, unsigned last) {
        if (first <= last) syscall(SYS_close_range, first, last, 0U);
    };
    if (low > 3) close_between(3, low - 1);
    if (low >= 3) close_between(low + 1, high - 1);
    close_between(std::max(high + 1, 3U), ~0U);
}

// A rank that is read in place first has to come to rest.
bool await_go(int descriptor) {
    if (descriptor < 0) return true;
    char byte;
    ssize_t got;
    do got = read(descriptor, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

void tell(const Arguments &arguments, std::string line) {
    line += '\n';
    ssize_t written;
    do written = write(arguments.status, line.data(), line.size());
    while (written < 0 && errno == EINTR);
}

int fail(const Arguments &arguments, const std::string &sentence) {
    std::fprintf(stderr, "sckpt: error: checkpoint of rank %u: %s\n", arguments.rank, sentence.c_str());
    tell(arguments, "failed: " + one_line(sentence));
    return 1;
}

std::expected<void, std::string> write_own(const Arguments &arguments) {
    auto plan = Plan::read(arguments.plan);
    if (!plan) return std::unexpected(plan.error());
    if (plan->process().rank != arguments.rank || plan->process().world_size != arguments.ranks)
        return std::unexpected("the plan is of rank " + std::to_string(plan->process().rank) + " of " +
                               std::to_string(plan->process().world_size) + ", not of rank " +
                               std::to_string(arguments.rank) + " of " + std::to_string(arguments.ranks));
    // Only rank 0 may have to make it, and only below a run that is not closed.  Another rank that does not find it is
    // late: the generation has been given up, and must not begin to exist again.
    if (arguments.rank == 0 && mkdir(arguments.directory.c_str(), 0700) != 0 && errno != EEXIST)
        return std::unexpected("cannot create " + arguments.directory.string() + ": " + system_error(errno));
    if (access(arguments.directory.c_str(), X_OK) != 0)
        return std::unexpected("cannot write to " + arguments.directory.string() + ": " + system_error(errno) +
                               (errno == ENOENT ? "; this checkpoint has been given up" : ""));
    const auto written = write_image(
        {*plan, arguments.source, arguments.directory, arguments.threads, true, [&] { tell(arguments, "read"); }});
    if (!written) return std::unexpected(written.error());
    return {};
}

int run(const Arguments &arguments) {
    if (auto written = write_own(arguments); !written) {
        if (arguments.rank == 0)
            abandon(arguments.directory, "rank 0: " + written.error());
        else
            mark_failed(arguments.directory, arguments.rank, written.error());
        return fail(arguments, written.error());
    }
    tell(arguments, "done");
    if (arguments.rank != 0) return 0;
    CommitRequest request;
    request.partial = arguments.directory;
    request.ranks = arguments.ranks;
    request.keep = arguments.keep;
    request.timeout = arguments.timeout;
    if (auto committed = commit(request); !committed) return fail(arguments, committed.error());
    tell(arguments, "committed");
    return 0;
}

}  // namespace

int main(int argc, char **argv) {
    ignore_signals();
    umask(077);
    Arguments arguments;
    CLI::App app{"Writes the checkpoint of one rank; run by libsckpt.so, not by hand.", "sckpt-writer"};
    app.add_option("--plan", arguments.plan, "descriptor of the plan")->required();
    app.add_option("--status", arguments.status, "descriptor that is told what has been reached")->required();
    app.add_option("--go", arguments.go, "descriptor from which a byte is awaited before the memory is read");
    app.add_option("--source", arguments.source, "process whose memory is saved")->required();
    app.add_option("--directory", arguments.directory, "<step>/r<N>/<generation>.partial")->required();
    app.add_option("--rank", arguments.rank)->required();
    app.add_option("--ranks", arguments.ranks)->required()->check(CLI::PositiveNumber);
    app.add_option("--keep", arguments.keep, "valid generations to keep")->check(CLI::PositiveNumber);
    app.add_option("--threads", arguments.threads, "threads that read memory")->check(CLI::Range(1, 64));
    app.add_option("--timeout", arguments.timeout, "seconds rank 0 waits for the others");
    CLI11_PARSE(app, argc, argv);
    arguments.directory = fs::absolute(arguments.directory).lexically_normal();
    if (!await_go(arguments.go)) return fail(arguments, "the rank ended before its memory could be read");
    close_others(arguments.plan, arguments.status);
    try {
        return run(arguments);
    } catch (const std::exception &error) {
        return fail(arguments, error.what());
    }
}
