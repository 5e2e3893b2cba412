/* type_lookup.c -- finding attributes along the MRO; lookup tables, guards and their end.
 *
 * Each type has a lookup table: name -> what the MRO gives for it (or "nothing").  A
 * table holds counted references to names and values.  It is read without locks: an
 * entry's name is stored once, its value may change between known and unknown (NULL).
 *
 * What is cached -- table entries, guards in shape_version[] and type->version -- is
 * right because of this protocol (rules C3, C4):
 *  - who changes a type calls type_modify_begin() first: types_modifying and types_epoch
 *    are raised, then, under types_lock, the entries of that name are made unknown and
 *    the guards zero, in the type and all below it; type_modify_end() lowers
 *    types_modifying when the change is done.
 *  - a mild change (neither the old nor the new value is a data descriptor, the name is no
 *    dunder) leaves guards alone unless an inline cache holds that very name's value: the
 *    entry says so (WATCHED_).  So a class that counts its instances keeps its caches.
 *  - who fills reads types_epoch, then that types_modifying is 0, looks up, and stores
 *    under types_lock only if types_epoch is still the same.
 * So no entry made from the old state survives the change, and none is made during it.
 *
 * Locks: types_lock.  Values that leave a table are retired (readers hold them uncounted
 * until they have counted them).
 */
#include "objects/model/type_priv.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/vec.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

ByteLock types_lock;

/* Low 20 bits: types_modifying, how many changes are not yet done; above: types_epoch, how many
 * have begun.  It wraps after weeks at ten million a second: no filler takes that long. */
static ATOMIC(uint64_t) types_state;
#define STATE_MODIFYING ((uint64_t)1)
#define STATE_EPOCH ((uint64_t)1 << 20)
#define STATE_BEGIN (STATE_EPOCH + STATE_MODIFYING)

static inline uint64_t
types_epoch(void)
{
    return load_seq_cst(&types_state) / STATE_EPOCH;
}

static inline bool
types_quiet(void)
{
    return load_seq_cst(&types_state) % STATE_EPOCH == 0;
}

/* types_lock; not needed (there is no safepoint inside) while there is one thread. */
static inline bool
lock_types(void)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    byte_lock(&types_lock);
    return true;
}

static inline void
unlock_types(bool held)
{
    if (held)
        byte_unlock(&types_lock);
}

/* What an entry holds for a name that no type of the MRO has. */
static struct Object absent_object __attribute__((aligned(16))) = STATIC_OBJECT(SHAPE_OBJECT);
#define ABSENT value_of(&absent_object)

typedef struct LookupEntry {
    ATOMIC(Value) name;  /* counted; set once */
    ATOMIC(Value) value; /* counted, ABSENT, or NULL: unknown */
    uint8_t watched;     /* [lock] WATCHED_ bits: inline caches hold the value */
    uint8_t kills;       /* [lock] how often such caches were in vain */
} LookupEntry;

enum { WATCHED_BY_SHAPE = 1, WATCHED_BY_TYPE = 2, KILLS_MAX = 8 };

typedef struct LookupTable {
    uint32_t mask;
    ATOMIC(uint32_t) count; /* [lock] names */
    LookupEntry entries[];
} LookupTable;

enum { TABLE_FIRST = 16, TABLE_MAX = 2048 };

typedef VEC(Value) ValueVec;

static void
table_free(Thread *th, void *p)
{
    LookupTable *t = p;
    for (uint32_t i = 0; i <= t->mask; i++) {
        drop_null(th, plain_load(&t->entries[i].name)); /* nobody reads it any more */
        drop_null(th, plain_load(&t->entries[i].value));
    }
    free(t);
}

static inline size_t
table_bytes(const LookupTable *t)
{
    return sizeof *t + ((size_t)t->mask + 1) * sizeof(LookupEntry);
}

static LookupEntry *
table_find(LookupTable *t, Value name)
{
    for (uint32_t i = name_hash_word(name);; i++) {
        LookupEntry *e = &t->entries[i & t->mask];
        Value have = load_acquire(&e->name); /* pairs with table_put() */
        if (have == name)
            return e;
        if (have == NULL)
            return NULL;
    }
}

/* An unknown entry for a name that the table does not have.  types_lock is held. */
static LookupEntry *
table_put(Thread *th, LookupTable *t, Value name)
{
    uint32_t i = name_hash_word(name);
    while (load_relaxed(&t->entries[i & t->mask].name) != NULL)
        i++;
    LookupEntry *e = &t->entries[i & t->mask];
    store_release(&e->name, retain(th, name)); /* pairs with table_find() */
    store_relaxed(&t->count, load_relaxed(&t->count) + 1);
    return e;
}

static inline bool
table_is_full(const LookupTable *t)
{
    return (load_relaxed(&t->count) + 1) * 4 > (t->mask + 1) * 3;
}

/* Whether inline caches hold most of what the table has.  types_lock is held. */
static bool
table_is_watched(const LookupTable *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i <= t->mask; i++)
        n += t->entries[i].watched != 0;
    return n > t->mask / 2;
}

/* Remembers what `name` is in `type`: `v` or NULL for nothing, found when types_epoch was
 * `epoch`. */
static void
cache_fill(Thread *th, Type *type, Value name, Value v, uint64_t epoch)
{
    TypeExtra *x = type->extra;
    LookupTable *table = load_acquire(&x->cache);
    LookupTable *fresh = NULL;
    bool purge = false;
    if (table == NULL || table_is_full(table)) {
        uint32_t size = TABLE_FIRST;
        if (table)
            size = (table->mask + 1) * 2;
        if (size > TABLE_MAX) { /* odd names by the thousand: only those are kept that must be */
            size = TABLE_MAX;
            purge = true;
        }
        fresh = calloc(1, sizeof *fresh + size * sizeof(LookupEntry));
        if (fresh == NULL)
            return;
        fresh->mask = size - 1;
    }
    Value old = NULL;
    LookupTable *gone = NULL;
    bool held = lock_types();
    if (types_epoch() == epoch && load_relaxed(&x->cache) == table &&
        !(purge && table_is_watched(table))) {
        if (fresh) {
            for (uint32_t i = 0; table && i <= table->mask; i++) {
                Value n = load_relaxed(&table->entries[i].name);
                Value known = load_relaxed(&table->entries[i].value);
                if (n && (purge ? table->entries[i].watched : known || table->entries[i].kills)) {
                    LookupEntry *e = table_put(th, fresh, n);
                    plain_store(&e->value, retain_null(th, known)); /* not yet published */
                    e->watched = table->entries[i].watched;
                    e->kills = table->entries[i].kills;
                }
            }
            gone = table;
            table = fresh;
            store_release(&x->cache, fresh); /* pairs with lookup_cached() */
            fresh = NULL;
        }
        LookupEntry *e = table_find(table, name);
        if (e == NULL && !table_is_full(table)) /* others may have filled it meanwhile */
            e = table_put(th, table, name);
        if (e != NULL) {
            old = load_relaxed(&e->value);
            store_release(&e->value, retain(th, v ? v : ABSENT));
        }
    }
    unlock_types(held);
    free(fresh);
    if (gone)
        retire_memory(th, gone, table_bytes(gone), table_free);
    if (old)
        retire(th, old);
}

void
type_lookup_forget(Thread *th, Type *type)
{
    LookupTable *t = exchange_acq_rel(&type->extra->cache, NULL);
    if (t)
        retire_memory(th, t, table_bytes(t), table_free);
}

void
static_types_forget(Thread *th)
{
    for (size_t i = 0; all_static_types[i]; i++)
        type_lookup_forget(th, all_static_types[i]);
}

void
type_lookup_visit(Type *type, VisitFn visit, void *arg)
{
    LookupTable *t = type->extra ? plain_load(&type->extra->cache) : NULL; /* stopped */
    for (uint32_t i = 0; t && i <= t->mask; i++) {
        Value v = plain_load(&t->entries[i].value);
        if (v && v != ABSENT)
            visit(v, arg);
    }
}

/* -- looking up -- */

Type *
type_lookup_where(Thread *th, Type *type, Value name, Value *out)
{
    *out = NULL;
    Value mro = field_read(th, &type->ops.head, &type->mro);
    if (mro == NULL) /* being made: its bases are all there is */
        return NULL;
    Type *where = NULL;
    int64_t n = tuple_length(mro);
    for (int64_t i = 0; i < n; i++) {
        Type *t = as_type(tuple_item(mro, i));
        Value d = field_peek(&t->dict); /* kept by t, which the mro keeps */
        if (d == NULL)
            continue;
        Answer there = dict_get_name(th, d, name, out);
        if (there == YES)
            where = t;
        if (there != NO)
            break;
    }
    drop(th, mro);
    return where;
}

/* The slow half: walks the MRO.  A new reference or NULL. */
static Value
lookup_slow(Thread *th, Type *type, Value name)
{
    uint64_t epoch = types_epoch();
    bool quiet = types_quiet() && (type_flags(type) & TYPE_READY) != 0;
    Value pending = th->error; /* a key's __eq__ may fail: that is no error of the lookup */
    th->error = NULL;
    Value v;
    type_lookup_where(th, type, name, &v);
    if (UNLIKELY(th->error != NULL)) {
        error_clear(th);
        quiet = false;
    }
    th->error = pending;
    if (quiet && str_is_interned(name))
        cache_fill(th, type, name, v, epoch);
    return v;
}

static inline Value
lookup_cached(Type *type, Value name)
{
    LookupTable *t = load_acquire(&type->extra->cache); /* pairs with cache_fill() */
    if (t == NULL)
        return NULL;
    LookupEntry *e = table_find(t, name);
    return e ? load_acquire(&e->value) : NULL; /* pairs with cache_fill() */
}

Value
type_lookup(Thread *th, Type *type, Value name)
{
    Value v = lookup_cached(type, name);
    if (LIKELY(v != NULL))
        return v == ABSENT ? NULL : retain(th, v);
    return lookup_slow(th, type, name);
}

bool
type_lookup_quiet(Thread *th, Type *type, Value name, Value *v)
{
    *v = lookup_cached(type, name);
    if (LIKELY(*v != NULL)) {
        *v = *v == ABSENT ? NULL : retain(th, *v);
        return true;
    }
    uint64_t epoch = types_epoch();
    bool quiet = types_quiet() && (type_flags(type) & TYPE_READY) != 0;
    Value mro = field_read(th, &type->ops.head, &type->mro);
    Answer found = NO;
    for (int64_t i = 0, n = mro ? tuple_length(mro) : 0; found == NO && i < n; i++) {
        Value d = field_peek(&as_type(tuple_item(mro, i))->dict);
        if (d != NULL)
            found = dict_get_str_quiet(th, d, name, v);
    }
    drop_null(th, mro);
    if (quiet && found != FAILED && str_is_interned(name))
        cache_fill(th, type, name, *v, epoch);
    return found != FAILED;
}

BORROWED Value
type_lookup_borrowed(Thread *th, Type *type, Value name)
{
    Value v = lookup_cached(type, name);
    if (LIKELY(v != NULL))
        return v == ABSENT ? NULL : v;
    v = lookup_slow(th, type, name);
    /* The dict that holds it is shared: were it removed meanwhile, it is only retired. */
    drop_null(th, v);
    return v;
}

Value
type_lookup_after(Thread *th, Type *type, Type *after, Value name)
{
    Value mro = field_read(th, &type->ops.head, &type->mro);
    if (mro == NULL)
        return NULL;
    int64_t n = tuple_length(mro);
    int64_t i = 0;
    while (i < n && as_type(tuple_item(mro, i)) != after)
        i++;
    Value v = NULL;
    for (i++; i < n && v == NULL; i++) {
        Value d = field_peek(&as_type(tuple_item(mro, i))->dict);
        if (d)
            v = dict_get_str(th, d, name);
    }
    drop(th, mro);
    return v;
}

bool
type_is_subtype(Type *t, Type *base)
{
    if (t == base)
        return true;
    Value mro = field_peek(&t->mro); /* no safepoint below */
    if (mro == NULL) {
        for (t = type_base(t); t; t = type_base(t)) {
            if (t == base)
                return true;
        }
        return base == &object_type;
    }
    int64_t n = tuple_length(mro);
    for (int64_t i = 1; i < n; i++) {
        if (as_type(tuple_item(mro, i)) == base)
            return true;
    }
    return n > 0 && as_type(tuple_item(mro, 0)) == base;
}

/* -- guards -- */

/* Whose guard it is, for those given lately. */
static struct GuardHome {
    ATOMIC(uint32_t) guard; /* a hint where read without lock */
    uint8_t watch; /* WATCHED_BY_SHAPE, WATCHED_BY_TYPE */
    Type *type;
} guard_homes[8192]; /* [lock] types_lock */

static inline struct GuardHome *
guard_home(uint32_t guard)
{
    return &guard_homes[guard % ARRAY_LEN(guard_homes)];
}

/* Gives `cell` a guard if it has none.  `type`: whose lookups it stands for. */
static uint32_t
guard_give(Type *type, uint32_t *cell, uint8_t watch)
{
    uint32_t g = __atomic_load_n(cell, __ATOMIC_ACQUIRE);
    if (g != 0 && load_relaxed(&guard_home(g)->guard) == g) /* attr_cache_index() looks again */
        return g;
    if ((type_flags(type) & TYPE_READY) == 0)
        return 0;
    g = 0;
    bool held = lock_types();
    if (types_quiet()) {
        g = __atomic_load_n(cell, __ATOMIC_RELAXED);
        if (g == 0) {
            g = guard_new();
            store_relaxed(&type->extra->guarded, (uint8_t)1);
            __atomic_store_n(cell, g, __ATOMIC_RELEASE);
        }
        struct GuardHome *home = guard_home(g);
        store_relaxed(&home->guard, g);
        home->watch = watch;
        home->type = type;
    }
    unlock_types(held);
    return g;
}

uint32_t
shape_guard(Thread *th, uint32_t shape)
{
    (void)th;
    return guard_give(type_at(shape), &shape_version[shape].raw_, WATCHED_BY_SHAPE);
}

uint32_t
type_guard(Thread *th, Type *type)
{
    (void)th;
    return guard_give(type, &type->version.raw_, WATCHED_BY_TYPE);
}

/* -- attr_cache: values for the payloads of inline caches --
 *
 * Entry i holds what its guard's type has under some name, uncounted: as long as the guard
 * is valid the type's dict holds the value.  Entries are handed out one after the other;
 * when they run short, those whose guards are dead are collected and come back a grace
 * period later (a reader that compared a guard before it died may still look). */

Field attr_cache[ATTR_CACHE_MAX];
static uint32_t attr_cache_guard[ATTR_CACHE_MAX]; /* [lock] attr_lock */
static ByteLock attr_lock;
static uint32_t attr_next = 1;                    /* [lock] attr_lock */
static VEC(uint32_t) attr_free;                   /* [lock] attr_lock */
static uint32_t attr_swept_at;                    /* [lock] attr_lock; guard_new() mark */
static bool attr_sweeping;                        /* [lock] attr_lock */

static struct AttrMemo {
    uint32_t guard, index;
    Value name, value;
} attr_memo[4096]; /* [lock] attr_lock; the last index for a guard and name */

typedef struct FreeBatch {
    size_t count;
    uint32_t indices[];
} FreeBatch;

static void
attr_batch_done(Thread *th, void *p)
{
    (void)th;
    FreeBatch *b = p;
    byte_lock(&attr_lock);
    for (size_t i = 0; i < b->count; i++)
        (void)vec_push(&attr_free, b->indices[i]); /* no memory: the entry is lost */
    attr_sweeping = false;
    byte_unlock(&attr_lock);
    free(b);
}

static int
compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Collects entries of dead guards. */
static void
attr_sweep(Thread *th)
{
    enum { STEP = 64 };
    VEC(uint32_t) live = VEC_INIT;
    bool complete = true;
    bool held = lock_types();
    uint32_t fresh = guard_end(); /* those from here on may be given to what the walk has passed */
    unlock_types(held);
    for (uint32_t i = 1, end = shape_index_end(); i < end && complete; i += STEP) {
        complete = vec_reserve(&live, STEP * 2);
        held = lock_types(); /* pairs with shapes_free(): no type goes meanwhile */
        for (uint32_t k = i; k < end && k < i + STEP && complete; k++) {
            TypeOps *ops = __atomic_load_n(&shape_type[k], __ATOMIC_ACQUIRE);
            if (ops == NULL)
                continue;
            uint32_t g = load_relaxed(&shape_version[k]);
            if (g != 0)
                live.items[live.count++] = g;
            g = load_relaxed(&((Type *)(void *)ops)->version);
            if (g != 0)
                live.items[live.count++] = g;
        }
        unlock_types(held);
    }
    FreeBatch *batch = NULL;
    if (complete) {
        qsort(live.items, live.count, sizeof(uint32_t), compare_u32);
        batch = malloc(sizeof *batch + ATTR_CACHE_MAX * sizeof(uint32_t));
    }
    if (batch) {
        batch->count = 0;
        byte_lock(&attr_lock);
        for (uint32_t i = 1; i < attr_next; i++) {
            uint32_t g = attr_cache_guard[i];
            if (g != 0 && g < fresh && !bsearch(&g, live.items, live.count, sizeof g, compare_u32)) {
                attr_cache_guard[i] = 0;
                batch->indices[batch->count++] = i;
            }
        }
        byte_unlock(&attr_lock);
        retire_memory(th, batch, sizeof *batch + batch->count * sizeof(uint32_t),
                      attr_batch_done);
    }
    vec_free(&live);
}

/* Notes that an inline cache is to hold `v` for `name`; false: it must not, because a
 * change has come between the lookup and now, or because such caches were in vain. */
static bool
watch_name(uint32_t guard, Value name, Value v)
{
    bool ok = false;
    bool held = lock_types();
    struct GuardHome *home = guard_home(guard);
    if (load_relaxed(&home->guard) == guard && types_quiet()) {
        LookupTable *t = load_relaxed(&home->type->extra->cache);
        LookupEntry *e = t ? table_find(t, name) : NULL;
        if (e && load_relaxed(&e->value) == v && e->kills < KILLS_MAX) {
            e->watched |= home->watch;
            ok = true;
        }
    }
    unlock_types(held);
    return ok;
}

uint32_t
attr_cache_index(Thread *th, uint32_t guard, Value name, Value v)
{
    if (guard == 0 || !watch_name(guard, name, v))
        return 0;
    struct AttrMemo *memo = &attr_memo[(name_hash_word(name) ^ guard) % ARRAY_LEN(attr_memo)];
    bool sweep = false;
    uint32_t index = 0;
    byte_lock(&attr_lock);
    if (memo->guard == guard && memo->name == name && memo->value == v) {
        index = memo->index;
    } else {
        if (attr_free.count != 0) {
            index = vec_pop(&attr_free);
        } else if (attr_next < ATTR_CACHE_MAX) {
            index = attr_next++;
        }
        if (attr_next > ATTR_CACHE_MAX / 4 * 3 && attr_free.count < 1024 && !attr_sweeping &&
            guard - attr_swept_at > 65536) {
            attr_sweeping = sweep = true;
            attr_swept_at = guard;
        }
        if (index != 0) {
            attr_cache_guard[index] = guard;
            store_release(&attr_cache[index], v); /* pairs with the evaluator's load */
            *memo = (struct AttrMemo){guard, index, name, v};
        }
    }
    byte_unlock(&attr_lock);
    if (sweep)
        attr_sweep(th);
    return index;
}

/* -- changing -- */

typedef struct Forget {
    Value name;
    bool mild;
    Value first;       /* the first value that leaves; the others: */
    ValueVec values;   /* leave the tables */
    VEC(LookupTable *) tables;
} Forget;

/* types_lock is held. */
static void
forget_in(Type *t, void *arg)
{
    Forget *f = arg;
    TypeExtra *x = t->extra;
    LookupTable *table = load_relaxed(&x->cache);
    LookupEntry *e = table && f->name ? table_find(table, f->name) : NULL;
    uint8_t watched = e ? e->watched : 0;
    if (watched) {
        e->watched = 0;
        e->kills += e->kills < KILLS_MAX;
    }
    if (load_relaxed(&x->guarded)) {
        if (!f->mild || (watched & WATCHED_BY_TYPE))
            store_seq_cst(&t->version, 0u);
        if (!f->mild || (watched & WATCHED_BY_SHAPE)) {
            for (Shape *s = load_acquire(&x->shapes); s; s = s->next)
                store_seq_cst(&shape_version[s->number], 0u);
        }
        if (!f->mild)
            store_relaxed(&x->guarded, (uint8_t)0);
    }
    if (table == NULL)
        return;
    if (f->name) {
        Value old = e ? load_relaxed(&e->value) : NULL;
        if (old) {
            store_release(&e->value, (Value)NULL);
            if (old != ABSENT && f->first == NULL)
                f->first = old;
            else if (old != ABSENT)
                (void)vec_push(&f->values, old); /* no memory: a reference is lost */
        }
    } else {
        store_release(&x->cache, (LookupTable *)NULL);
        (void)vec_push(&f->tables, table);
    }
}

/* Where there is no memory for a list of types to visit. */
static void
tree_by_recursion(Type *type, void (*fn)(Type *t, void *arg), void *arg)
{
    fn(type, arg);
    for (uint32_t i = 0; i < type->extra->sub_count; i++)
        tree_by_recursion(type->extra->subs[i], fn, arg);
}

void
type_tree_locked(Type *type, void (*fn)(Type *t, void *arg), void *arg)
{
    if (__atomic_load_n(&type->extra->sub_count, __ATOMIC_RELAXED) == 0) {
        fn(type, arg);
        return;
    }
    VEC(Type *) todo = VEC_INIT;
    if (!vec_push(&todo, type))
        tree_by_recursion(type, fn, arg);
    while (todo.count) {
        Type *t = vec_pop(&todo);
        if (!vec_reserve(&todo, t->extra->sub_count)) {
            tree_by_recursion(t, fn, arg);
            continue;
        }
        fn(t, arg);
        for (uint32_t i = 0; i < t->extra->sub_count; i++)
            (void)vec_push(&todo, t->extra->subs[i]);
    }
    vec_free(&todo);
}

/* Guards of type objects whose metatype changes. */
static void
forget_by_metatype(Type *t, void *arg)
{
    (void)arg;
    if (load_relaxed(&t->version) != 0)
        store_seq_cst(&t->version, 0u);
}

static void
modify_begin(Thread *th, Type *type, Value name, bool mild)
{
    Forget f = {.name = name, .mild = mild};
    bool held = lock_types();
    if (held)
        (void)fetch_add_seq_cst(&types_state, STATE_BEGIN);
    else
        store_relaxed(&types_state, load_relaxed(&types_state) + STATE_BEGIN);
    type_tree_locked(type, forget_in, &f);
    if (!mild && (type_flags(type) & TYPE_TYPE_SUBCLASS))
        type_tree_locked(&object_type, forget_by_metatype, NULL);
    unlock_types(held);
    if (f.first)
        retire(th, f.first);
    for (size_t i = 0; i < f.values.count; i++)
        retire(th, f.values.items[i]);
    for (size_t i = 0; i < f.tables.count; i++)
        retire_memory(th, f.tables.items[i], table_bytes(f.tables.items[i]), table_free);
    vec_free(&f.values);
    vec_free(&f.tables);
}

void
type_modify_begin(Thread *th, Type *type, Value name)
{
    modify_begin(th, type, name, false);
}

void
type_modify_begin_mild(Thread *th, Type *type, Value name)
{
    modify_begin(th, type, name, true);
}

void
type_modify_end(Thread *th)
{
    (void)th;
    if (load_relaxed(&threads_started))
        (void)__atomic_fetch_sub(&types_state.raw_, STATE_MODIFYING, __ATOMIC_SEQ_CST);
    else
        store_relaxed(&types_state, load_relaxed(&types_state) - STATE_MODIFYING);
}

void
type_modified(Thread *th, Type *type, Value name)
{
    type_modify_begin(th, type, name);
    type_modify_end(th);
    if (name == NULL || slot_name_is_dunder(name))
        slots_update_tree(th, type, name);
}

/* -- the lists of subclasses -- */

/* Room for one more entry; types_lock is held. */
static bool
subclass_reserve(TypeExtra *x)
{
    if (x->sub_count < x->sub_capacity)
        return true;
    uint32_t capacity = x->sub_capacity ? x->sub_capacity * 2 : 4;
    Type **grown = realloc(x->subs, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    x->subs = grown;
    x->sub_capacity = capacity;
    return true;
}

/* Removes `sub` from the lists of `bases`; types_lock is held. */
static void
subclass_remove(Value bases, Type *sub)
{
    for (int64_t k = 0; bases && k < tuple_length(bases); k++) {
        TypeExtra *x = as_type(tuple_item(bases, k))->extra;
        for (uint32_t i = 0; x && i < x->sub_count; i++) {
            if (x->subs[i] == sub) {
                __atomic_store_n(&x->sub_count, x->sub_count - 1, __ATOMIC_RELAXED);
                memmove(x->subs + i, x->subs + i + 1, (x->sub_count - i) * sizeof *x->subs);
                break;
            }
        }
    }
}

bool
type_subclass_relink(Thread *th, Type *sub)
{
    object_mark_weak(th, &sub->ops.head);
    for (;;) {
        Value bases = field_read(th, &sub->ops.head, &sub->bases);
        bool held = lock_types();
        if (field_peek(&sub->bases) != bases) { /* assigned again meanwhile */
            unlock_types(held);
            drop(th, bases);
            continue;
        }
        Value old = sub->extra->linked;
        if (old == bases) {
            unlock_types(held);
            drop(th, bases);
            return true;
        }
        int64_t n = tuple_length(bases);
        bool ok = true;
        for (int64_t i = 0; ok && i < n; i++)
            ok = subclass_reserve(as_type(tuple_item(bases, i))->extra);
        if (ok) {
            subclass_remove(old, sub);
            for (int64_t i = 0; i < n; i++) {
                TypeExtra *x = as_type(tuple_item(bases, i))->extra;
                x->subs[x->sub_count] = sub;
                __atomic_store_n(&x->sub_count, x->sub_count + 1, __ATOMIC_RELAXED);
            }
            sub->extra->linked = bases;
        }
        unlock_types(held);
        drop_null(th, ok ? old : bases);
        if (!ok)
            raise_memory(th);
        return ok;
    }
}

void
type_subclass_unlink(Thread *th, Type *sub)
{
    TypeExtra *x = sub->extra;
    bool held = lock_types();
    Value old = x->linked;
    x->linked = NULL;
    subclass_remove(old, sub);
    unlock_types(held);
    drop_null(th, old);
}

/* New references to the direct subclasses that this interpreter sees, in the order made. */
Value
type_subclasses_list(Thread *th, Type *type)
{
    TypeExtra *x = type->extra;
    ValueVec found = VEC_INIT;
    for (;;) {
        bool held = lock_types();
        uint32_t n = x->sub_count;
        if (n > found.capacity) { /* room is made outside the lock */
            unlock_types(held);
            if (!vec_reserve(&found, n + 8))
                return raise_memory(th);
            continue;
        }
        for (uint32_t i = 0; i < n; i++) {
            Type *t = x->subs[i];
            if ((t->extra->interp == NULL || t->extra->interp == th->interp) &&
                (type_flags(t) & TYPE_READY) && object_try_retain(th, &t->ops.head))
                found.items[found.count++] = value_of_type(t);
        }
        unlock_types(held);
        break;
    }
    Value list = list_of(th, found.items, found.count);
    for (size_t i = 0; i < found.count; i++)
        drop(th, found.items[i]);
    vec_free(&found);
    return list;
}
