/* list.c -- list: a growing array of references.
 *
 * Layout: `array` points to an ItemArray that carries its own capacity; `length` counts the items.
 * Invariants, for readers without the lock:
 *   - every slot of an array behind the list's length is NULL, or holds a value that is not given
 *     up before the readers' next safepoint;
 *   - an array is never changed after another one took its place, only retired;
 *   - a longer length is stored after the item and the array that it counts.
 * So a reader loads length, array, item in this order and takes NULL for "no longer there".
 *
 * Locks: writers hold the list's object lock; memory is allocated outside it and the list looked
 * at again.  Reads of several items (slices, copies) hold it, too, and see one moment.
 * Sorting is in list_sort.c, extending in list_extend.c.
 */
#include "objects/container/container_priv.h"
#include "objects/container/fast.h"

/* -- arrays -- */

ItemArray *
item_array_new(Thread *th, size_t capacity)
{
    if (UNLIKELY(capacity > ITEMS_MAX))
        return raise_memory(th);
    ItemArray *a = small_buffer_new(th, item_array_bytes(capacity));
    if (LIKELY(a != NULL))
        a->capacity = (int64_t)capacity;
    return a;
}

static void
item_array_dispose(Thread *th, void *p)
{
    ItemArray *a = p;
    for (int64_t i = a->capacity; --i >= 0;) {
        Value v = plain_load(&a->items[i]); /* plain: nobody else has the array */
        if (v != NULL)
            drop_item(th, v);
    }
    small_buffer_free(th, a, item_array_bytes((size_t)a->capacity));
}

void
item_array_give_up(Thread *th, bool shared, ItemArray *a)
{
    if (a == NULL)
        return;
    if (UNLIKELY(shared))
        retire_memory(th, a, item_array_bytes((size_t)a->capacity), item_array_dispose);
    else
        item_array_dispose(th, a);
}

void
item_array_free(Thread *th, bool shared, ItemArray *a)
{
    if (a == NULL)
        return;
    if (UNLIKELY(shared))
        retire_buffer(th, a, item_array_bytes((size_t)a->capacity));
    else
        small_buffer_free(th, a, item_array_bytes((size_t)a->capacity));
}

/* The same for a list that threads share: half of n more, as each array that is outgrown stays until
 * no reader can be in it. */
static size_t
grown_capacity_shared(size_t n)
{
    return n < MEM_MAPPED ? (n + (n >> 1) + 3) | 1 : grown_capacity(n);
}

/* -- making lists -- */

Value
list_from_array(Thread *th, ItemArray *a, size_t n)
{
    Object *o = object_new_fast(th, SHAPE_LIST, sizeof(List), true);
    if (UNLIKELY(o == NULL)) {
        item_array_give_up(th, false, a);
        return NULL;
    }
    List *l = (List *)(void *)o;
    plain_store(&l->array, a); /* plain: not published yet */
    plain_store(&l->length, (int64_t)n);
    return value_of(o);
}

Value
list_new(Thread *th, size_t capacity)
{
    ItemArray *a = NULL;
    if (capacity > 0) {
        a = item_array_new(th, capacity);
        if (a == NULL)
            return NULL;
        clear_tail(a, 0);
    }
    return list_from_array(th, a, 0);
}

Value
list_of(Thread *th, const Value *items, size_t n)
{
    if (n == 0)
        return list_new(th, 0);
    ItemArray *a = item_array_new(th, n);
    if (a == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        plain_store(&a->items[i], retain(th, items[i])); /* plain: not published yet */
    return list_from_array(th, a, n);
}

Value
list_of_taken(Thread *th, const Value *items, size_t n)
{
    ItemArray *a = NULL;
    if (n != 0) {
        a = item_array_new(th, n);
        if (UNLIKELY(a == NULL))
            return NULL;
    }
    Object *o = object_new_fast(th, SHAPE_LIST, sizeof(List), true);
    if (UNLIKELY(o == NULL)) {
        buffer_free(a);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        plain_store(&a->items[i], items[i]); /* plain: not published yet */
    List *l = (List *)(void *)o;
    plain_store(&l->array, a);
    plain_store(&l->length, (int64_t)n);
    return value_of(o);
}

static Value
list_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames;
    return type == &list_type ? list_new(th, 0) : type_alloc(th, type, 0);
}

/* -- reading -- */

int64_t
list_length(Value list)
{
    return load_acquire(&as_list(list)->length); /* pairs with the stores of length [list.length] */
}

Value
list_get(Thread *th, Value list, int64_t i)
{
    object_touch(th, value_object(list));
    Value v = list_peek(list, i);
    return v ? retain(th, v) : NULL;
}

/* Copies `n` items from `start` on, `step` apart, with new references, if the list's length still
 * is `length`. */
static bool
list_copy_items(Thread *th, List *l, int64_t length, int64_t start, int64_t step, size_t n, Field *to)
{
    bool held = object_touch_lock(th, &l->head);
    bool same = load_relaxed(&l->length) == length;
    ItemArray *a = load_relaxed(&l->array);
    if (step == 1 && same && n > 0) {
        memcpy((void *)to, (void *)&a->items[start], n * sizeof(Field));
        for (size_t i = 0; i < n; i++)
            retain_item(th, plain_load(&to[i])); /* plain: not published yet */
    } else {
        for (size_t i = 0; same && i < n; i++, start += step)
            plain_store(&to[i], retain(th, load_relaxed(&a->items[start]))); /* plain: as above */
    }
    object_unlock(&l->head, held);
    return same;
}

ItemArray *
list_snapshot(Thread *th, Value list, size_t *n)
{
    List *l = as_list(list);
    for (;;) {
        int64_t length = list_length(list);
        ItemArray *a = item_array_new(th, (size_t)length);
        if (a == NULL)
            return NULL;
        if (LIKELY(list_copy_items(th, l, length, 0, 1, (size_t)length, a->items))) {
            *n = (size_t)length;
            return a;
        }
        buffer_free(a);
    }
}

Value
list_to_tuple(Thread *th, Value list)
{
    for (;;) {
        int64_t length = list_length(list);
        Value t = tuple_new(th, (size_t)length);
        if (t == NULL)
            return NULL;
        if (LIKELY(list_copy_items(th, as_list(list), length, 0, 1, (size_t)length,
                                   (Field *)(void *)as_tuple(t)->items)))
            return t;
        drop(th, t);
    }
}

Value
list_slice_step(Thread *th, Value list, int64_t start, int64_t stop, int64_t step)
{
    for (;;) {
        int64_t length = list_length(list), from = start, to = stop;
        int64_t n = slice_adjust(length, &from, &to, step);
        if (n <= 0)
            return list_new(th, 0);
        ItemArray *a = item_array_new(th, (size_t)n);
        if (a == NULL)
            return NULL;
        if (LIKELY(list_copy_items(th, as_list(list), length, from, step, (size_t)n, a->items)))
            return list_from_array(th, a, (size_t)n);
        buffer_free(a);
    }
}

Value
list_slice(Thread *th, Value list, int64_t start, int64_t end)
{
    return list_slice_step(th, list, start < 0 ? 0 : start, end < 0 ? 0 : end, 1);
}

/* Item i from the end, counted while nobody changes the list; NULL when it is not there. */
static Value
list_get_from_end(Thread *th, List *l, int64_t i)
{
    bool held = object_touch_lock(th, &l->head);
    i += load_relaxed(&l->length);
    Value v = i >= 0 ? retain(th, load_relaxed(&load_relaxed(&l->array)->items[i])) : NULL;
    object_unlock(&l->head, held);
    return v;
}

static Value
list_item_slot(Thread *th, Value self, int64_t i)
{
    Value v = list_get(th, self, i);
    return LIKELY(v != NULL) ? v : raise_error(th, &exc_IndexError, "list index out of range");
}

static Value
list_getitem(Thread *th, Value self, Value key)
{
    if (LIKELY(is_index(key))) {
        int64_t i;
        if (!index_value(th, key, &i))
            return NULL;
        Value last = i < 0 ? list_get_from_end(th, as_list(self), i) : NULL;
        return last != NULL ? last : list_item_slot(th, self, i);
    }
    if (!is_slice(key))
        return raise_type_error(th, "list indices must be integers or slices, not %T", key);
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step))
        return NULL;
    return list_slice_step(th, self, start, stop, step);
}

/* -- growing and shrinking -- */

/* A large array of a list that nobody else has seen grows where it is, without a copy or a second
 * one beside it.  The lock is held meanwhile: what it costs others is at most that they wait for
 * one call of the kernel.  False, with no exception: not done. */
static bool
list_grow_private(List *l, ItemArray *a, size_t need)
{
    size_t bytes = item_array_bytes(grown_capacity(need));
    bool held = object_lock(&l->head);
    ItemArray *b = NULL;
    if (load_relaxed(&l->array) == a && !object_shared(&l->head)) {
        size_t used = item_array_bytes((size_t)load_relaxed(&l->length));
        b = mem_resize_zeroed(a, used, bytes);
        if (b != NULL) {
            b->capacity = (int64_t)grown_capacity(need);
            store_release(&l->array, b); /* release: pairs with list_peek() [list.array] */
        }
    }
    object_unlock(&l->head, held);
    return b != NULL;
}

bool
list_reserve(Thread *th, List *l, size_t need, bool exact)
{
    object_touch(th, &l->head);
    for (;;) {
        ItemArray *a = load_acquire(&l->array); /* pairs with the publications below [list.array] */
        if (a != NULL && (size_t)a->capacity >= need)
            return true;
        if (UNLIKELY(need > ITEMS_MAX)) {
            raise_memory(th);
            return false;
        }
        if (UNLIKELY(item_array_bytes(need) >= MEM_MAPPED) && !exact && a != NULL &&
            list_grow_private(l, a, need))
            continue;
        size_t capacity = need;
        if (!exact)
            capacity = object_shared(&l->head) ? grown_capacity_shared(need) : grown_capacity(need);
        ItemArray *b = item_array_new(th, capacity);
        if (b == NULL)
            return false;
        bool held = object_lock(&l->head);
        int64_t n = load_relaxed(&l->length);
        if (UNLIKELY(load_relaxed(&l->array) != a || n > b->capacity)) {
            object_unlock(&l->head, held);
            buffer_free(b);
            continue;
        }
        if (n > 0)
            memcpy((void *)b->items, (void *)a->items, (size_t)n * sizeof(Field));
        clear_tail(b, (size_t)n);
        store_release(&l->array, b); /* release: pairs with list_peek() [list.array] */
        bool shared = object_shared(&l->head);
        object_unlock(&l->head, held);
        item_array_free(th, shared, a);
        return true;
    }
}

void
list_shrink(Thread *th, List *l)
{
    ItemArray *a = load_acquire(&l->array); /* pairs with list_reserve() [list.array] */
    int64_t n = load_acquire(&l->length);   /* [list.length] */
    if (LIKELY(a == NULL || a->capacity < 32 || n >= a->capacity / 2))
        return;
    ItemArray *b = item_array_new(th, grown_capacity((size_t)n));
    if (b == NULL) {
        error_clear(th);
        return;
    }
    bool held = object_lock(&l->head);
    int64_t now = load_relaxed(&l->length);
    if (load_relaxed(&l->array) != a || now > b->capacity) {
        object_unlock(&l->head, held);
        buffer_free(b);
        return;
    }
    memcpy((void *)b->items, (void *)a->items, (size_t)now * sizeof(Field));
    clear_tail(b, (size_t)now);
    store_release(&l->array, b); /* release: pairs with list_peek() [list.array] */
    bool shared = object_shared(&l->head);
    object_unlock(&l->head, held);
    item_array_free(th, shared, a);
}

bool
list_append_slow(Thread *th, Value list, Value v)
{
    do {
        if (UNLIKELY(!list_reserve(th, as_list(list), (size_t)list_length(list) + 1, false))) {
            drop(th, v);
            return false;
        }
    } while (!list_append_fast(th, list, v));
    return true;
}

bool
list_append_steal(Thread *th, Value list, Value v)
{
    return LIKELY(list_append_fast(th, list, v)) || list_append_slow(th, list, v);
}

bool
list_append(Thread *th, Value list, Value v)
{
    return list_append_steal(th, list, retain(th, v));
}

bool
list_insert(Thread *th, Value list, int64_t i, Value v)
{
    List *l = as_list(list);
    object_touch(th, &l->head);
    for (;;) {
        bool held = object_lock(&l->head);
        int64_t n = load_relaxed(&l->length);
        ItemArray *a = load_relaxed(&l->array);
        if (a != NULL && n < a->capacity) {
            int64_t at = i < 0 ? (i + n < 0 ? 0 : i + n) : (i > n ? n : i);
            fields_move(&a->items[at + 1], &a->items[at], (size_t)(n - at),
                        object_shared(&l->head));
            store_release(&a->items[at], retain(th, v)); /* [list.item] */
            store_release(&l->length, n + 1);            /* [list.length] */
            object_unlock(&l->head, held);
            return true;
        }
        object_unlock(&l->head, held);
        if (!list_reserve(th, l, (size_t)n + 1, false))
            return false;
    }
}

bool
list_splice(Thread *th, List *l, int64_t lo, int64_t hi, const Value *items, size_t n)
{
    object_touch(th, &l->head);
    for (;;) {
        ItemArray *a = load_acquire(&l->array);    /* [list.array] */
        int64_t length = load_acquire(&l->length); /* [list.length] */
        int64_t from = lo, to = hi;
        if (slice_adjust(length, &from, &to, 1) == 0)
            to = from;
        size_t out = (size_t)(to - from), after = (size_t)length - out + n;
        size_t capacity = a ? (size_t)a->capacity : 0;
        if (out == 0 && n == 0)
            return true;
        if (UNLIKELY(after > ITEMS_MAX || n > ITEMS_MAX)) {
            raise_memory(th);
            return false;
        }
        ItemArray *b = NULL, *removed = NULL;
        if (after > capacity) {
            b = item_array_new(th, length == 0 ? after : grown_capacity(after));
            if (b == NULL)
                return false;
        }
        if (out > 0 && (removed = item_array_new(th, out)) == NULL) {
            buffer_free(b);
            return false;
        }
        bool held = object_lock(&l->head);
        if (UNLIKELY(load_relaxed(&l->length) != length || load_relaxed(&l->array) != a ||
                     (a != NULL && (size_t)a->capacity != capacity))) {
            object_unlock(&l->head, held);
            buffer_free(b);
            buffer_free(removed);
            continue;
        }
        bool shared = object_shared(&l->head);
        size_t tail = (size_t)(length - to);
        if (out > 0)
            memcpy((void *)removed->items, (void *)&a->items[from], out * sizeof(Field));
        if (b != NULL) {
            if (from > 0)
                memcpy((void *)b->items, (void *)a->items, (size_t)from * sizeof(Field));
            if (tail > 0)
                memcpy((void *)&b->items[(size_t)from + n], (void *)&a->items[to],
                       tail * sizeof(Field));
            memcpy((void *)&b->items[from], items, n * sizeof(Field));
            clear_tail(b, after);
            store_release(&l->array, b); /* release: pairs with list_peek() [list.array] */
        } else {
            if (tail > 0 && n != out)
                fields_move(&a->items[(size_t)from + n], &a->items[to], tail, shared);
            for (size_t i = 0; i < n; i++)
                store_release(&a->items[(size_t)from + i], items[i]); /* [list.item] */
            for (size_t i = after; i < (size_t)length; i++)
                store_release(&a->items[i], NULL);
        }
        store_release(&l->length, (int64_t)after); /* [list.length] */
        object_unlock(&l->head, held);
        if (b != NULL)
            item_array_free(th, shared, a);
        item_array_give_up(th, shared, removed);
        if (out > n)
            list_shrink(th, l);
        return true;
    }
}

bool
list_delete_slice(Thread *th, Value list, int64_t start, int64_t end)
{
    return list_splice(th, as_list(list), start, end, NULL, 0);
}

/* Removes all items. */
static void
list_clear_items(Thread *th, List *l)
{
    bool held = object_touch_lock(th, &l->head);
    ItemArray *a = load_relaxed(&l->array);
    store_release(&l->length, 0); /* [list.length] */
    store_release(&l->array, NULL);
    bool shared = object_shared(&l->head);
    object_unlock(&l->head, held);
    item_array_give_up(th, shared, a);
}

/* What pop() and del need: takes item i (negative: from the end) out.  NULL without exception
 * when it is not there; *empty tells whether the list was empty. */
static Value
list_take(Thread *th, List *l, int64_t i, bool *empty)
{
    bool held = object_touch_lock(th, &l->head);
    int64_t n = load_relaxed(&l->length);
    *empty = n == 0;
    if (i < 0)
        i += n;
    if (UNLIKELY(i < 0 || i >= n)) {
        object_unlock(&l->head, held);
        return NULL;
    }
    ItemArray *a = load_relaxed(&l->array);
    bool shared = object_shared(&l->head);
    Value v = load_relaxed(&a->items[i]);
    if (i + 1 < n)
        fields_move(&a->items[i], &a->items[i + 1], (size_t)(n - i - 1), shared);
    store_release(&a->items[n - 1], NULL);
    store_release(&l->length, n - 1); /* [list.length] */
    object_unlock(&l->head, held);
    list_shrink(th, l);
    return value_leave(th, shared, v);
}

Value
list_pop(Thread *th, Value list, int64_t i)
{
    bool empty;
    Value v = list_take(th, as_list(list), i, &empty);
    if (UNLIKELY(v == NULL))
        return raise_error(th, &exc_IndexError,
                           empty ? "pop from empty list" : "pop index out of range");
    return v;
}

bool
list_set(Thread *th, Value list, int64_t i, Value v)
{
    List *l = as_list(list);
    bool held = object_touch_lock(th, &l->head);
    if (i < 0)
        i += load_relaxed(&l->length);
    if (UNLIKELY(i < 0 || i >= load_relaxed(&l->length))) {
        object_unlock(&l->head, held);
        drop(th, v);
        raise_error(th, &exc_IndexError, "list assignment index out of range");
        return false;
    }
    ItemArray *a = load_relaxed(&l->array);
    Value old = load_relaxed(&a->items[i]);
    store_release(&a->items[i], v); /* [list.item] */
    bool shared = object_shared(&l->head);
    object_unlock(&l->head, held);
    drop_from(th, shared, old);
    return true;
}

/* -- several items at once -- */

Answer
list_splice_small(Thread *th, List *l, int64_t lo, int64_t hi, Value v)
{
    List *other = is_exact(v, SHAPE_LIST) ? as_list(v) : NULL;
    if (other == l || (other == NULL && !is_exact(v, SHAPE_TUPLE)))
        return NO;
    bool held = other ? object_touch_lock_two(th, &l->head, &other->head)
                      : object_touch_lock(th, &l->head);
    int64_t length = load_relaxed(&l->length);
    ItemArray *a = load_relaxed(&l->array), *b = other ? load_relaxed(&other->array) : NULL;
    int64_t from = lo < 0 ? (lo + length < 0 ? 0 : lo + length) : lo > length ? length : lo;
    int64_t to = hi < 0 ? hi + length : hi > length ? length : hi;
    if (to < from)
        to = from;
    size_t n = other ? (size_t)load_relaxed(&other->length) : (size_t)tuple_length(v);
    size_t out = (size_t)(to - from), after = (size_t)length - out + n;
    bool fits = a != NULL && after <= (size_t)a->capacity && out <= SPLICE_SMALL &&
                n <= SPLICE_ITEMS;
    Value removed[SPLICE_SMALL];
    bool shared = object_shared(&l->head);
    if (LIKELY(fits)) {
        memcpy(removed, (void *)&a->items[from], out * sizeof(Value));
        if (n != out)
            fields_move(&a->items[(size_t)from + n], &a->items[to], (size_t)(length - to), shared);
        const Value *items = other ? (b ? (const Value *)(void *)b->items : NULL)
                                   : as_tuple(v)->items; /* under the lock, or constant */
        for (size_t i = 0; i < n; i++)
            store_release(&a->items[(size_t)from + i], retain(th, items[i])); /* [list.item] */
        for (size_t i = after; i < (size_t)length; i++)
            store_release(&a->items[i], NULL);
        store_release(&l->length, (int64_t)after); /* [list.length] */
    }
    if (other)
        object_unlock_two(th, &l->head, &other->head, held);
    else
        object_unlock(&l->head, held);
    if (UNLIKELY(!fits))
        return NO;
    for (size_t i = out; i-- > 0;)
        drop_from(th, shared, removed[i]);
    if (out > n)
        list_shrink(th, l);
    return YES;
}

/* -- assignment to slices -- */

/* The items to assign: an array of counted references whose capacity is their number. */
static ItemArray *
items_to_assign(Thread *th, Value v, const char *message)
{
    Value sequence = sequence_fast(th, v, message);
    if (sequence == NULL)
        return NULL;
    ItemArray *a;
    size_t n;
    if (is_list(sequence)) {
        a = list_snapshot(th, sequence, &n);
    } else {
        n = (size_t)tuple_length(sequence);
        a = item_array_new(th, n);
        for (size_t i = 0; a != NULL && i < n; i++)
            plain_store(&a->items[i], retain(th, tuple_item(sequence, (int64_t)i)));
    }
    drop(th, sequence);
    return a;
}

/* list[start:stop:step] = items, step not 1; takes the array over. */
RAISES static bool
list_assign_steps(Thread *th, List *l, int64_t start, int64_t stop, int64_t step, ItemArray *items)
{
    for (;;) {
        int64_t length = load_acquire(&l->length), from = start, to = stop; /* [list.length] */
        int64_t n = slice_adjust(length, &from, &to, step);
        if (n != items->capacity) {
            raise_value_error(
                th, "attempt to assign sequence of size %zu to extended slice of size %zu",
                (size_t)items->capacity, (size_t)n);
            item_array_give_up(th, false, items);
            return false;
        }
        bool held = object_lock(&l->head);
        if (UNLIKELY(load_relaxed(&l->length) != length)) {
            object_unlock(&l->head, held);
            continue;
        }
        ItemArray *a = load_relaxed(&l->array);
        for (int64_t i = 0; i < n; i++, from += step) {
            Value old = load_relaxed(&a->items[from]);
            store_release(&a->items[from], plain_load(&items->items[i])); /* [list.item] */
            plain_store(&items->items[i], old); /* plain: ours alone */
        }
        bool shared = object_shared(&l->head);
        object_unlock(&l->head, held);
        item_array_give_up(th, shared, items);
        return true;
    }
}

/* del list[start:stop:step], step not 1. */
RAISES static bool
list_delete_steps(Thread *th, List *l, int64_t start, int64_t stop, int64_t step)
{
    for (;;) {
        int64_t length = load_acquire(&l->length), from = start, to = stop; /* [list.length] */
        int64_t n = slice_adjust(length, &from, &to, step), stride = step;
        if (n <= 0)
            return true;
        if (stride < 0) {
            from += (n - 1) * stride;
            stride = -stride;
        }
        ItemArray *removed = item_array_new(th, (size_t)n);
        if (removed == NULL)
            return false;
        bool held = object_lock(&l->head);
        if (UNLIKELY(load_relaxed(&l->length) != length)) {
            object_unlock(&l->head, held);
            buffer_free(removed);
            continue;
        }
        ItemArray *a = load_relaxed(&l->array);
        bool shared = object_shared(&l->head);
        int64_t put = from;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = from + i * stride, end = i + 1 < n ? at + stride : length;
            plain_store(&removed->items[i], load_relaxed(&a->items[at])); /* plain: ours alone */
            fields_move(&a->items[put], &a->items[at + 1], (size_t)(end - at - 1), shared);
            put += end - at - 1;
        }
        for (int64_t i = put; i < length; i++)
            store_release(&a->items[i], NULL);
        store_release(&l->length, put); /* [list.length] */
        object_unlock(&l->head, held);
        item_array_give_up(th, shared, removed);
        list_shrink(th, l);
        return true;
    }
}

bool
list_assign_slice(Thread *th, Value list, int64_t start, int64_t stop, int64_t step, Value v)
{
    List *l = as_list(list);
    object_touch(th, &l->head);
    if (LIKELY(step == 1) && list_splice_small(th, l, start, stop, v) == YES)
        return true;
    ItemArray *items = items_to_assign(th, v, step == 1
                                                  ? "can only assign an iterable"
                                                  : "must assign iterable to extended slice");
    if (items == NULL)
        return false;
    if (step != 1)
        return list_assign_steps(th, l, start, stop, step, items);
    bool ok = list_splice(th, l, start, stop, (const Value *)(void *)items->items,
                          (size_t)items->capacity);
    if (ok)
        buffer_free(items);
    else
        item_array_give_up(th, false, items);
    return ok;
}

static bool
list_setitem(Thread *th, Value self, Value key, Value v)
{
    List *l = as_list(self);
    object_touch(th, &l->head);
    if (LIKELY(is_index(key))) {
        int64_t i;
        if (!index_value(th, key, &i))
            return false;
        if (v == NULL) {
            bool empty;
            Value old = list_take(th, l, i, &empty);
            if (old == NULL) {
                raise_error(th, &exc_IndexError, "list assignment index out of range");
                return false;
            }
            drop(th, old);
            return true;
        }
        return list_set(th, self, i, retain(th, v));
    }
    if (!is_slice(key)) {
        raise_type_error(th, "list indices must be integers or slices, not %T", key);
        return false;
    }
    int64_t start, stop, step;
    if (!slice_unpack(th, key, &start, &stop, &step))
        return false;
    if (v != NULL)
        return list_assign_slice(th, self, start, stop, step, v);
    if (step != 1)
        return list_delete_steps(th, l, start, stop, step);
    return list_splice(th, l, start, stop, NULL, 0);
}

/* -- concatenation and repetition -- */

/* Copies the items of both at one moment, with new references, if their lengths still are these. */
static bool
list_copy_both(Thread *th, List *a, int64_t na, List *b, int64_t nb, Field *to)
{
    bool held = object_touch_lock_two(th, &a->head, &b->head);
    bool same = load_relaxed(&a->length) == na && load_relaxed(&b->length) == nb;
    ItemArray *x = load_relaxed(&a->array), *y = load_relaxed(&b->array);
    for (int64_t i = 0; same && i < na; i++)
        plain_store(&to[i], retain(th, load_relaxed(&x->items[i]))); /* plain: not published */
    for (int64_t i = 0; same && i < nb; i++)
        plain_store(&to[na + i], retain(th, load_relaxed(&y->items[i])));
    object_unlock_two(th, &a->head, &b->head, held);
    return same;
}

static Value
list_concat(Thread *th, Value a, Value b)
{
    if (!is_list(a))
        return NOT_IMPLEMENTED;
    if (!is_list(b))
        return raise_type_error(th, "can only concatenate list (not \"%T\") to list", b);
    for (;;) {
        int64_t na = list_length(a), nb = list_length(b);
        if (na + nb == 0)
            return list_new(th, 0);
        ItemArray *sum = item_array_new(th, (size_t)(na + nb));
        if (sum == NULL)
            return NULL;
        if (LIKELY(list_copy_both(th, as_list(a), na, as_list(b), nb, sum->items)))
            return list_from_array(th, sum, (size_t)(na + nb));
        buffer_free(sum);
    }
}

static Value
list_iconcat(Thread *th, Value self, Value other)
{
    return list_extend(th, self, other) ? retain(th, self) : NULL;
}

/* Fills items n .. n*count-1 with copies of the first n, which are counted for it. */
static void
repeat_items(Thread *th, Field *items, size_t n, size_t count)
{
    for (size_t i = 0; i < n; i++)
        retain_many(th, load_relaxed(&items[i]), count - 1);
    size_t total = n * count;
    if (n == 1) {
        Value v = load_relaxed(&items[0]);
        for (size_t i = 1; i < total; i++)
            store_release(&items[i], v); /* [list.item] */
        return;
    }
    for (size_t i = n; i < total; i++)
        store_release(&items[i], load_relaxed(&items[i - n])); /* [list.item] */
}

static Value
list_repeat(Thread *th, Value self, int64_t count)
{
    for (;;) {
        int64_t n = list_length(self);
        if (n == 0 || count <= 0)
            return list_new(th, 0);
        if ((size_t)count > ITEMS_MAX / (size_t)n)
            return raise_memory(th);
        ItemArray *a = item_array_new(th, (size_t)n * (size_t)count);
        if (a == NULL)
            return NULL;
        if (LIKELY(list_copy_items(th, as_list(self), n, 0, 1, (size_t)n, a->items))) {
            repeat_items(th, a->items, (size_t)n, (size_t)count);
            return list_from_array(th, a, (size_t)n * (size_t)count);
        }
        buffer_free(a);
    }
}

static Value
list_irepeat(Thread *th, Value self, int64_t count)
{
    List *l = as_list(self);
    object_touch(th, &l->head);
    if (count <= 0) {
        list_clear_items(th, l);
        return retain(th, self);
    }
    for (;;) {
        int64_t n = list_length(self);
        if (n == 0 || count == 1)
            return retain(th, self);
        if ((size_t)count > ITEMS_MAX / (size_t)n)
            return raise_memory(th);
        size_t total = (size_t)n * (size_t)count;
        if (!list_reserve(th, l, total, true))
            return NULL;
        bool held = object_lock(&l->head);
        ItemArray *a = load_relaxed(&l->array);
        bool same = load_relaxed(&l->length) == n && a != NULL && (size_t)a->capacity >= total;
        if (same) {
            repeat_items(th, a->items, (size_t)n, (size_t)count);
            store_release(&l->length, (int64_t)total); /* [list.length] */
        }
        object_unlock(&l->head, held);
        if (same)
            return retain(th, self);
    }
}

/* -- comparing and searching -- */

/* items_equal() for item i of a list and `v`; the list may change meanwhile.  Sets *end and
 * returns NO when there is no such item. */
static Answer
list_item_equal(Thread *th, Value list, int64_t i, Value v, bool *end)
{
    no_safepoint_begin(th);
    Value x = list_peek(list, i);
    Answer equal = x ? quick_equal(x, v) : NO;
    no_safepoint_end(th);
    *end = x == NULL;
    if (LIKELY(equal != FAILED))
        return equal;
    retain(th, x); /* no safepoint since it was read */
    equal = compare_answer(th, x, v, OP_EQ);
    drop(th, x);
    return equal;
}

static Value
list_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_list(a) || !is_list(b))
        return NOT_IMPLEMENTED;
    if (thread_stack_low(th))
        return raise_recursion(th, " in comparison");
    if ((op == OP_EQ || op == OP_NE) && list_length(a) != list_length(b))
        return bool_from(op == OP_NE);
    object_touch(th, value_object(a));
    object_touch(th, value_object(b));
    for (int64_t i = 0;; i++) {
        no_safepoint_begin(th);
        Value x = list_peek(a, i), y = list_peek(b, i);
        Answer equal = x && y ? quick_equal(x, y) : NO;
        no_safepoint_end(th);
        if (x == NULL || y == NULL)
            break;
        if (LIKELY(equal == YES))
            continue;
        retain(th, x); /* no safepoint since they were read */
        retain(th, y);
        if (equal == FAILED)
            equal = compare_answer(th, x, y, OP_EQ);
        Value result = NULL;
        bool gone = equal == NO && (i >= list_length(a) || i >= list_length(b));
        if (equal == NO && !gone)
            result = op == OP_EQ || op == OP_NE ? bool_from(op == OP_NE) : compare(th, x, y, op);
        drop(th, x);
        drop(th, y);
        if (gone) /* the comparison took them out: the lengths decide */
            break;
        if (equal != YES)
            return result;
    }
    int64_t na = list_length(a), nb = list_length(b);
    switch (op) {
    case OP_LT: return bool_from(na < nb);
    case OP_LE: return bool_from(na <= nb);
    case OP_EQ: return bool_from(na == nb);
    case OP_NE: return bool_from(na != nb);
    case OP_GT: return bool_from(na > nb);
    default: return bool_from(na >= nb);
    }
}

static Answer
list_contains(Thread *th, Value self, Value item)
{
    object_touch(th, value_object(self));
    for (int64_t i = 0;; i++) {
        bool end;
        Answer equal = list_item_equal(th, self, i, item, &end);
        if (equal != NO || end)
            return equal;
    }
}

static Value
list_index(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t start = 0, stop = INT64_MAX;
    Value item = arg(args, 0);
    if ((nargs > 1 && !index_bound(th, arg(args, 1), &start)) ||
        (nargs > 2 && !index_bound(th, arg(args, 2), &stop)))
        return NULL;
    int64_t n = list_length(self);
    if (start < 0 && (start += n) < 0)
        start = 0;
    if (stop < 0 && (stop += n) < 0)
        stop = 0;
    object_touch(th, value_object(self));
    for (int64_t i = start; i < stop; i++) {
        bool end;
        Answer equal = list_item_equal(th, self, i, item, &end);
        if (equal == FAILED)
            return NULL;
        if (equal == YES)
            return value_from_fixnum(i);
        if (end)
            break;
    }
    return raise_value_error(th, "%R is not in list", item);
}

static Value
list_count(Thread *th, Value self, Value item)
{
    int64_t found = 0;
    object_touch(th, value_object(self));
    for (int64_t i = 0;; i++) {
        bool end;
        Answer equal = list_item_equal(th, self, i, item, &end);
        if (equal == FAILED)
            return NULL;
        if (end)
            return value_from_fixnum(found);
        found += equal;
    }
}

/* Deletes item i if it still is `seen`; a private list may only have been changed by the
 * comparison itself, and then what is there now goes. */
static bool
list_delete_seen(Thread *th, List *l, int64_t i, Value seen)
{
    bool held = object_lock(&l->head);
    int64_t n = load_relaxed(&l->length);
    bool shared = object_shared(&l->head);
    ItemArray *a = load_relaxed(&l->array);
    Value v = i < n ? load_relaxed(&a->items[i]) : NULL;
    if (shared ? v != seen : v == NULL) {
        object_unlock(&l->head, held);
        return !shared;
    }
    fields_move(&a->items[i], &a->items[i + 1], (size_t)(n - i - 1), shared);
    store_release(&a->items[n - 1], NULL);
    store_release(&l->length, n - 1); /* [list.length] */
    object_unlock(&l->head, held);
    drop_from(th, shared, v);
    list_shrink(th, l);
    return true;
}

#define REMOVE_STARTS 1000 /* then the comparison itself keeps changing the list */

static Value
list_remove(Thread *th, Value self, Value item)
{
    List *l = as_list(self);
    int starts = 1;
    object_touch(th, &l->head);
    for (int64_t i = 0;; i++) {
        Value x = list_get(th, self, i);
        if (x == NULL) {
            /* Items that other threads moved down may have been missed: what is there at one
             * moment decides. */
            Value copy = object_shared(&l->head) ? list_slice(th, self, 0, INT64_MAX) : NULL;
            if (copy == NULL && error_set(th))
                return NULL;
            Answer there = copy ? list_contains(th, copy, item) : NO;
            drop_null(th, copy);
            if (there == FAILED)
                return NULL;
            if (there == NO || starts++ == REMOVE_STARTS)
                return raise_value_error(th, "list.remove(x): x not in list");
            i = -1;
            continue;
        }
        Answer equal = items_equal(th, x, item);
        bool done = equal == YES && list_delete_seen(th, l, i, x);
        drop(th, x);
        if (equal == FAILED)
            return NULL;
        if (done)
            return NONE;
        if (equal == YES) {
            i = -1; /* another thread moved it: from the beginning */
            if (starts++ == REMOVE_STARTS)
                return raise_value_error(th, "list.remove(x): x not in list");
        }
    }
}

bool
list_reverse(Thread *th, Value list)
{
    List *l = as_list(list);
    bool held = object_touch_lock(th, &l->head);
    ItemArray *a = load_relaxed(&l->array);
    for (int64_t i = 0, j = load_relaxed(&l->length) - 1; i < j; i++, j--) {
        Value v = load_relaxed(&a->items[i]);
        store_release(&a->items[i], load_relaxed(&a->items[j])); /* [list.item] */
        store_release(&a->items[j], v);
    }
    object_unlock(&l->head, held);
    return true;
}

/* -- the rest of the type -- */

static Value
list_repr(Thread *th, Value self)
{
    if (list_length(self) == 0)
        return str_from_ascii(th, "[]", 2);
    Answer inside = repr_enter(th, self);
    if (inside != NO)
        return inside == YES ? str_from_ascii(th, "[...]", 5) : NULL;
    StrBuilder b;
    str_builder_init(&b);
    bool ok = str_builder_char(th, &b, '[');
    for (int64_t i = 0; ok; i++) {
        Value v = list_get(th, self, i);
        if (v == NULL)
            break;
        ok = i == 0 || str_builder_ascii(th, &b, ", ", 2);
        Value text = ok ? to_repr(th, v) : NULL;
        drop(th, v);
        ok = text != NULL && str_builder_str(th, &b, text);
        drop_null(th, text);
    }
    ok = ok && str_builder_char(th, &b, ']');
    repr_leave(th, self);
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static bool
list_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (UNLIKELY(kwnames != NULL) && SLOT(type_of(self), new) == list_make &&
        !args_no_keywords(th, "list", kwnames))
        return false;
    if (!args_count(th, "list", nargs, 0, 1))
        return false;
    if (load_relaxed(&as_list(self)->array) != NULL)
        list_clear_items(th, as_list(self));
    return nargs == 0 || list_extend(th, self, arg(args, 0));
}

static int64_t
list_length_slot(Thread *th, Value self)
{
    (void)th;
    return list_length(self);
}

Value
list_append_method(Thread *th, Value self, Value v)
{
    return list_append(th, self, v) ? NONE : NULL;
}

static Value
list_insert_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    int64_t i;
    if (!arg_ssize(th, arg(args, 0), &i))
        return NULL;
    return list_insert(th, self, i, arg(args, 1)) ? NONE : NULL;
}

static Value
list_extend_method(Thread *th, Value self, Value iterable)
{
    return list_extend(th, self, iterable) ? NONE : NULL;
}

static Value
list_pop_method(Thread *th, Value self, const Arg *args, size_t nargs)
{
    int64_t i = -1;
    if (nargs > 0 && !arg_ssize(th, arg(args, 0), &i))
        return NULL;
    return list_pop(th, self, i);
}

static Value
list_clear_method(Thread *th, Value self)
{
    list_clear_items(th, as_list(self));
    return NONE;
}

static Value
list_copy_method(Thread *th, Value self)
{
    return list_slice(th, self, 0, INT64_MAX);
}

static Value
list_reverse_method(Thread *th, Value self)
{
    return list_reverse(th, self) ? NONE : NULL;
}

static Value
list_sort_method(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "sort", .names = {"key", "reverse"}};
    Value v[2];
    int reverse = 0;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[1] != NULL && !arg_int(th, v[1], &reverse))
        return NULL;
    return list_sort(th, self, v[0] == NONE ? NULL : v[0], reverse != 0) ? NONE : NULL;
}

static Value
list_sizeof(Thread *th, Value self)
{
    ItemArray *a = load_acquire(&as_list(self)->array); /* [list.array] */
    size_t n = object_ops(value_object(self))->cell_size;
    return int_from_size(th, n + (a ? item_array_bytes((size_t)a->capacity) : 0));
}

static void
list_visit(Object *o, VisitFn visit, void *arg)
{
    List *l = (List *)(void *)o;
    ItemArray *a = plain_load(&l->array); /* stopped or dying */
    for (int64_t i = 0, n = plain_load(&l->length); a != NULL && i < n; i++)
        field_visit(&a->items[i], visit, arg);
}

static void
list_clear_slot(Thread *th, Object *o)
{
    list_clear_items(th, (List *)(void *)o);
}

static void
list_dealloc(Thread *th, Object *o)
{
    List *l = (List *)(void *)o;
    ItemArray *a = plain_load(&l->array); /* dying */
    if (a == NULL)
        return;
    plain_store(&l->array, NULL);
    for (int64_t i = plain_load(&l->length); --i >= 0;) {
        Value v = plain_load(&a->items[i]);
        if (v != NULL)
            drop_item(th, v);
    }
    small_buffer_free(th, a, item_array_bytes((size_t)a->capacity));
}

static const MethodDef list_methods[] = {
    {.name = "__getitem__", .f1 = list_getitem, .flags = METHOD_1 | METHOD_COEXIST, .nmin = 1,
     .nmax = 1, .doc = "x.__getitem__(y) <==> x[y]"},
    NATIVE_0("__reversed__", list_reversed_new,
             "__reversed__($self, /)\n--\n\nReturn a reverse iterator over the list."),
    NATIVE_0("__sizeof__", list_sizeof,
             "__sizeof__($self, /)\n--\n\nReturn the size of the list in memory, in bytes."),
    NATIVE_0("clear", list_clear_method, "clear($self, /)\n--\n\nRemove all items from list."),
    NATIVE_0("copy", list_copy_method,
             "copy($self, /)\n--\n\nReturn a shallow copy of the list."),
    NATIVE_1("append", list_append_method,
             "append($self, object, /)\n--\n\nAppend object to the end of the list."),
    NATIVE_N("insert", list_insert_method, 2, 2,
             "insert($self, index, object, /)\n--\n\nInsert object before index."),
    NATIVE_1("extend", list_extend_method,
             "extend($self, iterable, /)\n--\n\n"
             "Extend list by appending elements from the iterable."),
    NATIVE_N("pop", list_pop_method, 0, 1,
             "pop($self, index=-1, /)\n--\n\nRemove and return item at index (default last).\n\n"
             "Raises IndexError if list is empty or index is out of range."),
    NATIVE_1("remove", list_remove,
             "remove($self, value, /)\n--\n\nRemove first occurrence of value.\n\n"
             "Raises ValueError if the value is not present."),
    NATIVE_N("index", list_index, 1, 3,
             "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
             "Return first index of value.\n\nRaises ValueError if the value is not present."),
    NATIVE_1("count", list_count,
             "count($self, value, /)\n--\n\nReturn number of occurrences of value."),
    NATIVE_0("reverse", list_reverse_method, "reverse($self, /)\n--\n\nReverse *IN PLACE*."),
    NATIVE_K("sort", list_sort_method,
             "sort($self, /, *, key=None, reverse=False)\n--\n\n"
             "Sort the list in ascending order and return None.\n\n"
             "The sort is in-place (i.e. the list itself is modified) and stable (i.e. the\n"
             "order of two equal elements is maintained).\n\n"
             "If a key function is given, apply it once to each list item and sort them,\n"
             "ascending or descending, according to their function values.\n\n"
             "The reverse flag can be set to sort in descending order."),
    {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1,
     .nmax = 1, .doc = "See PEP 585"},
    NATIVE_END,
};

Type list_type;
const TypeSpec list_spec = {
    .name = "list",
    .size = sizeof(List),
    .flags = TYPE_BASE | TYPE_SEQUENCE | TYPE_LIST_SUBCLASS | TYPE_MATCH_SELF,
    .ops_flags = OPS_TRACKED,
    .doc = "list(iterable=(), /)\n--\n\n"
           "Built-in mutable sequence.\n\n"
           "If no argument is given, the constructor creates a new empty list.\n"
           "The argument must be an iterable if specified.",
    .methods = list_methods,
    .slots = {
        .repr = list_repr,
        .hash = hash_unhashable,
        .compare = list_compare,
        .iter = list_iter_new,
        .init = list_init,
        .new = list_make,
        .length = list_length_slot,
        .getitem = list_getitem,
        .setitem = list_setitem,
        .item = list_item_slot,
        .contains = list_contains,
        .concat = list_concat,
        .iconcat = list_iconcat,
        .repeat = list_repeat,
        .irepeat = list_irepeat,
    },
    .visit = list_visit,
    .clear = list_clear_slot,
    .dealloc = list_dealloc,
};
