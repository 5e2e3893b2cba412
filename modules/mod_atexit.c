/* mod_atexit.c -- module atexit: what is called when the interpreter ends.
 *
 * The callbacks of an interpreter are a list of (function, args, kwargs), INTERP_ATEXIT, made
 * on first use; they are called last first.
 */
#include "core/run/run.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "threads/interp.h"

static Value
list_new_empty(Thread *th)
{
    return list_new(th, 0);
}

/* The list of callbacks, which lives as long as the interpreter. */
BORROWED static Value
callbacks(Thread *th)
{
    return interp_object_make(th, INTERP_ATEXIT, list_new_empty);
}

static Value
atexit_register(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    if (nargs == 0)
        return raise_type_error(th, "register() takes at least 1 argument (0 given)");
    Value f = arg(args, 0), rest = NULL, keywords = NULL, entry = NULL, list;
    Answer good = is_callable(f);
    if (good == FAILED)
        return NULL;
    if (good == NO)
        return raise_type_error(th, "the first argument must be callable");
    bool done = false;
    if ((list = callbacks(th)) == NULL || (rest = tuple_of_args(th, args + 1, nargs - 1)) == NULL)
        goto end;
    if (kwnames != NULL) {
        if ((keywords = dict_new(th)) == NULL)
            goto end;
        for (int64_t i = 0; i < tuple_length(kwnames); i++)
            if (!dict_set(th, keywords, tuple_item(kwnames, i), arg(args, nargs + (size_t)i)))
                goto end;
    }
    entry = tuple_pack(th, 3, f, rest, keywords ? keywords : NONE);
    done = entry != NULL && list_append(th, list, entry);
end:
    drop_null(th, rest);
    drop_null(th, keywords);
    drop_null(th, entry);
    return done ? retain(th, f) : NULL;
}

static Value
atexit_run(Thread *th, Value self)
{
    (void)self;
    exit_call_registered(th);
    return NONE;
}

static Value
atexit_clear(Thread *th, Value self)
{
    (void)self;
    Value list = callbacks(th);
    if (list == NULL || !list_delete_slice(th, list, 0, list_length(list)))
        return NULL;
    return NONE;
}

static Value
atexit_count(Thread *th, Value self)
{
    (void)self;
    Value list = callbacks(th);
    return list ? value_from_fixnum(list_length(list)) : NULL;
}

static Value
atexit_unregister(Thread *th, Value self, Value f)
{
    (void)self;
    Value list = callbacks(th);
    if (list == NULL)
        return NULL;
    for (int64_t i = list_length(list); i-- > 0;) {
        Value entry = list_get(th, list, i);
        if (entry == NULL)
            continue; /* the comparison made the list shorter */
        Answer same = values_equal(th, f, tuple_item(entry, 0));
        bool good = same != FAILED;
        if (same == YES) {
            Value now = list_get(th, list, i);
            if (now == entry)
                good = list_delete_slice(th, list, i, i + 1);
            drop_null(th, now);
        }
        drop(th, entry);
        if (!good)
            return NULL;
    }
    return NONE;
}

static const MethodDef atexit_methods[] = {
    NATIVE_K("register", atexit_register,
             "register(func, *args, **kwargs) -> func\n\n"
             "Has func(*args, **kwargs) called when the interpreter ends."),
    NATIVE_0("_clear", atexit_clear, "_clear() -> None\n\nForgets all functions."),
    NATIVE_1("unregister", atexit_unregister,
             "unregister(func) -> None\n\nForgets a function, however often it was registered."),
    NATIVE_0("_run_exitfuncs", atexit_run,
             "_run_exitfuncs() -> None\n\nCalls all functions, last first, and forgets them."),
    NATIVE_0("_ncallbacks", atexit_count,
             "_ncallbacks() -> int\n\nHow many functions are registered."),
    NATIVE_END,
};

const ModuleSpec atexit_module = {
    .name = "atexit",
    .doc = "allow programmer to define multiple exit functions to be executed\n"
           "upon normal program termination.\n\n"
           "Two public functions, register and unregister, are defined.\n",
    .methods = atexit_methods,
};
