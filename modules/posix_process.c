/* posix_process.c -- module posix: processes, identity, environment, limits. */
#include "modules/posix.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "modules/modules.h"
#include "threads/at_fork.h"
#include "threads/environment.h"

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

#define TWO(name, f)                                                                               \
    static Value posix_##name(Thread *th, Value self, const Arg *a, size_t n)                      \
    {                                                                                              \
        (void)self, (void)n;                                                                       \
        return two_ints(th, a, f);                                                                 \
    }
TWO(setpgid, setpgid)

static Value
posix_killpg(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int group, sig;
    if (!arg_int(th, arg(a, 0), &group) || !arg_int(th, arg(a, 1), &sig) ||
        !posix_audit(th, "os.killpg", 2, value_from_fixnum(group), value_from_fixnum(sig)))
        return NULL;
    Value r = none_or_error(th, killpg(group, sig));
    return r && !safepoint_poll(th) ? NULL : r;
}

static Value
posix_kill(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int pid, sig;
    if (!arg_int(th, arg(a, 0), &pid) || !arg_int(th, arg(a, 1), &sig) ||
        !posix_audit(th, "os.kill", 2, value_from_fixnum(pid), value_from_fixnum(sig)))
        return NULL;
    Value r = none_or_error(th, kill(pid, sig));
    /* A signal to ourselves is handled before the call returns. */
    return r && !safepoint_poll(th) ? NULL : r;
}

/* Functions of one to three users' or groups' numbers. */
#define IDS(name, count, what, expr)                                                               \
    static Value posix_##name(Thread *th, Value self, const Arg *a, size_t n)                      \
    {                                                                                              \
        (void)self, (void)n;                                                                       \
        uint32_t id[count];                                                                        \
        for (size_t i = 0; i < count; i++)                                                         \
            if (!id_arg(th, arg(a, i), &id[i], what))                                              \
                return NULL;                                                                       \
        return none_or_error(th, expr);                                                            \
    }
IDS(setuid, 1, "uid", setuid(id[0]))
IDS(setgid, 1, "gid", setgid(id[0]))
IDS(seteuid, 1, "uid", seteuid(id[0]))
IDS(setegid, 1, "gid", setegid(id[0]))
IDS(setreuid, 2, "uid", setreuid(id[0], id[1]))
IDS(setregid, 2, "gid", setregid(id[0], id[1]))
IDS(setresuid, 3, "uid", setresuid(id[0], id[1], id[2]))
IDS(setresgid, 3, "gid", setresgid(id[0], id[1], id[2]))

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
WITH_KEYWORD(getpgid, "pid")
ONE_RESULT(getsid, getsid(x))
ONE_RESULT(nice, nice(x))
ONE_RESULT(tcgetpgrp, tcgetpgrp(x))

static Value
posix_setpgrp(Thread *th, Value self)
{
    (void)self;
    return none_or_error(th, setpgid(0, 0));
}

static Value
posix_setsid(Thread *th, Value self)
{
    (void)self;
    return none_or_error(th, setsid());
}

static Value
groups_list(Thread *th, const gid_t *groups, int n)
{
    Value list = list_new(th, (size_t)n);
    for (int i = 0; list && i < n; i++) {
        int64_t id = groups[i] == (gid_t)-1 ? -1 : (int64_t)groups[i];
        if (!list_append_steal(th, list, value_from_fixnum(id)))
            DROP_CLEAR(th, list);
    }
    return list;
}

static Value
posix_getgroups(Thread *th, Value self)
{
    (void)self;
    gid_t *groups = buffer_new(th, NGROUPS_MAX * sizeof *groups);
    if (groups == NULL)
        return NULL;
    int n = getgroups(NGROUPS_MAX, groups);
    Value list = n < 0 ? posix_error(th) : groups_list(th, groups, n);
    buffer_free(groups);
    return list;
}

static Value
posix_setgroups(Thread *th, Value self, Value v)
{
    (void)self;
    if (!is_sequence(v))
        return raise_type_error(th, "setgroups argument must be a sequence");
    int64_t n = length_of(th, v);
    if (n < 0)
        return NULL;
    if (n > NGROUPS_MAX)
        return raise_value_error(th, "too many groups");
    gid_t *groups = buffer_new(th, (size_t)(n + 1) * sizeof *groups);
    bool ok = groups != NULL;
    for (int64_t i = 0; ok && i < n; i++) {
        Value item = get_item_index(th, v, i);
        ok = item != NULL && (is_int(item) || raise_type_error(th, "groups must be integers") != NULL) &&
             id_arg(th, item, &groups[i], "gid");
        drop_null(th, item);
    }
    Value r = ok ? none_or_error(th, setgroups((size_t)n, groups)) : NULL;
    buffer_free(groups);
    return r;
}

/* getgrouplist() and initgroups() ask the name service, which may read files or wait for a network. */

static Value
posix_getgrouplist(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    uint32_t base;
    if (!arg_str(th, "getgrouplist", "argument 1", arg(a, 0)))
        return NULL;
    const char *user = str_c(th, arg(a, 0));
    if (user == NULL || !id_arg(th, arg(a, 1), &base, "gid"))
        return NULL;
    Value list = NULL;
    for (int room = 256, found = 0;; room = found > room ? found : room * 2) {
        gid_t *groups = buffer_new(th, (size_t)room * sizeof *groups);
        if (groups == NULL)
            return NULL;
        int r;
        found = room;
        BLOCKING(th, r, getgrouplist(user, base, groups, &found));
        if (r >= 0)
            list = groups_list(th, groups, found);
        buffer_free(groups);
        if (r >= 0)
            return list;
    }
}

static Value
posix_initgroups(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    uint32_t gid;
    int r;
    Value user = fs_encode(th, arg(a, 0));
    if (user == NULL || !id_arg(th, arg(a, 1), &gid, "gid")) {
        drop_null(th, user);
        return NULL;
    }
    BLOCKING(th, r, initgroups((const char *)as_bytes(user)->data, gid));
    Value v = none_or_error(th, r);
    drop(th, user);
    return v;
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

WITH_KEYWORDS(getpriority, 2, "which", "who")

static Value
posix_setpriority(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int which, who, priority;
    if (!arg_int(th, arg(a, 0), &which) || !arg_int(th, arg(a, 1), &who) || !arg_int(th, arg(a, 2), &priority))
        return NULL;
    return none_or_error(th, setpriority((__priority_which_t)which, (id_t)who, priority));
}
WITH_KEYWORDS(setpriority, 3, "which", "who", "priority")

/* -- terminals -------------------------------------------------------------------------------------------------- */

static Value
posix_tcsetpgrp(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, group, r;
    if (!arg_int(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &group))
        return NULL;
    BLOCKING(th, r, tcsetpgrp(fd, group));
    return none_or_error(th, r);
}

static Value
posix_login_tty(Thread *th, Value self, Value v)
{
    (void)self;
    int fd, r;
    if (!fd_arg(th, v, &fd))
        return NULL;
    BLOCKING(th, r, login_tty(fd));
    return none_or_error(th, r);
}

static Value
posix_ctermid(Thread *th, Value self)
{
    (void)self;
    char name[L_ctermid];
    return ctermid(name) ? str_from_fs(th, name, strlen(name)) : posix_error(th);
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

WITH_KEYWORDS(pathconf, 2, "path", "name")

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
            if (!posix_audit(th, "os.putenv", 2, k, v))
                ;
            else if (*name == '\0') {
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
    Value r = NULL;
    if (!posix_audit(th, "os.unsetenv", 1, k))
        ;
    else if (*text == '\0' || strchr(text, '=')) {
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

char **
posix_environment(Thread *th, Value mapping, Value *held)
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
    char **vars = args && env ? posix_environment(th, env, &env_held) : NULL;
    if (args && (vars || env == NULL)) {
        if (args[0][0] == 0)
            raise_value_error(th, "%s() arg 2 first element cannot be empty", name);
        else if (posix_audit(th, "os.exec", 3, path, argv, env)) {
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
    if (command == NULL || !posix_audit(th, "os.system", 1, command)) {
        drop_null(th, command);
        return NULL;
    }
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
WITH_KEYWORD(WIFEXITED, "status")
STATUS(WEXITSTATUS, value_from_fixnum(WEXITSTATUS(s)))
WITH_KEYWORD(WEXITSTATUS, "status")
STATUS(WIFSIGNALED, bool_from(WIFSIGNALED(s)))
WITH_KEYWORD(WIFSIGNALED, "status")
STATUS(WTERMSIG, value_from_fixnum(WTERMSIG(s)))
WITH_KEYWORD(WTERMSIG, "status")
STATUS(WIFSTOPPED, bool_from(WIFSTOPPED(s)))
WITH_KEYWORD(WIFSTOPPED, "status")
STATUS(WSTOPSIG, value_from_fixnum(WSTOPSIG(s)))
WITH_KEYWORD(WSTOPSIG, "status")
STATUS(WIFCONTINUED, bool_from(WIFCONTINUED(s)))
WITH_KEYWORD(WIFCONTINUED, "status")
STATUS(WCOREDUMP, bool_from(WCOREDUMP(s)))

static Value
posix_pidfd_open(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "pidfd_open", .names = {"pid", "flags"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    int pid, flags = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &pid) || !arg_int(th, v[1], &flags))
        return NULL;
    long fd = syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? posix_error(th) : value_from_fixnum(fd);
}

#define Z(name) NATIVE_0(#name, posix_##name, #name "($module, /)\n--\n\n")
#define ONE(name, parameter) NATIVE_1(#name, posix_##name, #name "($module, " parameter ", /)\n--\n\n")
#define ONE_KEYWORD(name, parameter)                                                               \
    NATIVE_K(#name, posix_##name##_keywords, #name "($module, /, " parameter ")\n--\n\n")
#define FIX(name, count, parameters)                                                               \
    NATIVE_N(#name, posix_##name, count, count, #name "($module, " parameters ", /)\n--\n\n")
#define FIX_KEYWORDS(name, parameters)                                                             \
    NATIVE_K(#name, posix_##name##_keywords, #name "($module, /, " parameters ")\n--\n\n")
const MethodDef posix_process_methods[] = {
    Z(getpid), Z(getppid), Z(getuid), Z(geteuid), Z(getgid), Z(getegid), Z(getpgrp), Z(setsid), Z(setpgrp),
    Z(getgroups), Z(getresuid), Z(getresgid), Z(getlogin), Z(getloadavg), Z(cpu_count), Z(uname), Z(times),
    Z(fork), Z(forkpty), Z(abort), Z(wait), Z(ctermid), ONE(setgroups, "groups"),
    FIX(setuid, 1, "uid"), FIX(setgid, 1, "gid"), FIX(seteuid, 1, "euid"), FIX(setegid, 1, "egid"),
    FIX(setreuid, 2, "ruid, euid"), FIX(setregid, 2, "rgid, egid"), FIX(setresuid, 3, "ruid, euid, suid"),
    FIX(setresgid, 3, "rgid, egid, sgid"), FIX(getgrouplist, 2, "user, group"),
    FIX(initgroups, 2, "username, gid"), FIX(setpgid, 2, "pid, pgrp"), FIX(killpg, 2, "pgid, signal"),
    FIX(kill, 2, "pid, signal"), ONE_KEYWORD(getpgid, "pid"), ONE(getsid, "pid"), ONE(nice, "increment"),
    ONE(tcgetpgrp, "fd"), FIX(tcsetpgrp, 2, "fd, pgid"), ONE(login_tty, "fd"),
    FIX_KEYWORDS(getpriority, "which, who"), FIX_KEYWORDS(setpriority, "which, who, priority"),
    ONE(sysconf, "name"), ONE(confstr, "name"), FIX_KEYWORDS(pathconf, "path, name"),
    NATIVE_N("fpathconf", posix_pathconf, 2, 2, "fpathconf($module, fd, name, /)\n--\n\n"),
    FIX(putenv, 2, "name, value"), ONE(unsetenv, "name"),
    NATIVE_K("register_at_fork", posix_register_at_fork,
             "register_at_fork($module, /, *, before=<unrepresentable>,\n                 after_in_child=<unrepresentable>,\n                 after_in_parent=<unrepresentable>)\n--\n\nRegister functions to be called when forking a new process."),
    FIX(execv, 2, "path, argv"), NATIVE_K("execve", posix_execve, "execve($module, /, path, argv, env)\n--\n\nExecute an executable path with arguments, replacing current process."),
    NATIVE_K("_exit", posix_exit, "_exit($module, /, status)\n--\n\nExit to the system with specified status, without normal exit processing."),
    NATIVE_K("system", posix_system, "system($module, /, command)\n--\n\nExecute the command in a subshell."),
    FIX(waitpid, 2, "pid, options"),
    NATIVE_K("waitstatus_to_exitcode", posix_waitstatus_to_exitcode, "waitstatus_to_exitcode($module, /, status)\n--\n\nConvert a wait status to an exit code."),
    ONE_KEYWORD(WIFEXITED, "status"), ONE_KEYWORD(WEXITSTATUS, "status"), ONE_KEYWORD(WIFSIGNALED, "status"),
    ONE_KEYWORD(WTERMSIG, "status"), ONE_KEYWORD(WIFSTOPPED, "status"), ONE_KEYWORD(WSTOPSIG, "status"),
    ONE_KEYWORD(WIFCONTINUED, "status"), ONE(WCOREDUMP, "status"),
    NATIVE_K("pidfd_open", posix_pidfd_open, "pidfd_open($module, /, pid, flags=0)\n--\n\nReturn a file descriptor referring to the process *pid*."),
    NATIVE_END,
};
