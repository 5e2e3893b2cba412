/* list_sort.c -- list.sort(): a stable, adaptive merge sort.
 *
 * Runs that are in order already are found (descending ones turned round, short ones lengthened by
 * binary insertion) and merged in the order that Powersort chooses (Munro, Wild, "Nearly-Optimal
 * Mergesorts", ESA 2018).  Merging gallops: when one side wins many times in a row, the place of
 * the next item of the other side is searched by doubling steps (as in Peters' timsort).
 *
 * While it is sorted the list is empty: its array is taken out and put back at the end, and what
 * anybody put in meanwhile is an error.  So comparisons and key functions may do what they like,
 * and no other thread sees the items half sorted.  An array that other threads may still be
 * reading is copied first.
 *
 * One look at all keys chooses how to compare: if all are immediate ints, floats, strs of one
 * byte a character, strs, or tuples, comparisons are inlined for that kind.
 */
#include "gc/pending.h"
#include "objects/container/container_priv.h"

/* KIND_FLONUM: all are immediate floats; sorted as ints, see flonums_to_words(). */
enum Kind { KIND_INT, KIND_FLOAT, KIND_BYTES, KIND_STR, KIND_TUPLE, KIND_ANY, KIND_FLONUM };

#define RUN_MIN 32
#define GALLOP_MIN 7
#define STACK_MAX 72 /* more than log2 of the longest list */

typedef struct Run {
    size_t start, length;
    int power; /* of the boundary behind this run */
} Run;

typedef struct Sorter {
    Thread *th;
    Value *keys;     /* what is compared */
    Value *values;   /* moved along with the keys; NULL if the keys are the items */
    size_t n;
    Value *buffer;   /* for merges: keys, then values */
    size_t room;     /* keys it has room for */
    size_t gallop;   /* wins in a row before galloping pays */
    size_t depth;
    Run stack[STACK_MAX];
} Sorter;

/* -- comparing -- */

static Answer
less_generic(Thread *th, Value a, Value b)
{
    Value r = compare(th, a, b, OP_LT);
    if (r == TRUE)
        return YES;
    if (r == FALSE)
        return NO;
    if (r == NULL)
        return FAILED;
    Answer answer = is_true(th, r);
    drop(th, r);
    return answer;
}

static Answer
less_tuples(Thread *th, Value a, Value b)
{
    int64_t na = tuple_length(a), nb = tuple_length(b), n = na < nb ? na : nb;
    for (int64_t i = 0; i < n; i++) {
        Value x = tuple_item(a, i), y = tuple_item(b, i);
        if (x == y)
            continue;
        if (value_is_fixnum(x) && value_is_fixnum(y))
            return (intptr_t)x < (intptr_t)y ? YES : NO;
        if (is_exact(x, SHAPE_STR) && is_exact(y, SHAPE_STR)) {
            int c = str_compare(x, y);
            if (c != 0)
                return c < 0 ? YES : NO;
            continue;
        }
        Answer equal = items_equal(th, x, y);
        if (equal == FAILED)
            return FAILED;
        if (equal == NO)
            return less_generic(th, x, y);
    }
    return na < nb ? YES : NO;
}

ALWAYS_INLINE Answer
less(Thread *th, Value a, Value b, enum Kind kind)
{
    switch (kind) {
    case KIND_INT: /* the words of immediate ints are ordered as the ints */
        return (intptr_t)a < (intptr_t)b ? YES : NO;
    case KIND_FLOAT:
        return float_value(a) < float_value(b) ? YES : NO;
    case KIND_BYTES: {
        const Str *s = as_str(a), *t = as_str(b);
        size_t n = s->length < t->length ? s->length : t->length;
        int c = memcmp(s->data, t->data, n);
        return c < 0 || (c == 0 && s->length < t->length) ? YES : NO;
    }
    case KIND_STR:
        return str_compare(a, b) < 0 ? YES : NO;
    case KIND_TUPLE:
        return less_tuples(th, a, b);
    default:
        return less_generic(th, a, b);
    }
}

/* The most special kind that fits all keys. */
static enum Kind
keys_kind(const Value *keys, size_t n)
{
    bool ints = true, floats = true, bytes = true, strs = true, tuples = true, flonums = true;
    for (size_t i = 0; i < n && (ints || floats || strs || tuples); i++) {
        Value k = keys[i];
        uint32_t shape = shape_of(k);
        ints = ints && value_is_fixnum(k);
        floats = floats && shape == SHAPE_FLOAT;
        flonums = flonums && value_is_flonum(k);
        strs = strs && shape == SHAPE_STR;
        bytes = bytes && strs && as_str(k)->width == 1;
        tuples = tuples && shape == SHAPE_TUPLE;
    }
    return ints ? KIND_INT : flonums ? KIND_FLONUM : floats ? KIND_FLOAT : bytes ? KIND_BYTES : strs ? KIND_STR
           : tuples ? KIND_TUPLE : KIND_ANY;
}

/* -- moving items -- */

static inline void
items_move(Sorter *s, size_t to, size_t from, size_t n)
{
    memmove(s->keys + to, s->keys + from, n * sizeof(Value));
    if (s->values != NULL)
        memmove(s->values + to, s->values + from, n * sizeof(Value));
}

static inline void
item_move(Sorter *s, size_t to, size_t from)
{
    s->keys[to] = s->keys[from];
    if (s->values != NULL)
        s->values[to] = s->values[from];
}

static void
values_reverse(Value *v, size_t n)
{
    for (size_t i = 0; i + 1 < n - i; i++) {
        Value swap = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = swap;
    }
}

/* The buffer's copy of the values begins behind its keys. */
static inline void
buffer_save(Sorter *s, size_t from, size_t n)
{
    memcpy(s->buffer, s->keys + from, n * sizeof(Value));
    if (s->values != NULL)
        memcpy(s->buffer + s->room, s->values + from, n * sizeof(Value));
}

static inline void
buffer_restore(Sorter *s, size_t to, size_t from, size_t n)
{
    memcpy(s->keys + to, s->buffer + from, n * sizeof(Value));
    if (s->values != NULL)
        memcpy(s->values + to, s->buffer + s->room + from, n * sizeof(Value));
}

static inline void
buffer_restore_one(Sorter *s, size_t to, size_t from)
{
    s->keys[to] = s->buffer[from];
    if (s->values != NULL)
        s->values[to] = s->buffer[s->room + from];
}

RAISES static bool
buffer_reserve(Sorter *s, size_t n)
{
    if (n <= s->room)
        return true;
    size_t room = n + n / 8;
    Value *b = buffer_new(s->th, room * sizeof(Value) * (s->values ? 2 : 1));
    if (b == NULL)
        return false;
    buffer_free(s->buffer);
    s->buffer = b;
    s->room = room;
    return true;
}

/* -- runs -- */

/* The length of the run that starts at `lo`, which ends before `hi`; a strictly descending one is
 * turned round.  0: exception. */
ALWAYS_INLINE size_t
run_find(Sorter *s, size_t lo, size_t hi, enum Kind kind)
{
    Value *k = s->keys;
    if (hi - lo < 2)
        return hi - lo;
    size_t i = lo + 1;
    Answer down = less(s->th, k[i], k[i - 1], kind);
    if (down == FAILED)
        return 0;
    for (i++; i < hi; i++) {
        Answer order = less(s->th, k[i], k[i - 1], kind);
        if (order == FAILED)
            return 0;
        if (order != down)
            break;
    }
    if (down == YES) {
        values_reverse(k + lo, i - lo);
        if (s->values != NULL)
            values_reverse(s->values + lo, i - lo);
    }
    return i - lo;
}

/* Sorts lo .. hi-1, of which the items before `sorted` are in order, by binary insertion. */
ALWAYS_INLINE bool
run_insert(Sorter *s, size_t lo, size_t sorted, size_t hi, enum Kind kind)
{
    for (size_t i = sorted; i < hi; i++) {
        Value key = s->keys[i], value = s->values ? s->values[i] : NULL;
        size_t left = lo, right = i;
        while (left < right) {
            size_t middle = left + (right - left) / 2;
            Answer order = less(s->th, key, s->keys[middle], kind);
            if (order == FAILED)
                return false;
            if (order == YES)
                right = middle;
            else
                left = middle + 1;
        }
        items_move(s, left + 1, left, i - left);
        s->keys[left] = key;
        if (s->values != NULL)
            s->values[left] = value;
    }
    return true;
}

/* -- merging -- */

/* How many of the n keys at `k` are less than `key` (or not greater, if `equal_too`), searched by
 * doubling steps from the front, or from the back.  SIZE_MAX: exception. */
ALWAYS_INLINE size_t
gallop(Sorter *s, Value key, const Value *k, size_t n, bool equal_too, bool from_back,
       enum Kind kind)
{
    /* before(i): whether k[i] stays in front of key */
#define BEFORE(i, answer)                                                                          \
    do {                                                                                           \
        Answer order_ = equal_too ? less(s->th, key, k[i], kind) : less(s->th, k[i], key, kind);   \
        if (order_ == FAILED)                                                                      \
            return SIZE_MAX;                                                                       \
        (answer) = equal_too ? order_ == NO : order_ == YES;                                       \
    } while (0)
    size_t low = 0, high = n, step = 1; /* the answer is in low .. high */
    bool before;
    if (!from_back) {
        while (low + step <= n) {
            BEFORE(low + step - 1, before);
            if (!before) {
                high = low + step - 1;
                break;
            }
            low += step;
            step *= 2;
        }
    } else {
        while (high >= step) {
            BEFORE(high - step, before);
            if (before) {
                low = high - step + 1;
                break;
            }
            high -= step;
            step *= 2;
        }
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        BEFORE(middle, before);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
#undef BEFORE
}

/* Merges the na items at `a` with the nb behind them; na <= nb.  The first of b belongs in front
 * of all of a, the last of a behind all of b. */
ALWAYS_INLINE bool
merge_low(Sorter *s, size_t a, size_t na, size_t nb, enum Kind kind)
{
    if (!buffer_reserve(s, na))
        return false;
    buffer_save(s, a, na);
    size_t i = 0, j = a + na, end = j + nb, put = a, streak = s->gallop;
    bool ok = false;
    item_move(s, put++, j++);
    if (j == end)
        goto done;
    for (;;) {
        size_t wins_a = 0, wins_b = 0;
        do {
            Answer order = less(s->th, s->keys[j], s->buffer[i], kind);
            if (order == FAILED)
                goto fail;
            if (order == YES) {
                item_move(s, put++, j++);
                wins_b++;
                wins_a = 0;
                if (j == end)
                    goto done;
            } else {
                buffer_restore_one(s, put++, i++);
                wins_a++;
                wins_b = 0;
                if (i == na)
                    goto done;
            }
        } while (wins_a < streak && wins_b < streak);
        do {
            streak -= streak > 1;
            wins_a = gallop(s, s->keys[j], s->buffer + i, na - i, true, false, kind);
            if (wins_a == SIZE_MAX)
                goto fail;
            buffer_restore(s, put, i, wins_a);
            put += wins_a;
            i += wins_a;
            if (i == na)
                goto done;
            item_move(s, put++, j++);
            if (j == end)
                goto done;
            wins_b = gallop(s, s->buffer[i], s->keys + j, end - j, false, false, kind);
            if (wins_b == SIZE_MAX)
                goto fail;
            items_move(s, put, j, wins_b);
            put += wins_b;
            j += wins_b;
            if (j == end)
                goto done;
            buffer_restore_one(s, put++, i++);
            if (i == na)
                goto done;
        } while (wins_a >= GALLOP_MIN || wins_b >= GALLOP_MIN);
        streak += 2; /* galloping did not pay */
    }
done:
    ok = true;
fail:
    s->gallop = streak;
    buffer_restore(s, put, i, na - i); /* the gap is as long as what is left in the buffer */
    return ok;
}

/* The same from the back; nb <= na. */
ALWAYS_INLINE bool
merge_high(Sorter *s, size_t a, size_t na, size_t nb, enum Kind kind)
{
    if (!buffer_reserve(s, nb))
        return false;
    size_t b = a + na;
    buffer_save(s, b, nb);
    size_t i = b, j = nb, put = b + nb, streak = s->gallop; /* i, j, put: one behind the next */
    bool ok = false;
    item_move(s, --put, --i);
    if (i == a)
        goto done;
    for (;;) {
        size_t wins_a = 0, wins_b = 0;
        do {
            Answer order = less(s->th, s->buffer[j - 1], s->keys[i - 1], kind);
            if (order == FAILED)
                goto fail;
            if (order == YES) {
                item_move(s, --put, --i);
                wins_a++;
                wins_b = 0;
                if (i == a)
                    goto done;
            } else {
                buffer_restore_one(s, --put, --j);
                wins_b++;
                wins_a = 0;
                if (j == 0)
                    goto done;
            }
        } while (wins_a < streak && wins_b < streak);
        do {
            streak -= streak > 1;
            size_t stay = gallop(s, s->buffer[j - 1], s->keys + a, i - a, true, true, kind);
            if (stay == SIZE_MAX)
                goto fail;
            wins_a = i - a - stay;
            put -= wins_a;
            i -= wins_a;
            items_move(s, put, i, wins_a);
            if (i == a)
                goto done;
            buffer_restore_one(s, --put, --j);
            if (j == 0)
                goto done;
            stay = gallop(s, s->keys[i - 1], s->buffer, j, false, true, kind);
            if (stay == SIZE_MAX)
                goto fail;
            wins_b = j - stay;
            put -= wins_b;
            j = stay;
            buffer_restore(s, put, j, wins_b);
            if (j == 0)
                goto done;
            item_move(s, --put, --i);
            if (i == a)
                goto done;
        } while (wins_a >= GALLOP_MIN || wins_b >= GALLOP_MIN);
        streak += 2; /* galloping did not pay */
    }
done:
    ok = true;
fail:
    s->gallop = streak;
    buffer_restore(s, put - j, 0, j); /* the gap is as long as what is left in the buffer */
    return ok;
}

/* Merges the two topmost runs. */
ALWAYS_INLINE bool
merge_top(Sorter *s, enum Kind kind)
{
    Run *x = &s->stack[s->depth - 2], *y = &s->stack[s->depth - 1];
    size_t a = x->start, na = x->length, b = y->start, nb = y->length;
    x->length = na + nb;
    x->power = y->power;
    s->depth--;
    /* What is in its place already stays there. */
    size_t skip = gallop(s, s->keys[b], s->keys + a, na, true, false, kind);
    if (skip == SIZE_MAX)
        return false;
    a += skip;
    na -= skip;
    if (na == 0)
        return safepoint_poll(s->th);
    nb = gallop(s, s->keys[b - 1], s->keys + b, nb, false, true, kind);
    if (nb == SIZE_MAX)
        return false;
    if (nb == 0)
        return safepoint_poll(s->th);
    bool ok = na <= nb ? merge_low(s, a, na, nb, kind) : merge_high(s, a, na, nb, kind);
    return ok && safepoint_poll(s->th);
}

/* The power of the boundary between two neighbouring runs among n items: the depth of the node of
 * a perfectly balanced tree over the items that separates the runs' middles. */
static int
boundary_power(size_t start, size_t na, size_t nb, size_t n)
{
    uint64_t left = 2 * (uint64_t)start + na, right = left + na + nb; /* twice the middles */
    int power = 0;
    for (;;) {
        power++;
        if (left >= n) {
            left -= n;
            right -= n;
        } else if (right >= n) {
            return power;
        }
        left *= 2;
        right *= 2;
    }
}

/* Sorts everything; specialised by the compiler for each kind. */
ALWAYS_INLINE bool
sort_kind(Sorter *s, enum Kind kind)
{
    for (size_t lo = 0; lo < s->n;) {
        size_t length = run_find(s, lo, s->n, kind);
        if (length == 0)
            return false;
        if (length < RUN_MIN && lo + length < s->n) {
            size_t want = s->n - lo < RUN_MIN ? s->n - lo : RUN_MIN;
            if (!run_insert(s, lo, lo + length, lo + want, kind))
                return false;
            length = want;
        }
        if (s->depth > 0) {
            Run *top = &s->stack[s->depth - 1];
            int power = boundary_power(top->start, top->length, length, s->n);
            while (s->depth > 1 && s->stack[s->depth - 2].power > power) {
                if (!merge_top(s, kind))
                    return false;
            }
            s->stack[s->depth - 1].power = power;
        }
        CHECK(s->depth < STACK_MAX);
        s->stack[s->depth++] = (Run){lo, length, 0};
        lo += length;
    }
    while (s->depth > 1) {
        if (!merge_top(s, kind))
            return false;
    }
    return true;
}

static NOINLINE bool sort_ints(Sorter *s) { return sort_kind(s, KIND_INT); }
static NOINLINE bool sort_floats(Sorter *s) { return sort_kind(s, KIND_FLOAT); }
static NOINLINE bool sort_bytes(Sorter *s) { return sort_kind(s, KIND_BYTES); }
static NOINLINE bool sort_strs(Sorter *s) { return sort_kind(s, KIND_STR); }
static NOINLINE bool sort_tuples(Sorter *s) { return sort_kind(s, KIND_TUPLE); }
static NOINLINE bool sort_any(Sorter *s) { return sort_kind(s, KIND_ANY); }

/* An immediate float's bits as a word that is ordered, as a signed int, like the floats: negative
 * ones have all bits but the sign inverted.  None of them is a NaN or a zero. */
static void
flonums_to_words(Value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double d = float_decode(v[i]);
        int64_t bits;
        memcpy(&bits, &d, sizeof bits);
        v[i] = value_from_bits((uintptr_t)(bits ^ ((bits >> 63) & INT64_MAX)));
    }
}

static void
words_to_flonums(Value *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t bits = (int64_t)value_bits(v[i]);
        double d;
        bits ^= (bits >> 63) & INT64_MAX;
        memcpy(&d, &bits, sizeof d);
        v[i] = float_encode(d);
    }
}

/* The first eight bytes of a str, as a word that is ordered like them; shorter ones are filled up
 * with zeros. */
static uint64_t
str_prefix(const Str *s)
{
    uint64_t word = 0;
    memcpy(&word, s->data, s->length < 8 ? s->length : 8);
    return __builtin_bswap64(word);
}

/* Sorts strs of one byte a character: first by their first eight bytes, which saves looking at
 * them in memory, then each stretch of equal ones by all bytes. */
RAISES static bool
sort_prefixes(Sorter *s)
{
    Value *strs = s->keys;
    size_t n = s->n;
    Value *words = buffer_new(s->th, n * sizeof(Value));
    if (words == NULL)
        return false;
    for (size_t i = 0; i < n; i++) /* as signed ints they are in order when the top bit is turned */
        words[i] = value_from_bits(str_prefix(as_str(strs[i])) ^ ((uint64_t)1 << 63));
    s->keys = words;
    s->values = strs;
    bool ok = sort_ints(s);
    s->values = NULL;
    for (size_t i = 0, end; ok && i < n; i = end) {
        for (end = i + 1; end < n && words[end] == words[i]; end++) {
        }
        if (end - i > 1) {
            Sorter part = {.th = s->th, .keys = strs + i, .n = end - i, .gallop = GALLOP_MIN};
            ok = sort_bytes(&part);
            buffer_free(part.buffer);
        }
    }
    s->keys = strs;
    buffer_free(words);
    return ok;
}

/* Sorts by the keys, whatever they are. */
RAISES static bool
sort_keys(Sorter *s)
{
    enum Kind kind = keys_kind(s->keys, s->n);
    switch (kind) {
    case KIND_INT: return sort_ints(s);
    case KIND_FLOAT: return sort_floats(s);
    case KIND_BYTES: return s->values == NULL && s->n > 100 ? sort_prefixes(s) : sort_bytes(s);
    case KIND_STR: return sort_strs(s);
    case KIND_TUPLE: return sort_tuples(s);
    case KIND_FLONUM: {
        flonums_to_words(s->keys, s->n);
        bool ok = sort_ints(s);
        words_to_flonums(s->keys, s->n);
        return ok;
    }
    default: return sort_any(s);
    }
}

/* Sorts n items in place; false with an exception, the items in some order. */
RAISES static bool
items_sort(Thread *th, Value *items, size_t n, Value key, bool reverse)
{
    Sorter s = {.th = th, .keys = items, .n = n, .gallop = GALLOP_MIN};
    bool ok = true;
    size_t made = 0;
    if (key != NULL) {
        s.keys = buffer_new(th, (n ? n : 1) * sizeof(Value));
        if (s.keys == NULL)
            return false;
        s.values = items;
        for (; made < n; made++) {
            s.keys[made] = call_1(th, key, items[made]);
            if (s.keys[made] == NULL || !loop_poll(th, made)) {
                made += s.keys[made] != NULL;
                ok = false;
                break;
            }
        }
    }
    if (ok && n > 1) {
        if (reverse) { /* equal items keep their order: turned round twice */
            values_reverse(s.keys, n);
            if (s.values != NULL)
                values_reverse(s.values, n);
        }
        ok = sort_keys(&s);
        if (reverse) {
            values_reverse(s.keys, n);
            if (s.values != NULL)
                values_reverse(s.values, n);
        }
    }
    if (key != NULL) {
        while (made > 0)
            drop(th, s.keys[--made]);
        buffer_free(s.keys);
    }
    buffer_free(s.buffer);
    return ok;
}

/* Takes the array out of the list; false: no memory.  The array is this thread's alone
 * afterwards: of a shared list it is a copy, readers may still look at the old one. */
RAISES static bool
list_take_array(Thread *th, List *l, ItemArray **array, size_t *n)
{
    object_touch(th, &l->head);
    ItemArray *copy = NULL;
    for (;;) {
        bool held = object_lock(&l->head);
        ItemArray *a = load_relaxed(&l->array);
        size_t length = (size_t)load_relaxed(&l->length);
        bool shared = object_shared(&l->head);
        if (UNLIKELY(shared && a != NULL &&
                     (copy == NULL || (size_t)copy->capacity < length))) {
            object_unlock(&l->head, held);
            buffer_free(copy);
            copy = item_array_new(th, length);
            if (copy == NULL)
                return false;
            continue;
        }
        store_release(&l->length, 0); /* [list.length] */
        store_release(&l->array, NULL);
        object_unlock(&l->head, held);
        *array = a;
        *n = length;
        if (UNLIKELY(shared && a != NULL)) {
            memcpy((void *)copy->items, (void *)a->items, length * sizeof(Field));
            memset((void *)(copy->items + length), 0,
                   ((size_t)copy->capacity - length) * sizeof(Field));
            item_array_free(th, true, a);
            *array = copy;
        } else {
            buffer_free(copy);
        }
        return true;
    }
}

bool
list_sort(Thread *th, Value list, Value key, bool reverse)
{
    List *l = as_list(list);
    ItemArray *a;
    size_t n;
    if (!list_take_array(th, l, &a, &n))
        return false;
    bool ok = a == NULL || items_sort(th, (Value *)(void *)a->items, n, key, reverse);
    if (UNLIKELY(th->pending_count > 0))
        pending_serve(th); /* finalizers of the keys may change the list: they belong to the sort */
    bool held = object_lock(&l->head);
    ItemArray *other = load_relaxed(&l->array);
    store_release(&l->array, a);            /* [list.array] */
    store_release(&l->length, (int64_t)n);  /* [list.length] */
    bool shared = object_shared(&l->head);
    object_unlock(&l->head, held);
    item_array_give_up(th, shared, other);
    if (ok && other != NULL) {
        raise_value_error(th, "list modified during sort");
        ok = false;
    }
    return ok;
}
