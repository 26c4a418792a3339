// Names inside a step's directory, made and parsed in one place:
//   <cluster>.<jobid>.<stepid>/r<N>[.closed]/<generation>[.partial]/{job.h5,rankNNNNN.h5,...}
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sckpt::storage {

inline constexpr char kJobFile[] = "job.h5";
inline constexpr char kPartialSuffix[] = ".partial";  // being written
inline constexpr char kRetiredSuffix[] = ".retired";  // being removed
inline constexpr char kClosedSuffix[] = ".closed";    // of an incarnation that may not commit any more

std::string rank_file_name(std::uint32_t rank);         // rank00003.h5
std::string rank_failed_name(std::uint32_t rank);       // rank00003.failed
std::string generation_name(std::uint32_t generation);  // 0007

// The number in a committed generation's name, nothing for any other name.
std::optional<std::uint32_t> parse_generation(std::string_view name);

struct IncarnationName {
    std::uint32_t number;
    bool closed;
};
// r<N> or r<N>.closed, nothing for any other name.
std::optional<IncarnationName> parse_incarnation(std::string_view name);

// Where a generation's directory, partial or not, belongs.
struct Place {
    std::filesystem::path step;  // the step's directory
    std::uint32_t incarnation;
    std::uint32_t generation;
};
// Takes <step>/r<N>[.closed]/<generation>[.partial] apart; nothing when the path is not of that form.
std::optional<Place> parse_place(const std::filesystem::path &directory);

}  // namespace sckpt::storage
