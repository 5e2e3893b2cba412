/* set.c -- set and frozenset: tables, lookup, insertion, the types.
 *
 * Readers take no lock; writers hold the set's object lock and leave it for comparisons in
 * Python (set_priv.h).  A frozenset is filled before it is published and does not change.
 */
#include "objects/container/dict_priv.h"
#include "gc/holds.h"
#include "objects/container/fast.h"
#include "objects/container/set_priv.h"

union SetEmpty set_empty_table;
struct Object set_deleted_key __attribute__((aligned(16))) = STATIC_OBJECT(SHAPE_OBJECT);

#define SET_MAX_ENTRIES ((size_t)1 << 30)

/* -- tables -- */

/* How many slots may be used: three fifths. */
static size_t
table_limit(const SetTable *t)
{
    return t->log2 == 0 ? 0 : set_slots(t) * 3 / 5;
}

static size_t
table_bytes(const SetTable *t)
{
    return sizeof(SetTable) + set_slots(t) * sizeof(SetSlot);
}

static uint32_t
stamp_new(Thread *th)
{
    static _Thread_local uint32_t count;
    return ++count * 2654435761u + th->id;
}

RAISES static SetTable *
table_new(Thread *th, size_t entries)
{
    if (UNLIKELY(entries > SET_MAX_ENTRIES))
        return raise_memory(th);
    uint32_t log2 = 3;
    while (((size_t)1 << log2) * 3 / 5 < entries)
        log2++;
    size_t bytes = sizeof(SetTable) + sizeof(SetSlot) * ((size_t)1 << log2);
    SetTable *t;
    if (LIKELY(bytes <= SMALL_BUFFER_MAX)) {
        t = small_buffer_new(th, bytes);
        if (UNLIKELY(t == NULL))
            return NULL;
        if (LIKELY(log2 == 3)) /* a size the compiler knows */
            memset((void *)t, 0, sizeof(SetTable) + 8 * sizeof(SetSlot));
        else
            memset((void *)t, 0, bytes);
    } else {
        t = buffer_new_zeroed(th, bytes);
        if (UNLIKELY(t == NULL))
            return NULL;
    }
    t->stamp = stamp_new(th);
    t->log2 = log2;
    return t;
}

static void
table_free(Thread *th, bool shared, SetTable *t)
{
    if (t == SET_EMPTY)
        return;
    if (UNLIKELY(shared))
        retire_buffer(th, t, table_bytes(t));
    else
        small_buffer_free(th, t, table_bytes(t));
}

static void
table_dispose(Thread *th, void *p)
{
    SetTable *t = p;
    size_t left = plain_load(&t->used); /* plain: nobody else has it */
    for (size_t i = 0; left != 0; i++) {
        Value k = plain_load(&t->slots[i].key);
        if (k == NULL)
            continue;
        left--;
        if (value_is_object(k) && k != SET_DELETED)
            object_drop(th, value_object(k));
    }
    small_buffer_free(th, t, table_bytes(t));
}

static void
table_give_up(Thread *th, bool shared, SetTable *t)
{
    if (t == SET_EMPTY || t == NULL)
        return;
    if (UNLIKELY(shared))
        retire_memory(th, t, table_bytes(t), table_dispose);
    else
        table_dispose(th, t);
}

static inline size_t
probe_step(int64_t hash)
{
    return (size_t)(((uint64_t)hash * 0x9e3779b97f4a7c15u) >> 32) | 1;
}

/* Puts a key that is not there into an unpublished table; takes the reference over. */
static void
table_put_new(SetTable *t, Value key, int64_t hash)
{
    size_t mask = set_slots(t) - 1, slot = (size_t)hash & mask;
    if (plain_load(&t->slots[slot].key) != NULL) { /* plain: unpublished */
        size_t step = probe_step(hash);
        do
            slot = (slot + step) & mask;
        while (plain_load(&t->slots[slot].key) != NULL);
    }
    plain_store(&t->slots[slot].hash, hash);
    plain_store(&t->slots[slot].key, key);
    plain_store(&t->used, plain_load(&t->used) + 1);
}

/* Copies the keys of `from` (under the lock) to the unpublished `to`; counts them if asked. */
static void
table_copy(Thread *th, SetTable *to, const SetTable *from, bool count, size_t length)
{
    uint32_t used = load_relaxed(&from->used);
    if (to->log2 == from->log2 && used == length) { /* nothing was deleted */
        size_t n = set_slots(from);
        memcpy((void *)to->slots, (const void *)from->slots, n * sizeof(SetSlot));
        plain_store(&to->used, used); /* plain: unpublished */
        for (size_t i = 0; count && i < n; i++) {
            Value k = plain_load(&to->slots[i].key);
            if (k != NULL && value_is_object(k))
                object_retain(th, value_object(k));
        }
        return;
    }
    for (size_t i = 0, n = set_slots(from); i < n; i++) {
        Value k = load_relaxed(&from->slots[i].key);
        if (k == NULL || k == SET_DELETED)
            continue;
        table_put_new(to, count ? retain(th, k) : k, load_relaxed(&from->slots[i].hash));
    }
}

/* -- probing -- */

typedef struct SetProbe {
    SetTable *table;
    uint32_t stamp;
    int64_t hash;
    size_t slot, step;
    size_t deleted; /* the first deleted slot on the way, plus 1; 0: none */
    Value key;      /* the word to be compared, or found */
} SetProbe;

static inline void
probe_start(SetProbe *p, SetTable *t, int64_t hash)
{
    p->table = t;
    p->stamp = t->stamp;
    p->hash = hash;
    p->slot = (size_t)hash;
    p->step = 0; /* computed when the first slot is taken */
    p->deleted = 0;
}

static inline int
probe_run(SetProbe *p, Value key)
{
    const SetTable *t = p->table;
    size_t mask = set_slots(t) - 1, slot = p->slot & mask, step = p->step;
    int result;
    for (;; slot = (slot + (step ? step : (step = probe_step(p->hash)))) & mask) {
        const SetSlot *s = &t->slots[slot];
        Value k = load_acquire(&s->key); /* pairs with set_insert() [set.key] */
        if (k == NULL) {
            result = PROBE_ABSENT;
            break;
        }
        if (k != key) {
            /* The hash was complete before the key showed and does not change while the set is shared. */
            if (k == SET_DELETED) {
                if (p->deleted == 0)
                    p->deleted = slot + 1;
                continue;
            }
            if (load_relaxed(&s->hash) != p->hash)
                continue;
            Answer equal = quick_equal(k, key);
            if (equal == NO)
                continue;
            if (equal == FAILED) {
                p->key = k;
                result = PROBE_COMPARE;
                break;
            }
        }
        p->key = k;
        result = PROBE_FOUND;
        break;
    }
    p->slot = slot;
    p->step = step;
    return result;
}

static inline bool
probe_valid(const Set *s, const SetProbe *p)
{
    return set_table(s) == p->table && p->table->stamp == p->stamp;
}

Answer
set_lookup(Thread *th, Set *s, Value key, int64_t hash)
{
    object_touch(th, &s->head);
    SetProbe p;
    for (;;) {
        probe_start(&p, set_table(s), hash);
        for (;;) {
            int r = probe_run(&p, key);
            if (LIKELY(r != PROBE_COMPARE))
                return r == PROBE_FOUND ? YES : NO;
            Value k = retain(th, p.key); /* no safepoint since it was read */
            Answer equal = compare_answer(th, k, key, OP_EQ);
            bool valid = probe_valid(s, &p);
            bool same = valid && load_relaxed(&p.table->slots[p.slot].key) == k;
            drop(th, k);
            if (equal == FAILED || (equal == YES && same))
                return equal;
            if (!valid || equal == YES)
                break;
            p.slot += probe_step(hash);
        }
    }
}

/* Searches with the lock held at the end (PROBE_FOUND, PROBE_ABSENT); -1: exception, no lock. */
static int
set_search_locked(Thread *th, Set *s, SetProbe *p, Value key, int64_t hash, bool *held)
{
    object_touch(th, &s->head);
    for (;;) {
        probe_start(p, set_table(s), hash);
        *held = object_lock(&s->head);
        for (;;) {
            if (UNLIKELY(!probe_valid(s, p)))
                break;
            int r = probe_run(p, key);
            if (LIKELY(r != PROBE_COMPARE))
                return r;
            Value k = retain(th, p->key);
            object_unlock(&s->head, *held);
            Answer equal = compare_answer(th, k, key, OP_EQ);
            drop(th, k); /* the word is only compared from here on */
            if (equal == FAILED)
                return -1;
            *held = object_lock(&s->head);
            if (equal == YES) {
                if (probe_valid(s, p) && load_relaxed(&p->table->slots[p->slot].key) == k)
                    return PROBE_FOUND;
                break; /* it was removed meanwhile: from the beginning */
            }
            p->slot += probe_step(hash);
        }
        object_unlock(&s->head, *held);
    }
}

/* Replaces the table `seen`, if it still is the set's, by one with room for `extra` more. */
RAISES static bool
set_grow(Thread *th, Set *s, SetTable *seen, size_t extra)
{
    size_t live = (size_t)load_acquire(&s->length); /* [set.length] */
    uint32_t stamp = seen->stamp;
    size_t need = live < 50000 ? live * 4 : live * 2;
    SetTable *t = table_new(th, need > live + extra ? need : live + extra);
    if (t == NULL)
        return false;
    bool held = object_lock(&s->head);
    if (UNLIKELY(load_relaxed(&s->table) != seen || seen->stamp != stamp ||
                 (size_t)load_relaxed(&s->length) > table_limit(t))) {
        object_unlock(&s->head, held);
        buffer_free(t);
        return true; /* the caller looks again */
    }
    table_copy(th, t, seen, false, (size_t)load_relaxed(&s->length));
    store_release(&s->table, t); /* release: pairs with set_table() [set.table] */
    bool shared = object_shared(&s->head);
    object_unlock(&s->head, held);
    table_free(th, shared, seen);
    return true;
}

/* Gives a free slot to a key; takes the reference over. */
static inline void
slot_fill_locked(Set *s, SetTable *t, SetSlot *slot, Value key, int64_t hash, uint32_t used)
{
    store_relaxed(&slot->hash, hash); /* the key's release publishes it */
    store_release(&slot->key, key);   /* pairs with probe_run() [set.key] */
    store_relaxed(&t->used, used + 1);
    store_release(&s->length, load_relaxed(&s->length) + 1); /* [set.length] */
}

/* Gives a key the place that a search has found absent, with the lock held: whether there was room.  Takes
 * the reference over. */
static inline bool
set_place_locked(Thread *th, Set *s, const SetProbe *p, Value key)
{
    SetTable *t = p->table;
    uint32_t used = load_relaxed(&t->used);
    size_t slot = p->slot;
    if (UNLIKELY(p->deleted != 0) && !object_shared(&s->head)) {
        /* Nobody else looks; who was interrupted by a comparison sees the new stamp. */
        t->stamp = stamp_new(th);
        slot = p->deleted - 1;
        used--;
    } else if (UNLIKELY(used >= table_limit(t))) {
        return false;
    }
    slot_fill_locked(s, t, &t->slots[slot], key, p->hash, used);
    return true;
}

Answer
set_insert(Thread *th, Set *s, Value key, int64_t hash)
{
    /* Most of the time the first slot decides, nearly always no comparison in Python is needed. */
    bool held = object_touch_lock(th, &s->head);
    SetTable *t = load_relaxed(&s->table);
    SetSlot *at = &t->slots[(size_t)hash & (set_slots(t) - 1)];
    uint32_t used = load_relaxed(&t->used);
    if (LIKELY(load_relaxed(&at->key) == NULL && used < table_limit(t))) {
        slot_fill_locked(s, t, at, key, hash, used);
        object_unlock(&s->head, held);
        return YES;
    }
    SetProbe p;
    probe_start(&p, t, hash);
    int r = probe_run(&p, key);
    bool placed = r == PROBE_ABSENT && set_place_locked(th, s, &p, key);
    object_unlock(&s->head, held);
    if (LIKELY(placed))
        return YES;
    for (;;) {
        if (r == PROBE_FOUND) {
            drop(th, key);
            return NO;
        }
        if (r == PROBE_ABSENT && !set_grow(th, s, p.table, 1))
            break;
        r = set_search_locked(th, s, &p, key, hash, &held);
        if (UNLIKELY(r < 0))
            break;
        placed = r == PROBE_ABSENT && set_place_locked(th, s, &p, key);
        object_unlock(&s->head, held);
        if (placed)
            return YES;
    }
    drop(th, key);
    return FAILED;
}

Answer
set_remove_key(Thread *th, Set *s, Value key, int64_t hash)
{
    SetProbe p;
    bool held;
    int r = set_search_locked(th, s, &p, key, hash, &held);
    if (r < 0)
        return FAILED;
    Value old = NULL;
    if (r == PROBE_FOUND) {
        old = p.key;
        store_release(&p.table->slots[p.slot].key, SET_DELETED); /* [set.key] */
        store_release(&s->length, load_relaxed(&s->length) - 1); /* [set.length] */
    }
    bool shared = object_shared(&s->head);
    object_unlock(&s->head, held);
    drop_from(th, shared, old);
    return r == PROBE_FOUND ? YES : NO;
}

void
set_clear_items(Thread *th, Set *s)
{
    bool held = object_touch_lock(th, &s->head);
    SetTable *t = load_relaxed(&s->table);
    store_release(&s->length, 0);        /* [set.length] */
    store_release(&s->table, SET_EMPTY); /* [set.table] */
    bool shared = object_shared(&s->head);
    object_unlock(&s->head, held);
    table_give_up(th, shared, t);
}

/* Puts a key that is not there into an unpublished set. */
RAISES static bool
set_put_new(Thread *th, Set *s, Value STEALS key, int64_t hash)
{
    SetTable *t = plain_load(&s->table); /* plain: unpublished */
    if (UNLIKELY(plain_load(&t->used) >= table_limit(t))) {
        if (!set_grow(th, s, t, 1)) {
            drop(th, key);
            return false;
        }
        t = plain_load(&s->table);
    }
    table_put_new(t, key, hash);
    plain_store(&s->length, plain_load(&s->length) + 1);
    return true;
}

bool
set_select(Thread *th, Set *from, Set *filter, bool inside, Value result)
{
    object_touch(th, &from->head);
    object_touch(th, &filter->head);
    SetTable *t = set_table(from);
    bool compared = false;
    for (size_t i = 0; i < set_slots(t); i++) {
        Value key = load_acquire(&t->slots[i].key); /* [set.key] */
        if (key == NULL || key == SET_DELETED)
            continue;
        /* A key may come twice if somebody takes it out and puts it in again behind us.  Who does
         * that marked `from` as shared before, which is seen here once the key is. */
        bool unique = !compared && !object_shared(&from->head);
        int64_t hash = load_relaxed(&t->slots[i].hash);
        SetProbe p;
        probe_start(&p, set_table(filter), hash);
        int r = probe_run(&p, key);
        bool found = r == PROBE_FOUND;
        if (LIKELY(r != PROBE_COMPARE)) {
            if (found != inside)
                continue;
            retain(th, key);
            if (!(unique ? set_put_new(th, as_set(result), key, hash)
                         : set_insert(th, as_set(result), key, hash) != FAILED))
                return false;
            if (!unique)
                t = set_table(from);
            continue;
        }
        retain(th, key); /* no safepoint since it was read */
        Answer answer = set_lookup(th, filter, key, hash);
        if (answer != FAILED && (answer == YES) == inside &&
            set_insert(th, as_set(result), retain(th, key), hash) == FAILED)
            answer = FAILED;
        drop(th, key);
        if (answer == FAILED)
            return false;
        t = set_table(from);
        compared = true;
    }
    return true;
}

bool
set_next_entry(Thread *th, Set *s, size_t *pos, Value *key, int64_t *hash)
{
    object_touch(th, &s->head);
    SetTable *t = set_table(s);
    for (size_t i = *pos, n = set_slots(t); i < n; i++) {
        Value k = load_acquire(&t->slots[i].key); /* [set.key] */
        if (k == NULL || k == SET_DELETED)
            continue;
        *pos = i + 1;
        *key = retain(th, k);
        if (hash != NULL)
            *hash = load_relaxed(&t->slots[i].hash);
        return true;
    }
    *pos = SIZE_MAX;
    return false;
}

static SetMark
set_mark_locked(const Set *s)
{
    SetTable *t = load_relaxed(&s->table);
    return (SetMark){t, t->stamp, load_relaxed(&t->used), load_relaxed(&s->length)};
}

SetMark
set_mark(Thread *th, Set *s)
{
    bool held = object_touch_lock(th, &s->head);
    SetMark mark = set_mark_locked(s);
    object_unlock(&s->head, held);
    return mark;
}

bool
set_take_over(Thread *th, Set *s, Value other, const SetMark *mark)
{
    Set *o = as_set(other);
    bool held = object_touch_lock(th, &s->head);
    SetMark now = set_mark_locked(s);
    bool same = !object_shared(&s->head) || /* nobody else has changed it */
                (now.table == mark->table && now.stamp == mark->stamp && now.used == mark->used &&
                 now.length == mark->length);
    if (same) {
        store_release(&s->table, plain_load(&o->table));   /* plain: unpublished [set.table] */
        store_release(&s->length, plain_load(&o->length)); /* [set.length] */
        plain_store(&o->table, SET_EMPTY);
        plain_store(&o->length, 0);
    }
    bool shared = object_shared(&s->head);
    object_unlock(&s->head, held);
    if (same)
        table_give_up(th, shared, now.table);
    drop(th, other);
    return same;
}

ItemArray *
set_snapshot(Thread *th, Value set, size_t *n)
{
    Set *s = as_set(set);
    bool frozen = is_frozenset(set); /* nobody changes it, so it is not locked */
    object_touch(th, &s->head);
    for (;;) {
        size_t length = (size_t)load_acquire(&s->length); /* [set.length] */
        ItemArray *a = item_array_new(th, length);
        if (a == NULL)
            return NULL;
        bool held = !frozen && object_lock(&s->head);
        bool same = (size_t)load_relaxed(&s->length) == length;
        SetTable *t = load_relaxed(&s->table);
        size_t put = 0;
        for (size_t i = 0, slots = set_slots(t); same && i < slots; i++) {
            Value k = load_relaxed(&t->slots[i].key);
            if (k != NULL && k != SET_DELETED)
                plain_store(&a->items[put++], retain(th, k)); /* plain: ours alone */
        }
        if (!frozen)
            object_unlock(&s->head, held);
        if (LIKELY(same)) {
            *n = length;
            return a;
        }
        buffer_free(a);
    }
}

/* -- making sets -- */

Value
set_alloc(Thread *th, Type *type)
{
    Value v;
    if (type == &set_type || type == &frozenset_type) {
        Object *o = object_new_kind(th, type == &set_type ? SHAPE_SET : SHAPE_FROZENSET,
                                    sizeof(Set), true);
        if (o == NULL)
            return NULL;
        v = value_of(o);
    } else if ((v = type_alloc(th, type, 0)) == NULL) {
        return NULL;
    }
    if (type != &set_type && is_frozenset(v)) {
        Object *o = value_object(v); /* its maker is alone with it */
        store_relaxed(&o->bits, (uint8_t)(load_relaxed(&o->bits) | FROZENSET_FILLING));
    }
    plain_store(&as_set(v)->table, SET_EMPTY); /* plain: not published yet */
    return v;
}

Value
set_alloc_like(Thread *th, Value like)
{
    return set_alloc(th, is_frozenset(like) ? &frozenset_type : &set_type);
}

bool
set_fill_copy(Thread *th, Value to, Set *from, size_t extra)
{
    Set *s = as_set(to);
    bool frozen = is_frozenset(value_of(from)); /* nobody changes it, so it is not locked */
    object_touch(th, &from->head);
    for (;;) {
        size_t length = (size_t)load_acquire(&from->length); /* [set.length] */
        if (length + extra == 0)
            return true;
        SetTable *t = table_new(th, length + extra);
        if (t == NULL)
            return false;
        bool held = !frozen && object_lock(&from->head);
        bool same = (size_t)load_relaxed(&from->length) == length;
        if (same)
            table_copy(th, t, load_relaxed(&from->table), true, length);
        if (!frozen)
            object_unlock(&from->head, held);
        if (LIKELY(same)) {
            plain_store(&s->table, t); /* plain: not published yet */
            plain_store(&s->length, (int64_t)length);
            return true;
        }
        buffer_free(t);
    }
}

/* Adds keys of `from` from *pos on under one lock, as far as no comparison in Python is needed.
 * YES: all are in; NO: the rest must be put one by one; FAILED: no memory.  `from` does not change, or is
 * `private`: then it is locked, too, and if another thread has come to it meanwhile nothing is done, NO, and *pos
 * is SIZE_MAX. */
static Answer
set_update_at_once(Thread *th, Set *s, Set *from, bool private, size_t *pos)
{
    SetTable *source = set_table(from), *t;
    size_t n = (size_t)load_acquire(&from->length), i = *pos; /* [set.length] */
    bool held;
    if (n == 0) /* nothing is written: the table may be the empty one, which all sets share */
        return YES;
    for (;;) {
        t = set_table(s);
        held = private ? object_touch_lock_two(th, &s->head, &from->head) : object_lock(&s->head);
        if (UNLIKELY(private && object_shared(&from->head))) {
            unlock_one_or_two(th, &s->head, &from->head, private, held);
            *pos = SIZE_MAX;
            return NO;
        }
        if (load_relaxed(&s->table) == t && load_relaxed(&t->used) + n <= table_limit(t))
            break;
        unlock_one_or_two(th, &s->head, &from->head, private, held);
        if (!set_grow(th, s, t, n))
            return FAILED;
    }
    Answer answer = YES;
    int64_t length = load_relaxed(&s->length);
    uint32_t used = load_relaxed(&t->used);
    for (size_t slots = set_slots(source), room = n; i < slots && room > 0; i++) {
        Value key = load_acquire(&source->slots[i].key); /* [set.key] */
        if (key == NULL || key == SET_DELETED)
            continue;
        room--;
        SetProbe p;
        probe_start(&p, t, load_relaxed(&source->slots[i].hash));
        int r = probe_run(&p, key);
        if (UNLIKELY(r == PROBE_COMPARE)) {
            answer = NO;
            break;
        }
        if (r == PROBE_ABSENT) {
            store_relaxed(&t->slots[p.slot].hash, p.hash); /* the key's release publishes it */
            store_release(&t->slots[p.slot].key, retain(th, key)); /* [set.key] */
            used++;
            length++;
        }
    }
    *pos = i;
    store_relaxed(&t->used, used);
    store_release(&s->length, length); /* [set.length] */
    unlock_one_or_two(th, &s->head, &from->head, private, held);
    return answer;
}

/* Adds all keys of a set. */
RAISES static bool
set_update_set(Thread *th, Set *s, Set *other)
{
    if (s == other)
        return true;
    object_touch(th, &s->head);
    object_touch(th, &other->head);
    Value copy = NULL;
    bool frozen = is_frozenset(value_of(other));
    size_t pos = SIZE_MAX;
    Value key;
    int64_t hash;
    Answer all = NO;
    if (frozen || !object_shared(&other->head)) {
        pos = 0;
        all = set_update_at_once(th, s, other, !frozen, &pos);
    }
    if (pos == SIZE_MAX) { /* one moment of it */
        copy = set_new(th);
        if (copy == NULL || !set_fill_copy(th, copy, other, 0)) {
            drop_null(th, copy);
            return false;
        }
        other = as_set(copy);
        pos = 0;
        all = set_update_at_once(th, s, other, false, &pos);
    }
    bool ok = all != FAILED;
    while (ok && all == NO && set_next_entry(th, other, &pos, &key, &hash))
        ok = set_insert(th, s, key, hash) != FAILED;
    drop_null(th, copy);
    return ok;
}

bool
set_update(Thread *th, Value v, Value iterable)
{
    Set *s = as_set(v);
    if (is_any_set(iterable))
        return set_update_set(th, s, as_set(iterable));
    if (is_exact(iterable, SHAPE_DICT)) { /* one moment of it; its keys' hashes are known */
        object_touch(th, value_object(iterable));
        Value d = object_shared(value_object(iterable)) ? dict_copy(th, iterable)
                                                        : retain(th, iterable);
        size_t pos = 0;
        Value key;
        int64_t hash;
        bool ok = d != NULL;
        while (ok && dict_next_entry(th, (Dict *)(void *)value_object(d), &pos, &key, NULL, &hash))
            ok = set_insert(th, s, key, hash) != FAILED;
        drop_null(th, d);
        return ok;
    }
    bool is_list = is_exact(iterable, SHAPE_LIST), is_tuple = is_exact(iterable, SHAPE_TUPLE);
    if (set_table(s) == SET_EMPTY && (is_list || is_tuple)) { /* few at most: room for all */
        int64_t n = is_list ? list_length(iterable) : tuple_length(iterable);
        if (n != 0 && n <= 32 && !set_grow(th, s, SET_EMPTY, (size_t)n))
            return false;
    }
    Value it = is_list || is_tuple ? retain(th, iterable) : get_iter(th, iterable);
    if (it == NULL)
        return false;
    for (size_t step = 0;; step++) {
        Value key; /* of a list or tuple as its iterator would give it */
        if (is_list)
            key = list_get(th, it, (int64_t)step);
        else if (is_tuple)
            key = retain_null(th, tuple_peek(it, (int64_t)step));
        else
            key = next_item(th, it);
        if (key == NULL)
            break;
        int64_t hash;
        if (!value_hash(th, key, &hash)) {
            drop(th, key);
            break;
        }
        if (set_insert(th, s, key, hash) == FAILED || !loop_poll(th, step))
            break;
    }
    drop(th, it);
    return !error_set(th);
}

Value
set_new(Thread *th)
{
    return set_alloc(th, &set_type);
}

/* A set of the type with the items of `iterable` (may be NULL). */
static Value
set_make_from(Thread *th, Type *type, Value iterable)
{
    for (;;) {
        Value v = set_alloc(th, type);
        if (v == NULL || iterable == NULL)
            return set_filled(v);
        /* A private dict is read as it is: if another thread comes to it meanwhile it is read again, at one moment. */
        bool alone = is_exact(iterable, SHAPE_DICT) && !object_shared(value_object(iterable));
        bool ok = is_any_set(iterable) ? set_fill_copy(th, v, as_set(iterable), 0)
                                       : set_update(th, v, iterable);
        if (!ok)
            DROP_CLEAR(th, v);
        if (LIKELY(!ok || !alone || !object_shared(value_object(iterable))))
            return set_filled(v);
        drop(th, v);
    }
}

Value
set_from(Thread *th, Value iterable)
{
    return set_make_from(th, &set_type, iterable);
}

Value
frozenset_from(Thread *th, Value iterable)
{
    if (iterable != NULL && is_exact(iterable, SHAPE_FROZENSET))
        return retain(th, iterable);
    return set_make_from(th, &frozenset_type, iterable);
}

static Value
set_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames;
    return set_alloc(th, type);
}

static bool
set_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (UNLIKELY(kwnames != NULL) && !args_no_keywords(th, "set", kwnames))
        return false;
    if (!args_count(th, "set", nargs, 0, 1))
        return false;
    if (set_length(self) > 0)
        set_clear_items(th, as_set(self));
    return nargs == 0 || set_update(th, self, arg(args, 0));
}

static Value
frozenset_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (UNLIKELY(kwnames != NULL) &&
        (type == &frozenset_type || SLOT(type, init) == SLOT(&object_type, init)) &&
        !args_no_keywords(th, "frozenset", kwnames))
        return NULL;
    if (!args_count(th, "frozenset", nargs, 0, 1))
        return NULL;
    Value iterable = nargs ? arg(args, 0) : NULL;
    if (type == &frozenset_type)
        return frozenset_from(th, iterable);
    return set_make_from(th, type, iterable);
}

/* -- what C code calls -- */

bool
is_set(Value v)
{
    return is_instance_of(v, &set_type);
}

bool
is_frozenset(Value v)
{
    return is_instance_of(v, &frozenset_type);
}

bool
is_any_set(Value v)
{
    uint32_t shape = shape_of(v);
    return shape == SHAPE_SET || shape == SHAPE_FROZENSET || is_set(v) || is_frozenset(v);
}

int64_t
set_length(Value v)
{
    return load_acquire(&as_set(v)->length); /* [set.length] */
}

bool
set_add(Thread *th, Value v, Value key)
{
    int64_t hash;
    return value_hash(th, key, &hash) &&
           set_insert(th, as_set(v), retain(th, key), hash) != FAILED;
}

/* The hash of a key for lookups: a set stands for the frozenset of its items, a new reference to
 * which is in *key then. */
RAISES static bool
lookup_hash(Thread *th, Value *key, int64_t *hash, bool *made)
{
    *made = false;
    if (value_hash(th, *key, hash))
        return true;
    if (!is_set(*key) || !error_matches(th, &exc_TypeError))
        return false;
    error_clear(th);
    Value frozen = set_make_from(th, &frozenset_type, *key);
    if (frozen == NULL)
        return false;
    *key = frozen;
    *made = true;
    if (to_hash(th, frozen, hash))
        return true;
    drop(th, frozen);
    *made = false;
    return false;
}

Answer
set_discard(Thread *th, Value v, Value key)
{
    int64_t hash;
    bool made;
    if (!lookup_hash(th, &key, &hash, &made))
        return FAILED;
    Answer found = set_remove_key(th, as_set(v), key, hash);
    if (made)
        drop(th, key);
    return found;
}

Answer
set_contains(Thread *th, Value v, Value key)
{
    int64_t hash;
    bool made;
    if (!lookup_hash(th, &key, &hash, &made))
        return FAILED;
    Answer found = set_lookup(th, as_set(v), key, hash);
    if (made)
        drop(th, key);
    return found;
}

ALWAYS_INLINE Answer
set_contains_quick(Thread *th, Value v, Value key)
{
    int64_t hash;
    if (value_is_fixnum(key))
        hash = fixnum_hash(key);
    else if (value_is_object(key) && object_shape(value_object(key)) == SHAPE_STR)
        hash = str_hash_fast(key);
    else
        return FAILED;
    Set *s = as_set(v);
    object_touch(th, &s->head);
    SetTable *t = set_table(s);
    Value first = load_acquire(&t->slots[(size_t)hash & (set_slots(t) - 1)].key); /* [set.key] */
    if (first == NULL || first == key)
        return first == key ? YES : NO;
    SetProbe p;
    probe_start(&p, t, hash);
    int r = probe_run(&p, key);
    return r == PROBE_FOUND ? YES : r == PROBE_ABSENT ? NO : FAILED;
}

/* Puts keys that are exact strs or immediate ints into an unpublished set, whose table is empty
 * and has room; takes them over. */
static void
set_put_taken(Thread *th, Set *s, const Value *items, size_t n)
{
    SetTable *t = plain_load(&s->table); /* plain: unpublished */
    uint32_t added = 0;
    for (size_t i = 0; i < n; i++) {
        Value key = items[i];
        SetProbe p;
        probe_start(&p, t, value_is_fixnum(key) ? fixnum_hash(key) : str_hash_fast(key));
        if (UNLIKELY(probe_run(&p, key) == PROBE_FOUND)) { /* all are of two kinds: it can tell */
            drop(th, key);
            continue;
        }
        plain_store(&t->slots[p.slot].hash, p.hash);
        plain_store(&t->slots[p.slot].key, key);
        added++;
    }
    plain_store(&t->used, added);
    plain_store(&s->length, (int64_t)added);
}

Answer
contains_quick(Thread *th, Value container, Value v)
{
    switch (shape_of(container)) {
    case SHAPE_SET:
    case SHAPE_FROZENSET:
        return set_contains_quick(th, container, v);
    case SHAPE_DICT: {
        Dict *d = (Dict *)(void *)value_object(container);
        object_touch(th, &d->head);
        DictTable *t = dict_table(d);
        if (UNLIKELY(t->stride != DICT_COMPACT || !dict_key_is_compact(v)))
            return FAILED;
        size_t slot;
        DictEntry *e = dict_compact_search(t, v, dict_compact_hash(v), &slot);
        return e != NULL && load_acquire(&e->value) != NULL ? YES : NO; /* [dict.value] */
    }
    case SHAPE_STR:
        if (!is_exact(v, SHAPE_STR))
            return FAILED;
        return str_contains(th, container, v);
    default:
        return FAILED;
    }
}

/* A copy of a frozenset's table, with its keys counted, if it is small, has room for `extra` more
 * and nothing was deleted; NULL without an exception: do it another way. */
static SetTable *
frozen_table_copy(Thread *th, Set *s, size_t extra)
{
    SetTable *from = set_table(s); /* nobody changes it */
    size_t length = (size_t)load_relaxed(&s->length), slots = set_slots(from);
    size_t bytes = sizeof(SetTable) + slots * sizeof(SetSlot);
    if (load_relaxed(&from->used) != length || length + extra > table_limit(from) ||
        bytes > SMALL_BUFFER_MAX)
        return NULL;
    SetTable *t = small_buffer_new(th, bytes);
    if (UNLIKELY(t == NULL)) {
        error_clear(th);
        return NULL;
    }
    memcpy((void *)t, (const void *)from, bytes);
    t->stamp = stamp_new(th);
    for (size_t i = 0; i < slots; i++) {
        Value k = plain_load(&t->slots[i].key); /* plain: unpublished */
        if (value_is_object(k) && k != NULL)
            object_retain(th, value_object(k));
    }
    return t;
}

Value
set_with(Thread *th, Value set, const Value *items, size_t n)
{
    object_touch(th, value_object(set));
    Value v = set_alloc_like(th, set);
    if (UNLIKELY(v == NULL))
        return NULL;
    SetTable *copy = is_exact(set, SHAPE_FROZENSET) ? frozen_table_copy(th, as_set(set), n) : NULL;
    if (LIKELY(copy != NULL)) {
        plain_store(&as_set(v)->table, copy); /* plain: unpublished */
        plain_store(&as_set(v)->length, (int64_t)plain_load(&copy->used));
    } else if (!set_fill_copy(th, v, as_set(set), n)) {
        drop(th, v);
        return NULL;
    }
    Set *s = as_set(v);
    for (size_t i = 0; i < n; i++) {
        Value key = items[i];
        SetTable *t = plain_load(&s->table); /* plain: unpublished */
        SetProbe p;
        probe_start(&p, t, value_is_fixnum(key) ? fixnum_hash(key) : str_hash_fast(key));
        int r = probe_run(&p, key);
        if (r == PROBE_FOUND)
            continue;
        uint32_t used = plain_load(&t->used);
        if (LIKELY(r == PROBE_ABSENT && used < table_limit(t))) {
            plain_store(&t->slots[p.slot].hash, p.hash);
            plain_store(&t->slots[p.slot].key, retain(th, key));
            plain_store(&t->used, used + 1);
            plain_store(&s->length, plain_load(&s->length) + 1);
        } else if (set_insert(th, s, retain(th, key), p.hash) == FAILED) { /* may run Python code */
            drop(th, v);
            return NULL;
        }
    }
    return set_filled(v);
}

Value
set_of_taken(Thread *th, const Value *items, size_t n)
{
    Value v = set_alloc(th, &set_type);
    if (v == NULL || n == 0)
        return v;
    SetTable *t = table_new(th, n);
    if (UNLIKELY(t == NULL)) {
        drop(th, v);
        return NULL;
    }
    plain_store(&as_set(v)->table, t);
    set_put_taken(th, as_set(v), items, n);
    return v;
}

bool
set_next_hash(Thread *th, Value v, size_t *pos, Value *key, int64_t *hash)
{
    return set_next_entry(th, as_set(v), pos, key, hash);
}

bool
set_next(Thread *th, Value v, size_t *pos, Value *key)
{
    return set_next_entry(th, as_set(v), pos, key, NULL);
}

/* -- the types' slots and methods -- */

static Value
set_repr(Thread *th, Value self)
{
    Answer inside = repr_enter(th, self);
    if (inside == FAILED)
        return NULL;
    if (inside == YES)
        return str_format_c(th, "%s(...)", type_name_of(self));
    Value text = NULL, list = NULL;
    if (set_length(self) == 0) {
        text = str_format_c(th, "%s()", type_name_of(self));
    } else if ((list = sequence_list(th, self)) != NULL) {
        Value items = to_repr(th, list);
        if (items != NULL) {
            Value inner = str_substring(th, items, 1, str_length(items) - 1);
            if (inner != NULL) {
                text = is_exact(self, SHAPE_SET)
                           ? str_format_c(th, "{%V}", inner)
                           : str_format_c(th, "%s({%V})", type_name_of(self), inner);
                drop(th, inner);
            }
            drop(th, items);
        }
        drop(th, list);
    }
    repr_leave(th, self);
    return text;
}

/* Combines the keys' hashes so that their order does not matter: as collections.abc.Set._hash()
 * does, since a frozenset and any other Set with the same items must have the same hash. */
static bool
frozenset_hash(Thread *th, Value self, int64_t *hash)
{
    (void)th;
    Set *s = as_set(self);
    int64_t cached = load_relaxed(&s->hash); /* every thread computes the same */
    if (cached != 0) {
        *hash = cached;
        return true;
    }
    SetTable *t = set_table(s);
    uint64_t sum = 1927868237u * ((uint64_t)load_relaxed(&s->length) + 1);
    for (size_t i = 0, n = set_slots(t); i < n; i++) {
        Value k = load_acquire(&t->slots[i].key); /* [set.key] */
        if (k == NULL || k == SET_DELETED)
            continue;
        uint64_t h = (uint64_t)load_relaxed(&t->slots[i].hash);
        sum ^= (h ^ (h << 16) ^ 89869747u) * 3644798167u;
    }
    sum ^= (sum >> 11) ^ (sum >> 25);
    sum = sum * 69069u + 907133923u;
    if ((int64_t)sum == -1)
        sum = 590923713;
    store_relaxed(&s->hash, (int64_t)sum);
    *hash = (int64_t)sum;
    return true;
}

static int64_t
set_length_slot(Thread *th, Value self)
{
    (void)th;
    return set_length(self);
}

static Value
set_contains_method(Thread *th, Value self, Value key)
{
    Answer found = set_contains(th, self, key);
    return found == FAILED ? NULL : bool_from(found == YES);
}

static Value
set_add_method(Thread *th, Value self, Value key)
{
    return set_add(th, self, key) ? NONE : NULL;
}

static Value
set_discard_method(Thread *th, Value self, Value key)
{
    return set_discard(th, self, key) == FAILED ? NULL : NONE;
}

static Value
set_remove_method(Thread *th, Value self, Value key)
{
    Answer found = set_discard(th, self, key);
    if (found == NO)
        return raise_key_error(th, key);
    return found == YES ? NONE : NULL;
}

static Value
set_pop(Thread *th, Value self)
{
    Set *s = as_set(self);
    bool held = object_touch_lock(th, &s->head);
    if (load_relaxed(&s->length) == 0) {
        object_unlock(&s->head, held);
        return raise_error(th, &exc_KeyError, "pop from an empty set");
    }
    SetTable *t = load_relaxed(&s->table);
    size_t mask = set_slots(t) - 1, i = t->finger & mask;
    Value key;
    for (;; i = (i + 1) & mask) {
        key = load_relaxed(&t->slots[i].key);
        if (key != NULL && key != SET_DELETED)
            break;
    }
    t->finger = (uint32_t)i + 1;
    store_release(&t->slots[i].key, SET_DELETED);            /* [set.key] */
    store_release(&s->length, load_relaxed(&s->length) - 1); /* [set.length] */
    bool shared = object_shared(&s->head);
    object_unlock(&s->head, held);
    return value_leave(th, shared, key);
}

static Value
set_clear_method(Thread *th, Value self)
{
    set_clear_items(th, as_set(self));
    return NONE;
}

static Value
set_copy_method(Thread *th, Value self)
{
    return set_make_from(th, &set_type, self);
}

static Value
frozenset_copy_method(Thread *th, Value self)
{
    return frozenset_from(th, self);
}

static Value
set_reduce(Thread *th, Value self)
{
    Value list = sequence_list(th, self);
    if (list == NULL)
        return NULL;
    Value result = NULL, args = tuple_pack(th, 1, list);
    drop(th, list);
    if (args == NULL)
        return NULL;
    Value state = call_method_0(th, self, NAME(__getstate__));
    if (state != NULL) {
        result = tuple_pack(th, 3, value_of_type(type_of(self)), args, state);
        drop(th, state);
    }
    drop(th, args);
    return result;
}

static Value
set_sizeof(Thread *th, Value self)
{
    SetTable *t = set_table(as_set(self));
    size_t n = object_ops(value_object(self))->cell_size;
    return int_from_size(th, n + (t == SET_EMPTY ? 0 : table_bytes(t)));
}

static void
set_visit(Object *o, VisitFn visit, void *arg)
{
    SetTable *t = plain_load(&((Set *)(void *)o)->table); /* stopped or dying */
    for (size_t i = 0, n = t ? set_slots(t) : 0; i < n; i++) {
        Value k = plain_load(&t->slots[i].key);
        if (k != NULL && k != SET_DELETED)
            visit(k, arg);
    }
}

static void
set_clear_slot(Thread *th, Object *o)
{
    set_clear_items(th, (Set *)(void *)o);
}

static void
set_dealloc(Thread *th, Object *o)
{
    Set *s = (Set *)(void *)o;
    SetTable *t = plain_load(&s->table); /* dying */
    plain_store(&s->table, SET_EMPTY);
    table_give_up(th, false, t);
}

#define SET_METHODS(copy_function)                                                                 \
    {.name = "__contains__", .f1 = set_contains_method, .flags = METHOD_1 | METHOD_COEXIST,        \
     .nmin = 1, .nmax = 1, .doc = "x.__contains__(y) <==> y in x."},                               \
    NATIVE_0("copy", copy_function, "Return a shallow copy of a set."),                            \
    NATIVE_N("difference", set_difference_method, 0, -1,                                           \
             "Return the difference of two or more sets as a new set.\n\n"                         \
             "(i.e. all elements that are in this set but not the others.)"),                      \
    NATIVE_N("intersection", set_intersection_method, 0, -1,                                       \
             "Return the intersection of two sets as a new set.\n\n"                               \
             "(i.e. all elements that are in both sets.)"),                                        \
    NATIVE_1("isdisjoint", set_isdisjoint_method,                                                  \
             "Return True if two sets have a null intersection."),                                 \
    NATIVE_1("issubset", set_issubset_method,                                                      \
             "Report whether another set contains this set."),                                     \
    NATIVE_1("issuperset", set_issuperset_method,                                                  \
             "Report whether this set contains another set."),                                     \
    NATIVE_0("__reduce__", set_reduce, "Return state information for pickling."),                  \
    NATIVE_0("__sizeof__", set_sizeof, "S.__sizeof__() -> size of S in memory, in bytes"),         \
    NATIVE_1("symmetric_difference", set_symmetric_difference_method,                              \
             "Return the symmetric difference of two sets as a new set.\n\n"                       \
             "(i.e. all elements that are in exactly one of the sets.)"),                          \
    NATIVE_N("union", set_union_method, 0, -1,                                                     \
             "Return the union of sets as a new set.\n\n"                                          \
             "(i.e. all elements that are in either set.)"),                                       \
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS,           \
     .nmin = 1, .nmax = 1, .doc = "See PEP 585"}

static const MethodDef set_methods[] = {
    SET_METHODS(set_copy_method),
    NATIVE_1("add", set_add_method,
             "Add an element to a set.\n\nThis has no effect if the element is already present."),
    NATIVE_0("clear", set_clear_method, "Remove all elements from this set."),
    NATIVE_1("discard", set_discard_method,
             "Remove an element from a set if it is a member.\n\n"
             "Unlike set.remove(), the discard() method does not raise\n"
             "an exception when an element is missing from the set."),
    NATIVE_N("difference_update", set_difference_update_method, 0, -1,
             "Remove all elements of another set from this set."),
    NATIVE_N("intersection_update", set_intersection_update_method, 0, -1,
             "Update a set with the intersection of itself and another."),
    NATIVE_0("pop", set_pop,
             "Remove and return an arbitrary set element.\n"
             "Raises KeyError if the set is empty."),
    NATIVE_1("remove", set_remove_method,
             "Remove an element from a set; it must be a member.\n\n"
             "If the element is not a member, raise a KeyError."),
    NATIVE_1("symmetric_difference_update", set_symmetric_difference_update_method,
             "Update a set with the symmetric difference of itself and another."),
    NATIVE_N("update", set_update_method, 0, -1,
             "Update a set with the union of itself and others."),
    NATIVE_END,
};

static const MethodDef frozenset_methods[] = {
    SET_METHODS(frozenset_copy_method),
    NATIVE_END,
};

#define SET_SLOTS                                                                                  \
    .repr = set_repr, .compare = set_compare, .iter = set_iter_new, .length = set_length_slot,     \
    .contains = set_contains, .or_ = set_or, .and_ = set_and, .subtract = set_subtract,            \
    .xor_ = set_xor

Type set_type;
const TypeSpec set_spec = {
    .name = "set",
    .size = sizeof(Set),
    .flags = TYPE_BASE | TYPE_MATCH_SELF,
    .ops_flags = OPS_TRACKED,
    .doc = "set() -> new empty set object\n"
           "set(iterable) -> new set object\n\n"
           "Build an unordered collection of unique elements.",
    .methods = set_methods,
    .slots = {
        SET_SLOTS,
        .hash = hash_unhashable,
        .init = set_init,
        .new = set_make,
        .ior = set_ior,
        .iand = set_iand,
        .isubtract = set_isubtract,
        .ixor = set_ixor,
    },
    .visit = set_visit,
    .clear = set_clear_slot,
    .dealloc = set_dealloc,
};

Type frozenset_type;
const TypeSpec frozenset_spec = {
    .name = "frozenset",
    .size = sizeof(Set),
    .flags = TYPE_BASE | TYPE_MATCH_SELF,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .doc = "frozenset() -> empty frozenset object\n"
           "frozenset(iterable) -> frozenset object\n\n"
           "Build an immutable unordered collection of unique elements.",
    .methods = frozenset_methods,
    .slots = {
        SET_SLOTS,
        .hash = frozenset_hash,
        .new = frozenset_make,
    },
    .visit = set_visit,
    .dealloc = set_dealloc,
};
