// srun blocks signals and has threads: posix_spawn (no code of ours between fork and exec) with a clean signal state,
// so that an interrupt from the terminal ends the program.
#include "spank_plugin/run.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace sckpt::plugin {
namespace {

constexpr std::size_t kCollected = 64 * 1024;

class Pipe {
  public:
    Pipe() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
    }
    ~Pipe() {
        for (const int fd : ends_) {
            if (fd >= 0) close(fd);
        }
    }
    Pipe(const Pipe &) = delete;
    Pipe &operator=(const Pipe &) = delete;
    bool good() const { return ends_[0] >= 0; }
    int reader() const { return ends_[0]; }
    int writer() const { return ends_[1]; }
    void close_writer() { close(std::exchange(ends_[1], -1)); }

  private:
    std::array<int, 2> ends_{-1, -1};
};

struct SpawnSetup {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    SpawnSetup() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSetup(const SpawnSetup &) = delete;
    SpawnSetup &operator=(const SpawnSetup &) = delete;
};

// False at the end of the stream.  What goes beyond kCollected is read and dropped, so that the program is not blocked.
bool collect(int fd, std::string &text) {
    std::array<char, 4096> buffer;
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    text.append(buffer.data(), std::min(static_cast<std::size_t>(got), kCollected - text.size()));
    return got > 0;
}

void drain(Pipe &output, Pipe &error, Finished &finished) {
    std::array<pollfd, 2> waiting = {{{output.reader(), POLLIN, 0}, {error.reader(), POLLIN, 0}}};
    std::array<std::string *, 2> texts = {&finished.output, &finished.error};
    while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
        if (poll(waiting.data(), waiting.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return;
        }
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            if (waiting[i].revents != 0 && !collect(waiting[i].fd, *texts[i])) waiting[i].fd = -1;
        }
    }
}

}  // namespace

std::expected<Finished, std::string> run_program(const std::vector<std::string> &words) {
    const auto failed = [&](int error) {
        return std::unexpected("cannot run " + words[0] + ": " + std::strerror(error));
    };
    Pipe output, error;
    if (!output.good() || !error.good()) return failed(errno);
    SpawnSetup setup;
    posix_spawn_file_actions_addopen(&setup.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&setup.files, output.writer(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&setup.files, error.writer(), STDERR_FILENO);

    std::vector<char *> arguments, environment;
    for (const auto &word : words) arguments.push_back(const_cast<char *>(word.c_str()));
    arguments.push_back(nullptr);
    for (char **variable = environ; *variable != nullptr; ++variable) {
        if (!std::string_view(*variable).starts_with("LD_PRELOAD=")) environment.push_back(*variable);
    }
    environment.push_back(nullptr);

    pid_t pid = -1;
    if (const int code =
            posix_spawn(&pid, arguments[0], &setup.files, &setup.attributes, arguments.data(), environment.data())) {
        return failed(code);
    }
    output.close_writer();
    error.close_writer();
    Finished finished;
    drain(output, error, finished);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return failed(errno);
    }
    if (WIFEXITED(status)) {
        finished.exit_code = WEXITSTATUS(status);
    } else {
        finished.exit_code = -1;
        finished.error += words[0] + " was ended by signal " + std::to_string(WTERMSIG(status)) + "\n";
    }
    return finished;
}

}  // namespace sckpt::plugin
