#include "storage_hdf5/facts.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "storage_hdf5/reader.h"

namespace sckpt::storage {

namespace {

constexpr std::size_t kMaxHeaders = 64;   // program headers looked at
constexpr std::size_t kMaxNotes = 65536;  // bytes of notes looked at

std::string id_in_notes(const std::vector<std::byte> &notes) {
    const auto padded = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
    for (std::uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
        Elf64_Nhdr note;
        std::memcpy(&note, &notes[at], sizeof note);
        const auto name = at + sizeof note;
        const auto content = name + padded(note.n_namesz);
        const auto next = content + padded(note.n_descsz);
        if (content + note.n_descsz > notes.size()) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(&notes[name], "GNU", 4) == 0) {
            constexpr char kDigits[] = "0123456789abcdef";
            std::string text;
            for (std::uint32_t i = 0; i < note.n_descsz; ++i) {
                const auto byte = std::to_integer<unsigned>(notes[content + i]);
                text += kDigits[byte >> 4];
                text += kDigits[byte & 15];
            }
            return text;
        }
        at = next;
    }
    return {};
}

}  // namespace

std::string elf_build_id(const ReadAt &read) {
    Elf64_Ehdr header;
    if (read(0, reinterpret_cast<std::byte *>(&header), sizeof header) != sizeof header ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        return {};
    std::vector<Elf64_Phdr> segments(std::min<std::size_t>(header.e_phnum, kMaxHeaders));
    const auto bytes = segments.size() * sizeof(Elf64_Phdr);
    if (read(header.e_phoff, reinterpret_cast<std::byte *>(segments.data()), bytes) != bytes) return {};
    for (const auto &segment : segments) {
        if (segment.p_type != PT_NOTE || segment.p_filesz > kMaxNotes) continue;
        std::vector<std::byte> notes(segment.p_filesz);
        notes.resize(read(segment.p_offset, notes.data(), notes.size()));
        if (auto id = id_in_notes(notes); !id.empty()) return id;
    }
    return {};
}

std::unordered_map<std::string_view, FileFacts> file_facts(const Plan &plan, const ProcessMemory &memory) {
    std::unordered_map<std::string_view, FileFacts> all;
    for (const auto &region : plan.regions()) {
        const auto path = plan.text(region.path);
        if (!path.starts_with('/')) continue;
        auto &facts = all[path];
        if (facts.build_id.empty() && region.file_offset == 0) {
            facts.build_id = elf_build_id([&](std::uint64_t offset, std::byte *to, std::size_t size) {
                return offset >= region.length
                           ? 0
                           : memory.read_some(region.start + offset, to, std::min(size, region.length - offset));
            });
        }
    }
    for (auto &[path, facts] : all) {
        struct stat status {};
        if (stat(std::string(path).c_str(), &status) != 0) continue;
        facts.present = true;
        facts.size = static_cast<std::uint64_t>(status.st_size);
        facts.mtime_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
        // Opening something else, such as a mapped device, may have effects.
        if (!facts.build_id.empty() || !S_ISREG(status.st_mode)) continue;
        const Descriptor file(open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) continue;
        facts.build_id = elf_build_id([&](std::uint64_t offset, std::byte *to, std::size_t size) {
            const ssize_t got = pread(file.get(), to, size, static_cast<off_t>(offset));
            return got > 0 ? static_cast<std::size_t>(got) : std::size_t{0};
        });
    }
    return all;
}

std::string vdso_hash(const Plan &plan, const ProcessMemory &memory) {
    constexpr std::uint64_t kMaxVdso = 1 << 20;
    for (const auto &region : plan.regions()) {
        if (plan.text(region.path) != "[vdso]" || region.length > kMaxVdso) continue;
        std::vector<std::byte> content(region.length);
        if (memory.read_some(region.start, content.data(), content.size()) == content.size()) return hash_hex(content);
    }
    return {};
}

std::vector<std::string> cpu_flags() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (!line.starts_with("flags")) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        return {std::istream_iterator<std::string>(words), {}};
    }
    return {};
}

}  // namespace sckpt::storage
