/* mod_collections.c -- module _collections: defaultdict, _tuplegetter, _count_elements; deque and
 * OrderedDict are in collections_deque.c and collections_odict.c.
 *
 * Locks: none of its own.
 */
#include "modules/collections_priv.h"
#include "gc/holds.h"

Value
collections_class_getitem(Thread *th, Value type, Value item)
{
    return generic_alias_new(th, type, item);
}

/* -- defaultdict -- */

typedef struct DefaultDict {
    Dict dict;
    Field factory; /* a callable, or NULL */
} DefaultDict;

static Type defaultdict_type;

static inline DefaultDict *
as_default(Value v)
{
    return (DefaultDict *)(void *)value_object(v);
}

static Value
factory_of(Thread *th, Value self)
{
    Value factory = field_read(th, value_object(self), &as_default(self)->factory);
    return factory == NONE ? NULL : factory;
}

static bool
defaultdict_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Value factory = NULL;
    if (nargs > 0) {
        factory = arg(args, 0);
        if (factory != NONE && is_callable(factory) != YES) {
            raise_type_error(th, "first argument must be callable or None");
            return false;
        }
        args++;
        nargs--;
    }
    field_replace(th, value_object(self), &as_default(self)->factory,
                  factory == NULL || factory == NONE ? NULL : retain(th, factory));
    return dict_spec.slots.init(th, self, args, nargs, kwnames);
}

static Value
defaultdict_missing(Thread *th, Value self, Value key)
{
    Value factory = factory_of(th, self);
    if (factory == NULL)
        return raise_key_error(th, key);
    Value v = call_0(th, factory);
    drop(th, factory);
    if (v == NULL)
        return NULL;
    Object *o = value_object(self);
    if (SLOT(type_of(self), setitem) == dict_spec.slots.setitem &&
        (object_bits(o) & BIT_SHARED) != 0) {
        /* When two threads miss the same key at once both get the value that was put first. */
        Value kept = dict_set_default(th, self, key, v);
        drop(th, v);
        return kept;
    }
    if (!set_item(th, self, key, v))
        DROP_CLEAR(th, v);
    return v;
}

/* type(like)(factory or None, from) */
static Value
defaultdict_new_like(Thread *th, Value like, Value from)
{
    Value factory = factory_of(th, like);
    Value result = call_2(th, value_of_type(type_of(like)), factory ? factory : NONE, from);
    drop_null(th, factory);
    return result;
}

static Value
defaultdict_copy(Thread *th, Value self)
{
    return defaultdict_new_like(th, self, self);
}

static Value
defaultdict_or(Thread *th, Value a, Value b)
{
    bool left = is_instance_of(a, &defaultdict_type);
    if (!is_dict(left ? b : a))
        return NOT_IMPLEMENTED;
    Value sum = defaultdict_new_like(th, left ? a : b, a);
    if (sum != NULL && !dict_update(th, sum, b))
        DROP_CLEAR(th, sum);
    return sum;
}

static Value
defaultdict_repr(Thread *th, Value self)
{
    Value base = dict_spec.slots.repr(th, self);
    if (base == NULL)
        return NULL;
    Value factory = factory_of(th, self), shown = NULL, text = NULL;
    if (factory == NULL) {
        shown = str_from_ascii(th, "None", 4);
    } else {
        Answer inside = repr_enter(th, factory);
        if (inside == YES)
            shown = str_from_ascii(th, "...", 3);
        if (inside == NO) {
            shown = to_repr(th, factory);
            repr_leave(th, factory);
        }
        drop(th, factory);
    }
    if (shown != NULL) {
        Value name = field_read(th, &type_of(self)->ops.head, &type_of(self)->name_value);
        text = str_format_c(th, "%V(%V, %V)", name, shown, base);
        drop(th, name);
        drop(th, shown);
    }
    drop(th, base);
    return text;
}

static Value
defaultdict_reduce(Thread *th, Value self)
{
    Value factory = factory_of(th, self), it = NULL, result = NULL;
    Value args = factory ? tuple_pack(th, 1, factory) : tuple_empty;
    Value items = args ? call_method_0(th, self, NAME(items)) : NULL;
    if (items != NULL)
        it = get_iter(th, items);
    if (it != NULL)
        result = tuple_pack(th, 5, value_of_type(type_of(self)), args, NONE, NONE, it);
    drop_null(th, factory);
    drop_null(th, args);
    drop_null(th, items);
    drop_null(th, it);
    return result;
}

static void
defaultdict_visit(Object *o, VisitFn visit, void *arg)
{
    dict_spec.visit(o, visit, arg);
    field_visit(&((DefaultDict *)(void *)o)->factory, visit, arg);
}

static void
defaultdict_clear(Thread *th, Object *o)
{
    field_replace(th, o, &((DefaultDict *)(void *)o)->factory, NULL);
    dict_spec.clear(th, o);
}

static void
defaultdict_dealloc(Thread *th, Object *o)
{
    field_drop(th, &((DefaultDict *)(void *)o)->factory);
    dict_spec.dealloc(th, o);
}

static const MethodDef defaultdict_methods[] = {
    NATIVE_1("__missing__", defaultdict_missing,
             "__missing__(key) # Called by __getitem__ for missing key; pseudo-code:\n"
             "  if self.default_factory is None: raise KeyError((key,))\n"
             "  self[key] = value = self.default_factory()\n"
             "  return value\n"),
    NATIVE_0("copy", defaultdict_copy, "D.copy() -> a shallow copy of D."),
    NATIVE_0("__copy__", defaultdict_copy, "D.copy() -> a shallow copy of D."),
    NATIVE_0("__reduce__", defaultdict_reduce, "Return state information for pickling."),
    CLASS_GETITEM,
    NATIVE_END,
};

static const MemberDef defaultdict_members[] = {
    {.name = "default_factory", .kind = MEMBER_VALUE_NONE,
     .offset = offsetof(DefaultDict, factory),
     .doc = "Factory for default value called by __missing__()."},
    {.name = NULL},
};

static const TypeSpec defaultdict_spec = {
    .name = "collections.defaultdict",
    .base = &dict_type,
    .size = sizeof(DefaultDict),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\n"
           "The default factory is called without arguments to produce\n"
           "a new value when a key is not present, in __getitem__ only.\n"
           "A defaultdict compares equal to a dict with the same items.\n"
           "All remaining arguments are treated the same as if they were\n"
           "passed to the dict constructor, including keyword arguments.\n",
    .methods = defaultdict_methods,
    .members = defaultdict_members,
    .slots = {
        .repr = defaultdict_repr,
        .init = defaultdict_init,
        .or_ = defaultdict_or,
    },
    .visit = defaultdict_visit,
    .clear = defaultdict_clear,
    .dealloc = defaultdict_dealloc,
};

/* -- _tuplegetter: the attributes of named tuples -- */

typedef struct TupleGetter {
    struct Object head;
    int64_t index; /* [const] */
    Field doc;
} TupleGetter;

static Type tuplegetter_type;

static inline TupleGetter *
as_tuplegetter(Value v)
{
    return (TupleGetter *)(void *)value_object(v);
}

static Value
tuplegetter_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t index;
    if (!args_no_keywords(th, "_tuplegetter", kwnames) ||
        !args_count(th, "_tuplegetter", nargs, 2, 2) || !arg_ssize(th, arg(args, 0), &index))
        return NULL;
    Value v = type_alloc(th, type, 0);
    if (v != NULL) {
        as_tuplegetter(v)->index = index;
        field_init(&as_tuplegetter(v)->doc, retain(th, arg(args, 1)));
    }
    return v;
}

static Value
tuplegetter_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL)
        return retain(th, self);
    int64_t index = as_tuplegetter(self)->index;
    if (!is_tuple(object)) {
        if (object == NONE)
            return retain(th, self);
        return raise_type_error(
            th, "descriptor for index '%lld' for tuple subclasses doesn't apply to '%T' object",
            (long long)index, object);
    }
    if (index < 0 || index >= tuple_length(object))
        return raise_error(th, &exc_IndexError, "tuple index out of range");
    return retain(th, tuple_item(object, index));
}

static bool
tuplegetter_set(Thread *th, Value self, Value object, Value v)
{
    (void)self, (void)object;
    raise_error(th, &exc_AttributeError,
                v == NULL ? "can't delete attribute" : "can't set attribute");
    return false;
}

static Value
tuplegetter_doc(Thread *th, Value self)
{
    Value doc = field_read(th, value_object(self), &as_tuplegetter(self)->doc);
    return doc ? doc : NONE;
}

static Value
tuplegetter_reduce(Thread *th, Value self)
{
    Value index = int_from_i64(th, as_tuplegetter(self)->index), doc = tuplegetter_doc(th, self);
    Value args = index ? tuple_pack(th, 2, index, doc) : NULL, result = NULL;
    if (args != NULL)
        result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop_null(th, index);
    drop(th, doc);
    drop_null(th, args);
    return result;
}

static Value
tuplegetter_repr(Thread *th, Value self)
{
    Value doc = tuplegetter_doc(th, self);
    Value text = str_format_c(th, "_tuplegetter(%lld, %R)",
                              (long long)as_tuplegetter(self)->index, doc);
    drop(th, doc);
    return text;
}

HOLDS_FIELDS(tuplegetter, TupleGetter, doc);
CLEARS_FIELDS(tuplegetter, TupleGetter, doc);

static const MethodDef tuplegetter_methods[] = {
    NATIVE_0("__reduce__", tuplegetter_reduce, NULL),
    NATIVE_END,
};

static const MemberDef tuplegetter_members[] = {
    {.name = "__doc__", .kind = MEMBER_VALUE_NONE, .offset = offsetof(TupleGetter, doc)},
    {.name = NULL},
};

static const TypeSpec tuplegetter_spec = {
    .name = "_collections._tuplegetter",
    .size = sizeof(TupleGetter),
    .ops_flags = OPS_TRACKED,
    .methods = tuplegetter_methods,
    .members = tuplegetter_members,
    .slots = {
        .repr = tuplegetter_repr,
        .descr_get = tuplegetter_get,
        .descr_set = tuplegetter_set,
        .new = tuplegetter_make,
    },
    .visit = tuplegetter_visit,
    .clear = tuplegetter_clear,
    .dealloc = tuplegetter_dealloc,
};

/* -- _count_elements -- */

/* Whether the type finds dict's own method under this name. */
static bool
has_dict_method(Thread *th, Type *type, Value name)
{
    Value own = type_lookup(th, type, name), base = type_lookup(th, &dict_type, name);
    bool same = own == base;
    drop_null(th, own);
    drop_null(th, base);
    return same;
}

/* Whether the mapping is a dict whose get() and item assignment are dict's own; deleting may be another's
 * (Counter's is). */
static bool
counts_directly(Thread *th, Value mapping)
{
    return is_dict(mapping) && has_dict_method(th, type_of(mapping), NAME(__setitem__)) &&
           has_dict_method(th, type_of(mapping), NAME(get));
}

/* mapping[key] = mapping.get(key, 0) + 1 on a plain dict. */
RAISES static bool
count_one(Thread *th, Value mapping, Value key)
{
    Dict *d = (Dict *)(void *)value_object(mapping);
    int64_t hash;
    if (!to_hash(th, key, &hash))
        return false;
    Answer counted = dict_increment(th, d, key, hash);
    if (counted != NO)
        return counted == YES;
    Value old;
    if (dict_lookup(th, d, key, hash, &old) == FAILED)
        return false;
    Value sum = old ? number_add(th, old, value_from_fixnum(1)) : value_from_fixnum(1);
    drop_null(th, old);
    return sum != NULL && dict_insert(th, d, retain(th, key), hash, sum, false, NULL) != FAILED;
}

static Value
count_elements(Thread *th, Value module, const Arg *args, size_t nargs)
{
    (void)module, (void)nargs;
    Value mapping = arg(args, 0), get = NULL;
    Value it = get_iter(th, arg(args, 1));
    if (it == NULL)
        return NULL;
    bool direct = counts_directly(th, mapping);
    if (!direct && (get = get_attr(th, mapping, NAME(get))) == NULL) {
        drop(th, it);
        return NULL;
    }
    for (size_t step = 0;; step++) {
        Value key = iter_next(th, it);
        if (key == NULL)
            break;
        bool ok;
        if (direct) {
            ok = count_one(th, mapping, key);
        } else {
            Value old = call_2(th, get, key, value_from_fixnum(0));
            Value sum = old ? number_add(th, old, value_from_fixnum(1)) : NULL;
            ok = sum != NULL && set_item(th, mapping, key, sum);
            drop_null(th, old);
            drop_null(th, sum);
        }
        drop(th, key);
        if (!ok || ((step & 1023) == 1023 && !safepoint_poll(th)))
            break;
    }
    drop(th, it);
    drop_null(th, get);
    return error_set(th) ? NULL : NONE;
}

/* -- the module -- */

static bool
collections_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&deque_type, &deque_spec},
        {&deque_iterator_type, &deque_iterator_spec},
        {&deque_reverse_iterator_type, &deque_reverse_iterator_spec},
        {&defaultdict_type, &defaultdict_spec},
        {&tuplegetter_type, &tuplegetter_spec},
        {&ordered_dict_type, &ordered_dict_spec},
        {&odict_node_type, &odict_node_spec},
        {&odict_iterator_type, &odict_iterator_spec},
        {&odict_keys_type, &odict_keys_spec},
        {&odict_values_type, &odict_values_spec},
        {&odict_items_type, &odict_items_spec},
    };
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add_type(th, module, &deque_type) &&
           module_add_type(th, module, &defaultdict_type) &&
           module_add_type(th, module, &ordered_dict_type) &&
           module_add_type(th, module, &deque_iterator_type) &&
           module_add_type(th, module, &deque_reverse_iterator_type) &&
           module_add_type(th, module, &tuplegetter_type);
}

static const MethodDef collections_methods[] = {
    NATIVE_N("_count_elements", count_elements, 2, 2,
             "_count_elements($module, mapping, iterable, /)\n--\n\n"
             "Count elements in the iterable, updating the mapping"),
    NATIVE_END,
};

const ModuleSpec collections_module = {
    .name = "_collections",
    .doc = "High performance data structures.\n"
           "- deque:        ordered collection accessible from endpoints only\n"
           "- defaultdict:  dict subclass with a default value factory\n",
    .methods = collections_methods,
    .exec = collections_exec,
};
