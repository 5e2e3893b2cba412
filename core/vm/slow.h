/* slow.h -- the instructions that are not worth inlining into the evaluator, as functions.
 *
 * slow_NAME(th, f, pc) carries the whole instruction out: operands are read from the registers,
 * the result is written, dead operands are dropped.  False: an exception is set, the operands
 * are where they were.  The evaluator has saved pc in the frame.
 */
#ifndef CORE_VM_SLOW_H
#define CORE_VM_SLOW_H

#include "core/vm/internal.h"

#define SLOW_OPS(X)                                                                               \
    X(LOAD_CLASSDEREF) X(DELETE_GLOBAL) X(DELETE_NAME)                                            \
    X(LOAD_LOCALS) X(DELETE_ATTR) X(LOAD_SUPER) X(DELETE_ITEM) X(BUILD_SLICE) X(GET_SLICE) \
    X(SET_SLICE) X(GET_ITER) X(BUILD_LIST) X(BUILD_MAP) X(BUILD_STRING)            \
    X(SET_ADD) X(MAP_ADD) X(LIST_EXTEND) X(SET_UPDATE) X(DICT_UPDATE) X(DICT_MERGE)               \
    X(LIST_TO_TUPLE) X(UNPACK_EX) X(MAKE_FUNCTION) X(LOAD_BUILD_CLASS)            \
    X(IMPORT_NAME) X(IMPORT_FROM) X(IMPORT_STAR) X(CHECK_EG_MATCH) X(PREP_RERAISE_STAR)           \
    X(LOAD_ASSERTION_ERROR) X(ASYNC_GEN_WRAP)                    \
    X(GET_YIELD_FROM_ITER) X(GET_AWAITABLE) X(GET_AITER) X(GET_ANEXT) X(MATCH_CLASS)              \
    X(MATCH_MAPPING) X(MATCH_SEQUENCE) X(MATCH_KEYS) X(GET_LEN) X(SETUP_ANNOTATIONS)              \
    X(PRINT_EXPR) X(COPY_DICT_WITHOUT)

#define X(name) RAISES bool slow_##name(Thread *th, Frame *f, const Instr *pc);
SLOW_OPS(X)
#undef X

/* The general halves of instructions that the evaluator starts. */
RAISES bool slow_binary(Thread *th, Frame *f, const Instr *pc);     /* ADD .. XOR */
RAISES bool slow_binary_imm(Thread *th, Frame *f, const Instr *pc); /* ADD_IMM .. AND_IMM */
RAISES bool slow_binary_k(Thread *th, Frame *f, const Instr *pc);   /* ADD_K .. DIVIDE_K */
RAISES bool slow_unary(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_compare(Thread *th, Frame *f, const Instr *pc);
/* JUMP_COMPARE or, `imm`, JUMP_COMPARE_IMM: the comparison's truth; drops dead operands. */
Answer slow_compare_jump(Thread *th, Frame *f, const Instr *pc, bool imm);
Answer slow_truth(Thread *th, Frame *f, unsigned reg);
RAISES bool slow_CONTAINS(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_FORMAT_VALUE(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_BUILD_SET(Thread *th, Frame *f, const Instr *pc);
/* The BUILD_SET at `pc` and the OR behind it that takes its result: NO: not that, nothing done. */
Answer slow_union_display(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_BUILD_TUPLE(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_unpack(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_get_item(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_set_item(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_get_item_imm(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_set_item_imm(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_load_attr(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_store_attr(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_load_method(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_with_prepare(Thread *th, Frame *f, Instr *pc);
void slow_with_exit(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_load_global(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_load_name(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_store_global(Thread *th, Frame *f, Instr *pc);
RAISES bool slow_store_name(Thread *th, Frame *f, Instr *pc);
/* The iterator gave nothing, by an exception or for want of `next`.  NO: exhausted. */
Answer slow_for_iter_end(Thread *th, Frame *f, const Instr *pc);
RAISES bool slow_raise(Thread *th, Frame *f, const Instr *pc);      /* always false */

/* What a call did. */
enum CallResult {
    CALL_FAILED,  /* exception; the window is as it was */
    CALL_DONE,    /* the result is in its register, the window is gone */
    CALL_PUSHED,  /* th->frame is the callee's frame */
};
enum CallResult slow_call(Thread *th, Frame *f, Instr *pc);         /* any of the CALL family */
/* Lays a frame for `fn` at `nf`, whose registers hold the parameters; false: no room. */
RAISES bool push_frame(Thread *th, Frame *nf, Code *code, const Function *fn, unsigned bits,
                       uint32_t params);

/* -- results -- */

/* r[a] = v, then the dead operands b and c go. */
ALWAYS_INLINE bool
put_result(Thread *th, Frame *f, const Instr *pc, Value v)
{
    unsigned flags = pc->flags;
    Value *r = f->r;
    Value b = r[pc->b], c = r[pc->c];
    bool slow = false;
    if (flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        slow = reg_drop(th, old);
    } else {
        r[pc->a] = v;
    }
    if (flags & B_DEAD)
        slow |= reg_drop(th, b);
    if (flags & C_DEAD)
        slow |= reg_drop(th, c);
    return slow;
}

/* The same for instructions whose c is no register. */
ALWAYS_INLINE bool
put_result_b(Thread *th, Frame *f, const Instr *pc, Value v)
{
    unsigned flags = pc->flags;
    Value *r = f->r;
    Value b = flags & B_DEAD ? r[pc->b] : NULL;
    bool slow = false;
    if (flags & A_LIVE) {
        Value old = r[pc->a];
        r[pc->a] = v;
        slow = reg_drop(th, old);
    } else {
        r[pc->a] = v;
    }
    return slow | reg_drop(th, b);
}

/* The same for instructions without register operands but a. */
static inline bool
put_plain(Thread *th, Frame *f, const Instr *pc, Value v)
{
    if (pc->flags & A_LIVE) {
        Value old = f->r[pc->a];
        f->r[pc->a] = v;
        return reg_drop(th, old);
    }
    f->r[pc->a] = v;
    return false;
}

static inline Value
reg(const Frame *f, unsigned i)
{
    return value_strip(f->r[i]);
}

#endif
