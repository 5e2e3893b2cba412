/* type.c -- the type of types: calling a class, its attributes, its memory.
 *
 * Attributes that live in the type's dict (__module__, __doc__, __abstractmethods__,
 * __annotations__) are changed between type_modify_begin() and _end(), like all others.
 */
#include "objects/model/type_priv.h"

#include <stdlib.h>
#include <string.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

/* -- calling -- */

Value
type_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Type *type = as_type(self);
    if (UNLIKELY(type == &type_type)) {
        bool keywords = kwnames && tuple_length(kwnames) != 0;
        if (nargs == 1 && !keywords)
            return retain(th, value_of_type(type_of(arg(args, 0))));
        if (nargs == 1)
            return raise_type_error(th, "type() takes no keyword arguments");
        if (nargs != 3)
            return raise_type_error(th, "type() takes 1 or 3 arguments");
    }
    if (type == &list_type && nargs == 1 && kwnames == NULL)
        return list_from_iterable(th, arg(args, 0)); /* nobody sees it before it is filled */
    NewFn new_fn = SLOT(type, new);
    if (UNLIKELY(new_fn == NULL))
        return raise_type_error(th, "cannot create '%N' instances", type);
    Value v = new_fn(th, type, args, nargs, kwnames);
    if (UNLIKELY(v == NULL))
        return NULL;
    Type *made = type_of(v);
    if (UNLIKELY(made != type) && !type_is_subtype(made, type))
        return v;
    InitFn init = SLOT(made, init);
    if (init != NULL && UNLIKELY(!init(th, v, args, nargs, kwnames))) {
        drop(th, v);
        return NULL;
    }
    return v;
}

static bool
type_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    (void)args;
    if (nargs == 1 && kwnames && tuple_length(kwnames) != 0) {
        raise_type_error(th, "type.__init__() takes no keyword arguments");
        return false;
    }
    if (nargs != 1 && nargs != 3) {
        raise_type_error(th, "type.__init__() takes 1 or 3 arguments");
        return false;
    }
    return true;
}

/* The body of every __new__ that a C type has: `self` is that type. */
static Value
call_new(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Type *type = as_type(self);
    if (nargs == 0)
        return raise_type_error(th, "%N.__new__(): not enough arguments", type);
    Value first = arg(args, 0);
    if (!is_type(first))
        return raise_type_error(th, "%N.__new__(X): X is not a type object (%T)", type, first);
    Type *sub = as_type(first);
    if (!type_is_subtype(sub, type))
        return raise_type_error(th, "%N.__new__(%N): %N is not a subtype of %N", type, sub, sub,
                                type);
    /* Not to make, with object's new, something that needs its own. */
    Type *safe = sub;
    while (safe && SLOT(safe, new) == slot_new)
        safe = type_base(safe);
    NewFn new_fn = SLOT(type, new);
    if (safe && SLOT(safe, new) != new_fn)
        return raise_type_error(th, "%N.__new__(%N) is not safe, use %N.__new__()", type, sub,
                                safe);
    if (new_fn == NULL)
        return raise_type_error(th, "cannot create '%N' instances", type);
    return new_fn(th, sub, args + 1, nargs - 1, kwnames);
}

const MethodDef type_new_def = NATIVE_K(
    "__new__", call_new,
    "__new__($type, *args, **kwargs)\n--\n\n"
    "Create and return a new object.  See help(type) for accurate signature.");

/* -- names -- */

Value
type_module(Thread *th, Type *type)
{
    if (type_flags(type) & TYPE_HEAP) {
        Value d = field_read(th, &type->ops.head, &type->dict);
        Value v = d ? dict_get_str(th, d, NAME(__module__)) : NULL;
        drop_null(th, d);
        if (v == NULL && !error_set(th))
            raise_value(th, &exc_AttributeError, NAME(__module__));
        return v;
    }
    const char *dot = strrchr(type->name, '.');
    if (dot == NULL)
        return retain(th, NAME(builtins));
    Value v = str_from_utf8(th, type->name, (size_t)(dot - type->name));
    return v ? str_intern(th, v) : NULL;
}

Value
type_qualname(Thread *th, Type *type)
{
    return field_read(th, &type->ops.head, &type->qualname);
}

static Value
type_repr(Thread *th, Value self)
{
    Type *type = as_type(self);
    Value module = type_module(th, type);
    if (module == NULL)
        error_clear(th);
    Value qualname = type_qualname(th, type);
    Value r;
    if (qualname && module && is_str(module) && !str_equal(module, NAME(builtins)))
        r = str_format_c(th, "<class '%V.%V'>", module, qualname);
    else
        r = str_format_c(th, "<class '%N'>", type);
    drop_null(th, module);
    drop_null(th, qualname);
    return r;
}

/* Whether attribute `name` of a type may be set (or deleted, which none may). */
static bool
may_set(Thread *th, Type *type, Value value, const char *name)
{
    if (type_flags(type) & TYPE_IMMUTABLE)
        raise_type_error(th, "cannot set '%s' attribute of immutable type '%N'", name, type);
    else if (value == NULL)
        raise_type_error(th, "cannot delete '%s' attribute of immutable type '%N'", name, type);
    else
        return true;
    return false;
}

static Value
get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return field_read(th, value_object(self), &as_type(self)->name_value);
}

static bool
set_name(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    if (!may_set(th, type, value, "__name__"))
        return false;
    if (!is_str(value)) {
        raise_type_error(th, "can only assign string to %N.__name__, not '%T'", type, value);
        return false;
    }
    size_t size;
    const char *text = str_utf8(th, value, &size);
    if (text == NULL)
        return false;
    if (strlen(text) != size) {
        raise_value_error(th, "type name must not contain null characters");
        return false;
    }
    Value keep = retain(th, value);
    /* Both under the lock: of two threads that set it the last one's str is kept, the one whose text is shown. */
    bool held = object_touch_lock(th, &type->ops.head);
    __atomic_store_n(&type->name, text, __ATOMIC_RELEASE);
    Value was = load_relaxed(&type->name_value);
    store_release(&type->name_value, keep); /* pairs with field_read() [field] */
    object_unlock(&type->ops.head, held);
    /* Who reads the old text, and has not touched the type, reads it before its next safepoint. */
    if (was)
        retire(th, was);
    return true;
}

static Value
get_qualname(Thread *th, Value self, void *closure)
{
    (void)closure;
    return type_qualname(th, as_type(self));
}

static bool
set_qualname(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    if (!may_set(th, type, value, "__qualname__"))
        return false;
    if (!is_str(value)) {
        raise_type_error(th, "can only assign string to %N.__qualname__, not '%T'", type, value);
        return false;
    }
    field_replace(th, &type->ops.head, &type->qualname, retain(th, value));
    return true;
}

/* -- attributes kept in the dict -- */

static Value
own_get(Thread *th, Type *type, Value name)
{
    Value d = field_read(th, &type->ops.head, &type->dict);
    Value v = d ? dict_get_str(th, d, name) : NULL;
    drop_null(th, d);
    return v;
}

static bool
own_set(Thread *th, Type *type, Value name, Value value)
{
    Value d = field_read(th, &type->ops.head, &type->dict);
    if (d == NULL) {
        raise_value(th, &exc_AttributeError, name);
        return false;
    }
    type_modify_begin(th, type, name);
    Answer a = value ? (dict_set(th, d, name, value) ? YES : FAILED) : dict_delete(th, d, name);
    type_modify_end(th);
    drop(th, d);
    if (a == NO)
        raise_value(th, &exc_AttributeError, name);
    return a == YES;
}

/* What is stored may be a descriptor. */
static Value
own_get_bound(Thread *th, Type *type, Value name)
{
    Value v = own_get(th, type, name);
    DescrGetFn get = v ? SLOT(type_of(v), descr_get) : NULL;
    if (get == NULL)
        return v;
    Value r = get(th, v, NULL, value_of_type(type));
    drop(th, v);
    return r;
}

static Value
get_module(Thread *th, Value self, void *closure)
{
    (void)closure;
    return type_module(th, as_type(self));
}

static bool
set_module(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    return may_set(th, as_type(self), value, "__module__") &&
           own_set(th, as_type(self), NAME(__module__), value);
}

static Value
get_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    const TypeSpec *spec = as_type(self)->spec;
    if (!(type_flags(as_type(self)) & TYPE_HEAP) && spec->doc)
        return str_from_c(th, doc_body(spec->name, spec->doc));
    Value v = own_get_bound(th, as_type(self), NAME(__doc__));
    return v || error_set(th) ? v : retain(th, NONE);
}

static bool
set_doc(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    return may_set(th, as_type(self), value, "__doc__") &&
           own_set(th, as_type(self), NAME(__doc__), value);
}

static Value
get_abstract(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value v = as_type(self) == &type_type ? NULL
                                          : own_get(th, as_type(self), NAME(__abstractmethods__));
    if (v == NULL && !error_set(th))
        raise_value(th, &exc_AttributeError, NAME(__abstractmethods__));
    return v;
}

static bool
set_abstract(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    Answer abstract = value ? is_true(th, value) : NO;
    if (abstract == FAILED || !own_set(th, type, NAME(__abstractmethods__), value))
        return false;
    if (abstract == YES)
        fetch_or_seq_cst(&type->flags, TYPE_ABSTRACT);
    else
        fetch_and_seq_cst(&type->flags, ~TYPE_ABSTRACT);
    return true;
}

static Value
get_annotations(Thread *th, Value self, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    if (!(type_flags(type) & TYPE_HEAP))
        return raise_error(th, &exc_AttributeError,
                           "type object '%N' has no attribute '__annotations__'", type);
    Value v = own_get_bound(th, type, NAME(__annotations__));
    if (v || error_set(th))
        return v;
    Value fresh = dict_new(th);
    Value d = fresh ? field_read(th, &type->ops.head, &type->dict) : NULL;
    if (d) {
        type_modify_begin(th, type, NAME(__annotations__));
        v = dict_set_default(th, d, NAME(__annotations__), fresh);
        type_modify_end(th);
        drop(th, d);
    }
    drop_null(th, fresh);
    return v;
}

static bool
set_annotations(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    if (type_flags(type) & TYPE_IMMUTABLE) {
        raise_type_error(th, "cannot set '__annotations__' attribute of immutable type '%N'", type);
        return false;
    }
    return own_set(th, type, NAME(__annotations__), value);
}

Value
type_dict_proxy(Thread *th, Type *type)
{
    Value d = field_read(th, &type->ops.head, &type->dict);
    if (d == NULL)
        return retain(th, NONE);
    Value proxy = mappingproxy_new(th, d);
    drop(th, d);
    return proxy;
}

static Value
get_dict(Thread *th, Value self, void *closure)
{
    (void)closure;
    return type_dict_proxy(th, as_type(self));
}

static Value
get_signature(Thread *th, Value self, void *closure)
{
    (void)closure;
    Type *type = as_type(self);
    if (type->spec)
        return doc_signature(th, type->spec->name, type->spec->doc);
    /* A class statement's docstring may begin with a signature, too. */
    Value d = field_read(th, &type->ops.head, &type->dict);
    Value doc = d ? dict_get_str(th, d, NAME(__doc__)) : NULL, r = NULL;
    const char *text = doc && is_str(doc) ? str_utf8(th, doc, NULL) : NULL;
    if (text)
        r = doc_signature(th, type_name(type), text);
    else
        error_clear(th);
    drop_null(th, doc);
    drop_null(th, d);
    return r || error_set(th) ? r : retain(th, NONE);
}

/* -- bases and numbers -- */

static Value
get_bases(Thread *th, Value self, void *closure)
{
    (void)closure;
    return field_read(th, value_object(self), &as_type(self)->bases);
}

static bool
set_bases(Thread *th, Value self, Value value, void *closure)
{
    (void)closure;
    return may_set(th, as_type(self), value, "__bases__") &&
           type_assign_bases(th, as_type(self), value);
}

enum { OF_ITEM_SIZE, OF_DICT_OFFSET, OF_WEAK_OFFSET };

static Value
get_fact(Thread *th, Value self, void *closure)
{
    Type *type = as_type(self);
    (void)th;
    switch ((intptr_t)closure) {
    case OF_ITEM_SIZE:
        return value_from_fixnum(type_flags(type) & TYPE_STR_SUBCLASS ? 0 : type->item_size);
    case OF_DICT_OFFSET:
        if (type->extra->own_dict)
            return value_from_fixnum(sizeof(struct Object));
        return value_from_fixnum(type->attrs_offset == ATTRS_TAIL ? -8 : (int)type->attrs_offset);
    default:
        return value_from_fixnum(type_flags(type) & TYPE_WEAKREFS ? 8 : 0);
    }
}

static bool
set_fact(Thread *th, Value self, Value value, void *closure)
{
    (void)self;
    (void)value;
    (void)closure;
    raise_error(th, &exc_AttributeError, "readonly attribute");
    return false;
}

#define FACT(nm, what) {.name = nm, .get = get_fact, .set = set_fact, .closure = (void *)what}

static const MemberDef type_members[] = {
    {"__basicsize__", MEMBER_UINT, offsetof(Type, basic_size), true, NULL},
    {"__flags__", MEMBER_UINT, offsetof(Type, flags), true, NULL},
    {"__base__", MEMBER_CONST_VALUE, offsetof(Type, base), true, NULL},
    {"__mro__", MEMBER_VALUE_NONE, offsetof(Type, mro), true, NULL},
    {.name = NULL},
};

static const GetterDef type_getters[] = {
    FACT("__itemsize__", OF_ITEM_SIZE),
    FACT("__weakrefoffset__", OF_WEAK_OFFSET),
    FACT("__dictoffset__", OF_DICT_OFFSET),
    {.name = "__name__", .get = get_name, .set = set_name},
    {.name = "__qualname__", .get = get_qualname, .set = set_qualname},
    {.name = "__bases__", .get = get_bases, .set = set_bases},
    {.name = "__module__", .get = get_module, .set = set_module},
    {.name = "__abstractmethods__", .get = get_abstract, .set = set_abstract},
    {.name = "__dict__", .get = get_dict},
    {.name = "__doc__", .get = get_doc, .set = set_doc},
    {.name = "__text_signature__", .get = get_signature},
    {.name = "__annotations__", .get = get_annotations, .set = set_annotations},
    {.name = NULL},
};

/* -- methods -- */

static Value
method_mro(Thread *th, Value self)
{
    Type *type = as_type(self);
    Value bases = field_read(th, &type->ops.head, &type->bases);
    if (bases == NULL)
        return list_new(th, 0);
    Value mro = mro_c3(th, type, bases);
    drop(th, bases);
    if (mro == NULL)
        return NULL;
    Value list = sequence_list(th, mro);
    drop(th, mro);
    return list;
}

static Value
method_subclasses(Thread *th, Value self)
{
    return type_subclasses_list(th, as_type(self));
}

static Value
method_prepare(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    (void)args;
    (void)nargs;
    (void)kwnames;
    return dict_new(th);
}

static Value
answer_value(Answer a)
{
    return a == FAILED ? NULL : bool_from(a == YES);
}

static Value
method_instancecheck(Thread *th, Value self, Value instance)
{
    return answer_value(is_instance_real(th, instance, self));
}

static Value
method_subclasscheck(Thread *th, Value self, Value subclass)
{
    return answer_value(is_subclass_real(th, subclass, self));
}

static Value
method_sizeof(Thread *th, Value self)
{
    (void)th;
    Type *type = as_type(self);
    size_t size = sizeof(Type);
    if (type_flags(type) & TYPE_HEAP)
        size += sizeof(TypeExtra) + load_relaxed(&type->extra->shape_count) * sizeof(Shape);
    return value_from_fixnum((int64_t)size);
}

static const MethodDef type_methods[] = {
    NATIVE_0("mro", method_mro,
             "mro($self, /)\n--\n\nReturn a type's method resolution order."),
    NATIVE_0("__subclasses__", method_subclasses,
             "__subclasses__($self, /)\n--\n\nReturn a list of immediate subclasses."),
    {.name = "__prepare__", .fk = method_prepare, .flags = METHOD_K | METHOD_CLASS, .nmax = -1,
     .doc = "__prepare__() -> dict\nused to create the namespace for the class statement"},
    NATIVE_1("__instancecheck__", method_instancecheck,
             "__instancecheck__($self, instance, /)\n--\n\nCheck if an object is an instance."),
    NATIVE_1("__subclasscheck__", method_subclasscheck,
             "__subclasscheck__($self, subclass, /)\n--\n\nCheck if a class is a subclass."),
    NATIVE_0("__dir__", type_dir,
             "__dir__($self, /)\n--\n\nSpecialized __dir__ implementation for types."),
    NATIVE_0("__sizeof__", method_sizeof,
             "__sizeof__($self, /)\n--\n\nReturn memory consumption of the type object."),
    NATIVE_END,
};

/* -- memory -- */

void
type_visit(Object *o, VisitFn visit, void *arg)
{
    Type *t = (Type *)(void *)o;
    field_visit(&t->dict, visit, arg);
    field_visit(&t->bases, visit, arg);
    field_visit(&t->mro, visit, arg);
    field_visit(&t->name_value, visit, arg);
    field_visit(&t->qualname, visit, arg);
    if (t->base && (type_flags(t) & TYPE_HEAP))
        visit(value_of_type(t->base), arg);
    value_visit(t->slots_names, visit, arg);
    if (t->extra)
        value_visit(t->extra->linked, visit, arg);
    type_lookup_visit(t, visit, arg);
}

void
type_clear(Thread *th, Object *o)
{
    Type *t = (Type *)(void *)o;
    if (!(type_flags(t) & TYPE_HEAP) || t->extra == NULL)
        return;
    /* The cell may stay for another collection (its instances may wait to be freed): nobody
     * finds the type any more. */
    fetch_and_seq_cst(&t->flags, ~TYPE_READY);
    type_subclass_unlink(th, t);
    type_modify_begin(th, t, NULL);
    Value d = field_read(th, o, &t->dict);
    if (d) {
        dict_clear(th, d);
        drop(th, d);
    }
    field_replace(th, o, &t->mro, NULL);
    type_modify_end(th);
}

void
type_dealloc(Thread *th, Object *o)
{
    Type *t = (Type *)(void *)o;
    TypeExtra *x = t->extra;
    if (x) {
        type_subclass_unlink(th, t);
        type_lookup_forget(th, t);
        shapes_free(th, t);
    }
    field_drop(th, &t->dict);
    field_drop(th, &t->mro);
    field_drop(th, &t->bases);
    field_drop(th, &t->name_value);
    field_drop(th, &t->qualname);
    drop_null(th, t->slots_names);
    if (t->base)
        drop(th, value_of_type(t->base));
    t->base = NULL;
    if (x) {
        for (uint32_t i = 0; x->slot_texts && i < t->slots_count; i++)
            free(x->slot_texts[i]);
        free(x->slot_texts);
        free(x->slot_members);
        free(x->slot_getters);
        free(x->owned_name);
        free(x->subs);
        free(x);
        t->extra = NULL;
    }
}

static Value
type_or(Thread *th, Value a, Value b)
{
    return union_new(th, a, b);
}

Type type_type;
const TypeSpec type_spec = {
    .name = "type",
    .size = sizeof(Type),
    .flags = TYPE_BASE | TYPE_VECTORCALL,
    .ops_flags = OPS_TRACKED | OPS_BORN_SHARED,
    .doc = "type(object) -> the object's type\n"
           "type(name, bases, dict, **kwds) -> a new type",
    .methods = type_methods,
    .getters = type_getters,
    .members = type_members,
    .slots = {.repr = type_repr, .call = type_call, .getattr = type_get_attr,
              .setattr = type_set_attr, .init = type_init, .new = type_new, .or_ = type_or},
    .visit = type_visit,
    .clear = type_clear,
    .dealloc = type_dealloc,
};
