/* mod_posix.c -- module posix: the module itself, its records, constants and argument helpers. */
#include "modules/posix.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <dlfcn.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <spawn.h>
#include <sys/xattr.h>
#include <linux/memfd.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/eventfd.h>
#include <stdio.h>

extern char **environ;

void *
posix_error(Thread *th)
{
    return raise_os_error(th, errno);
}

void *
posix_path_error(Thread *th, const PathArg *p)
{
    return raise_os_error_path(th, errno, p->object);
}

bool
fd_arg(Thread *th, Value v, int *fd)
{
    if (is_int(v)) {
        if (!arg_int(th, v, fd))
            return false;
        if (*fd < 0)
            raise_value_error(th, "file descriptor cannot be a negative integer (%i)", *fd);
        return *fd >= 0;
    }
    Value method = NULL;
    Answer a = get_attr_optional(th, v, NAME(fileno), &method);
    if (a == FAILED)
        return false;
    if (a == NO) {
        raise_type_error(th, "argument must be an int, or have a fileno() method.");
        return false;
    }
    Value r = call_0(th, method);
    drop(th, method);
    if (r == NULL)
        return false;
    bool ok = is_int(r);
    if (!ok)
        raise_type_error(th, "fileno() returned a non-integer");
    ok = ok && arg_int(th, r, fd);
    drop(th, r);
    if (ok && *fd < 0) {
        raise_value_error(th, "file descriptor cannot be a negative integer (%i)", *fd);
        ok = false;
    }
    return ok;
}

bool
dir_fd_arg(Thread *th, Value v, int *fd)
{
    if (v == NULL || v == NONE)
        return true;
    if (!is_int(v)) {
        Value n = type_of(v)->s.index ? to_index(th, v) : NULL;
        if (n == NULL) {
            if (!error_set(th))
                raise_type_error(th, "argument should be integer or None, not %T", v);
            return false;
        }
        bool ok = arg_int(th, n, fd);
        drop(th, n);
        return ok;
    }
    return arg_int(th, v, fd);
}

Value
dir_fd_value(int fd)
{
    return value_from_fixnum(fd == AT_FDCWD ? -1 : fd);
}

bool
path_arg(Thread *th, const char *fname, const char *what, Value v, int allow, PathArg *out)
{
    *out = (PathArg){.fd = -1, .object = v};
    if ((allow & 2) && (v == NULL || v == NONE)) {
        out->path = ".";
        out->object = NONE;
        return true;
    }
    bool buffer = !is_str(v) && !is_bytes(v) && has_buffer(v);
    if ((allow & 1) && !is_str(v) && !is_bytes(v) && !buffer && type_of(v)->s.index) {
        Value n = to_index(th, v);
        bool ok = n && arg_int(th, n, &out->fd);
        drop_null(th, n);
        return ok;
    }
    const char *wanted = allow == 3   ? "string, bytes, os.PathLike, integer or None"
                         : allow == 2 ? "string, bytes, os.PathLike or None"
                         : allow == 1 ? "string, bytes, os.PathLike or integer"
                                      : "string, bytes or os.PathLike";
    Value path = NULL;
    if (is_str(v) || is_bytes(v))
        path = retain(th, v);
    else if (buffer) {
        Buffer b;
        if (!warn(th, &exc_DeprecationWarning, 1, "%s%s%s should be %s, not %T", fname ? fname : "",
                  fname ? ": " : "", what, wanted, v) ||
            !buffer_read(th, v, &b, BUFFER_SIMPLE))
            return false;
        path = bytes_from(th, b.data, (size_t)b.length);
        buffer_release(th, &b);
        if (path == NULL)
            return false;
    } else {
        bool missing = false;
        path = call_special(th, v, NAME(__fspath__), NULL, 0, &missing);
        if (path == NULL && missing) {
            raise_type_error(th, "%s%s%s should be %s, not %T", fname ? fname : "", fname ? ": " : "", what,
                             wanted, v);
            return false;
        }
        if (path && !is_str(path) && !is_bytes(path)) {
            raise_type_error(th, "expected %T.__fspath__() to return str or bytes, not %T", v, path);
            DROP_CLEAR(th, path);
        }
        if (path == NULL)
            return false;
    }
    out->bytes = is_bytes(path);
    Value encoded = out->bytes ? retain(th, path) : fs_encode(th, path);
    drop(th, path);
    if (encoded == NULL)
        return false;
    if (memchr(as_bytes(encoded)->data, 0, (size_t)as_bytes(encoded)->length)) {
        drop(th, encoded);
        raise_value_error(th, "%s%sembedded null character in %s", fname ? fname : "", fname ? ": " : "", what);
        return false;
    }
    out->held = encoded;
    out->path = (const char *)as_bytes(encoded)->data;
    return true;
}

void
path_free(Thread *th, PathArg *p)
{
    int saved = errno;
    drop_null(th, p->held);
    p->held = NULL;
    errno = saved;
}

Value
path_result(Thread *th, const PathArg *p, const char *name, size_t n)
{
    return p->bytes ? bytes_from(th, name, n) : str_from_fs(th, name, n);
}

bool
id_arg(Thread *th, Value v, uint32_t *out, const char *what)
{
    int64_t n;
    if (!is_int(v) && type_of(v)->s.index == NULL) {
        raise_type_error(th, "%s should be integer, not %T", what, v);
        return false;
    }
    Value i = to_index(th, v);
    if (i == NULL)
        return false;
    bool fits = int_fits_i64(i, &n), positive = int_sign(i) > 0;
    drop(th, i);
    if (!fits || n < -1 || n > UINT32_MAX) {
        char text[32]; /* what fits a C long is too small, whichever end it is beyond */
        snprintf(text, sizeof text, "%s is %s", what, !fits && positive ? "greater than maximum" : "less than minimum");
        raise_overflow(th, text);
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

bool
posix_audit(Thread *th, const char *event, size_t n, ...)
{
    if (interp_object(th, INTERP_AUDIT_HOOKS) == NULL)
        return true;
    Value args = tuple_new(th, n);
    if (args == NULL)
        return false;
    va_list list;
    va_start(list, n);
    for (size_t i = 0; i < n; i++) {
        Value v = va_arg(list, Value);
        tuple_init_item(args, (int64_t)i, v ? retain(th, v) : NONE);
    }
    va_end(list);
    bool ok = upcalls.audit(th, event, args);
    drop(th, args);
    return ok;
}

PosixState *
posix_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_POSIX]); /* pairs with native_publish() */
}

/* -- records ---------------------------------------------------------------------------------------------- */

#define F(n, d) {n, d}
static const StructSeqField stat_fields[] = {
    F("st_mode", "protection bits"), F("st_ino", "inode"), F("st_dev", "device"),
    F("st_nlink", "number of hard links"), F("st_uid", "user ID of owner"), F("st_gid", "group ID of owner"),
    F("st_size", "total size, in bytes"), F("", "integer time of last access"),
    F("", "integer time of last modification"), F("", "integer time of last change"),
    F("st_atime", "time of last access"), F("st_mtime", "time of last modification"),
    F("st_ctime", "time of last change"), F("st_atime_ns", "time of last access in nanoseconds"),
    F("st_mtime_ns", "time of last modification in nanoseconds"),
    F("st_ctime_ns", "time of last change in nanoseconds"), F("st_blksize", "blocksize for filesystem I/O"),
    F("st_blocks", "number of blocks allocated"), F("st_rdev", "device type (if inode device)"), F(NULL, NULL)};
static const StructSeqSpec stat_spec = {
    .name = "os.stat_result", .doc = "stat_result: Result from stat, fstat, or lstat.", .fields = stat_fields, .visible = 10};
static const StructSeqField statvfs_fields[] = {
    F("f_bsize", ""), F("f_frsize", ""), F("f_blocks", ""), F("f_bfree", ""), F("f_bavail", ""), F("f_files", ""),
    F("f_ffree", ""), F("f_favail", ""), F("f_flag", ""), F("f_namemax", ""), F("f_fsid", ""), F(NULL, NULL)};
static const StructSeqSpec statvfs_spec = {
    .name = "os.statvfs_result", .doc = "statvfs_result: Result from statvfs or fstatvfs.", .fields = statvfs_fields, .visible = 10};
static const StructSeqField terminal_fields[] = {
    F("columns", "width of the terminal window in characters"), F("lines", "height of the terminal window in characters"), F(NULL, NULL)};
static const StructSeqSpec terminal_spec = {
    .name = "os.terminal_size", .doc = "A tuple of (columns, lines) for holding terminal window size", .fields = terminal_fields, .visible = 2};
static const StructSeqField uname_fields[] = {
    F("sysname", "operating system name"), F("nodename", "name of machine on network (implementation-defined)"),
    F("release", "operating system release"), F("version", "operating system version"), F("machine", "hardware identifier"), F(NULL, NULL)};
static const StructSeqSpec uname_spec = {
    .name = "posix.uname_result", .doc = "uname_result: Result from os.uname().", .fields = uname_fields, .visible = 5};
static const StructSeqField times_fields[] = {
    F("user", "user time"), F("system", "system time"), F("children_user", "user time of children"),
    F("children_system", "system time of children"), F("elapsed", "elapsed time since an arbitrary point in the past"), F(NULL, NULL)};
static const StructSeqSpec times_spec = {
    .name = "posix.times_result", .doc = "times_result: Result from os.times().", .fields = times_fields, .visible = 5};
static const StructSeqField waitid_fields[] = {F("si_pid", ""), F("si_uid", ""), F("si_signo", ""), F("si_status", ""), F("si_code", ""), F(NULL, NULL)};
static const StructSeqSpec waitid_spec = {
    .name = "posix.waitid_result",
    .doc = "waitid_result: Result from waitid.\n\nThis object may be accessed either as a tuple of\n"
           "  (si_pid, si_uid, si_signo, si_status, si_code),\nor via the attributes si_pid, si_uid, and so on.\n\n"
           "See os.waitid for more information.",
    .fields = waitid_fields, .visible = 5,
};
#undef F

static Value
nanoseconds(Thread *th, const struct timespec *t)
{
    Value s = int_from_i64(th, t->tv_sec), b = value_from_fixnum(1000000000);
    Value ns = s ? int_multiply(th, s, b) : NULL;
    Value r = ns ? int_add(th, ns, value_from_fixnum(t->tv_nsec)) : NULL;
    drop_null(th, s);
    drop_null(th, ns);
    return r;
}

Value
stat_to_value(Thread *th, const struct stat *st)
{
    Value r = struct_seq_new(th, posix_state(th)->stat_result);
    if (r == NULL)
        return NULL;
    Value v[19] = {
        int_from_u64(th, st->st_mode), int_from_u64(th, st->st_ino), int_from_u64(th, st->st_dev),
        int_from_u64(th, st->st_nlink), int_from_u64(th, st->st_uid), int_from_u64(th, st->st_gid),
        int_from_i64(th, st->st_size), int_from_i64(th, st->st_atim.tv_sec),
        int_from_i64(th, st->st_mtim.tv_sec), int_from_i64(th, st->st_ctim.tv_sec),
        float_from(th, (double)st->st_atim.tv_sec + 1e-9 * (double)st->st_atim.tv_nsec),
        float_from(th, (double)st->st_mtim.tv_sec + 1e-9 * (double)st->st_mtim.tv_nsec),
        float_from(th, (double)st->st_ctim.tv_sec + 1e-9 * (double)st->st_ctim.tv_nsec),
        nanoseconds(th, &st->st_atim), nanoseconds(th, &st->st_mtim), nanoseconds(th, &st->st_ctim),
        int_from_i64(th, st->st_blksize), int_from_i64(th, st->st_blocks), int_from_u64(th, st->st_rdev),
    };
    bool ok = true;
    for (int i = 0; i < 19; i++) {
        ok = ok && v[i];
        if (v[i])
            struct_seq_init(r, i, v[i]);
    }
    if (!ok)
        DROP_CLEAR(th, r);
    return r;
}

/* -- constants -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define C(x) {#x, x},
    C(F_OK) C(R_OK) C(W_OK) C(X_OK) C(NGROUPS_MAX) C(TMP_MAX) C(WCONTINUED) C(WNOHANG) C(WUNTRACED)
    C(O_RDONLY) C(O_WRONLY) C(O_RDWR) C(O_NDELAY) C(O_NONBLOCK) C(O_APPEND) C(O_DSYNC) C(O_RSYNC) C(O_SYNC)
    C(O_NOCTTY) C(O_CREAT) C(O_EXCL) C(O_TRUNC) C(O_LARGEFILE) C(O_PATH) C(O_TMPFILE) C(O_CLOEXEC)
    C(O_ACCMODE) C(O_FSYNC) C(O_ASYNC) C(O_DIRECT) C(O_DIRECTORY) C(O_NOFOLLOW) C(O_NOATIME)
    C(EX_OK) C(EX_USAGE) C(EX_DATAERR) C(EX_NOINPUT) C(EX_NOUSER) C(EX_NOHOST) C(EX_UNAVAILABLE)
    C(EX_SOFTWARE) C(EX_OSERR) C(EX_OSFILE) C(EX_CANTCREAT) C(EX_IOERR) C(EX_TEMPFAIL) C(EX_PROTOCOL)
    C(EX_NOPERM) C(EX_CONFIG) C(ST_RDONLY) C(ST_NOSUID) C(ST_NODEV) C(ST_NOEXEC) C(ST_SYNCHRONOUS)
    C(ST_MANDLOCK) C(ST_WRITE) C(ST_APPEND) C(ST_NOATIME) C(ST_NODIRATIME) C(ST_RELATIME)
    C(PRIO_PROCESS) C(PRIO_PGRP) C(PRIO_USER) C(P_PID) C(P_PGID) C(P_ALL) C(P_PIDFD)
    C(WEXITED) C(WSTOPPED) C(WNOWAIT) C(CLD_EXITED) C(CLD_KILLED) C(CLD_DUMPED) C(CLD_TRAPPED)
    C(CLD_STOPPED) C(CLD_CONTINUED) C(F_LOCK) C(F_TLOCK) C(F_ULOCK) C(F_TEST)
    C(POSIX_FADV_NORMAL) C(POSIX_FADV_SEQUENTIAL) C(POSIX_FADV_RANDOM) C(POSIX_FADV_NOREUSE)
    C(POSIX_FADV_WILLNEED) C(POSIX_FADV_DONTNEED) C(SCHED_OTHER) C(SCHED_FIFO) C(SCHED_RR) C(SCHED_BATCH)
    C(SCHED_IDLE) C(SCHED_RESET_ON_FORK) C(XATTR_CREATE) C(XATTR_REPLACE) C(RTLD_LAZY) C(RTLD_NOW)
    C(RTLD_GLOBAL) C(RTLD_LOCAL) C(RTLD_NODELETE) C(RTLD_NOLOAD) C(RTLD_DEEPBIND) C(GRND_RANDOM)
    C(GRND_NONBLOCK) C(MFD_CLOEXEC) C(MFD_ALLOW_SEALING) C(MFD_HUGETLB)
    C(MFD_HUGE_SHIFT) C(MFD_HUGE_MASK) C(MFD_HUGE_64KB) C(MFD_HUGE_512KB) C(MFD_HUGE_1MB) C(MFD_HUGE_2MB)
    C(MFD_HUGE_8MB) C(MFD_HUGE_16MB) C(MFD_HUGE_32MB) C(MFD_HUGE_256MB) C(MFD_HUGE_512MB) C(MFD_HUGE_1GB)
    C(MFD_HUGE_2GB) C(MFD_HUGE_16GB) C(RWF_DSYNC) C(RWF_HIPRI) C(RWF_SYNC) C(RWF_NOWAIT) C(RWF_APPEND)
    C(EFD_CLOEXEC) C(EFD_NONBLOCK)
    C(EFD_SEMAPHORE) C(SEEK_DATA) C(SEEK_HOLE)
#undef C
    {"POSIX_SPAWN_OPEN", 0}, {"POSIX_SPAWN_CLOSE", 1}, {"POSIX_SPAWN_DUP2", 2},
    {"XATTR_SIZE_MAX", 65536}, {"SPLICE_F_MOVE", 1}, {"SPLICE_F_NONBLOCK", 2}, {"SPLICE_F_MORE", 4},
};

typedef struct ConfName {
    const char *name;
    int value;
} ConfName;

#define C(name) {#name, _##name},
static const ConfName pathconf_names[] = {
    C(PC_LINK_MAX) C(PC_MAX_CANON) C(PC_MAX_INPUT) C(PC_NAME_MAX) C(PC_PATH_MAX) C(PC_PIPE_BUF)
    C(PC_CHOWN_RESTRICTED) C(PC_NO_TRUNC) C(PC_VDISABLE) C(PC_SYNC_IO) C(PC_ASYNC_IO) C(PC_PRIO_IO)
    C(PC_SOCK_MAXBUF) C(PC_FILESIZEBITS) C(PC_REC_INCR_XFER_SIZE) C(PC_REC_MAX_XFER_SIZE)
    C(PC_REC_MIN_XFER_SIZE) C(PC_REC_XFER_ALIGN) C(PC_ALLOC_SIZE_MIN) C(PC_SYMLINK_MAX)
};
static const ConfName sysconf_names[] = {
    C(SC_ARG_MAX) C(SC_CHILD_MAX) C(SC_CLK_TCK) C(SC_NGROUPS_MAX) C(SC_OPEN_MAX) C(SC_STREAM_MAX)
    C(SC_TZNAME_MAX) C(SC_JOB_CONTROL) C(SC_SAVED_IDS) C(SC_REALTIME_SIGNALS)
    C(SC_PRIORITY_SCHEDULING) C(SC_TIMERS) C(SC_ASYNCHRONOUS_IO) C(SC_PRIORITIZED_IO)
    C(SC_SYNCHRONIZED_IO) C(SC_FSYNC) C(SC_MAPPED_FILES) C(SC_MEMLOCK) C(SC_MEMLOCK_RANGE)
    C(SC_MEMORY_PROTECTION) C(SC_MESSAGE_PASSING) C(SC_SEMAPHORES) C(SC_SHARED_MEMORY_OBJECTS)
    C(SC_AIO_LISTIO_MAX) C(SC_AIO_MAX) C(SC_AIO_PRIO_DELTA_MAX) C(SC_DELAYTIMER_MAX)
    C(SC_MQ_OPEN_MAX) C(SC_MQ_PRIO_MAX) C(SC_VERSION) C(SC_PAGESIZE) C(SC_PAGE_SIZE) C(SC_RTSIG_MAX)
    C(SC_SEM_NSEMS_MAX) C(SC_SEM_VALUE_MAX) C(SC_SIGQUEUE_MAX) C(SC_TIMER_MAX) C(SC_BC_BASE_MAX)
    C(SC_BC_DIM_MAX) C(SC_BC_SCALE_MAX) C(SC_BC_STRING_MAX) C(SC_COLL_WEIGHTS_MAX)
    C(SC_EQUIV_CLASS_MAX) C(SC_EXPR_NEST_MAX) C(SC_LINE_MAX) C(SC_RE_DUP_MAX)
    C(SC_CHARCLASS_NAME_MAX) C(SC_2_VERSION) C(SC_2_C_BIND) C(SC_2_C_DEV) C(SC_2_FORT_DEV)
    C(SC_2_FORT_RUN) C(SC_2_SW_DEV) C(SC_2_LOCALEDEF) C(SC_PII) C(SC_PII_XTI) C(SC_PII_SOCKET)
    C(SC_PII_INTERNET) C(SC_PII_OSI) C(SC_POLL) C(SC_SELECT) C(SC_IOV_MAX) C(SC_UIO_MAXIOV)
    C(SC_PII_INTERNET_STREAM) C(SC_PII_INTERNET_DGRAM) C(SC_PII_OSI_COTS) C(SC_PII_OSI_CLTS)
    C(SC_PII_OSI_M) C(SC_T_IOV_MAX) C(SC_THREADS) C(SC_THREAD_SAFE_FUNCTIONS) C(SC_GETGR_R_SIZE_MAX)
    C(SC_GETPW_R_SIZE_MAX) C(SC_LOGIN_NAME_MAX) C(SC_TTY_NAME_MAX)
    C(SC_THREAD_DESTRUCTOR_ITERATIONS) C(SC_THREAD_KEYS_MAX) C(SC_THREAD_STACK_MIN)
    C(SC_THREAD_THREADS_MAX) C(SC_THREAD_ATTR_STACKADDR) C(SC_THREAD_ATTR_STACKSIZE)
    C(SC_THREAD_PRIORITY_SCHEDULING) C(SC_THREAD_PRIO_INHERIT) C(SC_THREAD_PRIO_PROTECT)
    C(SC_THREAD_PROCESS_SHARED) C(SC_NPROCESSORS_CONF) C(SC_NPROCESSORS_ONLN) C(SC_PHYS_PAGES)
    C(SC_AVPHYS_PAGES) C(SC_ATEXIT_MAX) C(SC_PASS_MAX) C(SC_XOPEN_VERSION) C(SC_XOPEN_XCU_VERSION)
    C(SC_XOPEN_UNIX) C(SC_XOPEN_CRYPT) C(SC_XOPEN_ENH_I18N) C(SC_XOPEN_SHM) C(SC_2_CHAR_TERM)
    C(SC_2_C_VERSION) C(SC_2_UPE) C(SC_XOPEN_XPG2) C(SC_XOPEN_XPG3) C(SC_XOPEN_XPG4) C(SC_CHAR_BIT)
    C(SC_CHAR_MAX) C(SC_CHAR_MIN) C(SC_INT_MAX) C(SC_INT_MIN) C(SC_LONG_BIT) C(SC_WORD_BIT)
    C(SC_MB_LEN_MAX) C(SC_NZERO) C(SC_SSIZE_MAX) C(SC_SCHAR_MAX) C(SC_SCHAR_MIN) C(SC_SHRT_MAX)
    C(SC_SHRT_MIN) C(SC_UCHAR_MAX) C(SC_UINT_MAX) C(SC_ULONG_MAX) C(SC_USHRT_MAX) C(SC_NL_ARGMAX)
    C(SC_NL_LANGMAX) C(SC_NL_MSGMAX) C(SC_NL_NMAX) C(SC_NL_SETMAX) C(SC_NL_TEXTMAX)
    C(SC_XBS5_ILP32_OFF32) C(SC_XBS5_ILP32_OFFBIG) C(SC_XBS5_LP64_OFF64) C(SC_XBS5_LPBIG_OFFBIG)
    C(SC_XOPEN_LEGACY) C(SC_XOPEN_REALTIME) C(SC_XOPEN_REALTIME_THREADS) C(SC_MINSIGSTKSZ)
};
static const ConfName confstr_names[] = {
    C(CS_PATH) C(CS_GNU_LIBC_VERSION) C(CS_GNU_LIBPTHREAD_VERSION) C(CS_LFS_CFLAGS)
    C(CS_LFS_LDFLAGS) C(CS_LFS_LIBS) C(CS_LFS_LINTFLAGS) C(CS_LFS64_CFLAGS) C(CS_LFS64_LDFLAGS)
    C(CS_LFS64_LIBS) C(CS_LFS64_LINTFLAGS) C(CS_XBS5_ILP32_OFF32_CFLAGS)
    C(CS_XBS5_ILP32_OFF32_LDFLAGS) C(CS_XBS5_ILP32_OFF32_LIBS) C(CS_XBS5_ILP32_OFF32_LINTFLAGS)
    C(CS_XBS5_ILP32_OFFBIG_CFLAGS) C(CS_XBS5_ILP32_OFFBIG_LDFLAGS) C(CS_XBS5_ILP32_OFFBIG_LIBS)
    C(CS_XBS5_ILP32_OFFBIG_LINTFLAGS) C(CS_XBS5_LP64_OFF64_CFLAGS) C(CS_XBS5_LP64_OFF64_LDFLAGS)
    C(CS_XBS5_LP64_OFF64_LIBS) C(CS_XBS5_LP64_OFF64_LINTFLAGS) C(CS_XBS5_LPBIG_OFFBIG_CFLAGS)
    C(CS_XBS5_LPBIG_OFFBIG_LDFLAGS) C(CS_XBS5_LPBIG_OFFBIG_LIBS) C(CS_XBS5_LPBIG_OFFBIG_LINTFLAGS)
};
#undef C

static Value
conf_dict(Thread *th, const ConfName *list, size_t n)
{
    Value d = dict_new(th);
    for (size_t i = 0; d && i < n; i++)
        if (!dict_set_c(th, d, list[i].name, value_from_fixnum(list[i].value)))
            DROP_CLEAR(th, d);
    return d;
}

static const char *const have_functions[] = {
    "HAVE_EVENTFD", "HAVE_FACCESSAT", "HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHMODAT", "HAVE_FCHOWN",
    "HAVE_FCHOWNAT", "HAVE_FEXECVE", "HAVE_FDOPENDIR", "HAVE_FPATHCONF", "HAVE_FSTATAT",
    "HAVE_FSTATVFS", "HAVE_FTRUNCATE", "HAVE_FUTIMENS", "HAVE_FUTIMES", "HAVE_FUTIMESAT",
    "HAVE_LINKAT", "HAVE_LCHOWN", "HAVE_LSTAT", "HAVE_LUTIMES", "HAVE_MEMFD_CREATE", "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT", "HAVE_MKNODAT", "HAVE_OPENAT", "HAVE_READLINKAT", "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT", "HAVE_UNLINKAT", "HAVE_UTIMENSAT",
};

static Value
environ_dict(Thread *th)
{
    Value d = dict_new(th);
    for (char **e = environ; d && e && *e; e++) {
        const char *eq = strchr(*e, '=');
        if (eq == NULL)
            continue;
        Value k = bytes_from(th, *e, (size_t)(eq - *e)), v = bytes_from(th, eq + 1, strlen(eq + 1));
        if (k == NULL || v == NULL) {
            drop_null(th, k);
            drop_null(th, v);
            DROP_CLEAR(th, d);
            break;
        }
        Value old = dict_set_default(th, d, k, v);
        drop(th, k);
        drop(th, v);
        if (old == NULL)
            DROP_CLEAR(th, d);
        drop_null(th, old);
    }
    return d;
}

static bool
posix_exec(Thread *th, Value m)
{
    PosixState *s = module_state(m);
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    Value have = list_new(th, ARRAY_LEN(have_functions));
    for (size_t i = 0; have && i < ARRAY_LEN(have_functions); i++)
        if (!list_append_steal(th, have, str_from_c(th, have_functions[i])))
            DROP_CLEAR(th, have);
    return module_add(th, m, "_have_functions", have) && module_add(th, m, "environ", environ_dict(th)) &&
           module_add(th, m, "error", retain(th, value_of_type(&exc_OSError))) &&
           module_add(th, m, "pathconf_names", conf_dict(th, pathconf_names, ARRAY_LEN(pathconf_names))) &&
           module_add(th, m, "sysconf_names", conf_dict(th, sysconf_names, ARRAY_LEN(sysconf_names))) &&
           module_add(th, m, "confstr_names", conf_dict(th, confstr_names, ARRAY_LEN(confstr_names))) &&
           (s->stat_result = struct_seq_type(th, &stat_spec)) && module_add_type(th, m, s->stat_result) &&
           (s->statvfs_result = struct_seq_type(th, &statvfs_spec)) && module_add_type(th, m, s->statvfs_result) &&
           (s->terminal_size = struct_seq_type(th, &terminal_spec)) && module_add_type(th, m, s->terminal_size) &&
           (s->uname_result = struct_seq_type(th, &uname_spec)) && module_add_type(th, m, s->uname_result) &&
           (s->times_result = struct_seq_type(th, &times_spec)) && module_add_type(th, m, s->times_result) &&
           (s->sched_param = struct_seq_type(th, &sched_param_spec)) && module_add_type(th, m, s->sched_param) &&
           (s->waitid_result = struct_seq_type(th, &waitid_spec)) && module_add_type(th, m, s->waitid_result) &&
           posix_dir_types(th, m, s) && module_add_methods(th, m, posix_dir_methods) &&
           module_add_methods(th, m, posix_process_methods) && module_add_methods(th, m, posix_spawn_methods) &&
           module_add_methods(th, m, posix_transfer_methods) && module_add_methods(th, m, posix_sched_methods) &&
           native_publish(th, NATIVE_POSIX, s, m);
}

static void
posix_visit(Value m, VisitFn visit, void *arg)
{
    PosixState *s = module_state(m);
    Type *types[] = {s->stat_result, s->statvfs_result, s->terminal_size, s->uname_result, s->times_result,
                     s->sched_param, s->waitid_result, s->dir_entry, s->scandir_iter};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i])
            visit(value_of_type(types[i]), arg);
    field_visit(&s->before_fork, visit, arg);
    field_visit(&s->after_fork_child, visit, arg);
    field_visit(&s->after_fork_parent, visit, arg);
}

const ModuleSpec posix_module = {
    .name = "posix",
    .doc = "This module provides access to operating system functionality that is\n"
           "standardized by the C Standard and the POSIX standard (a thinly\n"
           "disguised Unix interface).  Refer to the library manual and\n"
           "corresponding Unix manual entries for more information on calls.",
    .methods = posix_file_methods,
    .exec = posix_exec,
    .state_size = sizeof(PosixState),
    .visit = posix_visit,
};
