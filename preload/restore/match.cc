#include "preload/restore/match.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "preload/restore/text.h"

namespace sckpt::restore {

std::expected<Program, std::string> program_of(int pid) {
    const std::string process = text("/proc/", pid);
    std::error_code error;
    const auto executable = std::filesystem::read_symlink(process + "/exe", error);
    if (error) return std::unexpected(text("cannot read ", process, "/exe: ", error.message()));
    std::ifstream file(process + "/cmdline", std::ios::binary);
    if (!file) return std::unexpected(text("cannot read ", process, "/cmdline: ", std::strerror(errno)));
    return Program{executable.string(), {std::istreambuf_iterator<char>(file), {}}};
}

bool is_recorded(const Source &source, const Program &program) {
    return source.executable == program.executable && source.arguments == program.arguments;
}

}  // namespace sckpt::restore
