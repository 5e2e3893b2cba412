/* protocol.h -- operations on any value, by its type's slots.
 *
 * Parameters are borrowed, results are new references, NULL (false, FAILED, -1) means an
 * exception is set, unless said otherwise.  All of them may run Python code.
 */
#ifndef OBJECTS_PROTOCOL_PROTOCOL_H
#define OBJECTS_PROTOCOL_PROTOCOL_H

#include "objects/model/type.h"

/* -- call.c: calling -- */
RAISES Value call(Thread *th, Value f, const Arg *args, size_t nargs, Value kwnames);
RAISES Value call_0(Thread *th, Value f);
RAISES Value call_1(Thread *th, Value f, Value a);
RAISES Value call_2(Thread *th, Value f, Value a, Value b);
RAISES Value call_3(Thread *th, Value f, Value a, Value b, Value c);
/* f(first, args...): with one more argument in front. */
RAISES Value call_prepend(Thread *th, Value f, Value first, const Arg *args, size_t nargs,
                          Value kwnames);
/* f(*tuple, **dict); dict may be NULL. */
RAISES Value call_tuple_dict(Thread *th, Value f, Value tuple, Value dict);
/* object.name(args...): `name` is an interned str; avoids the bound method. */
RAISES Value call_method(Thread *th, Value object, Value name, const Arg *args, size_t nargs,
                         Value kwnames);
RAISES Value call_method_0(Thread *th, Value object, Value name);
RAISES Value call_method_1(Thread *th, Value object, Value name, Value a);
RAISES Value call_method_2(Thread *th, Value object, Value name, Value a, Value b);
/* Looks a dunder up on the type (never the instance) and calls it with self first.
 * If there is none: NULL without an exception when `missing` is set, see *missing. */
Value call_special(Thread *th, Value self, Value name, const Arg *args, size_t nargs, bool *missing);
Answer is_callable(Value v);

/* -- attributes -- */
RAISES Value get_attr(Thread *th, Value o, Value name);
RAISES bool set_attr(Thread *th, Value o, Value name, Value v); /* v NULL: delete */
/* YES: *out is new; NO: AttributeError suppressed, *out NULL. */
Answer get_attr_optional(Thread *th, Value o, Value name, Value *out);
RAISES Value get_attr_c(Thread *th, Value o, const char *name);
RAISES bool set_attr_c(Thread *th, Value o, const char *name, Value v);
Answer has_attr(Thread *th, Value o, Value name);
/* A dunder bound to self, looked up on the type; NULL without exception if absent. */
Value lookup_special(Thread *th, Value self, Value name);
/* The defaults (object.__getattribute__ and friends): objects/model/attr.c */
RAISES Value generic_get_attr(Thread *th, Value o, Value name);
/* The rest of it: `d` (or NULL) is what type_lookup() gave for `name`. */
RAISES Value generic_get_attr_found(Thread *th, Value o, Value name, Value STEALS d);
RAISES bool generic_set_attr(Thread *th, Value o, Value name, Value v);
RAISES Value type_get_attr(Thread *th, Value type, Value name);
RAISES bool type_set_attr(Thread *th, Value type, Value name, Value v);

/* -- object.c: text, identity, hash -- */
RAISES Value to_repr(Thread *th, Value v);    /* a str */
RAISES Value to_str(Thread *th, Value v);     /* a str (a subclass's instance is kept) */
RAISES Value to_ascii(Thread *th, Value v);
RAISES Value to_bytes(Thread *th, Value v);   /* __bytes__, buffers, iterables of ints */
RAISES Value to_format(Thread *th, Value v, Value spec); /* format(v, spec); spec may be NULL */
RAISES bool to_hash(Thread *th, Value v, int64_t *hash);
RAISES Value to_dir(Thread *th, Value v);     /* list of names; v NULL: local scope */
/* For types whose instances cannot be hashed. */
bool hash_unhashable(Thread *th, Value v, int64_t *hash);
bool hash_identity(Thread *th, Value v, int64_t *hash);

/* -- compare.c -- */
RAISES Value compare(Thread *th, Value a, Value b, int op);
/* With the identity short cut for == and != (as containers compare). */
Answer compare_answer(Thread *th, Value a, Value b, int op);
Answer values_equal(Thread *th, Value a, Value b); /* a is b or a == b */

/* -- convert.c -- */
Answer is_true(Thread *th, Value v);
RAISES Value to_index(Thread *th, Value v);   /* __index__: an int */
RAISES bool to_ssize(Thread *th, Value v, int64_t *out, Type *overflow); /* NULL overflow: clamp */
int64_t length_of(Thread *th, Value v);       /* -1: exception */
int64_t length_hint(Thread *th, Value v, int64_t fallback); /* -1: exception */

/* -- number.c -- */
RAISES Value number_add(Thread *th, Value a, Value b);
RAISES Value number_subtract(Thread *th, Value a, Value b);
RAISES Value number_multiply(Thread *th, Value a, Value b);
RAISES Value number_true_divide(Thread *th, Value a, Value b);
RAISES Value number_floor_divide(Thread *th, Value a, Value b);
RAISES Value number_remainder(Thread *th, Value a, Value b);
RAISES Value number_divmod(Thread *th, Value a, Value b);
RAISES Value number_power(Thread *th, Value a, Value b, Value modulus); /* modulus may be NONE */
RAISES Value number_matrix_multiply(Thread *th, Value a, Value b);
RAISES Value number_lshift(Thread *th, Value a, Value b);
RAISES Value number_rshift(Thread *th, Value a, Value b);
RAISES Value number_and(Thread *th, Value a, Value b);
RAISES Value number_or(Thread *th, Value a, Value b);
RAISES Value number_xor(Thread *th, Value a, Value b);
RAISES Value number_negative(Thread *th, Value v);
RAISES Value number_positive(Thread *th, Value v);
RAISES Value number_absolute(Thread *th, Value v);
RAISES Value number_invert(Thread *th, Value v);
RAISES Value number_to_int(Thread *th, Value v);   /* int(v) */
RAISES Value number_to_float(Thread *th, Value v); /* float(v) */
/* By operator: the compiler's and the machine's numbering. */
enum BinaryOp {
    BIN_ADD, BIN_SUBTRACT, BIN_MULTIPLY, BIN_TRUE_DIVIDE, BIN_FLOOR_DIVIDE, BIN_REMAINDER,
    BIN_POWER, BIN_MATRIX_MULTIPLY, BIN_LSHIFT, BIN_RSHIFT, BIN_AND, BIN_OR, BIN_XOR,
    BIN_COUNT
};
RAISES Value number_binary(Thread *th, Value a, Value b, int op);
RAISES Value number_inplace(Thread *th, Value a, Value b, int op); /* a += b: the new value of a */

/* -- sequence.c: subscripts, membership, concatenation -- */
RAISES Value get_item(Thread *th, Value o, Value key);
RAISES bool set_item(Thread *th, Value o, Value key, Value v); /* v NULL: delete */
RAISES Value get_item_index(Thread *th, Value o, int64_t i);   /* sequences; negative from the end */
RAISES Value sequence_concat(Thread *th, Value a, Value b);
RAISES Value sequence_repeat(Thread *th, Value a, int64_t n);
RAISES Value sequence_list(Thread *th, Value iterable);        /* list(iterable) */
RAISES Value sequence_tuple(Thread *th, Value iterable);       /* tuple(iterable); same if exact */
/* A list or tuple as it is, else a list; TypeError with `message` if not iterable. */
RAISES Value sequence_fast(Thread *th, Value iterable, const char *message);
Answer contains(Thread *th, Value container, Value item);
bool is_sequence(Value v);
bool is_mapping(Value v);

/* -- iter.c -- */
RAISES Value get_iter(Thread *th, Value v);
/* The next item; NULL at the end (no exception) or on error (exception). */
Value iter_next(Thread *th, Value it);
bool is_iterator(Value v);
RAISES Value get_aiter(Thread *th, Value v);
/* Generators, coroutines and iterators: see SendFn. */
Answer send_value(Thread *th, Value it, Value v, Value *result);

/* -- isinstance.c -- */
Answer is_instance(Thread *th, Value v, Value cls);  /* with __instancecheck__, tuples, unions */
Answer is_subclass(Thread *th, Value c, Value cls);
Answer is_instance_real(Thread *th, Value v, Value cls); /* type.__instancecheck__ */
Answer is_subclass_real(Thread *th, Value c, Value cls);

/* -- buffer.c -- */
RAISES bool buffer_get(Thread *th, Value v, Buffer *out, int flags);
/* The same without BUFFER_WRITABLE, for code that needs bytes nobody changes: a copy of those that
 * other threads may write. */
RAISES bool buffer_read(Thread *th, Value v, Buffer *out, int flags);
/* The same for code that any mix of old and new bytes is right for: it looks at a byte once, or only
 * hands them to the system.  In place, except for ThreadSanitizer. */
#define buffer_lend(th, v, out, flags)                                                             \
    (WEFT_TSAN ? buffer_read(th, v, out, flags) : buffer_get(th, v, out, flags))
void buffer_release(Thread *th, Buffer *b);
bool has_buffer(Value v);
/* For exporters of plain bytes. */
RAISES bool buffer_fill(Thread *th, Buffer *out, Value owner, void *data, int64_t length,
                        bool readonly, int flags);

/* -- repr_guard.c: self-containing containers -- */
/* NO: first time, now entered; YES: already inside; FAILED. */
Answer repr_enter(Thread *th, Value v);
void repr_leave(Thread *th, Value v);

#endif
