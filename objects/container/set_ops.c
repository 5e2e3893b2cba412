/* set_ops.c -- union, intersection, difference, comparison of sets.
 *
 * Each reads its operands key by key without a lock and builds a new set; the in-place forms of
 * intersection then put the new contents in place of the old at once.  A key's hash is taken from
 * the set it is in.
 */
#include "objects/container/dict_priv.h"
#include "objects/container/set_priv.h"

/* An iteration over any iterable that yields keys with their hashes.  Sets and dicts know the
 * hashes; for others `it` is the iterator. */
typedef struct KeySource {
    Set *set;
    Value dict; /* counted */
    Value it;
    size_t position;
} KeySource;

RAISES static bool
source_open(Thread *th, KeySource *source, Value iterable)
{
    *source = (KeySource){0};
    if (is_any_set(iterable)) {
        source->set = as_set(iterable);
        return true;
    }
    if (is_exact(iterable, SHAPE_DICT)) {
        source->dict = retain(th, iterable);
        return true;
    }
    source->it = get_iter(th, iterable);
    if (source->it == NULL)
        return false;
    return true;
}

static Value
source_next(Thread *th, KeySource *source, int64_t *hash)
{
    Value key;
    if (source->set != NULL)
        return set_next_entry(th, source->set, &source->position, &key, hash) ? key : NULL;
    if (source->dict != NULL)
        return dict_next_entry(th, (Dict *)(void *)value_object(source->dict), &source->position,
                               &key, NULL, hash)
                   ? key
                   : NULL;
    if (!loop_poll(th, source->position++))
        return NULL;
    key = next_item(th, source->it);
    if (key != NULL && !value_hash(th, key, hash))
        DROP_CLEAR(th, key);
    return key;
}

/* Ends the iteration: whether it came to its end without an exception. */
RAISES static bool
source_close(Thread *th, KeySource *source)
{
    drop_null(th, source->it);
    drop_null(th, source->dict);
    return !error_set(th);
}

/* -- two operands -- */

/* The keys of `iterable` that are in `a`, as a set like `a` that is not yet set_filled(). */
static Value
intersection(Thread *th, Value a, Value b)
{
    if (is_any_set(b)) { /* walks over the smaller one */
        Value result = set_alloc_like(th, a);
        bool swap = a != b && set_length(b) > set_length(a);
        if (result != NULL &&
            !set_select(th, as_set(swap ? a : b), as_set(swap ? b : a), true, result))
            DROP_CLEAR(th, result);
        return result;
    }
    KeySource source;
    if (!source_open(th, &source, b))
        return NULL;
    Value result = set_alloc_like(th, a), key;
    int64_t hash;
    while (result != NULL && (key = source_next(th, &source, &hash)) != NULL) {
        Answer inside = set_lookup(th, as_set(a), key, hash);
        if (inside == YES)
            inside = set_insert(th, as_set(result), retain(th, key), hash);
        drop(th, key);
        if (inside == FAILED)
            break;
    }
    if (!source_close(th, &source) && result != NULL)
        DROP_CLEAR(th, result);
    return result;
}

/* Removes the keys of `iterable` from `a`. */
RAISES static bool
difference_update(Thread *th, Value a, Value iterable)
{
    if (a == iterable) {
        set_clear_items(th, as_set(a));
        return true;
    }
    KeySource source;
    if (!source_open(th, &source, iterable))
        return false;
    Value key;
    int64_t hash;
    while ((key = source_next(th, &source, &hash)) != NULL) {
        Answer done = set_remove_key(th, as_set(a), key, hash);
        drop(th, key);
        if (done == FAILED)
            break;
    }
    return source_close(th, &source);
}

/* A copy of `a` as a plain set or frozenset, not yet set_filled(). */
static Value
copy_like(Thread *th, Value a)
{
    Value result = set_alloc_like(th, a);
    if (result != NULL && !set_fill_copy(th, result, as_set(a), 0))
        DROP_CLEAR(th, result);
    return result;
}

/* The keys of `a` that are not in `b`, as a set like `a` that is not yet set_filled(). */
static Value
difference(Thread *th, Value a, Value b)
{
    bool is_a_set = is_any_set(b);
    if ((!is_a_set && !is_exact(b, SHAPE_DICT)) ||
        (is_a_set && set_length(a) / 4 > set_length(b))) {
        Value result = copy_like(th, a);
        if (result != NULL && !difference_update(th, result, b))
            DROP_CLEAR(th, result);
        return result;
    }
    Value result = set_alloc_like(th, a);
    if (is_a_set) {
        if (result != NULL && !set_select(th, as_set(a), as_set(b), false, result))
            DROP_CLEAR(th, result);
        return result;
    }
    size_t pos = 0;
    Value key;
    int64_t hash;
    while (result != NULL && set_next_entry(th, as_set(a), &pos, &key, &hash)) {
        Value v;
        Answer inside = dict_lookup(th, (Dict *)(void *)value_object(b), key, hash, &v);
        drop_null(th, v);
        if (inside == NO)
            inside = set_insert(th, as_set(result), retain(th, key), hash);
        drop(th, key);
        if (inside == FAILED)
            DROP_CLEAR(th, result);
    }
    return result;
}

/* Removes from `a` what is in `b`, and adds what was not there. */
RAISES static bool
symmetric_difference_update(Thread *th, Value a, Value b)
{
    if (a == b) {
        set_clear_items(th, as_set(a));
        return true;
    }
    Value other = NULL; /* each key of b counts once */
    if (!is_any_set(b) && !is_exact(b, SHAPE_DICT)) {
        other = set_from(th, b);
        if (other == NULL)
            return false;
        b = other;
    }
    KeySource source;
    bool ok = source_open(th, &source, b);
    if (ok) {
        Value key;
        int64_t hash;
        while ((key = source_next(th, &source, &hash)) != NULL) {
            Answer done = set_remove_key(th, as_set(a), key, hash);
            if (done == NO)
                done = set_insert(th, as_set(a), retain(th, key), hash);
            drop(th, key);
            if (done == FAILED)
                break;
        }
        ok = source_close(th, &source);
    }
    drop_null(th, other);
    return ok;
}

/* Whether all keys of the set `a` are in the set `b`. */
static Answer
subset(Thread *th, Value a, Value b)
{
    if (set_length(a) > set_length(b))
        return NO;
    size_t pos = 0;
    Value key;
    int64_t hash;
    Answer inside = YES;
    while (inside == YES && set_next_entry(th, as_set(a), &pos, &key, &hash)) {
        inside = set_lookup(th, as_set(b), key, hash);
        drop(th, key);
    }
    return inside;
}

static Value
answer_value(Answer answer)
{
    return answer == FAILED ? NULL : bool_from(answer == YES);
}

/* -- in place -- */

static bool
is_shared(Value v)
{
    return object_shared(value_object(v));
}

/* Computes operation(a, b) and puts it in place of the contents of `a` at once; again if another
 * thread changed `a` meanwhile. */
RAISES static bool
replace_by(Thread *th, Value a, Value b, Value (*operation)(Thread *, Value, Value))
{
    for (;;) {
        SetMark mark = set_mark(th, as_set(a));
        Value result = operation(th, a, b);
        if (result == NULL)
            return false;
        if (set_take_over(th, as_set(a), result, &mark))
            return true;
        if (!safepoint_poll(th))
            return false;
    }
}

/* Another set is taken out of a shared one at once; other iterables item by item. */
RAISES static bool
difference_in_place(Thread *th, Value a, Value b)
{
    object_touch(th, value_object(a));
    if (is_shared(a) && a != b && is_any_set(b))
        return replace_by(th, a, b, difference);
    return difference_update(th, a, b);
}

RAISES static bool
symmetric_difference_in_place(Thread *th, Value a, Value b)
{
    object_touch(th, value_object(a));
    if (is_shared(a) && a != b && is_any_set(b))
        return replace_by(th, a, b, set_symmetric_difference_method);
    return symmetric_difference_update(th, a, b);
}

/* -- comparison and operators -- */

Value
set_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_any_set(a) || !is_any_set(b))
        return NOT_IMPLEMENTED;
    int64_t na = set_length(a), nb = set_length(b);
    switch (op) {
    case OP_EQ:
    case OP_NE: {
        Answer equal = NO;
        if (na == nb) {
            int64_t ha = load_relaxed(&as_set(a)->hash), hb = load_relaxed(&as_set(b)->hash);
            if (ha == 0 || hb == 0 || ha == hb)
                equal = subset(th, a, b);
        }
        return equal == FAILED ? NULL : bool_from((equal == YES) == (op == OP_EQ));
    }
    case OP_LE: return answer_value(subset(th, a, b));
    case OP_GE: return answer_value(subset(th, b, a));
    case OP_LT: return na < nb ? answer_value(subset(th, a, b)) : FALSE;
    default: return na > nb ? answer_value(subset(th, b, a)) : FALSE;
    }
}

static bool
both_sets(Value a, Value b)
{
    return is_any_set(a) && is_any_set(b);
}

Value
set_or(Thread *th, Value a, Value b)
{
    if (!both_sets(a, b))
        return NOT_IMPLEMENTED;
    Value result = set_alloc_like(th, a);
    if (result == NULL)
        return NULL;
    size_t extra = a == b ? 0 : (size_t)set_length(b);
    if (!set_fill_copy(th, result, as_set(a), extra < 64 ? extra : 0) ||
        (extra != 0 && !set_update(th, result, b)))
        DROP_CLEAR(th, result);
    return set_filled(result);
}

Value
set_and(Thread *th, Value a, Value b)
{
    return both_sets(a, b) ? set_filled(intersection(th, a, b)) : NOT_IMPLEMENTED;
}

Value
set_subtract(Thread *th, Value a, Value b)
{
    return both_sets(a, b) ? set_filled(difference(th, a, b)) : NOT_IMPLEMENTED;
}

Value
set_xor(Thread *th, Value a, Value b)
{
    return both_sets(a, b) ? set_symmetric_difference_method(th, a, b) : NOT_IMPLEMENTED;
}

Value
set_ior(Thread *th, Value a, Value b)
{
    if (!is_any_set(b))
        return NOT_IMPLEMENTED;
    return set_update(th, a, b) ? retain(th, a) : NULL;
}

Value
set_iand(Thread *th, Value a, Value b)
{
    if (!is_any_set(b))
        return NOT_IMPLEMENTED;
    return replace_by(th, a, b, intersection) ? retain(th, a) : NULL;
}

Value
set_isubtract(Thread *th, Value a, Value b)
{
    if (!is_any_set(b))
        return NOT_IMPLEMENTED;
    return difference_in_place(th, a, b) ? retain(th, a) : NULL;
}

Value
set_ixor(Thread *th, Value a, Value b)
{
    if (!is_any_set(b))
        return NOT_IMPLEMENTED;
    return symmetric_difference_in_place(th, a, b) ? retain(th, a) : NULL;
}

/* -- methods -- */

Value
set_union_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value result = copy_like(th, self);
    for (size_t i = 0; result != NULL && i < nargs; i++) {
        if (arg(args, i) != self && !set_update(th, result, arg(args, i)))
            DROP_CLEAR(th, result);
    }
    return set_filled(result);
}

Value
set_intersection_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 0)
        return set_filled(copy_like(th, self));
    Value result = retain(th, self);
    for (size_t i = 0; result != NULL && i < nargs; i++) {
        Value next = intersection(th, result, arg(args, i));
        drop(th, result);
        result = set_filled(next);
    }
    return result;
}

Value
set_difference_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 0)
        return set_filled(copy_like(th, self));
    Value result = difference(th, self, arg(args, 0));
    for (size_t i = 1; result != NULL && i < nargs; i++) {
        if (!difference_update(th, result, arg(args, i)))
            DROP_CLEAR(th, result);
    }
    return set_filled(result);
}

Value
set_symmetric_difference_method(Thread *th, Value self, Value other)
{
    Value result = set_alloc_like(th, self);
    if (result == NULL)
        return NULL;
    if (!set_update(th, result, other) || !symmetric_difference_update(th, result, self))
        DROP_CLEAR(th, result);
    return set_filled(result);
}

Value
set_update_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    for (size_t i = 0; i < nargs; i++) {
        if (!set_update(th, self, arg(args, i)))
            return NULL;
    }
    return NONE;
}

Value
set_intersection_update_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    object_touch(th, value_object(self));
    if (is_shared(self) || load_relaxed(&threads_started) != 0) {
        for (size_t i = 0; i < nargs; i++) {
            Value other = arg(args, i);
            other = is_any_set(other) ? retain(th, other) : set_from(th, other);
            bool ok = other != NULL && replace_by(th, self, other, intersection);
            drop_null(th, other);
            if (!ok)
                return NULL;
        }
        return NONE;
    }
    SetMark mark = set_mark(th, as_set(self));
    Value result = set_intersection_method(th, self, args, nargs);
    if (result == NULL)
        return NULL;
    retain(th, result);
    bool ok = set_take_over(th, as_set(self), result, &mark) ||
              replace_by(th, self, result, intersection); /* other threads have started meanwhile */
    drop(th, result);
    return ok ? NONE : NULL;
}

Value
set_difference_update_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    for (size_t i = 0; i < nargs; i++) {
        if (!difference_in_place(th, self, arg(args, i)))
            return NULL;
    }
    return NONE;
}

Value
set_symmetric_difference_update_method(Thread *th, Value self, Value other)
{
    return symmetric_difference_in_place(th, self, other) ? NONE : NULL;
}

Value
set_issubset_method(Thread *th, Value self, Value other)
{
    if (is_any_set(other))
        return answer_value(subset(th, self, other));
    Value common = intersection(th, self, other);
    if (common == NULL)
        return NULL;
    bool all = set_length(common) == set_length(self);
    drop(th, common);
    return bool_from(all);
}

Value
set_issuperset_method(Thread *th, Value self, Value other)
{
    if (is_any_set(other))
        return answer_value(subset(th, other, self));
    KeySource source;
    if (!source_open(th, &source, other))
        return NULL;
    Answer inside = YES;
    Value key;
    int64_t hash;
    while (inside == YES && (key = source_next(th, &source, &hash)) != NULL) {
        inside = set_lookup(th, as_set(self), key, hash);
        drop(th, key);
    }
    return source_close(th, &source) ? bool_from(inside == YES) : NULL;
}

Value
set_isdisjoint_method(Thread *th, Value self, Value other)
{
    if (self == other)
        return bool_from(set_length(self) == 0);
    if (is_any_set(other) && set_length(other) > set_length(self)) {
        Value swap = self;
        self = other;
        other = swap;
    }
    KeySource source;
    if (!source_open(th, &source, other))
        return NULL;
    Answer inside = NO;
    Value key;
    int64_t hash;
    while (inside == NO && (key = source_next(th, &source, &hash)) != NULL) {
        inside = set_lookup(th, as_set(self), key, hash);
        drop(th, key);
    }
    return source_close(th, &source) ? bool_from(inside == NO) : NULL;
}
