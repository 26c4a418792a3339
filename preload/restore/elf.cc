#include "preload/restore/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sckpt::restore {

namespace {

class Descriptor {
  public:
    explicit Descriptor(const std::string &path) : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    bool is_open() const { return number_ >= 0; }
    /// Whether all `length` bytes at `offset` were there.
    bool read(void *to, std::size_t length, std::uint64_t offset) const {
        ssize_t got;
        do {
            got = pread(number_, to, length, static_cast<off_t>(offset));
        } while (got < 0 && errno == EINTR);
        return got >= 0 && static_cast<std::size_t>(got) == length;
    }

  private:
    int number_;
};

constexpr std::size_t kLargestNotes = 1u << 20;

std::size_t padded(std::size_t size, std::size_t alignment) { return (size + alignment - 1) / alignment * alignment; }

std::string hexadecimal(const unsigned char *bytes, std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
        result += "0123456789abcdef"[bytes[i] >> 4];
        result += "0123456789abcdef"[bytes[i] & 15];
    }
    return result;
}

std::string find_note(const std::vector<unsigned char> &notes, std::size_t alignment) {
    for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
        Elf64_Nhdr note;
        std::memcpy(&note, &notes[at], sizeof note);
        const std::size_t name = at + sizeof note;
        const std::size_t content = name + padded(note.n_namesz, alignment);
        if (content > notes.size() || note.n_descsz > notes.size() - content) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(&notes[name], "GNU", 4) == 0) {
            return hexadecimal(&notes[content], note.n_descsz);
        }
        at = content + padded(note.n_descsz, alignment);
    }
    return {};
}

}  // namespace

std::expected<std::string, std::string> build_id(const std::string &path) {
    const Descriptor file(path);
    if (!file.is_open()) return std::unexpected(std::strerror(errno));
    Elf64_Ehdr header;
    if (!file.read(&header, sizeof header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) {
        return std::string();
    }
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        if (!file.read(&segment, sizeof segment, header.e_phoff + i * sizeof segment)) return std::string();
        if (segment.p_type != PT_NOTE || segment.p_filesz > kLargestNotes) continue;
        std::vector<unsigned char> notes(segment.p_filesz);
        if (!file.read(notes.data(), notes.size(), segment.p_offset)) return std::string();
        if (auto found = find_note(notes, segment.p_align == 8 ? 8 : 4); !found.empty()) return found;
    }
    return std::string();
}

}  // namespace sckpt::restore
