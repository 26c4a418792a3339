#include "storage_hdf5/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "storage_hdf5/names.h"
#include "storage_hdf5/pages.h"
#include "storage_hdf5/text.h"

namespace sckpt::storage {

std::expected<void, std::string> append_log(const std::filesystem::path &step, std::uint32_t incarnation,
                                            std::optional<std::uint32_t> generation, const std::string &text) {
    const auto path = step / "log";
    const std::string line = utc(now_ns()) + " r" + std::to_string(incarnation) + " " +
                             (generation ? generation_name(*generation) : "-") + " " + one_line(text) + "\n";
    const Descriptor log(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    if (!log) return std::unexpected("cannot open " + path.string() + ": " + system_error(errno));
    ssize_t written;
    do written = write(log.get(), line.data(), line.size());
    while (written < 0 && errno == EINTR);
    if (written != static_cast<ssize_t>(line.size()))
        return std::unexpected("cannot write " + path.string() + ": " + system_error(written < 0 ? errno : ENOSPC));
    return {};
}

std::optional<LogLine> parse_log_line(const std::string &line) {
    std::istringstream words(line);
    std::string incarnation, generation;
    LogLine parsed;
    if (!(words >> parsed.time >> incarnation >> generation >> parsed.event)) return std::nullopt;
    const auto number = parse_incarnation(incarnation);
    if (!number) return std::nullopt;
    parsed.incarnation = number->number;
    parsed.generation = parse_generation(generation);
    std::getline(words, parsed.text);
    parsed.text.insert(0, parsed.event);
    return parsed;
}

}  // namespace sckpt::storage
