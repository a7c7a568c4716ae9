/*
 * Writes down what a process does to the files below one directory: loaded before the C library into every process of a
 * server, it stands between them and the calls that change files.
 *
 * A library in C and not in Rust, because whoever builds the forge has a C compiler already (SQLite is compiled), and because
 * nothing here may allocate, lock or unwind. Each record is one write to the end of one file, made before the call returns: what
 * happened before something else stands before it. Files are named by their inode, directories by their path.
 *
 * FORGE_RECORD_ROOT names the directory, FORGE_RECORD_LOG the file. See records.rs for who reads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { CREATED = 1, WRITTEN, CUT, SYNCED, DIRECTORY_SYNCED, RENAMED, LINKED, UNLINKED, MADE, REMOVED, UNKNOWN };

struct record {
    uint32_t length; /* of all that follows */
    uint32_t kind;
    uint64_t inode;
    uint64_t offset;
    uint32_t first; /* bytes of the first path, or of the data */
    uint32_t second; /* bytes of the second path */
};

static const char *root(void)
{
    static const char *kept;
    if (!kept) {
        const char *found = getenv("FORGE_RECORD_ROOT");
        kept = found ? found : "";
    }
    return kept;
}

static int is_below(const char *path)
{
    size_t length = strlen(root());
    return length && !strncmp(path, root(), length) && (path[length] == '/' || !path[length]);
}

static void put(enum kind kind, uint64_t inode, uint64_t offset, const void *first, size_t first_length,
                const void *second, size_t second_length)
{
    int before = errno;
    static int log = -1;
    struct stat found;
    if (log < 0 || fstat(log, &found)) {
        const char *path = getenv("FORGE_RECORD_LOG");
        int opened = path ? syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
        /* Far away from the numbers that programs expect to be free. */
        log = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, 700);
        if (opened >= 0)
            syscall(SYS_close, opened);
    }
    struct record record = {0};
    record.length = sizeof record - sizeof record.length + first_length + second_length;
    record.kind = kind;
    record.inode = inode;
    record.offset = offset;
    record.first = first_length;
    record.second = second_length;
    struct iovec pieces[3] = {
        {&record, sizeof record}, {(void *)first, first_length}, {(void *)second, second_length}};
    if (syscall(SYS_writev, log, pieces, 3) != (long)(sizeof record + first_length + second_length))
        abort();
    errno = before;
}

static void put_path(enum kind kind, uint64_t inode, const char *path)
{
    put(kind, inode, 0, path, strlen(path), NULL, 0);
}

/* The path of an open file, if it is below the root. */
static int path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

/* Makes a path absolute, with no link in its directories. The directory of the path must exist. */
static int whole(int directory, const char *path, char *out)
{
    char joined[2 * PATH_MAX], parent[PATH_MAX];
    int before = errno;
    if (path[0] == '/') {
        snprintf(joined, sizeof joined, "%s", path);
    } else if (directory == AT_FDCWD) {
        if (!getcwd(parent, sizeof parent))
            return errno = before, 0;
        snprintf(joined, sizeof joined, "%s/%s", parent, path);
    } else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        ssize_t length = readlink(link, parent, sizeof parent - 1);
        if (length < 0)
            return errno = before, 0;
        parent[length] = 0;
        snprintf(joined, sizeof joined, "%s/%s", parent, path);
    }
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/')
        joined[--end] = 0;
    char *name = strrchr(joined, '/');
    *name = 0;
    int is_known = realpath(joined[0] ? joined : "/", parent) != NULL;
    errno = before;
    if (!is_known || strlen(parent) + strlen(name + 1) + 2 > PATH_MAX)
        return 0;
    sprintf(out, "%s/%s", strcmp(parent, "/") ? parent : "", name + 1);
    return is_below(out);
}

static uint64_t inode_of(int fd, int *is_file)
{
    struct stat found;
    *is_file = !fstat(fd, &found) && S_ISREG(found.st_mode);
    return *is_file ? found.st_ino : 0;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int opened(int directory, const char *path, int flags, mode_t mode)
{
    char named[PATH_MAX];
    int changes = flags & (O_CREAT | O_TRUNC), is_ours = changes && whole(directory, path, named);
    struct stat before;
    int was_there = is_ours && !lstat(named, &before);
    int fd = syscall(SYS_openat, directory, path, flags | O_LARGEFILE, mode);
    int is_file;
    if (fd < 0 || (flags & O_TMPFILE) == O_TMPFILE || !is_ours)
        return fd;
    uint64_t inode = inode_of(fd, &is_file);
    if (is_file && !was_there)
        put_path(CREATED, inode, named);
    else if (is_file && (flags & O_TRUNC) && before.st_size)
        put(CUT, inode, 0, NULL, 0, NULL, 0);
    return fd;
}

#define MODE() \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

int open(const char *path, int flags, ...)
{
    MODE();
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE();
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    MODE();
    return opened(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
    MODE();
    return opened(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* `offset` below zero: where the file stands, behind what was written. */
static void written(int fd, const void *data, ssize_t length, off64_t offset)
{
    char path[PATH_MAX];
    int is_file;
    if (length <= 0 || !root()[0])
        return;
    int before = errno;
    uint64_t inode = inode_of(fd, &is_file);
    if (is_file && path_of(fd, path)) {
        if (offset < 0)
            offset = syscall(SYS_lseek, fd, 0, SEEK_CUR) - length;
        put(WRITTEN, inode, offset, data, length, NULL, 0);
    }
    errno = before;
}

static void written_pieces(int fd, const struct iovec *pieces, int count, ssize_t length, off64_t offset)
{
    if (length > 0 && offset < 0) {
        int is_file;
        inode_of(fd, &is_file);
        if (!is_file)
            return;
        offset = syscall(SYS_lseek, fd, 0, SEEK_CUR) - length;
    }
    for (int at = 0; at < count && length > 0; at++) {
        ssize_t now = pieces[at].iov_len < (size_t)length ? (ssize_t)pieces[at].iov_len : length;
        written(fd, pieces[at].iov_base, now, offset);
        offset += now;
        length -= now;
    }
}

ssize_t write(int fd, const void *data, size_t length)
{
    REAL(write);
    ssize_t done = real(fd, data, length);
    written(fd, data, done, -1);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    REAL(pwrite);
    ssize_t done = real(fd, data, length, offset);
    written(fd, data, done, offset);
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    REAL(pwrite64);
    ssize_t done = real(fd, data, length, offset);
    written(fd, data, done, offset);
    return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    REAL(writev);
    ssize_t done = real(fd, pieces, count);
    written_pieces(fd, pieces, count, done, -1);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    REAL(pwritev);
    ssize_t done = real(fd, pieces, count, offset);
    written_pieces(fd, pieces, count, done, offset);
    return done;
}

/* Programs fall back to reading and writing. */
ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t length, unsigned flags)
{
    (void)in, (void)in_offset, (void)out, (void)out_offset, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(int out, int in, off_t *offset, size_t length)
{
    (void)out, (void)in, (void)offset, (void)length;
    errno = EINVAL;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t length)
{
    (void)out, (void)in, (void)offset, (void)length;
    errno = EINVAL;
    return -1;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    (void)fd, (void)mode, (void)offset, (void)length;
    errno = EOPNOTSUPP;
    return -1;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    return fallocate(fd, mode, offset, length);
}

static void cut(int fd, off64_t length)
{
    char path[PATH_MAX];
    int is_file;
    uint64_t inode = inode_of(fd, &is_file);
    if (is_file && path_of(fd, path))
        put(CUT, inode, length, NULL, 0, NULL, 0);
}

int ftruncate(int fd, off_t length)
{
    REAL(ftruncate);
    int result = real(fd, length);
    if (!result)
        cut(fd, length);
    return result;
}

int ftruncate64(int fd, off64_t length)
{
    REAL(ftruncate64);
    int result = real(fd, length);
    if (!result)
        cut(fd, length);
    return result;
}

static int synced(int fd, int result)
{
    char path[PATH_MAX];
    struct stat found;
    if (result || fstat(fd, &found) || !path_of(fd, path))
        return result;
    if (S_ISREG(found.st_mode))
        put(SYNCED, found.st_ino, 0, NULL, 0, NULL, 0);
    else if (S_ISDIR(found.st_mode))
        put_path(DIRECTORY_SYNCED, 0, path);
    return result;
}

int fsync(int fd)
{
    REAL(fsync);
    return synced(fd, real(fd));
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return synced(fd, real(fd));
}

static int renamed(int from_directory, const char *from, int to_directory, const char *to, unsigned flags)
{
    char old[PATH_MAX], new[PATH_MAX];
    int is_ours = whole(from_directory, from, old), becomes_ours = whole(to_directory, to, new);
    int result = syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
    if (!result && is_ours && becomes_ours && !(flags & RENAME_EXCHANGE))
        put(RENAMED, 0, 0, old, strlen(old), new, strlen(new));
    else if (!result && (is_ours || becomes_ours))
        put_path(UNKNOWN, 0, is_ours ? old : new);
    return result;
}

int rename(const char *from, const char *to)
{
    return renamed(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return renamed(from_directory, from, to_directory, to, 0);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags)
{
    return renamed(from_directory, from, to_directory, to, flags);
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
    char new[PATH_MAX];
    struct stat found;
    int becomes_ours = whole(to_directory, to, new);
    int result = syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
    if (!result && becomes_ours && !lstat(new, &found))
        put_path(LINKED, found.st_ino, new);
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int symlinkat(const char *target, int directory, const char *path)
{
    char new[PATH_MAX];
    int becomes_ours = whole(directory, path, new);
    int result = syscall(SYS_symlinkat, target, directory, path);
    if (!result && becomes_ours)
        put_path(UNKNOWN, 0, new);
    return result;
}

int symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int directory, const char *path, int flags)
{
    char old[PATH_MAX];
    int is_ours = whole(directory, path, old);
    int result = syscall(SYS_unlinkat, directory, path, flags);
    if (!result && is_ours)
        put_path(flags & AT_REMOVEDIR ? REMOVED : UNLINKED, 0, old);
    return result;
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int remove(const char *path)
{
    int result = unlink(path);
    return result && errno == EISDIR ? rmdir(path) : result;
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    char new[PATH_MAX];
    int becomes_ours = whole(directory, path, new);
    int result = syscall(SYS_mkdirat, directory, path, mode);
    if (!result && becomes_ours)
        put_path(MADE, 0, new);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}
