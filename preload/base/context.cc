#include "preload/base/context.h"

#include <cstddef>

// The offsets below are written out in the assembly.
static_assert(offsetof(sckpt::Context, rbx) == 0 && offsetof(sckpt::Context, rbp) == 8);
static_assert(offsetof(sckpt::Context, r12) == 16 && offsetof(sckpt::Context, r15) == 40);
static_assert(offsetof(sckpt::Context, rsp) == 48 && offsetof(sckpt::Context, rip) == 56);
static_assert(offsetof(sckpt::Context, mxcsr) == 64 && offsetof(sckpt::Context, x87_control) == 68);

// rsp and rip are saved as they are after the return, so that the slot with the return address may be overwritten.
extern "C" __attribute__((naked, noinline)) int sckpt_save_context(sckpt::Context *) noexcept {
    asm("movq %rbx, 0(%rdi)\n\t"
        "movq %rbp, 8(%rdi)\n\t"
        "movq %r12, 16(%rdi)\n\t"
        "movq %r13, 24(%rdi)\n\t"
        "movq %r14, 32(%rdi)\n\t"
        "movq %r15, 40(%rdi)\n\t"
        "leaq 8(%rsp), %rax\n\t"
        "movq %rax, 48(%rdi)\n\t"
        "movq (%rsp), %rax\n\t"
        "movq %rax, 56(%rdi)\n\t"
        "stmxcsr 64(%rdi)\n\t"
        "fnstcw 68(%rdi)\n\t"
        "movw $0, 70(%rdi)\n\t"
        "xorl %eax, %eax\n\t"
        "ret");
}

extern "C" __attribute__((naked, noinline)) void sckpt_resume_context(const sckpt::Context *) noexcept {
    asm("movq 0(%rdi), %rbx\n\t"
        "movq 8(%rdi), %rbp\n\t"
        "movq 16(%rdi), %r12\n\t"
        "movq 24(%rdi), %r13\n\t"
        "movq 32(%rdi), %r14\n\t"
        "movq 40(%rdi), %r15\n\t"
        "ldmxcsr 64(%rdi)\n\t"
        "fldcw 68(%rdi)\n\t"
        "movq 56(%rdi), %rdx\n\t"
        "movq 48(%rdi), %rsp\n\t"
        "movl $1, %eax\n\t"
        "jmp *%rdx");
}
