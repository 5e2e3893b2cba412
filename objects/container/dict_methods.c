/* dict_methods.c -- dict as Python sees it: construction, subscripts, operators, methods.
 *
 * Locks: none of its own; see dict.c.
 */
#include "objects/container/container_priv.h"
#include "objects/container/dict_priv.h"

static inline Dict *
as_dict(Value v)
{
    return (Dict *)(void *)value_object(v);
}

/* -- construction -- */

static Value
dict_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames;
    return dict_alloc(th, type);
}

/* What dict(...) and update(...) have in common. */
RAISES static bool
dict_update_args(Thread *th, Value self, const char *name, const Arg *args, size_t nargs,
                 Value kwnames)
{
    if (!args_count(th, name, nargs, 0, 1))
        return false;
    if (nargs == 1 && !dict_update(th, self, arg(args, 0)))
        return false;
    int64_t n = kwnames ? tuple_length(kwnames) : 0;
    for (int64_t i = 0; i < n; i++) {
        if (!dict_set(th, self, tuple_item(kwnames, i), arg(args, nargs + (size_t)i)))
            return false;
    }
    return true;
}

static bool
dict_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return dict_update_args(th, self, "dict", args, nargs, kwnames);
}

static Value
dict_update_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return dict_update_args(th, self, "update", args, nargs, kwnames) ? NONE : NULL;
}

/* Puts `v` under each key that a dict or set has at one moment; their hashes are known. */
RAISES static bool
dict_add_keys(Thread *th, Value d, Value source, Value v)
{
    bool from_dict = is_exact(source, SHAPE_DICT), ok = true;
    object_touch(th, value_object(source));
    if (object_shared(value_object(source)) || load_relaxed(&threads_started) != 0)
        source = from_dict ? dict_copy(th, source) : set_from(th, source);
    else
        retain(th, source);
    size_t pos = 0;
    Value key;
    int64_t hash;
    while (ok && source != NULL &&
           (from_dict ? dict_next_entry(th, as_dict(source), &pos, &key, NULL, &hash)
                      : set_next_hash(th, source, &pos, &key, &hash)))
        ok = dict_insert(th, as_dict(d), key, hash, retain(th, v), false, NULL) != FAILED;
    ok = ok && source != NULL;
    drop_null(th, source);
    return ok;
}

static Value
dict_fromkeys(Thread *th, Value cls, const Arg *args, size_t nargs)
{
    Value iterable = arg(args, 0), v = nargs > 1 ? arg(args, 1) : NONE;
    Value d = call_0(th, cls);
    if (d == NULL)
        return NULL;
    bool plain = is_exact(d, SHAPE_DICT);
    if (plain && (is_exact(iterable, SHAPE_DICT) || is_any_set(iterable))) {
        if (dict_add_keys(th, d, iterable, v))
            return d;
        goto fail;
    }
    Value it = get_iter(th, iterable);
    if (it == NULL)
        goto fail;
    for (size_t step = 0;; step++) {
        Value key = iter_next(th, it);
        if (key == NULL)
            break;
        bool ok;
        if (plain) {
            ok = dict_set_steal(th, d, key, retain(th, v));
        } else {
            ok = set_item(th, d, key, v);
            drop(th, key);
        }
        if (!ok || !loop_poll(th, step))
            break;
    }
    drop(th, it);
    if (!error_set(th))
        return d;
fail:
    drop(th, d);
    return NULL;
}

/* -- subscripts -- */

static Value
dict_getitem(Thread *th, Value self, Value key)
{
    Value v;
    Answer found = dict_get(th, self, key, &v);
    if (LIKELY(found == YES))
        return v;
    if (found == FAILED)
        return NULL;
    if (!is_exact(self, SHAPE_DICT)) {
        Value missing = lookup_special(th, self, NAME(__missing__));
        if (missing != NULL) {
            v = call_1(th, missing, key);
            drop(th, missing);
            return v;
        }
        if (error_set(th))
            return NULL;
    }
    return raise_key_error(th, key);
}

static bool
dict_setitem(Thread *th, Value self, Value key, Value v)
{
    if (v != NULL)
        return dict_set(th, self, key, v);
    Answer found = dict_delete(th, self, key);
    if (found == NO)
        raise_key_error(th, key);
    return found == YES;
}

static Answer
dict_contains_slot(Thread *th, Value self, Value key)
{
    return dict_contains(th, self, key);
}

static int64_t
dict_length_slot(Thread *th, Value self)
{
    (void)th;
    return dict_length(self);
}

static Value
dict_iter(Thread *th, Value self)
{
    return dict_iter_new(th, self, SHAPE_DICT_KEY_ITER);
}

/* -- text, comparison, operators -- */

static Value
dict_repr(Thread *th, Value self)
{
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "{...}", 5) : NULL;
    StrBuilder b;
    str_builder_init(&b);
    bool ok = str_builder_char(th, &b, '{'), first = true;
    size_t pos = 0;
    Value key, v;
    while (ok && dict_next(th, self, &pos, &key, &v)) {
        ok = first || str_builder_ascii(th, &b, ", ", 2);
        Value text = ok ? to_repr(th, key) : NULL;
        ok = text != NULL && str_builder_str(th, &b, text) && str_builder_ascii(th, &b, ": ", 2);
        drop_null(th, text);
        text = ok ? to_repr(th, v) : NULL;
        ok = text != NULL && str_builder_str(th, &b, text);
        drop_null(th, text);
        drop(th, key);
        drop(th, v);
        first = false;
    }
    ok = ok && str_builder_char(th, &b, '}');
    repr_leave(th, self);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
dict_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_dict(a) || !is_dict(b))
        return NOT_IMPLEMENTED;
    if (thread_stack_low(th))
        return raise_recursion(th, " in comparison");
    Answer equal = dict_equal(th, a, b);
    return equal == FAILED ? NULL : bool_from((equal == YES) == (op == OP_EQ));
}

static Value
dict_or(Thread *th, Value a, Value b)
{
    if (!is_dict(a) || !is_dict(b))
        return NOT_IMPLEMENTED;
    Value sum = dict_copy(th, a);
    if (sum != NULL && !dict_update(th, sum, b))
        DROP_CLEAR(th, sum);
    return sum;
}

static Value
dict_ior(Thread *th, Value self, Value other)
{
    return dict_update(th, self, other) ? retain(th, self) : NULL;
}

/* -- methods -- */

static Value
dict_contains_method(Thread *th, Value self, Value key)
{
    Answer found = dict_contains(th, self, key);
    return found == FAILED ? NULL : bool_from(found == YES);
}

static Value
dict_get_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value v;
    Answer found = dict_get(th, self, arg(args, 0), &v);
    if (found == NO)
        return nargs > 1 ? retain(th, arg(args, 1)) : NONE;
    return v;
}

static Value
dict_setdefault(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return dict_set_default(th, self, arg(args, 0), nargs > 1 ? arg(args, 1) : NONE);
}

static Value
dict_pop_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value key = arg(args, 0), v = NULL;
    Answer found = dict_length(self) == 0 ? NO : dict_pop(th, self, key, &v);
    if (found != NO)
        return v;
    return nargs > 1 ? retain(th, arg(args, 1)) : raise_key_error(th, key);
}

static Value
dict_popitem(Thread *th, Value self)
{
    Value pair = tuple_new(th, 2);
    if (pair == NULL)
        return NULL;
    if (dict_take_last(th, as_dict(self), &as_tuple(pair)->items[0], &as_tuple(pair)->items[1]) ==
        YES)
        return pair;
    drop(th, pair);
    return raise_error(th, &exc_KeyError, "popitem(): dictionary is empty");
}

static Value
dict_clear_method(Thread *th, Value self)
{
    dict_clear(th, self);
    return NONE;
}

static Value
dict_copy_method(Thread *th, Value self)
{
    return dict_copy(th, self);
}

static Value
dict_keys_method(Thread *th, Value self)
{
    return dict_view_new(th, self, SHAPE_DICT_KEYS);
}

static Value
dict_values_method(Thread *th, Value self)
{
    return dict_view_new(th, self, SHAPE_DICT_VALUES);
}

static Value
dict_items_method(Thread *th, Value self)
{
    return dict_view_new(th, self, SHAPE_DICT_ITEMS);
}

static Value
dict_reversed(Thread *th, Value self)
{
    return dict_iter_new(th, self, SHAPE_DICT_REV_KEY_ITER);
}

static Value
dict_sizeof(Thread *th, Value self)
{
    DictTable *t = dict_table(as_dict(self));
    size_t n = object_ops(value_object(self))->cell_size;
    return int_from_size(th, n + (t == DICT_EMPTY ? 0 : dict_table_bytes(t)));
}

/* -- memory -- */

static void
dict_visit(Object *o, VisitFn visit, void *arg)
{
    DictTable *t = plain_load(&((Dict *)(void *)o)->table); /* stopped or dying */
    if (t == NULL)
        return;
    for (size_t i = 0, n = plain_load(&t->used); i < n; i++) {
        field_visit(&dict_entry(t, i)->key, visit, arg);
        field_visit(&dict_entry(t, i)->value, visit, arg);
    }
}

static void
dict_clear_slot(Thread *th, Object *o)
{
    dict_clear(th, value_of(o));
}

static void
dict_dealloc(Thread *th, Object *o)
{
    Dict *d = (Dict *)(void *)o;
    DictTable *t = plain_load(&d->table); /* dying */
    plain_store(&d->table, DICT_EMPTY);
    if (t != NULL)
        dict_table_give_up(th, false, t);
}

static const MethodDef dict_method_defs[] = {
    {.name = "__contains__", .f1 = dict_contains_method, .flags = METHOD_1 | METHOD_COEXIST,
     .nmin = 1, .nmax = 1,
     .doc = "__contains__($self, key, /)\n--\n\n"
            "True if the dictionary has the specified key, else False."},
    {.name = "__getitem__", .f1 = dict_getitem, .flags = METHOD_1 | METHOD_COEXIST, .nmin = 1,
     .nmax = 1, .doc = "x.__getitem__(y) <==> x[y]"},
    NATIVE_0("__sizeof__", dict_sizeof, "D.__sizeof__() -> size of D in memory, in bytes"),
    NATIVE_N("get", dict_get_method, 1, 2,
             "get($self, key, default=None, /)\n--\n\n"
             "Return the value for key if key is in the dictionary, else default."),
    NATIVE_N("setdefault", dict_setdefault, 1, 2,
             "setdefault($self, key, default=None, /)\n--\n\n"
             "Insert key with a value of default if key is not in the dictionary.\n\n"
             "Return the value for key if key is in the dictionary, else default."),
    NATIVE_N("pop", dict_pop_method, 1, 2,
             "pop($self, key, default=<unrepresentable>, /)\n--\n\n"
             "D.pop(k[,d]) -> v, remove specified key and return the corresponding value.\n\n"
             "If the key is not found, return the default if given; otherwise,\n"
             "raise a KeyError."),
    NATIVE_0("popitem", dict_popitem,
             "popitem($self, /)\n--\n\n"
             "Remove and return a (key, value) pair as a 2-tuple.\n\n"
             "Pairs are returned in LIFO (last-in, first-out) order.\n"
             "Raises KeyError if the dict is empty."),
    NATIVE_0("keys", dict_keys_method,
             "D.keys() -> a set-like object providing a view on D's keys"),
    NATIVE_0("items", dict_items_method,
             "D.items() -> a set-like object providing a view on D's items"),
    NATIVE_0("values", dict_values_method,
             "D.values() -> an object providing a view on D's values"),
    NATIVE_K("update", dict_update_method,
             "D.update([E, ]**F) -> None.  Update D from dict/iterable E and F.\n"
             "If E is present and has a .keys() method, then does:  for k in E: D[k] = E[k]\n"
             "If E is present and lacks a .keys() method, then does:  for k, v in E: D[k] = v\n"
             "In either case, this is followed by: for k in F:  D[k] = F[k]"),
    {.name = "fromkeys", .fn = dict_fromkeys, .flags = METHOD_N | METHOD_CLASS, .nmin = 1,
     .nmax = 2,
     .doc = "fromkeys($type, iterable, value=None, /)\n--\n\n"
            "Create a new dictionary with keys from iterable and values set to value."},
    NATIVE_0("clear", dict_clear_method, "D.clear() -> None.  Remove all items from D."),
    NATIVE_0("copy", dict_copy_method, "D.copy() -> a shallow copy of D"),
    NATIVE_0("__reversed__", dict_reversed,
             "__reversed__($self, /)\n--\n\nReturn a reverse iterator over the dict keys."),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type dict_type;
const TypeSpec dict_spec = {
    .name = "dict",
    .size = sizeof(Dict),
    .flags = TYPE_BASE | TYPE_MAPPING | TYPE_DICT_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_TRACKED,
    .doc = "dict() -> new empty dictionary\n"
           "dict(mapping) -> new dictionary initialized from a mapping object's\n"
           "    (key, value) pairs\n"
           "dict(iterable) -> new dictionary initialized as if via:\n"
           "    d = {}\n"
           "    for k, v in iterable:\n"
           "        d[k] = v\n"
           "dict(**kwargs) -> new dictionary initialized with the name=value pairs\n"
           "    in the keyword argument list.  For example:  dict(one=1, two=2)",
    .methods = dict_method_defs,
    .slots = {
        .repr = dict_repr,
        .hash = hash_unhashable,
        .compare = dict_compare,
        .iter = dict_iter,
        .init = dict_init,
        .new = dict_make,
        .or_ = dict_or,
        .ior = dict_ior,
        .length = dict_length_slot,
        .getitem = dict_getitem,
        .setitem = dict_setitem,
        .contains = dict_contains_slot,
    },
    .visit = dict_visit,
    .clear = dict_clear_slot,
    .dealloc = dict_dealloc,
};
