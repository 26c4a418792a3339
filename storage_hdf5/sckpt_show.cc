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

std::string cell(const Json &value, const Field &field) {
    const bool address = std::strcmp(field.unit, "address") == 0 || std::strcmp(field.unit, "register") == 0;
    if (address && value.is_number_unsigned()) return storage::hex(value.get<std::uint64_t>());
    if (value.is_string()) return value.get_ref<const std::string &>().empty() ? "-" : value.get<std::string>();
    return dump(value);
}

void print_table(const storage::TableSchema &schema, const Json &rows) {
    std::cout << "\n" << schema.name << ": " << schema.description << " (" << rows.size() << ")\n";
    std::vector<std::vector<std::string>> cells;
    if (rows.size() == 1) {
        // One row reads better as a list.
        for (const auto &field : schema.fields) {
            const auto &value = rows[0][field.name];
            if (!value.is_array()) {
                cells.push_back({"  " + std::string(field.name), cell(value, field)});
                continue;
            }
            std::string name = "  " + std::string(field.name);
            for (const auto &part : value) cells.push_back({std::exchange(name, "  "), part.get<std::string>()});
        }
    } else if (rows.size() > 1) {
        cells.emplace_back();
        for (const auto &field : schema.fields) cells.back().push_back(field.name);
        for (const auto &row : rows) {
            cells.emplace_back();
            for (const auto &field : schema.fields) cells.back().push_back(cell(row[field.name], field));
        }
    }
    print_columns(cells);
}

int show_rank(const Options &options) {
    const auto image = storage::Image::open(options.generation, static_cast<std::uint32_t>(options.rank));
    if (!image) return fail(image.error().sentence);
    Json all{{"file", image->path().string()}, {"bytes", image->file_bytes()},
             {"pages", image->page_count()},   {"pages_offset", image->pages_offset()},
             {"digest", image->digest()},      {"vdso_xxh3_128", image->vdso_hash()}};
    if (!options.json) {
        for (const auto &[key, value] : all.items())
            std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : dump(value)) << "\n";
    }
    const auto add = [&](const storage::TableSchema &schema, std::span<const std::byte> records) {
        auto rows = table(*image, schema, records);
        if (options.json)
            all[schema.name] = std::move(rows);
        else
            print_table(schema, rows);
    };
    for (auto i = static_cast<std::uint32_t>(image::Table::process);
         i < static_cast<std::uint32_t>(image::Table::count); ++i)
        add(storage::schema(static_cast<image::Table>(i)), image->table(static_cast<image::Table>(i)));
    add(storage::runs_schema(), std::as_bytes(image->runs()));
    if (options.json) std::cout << dump(all) << "\n";
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
    command->add_flag("--json", options->json, "print JSON");
    command->callback(
        [options, &status] { status = options->rank < 0 ? show_manifest(*options) : show_rank(*options); });
}

}  // namespace sckpt::command
