/* frame_type.c -- frames as Python sees them.
 *
 * A frame object is made when somebody asks, or for a traceback entry.  While its frame lives, it
 * points there; the frame holds one reference.  When the frame ends and somebody else holds the
 * object, the variables move into it, counted (rules A12).
 *
 * A running frame is read only by its own thread; others, and whoever looks at a suspended
 * generator's frame, stop the world for the moment of looking.
 *
 * Locks: the object's own lock through Fields.  `values` changes once, before `frame` becomes NULL.
 */
#include "core/vm/internal.h"

#include <stdlib.h>

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "base/vec.h"
#include "threads/interp.h"
#include "threads/stop_world.h"

static FrameObject *
frame_object_new(Thread *th, Frame *f, Thread *owner)
{
    size_t size = sizeof(FrameObject) + f->code->temp_base * sizeof(Field);
    FrameObject *fo = (FrameObject *)(void *)object_new_kind(th, SHAPE_FRAME, size, true);
    if (fo == NULL)
        return NULL;
    fo->code = retain(th, value_of(f->code));
    fo->function = reg_own(th, f->function);
    fo->thread = owner;
    store_relaxed(&fo->trace_lines, (uint8_t)1);
    if (f->link & FRAME_GENERATOR) {
        fo->generator = value_of(frame_generator(f));
        fo->thread = NULL;
    }
    store_release(&fo->frame, f); /* pairs with view_begin() */
    f->object = value_of(fo);
    f->link |= FRAME_OBJECT;
    return fo;
}

Value
frame_object(Thread *th, Frame *f)
{
    if (f->link & FRAME_OBJECT)
        return f->object;
    FrameObject *fo = frame_object_new(th, f, th);
    return fo ? value_of(fo) : NULL;
}

void
frame_object_moved(Frame *f)
{
    if (f->link & FRAME_OBJECT) {
        FrameObject *fo = as_frame_object(f->object);
        fo->thread = NULL;
        fo->generator = value_of(frame_generator(f));
        store_release(&fo->frame, f);
    }
}

static void
detach(Thread *th, Frame *f, Frame *caller)
{
    Value v = f->object;
    FrameObject *fo = as_frame_object(v);
    f->object = NULL;
    f->link &= ~(uintptr_t)FRAME_OBJECT;
    if (object_unique(th, &fo->head)) {
        store_release(&fo->frame, (Frame *)NULL);
        drop(th, v);
        return;
    }
    uint32_t n = f->code->temp_base;
    for (uint32_t i = 0; i < n; i++) {
        Value w = f->r[i];
        f->r[i] = NULL;
        field_init(&fo->values[i], w ? reg_take(th, w) : NULL);
    }
    store_release(&fo->count, n); /* pairs with copy_variables() */
    if (f->link & FRAME_LOCALS) {
        field_replace(th, &fo->head, &fo->locals, f->locals);
        f->locals = NULL;
        f->link &= ~(uintptr_t)FRAME_LOCALS;
    }
    store_relaxed(&fo->pc, frame_index(f));
    if (caller != NULL) {
        Value error = th->error;
        th->error = NULL;
        Value back = frame_object(th, caller);
        if (back != NULL)
            field_replace(th, &fo->head, &fo->back, retain(th, back));
        else
            error_clear(th);
        th->error = error;
    }
    store_release(&fo->frame, (Frame *)NULL); /* pairs with view_begin() */
    drop(th, v);
}

void
frame_object_detach(Thread *th, Frame *f)
{
    /* Who resumed a generator last did not call it: its frame ends without a caller. */
    detach(th, f, f->link & FRAME_GENERATOR ? NULL : frame_caller(f));
}

/* -- looking -- */

typedef struct View {
    Frame *frame; /* NULL: it has ended, the object has what there is */
    bool stopped;
} View;

static bool
in_chain(Thread *th, const Frame *f)
{
    for (Frame *g = th->frame; g != NULL; g = frame_caller(g)) {
        if (g == f)
            return true;
    }
    return false;
}

/* The frame, held still; nothing is made, dropped or called before view_end() if `stopped`. */
static View
view_begin(Thread *th, FrameObject *fo)
{
    Frame *f = load_acquire(&fo->frame); /* pairs with detach() */
    if (f == NULL || in_chain(th, f))
        return (View){f, false};
    world_stop(th);
    return (View){load_acquire(&fo->frame), true};
}

static void
view_end(Thread *th, View v)
{
    if (v.stopped)
        world_start(th);
}

static uint32_t
frame_object_index(Thread *th, FrameObject *fo)
{
    View v = view_begin(th, fo);
    uint32_t i = v.frame ? frame_index(v.frame) : load_relaxed(&fo->pc);
    view_end(th, v);
    return i;
}

Code *
frame_code(Value frame)
{
    return as_code(as_frame_object(frame)->code);
}

int
frame_line(Value frame)
{
    FrameObject *fo = as_frame_object(frame);
    int32_t set = load_relaxed(&fo->line);
    if (set != 0)
        return set;
    return code_line(as_code(fo->code), frame_object_index(thread_current, fo));
}

/* The variables at this moment, counted: malloc'ed array of temp_base words, or NULL. */
static Value *
copy_variables(Thread *th, FrameObject *fo, Value *mapping)
{
    Code *c = as_code(fo->code);
    uint32_t n = c->temp_base;
    Value *copy = calloc(n + 1, sizeof *copy);
    *mapping = NULL;
    if (copy == NULL)
        return raise_memory(th);
    View v = view_begin(th, fo);
    if (v.frame != NULL) {
        for (uint32_t i = 0; i < n; i++)
            copy[i] = v.frame->r[i] ? reg_own(th, v.frame->r[i]) : NULL;
        if (v.frame->link & FRAME_LOCALS)
            *mapping = retain(th, v.frame->locals);
        view_end(th, v);
    } else {
        view_end(th, v);
        for (uint32_t i = 0; i < load_acquire(&fo->count) && i < n; i++)
            copy[i] = field_read(th, &fo->head, &fo->values[i]);
        if (!(c->flags & CODE_OPTIMIZED))
            *mapping = field_read(th, &fo->head, &fo->locals);
    }
    return copy;
}

Value
frame_locals(Thread *th, Value frame)
{
    FrameObject *fo = as_frame_object(frame);
    Code *c = as_code(fo->code);
    Value mapping;
    Value *copy = copy_variables(th, fo, &mapping);
    if (copy == NULL)
        return NULL;
    bool ok = true;
    if (mapping == NULL) {
        mapping = field_read(th, &fo->head, &fo->locals);
        if (mapping == NULL) {
            mapping = dict_new(th);
            if (mapping == NULL)
                ok = false;
            else if (field_set_once(th, &fo->head, &fo->locals, mapping))
                retain(th, mapping);
            else {
                drop(th, mapping);
                mapping = field_read(th, &fo->head, &fo->locals);
            }
        }
        for (uint32_t i = 0; ok && i < c->temp_base; i++) {
            Value name = tuple_item(c->var_names, i), v = copy[i];
            copy[i] = NULL;
            if (v != NULL && (c->var_kinds[i] & (VAR_CELL | VAR_FREE)) && is_exact(v, SHAPE_CELL)) {
                Cell *cell = (Cell *)(void *)value_object(v);
                Value content = field_read(th, &cell->head, &cell->content);
                drop(th, v);
                v = content;
            }
            if (v != NULL) {
                ok = dict_set(th, mapping, name, v);
                drop(th, v);
            } else {
                ok = dict_delete(th, mapping, name) != FAILED;
            }
        }
    }
    for (uint32_t i = 0; i < c->temp_base; i++)
        drop_null(th, copy[i]);
    free(copy);
    if (!ok)
        DROP_CLEAR(th, mapping);
    return mapping;
}

Value
frame_object_at(Thread *th, int depth)
{
    Frame *f = th->frame;
    while (f != NULL && depth-- > 0)
        f = frame_caller(f);
    if (f == NULL)
        return NULL;
    Value fo = frame_object(th, f);
    return fo ? retain(th, fo) : NULL;
}

/* -- attributes -- */

static Value
get_back(Thread *th, Value self, void *closure)
{
    (void)closure;
    FrameObject *fo = as_frame_object(self);
    View v = view_begin(th, fo);
    Value back = NULL;
    if (v.frame == NULL) {
        view_end(th, v);
        back = field_read(th, &fo->head, &fo->back);
        return back ? back : NONE;
    }
    Frame *caller = frame_caller(v.frame);
    bool failed = false;
    if (caller != NULL) {
        Thread *owner = fo->thread;
        if (!v.stopped) {
            back = frame_object(th, caller);
        } else if (caller->link & FRAME_OBJECT) {
            back = caller->object;
        } else { /* another thread's: it stands still */
            if (owner == NULL)
                owner = th;
            FrameObject *made = frame_object_new(th, caller, owner);
            back = made ? value_of(made) : NULL;
        }
        failed = back == NULL;
        retain_null(th, back);
    }
    view_end(th, v);
    return failed ? NULL : back ? back : NONE;
}

static Value
get_locals(Thread *th, Value self, void *closure)
{
    (void)closure;
    return frame_locals(th, self);
}

static Value
get_globals(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, function_globals(as_function(as_frame_object(self)->function)));
}

static Value
get_builtins(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, function_builtins(as_function(as_frame_object(self)->function)));
}

static Value
get_code(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_frame_object(self)->code);
}

static Value
get_lasti(Thread *th, Value self, void *closure)
{
    (void)closure;
    return value_from_fixnum(2 * (int64_t)frame_object_index(th, as_frame_object(self)));
}

static Value
get_lineno(Thread *th, Value self, void *closure)
{
    (void)closure;
    (void)th;
    int line = frame_line(self);
    return line > 0 ? value_from_fixnum(line) : NONE;
}

static bool
set_lineno(Thread *th, Value self, Value v, void *closure)
{
    (void)self;
    (void)closure;
    if (v == NULL)
        raise_error(th, &exc_AttributeError, "cannot delete attribute");
    else if (!is_exact(v, SHAPE_INT))
        raise_value_error(th, "lineno must be an integer");
    else
        raise_value_error(th, "f_lineno can only be set by a trace function");
    return false;
}

static Value
get_trace(Thread *th, Value self, void *closure)
{
    (void)closure;
    FrameObject *fo = as_frame_object(self);
    Value v = field_read(th, &fo->head, &fo->trace);
    return v ? v : NONE;
}

static bool
set_trace(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    FrameObject *fo = as_frame_object(self);
    if (v == NONE)
        v = NULL;
    field_replace(th, &fo->head, &fo->trace, v ? retain(th, v) : NULL);
    return true;
}

static Value
get_flag(Thread *th, Value self, void *closure)
{
    (void)th;
    FrameObject *fo = as_frame_object(self);
    return bool_from(closure ? load_relaxed(&fo->trace_opcodes) : load_relaxed(&fo->trace_lines));
}

static bool
set_flag(Thread *th, Value self, Value v, void *closure)
{
    FrameObject *fo = as_frame_object(self);
    if (v == NULL || !is_bool(v)) {
        raise_type_error(th, v ? "attribute value type must be bool" : "can't delete numeric/char attribute");
        return false;
    }
    if (closure)
        store_relaxed(&fo->trace_opcodes, (uint8_t)(v == TRUE));
    else
        store_relaxed(&fo->trace_lines, (uint8_t)(v == TRUE));
    return true;
}

static const GetterDef frame_getters[] = {
    {"f_back", get_back, NULL, NULL, NULL},
    {"f_locals", get_locals, NULL, NULL, NULL},
    {"f_globals", get_globals, NULL, NULL, NULL},
    {"f_builtins", get_builtins, NULL, NULL, NULL},
    {"f_code", get_code, NULL, NULL, NULL},
    {"f_lasti", get_lasti, NULL, NULL, NULL},
    {"f_lineno", get_lineno, set_lineno, NULL, NULL},
    {"f_trace", get_trace, set_trace, NULL, NULL},
    {"f_trace_lines", get_flag, set_flag, NULL, NULL},
    {"f_trace_opcodes", get_flag, set_flag, NULL, (void *)1},
    {NULL, NULL, NULL, NULL, NULL},
};

/* -- methods -- */

static void
clear_values(Thread *th, FrameObject *fo)
{
    for (uint32_t i = 0; i < load_acquire(&fo->count); i++)
        field_replace(th, &fo->head, &fo->values[i], NULL);
}

static Value
frame_clear_method(Thread *th, Value self)
{
    FrameObject *fo = as_frame_object(self);
    View v = view_begin(th, fo);
    if (v.frame != NULL) {
        Value gen = (v.frame->link & FRAME_GENERATOR) ? value_of(frame_generator(v.frame)) : NULL;
        bool running = gen == NULL || load_relaxed(&as_generator(gen)->state) == GEN_RUNNING;
        retain_null(th, gen);
        view_end(th, v);
        if (running) {
            drop_null(th, gen);
            return raise_error(th, &exc_RuntimeError, "cannot clear an executing frame");
        }
        generator_finalize(th, value_object(gen)); /* what the frame held is the object's now */
        generator_clear(th, value_object(gen));
        drop(th, gen);
        return NONE;
    }
    view_end(th, v);
    field_replace(th, &fo->head, &fo->trace, NULL);
    if (as_code(fo->code)->flags & CODE_OPTIMIZED)
        field_replace(th, &fo->head, &fo->locals, NULL);
    clear_values(th, fo);
    return NONE;
}

static Value
frame_sizeof(Thread *th, Value self)
{
    (void)th;
    FrameObject *fo = as_frame_object(self);
    return value_from_fixnum((int64_t)(sizeof *fo + (FRAME_WORDS + as_code(fo->code)->register_count) *
                                                        sizeof(Value)));
}

static const MethodDef frame_methods[] = {
    NATIVE_0("clear", frame_clear_method,
             "F.clear(): clear most references held by the frame"),
    NATIVE_0("__sizeof__", frame_sizeof, "F.__sizeof__() -> size of F in memory, in bytes"),
    NATIVE_END,
};

static Value
frame_repr(Thread *th, Value self)
{
    FrameObject *fo = as_frame_object(self);
    Code *c = as_code(fo->code);
    return str_format_c(th, "<frame at %p, file %R, line %d, code %V>", (void *)fo, c->filename,
                        frame_line(self), c->name);
}

static void
frame_object_visit(Object *o, VisitFn visit, void *arg)
{
    FrameObject *fo = (FrameObject *)(void *)o;
    value_visit(fo->code, visit, arg);
    value_visit(fo->function, visit, arg);
    field_visit(&fo->back, visit, arg);
    field_visit(&fo->locals, visit, arg);
    field_visit(&fo->trace, visit, arg);
    for (uint32_t i = 0; i < plain_load(&fo->count); i++)
        field_visit(&fo->values[i], visit, arg);
}

static void
frame_object_clear(Thread *th, Object *o)
{
    FrameObject *fo = (FrameObject *)(void *)o;
    field_replace(th, o, &fo->trace, NULL);
    field_replace(th, o, &fo->locals, NULL);
    field_replace(th, o, &fo->back, NULL);
    clear_values(th, fo);
}

static void
frame_object_dealloc(Thread *th, Object *o)
{
    FrameObject *fo = (FrameObject *)(void *)o;
    drop_null(th, fo->code);
    drop_null(th, fo->function);
    field_drop(th, &fo->back);
    field_drop(th, &fo->locals);
    field_drop(th, &fo->trace);
    for (uint32_t i = 0; i < plain_load(&fo->count); i++)
        field_drop(th, &fo->values[i]);
}

Type frame_type;
const TypeSpec frame_spec = {
    .name = "frame",
    .size = sizeof(FrameObject),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = frame_methods,
    .getters = frame_getters,
    .slots = {.repr = frame_repr},
    .visit = frame_object_visit,
    .clear = frame_object_clear,
    .dealloc = frame_object_dealloc,
};

/* -- all threads -- */

Value
vm_current_frames(Thread *th)
{
    Value d = dict_new(th);
    if (d == NULL)
        return NULL;
    struct Found { uint64_t ident; Value frame; };
    VEC(struct Found) found = {0};
    bool ok = true, room = true;
    world_stop(th);
    for (Thread *t = load_acquire(&th->interp->threads); t != NULL && ok && room;
         t = load_relaxed(&t->next)) {
        Frame *f = t->frame; /* NULL in a context that is not in use */
        if (f == NULL)
            continue;
        Value fo = f->link & FRAME_OBJECT ? f->object : NULL;
        if (fo == NULL) {
            FrameObject *made = frame_object_new(th, f, t);
            ok = made != NULL;
            fo = made ? value_of(made) : NULL;
        }
        if (fo != NULL && (room = vec_push(&found, ((struct Found){t->ident, fo}))))
            retain(th, fo);
    }
    world_start(th);
    if (!room) {
        raise_memory(th);
        ok = false;
    }
    for (size_t i = 0; i < found.count; i++) {
        Value key = ok ? int_from_u64(th, found.items[i].ident) : NULL;
        ok = ok && key != NULL && dict_set(th, d, key, found.items[i].frame);
        drop_null(th, key);
        drop(th, found.items[i].frame);
    }
    vec_free(&found);
    if (!ok)
        DROP_CLEAR(th, d);
    return d;
}

Value
vm_current_exceptions(Thread *th)
{
    Value d = dict_new(th);
    if (d == NULL)
        return NULL;
    struct Found { uint64_t ident; Value exc; }; /* NULL: none is handled */
    VEC(struct Found) found = {0};
    bool room = true;
    world_stop(th);
    for (Thread *t = load_acquire(&th->interp->threads); t != NULL && room; t = load_relaxed(&t->next))
        if (t->frame != NULL) /* else the context is not in use */
            room = vec_push(&found, ((struct Found){t->ident, error_handled_of_stopped(th, t)}));
    world_start(th);
    if (!room)
        raise_memory(th);
    bool ok = room;
    for (size_t i = 0; i < found.count; i++) {
        Value exc = found.items[i].exc;
        Value key = ok ? int_from_u64(th, found.items[i].ident) : NULL;
        Value tb = key && exc ? exception_traceback(th, exc) : NULL;
        Value info = !key ? NULL
                     : !exc ? tuple_pack(th, 3, NONE, NONE, NONE)
                            : tuple_pack(th, 3, value_of_type(type_of(exc)), exc, tb ? tb : NONE);
        drop_null(th, tb);
        ok = ok && info != NULL && dict_set(th, d, key, info);
        drop_null(th, info);
        drop_null(th, key);
        drop_null(th, exc);
    }
    vec_free(&found);
    if (!ok)
        DROP_CLEAR(th, d);
    return d;
}
