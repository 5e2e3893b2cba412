/* posix.h -- what the files of module posix share. */
#ifndef MODULES_POSIX_H
#define MODULES_POSIX_H

#include "core/run/run.h"
#include "modules/modules.h"

#include <errno.h>

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
RAISES bool fd_arg(Thread *th, Value v, int *fd);
/* A sequence of paths as a NULL-terminated array of C strings for exec: free with buffer_free(), and drop
 * *held, which keeps the strings and is set (or NULL) even if this fails. */
RAISES char **posix_strings(Thread *th, Value paths, Value *held);

typedef struct PosixState {
    Type *stat_result, *statvfs_result, *terminal_size, *uname_result, *times_result, *sched_param,
        *dir_entry, *scandir_iter;
    Field before_fork, after_fork_child, after_fork_parent; /* lists or NULL */
} PosixState;
PosixState *posix_state(Thread *th);

struct stat;
RAISES Value stat_to_value(Thread *th, const struct stat *st);
bool posix_constants(Thread *th, Value m);

extern const MethodDef posix_file_methods[], posix_dir_methods[], posix_process_methods[];
RAISES bool posix_dir_types(Thread *th, Value m, PosixState *s);

#endif
