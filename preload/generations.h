// Directories of generations: numbering, and the partial one that is being written.
#pragma once

#include <cstdint>
#include <string>

namespace sckpt {

// Collective over the stopped ranks: rank 0 makes r<N>/<next>.partial and tells the others.  Empty when it failed.
std::string begin_generation();
// Removes an empty partial directory again.
void discard_generation(const std::string &partial);

// "0007" of ".../0007.partial", and the number itself.
std::string generation_name(const std::string &partial);
std::uint32_t generation_number(const std::string &partial);

// Leaves the marker by which the committer learns that this rank has nothing to give.
void report_failed_rank(const std::string &partial, const std::string &sentence);

}  // namespace sckpt
