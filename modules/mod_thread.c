/* mod_thread.c -- module _thread: locks, RLock, starting threads.
 *
 * How one waits for a lock: threads/user_lock.c.  `with` takes and releases them in line.
 */
#include "core/run/run.h"
#include "modules/modules.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gc/pending.h"
#include "modules/static_types.h"
#include "objects/model/lock.h"
#include "threads/at_fork.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

typedef struct ThreadModule {
    Type *local_type, *hook_args; /* [const] counted */
} ThreadModule;

#define TIMEOUT_LIMIT 9223372036.0 /* seconds that fit 64 bits of nanoseconds */

/* -- arguments of acquire() -------------------------------------------------------------------------------- */

static bool
acquire_args(Thread *th, const Arg *a, size_t n, Value kwnames, int64_t *deadline)
{
    static const ParamSpec params = {.name = "acquire", .names = {"blocking", "timeout"}, .positional = 2};
    Value v[2];
    *deadline = INT64_MAX;
    if (n == 0 && kwnames == NULL)
        return true;
    if (!args_bind(th, &params, a, n, kwnames, v))
        return false;
    bool blocking = true;
    double timeout = -1;
    if (!arg_bool(th, v[0], &blocking) || !arg_double(th, v[1], &timeout))
        return false;
    if (isnan(timeout)) {
        raise_value_error(th, "Invalid value NaN (not a number)");
        return false;
    }
    if (!blocking && timeout != -1) {
        raise_value_error(th, "can't specify a timeout for a non-blocking call");
        return false;
    }
    if (timeout < 0 && timeout != -1) {
        raise_value_error(th, "timeout value must be a non-negative number");
        return false;
    }
    if (timeout > TIMEOUT_LIMIT) {
        raise_overflow(th, "timeout value is too large");
        return false;
    }
    if (!blocking || timeout == 0)
        *deadline = 0;
    else if (timeout > 0)
        *deadline = clock_monotonic_ns() + (int64_t)ceil(timeout * 1e9);
    return true;
}

/* What acquire() returns. */
static Value
acquired(LockResult r)
{
    return r == LOCK_INTERRUPTED ? NULL : bool_from(r == LOCK_TAKEN);
}

/* -- Lock ----------------------------------------------------------------------------------------------------- */

static Lock *
as_lock(Value v)
{
    return (Lock *)(void *)v;
}

static LockResult
lock_take(Thread *th, Lock *l, int64_t deadline)
{
    LockResult r = user_lock_acquire(th, &l->lock, deadline);
    if (r == LOCK_TAKEN)
        lock_taken(th, l);
    return r;
}

static Value
lock_acquire(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t deadline;
    if (!acquire_args(th, a, n, kwnames, &deadline))
        return NULL;
    return acquired(lock_take(th, as_lock(self), deadline));
}

static Value
lock_release(Thread *th, Value self)
{
    if (!lock_leave(th, as_lock(self)))
        return raise_error(th, &exc_RuntimeError, "release unlocked lock");
    return NONE;
}

static Value
lock_enter(Thread *th, Value self)
{
    return lock_take(th, as_lock(self), INT64_MAX) == LOCK_TAKEN ? TRUE : NULL;
}

static Value
lock_exit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)a, (void)n;
    return lock_release(th, self);
}

static Value
lock_locked(Thread *th, Value self)
{
    (void)th;
    return bool_from(user_lock_is_held(&as_lock(self)->lock));
}

/* Who holds it will not give it back. */
static void
lock_forget(Thread *th, Lock *l)
{
    if (user_lock_is_held(&l->lock))
        lock_given(th, load_relaxed(&l->holder));
}

static void
lock_dealloc(Thread *th, Object *o)
{
    lock_forget(th, (Lock *)(void *)o);
}

static Value
lock_at_fork_reinit(Thread *th, Value self)
{
    lock_forget(th, as_lock(self));
    user_lock_reset(&as_lock(self)->lock);
    return NONE;
}

static Value
lock_repr(Thread *th, Value self)
{
    return str_format_c(th, "<%s %s object at %p>",
                        user_lock_is_held(&as_lock(self)->lock) ? "locked" : "unlocked",
                        type_name_of(self), (void *)value_object(self));
}

static const MethodDef lock_methods[] = {
    NATIVE_K("acquire_lock", lock_acquire, NULL),
    NATIVE_K("acquire", lock_acquire, "acquire(blocking=True, timeout=-1) -> bool\n(acquire_lock() is an obsolete synonym)\n\nLock the lock."),
    NATIVE_0("release_lock", lock_release, NULL),
    NATIVE_0("release", lock_release, "release()\n(release_lock() is an obsolete synonym)\n\nRelease the lock."),
    NATIVE_0("locked_lock", lock_locked, NULL),
    NATIVE_0("locked", lock_locked, "locked() -> bool\n(locked_lock() is an obsolete synonym)\n\nReturn whether the lock is in the locked state."),
    NATIVE_0("__enter__", lock_enter, "Lock the lock."),
    NATIVE_N("__exit__", lock_exit, 0, -1, "Release the lock."),
    NATIVE_0("_at_fork_reinit", lock_at_fork_reinit, NULL),
    NATIVE_END,
};

Type lock_type;
const TypeSpec lock_spec = {
    .name = "_thread.lock", .size = sizeof(Lock), .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE | TYPE_WEAKREFS,
    .methods = lock_methods,
    .doc = "A lock object is a synchronization primitive.",
    .slots = {.repr = lock_repr},
    .dealloc = lock_dealloc,
};

/* -- RLock ------------------------------------------------------------------------------------------------------ */

static RLock *
as_rlock(Value v)
{
    return (RLock *)(void *)v;
}

static LockResult
rlock_take(Thread *th, RLock *r, int64_t deadline)
{
    if (rlock_again(th, r))
        return LOCK_TAKEN;
    LockResult a = user_lock_acquire(th, &r->lock, deadline);
    if (a == LOCK_TAKEN)
        rlock_taken(th, r);
    return a;
}

static Value
rlock_acquire(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t deadline;
    if (!acquire_args(th, a, n, kwnames, &deadline))
        return NULL;
    return acquired(rlock_take(th, as_rlock(self), deadline));
}

static Value
rlock_release(Thread *th, Value self)
{
    if (!rlock_leave(th, as_rlock(self)))
        return raise_error(th, &exc_RuntimeError, "cannot release un-acquired lock");
    return NONE;
}

static Value
rlock_enter(Thread *th, Value self)
{
    return rlock_take(th, as_rlock(self), INT64_MAX) == LOCK_TAKEN ? TRUE : NULL;
}

static Value
rlock_exit(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)a, (void)n;
    return rlock_release(th, self);
}

static Value
rlock_is_owned(Thread *th, Value self)
{
    return bool_from(load_relaxed(&as_rlock(self)->owner) == th->ident);
}

static Value
rlock_release_save(Thread *th, Value self)
{
    RLock *r = as_rlock(self);
    if (load_relaxed(&r->owner) != th->ident)
        return raise_error(th, &exc_RuntimeError, "cannot release un-acquired lock");
    Value t = tuple_pack(th, 2, value_from_fixnum((int64_t)load_relaxed(&r->count)), value_from_fixnum((int64_t)(th->ident >> 2)));
    if (t == NULL)
        return NULL;
    store_relaxed(&r->count, 0);
    store_relaxed(&r->owner, 0);
    locks_count(th, -1u);
    user_lock_release(th, &r->lock);
    return t;
}

static Value
rlock_acquire_restore(Thread *th, Value self, Value state)
{
    RLock *r = as_rlock(self);
    if (!is_tuple(state) || tuple_length(state) != 2 || !value_is_fixnum(tuple_item(state, 0)))
        return raise_type_error(th, "_acquire_restore() argument 1 must be a 2-item tuple");
    /* Whatever a signal handler raises meanwhile: the caller holds the lock afterwards. */
    Value error = NULL;
    while (user_lock_acquire(th, &r->lock, INT64_MAX) != LOCK_TAKEN) {
        drop_null(th, error);
        error = error_take(th);
    }
    rlock_taken(th, r);
    store_relaxed(&r->count, (uint64_t)value_fixnum(tuple_item(state, 0)));
    if (error) {
        error_restore(th, error);
        return NULL;
    }
    return NONE;
}

static Value
rlock_at_fork_reinit(Thread *th, Value self)
{
    (void)th;
    RLock *r = as_rlock(self);
    if (load_relaxed(&r->owner) == th->ident)
        locks_count(th, -1u);
    store_relaxed(&r->owner, 0);
    store_relaxed(&r->count, 0);
    user_lock_reset(&r->lock);
    return NONE;
}

static Value
rlock_repr(Thread *th, Value self)
{
    RLock *r = as_rlock(self);
    uint64_t owner = load_relaxed(&r->owner);
    return str_format_c(th, "<%s %s object owner=%lld count=%lld at %p>", owner ? "locked" : "unlocked",
                        type_name_of(self), (long long)owner, (long long)(owner ? load_relaxed(&r->count) : 0),
                        (void *)value_object(self));
}

static Value
rlock_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)a, (void)n, (void)kwnames;
    return type_alloc(th, type, 0);
}

static const MethodDef rlock_methods[] = {
    NATIVE_K("acquire", rlock_acquire, "acquire(blocking=True) -> bool\n\nLock the lock."),
    NATIVE_0("release", rlock_release, "release()\n\nRelease the lock."),
    NATIVE_0("_is_owned", rlock_is_owned, "_is_owned() -> bool\n\nFor internal use by `threading.Condition`."),
    NATIVE_1("_acquire_restore", rlock_acquire_restore, "_acquire_restore(state) -> None\n\nFor internal use by `threading.Condition`."),
    NATIVE_0("_release_save", rlock_release_save, "_release_save() -> tuple\n\nFor internal use by `threading.Condition`."),
    NATIVE_0("__enter__", rlock_enter, NULL),
    NATIVE_N("__exit__", rlock_exit, 0, -1, "Release the lock."),
    NATIVE_0("_at_fork_reinit", rlock_at_fork_reinit, NULL),
    NATIVE_END,
};

Type rlock_type;
const TypeSpec rlock_spec = {
    .name = "_thread.RLock", .size = sizeof(RLock), .flags = TYPE_BASE | TYPE_IMMUTABLE | TYPE_WEAKREFS,
    .methods = rlock_methods,
    .slots = {.repr = rlock_repr, .new = rlock_new},
};

/* -- thread-local data --------------------------------------------------------------------------------------- */

/* A local owns its dicts, in a dict whose keys are numbers of threads' runs, so that the collector
 * sees cycles through them.  A thread keeps weak references to the locals it has used, in a list,
 * and takes its dicts out of them when it ends. */
typedef struct Local {
    struct Object head;
    Field dicts;       /* dict {run: dict} */
    Value args;        /* [const] tuple: all arguments of the constructor, or NULL */
    Value kwnames;     /* [const] tuple or NULL */
    int64_t positional; /* [const] */
} Local;

static ATOMIC(uint64_t) last_run; /* [atomic] numbers of runs given out */
enum { SLOT_RUN = 0, SLOT_PURGE = 1 }; /* th->slots: number of the run; length of the list to purge at */

static Local *
as_local(Value v)
{
    return (Local *)(void *)v;
}

static Value
run_number(Thread *th)
{
    if (UNLIKELY(th->slots[SLOT_RUN] == NULL))
        th->slots[SLOT_RUN] = (void *)(uintptr_t)(fetch_add_relaxed(&last_run, 1) + 1);
    return value_from_fixnum((int64_t)(uintptr_t)th->slots[SLOT_RUN]);
}

/* Notes in th's list that it has a dict in `local`; now and then the dead ones are taken out. */
static bool
local_note(Thread *th, Value local)
{
    if (th->thread_dict == NULL && (th->thread_dict = list_new(th, 0)) == NULL)
        return false;
    size_t purge_at = (size_t)(uintptr_t)th->slots[SLOT_PURGE];
    if ((size_t)list_length(th->thread_dict) >= (purge_at ? purge_at : 64)) {
        Value live = list_new(th, 0);
        if (live == NULL)
            return false;
        for (int64_t i = 0; i < list_length(th->thread_dict); i++) {
            Value ref = list_get(th, th->thread_dict, i);
            Value v = ref ? weakref_get(th, ref) : NULL;
            bool ok = v == NULL || list_append(th, live, ref);
            drop_null(th, v);
            drop_null(th, ref);
            if (!ok) {
                drop(th, live);
                return false;
            }
        }
        Value old = th->thread_dict;
        th->thread_dict = live;
        drop(th, old);
        th->slots[SLOT_PURGE] = (void *)(uintptr_t)(2 * (size_t)list_length(live) + 64);
    }
    Value ref = weakref_new(th, local, NULL);
    return ref != NULL && list_append_steal(th, th->thread_dict, ref);
}

/* Takes the dicts of `gone`, which ends or is gone, out of all locals. */
static void
locals_forget(Thread *th, Thread *gone)
{
    Value list = gone->thread_dict;
    if (list == NULL)
        return;
    gone->thread_dict = NULL;
    Value run = run_number(gone);
    for (int64_t i = 0; i < list_length(list); i++) {
        Value ref = list_get(th, list, i);
        Value local = ref ? weakref_get(th, ref) : NULL;
        Value dicts = local ? field_read(th, value_object(local), &as_local(local)->dicts) : NULL;
        if (dicts != NULL && dict_delete(th, dicts, run) == FAILED)
            error_clear(th);
        drop_null(th, dicts);
        drop_null(th, local);
        drop_null(th, ref);
    }
    drop(th, list);
    gone->slots[SLOT_RUN] = gone->slots[SLOT_PURGE] = NULL;
}

/* The calling thread's dict, made on first use; a subclass's __init__ runs then. */
static Value
local_dict(Thread *th, Value self)
{
    Local *l = as_local(self);
    Value run = run_number(th), d;
    Value dicts = field_read(th, &l->head, &l->dicts);
    if (dicts == NULL)
        return raise_error(th, &exc_RuntimeError, "thread-local data was cleared");
    Answer there = dict_get(th, dicts, run, &d);
    if (LIKELY(there == YES)) {
        drop(th, dicts);
        return d;
    }
    d = there == NO ? dict_new(th) : NULL;
    if (d == NULL || !local_note(th, self) || !dict_set(th, dicts, run, d))
        goto fail;
    InitFn init = type_of(self)->s.init;
    if (init != object_type.s.init) {
        static const Value none[1];
        const Value *args = l->args ? as_tuple(l->args)->items : none;
        if (!init(th, self, args_of(args), (size_t)l->positional, l->kwnames)) {
            Value error = error_take(th);
            if (dict_delete(th, dicts, run) == FAILED)
                error_clear(th);
            error_restore(th, error);
            goto fail;
        }
    }
    drop(th, dicts);
    return d;
fail:
    drop_null(th, d);
    drop(th, dicts);
    return NULL;
}

static Value
local_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    size_t all = n + (kwnames ? (size_t)tuple_length(kwnames) : 0);
    if (all != 0 && type->s.init == object_type.s.init)
        return raise_type_error(th, "Initialization arguments are not supported");
    Value self = type_alloc(th, type, 0);
    if (self == NULL)
        return NULL;
    Local *l = as_local(self);
    Value args = all ? tuple_new(th, all) : NULL;
    Value dicts = dict_new(th), d = NULL;
    if (dicts == NULL || (all && args == NULL)) {
        drop_null(th, dicts);
        drop_null(th, args);
        drop(th, self);
        return NULL;
    }
    for (size_t i = 0; i < all; i++)
        as_tuple(args)->items[i] = retain(th, arg(a, i));
    l->args = args;
    l->kwnames = retain_null(th, kwnames);
    l->positional = (int64_t)n;
    field_init(&l->dicts, dicts);
    d = dict_new(th); /* here __init__ is called by type() */
    if (d == NULL || !local_note(th, self) || !dict_set(th, dicts, run_number(th), d)) {
        drop_null(th, d);
        drop(th, self);
        return NULL;
    }
    drop(th, d);
    return self;
}

static Value
local_getattr(Thread *th, Value self, Value name)
{
    if (UNLIKELY(!is_str(name)))
        return raise_type_error(th, "attribute name must be string, not '%T'", name);
    Value d = local_dict(th, self), v;
    if (d == NULL || str_equal_ascii(name, "__dict__"))
        return d;
    Type *t = type_of(self);
    Value key = str_intern(th, retain(th, name)), found = NULL;
    Value descr = key ? type_lookup(th, t, key) : NULL;
    DescrGetFn get = descr ? type_of(descr)->s.descr_get : NULL;
    if (key == NULL)
        goto done;
    if (get && type_of(descr)->s.descr_set) {
        found = get(th, descr, self, value_of_type(t));
        goto done;
    }
    Answer there = dict_get(th, d, key, &v);
    if (there == YES)
        found = v;
    else if (there == NO) {
        if (get)
            found = get(th, descr, self, value_of_type(t));
        else if (descr)
            found = retain(th, descr);
        else
            raise_attribute_error(th, self, name);
    }
done:
    drop_null(th, descr);
    drop_null(th, key);
    drop(th, d);
    return found;
}

static bool
local_setattr(Thread *th, Value self, Value name, Value v)
{
    if (UNLIKELY(!is_str(name)))
        return raise_type_error(th, "attribute name must be string, not '%T'", name) != NULL;
    Value d = local_dict(th, self);
    if (d == NULL)
        return false;
    bool ok = false;
    Value key = NULL, descr = NULL;
    if (str_equal_ascii(name, "__dict__")) {
        raise_error(th, &exc_AttributeError, "'%T' object attribute '__dict__' is read-only", self);
        goto done;
    }
    key = str_intern(th, retain(th, name));
    if (key == NULL)
        goto done;
    descr = type_lookup(th, type_of(self), key);
    DescrSetFn set = descr ? type_of(descr)->s.descr_set : NULL;
    if (set)
        ok = set(th, descr, self, v);
    else if (v)
        ok = dict_set(th, d, key, v);
    else {
        Answer there = dict_delete(th, d, key);
        ok = there == YES;
        if (there == NO)
            raise_attribute_error(th, self, name);
    }
done:
    drop_null(th, descr);
    drop_null(th, key);
    drop(th, d);
    return ok;
}

static void
local_visit(Object *o, VisitFn visit, void *arg)
{
    Local *l = (Local *)(void *)o;
    field_visit(&l->dicts, visit, arg);
    value_visit(l->args, visit, arg);
    value_visit(l->kwnames, visit, arg);
}

static void
local_clear(Thread *th, Object *o)
{
    field_replace(th, o, &((Local *)(void *)o)->dicts, NULL);
}

static void
local_dealloc(Thread *th, Object *o)
{
    Local *l = (Local *)(void *)o;
    field_drop(th, &l->dicts);
    DROP_CLEAR(th, l->args);
    DROP_CLEAR(th, l->kwnames);
}

static const TypeSpec local_spec = {
    .name = "_thread._local", .size = sizeof(Local), .flags = TYPE_BASE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED, .doc = "Thread-local data",
    .slots = {.new = local_new, .getattr = local_getattr, .setattr = local_setattr},
    .visit = local_visit, .clear = local_clear, .dealloc = local_dealloc,
};

/* In the child of a fork. */
static void
adopt_locals(Thread *th, Thread *gone)
{
    locals_forget(th, gone);
}

/* In the child of a fork by a thread that does not run the main program: how many such threads there
 * are.  The process ends with the last, as nobody is left who would end it.  0 everywhere else. */
static ATOMIC(uint32_t) left_behind;

/* Who held the import lock does not exist any more (unless it is who forked), nor does who ran the main
 * program; who slept on it is gone, too. */
static void
reset_in_child(void)
{
    Thread *th = thread_current;
    if (th && !th->is_main)
        store_relaxed(&left_behind, 1);
    InterpState *s = th ? interp_state(th) : NULL;
    if (s == NULL)
        return;
    mutex_reset(&s->import_lock);
    if (load_relaxed(&s->import_owner) == th) {
        mutex_lock(th, &s->import_lock);
    } else {
        store_relaxed(&s->import_owner, NULL);
        s->import_depth = 0;
    }
    store_relaxed(&s->threads_running, th->is_main ? 0 : 1);
}

static const ForkHooks fork_hooks = {.child = reset_in_child, .adopt = adopt_locals};

/* -- uncaught exceptions of threads --------------------------------------------------------------------------- */

static const StructSeqField hook_fields[] = {
    {"exc_type", "Exception type"},
    {"exc_value", "Exception value"},
    {"exc_traceback", "Exception traceback"},
    {"thread", "Thread"},
    {NULL, NULL},
};

static const StructSeqSpec hook_spec = {
    .name = "_thread._ExceptHookArgs",
    .doc = "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
    .fields = hook_fields,
    .visible = 4,
};

/* file.write(text); false with an exception. */
static bool
write_text(Thread *th, Value file, Value STEALS text)
{
    Value r = text ? call_method_1(th, file, NAME(write), text) : NULL;
    drop_null(th, text);
    drop_null(th, r);
    return r != NULL;
}

static Value
thread_excepthook(Thread *th, Value self, Value a)
{
    if (type_of(a) != ((ThreadModule *)module_state(self))->hook_args)
        return raise_type_error(th, "_thread.excepthook argument type must be ExceptHookArgs");
    Value cls = tuple_item(a, 0), exc = tuple_item(a, 1), tb = tuple_item(a, 2), t = tuple_item(a, 3);
    if (cls == value_of_type(&exc_SystemExit))
        return NONE;
    Value file = sys_get_object(th, "stderr");
    if (file == NULL || file == NONE) {
        drop_null(th, file);
        if (t == NONE)
            return NONE;
        file = get_attr_c(th, t, "_stderr");
        if (file == NULL)
            return NULL;
        if (file == NONE)
            return file;
    }
    Value name = t != NONE ? get_attr_c(th, t, "name") : NULL;
    if (name == NULL) {
        error_clear(th);
        name = int_from_u64(th, th->ident);
    }
    Value made = NULL;
    if (exc == NONE && cls != NONE) {
        made = call_0(th, cls);
        if (made == NULL)
            error_clear(th);
        else
            exc = made;
    }
    if (made && tb != NONE)
        exception_set_traceback(th, made, tb);
    bool ok = name && write_text(th, file, str_format_c(th, "Exception in thread %V:\n", name));
    if (ok && is_exception(exc))
        ok = error_print(th, exc, file);
    Value r = ok ? call_method_0(th, file, NAME(flush)) : NULL;
    if (ok && r == NULL)
        error_clear(th);
    drop_null(th, r);
    drop_null(th, made);
    drop_null(th, name);
    drop(th, file);
    return ok ? NONE : NULL;
}

/* -- threads ------------------------------------------------------------------------------------------------------ */

typedef struct Start {
    Value function, args, kwargs;
} Start;

static void
end_sentinel(Thread *th)
{
    Value lock = th->current_sentinel;
    th->current_sentinel = NULL;
    if (lock == NULL)
        return;
    user_lock_release(th, &as_lock(lock)->lock); /* who joins this thread goes on */
    drop(th, lock);
}

static void
run_thread(Thread *th, void *arg)
{
    Start *s = arg;
    DROP_CLEAR(th, th->ended_sentinel);
    Value r = call_tuple_dict(th, s->function, s->args, s->kwargs);
    if (r)
        drop(th, r);
    else if (error_matches(th, &exc_SystemExit))
        error_clear(th);
    else
        error_unraisable(th, "Exception ignored in thread started by", s->function);
    drop(th, s->function);
    drop(th, s->args);
    drop_null(th, s->kwargs);
    buffer_free(s);
    locals_forget(th, th);
    DROP_CLEAR(th, th->context);
    /* Whoever joins this thread finds nothing of it: finalizers run before, and what waits for a grace
     * period goes to the interpreter, whose next thread that comes online carries it out. */
    int turns = 0;
    do {
        pending_serve(th);
        locals_forget(th, th); /* of those that finalizers have used */
        thread_detach(th);
        thread_attach(th);
    } while (th->pending_count || (pending_waits(th) && ++turns < 100)); /* others may go on and on */
    fetch_add_relaxed(&interp_state(th)->threads_running, -1u);
    /* Whoever goes on finds the thread offline for good: it is not waited for where something dies once
     * all threads have passed a safepoint.  So the lock is dropped by the next run of this context. */
    Value lock = th->current_sentinel;
    th->current_sentinel = NULL;
    th->ended_sentinel = lock;
    thread_end_run(th);
    if (lock)
        user_lock_release(NULL, &as_lock(lock)->lock);
    if (UNLIKELY(load_relaxed(&left_behind)) && fetch_add_relaxed(&left_behind, -1u) == 1)
        exit(0);
}

static Value
thread_start_new(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (is_callable(arg(a, 0)) != YES)
        return raise_type_error(th, "first arg must be callable");
    if (!is_tuple(arg(a, 1)))
        return raise_type_error(th, "2nd arg must be a tuple");
    if (n > 2 && !is_dict(arg(a, 2)))
        return raise_type_error(th, "optional 3rd arg must be a dictionary");
    if (!upcalls.audit(th, "_thread.start_new_thread", NULL))
        return NULL;
    Start *s = buffer_new(th, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (Start){retain(th, arg(a, 0)), retain(th, arg(a, 1)), n > 2 ? retain(th, arg(a, 2)) : NULL};
    Thread *t = thread_acquire(th->interp);
    uint64_t ident;
    fetch_add_relaxed(&interp_state(th)->threads_running, 1);
    bool counted = load_relaxed(&left_behind) != 0;
    if (counted)
        fetch_add_relaxed(&left_behind, 1);
    if (t == NULL || !thread_start_ident(t, run_thread, s, os_thread_stack_size(), &ident)) {
        if (t)
            thread_release(t);
        if (counted)
            fetch_add_relaxed(&left_behind, -1u);
        fetch_add_relaxed(&interp_state(th)->threads_running, -1u);
        drop(th, s->function);
        drop(th, s->args);
        drop_null(th, s->kwargs);
        buffer_free(s);
        return raise_error(th, &exc_RuntimeError, "can't start new thread");
    }
    return int_from_u64(th, ident);
}

static Value
thread_get_ident(Thread *th, Value self)
{
    (void)self;
    return int_from_u64(th, th->ident);
}

static Value
thread_get_native_id(Thread *th, Value self)
{
    (void)th, (void)self;
    return value_from_fixnum(os_thread_self()->native_id);
}

static Value
thread_count(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum((int64_t)load_relaxed(&interp_state(th)->threads_running));
}

static Value
thread_allocate_lock(Thread *th, Value self)
{
    (void)self;
    return type_alloc(th, &lock_type, 0);
}

static Value
thread_set_sentinel(Thread *th, Value self)
{
    Value lock = thread_allocate_lock(th, self);
    if (lock == NULL)
        return NULL;
    store_relaxed(&as_lock(lock)->holder, LOCK_UNCOUNTED); /* held as long as the thread runs */
    end_sentinel(th); /* an older one: whoever waits is released */
    th->current_sentinel = retain(th, lock);
    return lock;
}

static Value
thread_exit(Thread *th, Value self)
{
    (void)self;
    return raise_none(th, &exc_SystemExit);
}

static Value
thread_interrupt_main(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int sig = SIGINT;
    if (n && !arg_int(th, arg(a, 0), &sig))
        return NULL;
    if (sig < 1 || sig >= SIGNALS_MAX)
        return raise_value_error(th, "signal number out of range");
    int action = signals_get_action(sig);
    if (action != SIGNAL_DEFAULT && action != SIGNAL_IGNORE)
        signals_note(sig);
    return NONE;
}

static Value
thread_stack_size(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int64_t size = 0;
    if (n && !arg_ssize(th, arg(a, 0), &size))
        return NULL;
    if (size < 0)
        return raise_value_error(th, "size must be 0 or a positive value");
    size_t old = os_thread_stack_size();
    if (n && !os_thread_set_stack_size((size_t)size))
        return raise_value_error(th, "size not valid: %lld bytes", (long long)size);
    return int_from_size(th, old);
}

static const MethodDef thread_methods[] = {
    NATIVE_N("start_new_thread", thread_start_new, 2, 3, "start_new_thread(function, args[, kwargs])\n(start_new() is an obsolete synonym)\n\nStart a new thread and return its identifier."),
    NATIVE_N("start_new", thread_start_new, 2, 3, NULL),
    NATIVE_0("allocate_lock", thread_allocate_lock, "allocate_lock() -> lock object\n(allocate() is an obsolete synonym)\n\nCreate a new lock object."),
    NATIVE_0("allocate", thread_allocate_lock, NULL),
    NATIVE_0("exit_thread", thread_exit, NULL),
    NATIVE_0("exit", thread_exit, "exit()\n(exit_thread() is an obsolete synonym)\n\nThis is synonymous to ``raise SystemExit''."),
    NATIVE_N("interrupt_main", thread_interrupt_main, 0, 1, "interrupt_main(signum=signal.SIGINT, /)\n\nSimulate the arrival of the given signal in the main thread."),
    NATIVE_0("get_ident", thread_get_ident, "get_ident() -> integer\n\nReturn a non-zero integer that uniquely identifies the current thread."),
    NATIVE_0("get_native_id", thread_get_native_id, "get_native_id() -> integer\n\nReturn a non-negative integer identifying the thread as reported by the OS."),
    NATIVE_0("_count", thread_count, "_count() -> integer\n\nReturn the number of currently running Python threads, excluding the main thread."),
    NATIVE_N("stack_size", thread_stack_size, 0, 1, "stack_size([size]) -> size\n\nReturn the thread stack size used when creating new threads."),
    NATIVE_1("_excepthook", thread_excepthook, "excepthook(exc_type, exc_value, exc_traceback, thread)\n\nHandle uncaught Thread.run() exception."),
    NATIVE_0("_set_sentinel", thread_set_sentinel, "_set_sentinel() -> lock\n\nSet a sentinel lock that will be released when the current thread state is finalized."),
    NATIVE_END,
};

static bool
thread_exec(Thread *th, Value m)
{
    static ATOMIC(uint8_t) registered;
    if (!exchange_acq_rel(&registered, 1))
        fork_register_hooks(&fork_hooks);
    ThreadModule *s = module_state(m);
    static const StaticType types[] = {{&lock_type, &lock_spec}, {&rlock_type, &rlock_spec}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)))
        return false;
    s->local_type = type_from_spec(th, &local_spec, m, NULL);
    s->hook_args = s->local_type ? struct_seq_type(th, &hook_spec) : NULL;
    return s->hook_args && module_add(th, m, "LockType", value_of_type(&lock_type)) &&
           module_add(th, m, "RLock", value_of_type(&rlock_type)) &&
           module_add(th, m, "_local", retain(th, value_of_type(s->local_type))) &&
           module_add(th, m, "_ExceptHookArgs", retain(th, value_of_type(s->hook_args))) &&
           module_add(th, m, "error", retain(th, value_of_type(&exc_RuntimeError))) &&
           module_add(th, m, "TIMEOUT_MAX", float_from(th, 9223372036.0));
}

static void
thread_visit(Value m, VisitFn visit, void *arg)
{
    ThreadModule *s = module_state(m);
    Type *const types[] = {s->local_type, s->hook_args};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i])
            visit(value_of_type(types[i]), arg);
}

const ModuleSpec thread_module = {
    .name = "_thread",
    .doc = "This module provides primitive operations to write multi-threaded programs.\n"
           "The 'threading' module provides a more convenient interface.",
    .methods = thread_methods,
    .exec = thread_exec,
    .state_size = sizeof(ThreadModule),
    .visit = thread_visit,
};
