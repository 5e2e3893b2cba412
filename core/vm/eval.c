/* eval.c -- fetch and dispatch; the bodies of the instructions are in the ops_*.h.
 *
 * The machine's whole state between two instructions is th->frame, r and pc; r is the frame's
 * first register, so the frame's header lies just below it.  What an instruction keeps in C
 * variables does not survive a call that may reach a safepoint: operands are read again from
 * their registers, where the scan has turned borrowed words into counted ones.
 *
 * Ends of an instruction:
 *     NEXT(n)        nothing can have been queued: go on behind n extra words
 *     FINISH(n, s)   `s`, or something was queued: serve it first, at the next instruction
 *     POLL(n)        the same with a full safepoint, which may raise: calls, back-edges
 *     goto error     th->error is set, SAVE() was done
 */
#include "core/vm/internal.h"
#include "core/vm/slow.h"

#include "gc/pending.h"
#include "gc/reclaim.h"
#include "objects/container/dict_priv.h"
#include "objects/container/fast.h"
#include "objects/model/lock.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#define NO_LIMIT (UINT16_MAX + 1u)

/* The handler of word index i, or NULL. */
static const ExceptionEntry *
find_handler(const Code *c, uint32_t i)
{
    const ExceptionEntry *e = c->exceptions, *end = e + c->exception_count;
    for (; e < end; e++) {
        if (i >= e->start && i < e->end)
            return e;
    }
    return NULL;
}

static void
add_traceback(Thread *th, Frame *f)
{
    Value fo = frame_object(th, f);
    if (fo == NULL)
        return; /* MemoryError is the exception now */
    traceback_add(th, fo, (int)(2 * frame_index(f)), -1); /* its line: when somebody asks */
}

/* PEP 479: StopIteration must not leave a generator. */
static void
convert_stop_iteration(Thread *th, const Code *c)
{
    const char *message = NULL;
    if (error_matches(th, &exc_StopIteration))
        message = c->flags & CODE_ASYNC_GENERATOR ? "async generator raised StopIteration"
                  : c->flags & CODE_COROUTINE     ? "coroutine raised StopIteration"
                                                  : "generator raised StopIteration";
    else if ((c->flags & CODE_ASYNC_GENERATOR) && error_matches(th, &exc_StopAsyncIteration))
        message = "async generator raised StopAsyncIteration";
    if (message != NULL)
        raise_from_current(th, &exc_RuntimeError, "%s", message);
}

/* The frame ends by an exception that a handler of its own has passed on: it shows the line where
 * the exception came from, not the handler's. */
static void
point_at_origin(Frame *f, Value exc)
{
    Value tb = exc ? exception_traceback_peek(exc) : NULL;
    if (tb == NULL || !is_exact(tb, SHAPE_TRACEBACK))
        return;
    const Traceback *t = (Traceback *)(void *)value_object(tb);
    uint32_t i = (uint32_t)t->lasti / 2;
    if (t->frame == f->object && i < f->code->instr_count)
        f->pc = f->code->instrs + i;
}

/* Whether two strs are equal; most that differ do so in length or at once. */
static inline bool
same_str(const Str *a, const Str *b)
{
    if (a == b)
        return true;
    if (a->length != b->length || a->width != b->width)
        return false;
    return a->length == 0 || (a->data[0] == b->data[0] && str_equal(value_of(a), value_of(b)));
}

/* Leaves frames until one handles th->error: that frame, its pc at the handler.  NULL when the
 * entry frame was left. */
static NOINLINE Frame *
unwind(Thread *th, Frame *f, bool add, unsigned limit)
{
    for (;;) {
        if (add)
            add_traceback(th, f);
        const ExceptionEntry *e = find_handler(f->code, frame_index(f));
        if (e != NULL) {
            frame_drop_temporaries(th, f, limit, e->target);
            f->pc = f->code->instrs + e->target;
            return f;
        }
        frame_drop_temporaries(th, f, limit, UINT32_MAX);
        if (!add && (f->link & FRAME_OBJECT))
            point_at_origin(f, th->error);
        uintptr_t link = f->link;
        Frame *caller = frame_caller(f);
        if (link & FRAME_GENERATOR) {
            convert_stop_iteration(th, f->code);
            generator_finish(th, frame_generator(f));
        } else {
            frame_end(th, f);
            th->frame = caller;
            if (link & FRAME_INIT)
                reg_drop(th, ((Value *)(void *)f)[-1]);
        }
        th->recursion_left++;
        if (link & FRAME_ENTRY)
            return NULL;
        limit = link & (FRAME_GENERATOR | FRAME_PROPERTY) ? NO_LIMIT : caller->pc->a;
        f = caller;
        add = true;
    }
}

static COLD void
raise_init_result(Thread *th, Value v)
{
    raise_type_error(th, "__init__() should return None, not '%T'", value_strip(v));
}

/* The handlers' shorthand. */
#define F frame_of(r)
#define SAVE() (F->pc = pc)
#define DISPATCH() goto *targets[instr_op(pc)]
#define TARGET(name) L_##name:
#define NEXT(words)                                                                               \
    do {                                                                                          \
        pc += 1 + (words);                                                                        \
        DISPATCH();                                                                               \
    } while (0)
#define QUEUED() ((load_relaxed(&th->request) & REQUEST_PENDING) != 0)
/* Only drops happened, which say themselves whether something may be queued. */
#define FINISH_DROPS(words, slow)                                                                 \
    do {                                                                                          \
        bool slow_ = (slow); /* reads *pc */                                                      \
        pc += 1 + (words);                                                                        \
        if (UNLIKELY(slow_))                                                                      \
            goto serve;                                                                           \
        DISPATCH();                                                                               \
    } while (0)
#define FINISH(words)                                                                             \
    do {                                                                                          \
        pc += 1 + (words);                                                                        \
        if (UNLIKELY(QUEUED()))                                                                   \
            goto serve;                                                                           \
        DISPATCH();                                                                               \
    } while (0)
#define POLL(words)                                                                               \
    do {                                                                                          \
        pc += 1 + (words);                                                                        \
        if (UNLIKELY(load_relaxed(&th->request) != 0))                      \
            goto poll;                                                                            \
        DISPATCH();                                                                               \
    } while (0)
/* r[a] = an immediate or static word; operands b, c are not dead, or immediates. */
#define PUT_IMMEDIATE(words, v)                                                                   \
    do {                                                                                          \
        Value put_ = (v);                                                                         \
        if (pc->flags & A_LIVE) {                                                                 \
            Value old_ = r[pc->a];                                                                \
            r[pc->a] = put_;                                                                      \
            FINISH_DROPS(words, reg_drop(th, old_));                                              \
        }                                                                                         \
        r[pc->a] = put_;                                                                          \
        NEXT(words);                                                                              \
    } while (0)

/* At the beginning of a cache line: how fast the handlers are does not hang on what is linked before it. */
__attribute__((aligned(64))) Value
eval_frame(Thread *th, Frame *entry, enum EvalHow how)
{
    static const void *const targets[256] = {
#define OP(name, words, ...) [OP_##name] = &&L_##name,
#include "core/vm/opcodes.def"
#undef OP
#define SPECIAL(name, generic, family) [OP_##name] = &&L_##name,
#include "core/vm/special.def"
#undef SPECIAL
        [OP_COUNT ... 255] = &&L_bad,
    };
    Value *r = entry->r;
    Instr *pc = (Instr *)(uintptr_t)entry->pc;
    Value result;
    Value *args;        /* of the call being made, between its handlers only */
    unsigned count, limit;
    CacheWord cache;    /* of an attribute that is stored, on the way to its action */
    uint32_t shape;     /* that was guarded */

    if (UNLIKELY(thread_stack_low(th))) {
        raise_recursion(th, "");
        if (how == EVAL_THROW || pc != entry->code->instrs)
            goto error;
        /* A call that never began leaves no traceback entry of its own. */
        goto reraise;
    }
    if (how == EVAL_THROW)
        goto error;
    DISPATCH();

#include "core/vm/ops_move.h"
#include "core/vm/ops_name.h"
#include "core/vm/ops_attr.h"
#include "core/vm/ops_item.h"
#include "core/vm/ops_item_imm.h"
#include "core/vm/ops_number.h"
#include "core/vm/ops_flow.h"
#include "core/vm/ops_call.h"
#include "core/vm/ops_error.h"
#include "core/vm/ops_generator.h"

    /* Instructions that are one function. */
#define X(name)                                                                                   \
    TARGET(name)                                                                                  \
    {                                                                                             \
        SAVE();                                                                                   \
        if (UNLIKELY(!slow_##name(th, F, pc)))                                                    \
            goto error;                                                                           \
        FINISH(WORDS_##name);                                                                     \
    }
    enum {
#define OP(name, words, ...) WORDS_##name = words,
#include "core/vm/opcodes.def"
#undef OP
    };
    SLOW_OPS(X)
#undef X

L_bad:
    SAVE();
    raise_system_error(th, "unknown opcode %d", instr_op(pc));
    goto error;

serve:
    SAVE();
    if (QUEUED()) {
        fetch_and_seq_cst(&th->request, ~(uint32_t)REQUEST_PENDING); /* before looking */
        pending_serve(th);
    }
    DISPATCH();

poll:
    SAVE();
    if (UNLIKELY(!safepoint_poll(th)))
        goto error;
    DISPATCH();

reraise:
    {
        Frame *f = unwind(th, F, false, NO_LIMIT);
        if (f == NULL)
            return NULL;
        r = f->r;
        pc = (Instr *)(uintptr_t)f->pc;
        FINISH(-1);
    }
error_in_call: /* of a frame that is gone already: the window is empty */
    limit = pc->a;
    goto unwinding;
error:
    limit = NO_LIMIT;
unwinding:
    {
        Frame *f = unwind(th, F, true, limit);
        if (f == NULL)
            return NULL;
        r = f->r;
        pc = (Instr *)(uintptr_t)f->pc;
        FINISH(-1);
    }
}
