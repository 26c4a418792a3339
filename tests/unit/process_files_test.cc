// Descriptors: what is found at the cut, and that a restored process has the same.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "preload/files.h"
#include "preload/wrap.h"
#include "tests/process/copy.h"

using namespace sckpt;
using namespace testing_process;

namespace {

class Files : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/sckpt_files_XXXXXX";
        directory = mkdtemp(name);
    }
    void TearDown() override {
        for (int fd = 3; fd < 400; ++fd) close(fd);
        std::filesystem::remove_all(directory);
    }
    std::string path(const char *leaf) const { return directory + "/" + leaf; }
    Plan record() {
        EXPECT_EQ(blocker_files(), nullptr) << blocker_files();
        Plan plan;
        EXPECT_EQ(record_files(plan, false), nullptr);
        return plan;
    }
    std::string directory;
};

long offset(int fd) { return lseek(fd, 0, SEEK_CUR); }
std::string content(const std::string &path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}
const image::File *row_of(const Plan &plan, int fd) {
    for (const image::File &row : plan.files)
        if (row.descriptor == fd) return &row;
    return nullptr;
}

TEST_F(Files, NumbersFlagsOffsetsAndSharingComeBack) {
    const int first = open(path("file").c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    const int second = dup(first), high = fcntl(first, F_DUPFD_CLOEXEC, 200);
    const int own = open(path("file").c_str(), O_RDONLY),
              log = open(path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ASSERT_EQ(write(first, "0123456789", 10), 10);
    ASSERT_EQ(write(log, "before", 6), 6);
    lseek(second, 4, SEEK_SET);
    lseek(own, 7, SEEK_SET);
    const Plan plan = record();
    ASSERT_NE(row_of(plan, first), nullptr);
    EXPECT_EQ(row_of(plan, first)->thread, static_cast<unsigned>(gettid()));
    EXPECT_EQ(row_of(plan, first)->size, 10);
    EXPECT_EQ(row_of(plan, high)->shares_with, first);
    EXPECT_EQ(row_of(plan, own)->shares_with, -1);
    EXPECT_EQ(plan.text(row_of(plan, log)->path), path("log"));
    // What is written after the cut is to go.
    ASSERT_EQ(write(log, " after", 6), 6);
    ASSERT_EQ(pwrite(first, "x", 1, 20), 1);
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_files());
                  wrong += differs("first", offset(first), 4);
                  wrong += differs("own", offset(own), 7);
                  lseek(second, 6, SEEK_SET);
                  wrong += differs("high", offset(high), 6);
                  wrong += differs("own", offset(own), 7);
                  wrong += differs("flags of high", fcntl(high, F_GETFD), FD_CLOEXEC);
                  wrong += differs("of second", fcntl(second, F_GETFD), 0);
                  wrong += differs("append", fcntl(log, F_GETFL) & (O_APPEND | O_ACCMODE), O_APPEND | O_WRONLY);
                  if (write(log, "!", 1) != 1) wrong += "cannot write";
                  for (int fd = 3; fd < 400; ++fd)
                      if (!row_of(plan, fd) && fcntl(fd, F_GETFD) >= 0)
                          wrong += "descriptor " + std::to_string(fd) + " is open";
                  return wrong;
              }),
              "");
    EXPECT_EQ(content(path("log")), "before!");
    EXPECT_EQ(content(path("file")), "0123456789");
}

TEST_F(Files, AFileThatIsGoneOrShorterIsNamed) {
    const int fd = open(path("file").c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(write(fd, "0123456789", 10), 10);
    record();
    ASSERT_EQ(ftruncate(fd, 3), 0);
    EXPECT_EQ(in_restored_copy([] { return why(restore_files()); }),
              "the file " + path("file") + " has 3 bytes, at the checkpoint it had 10\n");
    unlink(path("file").c_str());
    EXPECT_EQ(in_restored_copy([] { return why(restore_files()); }),
              "cannot open " + path("file") + " (descriptor " + std::to_string(fd) + "): No such file or directory\n");
}

TEST_F(Files, PipesKeepWhatIsInThem) {
    int full[2], half[2];
    ASSERT_EQ(pipe2(full, O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(pipe(half), 0);
    const std::string data(50000, 'p');
    ASSERT_EQ(write(full[1], data.data(), data.size()), static_cast<long>(data.size()));
    ASSERT_EQ(write(half[1], "abc", 3), 3);
    close(half[1]);
    record();
    auto check = [&] {
        std::string wrong, got(60000, 0);
        wrong += differs("full", read(full[0], got.data(), got.size()), 50000);
        wrong += differs("then", read(full[0], got.data(), 1), -1);
        wrong += differs("errno", errno, EAGAIN);
        wrong += differs("half", read(half[0], got.data(), 10), 3);
        wrong += differs("end", read(half[0], got.data(), 10), 0);
        wrong += differs("flags", fcntl(full[0], F_GETFD), FD_CLOEXEC);
        wrong += differs("mode", fcntl(full[1], F_GETFL) & O_ACCMODE, O_WRONLY);
        if (write(full[1], "z", 1) != 1 || read(full[0], got.data(), 1) != 1 || got[0] != 'z') wrong += "not connected";
        return wrong;
    };
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_files());
                  wrong += check();
                  return wrong;
              }),
              "");
    EXPECT_EQ(check(), "") << "the record must have changed nothing";
}

TEST_F(Files, NamelessFilesKeepTheirContent) {
    const int fd = open(path("scratch").c_str(), O_RDWR | O_CREAT, 0600),
              other = open(path("scratch").c_str(), O_RDONLY);
    ASSERT_EQ(write(fd, "scratch data", 12), 12);
    unlink(path("scratch").c_str());
    lseek(fd, 3, SEEK_SET);
    const int memory = memfd_create("cache", MFD_CLOEXEC);
    ASSERT_EQ(write(memory, "cached", 6), 6);
    record();
    EXPECT_EQ(in_restored_copy([&] {
                  char got[32] = {};
                  std::string wrong = why(restore_files());
                  wrong += differs("offset", offset(fd), 3);
                  wrong += differs("size", pread(fd, got, sizeof got, 0), 12);
                  if (strcmp(got, "scratch data") != 0) wrong += got;
                  pwrite(fd, "S", 1, 0);
                  if (pread(other, got, 1, 0) != 1 || got[0] != 'S') wrong += "two files instead of one";
                  wrong += differs("memory", pread(memory, got, sizeof got, 0), 6);
                  wrong += differs("its offset", offset(memory), 6);
                  return wrong;
              }),
              "");
}

TEST_F(Files, EventsTimersSignalsAndEpollComeBack) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int counter = eventfd(5, EFD_SEMAPHORE | EFD_NONBLOCK), poller = epoll_create1(EPOLL_CLOEXEC);
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    const int signals = signalfd(-1, &set, SFD_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0x123456789abcull}};
    ASSERT_EQ(epoll_ctl(poller, EPOLL_CTL_ADD, ends[0], &event), 0);
    const itimerspec armed{{7, 0}, {1000, 0}};
    timerfd_settime(timer, 0, &armed, nullptr);
    record();
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_files());
                  eventfd_t value = 0;
                  wrong += differs("read", eventfd_read(counter, &value), 0);
                  wrong += differs("semaphore", value, 1);
                  epoll_event got{};
                  wrong += differs("nothing", epoll_wait(poller, &got, 1, 0), 0);
                  if (write(ends[1], "x", 1) != 1) wrong += "cannot write";
                  wrong += differs("event", epoll_wait(poller, &got, 1, 1000), 1);
                  wrong += differs("data", got.data.u64, 0x123456789abcull);
                  itimerspec now{};
                  timerfd_gettime(timer, &now);
                  wrong += differs("interval", now.it_interval.tv_sec, 7);
                  if (now.it_value.tv_sec < 900 || now.it_value.tv_sec > 1000) wrong += "timer lost";
                  sys::tgkill(sys::getpid(), sys::gettid(), SIGUSR1);
                  signalfd_siginfo info{};
                  wrong += differs("signal", read(signals, &info, sizeof info), sizeof info);
                  return wrong;
              }),
              "");
}

TEST_F(Files, AnEventfdTellsItsKindWhereTheKernelDoesNot) {
    for (const unsigned count : {0u, 1u, 2u, 7u})
        for (const int flags : {0, int{EFD_SEMAPHORE}}) {
            OpenFile file;
            file.fd = eventfd(count, flags | EFD_NONBLOCK);
            file.kind = FileKind::eventfd;
            file.facts = "pos:\t0\neventfd-count:                " + std::to_string(count) + "\n";
            ASSERT_TRUE(copy_content(file));
            EXPECT_EQ(file.semaphore, flags != 0) << count;
            std::uint64_t sum = 0, got = 0;
            while (read(file.fd, &got, sizeof got) == sizeof got) sum += got;
            EXPECT_EQ(sum, count) << "it holds what it held";
            close(file.fd);
        }
}

TEST_F(Files, DevicesDirectoriesAndStreams) {
    const int null = open("/dev/null", O_WRONLY), here = open(directory.c_str(), O_RDONLY | O_DIRECTORY),
              saved_output = dup(1);
    record();
    EXPECT_EQ(in_restored_copy([&] {
                  struct stat a, b;
                  std::string wrong = why(restore_files());
                  fstat(1, &a);
                  fstat(saved_output, &b);
                  wrong += differs("output", a.st_ino, b.st_ino);
                  fstat(null, &a);
                  wrong += differs("device", S_ISCHR(a.st_mode), true);
                  wrong += differs("mode", fcntl(null, F_GETFL) & O_ACCMODE, O_WRONLY);
                  fstat(here, &a);
                  wrong += differs("directory", S_ISDIR(a.st_mode), true);
                  return wrong;
              }),
              "");
}

TEST_F(Files, AStandardStreamThatIsAFileOfTheProgramIsOneAgain) {
    const int kept = dup(0), file = open(path("input").c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(write(file, "0123456789", 10), 10);
    lseek(file, 5, SEEK_SET);
    dup2(file, 0);
    close(file);
    record();
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_files());
                  wrong += differs("offset", offset(0), 5);
                  wrong += differs("closed", fcntl(file, F_GETFD), -1);
                  return wrong;
              }),
              "");
    dup2(kept, 0);
}

TEST_F(Files, LocksAreTakenAgain) {
    const int fd = open(path("file").c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(flock(fd, LOCK_EX), 0);
    record();
    close(fd);
    EXPECT_EQ(in_restored_copy([&] {
                  std::string wrong = why(restore_files());
                  const int other = open(path("file").c_str(), O_RDWR);
                  wrong += differs("lock", flock(other, LOCK_EX | LOCK_NB), -1);
                  return wrong;
              }),
              "");
}

TEST_F(Files, WhatCannotComeBackIsNamed) {
    auto refusal = [] {
        const char *sentence = blocker_files();
        return std::string(sentence ? sentence : "");
    };
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    EXPECT_EQ(refusal(), "");
    mark_own_descriptor(pair[1]);
    EXPECT_EQ(refusal(), "descriptor " + std::to_string(pair[0]) + " is a Unix-domain connection, in another process");
    unmark_own_descriptor(pair[1]);
    const int passed = open("/dev/null", O_RDONLY);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    char byte = 'x';
    iovec part{&byte, 1};
    msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
    *CMSG_FIRSTHDR(&message) = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &passed, sizeof passed);
    ASSERT_EQ(sendmsg(pair[0], &message, 0), 1);
    close(passed);
    EXPECT_EQ(refusal(),
              "descriptor " + std::to_string(pair[1]) + " is a socket to which descriptors are on their way");
    close(pair[0]);
    close(pair[1]);
    const int kernel = socket(AF_NETLINK, SOCK_RAW, 0);
    EXPECT_EQ(refusal(), "descriptor " + std::to_string(kernel) + " is a netlink socket");
    close(kernel);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
    ASSERT_EQ(listen(server, 1), 0);
    getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
    const std::string port = std::to_string(ntohs(address.sin_port));
    EXPECT_EQ(refusal(), "");
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(connect(client, reinterpret_cast<sockaddr *>(&address), length), 0);
    mark_own_descriptor(server);
    EXPECT_EQ(refusal(), "descriptor " + std::to_string(client) + " is a TCP connection to 127.0.0.1:" + port);
    unmark_own_descriptor(server);
    EXPECT_EQ(refusal(), "");
    mark_own_descriptor(client);
    EXPECT_EQ(refusal(), "descriptor " + std::to_string(server) + " is a TCP socket that listens on 127.0.0.1:" + port +
                             ", where a connection from outside waits to be accepted");
    unmark_own_descriptor(client);
    close(server);
    close(client);
    const int watch = inotify_init1(0);
    EXPECT_EQ(refusal(), "");
    ASSERT_EQ(inotify_add_watch(watch, directory.c_str(), IN_CREATE), 1);
    close(open(path("new").c_str(), O_CREAT | O_WRONLY, 0600));
    EXPECT_EQ(refusal(),
              "descriptor " + std::to_string(watch) + " is an inotify instance with events that have not been read");
    mark_own_descriptor(watch);
    EXPECT_EQ(refusal(), "");
    unmark_own_descriptor(watch);
    close(watch);
    EXPECT_EQ(refusal(), "");
}

TEST_F(Files, APipeToAnotherProcessIsRefused) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        char byte;
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ends[0]);
    const char *sentence = blocker_files();
    ASSERT_NE(sentence, nullptr);
    EXPECT_NE(std::string(sentence).find("is a pipe to another process"), std::string::npos) << sentence;
    close(ends[1]);
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

}  // namespace
