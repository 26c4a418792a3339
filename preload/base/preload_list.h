// What is in LD_PRELOAD, and in ASAN_OPTIONS because of it.  Nothing here allocates.
#pragma once

#include <cstddef>
#include <string_view>

namespace sckpt::base {

inline constexpr char kInterceptor[] = "libsckpt.so";

// With this at 0 the address sanitizer lets a program start behind another library, which we are.  (It then runs
// without checkpoints.)
inline constexpr char kLinkOrderOption[] = "verify_asan_link_order";

// Calls visit(library) for each in a list as LD_PRELOAD has it, separated by colons or spaces (ld.so(8)).
template <class Visit>
void for_each_library(std::string_view list, Visit visit) {
    while (!list.empty()) {
        const std::size_t at = list.find_first_of(": ");
        if (const auto library = list.substr(0, at); !library.empty()) visit(library);
        list = at == list.npos ? std::string_view{} : list.substr(at + 1);
    }
}

// Is that the file's name, whatever its directory?
inline bool is_named(std::string_view library, std::string_view name) {
    return library.substr(library.find_last_of('/') + 1) == name;
}

}  // namespace sckpt::base
