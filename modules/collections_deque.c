/* collections_deque.c -- deque: a ring of references that grows at both ends.
 *
 * Locks: every access, reading included, holds the deque's object lock and takes its reference
 * there; so nobody looks at the ring without it, and it can be freed or a reference handed on at
 * once.  Memory is allocated outside the lock and the deque looked at again.  `state` counts the
 * changes: iterators compare it.
 */
#include "modules/collections_priv.h"
#include "gc/holds.h"

#include <string.h>

typedef struct Deque {
    struct Object head;
    Value *items;            /* [lock] the ring; NULL while capacity is 0 */
    size_t capacity;         /* [lock] 0 or a power of two */
    size_t start;            /* [lock] where item 0 is */
    ATOMIC(int64_t) length;  /* [lock] written, read without */
    uint64_t state;          /* [lock] changes so far */
    int64_t maxlen;          /* [lock] -1: unbounded */
} Deque;

#define DEQUE_MAX ((size_t)1 << 58)

static inline Deque *
as_deque(Value v)
{
    return (Deque *)(void *)value_object(v);
}

static bool
is_deque(Value v)
{
    return is_instance_of(v, &deque_type);
}

static inline Value *
item_at(const Deque *d, int64_t i)
{
    return &d->items[(d->start + (size_t)i) & (d->capacity - 1)];
}

static inline int64_t
deque_count(const Deque *d)
{
    return load_acquire(&d->length); /* pairs with set_count_locked() [deque.length] */
}

static inline void
set_count_locked(Deque *d, int64_t n)
{
    store_release(&d->length, n); /* [deque.length] */
    d->state++;
}

/* -- changing -- */

/* Gives the ring another capacity (a power of two, not below the length). */
RAISES static bool
deque_resize(Thread *th, Deque *d, size_t seen, size_t capacity)
{
    if (capacity > DEQUE_MAX) {
        raise_memory(th);
        return false;
    }
    Value *ring = buffer_new(th, capacity * sizeof(Value)), *old = NULL;
    if (ring == NULL)
        return false;
    bool held = object_lock(&d->head);
    int64_t n = load_relaxed(&d->length);
    if (d->capacity == seen && (size_t)n <= capacity) {
        for (int64_t i = 0; i < n; i++)
            ring[i] = *item_at(d, i);
        old = d->items;
        d->items = ring;
        d->capacity = capacity;
        d->start = 0;
        ring = NULL;
    }
    object_unlock(&d->head, held);
    buffer_free(old);
    buffer_free(ring);
    return true;
}

/* Adds `v` at one end; a bounded deque that is full loses the item at the other. */
RAISES static bool
deque_push(Thread *th, Deque *d, Value STEALS v, bool left)
{
    for (;;) {
        Value lost = NULL;
        /* It is shared from here on, so that remove() can tell whether others may change it. */
        bool held = object_touch_lock(th, &d->head);
        int64_t n = load_relaxed(&d->length);
        if (d->maxlen == 0) {
            object_unlock(&d->head, held);
            drop(th, v);
            return true;
        }
        if ((size_t)n == d->capacity && n != d->maxlen) {
            size_t seen = d->capacity;
            object_unlock(&d->head, held);
            if (!deque_resize(th, d, seen, seen ? seen * 2 : 8)) {
                drop(th, v);
                return false;
            }
            continue;
        }
        if (n == d->maxlen) {
            lost = *item_at(d, left ? n - 1 : 0);
            if (!left)
                d->start = (d->start + 1) & (d->capacity - 1);
            n--;
        }
        if (left) {
            d->start = (d->start - 1) & (d->capacity - 1);
            *item_at(d, 0) = v;
        } else {
            *item_at(d, n) = v;
        }
        set_count_locked(d, n + 1);
        object_unlock(&d->head, held);
        drop_null(th, lost);
        return true;
    }
}

/* Takes the item at one end out; NULL without exception when the deque is empty. */
static Value
deque_take_end(Thread *th, Deque *d, bool left)
{
    bool held = object_touch_lock(th, &d->head);
    int64_t n = load_relaxed(&d->length);
    if (n == 0) {
        object_unlock(&d->head, held);
        return NULL;
    }
    Value v = *item_at(d, left ? 0 : n - 1);
    if (left)
        d->start = (d->start + 1) & (d->capacity - 1);
    set_count_locked(d, n - 1);
    size_t capacity = d->capacity;
    object_unlock(&d->head, held);
    if (UNLIKELY(capacity > 64 && (size_t)n < capacity / 8) &&
        !deque_resize(th, d, capacity, capacity / 4))
        error_clear(th); /* the ring stays as large as it is */
    return v;
}

static void
deque_empty(Thread *th, Deque *d)
{
    bool held = object_lock(&d->head);
    Value *ring = d->items;
    size_t start = d->start, mask = d->capacity - 1;
    int64_t n = load_relaxed(&d->length);
    d->items = NULL;
    d->capacity = d->start = 0;
    set_count_locked(d, 0);
    object_unlock(&d->head, held);
    for (int64_t i = 0; i < n; i++)
        drop(th, ring[(start + (size_t)i) & mask]);
    buffer_free(ring);
}

/* Takes item i out, which must be there. */
static Value
remove_at_locked(Deque *d, int64_t i)
{
    int64_t n = load_relaxed(&d->length);
    Value v = *item_at(d, i);
    if (i < n / 2) {
        for (int64_t k = i; k > 0; k--)
            *item_at(d, k) = *item_at(d, k - 1);
        d->start = (d->start + 1) & (d->capacity - 1);
    } else {
        for (int64_t k = i; k + 1 < n; k++)
            *item_at(d, k) = *item_at(d, k + 1);
    }
    set_count_locked(d, n - 1);
    return v;
}

/* A new reference to item i (negative: from the end); NULL without exception when there is none.
 * *state is what the deque's was then. */
static Value
deque_get(Thread *th, Deque *d, int64_t i, uint64_t *state)
{
    bool held = object_lock(&d->head);
    Value v = NULL;
    if (i < 0)
        i += load_relaxed(&d->length);
    if (i >= 0 && i < load_relaxed(&d->length))
        v = retain(th, *item_at(d, i));
    if (state != NULL)
        *state = d->state;
    object_unlock(&d->head, held);
    return v;
}

static uint64_t
deque_state(Deque *d)
{
    bool held = object_lock(&d->head);
    uint64_t state = d->state;
    object_unlock(&d->head, held);
    return state;
}

/* -- construction -- */

static Value
deque_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames;
    Value v = type_alloc(th, type, 0);
    if (v != NULL)
        as_deque(v)->maxlen = -1;
    return v;
}

RAISES static bool
deque_add_all(Thread *th, Value self, Value iterable, bool left)
{
    Deque *d = as_deque(self);
    Value list = NULL;
    if (iterable == self) {
        list = sequence_list(th, self);
        if (list == NULL)
            return false;
        iterable = list;
    }
    Value it = get_iter(th, iterable);
    drop_null(th, list);
    if (it == NULL)
        return false;
    for (size_t step = 0;; step++) {
        Value v = iter_next(th, it);
        if (v == NULL || !deque_push(th, d, v, left) ||
            ((step & 1023) == 1023 && !safepoint_poll(th)))
            break;
    }
    drop(th, it);
    return !error_set(th);
}

static bool
deque_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "deque", .names = {"iterable", "maxlen"},
                                     .positional = 2};
    Deque *d = as_deque(self);
    Value v[2];
    int64_t maxlen = -1;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    if (v[1] != NULL && v[1] != NONE) {
        if (!is_int(v[1])) {
            raise_type_error(th, "an integer is required");
            return false;
        }
        if (!arg_ssize(th, v[1], &maxlen))
            return false;
        if (maxlen < 0) {
            raise_value_error(th, "maxlen must be non-negative");
            return false;
        }
    }
    if (deque_count(d) > 0)
        deque_empty(th, d);
    bool held = object_lock(&d->head);
    d->maxlen = maxlen;
    object_unlock(&d->head, held);
    return v[0] == NULL || deque_add_all(th, self, v[0], false);
}

/* A deque of exactly the base type with the items and the bound of `from`. */
static Value
deque_plain_copy(Thread *th, Value from)
{
    Deque *d = as_deque(from);
    Value copy = deque_make(th, &deque_type, NULL, 0, NULL);
    if (copy == NULL)
        return NULL;
    Deque *c = as_deque(copy);
    for (;;) {
        int64_t n = deque_count(d);
        size_t capacity = 8;
        while (capacity < (size_t)n)
            capacity *= 2;
        c->items = buffer_new(th, capacity * sizeof(Value)); /* the copy is not published yet */
        if (c->items == NULL) {
            drop(th, copy);
            return NULL;
        }
        c->capacity = capacity;
        bool held = object_lock(&d->head);
        bool same = load_relaxed(&d->length) == n;
        for (int64_t i = 0; same && i < n; i++)
            c->items[i] = retain(th, *item_at(d, i));
        c->maxlen = d->maxlen;
        object_unlock(&d->head, held);
        if (same) {
            plain_store(&c->length, n);
            return copy;
        }
        buffer_free(c->items);
        c->items = NULL;
        c->capacity = 0;
    }
}

static Value
deque_copy(Thread *th, Value self)
{
    if (type_of(self) == &deque_type)
        return deque_plain_copy(th, self);
    Value type = value_of_type(type_of(self)), maxlen, copy;
    if (as_deque(self)->maxlen < 0) {
        copy = call_1(th, type, self);
    } else {
        maxlen = int_from_i64(th, as_deque(self)->maxlen);
        if (maxlen == NULL)
            return NULL;
        copy = call_2(th, type, self, maxlen);
        drop(th, maxlen);
    }
    if (copy != NULL && !is_deque(copy)) {
        raise_type_error(th, "%N() must return a deque, not %T", type_of(self), copy);
        DROP_CLEAR(th, copy);
    }
    return copy;
}

/* -- methods that change -- */

static Value
deque_append(Thread *th, Value self, Value v)
{
    return deque_push(th, as_deque(self), retain(th, v), false) ? NONE : NULL;
}

static Value
deque_appendleft(Thread *th, Value self, Value v)
{
    return deque_push(th, as_deque(self), retain(th, v), true) ? NONE : NULL;
}

static Value
deque_pop(Thread *th, Value self)
{
    Value v = deque_take_end(th, as_deque(self), false);
    return v ? v : raise_error(th, &exc_IndexError, "pop from an empty deque");
}

static Value
deque_popleft(Thread *th, Value self)
{
    Value v = deque_take_end(th, as_deque(self), true);
    return v ? v : raise_error(th, &exc_IndexError, "pop from an empty deque");
}

static Value
deque_extend(Thread *th, Value self, Value iterable)
{
    return deque_add_all(th, self, iterable, false) ? NONE : NULL;
}

static Value
deque_extendleft(Thread *th, Value self, Value iterable)
{
    return deque_add_all(th, self, iterable, true) ? NONE : NULL;
}

static Value
deque_clear_method(Thread *th, Value self)
{
    deque_empty(th, as_deque(self));
    return NONE;
}

static Value
deque_insert(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Deque *d = as_deque(self);
    int64_t i;
    if (!arg_ssize(th, arg(args, 0), &i))
        return NULL;
    for (;;) {
        bool held = object_lock(&d->head);
        int64_t n = load_relaxed(&d->length);
        if (d->maxlen == n) {
            object_unlock(&d->head, held);
            return raise_error(th, &exc_IndexError, "deque already at its maximum size");
        }
        if ((size_t)n < d->capacity) {
            int64_t at = i < 0 ? (i + n < 0 ? 0 : i + n) : (i > n ? n : i);
            if (at < n / 2) {
                d->start = (d->start - 1) & (d->capacity - 1);
                for (int64_t k = 0; k < at; k++)
                    *item_at(d, k) = *item_at(d, k + 1);
            } else {
                for (int64_t k = n; k > at; k--)
                    *item_at(d, k) = *item_at(d, k - 1);
            }
            *item_at(d, at) = retain(th, arg(args, 1));
            set_count_locked(d, n + 1);
            object_unlock(&d->head, held);
            return NONE;
        }
        size_t seen = d->capacity;
        object_unlock(&d->head, held);
        if (!deque_resize(th, d, seen, seen ? seen * 2 : 8))
            return NULL;
    }
}

/* Takes the first `seen` out; false: it is not there any more. */
static bool
deque_remove_seen(Thread *th, Deque *d, Value seen)
{
    bool held = object_lock(&d->head);
    int64_t i = 0, n = load_relaxed(&d->length);
    while (i < n && *item_at(d, i) != seen)
        i++;
    Value gone = i < n ? remove_at_locked(d, i) : NULL;
    object_unlock(&d->head, held);
    drop_null(th, gone);
    return gone != NULL;
}

#define REMOVE_STARTS 4   /* then among the items of one moment */
#define REMOVE_COPIES 100 /* then the comparison itself keeps changing the deque */

/* deque.remove() where others change the deque all the time: what equals `value` among the items of
 * one moment is taken out, if it still is there. */
static Value
deque_remove_copied(Thread *th, Deque *d, Value value)
{
    for (int turn = 0; turn < REMOVE_COPIES; turn++) {
        Value copy = deque_plain_copy(th, value_of(&d->head)), v;
        if (copy == NULL)
            return NULL;
        Answer equal = NO;
        bool removed = false;
        for (int64_t i = 0; equal == NO && (v = deque_get(th, as_deque(copy), i, NULL)) != NULL; i++) {
            equal = values_equal(th, v, value);
            removed = equal == YES && deque_remove_seen(th, d, v);
            drop(th, v);
        }
        drop(th, copy);
        if (equal == FAILED)
            return NULL;
        if (removed)
            return NONE;
        if (equal == NO)
            return raise_value_error(th, "%R is not in deque", value);
    }
    return raise_error(th, &exc_IndexError, "deque mutated during iteration");
}

static Value
deque_remove(Thread *th, Value self, Value value)
{
    Deque *d = as_deque(self);
    uint64_t begun, now;
    int starts = 0;
    object_touch(th, &d->head);
restart:
    if (starts++ == REMOVE_STARTS)
        return deque_remove_copied(th, d, value);
    begun = deque_state(d);
    for (int64_t i = 0;; i++) {
        Value v = deque_get(th, d, i, &now);
        if (v == NULL && now == begun)
            return raise_value_error(th, "%R is not in deque", value);
        Answer equal = v ? values_equal(th, v, value) : NO;
        drop_null(th, v);
        if (equal == FAILED)
            return NULL;
        bool held = object_lock(&d->head);
        bool same = d->state == begun, shared = (object_bits(&d->head) & BIT_SHARED) != 0;
        Value gone = same && equal == YES ? remove_at_locked(d, i) : NULL;
        object_unlock(&d->head, held);
        if (!same && shared) /* another thread changed it */
            goto restart;
        if (!same)
            return raise_error(th, &exc_IndexError, "deque mutated during iteration");
        if (gone != NULL) {
            drop(th, gone);
            return NONE;
        }
    }
}

static Value
deque_reverse(Thread *th, Value self)
{
    (void)th;
    Deque *d = as_deque(self);
    bool held = object_lock(&d->head);
    int64_t n = load_relaxed(&d->length);
    for (int64_t i = 0, j = n - 1; i < j; i++, j--) {
        Value v = *item_at(d, i);
        *item_at(d, i) = *item_at(d, j);
        *item_at(d, j) = v;
    }
    object_unlock(&d->head, held);
    return NONE;
}

static Value
deque_rotate(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Deque *d = as_deque(self);
    int64_t steps = 1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &steps))
        return NULL;
    bool held = object_lock(&d->head);
    int64_t n = load_relaxed(&d->length);
    if (n > 1) {
        steps %= n;
        if (steps > n / 2)
            steps -= n;
        else if (steps < -(n / 2))
            steps += n;
        for (; steps > 0; steps--) { /* the last one to the front */
            Value v = *item_at(d, n - 1);
            d->start = (d->start - 1) & (d->capacity - 1);
            *item_at(d, 0) = v;
        }
        for (; steps < 0; steps++) { /* the first one to the back */
            Value v = *item_at(d, 0);
            d->start = (d->start + 1) & (d->capacity - 1);
            *item_at(d, n - 1) = v;
        }
        d->state++;
    }
    object_unlock(&d->head, held);
    return NONE;
}

/* -- subscripts -- */

static int64_t
deque_length(Thread *th, Value self)
{
    (void)th;
    return deque_count(as_deque(self));
}

static Value
deque_item(Thread *th, Value self, int64_t i)
{
    Value v = i >= 0 ? deque_get(th, as_deque(self), i, NULL) : NULL;
    return v ? v : raise_error(th, &exc_IndexError, "deque index out of range");
}

RAISES static bool
deque_index_value(Thread *th, Value key, int64_t *i)
{
    if (!value_is_fixnum(key) && SLOT(type_of(key), index) == NULL) {
        raise_type_error(th, "sequence index must be integer, not '%T'", key);
        return false;
    }
    return to_ssize(th, key, i, &exc_IndexError);
}

static Value
deque_getitem(Thread *th, Value self, Value key)
{
    int64_t i;
    if (!deque_index_value(th, key, &i))
        return NULL;
    Value v = deque_get(th, as_deque(self), i, NULL);
    return v ? v : raise_error(th, &exc_IndexError, "deque index out of range");
}

static bool
deque_setitem(Thread *th, Value self, Value key, Value v)
{
    Deque *d = as_deque(self);
    int64_t i;
    if (!deque_index_value(th, key, &i))
        return false;
    bool held = object_lock(&d->head);
    Value old = NULL;
    if (i < 0)
        i += load_relaxed(&d->length);
    if (i >= 0 && i < load_relaxed(&d->length)) {
        if (v == NULL) {
            old = remove_at_locked(d, i);
        } else {
            old = *item_at(d, i);
            *item_at(d, i) = retain(th, v);
        }
    }
    object_unlock(&d->head, held);
    if (old == NULL) {
        raise_error(th, &exc_IndexError, "deque index out of range");
        return false;
    }
    drop(th, old);
    return true;
}

/* -- searching -- */

static void
raise_mutated(Thread *th)
{
    raise_error(th, &exc_RuntimeError, "deque mutated during iteration");
}

/* Compares the items from `start` to before `stop` with `value`: counts the equal ones, or stops
 * at the first.  -1: none; -2: exception. */
static int64_t
deque_search(Thread *th, Deque *d, Value value, int64_t start, int64_t stop, bool count)
{
    uint64_t begun = deque_state(d), now;
    int64_t found = 0;
    for (int64_t i = start; i < stop; i++) {
        Value v = deque_get(th, d, i, &now);
        if (v == NULL && now == begun)
            break;
        Answer equal = v ? values_equal(th, v, value) : NO;
        drop_null(th, v);
        if (equal == FAILED)
            return -2;
        if (now != begun || deque_state(d) != begun) {
            raise_mutated(th);
            return -2;
        }
        if (equal == YES) {
            if (!count)
                return i;
            found++;
        }
    }
    return count ? found : -1;
}

static Answer
deque_contains(Thread *th, Value self, Value value)
{
    int64_t i = deque_search(th, as_deque(self), value, 0, INT64_MAX, false);
    return i == -2 ? FAILED : i >= 0 ? YES : NO;
}

static Value
deque_count_method(Thread *th, Value self, Value value)
{
    int64_t n = deque_search(th, as_deque(self), value, 0, INT64_MAX, true);
    return n < 0 ? NULL : value_from_fixnum(n);
}

static Value
deque_index(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t bounds[2] = {0, INT64_MAX}, n = deque_count(as_deque(self));
    for (size_t i = 1; i < nargs; i++) {
        Value v = arg(args, i);
        if (!value_is_fixnum(v) && SLOT(type_of(v), index) == NULL)
            return raise_type_error(
                th, "slice indices must be integers or have an __index__ method");
        if (!arg_ssize_clamped(th, v, &bounds[i - 1]))
            return NULL;
        if (bounds[i - 1] < 0 && (bounds[i - 1] += n) < 0)
            bounds[i - 1] = 0;
    }
    int64_t i = deque_search(th, as_deque(self), arg(args, 0), bounds[0], bounds[1], false);
    if (i == -1)
        return raise_value_error(th, "%R is not in deque", arg(args, 0));
    return i < 0 ? NULL : value_from_fixnum(i);
}

static Value
deque_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_deque(a) || !is_deque(b))
        return NOT_IMPLEMENTED;
    if (thread_stack_low(th))
        return raise_recursion(th, " in comparison");
    Deque *x = as_deque(a), *y = as_deque(b);
    if ((op == OP_EQ || op == OP_NE) && a != b && deque_count(x) != deque_count(y))
        return bool_from(op == OP_NE);
    uint64_t x_begun = deque_state(x), y_begun = deque_state(y), x_now, y_now;
    for (int64_t i = 0;; i++) {
        Value p = deque_get(th, x, i, &x_now), q = deque_get(th, y, i, &y_now), result = NULL;
        bool done = true;
        if (x_now != x_begun || y_now != y_begun) {
            raise_mutated(th);
        } else if (p != NULL && q != NULL) {
            Answer equal = values_equal(th, p, q);
            if (equal == NO)
                result = op == OP_EQ || op == OP_NE ? bool_from(op == OP_NE)
                                                    : compare(th, p, q, op);
            done = equal != YES;
        } else {
            int order = (p != NULL) - (q != NULL);
            bool holds[] = {[OP_LT] = order < 0,  [OP_LE] = order <= 0, [OP_EQ] = order == 0,
                            [OP_NE] = order != 0, [OP_GT] = order > 0,  [OP_GE] = order >= 0};
            result = bool_from(holds[op]);
        }
        drop_null(th, p);
        drop_null(th, q);
        if (done)
            return result;
    }
}

/* -- operators -- */

static Value
deque_concat(Thread *th, Value self, Value other)
{
    if (!is_deque(other))
        return raise_type_error(th, "can only concatenate deque (not \"%T\") to deque", other);
    Value sum = deque_copy(th, self);
    if (sum != NULL && !deque_add_all(th, sum, other, false))
        DROP_CLEAR(th, sum);
    return sum;
}

static Value
deque_iconcat(Thread *th, Value self, Value other)
{
    return deque_add_all(th, self, other, false) ? retain(th, self) : NULL;
}

static Value
deque_irepeat(Thread *th, Value self, int64_t count)
{
    Deque *d = as_deque(self);
    int64_t n = deque_count(d);
    if (n == 0 || count == 1)
        return retain(th, self);
    if (count <= 0) {
        deque_empty(th, d);
        return retain(th, self);
    }
    if ((size_t)count > DEQUE_MAX / (size_t)n)
        return raise_memory(th);
    int64_t maxlen = d->maxlen;
    if (maxlen >= 0 && count * n > maxlen)
        count = (maxlen + n - 1) / n;
    Value list = sequence_list(th, self);
    if (list == NULL)
        return NULL;
    bool ok = true;
    for (int64_t i = 1; ok && i < count; i++)
        ok = deque_add_all(th, self, list, false);
    drop(th, list);
    return ok ? retain(th, self) : NULL;
}

static Value
deque_repeat(Thread *th, Value self, int64_t count)
{
    Value copy = deque_copy(th, self);
    if (copy == NULL)
        return NULL;
    Value result = deque_irepeat(th, copy, count);
    drop(th, copy);
    return result;
}

/* -- text, pickling -- */

static Value
deque_repr(Thread *th, Value self)
{
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "[...]", 5) : NULL;
    Value text = NULL, list = sequence_list(th, self);
    if (list != NULL) {
        Value name = field_read(th, &type_of(self)->ops.head, &type_of(self)->name_value);
        int64_t maxlen = as_deque(self)->maxlen;
        if (maxlen >= 0)
            text = str_format_c(th, "%V(%R, maxlen=%lld)", name, list, (long long)maxlen);
        else
            text = str_format_c(th, "%V(%R)", name, list);
        drop_null(th, name);
        drop(th, list);
    }
    repr_leave(th, self);
    return text;
}

static Value
deque_reduce(Thread *th, Value self)
{
    Value state = call_method_0(th, self, NAME(__getstate__)), it = NULL, args = NULL,
          maxlen = NULL, result = NULL;
    if (state != NULL)
        it = get_iter(th, self);
    if (it != NULL) {
        int64_t bound = as_deque(self)->maxlen;
        if (bound < 0) {
            args = tuple_empty;
        } else if ((maxlen = int_from_i64(th, bound)) != NULL) {
            args = tuple_pack(th, 2, tuple_empty, maxlen);
        }
    }
    if (args != NULL)
        result = tuple_pack(th, 4, value_of_type(type_of(self)), args, state, it);
    drop_null(th, state);
    drop_null(th, it);
    drop_null(th, args);
    drop_null(th, maxlen);
    return result;
}

static Value
deque_sizeof(Thread *th, Value self)
{
    Deque *d = as_deque(self);
    bool held = object_lock(&d->head);
    size_t n = d->capacity * sizeof(Value);
    object_unlock(&d->head, held);
    return int_from_size(th, object_ops(&d->head)->cell_size + n);
}

static Value
deque_maxlen(Thread *th, Value self, void *closure)
{
    (void)closure;
    int64_t maxlen = as_deque(self)->maxlen;
    return maxlen < 0 ? NONE : int_from_i64(th, maxlen);
}

static void
deque_visit(Object *o, VisitFn visit, void *arg)
{
    Deque *d = (Deque *)(void *)o;
    for (int64_t i = 0, n = plain_load(&d->length); i < n; i++) /* stopped or dying */
        visit(*item_at(d, i), arg);
}

static void
deque_clear(Thread *th, Object *o)
{
    deque_empty(th, (Deque *)(void *)o);
}

static void
deque_dealloc(Thread *th, Object *o)
{
    Deque *d = (Deque *)(void *)o;
    for (int64_t i = 0, n = plain_load(&d->length); i < n; i++) /* dying */
        drop(th, *item_at(d, i));
    plain_store(&d->length, 0);
    buffer_free(d->items);
    d->items = NULL;
}

/* -- iterators -- */

typedef struct DequeIter {
    struct Object head;
    Value deque;        /* [const] */
    uint64_t state;     /* [lock] of the deque: what its state must be */
    int64_t remaining;  /* [lock] of the deque */
} DequeIter;

static inline DequeIter *
as_deque_iter(Value v)
{
    return (DequeIter *)(void *)value_object(v);
}

static Value
deque_iter_new(Thread *th, Type *type, Value deque, int64_t skip)
{
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    DequeIter *it = as_deque_iter(v);
    Deque *d = as_deque(deque);
    bool held = object_lock(&d->head);
    it->state = d->state;
    it->remaining = load_relaxed(&d->length);
    object_unlock(&d->head, held);
    it->remaining -= skip < 0 ? 0 : skip < it->remaining ? skip : it->remaining;
    it->deque = retain(th, deque);
    return v;
}

static Value
deque_iter(Thread *th, Value self)
{
    return deque_iter_new(th, &deque_iterator_type, self, 0);
}

static Value
deque_reversed(Thread *th, Value self)
{
    return deque_iter_new(th, &deque_reverse_iterator_type, self, 0);
}

static Value
deque_iter_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t skip = 0;
    if (!args_no_keywords(th, type_name(type), kwnames))
        return NULL;
    if (nargs < 1 || nargs > 2)
        return raise_type_error(th, "function takes at %s argument%s (%zu given)",
                                nargs < 1 ? "least 1" : "most 2", nargs < 1 ? "" : "s", nargs);
    if (!is_deque(arg(args, 0)))
        return raise_type_error(th, "argument 1 must be collections.deque, not %B", arg(args, 0));
    if (nargs > 1 && !arg_ssize(th, arg(args, 1), &skip))
        return NULL;
    return deque_iter_new(th, type, arg(args, 0), skip);
}

static Value
deque_iter_step(Thread *th, Value self, bool reverse)
{
    DequeIter *it = as_deque_iter(self);
    Deque *d = as_deque(it->deque);
    Value v = NULL;
    bool held = object_lock(&d->head);
    bool same = d->state == it->state;
    if (!same) {
        it->remaining = 0;
    } else if (it->remaining > 0) {
        int64_t n = load_relaxed(&d->length), left = it->remaining--;
        v = retain(th, *item_at(d, reverse ? left - 1 : n - left));
    }
    object_unlock(&d->head, held);
    if (!same)
        raise_mutated(th);
    return v;
}

static Value
deque_iter_next(Thread *th, Value self)
{
    return deque_iter_step(th, self, false);
}

static Value
deque_reverse_iter_next(Thread *th, Value self)
{
    return deque_iter_step(th, self, true);
}

static int64_t
iter_remaining(DequeIter *it)
{
    Deque *d = as_deque(it->deque);
    bool held = object_lock(&d->head);
    int64_t n = it->remaining;
    object_unlock(&d->head, held);
    return n;
}

static Value
deque_iter_length_hint(Thread *th, Value self)
{
    (void)th;
    return value_from_fixnum(iter_remaining(as_deque_iter(self)));
}

static Value
deque_iter_reduce(Thread *th, Value self)
{
    DequeIter *it = as_deque_iter(self);
    int64_t done = deque_count(as_deque(it->deque)) - iter_remaining(it);
    Value args = tuple_pack(th, 2, it->deque, value_from_fixnum(done));
    if (args == NULL)
        return NULL;
    Value result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop(th, args);
    return result;
}

static Value
deque_iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

HOLDS_VALUES(deque_iter, DequeIter, deque);

static const MethodDef deque_iter_methods[] = {
    NATIVE_0("__length_hint__", deque_iter_length_hint,
             "Private method returning an estimate of len(list(it))."),
    NATIVE_0("__reduce__", deque_iter_reduce, "Return state information for pickling."),
    NATIVE_END,
};

Type deque_iterator_type;
const TypeSpec deque_iterator_spec = {
    .name = "_collections._deque_iterator",
    .size = sizeof(DequeIter),
    .ops_flags = OPS_TRACKED,
    .methods = deque_iter_methods,
    .slots = {.iter = deque_iter_self, .next = deque_iter_next, .new = deque_iter_make},
    .visit = deque_iter_visit,
    .dealloc = deque_iter_dealloc,
};

Type deque_reverse_iterator_type;
const TypeSpec deque_reverse_iterator_spec = {
    .name = "_collections._deque_reverse_iterator",
    .size = sizeof(DequeIter),
    .ops_flags = OPS_TRACKED,
    .methods = deque_iter_methods,
    .slots = {.iter = deque_iter_self, .next = deque_reverse_iter_next, .new = deque_iter_make},
    .visit = deque_iter_visit,
    .dealloc = deque_iter_dealloc,
};

/* -- the type -- */

static const MethodDef deque_methods[] = {
    NATIVE_1("append", deque_append, "Add an element to the right side of the deque."),
    NATIVE_1("appendleft", deque_appendleft, "Add an element to the left side of the deque."),
    NATIVE_0("clear", deque_clear_method, "Remove all elements from the deque."),
    NATIVE_0("__copy__", deque_copy, "Return a shallow copy of a deque."),
    NATIVE_0("copy", deque_copy, "Return a shallow copy of a deque."),
    NATIVE_1("count", deque_count_method,
             "D.count(value) -- return number of occurrences of value"),
    NATIVE_1("extend", deque_extend,
             "Extend the right side of the deque with elements from the iterable"),
    NATIVE_1("extendleft", deque_extendleft,
             "Extend the left side of the deque with elements from the iterable"),
    NATIVE_N("index", deque_index, 1, 3,
             "D.index(value, [start, [stop]]) -- return first index of value.\n"
             "Raises ValueError if the value is not present."),
    NATIVE_N("insert", deque_insert, 2, 2,
             "D.insert(index, object) -- insert object before index"),
    NATIVE_0("pop", deque_pop, "Remove and return the rightmost element."),
    NATIVE_0("popleft", deque_popleft, "Remove and return the leftmost element."),
    NATIVE_0("__reduce__", deque_reduce, "Return state information for pickling."),
    NATIVE_1("remove", deque_remove, "D.remove(value) -- remove first occurrence of value."),
    NATIVE_0("__reversed__", deque_reversed,
             "D.__reversed__() -- return a reverse iterator over the deque"),
    NATIVE_0("reverse", deque_reverse, "D.reverse() -- reverse *IN PLACE*"),
    NATIVE_N("rotate", deque_rotate, 0, 1,
             "Rotate the deque n steps to the right (default n=1).  "
             "If n is negative, rotates left."),
    NATIVE_0("__sizeof__", deque_sizeof, "D.__sizeof__() -- size of D in memory, in bytes"),
    CLASS_GETITEM,
    NATIVE_END,
};

static const GetterDef deque_getters[] = {
    {.name = "maxlen", .get = deque_maxlen,
     .doc = "maximum size of a deque or None if unbounded"},
    {.name = NULL},
};

Type deque_type;
const TypeSpec deque_spec = {
    .name = "collections.deque",
    .size = sizeof(Deque),
    .flags = TYPE_BASE | TYPE_SEQUENCE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "deque([iterable[, maxlen]]) --> deque object\n\n"
           "A list-like sequence optimized for data accesses near its endpoints.",
    .methods = deque_methods,
    .getters = deque_getters,
    .slots = {
        .repr = deque_repr,
        .hash = hash_unhashable,
        .compare = deque_compare,
        .iter = deque_iter,
        .init = deque_init,
        .new = deque_make,
        .length = deque_length,
        .getitem = deque_getitem,
        .setitem = deque_setitem,
        .item = deque_item,
        .contains = deque_contains,
        .concat = deque_concat,
        .iconcat = deque_iconcat,
        .repeat = deque_repeat,
        .irepeat = deque_irepeat,
    },
    .visit = deque_visit,
    .clear = deque_clear,
    .dealloc = deque_dealloc,
};
