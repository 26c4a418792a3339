// The plan a rank hands over, checked.  Nothing in it is trusted: every count, offset, text reference, enumerated
// value and address is bounds-checked here, so that the rest of the writer need not.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage_hdf5/image.h"

namespace sckpt::storage {

class Plan {
  public:
    // Takes the bytes over; the error is one sentence.
    static std::expected<Plan, std::string> parse(std::vector<std::byte> bytes);
    // Copies the whole file behind `descriptor` (a memfd): the rank may go on changing it.
    static std::expected<Plan, std::string> read(int descriptor);

    // A section's records as they are in the plan.
    std::span<const std::byte> table(image::Table table) const;
    template <class Record>
    std::span<const Record> table(image::Table which) const {
        const auto bytes = table(which);
        return {reinterpret_cast<const Record *>(bytes.data()), bytes.size() / sizeof(Record)};
    }
    const image::Process &process() const { return table<image::Process>(image::Table::process)[0]; }
    std::span<const image::Region> regions() const { return table<image::Region>(image::Table::regions); }
    std::string_view strings() const;
    std::string_view text(image::Ref ref) const { return strings().substr(ref.offset, ref.length); }

  private:
    explicit Plan(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
    std::expected<void, std::string> check() const;
    const image::Header &header() const { return *reinterpret_cast<const image::Header *>(bytes_.data()); }

    std::vector<std::byte> bytes_;
};

}  // namespace sckpt::storage
