#include "preload/verdict.h"

#include <limits.h>
#include <string.h>

#include <charconv>

#include "preload/base/system.h"
#include "preload/settings.h"

namespace sckpt {
namespace {

char directory[PATH_MAX];
char path[PATH_MAX];
char temporary[PATH_MAX];

}  // namespace

void place_verdict() {
    const std::string place = incarnation_directory();
    if (place.size() + sizeof "/native.tmp" > sizeof path) return;
    strcpy(directory, place.c_str());
    strcpy(path, (place + "/native").c_str());
    strcpy(temporary, (place + "/native.tmp").c_str());
}

void publish_verdict(std::uint32_t epoch) {
    if (!*path) return;
    char text[16];
    const auto end = std::to_chars(text, text + sizeof text, epoch).ptr;
    make_incarnation_directory(directory);
    const long fd = sys::open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return;
    const long written = sys::write(static_cast<int>(fd), text, static_cast<size_t>(end - text));
    sys::close(static_cast<int>(fd));
    if (written == end - text) system_call(SYS_rename, as_long(temporary), as_long(path));
}

std::uint32_t published_verdict() {
    char text[16];
    const long length = *path ? sys::read_file(path, text, sizeof text) : 0;
    std::uint32_t epoch = 0;
    if (length > 0) std::from_chars(text, text + length, epoch);
    return epoch;
}

}  // namespace sckpt
