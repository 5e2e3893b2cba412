/* header.h -- the 16 bytes in front of every heap object.
 *
 *      0        4        8        12     14     15
 *     +--------+--------+--------+------+------+------+
 *     | shape  | local  | shared |owner | lock | bits |
 *     +--------+--------+--------+------+------+------+
 *
 * shape   index into the process-wide tables of type_ops.h: which type, and for
 *         instances which attributes they have.  0 means a free cell.
 * local   references counted by the owner, without atomics
 * shared  references counted by everybody else: a signed count in the upper 30
 *         bits, a state in the lower 2
 * owner   number of the thread that counts in `local`; OWNER_MERGED once the two
 *         halves are one, OWNER_POOLED if threads moreover keep references to it in hand
 *         (credit.h), OWNER_IMMORTAL for objects that never die
 * lock    the object's one-byte lock (threads/mutex.h)
 * bits    flags; after publication changed only by atomic read-modify-write
 */
#ifndef GC_HEADER_H
#define GC_HEADER_H

#include "base/atomic.h"
#include "base/value.h"

struct Object {
    ATOMIC(uint32_t) shape;  /* [lock] changes by attribute transitions, or [stopped] */
    ATOMIC(uint32_t) local;  /* [owner] */
    ATOMIC(uint32_t) shared; /* [atomic] */
    ATOMIC(uint16_t) owner;  /* [atomic] */
    ATOMIC(uint8_t) lock;    /* [atomic] threads/mutex.h */
    ATOMIC(uint8_t) bits;    /* [atomic] */
};

_Static_assert(sizeof(struct Object) == 16, "object header is 16 bytes");

/* States in the low bits of `shared`. */
#define SHARED_PLAIN 0u     /* only counted references */
#define SHARED_WEAK 1u      /* reachable by uncounted pointers: death by compare-and-swap */
#define SHARED_QUEUED 2u    /* waits in its owner's merge queue */
#define SHARED_MERGED 3u    /* `local` is merged into `shared`; owner says so, too */
#define SHARED_STATE 3u
#define SHARED_ONE 4u       /* one reference */

/* `bits`. */
#define BIT_SHARED 0x01u     /* a foreign thread has touched it: removals are retired */
#define BIT_TRACKED 0x02u    /* the cycle collector looks at it */
#define BIT_FINALIZED 0x04u  /* its finalizer has run (PEP 442) */
#define BIT_DEFERRED 0x08u   /* never counted in registers: types */
#define BIT_WEAKREFS 0x10u   /* has, or had, weak references */
#define BIT_OLD 0x20u        /* survived a collection; set only by gc/collect.c */
#define BIT_USER 0x40u       /* free for the object's type */
#define BIT_USER2 0x80u      /* free for the object's type */

/* Owner, lock and bits in one load; each is its own atomic.  Owner in the low 16 bits. */
static inline uint32_t
object_owner_word(const struct Object *o)
{
    _Static_assert(__builtin_offsetof(struct Object, owner) == 12, "owner, lock, bits");
    return __atomic_load_n((const uint32_t *)(const void *)&o->owner, __ATOMIC_RELAXED);
}
#define OWNER_WORD_OWNER 0xffffu
#define OWNER_WORD_LOCK 0xff0000u
#define OWNER_WORD_SHARED ((uint32_t)BIT_SHARED << 24)

/* In `local` of an object whose owner is OWNER_MERGED: its count reached zero and it waits
 * in a retire queue to give up what it holds. */
#define LOCAL_DEAD 0xdeadu

/* Initialises the header of an object in static storage that never dies. */
#define STATIC_OBJECT(shape_index)                                             \
    {                                                                          \
        {shape_index}, {1u}, {0u}, {OWNER_IMMORTAL}, {0u}, {BIT_SHARED}        \
    }

#endif
