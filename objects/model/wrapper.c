/* wrapper.c -- slots of C types as Python sees them: wrapper_descriptor and method-wrapper.
 *
 * `int.__add__` is a wrapper_descriptor: it names the slot (SlotDef) and holds its
 * function.  `(1).__add__` is a method-wrapper: the two and self.  Calling either
 * checks the arguments and calls the slot function.  Both are immutable.
 */
#include "objects/model/type_priv.h"

#include <stdio.h>
#include <string.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"

typedef struct MethodWrapper {
    struct Object head;
    WrapperDescr *descr; /* [const] counted */
    Value self;          /* [const] counted */
} MethodWrapper;

static inline WrapperDescr *
as_wrapper(Value v)
{
    return (WrapperDescr *)(void *)value_object(v);
}

static inline MethodWrapper *
as_method_wrapper(Value v)
{
    return (MethodWrapper *)(void *)value_object(v);
}

/* -- doc strings -- */

/* Behind "name(...)\n--\n\n" if doc begins so, else NULL; *signature: the "(...)" part. */
static const char *
doc_split(const char *name, const char *doc, const char **signature)
{
    if (doc == NULL)
        return NULL;
    const char *dot = strrchr(name, '.');
    if (dot)
        name = dot + 1;
    size_t n = strlen(name);
    if (strncmp(doc, name, n) != 0 || doc[n] != '(')
        return NULL;
    const char *end = strstr(doc, ")\n--\n\n");
    const char *blank = strstr(doc, "\n\n");
    if (end == NULL || (blank && blank < end))
        return NULL;
    *signature = doc + n;
    return end + 6;
}

const char *
doc_body(const char *name, const char *doc)
{
    const char *signature;
    const char *body = doc_split(name, doc, &signature);
    return body ? body : doc;
}

Value
doc_signature(Thread *th, const char *name, const char *doc)
{
    const char *signature;
    const char *body = doc_split(name, doc, &signature);
    if (body == NULL)
        return retain(th, NONE);
    return str_from_utf8(th, signature, (size_t)(body - 5 - signature));
}

/* -- calling a slot -- */

static bool
want(Thread *th, size_t nargs, size_t n)
{
    if (nargs == n)
        return true;
    raise_type_error(th, "expected %zu argument%s, got %zu", n, n == 1 ? "" : "s", nargs);
    return false;
}

/* As the argument parser without a function's name words it. */
static bool
want_range(Thread *th, size_t nargs, size_t min, size_t max)
{
    if (nargs < min)
        raise_type_error(th, " expected %s%zu argument%s, got %zu", min == max ? "" : "at least ",
                         min, min == 1 ? "" : "s", nargs);
    else if (nargs > max)
        raise_type_error(th, " expected %s%zu argument%s, got %zu", min == max ? "" : "at most ",
                         max, max == 1 ? "" : "s", nargs);
    else
        return true;
    return false;
}

static Value
none_or_error(Thread *th, bool ok)
{
    return ok ? retain(th, NONE) : NULL;
}

static Value
from_answer(Answer a)
{
    return a == FAILED ? NULL : bool_from(a == YES);
}

/* Whether the name of an attribute, the first argument, is a str: the slots rely on it. */
static bool
want_name(Thread *th, Value name)
{
    return is_str(name) || raise_bad_name(th, name);
}

/* Whether object.__setattr__ and the like may be applied to self: not to get round the
 * C type's own. */
static bool
setattr_allowed(Thread *th, Value self, SetAttrFn fn, const char *name)
{
    Type *t = type_of(self);
    for (; t; t = type_base(t)) {
        SetAttrFn own = SLOT(t, setattr);
        if (own == fn)
            return true;
        if (t->spec != NULL)
            break;
    }
    raise_type_error(th, "can't apply this %s to %N object", name, t ? t : type_of(self));
    return false;
}

/* Index arguments of sequences: negative ones count from the end. */
static bool
sequence_index(Thread *th, Value self, Value v, int64_t *i)
{
    if (!to_ssize(th, v, i, &exc_IndexError))
        return false;
    LengthFn length = SLOT(type_of(self), length);
    if (*i < 0 && length) {
        int64_t n = length(th, self);
        if (n < 0)
            return false;
        *i += n;
    }
    return true;
}

static Value
wrap_call(Thread *th, const SlotDef *def, SlotFn fn, Value self, const Arg *args, size_t nargs,
          Value kwnames)
{
    if (kwnames && tuple_length(kwnames) != 0 && def->wrap != WRAP_CALL && def->wrap != WRAP_INIT)
        return raise_type_error(th, "wrapper %s() takes no keyword arguments", def->name);
    int64_t i;
    switch ((enum WrapKind)def->wrap) {
    case WRAP_UNARY:
        return want(th, nargs, 0) ? ((UnaryFn)fn)(th, self) : NULL;
    case WRAP_BINARY_L:
    case WRAP_INPLACE:
        return want(th, nargs, 1) ? ((BinaryFn)fn)(th, self, arg(args, 0)) : NULL;
    case WRAP_BINARY_R:
        return want(th, nargs, 1) ? ((BinaryFn)fn)(th, arg(args, 0), self) : NULL;
    case WRAP_POWER_L:
        if (!want_range(th, nargs, 1, 2))
            return NULL;
        return ((TernaryFn)fn)(th, self, arg(args, 0), nargs == 2 ? arg(args, 1) : NONE);
    case WRAP_POWER_R:
        if (!want_range(th, nargs, 1, 2))
            return NULL;
        return ((TernaryFn)fn)(th, arg(args, 0), self, nargs == 2 ? arg(args, 1) : NONE);
    case WRAP_IPOWER:
        return want(th, nargs, 1) ? ((TernaryFn)fn)(th, self, arg(args, 0), NONE) : NULL;
    case WRAP_LENGTH: {
        if (!want(th, nargs, 0))
            return NULL;
        int64_t n = ((LengthFn)fn)(th, self);
        return n < 0 ? NULL : int_from_i64(th, n);
    }
    case WRAP_REPEAT:
    case WRAP_IREPEAT:
        if (!want_range(th, nargs, 1, 1) || !to_ssize(th, arg(args, 0), &i, &exc_OverflowError))
            return NULL;
        return ((IndexFn)fn)(th, self, i);
    case WRAP_ITEM:
        if (!want(th, nargs, 1) || !sequence_index(th, self, arg(args, 0), &i))
            return NULL;
        return ((IndexFn)fn)(th, self, i);
    case WRAP_SETITEM:
        if (!want_range(th, nargs, 2, 2))
            return NULL;
        return none_or_error(th, ((SetItemFn)fn)(th, self, arg(args, 0), arg(args, 1)));
    case WRAP_DELITEM:
        if (!want(th, nargs, 1))
            return NULL;
        return none_or_error(th, ((SetItemFn)fn)(th, self, arg(args, 0), NULL));
    case WRAP_CONTAINS:
        return want(th, nargs, 1) ? from_answer(((ContainsFn)fn)(th, self, arg(args, 0))) : NULL;
    case WRAP_HASH: {
        int64_t hash;
        if (!want(th, nargs, 0) || !((HashFn)fn)(th, self, &hash))
            return NULL;
        return int_from_i64(th, hash);
    }
    case WRAP_CALL:
        return ((CallFn)fn)(th, self, args, nargs, kwnames);
    case WRAP_LT:
    case WRAP_LE:
    case WRAP_EQ:
    case WRAP_NE:
    case WRAP_GT:
    case WRAP_GE: {
        static const uint8_t ops[] = {OP_LT, OP_LE, OP_EQ, OP_NE, OP_GT, OP_GE};
        if (!want(th, nargs, 1))
            return NULL;
        return ((CompareFn)fn)(th, self, arg(args, 0), ops[def->wrap - WRAP_LT]);
    }
    case WRAP_NEXT: {
        if (!want(th, nargs, 0))
            return NULL;
        Value v = ((NextFn)fn)(th, self);
        if (v == NULL && !error_set(th))
            raise_none(th, &exc_StopIteration);
        return v;
    }
    case WRAP_INIT:
        return none_or_error(th, ((InitFn)fn)(th, self, args, nargs, kwnames));
    case WRAP_GET: {
        if (!want_range(th, nargs, 1, 2))
            return NULL;
        Value object = arg(args, 0), type = nargs == 2 ? arg(args, 1) : NONE;
        if (object == NONE && type == NONE)
            return raise_type_error(th, "__get__(None, None) is invalid");
        return ((DescrGetFn)fn)(th, self, object == NONE ? NULL : object,
                                type == NONE ? NULL : type);
    }
    case WRAP_SET:
        if (!want_range(th, nargs, 2, 2))
            return NULL;
        return none_or_error(th, ((DescrSetFn)fn)(th, self, arg(args, 0), arg(args, 1)));
    case WRAP_DELETE:
        if (!want(th, nargs, 1))
            return NULL;
        return none_or_error(th, ((DescrSetFn)fn)(th, self, arg(args, 0), NULL));
    case WRAP_GETATTR:
        if (!want(th, nargs, 1) || !want_name(th, arg(args, 0)))
            return NULL;
        return ((GetAttrFn)fn)(th, self, arg(args, 0));
    case WRAP_SETATTR:
        if (!want_range(th, nargs, 2, 2) || !want_name(th, arg(args, 0)) ||
            !setattr_allowed(th, self, (SetAttrFn)fn, def->name))
            return NULL;
        return none_or_error(th, ((SetAttrFn)fn)(th, self, arg(args, 0), arg(args, 1)));
    case WRAP_DELATTR:
        if (!want(th, nargs, 1) || !want_name(th, arg(args, 0)) ||
            !setattr_allowed(th, self, (SetAttrFn)fn, def->name))
            return NULL;
        return none_or_error(th, ((SetAttrFn)fn)(th, self, arg(args, 0), NULL));
    case WRAP_TRUTH:
        return want(th, nargs, 0) ? from_answer(((AnswerFn)fn)(th, self)) : NULL;
    case WRAP_DEL: {
        void (*finalize)(Thread *, Object *) = type_of(self)->extra->native_finalize;
        if (!want(th, nargs, 0))
            return NULL;
        if (finalize)
            finalize(th, value_object(self));
        return retain(th, NONE);
    }
    case WRAP_NONE:
        break;
    }
    return raise_system_error(th, "slot without wrapper");
}

/* -- wrapper_descriptor -- */

Value
wrapper_descr_new(Thread *th, Type *type, const SlotDef *def, SlotFn fn)
{
    WrapperDescr *w = (WrapperDescr *)(void *)object_new(th, SHAPE_WRAPPER_DESCR, sizeof *w);
    if (w == NULL)
        return NULL;
    w->type = as_type(retain(th, value_of_type(type)));
    w->def = def;
    w->fn = fn;
    w->name = retain(th, slot_names[def - slot_defs]);
    return value_of(w);
}

static Value
method_wrapper_new(Thread *th, WrapperDescr *descr, Value self)
{
    MethodWrapper *m = (MethodWrapper *)(void *)object_new(th, SHAPE_METHOD_WRAPPER, sizeof *m);
    if (m == NULL)
        return NULL;
    m->descr = as_wrapper(retain(th, value_of(descr)));
    m->self = retain(th, self);
    return value_of(m);
}

static Value
wrapper_call(Thread *th, Value v, const Arg *args, size_t nargs, Value kwnames)
{
    WrapperDescr *w = as_wrapper(v);
    if (nargs == 0)
        return raise_type_error(th, "descriptor '%V' of '%N' object needs an argument", w->name,
                                w->type);
    Value self = arg(args, 0);
    if (!is_instance_of(self, w->type))
        return raise_type_error(th, "descriptor '%V' requires a '%N' object but received a '%T'",
                                w->name, w->type, self);
    return wrap_call(th, w->def, w->fn, self, args + 1, nargs - 1, kwnames);
}

static Value
wrapper_get(Thread *th, Value v, Value object, Value type)
{
    (void)type;
    WrapperDescr *w = as_wrapper(v);
    if (object == NULL)
        return retain(th, v);
    if (!is_instance_of(object, w->type))
        return raise_type_error(
            th, "descriptor '%V' for '%N' objects doesn't apply to a '%T' object", w->name, w->type,
            object);
    return method_wrapper_new(th, w, object);
}

static Value
wrapper_repr(Thread *th, Value v)
{
    WrapperDescr *w = as_wrapper(v);
    return str_format_c(th, "<slot wrapper '%V' of '%N' objects>", w->name, w->type);
}

static Value
wrapper_doc(Thread *th, Value v, void *closure)
{
    (void)closure;
    const SlotDef *def = as_wrapper(v)->def;
    return def->doc ? str_from_c(th, doc_body(def->name, def->doc)) : retain(th, NONE);
}

static Value
wrapper_signature(Thread *th, Value v, void *closure)
{
    (void)closure;
    const SlotDef *def = as_wrapper(v)->def;
    return doc_signature(th, def->name, def->doc);
}

static Value
wrapper_qualname(Thread *th, Value v, void *closure)
{
    (void)closure;
    WrapperDescr *w = as_wrapper(v);
    Value owner = get_attr(th, value_of_type(w->type), NAME(__qualname__));
    if (owner == NULL)
        return NULL;
    Value r = NULL;
    if (is_str(owner))
        r = str_format_c(th, "%V.%V", owner, w->name);
    else
        raise_type_error(th, "<descriptor>.__objclass__.__qualname__ is not a unicode object");
    drop(th, owner);
    return r;
}

/* (getattr, (object, name)) */
static Value
reduce_to_getattr(Thread *th, Value object, Value name)
{
    Value f = dict_get_c(th, th->interp->builtins, "getattr");
    if (f == NULL)
        return raise_value(th, &exc_AttributeError, name);
    Value args = tuple_pack(th, 2, object, name);
    Value r = args ? tuple_pack(th, 2, f, args) : NULL;
    drop(th, f);
    drop_null(th, args);
    return r;
}

static Value
wrapper_reduce(Thread *th, Value v)
{
    WrapperDescr *w = as_wrapper(v);
    return reduce_to_getattr(th, value_of_type(w->type), w->name);
}

static void
wrapper_visit(Object *o, VisitFn visit, void *arg)
{
    WrapperDescr *w = (WrapperDescr *)(void *)o;
    if (w->type)
        visit(value_of_type(w->type), arg);
    value_visit(w->name, visit, arg);
}

static void
wrapper_dealloc(Thread *th, Object *o)
{
    WrapperDescr *w = (WrapperDescr *)(void *)o;
    if (w->type)
        drop(th, value_of_type(w->type));
    drop_null(th, w->name);
}

static const MethodDef wrapper_methods[] = {
    NATIVE_0("__reduce__", wrapper_reduce, NULL),
    NATIVE_END,
};
static const MemberDef wrapper_members[] = {
    {"__objclass__", MEMBER_CONST_VALUE, offsetof(WrapperDescr, type), true, NULL},
    {"__name__", MEMBER_CONST_VALUE, offsetof(WrapperDescr, name), true, NULL},
    {.name = NULL},
};
static const GetterDef wrapper_getters[] = {
    {.name = "__doc__", .get = wrapper_doc},
    {.name = "__qualname__", .get = wrapper_qualname},
    {.name = "__text_signature__", .get = wrapper_signature},
    {.name = NULL},
};

Type wrapper_descr_type;
const TypeSpec wrapper_descr_spec = {
    .name = "wrapper_descriptor",
    .size = sizeof(WrapperDescr),
    .flags = TYPE_DISALLOW_NEW | TYPE_METHOD_DESCR,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .methods = wrapper_methods,
    .getters = wrapper_getters,
    .members = wrapper_members,
    .slots = {.repr = wrapper_repr, .call = wrapper_call, .descr_get = wrapper_get,
              .getattr = generic_get_attr},
    .visit = wrapper_visit,
    .dealloc = wrapper_dealloc,
};

/* -- method-wrapper -- */

static Value
method_wrapper_call(Thread *th, Value v, const Arg *args, size_t nargs, Value kwnames)
{
    MethodWrapper *m = as_method_wrapper(v);
    return wrap_call(th, m->descr->def, m->descr->fn, m->self, args, nargs, kwnames);
}

static Value
method_wrapper_repr(Thread *th, Value v)
{
    MethodWrapper *m = as_method_wrapper(v);
    char where[32];
    snprintf(where, sizeof where, "%p", (void *)m->self);
    return str_format_c(th, "<method-wrapper '%V' of %T object at %s>", m->descr->name, m->self,
                        where);
}

static bool
method_wrapper_hash(Thread *th, Value v, int64_t *hash)
{
    (void)th;
    MethodWrapper *m = as_method_wrapper(v);
    uint64_t h = (value_bits(m->self) >> 4) * 0x9e3779b97f4a7c15u;
    h ^= (uintptr_t)m->descr >> 4;
    *hash = (int64_t)h == -1 ? -2 : (int64_t)h;
    return true;
}

static Value
method_wrapper_compare(Thread *th, Value a, Value b, int op)
{
    (void)th;
    if ((op != OP_EQ && op != OP_NE) || !is_exact(a, SHAPE_METHOD_WRAPPER) ||
        !is_exact(b, SHAPE_METHOD_WRAPPER))
        return NOT_IMPLEMENTED;
    MethodWrapper *x = as_method_wrapper(a), *y = as_method_wrapper(b);
    bool same = x->descr == y->descr && x->self == y->self;
    return bool_from(same == (op == OP_EQ));
}

static Value
method_wrapper_reduce(Thread *th, Value v)
{
    MethodWrapper *m = as_method_wrapper(v);
    return reduce_to_getattr(th, m->self, m->descr->name);
}

enum { OF_OBJCLASS, OF_NAME, OF_QUALNAME, OF_DOC, OF_SIGNATURE };

static Value
method_wrapper_attr(Thread *th, Value v, void *closure)
{
    Value w = value_of(as_method_wrapper(v)->descr);
    switch ((intptr_t)closure) {
    case OF_OBJCLASS: return retain(th, value_of_type(as_wrapper(w)->type));
    case OF_NAME: return retain(th, as_wrapper(w)->name);
    case OF_QUALNAME: return wrapper_qualname(th, w, NULL);
    case OF_DOC: return wrapper_doc(th, w, NULL);
    default: return wrapper_signature(th, w, NULL);
    }
}

static void
method_wrapper_visit(Object *o, VisitFn visit, void *arg)
{
    MethodWrapper *m = (MethodWrapper *)(void *)o;
    if (m->descr)
        visit(value_of(m->descr), arg);
    value_visit(m->self, visit, arg);
}

static void
method_wrapper_dealloc(Thread *th, Object *o)
{
    MethodWrapper *m = (MethodWrapper *)(void *)o;
    if (m->descr)
        drop(th, value_of(m->descr));
    drop_null(th, m->self);
}

static const MethodDef method_wrapper_methods[] = {
    NATIVE_0("__reduce__", method_wrapper_reduce, NULL),
    NATIVE_END,
};
static const MemberDef method_wrapper_members[] = {
    {"__self__", MEMBER_CONST_VALUE, offsetof(MethodWrapper, self), true, NULL},
    {.name = NULL},
};
static const GetterDef method_wrapper_getters[] = {
    {.name = "__objclass__", .get = method_wrapper_attr, .closure = (void *)OF_OBJCLASS},
    {.name = "__name__", .get = method_wrapper_attr, .closure = (void *)OF_NAME},
    {.name = "__qualname__", .get = method_wrapper_attr, .closure = (void *)OF_QUALNAME},
    {.name = "__doc__", .get = method_wrapper_attr, .closure = (void *)OF_DOC},
    {.name = "__text_signature__", .get = method_wrapper_attr, .closure = (void *)OF_SIGNATURE},
    {.name = NULL},
};

Type method_wrapper_type;
const TypeSpec method_wrapper_spec = {
    .name = "method-wrapper",
    .size = sizeof(MethodWrapper),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .methods = method_wrapper_methods,
    .getters = method_wrapper_getters,
    .members = method_wrapper_members,
    .slots = {.repr = method_wrapper_repr, .call = method_wrapper_call,
              .hash = method_wrapper_hash, .compare = method_wrapper_compare,
              .getattr = generic_get_attr},
    .visit = method_wrapper_visit,
    .dealloc = method_wrapper_dealloc,
};
