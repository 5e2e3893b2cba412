/* dict_priv.h -- DictTable: the memory behind a dict, and who may read it when.
 *
 * A Dict points to one table; a table is one allocation:
 *
 *     header (24 bytes) | entries[capacity] | index[slots], 1, 2 or 4 bytes each
 *
 * Entries stand in insertion order.  A *compact* table (stride 16) holds only keys that are exact
 * strs or immediate ints: {key, value}, since their hash is at hand.  A *general* table (stride
 * 24) holds any keys: {key, value, hash}.  An index slot is 0 (free) or an entry's number + 1.
 *
 * Rules, which make reading without the lock possible:
 *   T1  Entries are only appended.  An entry is given to one key in a table's life: deleting
 *       stores NULL in value and key and never uses the entry again.
 *   T2  An index slot changes once, from 0 to an entry, after the entry is complete (release).
 *       So a probe that passed a slot need not look at it again while the table lives.
 *   T3  A table that was replaced is not changed any more; its memory is retired if the dict is
 *       shared, its references live on in the new table.
 *   T4  `used` grows after the entry is complete (release); iteration reads it (acquire).
 * A reader therefore loads dict->table once and works on that table.  What it finds was there at
 * some moment of the call.  When Python code ran in between (__eq__), the reader goes on only if
 * the dict still has the same table, known by address and `stamp`.
 *
 * Guards (rules C5): `guard` is 0 or a number unique in the process, given out by dict_guard()
 * and dict_entry_index().  While a dict's table shows guard g:
 *   - entry i belongs to the key it belonged to when g was read; its value is what
 *     dict_table_value() reads; NULL means: deleted, go the slow way;
 *   - if g came from dict_guard(), keys that were absent then are absent still: that call sets
 *     DICT_ABSENCE, and adding a key to a table with that flag first sets the guard to 0.
 * The table of the builtins dict is *stable* (dict_make_stable): its entries keep their numbers
 * when it grows and when keys are deleted, and it is never cleared or compacted.  A key deleted
 * and added again gets a new entry.  So an entry number of it may be used under another dict's
 * guard: NULL means "look again".
 */
#ifndef OBJECTS_CONTAINER_DICT_PRIV_H
#define OBJECTS_CONTAINER_DICT_PRIV_H

#include "base/assert.h"
#include "gc/field.h"
#include "objects/container/container.h"
#include "objects/text/str.h"

#define DICT_COMPACT 16
#define DICT_GENERAL 24

/* `flags` of a table; [lock] */
#define DICT_STABLE 1u
#define DICT_ABSENCE 2u

struct DictTable {
    ATOMIC(uint32_t) guard;    /* [lock] written, read without */
    ATOMIC(uint32_t) used;     /* [lock] written, read without: entries given out */
    uint32_t capacity;         /* [const] entries there is room for */
    uint32_t tail;             /* [lock] all entries from here on are deleted */
    uint32_t stamp;            /* [const] tells tables apart that had the same address */
    uint8_t log2_slots;        /* [const] */
    uint8_t index_width;       /* [const] bytes of an index slot: 1, 2, 4 */
    uint8_t stride;            /* [const] DICT_COMPACT or DICT_GENERAL */
    ATOMIC(uint8_t) flags;     /* [lock] written, read without */
    /* entries, index */
};
_Static_assert(sizeof(DictTable) == 24, "the evaluator adds it");

typedef struct DictEntry {
    Field key;                 /* NULL once deleted */
    Field value;               /* NULL once deleted */
    ATOMIC(int64_t) hash;      /* general tables only */
} DictEntry;

/* The table of empty dicts: no room, one free index slot, never changed. */
typedef struct DictEmptyTable {
    DictTable table;
    uint64_t index;
} DictEmptyTable;
extern DictEmptyTable dict_empty_table;
#define DICT_EMPTY (&dict_empty_table.table)

static inline DictTable *
dict_table(const Dict *d)
{
    return load_acquire(&d->table); /* pairs with the publication in dict_keys.c [dict.table] */
}

static inline DictEntry *
dict_entry(const DictTable *t, size_t i)
{
    return (DictEntry *)(void *)((char *)(uintptr_t)t + sizeof(DictTable) + i * t->stride);
}

/* The raw word of entry i, for caches; NULL if the entry was deleted. */
static inline Value
dict_table_value(const DictTable *t, size_t i)
{
    return load_acquire(&dict_entry(t, i)->value); /* [dict.value] */
}

/* Entry i under guard `guard` of dict d: NULL if the guard is no longer the table's, or the entry
 * was deleted.  In a no_safepoint section, after object_touch(). */
static inline Value
dict_cached_value(const Dict *d, uint32_t guard, size_t i)
{
    DictTable *t = dict_table(d);
    if (load_acquire(&t->guard) != guard) /* pairs with the stores of 0 [dict.guard] */
        return NULL;
    return dict_table_value(t, i);
}

static inline const void *
dict_index(const DictTable *t)
{
    return (const char *)t + sizeof(DictTable) + (size_t)t->capacity * t->stride;
}

/* The number in an index slot. */
static inline uint32_t
dict_index_get(const DictTable *t, const void *index, size_t slot)
{
    switch (t->index_width) { /* acquire: pairs with dict_index_set() [dict.index] */
    case 1: return __atomic_load_n((const uint8_t *)index + slot, __ATOMIC_ACQUIRE);
    case 2: return __atomic_load_n((const uint16_t *)index + slot, __ATOMIC_ACQUIRE);
    default: return __atomic_load_n((const uint32_t *)index + slot, __ATOMIC_ACQUIRE);
    }
}

/* The distance between the slots of a probe: odd, so that it visits all of them. */
static inline size_t
dict_probe_step(int64_t hash)
{
    return (size_t)(((uint64_t)hash * 0x9e3779b97f4a7c15u) >> 32) | 1;
}

/* -- between dict_keys.c, dict.c, dict_methods.c, dict_views.c -- */

/* How far a search came.  It may be continued on the same table after a comparison (T2). */
typedef struct DictProbe {
    DictTable *table;
    uint32_t stamp;      /* of that table */
    int64_t hash;
    size_t slot, step;
    DictEntry *entry;    /* found, or to be compared */
    Value key;           /* that entry's key word */
} DictProbe;

enum { PROBE_ABSENT, PROBE_FOUND, PROBE_COMPARE };

static inline void
dict_probe_start(DictProbe *p, DictTable *t, int64_t hash)
{
    p->table = t;
    p->stamp = t->stamp;
    p->hash = hash;
    p->slot = (size_t)hash;
    p->step = 0; /* computed when the first slot is taken */
    p->entry = NULL;
}
/* Goes on until the key is found by identity or quick comparison, or a free slot (p->slot) says
 * that it is absent, or an entry must be compared by __eq__.  Runs no Python code. */
int dict_probe_run(DictProbe *p, Value key);
/* After PROBE_COMPARE said no. */
static inline void
dict_probe_next(DictProbe *p)
{
    p->slot += dict_probe_step(p->hash);
}

/* Whether the dict still has the table of the probe. */
static inline bool
dict_probe_valid(const Dict *d, const DictProbe *p)
{
    return dict_table(d) == p->table && p->table->stamp == p->stamp;
}

/* Room for `entries` entries or a little more; unpublished.  NULL with MemoryError. */
RAISES DictTable *dict_table_new(Thread *th, size_t entries, unsigned stride);
/* Makes a copied table one of its own: no guard, no flags, another stamp. */
void dict_table_renew(Thread *th, DictTable *t);
/* Fills the index for entries 0 .. used-1. */
void dict_table_reindex(DictTable *t);
/* Sets an index slot of an unpublished table, or under the lock. */
static inline void
dict_index_set(DictTable *t, size_t slot, uint32_t n)
{
    void *index = (void *)(uintptr_t)dict_index(t);
    switch (t->index_width) { /* release: pairs with dict_index_get() [dict.index] */
    case 1: __atomic_store_n((uint8_t *)index + slot, (uint8_t)n, __ATOMIC_RELEASE); break;
    case 2: __atomic_store_n((uint16_t *)index + slot, (uint16_t)n, __ATOMIC_RELEASE); break;
    default: __atomic_store_n((uint32_t *)index + slot, n, __ATOMIC_RELEASE); break;
    }
}
/* Adds an entry behind the last one, at the free slot of a probe; takes the references over. */
static inline void
dict_table_append(DictTable *t, size_t slot, int64_t hash, Value STEALS key, Value STEALS v)
{
    uint32_t i = load_relaxed(&t->used);
    DictEntry *e = dict_entry(t, i);
    uint8_t flags = load_relaxed(&t->flags);
    if (UNLIKELY(flags & DICT_ABSENCE)) {
        store_relaxed(&t->flags, flags & (uint8_t)~DICT_ABSENCE);
        store_release(&t->guard, 0); /* [dict.guard] */
    }
    if (t->stride == DICT_GENERAL)
        store_relaxed(&e->hash, hash); /* the key's release below publishes it */
    store_release(&e->value, v);       /* [dict.value] */
    store_release(&e->key, key);       /* [dict.key] */
    store_release(&t->used, i + 1);    /* pairs with dict_next_entry() [dict.used] */
    t->tail = i + 1;
    dict_index_set(t, slot, i + 1);
}
size_t dict_table_bytes(const DictTable *t);
/* Gives up a table and what it refers to; or only the memory. */
void dict_table_give_up(Thread *th, bool shared, DictTable *t);
void dict_table_free(Thread *th, bool shared, DictTable *t);
/* An item that was absent when the table had `used` entries. */
typedef struct DictNewItem {
    uint32_t used;
    int64_t hash;
    Value key, value;    /* taken over if `done` */
    bool done;           /* it is in */
} DictNewItem;
/* Replaces `seen`, if it still is the dict's table, by one with room for `extra` more entries,
 * general if asked for; puts `item` (may be NULL) in if no entry was added since.  False:
 * MemoryError. */
RAISES bool dict_grow(Thread *th, Dict *d, DictTable *seen, size_t extra, bool general,
                      DictNewItem *item);

/* dict_get() with the hash known. */
Answer dict_lookup(Thread *th, Dict *d, Value key, int64_t hash, Value *out);
/* What dict_set() and dict_set_default() do.  With `keep`, a present value stays; `out` (may be
 * NULL) gets a new reference to what is there afterwards.  YES: the key was added. */
Answer dict_insert(Thread *th, Dict *d, Value STEALS key, int64_t hash, Value STEALS v, bool keep,
                   Value *out);
/* d[key] = d.get(key, 0) + 1 at once, if what is there is a small int; NO: it is something else. */
Answer dict_increment(Thread *th, Dict *d, Value key, int64_t hash);
/* d[key] = v with a key that dict_key_is_compact(). */
RAISES bool dict_set_compact(Thread *th, Value d, Value key, Value STEALS v);
/* n pairs of counted words, the keys dict_key_is_compact(), into a new dict with room for them. */
void dict_put_taken(Thread *th, Value d, const Value *pairs, size_t n);
/* Takes a key out: YES with its value in *out (new reference, if out is not NULL). */
Answer dict_remove(Thread *th, Dict *d, Value key, int64_t hash, Value *out);
/* The last item, removed: YES with new references, NO if the dict is empty. */
Answer dict_take_last(Thread *th, Dict *d, Value *key, Value *value);
/* dict_next() with the hash: new references; out pointers may be NULL. */
bool dict_next_entry(Thread *th, Dict *d, size_t *pos, Value *key, Value *value, int64_t *hash);
/* All live entries of one moment, counted: 2 words each, or 1 if only one of keys and values is
 * asked for.  NULL with MemoryError. */
RAISES ItemArray *dict_snapshot(Thread *th, Dict *d, bool keys, bool values, size_t *n);
RAISES Value dict_alloc(Thread *th, Type *type);
Answer dict_equal(Thread *th, Value a, Value b);

/* dict_views.c */
Answer dict_items_next_pair(Thread *th, Value it, Value *key, Value *v); /* of a DICT_ITEM_ITER */
BORROWED Dict *dict_of_view(Value view);
RAISES Value dict_view_new(Thread *th, Value dict, uint32_t shape);
/* The same for a type derived from dict_keys, dict_values or dict_items. */
RAISES Value dict_view_new_type(Thread *th, Value dict, Type *type);
RAISES Value dict_iter_new(Thread *th, Value dict, uint32_t shape);

/* The hash of a key of a compact table. */
int64_t dict_compact_hash(Value key);

static inline bool
dict_key_is_compact(Value key)
{
    return value_is_fixnum(key) ||
           (value_is_object(key) && object_shape(value_object(key)) == SHAPE_STR);
}

static inline int64_t
dict_entry_hash(const DictTable *t, const DictEntry *e, Value key)
{
    return t->stride == DICT_COMPACT ? dict_compact_hash(key)
                                     : load_relaxed(&e->hash); /* complete before the key shows */
}

/* The entry of `key` -- an exact str or an immediate int -- in a compact table: NULL if absent.
 * Runs no Python code. */
DictEntry *dict_compact_find(const DictTable *t, Value key, int64_t hash);

/* The same, in line; if it is absent, *slot is the free index slot for it. */
static inline DictEntry *
dict_compact_search(const DictTable *t, Value key, int64_t hash, size_t *slot)
{
    const void *index = dict_index(t);
    size_t mask = ((size_t)1 << t->log2_slots) - 1, at = (size_t)hash & mask, step = 0;
    for (;; at = (at + (step ? step : (step = dict_probe_step(hash)))) & mask) {
        uint32_t i = dict_index_get(t, index, at);
        if (i == 0) {
            *slot = at;
            return NULL;
        }
        DictEntry *e = (DictEntry *)(void *)((char *)(uintptr_t)t + sizeof(DictTable) +
                                             (i - 1) * (size_t)DICT_COMPACT);
        Value k = load_acquire(&e->key); /* pairs with dict_table_append() [dict.key] */
        if (k == key)
            return e;
        if (k != NULL && value_is_object(k) && value_is_object(key) &&
            load_relaxed(&as_str(k)->hash) == hash && str_equal(k, key))
            return e; /* a key in a table has its hash */
    }
}

/* Makes entry numbers of `d` (the builtins) last for ever. */
RAISES bool dict_make_stable(Thread *th, Value d);

#endif
