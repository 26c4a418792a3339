// The build-id of an ELF file.
#pragma once

#include <expected>
#include <string>

namespace sckpt::restore {

/// The NT_GNU_BUILD_ID note (elf(5)) of the 64-bit ELF file at `path` in hexadecimal; empty when the file is not ELF
/// or has none; strerror's text when it cannot be read.
std::expected<std::string, std::string> build_id(const std::string &path);

}  // namespace sckpt::restore
