#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

using Json = nlohmann::ordered_json;

int fail(const std::string &sentence) {
    std::cerr << "sckpt: error: " << sentence << "\n";
    return 1;
}

void print_columns(const std::vector<std::vector<std::string>> &rows) {
    std::vector<std::size_t> widths;
    for (const auto &row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto &row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        std::cout << line << "\n";
    }
}

std::string human_bytes(std::uint64_t bytes) {
    static constexpr const char *kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
    return text;
}

Json to_json(const storage::Manifest &manifest) {
    Json ranks = Json::array();
    for (const auto &entry : manifest.entries)
        ranks.push_back({{"rank", entry.rank},
                         {"file", entry.file},
                         {"host", entry.host},
                         {"bytes", entry.bytes},
                         {"pages", entry.pages},
                         {"digest", entry.digest}});
    return {{"generation", manifest.generation.string()},
            {"number", manifest.number},
            {"incarnation", manifest.incarnation},
            {"ranks", manifest.ranks},
            {"bytes", manifest.bytes()},
            {"cut_time", storage::utc(manifest.cut_time_ns)},
            {"commit_time", storage::utc(manifest.commit_time_ns)},
            {"job", manifest.job},
            {"cluster", manifest.cluster},
            {"user", manifest.user},
            {"cause", manifest.cause},
            {"files", ranks}};
}

Json to_json(const storage::Generation &generation) {
    Json json;
    if (generation.manifest) {
        json = to_json(*generation.manifest);
    } else {
        json = {{"generation", generation.path.string()},
                {"number", generation.number},
                {"incarnation", generation.incarnation},
                {"problem", storage::name(generation.problem.refusal)},
                {"reason", generation.problem.sentence}};
    }
    json["closed"] = generation.closed;
    json["valid"] = generation.manifest.has_value();
    return json;
}

std::string dump(const Json &json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

void Progress::show(const std::string &line) {
    const auto now = Clock::now();
    if (now < next_ || line == last_) return;
    next_ = now + std::chrono::seconds(1);
    last_ = line;
    open_line_ = isatty(STDERR_FILENO) != 0;
    std::cerr << (open_line_ ? "\r\033[K" : "") << "sckpt: " << line << (open_line_ ? "" : "\n") << std::flush;
}

Progress::~Progress() {
    if (open_line_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace sckpt::command
