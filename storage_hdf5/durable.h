// Making what was written survive a power failure: fsync(2) of files and of the directories that name them.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace sckpt::storage {

// Names created or renamed in `directory` are durable afterwards.  The error is one sentence.
std::expected<void, std::string> sync_directory(const std::filesystem::path &directory);
std::expected<void, std::string> sync_file(const std::filesystem::path &file);

}  // namespace sckpt::storage
