// Are the files that the image refers to here, and the same?
#pragma once

#include <string>
#include <vector>

#include "preload/restore/checks.h"

namespace sckpt::restore {

/// Every mapped file: of ELF files the build-id, of others size and modification time must be as recorded; one that
/// is only read through a shared mapping has to be long enough.  One that is written through a shared mapping will get
/// its size and contents back, so it may have changed: what is lost of it must lie in such mappings, it must be a
/// regular file that can be written, or be missing from a directory in which it can be made.
Problem check_mapped_files(const Source &source);

/// The working directory, and every regular file and directory that was open (standard streams, which belong to the
/// new step, and deleted files excepted).  The sentence names the path.
Problem check_open_files(const Source &source);

/// What was changed since the checkpoint of regular files that were open for reading only, a sentence each.  What the
/// program itself has open for writing may change.  A file that has only grown, or was written again with the same
/// content, counts as unchanged: logs grow, inputs are staged again.
std::vector<std::string> changed_files(const Source &source);

}  // namespace sckpt::restore
