/* test_containers.c -- list, sort, dict, set against simple models; then shared by threads. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "gc/collect.h"
#include "gc/gc_init.h"
#include "gc/heap.h"
#include "gc/pending.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

static Thread *th;
static uint64_t seed = 1;

static uint64_t
rnd(uint64_t *state, uint64_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % n;
}

static Value
num(int64_t n)
{
    return value_from_fixnum(n);
}

static bool
repr_is(Value v, const char *text)
{
    char buf[500] = "NULL";
    Value r = v ? to_repr(th, v) : NULL;
    bool same = r != NULL && str_equal_ascii(r, text);
    if (!same) {
        if (r)
            str_to_buffer(r, buf, sizeof buf);
        printf("# got %s, want %s\n", buf, text);
    }
    drop_null(th, r);
    drop_null(th, v);
    return same;
}

/* -- list -- */

static void
test_list(void)
{
    enum { MAX = 300 };
    int64_t model[MAX + 8];
    int64_t n = 0;
    Value list = list_new(th, 0);
    bool good = true;
    for (long step = 0; step < TAP_SCALE(200000) && good; step++) {
        int64_t at = (int64_t)rnd(&seed, (uint64_t)n + 1), v = (int64_t)rnd(&seed, 1000);
        switch (rnd(&seed, n < MAX ? 7 : 4)) {
        case 0: /* pop */
            if (n > 0) {
                at = at < n ? at : n - 1;
                Value got = list_pop(th, list, at);
                good = got == num(model[at]);
                memmove(model + at, model + at + 1, (size_t)(n - at - 1) * sizeof *model);
                n--;
            }
            break;
        case 1: { /* delete a slice */
            int64_t end = at + (int64_t)rnd(&seed, 4);
            if (end > n)
                end = n;
            good = list_delete_slice(th, list, at, end);
            memmove(model + at, model + end, (size_t)(n - end) * sizeof *model);
            n -= end - at;
            break;
        }
        case 2:
            if (at < n) {
                good = list_set(th, list, at, num(v));
                model[at] = v;
            }
            break;
        case 3: {
            Value part = list_slice(th, list, at / 2, at);
            good = part && list_length(part) == at - at / 2;
            for (int64_t i = at / 2; good && i < at; i++)
                good = list_peek(part, i - at / 2) == num(model[i]);
            drop_null(th, part);
            break;
        }
        case 4:
            good = list_insert(th, list, at, num(v));
            memmove(model + at + 1, model + at, (size_t)(n - at) * sizeof *model);
            model[at] = v;
            n++;
            break;
        default:
            good = list_append(th, list, num(v));
            model[n++] = v;
        }
        good = good && list_length(list) == n;
        for (int64_t i = 0; step % 50 == 0 && good && i < n; i++)
            good = list_peek(list, i) == num(model[i]);
    }
    OK(good, "a list does what an array does");
    OK(list_peek(list, n) == NULL, "nothing behind the end");
    drop(th, list);

    Value items[3] = {num(1), num(2), num(3)};
    list = list_of(th, items, 3);
    OK(list_extend(th, list, list) && list_length(list) == 6, "a list extended by itself");
    Value slice = slice_new(th, num(0), NONE, num(2));
    OK(repr_is(get_item(th, list, slice), "[1, 3, 2]"), "list[::2]");
    OK(set_item(th, list, slice, NULL), "del list[::2]");
    OK(repr_is(retain(th, list), "[2, 1, 3]"), "what is left");
    drop(th, slice);
    slice = slice_new(th, num(1), num(1), NULL);
    OK(set_item(th, list, slice, list), "list[1:1] = list");
    OK(repr_is(retain(th, list), "[2, 2, 1, 3, 1, 3]"), "inserted");
    drop(th, slice);
    OK(list_append(th, list, list) && repr_is(retain(th, list), "[2, 2, 1, 3, 1, 3, [...]]"),
       "repr of a list in itself");
    OK(list_delete_slice(th, list, 0, 100), "cleared");
    drop(th, list);
}

/* -- sorting -- */

static Value
key_first(Thread *t, Value self, Value a)
{
    (void)self;
    return retain(t, tuple_item(a, 0));
}

static const MethodDef key_def = NATIVE_1("first", key_first, NULL);

/* One number of pattern `p` at position i of n. */
static int64_t
pattern(int p, int64_t i, int64_t n)
{
    switch (p) {
    case 0: return i;
    case 1: return n - i;
    case 2: return (int64_t)rnd(&seed, 1u << 30);
    case 3: return (int64_t)rnd(&seed, 8);
    case 4: return i % 17;
    case 5: return i < n / 2 ? i * 2 : (i - n / 2) * 2 + 1;
    case 6: return 5;
    case 7: return i % 100 == 0 ? (int64_t)rnd(&seed, 1000) : i;
    default: return i < n - 10 ? i : (int64_t)rnd(&seed, (uint64_t)n);
    }
}

static Value
key_of_kind(int kind, int64_t n)
{
    char text[32];
    switch (kind) {
    case 0: return num(n);
    case 1: return float_from(th, (double)n / 4);
    case 2:
        snprintf(text, sizeof text, "%lld", (long long)n);
        return str_from_c(th, text);
    case 3: return n % 3 ? str_from_char(th, 200 + (uint32_t)(n % 900)) : str_from_c(th, "abc");
    case 4: return tuple_pack(th, 2, num(n / 2), num(n % 2));
    default: return n % 2 ? num(n) : float_from(th, (double)n);
    }
}

static void
test_sort(void)
{
    Value key = native_function_new(th, &key_def, NULL, NULL);
    bool good = true;
    static const int64_t sizes[] = {0, 1, 2, 3, 31, 32, 33, 64, 100, 1000, 5000};
    for (size_t s = 0; good && s < ARRAY_LEN(sizes); s++)
        for (int p = 0; good && p < 9; p++)
            for (int kind = 0; good && kind < 6; kind++)
                for (int how = 0; good && how < 4; how++) { /* plain, reverse, key, both */
                    int64_t n = sizes[s];
                    if (n > 100 && TAP_SCALE(10) < 10)
                        n = 100;
                    Value list = list_new(th, 0);
                    for (int64_t i = 0; i < n; i++) {
                        Value k = key_of_kind(kind, pattern(p, i, n));
                        if (how >= 2) {
                            Value pair = tuple_pack(th, 2, k, num(i));
                            drop(th, k);
                            k = pair;
                        }
                        CHECK(list_append_steal(th, list, k));
                    }
                    bool reverse = how & 1;
                    good = list_sort(th, list, how >= 2 ? key : NULL, reverse) &&
                           list_length(list) == n;
                    for (int64_t i = 1; good && i < n; i++) {
                        Value a = list_get(th, list, i - 1), b = list_get(th, list, i);
                        Value x = how >= 2 ? tuple_item(a, 0) : a, y = how >= 2 ? tuple_item(b, 0) : b;
                        good = compare_answer(th, reverse ? x : y, reverse ? y : x, OP_LT) == NO;
                        if (good && how >= 2 && compare_answer(th, x, y, OP_EQ) == YES)
                            good = value_fixnum(tuple_item(a, 1)) < value_fixnum(tuple_item(b, 1));
                        drop(th, a);
                        drop(th, b);
                    }
                    if (!good)
                        printf("# n %ld pattern %d kind %d how %d\n", (long)n, p, kind, how);
                    drop(th, list);
                }
    OK(good, "sorting: in order, and stable");
    Value list = list_new(th, 0);
    for (int64_t i = 0; i < 100; i++)
        CHECK(list_append_steal(th, list, i == 60 ? str_from_c(th, "x") : num((i * 37) % 100)));
    OK(!list_sort(th, list, NULL, false) && error_matches(th, &exc_TypeError),
       "not comparable: TypeError");
    error_clear(th);
    int64_t sum = 0;
    for (int64_t i = 0; i < 100; i++) {
        Value v = list_peek(list, i);
        sum += v && value_is_fixnum(v) ? value_fixnum(v) : 0;
    }
    OK(list_length(list) == 100 && sum == 99 * 50 - (60 * 37) % 100, "and no item is lost");
    drop(th, list);
    drop(th, key);
}

/* -- dict and set -- */

enum { KEYS = 400 };

static Value
model_key(int i)
{
    char text[32];
    switch (i % 4) {
    case 0: return num(i * 64);
    case 1:
        snprintf(text, sizeof text, "key%d", i);
        return str_from_c(th, text);
    case 2: return i % 8 == 2 ? float_from(th, i + 0.5) : num(-i);
    default: return tuple_pack(th, 1, num(i));
    }
}

static void
test_dict(bool general)
{
    int64_t value[KEYS];
    int order[KEYS * 2], used = 0, live = 0;
    memset(value, -1, sizeof value);
    Value d = dict_new(th), keys[KEYS];
    for (int i = 0; i < KEYS; i++)
        keys[i] = general ? model_key(i) : model_key(i - i % 4 + (i % 2));
    bool good = true;
    for (long step = 0; good && step < TAP_SCALE(100000); step++) {
        int i = (int)rnd(&seed, KEYS), other;
        if (!general)
            i -= i % 4 >= 2 ? 2 : 0;
        Value v, key = general ? model_key(i) : model_key(i - i % 4 + i % 2);
        switch (rnd(&seed, 8)) {
        case 0: case 1: case 2: case 3:
            good = dict_set(th, d, key, num(step));
            if (value[i] < 0) {
                live++;
                if (used == KEYS * 2) {
                    int put = 0;
                    for (int k = 0; k < used; k++) {
                        if (order[k] >= 0)
                            order[put++] = order[k];
                    }
                    used = put;
                }
                order[used++] = i;
            }
            value[i] = step;
            break;
        case 4: case 5:
            other = dict_pop(th, d, key, &v);
            good = other == (value[i] >= 0 ? YES : NO) && (other == NO || v == num(value[i]));
            for (int k = 0; other == YES && k < used; k++) {
                if (order[k] == i)
                    order[k] = -1;
            }
            live -= other == YES;
            value[i] = -1;
            break;
        case 6:
            other = dict_get(th, d, key, &v);
            good = other == (value[i] >= 0 ? YES : NO) && (other == NO || v == num(value[i]));
            break;
        default:
            if (rnd(&seed, 2000) == 0) {
                Value copy = dict_copy(th, d);
                good = compare_answer(th, copy, d, OP_EQ) == YES;
                drop(th, d);
                d = copy;
            }
            if (rnd(&seed, 2000) == 0) {
                dict_clear(th, d);
                memset(value, -1, sizeof value);
                live = used = 0;
            }
        }
        drop(th, key);
        good = good && dict_length(d) == live;
        if (step % 500 == 0) {
            size_t pos = 0;
            Value k;
            int at = 0;
            while (good && dict_next(th, d, &pos, &k, &v)) {
                while (at < used && order[at] < 0)
                    at++;
                good = at < used && values_equal(th, k, keys[order[at]]) == YES &&
                       v == num(value[order[at]]);
                at++;
                drop(th, k);
                drop(th, v);
            }
        }
    }
    OK(good, general ? "a dict with all kinds of keys does what its model does"
                     : "a dict of strs and ints does what its model does");
    for (int i = 0; i < KEYS; i++)
        drop(th, keys[i]);
    drop(th, d);
}

static void
test_set(void)
{
    bool in[KEYS] = {false};
    int live = 0;
    Value s = set_new(th);
    bool good = true;
    for (long step = 0; good && step < TAP_SCALE(100000); step++) {
        int i = (int)rnd(&seed, KEYS);
        Value key = model_key(i);
        switch (rnd(&seed, 3)) {
        case 0:
            good = set_add(th, s, key);
            live += !in[i];
            in[i] = true;
            break;
        case 1:
            good = set_discard(th, s, key) == (in[i] ? YES : NO);
            live -= in[i];
            in[i] = false;
            break;
        default:
            good = set_contains(th, s, key) == (in[i] ? YES : NO);
        }
        drop(th, key);
        good = good && set_length(s) == live;
    }
    OK(good, "a set does what its model does");
    Value a = frozenset_from(th, s), b = frozenset_from(th, s);
    int64_t x, y;
    OK(to_hash(th, a, &x) && to_hash(th, b, &y) && x == y, "equal frozensets hash the same");
    OK(compare_answer(th, a, s, OP_EQ) == YES, "a frozenset equals its set");
    Value n = number_subtract(th, s, a);
    OK(n != NULL && set_length(n) == 0, "s - s is empty");
    drop_null(th, n);
    drop(th, a);
    drop(th, b);
    drop(th, s);
}

static void
test_guards(void)
{
    Value d = dict_new(th), a = str_intern_c(th, "a"), b = str_intern_c(th, "b");
    uint32_t guard, guard2;
    CHECK(dict_set(th, d, a, num(1)));
    int64_t i = dict_entry_index(th, d, a, &guard);
    OK(i == 0 && guard != 0, "an entry's number and its guard");
    Dict *p = (Dict *)(void *)value_object(d);
    OK(dict_cached_value(p, guard, 0) == num(1), "read through the cache");
    CHECK(dict_set(th, d, a, num(2)));
    OK(dict_cached_value(p, guard, 0) == num(2), "a new value under the same guard");
    CHECK(dict_set(th, d, b, num(3)));
    OK(dict_cached_value(p, guard, 0) == num(2), "another key does not disturb it");
    guard2 = dict_guard(th, d);
    OK(guard2 == guard, "the same guard promises absence from now on");
    CHECK(dict_set_c(th, d, "c", num(4)));
    OK(dict_cached_value(p, guard, 0) == NULL, "a key added ends the promise");
    i = dict_entry_index(th, d, a, &guard);
    CHECK(dict_delete(th, d, a) == YES && dict_set(th, d, a, num(5)));
    OK(dict_cached_value(p, guard, (size_t)i) == NULL, "deleted and added again: look again");
    drop(th, d);

    d = dict_new(th);
    OK(dict_make_stable(th, d), "a stable dict");
    p = (Dict *)(void *)value_object(d);
    CHECK(dict_set(th, d, a, num(1)) && dict_set(th, d, b, num(2)));
    i = dict_entry_index(th, d, b, &guard);
    CHECK(dict_delete(th, d, a) == YES);
    bool good = true;
    for (int k = 0; good && k < 1000; k++) {
        Value key = tuple_pack(th, 1, num(k));
        good = dict_set(th, d, k % 100 ? num(k) : key, num(k));
        drop(th, key);
    }
    OK(good && dict_table_value(dict_table(p), (size_t)i) == num(2) &&
           dict_table_value(dict_table(p), 0) == NULL,
       "entries keep their numbers when it grows");
    OK(dict_length(d) == 1001, "and it is an ordinary dict");
    drop(th, d);
    drop(th, a);
    drop(th, b);
}

static size_t
table_size(Value d)
{
    return object_ops(value_object(d))->cell_size + dict_table_bytes(dict_table((Dict *)(void *)value_object(d)));
}

static void
test_sizes(void)
{
    Value d = dict_new(th);
    CHECK(dict_set_c(th, d, "a", num(1)) && dict_set_c(th, d, "b", num(2)));
    OK(table_size(d) <= 150, "a dict of two items is small");
    drop(th, d);
}

/* -- threads -- */

enum { THREADS = 4 };
static Value shared_list, shared_dict, shared_set, shared_iter, shared_dict_iter;
static ATOMIC(int64_t) appended, popped, yielded;

static void
hammer(Thread *t, uint64_t state)
{
    for (long step = 0; step < TAP_SCALE(60000); step++) {
        uint64_t r = rnd(&state, 16);
        int64_t i = (int64_t)rnd(&state, 64);
        Value v = tuple_pack(t, 2, num(i), num(step)), got = NULL;
        CHECK(v != NULL);
        switch (r) {
        case 0: case 1:
            CHECK(list_append(t, shared_list, v));
            fetch_add_relaxed(&appended, 1);
            break;
        case 2:
            CHECK(list_insert(t, shared_list, i, v));
            fetch_add_relaxed(&appended, 1);
            break;
        case 3: case 4:
            got = list_pop(t, shared_list, (int64_t)rnd(&state, 3) - 1);
            if (got != NULL)
                fetch_add_relaxed(&popped, 1);
            break;
        case 5:
            got = list_get(t, shared_list, i);
            break;
        case 6:
            got = list_slice(t, shared_list, 0, i);
            break;
        case 7:
            CHECK(dict_set(t, shared_dict, i % 3 ? num(i) : v, v));
            break;
        case 8:
            CHECK(dict_pop(t, shared_dict, num(i), &got) != FAILED);
            break;
        case 9:
            CHECK(dict_get(t, shared_dict, num(i), &got) != FAILED);
            break;
        case 10:
            if (step % 64 == 0)
                dict_clear(t, shared_dict);
            else
                got = dict_copy(t, shared_dict);
            break;
        case 11:
            CHECK(set_add(t, shared_set, v));
            break;
        case 12:
            CHECK(set_discard(t, shared_set, v) != FAILED);
            if (step % 64 == 0)
                got = set_from(t, shared_set);
            break;
        case 13:
            if (step % 128 == 0)
                CHECK(list_sort(t, shared_list, NULL, false) || error_set(t));
            else
                CHECK(list_reverse(t, shared_list));
            break;
        case 14:
            got = iter_next(t, shared_iter);
            if (got != NULL)
                fetch_add_relaxed(&yielded, value_fixnum(got));
            break;
        default:
            got = iter_next(t, shared_dict_iter);
        }
        error_clear(t);
        if (got != NULL && is_exact(got, SHAPE_TUPLE) && tuple_length(got) == 2)
            CHECK(value_is_fixnum(tuple_item(got, 0)));
        drop_null(t, got);
        drop(t, v);
        if (step % 16 == 0)
            CHECK(safepoint_poll(t));
        if (t->pending_count > 0)
            pending_serve(t);
    }
}

static void *
worker(void *arg)
{
    Thread *t = arg;
    thread_attach(t);
    hammer(t, t->id * 977);
    thread_detach(t);
    thread_release(t);
    return NULL;
}

static void
test_threads(Interp *interp)
{
    shared_list = list_new(th, 0);
    shared_dict = dict_new(th);
    shared_set = set_new(th);
    Value range = range_new(th, num(0), num(4000), num(1));
    Value numbers = list_new(th, 0);
    CHECK(list_extend(th, numbers, range));
    shared_iter = get_iter(th, numbers);
    CHECK(dict_set(th, shared_dict, num(1), num(2)));
    shared_dict_iter = get_iter(th, shared_dict);
    drop(th, range);
    pthread_t threads[THREADS];
    Thread *contexts[THREADS];
    for (int i = 0; i < THREADS; i++) {
        contexts[i] = thread_acquire(interp);
        CHECK(contexts[i] != NULL);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, worker, contexts[i]) == 0);
    hammer(th, 12345);
    thread_detach(th);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    thread_attach(th);
    int64_t lost = load_relaxed(&appended) - load_relaxed(&popped) - list_length(shared_list);
    printf("# appended %ld popped %ld left %ld\n", (long)load_relaxed(&appended),
           (long)load_relaxed(&popped), (long)list_length(shared_list));
    OK(lost >= 0, "no item is in the list that nobody put there");
    Value v;
    while ((v = iter_next(th, shared_iter)) != NULL) {
        fetch_add_relaxed(&yielded, value_fixnum(v));
        drop(th, v);
    }
    OK(load_relaxed(&yielded) == 4000 * 3999 / 2, "each item of a shared iterator came once");
    size_t pos = 0;
    int64_t n = 0;
    Value key;
    while (dict_next(th, shared_dict, &pos, &key, &v)) {
        n++;
        drop(th, key);
        drop(th, v);
    }
    OK(n == dict_length(shared_dict), "the dict's length is right");
    drop(th, shared_list);
    drop(th, shared_dict);
    drop(th, shared_set);
    drop(th, shared_iter);
    drop(th, shared_dict_iter);
    drop(th, numbers);
    reclaim_flush(th);
}

int
main(void)
{
    gc_init();
    Interp *interp = interp_create();
    th = interp ? thread_create_main(interp) : NULL;
    CHECK(th != NULL && types_init(th) && exceptions_init(th) && container_init(th));
    interp->builtins = dict_new(th);
    test_list();
    test_sort();
    test_dict(false);
    test_dict(true);
    test_set();
    test_guards();
    test_sizes();
    OK(!error_set(th), "nothing is left raised");
    test_threads(interp);
    OK(!error_set(th), "nothing is left raised by threads");
    DONE();
}
