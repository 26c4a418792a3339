// The restorer's code as bytes to copy: entered at its first byte with the address of an Order in rdi.
#pragma once

#include <cstddef>
#include <span>

namespace sckpt::restore {

std::span<const std::byte> restorer_code();

}  // namespace sckpt::restore
