/* posix_process.c -- module posix: processes, identity, environment, limits. */
#include "modules/posix.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "modules/modules.h"
#include "threads/at_fork.h"
#include "threads/blocking.h"
#include "threads/environment.h"
#include "threads/safepoint.h"

#define OFFLINE(th, result, expr)                                                                  \
    do {                                                                                           \
        BLOCKING(th, result, expr);                                                                \
    } while ((result) < 0 && errno == EINTR && safepoint_poll(th))

static Value
none_or_error(Thread *th, long r)
{
    return r >= 0 ? NONE : error_set(th) ? NULL : posix_error(th);
}

/* -- numbers of this process ------------------------------------------------------------------------------ */

#define GETTER(name, expr)                                                                         \
    static Value posix_##name(Thread *th, Value self)                                              \
    {                                                                                              \
        (void)self;                                                                                \
        return int_from_i64(th, (int64_t)(expr));                                                  \
    }
GETTER(getpid, getpid())
GETTER(getppid, getppid())
GETTER(getuid, getuid())
GETTER(geteuid, geteuid())
GETTER(getgid, getgid())
GETTER(getegid, getegid())
GETTER(getpgrp, getpgrp())

static Value
two_ints(Thread *th, const Arg *a, int (*f)(int, int))
{
    int x, y;
    if (!arg_int(th, arg(a, 0), &x) || !arg_int(th, arg(a, 1), &y))
        return NULL;
    return none_or_error(th, f(x, y));
}

static int
set_reuid(int a, int b)
{
    return setreuid((uid_t)a, (uid_t)b);
}

static int
set_regid(int a, int b)
{
    return setregid((gid_t)a, (gid_t)b);
}

static int
send_signal(int pid, int sig)
{
    return kill(pid, sig);
}

#define TWO(name, f)                                                                               \
    static Value posix_##name(Thread *th, Value self, const Arg *a, size_t n)                      \
    {                                                                                              \
        (void)self, (void)n;                                                                       \
        return two_ints(th, a, f);                                                                 \
    }
TWO(setreuid, set_reuid)
TWO(setregid, set_regid)
TWO(setpgid, setpgid)
TWO(killpg, killpg)

static Value
posix_kill(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value r = two_ints(th, a, send_signal);
    /* A signal to ourselves is handled before the call returns. */
    return r && !safepoint_poll(th) ? NULL : r;
}

#define ONE_INT(name, expr)                                                                        \
    static Value posix_##name(Thread *th, Value self, Value v)                                     \
    {                                                                                              \
        (void)self;                                                                                \
        int x;                                                                                     \
        if (!arg_int(th, v, &x))                                                                   \
            return NULL;                                                                           \
        return none_or_error(th, expr);                                                            \
    }
ONE_INT(setuid, setuid((uid_t)x))
ONE_INT(setgid, setgid((gid_t)x))
ONE_INT(seteuid, seteuid((uid_t)x))
ONE_INT(setegid, setegid((gid_t)x))

#define ONE_RESULT(name, expr)                                                                     \
    static Value posix_##name(Thread *th, Value self, Value v)                                     \
    {                                                                                              \
        (void)self;                                                                                \
        int x;                                                                                     \
        if (!arg_int(th, v, &x))                                                                   \
            return NULL;                                                                           \
        errno = 0;                                                                                 \
        int r = expr;                                                                              \
        return r < 0 && errno ? posix_error(th) : value_from_fixnum(r);                            \
    }
ONE_RESULT(getpgid, getpgid(x))
ONE_RESULT(getsid, getsid(x))
ONE_RESULT(nice, nice(x))
ONE_RESULT(tcgetpgrp, tcgetpgrp(x))
ONE_RESULT(sched_get_priority_max, sched_get_priority_max(x))
ONE_RESULT(sched_get_priority_min, sched_get_priority_min(x))

static Value
posix_setsid(Thread *th, Value self)
{
    (void)self;
    return none_or_error(th, setsid());
}

static Value
posix_getgroups(Thread *th, Value self)
{
    (void)self;
    gid_t groups[NGROUPS_MAX < 1024 ? NGROUPS_MAX : 1024];
    int n = getgroups((int)ARRAY_LEN(groups), groups);
    if (n < 0)
        return posix_error(th);
    Value list = list_new(th, (size_t)n);
    for (int i = 0; list && i < n; i++)
        if (!list_append_steal(th, list, value_from_fixnum(groups[i])))
            DROP_CLEAR(th, list);
    return list;
}

static Value
posix_getresuid(Thread *th, Value self)
{
    (void)self;
    uid_t r, e, s;
    if (getresuid(&r, &e, &s) < 0)
        return posix_error(th);
    return tuple_pack(th, 3, value_from_fixnum(r), value_from_fixnum(e), value_from_fixnum(s));
}

static Value
posix_getresgid(Thread *th, Value self)
{
    (void)self;
    gid_t r, e, s;
    if (getresgid(&r, &e, &s) < 0)
        return posix_error(th);
    return tuple_pack(th, 3, value_from_fixnum(r), value_from_fixnum(e), value_from_fixnum(s));
}

static Value
posix_getlogin(Thread *th, Value self)
{
    (void)self;
    char name[LOGIN_NAME_MAX + 1];
    int r = getlogin_r(name, sizeof name);
    return r ? raise_os_error(th, r) : str_from_fs(th, name, strlen(name));
}

static Value
posix_getpriority(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int which, who;
    if (!arg_int(th, arg(a, 0), &which) || !arg_int(th, arg(a, 1), &who))
        return NULL;
    errno = 0;
    int r = getpriority((__priority_which_t)which, (id_t)who);
    return errno ? posix_error(th) : value_from_fixnum(r);
}

static Value
posix_getloadavg(Thread *th, Value self)
{
    (void)self;
    double load[3];
    if (getloadavg(load, 3) != 3)
        return raise_error(th, &exc_OSError, "Load averages are unobtainable");
    Value t = tuple_new(th, 3);
    for (int i = 0; t && i < 3; i++) {
        Value v = float_from(th, load[i]);
        if (v == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, i, v);
    }
    return t;
}

static Value
posix_cpu_count(Thread *th, Value self)
{
    (void)th, (void)self;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n >= 1 ? value_from_fixnum(n) : NONE;
}

static Value
posix_uname(Thread *th, Value self)
{
    (void)self;
    struct utsname u;
    if (uname(&u) < 0)
        return posix_error(th);
    Value r = struct_seq_new(th, posix_state(th)->uname_result);
    const char *fields[] = {u.sysname, u.nodename, u.release, u.version, u.machine};
    for (int i = 0; r && i < 5; i++) {
        Value s = str_from_fs(th, fields[i], strlen(fields[i]));
        if (s == NULL)
            DROP_CLEAR(th, r);
        else
            struct_seq_init(r, i, s);
    }
    return r;
}

static Value
posix_times(Thread *th, Value self)
{
    (void)self;
    struct tms t;
    clock_t now = times(&t);
    double tick = (double)sysconf(_SC_CLK_TCK);
    Value r = struct_seq_new(th, posix_state(th)->times_result);
    double fields[] = {(double)t.tms_utime / tick, (double)t.tms_stime / tick, (double)t.tms_cutime / tick,
                       (double)t.tms_cstime / tick, (double)now / tick};
    for (int i = 0; r && i < 5; i++) {
        Value v = float_from(th, fields[i]);
        if (v == NULL)
            DROP_CLEAR(th, r);
        else
            struct_seq_init(r, i, v);
    }
    return r;
}

/* -- limits by name ----------------------------------------------------------------------------------------- */

static bool
conf_name(Thread *th, Value v, const char *table, int *out)
{
    if (is_int(v))
        return arg_int(th, v, out);
    if (!is_str(v)) {
        raise_type_error(th, "configuration names must be strings or integers");
        return false;
    }
    Value key = str_intern_c(th, "posix"), m = NULL, names_dict = NULL, n = NULL;
    if (key && dict_get(th, th->interp->modules, key, &m) == YES)
        names_dict = get_attr_c(th, m, table);
    bool ok = names_dict && dict_get(th, names_dict, v, &n) == YES && arg_int(th, n, out);
    drop_null(th, n);
    drop_null(th, names_dict);
    drop_null(th, m);
    drop_null(th, key);
    if (!ok && !error_set(th))
        raise_value_error(th, "unrecognized configuration name");
    return ok;
}

static Value
posix_sysconf(Thread *th, Value self, Value v)
{
    (void)self;
    int name;
    if (!conf_name(th, v, "sysconf_names", &name))
        return NULL;
    errno = 0;
    long r = sysconf(name);
    return r == -1 && errno ? posix_error(th) : int_from_i64(th, r);
}

static Value
posix_confstr(Thread *th, Value self, Value v)
{
    (void)self;
    int name;
    char text[4096];
    if (!conf_name(th, v, "confstr_names", &name))
        return NULL;
    errno = 0;
    size_t n = confstr(name, text, sizeof text);
    if (n == 0)
        return errno ? posix_error(th) : NONE;
    return str_from_fs(th, text, n - 1 < sizeof text ? n - 1 : sizeof text - 1);
}

static Value
posix_pathconf(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int name;
    PathArg p;
    if (!conf_name(th, arg(a, 1), "pathconf_names", &name) || !path_arg(th, "pathconf", "path", arg(a, 0), 1, &p))
        return NULL;
    errno = 0;
    long r = p.path ? pathconf(p.path, name) : fpathconf(p.fd, name);
    Value v = r == -1 && errno ? posix_path_error(th, &p) : int_from_i64(th, r);
    path_free(th, &p);
    return v;
}

/* -- environment ------------------------------------------------------------------------------------------------- */

static Value
posix_putenv(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value k = fs_encode(th, arg(a, 0)), v = k ? fs_encode(th, arg(a, 1)) : NULL, r = NULL;
    if (v) {
        if (memchr(as_bytes(k)->data, '=', (size_t)as_bytes(k)->length))
            raise_value_error(th, "illegal environment variable name");
        else {
            const char *name = (const char *)as_bytes(k)->data;
            if (*name == '\0') {
                errno = EINVAL;
                r = posix_error(th);
            } else
                r = environment_set(name, (const char *)as_bytes(v)->data) ? NONE : raise_memory(th);
        }
    }
    drop_null(th, k);
    drop_null(th, v);
    return r;
}

static Value
posix_unsetenv(Thread *th, Value self, Value name)
{
    (void)self;
    Value k = fs_encode(th, name);
    if (k == NULL)
        return NULL;
    const char *text = (const char *)as_bytes(k)->data;
    Value r;
    if (*text == '\0' || strchr(text, '=')) {
        errno = EINVAL;
        r = posix_error(th);
    } else
        r = environment_unset(text) ? NONE : raise_memory(th);
    drop(th, k);
    return r;
}

/* -- new processes ------------------------------------------------------------------------------------------------- */

static bool
run_hooks(Thread *th, Field *field, bool reverse)
{
    Value key = str_intern_c(th, "posix"), m = NULL;
    if (key == NULL || dict_get(th, th->interp->modules, key, &m) != YES)
        m = NULL;
    drop_null(th, key);
    if (m == NULL)
        return true;
    Value list = field_read(th, value_object(m), field);
    drop(th, m);
    if (list == NULL)
        return true;
    int64_t n = list_length(list);
    for (int64_t i = 0; i < n; i++) {
        Value f = list_get(th, list, reverse ? n - 1 - i : i);
        if (f == NULL)
            continue;
        Value r = call_0(th, f);
        if (r == NULL)
            error_unraisable(th, NULL, f);
        drop_null(th, r);
        drop(th, f);
    }
    drop(th, list);
    return true;
}

static Value
posix_register_at_fork(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "register_at_fork",
                                     .names = {"before", "after_in_child", "after_in_parent"}};
    Value v[3];
    PosixState *s = module_state(self);
    Field *fields[3] = {&s->before_fork, &s->after_fork_child, &s->after_fork_parent};
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    if (!v[0] && !v[1] && !v[2])
        return raise_type_error(th, "At least one argument is required.");
    for (int i = 0; i < 3; i++)
        if (v[i] && is_callable(v[i]) != YES)
            return raise_type_error(th, "'%s' must be callable, not %T", params.names[i], v[i]);
    for (int i = 0; i < 3; i++) {
        if (v[i] == NULL)
            continue;
        Value list = field_read(th, value_object(self), fields[i]);
        if (list == NULL) {
            list = list_new(th, 4);
            if (list == NULL)
                return NULL;
            if (field_set_once(th, value_object(self), fields[i], list))
                retain(th, list);
            else {
                drop(th, list);
                list = field_read(th, value_object(self), fields[i]);
            }
        }
        bool ok = list_append(th, list, v[i]);
        drop(th, list);
        if (!ok)
            return NULL;
    }
    return NONE;
}

static Value
do_fork(Thread *th, int *pty)
{
    PosixState *s = posix_state(th);
    if (!upcalls.audit(th, pty ? "os.forkpty" : "os.fork", NULL))
        return NULL;
    run_hooks(th, &s->before_fork, true);
    import_lock_take(th); /* the child has no module that another thread was just putting in place */
    fork_prepare(th);
    pid_t pid = pty ? forkpty(pty, NULL, NULL, NULL) : fork();
    int error = errno;
    if (pid == 0) {
        fork_child(th);
        import_lock_give(th);
        run_hooks(th, &s->after_fork_child, false);
    } else {
        fork_parent(th);
        import_lock_give(th);
        run_hooks(th, &s->after_fork_parent, false);
    }
    if (pid < 0)
        return raise_os_error(th, error);
    return int_from_i64(th, pid);
}

static Value
posix_fork(Thread *th, Value self)
{
    (void)self;
    return do_fork(th, NULL);
}

static Value
posix_forkpty(Thread *th, Value self)
{
    (void)self;
    int master = -1;
    Value pid = do_fork(th, &master);
    if (pid == NULL)
        return NULL;
    Value t = tuple_pack(th, 2, pid, value_from_fixnum(master));
    drop(th, pid);
    return t;
}

char **
posix_strings(Thread *th, Value seq, Value *held)
{
    Value list = sequence_list(th, seq);
    *held = list;
    if (list == NULL)
        return NULL;
    int64_t n = list_length(list);
    char **array = buffer_new(th, (size_t)(n + 1) * sizeof *array);
    for (int64_t i = 0; array && i < n; i++) {
        Value v = list_get(th, list, i), b = v ? fs_encode(th, v) : NULL;
        drop_null(th, v);
        if (b == NULL || !list_set(th, list, i, b)) {
            buffer_free(array);
            return NULL;
        }
        array[i] = (char *)as_bytes(b)->data;
    }
    if (array)
        array[n] = NULL;
    return array;
}

/* {name: value} as name=value strings. */
static char **
environment_array(Thread *th, Value mapping, Value *held)
{
    Value keys = call_method_0(th, mapping, NAME(keys)), list = keys ? sequence_list(th, keys) : NULL;
    drop_null(th, keys);
    Value lines = list ? list_new(th, 16) : NULL;
    for (int64_t i = 0; lines; i++) {
        Value k = list_get(th, list, i);
        if (k == NULL)
            break;
        Value v = get_item(th, mapping, k), kb = v ? fs_encode(th, k) : NULL, vb = kb ? fs_encode(th, v) : NULL;
        Value line = NULL;
        if (vb) {
            size_t kn = (size_t)as_bytes(kb)->length, vn = (size_t)as_bytes(vb)->length;
            if (kn == 0 || memchr(as_bytes(kb)->data + 1, '=', kn - 1))
                raise_value_error(th, "illegal environment variable name");
            else if ((line = bytes_new(th, kn + vn + 1))) {
                memcpy(as_bytes(line)->data, as_bytes(kb)->data, kn);
                as_bytes(line)->data[kn] = '=';
                memcpy(as_bytes(line)->data + kn + 1, as_bytes(vb)->data, vn);
            }
        }
        drop_null(th, vb);
        drop_null(th, kb);
        drop_null(th, v);
        drop(th, k);
        if (line == NULL || !list_append_steal(th, lines, line))
            DROP_CLEAR(th, lines);
    }
    drop_null(th, list);
    char **array = lines ? posix_strings(th, lines, held) : NULL;
    drop_null(th, lines);
    return array;
}

static Value
do_exec(Thread *th, const char *name, Value path, Value argv, Value env)
{
    PathArg p;
    if (!is_list(argv) && !is_tuple(argv))
        return raise_type_error(th, "%s() arg 2 must be a tuple or list", name);
    if (length_of(th, argv) == 0)
        return raise_value_error(th, "%s() arg 2 must not be empty", name);
    if (!path_arg(th, name, "path", path, env ? 1 : 0, &p))
        return NULL;
    Value held = NULL, env_held = NULL;
    char **args = posix_strings(th, argv, &held);
    char **vars = args && env ? environment_array(th, env, &env_held) : NULL;
    if (args && (vars || env == NULL)) {
        if (args[0][0] == 0)
            raise_value_error(th, "%s() arg 2 first element cannot be empty", name);
        else {
            signal(SIGPIPE, SIG_DFL); /* what the new program expects */
            if (env == NULL)
                execv(p.path, args);
            else if (p.path)
                execve(p.path, args, vars);
            else
                fexecve(p.fd, args, vars);
            int error = errno;
            signal(SIGPIPE, SIG_IGN);
            errno = error;
            posix_path_error(th, &p);
        }
    }
    buffer_free(args);
    buffer_free(vars);
    drop_null(th, held);
    drop_null(th, env_held);
    path_free(th, &p);
    return NULL;
}

static Value
posix_execv(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    return do_exec(th, "execv", arg(a, 0), arg(a, 1), NULL);
}

static Value
posix_execve(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "execve", .names = {"path", "argv", "env"}, .positional = 3,
                                     .required = 3};
    Value v[3];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    if (!is_mapping(v[2]))
        return raise_type_error(th, "execve: environment must be a mapping object");
    return do_exec(th, "execve", v[0], v[1], v[2]);
}

static Value
posix_exit(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "_exit", .names = {"status"}, .positional = 1, .required = 1};
    Value v[1];
    int status;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &status))
        return NULL;
    _exit(status);
}

static Value
posix_abort(Thread *th, Value self)
{
    (void)th, (void)self;
    abort();
}

static Value
posix_system(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "system", .names = {"command"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Value command = fs_encode(th, v[0]);
    if (command == NULL)
        return NULL;
    blocking_begin(th);
    int r = system((const char *)as_bytes(command)->data);
    blocking_end(th);
    drop(th, command);
    return value_from_fixnum(r);
}

static Value
pid_status(Thread *th, pid_t pid, int status)
{
    return tuple_pack(th, 2, value_from_fixnum(pid), value_from_fixnum(status));
}

static Value
posix_waitpid(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid, options, status = 0;
    if (!arg_int(th, arg(a, 0), &pid) || !arg_int(th, arg(a, 1), &options))
        return NULL;
    pid_t r;
    OFFLINE(th, r, waitpid(pid, &status, options));
    return r < 0 ? error_set(th) ? NULL : posix_error(th) : pid_status(th, r, status);
}

static Value
posix_wait(Thread *th, Value self)
{
    (void)self;
    int status = 0;
    pid_t r;
    OFFLINE(th, r, wait(&status));
    return r < 0 ? error_set(th) ? NULL : posix_error(th) : pid_status(th, r, status);
}

static Value
posix_waitstatus_to_exitcode(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "waitstatus_to_exitcode", .names = {"status"}, .positional = 1,
                                     .required = 1};
    Value v[1];
    int status;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &status))
        return NULL;
    if (WIFEXITED(status))
        return value_from_fixnum(WEXITSTATUS(status));
    if (WIFSIGNALED(status))
        return value_from_fixnum(-WTERMSIG(status));
    if (WIFSTOPPED(status))
        return raise_value_error(th, "process stopped by delivery of signal %i", WSTOPSIG(status));
    return raise_value_error(th, "invalid wait status: %i", status);
}

#define STATUS(name, expr)                                                                         \
    static Value posix_##name(Thread *th, Value self, Value v)                                     \
    {                                                                                              \
        (void)self;                                                                                \
        int s;                                                                                     \
        if (!arg_int(th, v, &s))                                                                   \
            return NULL;                                                                           \
        return expr;                                                                               \
    }
STATUS(WIFEXITED, bool_from(WIFEXITED(s)))
STATUS(WEXITSTATUS, value_from_fixnum(WEXITSTATUS(s)))
STATUS(WIFSIGNALED, bool_from(WIFSIGNALED(s)))
STATUS(WTERMSIG, value_from_fixnum(WTERMSIG(s)))
STATUS(WIFSTOPPED, bool_from(WIFSTOPPED(s)))
STATUS(WSTOPSIG, value_from_fixnum(WSTOPSIG(s)))
STATUS(WIFCONTINUED, bool_from(WIFCONTINUED(s)))
STATUS(WCOREDUMP, bool_from(WCOREDUMP(s)))

static Value
posix_pidfd_open(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int pid, flags = 0;
    if (!arg_int(th, arg(a, 0), &pid) || (n > 1 && !arg_int(th, arg(a, 1), &flags)))
        return NULL;
    long fd = syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? posix_error(th) : value_from_fixnum(fd);
}

static Value
posix_sched_yield(Thread *th, Value self)
{
    (void)self;
    blocking_begin(th);
    sched_yield();
    blocking_end(th);
    return NONE;
}

static Value
posix_sched_getaffinity(Thread *th, Value self, Value v)
{
    (void)self;
    int pid;
    cpu_set_t set;
    if (!arg_int(th, v, &pid))
        return NULL;
    if (sched_getaffinity(pid, sizeof set, &set) < 0)
        return posix_error(th);
    Value s = set_new(th);
    for (int i = 0; s && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && !set_add(th, s, value_from_fixnum(i)))
            DROP_CLEAR(th, s);
    return s;
}

static Value
posix_sched_setaffinity(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid, cpu;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (!arg_int(th, arg(a, 0), &pid))
        return NULL;
    Value it = get_iter(th, arg(a, 1)), v;
    if (it == NULL)
        return NULL;
    while ((v = iter_next(th, it))) {
        bool ok = arg_int(th, v, &cpu);
        drop(th, v);
        if (ok && (cpu < 0 || cpu >= CPU_SETSIZE)) {
            raise_value_error(th, "negative CPU number");
            ok = false;
        }
        if (!ok)
            break;
        CPU_SET(cpu, &set);
    }
    drop(th, it);
    if (error_set(th))
        return NULL;
    return none_or_error(th, sched_setaffinity(pid, sizeof set, &set));
}

#define Z(name) NATIVE_0(#name, posix_##name, #name "($module, /)\n--\n\n")
#define ONE(name) NATIVE_1(#name, posix_##name, #name "($module, a, /)\n--\n\n")
#define FIX(name, min, max) NATIVE_N(#name, posix_##name, min, max, NULL)
const MethodDef posix_process_methods[] = {
    Z(getpid), Z(getppid), Z(getuid), Z(geteuid), Z(getgid), Z(getegid), Z(getpgrp), Z(setsid), Z(getgroups),
    Z(getresuid), Z(getresgid), Z(getlogin), Z(getloadavg), Z(cpu_count), Z(uname), Z(times), Z(fork),
    Z(forkpty), Z(abort), Z(wait), Z(sched_yield), FIX(setreuid, 2, 2), FIX(setregid, 2, 2),
    FIX(setpgid, 2, 2), FIX(killpg, 2, 2), FIX(kill, 2, 2), ONE(setuid), ONE(setgid), ONE(seteuid),
    ONE(setegid), ONE(getpgid), ONE(getsid), ONE(nice), ONE(tcgetpgrp), ONE(sched_get_priority_max),
    ONE(sched_get_priority_min), FIX(getpriority, 2, 2), ONE(sysconf), ONE(confstr), FIX(pathconf, 2, 2),
    NATIVE_N("fpathconf", posix_pathconf, 2, 2, NULL), FIX(putenv, 2, 2), ONE(unsetenv),
    NATIVE_K("register_at_fork", posix_register_at_fork,
             "register_at_fork($module, /, *, before=<unrepresentable>,\n                 after_in_child=<unrepresentable>,\n                 after_in_parent=<unrepresentable>)\n--\n\nRegister functions to be called when forking a new process."),
    FIX(execv, 2, 2), NATIVE_K("execve", posix_execve, "execve($module, /, path, argv, env)\n--\n\nExecute an executable path with arguments, replacing current process."),
    NATIVE_K("_exit", posix_exit, "_exit($module, /, status)\n--\n\nExit to the system with specified status, without normal exit processing."),
    NATIVE_K("system", posix_system, "system($module, /, command)\n--\n\nExecute the command in a subshell."),
    FIX(waitpid, 2, 2),
    NATIVE_K("waitstatus_to_exitcode", posix_waitstatus_to_exitcode, "waitstatus_to_exitcode($module, /, status)\n--\n\nConvert a wait status to an exit code."),
    ONE(WIFEXITED), ONE(WEXITSTATUS), ONE(WIFSIGNALED), ONE(WTERMSIG), ONE(WIFSTOPPED), ONE(WSTOPSIG),
    ONE(WIFCONTINUED), ONE(WCOREDUMP), FIX(pidfd_open, 1, 2), ONE(sched_getaffinity),
    FIX(sched_setaffinity, 2, 2),
    NATIVE_END,
};
