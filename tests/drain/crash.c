/* Kills its process before a change of the files whose paths begin with a prefix: preloaded, it sees them all. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char prefix[PATH_MAX];
static long left, seen;

/* From now on count changes; die before number `at`, counted from 1, and never if it is 0. */
void crash_at(const char *of, long at) {
    strncpy(prefix, of, sizeof prefix - 1);
    left = at;
    seen = 0;
}

long changes_seen(void) { return seen; }

static void change(const char *path) {
    if (!*prefix || strncmp(path, prefix, strlen(prefix)))
        return;
    if (__sync_add_and_fetch(&seen, 1) == left)
        kill(getpid(), SIGKILL);
}

static void change_of(int fd) {
    char link[64], path[PATH_MAX];
    if (!*prefix)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        change(path);
    }
}

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    change_of(fd);
    return REAL(ssize_t, write, int, const void *, size_t)(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    change_of(fd);
    return REAL(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    change_of(fd);
    return REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, data, size, at);
}
int ftruncate(int fd, off_t size) {
    change_of(fd);
    return REAL(int, ftruncate, int, off_t)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    change_of(fd);
    return REAL(int, ftruncate64, int, off64_t)(fd, size);
}
int fsync(int fd) {
    change_of(fd);
    return REAL(int, fsync, int)(fd);
}
int fdatasync(int fd) {
    change_of(fd);
    return REAL(int, fdatasync, int)(fd);
}
int unlink(const char *path) {
    change(path);
    return REAL(int, unlink, const char *)(path);
}
