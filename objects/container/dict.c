/* dict.c -- dict: insertion, deletion, copying, merging; what C code calls.
 *
 * Writers hold the dict's object lock from the last look at the table to the change.  A search
 * that needs __eq__ leaves the lock, compares, and goes on where it was if the dict still has the
 * same table (rules A14; DictProbe).  Tables are allocated outside the lock.
 * Methods are in dict_methods.c, views and iterators in dict_views.c.
 */
#include "objects/container/container_priv.h"
#include "objects/container/dict_priv.h"

static inline Dict *
as_dict(Value v)
{
    return (Dict *)(void *)value_object(v);
}

/* -- making dicts -- */

Value
dict_alloc(Thread *th, Type *type)
{
    Value v;
    if (LIKELY(type == &dict_type)) {
        Object *o = object_new_kind(th, SHAPE_DICT, sizeof(Dict), true);
        if (UNLIKELY(o == NULL))
            return NULL;
        v = value_of(o);
    } else if ((v = type_alloc(th, type, 0)) == NULL) {
        return NULL;
    }
    plain_store(&as_dict(v)->table, DICT_EMPTY); /* plain: not published yet */
    return v;
}

Value
dict_new(Thread *th)
{
    return dict_alloc(th, &dict_type);
}

Value
dict_new_sized(Thread *th, size_t n)
{
    Value v = dict_alloc(th, &dict_type);
    if (v == NULL || n == 0)
        return v;
    DictTable *t = dict_table_new(th, n, DICT_COMPACT);
    if (t == NULL) {
        drop(th, v);
        return NULL;
    }
    plain_store(&as_dict(v)->table, t); /* plain: not published yet */
    return v;
}

int64_t
dict_length(Value d)
{
    return load_acquire(&as_dict(d)->length); /* [dict.length] */
}

/* -- adding and replacing -- */

/* Searches for a key with the lock held at the end: PROBE_FOUND or PROBE_ABSENT with *held, or -1
 * without the lock, with an exception.  Sets p->table to the dict's table. */
static int
dict_search_locked(Thread *th, Dict *d, DictProbe *p, Value key, int64_t hash, bool *held)
{
    object_touch(th, &d->head);
    for (;;) {
        dict_probe_start(p, dict_table(d), hash);
        *held = object_lock(&d->head);
        for (;;) {
            if (UNLIKELY(!dict_probe_valid(d, p)))
                break; /* from the beginning */
            int r = dict_probe_run(p, key);
            if (LIKELY(r != PROBE_COMPARE))
                return r;
            Value k = retain(th, p->key);
            object_unlock(&d->head, *held);
            Answer equal = compare_answer(th, k, key, OP_EQ);
            drop(th, k); /* from here on the word is only compared: the entry gets no other key */
            if (equal == FAILED)
                return -1;
            *held = object_lock(&d->head);
            if (equal == YES) {
                if (dict_probe_valid(d, p) && load_relaxed(&p->entry->key) == k)
                    return PROBE_FOUND;
                break; /* it was deleted meanwhile: from the beginning */
            }
            dict_probe_next(p);
        }
        object_unlock(&d->head, *held);
    }
}

/* Replaces the value of an entry, or keeps it, and leaves the lock. */
static inline Answer
dict_insert_found(Thread *th, Dict *d, DictEntry *e, Value key, Value v, bool keep, Value *out,
                  bool held)
{
    Value old = load_relaxed(&e->value);
    if (keep) {
        if (out != NULL)
            *out = retain(th, old);
        object_unlock(&d->head, held);
        drop(th, key);
        drop(th, v);
        return NO;
    }
    if (out != NULL)
        *out = retain(th, v);
    store_release(&e->value, v); /* [dict.value] */
    bool shared = object_shared(&d->head);
    object_unlock(&d->head, held);
    drop(th, key);
    drop_from(th, shared, old);
    return NO;
}

/* Adds an entry, for which there is room, and leaves the lock. */
static inline Answer
dict_insert_absent(Thread *th, Dict *d, DictTable *t, size_t slot, int64_t hash, Value key, Value v,
                   Value *out, bool held)
{
    if (out != NULL)
        *out = retain(th, v);
    dict_table_append(t, slot, hash, key, v);
    store_release(&d->length, load_relaxed(&d->length) + 1); /* [dict.length] */
    object_unlock(&d->head, held);
    return YES;
}

Answer
dict_insert(Thread *th, Dict *d, Value key, int64_t hash, Value v, bool keep, Value *out)
{
    DictProbe p;
    bool general = !dict_key_is_compact(key);
    bool held = object_touch_lock(th, &d->head);
    DictTable *t = load_relaxed(&d->table);
    if (LIKELY(t->stride == DICT_COMPACT && !general)) {
        size_t slot;
        DictEntry *e = dict_compact_search(t, key, hash, &slot);
        if (e != NULL)
            return dict_insert_found(th, d, e, key, v, keep, out, held);
        if (LIKELY(load_relaxed(&t->used) < t->capacity))
            return dict_insert_absent(th, d, t, slot, hash, key, v, out, held);
    } else if (t->stride == DICT_GENERAL) {
        dict_probe_start(&p, t, hash);
        int r = dict_probe_run(&p, key);
        if (r == PROBE_FOUND)
            return dict_insert_found(th, d, p.entry, key, v, keep, out, held);
        if (r == PROBE_ABSENT && LIKELY(load_relaxed(&t->used) < t->capacity))
            return dict_insert_absent(th, d, t, p.slot, hash, key, v, out, held);
    }
    object_unlock(&d->head, held);
    for (;;) {
        int r = dict_search_locked(th, d, &p, key, hash, &held);
        if (UNLIKELY(r < 0))
            break;
        if (r == PROBE_FOUND)
            return dict_insert_found(th, d, p.entry, key, v, keep, out, held);
        t = p.table;
        if (LIKELY(load_relaxed(&t->used) < t->capacity &&
                   (t->stride == DICT_GENERAL || !general)))
            return dict_insert_absent(th, d, t, p.slot, hash, key, v, out, held);
        /* Nobody had the key; if nobody adds one until the new table is there, it goes straight
         * into that, without another comparison. */
        DictNewItem item = {.used = load_relaxed(&t->used), .hash = hash, .key = key, .value = v};
        object_unlock(&d->head, held);
        if (out != NULL)
            *out = retain(th, v);
        bool ok = dict_grow(th, d, t, 1, general, &item);
        if (item.done)
            return YES;
        if (out != NULL)
            DROP_CLEAR(th, *out);
        if (!ok)
            break;
    }
    drop(th, key);
    drop(th, v);
    return FAILED;
}

Answer
dict_increment(Thread *th, Dict *d, Value key, int64_t hash)
{
    DictProbe p;
    bool held;
    int r = dict_search_locked(th, d, &p, key, hash, &held);
    if (r < 0)
        return FAILED;
    bool done = false;
    if (r == PROBE_FOUND) {
        Value old = load_relaxed(&p.entry->value);
        done = value_is_fixnum(old) && value_fixnum(old) < FIXNUM_MAX;
        if (done) /* [dict.value] */
            store_release(&p.entry->value, value_from_fixnum(value_fixnum(old) + 1));
    }
    object_unlock(&d->head, held);
    if (done)
        return YES;
    if (r == PROBE_FOUND)
        return NO;
    Value one = value_from_fixnum(1), now;
    Answer added = dict_insert(th, d, retain(th, key), hash, one, true, &now);
    if (added != FAILED)
        drop(th, now);
    return added == NO ? dict_increment(th, d, key, hash) : added;
}

bool
dict_set_compact(Thread *th, Value dict, Value key, Value v)
{
    Dict *d = as_dict(dict);
    int64_t hash = dict_compact_hash(key);
    bool held = object_touch_lock(th, &d->head);
    DictTable *t = load_relaxed(&d->table);
    if (LIKELY(t->stride == DICT_COMPACT)) {
        size_t slot;
        DictEntry *e = dict_compact_search(t, key, hash, &slot);
        if (e != NULL) {
            Value old = load_relaxed(&e->value);
            store_release(&e->value, v); /* [dict.value] */
            bool shared = object_shared(&d->head);
            object_unlock(&d->head, held);
            drop_from(th, shared, old);
            return true;
        }
        if (LIKELY(load_relaxed(&t->used) < t->capacity)) {
            dict_table_append(t, slot, hash, retain(th, key), v);
            store_release(&d->length, load_relaxed(&d->length) + 1); /* [dict.length] */
            object_unlock(&d->head, held);
            return true;
        }
    }
    object_unlock(&d->head, held);
    return dict_insert(th, d, retain(th, key), hash, v, false, NULL) != FAILED;
}

void
dict_put_taken(Thread *th, Value dict, const Value *pairs, size_t n)
{
    DictTable *t = plain_load(&as_dict(dict)->table); /* plain: not published yet */
    for (size_t i = 0; i < n; i++) {
        Value key = pairs[2 * i], v = pairs[2 * i + 1];
        int64_t hash = dict_compact_hash(key);
        size_t slot;
        DictEntry *e = dict_compact_search(t, key, hash, &slot);
        if (LIKELY(e == NULL)) {
            dict_table_append(t, slot, hash, key, v);
            continue;
        }
        Value old = plain_load(&e->value);
        plain_store(&e->value, v);
        drop(th, key);
        drop(th, old);
    }
    plain_store(&as_dict(dict)->length, (int64_t)plain_load(&t->used));
}

bool
dict_set(Thread *th, Value d, Value key, Value v)
{
    if (LIKELY(dict_key_is_compact(key)))
        return dict_set_compact(th, d, key, retain(th, v));
    int64_t hash;
    if (!value_hash(th, key, &hash))
        return false;
    return dict_insert(th, as_dict(d), retain(th, key), hash, retain(th, v), false, NULL) != FAILED;
}

bool
dict_set_steal(Thread *th, Value d, Value key, Value v)
{
    int64_t hash;
    if (!value_hash(th, key, &hash)) {
        drop(th, key);
        drop(th, v);
        return false;
    }
    return dict_insert(th, as_dict(d), key, hash, v, false, NULL) != FAILED;
}

Value
dict_set_default(Thread *th, Value d, Value key, Value v)
{
    int64_t hash;
    Value result;
    if (!value_hash(th, key, &hash))
        return NULL;
    if (dict_insert(th, as_dict(d), retain(th, key), hash, retain(th, v), true, &result) == FAILED)
        return NULL;
    return result;
}

Answer
dict_contains(Thread *th, Value d, Value key)
{
    Value v;
    Answer found = dict_get(th, d, key, &v);
    if (found == YES)
        drop(th, v);
    return found;
}

/* -- names given as C strings -- */

Value
dict_get_c(Thread *th, Value d, const char *key)
{
    Value name = str_intern_c(th, key);
    if (name == NULL) {
        error_clear(th);
        return NULL;
    }
    Value v = dict_get_str(th, d, name);
    drop(th, name);
    return v;
}

bool
dict_set_c(Thread *th, Value d, const char *key, Value v)
{
    return dict_set_c_steal(th, d, key, retain(th, v));
}

bool
dict_set_c_steal(Thread *th, Value d, const char *key, Value v)
{
    if (v == NULL)
        return false;
    Value name = str_intern_c(th, key);
    if (name == NULL) {
        drop(th, v);
        return false;
    }
    return dict_set_steal(th, d, name, v);
}

/* -- removing -- */

/* Empties entry `e` of the dict's table; the references are the caller's to give up. */
static void
dict_remove_entry_locked(Dict *d, DictTable *t, DictEntry *e, Value *key, Value *v)
{
    *v = load_relaxed(&e->value);
    *key = load_relaxed(&e->key);
    store_release(&e->value, NULL); /* [dict.value] */
    store_release(&e->key, NULL);   /* [dict.key] */
    store_release(&d->length, load_relaxed(&d->length) - 1); /* [dict.length] */
    size_t i = (size_t)((char *)e - (char *)dict_entry(t, 0)) / t->stride;
    if (i + 1 == t->tail)
        t->tail = (uint32_t)i;
}

Answer
dict_remove(Thread *th, Dict *d, Value key, int64_t hash, Value *out)
{
    DictProbe p;
    bool held;
    int r = dict_search_locked(th, d, &p, key, hash, &held);
    if (r == PROBE_FOUND) {
        Value k, v;
        dict_remove_entry_locked(d, p.table, p.entry, &k, &v);
        bool shared = object_shared(&d->head);
        object_unlock(&d->head, held);
        drop_from(th, shared, k);
        if (out != NULL)
            *out = value_leave(th, shared, v);
        else
            drop_from(th, shared, v);
        return YES;
    }
    if (out != NULL)
        *out = NULL;
    if (r < 0)
        return FAILED;
    object_unlock(&d->head, held);
    return NO;
}

Answer
dict_delete(Thread *th, Value d, Value key)
{
    int64_t hash;
    if (!value_hash(th, key, &hash))
        return FAILED;
    return dict_remove(th, as_dict(d), key, hash, NULL);
}

Answer
dict_pop(Thread *th, Value d, Value key, Value *out)
{
    int64_t hash;
    *out = NULL;
    if (!value_hash(th, key, &hash))
        return FAILED;
    return dict_remove(th, as_dict(d), key, hash, out);
}

Answer
dict_take_last(Thread *th, Dict *d, Value *key, Value *value)
{
    bool held = object_touch_lock(th, &d->head);
    DictTable *t = load_relaxed(&d->table);
    uint32_t i = t->tail;
    while (i > 0 && load_relaxed(&dict_entry(t, i - 1)->key) == NULL)
        i--;
    if (i == 0) {
        if (t != DICT_EMPTY)
            t->tail = 0;
        object_unlock(&d->head, held);
        return NO;
    }
    t->tail = i;
    dict_remove_entry_locked(d, t, dict_entry(t, i - 1), key, value);
    bool shared = object_shared(&d->head);
    object_unlock(&d->head, held);
    *key = value_leave(th, shared, *key);
    *value = value_leave(th, shared, *value);
    return YES;
}

void
dict_clear(Thread *th, Value v)
{
    Dict *d = as_dict(v);
    bool held = object_touch_lock(th, &d->head);
    DictTable *t = load_relaxed(&d->table);
    if (UNLIKELY(t != NULL && (load_relaxed(&t->flags) & DICT_STABLE))) {
        object_unlock(&d->head, held);
        Value key, value;
        while (dict_take_last(th, d, &key, &value) == YES) {
            drop(th, key);
            drop(th, value);
        }
        return;
    }
    store_release(&d->length, 0);         /* [dict.length] */
    store_release(&d->table, DICT_EMPTY); /* [dict.table] */
    bool shared = object_shared(&d->head);
    object_unlock(&d->head, held);
    if (t != NULL)
        dict_table_give_up(th, shared, t);
}

/* -- iterating -- */

bool
dict_next_entry(Thread *th, Dict *d, size_t *pos, Value *key, Value *value, int64_t *hash)
{
    object_touch(th, &d->head);
    DictTable *t = dict_table(d);
    size_t used = load_acquire(&t->used); /* pairs with dict_table_append() [dict.used] */
    for (size_t i = *pos; i < used; i++) {
        DictEntry *e = dict_entry(t, i);
        Value k = load_acquire(&e->key), v = load_acquire(&e->value); /* [dict.key, dict.value] */
        if (k == NULL || v == NULL)
            continue;
        *pos = i + 1;
        if (hash != NULL)
            *hash = dict_entry_hash(t, e, k);
        if (key != NULL)
            *key = retain(th, k);
        if (value != NULL)
            *value = retain(th, v);
        return true;
    }
    *pos = used;
    return false;
}

bool
dict_next(Thread *th, Value d, size_t *pos, Value *key, Value *value)
{
    return dict_next_entry(th, as_dict(d), pos, key, value, NULL);
}

ItemArray *
dict_snapshot(Thread *th, Dict *d, bool keys, bool values, size_t *n)
{
    object_touch(th, &d->head);
    size_t words = (size_t)keys + (size_t)values;
    for (;;) {
        size_t length = (size_t)load_acquire(&d->length); /* [dict.length] */
        ItemArray *a = item_array_new(th, length * words);
        if (a == NULL)
            return NULL;
        bool held = object_lock(&d->head);
        if (UNLIKELY((size_t)load_relaxed(&d->length) != length)) {
            object_unlock(&d->head, held);
            buffer_free(a);
            continue;
        }
        DictTable *t = load_relaxed(&d->table);
        size_t put = 0;
        for (size_t i = 0, used = load_relaxed(&t->used); i < used; i++) {
            DictEntry *e = dict_entry(t, i);
            Value k = load_relaxed(&e->key);
            if (k == NULL)
                continue;
            if (keys)
                plain_store(&a->items[put++], retain(th, k)); /* plain: ours alone */
            if (values)
                plain_store(&a->items[put++], retain(th, load_relaxed(&e->value)));
        }
        object_unlock(&d->head, held);
        *n = length;
        return a;
    }
}

static Value
dict_list(Thread *th, Value d, bool keys, bool values)
{
    size_t n;
    ItemArray *a = dict_snapshot(th, as_dict(d), keys, values, &n);
    if (a == NULL)
        return NULL;
    Value list = list_new(th, n);
    for (size_t i = 0; list != NULL && i < n; i++) {
        Value v;
        if (keys && values)
            v = tuple_of(th, (Value *)(void *)&a->items[2 * i], 2);
        else
            v = retain(th, plain_load(&a->items[i])); /* plain: ours alone */
        if (v == NULL || !list_append_steal(th, list, v))
            DROP_CLEAR(th, list);
    }
    item_array_give_up(th, false, a);
    return list;
}

Value
dict_keys_list(Thread *th, Value d)
{
    return dict_list(th, d, true, false);
}

Value
dict_values_list(Thread *th, Value d)
{
    return dict_list(th, d, false, true);
}

Value
dict_items_list(Thread *th, Value d)
{
    return dict_list(th, d, true, true);
}

/* -- copying and merging -- */

/* A table with the live entries of `d` at one moment, counted; *n is their number. */
static DictTable *
dict_clone_table(Thread *th, Dict *d, size_t *n)
{
    object_touch(th, &d->head);
    for (;;) {
        DictTable *t = dict_table(d);
        size_t length = (size_t)load_acquire(&d->length); /* [dict.length] */
        *n = length;
        if (length == 0)
            return DICT_EMPTY;
        bool whole = load_acquire(&t->used) == length; /* no dead entries [dict.used] */
        size_t bytes = dict_table_bytes(t);
        DictTable *copy = whole ? small_buffer_new(th, bytes) : dict_table_new(th, length, t->stride);
        if (copy == NULL)
            return NULL;
        bool held = object_lock(&d->head);
        if (whole) {
            whole = load_relaxed(&d->table) == t && dict_table_bytes(t) == bytes &&
                    load_relaxed(&t->used) == length &&
                    (size_t)load_relaxed(&d->length) == length;
            if (LIKELY(whole)) {
                memcpy((void *)copy, (const void *)t, bytes);
                for (size_t i = 0; i < length; i++) {
                    DictEntry *e = dict_entry(copy, i);
                    retain_item(th, plain_load(&e->key)); /* plain: unpublished */
                    retain_item(th, plain_load(&e->value));
                }
            }
            object_unlock(&d->head, held);
            if (UNLIKELY(!whole)) {
                buffer_free(copy);
                continue;
            }
            dict_table_renew(th, copy);
            return copy;
        }
        t = load_relaxed(&d->table);
        if (UNLIKELY((size_t)load_relaxed(&d->length) != length || t->stride != copy->stride)) {
            object_unlock(&d->head, held);
            buffer_free(copy);
            continue;
        }
        uint32_t put = 0;
        for (uint32_t i = 0, used = load_relaxed(&t->used); i < used; i++) {
            DictEntry *e = dict_entry(t, i);
            Value k = load_relaxed(&e->key);
            if (k == NULL)
                continue;
            DictEntry *f = dict_entry(copy, put++);
            plain_store(&f->key, retain(th, k)); /* plain: unpublished */
            plain_store(&f->value, retain(th, load_relaxed(&e->value)));
            if (copy->stride == DICT_GENERAL)
                plain_store(&f->hash, load_relaxed(&e->hash));
        }
        object_unlock(&d->head, held);
        plain_store(&copy->used, put);
        copy->tail = put;
        dict_table_reindex(copy);
        return copy;
    }
}

Value
dict_copy(Thread *th, Value d)
{
    size_t n;
    Value copy = dict_alloc(th, &dict_type);
    if (copy == NULL)
        return NULL;
    DictTable *t = dict_clone_table(th, as_dict(d), &n);
    if (t == NULL) {
        drop(th, copy);
        return NULL;
    }
    plain_store(&as_dict(copy)->table, t); /* plain: not published yet */
    plain_store(&as_dict(copy)->length, (int64_t)n);
    return copy;
}

/* Puts one item as dict_merge() is asked to; takes the references over. */
RAISES static bool
dict_merge_item(Thread *th, Dict *d, Value key, int64_t hash, Value v, int mode)
{
    if (mode == 1)
        return dict_insert(th, d, key, hash, v, false, NULL) != FAILED;
    retain(th, key);
    Answer added = dict_insert(th, d, key, hash, v, true, NULL);
    if (added == NO && mode == 2) {
        raise_key_error(th, key);
        added = FAILED;
    }
    drop(th, key);
    return added != FAILED;
}

/* Puts entries of `from` from *pos on into `d` under one lock, as far as no comparison in Python
 * is needed.  YES: all are in; NO: the rest must be put one by one, from *pos on; FAILED: no
 * memory, or a duplicate (mode 2).  `from` is a copy that is th's alone, or `private`: then it is locked, too, and
 * if another thread has come to it meanwhile nothing is done, NO, and *pos is SIZE_MAX. */
static Answer
dict_merge_at_once(Thread *th, Dict *d, Dict *from, bool private, size_t *pos, int mode)
{
    DictTable *source = dict_table(from);
    size_t n = (size_t)load_acquire(&from->length), put = 0; /* [dict.length] */
    bool general = source->stride == DICT_GENERAL;
    ItemArray *removed = item_array_new(th, n);
    if (removed == NULL)
        return FAILED;
    bool held;
    DictTable *t;
    for (;;) {
        t = dict_table(d);
        held = private ? object_touch_lock_two(th, &d->head, &from->head) : object_lock(&d->head);
        if (UNLIKELY(private && object_shared(&from->head))) {
            unlock_one_or_two(th, &d->head, &from->head, private, held);
            buffer_free(removed);
            *pos = SIZE_MAX;
            return NO;
        }
        if (load_relaxed(&d->table) == t && load_relaxed(&t->used) + n <= t->capacity &&
            (t->stride == DICT_GENERAL || !general))
            break;
        unlock_one_or_two(th, &d->head, &from->head, private, held);
        if (!dict_grow(th, d, t, n, general, NULL)) {
            buffer_free(removed);
            return FAILED;
        }
    }
    Answer answer = YES;
    Value duplicate = NULL;
    int64_t length = load_relaxed(&d->length);
    size_t i = *pos;
    for (size_t used = load_acquire(&source->used), room = n; i < used && room > 0; i++) {
        DictEntry *e = dict_entry(source, i);
        Value key = load_acquire(&e->key), v = load_acquire(&e->value); /* [dict.key, dict.value] */
        if (key == NULL || v == NULL)
            continue;
        room--;
        DictProbe p;
        dict_probe_start(&p, t, dict_entry_hash(source, e, key));
        int r = dict_probe_run(&p, key);
        if (UNLIKELY(r == PROBE_COMPARE)) {
            answer = NO;
            break;
        }
        if (r == PROBE_ABSENT) {
            dict_table_append(t, p.slot, p.hash, retain(th, key), retain(th, v));
            length++;
        } else if (mode == 1) {
            plain_store(&removed->items[put++], load_relaxed(&p.entry->value)); /* ours alone */
            store_release(&p.entry->value, retain(th, v)); /* [dict.value] */
        } else if (mode == 2) {
            duplicate = retain(th, key);
            answer = FAILED;
            break;
        }
    }
    *pos = i;
    store_release(&d->length, length); /* [dict.length] */
    bool shared = object_shared(&d->head);
    unlock_one_or_two(th, &d->head, &from->head, private, held);
    removed->capacity = (int64_t)put;
    item_array_give_up(th, shared, removed);
    if (duplicate != NULL) {
        raise_key_error(th, duplicate);
        drop(th, duplicate);
    }
    return answer;
}

/* Merges a dict whose iteration nobody overrode. */
RAISES static bool
dict_merge_dict(Thread *th, Dict *d, Dict *other, int mode)
{
    object_touch(th, &d->head);
    object_touch(th, &other->head);
    if (d == other || load_acquire(&other->length) == 0) /* [dict.length] */
        return true;
    if (dict_table(d) == DICT_EMPTY) { /* take a copy of the table, if d still is empty then */
        size_t n;
        DictTable *t = dict_clone_table(th, other, &n);
        if (t == NULL)
            return false;
        bool held = object_lock(&d->head);
        bool empty = load_relaxed(&d->table) == DICT_EMPTY;
        if (empty) {
            store_release(&d->table, t);           /* [dict.table] */
            store_release(&d->length, (int64_t)n); /* [dict.length] */
        }
        object_unlock(&d->head, held);
        if (empty)
            return true;
        dict_table_give_up(th, false, t);
    }
    Value copy = NULL;
    size_t pos = SIZE_MAX;
    Answer all = NO;
    if (!object_shared(&other->head)) {
        pos = 0;
        all = dict_merge_at_once(th, d, other, true, &pos, mode);
    }
    if (pos == SIZE_MAX) { /* one moment of it */
        copy = dict_copy(th, value_of(other));
        if (copy == NULL)
            return false;
        other = as_dict(copy);
        pos = 0;
        all = dict_merge_at_once(th, d, other, false, &pos, mode);
    }
    Value key, v;
    int64_t hash, length = load_acquire(&other->length); /* [dict.length] */
    bool ok = all != FAILED;
    while (ok && all == NO && dict_next_entry(th, other, &pos, &key, &v, &hash)) {
        ok = dict_merge_item(th, d, key, hash, v, mode);
        if (ok && UNLIKELY(load_acquire(&other->length) != length)) { /* [dict.length] */
            raise_error(th, &exc_RuntimeError, "dict mutated during update");
            ok = false;
        }
    }
    drop_null(th, copy);
    return ok;
}

bool
dict_merge(Thread *th, Value d, Value other, int mode)
{
    if (is_dict(other) && SLOT(type_of(other), iter) == SLOT(&dict_type, iter))
        return dict_merge_dict(th, as_dict(d), as_dict(other), mode);
    Value keys = call_method_0(th, other, NAME(keys));
    if (keys == NULL)
        return false;
    Value it = get_iter(th, keys);
    drop(th, keys);
    if (it == NULL)
        return false;
    bool ok = true;
    for (size_t step = 0; ok; step++) {
        Value key = iter_next(th, it);
        if (key == NULL) {
            ok = !error_set(th);
            break;
        }
        int64_t hash;
        ok = value_hash(th, key, &hash);
        if (ok && mode != 1) {
            Value present;
            Answer found = dict_lookup(th, as_dict(d), key, hash, &present);
            if (found == YES)
                drop(th, present);
            if (found == YES && mode == 0) {
                drop(th, key);
                continue;
            }
            if (found == YES)
                raise_key_error(th, key);
            ok = found == NO;
        }
        Value v = ok ? get_item(th, other, key) : NULL;
        ok = v != NULL && dict_insert(th, as_dict(d), retain(th, key), hash, v, mode != 1,
                                      NULL) != FAILED;
        drop(th, key);
        ok = ok && loop_poll(th, step);
    }
    drop(th, it);
    return ok;
}

/* Adds the pairs that an iterable yields. */
RAISES static bool
dict_merge_pairs(Thread *th, Value d, Value iterable)
{
    Value it = get_iter(th, iterable);
    if (it == NULL)
        return false;
    for (size_t i = 0;; i++) {
        Value item = iter_next(th, it);
        if (item == NULL)
            break;
        Value pair = sequence_fast(th, item, "");
        drop(th, item);
        if (pair == NULL) {
            if (error_matches(th, &exc_TypeError)) {
                error_clear(th);
                raise_type_error(
                    th, "cannot convert dictionary update sequence element #%zu to a sequence", i);
            }
            break;
        }
        size_t n;
        Value key = NULL, v = NULL;
        if (is_tuple(pair)) {
            n = (size_t)tuple_length(pair);
            if (n == 2) {
                key = retain(th, tuple_item(pair, 0));
                v = retain(th, tuple_item(pair, 1));
            }
        } else {
            ItemArray *a = list_snapshot(th, pair, &n);
            if (a != NULL && n == 2) {
                key = plain_load(&a->items[0]); /* plain: ours alone */
                v = plain_load(&a->items[1]);
                buffer_free(a);
            } else {
                item_array_give_up(th, false, a);
                if (a == NULL) {
                    drop(th, pair);
                    break;
                }
            }
        }
        drop(th, pair);
        if (key == NULL) {
            raise_value_error(th,
                              "dictionary update sequence element #%zu has length %zu; 2 is required",
                              i, n);
            break;
        }
        if (!dict_set_steal(th, d, key, v) || !loop_poll(th, i))
            break;
    }
    drop(th, it);
    return !error_set(th);
}

bool
dict_update(Thread *th, Value d, Value other)
{
    if (is_exact(other, SHAPE_DICT))
        return dict_merge(th, d, other, 1);
    Value keys;
    Answer mapping = get_attr_optional(th, other, NAME(keys), &keys);
    if (mapping == FAILED)
        return false;
    if (mapping == NO)
        return dict_merge_pairs(th, d, other);
    drop(th, keys);
    return dict_merge(th, d, other, 1);
}

/* -- equality -- */

/* Puts a copy of its own in *d's place. */
RAISES static bool
dict_settle(Thread *th, Value *d)
{
    Value copy = dict_copy(th, *d);
    if (copy == NULL)
        return false;
    drop(th, *d);
    *d = copy;
    return true;
}

/* Compares entries of `a` from *pos on as far as that needs no Python code and both are private and
 * compact.  YES: `b` has all of them; NO: not; FAILED, with no exception: the one at *pos must be
 * compared in the general way. */
static Answer
dict_equal_at_once(Dict *a, Dict *b, size_t *pos)
{
    DictTable *t = dict_table(a), *u = dict_table(b);
    if (t->stride != DICT_COMPACT || u->stride != DICT_COMPACT || object_shared(&a->head) ||
        object_shared(&b->head))
        return FAILED;
    size_t used = load_relaxed(&t->used), others = load_relaxed(&u->used);
    for (size_t i = *pos; i < used; i++) {
        DictEntry *e = dict_entry(t, i);
        Value k = load_relaxed(&e->key), v = load_relaxed(&e->value);
        if (k == NULL || v == NULL)
            continue;
        DictEntry *f = i < others ? dict_entry(u, i) : NULL; /* the same place as a rule */
        if (f == NULL || load_relaxed(&f->key) != k || load_relaxed(&f->value) == NULL)
            f = dict_compact_find(u, k, dict_entry_hash(t, e, k));
        Value w = f != NULL ? load_relaxed(&f->value) : NULL;
        Answer equal = w != NULL ? quick_equal(v, w) : NO;
        if (equal != YES) {
            *pos = i;
            return equal;
        }
    }
    return YES;
}

Answer
dict_equal(Thread *th, Value a, Value b)
{
    if (dict_length(a) != dict_length(b))
        return NO;
    if (a == b && dict_length(a) == 0)
        return YES;
    object_touch(th, value_object(a));
    object_touch(th, value_object(b));
    retain(th, a);
    retain(th, b);
    size_t pos = 0;
    Value key, x, y;
    int64_t hash;
    Answer answer = YES;
    bool settled = false; /* nobody else can change a and b */
    while (answer == YES) {
        Answer all = dict_equal_at_once(as_dict(a), as_dict(b), &pos);
        /* One moment of each: what another thread knows, or may come to know while Python code runs, is copied.
         * Up to here none ran (or this was the only thread), so it begins again. */
        if (!settled && load_relaxed(&threads_started) != 0 &&
            (all == FAILED || object_shared(value_object(a)) || object_shared(value_object(b)))) {
            settled = true;
            pos = 0;
            answer = !dict_settle(th, &a) || !dict_settle(th, &b) ? FAILED
                     : dict_length(a) == dict_length(b)           ? YES
                                                                  : NO;
            continue;
        }
        if (all != FAILED) {
            answer = all;
            break;
        }
        if (!dict_next_entry(th, as_dict(a), &pos, &key, &x, &hash))
            break;
        answer = dict_lookup(th, as_dict(b), key, hash, &y);
        drop(th, key);
        if (answer == YES) {
            answer = items_equal(th, x, y);
            drop(th, y);
        }
        drop(th, x);
    }
    drop(th, a);
    drop(th, b);
    return answer;
}
