/* property.c -- property, classmethod and staticmethod.
 *
 * All three keep what they wrap in Fields: __init__ may run again at any time, on any
 * thread.  A property remembers the name it was assigned to for its messages.
 */
#include "objects/model/model.h"

#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

#include <stddef.h>

/* -- property -- */

static inline Property *
as_property(Value v)
{
    return (Property *)(void *)value_object(v);
}

static inline Value
none_to_null(Value v)
{
    return v == NONE ? NULL : v;
}

Value
property_new(Thread *th, Value get, Value set, Value del, Value doc)
{
    Value v[4] = {get ? get : NONE, set ? set : NONE, del ? del : NONE, doc ? doc : NONE};
    return call(th, value_of_type(&property_type), args_of(v), 4, NULL);
}

/* Takes the doc of the getter over. */
static bool
copy_getter_doc(Thread *th, Value self, Value get)
{
    Property *p = as_property(self);
    Value doc;
    Answer has = get_attr_optional(th, get, NAME(__doc__), &doc);
    if (has != YES)
        return has == NO;
    if (is_exact(self, SHAPE_PROPERTY)) {
        field_replace(th, &p->head, &p->doc, doc);
    } else {
        /* A subclass has a __doc__ of its own, which hides the property's. */
        bool ok = set_attr(th, self, NAME(__doc__), doc);
        drop(th, doc);
        if (!ok)
            return false;
    }
    store_relaxed(&p->getter_doc, 1);
    return true;
}

static bool
property_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "property",
        .names = {"fget", "fset", "fdel", "doc"},
        .positional = 4,
    };
    Value v[4];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    Property *p = as_property(self);
    Object *o = &p->head;
    Value get = none_to_null(v[0]);
    field_replace(th, o, &p->get, retain_null(th, get));
    field_replace(th, o, &p->set, retain_null(th, none_to_null(v[1])));
    field_replace(th, o, &p->del, retain_null(th, none_to_null(v[2])));
    field_replace(th, o, &p->doc, retain_null(th, v[3]));
    field_replace(th, o, &p->name, NULL);
    store_relaxed(&p->getter_doc, 0);
    if (none_to_null(v[3]) == NULL && get != NULL)
        return copy_getter_doc(th, self, get);
    return true;
}

/* "property 'x' of 'C' object has no getter" */
static COLD void
raise_missing(Thread *th, Property *p, Value object, const char *what)
{
    Value name = field_read(th, &p->head, &p->name);
    Value qualname = NULL;
    if (object != NULL)
        qualname = get_attr(th, value_of_type(type_of(object)), NAME(__qualname__));
    if (object != NULL && qualname == NULL)
        goto done;
    if (name != NULL && qualname != NULL)
        raise_error(th, &exc_AttributeError, "property %R of %R object has no %s", name, qualname,
                    what);
    else if (qualname != NULL)
        raise_error(th, &exc_AttributeError, "property of %R object has no %s", qualname, what);
    else
        raise_error(th, &exc_AttributeError, "property has no %s", what);
done:
    drop_null(th, name);
    drop_null(th, qualname);
}

static Value
property_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)type;
    if (object == NULL || object == NONE)
        return retain(th, self);
    Property *p = as_property(self);
    Value get = field_read(th, &p->head, &p->get);
    if (UNLIKELY(get == NULL)) {
        raise_missing(th, p, object, "getter");
        return NULL;
    }
    Value r = call_1(th, get, object);
    drop(th, get);
    return r;
}

static bool
property_descr_set(Thread *th, Value self, Value object, Value value)
{
    Property *p = as_property(self);
    Value f = field_read(th, &p->head, value ? &p->set : &p->del);
    if (UNLIKELY(f == NULL)) {
        raise_missing(th, p, object, value ? "setter" : "deleter");
        return false;
    }
    Value r = value ? call_2(th, f, object, value) : call_1(th, f, object);
    drop(th, f);
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

/* A property like `self` with some of its functions replaced (NULL: kept). */
static Value
property_copy(Thread *th, Value self, Value get, Value set, Value del)
{
    Property *p = as_property(self);
    Object *o = &p->head;
    Value v[4];
    v[0] = get && get != NONE ? retain(th, get) : field_read(th, o, &p->get);
    v[1] = set && set != NONE ? retain(th, set) : field_read(th, o, &p->set);
    v[2] = del && del != NONE ? retain(th, del) : field_read(th, o, &p->del);
    v[3] = NULL;
    if (load_relaxed(&p->getter_doc) == 0 || v[0] == NULL)
        v[3] = field_read(th, o, &p->doc);
    for (int i = 0; i < 4; i++) {
        if (v[i] == NULL)
            v[i] = NONE;
    }
    Value r = call(th, value_of_type(type_of(self)), args_of(v), 4, NULL);
    for (int i = 0; i < 4; i++)
        drop(th, v[i]);
    if (r != NULL && is_instance_of(r, &property_type)) {
        Property *made = as_property(r);
        field_replace(th, &made->head, &made->name, field_read(th, o, &p->name));
    }
    return r;
}

static Value
property_getter(Thread *th, Value self, Value f)
{
    return property_copy(th, self, f, NULL, NULL);
}

static Value
property_setter(Thread *th, Value self, Value f)
{
    return property_copy(th, self, NULL, f, NULL);
}

static Value
property_deleter(Thread *th, Value self, Value f)
{
    return property_copy(th, self, NULL, NULL, f);
}

static Value
property_set_name(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs != 2)
        return raise_type_error(
            th, "__set_name__() takes 2 positional arguments but %zu were given", nargs);
    Property *p = as_property(self);
    field_replace(th, &p->head, &p->name, retain(th, arg(args, 1)));
    return NONE;
}

/* Whether f.__isabstractmethod__ is true. */
static Answer
is_abstract(Thread *th, Value f)
{
    Value flag;
    if (f == NULL)
        return NO;
    Answer has = get_attr_optional(th, f, NAME(__isabstractmethod__), &flag);
    if (has != YES)
        return has;
    Answer answer = is_true(th, flag);
    drop(th, flag);
    return answer;
}

static Value
property_is_abstract(Thread *th, Value self, void *closure)
{
    (void)closure;
    Property *p = as_property(self);
    Field *const fields[] = {&p->get, &p->set, &p->del};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        Value f = field_read(th, &p->head, fields[i]);
        Answer answer = is_abstract(th, f);
        drop_null(th, f);
        if (answer != NO)
            return answer == YES ? TRUE : NULL;
    }
    return FALSE;
}

static const MethodDef property_methods[] = {
    NATIVE_1("getter", property_getter, "Descriptor to obtain a copy of the property with a "
                                        "different getter."),
    NATIVE_1("setter", property_setter, "Descriptor to obtain a copy of the property with a "
                                        "different setter."),
    NATIVE_1("deleter", property_deleter, "Descriptor to obtain a copy of the property with a "
                                          "different deleter."),
    NATIVE_N("__set_name__", property_set_name, 0, -1, "Method to set name of a property."),
    NATIVE_END,
};

static const GetterDef property_getters[] = {
    {"__isabstractmethod__", property_is_abstract, NULL, NULL, NULL},
    {.name = NULL},
};

static const MemberDef property_members[] = {
    {"fget", MEMBER_VALUE_NONE, offsetof(Property, get), true, NULL},
    {"fset", MEMBER_VALUE_NONE, offsetof(Property, set), true, NULL},
    {"fdel", MEMBER_VALUE_NONE, offsetof(Property, del), true, NULL},
    {"__doc__", MEMBER_VALUE_NONE, offsetof(Property, doc), false, NULL},
    {.name = NULL},
};

HOLDS_FIELDS(property, Property, get, set, del, doc, name);
CLEARS_FIELDS(property, Property, get, set, del, doc, name);

static Value
generic_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static const char property_doc[] =
    "property(fget=None, fset=None, fdel=None, doc=None)\n--\n\n"
    "Property attribute.\n\n"
    "  fget\n    function to be used for getting an attribute value\n"
    "  fset\n    function to be used for setting an attribute value\n"
    "  fdel\n    function to be used for del\'ing an attribute\n"
    "  doc\n    docstring\n\n"
    "Typical use is to define a managed attribute x:\n\n"
    "class C(object):\n"
    "    def getx(self): return self._x\n"
    "    def setx(self, value): self._x = value\n"
    "    def delx(self): del self._x\n"
    "    x = property(getx, setx, delx, \"I\'m the \'x\' property.\")\n\n"
    "Decorators make defining new properties or modifying existing ones easy:\n\n"
    "class C(object):\n"
    "    @property\n"
    "    def x(self):\n"
    "        \"I am the \'x\' property.\"\n"
    "        return self._x\n"
    "    @x.setter\n"
    "    def x(self, value):\n"
    "        self._x = value\n"
    "    @x.deleter\n"
    "    def x(self):\n"
    "        del self._x";

Type property_type;
const TypeSpec property_spec = {
    .name = "property",
    .size = sizeof(Property),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = property_doc,
    .methods = property_methods,
    .getters = property_getters,
    .members = property_members,
    .slots = {.getattr = generic_get_attr,
              .descr_get = property_descr_get,
              .descr_set = property_descr_set,
              .init = property_init,
              .new = generic_new},
    .visit = property_visit,
    .clear = property_clear,
    .dealloc = property_dealloc,
};

/* -- classmethod and staticmethod -- */

typedef struct Wrapper {
    struct Object head;
    Field function;
} Wrapper;

static inline Wrapper *
as_wrapper(Value v)
{
    return (Wrapper *)(void *)value_object(v);
}

static Value
wrapped_function(Thread *th, Value self)
{
    Wrapper *w = as_wrapper(self);
    return field_read(th, &w->head, &w->function);
}

/* Gives the wrapper the attributes that describe a function. */
static bool
copy_attributes(Thread *th, Value self, Value function)
{
    const Value copied[] = {NAME(__module__), NAME(__name__), NAME(__qualname__), NAME(__doc__),
                            NAME(__annotations__)};
    for (size_t i = 0; i < ARRAY_LEN(copied); i++) {
        Value v;
        Answer has = get_attr_optional(th, function, copied[i], &v);
        if (has == FAILED)
            return false;
        if (has == NO)
            continue;
        bool ok = set_attr(th, self, copied[i], v);
        drop(th, v);
        if (!ok)
            return false;
    }
    return true;
}

static bool
wrapper_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames,
             const char *name)
{
    if (!args_no_keywords(th, name, kwnames) || !args_count(th, name, nargs, 1, 1))
        return false;
    Wrapper *w = as_wrapper(self);
    Value function = arg(args, 0);
    field_replace(th, &w->head, &w->function, retain(th, function));
    return copy_attributes(th, self, function);
}

static bool
classmethod_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return wrapper_init(th, self, args, nargs, kwnames, "classmethod");
}

static bool
staticmethod_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    return wrapper_init(th, self, args, nargs, kwnames, "staticmethod");
}

/* Without the attributes: for types written in C, before there are modules. */
static Value
wrapper_new(Thread *th, uint32_t shape, Value f)
{
    Value v = type_alloc(th, type_at(shape), 0);
    if (v != NULL)
        field_init(&as_wrapper(v)->function, retain(th, f));
    return v;
}

Value
classmethod_new(Thread *th, Value f)
{
    return wrapper_new(th, SHAPE_CLASSMETHOD, f);
}

Value
staticmethod_new(Thread *th, Value f)
{
    return wrapper_new(th, SHAPE_STATICMETHOD, f);
}

static Value
classmethod_descr_get(Thread *th, Value self, Value object, Value type)
{
    Value f = wrapped_function(th, self);
    if (f == NULL)
        return raise_error(th, &exc_RuntimeError, "uninitialized classmethod object");
    if (type == NULL)
        type = value_of_type(type_of(object));
    DescrGetFn get = SLOT(type_of(f), descr_get);
    Value r = !stack_check(th) ? NULL : get ? get(th, f, type, type) : method_new(th, f, type);
    drop(th, f);
    return r;
}

static Value
staticmethod_descr_get(Thread *th, Value self, Value object, Value type)
{
    (void)object;
    (void)type;
    Value f = wrapped_function(th, self);
    if (f == NULL)
        return raise_error(th, &exc_RuntimeError, "uninitialized staticmethod object");
    return f;
}

static Value
staticmethod_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Value f = staticmethod_descr_get(th, self, NULL, NULL);
    if (f == NULL)
        return NULL;
    Value r = call(th, f, args, nargs, kwnames);
    drop(th, f);
    return r;
}

static Value
wrapper_repr(Thread *th, Value self, const char *name)
{
    Value f = wrapped_function(th, self);
    Value r = str_format_c(th, "<%s(%R)>", name, f ? f : NONE);
    drop_null(th, f);
    return r;
}

static Value
classmethod_repr(Thread *th, Value self)
{
    return wrapper_repr(th, self, "classmethod");
}

static Value
staticmethod_repr(Thread *th, Value self)
{
    return wrapper_repr(th, self, "staticmethod");
}

static Value
wrapper_is_abstract(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value f = wrapped_function(th, self);
    Answer answer = is_abstract(th, f);
    drop_null(th, f);
    return answer == FAILED ? NULL : bool_from(answer == YES);
}

static const GetterDef wrapper_getters[] = {
    GETTER_DICT,
    {"__isabstractmethod__", wrapper_is_abstract, NULL, NULL, NULL},
    {.name = NULL},
};

static const MemberDef wrapper_members[] = {
    {"__func__", MEMBER_VALUE_NONE, offsetof(Wrapper, function), true, NULL},
    {"__wrapped__", MEMBER_VALUE_NONE, offsetof(Wrapper, function), true, NULL},
    {.name = NULL},
};

HOLDS_FIELDS(wrapper, Wrapper, function);
CLEARS_FIELDS(wrapper, Wrapper, function);

static const char classmethod_doc[] =
    "classmethod(function) -> method\n\n"
    "Convert a function to be a class method.\n\n"
    "A class method receives the class as implicit first argument,\n"
    "just like an instance method receives the instance.\n"
    "To declare a class method, use this idiom:\n\n"
    "  class C:\n"
    "      @classmethod\n"
    "      def f(cls, arg1, arg2, argN):\n"
    "          ...\n\n"
    "It can be called either on the class (e.g. C.f()) or on an instance\n"
    "(e.g. C().f()).  The instance is ignored except for its class.\n"
    "If a class method is called for a derived class, the derived class\n"
    "object is passed as the implied first argument.\n\n"
    "Class methods are different than C++ or Java static methods.\n"
    "If you want those, see the staticmethod builtin.";

static const char staticmethod_doc[] =
    "staticmethod(function) -> method\n\n"
    "Convert a function to be a static method.\n\n"
    "A static method does not receive an implicit first argument.\n"
    "To declare a static method, use this idiom:\n\n"
    "     class C:\n"
    "         @staticmethod\n"
    "         def f(arg1, arg2, argN):\n"
    "             ...\n\n"
    "It can be called either on the class (e.g. C.f()) or on an instance\n"
    "(e.g. C().f()). Both the class and the instance are ignored, and\n"
    "neither is passed implicitly as the first argument to the method.\n\n"
    "Static methods in Python are similar to those found in Java or C++.\n"
    "For a more advanced concept, see the classmethod builtin.";

Type classmethod_type;
const TypeSpec classmethod_spec = {
    .name = "classmethod",
    .size = sizeof(Wrapper),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = classmethod_doc,
    .getters = wrapper_getters,
    .members = wrapper_members,
    .has_dict = true,
    .slots = {.repr = classmethod_repr,
              .descr_get = classmethod_descr_get,
              .init = classmethod_init,
              .new = generic_new},
    .visit = wrapper_visit,
    .clear = wrapper_clear,
    .dealloc = wrapper_dealloc,
};

Type staticmethod_type;
const TypeSpec staticmethod_spec = {
    .name = "staticmethod",
    .size = sizeof(Wrapper),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = staticmethod_doc,
    .getters = wrapper_getters,
    .members = wrapper_members,
    .has_dict = true,
    .slots = {.repr = staticmethod_repr,
              .call = staticmethod_call,
              .descr_get = staticmethod_descr_get,
              .init = staticmethod_init,
              .new = generic_new},
    .visit = wrapper_visit,
    .clear = wrapper_clear,
    .dealloc = wrapper_dealloc,
};
