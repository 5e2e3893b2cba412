/* mod_operator.c -- module _operator: the operators as functions; attrgetter, itemgetter,
 * methodcaller.
 *
 * The three types' instances never change after construction: no locks.
 */
#include "modules/static_types.h"
#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/safepoint.h"

/* -- operators -- */

#define UNARY(name, function)                                                                      \
    static Value op_##name(Thread *th, Value module, Value a)                                      \
    {                                                                                              \
        (void)module;                                                                              \
        return function(th, a);                                                                    \
    }
#define BINARY(name, expression)                                                                   \
    static Value op_##name(Thread *th, Value module, const Arg *args, size_t nargs)                \
    {                                                                                              \
        (void)module, (void)nargs, (void)th;                                                       \
        Value a = arg(args, 0), b = arg(args, 1);                                                  \
        return expression;                                                                         \
    }

UNARY(abs, number_absolute)
UNARY(index, to_index)
UNARY(invert, number_invert)
UNARY(neg, number_negative)
UNARY(pos, number_positive)

BINARY(add, number_add(th, a, b))
BINARY(sub, number_subtract(th, a, b))
BINARY(mul, number_multiply(th, a, b))
BINARY(matmul, number_matrix_multiply(th, a, b))
BINARY(truediv, number_true_divide(th, a, b))
BINARY(floordiv, number_floor_divide(th, a, b))
BINARY(mod, number_remainder(th, a, b))
BINARY(pow, number_power(th, a, b, NONE))
BINARY(lshift, number_lshift(th, a, b))
BINARY(rshift, number_rshift(th, a, b))
BINARY(and, number_and(th, a, b))
BINARY(or, number_or(th, a, b))
BINARY(xor, number_xor(th, a, b))
BINARY(iadd, number_inplace(th, a, b, BIN_ADD))
BINARY(isub, number_inplace(th, a, b, BIN_SUBTRACT))
BINARY(imul, number_inplace(th, a, b, BIN_MULTIPLY))
BINARY(imatmul, number_inplace(th, a, b, BIN_MATRIX_MULTIPLY))
BINARY(itruediv, number_inplace(th, a, b, BIN_TRUE_DIVIDE))
BINARY(ifloordiv, number_inplace(th, a, b, BIN_FLOOR_DIVIDE))
BINARY(imod, number_inplace(th, a, b, BIN_REMAINDER))
BINARY(ipow, number_inplace(th, a, b, BIN_POWER))
BINARY(ilshift, number_inplace(th, a, b, BIN_LSHIFT))
BINARY(irshift, number_inplace(th, a, b, BIN_RSHIFT))
BINARY(iand, number_inplace(th, a, b, BIN_AND))
BINARY(ior, number_inplace(th, a, b, BIN_OR))
BINARY(ixor, number_inplace(th, a, b, BIN_XOR))
BINARY(lt, compare(th, a, b, OP_LT))
BINARY(le, compare(th, a, b, OP_LE))
BINARY(eq, compare(th, a, b, OP_EQ))
BINARY(ne, compare(th, a, b, OP_NE))
BINARY(gt, compare(th, a, b, OP_GT))
BINARY(ge, compare(th, a, b, OP_GE))
BINARY(is, bool_from(a == b))
BINARY(is_not, bool_from(a != b))
BINARY(concat, sequence_concat(th, a, b))
BINARY(getitem, get_item(th, a, b))
BINARY(delitem, set_item(th, a, b, NULL) ? NONE : NULL)

static Value
op_truth(Thread *th, Value module, Value a)
{
    (void)module;
    Answer answer = is_true(th, a);
    return answer == FAILED ? NULL : bool_from(answer == YES);
}

static Value
op_not(Thread *th, Value module, Value a)
{
    (void)module;
    Answer answer = is_true(th, a);
    return answer == FAILED ? NULL : bool_from(answer == NO);
}

static Value
op_contains(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    Answer answer = contains(th, arg(args, 0), arg(args, 1));
    return answer == FAILED ? NULL : bool_from(answer == YES);
}

static Value
op_setitem(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    return set_item(th, arg(args, 0), arg(args, 1), arg(args, 2)) ? NONE : NULL;
}

static Value
op_iconcat(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    Value a = arg(args, 0), b = arg(args, 1);
    BinaryFn iconcat = SLOT(type_of(a), iconcat);
    if (iconcat != NULL)
        return iconcat(th, a, b);
    if (SLOT(type_of(a), concat) == NULL && is_sequence(a) && is_sequence(b))
        return number_inplace(th, a, b, BIN_ADD);
    return sequence_concat(th, a, b);
}

/* Walks over `a`: counts the items equal to b, or stops at the first one. -1: exception. */
static int64_t
search(Thread *th, Value a, Value b, bool count)
{
    int64_t found = 0, i = 0;
    bool hit = false;
    if (SLOT(type_of(a), iter) == NULL && !is_sequence(a)) {
        raise_type_error(th, "argument of type '%T' is not iterable", a);
        return -1;
    }
    Value it = get_iter(th, a);
    if (it == NULL)
        return -1;
    for (;; i++) {
        Value v = iter_next(th, it);
        if (v == NULL)
            break;
        Answer equal = values_equal(th, v, b);
        drop(th, v);
        if (equal == FAILED || ((i & 1023) == 1023 && !safepoint_poll(th)))
            break;
        if (equal == YES) {
            found++;
            hit = true;
            if (!count)
                break;
        }
    }
    drop(th, it);
    if (error_set(th))
        return -1;
    if (count)
        return found;
    if (hit)
        return i;
    raise_value_error(th, "sequence.index(x): x not in sequence");
    return -1;
}

static Value
op_countOf(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    int64_t n = search(th, arg(args, 0), arg(args, 1), true);
    return n < 0 ? NULL : int_from_i64(th, n);
}

static Value
op_indexOf(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    int64_t n = search(th, arg(args, 0), arg(args, 1), false);
    return n < 0 ? NULL : int_from_i64(th, n);
}

static Value
op_length_hint(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module;
    int64_t fallback = 0;
    if (nargs > 1 && !arg_ssize(th, arg(args, 1), &fallback))
        return NULL;
    if (SLOT(type_of(arg(args, 0)), length) == NULL && fallback < 0) {
        /* length_hint() says "failed" by -1: ask with another default. */
        int64_t n = length_hint(th, arg(args, 0), INT64_MAX);
        if (n < 0)
            return NULL;
        return int_from_i64(th, n == INT64_MAX ? fallback : n);
    }
    int64_t n = length_hint(th, arg(args, 0), fallback);
    return n < 0 ? NULL : int_from_i64(th, n);
}

static Value
op_call(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    (void)module;
    if (!args_count(th, "call", nargs, 1, -1))
        return NULL;
    return call(th, arg(args, 0), args + 1, nargs - 1, kwnames);
}

/* Compares all bytes of the shorter of both with no branch on their contents; the time depends on
 * the length of `b` only. */
static bool
digests_equal(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    volatile uint8_t difference = na == nb ? 0 : 1;
    const volatile uint8_t *left = na == nb ? a : b, *right = b;
    for (size_t i = 0; i < nb; i++)
        difference |= left[i] ^ right[i];
    return difference == 0;
}

static Value
op_compare_digest(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    Value a = arg(args, 0), b = arg(args, 1);
    if (is_str(a) && is_str(b)) {
        const Str *s = as_str(a), *t = as_str(b);
        if (!s->ascii || !t->ascii)
            return raise_type_error(
                th, "comparing strings with non-ASCII characters is not supported");
        return bool_from(digests_equal(s->data, s->length, t->data, t->length));
    }
    if (!has_buffer(a) && !has_buffer(b))
        return raise_type_error(
            th, "unsupported operand types(s) or combination of types: '%T' and '%T'", a, b);
    Buffer x, y;
    if (!buffer_lend(th, a, &x, BUFFER_SIMPLE))
        return NULL;
    if (!buffer_lend(th, b, &y, BUFFER_SIMPLE)) {
        buffer_release(th, &x);
        return NULL;
    }
    bool equal = digests_equal(x.data, (size_t)x.length, y.data, (size_t)y.length);
    buffer_release(th, &x);
    buffer_release(th, &y);
    return bool_from(equal);
}

/* -- what the three types share -- */

typedef struct Getter {
    struct Object head;
    Value args;   /* [const] tuple: what the constructor got */
    Value paths;  /* [const] attrgetter: a tuple of names for each; NULL else */
    Value kwargs; /* [const] methodcaller: dict, or NULL */
} Getter;

static inline Getter *
as_getter(Value v)
{
    return (Getter *)(void *)value_object(v);
}

HOLDS_VALUES(getter, Getter, args, paths, kwargs);

/* "name(arg, arg, key=value)" */
static Value
getter_repr(Thread *th, Value self)
{
    Getter *g = as_getter(self);
    Answer inside = repr_enter(th, self);
    if (inside == FAILED)
        return NULL;
    if (inside == YES)
        return str_format_c(th, "%N(...)", type_of(self));
    Value name = str_format_c(th, "%N(", type_of(self));
    StrBuilder b;
    str_builder_init(&b);
    bool ok = name != NULL && str_builder_str(th, &b, name);
    drop_null(th, name);
    int64_t n = tuple_length(g->args);
    for (int64_t i = 0; ok && i < n; i++) {
        Value text = to_repr(th, tuple_item(g->args, i));
        ok = text != NULL && (i == 0 || str_builder_ascii(th, &b, ", ", 2)) &&
             str_builder_str(th, &b, text);
        drop_null(th, text);
    }
    size_t pos = 0;
    Value key, v;
    while (ok && g->kwargs != NULL && dict_next(th, g->kwargs, &pos, &key, &v)) {
        Value text = str_format_c(th, ", %V=%R", key, v);
        ok = text != NULL && str_builder_str(th, &b, text);
        drop_null(th, text);
        drop(th, key);
        drop(th, v);
    }
    ok = ok && str_builder_char(th, &b, ')');
    repr_leave(th, self);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
getter_reduce(Thread *th, Value self)
{
    return tuple_pack(th, 2, value_of_type(type_of(self)), as_getter(self)->args);
}

/* Checks that a getter is called with one argument and no keywords. */
RAISES static inline bool
getter_argument(Thread *th, const char *name, size_t nargs, Value kwnames)
{
    if (LIKELY(nargs == 1 && kwnames == NULL))
        return true;
    return args_no_keywords(th, name, kwnames) && args_count(th, name, nargs, 1, 1);
}

/* A new instance with args[0 ..] in its tuple. */
static Value
getter_new(Thread *th, Type *type, const char *name, const Arg *args, size_t nargs, Value kwnames)
{
    if (!args_no_keywords(th, name, kwnames))
        return NULL;
    if (nargs == 0 && !args_count(th, name, nargs, 1, 1))
        return NULL;
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    as_getter(v)->args = tuple_of_args(th, args, nargs);
    if (as_getter(v)->args == NULL)
        DROP_CLEAR(th, v);
    return v;
}

/* -- itemgetter -- */

static Value
itemgetter_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    return getter_new(th, type, "itemgetter", args, nargs, kwnames);
}

static Value
itemgetter_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!getter_argument(th, "itemgetter", nargs, kwnames))
        return NULL;
    Value o = arg(args, 0), keys = as_getter(self)->args;
    int64_t n = tuple_length(keys);
    if (n == 1) {
        Value key = tuple_item(keys, 0);
        if (is_exact(o, SHAPE_TUPLE) && value_is_fixnum(key)) {
            Value v = tuple_peek(o, value_fixnum(key));
            if (v != NULL)
                return retain(th, v);
        }
        return get_item(th, o, key);
    }
    Value result = tuple_new(th, (size_t)n);
    for (int64_t i = 0; result != NULL && i < n; i++) {
        Value v = get_item(th, o, tuple_item(keys, i));
        if (v == NULL)
            DROP_CLEAR(th, result);
        else
            tuple_init_item(result, i, v);
    }
    return result;
}

/* -- attrgetter -- */

static Value
attrgetter_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    Value v = getter_new(th, type, "attrgetter", args, nargs, kwnames);
    if (v == NULL)
        return NULL;
    Value paths = tuple_new(th, nargs);
    as_getter(v)->paths = paths;
    Value dot = paths ? str_from_ascii(th, ".", 1) : NULL;
    bool ok = dot != NULL;
    for (size_t i = 0; ok && i < nargs; i++) {
        Value name = arg(args, i);
        ok = false;
        if (!is_str(name)) {
            raise_type_error(th, "attribute name must be a string");
            break;
        }
        Value parts = str_split(th, name, dot, -1);
        if (parts == NULL)
            break;
        int64_t n = list_length(parts);
        Value path = tuple_new(th, (size_t)n);
        for (int64_t k = 0; path != NULL && k < n; k++) {
            Value part = str_intern(th, list_get(th, parts, k));
            if (part == NULL)
                DROP_CLEAR(th, path);
            else
                tuple_init_item(path, k, part);
        }
        drop(th, parts);
        if (path != NULL) {
            tuple_init_item(paths, (int64_t)i, path);
            ok = true;
        }
    }
    drop_null(th, dot);
    if (!ok)
        DROP_CLEAR(th, v);
    return v;
}

static Value
attr_path_get(Thread *th, Value o, Value path)
{
    Value v = retain(th, o);
    int64_t n = tuple_length(path);
    for (int64_t i = 0; v != NULL && i < n; i++) {
        Value next = get_attr(th, v, tuple_item(path, i));
        drop(th, v);
        v = next;
    }
    return v;
}

static Value
attrgetter_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!getter_argument(th, "attrgetter", nargs, kwnames))
        return NULL;
    Value paths = as_getter(self)->paths;
    int64_t n = tuple_length(paths);
    if (n == 1)
        return attr_path_get(th, arg(args, 0), tuple_item(paths, 0));
    Value result = tuple_new(th, (size_t)n);
    for (int64_t i = 0; result != NULL && i < n; i++) {
        Value v = attr_path_get(th, arg(args, 0), tuple_item(paths, i));
        if (v == NULL)
            DROP_CLEAR(th, result);
        else
            tuple_init_item(result, i, v);
    }
    return result;
}

/* -- methodcaller -- */

static Value
methodcaller_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs == 0)
        return raise_type_error(th,
                                "methodcaller needs at least one argument, the method name");
    if (!is_str(arg(args, 0)))
        return raise_type_error(th, "method name must be a string");
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    Getter *g = as_getter(v);
    g->args = tuple_of_args(th, args, nargs);
    bool ok = g->args != NULL;
    if (ok && is_exact(arg(args, 0), SHAPE_STR)) {
        Value name = str_intern(th, retain(th, arg(args, 0)));
        ok = name != NULL;
        if (ok) {
            drop(th, tuple_item(g->args, 0));
            tuple_init_item(g->args, 0, name);
        }
    }
    int64_t nkw = kwnames ? tuple_length(kwnames) : 0;
    if (ok && nkw > 0) {
        g->kwargs = dict_new_sized(th, (size_t)nkw);
        ok = g->kwargs != NULL;
        for (int64_t i = 0; ok && i < nkw; i++)
            ok = dict_set(th, g->kwargs, tuple_item(kwnames, i), arg(args, nargs + (size_t)i));
    }
    if (!ok)
        DROP_CLEAR(th, v);
    return v;
}

static Value
methodcaller_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!getter_argument(th, "methodcaller", nargs, kwnames))
        return NULL;
    Getter *g = as_getter(self);
    Value name = tuple_item(g->args, 0), o = arg(args, 0);
    int64_t n = tuple_length(g->args) - 1;
    if (g->kwargs == NULL)
        return call_method(th, o, name, args_of(as_tuple(g->args)->items + 1), (size_t)n, NULL);
    Value method = get_attr(th, o, name);
    if (method == NULL)
        return NULL;
    Value result = NULL, positional = tuple_slice(th, g->args, 1, n + 1);
    if (positional != NULL) {
        result = call_tuple_dict(th, method, positional, g->kwargs);
        drop(th, positional);
    }
    drop(th, method);
    return result;
}

static Value
methodcaller_reduce(Thread *th, Value self)
{
    Getter *g = as_getter(self);
    if (g->kwargs == NULL)
        return getter_reduce(th, self);
    /* (functools.partial(type, name, **kwargs), args) */
    Value functools = upcalls.import_module(th, "functools"), partial = NULL, first = NULL,
          maker = NULL, rest = NULL, result = NULL;
    if (functools != NULL)
        partial = get_attr(th, functools, NAME(partial));
    if (partial != NULL)
        first = tuple_pack(th, 2, value_of_type(type_of(self)), tuple_item(g->args, 0));
    if (first != NULL)
        maker = call_tuple_dict(th, partial, first, g->kwargs);
    if (maker != NULL)
        rest = tuple_slice(th, g->args, 1, tuple_length(g->args));
    if (rest != NULL)
        result = tuple_pack(th, 2, maker, rest);
    drop_null(th, functools);
    drop_null(th, partial);
    drop_null(th, first);
    drop_null(th, maker);
    drop_null(th, rest);
    return result;
}

/* -- types and module -- */

static const MethodDef getter_methods[] = {
    NATIVE_0("__reduce__", getter_reduce, "Return state information for pickling"),
    NATIVE_END,
};

static const MethodDef methodcaller_methods[] = {
    NATIVE_0("__reduce__", methodcaller_reduce, "Return state information for pickling"),
    NATIVE_END,
};

#define GETTER_SPEC(symbol, method_table, text)                                                    \
    static Type symbol##_type;                                                                     \
    static const TypeSpec symbol##_spec = {                                                        \
        .name = "operator." #symbol,                                                               \
        .size = sizeof(Getter),                                                                    \
        .flags = TYPE_IMMUTABLE,                                                                   \
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,                                                  \
        .doc = text,                                                                               \
        .methods = method_table,                                                                   \
        .slots = {.repr = getter_repr, .call = symbol##_call, .new = symbol##_make},               \
        .visit = getter_visit,                                                                     \
        .dealloc = getter_dealloc,                                                                 \
    }

GETTER_SPEC(itemgetter, getter_methods,
            "itemgetter(item, ...) --> itemgetter object\n\n"
            "Return a callable object that fetches the given item(s) from its operand.\n"
            "After f = itemgetter(2), the call f(r) returns r[2].\n"
            "After g = itemgetter(2, 5, 3), the call g(r) returns (r[2], r[5], r[3])");
GETTER_SPEC(attrgetter, getter_methods,
            "attrgetter(attr, ...) --> attrgetter object\n\n"
            "Return a callable object that fetches the given attribute(s) from its operand.\n"
            "After f = attrgetter('name'), the call f(r) returns r.name.\n"
            "After g = attrgetter('name', 'date'), the call g(r) returns (r.name, r.date).\n"
            "After h = attrgetter('name.first', 'name.last'), the call h(r) returns\n"
            "(r.name.first, r.name.last).");
GETTER_SPEC(methodcaller, methodcaller_methods,
            "methodcaller(name, ...) --> methodcaller object\n\n"
            "Return a callable object that calls the given method on its operand.\n"
            "After f = methodcaller('name'), the call f(r) returns r.name().\n"
            "After g = methodcaller('name', 'date', foo=1), the call g(r) returns\n"
            "r.name('date', foo=1).");

static bool
operator_exec(Thread *th, Value module)
{
    static const StaticType types[] = {{&attrgetter_type, &attrgetter_spec},
                                       {&itemgetter_type, &itemgetter_spec},
                                       {&methodcaller_type, &methodcaller_spec}};
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add_type(th, module, &attrgetter_type) &&
           module_add_type(th, module, &itemgetter_type) &&
           module_add_type(th, module, &methodcaller_type);
}

#define OP_1(name, function, text)                                                                 \
    NATIVE_1(name, function, name "($module, a, /)\n--\n\n" text)
#define OP_2(name, function, text)                                                                 \
    NATIVE_N(name, function, 2, 2, name "($module, a, b, /)\n--\n\n" text)

static const MethodDef operator_methods[] = {
    OP_1("abs", op_abs, "Same as abs(a)."),
    OP_2("add", op_add, "Same as a + b."),
    OP_2("and_", op_and, "Same as a & b."),
    NATIVE_K("call", op_call,
             "call($module, obj, /, *args, **kwargs)\n--\n\nSame as obj(*args, **kwargs)."),
    OP_2("concat", op_concat, "Same as a + b, for a and b sequences."),
    OP_2("contains", op_contains, "Same as b in a (note reversed operands)."),
    OP_2("countOf", op_countOf, "Return the number of items in a which are, or which equal, b."),
    OP_2("delitem", op_delitem, "Same as del a[b]."),
    OP_2("eq", op_eq, "Same as a == b."),
    OP_2("floordiv", op_floordiv, "Same as a // b."),
    OP_2("ge", op_ge, "Same as a >= b."),
    OP_2("getitem", op_getitem, "Same as a[b]."),
    OP_2("gt", op_gt, "Same as a > b."),
    OP_2("iadd", op_iadd, "Same as a += b."),
    OP_2("iand", op_iand, "Same as a &= b."),
    OP_2("iconcat", op_iconcat, "Same as a += b, for a and b sequences."),
    OP_2("ifloordiv", op_ifloordiv, "Same as a //= b."),
    OP_2("ilshift", op_ilshift, "Same as a <<= b."),
    OP_2("imatmul", op_imatmul, "Same as a @= b."),
    OP_2("imod", op_imod, "Same as a %= b."),
    OP_2("imul", op_imul, "Same as a *= b."),
    OP_1("index", op_index, "Same as a.__index__()"),
    OP_2("indexOf", op_indexOf, "Return the first index of b in a."),
    OP_1("inv", op_invert, "Same as ~a."),
    OP_1("invert", op_invert, "Same as ~a."),
    OP_2("ior", op_ior, "Same as a |= b."),
    OP_2("ipow", op_ipow, "Same as a **= b."),
    OP_2("irshift", op_irshift, "Same as a >>= b."),
    OP_2("is_", op_is, "Same as a is b."),
    OP_2("is_not", op_is_not, "Same as a is not b."),
    OP_2("isub", op_isub, "Same as a -= b."),
    OP_2("itruediv", op_itruediv, "Same as a /= b."),
    OP_2("ixor", op_ixor, "Same as a ^= b."),
    OP_2("le", op_le, "Same as a <= b."),
    NATIVE_N("length_hint", op_length_hint, 1, 2,
             "length_hint($module, obj, default=0, /)\n--\n\n"
             "Return an estimate of the number of items in obj.\n\n"
             "This is useful for presizing containers when building from an iterable.\n\n"
             "If the object supports len(), the result will be exact.\n"
             "Otherwise, it may over- or under-estimate by an arbitrary amount.\n"
             "The result will be an integer >= 0."),
    OP_2("lshift", op_lshift, "Same as a << b."),
    OP_2("lt", op_lt, "Same as a < b."),
    OP_2("matmul", op_matmul, "Same as a @ b."),
    OP_2("mod", op_mod, "Same as a % b."),
    OP_2("mul", op_mul, "Same as a * b."),
    OP_2("ne", op_ne, "Same as a != b."),
    OP_1("neg", op_neg, "Same as -a."),
    OP_1("not_", op_not, "Same as not a."),
    OP_2("or_", op_or, "Same as a | b."),
    OP_1("pos", op_pos, "Same as +a."),
    OP_2("pow", op_pow, "Same as a ** b."),
    OP_2("rshift", op_rshift, "Same as a >> b."),
    NATIVE_N("setitem", op_setitem, 3, 3,
             "setitem($module, a, b, c, /)\n--\n\nSame as a[b] = c."),
    OP_2("sub", op_sub, "Same as a - b."),
    OP_2("truediv", op_truediv, "Same as a / b."),
    OP_1("truth", op_truth, "Return True if a is true, False otherwise."),
    OP_2("xor", op_xor, "Same as a ^ b."),
    NATIVE_N("_compare_digest", op_compare_digest, 2, 2,
             "_compare_digest($module, a, b, /)\n--\n\nReturn 'a == b'.\n\n"
             "This function uses an approach designed to prevent\n"
             "timing analysis, making it appropriate for cryptography.\n\n"
             "a and b must both be of the same type: either str (ASCII only),\n"
             "or any bytes-like object.\n\n"
             "Note: If a and b are of different lengths, or if an error occurs,\n"
             "a timing attack could theoretically reveal information about the\n"
             "types and lengths of a and b--but not their values."),
    NATIVE_END,
};

const ModuleSpec operator_module = {
    .name = "_operator",
    .doc = "Operator interface.\n\n"
           "This module exports a set of functions implemented in C corresponding\n"
           "to the intrinsic operators of Python.  For example, operator.add(x, y)\n"
           "is equivalent to the expression x+y.",
    .methods = operator_methods,
    .exec = operator_exec,
};
