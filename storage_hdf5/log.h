// The step's log: <step dir>/log, one line per event, appended by whoever has something to say.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace sckpt::storage {

// Appends "<time> r<incarnation> <generation or -> <text>" in one write(2) with O_APPEND, so that lines of several
// processes do not mix.  The error is one sentence.
std::expected<void, std::string> append_log(const std::filesystem::path &step, std::uint32_t incarnation,
                                            std::optional<std::uint32_t> generation, const std::string &text);

// A line of the log taken apart.
struct LogLine {
    std::string time;
    std::uint32_t incarnation;
    std::optional<std::uint32_t> generation;
    std::string event;  // its first word: committed, declined, failed
    std::string text;   // the whole rest, the event included
};
std::optional<LogLine> parse_log_line(const std::string &line);

}  // namespace sckpt::storage
