/* fast.h -- the common operations on containers, in line, for the evaluator.
 *
 * The peek functions return the raw word without taking a reference: the caller called
 * object_touch() on the container, is in a no_safepoint section, and then counts the word or
 * marks it borrowed.  NULL always means "not found, or not here: go the general way".
 */
#ifndef OBJECTS_CONTAINER_FAST_H
#define OBJECTS_CONTAINER_FAST_H

#include "objects/container/container.h"
#include "objects/container/dict_priv.h"
#include "objects/text/str.h"

/* A new set like `set`, with keys of these kinds added. */
RAISES Value set_with(Thread *th, Value set, const Value *items, size_t n);

/* Item i (not negative), or NULL when it is out of range. */
static inline Value
list_peek(Value list, int64_t i)
{
    List *l = as_list(list);
    int64_t n = load_acquire(&l->length);   /* pairs with list.c's stores [list.length] */
    if (UNLIKELY((uint64_t)i >= (uint64_t)n))
        return NULL;
    ItemArray *a = load_acquire(&l->array); /* pairs with list.c's stores [list.array] */
    if (UNLIKELY(a == NULL || i >= a->capacity))
        return NULL;
    return load_acquire(&a->items[i]);      /* pairs with list.c's stores [list.item] */
}

/* Appends `v` if there is room in the array, and then owns the reference. */
static inline bool
list_append_fast(Thread *th, Value list, Value v)
{
    List *l = as_list(list);
    bool held = object_touch_lock(th, &l->head);
    ItemArray *a = load_relaxed(&l->array);
    int64_t n = load_relaxed(&l->length);
    bool room = LIKELY(a != NULL && n < a->capacity);
    if (room) {
        store_release(&a->items[n], v);     /* pairs with list_peek() [list.item] */
        store_release(&l->length, n + 1);   /* pairs with list_peek() [list.length] */
    }
    object_unlock_by(th, &l->head, held);
    return room;
}

/* The method, for the evaluator to know it. */
Value list_append_method(Thread *th, Value self, Value v);
/* The rest of list_append_steal(): there was no room. */
RAISES bool list_append_slow(Thread *th, Value list, Value STEALS v);

/* Puts `v` in place of item i (negative: from the end) if there is one; then owns the reference. */
static inline bool
list_store_fast(Thread *th, Value list, int64_t i, Value v)
{
    List *l = as_list(list);
    bool held = object_touch_lock(th, &l->head);
    ItemArray *a = load_relaxed(&l->array);
    int64_t n = load_relaxed(&l->length);
    if (UNLIKELY(i < 0))
        i += n;
    if (UNLIKELY((uint64_t)i >= (uint64_t)n)) {
        object_unlock_by(th, &l->head, held);
        return false;
    }
    Value old = load_relaxed(&a->items[i]);
    store_release(&a->items[i], v);         /* pairs with list_peek() [list.item] */
    bool shared = (object_bits(&l->head) & BIT_SHARED) != 0;
    object_unlock_by(th, &l->head, held);
    drop_from(th, shared, old);
    return true;
}

/* Item i of a tuple (i may be out of range or negative). */
static inline Value
tuple_peek(Value t, int64_t i)
{
    return LIKELY((uint64_t)i < (uint64_t)tuple_length(t)) ? tuple_item(t, i) : NULL;
}

/* The value under `key`, an exact str. */
static inline Value
dict_peek_str(Value dict, Value key)
{
    DictTable *t = dict_table((Dict *)(void *)value_object(dict));
    if (UNLIKELY(t->stride != DICT_COMPACT))
        return NULL;
    int64_t hash = load_relaxed(&as_str(key)->hash); /* a cache: every thread computes the same */
    if (UNLIKELY(hash == 0))
        hash = str_hash(key);
    const void *index = dict_index(t);
    size_t mask = ((size_t)1 << t->log2_slots) - 1, slot = (size_t)hash & mask;
    uint32_t i = dict_index_get(t, index, slot);
    if (i == 0)
        return NULL;
    DictEntry *e = dict_entry(t, i - 1);
    if (UNLIKELY(load_acquire(&e->key) != key)) { /* [dict.key] */
        e = dict_compact_find(t, key, hash);
        if (e == NULL)
            return NULL;
    }
    return load_acquire(&e->value); /* [dict.value] */
}

/* The value under `key`, an immediate int. */
static inline Value
dict_peek_int(Value dict, Value key)
{
    DictTable *t = dict_table((Dict *)(void *)value_object(dict));
    int64_t hash = value_fixnum(key);
    if (UNLIKELY(t->stride != DICT_COMPACT || hash < 0 || hash >= ((int64_t)1 << 61) - 1))
        return NULL;
    const void *index = dict_index(t);
    size_t mask = ((size_t)1 << t->log2_slots) - 1, slot = (size_t)hash & mask;
    uint32_t i = dict_index_get(t, index, slot);
    if (i == 0)
        return NULL;
    DictEntry *e = dict_entry(t, i - 1);
    if (UNLIKELY(load_acquire(&e->key) != key)) { /* [dict.key] */
        e = dict_compact_find(t, key, hash);
        if (e == NULL)
            return NULL;
    }
    return load_acquire(&e->value); /* [dict.value] */
}

/* What a loop over pairs takes from the iterator of a dict's items(), from zip() of two and from
 * enumerate(), without the tuple: YES with new references, NO at the end. */
bool iter_gives_pairs(Value it);
Answer iter_next_pair(Thread *th, Value it, Value *first, Value *second);

/* Whether th may read the items of `o`, an object that a private iterator of its own walks over; *counted:
 * what it reads must be counted (reg_word()).  False: object_touch() comes first. */
static inline bool
iter_may_read(Thread *th, const Object *o, bool *counted)
{
    uint32_t word = object_owner_word(o) & (OWNER_WORD_OWNER | OWNER_WORD_SHARED);
    *counted = LIKELY(word == th->id);
    return *counted || (word & OWNER_WORD_SHARED);
}

/* One step of a list's iterator.  The raw word, or NULL where the general way must be gone.  The field is
 * looked at in the section: an iterator of another thread may give the list up at any moment, and nothing
 * keeps it then. */
static inline Value
list_iter_peek(Thread *th, ListIter *it, bool *counted)
{
    if (UNLIKELY(!iter_step_begin(th, &it->head)))
        return NULL;
    Value list = field_peek(&it->list), v = NULL;
    if (LIKELY(list != NULL) && LIKELY(iter_may_read(th, value_object(list), counted))) {
        int64_t i = load_relaxed(&it->index);
        v = list_peek(list, i); /* -1: none */
        if (LIKELY(v != NULL))
            store_relaxed(&it->index, i + 1);
    }
    object_section_end(th);
    return v;
}

/* The same for a tuple's iterator. */
static inline Value
tuple_iter_peek(Thread *th, TupleIter *it, bool *counted)
{
    if (UNLIKELY(!iter_step_begin(th, &it->head)))
        return NULL;
    Value tuple = field_peek(&it->tuple), v = NULL;
    if (LIKELY(tuple != NULL) && LIKELY(iter_may_read(th, value_object(tuple), counted))) {
        int64_t i = load_relaxed(&it->index);
        v = tuple_peek(tuple, i);
        if (LIKELY(v != NULL))
            store_relaxed(&it->index, i + 1);
    }
    object_section_end(th);
    return v;
}

#endif
