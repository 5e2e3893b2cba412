/* mod_bisect_heapq.c -- modules _bisect and _heapq: sorted lists and heaps.  Stateless.
 *
 * Comparisons may run Python code, which may change the list, as may other threads: items are read
 * counted and written through the list's own functions, and every index is checked there.
 */
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "threads/safepoint.h"

/* a < b */
static inline Answer
less(Thread *th, Value a, Value b)
{
    if (value_is_fixnum(a) && value_is_fixnum(b))
        return (intptr_t)a < (intptr_t)b ? YES : NO;
    if (value_is_flonum(a) && value_is_flonum(b))
        return float_decode(a) < float_decode(b) ? YES : NO;
    Value r = compare(th, a, b, OP_LT);
    if (r == NULL)
        return FAILED;
    Answer answer = r == TRUE ? YES : r == FALSE ? NO : is_true(th, r);
    drop(th, r);
    return answer;
}

/* -- _bisect -- */

typedef struct Search {
    Value list, x, key;
    int64_t low, high; /* high -1: the length */
} Search;

static bool
search_read(Thread *th, const char *name, const Arg *args, size_t nargs, Value kwnames, Search *s)
{
    ParamSpec params = {.name = name,
                        .names = {"a", "x", "lo", "hi", "key"},
                        .positional = 4,
                        .required = 2};
    Value v[5];
    s->low = 0;
    s->high = -1;
    s->key = NULL;
    if (nargs == 2 && kwnames == NULL) {
        s->list = arg(args, 0);
        s->x = arg(args, 1);
        return true;
    }
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    s->list = v[0];
    s->x = v[1];
    if (v[2] != NULL && !arg_ssize(th, v[2], &s->low))
        return false;
    if (v[3] != NULL && v[3] != NONE) {
        if (type_of(v[3])->s.index == NULL) {
            raise_type_error(th, "argument should be integer or None, not '%T'", v[3]);
            return false;
        }
        if (!arg_ssize(th, v[3], &s->high))
            return false;
    }
    if (v[4] != NULL && v[4] != NONE)
        s->key = v[4];
    return true;
}

/* Where x belongs; `x` is already a key if there is a key function.  -1: exception. */
static int64_t
search_run(Thread *th, Search *s, Value x, bool right)
{
    if (s->low < 0) {
        raise_value_error(th, "lo must be non-negative");
        return -1;
    }
    int64_t low = s->low, high = s->high;
    if (high == -1 && (high = length_of(th, s->list)) < 0)
        return -1;
    bool exact = is_exact(s->list, SHAPE_LIST);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        Value item = exact ? list_get(th, s->list, middle) : NULL;
        if (item == NULL && (item = get_item_index(th, s->list, middle)) == NULL)
            return -1;
        if (s->key != NULL) {
            Value key = call_1(th, s->key, item);
            drop(th, item);
            if (key == NULL)
                return -1;
            item = key;
        }
        Answer answer = right ? less(th, x, item) : less(th, item, x);
        drop(th, item);
        if (answer == FAILED)
            return -1;
        if ((answer == YES) == right)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static Value
bisect(Thread *th, const char *name, const Arg *args, size_t nargs, Value kwnames, bool right)
{
    Search s;
    if (!search_read(th, name, args, nargs, kwnames, &s))
        return NULL;
    int64_t i = search_run(th, &s, s.x, right);
    return i < 0 ? NULL : int_from_i64(th, i);
}

static Value
insort(Thread *th, const char *name, const Arg *args, size_t nargs, Value kwnames, bool right)
{
    Search s;
    if (!search_read(th, name, args, nargs, kwnames, &s))
        return NULL;
    Value x = s.key ? call_1(th, s.key, s.x) : retain(th, s.x);
    if (x == NULL)
        return NULL;
    int64_t i = search_run(th, &s, x, right);
    drop(th, x);
    if (i < 0)
        return NULL;
    if (is_exact(s.list, SHAPE_LIST))
        return list_insert(th, s.list, i, s.x) ? NONE : NULL;
    Value index = int_from_i64(th, i), r = NULL;
    if (index != NULL) {
        r = call_method_2(th, s.list, NAME(insert), index, s.x);
        drop(th, index);
    }
    if (r == NULL)
        return NULL;
    drop(th, r);
    return NONE;
}

#define BISECT_FUNCTION(name, function, right)                                 \
    static Value bisect_##name(Thread *th, Value self, const Arg *args, size_t nargs,     \
                               Value kwnames)                                  \
    {                                                                          \
        (void)self;                                                            \
        return function(th, #name, args, nargs, kwnames, right);               \
    }

BISECT_FUNCTION(bisect_left, bisect, false)
BISECT_FUNCTION(bisect_right, bisect, true)
BISECT_FUNCTION(insort_left, insort, false)
BISECT_FUNCTION(insort_right, insort, true)

static const MethodDef bisect_methods[] = {
    NATIVE_K("bisect_left", bisect_bisect_left,
             "bisect_left($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n"
             "Where to insert x in the sorted list a: before items equal to it.\n\n"
             "lo and hi bound the part of a that is searched."),
    NATIVE_K("bisect_right", bisect_bisect_right,
             "bisect_right($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n"
             "Where to insert x in the sorted list a: behind items equal to it.\n\n"
             "lo and hi bound the part of a that is searched."),
    NATIVE_K("insort_left", bisect_insort_left,
             "insort_left($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n"
             "Inserts x in the sorted list a, before items equal to it."),
    NATIVE_K("insort_right", bisect_insort_right,
             "insort_right($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\n"
             "Inserts x in the sorted list a, behind items equal to it."),
    NATIVE_END,
};

const ModuleSpec bisect_module = {
    .name = "_bisect",
    .doc = "Bisection algorithms.\n\nKeeps a list in sorted order without sorting it after each "
           "insertion.\n",
    .methods = bisect_methods,
};

/* -- _heapq -- */

static COLD void *
raise_changed(Thread *th)
{
    return raise_error(th, &exc_RuntimeError, "list changed size during iteration");
}

/* Item i, counted; RuntimeError if the list has become shorter. */
static Value
heap_get(Thread *th, Value heap, int64_t i)
{
    Value v = list_get(th, heap, i);
    return v != NULL ? v : raise_changed(th);
}

static bool
heap_set(Thread *th, Value heap, int64_t i, Value STEALS v)
{
    if (list_set(th, heap, i, v))
        return true;
    error_clear(th);
    raise_changed(th);
    return false;
}

/* Whether a belongs above b. */
static Answer
above(Thread *th, Value a, Value b, bool max)
{
    return max ? less(th, b, a) : less(th, a, b);
}

/* Moves the item at `at` up, not beyond `start`. */
static bool
sift_up(Thread *th, Value heap, int64_t start, int64_t at, bool max)
{
    int64_t size = list_length(heap);
    if (at >= size) {
        raise_error(th, &exc_IndexError, "index out of range");
        return false;
    }
    Value item = heap_get(th, heap, at);
    if (item == NULL)
        return false;
    while (at > start) {
        int64_t parent_at = (at - 1) / 2;
        Value parent = heap_get(th, heap, parent_at);
        if (parent == NULL)
            goto fail;
        Answer answer = above(th, item, parent, max);
        if (answer != YES || list_length(heap) != size) {
            drop(th, parent);
            if (answer == FAILED)
                goto fail;
            if (list_length(heap) != size) {
                raise_changed(th);
                goto fail;
            }
            break;
        }
        if (!heap_set(th, heap, at, parent) ||
            !heap_set(th, heap, parent_at, retain(th, item)))
            goto fail;
        at = parent_at;
    }
    drop(th, item);
    return true;
fail:
    drop(th, item);
    return false;
}

/* Moves the item at `at` down to a leaf along the upper children, then up to where it belongs. */
static bool
sift_down(Thread *th, Value heap, int64_t at, bool max)
{
    int64_t size = list_length(heap), start = at;
    if (at >= size) {
        raise_error(th, &exc_IndexError, "index out of range");
        return false;
    }
    while (at < size / 2) {
        int64_t child = 2 * at + 1;
        Value down = heap_get(th, heap, at), up = NULL, other = NULL;
        if (down == NULL || (up = heap_get(th, heap, child)) == NULL)
            goto fail;
        if (child + 1 < size) {
            if ((other = heap_get(th, heap, child + 1)) == NULL)
                goto fail;
            Answer answer = above(th, up, other, max);
            if (answer == FAILED)
                goto fail;
            if (list_length(heap) != size) {
                raise_changed(th);
                goto fail;
            }
            if (answer == NO) {
                child++;
                Value t = up;
                up = other;
                other = t;
            }
        }
        drop_null(th, other);
        other = NULL;
        if (!heap_set(th, heap, at, up)) {
            drop(th, down);
            return false;
        }
        if (!heap_set(th, heap, child, down))
            return false;
        at = child;
        continue;
    fail:
        drop_null(th, down);
        drop_null(th, up);
        drop_null(th, other);
        return false;
    }
    return sift_up(th, heap, start, at, max);
}

/* `place` tells which argument the heap is, where there are several: " 1" or "". */
static bool
check_heap(Thread *th, const char *name, const char *place, Value v)
{
    if (is_list(v))
        return true;
    raise_type_error(th, "%s() argument%s must be list, not %B", name, place, v);
    return false;
}

static Value
heapq_heappush(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    Value heap = arg(args, 0);
    if (!check_heap(th, "heappush", " 1", heap) || !list_append(th, heap, arg(args, 1)))
        return NULL;
    return sift_up(th, heap, 0, list_length(heap) - 1, false) ? NONE : NULL;
}

static Value
heap_pop(Thread *th, const char *name, Value heap, bool max)
{
    if (!check_heap(th, name, "", heap))
        return NULL;
    if (list_length(heap) == 0)
        return raise_error(th, &exc_IndexError, "index out of range");
    Value last = list_pop(th, heap, -1);
    if (last == NULL || list_length(heap) == 0)
        return last;
    Value top = heap_get(th, heap, 0);
    if (top == NULL) {
        drop(th, last);
        return NULL;
    }
    if (!heap_set(th, heap, 0, last) || !sift_down(th, heap, 0, max)) {
        drop(th, top);
        return NULL;
    }
    return top;
}

static Value
heapq_heappop(Thread *th, Value self, Value heap)
{
    (void)self;
    return heap_pop(th, "heappop", heap, false);
}

static Value
heapq_heappop_max(Thread *th, Value self, Value heap)
{
    (void)self;
    return heap_pop(th, "_heappop_max", heap, true);
}

static Value
heap_replace(Thread *th, const char *name, Value heap, Value item, bool max)
{
    if (!check_heap(th, name, " 1", heap))
        return NULL;
    Value top = list_get(th, heap, 0);
    if (top == NULL)
        return raise_error(th, &exc_IndexError, "index out of range");
    if (!heap_set(th, heap, 0, retain(th, item)) || !sift_down(th, heap, 0, max)) {
        drop(th, top);
        return NULL;
    }
    return top;
}

static Value
heapq_heapreplace(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    return heap_replace(th, "heapreplace", arg(args, 0), arg(args, 1), false);
}

static Value
heapq_heapreplace_max(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    return heap_replace(th, "_heapreplace_max", arg(args, 0), arg(args, 1), true);
}

static Value
heapq_heappushpop(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    Value heap = arg(args, 0), item = arg(args, 1);
    if (!check_heap(th, "heappushpop", " 1", heap))
        return NULL;
    Value top = list_get(th, heap, 0);
    if (top == NULL)
        return retain(th, item);
    Answer answer = less(th, top, item);
    if (answer != YES) {
        drop(th, top);
        return answer == FAILED ? NULL : retain(th, item);
    }
    drop(th, top);
    if (list_length(heap) == 0)
        return raise_error(th, &exc_IndexError, "index out of range");
    return heap_replace(th, "heappushpop", heap, item, false);
}

static Value
heap_make(Thread *th, const char *name, Value heap, bool max)
{
    if (!check_heap(th, name, "", heap))
        return NULL;
    for (int64_t i = list_length(heap) / 2; i-- > 0;) {
        if (!sift_down(th, heap, i, max) || !safepoint_poll(th))
            return NULL;
    }
    return NONE;
}

static Value
heapq_heapify(Thread *th, Value self, Value heap)
{
    (void)self;
    return heap_make(th, "heapify", heap, false);
}

static Value
heapq_heapify_max(Thread *th, Value self, Value heap)
{
    (void)self;
    return heap_make(th, "_heapify_max", heap, true);
}

static const MethodDef heapq_methods[] = {
    NATIVE_N("heappush", heapq_heappush, 2, 2,
             "heappush($module, heap, item, /)\n--\n\nPuts the item into the heap."),
    NATIVE_N("heappushpop", heapq_heappushpop, 2, 2,
             "heappushpop($module, heap, item, /)\n--\n\n"
             "Puts the item into the heap, then takes the smallest one out."),
    NATIVE_1("heappop", heapq_heappop,
             "heappop($module, heap, /)\n--\n\nTakes the smallest item out of the heap."),
    NATIVE_N("heapreplace", heapq_heapreplace, 2, 2,
             "heapreplace($module, heap, item, /)\n--\n\n"
             "Takes the smallest item out of the heap, then puts the new one in."),
    NATIVE_1("heapify", heapq_heapify,
             "heapify($module, heap, /)\n--\n\nMakes a list a heap, in linear time."),
    NATIVE_1("_heappop_max", heapq_heappop_max,
             "_heappop_max($module, heap, /)\n--\n\nheappop() of a heap with the largest on top."),
    NATIVE_1("_heapify_max", heapq_heapify_max,
             "_heapify_max($module, heap, /)\n--\n\nheapify() with the largest on top."),
    NATIVE_N("_heapreplace_max", heapq_heapreplace_max, 2, 2,
             "_heapreplace_max($module, heap, item, /)\n--\n\n"
             "heapreplace() of a heap with the largest on top."),
    NATIVE_END,
};

static bool
heapq_exec(Thread *th, Value module)
{
    return module_add_str(th, module, "__about__",
                          "Heap queues: a list whose item k is not larger than its children\n"
                          "2*k+1 and 2*k+2, so that the smallest item is always the first.\n");
}

const ModuleSpec heapq_module = {
    .name = "_heapq",
    .doc = "Heap queue algorithm (a.k.a. priority queue).\n\n"
           "Heaps are lists for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for\n"
           "all k, counting elements from 0.",
    .methods = heapq_methods,
    .exec = heapq_exec,
};
