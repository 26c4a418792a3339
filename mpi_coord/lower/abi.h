/* The one header that both halves compile: plain C types only, since each half has its own libc and C++ runtime.
 * The two are installed together; kAbiVersion catches a mixture. */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { kAbiVersion = 1 };

/* The lower half's memory: header, heap, then its mappings.  Fixed, so that a question of ownership is a comparison
 * of addresses and the allocator needs no load; far from where the kernel places programs, libraries and stacks. */
#define SCKPT_ARENA 0x600000000000UL
#define SCKPT_ARENA_SIZE (64UL << 30)
#define SCKPT_ARENA_HEADER (64UL << 10)
#define SCKPT_ARENA_HEAP (16UL << 30)
/* Allocations made by constructors of libraries that load after the pristine snapshot: kept over a reset. */
#define SCKPT_ARENA_KEPT (64UL << 20)

enum { kLowerDescriptors = 65536 };

/* What the lower half asks of the base libc.  Both libcs index the same per-thread slots and thread lists, so there
 * can be only one owner of them. */
struct sckpt_base_services {
    int (*key_create)(pthread_key_t *, void (*)(void *));
    int (*key_delete)(pthread_key_t);
    void *(*get_specific)(pthread_key_t);
    int (*set_specific)(pthread_key_t, const void *);
    int (*thread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int (*thread_join)(pthread_t, void **);
    int (*thread_detach)(pthread_t);
    int (*thread_cancel)(pthread_t);
    void (*thread_exit)(void *);
    void (*process_exit)(int);
    void (*free_foreign)(void *);          /* memory that the base libc allocated and the lower half frees */
    void (*library_loaded)(const char *);  /* after each dlopen of the lower half */
};

struct sckpt_free_range {
    uint64_t start, length;
};

/* At SCKPT_ARENA.  Everything but `services` is dropped at a reset and comes back as the pristine copy has it. */
struct sckpt_arena {
    struct sckpt_base_services services;
    volatile int lock;
    uint64_t heap_next, heap_committed;
    uint64_t kept_next;
    uint64_t map_next;
    void *free_lists[128];
    uint32_t free_range_count;
    struct sckpt_free_range free_ranges[2048];
    uint8_t descriptors[kLowerDescriptors / 8]; /* bit per descriptor that the lower half opened */
};

/* What the lower half offers, found by dlsym in its namespace. */
struct dl_phdr_info;
int sckpt_lower_abi(void);
int sckpt_lower_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data);
void sckpt_lower_environment(char **environment);
void sckpt_lower_thread_start(void);
void sckpt_lower_flush(void);
int sckpt_lower_preload(const char *path); /* 1 when it was loaded */
const char *sckpt_lower_error(void);

#ifdef __cplusplus
}
#endif
