/* mod_posixsubprocess.c -- module _posixsubprocess: fork and exec in one step, for subprocess.py.
 *
 * Between fork() and exec() the child makes only system calls (unless there is a preexec_fn); what
 * fails is written to the error pipe as "ExceptionName:errno in hex:message".
 */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/posix.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "threads/at_fork.h"

/* The message of what fails before exec(): subprocess.py names the folder, not the program then. */
#define NEVER_EXECUTED "noexec"

typedef struct Job {
    char **argv, **executables, **env;
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    bool close_fds, restore_signals, new_session, set_gid, set_uid, set_groups;
    int process_group, umask;
    gid_t gid;
    uid_t uid;
    size_t group_count;
    gid_t *groups;
    int *keep;
    size_t keep_count;
    Value preexec;
} Job;

static void
child_fail(int fd, const char *kind, int error, const char *what)
{
    char text[128];
    int n = snprintf(text, sizeof text, "%s:%X:%s", kind, (unsigned)error, what);
    if (n > 0 && write(fd, text, (size_t)n) < 0)
        _exit(255);
    _exit(255);
}

/* Closes everything from 3 on that is not to be kept. */
static void
close_others(const Job *j)
{
    int start = 3;
    for (;;) {
        int next = -1; /* the lowest kept descriptor from start on */
        for (size_t i = 0; i < j->keep_count; i++)
            if (j->keep[i] >= start && (next < 0 || j->keep[i] < next))
                next = j->keep[i];
        if (next < 0)
            break;
        if (next > start && syscall(SYS_close_range, (unsigned)start, (unsigned)next - 1, 0) != 0)
            for (int fd = start; fd < next; fd++)
                close(fd);
        start = next + 1;
    }
    if (syscall(SYS_close_range, (unsigned)start, ~0u, 0) != 0) {
        long limit = sysconf(_SC_OPEN_MAX);
        for (int fd = start; fd < limit; fd++)
            close(fd);
    }
}

static void
inheritable(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0)
        fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

static void
run_child(Thread *th, Job *j)
{
    for (size_t i = 0; i < j->keep_count; i++)
        if (j->keep[i] != j->errpipe_write)
            inheritable(j->keep[i]);
    if (j->p2cwrite >= 0)
        close(j->p2cwrite);
    if (j->c2pread >= 0)
        close(j->c2pread);
    if (j->errread >= 0)
        close(j->errread);
    close(j->errpipe_read);
    if (j->c2pwrite == 0 && (j->c2pwrite = dup(j->c2pwrite)) < 0)
        goto fail;
    while (j->errwrite == 0 || j->errwrite == 1)
        if ((j->errwrite = dup(j->errwrite)) < 0)
            goto fail;
    if (j->p2cread == 0)
        inheritable(0);
    else if (j->p2cread > 0 && dup2(j->p2cread, 0) < 0)
        goto fail;
    if (j->c2pwrite == 1)
        inheritable(1);
    else if (j->c2pwrite > 0 && dup2(j->c2pwrite, 1) < 0)
        goto fail;
    if (j->errwrite == 2)
        inheritable(2);
    else if (j->errwrite > 0 && dup2(j->errwrite, 2) < 0)
        goto fail;
    if (j->cwd && chdir(j->cwd) < 0)
        child_fail(j->errpipe_write, "OSError", errno, NEVER_EXECUTED);
    if (j->umask >= 0)
        umask((mode_t)j->umask);
    if (j->restore_signals) {
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
    }
    if (j->new_session && setsid() < 0)
        goto fail;
    if (j->process_group >= 0 && setpgid(0, j->process_group) < 0)
        goto fail;
    if (j->set_groups && setgroups(j->group_count, j->groups) < 0)
        goto fail;
    if (j->set_gid && setregid(j->gid, j->gid) < 0)
        goto fail;
    if (j->set_uid && setreuid(j->uid, j->uid) < 0)
        goto fail;
    if (j->preexec != NONE) {
        Value r = call_0(th, j->preexec);
        if (r == NULL)
            child_fail(j->errpipe_write, "SubprocessError", 0, "Exception occurred in preexec_fn.");
    }
    if (j->close_fds)
        close_others(j);
    int saved = 0;
    for (char **path = j->executables; *path; path++) {
        if (j->env)
            execve(*path, j->argv, j->env);
        else
            execv(*path, j->argv);
        if (errno != ENOENT && errno != ENOTDIR && saved == 0)
            saved = errno;
    }
    child_fail(j->errpipe_write, "OSError", saved ? saved : errno, "");
fail:
    child_fail(j->errpipe_write, "OSError", errno, NEVER_EXECUTED);
}

static Value
fork_exec(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Job j = {.process_group = -1, .umask = -1};
    int *ints[8] = {&j.p2cread, &j.p2cwrite, &j.c2pread, &j.c2pwrite, &j.errread, &j.errwrite,
                    &j.errpipe_read, &j.errpipe_write};
    Value argv_held = NULL, exec_held = NULL, env_held = NULL, cwd = NULL, result = NULL, list = NULL;
    bool session = false, restore = false;
    if (!arg_bool(th, arg(a, 2), &j.close_fds) || !arg_bool(th, arg(a, 14), &restore) ||
        !arg_bool(th, arg(a, 15), &session) || !arg_int(th, arg(a, 16), &j.process_group) ||
        !arg_int(th, arg(a, 20), &j.umask))
        return NULL;
    j.restore_signals = restore;
    j.new_session = session;
    for (int i = 0; i < 8; i++)
        if (!arg_int(th, arg(a, 6 + (size_t)i), ints[i]))
            return NULL;
    if (j.close_fds && j.errpipe_write < 3)
        return raise_value_error(th, "errpipe_write must be >= 3");
    j.preexec = arg(a, 21);
    if (j.preexec != NONE && load_relaxed(&th->interp->finalizing))
        return raise_error(th, &exc_RuntimeError, "preexec_fn not supported at interpreter shutdown");
    if (arg(a, 17) != NONE) {
        if (!id_arg(th, arg(a, 17), &j.gid, "gid"))
            return NULL;
        j.set_gid = true;
    }
    if (arg(a, 19) != NONE) {
        if (!id_arg(th, arg(a, 19), &j.uid, "uid"))
            return NULL;
        j.set_uid = true;
    }
    if (arg(a, 18) != NONE) {
        list = sequence_list(th, arg(a, 18));
        if (list == NULL)
            goto done;
        j.group_count = (size_t)list_length(list);
        j.groups = buffer_new(th, (j.group_count + 1) * sizeof *j.groups);
        j.set_groups = true;
        for (size_t i = 0; j.groups && i < j.group_count; i++) {
            Value v = list_get(th, list, (int64_t)i);
            if (v != NULL && !is_int(v))
                raise_type_error(th, "groups must be integers");
            else if (v != NULL && !id_arg(th, v, &j.groups[i], "gid") && error_matches(th, &exc_OverflowError)) {
                error_clear(th);
                raise_value_error(th, "invalid group id");
            }
            drop_null(th, v);
            if (error_set(th))
                goto done;
        }
        if (j.groups == NULL)
            goto done;
        drop(th, list);
        list = NULL;
    }
    list = sequence_list(th, arg(a, 3));
    if (list == NULL)
        goto done;
    j.keep_count = (size_t)list_length(list);
    j.keep = buffer_new(th, (j.keep_count + 2) * sizeof *j.keep);
    for (size_t i = 0; j.keep && i < j.keep_count; i++) {
        Value v = list_get(th, list, (int64_t)i);
        bool ok = v && arg_int(th, v, &j.keep[i]);
        drop_null(th, v);
        if (!ok || j.keep[i] < 0) {
            error_clear(th);
            raise_value_error(th, "bad value(s) in fds_to_keep");
            goto done;
        }
    }
    if (j.keep == NULL)
        goto done;
    j.argv = posix_strings(th, arg(a, 0), &argv_held);
    j.executables = j.argv ? posix_strings(th, arg(a, 1), &exec_held) : NULL;
    if (j.executables == NULL)
        goto done;
    if (arg(a, 5) != NONE && (j.env = posix_strings(th, arg(a, 5), &env_held)) == NULL)
        goto done;
    if (arg(a, 4) != NONE) {
        cwd = fs_encode(th, arg(a, 4));
        if (cwd == NULL)
            goto done;
        j.cwd = (const char *)as_bytes(cwd)->data;
    }
    fork_prepare(th);
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        if (j.preexec != NONE)
            fork_child(th);
        run_child(th, &j);
        _exit(255);
    }
    fork_parent(th);
    result = pid < 0 ? raise_os_error(th, error) : int_from_i64(th, pid);
done:
    drop_null(th, list);
    drop_null(th, cwd);
    drop_null(th, argv_held);
    drop_null(th, exec_held);
    drop_null(th, env_held);
    buffer_free(j.argv);
    buffer_free(j.executables);
    buffer_free(j.env);
    buffer_free(j.groups);
    buffer_free(j.keep);
    return result;
}

static const MethodDef posixsubprocess_methods[] = {
    NATIVE_N("fork_exec", fork_exec, 23, 23, "fork_exec(args, executable_list, close_fds, pass_fds, cwd, env, ...)\n\nForks a child process, closes parent file descriptors as appropriate in the child and dups the few that are needed before calling exec() in the child process."),
    NATIVE_END,
};

const ModuleSpec posixsubprocess_module = {
    .name = "_posixsubprocess", .doc = "A POSIX helper for the subprocess module.",
    .methods = posixsubprocess_methods,
};
