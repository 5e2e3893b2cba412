/* mod_queue.c -- module _queue: SimpleQueue, a queue without bound that any thread puts into and takes from.
 *
 * The items lie in a ring under the object's lock, a leaf lock.  Who finds nothing sets `waiting` under that
 * lock and sleeps on it in the parking lot; who puts an item and sees it set wakes one sleeper.  A sleeper
 * that is woken looks again: another thread may have been faster.  Nothing is ever borrowed from the ring,
 * so an item may leave it with its reference. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/static_types.h"

#include <math.h>

#include "base/clock.h"
#include "gc/object_lock.h"
#include "threads/park.h"
#include "threads/safepoint.h"

typedef struct SimpleQueue {
    struct Object head;
    Value *ring;          /* [lock] capacity words; NULL: nothing yet */
    size_t capacity;      /* [lock] a power of two, or 0 */
    size_t first;         /* [lock] index of the oldest item */
    ATOMIC(size_t) count; /* [lock], read without */
    ParkByte waiting;     /* 1: somebody may sleep; set under the lock */
} SimpleQueue;

static Type simple_queue_type, empty_type;

static SimpleQueue *as_queue(Value v) { return (SimpleQueue *)(void *)value_object(v); }

static Value
queue_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)a;
    if (type == &simple_queue_type && (n > 0 || kwnames))
        return raise_type_error(th, kwnames ? "SimpleQueue() takes no keyword arguments" : "SimpleQueue() takes no arguments");
    return type_alloc(th, type, 0);
}

/* Puts `v`, which is taken over if it succeeds. */
static bool
queue_push(Thread *th, SimpleQueue *q, Value STEALS v)
{
    object_touch(th, &q->head);
    for (;;) {
        bool held = object_lock(&q->head);
        size_t count = load_relaxed(&q->count), capacity = q->capacity;
        if (LIKELY(count < capacity)) {
            q->ring[(q->first + count) & (capacity - 1)] = v;
            store_relaxed(&q->count, count + 1);
            bool wake = load_relaxed(&q->waiting) != 0;
            object_unlock(&q->head, held);
            if (wake)
                park_wake_one(&q->waiting, 1, 0);
            return true;
        }
        object_unlock(&q->head, held);
        size_t more = capacity ? capacity * 2 : 8;
        Value *ring = buffer_new(th, more * sizeof *ring), *old = ring;
        if (ring == NULL)
            return false;
        held = object_lock(&q->head);
        if (q->capacity == capacity) { /* else another thread has made room */
            count = load_relaxed(&q->count);
            for (size_t i = 0; i < count; i++)
                ring[i] = q->ring[(q->first + i) & (capacity - 1)];
            old = q->ring;
            q->ring = ring;
            q->capacity = more;
            q->first = 0;
        }
        object_unlock(&q->head, held);
        buffer_free(old);
    }
}

/* The oldest item, or NULL without exception; then `wait` says that the caller is going to sleep. */
static Value
queue_pop(Thread *th, SimpleQueue *q, bool wait)
{
    Value v = NULL;
    bool held = object_touch_lock(th, &q->head);
    size_t count = load_relaxed(&q->count);
    if (count > 0) {
        v = q->ring[q->first];
        q->first = (q->first + 1) & (q->capacity - 1);
        store_relaxed(&q->count, count - 1);
    } else if (wait) {
        store_relaxed(&q->waiting, 1);
    }
    object_unlock(&q->head, held);
    return v;
}

static Value
queue_put(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "put", .names = {"item", "block", "timeout"}, .positional = 3, .required = 1};
    Value v[3];
    bool block;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_bool(th, v[1], &block)) /* it never blocks */
        return NULL;
    if (!queue_push(th, as_queue(self), retain(th, v[0]))) {
        drop(th, v[0]);
        return NULL;
    }
    return NONE;
}

static Value
queue_put_nowait(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "put_nowait", .names = {"item"}, .positional = 1, .required = 1};
    Value v;
    if (!args_bind(th, &params, a, n, kwnames, &v))
        return NULL;
    if (!queue_push(th, as_queue(self), retain(th, v))) {
        drop(th, v);
        return NULL;
    }
    return NONE;
}

/* Takes an item, waiting until `deadline`. */
static Value
queue_take(Thread *th, SimpleQueue *q, int64_t deadline)
{
    for (;;) {
        Value v = queue_pop(th, q, deadline != 0);
        if (v)
            return v;
        if (deadline == 0 || (deadline != INT64_MAX && clock_monotonic_ns() >= deadline))
            return raise_none(th, &empty_type);
        blocking_begin(th);
        ParkResult r = park_wait(&q->waiting, 1, deadline, true);
        blocking_end(th);
        if (r == PARK_INTERRUPTED && !safepoint_poll(th))
            return NULL;
    }
}

static Value
queue_get(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "get", .names = {"block", "timeout"}, .positional = 2};
    Value v[2];
    bool block = true;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_bool(th, v[0], &block))
        return NULL;
    int64_t deadline = block ? INT64_MAX : 0;
    if (block && v[1] && v[1] != NONE) {
        double seconds;
        if (!arg_double(th, v[1], &seconds))
            return NULL;
        if (isnan(seconds))
            return raise_value_error(th, "Invalid value NaN (not a number)");
        if (seconds < 0)
            return raise_value_error(th, "'timeout' must be a non-negative number");
        if (seconds > 9.2e9)
            return raise_overflow(th, "timeout value is too large");
        deadline = clock_deadline_ns((int64_t)ceil(seconds * 1e9));
    }
    return queue_take(th, as_queue(self), deadline);
}

static Value
queue_get_nowait(Thread *th, Value self)
{
    return queue_take(th, as_queue(self), 0);
}

static Value
queue_empty(Thread *th, Value self)
{
    (void)th;
    return bool_from(load_relaxed(&as_queue(self)->count) == 0);
}

static Value
queue_qsize(Thread *th, Value self)
{
    (void)th;
    return value_from_fixnum((int64_t)load_relaxed(&as_queue(self)->count));
}

static void
queue_visit(Object *o, VisitFn visit, void *arg)
{
    SimpleQueue *q = (SimpleQueue *)o;
    for (size_t i = 0; i < plain_load(&q->count); i++) /* stopped or dying */
        visit(q->ring[(q->first + i) & (q->capacity - 1)], arg);
}

static void
queue_clear(Thread *th, Object *o)
{
    Value v;
    while ((v = queue_pop(th, (SimpleQueue *)o, false)) != NULL)
        drop(th, v);
}

static void
queue_dealloc(Thread *th, Object *o)
{
    SimpleQueue *q = (SimpleQueue *)o;
    for (size_t i = 0; i < plain_load(&q->count); i++) /* dying: nobody else sees it */
        drop(th, q->ring[(q->first + i) & (q->capacity - 1)]);
    buffer_free(q->ring);
}

static Value
class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef queue_methods[] = {
    NATIVE_K("put", queue_put, "put($self, /, item, block=True, timeout=None)\n--\n\nPuts an item; never blocks (block and timeout are there for Queue's sake)."),
    NATIVE_K("put_nowait", queue_put_nowait, "put_nowait($self, /, item)\n--\n\nThe same as put(item)."),
    NATIVE_K("get", queue_get, "get($self, /, block=True, timeout=None)\n--\n\nTakes the oldest item; waits for one, at most `timeout` seconds, if block is true; else raises Empty."),
    NATIVE_0("get_nowait", queue_get_nowait, "get_nowait($self, /)\n--\n\nTakes an item; Empty if there is none."),
    NATIVE_0("empty", queue_empty, "empty($self, /)\n--\n\nWhether the queue is empty at this moment."),
    NATIVE_0("qsize", queue_qsize, "qsize($self, /)\n--\n\nHow many items there are at this moment."),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1, .nmax = 1,
     .doc = "See PEP 585"},
    NATIVE_END,
};
static const TypeSpec simple_queue_spec = {
    .name = "_queue.SimpleQueue", .size = sizeof(SimpleQueue), .flags = TYPE_BASE | TYPE_IMMUTABLE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED, .doc = "SimpleQueue()\n--\n\nSimple, unbounded, reentrant FIFO queue.",
    .methods = queue_methods, .slots = {.new = queue_new}, .visit = queue_visit, .clear = queue_clear,
    .dealloc = queue_dealloc,
};
static const TypeSpec empty_spec = {.name = "_queue.Empty", .base = &exc_Exception, .flags = TYPE_BASE,
                                    .doc = "Exception raised by Queue.get(block=0)/get_nowait()."};

static bool
queue_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&empty_type, &empty_spec}, {&simple_queue_type, &simple_queue_spec}};
    return static_types_ready(th, types, ARRAY_LEN(types)) && module_add_type(th, m, &empty_type) &&
           module_add_type(th, m, &simple_queue_type);
}

const ModuleSpec queue_module = {
    .name = "_queue", .doc = "C implementation of the Python queue module.\nThis module is an implementation detail, please do not use it directly.",
    .exec = queue_exec,
};
