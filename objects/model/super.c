/* super.c -- super(): attributes as the types behind a given one in an MRO have them.
 *
 * A super object is a type, an object (or class) and the type whose MRO is walked; __init__
 * may set them again, so they are Fields.  The words read from MROs and dicts are counted
 * before anything is called.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

#include <stddef.h>

typedef struct Super {
    struct Object head;
    Field type;        /* __thisclass__ */
    Field object;      /* __self__, or NULL: unbound */
    Field object_type; /* __self_class__, or NULL */
} Super;

static inline Super *
as_super(Value v)
{
    return (Super *)(void *)value_object(v);
}

/* The type whose MRO counts for super(type, object): new reference, NULL with TypeError. */
static Value
check_object(Thread *th, Type *type, Value object)
{
    if (is_type(object) && type_is_subtype(as_type(object), type))
        return retain(th, object);
    Type *own = type_of(object);
    if (type_is_subtype(own, type))
        return retain(th, value_of_type(own));
    Value claimed; /* a proxy may say what it stands for */
    Answer has = get_attr_optional(th, object, NAME(__class__), &claimed);
    if (has == FAILED)
        return NULL;
    if (has == YES) {
        if (is_type(claimed) && as_type(claimed) != own && type_is_subtype(as_type(claimed), type))
            return claimed;
        drop(th, claimed);
    }
    return raise_type_error(th, "super(type, obj): obj must be an instance or subtype of type");
}

/* Finds `name` in the MRO of `start` behind `type` and binds it to `object`.  *found says
 * whether there was one.  With `unbound`, what a call would bind stays as it is, and *unbound is
 * true. */
static Value
lookup_behind(Thread *th, Type *type, Value object, Type *start, Value name, bool *found,
              bool *unbound)
{
    *found = false;
    Value mro = field_read(th, value_object(value_of_type(start)), &start->mro);
    if (mro == NULL)
        return NULL;
    int64_t n = tuple_length(mro);
    int64_t i = 0;
    while (i < n && tuple_item(mro, i) != value_of_type(type))
        i++;
    Value v = NULL;
    Answer there = NO;
    for (i++; i < n && there == NO; i++) {
        Type *t = as_type(tuple_item(mro, i));
        Value dict = field_read(th, value_object(value_of_type(t)), &t->dict);
        if (dict == NULL)
            continue;
        there = dict_get_name(th, dict, name, &v);
        drop(th, dict);
    }
    drop(th, mro);
    *found = there != NO;
    if (v == NULL)
        return NULL;
    DescrGetFn get = SLOT(type_of(v), descr_get);
    if (get == NULL)
        return v;
    if (unbound != NULL && object != value_of_type(start) && value_has_flag(v, TYPE_METHOD_DESCR)) {
        *unbound = true;
        return v;
    }
    /* A class method's super sees the class, not an instance. */
    Value r = get(th, v, object == value_of_type(start) ? NULL : object, value_of_type(start));
    drop(th, v);
    return r;
}

Value
super_get_attr(Thread *th, Type *type, Value object, Value name)
{
    return super_get_method(th, type, object, name, NULL);
}

Value
super_get_method(Thread *th, Type *type, Value object, Value name, bool *unbound)
{
    if (unbound != NULL)
        *unbound = false;
    if (name != NAME(__class__)) {
        Value start = check_object(th, type, object);
        if (start == NULL)
            return NULL;
        bool found;
        Value v = lookup_behind(th, type, object, as_type(start), name, &found, unbound);
        drop(th, start);
        if (found || error_set(th))
            return v;
    }
    Value self = super_new(th, type, object);
    if (self == NULL)
        return NULL;
    Value v = generic_get_attr(th, self, name);
    drop(th, self);
    return v;
}

static Value
super_getattr(Thread *th, Value self, Value name)
{
    Super *s = as_super(self);
    Value object_type = field_read(th, &s->head, &s->object_type);
    if (object_type == NULL || name == NAME(__class__)) {
        drop_null(th, object_type);
        return generic_get_attr(th, self, name);
    }
    Value type = field_read(th, &s->head, &s->type);
    Value object = field_read(th, &s->head, &s->object);
    bool found = false;
    Value v = NULL;
    if (type != NULL && object != NULL)
        v = lookup_behind(th, as_type(type), object, as_type(object_type), name, &found, NULL);
    drop_null(th, type);
    drop_null(th, object);
    drop(th, object_type);
    if (found || error_set(th))
        return v;
    return generic_get_attr(th, self, name);
}

/* Sets what a super object refers to; object may be NULL. */
static bool
super_fill(Thread *th, Value self, Type *type, Value object)
{
    Super *s = as_super(self);
    Value object_type = NULL;
    if (object != NULL) {
        object_type = check_object(th, type, object);
        if (object_type == NULL)
            return false;
    }
    field_replace(th, &s->head, &s->type, retain(th, value_of_type(type)));
    field_replace(th, &s->head, &s->object, retain_null(th, object));
    field_replace(th, &s->head, &s->object_type, object_type);
    return true;
}

Value
super_new(Thread *th, Type *type, Value object)
{
    Value self = value_of(object_new_fast(th, SHAPE_SUPER, sizeof(Super), true));
    if (self != NULL && !super_fill(th, self, type, object))
        DROP_CLEAR(th, self);
    return self;
}

static bool
super_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!args_no_keywords(th, "super", kwnames))
        return false;
    if (nargs > 2) {
        raise_type_error(th, "super() expected at most 2 arguments, got %zu", nargs);
        return false;
    }
    if (nargs == 0) {
        Type *type;
        Value object;
        if (!upcalls.super_arguments(th, &type, &object))
            return false;
        bool ok = super_fill(th, self, type, object);
        drop(th, value_of_type(type));
        drop(th, object);
        return ok;
    }
    Value type = arg(args, 0);
    if (!is_type(type)) {
        raise_type_error(th, "super() argument 1 must be a type, not %T", type);
        return false;
    }
    Value object = nargs == 2 ? arg(args, 1) : NULL;
    return super_fill(th, self, as_type(type), object == NONE ? NULL : object);
}

static Value
super_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    if (type == &super_type)
        return value_of(object_new_fast(th, SHAPE_SUPER, sizeof(Super), true));
    return type_alloc(th, type, 0);
}

static Value
super_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    Super *s = as_super(self);
    if (object == NULL || object == NONE || field_peek(&s->object) != NULL)
        return retain(th, self);
    Value own = field_read(th, &s->head, &s->type);
    if (own == NULL)
        return retain(th, self);
    Value r;
    if (is_exact(self, SHAPE_SUPER))
        r = super_new(th, as_type(own), object);
    else /* a subclass decides for itself how it is made */
        r = call_2(th, value_of_type(type_of(self)), own, object);
    drop(th, own);
    return r;
}

static Value
super_repr(Thread *th, Value self)
{
    Super *s = as_super(self);
    Value type = field_read(th, &s->head, &s->type);
    Value object_type = field_read(th, &s->head, &s->object_type);
    const char *name = type ? type_name(as_type(type)) : "NULL";
    Value r = object_type ? str_format_c(th, "<super: <class '%s'>, <%N object>>", name,
                                         as_type(object_type)) :
                            str_format_c(th, "<super: <class '%s'>, NULL>", name);
    drop_null(th, type);
    drop_null(th, object_type);
    return r;
}

static const MemberDef members[] = {
    {"__thisclass__", MEMBER_VALUE_NONE, offsetof(Super, type), true,
     "the class invoking super()"},
    {"__self__", MEMBER_VALUE_NONE, offsetof(Super, object), true,
     "the instance invoking super(); may be None"},
    {"__self_class__", MEMBER_VALUE_NONE, offsetof(Super, object_type), true,
     "the type of the instance invoking super(); may be None"},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Super *s = (Super *)(void *)o;
    field_visit(&s->type, fn, arg);
    field_visit(&s->object, fn, arg);
    field_visit(&s->object_type, fn, arg);
}

static void
clear(Thread *th, Object *o)
{
    Super *s = (Super *)(void *)o;
    field_replace(th, o, &s->object_type, NULL);
    field_replace(th, o, &s->object, NULL);
    field_replace(th, o, &s->type, NULL);
}

static void
dealloc(Thread *th, Object *o)
{
    Super *s = (Super *)(void *)o;
    field_drop(th, &s->type);
    field_drop(th, &s->object);
    field_drop(th, &s->object_type);
}

static const char super_doc[] =
    "super() -> same as super(__class__, <first argument>)\n"
    "super(type) -> unbound super object\n"
    "super(type, obj) -> bound super object; requires isinstance(obj, type)\n"
    "super(type, type2) -> bound super object; requires issubclass(type2, type)\n"
    "Typical use to call a cooperative superclass method:\n"
    "class C(B):\n"
    "    def meth(self, arg):\n"
    "        super().meth(arg)\n"
    "This works for class methods too:\n"
    "class C(B):\n"
    "    @classmethod\n"
    "    def cmeth(cls, arg):\n"
    "        super().cmeth(arg)\n";

Type super_type;
const TypeSpec super_spec = {
    .name = "super",
    .size = sizeof(Super),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = super_doc,
    .members = members,
    .slots = {.repr = super_repr,
              .getattr = super_getattr,
              .descr_get = super_descr_get,
              .init = super_init,
              .new = super_type_new},
    .visit = visit,
    .clear = clear,
    .dealloc = dealloc,
};
