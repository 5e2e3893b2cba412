/* posix_file.c -- module posix: file descriptors and single files.
 *
 * Every call that may sleep runs offline, between blocking_begin() and blocking_end(); one that is
 * interrupted answers signals and goes on (PEP 475).
 */
#include "modules/posix.h"

#include <fcntl.h>
#include <pty.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static Value
none_or_error(Thread *th, long result)
{
    if (result >= 0)
        return NONE;
    return error_set(th) ? NULL : posix_error(th);
}

static Value
path_done(Thread *th, PathArg *p, long result)
{
    Value v = result >= 0 ? NONE : error_set(th) ? NULL : posix_path_error(th, p);
    path_free(th, p);
    return v;
}

/* -- descriptors -------------------------------------------------------------------------------------- */

static Value
posix_open(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "open", .names = {"path", "flags", "mode", "dir_fd"},
                                     .positional = 3, .required = 2};
    Value v[4];
    PathArg p;
    int flags, mode = 0777, dir = AT_FDCWD, fd;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &flags) || !arg_int(th, v[2], &mode) ||
        !dir_fd_arg(th, v[3], &dir) || !path_arg(th, "open", "path", v[0], 0, &p))
        return NULL;
    Value event = tuple_pack(th, 3, v[0], NONE, v[1]);
    if (event == NULL || !upcalls.audit(th, "open", event)) {
        drop_null(th, event);
        path_free(th, &p);
        return NULL;
    }
    drop(th, event);
    OFFLINE(th, fd, openat(dir, p.path, flags | O_CLOEXEC, (mode_t)mode));
    Value r = fd >= 0 ? value_from_fixnum(fd) : error_set(th) ? NULL : posix_path_error(th, &p);
    path_free(th, &p);
    return r;
}

static Value
posix_close(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "close", .names = {"fd"}, .positional = 1, .required = 1};
    Value v[1];
    int fd;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &fd))
        return NULL;
    blocking_begin(th);
    int r = close(fd); /* never repeated: the descriptor is gone even after EINTR */
    blocking_end(th);
    return r < 0 && errno != EINTR ? posix_error(th) : NONE;
}

static Value
posix_closerange(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int low, high;
    if (!arg_int(th, arg(a, 0), &low) || !arg_int(th, arg(a, 1), &high))
        return NULL;
    blocking_begin(th);
    if (low < 0)
        low = 0;
    if (high > low && close_range((unsigned)low, (unsigned)high - 1, 0) != 0)
        for (int fd = low; fd < high; fd++)
            close(fd);
    blocking_end(th);
    return NONE;
}

static Value
posix_read(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd;
    int64_t length;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_ssize(th, arg(a, 1), &length))
        return NULL;
    if (length < 0) {
        errno = EINVAL;
        return posix_error(th);
    }
    if (length > 0x7ffff000)
        length = 0x7ffff000;
    Value b = bytes_new(th, (size_t)length);
    if (b == NULL)
        return NULL;
    ssize_t got;
    OFFLINE(th, got, read(fd, as_bytes(b)->data, (size_t)length));
    if (got < 0) {
        if (!error_set(th))
            posix_error(th);
        drop(th, b);
        return NULL;
    }
    return got == length ? b : bytes_resize(th, b, (size_t)got);
}

static Value
posix_write(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd;
    Buffer b;
    if (!arg_int(th, arg(a, 0), &fd) || !buffer_lend(th, arg(a, 1), &b, BUFFER_SIMPLE))
        return NULL;
    ssize_t done;
    size_t size = b.length > 0x7ffff000 ? 0x7ffff000 : (size_t)b.length;
    OFFLINE(th, done, write(fd, b.data, size));
    Value r = done >= 0 ? int_from_i64(th, done) : error_set(th) ? NULL : posix_error(th);
    buffer_release(th, &b);
    return r;
}

static Value
posix_pread(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd;
    int64_t length, offset;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_ssize(th, arg(a, 1), &length) || !arg_long(th, arg(a, 2), &offset))
        return NULL;
    if (length < 0) {
        errno = EINVAL;
        return posix_error(th);
    }
    Value b = bytes_new(th, (size_t)length);
    if (b == NULL)
        return NULL;
    ssize_t got;
    OFFLINE(th, got, pread(fd, as_bytes(b)->data, (size_t)length, offset));
    if (got < 0) {
        if (!error_set(th))
            posix_error(th);
        drop(th, b);
        return NULL;
    }
    return got == length ? b : bytes_resize(th, b, (size_t)got);
}

static Value
posix_pwrite(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd;
    int64_t offset;
    Buffer b;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_long(th, arg(a, 2), &offset) ||
        !buffer_lend(th, arg(a, 1), &b, BUFFER_SIMPLE))
        return NULL;
    ssize_t done;
    OFFLINE(th, done, pwrite(fd, b.data, (size_t)b.length, offset));
    Value r = done >= 0 ? int_from_i64(th, done) : error_set(th) ? NULL : posix_error(th);
    buffer_release(th, &b);
    return r;
}

static Value
posix_lseek(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, how;
    int64_t offset;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_long(th, arg(a, 1), &offset) || !arg_int(th, arg(a, 2), &how))
        return NULL;
    blocking_begin(th);
    off_t at = lseek(fd, offset, how);
    blocking_end(th);
    return at < 0 ? posix_error(th) : int_from_i64(th, at);
}

static Value
posix_isatty(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    return arg_int(th, v, &fd) ? bool_from(isatty(fd)) : NULL;
}

static Value
posix_dup(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    if (!arg_int(th, v, &fd))
        return NULL;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? posix_error(th) : value_from_fixnum(copy);
}

static Value
posix_dup2(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "dup2", .names = {"fd", "fd2", "inheritable"}, .positional = 3,
                                     .required = 2};
    Value v[3];
    int fd, to;
    bool inherit = true;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &fd) || !arg_int(th, v[1], &to) ||
        !arg_bool(th, v[2], &inherit))
        return NULL;
    if (fd < 0 || to < 0) {
        errno = EBADF;
        return posix_error(th);
    }
    blocking_begin(th);
    int r = inherit || fd == to ? dup2(fd, to) : dup3(fd, to, O_CLOEXEC);
    blocking_end(th);
    return r < 0 ? posix_error(th) : value_from_fixnum(r);
}

static Value
posix_get_inheritable(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    if (!arg_int(th, v, &fd))
        return NULL;
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? posix_error(th) : bool_from(!(flags & FD_CLOEXEC));
}

static Value
posix_set_inheritable(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, on;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &on))
        return NULL;
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, on ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC) < 0)
        return posix_error(th);
    return NONE;
}

static Value
posix_get_blocking(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    if (!arg_int(th, v, &fd))
        return NULL;
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? posix_error(th) : bool_from(!(flags & O_NONBLOCK));
}

static Value
posix_set_blocking(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, on;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &on))
        return NULL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) < 0)
        return posix_error(th);
    return NONE;
}

static Value
posix_pipe(Thread *th, Value self)
{
    (void)self;
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return posix_error(th);
    return tuple_pack(th, 2, value_from_fixnum(fd[0]), value_from_fixnum(fd[1]));
}

static Value
posix_pipe2(Thread *th, Value self, Value v)
{
    (void)self;
    int fd[2], flags;
    if (!arg_int(th, v, &flags))
        return NULL;
    if (pipe2(fd, flags) < 0)
        return posix_error(th);
    return tuple_pack(th, 2, value_from_fixnum(fd[0]), value_from_fixnum(fd[1]));
}

static Value
posix_openpty(Thread *th, Value self)
{
    (void)self;
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return posix_error(th);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    return tuple_pack(th, 2, value_from_fixnum(master), value_from_fixnum(slave));
}

static Value
sync_fd(Thread *th, Value v, int (*f)(int))
{
    int fd, r;
    if (!fd_arg(th, v, &fd))
        return NULL;
    OFFLINE(th, r, f(fd));
    return none_or_error(th, r);
}

static Value
posix_fsync(Thread *th, Value self, Value v)
{
    (void)self;
    return sync_fd(th, v, fsync);
}
WITH_KEYWORD(fsync, "fd")

static Value
posix_fdatasync(Thread *th, Value self, Value v)
{
    (void)self;
    return sync_fd(th, v, fdatasync);
}
WITH_KEYWORD(fdatasync, "fd")

static Value
posix_ftruncate(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, r;
    int64_t length;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_long(th, arg(a, 1), &length) ||
        !posix_audit(th, "os.truncate", 2, value_from_fixnum(fd), arg(a, 1)))
        return NULL;
    OFFLINE(th, r, ftruncate(fd, length));
    return none_or_error(th, r);
}

static Value
posix_truncate(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    PathArg p;
    int64_t length;
    int r;
    if (!arg_long(th, arg(a, 1), &length) || !path_arg(th, "truncate", "path", arg(a, 0), 1, &p))
        return NULL;
    if (!posix_audit(th, "os.truncate", 2, p.object, arg(a, 1))) {
        path_free(th, &p);
        return NULL;
    }
    OFFLINE(th, r, p.path ? truncate(p.path, length) : ftruncate(p.fd, length));
    return path_done(th, &p, r);
}
WITH_KEYWORDS(truncate, 2, "path", "length")

static Value
posix_sendfile(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int out, in;
    int64_t offset = 0, count;
    if (!arg_int(th, arg(a, 0), &out) || !arg_int(th, arg(a, 1), &in) || !arg_ssize(th, arg(a, 3), &count) ||
        (arg(a, 2) != NONE && !arg_long(th, arg(a, 2), &offset)))
        return NULL;
    off_t at = offset;
    ssize_t r;
    OFFLINE(th, r, sendfile(out, in, arg(a, 2) == NONE ? NULL : &at, (size_t)count));
    return r < 0 ? error_set(th) ? NULL : posix_error(th) : int_from_i64(th, r);
}
WITH_KEYWORDS(sendfile, 4, "out_fd", "in_fd", "offset", "count")

static Value
posix_ttyname(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    char name[256];
    if (!arg_int(th, v, &fd))
        return NULL;
    int r = ttyname_r(fd, name, sizeof name);
    return r ? raise_os_error(th, r) : str_from_fs(th, name, strlen(name));
}

static Value
posix_get_terminal_size(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int fd = 1;
    struct winsize w;
    if (n && !arg_int(th, arg(a, 0), &fd))
        return NULL;
    if (ioctl(fd, TIOCGWINSZ, &w) != 0)
        return posix_error(th);
    Value r = struct_seq_new(th, posix_state(th)->terminal_size);
    if (r) {
        struct_seq_init(r, 0, value_from_fixnum(w.ws_col));
        struct_seq_init(r, 1, value_from_fixnum(w.ws_row));
    }
    return r;
}

static Value
posix_device_encoding(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    if (!arg_int(th, v, &fd))
        return NULL;
    return isatty(fd) ? str_from_c(th, "UTF-8") : NONE;
}
WITH_KEYWORD(device_encoding, "fd")

static Value
posix_posix_fadvise(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, advice;
    int64_t offset, length;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_long(th, arg(a, 1), &offset) || !arg_long(th, arg(a, 2), &length) ||
        !arg_int(th, arg(a, 3), &advice))
        return NULL;
    blocking_begin(th);
    int r = posix_fadvise(fd, offset, length, advice);
    blocking_end(th);
    return r ? raise_os_error(th, r) : NONE;
}

static Value
posix_posix_fallocate(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd;
    int64_t offset, length;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_long(th, arg(a, 1), &offset) || !arg_long(th, arg(a, 2), &length))
        return NULL;
    blocking_begin(th);
    int r = posix_fallocate(fd, offset, length);
    blocking_end(th);
    return r ? raise_os_error(th, r) : NONE;
}

static Value
posix_lockf(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, command, r;
    int64_t length;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &command) || !arg_long(th, arg(a, 2), &length) ||
        !posix_audit(th, "os.lockf", 3, arg(a, 0), arg(a, 1), arg(a, 2)))
        return NULL;
    OFFLINE(th, r, lockf(fd, command, length));
    return none_or_error(th, r);
}

/* -- stat and what goes with it ------------------------------------------------------------------------ */

static Value
do_stat(Thread *th, const char *name, Value path, int dir, int flags, int allow)
{
    PathArg p;
    struct stat st;
    if (!path_arg(th, name, "path", path, allow, &p))
        return NULL;
    if (p.fd >= 0 && dir != AT_FDCWD) {
        path_free(th, &p);
        return raise_value_error(th, "%s: can't specify dir_fd without matching path", name);
    }
    blocking_begin(th);
    int r = p.path ? fstatat(dir, p.path, &st, flags) : fstat(p.fd, &st);
    blocking_end(th);
    Value v = r == 0 ? stat_to_value(th, &st) : posix_path_error(th, &p);
    path_free(th, &p);
    return v;
}

static Value
posix_stat(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "stat", .names = {"path", "dir_fd", "follow_symlinks"},
                                     .positional = 1, .required = 1};
    Value v[3];
    int dir = AT_FDCWD;
    bool follow = true;
    if (!args_bind(th, &params, a, n, kwnames, v) || !dir_fd_arg(th, v[1], &dir) || !arg_bool(th, v[2], &follow))
        return NULL;
    if (!follow && is_int(v[0]))
        return raise_value_error(th, "stat: cannot use fd and follow_symlinks together");
    return do_stat(th, "stat", v[0], dir, follow ? 0 : AT_SYMLINK_NOFOLLOW, 1);
}

static Value
posix_lstat(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "lstat", .names = {"path", "dir_fd"}, .positional = 1,
                                     .required = 1};
    Value v[2];
    int dir = AT_FDCWD;
    if (!args_bind(th, &params, a, n, kwnames, v) || !dir_fd_arg(th, v[1], &dir))
        return NULL;
    return do_stat(th, "lstat", v[0], dir, AT_SYMLINK_NOFOLLOW, 0);
}

static Value
posix_fstat(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "fstat", .names = {"fd"}, .positional = 1, .required = 1};
    Value v[1];
    int fd;
    struct stat st;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &fd))
        return NULL;
    blocking_begin(th);
    int r = fstat(fd, &st);
    blocking_end(th);
    return r == 0 ? stat_to_value(th, &st) : posix_error(th);
}

static Value
posix_statvfs(Thread *th, Value self, Value path)
{
    (void)self;
    PathArg p;
    struct statvfs st;
    if (!path_arg(th, "statvfs", "path", path, 1, &p))
        return NULL;
    blocking_begin(th);
    int r = p.path ? statvfs(p.path, &st) : fstatvfs(p.fd, &st);
    blocking_end(th);
    Value v = r == 0 ? struct_seq_new(th, posix_state(th)->statvfs_result) : posix_path_error(th, &p);
    path_free(th, &p);
    if (v) {
        uint64_t fields[] = {st.f_bsize, st.f_frsize, st.f_blocks, st.f_bfree, st.f_bavail, st.f_files,
                             st.f_ffree, st.f_favail, st.f_flag, st.f_namemax, st.f_fsid};
        for (int i = 0; i < 11; i++)
            struct_seq_init(v, i, value_from_fixnum((int64_t)(fields[i] & INT64_MAX >> 2)));
    }
    return v;
}
WITH_KEYWORD(statvfs, "path")

static Value
posix_access(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "access",
                                     .names = {"path", "mode", "dir_fd", "effective_ids", "follow_symlinks"},
                                     .positional = 2, .required = 2};
    Value v[5];
    int mode, dir = AT_FDCWD;
    bool effective = false, follow = true;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &mode) || !dir_fd_arg(th, v[2], &dir) ||
        !arg_bool(th, v[3], &effective) || !arg_bool(th, v[4], &follow) ||
        !path_arg(th, "access", "path", v[0], 0, &p))
        return NULL;
    blocking_begin(th);
    int r = faccessat(dir, p.path, mode, (effective ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW));
    blocking_end(th);
    path_free(th, &p);
    return bool_from(r == 0);
}

static Value
posix_chmod(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "chmod", .names = {"path", "mode", "dir_fd", "follow_symlinks"},
                                     .positional = 2, .required = 2};
    Value v[4];
    int mode, dir = AT_FDCWD;
    bool follow = true;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &mode) || !dir_fd_arg(th, v[2], &dir) ||
        !arg_bool(th, v[3], &follow) || !path_arg(th, "chmod", "path", v[0], 1, &p))
        return NULL;
    if (!posix_audit(th, "os.chmod", 3, p.object, value_from_fixnum(mode), dir_fd_value(dir))) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = p.path ? fchmodat(dir, p.path, (mode_t)mode, follow ? 0 : AT_SYMLINK_NOFOLLOW)
                   : fchmod(p.fd, (mode_t)mode);
    blocking_end(th);
    if (r < 0 && errno == EOPNOTSUPP && !follow) {
        path_free(th, &p);
        return raise_error(th, &exc_NotImplementedError, "chmod: follow_symlinks unavailable on this platform");
    }
    return path_done(th, &p, r);
}

static Value
posix_fchmod(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, mode, r;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &mode) ||
        !posix_audit(th, "os.chmod", 3, arg(a, 0), arg(a, 1), value_from_fixnum(-1)))
        return NULL;
    OFFLINE(th, r, fchmod(fd, (mode_t)mode));
    return none_or_error(th, r);
}
WITH_KEYWORDS(fchmod, 2, "fd", "mode")

static bool
audit_chown(Thread *th, Value path, uint32_t uid, uint32_t gid, int dir)
{
    return posix_audit(th, "os.chown", 4, path, value_from_fixnum(uid), value_from_fixnum(gid), dir_fd_value(dir));
}

static Value
posix_chown(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "chown",
                                     .names = {"path", "uid", "gid", "dir_fd", "follow_symlinks"},
                                     .positional = 3, .required = 3};
    Value v[5];
    int dir = AT_FDCWD;
    uint32_t uid, gid;
    bool follow = true;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !id_arg(th, v[1], &uid, "uid") ||
        !id_arg(th, v[2], &gid, "gid") || !dir_fd_arg(th, v[3], &dir) || !arg_bool(th, v[4], &follow) ||
        !path_arg(th, "chown", "path", v[0], 1, &p))
        return NULL;
    if (!audit_chown(th, p.object, uid, gid, dir)) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = p.path ? fchownat(dir, p.path, uid, gid, follow ? 0 : AT_SYMLINK_NOFOLLOW) : fchown(p.fd, uid, gid);
    blocking_end(th);
    return path_done(th, &p, r);
}

static Value
posix_lchown(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    uint32_t uid, gid;
    PathArg p;
    if (!id_arg(th, arg(a, 1), &uid, "uid") || !id_arg(th, arg(a, 2), &gid, "gid") ||
        !path_arg(th, "lchown", "path", arg(a, 0), 0, &p))
        return NULL;
    if (!audit_chown(th, p.object, uid, gid, AT_FDCWD)) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = lchown(p.path, uid, gid);
    blocking_end(th);
    return path_done(th, &p, r);
}
WITH_KEYWORDS(lchown, 3, "path", "uid", "gid")

/* Seconds as int or float to a timespec. */
static bool
seconds_arg(Thread *th, Value v, struct timespec *t)
{
    if (is_float(v)) {
        double d = float_value(v), whole = __builtin_floor(d);
        if (!(whole >= -9.2e18 && whole <= 9.2e18)) {
            raise_overflow(th, "timestamp out of range for platform time_t");
            return false;
        }
        t->tv_sec = (time_t)whole;
        t->tv_nsec = (long)((d - whole) * 1e9);
        if (t->tv_nsec >= 1000000000) {
            t->tv_sec++;
            t->tv_nsec -= 1000000000;
        }
        return true;
    }
    int64_t s;
    if (!arg_long(th, v, &s))
        return false;
    t->tv_sec = s;
    t->tv_nsec = 0;
    return true;
}

static bool
ns_arg(Thread *th, Value v, struct timespec *t)
{
    Value q, r;
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool ok = int_divmod(th, n, value_from_fixnum(1000000000), &q, &r);
    drop(th, n);
    if (!ok)
        return false;
    int64_t s, ns;
    ok = int_to_i64(th, q, &s) && int_to_i64(th, r, &ns);
    drop(th, q);
    drop(th, r);
    if (ok) {
        t->tv_sec = s;
        t->tv_nsec = (long)ns;
    }
    return ok;
}

static Value
posix_utime(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "utime",
                                     .names = {"path", "times", "ns", "dir_fd", "follow_symlinks"},
                                     .positional = 2, .required = 1};
    Value v[5];
    int dir = AT_FDCWD;
    bool follow = true;
    PathArg p;
    struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    bool have_times = v[1] && v[1] != NONE;
    if (have_times && v[2])
        return raise_value_error(th, "utime: you may specify either 'times' or 'ns' but not both");
    if (have_times) {
        if (!is_tuple(v[1]) || tuple_length(v[1]) != 2)
            return raise_type_error(th, "utime: 'times' must be either a tuple of two ints or None");
        if (!seconds_arg(th, tuple_item(v[1], 0), &t[0]) || !seconds_arg(th, tuple_item(v[1], 1), &t[1]))
            return NULL;
    } else if (v[2]) {
        if (!is_tuple(v[2]) || tuple_length(v[2]) != 2)
            return raise_type_error(th, "utime: 'ns' must be a tuple of two ints");
        if (!ns_arg(th, tuple_item(v[2], 0), &t[0]) || !ns_arg(th, tuple_item(v[2], 1), &t[1]))
            return NULL;
    }
    if (!dir_fd_arg(th, v[3], &dir) || !arg_bool(th, v[4], &follow) ||
        !path_arg(th, "utime", "path", v[0], 1, &p))
        return NULL;
    if (!posix_audit(th, "os.utime", 4, p.object, v[1], v[2], dir_fd_value(dir))) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = p.path ? utimensat(dir, p.path, t, follow ? 0 : AT_SYMLINK_NOFOLLOW) : futimens(p.fd, t);
    blocking_end(th);
    return path_done(th, &p, r);
}

/* -- extended attributes ------------------------------------------------------------------------------------ */

static bool
xattr_args(Thread *th, const char *name, Value path, Value attribute, Value follow_value, PathArg *p,
           PathArg *attr, bool *follow, Value value, Value flags)
{
    *follow = true;
    if (!arg_bool(th, follow_value, follow) || !path_arg(th, name, "path", path, 1, p))
        return false;
    if (!path_arg(th, name, "attribute", attribute, 0, attr)) {
        path_free(th, p);
        return false;
    }
    char event[24];
    snprintf(event, sizeof event, "os.%s", name);
    if (posix_audit(th, event, value ? 4 : 2, path, attribute, value, flags))
        return true;
    path_free(th, attr);
    path_free(th, p);
    return false;
}

static Value
posix_getxattr(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "getxattr", .names = {"path", "attribute", "follow_symlinks"},
                                     .positional = 2, .required = 2};
    Value v[3];
    PathArg p, attr;
    bool follow;
    if (!args_bind(th, &params, a, n, kwnames, v) ||
        !xattr_args(th, "getxattr", v[0], v[1], v[2], &p, &attr, &follow, NULL, NULL))
        return NULL;
    Value b = NULL;
    for (size_t size = 128; size <= 65536; size = size == 128 ? 65536 : size + 1) {
        b = bytes_new(th, size);
        if (b == NULL)
            break;
        blocking_begin(th);
        ssize_t r = p.fd >= 0 ? fgetxattr(p.fd, attr.path, as_bytes(b)->data, size)
                    : follow  ? getxattr(p.path, attr.path, as_bytes(b)->data, size)
                              : lgetxattr(p.path, attr.path, as_bytes(b)->data, size);
        blocking_end(th);
        if (r >= 0) {
            b = bytes_resize(th, b, (size_t)r);
            break;
        }
        int error = errno;
        DROP_CLEAR(th, b);
        if (error != ERANGE || size == 65536) {
            errno = error;
            posix_path_error(th, &p);
            break;
        }
    }
    path_free(th, &attr);
    path_free(th, &p);
    return b;
}

static Value
posix_setxattr(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "setxattr",
                                     .names = {"path", "attribute", "value", "flags", "follow_symlinks"},
                                     .positional = 4, .required = 3};
    Value v[5];
    PathArg p, attr;
    bool follow;
    int flags = 0;
    Buffer b;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[3], &flags) ||
        !buffer_lend(th, v[2], &b, BUFFER_SIMPLE))
        return NULL;
    if (!xattr_args(th, "setxattr", v[0], v[1], v[4], &p, &attr, &follow, v[2], value_from_fixnum(flags))) {
        buffer_release(th, &b);
        return NULL;
    }
    blocking_begin(th);
    int r = p.fd >= 0 ? fsetxattr(p.fd, attr.path, b.data, (size_t)b.length, flags)
            : follow  ? setxattr(p.path, attr.path, b.data, (size_t)b.length, flags)
                      : lsetxattr(p.path, attr.path, b.data, (size_t)b.length, flags);
    blocking_end(th);
    int error = errno;
    buffer_release(th, &b);
    path_free(th, &attr);
    errno = error;
    return path_done(th, &p, r);
}

static Value
posix_removexattr(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "removexattr",
                                     .names = {"path", "attribute", "follow_symlinks"}, .positional = 2,
                                     .required = 2};
    Value v[3];
    PathArg p, attr;
    bool follow;
    if (!args_bind(th, &params, a, n, kwnames, v) ||
        !xattr_args(th, "removexattr", v[0], v[1], v[2], &p, &attr, &follow, NULL, NULL))
        return NULL;
    blocking_begin(th);
    int r = p.fd >= 0 ? fremovexattr(p.fd, attr.path)
            : follow  ? removexattr(p.path, attr.path)
                      : lremovexattr(p.path, attr.path);
    blocking_end(th);
    path_free(th, &attr);
    return path_done(th, &p, r);
}

static Value
posix_listxattr(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "listxattr", .names = {"path", "follow_symlinks"},
                                     .positional = 1};
    Value v[2];
    bool follow = true;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_bool(th, v[1], &follow) ||
        !path_arg(th, "listxattr", "path", v[0], 3, &p))
        return NULL;
    if (!posix_audit(th, "os.listxattr", 1, v[0])) {
        path_free(th, &p);
        return NULL;
    }
    char *names = buffer_new(th, 65536);
    Value list = NULL;
    if (names) {
        blocking_begin(th);
        ssize_t r = p.fd >= 0 ? flistxattr(p.fd, names, 65536)
                    : follow  ? listxattr(p.path, names, 65536)
                              : llistxattr(p.path, names, 65536);
        blocking_end(th);
        if (r < 0)
            posix_path_error(th, &p);
        else
            list = list_new(th, 4);
        for (ssize_t i = 0; list && i < r; i += (ssize_t)strlen(names + i) + 1)
            if (!list_append_steal(th, list, str_from_fs(th, names + i, strlen(names + i))))
                DROP_CLEAR(th, list);
        buffer_free(names);
    }
    path_free(th, &p);
    return list;
}

/* -- other -------------------------------------------------------------------------------------------------------- */

static Value
posix_urandom(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t n;
    if (!arg_ssize(th, v, &n))
        return NULL;
    if (n < 0)
        return raise_value_error(th, "negative argument not allowed");
    Value b = bytes_new(th, (size_t)n);
    if (b == NULL)
        return NULL;
    int64_t done = 0;
    blocking_begin(th);
    while (done < n) {
        ssize_t r = getrandom(as_bytes(b)->data + done, (size_t)(n - done), 0);
        if (r < 0 && errno != EINTR)
            break;
        done += r > 0 ? r : 0;
    }
    blocking_end(th);
    if (done < n) {
        drop(th, b);
        return posix_error(th);
    }
    return b;
}

static Value
posix_getrandom(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "getrandom", .names = {"size", "flags"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    int64_t size;
    int flags = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[0], &size) || !arg_int(th, v[1], &flags))
        return NULL;
    if (size < 0) {
        errno = EINVAL;
        return posix_error(th);
    }
    Value b = bytes_new(th, (size_t)size);
    if (b == NULL)
        return NULL;
    ssize_t r;
    OFFLINE(th, r, getrandom(as_bytes(b)->data, (size_t)size, (unsigned)flags));
    if (r < 0) {
        if (!error_set(th))
            posix_error(th);
        drop(th, b);
        return NULL;
    }
    return bytes_resize(th, b, (size_t)r);
}

static Value
posix_strerror(Thread *th, Value self, Value v)
{
    (void)self;
    int n;
    char text[256];
    if (!arg_int(th, v, &n))
        return NULL;
    return str_from_c(th, strerror_r(n, text, sizeof text));
}

static Value
posix_fspath(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "fspath", .names = {"path"}, .positional = 1, .required = 1};
    Value v[1];
    return args_bind(th, &params, a, n, kwnames, v) ? fs_path(th, v[0]) : NULL;
}

static Value
device_part(Thread *th, Value v, int which)
{
    uint64_t dev;
    if (!is_int(v))
        return raise_type_error(th, "an integer is required");
    if (int_sign(v) < 0)
        return raise_overflow(th, "can't convert negative int to unsigned");
    if (!int_to_u64(th, v, &dev))
        return NULL;
    return value_from_fixnum(which ? minor((dev_t)dev) : major((dev_t)dev));
}

static Value
posix_major(Thread *th, Value self, Value v)
{
    (void)self;
    return device_part(th, v, 0);
}

static Value
posix_minor(Thread *th, Value self, Value v)
{
    (void)self;
    return device_part(th, v, 1);
}

static Value
posix_makedev(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int high, low;
    if (!arg_int(th, arg(a, 0), &high) || !arg_int(th, arg(a, 1), &low))
        return NULL;
    dev_t dev = makedev((unsigned)high, (unsigned)low);
    return dev == (dev_t)-1 ? value_from_fixnum(-1) : int_from_u64(th, dev);
}

static Value
posix_umask(Thread *th, Value self, Value v)
{
    (void)self;
    int mask;
    return arg_int(th, v, &mask) ? value_from_fixnum(umask((mode_t)mask)) : NULL;
}

static Value
posix_sync(Thread *th, Value self)
{
    (void)self;
    blocking_begin(th);
    sync();
    blocking_end(th);
    return NONE;
}

#define K(name, doc) NATIVE_K(#name, posix_##name, doc)
#define ONE(name, doc) NATIVE_1(#name, posix_##name, doc)
#define FIX(name, min, max, doc) NATIVE_N(#name, posix_##name, min, max, doc)
const MethodDef posix_file_methods[] = {
    K(open, "open($module, /, path, flags, mode=511, *, dir_fd=None)\n--\n\nOpen a file for low level IO.  Returns a file descriptor (integer)."),
    K(close, "close($module, /, fd)\n--\n\nClose a file descriptor."),
    FIX(closerange, 2, 2, "closerange($module, fd_low, fd_high, /)\n--\n\nCloses all file descriptors in [fd_low, fd_high), ignoring errors."),
    FIX(read, 2, 2, "read($module, fd, length, /)\n--\n\nRead from a file descriptor.  Returns a bytes object."),
    FIX(write, 2, 2, "write($module, fd, data, /)\n--\n\nWrite a bytes object to a file descriptor."),
    FIX(pread, 3, 3, "pread($module, fd, length, offset, /)\n--\n\nRead a number of bytes from a file descriptor starting at a particular offset."),
    FIX(pwrite, 3, 3, "pwrite($module, fd, buffer, offset, /)\n--\n\nWrite bytes to a file descriptor starting at a particular offset."),
    FIX(lseek, 3, 3, "lseek($module, fd, position, how, /)\n--\n\nSet the position of a file descriptor.  Return the new position."),
    ONE(isatty, "isatty($module, fd, /)\n--\n\nReturn True if the fd is connected to a terminal."),
    ONE(dup, "dup($module, fd, /)\n--\n\nReturn a duplicate of a file descriptor."),
    K(dup2, "dup2($module, /, fd, fd2, inheritable=True)\n--\n\nDuplicate file descriptor."),
    ONE(get_inheritable, "get_inheritable($module, fd, /)\n--\n\nGet the close-on-exe flag of the specified file descriptor."),
    FIX(set_inheritable, 2, 2, "set_inheritable($module, fd, inheritable, /)\n--\n\nSet the inheritable flag of the specified file descriptor."),
    ONE(get_blocking, "get_blocking($module, fd, /)\n--\n\nGet the blocking mode of the file descriptor."),
    FIX(set_blocking, 2, 2, "set_blocking($module, fd, blocking, /)\n--\n\nSet the blocking mode of the specified file descriptor."),
    NATIVE_0("pipe", posix_pipe, "pipe($module, /)\n--\n\nCreate a pipe."),
    ONE(pipe2, "pipe2($module, flags, /)\n--\n\nCreate a pipe with flags set atomically."),
    NATIVE_0("openpty", posix_openpty, "openpty($module, /)\n--\n\nOpen a pseudo-terminal."),
    NATIVE_K("fsync", posix_fsync_keywords, "fsync($module, /, fd)\n--\n\nForce write of fd to disk."),
    NATIVE_K("fdatasync", posix_fdatasync_keywords, "fdatasync($module, /, fd)\n--\n\nForce write of fd to disk without forcing update of metadata."),
    NATIVE_0("sync", posix_sync, "sync($module, /)\n--\n\nForce write of everything to disk."),
    FIX(ftruncate, 2, 2, "ftruncate($module, fd, length, /)\n--\n\nTruncate a file, specified by file descriptor, to a specific length."),
    NATIVE_K("truncate", posix_truncate_keywords, "truncate($module, /, path, length)\n--\n\nTruncate a file, specified by path, to a specific length."),
    NATIVE_K("sendfile", posix_sendfile_keywords, "sendfile($module, /, out_fd, in_fd, offset, count)\n--\n\nCopy count bytes from file descriptor in_fd to file descriptor out_fd."),
    ONE(ttyname, "ttyname($module, fd, /)\n--\n\nReturn the name of the terminal device connected to 'fd'."),
    FIX(get_terminal_size, 0, 1, "get_terminal_size($module, fd=<unrepresentable>, /)\n--\n\nReturn the size of the terminal window as (columns, lines)."),
    NATIVE_K("device_encoding", posix_device_encoding_keywords, "device_encoding($module, /, fd)\n--\n\nReturn a string describing the encoding of a terminal's file descriptor."),
    FIX(posix_fadvise, 4, 4, "posix_fadvise($module, fd, offset, length, advice, /)\n--\n\nAnnounce an intention to access data in a specific pattern."),
    FIX(posix_fallocate, 3, 3, "posix_fallocate($module, fd, offset, length, /)\n--\n\nEnsure a file has allocated at least a particular number of bytes on disk."),
    FIX(lockf, 3, 3, "lockf($module, fd, command, length, /)\n--\n\nApply, test or remove a POSIX lock on an open file descriptor."),
    K(stat, "stat($module, /, path, *, dir_fd=None, follow_symlinks=True)\n--\n\nPerform a stat system call on the given path."),
    K(lstat, "lstat($module, /, path, *, dir_fd=None)\n--\n\nPerform a stat system call on the given path, without following symbolic links."),
    K(fstat, "fstat($module, /, fd)\n--\n\nPerform a stat system call on the given file descriptor."),
    NATIVE_K("statvfs", posix_statvfs_keywords, "statvfs($module, /, path)\n--\n\nPerform a statvfs system call on the given path."),
    NATIVE_1("fstatvfs", posix_statvfs, "fstatvfs($module, fd, /)\n--\n\nPerform an fstatvfs system call on the given fd."),
    K(access, "access($module, /, path, mode, *, dir_fd=None, effective_ids=False,\n       follow_symlinks=True)\n--\n\nUse the real uid/gid to test for access to a path."),
    K(chmod, "chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=True)\n--\n\nChange the access permissions of a file."),
    NATIVE_K("fchmod", posix_fchmod_keywords, "fchmod($module, /, fd, mode)\n--\n\nChange the access permissions of the file given by file descriptor fd."),
    K(chown, "chown($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)\n--\n\nChange the owner and group id of path to the numeric uid and gid."),
    NATIVE_K("lchown", posix_lchown_keywords, "lchown($module, /, path, uid, gid)\n--\n\nChange the owner and group id of path to the numeric uid and gid."),
    NATIVE_K("fchown", posix_chown, "fchown($module, /, fd, uid, gid)\n--\n\nChange the owner and group id of the file specified by file descriptor."),
    K(utime, "utime($module, /, path, times=None, *, ns=<unrepresentable>,\n      dir_fd=None, follow_symlinks=True)\n--\n\nSet the access and modified time of path."),
    K(getxattr, "getxattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nReturn the value of extended attribute attribute on path."),
    K(setxattr, "setxattr($module, /, path, attribute, value, flags=0, *,\n         follow_symlinks=True)\n--\n\nSet extended attribute attribute on path to value."),
    K(removexattr, "removexattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nRemove extended attribute attribute on path."),
    K(listxattr, "listxattr($module, /, path=None, *, follow_symlinks=True)\n--\n\nReturn a list of extended attributes on path."),
    ONE(urandom, "urandom($module, size, /)\n--\n\nReturn a bytes object containing random bytes suitable for cryptographic use."),
    K(getrandom, "getrandom($module, /, size, flags=0)\n--\n\nObtain a series of random bytes."),
    ONE(strerror, "strerror($module, code, /)\n--\n\nTranslate an error code to a message string."),
    K(fspath, "fspath($module, /, path)\n--\n\nReturn the file system path representation of the object."),
    ONE(major, "major($module, device, /)\n--\n\nExtracts a device major number from a raw device number."),
    ONE(minor, "minor($module, device, /)\n--\n\nExtracts a device minor number from a raw device number."),
    FIX(makedev, 2, 2, "makedev($module, major, minor, /)\n--\n\nComposes a raw device number from the major and minor device numbers."),
    ONE(umask, "umask($module, mask, /)\n--\n\nSet the current numeric umask and return the previous umask."),
    NATIVE_END,
};
