// The yardstick for checkpoints: raw_write FILE BYTES writes that many bytes with write() in calls of 1 MiB, as dd
// does, and fsyncs.  Prints the seconds that took, from open to the end of fsync, and removes the file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr std::size_t kCall = 1 << 20;  // bytes per write()

// Random content: a file system or a host that recognises zeros or compresses must not make the yardstick shorter.
std::vector<std::uint64_t> random_block() {
    std::vector<std::uint64_t> block(kCall / sizeof(std::uint64_t));
    std::mt19937_64 generator(1);
    std::generate(block.begin(), block.end(), generator);
    return block;
}

bool write_all(int fd, const void *data, std::uint64_t bytes) {
    while (bytes > 0) {
        const ssize_t written = write(fd, data, std::min<std::uint64_t>(bytes, kCall));
        if (written < 0 && errno != EINTR) return false;
        if (written > 0) bytes -= static_cast<std::uint64_t>(written);
    }
    return fsync(fd) == 0;
}

}  // namespace

int main(int argc, char **argv) {
    char *end = nullptr;
    const std::uint64_t bytes = argc == 3 ? std::strtoull(argv[2], &end, 10) : 0;
    if (argc != 3 || *end != '\0' || bytes == 0) {
        std::fprintf(stderr, "usage: raw_write FILE BYTES\n");
        return 2;
    }
    const auto block = random_block();
    const auto begin = std::chrono::steady_clock::now();
    const int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || !write_all(fd, block.data(), bytes)) {
        std::fprintf(stderr, "raw_write: cannot write %s: %s\n", argv[1], std::strerror(errno));
        unlink(argv[1]);
        return 1;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    close(fd);
    unlink(argv[1]);
    std::printf("%.6f\n", seconds.count());
}
