/* internal.h -- what the files of core/vm share beyond frames. */
#ifndef CORE_VM_INTERNAL_H
#define CORE_VM_INTERNAL_H

#include "core/vm/frame.h"
#include "core/vm/opcode.h"
#include "objects/number/number.h"

/* -- function.c -- */
Value builtins_of_globals(Thread *th, Value globals);   /* new reference */
/* function_new() with the builtins known. */
RAISES Value function_make(Thread *th, Value code, Value globals, Value builtins, Value qualname);
RAISES Value function_annotations(Thread *th, Value self);

/* -- names.c: names outside of registers; `name` is interned -- */
RAISES Value name_load(Thread *th, Frame *f, Value name);          /* locals, globals, builtins */
RAISES Value name_load_global(Thread *th, Frame *f, Value name);
RAISES bool name_store(Thread *th, Frame *f, Value name, Value v); /* into locals */
RAISES bool name_delete(Thread *th, Frame *f, Value name);
RAISES bool name_delete_global(Thread *th, Frame *f, Value name);
COLD bool raise_unbound(Thread *th, const Code *code, unsigned reg);       /* local variable */
COLD bool raise_unbound_deref(Thread *th, const Code *code, unsigned reg); /* cell, free */

/* -- specialize.c: after a generic instruction ran, or instead of it --
 * `way`: NULL, or the word of a *_POLY instruction that is to be filled. */
void specialize_load_attr(Thread *th, Instr *pc, Value o, Value name, CacheWord *way);
void specialize_store_attr(Thread *th, Instr *pc, Value o, Value name, CacheWord *way);
void specialize_load_method(Thread *th, Instr *pc, Value o, Value name, CacheWord *way);
void specialize_load_global(Thread *th, Instr *pc, Frame *f, Value name, CacheWord *way);
void specialize_load_name(Thread *th, Instr *pc, Frame *f, Value name);
void specialize_store_global(Thread *th, Instr *pc, Frame *f, Value name);
void specialize_store_name(Thread *th, Instr *pc, Frame *f, Value name);
void specialize_call(Thread *th, Instr *pc, Value callee, uint8_t op);
void specialize_with(Thread *th, Instr *pc, Value o);

/* The specialised instruction at pc, `generic` by nature, has met another class: it becomes `op`,
 * which has words for several. */
COLD void poly_begin(Code *c, Instr *pc, uint8_t op, unsigned family, uint8_t generic);
/* A *_POLY instruction has missed: the word to be filled, or NULL if it is not worth the trouble. */
CacheWord *poly_victim(Thread *th, Code *c, const Instr *pc, unsigned family);

/* The payload of a generic instruction's word: 0 it has not run, up to 3 the runs left of its
 * first four; afterwards CACHE_WAITS, how often it has waited, and the draws left.  All threads
 * read the line the word lies in, so one that waits is not written at every run: a run is drawn by
 * lot, one in 64. */
#define CACHE_WAITS 0x100u
#define CACHE_WAIT_SHIFT 9 /* above: how many waits in a row led to nothing, up to CACHE_WAIT_MAX */
#define CACHE_WAIT_MAX 4u
#define CACHE_DRAWS 0xffu

/* A number of th's own, different each time; its upper bits are the random ones. */
static inline uint32_t
cache_lot(Thread *th)
{
    return th->cache_lot = th->cache_lot * 1664525u + 1013904223u;
}

/* Counts runs of a generic instruction; true when it is time to specialise. */
static inline bool
cache_warm(Thread *th, Instr *pc)
{
    CacheWord w = cache_load(pc);
    uint32_t n = cache_payload(w);
    if (UNLIKELY(w >> 60 != 0 || (uint32_t)w != 0)) {
        n = 3;
    } else if (n & CACHE_WAITS) {
        if (LIKELY(cache_lot(th) >> 26 != 0))
            return false;
        if ((n & CACHE_DRAWS) <= 1)
            return true;
        n--;
    } else if (n == 1) {
        return true;
    } else {
        n = n == 0 ? 3 : n - 1;
    }
    cache_store(pc, cache_word(0, 0, n));
    return false;
}

/* The specialised form missed or none applies: go on in the generic form for a while, some 64 runs
 * the first time and up to a thousand if none ever applies. */
static inline void
cache_back_off(Instr *pc, uint8_t generic)
{
    CacheWord w = cache_load(pc);
    uint32_t n = cache_payload(w), waits = 0;
    if (w >> 60 == 0 && (uint32_t)w == 0 && (n & CACHE_WAITS)) {
        waits = n >> CACHE_WAIT_SHIFT;
        if (waits < CACHE_WAIT_MAX)
            waits++;
    }
    cache_store(pc, cache_word(0, 0, waits << CACHE_WAIT_SHIFT | CACHE_WAITS | 1u << waits));
    instr_set_op(pc, generic);
}

/* Byte offset of the field that the descriptor `d` (of instances of `t`) gives access to, 0 if it is
 * no __slots__ member; whether it may be set; the getter of a plain property (new or NULL). */
uint32_t member_offset(Value d, const Type *t);
bool member_writable(Value d);
Value property_function(Thread *th, Value d);
static inline bool
is_wrapper(Value v)
{
    Type *t = type_of(v);
    return t == &staticmethod_type || t == &classmethod_type;
}
/* The Python function in a staticmethod or classmethod, as a register's word; NULL: another. */
Value wrapper_function(Thread *th, Value w);
static inline bool
reg_is_function(Value w)
{
    return value_is_object(w) && is_function(value_of(reg_object(w)));
}

/* -- intrinsics.c -- */
RAISES bool list_extend_star(Thread *th, Value list, Value v);
RAISES Value star_tuple(Thread *th, Value callee, Value v); /* what follows * in a call */
RAISES bool dict_merge_keywords(Thread *th, Value dict, Value mapping, Value callee);
RAISES bool dict_update_display(Thread *th, Value dict, Value mapping);
/* Counted items to out[0..n-1]. */
RAISES bool unpack_sequence(Thread *th, Value v, Value *out, size_t n);
RAISES bool unpack_extended(Thread *th, Value v, Value *out, size_t before, size_t after);
RAISES Value format_value(Thread *th, Value v, int conversion, Value spec);
RAISES Value match_class(Thread *th, Value subject, Value type, int64_t positional, Value names);
RAISES Value match_keys(Thread *th, Value mapping, Value keys);
RAISES Value copy_dict_without(Thread *th, Value mapping, Value keys);
Answer exception_matches_clause(Thread *th, Value exc, Value types);
RAISES bool setup_annotations(Thread *th, Frame *f);
RAISES bool print_expr(Thread *th, Value v);

/* -- import_op.c -- */
RAISES Value import_op_name(Thread *th, Frame *f, Value name, Value fromlist, Value level);
RAISES Value import_op_from(Thread *th, Value module, Value name);
RAISES bool import_op_star(Thread *th, Frame *f, Value module);

/* -- generator.c, coroutine.c, async_gen.c -- */
/* The generator of the frame at its RETURN_GENERATOR; the frame's registers move to it. */
RAISES Value generator_of_frame(Thread *th, Frame *f);
/* Claims a generator that is to run; false with ValueError (already executing), or without an
 * exception when it is finished. */
bool generator_claim(Thread *th, Generator *g);
/* Claims it if sending `v` starts or resumes it without further ado; never raises. */
static inline bool
generator_claim_for_send(Thread *th, Generator *g, Value v)
{
    uint8_t state = load_relaxed(&g->state);
    if (UNLIKELY(state != GEN_SUSPENDED && (state != GEN_CREATED || v != NONE)))
        return false;
    /* A private one: others look at `state` after object_touch(), which waits for this section.  One that
     * favours th is not private: others claim it without its lock. */
    if (LIKELY(object_section_private(th, &g->head))) {
        store_relaxed(&g->state, (uint8_t)GEN_RUNNING);
        object_section_end(th);
        return true;
    }
    object_touch(th, &g->head);
    return cas_acquire(&g->state, &state, GEN_RUNNING); /* pairs with the yield's release */
}
/* Pushes a claimed generator's frame; `bits` FRAME_ENTRY or 0. */
static inline void
generator_push(Thread *th, Generator *g, unsigned bits)
{
    g->stack_top = frame_stack_top(th);
    g->frame.link = frame_link(th->frame, FRAME_GENERATOR | bits |
                                              (g->frame.link & (FRAME_LOCALS | FRAME_OBJECT)));
    g->handled.outer = th->handled;
    th->handled = &g->handled;
    th->frame = &g->frame;
}
/* Gives a claim back: the generator did not run. */
static inline void
generator_unclaim(Generator *g)
{
    store_release(&g->state, instr_op(g->frame.pc) == OP_RETURN_GENERATOR ? GEN_CREATED
                                                                          : GEN_SUSPENDED);
}
/* Puts what is sent (a register's word) into the frame: where it goes on. */
static inline Instr *
generator_enter(Generator *g, Value sent)
{
    Instr *pc = (Instr *)(uintptr_t)g->frame.pc;
    uint8_t op = instr_op(pc);
    if (LIKELY(op == OP_YIELD)) {
        g->frame.r[pc->a] = sent;
    } else if (op == OP_YIELD_FROM) {
        g->frame.r[pc->c] = sent;
        return pc;
    } /* else RETURN_GENERATOR: what is sent is None */
    return pc + 1;
}
/* The frame of a generator that is running ends: its registers go, it is finished. */
void generator_finish(Thread *th, Generator *g);
Value generator_yielded_from(Thread *th, Generator *g); /* new reference or NULL */
RAISES Value get_awaitable(Thread *th, Value v, int where);
RAISES Value get_yield_from_iter(Thread *th, Value v, const Code *code);
RAISES Value get_anext(Thread *th, Value v);
RAISES Value get_aiter_checked(Thread *th, Value v);
RAISES Value async_gen_wrap(Thread *th, Value v);
/* send() of any generator kind; see SendFn. */
Answer generator_send(Thread *th, Value self, Value v, Value *result);
void generator_visit(Object *o, VisitFn visit, void *arg);
void generator_clear(Thread *th, Object *o);
void generator_finalize(Thread *th, Object *o);
void generator_dealloc(Thread *th, Object *o);
bool generator_wants_finalize(Object *o);

static inline bool
is_generator_kind(Value v) /* generator, coroutine or async generator */
{
    uint32_t s = shape_of(v);
    return s == SHAPE_GENERATOR || s == SHAPE_COROUTINE || s == SHAPE_ASYNC_GEN;
}

/* -- call.c -- */
/* Runs a function without parameters with a namespace for its names (class bodies). */
RAISES Value function_run_in(Thread *th, Value function, Value locals);

#endif
