/* posix_dir.c -- module posix: directories, links and names. */
#include "modules/posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "objects/model/native.h"

static Value
path_done(Thread *th, PathArg *p, long result)
{
    Value v = result >= 0 ? NONE : posix_path_error(th, p);
    path_free(th, p);
    return v;
}

/* -- listing -------------------------------------------------------------------------------------------- */

static DIR *
open_dir(Thread *th, const PathArg *p)
{
    blocking_begin(th);
    DIR *d;
    if (p->path)
        d = opendir(p->path);
    else {
        int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
        d = fd >= 0 ? fdopendir(fd) : NULL;
        if (d)
            rewinddir(d);
        else if (fd >= 0)
            close(fd);
    }
    blocking_end(th);
    return d;
}

static Value
posix_listdir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "listdir", .names = {"path"}, .positional = 1};
    Value v[1];
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !path_arg(th, "listdir", "path", v[0], 3, &p))
        return NULL;
    DIR *d = posix_audit(th, "os.listdir", 1, v[0]) ? open_dir(th, &p) : NULL;
    if (d == NULL) {
        if (!error_set(th))
            posix_path_error(th, &p);
        path_free(th, &p);
        return NULL;
    }
    Value list = list_new(th, 16);
    while (list) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (e == NULL) {
            if (errno) {
                posix_path_error(th, &p);
                DROP_CLEAR(th, list);
            }
            break;
        }
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        Value name = path_result(th, &p, e->d_name, strlen(e->d_name));
        if (name == NULL || !list_append_steal(th, list, name))
            DROP_CLEAR(th, list);
    }
    closedir(d);
    path_free(th, &p);
    return list;
}

/* -- scandir ------------------------------------------------------------------------------------------------- */

typedef struct DirEntry {
    struct Object head;
    Value name, path;        /* [const] */
    int dir_fd;              /* [const] of scandir(fd), else AT_FDCWD */
    uint8_t type;            /* [const] DT_ */
    uint64_t inode;          /* [const] */
    Field stat, lstat;       /* cached results */
} DirEntry;

typedef struct ScandirIter {
    struct Object head;
    Mutex lock;              /* the directory stream */
    DIR *dir;                /* [lock] NULL once closed */
    Value prefix;            /* [const] str or bytes that names begin with; NULL for scandir(fd) */
    bool bytes;
    int fd;                  /* [const] */
} ScandirIter;

static void
entry_visit(Object *o, VisitFn visit, void *arg)
{
    DirEntry *e = (DirEntry *)o;
    value_visit(e->name, visit, arg);
    value_visit(e->path, visit, arg);
    field_visit(&e->stat, visit, arg);
    field_visit(&e->lstat, visit, arg);
}

static void
entry_dealloc(Thread *th, Object *o)
{
    DirEntry *e = (DirEntry *)o;
    drop_null(th, e->name);
    drop_null(th, e->path);
    field_drop(th, &e->stat);
    field_drop(th, &e->lstat);
}

static DirEntry *
as_entry(Value v)
{
    return (DirEntry *)(void *)v;
}

static Value
entry_fetch(Thread *th, Value self, bool follow)
{
    DirEntry *e = as_entry(self);
    Value encoded = e->dir_fd != AT_FDCWD ? fs_encode(th, e->name) : fs_encode(th, e->path);
    if (encoded == NULL)
        return NULL;
    struct stat st;
    blocking_begin(th);
    int r = fstatat(e->dir_fd, (const char *)as_bytes(encoded)->data, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
    blocking_end(th);
    int error = errno;
    drop(th, encoded);
    return r == 0 ? stat_to_value(th, &st) : raise_os_error_path(th, error, e->path);
}

static bool
entry_is_link(DirEntry *e)
{
    return e->type == DT_LNK;
}

static Value
entry_lstat(Thread *th, Value self)
{
    DirEntry *e = as_entry(self);
    Value v = field_read(th, value_object(self), &e->lstat);
    if (v)
        return v;
    v = entry_fetch(th, self, false);
    if (v)
        field_replace(th, value_object(self), &e->lstat, retain(th, v));
    return v;
}

static Value
entry_stat(Thread *th, Value self, bool follow)
{
    DirEntry *e = as_entry(self);
    if (!follow || (e->type != DT_UNKNOWN && !entry_is_link(e)))
        return entry_lstat(th, self);
    Value v = field_read(th, value_object(self), &e->stat);
    if (v)
        return v;
    v = entry_fetch(th, self, true);
    if (v)
        field_replace(th, value_object(self), &e->stat, retain(th, v));
    return v;
}

static bool
follow_arg(Thread *th, const char *name, const Arg *a, size_t n, Value kwnames, bool *follow)
{
    ParamSpec params = {.name = name, .names = {"follow_symlinks"}, .positional = 0};
    Value v[1];
    *follow = true;
    return args_bind(th, &params, a, n, kwnames, v) && arg_bool(th, v[0], follow);
}

static Value
entry_stat_method(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    bool follow;
    return follow_arg(th, "stat", a, n, kwnames, &follow) ? entry_stat(th, self, follow) : NULL;
}

/* YES if the entry is of mode `mode`; NO also if it is gone. */
static Value
entry_test(Thread *th, Value self, bool follow, mode_t mode, uint8_t type)
{
    DirEntry *e = as_entry(self);
    if (e->type != DT_UNKNOWN && !(follow && entry_is_link(e)))
        return bool_from(e->type == type);
    Value st = entry_stat(th, self, follow);
    if (st == NULL) {
        if (!error_matches(th, &exc_FileNotFoundError))
            return NULL;
        error_clear(th);
        return FALSE;
    }
    int64_t m = value_fixnum(tuple_item(st, 0));
    drop(th, st);
    return bool_from(((mode_t)m & S_IFMT) == mode);
}

static Value
entry_is_dir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    bool follow;
    return follow_arg(th, "is_dir", a, n, kwnames, &follow) ? entry_test(th, self, follow, S_IFDIR, DT_DIR)
                                                            : NULL;
}

static Value
entry_is_file(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    bool follow;
    return follow_arg(th, "is_file", a, n, kwnames, &follow) ? entry_test(th, self, follow, S_IFREG, DT_REG)
                                                             : NULL;
}

static Value
entry_is_symlink(Thread *th, Value self)
{
    return entry_test(th, self, false, S_IFLNK, DT_LNK);
}

static Value
entry_inode(Thread *th, Value self)
{
    return int_from_u64(th, as_entry(self)->inode);
}

static Value
entry_fspath(Thread *th, Value self)
{
    return retain(th, as_entry(self)->path);
}

static Value
entry_repr(Thread *th, Value self)
{
    return str_format_c(th, "<DirEntry %R>", as_entry(self)->name);
}

static const MemberDef entry_members[] = {
    {"name", MEMBER_CONST_VALUE, offsetof(DirEntry, name), true, "the entry's base filename, relative to scandir() \"path\" argument"},
    {"path", MEMBER_CONST_VALUE, offsetof(DirEntry, path), true, "the entry's full path name; equivalent to os.path.join(scandir_path, entry.name)"},
    {.name = NULL},
};

static Value
entry_class_getitem(Thread *th, Value self, Value args)
{
    return generic_alias_new(th, self, args);
}

static const MethodDef entry_methods[] = {
    NATIVE_K("stat", entry_stat_method, "stat($self, /, *, follow_symlinks=True)\n--\n\nReturn stat_result object for the entry; cached per entry."),
    NATIVE_K("is_dir", entry_is_dir, "is_dir($self, /, *, follow_symlinks=True)\n--\n\nReturn True if the entry is a directory; cached per entry."),
    NATIVE_K("is_file", entry_is_file, "is_file($self, /, *, follow_symlinks=True)\n--\n\nReturn True if the entry is a file; cached per entry."),
    NATIVE_0("is_symlink", entry_is_symlink, "is_symlink($self, /)\n--\n\nReturn True if the entry is a symbolic link; cached per entry."),
    NATIVE_0("inode", entry_inode, "inode($self, /)\n--\n\nReturn inode of the entry; cached per entry."),
    NATIVE_0("__fspath__", entry_fspath, "__fspath__($self, /)\n--\n\nReturns the path for the entry."),
    {.name = "__class_getitem__", .f1 = entry_class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

static const TypeSpec entry_spec = {
    .name = "posix.DirEntry", .size = sizeof(DirEntry), .flags = TYPE_DISALLOW_NEW, .ops_flags = OPS_TRACKED,
    .methods = entry_methods, .members = entry_members, .slots = {.repr = entry_repr},
    .visit = entry_visit, .dealloc = entry_dealloc,
};

static ScandirIter *
as_iter(Value v)
{
    return (ScandirIter *)(void *)v;
}

static void
scandir_close(Thread *th, Value self)
{
    ScandirIter *it = as_iter(self);
    mutex_lock(th, &it->lock);
    DIR *d = it->dir;
    it->dir = NULL;
    mutex_unlock(&it->lock);
    if (d) {
        blocking_begin(th);
        closedir(d);
        blocking_end(th);
    }
}

static void
scandir_finalize(Thread *th, Object *o)
{
    ScandirIter *it = (ScandirIter *)o;
    if (it->dir == NULL)
        return;
    Value saved = error_take(th);
    if (!warn(th, &exc_ResourceWarning, 1, "unclosed scandir iterator %R", value_of(o)))
        error_unraisable(th, NULL, value_of(o));
    scandir_close(th, value_of(o));
    error_restore(th, saved);
}

static void
scandir_dealloc(Thread *th, Object *o)
{
    ScandirIter *it = (ScandirIter *)o;
    if (it->dir)
        closedir(it->dir);
    drop_null(th, it->prefix);
}

static Value
scandir_next(Thread *th, Value self)
{
    ScandirIter *it = as_iter(self);
    char name[NAME_MAX + 2];
    uint8_t type = DT_UNKNOWN;
    uint64_t inode = 0;
    bool have = false;
    int error = 0;
    mutex_lock(th, &it->lock);
    while (it->dir) {
        errno = 0;
        struct dirent *e = readdir(it->dir);
        if (e == NULL) {
            error = errno;
            closedir(it->dir);
            it->dir = NULL;
            break;
        }
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        strncpy(name, e->d_name, sizeof name - 1);
        name[sizeof name - 1] = 0;
        type = e->d_type;
        inode = e->d_ino;
        have = true;
        break;
    }
    mutex_unlock(&it->lock);
    if (error)
        return raise_os_error(th, error);
    if (!have)
        return NULL;
    Value v = type_alloc(th, posix_state(th)->dir_entry, 0);
    if (v == NULL)
        return NULL;
    DirEntry *d = as_entry(v);
    d->dir_fd = it->fd >= 0 ? it->fd : AT_FDCWD;
    d->type = type;
    d->inode = inode;
    d->name = it->bytes ? bytes_from(th, name, strlen(name)) : str_from_fs(th, name, strlen(name));
    if (d->name) {
        if (it->prefix == NULL)
            d->path = retain(th, d->name);
        else
            d->path = sequence_concat(th, it->prefix, d->name);
    }
    if (d->path == NULL)
        DROP_CLEAR(th, v);
    return v;
}

static Value
scandir_self(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
scandir_close_method(Thread *th, Value self)
{
    scandir_close(th, self);
    return NONE;
}

static Value
scandir_exit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)a, (void)n;
    scandir_close(th, self);
    return NONE;
}

static const MethodDef scandir_methods[] = {
    NATIVE_0("__enter__", scandir_self, NULL),
    NATIVE_N("__exit__", scandir_exit, 0, -1, NULL),
    NATIVE_0("close", scandir_close_method, NULL),
    NATIVE_END,
};

static const TypeSpec scandir_spec = {
    .name = "posix.ScandirIterator", .size = sizeof(ScandirIter), .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_FINALIZER, .methods = scandir_methods,
    .slots = {.iter = scandir_self, .next = scandir_next}, .finalize = scandir_finalize,
    .dealloc = scandir_dealloc,
};

static Value
posix_scandir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "scandir", .names = {"path"}, .positional = 1};
    Value v[1];
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !path_arg(th, "scandir", "path", v[0], 3, &p))
        return NULL;
    if (!posix_audit(th, "os.scandir", 1, v[0])) {
        path_free(th, &p);
        return NULL;
    }
    Value r = type_alloc(th, posix_state(th)->scandir_iter, 0);
    if (r == NULL) {
        path_free(th, &p);
        return NULL;
    }
    ScandirIter *it = as_iter(r);
    it->bytes = p.bytes;
    it->fd = p.path ? -1 : p.fd;
    if (p.path) {
        size_t length = strlen(p.path);
        bool slash = length > 0 && p.path[length - 1] != '/';
        char *prefix = buffer_new(th, length + 2);
        if (prefix) {
            memcpy(prefix, p.path, length);
            if (slash)
                prefix[length++] = '/';
            it->prefix = path_result(th, &p, prefix, length);
            buffer_free(prefix);
        }
        if (it->prefix == NULL)
            DROP_CLEAR(th, r);
    }
    if (r) {
        it->dir = open_dir(th, &p);
        if (it->dir == NULL) {
            posix_path_error(th, &p);
            DROP_CLEAR(th, r);
        }
    }
    path_free(th, &p);
    return r;
}

/* -- making and removing ------------------------------------------------------------------------------------- */

static Value
posix_mkdir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "mkdir", .names = {"path", "mode", "dir_fd"}, .positional = 2,
                                     .required = 1};
    Value v[3];
    int mode = 0777, dir = AT_FDCWD;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &mode) || !dir_fd_arg(th, v[2], &dir) ||
        !path_arg(th, "mkdir", "path", v[0], 0, &p))
        return NULL;
    if (!posix_audit(th, "os.mkdir", 3, p.object, value_from_fixnum(mode), dir_fd_value(dir))) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = mkdirat(dir, p.path, (mode_t)mode);
    blocking_end(th);
    return path_done(th, &p, r);
}

static Value
remove_path(Thread *th, const char *name, const Arg *a, size_t n, Value kwnames, int flags)
{
    ParamSpec params = {.name = name, .names = {"path", "dir_fd"}, .positional = 1, .required = 1};
    Value v[2];
    int dir = AT_FDCWD;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !dir_fd_arg(th, v[1], &dir) ||
        !path_arg(th, name, "path", v[0], 0, &p))
        return NULL;
    if (!posix_audit(th, flags ? "os.rmdir" : "os.remove", 2, p.object, dir_fd_value(dir))) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = unlinkat(dir, p.path, flags);
    blocking_end(th);
    return path_done(th, &p, r);
}

static Value
posix_unlink(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return remove_path(th, "unlink", a, n, kwnames, 0);
}

static Value
posix_remove(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return remove_path(th, "remove", a, n, kwnames, 0);
}

static Value
posix_rmdir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return remove_path(th, "rmdir", a, n, kwnames, AT_REMOVEDIR);
}

/* Two paths with two directories. */
static Value
two_paths(Thread *th, const ParamSpec *params, const Arg *a, size_t n, Value kwnames,
          int (*f)(int, const char *, int, const char *, int), int flags)
{
    Value v[5];
    int from_dir = AT_FDCWD, to_dir = AT_FDCWD;
    PathArg from, to;
    bool follow = true;
    if (!args_bind(th, params, a, n, kwnames, v) || !dir_fd_arg(th, v[2], &from_dir) ||
        !dir_fd_arg(th, v[3], &to_dir) || (params->names[4] && !arg_bool(th, v[4], &follow)) ||
        !path_arg(th, params->name, "src", v[0], 0, &from))
        return NULL;
    if (!path_arg(th, params->name, "dst", v[1], 0, &to)) {
        path_free(th, &from);
        return NULL;
    }
    if (params->names[4] && follow)
        flags |= AT_SYMLINK_FOLLOW;
    if (!posix_audit(th, f == linkat ? "os.link" : "os.rename", 4, from.object, to.object, dir_fd_value(from_dir),
                     dir_fd_value(to_dir))) {
        path_free(th, &to);
        path_free(th, &from);
        return NULL;
    }
    blocking_begin(th);
    int r = f(from_dir, from.path, to_dir, to.path, flags);
    blocking_end(th);
    int error = errno;
    Value result = r == 0 ? NONE : raise_os_error_paths(th, error, from.object, to.object);
    path_free(th, &to);
    path_free(th, &from);
    return result;
}

static int
rename_flags(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    (void)flags;
    return renameat(from_dir, from, to_dir, to);
}

static Value
posix_rename(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "rename", .names = {"src", "dst", "src_dir_fd", "dst_dir_fd"},
                                     .positional = 2, .required = 2};
    return two_paths(th, &params, a, n, kwnames, rename_flags, 0);
}

static Value
posix_replace(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "replace", .names = {"src", "dst", "src_dir_fd", "dst_dir_fd"},
                                     .positional = 2, .required = 2};
    return two_paths(th, &params, a, n, kwnames, rename_flags, 0);
}

static Value
posix_link(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "link",
                                     .names = {"src", "dst", "src_dir_fd", "dst_dir_fd", "follow_symlinks"},
                                     .positional = 2, .required = 2};
    return two_paths(th, &params, a, n, kwnames, linkat, 0);
}

static Value
posix_symlink(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "symlink",
                                     .names = {"src", "dst", "target_is_directory", "dir_fd"},
                                     .positional = 3, .required = 2};
    Value v[4];
    int dir = AT_FDCWD;
    PathArg from, to;
    if (!args_bind(th, &params, a, n, kwnames, v) || !dir_fd_arg(th, v[3], &dir) ||
        !path_arg(th, "symlink", "src", v[0], 0, &from))
        return NULL;
    if (!path_arg(th, "symlink", "dst", v[1], 0, &to)) {
        path_free(th, &from);
        return NULL;
    }
    if (!posix_audit(th, "os.symlink", 3, from.object, to.object, dir_fd_value(dir))) {
        path_free(th, &to);
        path_free(th, &from);
        return NULL;
    }
    blocking_begin(th);
    int r = symlinkat(from.path, dir, to.path);
    blocking_end(th);
    int error = errno;
    Value result = r == 0 ? NONE : raise_os_error_paths(th, error, from.object, to.object);
    path_free(th, &to);
    path_free(th, &from);
    return result;
}

static Value
posix_readlink(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "readlink", .names = {"path", "dir_fd"}, .positional = 1,
                                     .required = 1};
    Value v[2];
    int dir = AT_FDCWD;
    PathArg p;
    char text[PATH_MAX + 1];
    if (!args_bind(th, &params, a, n, kwnames, v) || !dir_fd_arg(th, v[1], &dir) ||
        !path_arg(th, "readlink", "path", v[0], 0, &p))
        return NULL;
    blocking_begin(th);
    ssize_t r = readlinkat(dir, p.path, text, PATH_MAX);
    blocking_end(th);
    Value result = r < 0 ? posix_path_error(th, &p) : path_result(th, &p, text, (size_t)r);
    path_free(th, &p);
    return result;
}

static Value
posix_mkfifo(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "mkfifo", .names = {"path", "mode", "dir_fd"}, .positional = 2,
                                     .required = 1};
    Value v[3];
    int mode = 0666, dir = AT_FDCWD;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &mode) || !dir_fd_arg(th, v[2], &dir) ||
        !path_arg(th, "mkfifo", "path", v[0], 0, &p))
        return NULL;
    blocking_begin(th);
    int r = mkfifoat(dir, p.path, (mode_t)mode);
    blocking_end(th);
    return path_done(th, &p, r);
}

static Value
posix_mknod(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "mknod", .names = {"path", "mode", "device", "dir_fd"},
                                     .positional = 3, .required = 1};
    Value v[4];
    int mode = 0600, dir = AT_FDCWD;
    int64_t device = 0;
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &mode) || !arg_long(th, v[2], &device) ||
        !dir_fd_arg(th, v[3], &dir) || !path_arg(th, "mknod", "path", v[0], 0, &p))
        return NULL;
    blocking_begin(th);
    int r = mknodat(dir, p.path, (mode_t)mode, (dev_t)device);
    blocking_end(th);
    return path_done(th, &p, r);
}

/* -- where we are ------------------------------------------------------------------------------------------------ */

static Value
current_dir(Thread *th, bool bytes)
{
    blocking_begin(th);
    char *cwd = getcwd(NULL, 0);
    blocking_end(th);
    if (cwd == NULL)
        return posix_error(th);
    Value v = bytes ? bytes_from(th, cwd, strlen(cwd)) : str_from_fs(th, cwd, strlen(cwd));
    free(cwd);
    return v;
}

static Value
posix_getcwd(Thread *th, Value self)
{
    (void)self;
    return current_dir(th, false);
}

static Value
posix_getcwdb(Thread *th, Value self)
{
    (void)self;
    return current_dir(th, true);
}

static Value
posix_chdir(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "chdir", .names = {"path"}, .positional = 1, .required = 1};
    Value v[1];
    PathArg p;
    if (!args_bind(th, &params, a, n, kwnames, v) || !path_arg(th, "chdir", "path", v[0], 1, &p))
        return NULL;
    if (!posix_audit(th, "os.chdir", 1, p.object)) {
        path_free(th, &p);
        return NULL;
    }
    blocking_begin(th);
    int r = p.path ? chdir(p.path) : fchdir(p.fd);
    blocking_end(th);
    return path_done(th, &p, r);
}

static Value
posix_fchdir(Thread *th, Value self, Value v)
{
    (void)self;
    int fd;
    if (!fd_arg(th, v, &fd))
        return NULL;
    if (!posix_audit(th, "os.chdir", 1, v))
        return NULL;
    blocking_begin(th);
    int r = fchdir(fd);
    blocking_end(th);
    return r < 0 ? posix_error(th) : NONE;
}

static Value
posix_chroot(Thread *th, Value self, Value path)
{
    (void)self;
    PathArg p;
    if (!path_arg(th, "chroot", "path", path, 0, &p))
        return NULL;
    blocking_begin(th);
    int r = chroot(p.path);
    blocking_end(th);
    return path_done(th, &p, r);
}

/* os.path.normpath for POSIX. */
static Value
posix_path_normpath(Thread *th, Value self, Value path)
{
    (void)self;
    if (!is_str(path))
        return raise_type_error(th, "_path_normpath() argument 'path' must be str, not %B", path);
    StrBuilder b;
    str_builder_init(&b);
    Str *s = as_str(path);
    size_t n = s->length, i = 0, slashes = 0;
    while (slashes < n && str_char(s, slashes) == '/')
        slashes++;
    slashes = slashes == 2 ? 2 : slashes > 0;
    /* Starts and ends of the parts that stay. */
    size_t *parts = buffer_new(th, (n / 2 + 2) * 2 * sizeof *parts), count = 0;
    if (parts == NULL)
        return NULL;
    while (i < n) {
        while (i < n && str_char(s, i) == '/')
            i++;
        size_t start = i;
        while (i < n && str_char(s, i) != '/')
            i++;
        size_t length = i - start;
        if (length == 0 || (length == 1 && str_char(s, start) == '.'))
            continue;
        bool up = length == 2 && str_char(s, start) == '.' && str_char(s, start + 1) == '.';
        if (up) {
            bool last_up = count && parts[2 * count - 1] - parts[2 * count - 2] == 2 &&
                           str_char(s, parts[2 * count - 2]) == '.' &&
                           str_char(s, parts[2 * count - 2] + 1) == '.';
            if (count && !last_up) {
                count--;
                continue;
            }
            if (slashes)
                continue;
        }
        parts[2 * count] = start;
        parts[2 * count + 1] = i;
        count++;
    }
    bool ok = str_builder_fill(th, &b, '/', slashes);
    for (size_t k = 0; ok && k < count; k++)
        ok = (k == 0 || str_builder_char(th, &b, '/')) &&
             str_builder_sub(th, &b, path, parts[2 * k], parts[2 * k + 1]);
    buffer_free(parts);
    if (ok && slashes == 0 && count == 0)
        ok = str_builder_char(th, &b, '.');
    if (!ok) {
        str_builder_free(&b);
        return NULL;
    }
    return str_builder_finish(th, &b);
}

const MethodDef posix_dir_methods[] = {
    NATIVE_K("listdir", posix_listdir, "listdir($module, /, path=None)\n--\n\nReturn a list containing the names of the files in the directory."),
    NATIVE_K("scandir", posix_scandir, "scandir($module, /, path=None)\n--\n\nReturn an iterator of DirEntry objects for given path."),
    NATIVE_K("mkdir", posix_mkdir, "mkdir($module, /, path, mode=511, *, dir_fd=None)\n--\n\nCreate a directory."),
    NATIVE_K("rmdir", posix_rmdir, "rmdir($module, /, path, *, dir_fd=None)\n--\n\nRemove a directory."),
    NATIVE_K("unlink", posix_unlink, "unlink($module, /, path, *, dir_fd=None)\n--\n\nRemove a file (same as remove())."),
    NATIVE_K("remove", posix_remove, "remove($module, /, path, *, dir_fd=None)\n--\n\nRemove a file (same as unlink())."),
    NATIVE_K("rename", posix_rename, "rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRename a file or directory."),
    NATIVE_K("replace", posix_replace, "replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRename a file or directory, overwriting the destination."),
    NATIVE_K("link", posix_link, "link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None,\n     follow_symlinks=True)\n--\n\nCreate a hard link to a file."),
    NATIVE_K("symlink", posix_symlink, "symlink($module, /, src, dst, target_is_directory=False, *, dir_fd=None)\n--\n\nCreate a symbolic link pointing to src named dst."),
    NATIVE_K("readlink", posix_readlink, "readlink($module, /, path, *, dir_fd=None)\n--\n\nReturn a string representing the path to which the symbolic link points."),
    NATIVE_K("mkfifo", posix_mkfifo, "mkfifo($module, /, path, mode=438, *, dir_fd=None)\n--\n\nCreate a \"fifo\" (a POSIX named pipe)."),
    NATIVE_K("mknod", posix_mknod, "mknod($module, /, path, mode=384, device=0, *, dir_fd=None)\n--\n\nCreate a node in the file system."),
    NATIVE_0("getcwd", posix_getcwd, "getcwd($module, /)\n--\n\nReturn a unicode string representing the current working directory."),
    NATIVE_0("getcwdb", posix_getcwdb, "getcwdb($module, /)\n--\n\nReturn a bytes string representing the current working directory."),
    NATIVE_K("chdir", posix_chdir, "chdir($module, /, path)\n--\n\nChange the current working directory to the specified path."),
    NATIVE_1("fchdir", posix_fchdir, "fchdir($module, /, fd)\n--\n\nChange to the directory of the given file descriptor."),
    NATIVE_1("chroot", posix_chroot, "chroot($module, /, path)\n--\n\nChange root directory to path."),
    NATIVE_1("_path_normpath", posix_path_normpath, "_path_normpath($module, /, path)\n--\n\nBasic path normalization."),
    NATIVE_END,
};

bool
posix_dir_types(Thread *th, Value m, PosixState *s)
{
    s->dir_entry = type_from_spec(th, &entry_spec, m, NULL);
    s->scandir_iter = s->dir_entry ? type_from_spec(th, &scandir_spec, m, NULL) : NULL;
    return s->scandir_iter && module_add_type(th, m, s->dir_entry);
}
