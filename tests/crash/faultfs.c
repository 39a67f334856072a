/* Preloaded into a process under test: counts, records or fails its file operations.
 *
 * Only files below one folder count. From Python: ctypes.CDLL(None), then
 *   fi_arm(folder, n, act)   the n-th operation is hit: "kill" before it, "torn" in the middle of
 *                            a write, "eio" or "enospc" instead of it; n = 0 only counts
 *   fi_record(folder, file)  append every operation, with its data, to `file` (see disk.py)
 *   fi_note(data, length)    append a note of the test to the record
 *   fi_seen(), fi_hit()      operations so far; what was hit, as "operation path"
 *   fi_off()
 *   fi_wall(ms)              the wall clock of this process is wrong by so much from now on
 * One record is one append, so that threads and processes may share the file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 4096 };
static char folder[PATH], hit_text[PATH + 16], act[16];
static size_t folder_length;
static long target;
static atomic_long seen;
static int recorder = -1;

void fi_off(void) { folder_length = 0; recorder = -1; }
long fi_seen(void) { return seen; }
const char *fi_hit(void) { return hit_text; }

static void watch(const char *where) {
  snprintf(folder, sizeof folder, "%s", where);
  folder_length = strlen(folder);
  seen = 0;
  hit_text[0] = 0;
}

void fi_arm(const char *where, long n, const char *what) {
  watch(where);
  target = n;
  snprintf(act, sizeof act, "%s", what);
}

void fi_record(const char *where, const char *file) {
  recorder = syscall(SYS_openat, AT_FDCWD, file, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  target = 0;
  watch(where);
}

/* op u8 · path length u16 · offset i64 · data length u32 · path · data */
static void record(char op, const char *path, int64_t offset, const void *data, uint32_t length) {
  if (recorder < 0) return;
  uint16_t path_length = strlen(path);
  size_t size = 15 + path_length + length;
  char *text = malloc(size);
  text[0] = op;
  memcpy(text + 1, &path_length, 2);
  memcpy(text + 3, &offset, 8);
  memcpy(text + 11, &length, 4);
  memcpy(text + 15, path, path_length);
  if (length) memcpy(text + 15 + path_length, data, length);
  if (syscall(SYS_write, recorder, text, size) != (long)size) abort();
  free(text);
}

void fi_note(const void *data, uint32_t length) { record('n', "", 0, data, length); }

static int below(const char *path) {
  return folder_length && path && !strncmp(path, folder, folder_length) &&
         (path[folder_length] == '/' || !path[folder_length]);
}

static int path_of(int fd, char *path) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH - 1);
  if (!folder_length || length < 0) return 0;
  path[length] = 0;
  return below(path);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/* Whether this operation, already known to be below the folder, is the one to be hit. */
static int hit(const char *op, const char *path) {
  if (++seen != target) return 0;
  snprintf(hit_text, sizeof hit_text, "%s %s", op, path + folder_length);
  if (!strcmp(act, "kill")) die();
  if (!strcmp(act, "torn")) {
    if (strcmp(op, "write")) die();
    return 1;
  }
  errno = !strcmp(act, "enospc") ? ENOSPC : EIO;
  return 1;
}

static ssize_t put(int fd, const void *data, size_t size, off64_t at, int positioned) {
  return positioned ? syscall(SYS_pwrite64, fd, data, size, at) : syscall(SYS_write, fd, data, size);
}

static ssize_t do_write(int fd, const void *data, size_t size, off64_t at, int positioned) {
  char path[PATH];
  int ours = path_of(fd, path);
  if (ours && hit("write", path)) {
    if (strcmp(act, "torn")) return -1;
    put(fd, data, size / 2, at, positioned);
    die();
  }
  ssize_t done = put(fd, data, size, at, positioned);
  if (ours && done > 0)
    record('w', path, positioned ? at : lseek64(fd, 0, SEEK_CUR) - done, data, done);
  return done;
}

ssize_t write(int fd, const void *data, size_t size) { return do_write(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return do_write(fd, data, size, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return do_write(fd, data, size, at, 1); }

static int do_sync(int fd, long number) {
  char path[PATH];
  int ours = path_of(fd, path);
  if (ours && hit("sync", path)) return -1;
  if (ours) record('s', path, getpid() * 100000L + syscall(SYS_gettid) % 100000L, 0, 0);
  int done = syscall(number, fd);
  if (ours && !done) record('S', path, getpid() * 100000L + syscall(SYS_gettid) % 100000L, 0, 0);
  return done;
}

int fsync(int fd) { return do_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return do_sync(fd, SYS_fdatasync); }

static int do_truncate(int fd, off64_t size) {
  char path[PATH];
  int ours = path_of(fd, path);
  if (ours && hit("truncate", path)) return -1;
  int done = syscall(SYS_ftruncate, fd, size);
  if (ours && !done) record('t', path, size, 0, 0);
  return done;
}

int ftruncate(int fd, off_t size) { return do_truncate(fd, size); }
int ftruncate64(int fd, off64_t size) { return do_truncate(fd, size); }

static int do_allocate(int fd, int mode, off64_t at, off64_t size) {
  char path[PATH];
  int ours = path_of(fd, path);
  if (ours && hit("allocate", path)) return -1;
  int done = syscall(SYS_fallocate, fd, mode, at, size);
  if (ours && !done) record('a', path, at + size, 0, 0);
  return done;
}

int fallocate(int fd, int mode, off_t at, off_t size) { return do_allocate(fd, mode, at, size); }
int fallocate64(int fd, int mode, off64_t at, off64_t size) { return do_allocate(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) { return do_allocate(fd, 0, at, size) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t size) { return do_allocate(fd, 0, at, size) ? errno : 0; }

static int do_name(const char *op, char code, const char *path, const char *to, long number, long more) {
  int ours = below(path);
  if (ours && hit(op, path)) return -1;
  int done = to ? syscall(number, path, to) : syscall(number, path, more);
  if (ours && !done) record(code, path, 0, to, to ? strlen(to) : 0);
  return done;
}

int rename(const char *path, const char *to) { return do_name("rename", 'r', path, to, SYS_rename, 0); }
int link(const char *path, const char *to) { return do_name("link", 'l', path, to, SYS_link, 0); }
int unlink(const char *path) { return do_name("unlink", 'u', path, 0, SYS_unlink, 0); }
int rmdir(const char *path) { return do_name("rmdir", 'u', path, 0, SYS_rmdir, 0); }
int mkdir(const char *path, mode_t mode) { return do_name("mkdir", 'm', path, 0, SYS_mkdir, mode); }

/* Only an open that makes the file is an operation. */
static int do_open(int at, const char *path, int flags, mode_t mode) {
  struct stat status;
  int makes = (flags & O_CREAT) && below(path) && stat(path, &status);
  if (makes && hit("create", path)) return -1;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  if (makes && fd >= 0) record('c', path, 0, 0, 0);
  else if (fd >= 0 && (flags & O_TRUNC) && below(path)) record('t', path, 0, 0, 0);
  return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? va_arg(rest, mode_t) : 0; }
#define OPEN(name, before, at)                              \
  int name(before const char *path, int flags, ...) {       \
    va_list rest;                                           \
    va_start(rest, flags);                                  \
    mode_t mode = mode_of(flags, rest);                     \
    va_end(rest);                                           \
    return do_open(at, path, flags, mode);                  \
  }
#define COMMA ,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, int at COMMA, at)
OPEN(openat64, int at COMMA, at)

/* The wall clock; clocks of elapsed time stay right, as on a machine whose time was set. */
static int64_t wrong_ms;
void fi_wall(int64_t ms) { wrong_ms = ms; }

int clock_gettime(clockid_t clock, struct timespec *at) {
  int done = syscall(SYS_clock_gettime, clock, at);
  if (!done && clock == CLOCK_REALTIME) {
    at->tv_sec += wrong_ms / 1000;
    at->tv_nsec += wrong_ms % 1000 * 1000000;
    if (at->tv_nsec < 0) at->tv_sec--, at->tv_nsec += 1000000000;
    if (at->tv_nsec >= 1000000000) at->tv_sec++, at->tv_nsec -= 1000000000;
  }
  return done;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
