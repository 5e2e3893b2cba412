/* tuple.c -- tuple: an immutable array of Values behind the header.
 *
 * Invariants: `length` and the items never change after publication (tuple_new() returns an
 * unpublished tuple whose items are NULL; visit() skips those, and searches of the heap the tuple).  Readers need no lock and no
 * marks: whoever holds the tuple may take references to its items.
 */
#include <stdarg.h>

#include "objects/container/container_priv.h"

static Tuple empty_object __attribute__((aligned(16))) = {.head = STATIC_OBJECT(SHAPE_TUPLE)};
Value tuple_empty = (Value)(void *)&empty_object;

/* -- making tuples -- */

Value
tuple_new(Thread *th, size_t n)
{
    if (n == 0)
        return tuple_empty;
    if (UNLIKELY(n > ITEMS_MAX))
        return raise_memory(th);
    Object *o = object_new_kind(th, SHAPE_TUPLE, sizeof(Tuple) + n * sizeof(Value), true);
    if (UNLIKELY(o == NULL))
        return NULL;
    ((Tuple *)(void *)o)->length = (int64_t)n;
    return value_of(o);
}

/* tuple_new() with items that are not set: the caller does it at once. */
RAISES static inline Value
tuple_bare(Thread *th, size_t n)
{
    if (n == 0)
        return tuple_empty;
    if (UNLIKELY(n > ITEMS_MAX))
        return raise_memory(th);
    Object *o = object_new_bare(th, SHAPE_TUPLE, sizeof(Tuple) + n * sizeof(Value), true);
    if (UNLIKELY(o == NULL))
        return NULL;
    ((Tuple *)(void *)o)->length = (int64_t)n;
    return value_of(o);
}

Value
tuple_of(Thread *th, const Value *items, size_t n)
{
    Value t = tuple_bare(th, n);
    if (UNLIKELY(t == NULL))
        return NULL;
    for (size_t i = 0; i < n; i++)
        as_tuple(t)->items[i] = retain(th, items[i]);
    return t;
}

Value
tuple_of_taken(Thread *th, const Value *items, size_t n)
{
    Value t = tuple_bare(th, n);
    for (size_t i = 0; i < n; i++) {
        if (LIKELY(t != NULL))
            as_tuple(t)->items[i] = items[i];
        else
            drop(th, items[i]);
    }
    return t;
}

void
tuple_exchange(Thread *th, Value t, int64_t at, Value *items, size_t n)
{
    Value *slots = as_tuple(t)->items + at;
    for (size_t i = 0; i < n; i++) {
        Value old = slots[i];
        slots[i] = items[i];
        items[i] = old;
    }
    for (size_t i = 0; i < n; i++)
        drop(th, items[i]);
}

bool
container_filling(Object *o)
{
    Value v = value_of(o);
    if (is_instance_of(v, &frozenset_type))
        return object_bits(o) & FROZENSET_FILLING;
    if (!is_instance_of(v, &tuple_type))
        return false;
    for (int64_t i = 0; i < tuple_length(v); i++)
        if (tuple_item(v, i) == NULL)
            return true;
    return false;
}

Value
tuple_of_args(Thread *th, const Arg *args, size_t n)
{
    Value t = tuple_bare(th, n);
    if (t == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        as_tuple(t)->items[i] = retain(th, arg(args, i));
    return t;
}

Value
tuple_pack(Thread *th, size_t n, ...)
{
    Value t = tuple_bare(th, n);
    if (t == NULL)
        return NULL;
    va_list ap;
    va_start(ap, n);
    for (size_t i = 0; i < n; i++)
        as_tuple(t)->items[i] = retain(th, va_arg(ap, Value));
    va_end(ap);
    return t;
}

Value
tuple_slice(Thread *th, Value t, int64_t start, int64_t end)
{
    int64_t length = tuple_length(t);
    if (start < 0)
        start = 0;
    if (end > length)
        end = length;
    if (end <= start)
        return tuple_empty;
    if (start == 0 && end == length && is_exact(t, SHAPE_TUPLE))
        return retain(th, t);
    return tuple_of(th, as_tuple(t)->items + start, (size_t)(end - start));
}

/* -- operations -- */

static Value
tuple_repr(Thread *th, Value self)
{
    int64_t n = tuple_length(self);
    if (n == 0)
        return str_from_ascii(th, "()", 2);
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "(...)", 5) : NULL;
    StrBuilder b;
    str_builder_init(&b);
    if (!str_builder_char(th, &b, '('))
        goto fail;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && !str_builder_ascii(th, &b, ", ", 2))
            goto fail;
        Value text = to_repr(th, tuple_item(self, i));
        if (text == NULL)
            goto fail;
        bool ok = str_builder_str(th, &b, text);
        drop(th, text);
        if (!ok)
            goto fail;
    }
    if (!str_builder_ascii(th, &b, ",)", n == 1 ? 2 : 0) ||
        (n > 1 && !str_builder_char(th, &b, ')')))
        goto fail;
    repr_leave(th, self);
    return str_builder_finish(th, &b);
fail:
    repr_leave(th, self);
    str_builder_free(&b);
    return NULL;
}

/* Combines the items' hashes as xxHash combines lanes: multiply, rotate, multiply. */
static bool
tuple_hash(Thread *th, Value self, int64_t *hash)
{
    const uint64_t prime1 = 11400714785074694791u;
    const uint64_t prime2 = 14029467366897019727u;
    const uint64_t prime5 = 2870177450012600261u;
    uint64_t sum = prime5;
    int64_t n = tuple_length(self);
    for (int64_t i = 0; i < n; i++) {
        int64_t lane;
        if (!value_hash(th, tuple_item(self, i), &lane))
            return false;
        sum += (uint64_t)lane * prime2;
        sum = (sum << 31) | (sum >> 33);
        sum *= prime1;
    }
    sum += (uint64_t)n ^ (prime5 ^ 3527539u);
    *hash = (int64_t)sum == -1 ? 1546275796 : (int64_t)sum;
    return true;
}

static Value
tuple_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_tuple(a) || !is_tuple(b))
        return NOT_IMPLEMENTED;
    if (thread_stack_low(th))
        return raise_recursion(th, " in comparison");
    int64_t na = tuple_length(a), nb = tuple_length(b);
    int64_t common = na < nb ? na : nb;
    for (int64_t i = 0; i < common; i++) {
        Value x = tuple_item(a, i), y = tuple_item(b, i);
        Answer equal = items_equal(th, x, y);
        if (equal == YES)
            continue;
        if (equal == FAILED)
            return NULL;
        if (op == OP_EQ || op == OP_NE)
            return bool_from(op == OP_NE);
        return compare(th, x, y, op);
    }
    switch (op) {
    case OP_LT: return bool_from(na < nb);
    case OP_LE: return bool_from(na <= nb);
    case OP_EQ: return bool_from(na == nb);
    case OP_NE: return bool_from(na != nb);
    case OP_GT: return bool_from(na > nb);
    default: return bool_from(na >= nb);
    }
}

static int64_t
tuple_length_slot(Thread *th, Value self)
{
    (void)th;
    return tuple_length(self);
}

static Value
tuple_item_slot(Thread *th, Value self, int64_t i)
{
    if (i < 0 || i >= tuple_length(self))
        return raise_error(th, &exc_IndexError, "tuple index out of range");
    return retain(th, tuple_item(self, i));
}

Value
tuple_slice_step(Thread *th, Value self, int64_t start, int64_t stop, int64_t step)
{
    int64_t n = slice_adjust(tuple_length(self), &start, &stop, step);
    if (step == 1)
        return tuple_slice(th, self, start, start + n);
    if (n <= 0)
        return tuple_empty;
    Value t = tuple_bare(th, (size_t)n);
    if (t == NULL)
        return NULL;
    for (int64_t i = 0; i < n; i++, start += step)
        as_tuple(t)->items[i] = retain(th, tuple_item(self, start));
    return t;
}

static Value
tuple_getitem(Thread *th, Value self, Value key)
{
    if (LIKELY(is_index(key))) {
        int64_t i;
        if (!index_value(th, key, &i))
            return NULL;
        if (i < 0)
            i += tuple_length(self);
        return tuple_item_slot(th, self, i);
    }
    if (!is_slice(key))
        return raise_type_error(th, "tuple indices must be integers or slices, not %T", key);
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step))
        return NULL;
    return tuple_slice_step(th, self, start, stop, step);
}

static Answer
tuple_contains(Thread *th, Value self, Value item)
{
    int64_t n = tuple_length(self);
    for (int64_t i = 0; i < n; i++) {
        Answer equal = items_equal(th, tuple_item(self, i), item);
        if (equal != NO)
            return equal;
    }
    return NO;
}

static Value
tuple_concat(Thread *th, Value a, Value b)
{
    if (!is_tuple(a) || !is_tuple(b)) {
        if (!is_tuple(a))
            return NOT_IMPLEMENTED;
        return raise_type_error(th, "can only concatenate tuple (not \"%T\") to tuple", b);
    }
    size_t na = (size_t)tuple_length(a), nb = (size_t)tuple_length(b);
    if (na == 0 && is_exact(b, SHAPE_TUPLE))
        return retain(th, b);
    if (nb == 0 && is_exact(a, SHAPE_TUPLE))
        return retain(th, a);
    Value t = tuple_bare(th, na + nb);
    if (t == NULL || na + nb == 0)
        return t;
    for (size_t i = 0; i < na; i++)
        as_tuple(t)->items[i] = retain(th, as_tuple(a)->items[i]);
    for (size_t i = 0; i < nb; i++)
        as_tuple(t)->items[na + i] = retain(th, as_tuple(b)->items[i]);
    return t;
}

static Value
tuple_repeat(Thread *th, Value self, int64_t count)
{
    size_t n = (size_t)tuple_length(self);
    if ((n == 0 || count == 1) && is_exact(self, SHAPE_TUPLE))
        return retain(th, self);
    if (n == 0 || count <= 0)
        return tuple_empty;
    if ((size_t)count > ITEMS_MAX / n)
        return raise_memory(th);
    size_t total = n * (size_t)count;
    Value t = tuple_new(th, total);
    if (t == NULL)
        return NULL;
    Value *items = as_tuple(t)->items;
    for (size_t i = 0; i < n; i++) {
        Value v = tuple_item(self, (int64_t)i);
        retain_many(th, v, (size_t)count);
        items[i] = v;
    }
    for (size_t done = n; done < total;) {
        size_t chunk = done < total - done ? done : total - done;
        memcpy(items + done, items, chunk * sizeof(Value));
        done += chunk;
    }
    return t;
}

/* -- construction from Python -- */

static Value
tuple_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (UNLIKELY(kwnames != NULL) && (type == &tuple_type || SLOT(type, init) == SLOT(&object_type, init)) &&
        !args_no_keywords(th, "tuple", kwnames))
        return NULL;
    if (!args_count(th, "tuple", nargs, 0, 1))
        return NULL;
    if (nargs == 0 && type == &tuple_type)
        return tuple_empty;
    Value plain = nargs ? sequence_tuple(th, arg(args, 0)) : tuple_empty;
    if (plain == NULL || type == &tuple_type)
        return plain;
    size_t n = (size_t)tuple_length(plain);
    Value t = type_alloc(th, type, n);
    if (t != NULL) {
        as_tuple(t)->length = (int64_t)n;
        for (size_t i = 0; i < n; i++)
            as_tuple(t)->items[i] = retain(th, as_tuple(plain)->items[i]);
    }
    drop(th, plain);
    return t;
}

/* -- methods -- */

static Value
tuple_getnewargs(Thread *th, Value self)
{
    Value plain = tuple_of(th, as_tuple(self)->items, (size_t)tuple_length(self));
    if (plain == NULL)
        return NULL;
    Value result = tuple_pack(th, 1, plain);
    drop(th, plain);
    return result;
}

static Value
tuple_index(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t n = tuple_length(self), start = 0, stop = INT64_MAX;
    if (nargs > 1 && !index_bound(th, arg(args, 1), &start))
        return NULL;
    if (nargs > 2 && !index_bound(th, arg(args, 2), &stop))
        return NULL;
    if (start < 0 && (start += n) < 0)
        start = 0;
    if (stop < 0 && (stop += n) < 0)
        stop = 0;
    for (int64_t i = start; i < stop && i < n; i++) {
        Answer equal = items_equal(th, tuple_item(self, i), arg(args, 0));
        if (equal == FAILED)
            return NULL;
        if (equal == YES)
            return value_from_fixnum(i);
    }
    return raise_value_error(th, "tuple.index(x): x not in tuple");
}

static Value
tuple_count(Thread *th, Value self, Value item)
{
    int64_t n = tuple_length(self), found = 0;
    for (int64_t i = 0; i < n; i++) {
        Answer equal = items_equal(th, tuple_item(self, i), item);
        if (equal == FAILED)
            return NULL;
        found += equal;
    }
    return value_from_fixnum(found);
}

/* -- memory -- */

static void
tuple_visit(Object *o, VisitFn visit, void *arg)
{
    Tuple *t = (Tuple *)(void *)o;
    for (int64_t i = 0; i < t->length; i++)
        value_visit(t->items[i], visit, arg);
}

static void
tuple_dealloc(Thread *th, Object *o)
{
    Tuple *t = (Tuple *)(void *)o;
    for (int64_t i = t->length; --i >= 0;)
        drop_null(th, t->items[i]);
}

static const MethodDef tuple_methods[] = {
    NATIVE_0("__getnewargs__", tuple_getnewargs, "__getnewargs__($self, /)\n--\n\n"),
    NATIVE_N("index", tuple_index, 1, 3,
             "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
             "Return first index of value.\n\nRaises ValueError if the value is not present."),
    NATIVE_1("count", tuple_count,
             "count($self, value, /)\n--\n\nReturn number of occurrences of value."),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type tuple_type;
const TypeSpec tuple_spec = {
    .name = "tuple",
    .size = sizeof(Tuple),
    .item_size = sizeof(Value),
    .flags = TYPE_BASE | TYPE_SEQUENCE | TYPE_TUPLE_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .doc = "tuple(iterable=(), /)\n--\n\n"
           "Built-in immutable sequence.\n\n"
           "If no argument is given, the constructor returns an empty tuple.\n"
           "If iterable is specified the tuple is initialized from iterable's items.\n\n"
           "If the argument is a tuple, the return value is the same object.",
    .methods = tuple_methods,
    .slots = {
        .repr = tuple_repr,
        .hash = tuple_hash,
        .compare = tuple_compare,
        .iter = tuple_iter_new,
        .new = tuple_make,
        .length = tuple_length_slot,
        .getitem = tuple_getitem,
        .item = tuple_item_slot,
        .contains = tuple_contains,
        .concat = tuple_concat,
        .repeat = tuple_repeat,
    },
    .visit = tuple_visit,
    .dealloc = tuple_dealloc,
};
