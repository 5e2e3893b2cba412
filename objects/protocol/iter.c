/* iter.c -- iteration over any value, and sending into generators.  No state, no locks. */
#include "objects/protocol/protocol.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/slot.h"
#include "threads/safepoint.h"

bool
is_iterator(Value v)
{
    return SLOT(type_of(v), next) != NULL;
}

Value
get_iter(Thread *th, Value v)
{
    UnaryFn fn = SLOT(type_of(v), iter);
    if (UNLIKELY(fn == NULL)) {
        if (is_sequence(v))
            return seq_iter_new(th, v);
        return raise_type_error(th, "'%T' object is not iterable", v);
    }
    if (!stack_check(th))
        return NULL;
    Value it = fn(th, v);
    if (it != NULL && UNLIKELY(!is_iterator(it))) {
        raise_type_error(th, "iter() returned non-iterator of type '%T'", it);
        drop(th, it);
        return NULL;
    }
    return it;
}

Value
iter_next(Thread *th, Value it)
{
    NextFn fn = SLOT(type_of(it), next);
    if (UNLIKELY(fn == NULL)) /* its class changed meanwhile */
        return raise_type_error(th, "'%T' object is not an iterator", it);
    /* The poll makes every loop over an endless native iterator one that a signal ends. */
    if (!stack_check(th) || !safepoint_poll(th))
        return NULL;
    Value v = fn(th, it);
    if (v == NULL && UNLIKELY(error_set(th)) && error_matches(th, &exc_StopIteration))
        error_clear(th);
    return v;
}

Value
get_aiter(Thread *th, Value v)
{
    UnaryFn fn = SLOT(type_of(v), aiter);
    if (fn == NULL)
        return raise_type_error(th, "'%T' object is not an async iterable", v);
    Value it = fn(th, v);
    if (it != NULL && SLOT(type_of(it), anext) == NULL) {
        raise_type_error(th, "aiter() returned not an async iterator of type '%T'", it);
        drop(th, it);
        return NULL;
    }
    return it;
}

Answer
send_value(Thread *th, Value it, Value v, Value *result)
{
    *result = NULL;
    Type *t = type_of(it);
    SendFn send = SLOT(t, send);
    if (send != NULL)
        return send(th, it, v, result);
    NextFn next;
    if (v == NONE && (next = SLOT(t, next)) != NULL) {
        *result = next(th, it);
        if (*result == NULL && !error_set(th)) {
            *result = NONE;
            return NO;
        }
    } else {
        *result = call_method_1(th, it, NAME(send), v);
    }
    if (*result != NULL)
        return YES;
    Value returned;
    Answer stopped = error_take_stop_iteration(th, &returned);
    if (stopped != YES)
        return FAILED;
    *result = returned;
    return NO;
}
