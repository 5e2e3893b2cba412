/* upcall.c -- the table of what objects/ asks of core/, before core/run fills it.
 *
 * Until then asking for something that cannot be there yet raises SystemError, and what is
 * only told (audit events, unraisable errors) is not heard.
 */
#include "objects/model/upcall.h"

#include "objects/error/error.h"

#include <stdio.h>

static Value
early_import_module(Thread *th, const char *name)
{
    return raise_system_error(th, "cannot import %s: the interpreter has not started", name);
}

static bool
early_warn_explicit(Thread *th, Type *category, int stack_level, Value message)
{
    (void)th;
    (void)category;
    (void)stack_level;
    (void)message;
    return true;
}

static void
early_unraisable(Thread *th, const char *message, Value object)
{
    (void)object;
    fprintf(stderr, "Exception ignored%s%s: %s\n", message ? " in " : "", message ? message : "",
            th->error ? type_name_of(th->error) : "NULL");
    error_clear(th);
}

static bool
early_audit(Thread *th, const char *event, Value args)
{
    (void)th;
    (void)event;
    (void)args;
    return true;
}

static Value
early_frame_globals(Thread *th)
{
    (void)th;
    return NULL;
}

static Value
early_frame_locals(Thread *th)
{
    (void)th;
    return NULL;
}

static Value
early_frame_builtins(Thread *th)
{
    (void)th;
    return NULL;
}

static bool
early_super_arguments(Thread *th, Type **type, Value *object)
{
    (void)type;
    (void)object;
    raise_error(th, &exc_RuntimeError, "super(): no arguments");
    return false;
}

static int
early_self_attribute_count(Value function)
{
    (void)function;
    return 0;
}

static Value
early_sys_get(Thread *th, const char *name)
{
    (void)th;
    (void)name;
    return NULL;
}

static int
early_frame_line(Value frame, int lasti)
{
    (void)frame;
    (void)lasti;
    return -1;
}

static void
early_traceback_here(Thread *th, const char *function, const char *file, int line)
{
    (void)th;
    (void)function;
    (void)file;
    (void)line;
}

#define UPCALL(result, name, params, args) .name = early_##name,
Upcalls upcalls = {
#include "objects/model/upcall.def"
};
#undef UPCALL
