/* set_iter.c -- the iterator over a set.
 *
 * It goes through the slots of the table that the set has at each step, without the set's lock; a slot is given to one
 * key in a table's life (set_priv.h).  A step is made in a section, or by compare-and-swap (iter_step_begin()).
 */
#include "gc/holds.h"
#include "objects/container/set_priv.h"

typedef struct SetIter {
    struct Object head;
    Field set;                 /* NULL once exhausted */
    ATOMIC(int64_t) position;  /* slot */
    ATOMIC(int64_t) length;    /* of the set at the beginning; -1 after RuntimeError */
    ATOMIC(int64_t) remaining;
} SetIter;

Value
set_iter_new(Thread *th, Value set)
{
    Object *o = object_new_kind(th, SHAPE_SET_ITER, sizeof(SetIter), true);
    if (o == NULL)
        return NULL;
    SetIter *it = (SetIter *)(void *)o;
    int64_t length = set_length(set);
    plain_store(&it->length, length); /* plain: not published yet */
    plain_store(&it->remaining, length);
    field_init(&it->set, retain(th, set));
    return value_of(o);
}

static Value
set_iter_next(Thread *th, Value self)
{
    SetIter *it = (SetIter *)(void *)value_object(self);
    object_touch(th, &it->head);
    Value set = field_peek(&it->set); /* no safepoint until the key is counted */
    if (UNLIKELY(set == NULL))
        return NULL;
    Set *s = as_set(set);
    object_touch(th, &s->head);
    if (UNLIKELY(load_relaxed(&it->length) != load_acquire(&s->length))) { /* [set.length] */
        store_relaxed(&it->length, -1);
        return raise_error(th, &exc_RuntimeError, "Set changed size during iteration");
    }
    SetTable *t = set_table(s);
    int64_t i = load_relaxed(&it->position), n = (int64_t)set_slots(t);
    for (;;) {
        int64_t at = i;
        Value key = NULL;
        for (; at < n; at++) {
            key = load_acquire(&t->slots[at].key); /* [set.key] */
            if (key != NULL && key != SET_DELETED)
                break;
        }
        if (at >= n) {
            field_replace(th, &it->head, &it->set, NULL);
            return NULL;
        }
        if (LIKELY(iter_step_begin(th, &it->head))) {
            ASSERT(load_relaxed(&it->position) == i);
            store_relaxed(&it->position, at + 1);
            store_relaxed(&it->remaining, load_relaxed(&it->remaining) - 1);
            object_section_end(th);
            return retain(th, key);
        }
        if (cas_relaxed(&it->position, &i, at + 1)) {
            fetch_add_relaxed(&it->remaining, -1);
            return retain(th, key);
        }
    }
}

static Value
set_iter_length_hint(Thread *th, Value self)
{
    SetIter *it = (SetIter *)(void *)value_object(self);
    Value set = field_read(th, &it->head, &it->set);
    int64_t n = 0;
    if (set != NULL) {
        if (load_relaxed(&it->length) == set_length(set))
            n = load_relaxed(&it->remaining);
        drop(th, set);
    }
    return value_from_fixnum(n < 0 ? 0 : n);
}

static Value
set_iter_reduce(Thread *th, Value self)
{
    SetIter *it = (SetIter *)(void *)value_object(self);
    Value list = NULL, set = field_read(th, &it->head, &it->set);
    if (set == NULL) {
        list = list_new(th, 0);
    } else {
        Value copy = set_iter_new(th, set);
        if (copy != NULL) {
            SetIter *c = (SetIter *)(void *)value_object(copy);
            plain_store(&c->position, load_relaxed(&it->position)); /* plain: ours alone */
            plain_store(&c->length, load_relaxed(&it->length));
            plain_store(&c->remaining, load_relaxed(&it->remaining));
            list = sequence_list(th, copy);
            drop(th, copy);
        }
        drop(th, set);
    }
    if (list == NULL)
        return NULL;
    Value args = tuple_pack(th, 1, list);
    drop(th, list);
    return reduce_builtin(th, "iter", args);
}

HOLDS_FIELDS(set_iter, SetIter, set);

static const MethodDef set_iter_methods[] = {
    NATIVE_0("__length_hint__", set_iter_length_hint,
             "Private method returning an estimate of len(list(it))."),
    NATIVE_0("__reduce__", set_iter_reduce, "Return state information for pickling."),
    NATIVE_END,
};

Type set_iter_type;
const TypeSpec set_iter_spec = {
    .name = "set_iterator",
    .size = sizeof(SetIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = set_iter_methods,
    .slots = {.iter = iter_self, .next = set_iter_next},
    .visit = set_iter_visit,
    .dealloc = set_iter_dealloc,
};
