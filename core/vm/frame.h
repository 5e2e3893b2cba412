/* frame.h -- frames on the register stack.
 *
 * A frame is FRAME_WORDS words of header and the registers of its code.  Frames of a thread lie on
 * its register stack (th->stack_base .. stack_limit), a callee's in its caller's call window: the
 * arguments are its first registers already.  A generator's frame lies in the generator.
 * th->frame is the innermost one; `link` leads to the callers.
 *
 * The scan for borrowed words (frame_upgrade_all) marks each frame FRAME_CLEAN, "this frame's
 * callers hold no borrowed word", and stops at a frame so marked, which it still scans itself:
 * a caller cannot run before the frame that carries the mark is gone (rules A3).
 *
 * Only the owning thread touches a running frame.
 */
#ifndef CORE_VM_FRAME_H
#define CORE_VM_FRAME_H

#include "core/vm/code.h"
#include "core/vm/regs.h"
#include "core/vm/vm.h"
#include "objects/container/container.h"
#include "objects/error/error.h"

typedef struct Frame {
    Value function;   /* register word: the Function */
    uintptr_t link;   /* caller << FRAME_SHIFT | FRAME_ bits */
    const Instr *pc;  /* the current instruction, as far as anybody else may ask */
    Code *code;       /* borrowed, or counted if FRAME_CODE is set */
    Value locals;     /* mapping of a module, class or exec body (counted), or NULL */
    Value object;     /* the frame object (counted), or NULL */
    Value r[];
} Frame;
_Static_assert(sizeof(Frame) == FRAME_WORDS * sizeof(Value), "header of a frame");

#define FRAME_SHIFT 16
enum {
    FRAME_CLEAN = 1,     /* callers hold no borrowed word */
    FRAME_ENTRY = 2,     /* entered from C: its end leaves the evaluator */
    FRAME_GENERATOR = 4, /* lies in a Generator */
    FRAME_INIT = 8,      /* an __init__; the new instance lies in the word below the header */
    FRAME_ONE_WORD = 16, /* the instruction that called has no extra word */
    FRAME_CODE = 32,     /* `code` is counted */
    FRAME_LOCALS = 64,   /* `locals` is set */
    FRAME_OBJECT = 128,  /* `object` is set */
    FRAME_PROPERTY = 256,/* a getter called by LOAD_ATTR: its result goes to that instruction's a */
};

static inline Frame *
frame_caller(const Frame *f)
{
    return (Frame *)(f->link >> FRAME_SHIFT);
}

static inline uintptr_t
frame_link(const Frame *caller, unsigned bits)
{
    return (uintptr_t)caller << FRAME_SHIFT | bits;
}

static inline Frame *
frame_of(Value *r)
{
    return (Frame *)(void *)((char *)r - sizeof(Frame));
}

static inline Function *
as_function(Value v)
{
    return (Function *)(void *)value_object(v);
}

static inline Function *
frame_function(const Frame *f)
{
    return (Function *)(void *)reg_object(f->function);
}

/* object_touch() of a function that is about to be called.  One that several threads call is
 * counted by none of them in its header: that lies beside what all of them read. */
static inline void
function_touch(Thread *th, Function *fn)
{
    uint32_t word = object_owner_word(&fn->head), owner = word & OWNER_WORD_OWNER;
    /* One branch, as both cases are common. */
    if (UNLIKELY(!((owner == th->id) |
                   ((word & (OWNER_WORD_OWNER | OWNER_WORD_SHARED)) == (OWNER_POOLED | OWNER_WORD_SHARED))))) {
        object_touch(th, &fn->head);
        if (owner != OWNER_POOLED)
            object_pool(th, &fn->head);
    }
}

/* A function with attributes of its own has another shape than SHAPE_FUNCTION. */
static inline bool
is_function(Value v)
{
    uint32_t shape = shape_of(v);
    return LIKELY(shape == SHAPE_FUNCTION) || type_at(shape) == &function_type;
}

/* [const] fields of a function. */
static inline Value
function_globals(const Function *fn)
{
    return plain_load(&fn->globals);
}

static inline Value
function_builtins(const Function *fn)
{
    return plain_load(&fn->builtins);
}

/* -- generators -- */
enum GeneratorState { GEN_CREATED, GEN_SUSPENDED, GEN_RUNNING, GEN_FINISHED };

typedef struct Generator {
    struct Object head;
    ATOMIC(uint8_t) state;      /* claimed by compare-and-swap to GEN_RUNNING */
    ATOMIC(uint8_t) ag_running; /* async generator: an asend or athrow is under way */
    ATOMIC(uint8_t) ag_hooks;   /* async generator: firstiter was called */
    ATOMIC(uint8_t) ag_closed;
    ATOMIC(uint8_t) closing;
    struct ErrorItem handled;   /* [claim] what the generator handles */
    Value *stack_top;           /* [claim] free part of the runner's register stack */
    Value code;                 /* [const] counted */
    Field name, qualname;
    Field origin;               /* coroutine: cr_origin; async generator: finalizer */
    Frame frame;                /* [claim]; registers follow */
} Generator;

static inline Generator *
as_generator(Value v)
{
    return (Generator *)(void *)value_object(v);
}

static inline Generator *
frame_generator(Frame *f)
{
    return (Generator *)(void *)((char *)f - __builtin_offsetof(Generator, frame));
}

/* The first free word of the register stack above the innermost frame. */
static inline Value *
frame_stack_top(Thread *th)
{
    Frame *f = th->frame;
    if (f == NULL)
        return th->stack_base;
    if (f->link & FRAME_GENERATOR)
        return frame_generator(f)->stack_top;
    return f->r + f->code->register_count;
}

/* Room that is always left above a frame: an argument that is moved up, an entry frame's words. */
#define STACK_SLACK 64

static inline bool
frame_fits(Thread *th, const Value *r, const Code *code)
{
    return r + code->register_count + STACK_SLACK <= th->stack_limit;
}

/* Index of the instruction the frame stands at. */
static inline uint32_t
frame_index(const Frame *f)
{
    return (uint32_t)(f->pc - f->code->instrs);
}

/* The live temporaries at word `i`: *n of them, ascending. */
static inline const uint16_t *
code_live(const Code *c, uint32_t i, uint32_t *n)
{
    uint32_t set = c->live_index[i];
    *n = c->live_start[set + 1] - c->live_start[set];
    return c->live_registers + c->live_start[set];
}

/* Temporaries below this register are the frame's own while `callee` (the next inner frame, or
 * NULL) runs: a call window belongs to the callee it was made into. */
static inline unsigned
frame_limit(const Frame *f, const Frame *callee)
{
    if (callee == NULL ||
        (callee->link & (FRAME_ENTRY | FRAME_GENERATOR | FRAME_PROPERTY)) != 0)
        return UINT16_MAX + 1u;
    return f->pc->a;
}

/* Turns the borrowed words of one frame into counted ones; those of immortal objects may stay. */
void frame_upgrade(Thread *th, Frame *f, unsigned limit);
void frame_upgrade_word(Thread *th, Value *w);
/* The same for a generator's frame that leaves the stack: its function and code are counted. */
static inline void
frame_upgrade_generator(Thread *th, Frame *f)
{
    const Code *c = f->code;
    for (Value *w = f->r, *end = w + c->temp_base; w < end; w++) {
        if (UNLIKELY(reg_is_borrowed(*w)))
            frame_upgrade_word(th, w);
    }
    uint32_t n;
    const uint16_t *live = code_live(c, frame_index(f), &n);
    for (uint32_t i = 0; i < n; i++) {
        if (UNLIKELY(reg_is_borrowed(f->r[live[i]])))
            frame_upgrade_word(th, &f->r[live[i]]);
    }
}
/* The same for all frames of the thread; marks them. */
void frame_upgrade_all(Thread *th);
/* Calls fn for every live word of one frame (NULLs skipped, stripped). */
void frame_visit(const Frame *f, unsigned limit, VisitFn visit, void *arg);
/* Drops the temporaries live at the frame's pc and below `limit` that are not live at `target`
 * (UINT32_MAX: all). */
void frame_drop_temporaries(Thread *th, Frame *f, unsigned limit, uint32_t target);
/* Ends a frame: gives up its variables, header words and the frame object. The temporaries are gone
 * already.  Does not touch th->frame. */
void frame_end(Thread *th, Frame *f);

/* -- frame_type.c -- */
typedef struct FrameObject {
    struct Object head;
    ATOMIC(Frame *) frame;   /* the live frame, or NULL once it has ended; changed by its runner */
    Thread *thread;          /* [claim] whose stack it is on, NULL for a generator's */
    Value code;              /* [const] counted */
    Value function;          /* [const] counted */
    Field back;              /* once ended: the caller's frame object or NULL */
    Field locals;            /* once ended, or asked for: mapping of locals */
    Field trace;             /* f_trace */
    ATOMIC(uint32_t) pc;     /* once ended: word index */
    ATOMIC(int32_t) line;    /* f_lineno set by a tracer, 0: not */
    ATOMIC(uint8_t) trace_lines, trace_opcodes, cleared;
    ATOMIC(uint32_t) count;  /* once ended: words in `values`, its code's temp_base; before, 0 */
    Value generator;         /* uncounted: the generator whose frame it is, or NULL */
    Field values[];          /* once ended: the variables */
} FrameObject;

static inline FrameObject *
as_frame_object(Value v)
{
    return (FrameObject *)(void *)value_object(v);
}

/* The frame object of `f` (borrowed from the frame), made if there is none; NULL: MemoryError. */
BORROWED Value frame_object(Thread *th, Frame *f);
/* The frame ends: its frame object takes over the variables if somebody else has it. */
void frame_object_detach(Thread *th, Frame *f);
/* The frame has been moved into a generator. */
void frame_object_moved(Frame *f);

/* -- eval.c -- */
enum EvalHow { EVAL_RUN, EVAL_THROW };
/* Runs the frame, which is th->frame and marked FRAME_ENTRY, to its end or next yield. */
Value eval_frame(Thread *th, Frame *f, enum EvalHow how);
/* Calls a Python function with arguments from C. */
Value function_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames);

/* -- bind_args.c -- */
/* Moves `nargs` positional words and one for each name of `kwnames` (or the items of `dict`) from
 * `given` to the parameters dst[0..].  On failure the given words stay where they are.  `dst` must
 * not overlap `given`. */
RAISES bool bind_args(Thread *th, Function *fn, Code *code, Value *dst, Value *given, size_t nargs,
                      Value kwnames);
/* Variables that are not parameters: NULL, and the free variables. */
static inline void
frame_init_variables(const Function *fn, const Code *code, Value *r, uint32_t from)
{
    uint32_t end = code->temp_base;
    for (uint32_t i = from; i < end; i++)
        r[i] = NULL;
    if (code->free_count != 0 && LIKELY(plain_load(&fn->closure) != NULL)) {
        const Value *cells = as_tuple(plain_load(&fn->closure))->items;
        for (uint32_t i = 0; i < code->free_count; i++)
            r[end - code->free_count + i] = reg_borrowed(cells[i]);
    }
}

#endif
