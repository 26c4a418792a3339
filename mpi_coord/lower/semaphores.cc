// Named semaphores, which MPI-IO uses for shared file pointers: as in glibc a small file in /dev/shm, but mapped into
// the arena.  glibc maps it elsewhere by a system call of its own, and it would be taken for memory of the application.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr const char *kDirectory = "/dev/shm";

// A new semaphore under a name of its own, for which other processes cannot look; -1 on failure.
int make_nameless(char *path, size_t room, mode_t mode, unsigned value) {
    static unsigned number = 0;
    int fd = -1;
    do snprintf(path, room, "%s/sem.%d-%u.new", kDirectory, getpid(), __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    while ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)) < 0 && errno == EEXIST);
    if (fd < 0) return -1;
    sem_t content;
    memset(&content, 0, sizeof content);
    if (sem_init(&content, 1, value) == 0 && write(fd, &content, sizeof content) == sizeof content) return fd;
    const int error = errno;
    unlink(path);
    close(fd);
    errno = error;
    return -1;
}

int open_or_make(const char *name, int flags, mode_t mode, unsigned value) {
    char path[PATH_MAX], fresh[64];
    if (snprintf(path, sizeof path, "%s/sem.%s", kDirectory, name) >= static_cast<int>(sizeof path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (;;) {
        const int existing = flags & O_CREAT && flags & O_EXCL ? -1 : open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (existing >= 0 || !(flags & O_CREAT) || (!(flags & O_EXCL) && errno != ENOENT)) return existing;
        const int made = make_nameless(fresh, sizeof fresh, mode, value);
        if (made < 0) return -1;
        const int linked = link(fresh, path), error = errno;
        unlink(fresh);
        if (linked == 0) return made;
        close(made);
        errno = error;
        if (error != EEXIST || flags & O_EXCL) return -1;
    }
}

}  // namespace

extern "C" {

sem_t *sem_open(const char *name, int flags, ...) noexcept {
    mode_t mode = 0;
    unsigned value = 0;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        value = va_arg(arguments, unsigned);
        va_end(arguments);
    }
    while (*name == '/') ++name;
    if (!*name || strchr(name, '/')) {
        errno = EINVAL;
        return SEM_FAILED;
    }
    const int fd = open_or_make(name, flags, mode, value);
    if (fd < 0) return SEM_FAILED;
    void *memory = mmap(nullptr, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int error = errno;
    close(fd);
    errno = error;
    return memory == MAP_FAILED ? SEM_FAILED : static_cast<sem_t *>(memory);
}

int sem_close(sem_t *semaphore) noexcept { return munmap(semaphore, sizeof(sem_t)); }

}  // extern "C"
