/* weakref_type.c -- weakref.ref and the two proxies, as Python sees them.
 *
 * All three are a WeakCell (gc/weakref.h) first.  A plain reference without callback is
 * shared by all who ask for one; the same goes for proxies.  The hash of a reference is
 * its referent's, kept for when that is gone.  A proxy hands every operation on to its
 * referent, counted for as long as the operation runs.
 *
 * Locks: those of gc/weakref.c; none is held here.
 */
#include "objects/model/model.h"

#include "gc/weakref.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

typedef struct WeakRef {
    WeakCell cell;
    ATOMIC(int64_t) hash; /* of the referent; -1 until asked for */
} WeakRef;

static inline WeakRef *
as_weakref(Value v)
{
    return (WeakRef *)(void *)value_object(v);
}

/* Whether there may be weak references to `v`; TypeError otherwise. */
static bool
check_referent(Thread *th, Value v)
{
    if (value_is_object(v) && value_has_flag(v, TYPE_WEAKREFS))
        return true;
    raise_type_error(th, "cannot create weak reference to '%T' object", v);
    return false;
}

/* A new cell of `type`, linked; callback NULL: none. */
static Value
cell_make(Thread *th, Type *type, Value referent, Value callback)
{
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    WeakRef *w = as_weakref(v);
    plain_store(&w->hash, -1); /* not published yet */
    field_init(&w->cell.callback, retain_null(th, callback));
    w->cell.rank = callback || (type_flags(type) & TYPE_HEAP) ? WEAK_OTHER
                   : type == &weakref_type                    ? WEAK_PLAIN_REF
                                                              : WEAK_PLAIN_PROXY;
    if (!weak_cell_link(th, &w->cell, value_object(referent))) {
        drop(th, v);
        return NULL;
    }
    return v;
}

/* A shared cell if there is one, else a new one. */
static Value
cell_get(Thread *th, Type *type, Value referent, Value callback)
{
    if (!check_referent(th, referent))
        return NULL;
    if (callback == NONE)
        callback = NULL;
    if (callback == NULL && (type_flags(type) & TYPE_HEAP) == 0) {
        Value shared = weak_cell_reuse(th, value_object(referent), type->root_shape);
        if (shared != NULL)
            return shared;
    }
    return cell_make(th, type, referent, callback);
}

static void
run_callback(Thread *th, Value cell, Value callback)
{
    Value saved = error_take(th);
    Value r = call_1(th, callback, cell);
    if (r == NULL)
        error_unraisable(th, NULL, callback);
    else
        drop(th, r);
    error_restore(th, saved);
}

Value
weakref_new(Thread *th, Value referent, Value callback)
{
    return cell_get(th, &weakref_type, referent, callback);
}

Value
weakproxy_new(Thread *th, Value referent, Value callback)
{
    Type *type = is_callable(referent) == YES ? &weakcallableproxy_type : &weakproxy_type;
    return cell_get(th, type, referent, callback);
}

Value
weakref_get(Thread *th, Value ref)
{
    return weak_cell_get(th, &as_weakref(ref)->cell);
}

/* -- memory -- */

static void
cell_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((WeakRef *)(void *)o)->cell.callback, visit, arg);
}

static void
cell_clear(Thread *th, Object *o)
{
    WeakRef *w = (WeakRef *)(void *)o;
    weak_cell_unlink(th, &w->cell);
    field_replace(th, o, &w->cell.callback, NULL);
}

static void
cell_dealloc(Thread *th, Object *o)
{
    WeakRef *w = (WeakRef *)(void *)o;
    weak_cell_unlink(th, &w->cell);
    field_drop(th, &w->cell.callback);
}

/* -- weakref.ref -- */

static Value
ref_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)kwnames; /* refused by __init__, unless a subclass takes them */
    if (!args_count(th, "__new__", nargs, 1, 2))
        return NULL;
    return cell_get(th, type, arg(args, 0), nargs > 1 ? arg(args, 1) : NULL);
}

static bool
ref_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    (void)args;
    return args_no_keywords(th, "ref", kwnames) && args_count(th, "__init__", nargs, 1, 2);
}

static Value
ref_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    if (!args_no_keywords(th, "weakref", kwnames) || !args_count(th, "weakref", nargs, 0, 0))
        return NULL;
    Value v = weakref_get(th, self);
    return v ? v : NONE;
}

static bool
ref_hash(Thread *th, Value self, int64_t *hash)
{
    WeakRef *w = as_weakref(self);
    *hash = load_relaxed(&w->hash);
    if (*hash != -1)
        return true;
    Value v = weakref_get(th, self);
    if (v == NULL) {
        raise_type_error(th, "weak object has gone away");
        return false;
    }
    bool ok = to_hash(th, v, hash);
    drop(th, v);
    if (ok)
        store_relaxed(&w->hash, *hash);
    return ok;
}

static Value
ref_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_instance_of(a, &weakref_type) ||
        !is_instance_of(b, &weakref_type))
        return NOT_IMPLEMENTED;
    Value x = weakref_get(th, a);
    Value y = weakref_get(th, b);
    Value r;
    if (x != NULL && y != NULL)
        r = compare(th, x, y, op);
    else
        r = bool_from((a == b) == (op == OP_EQ));
    drop_null(th, x);
    drop_null(th, y);
    return r;
}

static Value
ref_repr(Thread *th, Value self)
{
    Value v = weakref_get(th, self);
    if (v == NULL)
        return str_format_c(th, "<weakref at %p; dead>", (void *)self);
    Value name;
    Answer has = get_attr_optional(th, v, NAME(__name__), &name);
    if (has == FAILED) {
        drop(th, v);
        return NULL;
    }
    Value r = has == YES && is_str(name) ?
                  str_format_c(th, "<weakref at %p; to '%T' at %p (%V)>", (void *)self, v,
                               (void *)v, name) :
                  str_format_c(th, "<weakref at %p; to '%T' at %p>", (void *)self, v, (void *)v);
    if (has == YES)
        drop(th, name);
    drop(th, v);
    return r;
}

static Value
get_callback(Thread *th, Value self, void *closure)
{
    (void)closure;
    WeakRef *w = as_weakref(self);
    /* What a dead referent's callback was is nobody's business any more. */
    if (load_acquire(&w->cell.referent) == NULL) /* pairs with the stores in gc/weakref.c */
        return NONE;
    Value v = field_read(th, &w->cell.head, &w->cell.callback);
    return v ? v : NONE;
}

static Value
ref_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

static const MethodDef ref_methods[] = {
    {.name = "__class_getitem__", .f1 = ref_class_getitem, .flags = METHOD_1 | METHOD_CLASS,
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

static const GetterDef ref_getters[] = {
    {"__callback__", get_callback, NULL, NULL, NULL},
    {.name = NULL},
};

Type weakref_type;
const TypeSpec weakref_spec = {
    .name = "weakref.ReferenceType",
    .size = sizeof(WeakRef),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .methods = ref_methods,
    .getters = ref_getters,
    .slots = {.repr = ref_repr,
              .hash = ref_hash,
              .call = ref_call,
              .compare = ref_compare,
              .init = ref_init,
              .new = ref_new},
    .visit = cell_visit,
    .clear = cell_clear,
    .dealloc = cell_dealloc,
};

/* -- proxies -- */

static bool
is_proxy(Value v)
{
    return is_exact(v, SHAPE_WEAKPROXY) || is_exact(v, SHAPE_WEAKCALLABLEPROXY);
}

/* What a proxy stands for, other values as they are: a new reference; NULL with
 * ReferenceError. */
static Value
unwrap(Thread *th, Value v)
{
    if (!is_proxy(v))
        return retain(th, v);
    Value referent = weakref_get(th, v);
    if (referent == NULL)
        return raise_error(th, &exc_ReferenceError, "weakly-referenced object no longer exists");
    return referent;
}

#define PROXY_UNARY(name, operation)                                           \
    static Value proxy_##name(Thread *th, Value self)                          \
    {                                                                          \
        Value v = unwrap(th, self);                                            \
        if (v == NULL)                                                         \
            return NULL;                                                       \
        Value r = operation(th, v);                                            \
        drop(th, v);                                                           \
        return r;                                                              \
    }

/* Both operands, counted; false with ReferenceError. */
static bool
unwrap_two(Thread *th, Value a, Value b, Value *x, Value *y)
{
    *x = unwrap(th, a);
    if (*x == NULL)
        return false;
    *y = unwrap(th, b);
    if (*y == NULL) {
        drop(th, *x);
        return false;
    }
    return true;
}

#define PROXY_BINARY(name, operation, ...)                                     \
    static Value proxy_##name(Thread *th, Value a, Value b)                    \
    {                                                                          \
        Value x, y;                                                            \
        if (!unwrap_two(th, a, b, &x, &y))                                     \
            return NULL;                                                       \
        Value r = operation(th, x, y __VA_OPT__(, ) __VA_ARGS__);              \
        drop(th, x);                                                           \
        drop(th, y);                                                           \
        return r;                                                              \
    }

PROXY_UNARY(str, to_str)
PROXY_UNARY(negative, number_negative)
PROXY_UNARY(positive, number_positive)
PROXY_UNARY(absolute, number_absolute)
PROXY_UNARY(invert, number_invert)
PROXY_UNARY(to_int, number_to_int)
PROXY_UNARY(to_float, number_to_float)
PROXY_UNARY(index, to_index)
PROXY_UNARY(iter, get_iter)
PROXY_UNARY(bytes, to_bytes)

PROXY_BINARY(add, number_add)
PROXY_BINARY(subtract, number_subtract)
PROXY_BINARY(multiply, number_multiply)
PROXY_BINARY(remainder, number_remainder)
PROXY_BINARY(divmod, number_divmod)
PROXY_BINARY(lshift, number_lshift)
PROXY_BINARY(rshift, number_rshift)
PROXY_BINARY(and, number_and)
PROXY_BINARY(xor, number_xor)
PROXY_BINARY(or, number_or)
PROXY_BINARY(floor_divide, number_floor_divide)
PROXY_BINARY(true_divide, number_true_divide)
PROXY_BINARY(matrix_multiply, number_matrix_multiply)
PROXY_BINARY(iadd, number_inplace, BIN_ADD)
PROXY_BINARY(isubtract, number_inplace, BIN_SUBTRACT)
PROXY_BINARY(imultiply, number_inplace, BIN_MULTIPLY)
PROXY_BINARY(iremainder, number_inplace, BIN_REMAINDER)
PROXY_BINARY(ilshift, number_inplace, BIN_LSHIFT)
PROXY_BINARY(irshift, number_inplace, BIN_RSHIFT)
PROXY_BINARY(iand, number_inplace, BIN_AND)
PROXY_BINARY(ixor, number_inplace, BIN_XOR)
PROXY_BINARY(ior, number_inplace, BIN_OR)
PROXY_BINARY(ifloor_divide, number_inplace, BIN_FLOOR_DIVIDE)
PROXY_BINARY(itrue_divide, number_inplace, BIN_TRUE_DIVIDE)
PROXY_BINARY(imatrix_multiply, number_inplace, BIN_MATRIX_MULTIPLY)
PROXY_BINARY(getattr, get_attr)
PROXY_BINARY(getitem, get_item)

static Value
proxy_power(Thread *th, Value a, Value b, Value c)
{
    Value x, y;
    if (!unwrap_two(th, a, b, &x, &y))
        return NULL;
    Value z = unwrap(th, c);
    Value r = z ? number_power(th, x, y, z) : NULL;
    drop(th, x);
    drop(th, y);
    drop_null(th, z);
    return r;
}

static Value
proxy_ipower(Thread *th, Value a, Value b, Value c)
{
    (void)c;
    Value x, y;
    if (!unwrap_two(th, a, b, &x, &y))
        return NULL;
    Value r = number_inplace(th, x, y, BIN_POWER);
    drop(th, x);
    drop(th, y);
    return r;
}

static Value
proxy_compare(Thread *th, Value a, Value b, int op)
{
    Value x, y;
    if (!unwrap_two(th, a, b, &x, &y))
        return NULL;
    Value r = compare(th, x, y, op);
    drop(th, x);
    drop(th, y);
    return r;
}

static Value
proxy_repr(Thread *th, Value self)
{
    Value v = weakref_get(th, self);
    Value shown = v ? v : NONE;
    Value r = str_format_c(th, "<weakproxy at %p to %T at %p>", (void *)self, shown,
                           (void *)shown);
    drop_null(th, v);
    return r;
}

static Answer
proxy_truth(Thread *th, Value self)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return FAILED;
    Answer answer = is_true(th, v);
    drop(th, v);
    return answer;
}

static bool
proxy_setattr(Thread *th, Value self, Value name, Value value)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return false;
    bool ok = set_attr(th, v, name, value);
    drop(th, v);
    return ok;
}

static bool
proxy_setitem(Thread *th, Value self, Value key, Value value)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return false;
    bool ok = set_item(th, v, key, value);
    drop(th, v);
    return ok;
}

static int64_t
proxy_length(Thread *th, Value self)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return -1;
    int64_t n = length_of(th, v);
    drop(th, v);
    return n;
}

static Answer
proxy_contains(Thread *th, Value self, Value item)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return FAILED;
    Answer answer = contains(th, v, item);
    drop(th, v);
    return answer;
}

static Value
proxy_next(Thread *th, Value self)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return NULL;
    Value r;
    if (is_iterator(v))
        r = iter_next(th, v);
    else
        r = raise_type_error(th, "Weakref proxy referenced a non-iterator '%T' object", v);
    drop(th, v);
    return r;
}

static Value
proxy_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return NULL;
    Value r = call(th, v, args, nargs, kwnames);
    drop(th, v);
    return r;
}

static Value
proxy_reversed(Thread *th, Value self)
{
    Value v = unwrap(th, self);
    if (v == NULL)
        return NULL;
    Value r = call_method_0(th, v, NAME(__reversed__));
    drop(th, v);
    return r;
}

static const MethodDef proxy_methods[] = {
    NATIVE_0("__bytes__", proxy_bytes, NULL),
    NATIVE_0("__reversed__", proxy_reversed, NULL),
    NATIVE_END,
};

#define PROXY_SLOTS                                                            \
    .repr = proxy_repr, .str = proxy_str, .hash = hash_unhashable,             \
    .getattr = proxy_getattr, .setattr = proxy_setattr,                        \
    .compare = proxy_compare, .iter = proxy_iter, .next = proxy_next,          \
    .add = proxy_add, .subtract = proxy_subtract, .multiply = proxy_multiply,  \
    .remainder = proxy_remainder, .divmod = proxy_divmod,                      \
    .power = proxy_power, .negative = proxy_negative,                          \
    .positive = proxy_positive, .absolute = proxy_absolute,                    \
    .truth = proxy_truth, .invert = proxy_invert, .lshift = proxy_lshift,      \
    .rshift = proxy_rshift, .and_ = proxy_and, .xor_ = proxy_xor,              \
    .or_ = proxy_or, .to_int = proxy_to_int, .to_float = proxy_to_float,       \
    .index = proxy_index, .iadd = proxy_iadd, .isubtract = proxy_isubtract,    \
    .imultiply = proxy_imultiply, .iremainder = proxy_iremainder,              \
    .ipower = proxy_ipower, .ilshift = proxy_ilshift,                          \
    .irshift = proxy_irshift, .iand = proxy_iand, .ixor = proxy_ixor,          \
    .ior = proxy_ior, .floor_divide = proxy_floor_divide,                      \
    .true_divide = proxy_true_divide,                                          \
    .ifloor_divide = proxy_ifloor_divide,                                      \
    .itrue_divide = proxy_itrue_divide,                                        \
    .matrix_multiply = proxy_matrix_multiply,                                  \
    .imatrix_multiply = proxy_imatrix_multiply, .length = proxy_length,        \
    .getitem = proxy_getitem, .setitem = proxy_setitem,                        \
    .contains = proxy_contains

Type weakproxy_type;
const TypeSpec weakproxy_spec = {
    .name = "weakref.ProxyType",
    .size = sizeof(WeakRef),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = proxy_methods,
    .slots = {PROXY_SLOTS},
    .visit = cell_visit,
    .clear = cell_clear,
    .dealloc = cell_dealloc,
};

Type weakcallableproxy_type;
const TypeSpec weakcallableproxy_spec = {
    .name = "weakref.CallableProxyType",
    .size = sizeof(WeakRef),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .slots = {PROXY_SLOTS, .call = proxy_call},
    .visit = cell_visit,
    .clear = cell_clear,
    .dealloc = cell_dealloc,
};

/* gc/ calls back through a pointer: it knows nothing of calls. */
__attribute__((constructor)) static void
install(void)
{
    weak_callback = run_callback;
}
