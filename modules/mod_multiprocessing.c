/* mod_multiprocessing.c -- modules _multiprocessing (semaphores between processes) and _posixshmem.
 *
 * A SemLock is a named POSIX semaphore; whoever has its name can open it.  `count` says how often this
 * process holds it and `owner` which thread took it last, as multiprocessing.synchronize asks for.
 */
#include "modules/modules.h"
#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "threads/blocking.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>

enum { RECURSIVE_MUTEX, SEMAPHORE };

typedef struct SemLock {
    struct Object head;
    sem_t *handle;             /* [const] */
    int kind, maxvalue;        /* [const] */
    Value name;                /* [const] str or NULL */
    ATOMIC(int) count;         /* how often this process holds it */
    ATOMIC(uint64_t) owner;    /* the thread that took it last */
} SemLock;

static Type semlock_type;

static inline SemLock *
as_semlock(Value v)
{
    return (SemLock *)(void *)value_object(v);
}

static uint64_t
this_thread(void)
{
    return (uint64_t)(uintptr_t)pthread_self();
}

static bool
is_mine(SemLock *s)
{
    return load_relaxed(&s->count) > 0 && load_relaxed(&s->owner) == this_thread();
}

/* -- making --------------------------------------------------------------------------------------- */

static Value
semlock_make(Thread *th, Type *type, sem_t *handle, int kind, int maxvalue, Value name)
{
    Value self = type_alloc(th, type, 0);
    if (self == NULL) {
        sem_close(handle);
        return NULL;
    }
    SemLock *s = as_semlock(self);
    s->handle = handle;
    s->kind = kind;
    s->maxvalue = maxvalue;
    s->name = name ? retain(th, name) : NULL;
    return self;
}

static Value
semlock_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "SemLock",
                                     .names = {"kind", "value", "maxvalue", "name", "unlink"},
                                     .positional = 5,
                                     .required = 5};
    Value v[5];
    int kind, value, maxvalue;
    bool unlink;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_int(th, v[0], &kind) ||
        !arg_int(th, v[1], &value) || !arg_int(th, v[2], &maxvalue) ||
        !arg_str(th, "SemLock", "argument 'name'", v[3]) || !arg_bool(th, v[4], &unlink))
        return NULL;
    if (kind != RECURSIVE_MUTEX && kind != SEMAPHORE)
        return raise_value_error(th, "unrecognized kind");
    const char *name = str_c(th, v[3]);
    if (name == NULL)
        return NULL;
    sem_t *handle = sem_open(name, O_CREAT | O_EXCL, 0600, (unsigned)value);
    if (handle == SEM_FAILED)
        return raise_os_error(th, errno);
    if (unlink && sem_unlink(name) < 0) {
        int error = errno;
        sem_close(handle);
        return raise_os_error(th, error);
    }
    return semlock_make(th, type, handle, kind, maxvalue, unlink ? NULL : v[3]);
}

/* Opens the semaphore that another process made; the handle of a forked parent's is still good. */
static Value
semlock_rebuild(Thread *th, Value cls, const Arg *args, size_t nargs)
{
    (void)nargs;
    uint64_t handle;
    int kind, maxvalue;
    Value name = arg(args, 3);
    if (!arg_ulong(th, arg(args, 0), &handle) || !arg_int(th, arg(args, 1), &kind) ||
        !arg_int(th, arg(args, 2), &maxvalue))
        return NULL;
    if (!is_str(name))
        return raise_type_error(th, "a semaphore without a name cannot be opened again");
    const char *text = str_c(th, name);
    if (text == NULL)
        return NULL;
    sem_t *opened = sem_open(text, 0);
    if (opened == SEM_FAILED)
        return raise_os_error(th, errno);
    return semlock_make(th, as_type(cls), opened, kind, maxvalue, name);
}

static void
semlock_dealloc(Thread *th, Object *o)
{
    SemLock *s = (SemLock *)(void *)o;
    if (s->handle != NULL)
        sem_close(s->handle);
    drop_null(th, s->name);
}

/* -- taking and giving back ------------------------------------------------------------------------- */

/* Whether the time is over; `timeout` None: never. */
static bool
deadline_of(Thread *th, Value timeout, struct timespec *deadline)
{
    double seconds;
    if (!arg_double(th, timeout, &seconds))
        return false;
    if (isnan(seconds) || seconds > 1e9) {
        raise_overflow(th, "timeout is too large");
        return false;
    }
    if (seconds < 0)
        seconds = 0;
    clock_gettime(CLOCK_REALTIME, deadline);
    double whole = floor(seconds);
    deadline->tv_sec += (time_t)whole;
    deadline->tv_nsec += (long)((seconds - whole) * 1e9 + 0.5);
    if (deadline->tv_nsec >= 1000000000) {
        deadline->tv_sec++;
        deadline->tv_nsec -= 1000000000;
    }
    return true;
}

/* Waits; `deadline` NULL: as long as it takes. */
static Answer
semlock_wait(Thread *th, SemLock *s, const struct timespec *deadline)
{
    for (;;) {
        int r;
        BLOCKING(th, r, deadline ? sem_timedwait(s->handle, deadline) : sem_wait(s->handle));
        if (r == 0)
            return YES;
        if (errno == ETIMEDOUT)
            return NO;
        if (errno != EINTR) {
            raise_os_error(th, errno);
            return FAILED;
        }
        if (!safepoint_poll(th) || !signals_check(th))
            return FAILED;
    }
}

static Value
semlock_take(Thread *th, SemLock *s, bool block, Value timeout)
{
    struct timespec deadline;
    bool timed = block && timeout != NULL && timeout != NONE;
    if (s->kind == RECURSIVE_MUTEX && is_mine(s)) {
        fetch_add_relaxed(&s->count, 1);
        return TRUE;
    }
    if (timed && !deadline_of(th, timeout, &deadline))
        return NULL;
    Answer got;
    if (sem_trywait(s->handle) == 0)
        got = YES;
    else if (!block)
        got = NO;
    else
        got = semlock_wait(th, s, timed ? &deadline : NULL);
    if (got != YES)
        return got == NO ? FALSE : NULL;
    store_relaxed(&s->owner, this_thread());
    fetch_add_relaxed(&s->count, 1);
    return TRUE;
}

static Value
semlock_acquire(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "acquire", .names = {"block", "timeout"}, .positional = 2};
    Value v[2];
    bool block = true;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_bool(th, v[0], &block))
        return NULL;
    return semlock_take(th, as_semlock(self), block, v[1]);
}

static Value
semlock_release(Thread *th, Value self)
{
    SemLock *s = as_semlock(self);
    if (s->kind == RECURSIVE_MUTEX) {
        if (!is_mine(s))
            return raise_error(th, &exc_AssertionError,
                               "attempt to release recursive lock not owned by thread");
        if (load_relaxed(&s->count) > 1) {
            fetch_add_relaxed(&s->count, -1);
            return NONE;
        }
    } else {
        int value;
        if (sem_getvalue(s->handle, &value) < 0)
            return raise_os_error(th, errno);
        if (value >= s->maxvalue)
            return raise_value_error(th, "semaphore or lock released too many times");
    }
    fetch_add_relaxed(&s->count, -1); /* first: who gets it next counts it up */
    if (sem_post(s->handle) < 0) {
        fetch_add_relaxed(&s->count, 1);
        return raise_os_error(th, errno);
    }
    return NONE;
}

static Value
semlock_enter(Thread *th, Value self)
{
    return semlock_take(th, as_semlock(self), true, NULL);
}

static Value
semlock_exit(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args, (void)nargs;
    return semlock_release(th, self);
}

static Value
semlock_count(Thread *th, Value self)
{
    (void)th;
    return value_from_fixnum(load_relaxed(&as_semlock(self)->count));
}

static Value
semlock_is_mine(Thread *th, Value self)
{
    (void)th;
    return bool_from(is_mine(as_semlock(self)));
}

static bool
current_value(Thread *th, SemLock *s, int *value)
{
    if (sem_getvalue(s->handle, value) < 0) {
        raise_os_error(th, errno);
        return false;
    }
    if (*value < 0) /* some systems count the waiters so */
        *value = 0;
    return true;
}

static Value
semlock_get_value(Thread *th, Value self)
{
    int value;
    return current_value(th, as_semlock(self), &value) ? value_from_fixnum(value) : NULL;
}

static Value
semlock_is_zero(Thread *th, Value self)
{
    int value;
    return current_value(th, as_semlock(self), &value) ? bool_from(value == 0) : NULL;
}

static Value
semlock_after_fork(Thread *th, Value self)
{
    (void)th;
    store_relaxed(&as_semlock(self)->count, 0);
    return NONE;
}

static Value
semlock_get_handle(Thread *th, Value self, void *closure)
{
    (void)closure;
    return int_from_u64(th, (uint64_t)(uintptr_t)as_semlock(self)->handle);
}

static const MethodDef semlock_methods[] = {
    NATIVE_K("acquire", semlock_acquire,
             "acquire($self, /, block=True, timeout=None)\n--\n\nTakes the semaphore/lock."),
    NATIVE_0("release", semlock_release, "release($self, /)\n--\n\nGives it back."),
    NATIVE_0("__enter__", semlock_enter, "__enter__($self, /)\n--\n\nTakes the semaphore/lock."),
    NATIVE_N("__exit__", semlock_exit, 0, 3,
             "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)\n--\n\nGives it back."),
    NATIVE_0("_count", semlock_count,
             "_count($self, /)\n--\n\nHow often this process holds it."),
    NATIVE_0("_is_mine", semlock_is_mine,
             "_is_mine($self, /)\n--\n\nWhether this thread holds it."),
    NATIVE_0("_get_value", semlock_get_value, "_get_value($self, /)\n--\n\nThe value."),
    NATIVE_0("_is_zero", semlock_is_zero, "_is_zero($self, /)\n--\n\nWhether the value is 0."),
    {.name = "_rebuild", .fn = semlock_rebuild, .flags = METHOD_N | METHOD_CLASS, .nmin = 4,
     .nmax = 4, .doc = "_rebuild($type, handle, kind, maxvalue, name, /)\n--\n\nOpens it by its name."},
    NATIVE_0("_after_fork", semlock_after_fork,
             "_after_fork($self, /)\n--\n\nThe child of a fork holds nothing."),
    NATIVE_END,
};

static const GetterDef semlock_getters[] = {
    {.name = "handle", .get = semlock_get_handle},
    {.name = NULL},
};

static const MemberDef semlock_members[] = {
    {.name = "kind", .kind = MEMBER_INT, .offset = offsetof(SemLock, kind), .readonly = true},
    {.name = "maxvalue", .kind = MEMBER_INT, .offset = offsetof(SemLock, maxvalue), .readonly = true},
    {.name = "name", .kind = MEMBER_CONST_VALUE, .offset = offsetof(SemLock, name), .readonly = true},
    {.name = NULL},
};

static const TypeSpec semlock_spec = {
    .name = "_multiprocessing.SemLock",
    .size = sizeof(SemLock),
    .flags = TYPE_BASE,
    .doc = "Semaphore/Mutex type",
    .methods = semlock_methods,
    .getters = semlock_getters,
    .members = semlock_members,
    .slots = {.new = semlock_new},
    .dealloc = semlock_dealloc,
};

/* -- the modules ------------------------------------------------------------------------------------- */

static Value
multiprocessing_sem_unlink(Thread *th, Value self, Value name)
{
    (void)self;
    if (!arg_str(th, "sem_unlink", "argument", name))
        return NULL;
    const char *text = str_c(th, name);
    if (text == NULL)
        return NULL;
    return sem_unlink(text) < 0 ? raise_os_error(th, errno) : NONE;
}

static const MethodDef multiprocessing_methods[] = {
    NATIVE_1("sem_unlink", multiprocessing_sem_unlink,
             "sem_unlink($module, name, /)\n--\n\nTakes the name of a semaphore away."),
    NATIVE_END,
};

static bool
multiprocessing_exec(Thread *th, Value module)
{
    static const StaticType types[] = {{&semlock_type, &semlock_spec}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)) ||
        !type_set_static(th, &semlock_type, "SEM_VALUE_MAX", value_from_fixnum(SEM_VALUE_MAX)))
        return false;
    Value flags = dict_new(th);
    return flags != NULL &&
           dict_set_c(th, flags, "HAVE_SEM_OPEN", value_from_fixnum(1)) &&
           dict_set_c(th, flags, "HAVE_SEM_TIMEDWAIT", value_from_fixnum(1)) &&
           module_add(th, module, "flags", flags) &&
           module_add(th, module, "SemLock", value_of_type(&semlock_type));
}

const ModuleSpec multiprocessing_module = {
    .name = "_multiprocessing",
    .methods = multiprocessing_methods,
    .exec = multiprocessing_exec,
};

static Value
posixshmem_open(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "shm_open", .names = {"path", "flags", "mode"}, .positional = 3, .required = 2};
    Value v[3];
    int flags, mode = 0777;
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !arg_str(th, "shm_open", "argument 'path'", v[0]) || !arg_int(th, v[1], &flags) ||
        !arg_int(th, v[2], &mode))
        return NULL;
    const char *path = str_c(th, v[0]);
    if (path == NULL)
        return NULL;
    int fd;
    do {
        BLOCKING(th, fd, shm_open(path, flags, (mode_t)mode));
        if (fd < 0 && errno != EINTR)
            return raise_os_error_path(th, errno, v[0]);
    } while (fd < 0 && safepoint_poll(th));
    return fd < 0 ? NULL : value_from_fixnum(fd);
}

static Value
posixshmem_unlink(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "shm_unlink", .names = {"path"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !arg_str(th, "shm_unlink", "argument 'path'", v[0]))
        return NULL;
    const char *path = str_c(th, v[0]);
    if (path == NULL)
        return NULL;
    int r;
    BLOCKING(th, r, shm_unlink(path));
    return r < 0 ? raise_os_error_path(th, errno, v[0]) : NONE;
}

static const MethodDef posixshmem_methods[] = {
    NATIVE_K("shm_open", posixshmem_open,
             "shm_open($module, /, path, flags, mode=511)\n--\n\n"
             "Opens a shared memory object.  Returns a file descriptor (integer)."),
    NATIVE_K("shm_unlink", posixshmem_unlink,
             "shm_unlink($module, /, path)\n--\n\nRemoves a shared memory object."),
    NATIVE_END,
};

const ModuleSpec posixshmem_module = {
    .name = "_posixshmem",
    .doc = "POSIX shared memory module",
    .methods = posixshmem_methods,
};
