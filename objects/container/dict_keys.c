/* dict_keys.c -- tables of dicts: layout, probing, lookup without a lock, growth, guards.
 *
 * The rules T1 to T4 and the meaning of guards are in dict_priv.h.  Nothing here except
 * dict_lookup() runs Python code.
 */
#include "objects/container/container_priv.h"
#include "objects/container/dict_priv.h"

DictEmptyTable dict_empty_table = {
    .table = {.stride = DICT_COMPACT, .index_width = 1, .log2_slots = 0}};

#define DICT_MAX_ENTRIES ((size_t)1 << 31)

/* -- making and freeing tables -- */

/* How many entries a table with that many slots may have: two thirds. */
static size_t
slots_usable(size_t slots)
{
    return slots * 2 / 3;
}

static uint32_t
stamp_new(Thread *th)
{
    static _Thread_local uint32_t count;
    return ++count * 2654435761u + th->id;
}

size_t
dict_table_bytes(const DictTable *t)
{
    return sizeof(DictTable) + (size_t)t->capacity * t->stride +
           ((size_t)t->index_width << t->log2_slots);
}

DictTable *
dict_table_new(Thread *th, size_t entries, unsigned stride)
{
    if (UNLIKELY(entries > DICT_MAX_ENTRIES))
        return raise_memory(th);
    unsigned log2 = 3;
    if (entries > 5) /* the smallest that may do */
        log2 = 64 - (unsigned)__builtin_clzll((entries * 3 - 1) / 2);
    if (slots_usable((size_t)1 << log2) < entries)
        log2++;
    size_t slots = (size_t)1 << log2, capacity = slots_usable(slots);
    unsigned width = log2 <= 8 ? 1 : log2 <= 16 ? 2 : 4;
    DictTable *t = small_buffer_new(th, sizeof(DictTable) + capacity * stride + slots * width);
    if (UNLIKELY(t == NULL))
        return NULL;
    plain_store(&t->guard, 0); /* plain: not published yet */
    plain_store(&t->used, 0);
    t->capacity = (uint32_t)capacity;
    t->tail = 0;
    t->stamp = stamp_new(th);
    t->log2_slots = (uint8_t)log2;
    t->index_width = (uint8_t)width;
    t->stride = (uint8_t)stride;
    plain_store(&t->flags, 0);
    void *index = (void *)(uintptr_t)dict_index(t);
    if (LIKELY(log2 == 3))
        memset(index, 0, 8);
    else
        memset(index, 0, slots * width);
    return t;
}

void
dict_table_renew(Thread *th, DictTable *t)
{
    plain_store(&t->guard, 0); /* plain: not published yet */
    plain_store(&t->flags, 0);
    t->stamp = stamp_new(th);
}

void
dict_table_free(Thread *th, bool shared, DictTable *t)
{
    if (t == DICT_EMPTY)
        return;
    if (UNLIKELY(shared))
        retire_buffer(th, t, dict_table_bytes(t));
    else
        small_buffer_free(th, t, dict_table_bytes(t));
}

static void
table_dispose(Thread *th, void *p)
{
    DictTable *t = p;
    for (size_t i = 0, n = plain_load(&t->used); i < n; i++) { /* plain: nobody else has it */
        DictEntry *e = dict_entry(t, i);
        Value k = plain_load(&e->key), v = plain_load(&e->value);
        if (k != NULL)
            drop_item(th, k);
        if (v != NULL)
            drop_item(th, v);
    }
    small_buffer_free(th, t, dict_table_bytes(t));
}

void
dict_table_give_up(Thread *th, bool shared, DictTable *t)
{
    if (t == DICT_EMPTY)
        return;
    if (UNLIKELY(shared))
        retire_memory(th, t, dict_table_bytes(t), table_dispose);
    else
        table_dispose(th, t);
}

/* -- probing -- */

int64_t
dict_compact_hash(Value key)
{
    return value_is_fixnum(key) ? fixnum_hash(key) : str_hash_fast(key);
}

DictEntry *
dict_compact_find(const DictTable *t, Value key, int64_t hash)
{
    size_t slot;
    return dict_compact_search(t, key, hash, &slot);
}

int
dict_probe_run(DictProbe *p, Value key)
{
    const DictTable *t = p->table;
    const void *index = dict_index(t);
    size_t mask = ((size_t)1 << t->log2_slots) - 1, slot = p->slot & mask;
    int64_t hash = p->hash;
    size_t step = p->step;
    int result;
    for (;; slot = (slot + (step ? step : (step = dict_probe_step(hash)))) & mask) {
        uint32_t i = dict_index_get(t, index, slot);
        if (i == 0) {
            result = PROBE_ABSENT;
            break;
        }
        DictEntry *e = dict_entry(t, i - 1);
        Value k = load_acquire(&e->key); /* pairs with dict_table_append() [dict.key] */
        if (k == NULL)
            continue;
        if (k != key) {
            if (dict_entry_hash(t, e, k) != hash)
                continue;
            Answer equal = quick_equal(k, key);
            if (equal == NO)
                continue;
            if (equal == FAILED) {
                p->entry = e;
                p->key = k;
                result = PROBE_COMPARE;
                break;
            }
        }
        p->entry = e;
        p->key = k;
        result = PROBE_FOUND;
        break;
    }
    p->slot = slot;
    p->step = step;
    return result;
}

Answer
dict_lookup(Thread *th, Dict *d, Value key, int64_t hash, Value *out)
{
    object_touch(th, &d->head);
    DictProbe p;
    for (;;) {
        DictTable *t = dict_table(d);
        if (LIKELY(t->stride == DICT_COMPACT && dict_key_is_compact(key))) {
            size_t slot;
            DictEntry *e = dict_compact_search(t, key, hash, &slot);
            Value v = e ? load_acquire(&e->value) : NULL; /* [dict.value] */
            *out = retain_null(th, v);
            return v ? YES : NO;
        }
        dict_probe_start(&p, t, hash);
        for (;;) {
            int r = dict_probe_run(&p, key);
            if (r == PROBE_ABSENT) {
                *out = NULL;
                return NO;
            }
            if (r == PROBE_FOUND) {
                Value v = load_acquire(&p.entry->value); /* NULL: deleted since [dict.value] */
                *out = retain_null(th, v);
                return v ? YES : NO;
            }
            Value k = retain(th, p.key); /* no safepoint since it was read */
            Answer equal = compare_answer(th, k, key, OP_EQ);
            drop(th, k);
            if (equal == FAILED) {
                *out = NULL;
                return FAILED;
            }
            if (!dict_probe_valid(d, &p))
                break;
            if (equal == YES) {
                Value v = load_acquire(&p.entry->value); /* [dict.value] */
                if (v == NULL)
                    break;
                *out = retain(th, v);
                return YES;
            }
            dict_probe_next(&p);
        }
    }
}

Answer
dict_get(Thread *th, Value d, Value key, Value *out)
{
    int64_t hash;
    *out = NULL;
    if (!value_hash(th, key, &hash))
        return FAILED;
    return dict_lookup(th, (Dict *)(void *)value_object(d), key, hash, out);
}

Answer
dict_get_name(Thread *th, Value dict, Value key, Value *out)
{
    Dict *d = (Dict *)(void *)value_object(dict);
    int64_t hash = str_hash_fast(key);
    object_touch(th, &d->head);
    DictTable *t = dict_table(d);
    if (LIKELY(t->stride == DICT_COMPACT)) {
        DictEntry *e = dict_compact_find(t, key, hash);
        *out = e ? retain_null(th, load_acquire(&e->value)) : NULL; /* [dict.value] */
        return *out ? YES : NO;
    }
    return dict_lookup(th, d, key, hash, out);
}

Value
dict_get_str(Thread *th, Value dict, Value key)
{
    Value v;
    if (UNLIKELY(dict_get_name(th, dict, key, &v) == FAILED))
        error_clear(th);
    return v;
}

Answer
dict_get_str_quiet(Thread *th, Value dict, Value key, Value *out)
{
    Dict *d = (Dict *)(void *)value_object(dict);
    object_touch(th, &d->head);
    DictTable *t = dict_table(d);
    int64_t hash = str_hash_fast(key);
    if (LIKELY(t->stride == DICT_COMPACT)) {
        DictEntry *e = dict_compact_find(t, key, hash);
        *out = e ? retain_null(th, load_acquire(&e->value)) : NULL; /* [dict.value] */
        return *out ? YES : NO;
    }
    DictProbe p;
    dict_probe_start(&p, t, hash);
    *out = NULL;
    switch (dict_probe_run(&p, key)) {
    case PROBE_ABSENT: return NO;
    case PROBE_COMPARE: return FAILED;
    default: break;
    }
    *out = retain_null(th, load_acquire(&p.entry->value)); /* NULL: deleted since [dict.value] */
    return *out ? YES : NO;
}

/* -- adding entries, growing -- */

/* The first free slot for a hash in an unpublished table. */
static inline size_t
free_slot(const DictTable *t, int64_t hash)
{
    const void *index = dict_index(t);
    size_t mask = ((size_t)1 << t->log2_slots) - 1, slot = (size_t)hash & mask;
    if (dict_index_get(t, index, slot) != 0) {
        size_t step = dict_probe_step(hash);
        do
            slot = (slot + step) & mask;
        while (dict_index_get(t, index, slot) != 0);
    }
    return slot;
}

void
dict_table_reindex(DictTable *t)
{
    for (uint32_t i = 0, n = plain_load(&t->used); i < n; i++) { /* plain: unpublished */
        DictEntry *e = dict_entry(t, i);
        Value k = plain_load(&e->key);
        if (k == NULL)
            continue;
        dict_index_set(t, free_slot(t, dict_entry_hash(t, e, k)), i + 1);
    }
}

/* Copies entries of `from` (under the lock) to the unpublished `to`: all of them if the table is
 * stable, else the live ones. */
static void
table_copy_entries(DictTable *to, const DictTable *from)
{
    uint32_t n = load_relaxed(&from->used), put = 0;
    bool stable = (load_relaxed(&from->flags) & DICT_STABLE) != 0;
    for (uint32_t i = 0; i < n; i++) {
        DictEntry *e = dict_entry(from, i), *f = dict_entry(to, put);
        Value k = load_relaxed(&e->key);
        if (k == NULL && !stable)
            continue;
        plain_store(&f->key, k); /* plain: unpublished */
        plain_store(&f->value, load_relaxed(&e->value));
        if (to->stride == DICT_GENERAL)
            plain_store(&f->hash, k ? dict_entry_hash(from, e, k) : 0);
        put++;
    }
    plain_store(&to->used, put);
    to->tail = put;
    plain_store(&to->flags, stable ? DICT_STABLE : 0);
}

bool
dict_grow(Thread *th, Dict *d, DictTable *seen, size_t extra, bool general, DictNewItem *item)
{
    size_t live = (size_t)load_acquire(&d->length); /* [dict.length] */
    bool stable = (load_relaxed(&seen->flags) & DICT_STABLE) != 0;
    uint32_t stamp = seen->stamp;
    size_t need = stable ? (size_t)load_acquire(&seen->used) * 2 : live * 2; /* [dict.used] */
    if (need < live + extra)
        need = live + extra;
    general = general || seen->stride == DICT_GENERAL;
    DictTable *t = dict_table_new(th, need, general ? DICT_GENERAL : DICT_COMPACT);
    if (t == NULL)
        return false;
    bool held = object_lock(&d->head);
    size_t entries = stable ? load_relaxed(&seen->used) : (size_t)load_relaxed(&d->length);
    if (UNLIKELY(load_relaxed(&d->table) != seen || seen->stamp != stamp ||
                 entries > t->capacity)) {
        object_unlock(&d->head, held);
        buffer_free(t);
        return true; /* somebody else replaced it: the caller looks again */
    }
    table_copy_entries(t, seen);
    dict_table_reindex(t);
    if (item != NULL && load_relaxed(&seen->used) == item->used &&
        plain_load(&t->used) < t->capacity) {
        dict_table_append(t, free_slot(t, item->hash), item->hash, item->key, item->value);
        store_release(&d->length, load_relaxed(&d->length) + 1); /* [dict.length] */
        item->done = true;
    }
    store_release(&d->table, t); /* release: pairs with dict_table() [dict.table] */
    bool shared = object_shared(&d->head);
    object_unlock(&d->head, held);
    dict_table_free(th, shared, seen);
    return true;
}

/* -- guards -- */

/* The guard of a table, made if there is none. */
static uint32_t
table_guard_locked(DictTable *t)
{
    uint32_t guard = load_relaxed(&t->guard);
    if (guard == 0) {
        guard = guard_new();
        store_release(&t->guard, guard); /* [dict.guard] */
    }
    return guard;
}

uint32_t
dict_guard(Thread *th, Value dict)
{
    Dict *d = (Dict *)(void *)value_object(dict);
    object_touch(th, &d->head);
    uint32_t guard = 0;
    bool held = object_lock(&d->head);
    DictTable *t = load_relaxed(&d->table);
    if (t != DICT_EMPTY) {
        guard = table_guard_locked(t);
        if (guard != 0)
            store_relaxed(&t->flags, load_relaxed(&t->flags) | DICT_ABSENCE);
    }
    object_unlock(&d->head, held);
    return guard;
}

int64_t
dict_entry_index(Thread *th, Value dict, Value key, uint32_t *guard)
{
    Dict *d = (Dict *)(void *)value_object(dict);
    object_touch(th, &d->head);
    int64_t hash = str_hash_fast(key), found = -1;
    DictProbe p;
    *guard = 0;
    bool held = object_lock(&d->head);
    DictTable *t = load_relaxed(&d->table);
    dict_probe_start(&p, t, hash);
    if (dict_probe_run(&p, key) == PROBE_FOUND) {
        *guard = table_guard_locked(t);
        found = ((char *)p.entry - (char *)dict_entry(t, 0)) / t->stride;
    }
    object_unlock(&d->head, held);
    return found;
}

bool
dict_make_stable(Thread *th, Value dict)
{
    Dict *d = (Dict *)(void *)value_object(dict);
    object_touch(th, &d->head);
    for (;;) {
        bool held = object_lock(&d->head);
        DictTable *t = load_relaxed(&d->table);
        bool ours = t != DICT_EMPTY;
        if (ours)
            store_relaxed(&t->flags, load_relaxed(&t->flags) | DICT_STABLE);
        object_unlock(&d->head, held);
        if (ours)
            return true;
        if (!dict_grow(th, d, t, 8, false, NULL))
            return false;
    }
}
