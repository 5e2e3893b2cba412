/* traceback.c -- traceback objects: where an exception has passed.
 *
 * Each entry names a frame, the instruction and its line; `next` leads to the entry of the
 * frame that was called from there.  Only tb_next can be set; a list that would become a
 * circle is refused.  An entry holds what another thread may read: see gc/field.h.
 */
#include "objects/error/error.h"

#include "objects/container/container.h"
#include "objects/model/native.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <stddef.h>

static inline Traceback *
as_traceback(Value v)
{
    return (Traceback *)(void *)value_object(v);
}

Value
traceback_new(Thread *th, Value next, Value frame, int lasti, int line)
{
    Object *o = object_new_fast(th, SHAPE_TRACEBACK, sizeof(Traceback), true);
    if (o == NULL)
        return NULL;
    Traceback *tb = (Traceback *)(void *)o;
    tb->frame = retain(th, frame);
    tb->lasti = lasti;
    plain_store(&tb->line, line); /* not published yet */
    field_init(&tb->next, retain_null(th, next));
    return value_of(tb);
}

int
traceback_line(Value v)
{
    Traceback *tb = as_traceback(v);
    int line = load_relaxed(&tb->line);
    if (line == -1) {
        line = upcalls.frame_line(tb->frame, tb->lasti);
        store_relaxed(&tb->line, line);
    }
    return line;
}

void
traceback_add(Thread *th, Value frame, int lasti, int line)
{
    Value exc = error_take(th);
    if (exc == NULL)
        return;
    Value next = exception_traceback(th, exc);
    Value tb = traceback_new(th, next, frame, lasti, line);
    drop_null(th, next);
    if (tb == NULL) { /* no memory: the entry is lost, the exception is not */
        error_restore(th, exc);
        return;
    }
    exception_set_traceback(th, exc, tb);
    drop(th, tb);
    error_restore(th, exc);
}

static Value
tb_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "TracebackType",
        .names = {"tb_next", "tb_frame", "tb_lasti", "tb_lineno"},
        .positional = 4,
        .required = 4,
    };
    (void)type;
    Value v[4];
    int lasti, line;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (!is_exact(v[1], SHAPE_FRAME))
        return raise_type_error(th, "TracebackType() argument 'tb_frame' must be frame, not %B",
                                v[1]);
    if (!arg_int(th, v[2], &lasti) || !arg_int(th, v[3], &line))
        return NULL;
    if (v[0] != NONE && !is_exact(v[0], SHAPE_TRACEBACK))
        return raise_type_error(th, "expected traceback object or None, got '%T'", v[0]);
    return traceback_new(th, v[0] == NONE ? NULL : v[0], v[1], lasti, line);
}

static Value
tb_dir(Thread *th, Value self)
{
    (void)self;
    static const char *const names_[] = {"tb_frame", "tb_next", "tb_lasti", "tb_lineno"};
    Value list = list_new(th, ARRAY_LEN(names_));
    for (size_t i = 0; list != NULL && i < ARRAY_LEN(names_); i++) {
        Value name = str_from_c(th, names_[i]);
        if (name == NULL || !list_append_steal(th, list, name))
            DROP_CLEAR(th, list);
    }
    return list;
}

static Value
get_next(Thread *th, Value self, void *closure)
{
    (void)closure;
    Traceback *tb = as_traceback(self);
    Value next = field_read(th, &tb->head, &tb->next);
    return next ? next : NONE;
}

static Value
get_lineno(Thread *th, Value self, void *closure)
{
    (void)th;
    (void)closure;
    int line = traceback_line(self);
    return line == -1 ? NONE : value_from_fixnum(line);
}

/* Whether `wanted` is in the list that starts at `from`. */
static bool
list_has(Thread *th, Value from, Value wanted)
{
    Value at = retain(th, from);
    while (at != NULL && at != wanted) {
        Traceback *tb = as_traceback(at);
        Value next = field_read(th, &tb->head, &tb->next);
        drop(th, at);
        at = next;
    }
    drop_null(th, at);
    return at != NULL;
}

static bool
tb_set_next(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    Traceback *tb = as_traceback(self);
    if (v == NULL) {
        raise_type_error(th, "can't delete tb_next attribute");
        return false;
    }
    if (v == NONE) {
        field_replace(th, &tb->head, &tb->next, NULL);
        return true;
    }
    if (!is_exact(v, SHAPE_TRACEBACK)) {
        raise_type_error(th, "expected traceback object, got '%T'", v);
        return false;
    }
    if (list_has(th, v, self)) {
        raise_value_error(th, "traceback loop detected");
        return false;
    }
    field_replace(th, &tb->head, &tb->next, retain(th, v));
    return true;
}

static const MethodDef methods[] = {
    NATIVE_0("__dir__", tb_dir, NULL),
    NATIVE_END,
};

static const GetterDef getters[] = {
    {"tb_next", get_next, tb_set_next, NULL, NULL},
    {"tb_lineno", get_lineno, NULL, NULL, NULL},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"tb_frame", MEMBER_CONST_VALUE, offsetof(Traceback, frame), true, NULL},
    {"tb_lasti", MEMBER_INT, offsetof(Traceback, lasti), true, NULL},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Traceback *tb = (Traceback *)(void *)o;
    value_visit(tb->frame, fn, arg);
    field_visit(&tb->next, fn, arg);
}

static void
clear(Thread *th, Object *o)
{
    Traceback *tb = (Traceback *)(void *)o;
    field_replace(th, o, &tb->next, NULL);
}

static void
dealloc(Thread *th, Object *o)
{
    Traceback *tb = (Traceback *)(void *)o;
    drop_null(th, tb->frame);
    field_drop(th, &tb->next);
}

Type traceback_type;
const TypeSpec traceback_spec = {
    .name = "traceback",
    .size = sizeof(Traceback),
    .ops_flags = OPS_TRACKED,
    .doc = "TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\n"
           "Create a new traceback object.",
    .methods = methods,
    .getters = getters,
    .members = members,
    .slots = {.new = tb_new},
    .visit = visit,
    .clear = clear,
    .dealloc = dealloc,
};
