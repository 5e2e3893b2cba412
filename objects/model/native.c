/* native.c -- functions and methods written in C, as Python sees and calls them.
 *
 * A NativeFunction is a MethodDef with the object it is bound to: a module for a module's
 * functions, the object or the class for methods; static methods have neither and name
 * their type in `owner`.  All fields are constant, so no locks are needed.
 */
#include "objects/model/model.h"

#include "base/assert.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/interp.h"

#include <string.h>

static inline NativeFunction *
as_native(Value v)
{
    return (NativeFunction *)(void *)value_object(v);
}

Value
native_function_new(Thread *th, const MethodDef *def, Value self, Value module_name)
{
    Object *o = object_new_fast(th, SHAPE_NATIVE_FUNCTION, sizeof(NativeFunction), true);
    if (o == NULL)
        return NULL;
    NativeFunction *f = (NativeFunction *)(void *)o;
    f->def = def;
    if ((def->flags & METHOD_STATIC) != 0 && self != NULL && is_type(self)) {
        f->owner = as_type(self);
        retain(th, self);
    } else {
        f->self = retain_null(th, self);
    }
    f->module = retain_null(th, module_name);
    return value_of(f);
}

/* -- calling -- */

/* The type in whose spec `def` stands, going up from `type`; `type` itself if none. */
static Type *
defining_type(Type *type, const MethodDef *def)
{
    for (Type *t = type; t != NULL; t = type_base(t)) {
        const MethodDef *d = t->spec ? t->spec->methods : NULL;
        for (; d != NULL && d->name != NULL; d++) {
            if (d == def)
                return t;
        }
    }
    return type;
}

/* "list.append", "math.sqrt", "len": how messages call the function.  A new str. */
static Value
full_name(Thread *th, const MethodDef *def, Value self)
{
    if (self == NULL)
        return str_from_c(th, def->name);
    if (is_instance_of(self, &module_type)) {
        Value name = dict_get_str(th, module_dict(self), NAME(__name__));
        Value r;
        if (name == NULL || !is_str(name) || str_equal_ascii(name, "builtins"))
            r = str_from_c(th, def->name);
        else
            r = str_format_c(th, "%V.%s", name, def->name);
        drop_null(th, name);
        return r;
    }
    Type *type = (def->flags & METHOD_CLASS) != 0 && is_type(self) ? as_type(self) : type_of(self);
    const char *owner = type_name(defining_type(type, def)), *dot = strrchr(owner, '.');
    return str_format_c(th, "%s.%s", dot ? dot + 1 : owner, def->name);
}

/* The call does not fit the definition: says why. */
static COLD Value
wrong_call(Thread *th, const MethodDef *def, Value self, size_t nargs, Value kwnames)
{
    int kind = def->flags & METHOD_KIND;
    if (kwnames == NULL && kind == METHOD_N) {
        if (!args_count(th, def->name, nargs, def->nmin, def->nmax))
            return NULL;
        CHECK(false);
    }
    Value name = full_name(th, def, self);
    if (name == NULL)
        return NULL;
    if (kwnames != NULL)
        raise_type_error(th, "%V() takes no keyword arguments", name);
    else if (kind == METHOD_0)
        raise_type_error(th, "%V() takes no arguments (%zu given)", name, nargs);
    else
        raise_type_error(th, "%V() takes exactly one argument (%zu given)", name, nargs);
    drop(th, name);
    return NULL;
}

Value
native_call(Thread *th, const MethodDef *def, Value self, const Arg *args, size_t nargs,
            Value kwnames)
{
    int kind = def->flags & METHOD_KIND;
    if (kind == METHOD_K)
        return def->fk(th, self, args, nargs, kwnames);
    if (UNLIKELY(kwnames != NULL)) {
        if (tuple_length(kwnames) != 0)
            return wrong_call(th, def, self, nargs, kwnames);
    }
    switch (kind) {
    case METHOD_0:
        if (LIKELY(nargs == 0))
            return def->f0(th, self);
        break;
    case METHOD_1:
        if (LIKELY(nargs == 1))
            return def->f1(th, self, arg(args, 0));
        break;
    default:
        if (LIKELY(nargs >= (size_t)def->nmin &&
                   (def->nmax < 0 || nargs <= (size_t)def->nmax)))
            return def->fn(th, self, args, nargs);
        break;
    }
    return wrong_call(th, def, self, nargs, NULL);
}

static Value
native_function_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    const NativeFunction *f = as_native(self);
    return native_call(th, f->def, f->self, args, nargs, kwnames);
}

/* -- documentation -- */

static const char signature_end[] = ")\n--\n\n";

/* Where the signature "(" starts in a doc of the form "name(...)\n--\n\n...", or NULL;
 * *end is its closing ")". */
static const char *
find_signature(const char *name, const char *doc, const char **end)
{
    if (doc == NULL)
        return NULL;
    const char *dot = strrchr(name, '.');
    if (dot != NULL)
        name = dot + 1;
    size_t n = strlen(name);
    if (strncmp(doc, name, n) != 0 || doc[n] != '(')
        return NULL;
    *end = strstr(doc + n, signature_end);
    return *end ? doc + n : NULL;
}

Value
native_doc(Thread *th, const char *name, const char *doc)
{
    const char *end;
    if (find_signature(name, doc, &end) != NULL)
        doc = end + sizeof signature_end - 1;
    if (doc == NULL || *doc == '\0')
        return NONE;
    return str_from_c(th, doc);
}

Value
native_signature(Thread *th, const char *name, const char *doc)
{
    const char *end;
    const char *start = find_signature(name, doc, &end);
    if (start == NULL)
        return NONE;
    return str_from_utf8(th, start, (size_t)(end + 1 - start));
}

/* -- attributes -- */

static Value
get_doc(Thread *th, Value self, void *closure)
{
    (void)closure;
    const MethodDef *def = as_native(self)->def;
    return native_doc(th, def->name, def->doc);
}

static Value
get_signature(Thread *th, Value self, void *closure)
{
    (void)closure;
    const MethodDef *def = as_native(self)->def;
    return native_signature(th, def->name, def->doc);
}

static Value
get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return str_intern_c(th, as_native(self)->def->name);
}

static Value
get_qualname(Thread *th, Value self, void *closure)
{
    (void)closure;
    const NativeFunction *f = as_native(self);
    Value holder = f->owner ? value_of_type(f->owner) : f->self;
    if (holder == NULL || is_instance_of(holder, &module_type))
        return str_from_c(th, f->def->name);
    if (!is_type(holder))
        holder = value_of_type(type_of(holder));
    Value qualname = get_attr(th, holder, NAME(__qualname__));
    if (qualname == NULL)
        return NULL;
    Value r = str_format_c(th, "%V.%s", qualname, f->def->name);
    drop(th, qualname);
    return r;
}

static Value
get_self(Thread *th, Value self, void *closure)
{
    (void)closure;
    const NativeFunction *f = as_native(self);
    return f->self ? retain(th, f->self) : NONE;
}

static Value
get_module(Thread *th, Value self, void *closure)
{
    (void)closure;
    const NativeFunction *f = as_native(self);
    return f->module ? retain(th, f->module) : NONE;
}

static Value
native_repr(Thread *th, Value self)
{
    const NativeFunction *f = as_native(self);
    Value holder = f->owner ? value_of_type(f->owner) : f->self;
    if (holder == NULL || is_instance_of(holder, &module_type))
        return str_format_c(th, "<built-in function %s>", f->def->name);
    return str_format_c(th, "<built-in method %s of %T object at %p>", f->def->name, holder,
                        (void *)holder);
}

static bool
native_hash(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    const NativeFunction *f = as_native(self);
    uintptr_t a = value_bits(f->self);
    uintptr_t b = (uintptr_t)(const void *)f->def;
    int64_t h = (int64_t)(((a >> 4) | (a << 60)) ^ ((b >> 4) | (b << 60)));
    *hash = h == -1 ? -2 : h;
    return true;
}

static Value
native_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    if ((op != OP_EQ && op != OP_NE) || !is_exact(a, SHAPE_NATIVE_FUNCTION) ||
        !is_exact(b, SHAPE_NATIVE_FUNCTION))
        return NOT_IMPLEMENTED;
    const NativeFunction *x = as_native(a);
    const NativeFunction *y = as_native(b);
    bool equal = x->self == y->self && x->def == y->def && x->owner == y->owner;
    return bool_from(equal == (op == OP_EQ));
}

static Value
native_reduce(Thread *th, Value self)
{
    const NativeFunction *f = as_native(self);
    Value holder = f->owner ? value_of_type(f->owner) : f->self;
    if (holder == NULL || is_instance_of(holder, &module_type))
        return str_from_c(th, f->def->name);
    return reduce_as_attribute(th, holder, f->def->name);
}

Value
reduce_as_attribute(Thread *th, Value holder, const char *name)
{
    Value getattr = dict_get_c(th, th->interp->builtins, "getattr");
    if (getattr == NULL)
        return raise_error(th, &exc_AttributeError, "getattr");
    Value text = str_from_c(th, name);
    Value pair = text ? tuple_pack(th, 2, holder, text) : NULL;
    Value r = pair ? tuple_pack(th, 2, getattr, pair) : NULL;
    drop_null(th, pair);
    drop_null(th, text);
    drop(th, getattr);
    return r;
}

static const MethodDef methods[] = {
    NATIVE_0("__reduce__", native_reduce, NULL),
    NATIVE_END,
};

static const GetterDef getters[] = {
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_qualname, NULL, NULL, NULL},
    {"__self__", get_self, NULL, NULL, NULL},
    {"__module__", get_module, NULL, NULL, NULL},
    {"__text_signature__", get_signature, NULL, NULL, NULL},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    NativeFunction *f = (NativeFunction *)(void *)o;
    value_visit(f->self, fn, arg);
    value_visit(f->module, fn, arg);
    if (f->owner)
        fn(value_of_type(f->owner), arg);
}

static void
dealloc(Thread *th, Object *o)
{
    NativeFunction *f = (NativeFunction *)(void *)o;
    drop_null(th, f->self);
    drop_null(th, f->module);
    if (f->owner)
        drop(th, value_of_type(f->owner));
}

Type native_function_type;
const TypeSpec native_function_spec = {
    .name = "builtin_function_or_method",
    .size = sizeof(NativeFunction),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .methods = methods,
    .getters = getters,
    .slots = {.repr = native_repr,
              .hash = native_hash,
              .call = native_function_call,
              .getattr = generic_get_attr,
              .compare = native_compare},
    .visit = visit,
    .dealloc = dealloc,
};
