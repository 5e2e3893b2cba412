/* posix_spawn.c -- module posix: posix_spawn() and waiting for processes in full: wait3(), wait4(), waitid().
 *
 * posix_spawn() runs offline: the calling thread sleeps in it until the child has done exec().
 */
#include "modules/posix.h"

#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

/* -- posix_spawn ----------------------------------------------------------------------------------------------- */

enum { SPAWN_OPEN, SPAWN_CLOSE, SPAWN_DUP2 }; /* POSIX_SPAWN_OPEN and its like */

/* One element of file_actions; what it names is kept by `held`, a list. */
static bool
add_action(Thread *th, posix_spawn_file_actions_t *actions, Value item, Value held)
{
    int64_t n = is_tuple(item) ? tuple_length(item) : 0;
    int tag, fd, other, flags, error;
    if (n == 0) {
        raise_type_error(th, "Each file_actions element must be a non-empty tuple");
        return false;
    }
    if (!arg_int(th, tuple_item(item, 0), &tag))
        return false;
    switch (tag) {
    case SPAWN_OPEN: {
        if (n != 5) {
            raise_type_error(th, "A open file_action tuple must have 5 elements");
            return false;
        }
        int64_t mode;
        Value path = NULL;
        bool ok = arg_int(th, tuple_item(item, 1), &fd) && (path = fs_encode(th, tuple_item(item, 2))) != NULL &&
                  arg_int(th, tuple_item(item, 3), &flags) && arg_long(th, tuple_item(item, 4), &mode);
        if (!ok || !list_append_steal(th, held, path)) {
            if (!ok)
                drop_null(th, path);
            return false;
        }
        error = posix_spawn_file_actions_addopen(actions, fd, (const char *)as_bytes(path)->data, flags,
                                                 (mode_t)mode);
        break;
    }
    case SPAWN_CLOSE:
        if (n != 2) {
            raise_type_error(th, "A close file_action tuple must have 2 elements");
            return false;
        }
        if (!arg_int(th, tuple_item(item, 1), &fd))
            return false;
        error = posix_spawn_file_actions_addclose(actions, fd);
        break;
    case SPAWN_DUP2:
        if (n != 3) {
            raise_type_error(th, "A dup2 file_action tuple must have 3 elements");
            return false;
        }
        if (!arg_int(th, tuple_item(item, 1), &fd) || !arg_int(th, tuple_item(item, 2), &other))
            return false;
        error = posix_spawn_file_actions_adddup2(actions, fd, other);
        break;
    default:
        raise_type_error(th, "Unknown file_actions identifier");
        return false;
    }
    if (error)
        raise_os_error(th, error);
    return error == 0;
}

static bool
add_actions(Thread *th, posix_spawn_file_actions_t *actions, Value sequence, Value held)
{
    Value list = sequence_fast(th, sequence, "file_actions must be a sequence or None");
    bool ok = list != NULL;
    for (int64_t i = 0; ok; i++) { /* a list may change under __index__() */
        Value item = is_tuple(list) ? i < tuple_length(list) ? retain(th, tuple_item(list, i)) : NULL
                                    : list_get(th, list, i);
        if (item == NULL)
            break;
        ok = add_action(th, actions, item, held);
        drop(th, item);
    }
    drop_null(th, list);
    return ok;
}

/* (policy or None, sched_param) */
static bool
add_scheduler(Thread *th, posix_spawnattr_t *attributes, Value scheduler, short *flags)
{
    if (!is_tuple(scheduler)) {
        raise_system_error(th, "new style getargs format but argument is not a tuple");
        return false;
    }
    if (tuple_length(scheduler) != 2) {
        raise_type_error(th, "A scheduler tuple must have two elements");
        return false;
    }
    int policy, error;
    Value p = tuple_item(scheduler, 0);
    struct sched_param param;
    if (p != NONE && !arg_int(th, p, &policy))
        return false;
    if (!sched_param_arg(th, tuple_item(scheduler, 1), &param))
        return false;
    if (p != NONE) {
        *flags |= POSIX_SPAWN_SETSCHEDULER;
        error = posix_spawnattr_setschedpolicy(attributes, policy);
        if (error) {
            raise_os_error(th, error);
            return false;
        }
    }
    *flags |= POSIX_SPAWN_SETSCHEDPARAM;
    error = posix_spawnattr_setschedparam(attributes, &param);
    if (error)
        raise_os_error(th, error);
    return error == 0;
}

/* The keyword arguments setpgroup, resetids, setsid, setsigmask, setsigdef, scheduler; NULL: not given. */
static bool
add_attributes(Thread *th, posix_spawnattr_t *attributes, Value *v)
{
    short flags = 0;
    int group, error = 0;
    bool reset = false, session = false;
    sigset_t set;
    if (!arg_int(th, v[0], &group) || !arg_flag(th, v[1], &reset) || !arg_flag(th, v[2], &session))
        return false;
    if (v[0] != NULL) {
        error = posix_spawnattr_setpgroup(attributes, group);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    if (reset)
        flags |= POSIX_SPAWN_RESETIDS;
    if (session)
        flags |= POSIX_SPAWN_SETSID;
    if (error == 0 && v[3] != NULL) {
        if (!sigset_from(th, v[3], &set))
            return false;
        error = posix_spawnattr_setsigmask(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGMASK;
    }
    if (error == 0 && v[4] != NULL) {
        if (!sigset_from(th, v[4], &set))
            return false;
        error = posix_spawnattr_setsigdefault(attributes, &set);
        flags |= POSIX_SPAWN_SETSIGDEF;
    }
    if (error == 0 && v[5] != NULL && !add_scheduler(th, attributes, v[5], &flags))
        return false;
    if (error == 0)
        error = posix_spawnattr_setflags(attributes, flags);
    if (error)
        raise_os_error(th, error);
    return error == 0;
}

/* v: path, argv, env, file_actions, then the attributes. */
static Value
do_spawn(Thread *th, const char *name, bool search, Value *v)
{
    PathArg p;
    if (!path_arg(th, name, "path", v[0], 0, &p))
        return NULL;
    Value argv_held = NULL, env_held = NULL, held = NULL, result = NULL;
    char **argv = NULL, **env = NULL;
    bool actions_made = false, attributes_made = false;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = 0;
    pid_t pid = 0;
    if (!is_list(v[1]) && !is_tuple(v[1])) {
        raise_type_error(th, "%s: argv must be a tuple or list", name);
        goto done;
    }
    if (length_of(th, v[1]) < 1) {
        raise_value_error(th, "%s: argv must not be empty", name);
        goto done;
    }
    if (!is_mapping(v[2])) {
        raise_type_error(th, "%s: environment must be a mapping object", name);
        goto done;
    }
    argv = posix_strings(th, v[1], &argv_held);
    if (argv == NULL)
        goto done;
    if (argv[0] == NULL || argv[0][0] == 0) {
        raise_value_error(th, "%s: argv first element cannot be empty", name);
        goto done;
    }
    env = posix_environment(th, v[2], &env_held);
    if (env == NULL)
        goto done;
    if (v[3] != NULL && v[3] != NONE) {
        held = list_new(th, 4);
        error = posix_spawn_file_actions_init(&actions);
        actions_made = error == 0;
        if (error)
            raise_os_error(th, error);
        if (error || held == NULL || !add_actions(th, &actions, v[3], held))
            goto done;
    }
    error = posix_spawnattr_init(&attributes);
    attributes_made = error == 0;
    if (error)
        raise_os_error(th, error);
    if (error || !add_attributes(th, &attributes, v + 4) ||
        !posix_audit(th, "os.posix_spawn", 3, v[0], v[1], v[2]))
        goto done;
    BLOCKING(th, error, (search ? posix_spawnp : posix_spawn)(&pid, p.path, actions_made ? &actions : NULL,
                                                              &attributes, argv, env));
    result = error ? raise_os_error_path(th, error, p.object) : int_from_i64(th, pid);
done:
    if (actions_made)
        posix_spawn_file_actions_destroy(&actions);
    if (attributes_made)
        posix_spawnattr_destroy(&attributes);
    buffer_free(argv);
    buffer_free(env);
    drop_null(th, argv_held);
    drop_null(th, env_held);
    drop_null(th, held);
    path_free(th, &p);
    return result;
}

#define SPAWN_NAMES {"", "", "", "file_actions", "setpgroup", "resetids", "setsid", "setsigmask", "setsigdef", "scheduler"}

static Value
posix_posix_spawn(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "posix_spawn", .names = SPAWN_NAMES, .positional = 3, .posonly = 3,
                                     .required = 3};
    Value v[10];
    return args_bind(th, &params, a, n, kwnames, v) ? do_spawn(th, "posix_spawn", false, v) : NULL;
}

static Value
posix_posix_spawnp(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "posix_spawnp", .names = SPAWN_NAMES, .positional = 3, .posonly = 3,
                                     .required = 3};
    Value v[10];
    return args_bind(th, &params, a, n, kwnames, v) ? do_spawn(th, "posix_spawnp", true, v) : NULL;
}

/* -- waiting ---------------------------------------------------------------------------------------------------- */

/* (pid, status, resource.struct_rusage) */
static Value
wait_usage(Thread *th, int pid, int options)
{
    int status = 0;
    struct rusage usage;
    pid_t r;
    memset(&usage, 0, sizeof usage);
    OFFLINE(th, r, wait4(pid, &status, options, &usage));
    if (r < 0)
        return error_set(th) ? NULL : posix_error(th);
    Value module = import_module_c(th, "resource");
    Value type = module ? get_attr_c(th, module, "struct_rusage") : NULL, record = NULL, result = NULL;
    drop_null(th, module);
    if (type != NULL) {
        if (is_type(type) && type_is_struct_seq(as_type(type), "resource.struct_rusage"))
            record = rusage_value(th, as_type(type), &usage);
        else
            raise_type_error(th, "resource.struct_rusage is not the class of that name");
    }
    if (record != NULL)
        result = tuple_pack(th, 3, value_from_fixnum(r), value_from_fixnum(status), record);
    drop_null(th, record);
    drop_null(th, type);
    return result;
}

static Value
posix_wait3(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "wait3", .names = {"options"}, .positional = 1, .required = 1};
    Value v[1];
    int options;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &options))
        return NULL;
    return wait_usage(th, -1, options);
}

static Value
posix_wait4(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "wait4", .names = {"pid", "options"}, .positional = 2, .required = 2};
    Value v[2];
    int pid, options;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[0], &pid) || !arg_int(th, v[1], &options))
        return NULL;
    return wait_usage(th, pid, options);
}

static Value
posix_waitid(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int type, id, options, r;
    siginfo_t info;
    if (!arg_int(th, arg(a, 0), &type) || !arg_int(th, arg(a, 1), &id) || !arg_int(th, arg(a, 2), &options))
        return NULL;
    memset(&info, 0, sizeof info);
    OFFLINE(th, r, waitid((idtype_t)type, (id_t)id, &info, options));
    if (r < 0)
        return error_set(th) ? NULL : posix_error(th);
    if (info.si_pid == 0)
        return NONE;
    Value result = struct_seq_new(th, posix_state(th)->waitid_result);
    int64_t fields[] = {info.si_pid, info.si_uid, info.si_signo, info.si_status, info.si_code};
    for (int i = 0; result != NULL && i < 5; i++)
        struct_seq_init(result, i, value_from_fixnum(fields[i]));
    return result;
}

#define SPAWN_DOC(name, indent)                                                                                    \
    name "($module, path, argv, env, /, *, file_actions=(),\n" indent                                              \
         "setpgroup=<unrepresentable>, resetids=False, setsid=False,\n" indent                                     \
         "setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)\n--\n\n"                                       \
         "Execute the program specified by path in a new process."
const MethodDef posix_spawn_methods[] = {
    NATIVE_K("posix_spawn", posix_posix_spawn, SPAWN_DOC("posix_spawn", "            ")),
    NATIVE_K("posix_spawnp", posix_posix_spawnp, SPAWN_DOC("posix_spawnp", "             ")),
    NATIVE_K("wait3", posix_wait3, "wait3($module, /, options)\n--\n\nWait for completion of a child process.\n\nReturns a tuple of information about the child process:\n  (pid, status, rusage)"),
    NATIVE_K("wait4", posix_wait4, "wait4($module, /, pid, options)\n--\n\nWait for completion of a specific child process.\n\nReturns a tuple of information about the child process:\n  (pid, status, rusage)"),
    NATIVE_N("waitid", posix_waitid, 3, 3, "waitid($module, idtype, id, options, /)\n--\n\nReturns the result of waiting for a process or processes."),
    NATIVE_END,
};
