#include "preload/restore/vdso.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "preload/restore/text.h"

namespace sckpt::restore {

namespace {

struct Function {
    std::string_view name;
    std::uint32_t number;  // of the system call with the same arguments and result; 0: none, and nobody calls it
};
constexpr Function kFunctions[] = {{"__vdso_clock_gettime", SYS_clock_gettime},
                                   {"clock_gettime", SYS_clock_gettime},
                                   {"__vdso_gettimeofday", SYS_gettimeofday},
                                   {"gettimeofday", SYS_gettimeofday},
                                   {"__vdso_time", SYS_time},
                                   {"time", SYS_time},
                                   {"__vdso_getcpu", SYS_getcpu},
                                   {"getcpu", SYS_getcpu},
                                   {"__vdso_clock_getres", SYS_clock_getres},
                                   {"clock_getres", SYS_clock_getres},
                                   {"__vdso_getrandom", SYS_getrandom},
                                   {"getrandom", SYS_getrandom},
                                   {"__vdso_sgx_enter_enclave", 0}};

// Reads records of an ELF image that may be cut short or be none at all.
class Elf {
  public:
    explicit Elf(std::span<const std::byte> code) : code_(code) {}

    template <class Record>
    std::optional<Record> at(std::uint64_t offset) const {
        if (offset > code_.size() || code_.size() - offset < sizeof(Record)) return {};
        Record record;
        std::memcpy(&record, &code_[offset], sizeof record);
        return record;
    }

    std::optional<std::string_view> text(std::uint64_t offset) const {
        if (offset >= code_.size()) return {};
        const auto *start = reinterpret_cast<const char *>(&code_[offset]);
        const auto *end = static_cast<const char *>(std::memchr(start, 0, code_.size() - offset));
        if (end == nullptr) return {};
        return std::string_view(start, end);
    }

  private:
    std::span<const std::byte> code_;
};

struct Tables {
    std::uint64_t symbols = 0, names = 0, count = 0;  // offsets, number
};

// The image is mapped as it lies in the file, so addresses are offsets once the lowest is taken off.
std::optional<Tables> find_tables(const Elf &elf) {
    const auto header = elf.at<Elf64_Ehdr>(0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
        return {};
    std::optional<std::uint64_t> base;
    std::uint64_t dynamic = 0;
    for (unsigned i = 0; i < header->e_phnum; ++i) {
        const auto segment = elf.at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
        if (!segment) return {};
        if (segment->p_type == PT_LOAD && !base) base = segment->p_vaddr - segment->p_offset;
        if (segment->p_type == PT_DYNAMIC) dynamic = segment->p_offset;
    }
    if (!base || dynamic == 0) return {};
    Tables tables;
    for (std::uint64_t at = dynamic;; at += sizeof(Elf64_Dyn)) {
        const auto entry = elf.at<Elf64_Dyn>(at);
        if (!entry) return {};
        if (entry->d_tag == DT_NULL) break;
        if (entry->d_tag == DT_SYMTAB) tables.symbols = entry->d_un.d_ptr - *base;
        if (entry->d_tag == DT_STRTAB) tables.names = entry->d_un.d_ptr - *base;
    }
    // The names follow the symbols in every linker's output; the hash tables would say the same at more length.
    if (tables.symbols == 0 || tables.names <= tables.symbols) return {};
    tables.count = (tables.names - tables.symbols) / sizeof(Elf64_Sym);
    return tables;
}

// mov $number, %eax; syscall; ret
std::uint64_t system_call_code(std::uint32_t number) {
    return 0xb8ull | static_cast<std::uint64_t>(number) << 8 | 0x050full << 40 | 0xc3ull << 56;
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> recorded_vdso(const Source &source) {
    std::vector<std::byte> code;
    for (std::size_t i = 0; i < source.regions.size(); ++i) {
        if (!holds_vdso_code(source.regions[i])) continue;
        code.assign(source.regions[i].length, std::byte{0});
        const int file = open(source.rank_file.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) return std::unexpected(text("cannot open ", source.rank_file, ": ", std::strerror(errno)));
        const std::uint64_t page = source.process.page_size;
        bool complete = false;
        for (const auto &run : source.runs) {
            if (run.region != i || run.zero) continue;
            const std::uint64_t bytes = run.count * page;
            complete =
                run.first_page * page + bytes <= code.size() &&
                pread(file, &code[run.first_page * page], bytes,
                      static_cast<off_t>(source.pages_offset + run.position * page)) == static_cast<ssize_t>(bytes);
            if (!complete) break;
        }
        close(file);
        if (!complete) return std::unexpected(text(source.rank_file, " does not hold the recorded vdso"));
        break;
    }
    return code;
}

std::expected<std::vector<VdsoPatch>, std::string> patch_vdso(std::span<const std::byte> code) {
    const Elf elf(code);
    const auto tables = find_tables(elf);
    if (!tables) return std::unexpected("the recorded vdso is no shared object");
    std::map<std::uint64_t, std::uint32_t> places;  // offset of a function: system call
    for (std::uint64_t i = 0; i < tables->count; ++i) {
        const auto symbol = elf.at<Elf64_Sym>(tables->symbols + i * sizeof(Elf64_Sym));
        if (!symbol) return std::unexpected("the recorded vdso is cut short");
        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF) continue;
        const auto name = elf.text(tables->names + symbol->st_name);
        const auto known = std::ranges::find(kFunctions, name.value_or(""), &Function::name);
        if (known == std::end(kFunctions))
            return std::unexpected(text("the recorded vdso has a function ", name.value_or("without a name"),
                                        " that no system call is known for"));
        if (known->number == 0) continue;
        if (symbol->st_size < sizeof(std::uint64_t) || symbol->st_value > code.size() - sizeof(std::uint64_t))
            return std::unexpected(text("the recorded vdso has no room in its function ", *name));
        places[symbol->st_value] = known->number;
    }
    if (places.empty()) return std::unexpected("the recorded vdso has no functions");
    std::vector<VdsoPatch> patches;
    for (const auto &[offset, number] : places) patches.push_back({offset, system_call_code(number)});
    return patches;
}

}  // namespace sckpt::restore
