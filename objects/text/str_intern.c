/* str_intern.c -- the table of interned strs: one for the process.
 *
 * Open addressing, linear probing.  Entries are uncounted pointers, so an interned str
 * dies like any other: it is marked weak before it is published (rules C7), and its
 * dealloc takes it out under the lock; its cell is freed a grace period later.
 *
 *     operation   against lookup                         against insert, forget
 *     lookup      free                                   free: acquire loads
 *     insert      an entry is published by one release   the lock; looks again under it
 *     forget      an entry becomes GONE                  the lock
 *     grow        a new table is published by a release; the old one is retired
 *
 * A lookup that meets a dying str fails to retain it and goes on.  A str found is
 * counted before anything else happens.  Lock: intern_lock, a leaf.
 */
#include "objects/text/text_priv.h"

#include "gc/reclaim.h"

typedef struct InternTable {
    size_t mask;                 /* [const] */
    size_t used;                 /* [lock] entries that are not NULL, GONE included */
    ATOMIC(Str *) entries[];     /* [lock], read without */
} InternTable;

#define INTERN_FIRST 4096

/* What a removed entry leaves; never looked into. */
static Str gone_entry;
#define GONE (&gone_entry)

static ByteLock intern_lock;
static ATOMIC(InternTable *) intern_table; /* [lock], read without; replaced ones are retired */
static size_t intern_live;                 /* [lock] */

static InternTable *
table_new(size_t capacity)
{
    InternTable *t = mem_alloc_zeroed(sizeof *t + capacity * sizeof t->entries[0]);
    if (t != NULL) {
        t->mask = capacity - 1;
    }
    return t;
}

bool
intern_init(void)
{
    InternTable *t = table_new(INTERN_FIRST);
    if (t == NULL) {
        return false;
    }
    store_release(&intern_table, t); /* before the first lookup [intern.table] */
    return true;
}

static inline bool
same_text(const Str *e, Chars c)
{
    return (size_t)e->length == c.n && e->width == c.width &&
           memcmp(e->data, c.p, c.n * c.width) == 0;
}

/* The living entry equal to `c`, counted, or NULL. */
static Value
lookup(Thread *th, InternTable *t, Chars c, int64_t hash)
{
    for (size_t i = (size_t)hash & t->mask;; i = (i + 1) & t->mask) {
        Str *e = load_acquire(&t->entries[i]); /* pairs with put() [intern.entries] */
        if (e == NULL) {
            return NULL;
        }
        if (e != GONE && load_relaxed(&e->hash) == hash && same_text(e, c) &&
            object_try_retain(th, &e->head)) {
            return value_of(e);
        }
    }
}

static void
put(InternTable *t, Str *s)
{
    size_t i = (size_t)load_relaxed(&s->hash) & t->mask;
    while (load_relaxed(&t->entries[i]) != NULL) {
        i = (i + 1) & t->mask;
    }
    store_release(&t->entries[i], s); /* pairs with lookup() [intern.entries] */
    t->used++;
}

/* Makes room for one more; returns the table to retire, or NULL.  On no memory the table
 * stays as it is, and *full says whether an entry may not be added.  Takes: intern_lock held. */
static InternTable *
grow_locked(bool *full)
{
    InternTable *t = load_relaxed(&intern_table);
    *full = false;
    if ((t->used + 1) * 3 < (t->mask + 1) * 2) {
        return NULL;
    }
    size_t capacity = t->mask + 1;
    if (intern_live * 3 >= capacity) {
        capacity *= 2;
    }
    InternTable *bigger = table_new(capacity);
    if (bigger == NULL) {
        *full = t->used + 1 >= t->mask;
        return NULL;
    }
    for (size_t i = 0; i <= t->mask; i++) {
        Str *e = load_relaxed(&t->entries[i]);
        if (e != NULL && e != GONE) {
            put(bigger, e);
        }
    }
    store_release(&intern_table, bigger); /* pairs with str_intern() [intern.table] */
    return t;
}

static void
free_table(Thread *th, void *p)
{
    (void)th;
    mem_free(p);
}

Value
str_intern(Thread *th, Value STEALS v)
{
    if (UNLIKELY(!is_exact(v, SHAPE_STR))) {
        Value exact = str_exact(th, v);
        drop(th, v);
        if (exact == NULL) {
            return NULL;
        }
        v = exact;
    }
    Str *s = as_str(v);
    if (load_acquire(&s->interned)) { /* pairs with below [intern.flag] */
        return v;
    }
    int64_t hash = str_hash(v);
    if (hash == 0) { /* "" is one object already */
        drop(th, v);
        return str_empty;
    }
    InternTable *t = load_acquire(&intern_table); /* pairs with grow_locked() [intern.table] */
    Chars c = {s->data, (size_t)s->length, s->width};
    Value found = lookup(th, t, c, hash);
    if (found != NULL) {
        drop(th, v);
        return found;
    }
    object_mark_weak(th, &s->head);
    bool full;
    byte_lock(&intern_lock);
    found = lookup(th, load_relaxed(&intern_table), c, hash);
    if (found != NULL) {
        byte_unlock(&intern_lock);
        if (found == v) { /* another thread interned this very object */
            drop(th, v);
            return found;
        }
        drop(th, v);
        return found;
    }
    InternTable *old = grow_locked(&full);
    if (!full) {
        /* Before others can find it: who finds a str here may rely on the flag.  Pairs with the
         * tests of `interned` [intern.flag] */
        store_release(&s->interned, 1);
        put(load_relaxed(&intern_table), s);
        intern_live++;
    }
    byte_unlock(&intern_lock);
    if (old != NULL) {
        retire_memory(th, old, sizeof *old + (old->mask + 1) * sizeof old->entries[0],
                      free_table);
    }
    if (full) {
        drop(th, v);
        return raise_memory(th);
    }
    return v;
}

void
str_intern_forget(Thread *th, Str *s)
{
    (void)th;
    byte_lock(&intern_lock);
    InternTable *t = load_relaxed(&intern_table);
    for (size_t i = (size_t)load_relaxed(&s->hash) & t->mask;; i = (i + 1) & t->mask) {
        Str *e = load_relaxed(&t->entries[i]);
        if (e == s) {
            store_release(&t->entries[i], GONE);
            intern_live--;
            break;
        }
        if (e == NULL) {
            break;
        }
    }
    byte_unlock(&intern_lock);
}

/* What is there already takes no memory: a MemoryError is reported with the help of such names. */
Value
str_intern_c(Thread *th, const char *text)
{
    size_t n = strlen(text);
    if (n != 0 && utf8_all_ascii((const uint8_t *)text, n)) {
        InternTable *t = load_acquire(&intern_table); /* pairs with grow_locked() [intern.table] */
        Value found = lookup(th, t, (Chars){text, n, 1}, bytes_hash_of(text, n));
        if (found != NULL) {
            return found;
        }
    }
    Value s = str_from_c(th, text);
    return s == NULL ? NULL : str_intern(th, s);
}

Value
str_intern_immortal(Thread *th, const char *text)
{
    Value s = str_intern_c(th, text);
    if (s != NULL) {
        object_make_immortal(value_object(s));
    }
    return s;
}
