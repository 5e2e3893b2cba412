/* frame.c -- walking frames: upgrade of borrowed words, visiting, dropping.
 *
 * All of it follows the chain of th->frame and the live maps of the code objects (rules A1-A3,
 * A12).  Registers that the map calls live may hold NULL (a yielded operand, an empty place for
 * self): everybody here skips them.
 */
#include "core/vm/frame.h"

#include <string.h>

#include "base/assert.h"
#include "gc/refcount.h"

bool
reg_drop_slow(Thread *th, Object *o)
{
    if (load_relaxed(&o->owner) == th->id && load_relaxed(&o->local) == 1) {
        store_relaxed(&o->local, 0);
        object_drop_last(th, o);
        return true;
    }
    object_drop_slow(th, o);
    return true;
}

static inline void
upgrade_word(Thread *th, Value *w)
{
    Value v = *w;
    if (reg_is_borrowed(v) && !reg_is_immortal(v)) {
        v = value_from_bits(value_bits(v) & ~VALUE_BORROWED);
        object_retain(th, value_object(v));
        *w = v;
    }
}

void
frame_upgrade_word(Thread *th, Value *w)
{
    upgrade_word(th, w);
}

void
frame_upgrade(Thread *th, Frame *f, unsigned limit)
{
    const Code *c = f->code;
    upgrade_word(th, &f->function);
    if (!(f->link & (FRAME_CODE | FRAME_GENERATOR))) {
        object_retain(th, &f->code->head);
        f->link |= FRAME_CODE;
    }
    for (uint32_t i = 0; i < c->temp_base; i++)
        upgrade_word(th, &f->r[i]);
    uint32_t n;
    const uint16_t *live = code_live(c, frame_index(f), &n);
    for (uint32_t i = 0; i < n && live[i] < limit; i++)
        upgrade_word(th, &f->r[live[i]]);
}

void
frame_upgrade_all(Thread *th)
{
    Frame *callee = NULL;
    for (Frame *f = th->frame; f != NULL; callee = f, f = frame_caller(f)) {
        frame_upgrade(th, f, frame_limit(f, callee));
        if (f->link & FRAME_CLEAN)
            break;
        f->link |= FRAME_CLEAN;
    }
}

void
frame_visit(const Frame *f, unsigned limit, VisitFn visit, void *arg)
{
    const Code *c = f->code;
    if (f->function != NULL)
        visit(value_strip(f->function), arg);
    if (f->link & FRAME_CODE)
        visit(value_of(c), arg);
    value_visit(f->locals, visit, arg);
    value_visit(f->object, visit, arg);
    for (uint32_t i = 0; i < c->temp_base; i++) {
        if (f->r[i] != NULL)
            visit(value_strip(f->r[i]), arg);
    }
    uint32_t n;
    const uint16_t *live = code_live(c, frame_index(f), &n);
    for (uint32_t i = 0; i < n && live[i] < limit; i++) {
        if (f->r[live[i]] != NULL)
            visit(value_strip(f->r[live[i]]), arg);
    }
}

void
frame_drop_temporaries(Thread *th, Frame *f, unsigned limit, uint32_t target)
{
    const Code *c = f->code;
    uint32_t n, kept_count = 0;
    const uint16_t *live = code_live(c, frame_index(f), &n);
    const uint16_t *kept = NULL;
    if (target != UINT32_MAX)
        kept = code_live(c, target, &kept_count);
    uint32_t k = 0;
    for (uint32_t i = 0; i < n && live[i] < limit; i++) {
        unsigned reg = live[i];
        while (k < kept_count && kept[k] < reg)
            k++;
        if (k < kept_count && kept[k] == reg)
            continue;
        Value w = f->r[reg];
        f->r[reg] = NULL;
        reg_drop(th, w);
    }
}

void
frame_end(Thread *th, Frame *f)
{
    if (f->link & FRAME_OBJECT)
        frame_object_detach(th, f);
    for (uint32_t i = 0, n = f->code->temp_base; i < n; i++) {
        Value w = f->r[i];
        f->r[i] = NULL;
        reg_drop(th, w);
    }
    if (f->link & FRAME_LOCALS) {
        Value locals = f->locals;
        f->locals = NULL;
        drop(th, locals);
    }
    if (f->link & FRAME_CODE)
        drop(th, value_of(f->code));
    Value function = f->function;
    f->function = NULL;
    f->link &= ~(uintptr_t)(FRAME_LOCALS | FRAME_CODE);
    reg_drop(th, function);
}
