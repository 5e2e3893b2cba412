/* mod_thread.c -- module _thread: locks, RLock, starting threads.
 *
 * A lock is one byte, parked on when contended (threads/park.h): bit 0 held, bit 1 somebody may
 * sleep.  Any thread may release a lock.  A waiter is offline, and answers signals when it is
 * interrupted.
 */
#include "core/run/run.h"
#include "modules/modules.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gc/pending.h"
#include "threads/at_fork.h"
#include "threads/os_thread.h"
#include "threads/park.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

enum { FREE = 0, HELD = 1, WAITED = 2 };

typedef struct Lock {
    struct Object head;
    ParkByte state;
} Lock;

typedef struct RLock {
    struct Object head;
    ParkByte state;
    ATOMIC(uint64_t) owner;  /* ident of the holder, 0: free */
    uint64_t count;          /* [lock] the holder's */
} RLock;

typedef struct ThreadState_ {
    Type *lock_type, *rlock_type;
} ThreadModule;

#define TIMEOUT_LIMIT 9223372036.0 /* seconds that fit 64 bits of nanoseconds */

/* -- the byte ---------------------------------------------------------------------------------------------- */

static inline bool
byte_try(ParkByte *b)
{
    uint8_t s = FREE;
    if (LIKELY(cas_acquire(b, &s, HELD))) /* pairs with byte_release() [pylock] */
        return true;
    while (!(s & HELD))
        if (cas_acquire(b, &s, (uint8_t)(s | HELD)))
            return true;
    return false;
}

/* YES: taken; NO: time is over; FAILED: a signal handler raised. */
static Answer
byte_acquire(Thread *th, ParkByte *b, int64_t deadline)
{
    if (byte_try(b))
        return YES;
    if (deadline == 0)
        return NO;
    for (;;) {
        uint8_t s = load_relaxed(b);
        if (!(s & HELD)) {
            if (byte_try(b))
                return YES;
            continue;
        }
        if (!(s & WAITED) && !cas_relaxed(b, &s, (uint8_t)(s | WAITED)))
            continue;
        blocking_begin(th);
        ParkResult r = park_wait(b, HELD | WAITED, deadline, true);
        blocking_end(th);
        if (byte_try(b))
            return YES;
        if (r == PARK_TIMEOUT)
            return NO;
        if (!safepoint_poll(th))
            return FAILED;
        if (r == PARK_INTERRUPTED && !signals_check(th))
            return FAILED;
    }
}

/* False: it was not held. */
static bool
byte_release(ParkByte *b)
{
    uint8_t s = HELD;
    if (LIKELY(__atomic_compare_exchange_n(&b->raw_, &s, FREE, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
        return true; /* release: pairs with byte_try() [pylock] */
    if (!(s & HELD))
        return false;
    park_wake_one(b, WAITED, FREE);
    return true;
}

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

/* -- Lock ----------------------------------------------------------------------------------------------------- */

static Lock *
as_lock(Value v)
{
    return (Lock *)(void *)v;
}

static Value
lock_acquire(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t deadline;
    if (!acquire_args(th, a, n, kwnames, &deadline))
        return NULL;
    Answer r = byte_acquire(th, &as_lock(self)->state, deadline);
    return r == FAILED ? NULL : bool_from(r == YES);
}

static Value
lock_release(Thread *th, Value self)
{
    if (!byte_release(&as_lock(self)->state))
        return raise_error(th, &exc_RuntimeError, "release unlocked lock");
    return NONE;
}

static Value
lock_enter(Thread *th, Value self)
{
    return byte_acquire(th, &as_lock(self)->state, INT64_MAX) == YES ? TRUE : NULL;
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
    return bool_from(load_relaxed(&as_lock(self)->state) & HELD);
}

static Value
lock_at_fork_reinit(Thread *th, Value self)
{
    (void)th;
    store_relaxed(&as_lock(self)->state, FREE);
    return NONE;
}

static Value
lock_repr(Thread *th, Value self)
{
    return str_format_c(th, "<%s %s object at %p>",
                        load_relaxed(&as_lock(self)->state) & HELD ? "locked" : "unlocked",
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

static const TypeSpec lock_spec = {
    .name = "_thread.lock", .size = sizeof(Lock), .flags = TYPE_DISALLOW_NEW, .methods = lock_methods,
    .doc = "A lock object is a synchronization primitive.",
    .slots = {.repr = lock_repr},
};

/* -- RLock ------------------------------------------------------------------------------------------------------ */

static RLock *
as_rlock(Value v)
{
    return (RLock *)(void *)v;
}

static Answer
rlock_take(Thread *th, RLock *r, int64_t deadline)
{
    if (load_relaxed(&r->owner) == th->ident) {
        r->count++;
        return YES;
    }
    Answer a = byte_acquire(th, &r->state, deadline);
    if (a == YES) {
        store_relaxed(&r->owner, th->ident);
        r->count = 1;
    }
    return a;
}

static Value
rlock_acquire(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t deadline;
    if (!acquire_args(th, a, n, kwnames, &deadline))
        return NULL;
    Answer r = rlock_take(th, as_rlock(self), deadline);
    return r == FAILED ? NULL : bool_from(r == YES);
}

static Value
rlock_release(Thread *th, Value self)
{
    RLock *r = as_rlock(self);
    if (load_relaxed(&r->owner) != th->ident)
        return raise_error(th, &exc_RuntimeError, "cannot release un-acquired lock");
    if (--r->count == 0) {
        store_relaxed(&r->owner, 0);
        byte_release(&r->state);
    }
    return NONE;
}

static Value
rlock_enter(Thread *th, Value self)
{
    return rlock_take(th, as_rlock(self), INT64_MAX) == YES ? TRUE : NULL;
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
    Value t = tuple_pack(th, 2, value_from_fixnum((int64_t)r->count), value_from_fixnum((int64_t)(th->ident >> 2)));
    if (t == NULL)
        return NULL;
    r->count = 0;
    store_relaxed(&r->owner, 0);
    byte_release(&r->state);
    return t;
}

static Value
rlock_acquire_restore(Thread *th, Value self, Value state)
{
    RLock *r = as_rlock(self);
    if (!is_tuple(state) || tuple_length(state) != 2 || !value_is_fixnum(tuple_item(state, 0)))
        return raise_type_error(th, "_acquire_restore() argument 1 must be a 2-item tuple");
    if (byte_acquire(th, &r->state, INT64_MAX) != YES)
        return NULL;
    store_relaxed(&r->owner, th->ident);
    r->count = (uint64_t)value_fixnum(tuple_item(state, 0));
    return NONE;
}

static Value
rlock_at_fork_reinit(Thread *th, Value self)
{
    (void)th;
    RLock *r = as_rlock(self);
    store_relaxed(&r->owner, 0);
    r->count = 0;
    store_relaxed(&r->state, FREE);
    return NONE;
}

static Value
rlock_repr(Thread *th, Value self)
{
    RLock *r = as_rlock(self);
    uint64_t owner = load_relaxed(&r->owner);
    return str_format_c(th, "<%s %s object owner=%lld count=%lld at %p>", owner ? "locked" : "unlocked",
                        type_name_of(self), (long long)owner, (long long)(owner ? r->count : 0),
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

static const TypeSpec rlock_spec = {
    .name = "_thread.RLock", .size = sizeof(RLock), .flags = TYPE_BASE, .methods = rlock_methods,
    .slots = {.repr = rlock_repr, .new = rlock_new},
};

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
    byte_release(&as_lock(lock)->state); /* who joins this thread goes on */
    drop(th, lock);
}

static void
run_thread(Thread *th, void *arg)
{
    Start *s = arg;
    if (!vm_thread_init(th)) {
        error_clear(th);
        fputs("weft: no memory for a thread's registers\n", stderr);
    } else {
        Value r = call_tuple_dict(th, s->function, s->args, s->kwargs);
        if (r)
            drop(th, r);
        else if (error_matches(th, &exc_SystemExit))
            error_clear(th);
        else
            error_unraisable(th, "Exception ignored in thread started by", s->function);
    }
    drop(th, s->function);
    drop(th, s->args);
    drop_null(th, s->kwargs);
    buffer_free(s);
    pending_serve(th);
    end_sentinel(th);
    vm_thread_fini(th);
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
    if (t == NULL || !thread_start(t, run_thread, s, os_thread_stack_size())) {
        if (t)
            thread_release(t);
        drop(th, s->function);
        drop(th, s->args);
        drop_null(th, s->kwargs);
        buffer_free(s);
        return raise_error(th, &exc_RuntimeError, "can't start new thread");
    }
    return int_from_u64(th, t->ident);
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
    return value_from_fixnum((int64_t)load_relaxed(&th->interp->thread_count) - 1);
}

static Value
thread_allocate_lock(Thread *th, Value self)
{
    return type_alloc(th, ((ThreadModule *)module_state(self))->lock_type, 0);
}

static Value
thread_set_sentinel(Thread *th, Value self)
{
    Value lock = thread_allocate_lock(th, self);
    if (lock == NULL)
        return NULL;
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
    NATIVE_0("_set_sentinel", thread_set_sentinel, "_set_sentinel() -> lock\n\nSet a sentinel lock that will be released when the current thread state is finalized."),
    NATIVE_END,
};

static bool
thread_exec(Thread *th, Value m)
{
    ThreadModule *s = module_state(m);
    s->lock_type = type_from_spec(th, &lock_spec, m, NULL);
    s->rlock_type = s->lock_type ? type_from_spec(th, &rlock_spec, m, NULL) : NULL;
    return s->rlock_type && module_add(th, m, "LockType", retain(th, value_of_type(s->lock_type))) &&
           module_add(th, m, "RLock", retain(th, value_of_type(s->rlock_type))) &&
           module_add(th, m, "error", retain(th, value_of_type(&exc_RuntimeError))) &&
           module_add(th, m, "TIMEOUT_MAX", float_from(th, 9223372036.0));
}

static void
thread_visit(Value m, VisitFn visit, void *arg)
{
    ThreadModule *s = module_state(m);
    if (s->lock_type)
        visit(value_of_type(s->lock_type), arg);
    if (s->rlock_type)
        visit(value_of_type(s->rlock_type), arg);
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
