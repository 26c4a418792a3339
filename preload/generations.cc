#include "preload/generations.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdio>

#include "preload/base/file_limit.h"
#include "preload/base/system.h"
#include "preload/settings.h"
#include "preload/world.h"

namespace sckpt {
namespace {

// The largest number that a directory entry begins with, partial and aborted generations included: numbers are not
// used twice in one incarnation.
long find_largest_number(const std::string &directory, std::uint32_t &largest) {
    return for_each_name(directory.c_str(), [&](int, const char *name) {
        std::uint32_t number = 0;
        std::from_chars(name, name + strlen(name), number);
        if (number > largest) largest = number;
    });
}

// What rank 0 has to say to the others: where, and the error of the system if there was one.
struct Beginning {
    long error = 0;
    char path[PATH_MAX] = "";
};

Beginning make_partial() {
    const std::string parent = incarnation_directory();
    Beginning beginning;
    beginning.error = parent.size() + 32 > sizeof beginning.path ? -ENAMETOOLONG : 0;
    if (beginning.error < 0) return beginning;
    strcpy(beginning.path, parent.c_str());
    make_incarnation_directory(parent.c_str());
    static std::uint32_t last = 0;  // kept generations may be retired, their numbers are not used again
    std::uint32_t found = last;
    beginning.error = find_largest_number(parent, found);
    if (beginning.error < 0) return beginning;
    last = found + 1;
    std::snprintf(beginning.path, sizeof beginning.path, "%s/%04u.partial", parent.c_str(), last);
    beginning.error = system_call(SYS_mkdir, as_long(beginning.path), 0700);
    return beginning;
}

}  // namespace

std::expected<std::string, std::string> begin_generation() {
    Beginning beginning;
    if (world::rank() == 0) beginning = make_partial();
    if (!world::broadcast(&beginning, sizeof beginning)) return std::unexpected("task 0 has not begun the checkpoint");
    if (beginning.error >= 0) return beginning.path;
    return std::unexpected(std::string("cannot begin a checkpoint in ") + beginning.path + ": " +
                           strerrordesc_np(static_cast<int>(-beginning.error)));
}

std::string_view generation_name(std::string_view partial) {
    const size_t start = partial.rfind('/') + 1;
    return partial.substr(start, partial.find('.', start) - start);
}

std::uint32_t generation_number(std::string_view partial) {
    const std::string_view name = generation_name(partial);
    std::uint32_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

void remove_generation(const char *partial) {
    // A writer that still runs may add a file between the look and the removal, though hardly more than once.
    for (int i = 0; i < 100 && system_call(SYS_rmdir, as_long(partial)) == -ENOTEMPTY; ++i)
        for_each_name(partial, [](int directory, const char *name) {
            system_call(SYS_unlinkat, directory, as_long(name), 0);  // "." and ".." refuse
        });
}

void give_up_generation(const char *partial, const char *sentence) {
    if (world::rank() == 0) {
        char text[512];
        std::snprintf(text, sizeof text, "failed rank 0: %s", sentence);
        remove_generation(partial);
        log_event(generation_name(partial), text);
        return;
    }
    char path[PATH_MAX];
    std::snprintf(path, sizeof path, "%s/rank%05d.failed", partial, world::rank());
    const WithinFileLimit no_signal;
    const long fd = sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return;
    sys::write(static_cast<int>(fd), sentence, strlen(sentence));
    sys::close(static_cast<int>(fd));
}

}  // namespace sckpt
