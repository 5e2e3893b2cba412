/* namespace.c -- types.SimpleNamespace: attributes given as keywords, and a repr of them.
 *
 * All state is the instance's attributes (instance.c).
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

static Value
namespace_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static bool
namespace_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs != 0) {
        raise_type_error(th, "no positional arguments expected");
        return false;
    }
    if (kwnames == NULL)
        return true;
    for (int64_t i = 0; i < tuple_length(kwnames); i++) {
        Value name = name_interned(th, tuple_item(kwnames, i));
        bool ok = name != NULL && instance_set(th, self, name, arg(args, (size_t)i));
        drop_null(th, name);
        if (!ok)
            return false;
    }
    return true;
}

Value
namespace_new(Thread *th, Value kwargs)
{
    Value self = type_alloc(th, &namespace_type, 0);
    if (self == NULL || kwargs == NULL)
        return self;
    size_t pos = 0;
    Value key, value;
    while (self != NULL && dict_next(th, kwargs, &pos, &key, &value)) {
        if (!set_attr(th, self, key, value))
            DROP_CLEAR(th, self);
        drop(th, key);
        drop(th, value);
    }
    return self;
}

/* The attributes as a dict that is nobody else's. */
static Value
attributes(Thread *th, Value self)
{
    bool none;
    Value dict = instance_dict_copy(th, self, &none);
    if (dict == NULL && none && !error_set(th))
        dict = dict_new(th);
    return dict;
}

static bool
repr_items(Thread *th, StrBuilder *b, Value dict)
{
    size_t pos = 0;
    Value key, value;
    bool first = true;
    bool ok = true;
    while (ok && dict_next(th, dict, &pos, &key, &value)) {
        if (is_str(key) && str_length(key) > 0) {
            Value text = to_repr(th, value);
            ok = text != NULL && (first || str_builder_c(th, b, ", ")) &&
                 str_builder_str(th, b, key) && str_builder_char(th, b, '=') &&
                 str_builder_str(th, b, text);
            drop_null(th, text);
            first = false;
        }
        drop(th, key);
        drop(th, value);
    }
    return ok;
}

static Value
namespace_repr(Thread *th, Value self)
{
    const char *name = is_instance_of(self, &namespace_type) &&
                               type_of(self) == &namespace_type ?
                           "namespace" :
                           type_name_of(self);
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_format_c(th, "%s(...)", name) : NULL;
    StrBuilder b;
    str_builder_init(&b);
    Value dict = attributes(th, self);
    bool ok = dict != NULL && str_builder_c(th, &b, name) && str_builder_char(th, &b, '(') &&
              repr_items(th, &b, dict) && str_builder_char(th, &b, ')');
    drop_null(th, dict);
    repr_leave(th, self);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
namespace_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_instance_of(a, &namespace_type) || !is_instance_of(b, &namespace_type))
        return NOT_IMPLEMENTED;
    Value x = attributes(th, a);
    Value y = x ? attributes(th, b) : NULL;
    Value r = y ? compare(th, x, y, op) : NULL;
    drop_null(th, x);
    drop_null(th, y);
    return r;
}

static Value
namespace_reduce(Thread *th, Value self)
{
    Value dict = get_attr(th, self, NAME(__dict__));
    if (dict == NULL)
        return NULL;
    Value r = tuple_pack(th, 3, value_of_type(type_of(self)), tuple_empty, dict);
    drop(th, dict);
    return r;
}

static const MethodDef methods[] = {
    NATIVE_0("__reduce__", namespace_reduce, "Return state information for pickling"),
    NATIVE_END,
};

static const MemberDef members[] = {
    {.name = "__dict__", .kind = MEMBER_DICT, .readonly = true},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    (void)o;
    (void)fn;
    (void)arg;
}

static void
dealloc(Thread *th, Object *o)
{
    (void)th;
    (void)o;
}

Type namespace_type;
const TypeSpec namespace_spec = {
    .name = "types.SimpleNamespace",
    .size = sizeof(struct Object),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "A simple attribute-based namespace.\n\nSimpleNamespace(**kwargs)",
    .methods = methods,
    .members = members,
    .has_dict = true,
    .slots = {.repr = namespace_repr,
              .hash = hash_unhashable,
              .getattr = generic_get_attr,
              .setattr = generic_set_attr,
              .compare = namespace_compare,
              .init = namespace_init,
              .new = namespace_type_new},
    .visit = visit,
    .dealloc = dealloc,
};
