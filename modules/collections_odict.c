/* collections_odict.c -- OrderedDict: a dict that keeps its own order of keys.
 *
 * Beside the dict it has a list of nodes, one a key, in order, and a second dict that finds a
 * key's node.  Only OrderedDict's own methods keep them in step: after dict.__delitem__(od, k) the
 * node is left, and iterating over values raises KeyError, as it should.
 *
 * Locks: the list and `state` (which counts changes of the order) are under the object lock; the
 * two dicts look after themselves.  The list counts its nodes, so a node found through a lagging
 * pointer is alive; `linked` says whether it still is in the list.
 *
 * So that threads do not tear dict and list apart, a method that changes both claims the
 * OrderedDict for its thread (od_enter).  Keys may be compared by Python code meanwhile, so it is
 * no lock that could deadlock: who has waited long goes on without.
 */
#include <unistd.h>

#include "modules/collections_priv.h"
#include "gc/holds.h"
#include "threads/blocking.h"
#include "threads/mutex.h"

typedef struct OdNode {
    struct Object head;
    struct OdNode *prev, *next; /* [lock] of the OrderedDict */
    Value key;                  /* [const] */
    int64_t hash;               /* [const] */
    bool linked;                /* [lock] of the OrderedDict */
} OdNode;

typedef struct OrderedDict {
    Dict dict;
    Value nodes;          /* [const] dict: key to OdNode */
    OdNode *first, *last; /* [lock] counted */
    uint64_t state;       /* [lock] */
    ATOMIC(uint32_t) busy; /* number of the thread that is changing it, 0: none */
} OrderedDict;

static inline OrderedDict *
as_od(Value v)
{
    return (OrderedDict *)(void *)value_object(v);
}

static inline OdNode *
as_node(Value v)
{
    return (OdNode *)(void *)value_object(v);
}

static inline Dict *
nodes_of(OrderedDict *od)
{
    return (Dict *)(void *)value_object(od->nodes);
}

static bool
is_od(Value v)
{
    return is_instance_of(v, &ordered_dict_type);
}

RAISES static bool
key_hash(Thread *th, Value key, int64_t *hash)
{
    return to_hash(th, key, hash);
}

/* -- one method at a time -- */

#define ENTER_SPINS 100
#define ENTER_TRIES 20000
#define ENTER_PAUSE 50 /* microseconds */

static NOINLINE bool
od_enter_slow(Thread *th, OrderedDict *od)
{
    for (int tries = 0; tries < ENTER_TRIES; tries++) {
        uint32_t nobody = 0;
        if (cas_acquire(&od->busy, &nobody, th->id)) /* pairs with od_leave() [odict.busy] */
            return true;
        if (nobody == th->id)
            return false;
        if (tries < ENTER_SPINS) {
            safepoint_quiet(th);
            continue;
        }
        blocking_begin(th);
        usleep(ENTER_PAUSE);
        blocking_end(th);
    }
    return false;
}

/* Claims the OrderedDict for this thread; pass the result to od_leave(). */
static inline bool
od_enter(Thread *th, OrderedDict *od)
{
    return UNLIKELY(load_relaxed(&threads_started) != 0) && od_enter_slow(th, od);
}

static inline void
od_leave(OrderedDict *od, bool entered)
{
    if (entered)
        store_release(&od->busy, 0); /* [odict.busy] */
}

/* -- the list -- */

static void
link_locked(OrderedDict *od, OdNode *node, bool at_end)
{
    if (at_end) {
        node->prev = od->last;
        node->next = NULL;
        *(od->last ? &od->last->next : &od->first) = node;
        od->last = node;
    } else {
        node->next = od->first;
        node->prev = NULL;
        *(od->first ? &od->first->prev : &od->last) = node;
        od->first = node;
    }
    node->linked = true;
    od->state++;
}

static void
unlink_locked(OrderedDict *od, OdNode *node)
{
    *(node->prev ? &node->prev->next : &od->first) = node->next;
    *(node->next ? &node->next->prev : &od->last) = node->prev;
    node->prev = node->next = NULL;
    node->linked = false;
    od->state++;
}

/* Gives the key a node at the end if it has none. */
RAISES static bool
node_add(Thread *th, OrderedDict *od, Value key, int64_t hash)
{
    Value present;
    Answer found = dict_lookup(th, nodes_of(od), key, hash, &present);
    if (found != NO) {
        drop_null(th, present);
        return found == YES;
    }
    Value v = type_alloc(th, &odict_node_type, 0);
    if (v == NULL)
        return false;
    as_node(v)->key = retain(th, key);
    as_node(v)->hash = hash;
    found = dict_insert(th, nodes_of(od), retain(th, key), hash, retain(th, v), true, NULL);
    if (found != YES) {
        drop(th, v);
        return found == NO;
    }
    bool held = object_lock(&od->dict.head);
    link_locked(od, as_node(v), true); /* takes our reference over */
    object_unlock(&od->dict.head, held);
    return true;
}

/* Takes the key's node away: NO if it has none. */
static Answer
node_remove(Thread *th, OrderedDict *od, Value key, int64_t hash)
{
    Value v;
    Answer found = dict_remove(th, nodes_of(od), key, hash, &v);
    if (found != YES)
        return found;
    OdNode *node = as_node(v);
    bool held = object_lock(&od->dict.head);
    bool was_linked = node->linked;
    if (was_linked)
        unlink_locked(od, node);
    object_unlock(&od->dict.head, held);
    if (was_linked)
        drop(th, v); /* the list's reference */
    drop(th, v);
    return YES;
}

/* The node at one end; new reference, NULL if the list is empty. */
static OdNode *
node_end(Thread *th, OrderedDict *od, bool last)
{
    bool held = object_lock(&od->dict.head);
    OdNode *node = last ? od->last : od->first;
    if (node != NULL)
        object_retain(th, &node->head);
    object_unlock(&od->dict.head, held);
    return node;
}

/* The node behind `node`, which is given up; NULL at the end, or if `node` was removed. */
static OdNode *
node_after(Thread *th, OrderedDict *od, OdNode *STEALS node)
{
    bool held = object_lock(&od->dict.head);
    OdNode *next = node->next;
    if (next != NULL)
        object_retain(th, &next->head);
    object_unlock(&od->dict.head, held);
    object_drop(th, &node->head);
    return next;
}

static void
nodes_clear(Thread *th, OrderedDict *od)
{
    for (;;) {
        bool held = object_lock(&od->dict.head);
        OdNode *node = od->first;
        if (node != NULL)
            unlink_locked(od, node);
        object_unlock(&od->dict.head, held);
        if (node == NULL)
            break;
        object_drop(th, &node->head);
    }
    if (od->nodes != NULL)
        dict_clear(th, od->nodes);
}

/* -- construction -- */

static Value
od_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames;
    Value nodes = dict_new(th), v = nodes ? dict_alloc(th, type) : NULL;
    if (v == NULL) {
        drop_null(th, nodes);
        return NULL;
    }
    as_od(v)->nodes = nodes;
    return v;
}

RAISES static bool
od_set(Thread *th, Value self, Value key, Value v)
{
    int64_t hash;
    if (!key_hash(th, key, &hash))
        return false;
    OrderedDict *od = as_od(self);
    bool entered = od_enter(th, od);
    Answer added = dict_insert(th, &od->dict, retain(th, key), hash, retain(th, v), false, NULL);
    bool ok = added != FAILED && node_add(th, od, key, hash);
    if (added == YES && !ok) {
        Value error = error_take(th);
        if (dict_remove(th, &od->dict, key, hash, NULL) == FAILED)
            error_clear(th);
        error_restore(th, error);
    }
    od_leave(od, entered);
    return ok;
}

static bool
od_setitem(Thread *th, Value self, Value key, Value v)
{
    if (v != NULL)
        return od_set(th, self, key, v);
    int64_t hash;
    OrderedDict *od = as_od(self);
    if (!key_hash(th, key, &hash))
        return false;
    bool entered = od_enter(th, od);
    Answer gone = node_remove(th, od, key, hash);
    if (gone != FAILED)
        gone = dict_remove(th, &od->dict, key, hash, NULL);
    od_leave(od, entered);
    if (gone == NO)
        raise_key_error(th, key);
    return gone == YES;
}

/* self[key] = v, through an override if there is one. */
RAISES static bool
od_assign(Thread *th, Value self, Value key, Value v)
{
    return type_of(self) == &ordered_dict_type ? od_set(th, self, key, v)
                                               : set_item(th, self, key, v);
}

/* Assigns the (key, value) pairs of an iterable. */
RAISES static bool
od_add_pairs(Thread *th, Value self, Value pairs)
{
    Value it = get_iter(th, pairs);
    if (it == NULL)
        return false;
    for (;;) {
        Value pair = iter_next(th, it);
        if (pair == NULL)
            break;
        Value parts = get_iter(th, pair), got[3] = {NULL, NULL, NULL};
        drop(th, pair);
        if (parts == NULL)
            break;
        size_t n = 0;
        while (n < 3 && (got[n] = iter_next(th, parts)) != NULL)
            n++;
        drop(th, parts);
        if (!error_set(th)) {
            if (n < 2)
                raise_value_error(th, "need more than %zu value%s to unpack", n, n == 1 ? "" : "s");
            else if (n > 2)
                raise_value_error(th, "too many values to unpack (expected 2)");
        }
        bool ok = !error_set(th) && od_assign(th, self, got[0], got[1]);
        for (size_t i = 0; i < 3; i++)
            drop_null(th, got[i]);
        if (!ok || !safepoint_poll(th))
            break;
    }
    drop(th, it);
    return !error_set(th);
}

/* What update(other) does: from a dict, an object with keys() or items(), or pairs. */
RAISES static bool
od_update_from(Thread *th, Value self, Value other)
{
    Value method, result = NULL;
    if (is_exact(other, SHAPE_DICT)) {
        Value items = dict_items_list(th, other);
        bool ok = items != NULL && od_add_pairs(th, self, items);
        drop_null(th, items);
        return ok;
    }
    Answer found = get_attr_optional(th, other, NAME(keys), &method);
    if (found == FAILED)
        return false;
    if (found == YES) {
        Value keys = call_0(th, method), it = keys ? get_iter(th, keys) : NULL;
        drop(th, method);
        drop_null(th, keys);
        if (it == NULL)
            return false;
        for (;;) {
            Value key = iter_next(th, it);
            if (key == NULL)
                break;
            Value v = get_item(th, other, key);
            bool ok = v != NULL && od_assign(th, self, key, v);
            drop(th, key);
            drop_null(th, v);
            if (!ok || !safepoint_poll(th))
                break;
        }
        drop(th, it);
        return !error_set(th);
    }
    found = get_attr_optional(th, other, NAME(items), &method);
    if (found == FAILED)
        return false;
    if (found == NO)
        return od_add_pairs(th, self, other);
    result = call_0(th, method);
    drop(th, method);
    bool ok = result != NULL && od_add_pairs(th, self, result);
    drop_null(th, result);
    return ok;
}

RAISES static bool
od_update_args(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs > 0 && !od_update_from(th, self, arg(args, 0)))
        return false;
    for (int64_t i = 0, n = kwnames ? tuple_length(kwnames) : 0; i < n; i++) {
        if (!od_assign(th, self, tuple_item(kwnames, i), arg(args, nargs + (size_t)i)))
            return false;
    }
    return true;
}

static bool
od_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs > 1) {
        raise_type_error(th, "expected at most 1 arguments, got %zu", nargs);
        return false;
    }
    return od_update_args(th, self, args, nargs, kwnames);
}

static Value
od_update(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (nargs > 1)
        return raise_type_error(th, "update() takes at most 1 positional argument (%zu given)",
                                nargs);
    return od_update_args(th, self, args, nargs, kwnames) ? NONE : NULL;
}

static Value
od_fromkeys(Thread *th, Value cls, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "fromkeys", .names = {"iterable", "value"},
                                     .positional = 2, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value d = call_0(th, cls), it = d ? get_iter(th, v[0]) : NULL;
    if (it == NULL) {
        drop_null(th, d);
        return NULL;
    }
    for (;;) {
        Value key = iter_next(th, it);
        if (key == NULL)
            break;
        bool ok = set_item(th, d, key, v[1] ? v[1] : NONE);
        drop(th, key);
        if (!ok || !safepoint_poll(th))
            break;
    }
    drop(th, it);
    if (error_set(th))
        DROP_CLEAR(th, d);
    return d;
}

/* -- removing, moving -- */

/* Takes key and node out: YES with the value in *v (new), NO if the dict has not got it. */
static Answer
od_take(Thread *th, OrderedDict *od, Value key, int64_t hash, Value *v)
{
    *v = NULL;
    bool entered = od_enter(th, od);
    Answer gone = node_remove(th, od, key, hash);
    if (gone != FAILED)
        gone = dict_remove(th, &od->dict, key, hash, v);
    od_leave(od, entered);
    return gone;
}

static Value
od_pop(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "pop", .names = {"key", "default"}, .positional = 2,
                                     .required = 1};
    Value v[2], value;
    int64_t hash;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !key_hash(th, v[0], &hash))
        return NULL;
    Answer found = od_take(th, as_od(self), v[0], hash, &value);
    if (found == NO)
        return v[1] ? retain(th, v[1]) : raise_key_error(th, v[0]);
    return value;
}

static Value
od_popitem(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "popitem", .names = {"last"}, .positional = 1};
    Value v[1], value, pair = NULL;
    bool last = true;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_bool(th, v[0], &last))
        return NULL;
    for (;;) {
        OdNode *node = node_end(th, as_od(self), last);
        if (node == NULL)
            return raise_error(th, &exc_KeyError, "dictionary is empty");
        Answer found = od_take(th, as_od(self), node->key, node->hash, &value);
        if (found == YES) {
            pair = tuple_pack(th, 2, node->key, value);
            drop(th, value);
        }
        bool gone = found == NO;
        if (gone && (object_bits(&as_od(self)->dict.head) & BIT_SHARED) == 0)
            raise_key_error(th, node->key);
        object_drop(th, &node->head);
        if (!gone || error_set(th)) /* another thread may have taken it: the next one */
            return pair;
    }
}

static Value
od_move_to_end(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "move_to_end", .names = {"key", "last"},
                                     .positional = 2, .required = 1};
    OrderedDict *od = as_od(self);
    Value v[2], found;
    bool last = true;
    int64_t hash;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_bool(th, v[1], &last) ||
        !key_hash(th, v[0], &hash))
        return NULL;
    Answer has = dict_lookup(th, nodes_of(od), v[0], hash, &found);
    if (has == FAILED)
        return NULL;
    if (has == NO)
        return raise_key_error(th, v[0]);
    OdNode *node = as_node(found);
    bool held = object_lock(&od->dict.head);
    if (node->linked && node != (last ? od->last : od->first)) {
        unlink_locked(od, node);
        link_locked(od, node, last);
    }
    object_unlock(&od->dict.head, held);
    drop(th, found);
    return NONE;
}

static Value
od_setdefault(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "setdefault", .names = {"key", "default"},
                                     .positional = 2, .required = 1};
    Value v[2], value;
    int64_t hash;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value fallback = v[1] ? v[1] : NONE;
    if (type_of(self) != &ordered_dict_type) {
        Answer has = contains(th, self, v[0]);
        if (has == FAILED)
            return NULL;
        if (has == YES)
            return get_item(th, self, v[0]);
        return set_item(th, self, v[0], fallback) ? retain(th, fallback) : NULL;
    }
    if (!key_hash(th, v[0], &hash))
        return NULL;
    OrderedDict *od = as_od(self);
    bool entered = od_enter(th, od);
    if (dict_insert(th, &od->dict, retain(th, v[0]), hash, retain(th, fallback), true, &value) ==
        FAILED)
        value = NULL;
    else if (!node_add(th, od, v[0], hash))
        DROP_CLEAR(th, value);
    od_leave(od, entered);
    return value;
}

static Value
od_clear_method(Thread *th, Value self)
{
    bool entered = od_enter(th, as_od(self));
    dict_clear(th, self);
    nodes_clear(th, as_od(self));
    od_leave(as_od(self), entered);
    return NONE;
}

/* The value of a node's key; KeyError if the dict has lost it. */
static Value
node_value(Thread *th, OrderedDict *od, OdNode *node)
{
    Value v;
    int64_t hash; /* computed again: a key whose hash changes is lost, as in any dict */
    if (!key_hash(th, node->key, &hash))
        return NULL;
    if (dict_lookup(th, &od->dict, node->key, hash, &v) == NO)
        raise_key_error(th, node->key);
    return v;
}

static Value
od_copy(Thread *th, Value self)
{
    OrderedDict *od = as_od(self);
    bool plain = type_of(self) == &ordered_dict_type;
    Value copy = plain ? od_make(th, &ordered_dict_type, NULL, 0, NULL)
                       : call_0(th, value_of_type(type_of(self)));
    OdNode *node = copy ? node_end(th, od, false) : NULL;
    while (node != NULL && copy != NULL) {
        Value v = plain ? node_value(th, od, node) : get_item(th, self, node->key);
        bool ok = v != NULL && (plain ? od_set(th, copy, node->key, v)
                                      : set_item(th, copy, node->key, v));
        drop_null(th, v);
        if (!ok)
            DROP_CLEAR(th, copy);
        node = node_after(th, od, node);
    }
    if (node != NULL)
        object_drop(th, &node->head);
    return copy;
}

/* -- views and iterators -- */

enum { OD_KEYS = 1, OD_VALUES = 2, OD_REVERSED = 4 };

typedef struct OdIter {
    struct Object head;
    Field od;                  /* NULL once exhausted */
    OdNode *current;           /* [lock] of the OrderedDict; counted; the node to yield next */
    uint64_t state;            /* [const] of the OrderedDict at the beginning */
    ATOMIC(int64_t) length;    /* of the dict at the beginning; -1 after RuntimeError */
    uint8_t kind;              /* [const] OD_ bits */
} OdIter;

static inline OdIter *
as_od_iter(Value v)
{
    return (OdIter *)(void *)value_object(v);
}

static Value
od_iter_new(Thread *th, Value self, unsigned kind)
{
    Value v = type_alloc(th, &odict_iterator_type, 0);
    if (v == NULL)
        return NULL;
    OdIter *it = as_od_iter(v);
    OrderedDict *od = as_od(self);
    it->kind = (uint8_t)kind;
    bool held = object_lock(&od->dict.head);
    it->state = od->state;
    it->current = kind & OD_REVERSED ? od->last : od->first;
    if (it->current != NULL)
        object_retain(th, &it->current->head);
    object_unlock(&od->dict.head, held);
    plain_store(&it->length, dict_length(self)); /* plain: not published yet */
    field_init(&it->od, retain(th, self));
    return v;
}

/* The next node, with a new reference; NULL at the end or with an exception. */
static OdNode *
od_iter_step(Thread *th, OdIter *it, OrderedDict *od)
{
    const char *problem = NULL;
    bool held = object_lock(&od->dict.head);
    OdNode *node = it->current;
    if (node != NULL) {
        if (it->state != od->state) {
            problem = "OrderedDict mutated during iteration";
            it->current = NULL;
        } else if (load_relaxed(&it->length) != load_relaxed(&od->dict.length)) {
            problem = "OrderedDict changed size during iteration";
            store_relaxed(&it->length, -1);
            it->current = NULL;
        } else {
            it->current = it->kind & OD_REVERSED ? node->prev : node->next;
            if (it->current != NULL)
                object_retain(th, &it->current->head);
        }
    }
    object_unlock(&od->dict.head, held);
    if (problem != NULL) {
        object_drop(th, &node->head);
        raise_error(th, &exc_RuntimeError, "%s", problem);
        return NULL;
    }
    return node;
}

static Value
od_iter_next(Thread *th, Value self)
{
    OdIter *it = as_od_iter(self);
    Value owner = field_read(th, &it->head, &it->od), result = NULL;
    if (owner == NULL)
        return NULL;
    OrderedDict *od = as_od(owner);
    OdNode *node = od_iter_step(th, it, od);
    if (node == NULL) {
        field_replace(th, &it->head, &it->od, NULL);
    } else {
        unsigned kind = it->kind & (OD_KEYS | OD_VALUES);
        Value v = kind & OD_VALUES ? node_value(th, od, node) : NULL;
        if (kind == OD_KEYS)
            result = retain(th, node->key);
        else if (kind == OD_VALUES)
            result = retain_null(th, v);
        else if (v != NULL)
            result = tuple_pack(th, 2, node->key, v);
        drop_null(th, v);
        object_drop(th, &node->head);
    }
    drop(th, owner);
    return result;
}

static Value
od_iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
od_iter_reduce(Thread *th, Value self)
{
    OdIter *it = as_od_iter(self);
    Value owner = field_read(th, &it->head, &it->od), list = NULL, result = NULL;
    if (owner == NULL) {
        list = list_new(th, 0);
    } else {
        Value copy = od_iter_new(th, owner, it->kind);
        if (copy != NULL) {
            OdIter *c = as_od_iter(copy);
            OdNode *first = c->current; /* the copy is ours alone */
            bool held = object_lock(&as_od(owner)->dict.head);
            c->current = it->current;
            if (c->current != NULL)
                object_retain(th, &c->current->head);
            object_unlock(&as_od(owner)->dict.head, held);
            c->state = it->state;
            plain_store(&c->length, load_relaxed(&it->length));
            if (first != NULL)
                object_drop(th, &first->head);
            list = sequence_list(th, copy);
            drop(th, copy);
        }
        drop(th, owner);
    }
    Value iter = list ? dict_get_c(th, th->interp->builtins, "iter") : NULL;
    Value args = iter ? tuple_pack(th, 1, list) : NULL;
    if (args != NULL)
        result = tuple_pack(th, 2, iter, args);
    else if (list != NULL && iter == NULL)
        raise_error(th, &exc_AttributeError, "module 'builtins' has no attribute 'iter'");
    drop_null(th, list);
    drop_null(th, iter);
    drop_null(th, args);
    return result;
}

static void
od_iter_visit(Object *o, VisitFn visit, void *arg)
{
    OdIter *it = (OdIter *)(void *)o;
    field_visit(&it->od, visit, arg);
    if (it->current != NULL)
        visit(value_of(it->current), arg);
}

static void
od_iter_dealloc(Thread *th, Object *o)
{
    OdIter *it = (OdIter *)(void *)o;
    OdNode *node = it->current;
    it->current = NULL;
    if (node != NULL)
        object_drop(th, &node->head);
    field_drop(th, &it->od);
}

static const MethodDef od_iter_methods[] = {
    NATIVE_0("__reduce__", od_iter_reduce, "Return state information for pickling"),
    NATIVE_END,
};

Type odict_iterator_type;
const TypeSpec odict_iterator_spec = {
    .name = "odict_iterator",
    .size = sizeof(OdIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = od_iter_methods,
    .slots = {.iter = od_iter_self, .next = od_iter_next},
    .visit = od_iter_visit,
    .dealloc = od_iter_dealloc,
};

#define OD_VIEW(symbol, kind_bits)                                                                 \
    static Value od_##symbol(Thread *th, Value self)                                               \
    {                                                                                              \
        return dict_view_new_type(th, self, &odict_##symbol##_type);                               \
    }                                                                                              \
    static Value od_##symbol##_iter(Thread *th, Value self)                                        \
    {                                                                                              \
        return od_iter_new(th, value_of(dict_of_view(self)), kind_bits);                           \
    }                                                                                              \
    static Value od_##symbol##_reversed(Thread *th, Value self)                                    \
    {                                                                                              \
        return od_iter_new(th, value_of(dict_of_view(self)), (kind_bits) | OD_REVERSED);           \
    }                                                                                              \
    static const MethodDef od_##symbol##_methods[] = {                                             \
        NATIVE_0("__reversed__", od_##symbol##_reversed, NULL),                                    \
        NATIVE_END,                                                                                \
    };                                                                                             \
    Type odict_##symbol##_type;                                                                    \
    const TypeSpec odict_##symbol##_spec = {                                                       \
        .name = "odict_" #symbol,                                                                  \
        .base = &dict_##symbol##_type,                                                             \
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,                                                  \
        .flags = TYPE_DISALLOW_NEW,                                                                \
        .methods = od_##symbol##_methods,                                                          \
        .slots = {.iter = od_##symbol##_iter},                                                     \
    };

OD_VIEW(keys, OD_KEYS)
OD_VIEW(values, OD_VALUES)
OD_VIEW(items, OD_KEYS | OD_VALUES)

static Value
od_iter(Thread *th, Value self)
{
    return od_iter_new(th, self, OD_KEYS);
}

static Value
od_reversed(Thread *th, Value self)
{
    return od_iter_new(th, self, OD_KEYS | OD_REVERSED);
}

/* -- text, comparison, operators -- */

static Value
od_repr(Thread *th, Value self)
{
    Value name = field_read(th, &type_of(self)->ops.head, &type_of(self)->name_value);
    if (dict_length(self) == 0) {
        Value text = str_format_c(th, "%V()", name);
        drop(th, name);
        return text;
    }
    Answer inside = repr_enter(th, self);
    if (inside != NO) {
        drop(th, name);
        return inside == YES ? str_from_ascii(th, "...", 3) : NULL;
    }
    Value items = type_of(self) == &ordered_dict_type ? od_items(th, self)
                                                      : call_method_0(th, self, NAME(items));
    Value list = items ? sequence_list(th, items) : NULL, text = NULL;
    if (list != NULL)
        text = str_format_c(th, "%V(%R)", name, list);
    repr_leave(th, self);
    drop_null(th, items);
    drop_null(th, list);
    drop(th, name);
    return text;
}

/* Whether two have the same keys in the same order. */
static Answer
same_order(Thread *th, OrderedDict *a, OrderedDict *b)
{
    OdNode *x = node_end(th, a, false), *y = node_end(th, b, false);
    Answer same = YES;
    while (same == YES && x != NULL && y != NULL) {
        same = values_equal(th, x->key, y->key);
        x = node_after(th, a, x);
        y = node_after(th, b, y);
    }
    if (same == YES && (x != NULL || y != NULL))
        same = NO;
    if (x != NULL)
        object_drop(th, &x->head);
    if (y != NULL)
        object_drop(th, &y->head);
    return same;
}

static Value
od_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_od(a) || !is_dict(b))
        return NOT_IMPLEMENTED;
    if (thread_stack_low(th))
        return raise_recursion(th, " in comparison");
    Answer equal = dict_equal(th, a, b);
    if (equal == YES && is_od(b))
        equal = same_order(th, as_od(a), as_od(b));
    return equal == FAILED ? NULL : bool_from((equal == YES) == (op == OP_EQ));
}

static Value
od_or(Thread *th, Value a, Value b)
{
    if (!is_dict(a) || !is_dict(b))
        return NOT_IMPLEMENTED;
    Value sum = call_1(th, value_of_type(type_of(is_od(a) ? a : b)), a);
    if (sum != NULL && !od_update_from(th, sum, b))
        DROP_CLEAR(th, sum);
    return sum;
}

static Value
od_ior(Thread *th, Value self, Value other)
{
    return od_update_from(th, self, other) ? retain(th, self) : NULL;
}

static Value
od_reduce(Thread *th, Value self)
{
    Value state = call_method_0(th, self, NAME(__getstate__)), result = NULL;
    Value items = state ? call_method_0(th, self, NAME(items)) : NULL;
    Value it = items ? get_iter(th, items) : NULL;
    if (it != NULL)
        result = tuple_pack(th, 5, value_of_type(type_of(self)), tuple_empty, state, NONE, it);
    drop_null(th, state);
    drop_null(th, items);
    drop_null(th, it);
    return result;
}

static Value
od_sizeof(Thread *th, Value self)
{
    OrderedDict *od = as_od(self);
    size_t n = object_ops(&od->dict.head)->cell_size;
    DictTable *tables[] = {dict_table(&od->dict), dict_table(nodes_of(od))};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        n += tables[i] == DICT_EMPTY ? 0 : dict_table_bytes(tables[i]);
    n += (size_t)dict_length(od->nodes) * sizeof(OdNode) + sizeof(Dict);
    return int_from_size(th, n);
}

/* -- memory -- */

static void
od_visit(Object *o, VisitFn visit, void *arg)
{
    OrderedDict *od = (OrderedDict *)(void *)o;
    dict_spec.visit(o, visit, arg);
    value_visit(od->nodes, visit, arg);
    for (OdNode *node = od->first; node != NULL; node = node->next)
        visit(value_of(node), arg);
}

static void
od_clear(Thread *th, Object *o)
{
    dict_spec.clear(th, o);
    nodes_clear(th, (OrderedDict *)(void *)o);
}

static void
od_dealloc(Thread *th, Object *o)
{
    OrderedDict *od = (OrderedDict *)(void *)o;
    while (od->first != NULL) { /* dying: nobody else has it */
        OdNode *node = od->first;
        unlink_locked(od, node);
        object_drop(th, &node->head);
    }
    drop_null(th, od->nodes);
    od->nodes = NULL;
    dict_spec.dealloc(th, o);
}

HOLDS_VALUES(node, OdNode, key);

Type odict_node_type;
const TypeSpec odict_node_spec = {
    .name = "_collections._odict_node",
    .size = sizeof(OdNode),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .visit = node_visit,
    .dealloc = node_dealloc,
};

static const MethodDef od_methods[] = {
    {.name = "fromkeys", .fk = od_fromkeys, .flags = METHOD_K | METHOD_CLASS, .nmax = -1,
     .doc = "fromkeys($type, /, iterable, value=None)\n--\n\n"
            "Create a new ordered dictionary with keys from iterable and values set to value."},
    NATIVE_0("__sizeof__", od_sizeof, NULL),
    NATIVE_0("__reduce__", od_reduce, "Return state information for pickling"),
    NATIVE_K("setdefault", od_setdefault,
             "setdefault($self, /, key, default=None)\n--\n\n"
             "Insert key with a value of default if key is not in the dictionary.\n\n"
             "Return the value for key if key is in the dictionary, else default."),
    NATIVE_K("pop", od_pop,
             "pop($self, /, key, default=<unrepresentable>)\n--\n\n"
             "od.pop(key[,default]) -> v, remove specified key and return the corresponding "
             "value.\n\n"
             "If the key is not found, return the default if given; otherwise,\n"
             "raise a KeyError."),
    NATIVE_K("popitem", od_popitem,
             "popitem($self, /, last=True)\n--\n\n"
             "Remove and return a (key, value) pair from the dictionary.\n\n"
             "Pairs are returned in LIFO order if last is true or FIFO order if false."),
    NATIVE_0("keys", od_keys, NULL),
    NATIVE_0("values", od_values, NULL),
    NATIVE_0("items", od_items, NULL),
    NATIVE_K("update", od_update, NULL),
    NATIVE_0("clear", od_clear_method, "od.clear() -> None.  Remove all items from od."),
    NATIVE_0("copy", od_copy, "od.copy() -> a shallow copy of od"),
    NATIVE_0("__reversed__", od_reversed, "od.__reversed__() <==> reversed(od)"),
    NATIVE_K("move_to_end", od_move_to_end,
             "move_to_end($self, /, key, last=True)\n--\n\n"
             "Move an existing element to the end (or beginning if last is false).\n\n"
             "Raise KeyError if the element does not exist."),
    NATIVE_END,
};

Type ordered_dict_type;
const TypeSpec ordered_dict_spec = {
    .name = "collections.OrderedDict",
    .base = &dict_type,
    .size = sizeof(OrderedDict),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .ops_flags = OPS_TRACKED,
    .doc = "Dictionary that remembers insertion order",
    .methods = od_methods,
    .slots = {
        .repr = od_repr,
        .hash = hash_unhashable,
        .compare = od_compare,
        .iter = od_iter,
        .init = od_init,
        .new = od_make,
        .or_ = od_or,
        .ior = od_ior,
        .setitem = od_setitem,
    },
    .has_dict = true,
    .visit = od_visit,
    .clear = od_clear,
    .dealloc = od_dealloc,
};
