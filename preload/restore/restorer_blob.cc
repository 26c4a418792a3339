#include "preload/restore/restorer_blob.h"

asm(".section .rodata\n"
    ".balign 16\n"
    ".globl sckpt_restorer_code\n"
    ".globl sckpt_restorer_code_end\n"
    "sckpt_restorer_code:\n"
    ".incbin \"restorer.bin\"\n"
    "sckpt_restorer_code_end:\n"
    ".previous\n");

extern "C" const std::byte sckpt_restorer_code[], sckpt_restorer_code_end[];

namespace sckpt::restore {

std::span<const std::byte> restorer_code() { return {sckpt_restorer_code, sckpt_restorer_code_end}; }

}  // namespace sckpt::restore
