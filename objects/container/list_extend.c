/* list_extend.c -- list(iterable) and list.extend().
 *
 * What other containers hold is read at one moment of theirs and appended at one moment of the list's
 * (docs/thread-safety.md); what an iterator gives is appended item by item, or gathered in an array that
 * nobody else sees.
 *
 * Locks: as in list.c; none is held while an iterator runs.
 */
#include "objects/container/container_priv.h"
#include "objects/container/fast.h"

/* Appends the items of an array at one moment; takes the array and its references over. */
RAISES static bool
list_extend_array(Thread *th, List *l, ItemArray *a)
{
    bool ok = list_splice(th, l, INT64_MAX, INT64_MAX, (const Value *)(void *)a->items,
                          (size_t)a->capacity);
    if (ok)
        buffer_free(a);
    else
        item_array_give_up(th, false, a);
    return ok;
}

/* Appends the ints of a range of machine ints. */
RAISES static bool
list_extend_range(Thread *th, List *l, int64_t start, int64_t step, int64_t count)
{
    if (count == 0)
        return true;
    if ((uint64_t)count > ITEMS_MAX) {
        raise_memory(th);
        return false;
    }
    ItemArray *a = item_array_new(th, (size_t)count);
    if (a == NULL)
        return false;
    for (int64_t i = 0; i < count; i++)
        plain_store(&a->items[i], value_from_fixnum(start + i * step)); /* plain: ours alone */
    bool held = object_lock(&l->head);
    if (load_relaxed(&l->array) == NULL) { /* the new array as it is */
        store_release(&l->array, a);       /* [list.array] */
        store_release(&l->length, count);  /* [list.length] */
        object_unlock(&l->head, held);
        return true;
    }
    object_unlock(&l->head, held);
    return list_extend_array(th, l, a);
}

/* Room for so many items is made because an iterable says that it has them. */
#define HINT_MAX 65536

RAISES static bool
list_extend_iter(Thread *th, Value list, Value iterable)
{
    Value it = get_iter(th, iterable);
    if (it == NULL)
        return false;
    int64_t hint = length_hint(th, iterable, 0);
    if (hint < 0)
        goto fail;
    if (hint > 0) {
        int64_t n = list_length(list), trusted = hint < HINT_MAX ? hint : HINT_MAX;
        if (hint > (int64_t)ITEMS_MAX && hint <= INT64_MAX - n) { /* what overflows says nothing, as in CPython */
            raise_memory(th);
            goto fail;
        }
        if (!list_reserve(th, as_list(list), (size_t)(n + trusted), n == 0))
            goto fail;
    }
    for (size_t step = 0;; step++) {
        Value v = next_item(th, it);
        if (v == NULL)
            break;
        if (!list_append_steal(th, list, v) || !loop_poll(th, step))
            goto fail;
    }
    drop(th, it);
    if (error_set(th))
        return false;
    if (hint > 0)
        list_shrink(th, as_list(list));
    return true;
fail:
    drop(th, it);
    return false;
}

/* What an iterator gives, as a list that nobody sees before it is whole: the items are stored without
 * a section.  Very many go on in the list itself, whose memory can be moved. */
#define GATHER_MAX 4096

RAISES static Value
list_gather(Thread *th, Value it, int64_t hint)
{
    if (UNLIKELY(hint > (int64_t)ITEMS_MAX))
        return raise_memory(th);
    size_t capacity = hint > 0 ? (size_t)(hint < GATHER_MAX ? hint : GATHER_MAX) : 8, n = 0;
    ItemArray *a = item_array_new(th, capacity);
    if (a == NULL)
        return NULL;
    Value v;
    while ((v = next_item(th, it)) != NULL) {
        if (UNLIKELY(n == capacity)) {
            size_t more = grown_capacity(n + 1);
            ItemArray *b = item_array_new(th, more);
            if (b == NULL) {
                drop(th, v);
                break;
            }
            memcpy((void *)b->items, (void *)a->items, n * sizeof(Field));
            item_array_free(th, false, a);
            a = b;
            capacity = more;
        }
        plain_store(&a->items[n++], v); /* plain: ours alone */
        if (UNLIKELY(n == GATHER_MAX) || !loop_poll(th, n))
            break;
    }
    clear_tail(a, n);
    if (UNLIKELY(error_set(th))) {
        item_array_give_up(th, false, a);
        return NULL;
    }
    Value list = list_from_array(th, a, n);
    if (list == NULL || LIKELY(v == NULL))
        return list;
    size_t trusted = hint < HINT_MAX ? (size_t)(hint < 0 ? 0 : hint) : HINT_MAX;
    if (trusted > n && !list_reserve(th, as_list(list), trusted, true))
        DROP_CLEAR(th, list);
    for (size_t step = 0; list != NULL && (v = next_item(th, it)) != NULL; step++)
        if (!list_append_steal(th, list, v) || !loop_poll(th, step))
            break;
    if (list != NULL && error_set(th))
        DROP_CLEAR(th, list);
    return list;
}

Value
list_from_iterable(Thread *th, Value iterable)
{
    switch (shape_of(iterable)) { /* these list_extend() reads at one moment */
    case SHAPE_LIST:
    case SHAPE_TUPLE:
    case SHAPE_RANGE:
    case SHAPE_DICT:
    case SHAPE_DICT_KEYS:
    case SHAPE_DICT_VALUES:
    case SHAPE_DICT_ITEMS:
    case SHAPE_SET:
    case SHAPE_FROZENSET:
    case SHAPE_STR: {
        Value list = list_new(th, 0);
        if (list != NULL && !list_extend(th, list, iterable))
            DROP_CLEAR(th, list);
        return list;
    }
    default:
        break;
    }
    Value it = get_iter(th, iterable);
    if (it == NULL)
        return NULL;
    int64_t hint = length_hint(th, iterable, 0);
    Value list = hint < 0 ? NULL : list_gather(th, it, hint);
    drop(th, it);
    if (list != NULL)
        list_shrink(th, as_list(list));
    return list;
}

/* The characters of a str as items. */
RAISES static ItemArray *
str_items(Thread *th, Value s)
{
    size_t n = str_length(s);
    ItemArray *a = item_array_new(th, n);
    for (size_t i = 0; a != NULL && i < n; i++) {
        Value c = str_from_char(th, str_char(as_str(s), i));
        if (UNLIKELY(c == NULL)) {
            while (i > 0)
                drop(th, plain_load(&a->items[--i])); /* plain: ours alone */
            buffer_free(a);
            return NULL;
        }
        plain_store(&a->items[i], c);
    }
    return a;
}

bool
list_extend(Thread *th, Value list, Value iterable)
{
    List *l = as_list(list);
    object_touch(th, &l->head);
    bool is_list = is_exact(iterable, SHAPE_LIST);
    if (iterable != list && (is_list || is_exact(iterable, SHAPE_TUPLE))) {
        int64_t n = is_list ? list_length(iterable) : tuple_length(iterable), now = list_length(list);
        if (n == 0)
            return true;
        if (n <= SPLICE_ITEMS) {
            if (!list_reserve(th, l, (size_t)(now + n), now == 0))
                return false;
            if (LIKELY(list_splice_small(th, l, INT64_MAX, INT64_MAX, iterable) == YES))
                return true;
        }
    }
    if (is_list || iterable == list) {
        size_t n;
        ItemArray *a = list_snapshot(th, iterable, &n);
        return a != NULL && list_extend_array(th, l, a);
    }
    if (is_exact(iterable, SHAPE_TUPLE)) {
        size_t n = (size_t)tuple_length(iterable);
        for (size_t i = 0; i < n; i++)
            retain(th, as_tuple(iterable)->items[i]);
        if (list_splice(th, l, INT64_MAX, INT64_MAX, as_tuple(iterable)->items, n))
            return true;
        for (size_t i = 0; i < n; i++)
            drop(th, as_tuple(iterable)->items[i]);
        return false;
    }
    if (is_exact(iterable, SHAPE_RANGE)) {
        Range *r = (Range *)(void *)value_object(iterable);
        if (value_is_fixnum(r->start) && value_is_fixnum(r->step) && value_is_fixnum(r->stop) &&
            value_is_fixnum(r->length))
            return list_extend_range(th, l, value_fixnum(r->start), value_fixnum(r->step),
                                     value_fixnum(r->length));
    }
    ItemArray *a;
    size_t n;
    switch (shape_of(iterable)) { /* these are read at one moment */
    case SHAPE_DICT:
        a = dict_snapshot(th, (Dict *)(void *)value_object(iterable), true, false, &n);
        return a != NULL && list_extend_array(th, l, a);
    case SHAPE_DICT_KEYS:
    case SHAPE_DICT_VALUES:
        a = dict_snapshot(th, dict_of_view(iterable), is_exact(iterable, SHAPE_DICT_KEYS),
                          is_exact(iterable, SHAPE_DICT_VALUES), &n);
        return a != NULL && list_extend_array(th, l, a);
    case SHAPE_SET:
    case SHAPE_FROZENSET:
        a = set_snapshot(th, iterable, &n);
        return a != NULL && list_extend_array(th, l, a);
    case SHAPE_DICT_ITEMS: {
        Value items = dict_items_list(th, value_of(dict_of_view(iterable)));
        bool ok = items != NULL && list_extend(th, list, items);
        drop_null(th, items);
        return ok;
    }
    case SHAPE_STR:
        a = str_items(th, iterable);
        return a != NULL && list_extend_array(th, l, a);
    default:
        return list_extend_iter(th, list, iterable);
    }
}
