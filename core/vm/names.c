/* names.c -- names that are not registers: locals mappings, globals, builtins. */
#include "core/vm/internal.h"

#include "objects/container/container.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

static bool
raise_with_name(Thread *th, Type *type, const char *format, Value name)
{
    raise_name_error(th, type, format, name);
    return false;
}

bool
raise_unbound(Thread *th, const Code *code, unsigned reg)
{
    Value name = reg < code->temp_base ? tuple_item(code->var_names, reg) : str_empty;
    raise_error(th, &exc_UnboundLocalError,
                "cannot access local variable '%V' where it is not associated with a value", name);
    return false;
}

bool
raise_unbound_deref(Thread *th, const Code *code, unsigned reg)
{
    Value name = tuple_item(code->var_names, reg);
    if (code->var_kinds[reg] & VAR_FREE) {
        return raise_with_name(th, &exc_NameError,
                               "cannot access free variable '%V' where it is not associated with "
                               "a value in enclosing scope",
                               name);
    }
    return raise_unbound(th, code, reg);
}

/* What a namespace has under `name`: YES and a new reference, NO, FAILED. */
static Answer
namespace_get(Thread *th, Value space, Value name, Value *out)
{
    if (LIKELY(is_exact(space, SHAPE_DICT)))
        return dict_get(th, space, name, out);
    *out = get_item(th, space, name);
    if (*out != NULL)
        return YES;
    if (!error_matches(th, &exc_KeyError))
        return FAILED;
    error_clear(th);
    return NO;
}

Value
name_load_global(Thread *th, Frame *f, Value name)
{
    Function *fn = frame_function(f);
    Value v;
    Answer a = namespace_get(th, function_globals(fn), name, &v);
    if (a == NO)
        a = namespace_get(th, function_builtins(fn), name, &v);
    if (a == YES)
        return v;
    if (a == NO)
        raise_with_name(th, &exc_NameError, "name '%V' is not defined", name);
    return NULL;
}

Value
name_load(Thread *th, Frame *f, Value name)
{
    if (UNLIKELY(f->locals == NULL)) {
        raise_system_error(th, "no locals when loading '%V'", name);
        return NULL;
    }
    Value v;
    Answer a = namespace_get(th, f->locals, name, &v);
    if (a == YES)
        return v;
    return a == NO ? name_load_global(th, f, name) : NULL;
}

bool
name_store(Thread *th, Frame *f, Value name, Value v)
{
    if (UNLIKELY(f->locals == NULL)) {
        raise_system_error(th, "no locals found when storing '%V'", name);
        return false;
    }
    if (LIKELY(is_exact(f->locals, SHAPE_DICT)))
        return dict_set(th, f->locals, name, v);
    return set_item(th, f->locals, name, v);
}

bool
name_delete(Thread *th, Frame *f, Value name)
{
    if (UNLIKELY(f->locals == NULL)) {
        raise_system_error(th, "no locals when deleting '%V'", name);
        return false;
    }
    if (set_item(th, f->locals, name, NULL))
        return true;
    error_clear(th); /* whatever it was, as in CPython */
    raise_with_name(th, &exc_NameError, "name '%V' is not defined", name);
    return false;
}

bool
name_delete_global(Thread *th, Frame *f, Value name)
{
    Answer a = dict_delete(th, function_globals(frame_function(f)), name);
    if (a == NO)
        raise_with_name(th, &exc_NameError, "name '%V' is not defined", name);
    return a == YES;
}
