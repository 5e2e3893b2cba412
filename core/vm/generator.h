/* generator.h -- what generators, coroutines and async generators share. */
#ifndef CORE_VM_GENERATOR_H
#define CORE_VM_GENERATOR_H

#include "core/vm/internal.h"

/* Throws th->error (taken) into a generator of any kind.  close_delegates: GeneratorExit closes
 * what it delegates to instead of being thrown there. */
Answer generator_throw_error(Thread *th, Generator *g, bool close_delegates, Value *result);
RAISES bool generator_close(Thread *th, Generator *g);
/* The result of a method that sends: the value, or StopIteration. */
Value generator_answer(Thread *th, Answer a, Value STEALS result);
RAISES bool throw_arguments(Thread *th, const Arg *args, size_t nargs);

Value generator_send_method(Thread *th, Value self, Value v);
Value generator_throw_method(Thread *th, Value self, const Arg *args, size_t nargs);
Value generator_close_method(Thread *th, Value self);
Value generator_get_name(Thread *th, Value self, void *closure);
bool generator_set_name(Thread *th, Value self, Value v, void *closure);
Value generator_get_qualname(Thread *th, Value self, void *closure);
bool generator_set_qualname(Thread *th, Value self, Value v, void *closure);
Value generator_get_frame(Thread *th, Value self, void *closure);
Value generator_get_running(Thread *th, Value self, void *closure);
Value generator_get_suspended(Thread *th, Value self, void *closure);
Value generator_get_code(Thread *th, Value self, void *closure);
Value generator_get_yieldfrom(Thread *th, Value self, void *closure);
Value generator_repr(Thread *th, Value self);

/* -- coroutine.c -- */
/* cr_origin of a new coroutine: where it was made. */
void coroutine_set_origin(Thread *th, Generator *g, Frame *f);
void coroutine_warn_unawaited(Thread *th, Value coroutine);

#endif
