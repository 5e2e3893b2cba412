/* set_priv.h -- SetTable: the memory behind sets and frozensets.
 *
 * One allocation: a header and 2^n slots {key, hash}.  A slot is free (key NULL), used, or
 * deleted (key SET_DELETED).  The rules are those of dicts (dict_priv.h): a slot is given to one
 * key in a table's life, written before the key shows (release), and never used again after
 * deletion; a replaced table is retired if the set is shared.  A probe may thus go on after a
 * comparison in Python while the set has the same table, known by address and `stamp`.  Only while
 * the set is private may a deleted slot get another key; the table gets another stamp then.
 */
#ifndef OBJECTS_CONTAINER_SET_PRIV_H
#define OBJECTS_CONTAINER_SET_PRIV_H

#include "objects/container/container_priv.h"

typedef struct SetSlot {
    Field key;             /* NULL, SET_DELETED or a counted reference */
    ATOMIC(int64_t) hash;  /* [const] once the key shows */
} SetSlot;

typedef struct SetTable {
    ATOMIC(uint32_t) used; /* [lock] slots that are not free */
    uint32_t stamp;        /* [const] once the set is shared */
    uint32_t finger;       /* [lock] where pop() looks next */
    uint32_t log2;         /* [const] of the number of slots */
    SetSlot slots[];
} SetTable;

typedef struct Set {
    struct Object head;
    ATOMIC(int64_t) length;    /* [lock], read without */
    ATOMIC(SetTable *) table;  /* [lock], read without; replaced ones are retired */
    ATOMIC(int64_t) hash;      /* [atomic] frozenset: cached hash, 0: not computed */
} Set;

/* The table of empty sets: one free slot, never changed. */
extern union SetEmpty {
    SetTable table;
    uint64_t words[(sizeof(SetTable) + sizeof(SetSlot)) / 8];
} set_empty_table;
#define SET_EMPTY (&set_empty_table.table)

extern struct Object set_deleted_key; /* static; never counted, never shown */
#define SET_DELETED value_of(&set_deleted_key)

static inline Set *
as_set(Value v)
{
    return (Set *)(void *)value_object(v);
}

static inline SetTable *
set_table(const Set *s)
{
    return load_acquire(&s->table); /* pairs with the publication in set.c [set.table] */
}

static inline size_t
set_slots(const SetTable *t)
{
    return (size_t)1 << t->log2;
}

/* A new set or frozenset of a type; `type` may be a subclass.  Until set_filled() the program does not
 * find it (container_filling()): what fills a frozenset waits for nobody who reads it. */
RAISES Value set_alloc(Thread *th, Type *type);
/* An exact set or frozenset, as `like` is one or the other. */
RAISES Value set_alloc_like(Thread *th, Value like);
/* `v` (may be NULL) has all its items and is given to the program. */
static inline Value
set_filled(Value v)
{
    if (v != NULL) { /* its maker is alone with it, or it has been given away, and nothing is stored */
        uint8_t bits = load_relaxed(&value_object(v)->bits);
        if (bits & FROZENSET_FILLING)
            store_relaxed(&value_object(v)->bits, (uint8_t)(bits & ~FROZENSET_FILLING));
    }
    return v;
}
/* Makes `to`, which is empty and not published, a copy of `from`, with room for `extra` more. */
RAISES bool set_fill_copy(Thread *th, Value to, Set *from, size_t extra);
/* With the hash known.  YES: added; NO: was there. */
Answer set_insert(Thread *th, Set *s, Value STEALS key, int64_t hash);
Answer set_lookup(Thread *th, Set *s, Value key, int64_t hash);
Answer set_remove_key(Thread *th, Set *s, Value key, int64_t hash);
/* Iterates in slot order; new references. */
bool set_next_entry(Thread *th, Set *s, size_t *pos, Value *key, int64_t *hash);
/* Puts the keys of `from` that are in `filter` (or are not) into `result`, an unpublished set. */
RAISES bool set_select(Thread *th, Set *from, Set *filter, bool inside, Value result);
void set_clear_items(Thread *th, Set *s);
/* A set's contents at one moment: equal marks mean that nothing changed in between. */
typedef struct SetMark {
    SetTable *table;
    uint32_t stamp, used;
    int64_t length;
} SetMark;
SetMark set_mark(Thread *th, Set *s);
/* Puts the contents of `other` (unpublished) in place of those of `s`, if no other thread has changed `s`
 * since `mark`; false (and `other` is given up, too) if one may have. */
bool set_take_over(Thread *th, Set *s, Value STEALS other, const SetMark *mark);

/* set_ops.c */
Value set_compare(Thread *th, Value a, Value b, int op);
Value set_or(Thread *th, Value a, Value b);
Value set_and(Thread *th, Value a, Value b);
Value set_subtract(Thread *th, Value a, Value b);
Value set_xor(Thread *th, Value a, Value b);
Value set_ior(Thread *th, Value a, Value b);
Value set_iand(Thread *th, Value a, Value b);
Value set_isubtract(Thread *th, Value a, Value b);
Value set_ixor(Thread *th, Value a, Value b);
Value set_union_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_intersection_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_difference_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_symmetric_difference_method(Thread *th, Value self, Value other);
Value set_update_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_intersection_update_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_difference_update_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value set_symmetric_difference_update_method(Thread *th, Value self, Value other);
Value set_issubset_method(Thread *th, Value self, Value other);
Value set_issuperset_method(Thread *th, Value self, Value other);
Value set_isdisjoint_method(Thread *th, Value self, Value other);

/* The `iter` slot of sets and frozensets (set_iter.c). */
RAISES Value set_iter_new(Thread *th, Value set);

#endif
