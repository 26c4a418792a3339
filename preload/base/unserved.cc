#include "preload/base/unserved.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "preload/base/file_limit.h"
#include "preload/base/system.h"

namespace sckpt::base {
namespace {

struct Path {
    char text[PATH_MAX];
    // Without a rank: of the step as a whole.
    explicit Path(const char *directory, int rank = -1) {
        const int length = rank < 0 ? snprintf(text, sizeof text, "%s/%s", directory, kUnserved)
                                    : snprintf(text, sizeof text, "%s/%s.%d", directory, kUnserved, rank);
        if (length >= static_cast<int>(sizeof text)) *text = 0;
    }
};

}  // namespace

bool note_unserved(const char *incarnation_directory, int rank, const char *sentence) {
    const long note = sys::open(Path(incarnation_directory, rank).text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (note >= 0) {
        const WithinFileLimit no_signal;
        sys::write(static_cast<int>(note), sentence, strlen(sentence));
        sys::close(static_cast<int>(note));
    }
    const long told = sys::open(Path(incarnation_directory).text, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (told >= 0) sys::close(static_cast<int>(told));
    return told != -EEXIST;
}

void forget_unserved(const char *incarnation_directory, int rank) {
    system_call(SYS_unlink, as_long(Path(incarnation_directory, rank).text));
}

}  // namespace sckpt::base
