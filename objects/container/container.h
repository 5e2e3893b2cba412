/* container.h -- tuple, list, dict, set, slice, range and iterators, for the rest of the program.
 *
 * What the functions read is returned counted.  BORROWED results are valid while the caller
 * holds the container AND nobody can change it (tuples), or inside a no_safepoint section.
 */
#ifndef OBJECTS_CONTAINER_CONTAINER_H
#define OBJECTS_CONTAINER_CONTAINER_H

#include "objects/model/type.h"

/* -- tuple: immutable; items follow the header -- */
typedef struct Tuple {
    struct Object head;
    int64_t length;   /* [const] */
    Value items[];    /* [const] after publication */
} Tuple;
static inline Tuple *as_tuple(Value v) { return (Tuple *)(void *)value_object(v); }
static inline int64_t tuple_length(Value v) { return as_tuple(v)->length; }
BORROWED static inline Value tuple_item(Value v, int64_t i) { return as_tuple(v)->items[i]; }
extern Value tuple_empty;
RAISES Value tuple_new(Thread *th, size_t n);                 /* items NULL; fill before publication */
RAISES Value tuple_of(Thread *th, const Value *items, size_t n); /* takes new references */
RAISES Value tuple_of_args(Thread *th, const Arg *args, size_t n);
RAISES Value tuple_pack(Thread *th, size_t n, ...);           /* borrowed Values */
RAISES Value tuple_slice(Thread *th, Value t, int64_t start, int64_t end);
RAISES Value tuple_of_taken(Thread *th, const Value STEALS *items, size_t n); /* gives them up if it fails */
static inline void tuple_init_item(Value t, int64_t i, Value STEALS v) { as_tuple(t)->items[i] = v; }
/* Puts n items, whose references it takes over, into a tuple that nobody else has, from `at` on, and gives
 * up the old ones when all are in their places. */
void tuple_exchange(Thread *th, Value t, int64_t at, Value *items, size_t n);
/* With the world stopped: whether `o` is a tuple or a frozenset that still lacks items, which somebody
 * is about to put.  What looks for objects in the heap passes over those. */
bool container_filling(Object *o);

/* -- list -- */
typedef struct ItemArray {
    int64_t capacity;  /* [const] */
    Field items[];     /* [lock], read without */
} ItemArray;
typedef struct List {
    struct Object head;
    ATOMIC(int64_t) length;       /* [lock], read without */
    ATOMIC(ItemArray *) array;    /* [lock], read without; NULL when empty; replaced ones are retired */
} List;
static inline List *as_list(Value v) { return (List *)(void *)value_object(v); }
RAISES Value list_new(Thread *th, size_t capacity);           /* empty */
RAISES Value list_from_iterable(Thread *th, Value iterable);  /* list(iterable) */
RAISES Value list_of(Thread *th, const Value *items, size_t n);  /* takes new references */
RAISES Value list_of_taken(Thread *th, const Value *items, size_t n); /* takes them over, unless it fails */
RAISES bool list_append(Thread *th, Value list, Value v);
RAISES bool list_append_steal(Thread *th, Value list, Value STEALS v);
RAISES bool list_extend(Thread *th, Value list, Value iterable);
RAISES bool list_insert(Thread *th, Value list, int64_t i, Value v);
int64_t list_length(Value list);
/* A new reference; NULL WITHOUT exception when i is out of range. */
Value list_get(Thread *th, Value list, int64_t i);
RAISES bool list_set(Thread *th, Value list, int64_t i, Value STEALS v); /* i < 0: from the end; IndexError */
RAISES bool list_delete_slice(Thread *th, Value list, int64_t start, int64_t end);
RAISES Value list_pop(Thread *th, Value list, int64_t i);
RAISES Value list_to_tuple(Thread *th, Value list);
RAISES bool list_sort(Thread *th, Value list, Value key, bool reverse); /* key may be NULL */
RAISES bool list_reverse(Thread *th, Value list);
RAISES Value list_slice(Thread *th, Value list, int64_t start, int64_t end);

/* -- dict: insertion order, compact -- */
typedef struct DictTable DictTable; /* container/dict_priv.h */
typedef struct Dict {
    struct Object head;
    ATOMIC(int64_t) length;       /* [lock], read without */
    ATOMIC(DictTable *) table;    /* [lock], read without; replaced ones are retired */
} Dict;
RAISES Value dict_new(Thread *th);
RAISES Value dict_new_sized(Thread *th, size_t n);
int64_t dict_length(Value d);
/* YES: *out is a new reference; NO: absent (no exception). Ignores subclass overrides. */
Answer dict_get(Thread *th, Value d, Value key, Value *out);
/* Name lookups: `key` is an interned (or any exact) str; cannot fail or run Python code unless the
 * dict holds non-str keys with equal hash.  New reference or NULL (no exception). */
Value dict_get_str(Thread *th, Value d, Value key);
/* The same with the exception. */
Answer dict_get_name(Thread *th, Value d, Value key, Value *out);
/* The same where no Python code may run: FAILED (no exception) if only a key's __eq__ can tell. */
Answer dict_get_str_quiet(Thread *th, Value d, Value key, Value *out);
Value dict_get_c(Thread *th, Value d, const char *key);       /* new or NULL, errors are cleared */
RAISES bool dict_set(Thread *th, Value d, Value key, Value v);
RAISES bool dict_set_steal(Thread *th, Value d, Value STEALS key, Value STEALS v);
RAISES bool dict_set_c(Thread *th, Value d, const char *key, Value v);
RAISES bool dict_set_c_steal(Thread *th, Value d, const char *key, Value STEALS v); /* v NULL: fails */
Answer dict_delete(Thread *th, Value d, Value key);            /* NO: absent, no exception */
Answer dict_contains(Thread *th, Value d, Value key);
/* The value under key; puts `v` there first if absent.  New reference. */
RAISES Value dict_set_default(Thread *th, Value d, Value key, Value v);
Answer dict_pop(Thread *th, Value d, Value key, Value *out);   /* NO: absent */
void dict_clear(Thread *th, Value d);
RAISES Value dict_copy(Thread *th, Value d);
RAISES bool dict_update(Thread *th, Value d, Value other);     /* mapping or pairs; override */
RAISES bool dict_merge(Thread *th, Value d, Value mapping, int mode); /* 0 keep, 1 override, 2 KeyError on duplicate */
RAISES Value dict_keys_list(Thread *th, Value d);
RAISES Value dict_values_list(Thread *th, Value d);
RAISES Value dict_items_list(Thread *th, Value d);
/* Iterates: *pos starts at 0; gives new references; false at the end.  Safe against changes by
 * others: entries added or removed meanwhile may or may not be seen. */
bool dict_next(Thread *th, Value d, size_t *pos, Value *key, Value *value);
/* Visits values only, for C code that fills or scans symbol tables. */
uint32_t dict_guard(Thread *th, Value d); /* version of the present table for caches, 0: none (rules C5) */
/* For the evaluator's name caches: entry index of key under the current guard, or -1. */
int64_t dict_entry_index(Thread *th, Value d, Value key, uint32_t *guard);

/* -- set, frozenset -- */
RAISES Value set_new(Thread *th);
RAISES Value set_from(Thread *th, Value iterable);
RAISES Value frozenset_from(Thread *th, Value iterable);       /* iterable may be NULL */
RAISES bool set_add(Thread *th, Value s, Value v);
Answer set_discard(Thread *th, Value s, Value v);
Answer set_contains(Thread *th, Value s, Value v);
/* Takes the references over unless it fails; each is an exact str or an immediate int. */
RAISES Value set_of_taken(Thread *th, const Value *items, size_t n);
/* Whether `v` is in an exact set, frozenset, dict or str if that is told without Python code;
 * FAILED, without an exception: ask contains(). */
Answer contains_quick(Thread *th, Value container, Value v);
int64_t set_length(Value s);
bool set_next(Thread *th, Value s, size_t *pos, Value *v);     /* new reference */
RAISES bool set_update(Thread *th, Value s, Value iterable);
bool is_set(Value v);      /* set or subclass */
bool is_frozenset(Value v);
bool is_any_set(Value v);

/* -- slice: immutable -- */
typedef struct Slice {
    struct Object head;
    Value start, stop, step; /* [const] */
} Slice;
static inline Slice *as_slice(Value v) { return (Slice *)(void *)value_object(v); }
RAISES Value slice_new(Thread *th, Value start, Value stop, Value step); /* NULL: None */
/* o[start:stop:step] and the assignment to it; a step of NULL is None. */
RAISES Value item_get_slice(Thread *th, Value o, Value start, Value stop, Value step);
RAISES bool item_set_slice(Thread *th, Value o, Value start, Value stop, Value step, Value v);
/* The raw indices, clamped to int64; then adjusted to a length: how many items. */
RAISES bool slice_unpack(Thread *th, Value slice, int64_t *start, int64_t *stop, int64_t *step);
int64_t slice_adjust(int64_t length, int64_t *start, int64_t *stop, int64_t step);

/* -- range -- */
typedef struct Range {
    struct Object head;
    Value start, stop, step, length; /* [const] ints */
} Range;
RAISES Value range_new(Thread *th, Value start, Value stop, Value step);

/* The step of an iterator that threads may share.  True: th owns it and nobody else has used it so far;
 * th makes the step with plain loads and stores, and ends it with object_section_end(): who comes
 * meanwhile waits for that (threads/bias.h).  False: by compare-and-swap, after object_touch().  As
 * everybody else does the latter, each position comes once.  What th has read of the position before still
 * holds in the section. */
static inline bool
iter_step_begin(Thread *th, Object *o)
{
    return object_section_private(th, o);
}

/* An iterator over machine ints, cheap for the evaluator: next = start + i * step, i < count. */
typedef struct RangeIter {
    struct Object head;
    ATOMIC(int64_t) next;    /* index of the next item */
    int64_t start, step, count; /* [const] */
} RangeIter;

typedef struct ListIter {
    struct Object head;
    ATOMIC(int64_t) index;   /* -1 once exhausted */
    Field list;              /* NULL once exhausted */
} ListIter;

typedef struct TupleIter {
    struct Object head;
    ATOMIC(int64_t) index;
    Field tuple;             /* NULL once exhausted */
} TupleIter;

/* -- iterators -- */
RAISES Value seq_iter_new(Thread *th, Value sequence);          /* by __getitem__ and IndexError */
RAISES Value call_iter_new(Thread *th, Value callable, Value sentinel);

/* -- struct sequences: tuples with names, as os.stat_result -- */
typedef struct StructSeqField { const char *name, *doc; } StructSeqField;
typedef struct StructSeqSpec {
    const char *name, *doc;        /* "os.stat_result" */
    const StructSeqField *fields;  /* ended by name NULL; name "" is unnamed */
    int visible;                   /* how many count as items of the tuple */
    bool no_new;                   /* programs make no instances */
    NewFn new;                     /* NULL: from a sequence and a dict of the fields behind it */
} StructSeqSpec;
RAISES Type *struct_seq_type(Thread *th, const StructSeqSpec *spec);   /* new reference */
RAISES Value struct_seq_new(Thread *th, Type *type);                   /* items None; all fields */
void struct_seq_init(Value seq, int i, Value STEALS v);                /* before publication */
/* Whether `type` was made by struct_seq_type() for a spec of that name. */
bool type_is_struct_seq(const Type *type, const char *name);

RAISES bool container_init(Thread *th);
#endif
