#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "storage_hdf5/pages.h"
#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace {

struct Pipe {
    storage::Descriptor out, in;
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) == 0) {
            out = storage::Descriptor(ends[0]);
            in = storage::Descriptor(ends[1]);
        }
    }
};

// False at the end of the stream.
bool read_some(int from, std::string &to) {
    char buffer[4096];
    const ssize_t got = read(from, buffer, sizeof buffer);
    if (got < 0) return errno == EINTR;
    to.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
}

}  // namespace

Output run_program(const std::vector<std::string> &arguments) {
    Pipe text, error;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, text.in.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error.in.get(), STDERR_FILENO);
    std::vector<char *> pointers;
    for (const auto &argument : arguments) pointers.push_back(const_cast<char *>(argument.c_str()));
    pointers.push_back(nullptr);
    pid_t child = 0;
    const int failed = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return {127, {}, arguments[0] + ": " + storage::system_error(failed)};
    text.in = storage::Descriptor();
    error.in = storage::Descriptor();

    Output output{0, {}, {}};
    pollfd streams[2] = {{text.out.get(), POLLIN, 0}, {error.out.get(), POLLIN, 0}};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        if (poll(streams, 2, -1) < 0 && errno != EINTR) break;
        if (streams[0].revents != 0 && !read_some(streams[0].fd, output.text)) streams[0].fd = -1;
        if (streams[1].revents != 0 && !read_some(streams[1].fd, output.error)) streams[1].fd = -1;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    while (output.error.ends_with('\n')) output.error.pop_back();
    return output;
}

}  // namespace sckpt::command
