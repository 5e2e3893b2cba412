/* exception_attrs.c -- exceptions with a few attributes: StopIteration.value,
 * SystemExit.code, ImportError's name and path, NameError.name, AttributeError's name and
 * obj, and KeyError, whose text is the key's repr.
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <stddef.h>

/* -- StopIteration -- */

static bool
stop_iteration_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!exception_type_init(th, self, args, nargs, kwnames))
        return false;
    StopIterationError *e = (StopIterationError *)(void *)value_object(self);
    field_replace(th, &e->base.head, &e->value, nargs > 0 ? retain(th, arg(args, 0)) : NULL);
    return true;
}

static const MemberDef stop_iteration_members[] = {
    {"value", MEMBER_VALUE_NONE, offsetof(StopIterationError, value), false,
     "generator return value"},
    {.name = NULL},
};

const TypeSpec exception_spec_StopIteration = {
    .size = sizeof(StopIterationError),
    .members = stop_iteration_members,
    .slots = {.init = stop_iteration_init},
    .visit = exception_visit_1,
    .clear = exception_clear_1,
    .dealloc = exception_dealloc_1,
};

/* -- SystemExit -- */

static bool
system_exit_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!exception_type_init(th, self, args, nargs, kwnames))
        return false;
    SystemExitError *e = (SystemExitError *)(void *)value_object(self);
    if (nargs == 0)
        return true;
    Value code = nargs == 1 ? retain(th, arg(args, 0)) : exception_args(th, self);
    field_replace(th, &e->base.head, &e->code, code);
    return true;
}

static const MemberDef system_exit_members[] = {
    {"code", MEMBER_VALUE_NONE, offsetof(SystemExitError, code), false, "exception code"},
    {.name = NULL},
};

const TypeSpec exception_spec_SystemExit = {
    .size = sizeof(SystemExitError),
    .members = system_exit_members,
    .slots = {.init = system_exit_init},
    .visit = exception_visit_1,
    .clear = exception_clear_1,
    .dealloc = exception_dealloc_1,
};

/* -- ImportError -- */

static bool
import_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const char *const names_[] = {"name", "path", NULL};
    ImportErrorObject *e = (ImportErrorObject *)(void *)value_object(self);
    if (!exception_type_init(th, self, args, nargs, NULL))
        return false;
    Value v[2];
    if (!exception_keywords(th, "ImportError", names_, args, nargs, kwnames, v))
        return false;
    Object *o = &e->base.head;
    field_replace(th, o, &e->name, retain_null(th, v[0]));
    field_replace(th, o, &e->path, retain_null(th, v[1]));
    field_replace(th, o, &e->msg, nargs == 1 ? retain(th, arg(args, 0)) : NULL);
    return true;
}

static Value
import_error_str(Thread *th, Value self)
{
    ImportErrorObject *e = (ImportErrorObject *)(void *)value_object(self);
    Value msg = field_read(th, &e->base.head, &e->msg);
    if (msg != NULL && is_exact(msg, SHAPE_STR))
        return msg;
    drop_null(th, msg);
    return exception_type_str(th, self);
}

/* Adds name and path to a copy of the attribute dict. */
static Value
import_error_state(Thread *th, Value self)
{
    ImportErrorObject *e = (ImportErrorObject *)(void *)value_object(self);
    Value name = field_read(th, &e->base.head, &e->name);
    Value path = field_read(th, &e->base.head, &e->path);
    Value dict = exception_dict_if_any(th, self);
    Value state = NULL;
    if (dict == NULL && error_set(th))
        goto done;
    if (name == NULL && path == NULL) {
        state = retain_null(th, dict);
        goto done;
    }
    state = dict ? dict_copy(th, dict) : dict_new(th);
    if (state == NULL)
        goto done;
    if ((name != NULL && !dict_set(th, state, NAME(name), name)) ||
        (path != NULL && !dict_set(th, state, NAME(path), path)))
        DROP_CLEAR(th, state);
done:
    drop_null(th, dict);
    drop_null(th, name);
    drop_null(th, path);
    return state;
}

static Value
import_error_reduce(Thread *th, Value self)
{
    Value state = import_error_state(th, self);
    if (state == NULL && error_set(th))
        return NULL;
    Value args = exception_args(th, self);
    Value type = value_of_type(type_of(self));
    Value r = state ? tuple_pack(th, 3, type, args, state) : tuple_pack(th, 2, type, args);
    drop(th, args);
    drop_null(th, state);
    return r;
}

static const MethodDef import_error_methods[] = {
    NATIVE_0("__reduce__", import_error_reduce, NULL),
    NATIVE_END,
};

static const MemberDef import_error_members[] = {
    {"msg", MEMBER_VALUE_NONE, offsetof(ImportErrorObject, msg), false, "exception message"},
    {"name", MEMBER_VALUE_NONE, offsetof(ImportErrorObject, name), false, "module name"},
    {"path", MEMBER_VALUE_NONE, offsetof(ImportErrorObject, path), false, "module path"},
    {.name = NULL},
};

const TypeSpec exception_spec_ImportError = {
    .size = sizeof(ImportErrorObject),
    .methods = import_error_methods,
    .members = import_error_members,
    .slots = {.str = import_error_str, .init = import_error_init},
    .visit = exception_visit_3,
    .clear = exception_clear_3,
    .dealloc = exception_dealloc_3,
};

/* -- NameError -- */

static bool
name_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const char *const names_[] = {"name", NULL};
    NameErrorObject *e = (NameErrorObject *)(void *)value_object(self);
    if (!exception_type_init(th, self, args, nargs, NULL))
        return false;
    Value v[1];
    if (!exception_keywords(th, "NameError", names_, args, nargs, kwnames, v))
        return false;
    field_replace(th, &e->base.head, &e->name, retain_null(th, v[0]));
    return true;
}

static const MemberDef name_error_members[] = {
    {"name", MEMBER_VALUE_NONE, offsetof(NameErrorObject, name), false, "name"},
    {.name = NULL},
};

const TypeSpec exception_spec_NameError = {
    .size = sizeof(NameErrorObject),
    .members = name_error_members,
    .slots = {.str = exception_type_str, .init = name_error_init},
    .visit = exception_visit_1,
    .clear = exception_clear_1,
    .dealloc = exception_dealloc_1,
};

/* -- AttributeError -- */

static bool
attribute_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const char *const names_[] = {"name", "obj", NULL};
    AttributeErrorObject *e = (AttributeErrorObject *)(void *)value_object(self);
    if (!exception_type_init(th, self, args, nargs, NULL))
        return false;
    Value v[2];
    if (!exception_keywords(th, "AttributeError", names_, args, nargs, kwnames, v))
        return false;
    field_replace(th, &e->base.head, &e->name, retain_null(th, v[0]));
    field_replace(th, &e->base.head, &e->obj, retain_null(th, v[1]));
    return true;
}

static const MemberDef attribute_error_members[] = {
    {"name", MEMBER_VALUE_NONE, offsetof(AttributeErrorObject, name), false, "attribute name"},
    {"obj", MEMBER_VALUE_NONE, offsetof(AttributeErrorObject, obj), false, "object"},
    {.name = NULL},
};

const TypeSpec exception_spec_AttributeError = {
    .size = sizeof(AttributeErrorObject),
    .members = attribute_error_members,
    .slots = {.str = exception_type_str, .init = attribute_error_init},
    .visit = exception_visit_2,
    .clear = exception_clear_2,
    .dealloc = exception_dealloc_2,
};

/* -- KeyError -- */

static Value
key_error_str(Thread *th, Value self)
{
    Value args = exception_args(th, self);
    Value text = tuple_length(args) == 1 ? to_repr(th, tuple_item(args, 0)) : NULL;
    bool one = tuple_length(args) == 1;
    drop(th, args);
    return one ? text : exception_type_str(th, self);
}

const TypeSpec exception_spec_KeyError = {
    .slots = {.str = key_error_str},
};
