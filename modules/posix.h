/* posix.h -- what the files of module posix share. */
#ifndef MODULES_POSIX_H
#define MODULES_POSIX_H

#include "core/run/run.h"
#include "modules/modules.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "threads/blocking.h"
#include "threads/safepoint.h"

/* A path argument: str, bytes, os.PathLike, or (if allowed) an open file descriptor. */
typedef struct PathArg {
    const char *path;  /* bytes for the system; NULL if fd */
    int fd;            /* descriptor, or -1 */
    bool bytes;        /* given as bytes: results are bytes, too */
    Value object;      /* as given (borrowed), for errors */
    Value held;        /* keeps `path` alive */
} PathArg;

/* fname and argument name for messages.  allow: 1 fd, 2 None (path "."). */
RAISES bool path_arg(Thread *th, const char *fname, const char *what, Value v, int allow, PathArg *out);
void path_free(Thread *th, PathArg *p);
/* A name from the system as str, or as bytes if the path was. */
RAISES Value path_result(Thread *th, const PathArg *p, const char *name, size_t n);
void *posix_error(Thread *th);                      /* OSError from errno */
void *posix_path_error(Thread *th, const PathArg *p);
/* dir_fd= and friends: None (or NULL) leaves *fd at AT_FDCWD. */
RAISES bool dir_fd_arg(Thread *th, Value v, int *fd);
/* The same as a number for audit events: -1 is AT_FDCWD. */
Value dir_fd_value(int fd);
RAISES bool fd_arg(Thread *th, Value v, int *fd);
/* A sequence of paths as a NULL-terminated array of C strings for exec: free with buffer_free(), and drop
 * *held, which keeps the strings and is set (or NULL) even if this fails. */
RAISES char **posix_strings(Thread *th, Value paths, Value *held);

/* {name: value} as name=value strings, as posix_strings(). */
RAISES char **posix_environment(Thread *th, Value mapping, Value *held);

/* A user's or group's number; `what` is "uid" or "gid".  -1, which leaves things as they are, is allowed. */
RAISES bool id_arg(Thread *th, Value v, uint32_t *out, const char *what);

/* The priority of an os.sched_param, and of nothing else. */
struct sched_param;
RAISES bool sched_param_arg(Thread *th, Value v, struct sched_param *out);

/* sys.audit(event, values...): n borrowed ones, NULL is None. */
RAISES bool posix_audit(Thread *th, const char *event, size_t n, ...);

/* mod_signal.c: the signals whose numbers `iterable` gives. */
RAISES bool sigset_from(Thread *th, Value iterable, sigset_t *set);
/* mod_resource.c: a record of class `type`, resource.struct_rusage. */
RAISES Value rusage_value(Thread *th, Type *type, const struct rusage *u);

/* Runs `expr` offline until it is not interrupted; result < 0 is an error (errno, or an exception is set). */
#define OFFLINE(th, result, expr)                                                                  \
    do {                                                                                           \
        BLOCKING(th, result, expr);                                                                \
    } while ((result) < 0 && errno == EINTR && safepoint_poll(th))

/* posix_NAME_keywords(): what posix_NAME() takes by position, by keyword, too. */
#define WITH_KEYWORDS(f, count, ...)                                                               \
    static Value posix_##f##_keywords(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)\
    {                                                                                              \
        static const ParamSpec params = {.name = #f, .names = {__VA_ARGS__}, .positional = count,  \
                                         .required = count};                                       \
        Value v[count];                                                                            \
        return args_bind(th, &params, a, n, kwnames, v) ? posix_##f(th, self, args_of(v), count) : NULL;\
    }
#define WITH_KEYWORD(f, parameter)                                                                 \
    static Value posix_##f##_keywords(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)\
    {                                                                                              \
        static const ParamSpec params = {.name = #f, .names = {parameter}, .positional = 1, .required = 1};\
        Value v[1];                                                                                \
        return args_bind(th, &params, a, n, kwnames, v) ? posix_##f(th, self, v[0]) : NULL;        \
    }

typedef struct PosixState {
    Type *stat_result, *statvfs_result, *terminal_size, *uname_result, *times_result, *sched_param,
        *waitid_result, *dir_entry, *scandir_iter;
    Field before_fork, after_fork_child, after_fork_parent; /* lists or NULL */
} PosixState;
PosixState *posix_state(Thread *th);

struct stat;
RAISES Value stat_to_value(Thread *th, const struct stat *st);
bool posix_constants(Thread *th, Value m);

extern const MethodDef posix_file_methods[], posix_dir_methods[], posix_process_methods[], posix_spawn_methods[],
    posix_transfer_methods[], posix_sched_methods[];
extern const StructSeqSpec sched_param_spec; /* posix_sched.c */
RAISES bool posix_dir_types(Thread *th, Value m, PosixState *s);

#endif
