#include "storage_hdf5/testing/rank.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "storage_hdf5/names.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage::testing {

namespace fs = std::filesystem;
using image::RegionKind;
using image::Table;

image::Ref PlanBuilder::text(std::string_view text) {
    const image::Ref ref{static_cast<std::uint32_t>(strings_.size()), static_cast<std::uint32_t>(text.size())};
    strings_ += text;
    return ref;
}

void PlanBuilder::add(Table table, const void *record, std::size_t size) {
    auto &section = sections_[static_cast<std::size_t>(table)];
    const auto *from = static_cast<const std::byte *>(record);
    section.bytes.insert(section.bytes.end(), from, from + size);
    section.record_size = size;
}

std::vector<std::byte> PlanBuilder::bytes() const {
    auto all = *this;
    all.add(Table::process, &process, sizeof process);
    auto &strings = all.sections_[static_cast<std::size_t>(Table::strings)];
    const auto text = std::as_bytes(std::span(strings_));
    strings = {{text.begin(), text.end()}, 1};

    image::Header header;
    std::vector<std::byte> plan(sizeof header);
    for (std::size_t i = 0; i < std::size(sections_); ++i) {
        const auto &section = all.sections_[i];
        plan.resize((plan.size() + 7) & ~std::size_t{7});
        header.sections[i] = {static_cast<std::uint32_t>(section.record_size), 0, plan.size(),
                              section.record_size ? section.bytes.size() / section.record_size : 0};
        plan.insert(plan.end(), section.bytes.begin(), section.bytes.end());
    }
    header.size = plan.size();
    std::memcpy(plan.data(), &header, sizeof header);
    return plan;
}

Scratch::Scratch(const fs::path &base) {
    std::string name = (base / "sckpt-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no scratch directory: " + system_error(errno));
    path_ = name;
}

Scratch::~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

namespace {

void scramble(std::byte *to, std::size_t size, unsigned seed) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < size; i += 8) {
        const std::uint64_t word = random();
        std::memcpy(to + i, &word, 8);
    }
}

int make_file(const fs::path &path, std::size_t pages) {
    std::vector<std::byte> content(pages * kPageSize);
    scramble(content.data(), content.size(), 77);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(content.data()), static_cast<std::streamsize>(content.size()));
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) throw std::runtime_error("cannot open " + path.string());
    return fd;
}

}  // namespace

std::byte *Victim::map(const std::string &what, RegionKind kind, std::size_t pages, int flags, int fd,
                       const std::string &path) {
    const std::size_t length = pages * kPageSize;
    // A page to spare on each side: neighbours of one kind would become one mapping.
    void *room = mmap(nullptr, length + 2 * kPageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *wanted = static_cast<std::byte *>(room) + kPageSize;
    auto *at = static_cast<std::byte *>(mmap(wanted, length, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0));
    if (room == MAP_FAILED || at == MAP_FAILED) throw std::runtime_error("cannot map " + what);
    owned_.emplace_back(room, length + 2 * kPageSize);
    Mapping mapping;
    mapping.what = what;
    mapping.path = path;
    mapping.region.start = reinterpret_cast<std::uint64_t>(at);
    mapping.region.length = length;
    mapping.region.protection = PROT_READ | PROT_WRITE;
    mapping.region.kind = kind;
    mapping.fresh.assign(at, at + (fd >= 0 ? length : 0));
    if (fd < 0) mapping.fresh.resize(length);
    mappings_.push_back(std::move(mapping));
    return at;
}

Victim::Victim(const fs::path &scratch) {
    constexpr int kAnonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    const auto page = [](std::byte *at, std::size_t number) { return at + number * kPageSize; };
    std::vector<std::pair<std::byte *, int>> protect;  // set once the content has been noted

    auto *sparse = map("sparse anonymous", RegionKind::anonymous, 4096, kAnonymous);
    // More than 512 separate ranges: beyond that PAGEMAP_SCAN's walk_end is not to be trusted.
    for (std::size_t i = 0; i < 4096; i += 3) scramble(page(sparse, i), kPageSize, static_cast<unsigned>(i));
    auto *mixed = map("anonymous with zeros", RegionKind::anonymous, 700, kAnonymous);
    for (std::size_t i = 0; i < 700; ++i) {
        if (i % 5 == 0) page(mixed, i)[17] = std::byte{0};  // present, and all zero
        if (i % 5 > 1) scramble(page(mixed, i), kPageSize, static_cast<unsigned>(9000 + i));
    }
    page(mixed, 699)[kPageSize - 1] = std::byte{1};  // one bit in the last byte
    std::memset(page(mixed, 699), 0, kPageSize - 1);
    auto *untouched = map("untouched anonymous", RegionKind::anonymous, 300, kAnonymous);
    volatile std::byte sink = *page(untouched, 4);  // maps the shared zero page
    (void)sink;
    auto *hidden = map("PROT_NONE", RegionKind::anonymous, 20, kAnonymous);
    scramble(hidden, 20 * kPageSize, 5);
    protect.emplace_back(hidden, PROT_NONE);
    auto *write_only = map("write only", RegionKind::anonymous, 3, kAnonymous);
    scramble(write_only, 3 * kPageSize, 6);
    protect.emplace_back(write_only, PROT_WRITE);
    auto *heap = map("heap", RegionKind::heap, 40, kAnonymous);
    scramble(page(heap, 7), 20 * kPageSize, 8);
    auto *stack = map("stack", RegionKind::stack, 16, kAnonymous);
    scramble(page(stack, 12), 4 * kPageSize, 9);
    auto *shared = map("anonymous shared", RegionKind::anonymous_shared, 64, MAP_SHARED | MAP_ANONYMOUS);
    scramble(page(shared, 10), 30 * kPageSize, 10);

    const fs::path file = scratch / "mapped";
    const int fd = make_file(file, 128);
    auto *cow = map("private file", RegionKind::file_private, 128, MAP_PRIVATE, fd, file.string());
    scramble(page(cow, 3), 2 * kPageSize, 11);
    page(cow, 50)[5] ^= std::byte{1};
    std::memset(page(cow, 90), 0, 2 * kPageSize);  // zero here, not in the file
    auto *read_only = map("untouched private file", RegionKind::file_private, 128, MAP_PRIVATE, fd, file.string());
    sink = *page(read_only, 8);
    auto *viewed = map("shared file that is only read", RegionKind::file_shared, 128, MAP_SHARED, fd, file.string());
    protect.emplace_back(viewed, PROT_READ);
    close(fd);
    const fs::path output = scratch / "written";
    const int written = make_file(output, 96);
    auto *shared_file = map("shared file", RegionKind::file_shared, 96, MAP_SHARED, written, output.string());
    scramble(page(shared_file, 40), 3 * kPageSize, 12);
    std::memset(page(shared_file, 60), 0, 2 * kPageSize);
    close(written);

    for (auto &mapping : mappings_) {
        const auto *at = reinterpret_cast<const std::byte *>(mapping.region.start);
        if (mapping.what != "untouched anonymous")
            mapping.content.assign(at, at + mapping.region.length);
        else
            mapping.content.resize(mapping.region.length);
    }
    for (const auto &[at, protection] : protect) {
        for (auto &mapping : mappings_) {
            if (mapping.region.start != reinterpret_cast<std::uint64_t>(at)) continue;
            mprotect(at, mapping.region.length, protection);
            mapping.region.protection = static_cast<std::uint32_t>(protection);
        }
    }
    note_system_regions();
    pid_ = fork();
    if (pid_ == 0) {
        for (;;) pause();
    }
}

// The program's own text, for its build-id, and the vdso.
void Victim::note_system_regions() {
    std::ifstream maps("/proc/self/maps");
    const std::string self = fs::read_symlink("/proc/self/exe");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::uint64_t start = 0, end = 0, offset = 0;
        char dash = 0;
        std::string rights, device, inode, path;
        words >> std::hex >> start >> dash >> end >> rights >> offset >> device >> inode >> path;
        const bool text = path == self && rights == "r-xp", head = path == self && offset == 0;
        if (!text && !head && path != "[vdso]") continue;
        Mapping mapping;
        mapping.what = path == "[vdso]" ? "vdso" : head ? "program's head" : "program's text";
        mapping.path = path;
        mapping.region.start = start;
        mapping.region.length = end - start;
        mapping.region.protection = text ? PROT_READ | PROT_EXEC : PROT_READ;
        mapping.region.kind = path == "[vdso]" ? RegionKind::vdso : RegionKind::file_private;
        mapping.region.file_offset = path == "[vdso]" ? 0 : offset;
        const auto *at = reinterpret_cast<const std::byte *>(start);
        mapping.content.assign(at, at + mapping.region.length);
        mapping.fresh = mapping.content;
        mappings_.push_back(std::move(mapping));
    }
    std::ranges::sort(mappings_, {}, [](const Mapping &mapping) { return mapping.region.start; });
}

Victim::~Victim() {
    if (pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    for (const auto &[at, length] : owned_) munmap(at, length);
}

PlanBuilder Victim::plan(std::uint32_t rank, std::uint32_t ranks, std::uint32_t generation,
                         std::uint32_t incarnation) const {
    PlanBuilder plan;
    auto &process = plan.process;
    process.rank = rank;
    process.world_size = ranks;
    process.generation = generation;
    process.incarnation = incarnation;
    process.pid = getpid();
    process.page_size = kPageSize;
    process.umask = 022;
    process.cut_time_ns = now_ns();
    process.monotonic_ns = 123456789;
    process.host = plan.text("node1");
    process.executable = plan.text("/usr/bin/app");
    process.arguments = plan.text(std::string_view("app\0-n\0\0last\0", 13));
    process.environment = plan.text(std::string_view("PATH=/bin\0HOME=/root\0", 21));
    process.directory = plan.text("/work dir/\xc3\xa4");
    process.cluster = plan.text("mini");
    process.job = plan.text("123.0");
    process.user = plan.text("alice");
    process.cause = plan.text("interval");
    process.fs_base = 0x7f0000001000;
    process.resume = {1, 2, 3, 4, 5, 6, 7, 8, 0x1f80, 0x37f, 0};
    process.handover = 0x7f0000002000;
    process.env_end = 0x7ffffffff000;
    for (const auto &mapping : mappings_) {
        auto region = mapping.region;
        region.device = 5;
        region.inode = 6;
        region.path = plan.text(mapping.path);
        plan.add(Table::regions, region);
    }
    plan.add(Table::files, image::File{3, -1, 1, 0, 0100644, 77, -1, 4096, 1, 2, 1'500'000'000, 7,
                                       plan.text("/tmp/out put"), plan.text("regular")});
    plan.add(Table::files,
             image::File{4, 3, 2, 1, 0010600, 0, 1LL << 40, 0, 1, 3, 0, 0, plan.text(""), plan.text("pipe")});
    plan.add(Table::pipes, image::Pipe{4, 65536, 77, 0, 12});
    plan.add(Table::sockets, image::Socket{5, -1, 128, 0, 77, 0, 0, plan.text("IPv4"), plan.text("stream"),
                                           plan.text("listening"), plan.text("127.0.0.1:80"), plan.text("")});
    plan.add(Table::descriptors, image::Descriptor{6, 77, plan.text("eventfd"), plan.text("count 3")});
    plan.add(Table::file_locks, image::FileLock{3, 1, 0, 10, plan.text("fcntl")});
    plan.add(Table::threads, image::Thread{77, 0, 0x7f0000003000, 0x7ffffff0, 1ULL << 63, plan.text("main")});
    plan.add(Table::signals, image::Signal{15, 0x10000000, 0x401000, 2});
    plan.add(Table::interval_timers, image::IntervalTimer{0, 77, 1000000, -1});
    plan.add(Table::posix_timers, image::PosixTimer{1, 1, 4, 34, 77, 2, 5000, 6000});
    plan.add(Table::communicators,
             image::Communicator{9, 4, static_cast<std::int32_t>(rank), 42, plan.text("MPI_COMM_WORLD"),
                                 plan.text("MPI_Init"), plan.text("0-3")});
    plan.add(Table::mpi_objects,
             image::MpiObject{plan.text("datatype"), plan.text("MPI_Type_vector"), plan.text("3 x 2")});
    plan.add(Table::requests, image::Request{plan.text("MPI_Irecv"), 9, -1, 5, 10, 0x500000, plan.text("active")});
    plan.add(Table::messages, image::Message{9, 2, 5, 80});
    return plan;
}

std::vector<std::byte> restored(const Image &image, std::size_t region, const std::vector<std::byte> &fresh) {
    auto content = fresh;
    const int fd = open(image.path().c_str(), O_RDONLY | O_CLOEXEC);
    const auto &info = image.regions()[region];
    for (const auto &run : image.runs().subspan(info.first_run, info.run_count)) {
        std::byte *to = &content.at(run.first_page * kPageSize);
        const std::size_t size = run.count * kPageSize;
        if (run.kind == RunKind::zero)
            std::memset(to, 0, size);
        else if (pread(fd, to, size, static_cast<off_t>(image.pages_offset() + run.offset * kPageSize)) !=
                 static_cast<ssize_t>(size))
            throw std::runtime_error("short read of " + image.path().string());
    }
    close(fd);
    return content;
}

fs::path program(const char *name) {
    return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib" / name;
}

pid_t start_writer(const std::vector<std::byte> &plan, pid_t source, const fs::path &partial, std::uint32_t rank,
                   std::uint32_t ranks, std::uint32_t keep, int *status, double timeout, std::uint64_t file_limit) {
    const int fd = memfd_create("plan", 0);
    if (write(fd, plan.data(), plan.size()) != static_cast<ssize_t>(plan.size())) throw std::runtime_error("memfd");
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    const std::vector<std::string> arguments{program("sckpt-writer"),
                                             "--plan",
                                             std::to_string(fd),
                                             "--source",
                                             std::to_string(source),
                                             "--directory",
                                             partial,
                                             "--rank",
                                             std::to_string(rank),
                                             "--ranks",
                                             std::to_string(ranks),
                                             "--keep",
                                             std::to_string(keep),
                                             "--status",
                                             std::to_string(ends[1]),
                                             "--timeout",
                                             std::to_string(timeout)};
    std::vector<char *> pointers;
    for (const auto &argument : arguments) pointers.push_back(const_cast<char *>(argument.c_str()));
    pointers.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        if (file_limit > 0) {
            const rlimit limit{file_limit, file_limit};
            setrlimit(RLIMIT_FSIZE, &limit);
        }
        const int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        execv(pointers[0], pointers.data());
        _exit(127);
    }
    close(fd);
    close(ends[1]);
    *status = ends[0];
    return pid;
}

int finish(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string drain(int fd) {
    std::string text;
    char buffer[512];
    for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
    close(fd);
    return text;
}

int save_generation(const Victim &victim, const fs::path &partial, std::uint32_t ranks, std::uint32_t keep,
                    std::string *status) {
    const auto place = parse_place(partial);
    fs::create_directories(partial);
    std::vector<pid_t> writers;
    std::vector<int> streams(ranks);
    for (std::uint32_t rank = 0; rank < ranks; ++rank) {
        const auto plan = victim.plan(rank, ranks, place->generation, place->incarnation).bytes();
        writers.push_back(start_writer(plan, victim.pid(), partial, rank, ranks, keep, &streams[rank]));
    }
    int result = 0;
    for (std::uint32_t rank = 0; rank < ranks; ++rank) {
        const auto told = drain(streams[rank]);
        if (rank == 0 && status) *status = told;
        const int code = finish(writers[rank]);
        if (rank == 0) result = code;
    }
    return result;
}

}  // namespace sckpt::storage::testing
