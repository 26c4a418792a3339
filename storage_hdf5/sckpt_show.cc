#include <algorithm>
#include <cstring>
#include <iostream>
#include <memory>

#include "storage_hdf5/schema.h"
#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace {

using Json = nlohmann::ordered_json;
using storage::Field;
using storage::FieldType;

struct Options {
    std::string generation;
    std::int64_t rank = -1;
    std::vector<std::string> tables;  // empty: all
    bool json = false;
};

template <class T>
T load(const std::byte *from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

Json strings(std::string_view texts) {
    Json all = Json::array();
    while (!texts.empty()) {
        const auto end = std::min(texts.find('\0'), texts.size());
        all.push_back(std::string(texts.substr(0, end)));
        texts.remove_prefix(std::min(end + 1, texts.size()));
    }
    return all;
}

Json value(const storage::Image &image, const Field &field, const std::byte *record) {
    const std::byte *from = record + field.offset;
    switch (field.type) {
        case FieldType::u16:
            return load<std::uint16_t>(from);
        case FieldType::u32:
            return load<std::uint32_t>(from);
        case FieldType::i32:
            return load<std::int32_t>(from);
        case FieldType::u64:
            return load<std::uint64_t>(from);
        case FieldType::i64:
            return load<std::int64_t>(from);
        case FieldType::text:
            return std::string(image.text(load<image::Ref>(from)));
        case FieldType::texts:
            return strings(image.text(load<image::Ref>(from)));
        case FieldType::region_kind:
        case FieldType::run_kind:
            break;
    }
    const auto number = load<std::uint32_t>(from);
    for (const auto &known : storage::enum_values(field.type)) {
        if (known.value == number) return known.name;
    }
    return number;
}

Json table(const storage::Image &image, const storage::TableSchema &schema, std::span<const std::byte> records) {
    Json rows = Json::array();
    for (std::size_t at = 0; at < records.size(); at += schema.record_size) {
        Json row = Json::object();
        for (const auto &field : schema.fields) row[field.name] = value(image, field, &records[at]);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string heading(const Field &field) {
    // The form of these shows what they are.
    const std::string_view unit = field.unit;
    const bool plain = unit.empty() || unit == "boolean" || unit == "path" || unit == "address" || unit == "register" ||
                       unit == "signal" || unit.ends_with(" bits") || unit.starts_with("bit ");
    return plain ? field.name : std::string(field.name) + " [" + field.unit + "]";
}

void print_table(const storage::TableSchema &schema, const Json &rows) {
    std::cout << "\n" << schema.name << ": " << schema.description << " (" << rows.size() << ")\n";
    std::vector<std::vector<std::string>> cells;
    if (rows.size() == 1) {
        // One row reads better as a list.
        for (const auto &field : schema.fields) {
            const auto &value = rows[0][field.name];
            if (!value.is_array()) {
                cells.push_back({"  " + heading(field), cell(value, field.unit)});
                continue;
            }
            std::string name = "  " + std::string(field.name);
            for (const auto &part : value) cells.push_back({std::exchange(name, "  "), part.get<std::string>()});
        }
    } else if (rows.size() > 1) {
        cells.emplace_back();
        for (const auto &field : schema.fields) cells.back().push_back(heading(field));
        for (const auto &row : rows) {
            cells.emplace_back();
            for (const auto &field : schema.fields) cells.back().push_back(cell(row[field.name], field.unit));
        }
    }
    print_columns(cells);
}

constexpr auto kFirst = static_cast<std::uint32_t>(image::Table::process);
constexpr auto kEnd = static_cast<std::uint32_t>(image::Table::count);

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    for (auto i = kFirst; i < kEnd; ++i) names.emplace_back(storage::schema(static_cast<image::Table>(i)).name);
    names.emplace_back(storage::runs_schema().name);
    return names;
}

// Of one rank: all tables, or those that were asked for.  With `all` as JSON, else as text.
Json tables_of(const storage::Image &image, const Options &options) {
    Json all{{"file", image.path().string()}, {"bytes", image.file_bytes()},
             {"pages", image.page_count()},   {"pages_offset", image.pages_offset()},
             {"digest", image.digest()},      {"vdso_xxh3_128", image.vdso_hash()}};
    if (!options.json) {
        for (const auto &[key, value] : all.items())
            std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : dump(value)) << "\n";
    }
    Json units = Json::object();
    const auto add = [&](const storage::TableSchema &schema, std::span<const std::byte> records) {
        if (!options.tables.empty() && std::ranges::find(options.tables, schema.name) == options.tables.end()) return;
        auto rows = table(image, schema, records);
        if (!options.json) return print_table(schema, rows);
        all[schema.name] = std::move(rows);
        for (const auto &field : schema.fields)
            if (*field.unit != 0) units[schema.name][field.name] = field.unit;
    };
    for (auto i = kFirst; i < kEnd; ++i)
        add(storage::schema(static_cast<image::Table>(i)), image.table(static_cast<image::Table>(i)));
    add(storage::runs_schema(), std::as_bytes(image.runs()));
    all["units"] = std::move(units);
    return all;
}

int show_ranks(const Options &options) {
    std::vector<std::uint32_t> ranks;
    if (options.rank >= 0) {
        ranks.push_back(static_cast<std::uint32_t>(options.rank));
    } else {
        const auto manifest = storage::read_manifest(options.generation);
        if (!manifest) return fail(manifest.error().sentence);
        for (const auto &entry : manifest->entries) ranks.push_back(entry.rank);
    }
    Json all = Json::array();
    for (const std::uint32_t rank : ranks) {
        const auto image = storage::Image::open(options.generation, rank);
        if (!image) return fail(image.error().sentence);
        if (!options.json && ranks.size() > 1)
            std::cout << (rank == ranks.front() ? "" : "\n") << "rank: " << rank << "\n";
        all.push_back(tables_of(*image, options));
    }
    if (options.json) std::cout << dump(options.rank >= 0 ? all[0] : all) << "\n";
    return 0;
}

int show_manifest(const Options &options) {
    const auto manifest = storage::read_manifest(options.generation);
    if (!manifest) return fail(manifest.error().sentence);
    auto json = to_json(*manifest);
    if (options.json) {
        json["topology"] = manifest->topology;
        std::cout << dump(json) << "\n";
        return 0;
    }
    json.erase("files");
    for (const auto &[key, value] : json.items())
        std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : dump(value)) << "\n";
    std::cout << "\n";
    std::vector<std::vector<std::string>> rows{{"RANK", "HOST", "FILE", "SIZE", "PAGES", "DIGEST"}};
    for (const auto &entry : manifest->entries)
        rows.push_back({std::to_string(entry.rank), entry.host, entry.file, human_bytes(entry.bytes),
                        std::to_string(entry.pages), entry.digest});
    print_columns(rows);
    return 0;
}

}  // namespace

void add_show(CLI::App &app, int &status) {
    auto options = std::make_shared<Options>();
    auto *command = app.add_subcommand("show", "show what a checkpoint holds");
    command->add_option("generation", options->generation, "the checkpoint's directory")->required();
    command->add_option("--rank", options->rank, "show this rank's tables")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{UINT32_MAX}));
    command->add_option("--table", options->tables, "only these tables, of all ranks unless --rank is given")
        ->delimiter(',')
        ->check(CLI::IsMember(table_names()));
    command->add_flag("--json", options->json, "print JSON");
    command->callback([options, &status] {
        const bool ranks = options->rank >= 0 || !options->tables.empty();
        status = ranks ? show_ranks(*options) : show_manifest(*options);
    });
}

}  // namespace sckpt::command
