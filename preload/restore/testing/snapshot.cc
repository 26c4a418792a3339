#include "preload/restore/testing/snapshot.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "preload/env.h"
#include "preload/restore/maps.h"
#include "preload/restore/plan.h"
#include "preload/restore/text.h"

namespace sckpt::restore::testing {

namespace {

using image::RegionKind;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLookedAt = 64 << 20;  // bytes of a region: the rest of the victim's reservation is untouched

std::string read_all(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

RegionKind kind_of(const Mapping &mapping) {
    if (mapping.name == "[heap]") return RegionKind::heap;
    if (mapping.name == "[stack]") return RegionKind::stack;
    if (mapping.name.starts_with("[vdso") || mapping.name.starts_with("[vvar")) return RegionKind::vdso;
    if (mapping.permissions[3] == 's') {
        return mapping.name.starts_with("/dev/zero") ? RegionKind::anonymous_shared : RegionKind::file_shared;
    }
    return mapping.name.starts_with('/') ? RegionKind::file_private : RegionKind::anonymous;
}

std::uint32_t protection_of(const Mapping &mapping) {
    return (mapping.permissions[0] == 'r' ? PROT_READ : 0) | (mapping.permissions[1] == 'w' ? PROT_WRITE : 0) |
           (mapping.permissions[2] == 'x' ? PROT_EXEC : 0);
}

void record_layout(const Victim &victim, image::Process &process) {
    const std::string stat = read_all(text("/proc/", victim.pid(), "/stat"));
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::vector<std::string> values{std::istream_iterator<std::string>(fields), {}};
    const auto field = [&](std::size_t number) { return std::stoull(values.at(number - 3)); };  // as in proc(5)
    process.start_code = field(26);
    process.end_code = field(27);
    process.start_stack = field(28);
    process.start_data = field(45);
    process.end_data = field(46);
    process.start_brk = field(47);
    process.arg_start = field(48);
    process.arg_end = field(49);
    process.env_start = field(50);
    process.env_end = field(51);
    process.brk = victim.mail().brk;
}

// Pages of the region as the victim sees them, through the debugger's door: protection does not matter there.
std::string contents(int memory, const SourceRegion &region) {
    std::string bytes(std::min(region.length, kLookedAt), 0);
    for (std::uint64_t at = 0; at < bytes.size(); at += kPage) {
        // Fails for pages beyond the end of a mapped file; they stay zero.
        [[maybe_unused]] const ssize_t got = pread(memory, &bytes[at], kPage, static_cast<off_t>(region.start + at));
    }
    return bytes;
}

std::string file_part(const SourceRegion &region) {
    std::string bytes(std::min(region.length, kLookedAt), 0);
    std::ifstream file(region.path, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(region.file_offset));
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return bytes;
}

template <class Record>
void put_section(std::string &plan, image::Table table, const std::vector<Record> &records) {
    plan.resize((plan.size() + 7) / 8 * 8);
    auto &section = reinterpret_cast<image::Header *>(plan.data())->sections[static_cast<std::uint32_t>(table)];
    section = {sizeof(Record), 0, plan.size(), records.size()};
    plan.append(reinterpret_cast<const char *>(records.data()), records.size() * sizeof(Record));
}

}  // namespace

Victim::Victim(const std::string &directory) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    arguments_ = {"restore_victim", "--victim", std::to_string(ends[1]), directory};
    pid_ = start("/proc/self/exe", arguments_, [&] { close(ends[0]); });
    close(ends[1]);
    const bool complete = read(ends[0], &mail_, sizeof mail_) == sizeof mail_;
    close(ends[0]);
    if (!complete) throw std::runtime_error("the victim did not report itself");
}

Victim::~Victim() { kill(); }

void Victim::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

pid_t start(const char *path, const std::vector<std::string> &arguments, const std::function<void()> &prepare) {
    std::vector<char *> pointers;
    for (const auto &argument : arguments) pointers.push_back(const_cast<char *>(argument.c_str()));
    pointers.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        prepare();
        execv(path, pointers.data());
        _exit(127);
    }
    return child;
}

void victim_main(int count, char **arguments) {
    if (count != 4 || std::strcmp(arguments[1], "--victim") != 0) return;
    if (getenv(env::kRestart) == nullptr) run_victim(std::atoi(arguments[2]), arguments[3]);
    const std::string restore = text(getenv(env::kLibrary), "/sckpt-restore");
    int status = 0;
    waitpid(start(restore.c_str(), {"sckpt-restore", "--match"}, [] {}), &status, 0);
    if (status != 0) _exit(kNoMatch + WEXITSTATUS(status));
    execl(restore.c_str(), "sckpt-restore", nullptr);
    _exit(127);
}

Source record(const Victim &victim, std::uint32_t rank, std::uint32_t world_size) {
    Source source;
    source.process.rank = rank;
    source.process.world_size = world_size;
    source.process.pid = victim.pid();
    source.process.page_size = kPage;
    source.process.fs_base = victim.mail().fs_base;
    source.process.handover = victim.mail().handover;
    std::memcpy(&source.process.resume, &victim.mail().resume, sizeof source.process.resume);
    record_layout(victim, source.process);
    const std::string process = text("/proc/", victim.pid());
    source.executable = std::filesystem::read_symlink(process + "/exe").string();
    source.arguments = read_all(process + "/cmdline");
    source.directory = std::filesystem::current_path().string();
    const auto maps = parse_maps(read_all(process + "/maps"));
    if (!maps) throw std::runtime_error(maps.error());
    for (const auto &mapping : *maps) {
        if (mapping.name == "[vsyscall]") continue;
        source.regions.push_back({mapping.start, mapping.end - mapping.start, protection_of(mapping), kind_of(mapping),
                                  mapping.offset, mapping.name, "", 0, 0});
        auto &region = source.regions.back();
        if (region.kind == RegionKind::file_shared) region.file_size = std::filesystem::file_size(region.path);
    }
    return source;
}

void store_flat(const Victim &victim, Source &source) {
    source.pages_offset = 8192;
    std::ofstream file(source.rank_file, std::ios::binary);
    file << std::string(source.pages_offset, '.');
    const int memory = open(text("/proc/", victim.pid(), "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    if (memory < 0) throw std::runtime_error("cannot read the victim's memory");
    for (std::uint64_t index = 0; index < source.regions.size(); ++index) {
        const auto &region = source.regions[index];
        const bool written = image::written_shared(region.kind, region.protection);
        if (region.kind == RegionKind::vdso && !holds_vdso_code(region)) continue;
        if (region.kind == RegionKind::file_shared && !written) continue;
        const std::string bytes = contents(memory, region);
        const std::string base =
            region.kind == RegionKind::file_private ? file_part(region) : std::string(bytes.size(), 0);
        const std::string zeros(kPage, 0);
        for (std::uint64_t page = 0; page < bytes.size() / kPage; ++page) {
            const std::string_view content(&bytes[page * kPage], kPage);
            if (!written && content == std::string_view(&base[page * kPage], kPage)) continue;
            const bool zero = content == zeros;
            source.runs.push_back({index, page, 1, zero, zero ? 0 : source.page_count});
            if (zero) continue;
            file.write(content.data(), kPage);
            ++source.page_count;
        }
    }
    close(memory);
}

int make_plan_descriptor(const Source &source) {
    std::vector<char> strings;
    const auto put = [&strings](const std::string &string) {
        const image::Ref ref{static_cast<std::uint32_t>(strings.size()), static_cast<std::uint32_t>(string.size())};
        strings.insert(strings.end(), string.begin(), string.end());
        return ref;
    };
    image::Process process = source.process;
    process.executable = put(source.executable);
    process.arguments = put(source.arguments);
    process.directory = put(source.directory);
    process.host = put("testhost");
    process.cluster = put("test");
    process.job = put("1.0");
    process.user = put("tester");
    process.cause = put("call");
    std::vector<image::Region> regions;
    for (const auto &region : source.regions) {
        struct stat file {};
        const bool found = region.path.starts_with('/') && stat(region.path.c_str(), &file) == 0;
        regions.push_back({region.start, region.length, region.protection, region.kind, region.attributes,
                           region.page_kib, region.file_offset, found ? file.st_dev : 0, found ? file.st_ino : 0, put(region.path)});
    }
    std::vector<image::File> files;
    for (const auto &file : source.files) {
        image::File record{};
        record.descriptor = file.descriptor;
        record.shares_with = file.shares_with;
        record.flags = file.flags;
        record.mode = file.mode;
        record.path = put(file.path);
        files.push_back(record);
    }
    image::Header header{};
    std::string plan(reinterpret_cast<const char *>(&header), sizeof header);
    const std::uint32_t sizes[] = {1,
                                   sizeof(image::Process),
                                   sizeof(image::Region),
                                   sizeof(image::File),
                                   sizeof(image::Pipe),
                                   sizeof(image::Socket),
                                   sizeof(image::Descriptor),
                                   sizeof(image::FileLock),
                                   sizeof(image::Thread),
                                   sizeof(image::Signal),
                                   sizeof(image::IntervalTimer),
                                   sizeof(image::PosixTimer),
                                   sizeof(image::Communicator),
                                   sizeof(image::MpiObject),
                                   sizeof(image::Request),
                                   sizeof(image::Message)};
    static_assert(std::size(sizes) == static_cast<std::size_t>(image::Table::count));
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
        reinterpret_cast<image::Header *>(plan.data())->sections[i] = {sizes[i], 0, sizeof header, 0};
    }
    put_section(plan, image::Table::strings, strings);
    put_section(plan, image::Table::process, std::vector{process});
    put_section(plan, image::Table::regions, regions);
    put_section(plan, image::Table::files, files);
    reinterpret_cast<image::Header *>(plan.data())->size = plan.size();
    const int fd = memfd_create("plan", 0);
    if (fd < 0 || write(fd, plan.data(), plan.size()) != static_cast<ssize_t>(plan.size())) {
        throw std::runtime_error("cannot write the plan");
    }
    return fd;
}

}  // namespace sckpt::restore::testing
