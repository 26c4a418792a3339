#include "storage_hdf5/names.h"

#include <charconv>

#include "storage_hdf5/text.h"

namespace sckpt::storage {

namespace {

std::optional<std::uint32_t> decimal(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string rank_file_name(std::uint32_t rank) { return "rank" + padded(rank, 5) + ".h5"; }

std::string rank_failed_name(std::uint32_t rank) { return "rank" + padded(rank, 5) + ".failed"; }

std::string generation_name(std::uint32_t generation) { return padded(generation, 4); }

std::optional<std::uint32_t> parse_generation(std::string_view name) {
    if (name.size() < 4) return std::nullopt;
    return decimal(name);
}

std::optional<IncarnationName> parse_incarnation(std::string_view name) {
    const bool closed = name.ends_with(kClosedSuffix);
    if (closed) name.remove_suffix(sizeof(kClosedSuffix) - 1);
    if (!name.starts_with('r')) return std::nullopt;
    const auto number = decimal(name.substr(1));
    if (!number) return std::nullopt;
    return IncarnationName{*number, closed};
}

std::optional<Place> parse_place(const std::filesystem::path &directory) {
    auto path = std::filesystem::absolute(directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::string name = path.filename().string();
    if (name.ends_with(kPartialSuffix)) name.resize(name.size() - (sizeof(kPartialSuffix) - 1));
    const auto generation = parse_generation(name);
    const auto incarnation = parse_incarnation(path.parent_path().filename().string());
    if (!generation || !incarnation) return std::nullopt;
    return Place{path.parent_path().parent_path(), incarnation->number, *generation};
}

}  // namespace sckpt::storage
