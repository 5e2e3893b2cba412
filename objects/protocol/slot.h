/* slot.h -- reading the operations of a type.
 *
 * Slots are single words that the type's lock protects against writers; readers take
 * no lock.  A slot is either the old or the new function, and both stay valid code.
 */
#ifndef OBJECTS_PROTOCOL_SLOT_H
#define OBJECTS_PROTOCOL_SLOT_H

#include "objects/model/type.h"

/* The function in slot `name` of type `t`, or NULL. */
#define SLOT(t, name) __atomic_load_n(&(t)->s.name, __ATOMIC_RELAXED)

/* The binary and ternary slots by their offset in TypeSlots, for tables. */
static inline BinaryFn
slot_binary(const Type *t, size_t offset)
{
    return __atomic_load_n((const BinaryFn *)(const void *)((const char *)&t->s + offset),
                           __ATOMIC_RELAXED);
}

static inline TernaryFn
slot_ternary(const Type *t, size_t offset)
{
    return __atomic_load_n((const TernaryFn *)(const void *)((const char *)&t->s + offset),
                           __ATOMIC_RELAXED);
}

#endif
