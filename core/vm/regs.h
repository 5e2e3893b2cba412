/* regs.h -- words in the registers of the machine.
 *
 * A register holds NULL (unbound, or nothing), an immediate, a pointer that the register counts,
 * or a pointer "borrowed" under RCU (VALUE_BORROWED set): read from a shared container, valid
 * until this thread's next quiescent point, at which frame_upgrade() turns it into a counted one.
 * Static immortal objects may stand in either form; comparisons strip both words.
 *
 *     reg_copy    the word for a second register
 *     reg_drop    gives a register's word up; true if that may have queued something
 *     reg_take    the counted Value of a register that ends
 *     reg_own     a counted Value of a register that stays
 */
#ifndef CORE_VM_REGS_H
#define CORE_VM_REGS_H

#include "gc/field.h"
#include "objects/model/type.h"

static inline bool
reg_is_counted(Value w) /* a counted pointer; w is not NULL */
{
    return (value_bits(w) & 7) == 0;
}

static inline bool
reg_is_borrowed(Value w)
{
    return (value_bits(w) & 7) == VALUE_BORROWED;
}

/* A borrowed word that may stay one: what it refers to never dies. */
static inline bool
reg_is_immortal(Value w)
{
    const Object *o = (const Object *)(value_bits(w) & ~VALUE_BORROWED);
    return load_relaxed(&o->owner) == OWNER_IMMORTAL;
}

/* The object of a word that is known to hold one. */
static inline Object *
reg_object(Value w)
{
    return (Object *)(value_bits(w) & ~VALUE_BORROWED);
}

static inline Value
reg_borrowed(Value v) /* v: an object or an immediate */
{
    return value_is_object(v) ? value_from_bits(value_bits(v) | VALUE_BORROWED) : v;
}

/* The word of a static immortal or of something the running code keeps alive. */
#define REG_STATIC(v) value_from_bits(value_bits(v) | VALUE_BORROWED)

/* Whether the word is the object `o` (stripped). */
static inline bool
reg_is(Value w, Value o)
{
    return (value_bits(w) & ~VALUE_BORROWED) == value_bits(o);
}

static inline Value
reg_copy(Thread *th, Value w)
{
    if ((value_bits(w) & 7) == 0 && w != NULL)
        object_retain(th, value_object(w));
    return w;
}

COLD bool reg_drop_slow(Thread *th, Object *o);

static inline bool
reg_drop(Thread *th, Value w)
{
    if ((value_bits(w) & 7) != 0 || w == NULL)
        return false;
    Object *o = value_object(w);
    uint16_t owner = load_relaxed(&o->owner);
    if (LIKELY(owner == th->id)) {
        uint32_t n = load_relaxed(&o->local) - 1; /* only the owner writes it */
        if (LIKELY((int32_t)n > 0)) {
            store_relaxed(&o->local, n);
            return false;
        }
    } else if (owner == OWNER_IMMORTAL) {
        return false;
    }
    return reg_drop_slow(th, o);
}

static inline Value
reg_take(Thread *th, Value w)
{
    if ((value_bits(w) & 7) == VALUE_BORROWED) {
        w = value_from_bits(value_bits(w) & ~VALUE_BORROWED);
        object_retain(th, value_object(w));
    }
    return w;
}

static inline Value
reg_own(Thread *th, Value w)
{
    w = value_strip(w);
    if (value_is_object(w))
        object_retain(th, value_object(w));
    return w;
}

/* Whether `o` is private to th: what is read from it must be counted. */
static inline bool
object_is_private(Thread *th, const Object *o)
{
    return (object_owner_word(o) & (OWNER_WORD_OWNER | OWNER_WORD_SHARED)) == th->id;
}

/* object_touch() for a container that is about to be read into a register; whether what is read
 * must be counted.  Once shared, it stays shared; if another thread shares a private one now, what
 * it removes waits until this thread's next quiescent point, so counting is right all the same. */
static inline bool
reg_touch(Thread *th, Object *o)
{
    uint32_t word = object_owner_word(o);
    if (LIKELY((word & (OWNER_WORD_OWNER | OWNER_WORD_SHARED)) == th->id))
        return true;
    if (UNLIKELY(!(word & OWNER_WORD_SHARED)))
        object_share_slow(o);
    return false;
}

/* A register's word for `v` (not NULL), loaded after reg_touch() of its container said `counted`. */
static inline Value
reg_word(Thread *th, bool counted, Value v)
{
    if (!value_is_object(v))
        return v;
    if (LIKELY(counted)) {
        Object *x = value_object(v);
        uint16_t owner = load_relaxed(&x->owner);
        if (LIKELY(owner == th->id)) {
            uint32_t n = load_relaxed(&x->local) + 1;
            if (LIKELY((int32_t)n > 0)) {
                store_relaxed(&x->local, n);
                return v;
            }
        } else if (owner == OWNER_IMMORTAL) {
            return value_from_bits(value_bits(v) | VALUE_BORROWED);
        }
        object_retain_slow(th, x);
        return v;
    }
    return value_from_bits(value_bits(v) | VALUE_BORROWED);
}

/* A register's word for `v`, just loaded from the container `o` (v is not NULL). */
static inline Value
reg_from(Thread *th, Object *o, Value v)
{
    return reg_word(th, object_is_private(th, o), v);
}

/* A register's word for a field; NULL if it is empty. */
static inline Value
reg_from_field(Thread *th, Object *o, Field *f)
{
    bool counted = reg_touch(th, o);
    Value v = load_acquire(f); /* pairs with field_replace() [field] */
    return LIKELY(v != NULL) ? reg_word(th, counted, v) : NULL;
}

#endif
