/* object.c -- the type object, and what every value can do: repr, str, hash, format, dir.
 *
 * The defaults here are what classes inherit when they define nothing.  No state, no locks.
 */
#include "objects/model/type_priv.h"

#include <stdio.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

/* -- text of any value -- */

static Value
check_text(Thread *th, Value STEALS r, const char *method)
{
    if (r == NULL || is_str(r))
        return r;
    raise_type_error(th, "%s returned non-string (type %T)", method, r);
    drop(th, r);
    return NULL;
}

Value
to_repr(Thread *th, Value v)
{
    if (!recursion_enter(th, " while getting the repr of an object"))
        return NULL;
    UnaryFn fn = SLOT(type_of(v), repr);
    Value r = fn ? fn(th, v) : object_repr(th, v);
    recursion_leave(th);
    return check_text(th, r, "__repr__");
}

Value
to_str(Thread *th, Value v)
{
    if (is_exact(v, SHAPE_STR))
        return retain(th, v);
    UnaryFn fn = SLOT(type_of(v), str);
    if (fn == NULL)
        return to_repr(th, v);
    if (!recursion_enter(th, " while getting the str of an object"))
        return NULL;
    Value r = fn(th, v);
    recursion_leave(th);
    return check_text(th, r, "__str__");
}

Value
to_ascii(Thread *th, Value v)
{
    Value r = to_repr(th, v);
    if (r == NULL || as_str(r)->ascii)
        return r;
    StrBuilder b;
    str_builder_init(&b);
    bool ok = true;
    for (size_t i = 0; ok && i < str_length(r); i++) {
        uint32_t c = str_char(as_str(r), i);
        char text[16];
        int n;
        if (c < 128) {
            ok = str_builder_char(th, &b, c);
            continue;
        }
        if (c < 0x100)
            n = snprintf(text, sizeof text, "\\x%02x", c);
        else if (c < 0x10000)
            n = snprintf(text, sizeof text, "\\u%04x", c);
        else
            n = snprintf(text, sizeof text, "\\U%08x", c);
        ok = str_builder_ascii(th, &b, text, (size_t)n);
    }
    drop(th, r);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

Value
to_format(Thread *th, Value v, Value spec)
{
    if (spec != NULL && !is_str(spec))
        return raise_type_error(th, "Format specifier must be a string, not %T", spec);
    if (spec == NULL || str_length(spec) == 0) {
        if (is_exact(v, SHAPE_STR))
            return retain(th, v);
        if (is_exact(v, SHAPE_INT))
            return to_str(th, v);
        spec = str_empty;
    }
    bool missing;
    Value r = call_special(th, v, NAME(__format__), args_of(&spec), 1, &missing);
    if (r == NULL) {
        if (missing)
            raise_type_error(th, "Type %T doesn't define __format__", v);
        return NULL;
    }
    if (!is_str(r)) {
        raise_type_error(th, "__format__ must return a str, not %T", r);
        drop(th, r);
        return NULL;
    }
    return r;
}

/* -- hash -- */

bool
to_hash(Thread *th, Value v, int64_t *hash)
{
    HashFn fn = SLOT(type_of(v), hash);
    if (LIKELY(fn != NULL))
        return stack_check(th) && fn(th, v, hash);
    return hash_unhashable(th, v, hash);
}

bool
hash_unhashable(Thread *th, Value v, int64_t *hash)
{
    (void)hash;
    raise_type_error(th, "unhashable type: '%T'", v);
    return false;
}

bool
hash_identity(Thread *th, Value v, int64_t *hash)
{
    (void)th;
    uint64_t bits = value_bits(v);
    bits = bits >> 4 | bits << 60; /* the low bits of addresses say nothing */
    *hash = (int64_t)bits == -1 ? -2 : (int64_t)bits;
    return true;
}

/* -- dir -- */

/* Adds the attributes of a class and of its bases to `dict`. */
static bool
merge_class(Thread *th, Value dict, Value cls)
{
    if (thread_stack_low(th)) {
        raise_recursion(th, "");
        return false;
    }
    Value own = NULL;
    Answer has = NO;
    if (is_type(cls) && SLOT(type_of(cls), getattr) == type_get_attr) {
        /* A copy: other threads may change the class meanwhile. */
        Value d = field_read(th, value_object(cls), &as_type(cls)->dict);
        if (d != NULL) {
            own = dict_copy(th, d);
            drop(th, d);
            has = own ? YES : FAILED;
        }
    } else {
        has = get_attr_optional(th, cls, NAME(__dict__), &own);
    }
    if (has == FAILED)
        return false;
    if (has == YES) {
        bool ok = dict_update(th, dict, own);
        drop(th, own);
        if (!ok)
            return false;
    }
    Value bases;
    has = get_attr_optional(th, cls, NAME(__bases__), &bases);
    if (has != YES)
        return has == NO;
    Value items = is_tuple(bases) ? retain(th, bases) : sequence_tuple(th, bases);
    drop(th, bases);
    bool ok = items != NULL;
    for (int64_t i = 0; ok && i < tuple_length(items); i++)
        ok = merge_class(th, dict, tuple_item(items, i));
    drop_null(th, items);
    return ok;
}

Value
type_dir(Thread *th, Value self)
{
    Value dict = dict_new(th);
    Value list = NULL;
    if (dict && merge_class(th, dict, self))
        list = dict_keys_list(th, dict);
    drop_null(th, dict);
    return list;
}

Value
object_dir(Thread *th, Value self)
{
    Value dict = NULL;
    if (type_of(self)->attrs_offset != 0 && SLOT(type_of(self), getattr) == generic_get_attr) {
        bool none;
        dict = instance_dict_copy(th, self, &none);
        if (dict == NULL)
            return NULL;
    } else {
        Value own;
        if (get_attr_optional(th, self, NAME(__dict__), &own) == FAILED)
            return NULL;
        dict = own && is_dict(own) ? dict_copy(th, own) : dict_new(th);
        drop_null(th, own);
        if (dict == NULL)
            return NULL;
    }
    Value cls;
    Answer has = get_attr_optional(th, self, NAME(__class__), &cls);
    Value list = NULL;
    if (has == NO || (has == YES && merge_class(th, dict, cls)))
        list = dict_keys_list(th, dict);
    drop_null(th, cls);
    drop(th, dict);
    return list;
}

Value
to_dir(Thread *th, Value v)
{
    Value names_found;
    if (v == NULL) {
        Value locals = upcalls.frame_locals(th);
        if (locals == NULL) {
            if (!error_set(th))
                raise_system_error(th, "frame does not exist");
            return NULL;
        }
        names_found = is_exact(locals, SHAPE_DICT) ? dict_keys_list(th, locals)
                                      : call_method_0(th, locals, NAME(keys));
        drop(th, locals);
    } else {
        bool missing;
        names_found = call_special(th, v, NAME(__dir__), NULL, 0, &missing);
        if (missing)
            return raise_type_error(th, "object does not provide __dir__");
    }
    if (names_found == NULL)
        return NULL;
    Value list = sequence_list(th, names_found);
    drop(th, names_found);
    if (list != NULL && !list_sort(th, list, NULL, false))
        DROP_CLEAR(th, list);
    return list;
}

/* -- making instances -- */

static COLD Value
raise_abstract(Thread *th, Type *type)
{
    Value methods = get_attr(th, value_of_type(type), NAME(__abstractmethods__));
    Value sorted = methods ? sequence_list(th, methods) : NULL;
    drop_null(th, methods);
    if (sorted == NULL)
        return NULL;
    int64_t n = list_length(sorted);
    if (list_sort(th, sorted, NULL, false)) {
        Value comma = str_from_c(th, ", ");
        Value text = comma ? str_join(th, comma, sorted) : NULL;
        drop_null(th, comma);
        if (text) {
            raise_type_error(th, "Can't instantiate abstract class %N with abstract method%s %V",
                             type, n > 1 ? "s" : "", text);
            drop(th, text);
        }
    }
    drop(th, sorted);
    return NULL;
}

static inline bool
has_arguments(size_t nargs, Value kwnames)
{
    return nargs != 0 || (kwnames && tuple_length(kwnames) != 0);
}

Value
object_new_instance(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    if (UNLIKELY(has_arguments(nargs, kwnames))) {
        if (SLOT(type, new) != object_new_instance)
            return raise_type_error(th, "object.__new__() takes exactly one argument "
                                        "(the type to instantiate)");
        if (SLOT(type, init) == object_init)
            return raise_type_error(th, "%N() takes no arguments", type);
    }
    if (UNLIKELY(type_flags(type) & TYPE_ABSTRACT))
        return raise_abstract(th, type);
    return type_alloc(th, type, 0);
}

bool
object_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    if (LIKELY(!has_arguments(nargs, kwnames)))
        return true;
    Type *type = type_of(self);
    if (SLOT(type, init) != object_init)
        raise_type_error(th, "object.__init__() takes exactly one argument "
                             "(the instance to initialize)");
    else if (SLOT(type, new) == object_new_instance)
        raise_type_error(th, "%N.__init__() takes exactly one argument "
                             "(the instance to initialize)", type);
    else
        return true;
    return false;
}

/* -- slots -- */

Value
object_repr(Thread *th, Value self)
{
    Type *type = type_of(self);
    char where[32];
    snprintf(where, sizeof where, "%p", (void *)self);
    Value module = type_module(th, type);
    if (module == NULL)
        error_clear(th);
    Value qualname = type_qualname(th, type);
    Value r;
    if (module && qualname && is_str(module) && !str_equal(module, NAME(builtins)))
        r = str_format_c(th, "<%V.%V object at %s>", module, qualname, where);
    else
        r = str_format_c(th, "<%N object at %s>", type, where);
    drop_null(th, module);
    drop_null(th, qualname);
    return r;
}

Value
object_str(Thread *th, Value self)
{
    UnaryFn fn = SLOT(type_of(self), repr);
    return fn ? fn(th, self) : object_repr(th, self);
}

static Value
object_compare(Thread *th, Value a, Value b, int op)
{
    if (op == OP_EQ)
        return a == b ? TRUE : NOT_IMPLEMENTED;
    if (op != OP_NE)
        return NOT_IMPLEMENTED;
    /* a != b is the opposite of what the type says about a == b. */
    CompareFn fn = SLOT(type_of(a), compare);
    if (fn == NULL)
        return NOT_IMPLEMENTED;
    if (fn == object_compare)
        return a == b ? FALSE : NOT_IMPLEMENTED;
    Value r = fn(th, a, b, OP_EQ);
    if (r == NULL || r == NOT_IMPLEMENTED)
        return r;
    Answer equal = is_true(th, r);
    drop(th, r);
    return equal == FAILED ? NULL : bool_from(equal == NO);
}

/* -- methods -- */

static Value
method_subclasshook(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)th;
    (void)self;
    (void)args;
    (void)nargs;
    return NOT_IMPLEMENTED;
}

static Value
method_init_subclass(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    if (kwnames && tuple_length(kwnames) != 0)
        return raise_type_error(th, "%N.__init_subclass__() takes no keyword arguments",
                                as_type(self));
    if (nargs != 0)
        return raise_type_error(th, "%N.__init_subclass__() takes no arguments (%zu given)",
                                as_type(self), nargs);
    return retain(th, NONE);
}

static Value
method_format(Thread *th, Value self, Value spec)
{
    if (!is_str(spec))
        return raise_type_error(th, "__format__() argument must be str, not %B", spec);
    if (str_length(spec) != 0)
        return raise_type_error(th, "unsupported format string passed to %T.__format__", self);
    return to_str(th, self);
}

static Value
method_sizeof(Thread *th, Value self)
{
    (void)th;
    Type *t = type_of(self);
    size_t size = t->ops.cell_size;
    if (value_is_object(self) && load_relaxed(&value_object(self)->owner) != OWNER_IMMORTAL)
        size = object_cell_size(value_object(self));
    return value_from_fixnum((int64_t)size);
}

static const MethodDef object_methods[] = {
    NATIVE_1("__reduce_ex__", object_reduce_ex,
             "__reduce_ex__($self, protocol, /)\n--\n\nHelper for pickle."),
    NATIVE_0("__reduce__", object_reduce, "__reduce__($self, /)\n--\n\nHelper for pickle."),
    NATIVE_0("__getstate__", object_getstate,
             "__getstate__($self, /)\n--\n\nHelper for pickle."),
    {.name = "__subclasshook__", .fn = method_subclasshook, .flags = METHOD_N | METHOD_CLASS,
     .nmin = 0, .nmax = -1,
     .doc = "Abstract classes can override this to customize issubclass().\n\n"
            "This is invoked early on by abc.ABCMeta.__subclasscheck__().\n"
            "It should return True, False or NotImplemented.  If it returns\n"
            "NotImplemented, the normal algorithm is used.  Otherwise, it\n"
            "overrides the normal algorithm (and the outcome is cached).\n"},
    {.name = "__init_subclass__", .fk = method_init_subclass, .flags = METHOD_K | METHOD_CLASS,
     .nmax = -1,
     .doc = "This method is called when a class is subclassed.\n\n"
            "The default implementation does nothing. It may be\n"
            "overridden to extend subclasses.\n"},
    NATIVE_1("__format__", method_format,
             "__format__($self, format_spec, /)\n--\n\nDefault object formatter."),
    NATIVE_0("__sizeof__", method_sizeof,
             "__sizeof__($self, /)\n--\n\nSize of object in memory, in bytes."),
    NATIVE_0("__dir__", object_dir,
             "__dir__($self, /)\n--\n\nDefault dir() implementation."),
    NATIVE_END,
};

/* -- __class__ -- */

static Value
get_class(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, value_of_type(type_of(self)));
}

bool
object_set_class(Thread *th, Value self, Value cls)
{
    if (!is_type(cls)) {
        raise_type_error(th, "__class__ must be set to a class, not '%T' object", cls);
        return false;
    }
    Type *old = type_of(self), *fresh = as_type(cls);
    bool modules = type_is_subtype(old, &module_type) && type_is_subtype(fresh, &module_type);
    if (!modules && ((type_flags(old) | type_flags(fresh)) & TYPE_IMMUTABLE)) {
        raise_type_error(th, "__class__ assignment only supported for mutable types or ModuleType "
                             "subclasses");
        return false;
    }
    if (old == fresh)
        return true;
    if (!layout_compatible(th, old, fresh, "__class__") ||
        !instance_rebase(th, value_object(self), fresh))
        return false;
    if (is_type(self)) /* its metatype decides what its attributes are */
        type_modified(th, as_type(self), NULL);
    return true;
}

static bool
set_class(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    if (value == NULL) {
        raise_type_error(th, "can't delete __class__ attribute");
        return false;
    }
    return object_set_class(th, self, value);
}

static const GetterDef object_getters[] = {
    {.name = "__class__", .get = get_class, .set = set_class, .doc = "the object's class"},
    {.name = NULL},
};

Type object_type;
const TypeSpec object_spec = {
    .name = "object",
    .size = sizeof(struct Object),
    .flags = TYPE_BASE,
    .doc = "object()\n--\n\n"
           "The base class of the class hierarchy.\n\n"
           "When called, it accepts no arguments and returns a new featureless\n"
           "instance that has no instance attributes and cannot be given any.\n",
    .methods = object_methods,
    .getters = object_getters,
    .slots = {.repr = object_repr, .str = object_str, .hash = hash_identity,
              .getattr = generic_get_attr, .setattr = generic_set_attr,
              .compare = object_compare, .init = object_init, .new = object_new_instance},
};
