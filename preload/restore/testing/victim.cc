#include "preload/restore/testing/victim.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include "preload/restore/handover.h"

namespace sckpt::restore::testing {

namespace {

constexpr std::size_t kPage = 4096, kPages = 64, kBytes = kPage * kPages;

constexpr std::size_t kReservation = 1ull << 42;

Handover handover;
thread_local std::string per_thread = "of the main thread";
int failures = 0;

void expect(bool condition, const char *what) {
    if (condition) return;
    ++failures;
    std::fprintf(stderr, "victim: not as it was: %s\n", what);
}

unsigned char pattern(std::size_t seed, std::size_t i) {
    return static_cast<unsigned char>(seed * 131 + i * 7 + i / kPage);
}

void fill(unsigned char *bytes, std::size_t seed) {
    for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = pattern(seed, i);
}

bool filled(const unsigned char *bytes, std::size_t seed) {
    for (std::size_t i = 0; i < kBytes; ++i) {
        if (bytes[i] != pattern(seed, i)) return false;
    }
    return true;
}

unsigned char *anonymous(int flags = MAP_PRIVATE) {
    void *bytes = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) std::abort();
    return static_cast<unsigned char *>(bytes);
}

unsigned char *file(const std::string &path, std::size_t seed, int flags) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    std::string content(kBytes, 0);
    fill(reinterpret_cast<unsigned char *>(content.data()), seed);
    if (fd < 0 || write(fd, content.data(), kBytes) != static_cast<ssize_t>(kBytes)) std::abort();
    void *bytes = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (bytes == MAP_FAILED) std::abort();
    close(fd);
    return static_cast<unsigned char *>(bytes);
}

// Deep enough to grow the stack beyond what was mapped.
std::size_t deep(std::size_t levels) {
    volatile char frame[8192];
    frame[levels % sizeof frame] = 1;
    return levels == 0 ? 0 : deep(levels - 1) + static_cast<std::size_t>(frame[levels % sizeof frame]);
}

class Memory {
  public:
    explicit Memory(const std::string &directory) {
        for (int i = 0; i < 5000; ++i) tree_[i * 7919 % 5000] = std::to_string(i);
        fill(writable_, 1);
        fill(read_only_, 2);
        fill(closed_, 3);
        fill(shared_, 4);
        mprotect(read_only_, kBytes, PROT_READ);
        mprotect(closed_, kBytes, PROT_NONE);
        std::memset(writable_ + 10 * kPage, 0, kPage);
        if (reserved_ != MAP_FAILED) std::memset(reserved_, 'r', kPage);
        private_file_ = file(directory + "/data", 5, MAP_PRIVATE);
        shared_file_ = file(directory + "/shared", 6, MAP_SHARED);
        std::memset(shared_file_ + 7 * kPage, 0, kPage);
        std::memset(private_file_ + 3 * kPage, 0, kPage);
        std::memset(private_file_ + 5 * kPage, 'x', kPage);
        mprotect(private_file_, kBytes, PROT_READ);
    }

    void check() {
        bool same = tree_.size() == 5000;
        for (int i = 0; i < 5000; ++i) same = same && tree_[i * 7919 % 5000] == std::to_string(i);
        expect(same, "heap");
        bool zero = true;
        for (std::size_t i = 0; i < kPage; ++i) zero = zero && writable_[10 * kPage + i] == 0;
        expect(zero, "zero page of anonymous memory");
        for (std::size_t i = 0; i < kPage; ++i) writable_[10 * kPage + i] = pattern(1, 10 * kPage + i);
        expect(filled(writable_, 1), "anonymous memory");
        expect(filled(read_only_, 2), "read-only memory");
        expect(!writable_by_write(read_only_), "protection of read-only memory");
        expect(!readable_by_write(closed_), "protection of closed memory");
        mprotect(closed_, kBytes, PROT_READ);
        expect(filled(closed_, 3), "closed memory");
        expect(filled(shared_, 4), "shared memory");
        expect(reserved_ == MAP_FAILED || static_cast<char *>(reserved_)[123] == 'r', "a large reservation");
        check_files();
    }

  private:
    void check_files() {
        expect(private_file_[3 * kPage + 17] == 0, "zeroed page of a file mapping");
        expect(private_file_[5 * kPage + 17] == 'x', "changed page of a file mapping");
        mprotect(private_file_, kBytes, PROT_READ | PROT_WRITE);
        for (std::size_t page : {3, 5}) {
            for (std::size_t i = 0; i < kPage; ++i) private_file_[page * kPage + i] = pattern(5, page * kPage + i);
        }
        expect(filled(private_file_, 5), "unchanged pages of a file mapping");
        bool zero = true;
        for (std::size_t i = 7 * kPage; i < 8 * kPage; ++i) zero = zero && shared_file_[i] == 0;
        expect(zero, "zero page of a shared file mapping");
        for (std::size_t i = 7 * kPage; i < 8 * kPage; ++i) shared_file_[i] = pattern(6, i);
        expect(filled(shared_file_, 6), "shared file mapping");
        shared_file_[0] ^= 0xff;
        expect(msync(shared_file_, kBytes, MS_SYNC) == 0, "writing through a shared file mapping");
    }

    // The kernel reports EFAULT where the program itself would be killed.
    static bool readable_by_write(const unsigned char *bytes) {
        int ends[2];
        if (pipe(ends) != 0) return false;
        const bool result = write(ends[1], bytes, 1) == 1;
        close(ends[0]);
        close(ends[1]);
        return result;
    }
    static bool writable_by_write(unsigned char *bytes) {
        int ends[2];
        if (pipe(ends) != 0) return false;
        const unsigned char same = bytes[0];
        const bool result = write(ends[1], &same, 1) == 1 && read(ends[0], bytes, 1) == 1;
        close(ends[0]);
        close(ends[1]);
        return result;
    }

    std::map<int, std::string> tree_;
    // More than a machine has; refused from the start where the system never overcommits.
    void *reserved_ =
        mmap(nullptr, kReservation, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    unsigned char *writable_ = anonymous(), *read_only_ = anonymous(), *closed_ = anonymous(),
                  *shared_ = anonymous(MAP_SHARED), *private_file_ = nullptr, *shared_file_ = nullptr;
};

bool has_variable(const char *wanted) {
    const auto *at = reinterpret_cast<const char *>(handover.environment);
    const char *end = at + handover.environment_length;
    for (; at < end; at += std::strlen(at) + 1) {
        if (std::strcmp(at, wanted) == 0) return true;
    }
    return false;
}

void check_handover(int old_pid) {
    expect(handover.restored == 1, "hand-over");
    expect(syscall(SYS_getpid) != old_pid, "a new process");
    expect(has_variable("SCKPT_TEST_VARIABLE=of the new step"), "new environment");
    expect(has_variable("LD_PRELOAD=/of/the/new/step.so"), "LD_PRELOAD put back");
    expect(!has_variable("LD_PRELOAD=/of/the/restorer.so"), "one LD_PRELOAD");
    expect(std::strlen(reinterpret_cast<const char *>(handover.generation)) > 0, "path of the generation");
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t since = now.tv_sec * 1'000'000'000 + now.tv_nsec - handover.started_ns;
    expect(since > 0 && since < 300'000'000'000, "time of the restore's beginning");
    expect(munmap(reinterpret_cast<void *>(handover.restorer_start), handover.restorer_length) == 0,
           "unmapping the restorer");
}

void check_kernel_state(std::uint64_t brk) {
    sigset_t blocked;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &blocked, 8);
    expect(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGCHLD) == 1, "blocked signals");
    expect(syscall(SYS_brk, 0) == static_cast<long>(brk), "program break");
    for (int fd = 3; fd < 1024; ++fd) expect(fcntl(fd, F_GETFD) < 0, "closed descriptors");
    expect(std::fegetround() == FE_TOWARDZERO, "rounding mode");
    char *arguments[8] = {};
    expect(arguments[0] == nullptr, "zeroed stack");
}

void check_running_on() {
    expect(per_thread == "of the main thread", "thread-local storage");
    timespec now{};
    expect(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec > 0, "the clock of the vdso");
    try {
        throw std::runtime_error("thrown after the restore");
    } catch (const std::exception &exception) {
        expect(std::string(exception.what()) == "thrown after the restore", "exceptions");
    }
    expect(deep(200) == 200, "growing the stack");
    std::string big(64 << 20, 'b');
    expect(big[12345678] == 'b', "large allocations");
    int result = 0;
    std::thread([&result] { result = static_cast<int>(per_thread.size()); }).join();
    expect(result == 18, "new threads");
    expect(sbrk(1 << 20) != reinterpret_cast<void *>(-1), "growing the program break");
}

}  // namespace

void run_victim(int mailbox, const char *directory) {
    alarm(120);  // whatever becomes of the test, this process ends
    Memory memory(directory);
    unsigned char on_stack[kBytes];
    fill(on_stack, 9);
    std::fesetround(FE_TOWARDZERO);
    const int old_pid = static_cast<int>(syscall(SYS_getpid));

    Mail mail{};
    mail.handover = reinterpret_cast<std::uint64_t>(&handover);
    syscall(SYS_arch_prctl, ARCH_GET_FS, &mail.fs_base);
    mail.brk = static_cast<std::uint64_t>(syscall(SYS_brk, 0));
    if (sckpt_save_context(&mail.resume) == 0) {
        if (write(mailbox, &mail, sizeof mail) != sizeof mail) std::abort();
        for (;;) pause();
    }
    check_handover(old_pid);
    check_kernel_state(mail.brk);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    expect(filled(on_stack, 9), "stack");
    memory.check();
    check_running_on();
    std::exit(failures == 0 ? 0 : 1);
}

}  // namespace sckpt::restore::testing
