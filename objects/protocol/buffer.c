/* buffer.c -- memory that objects export, and who pins it.
 *
 * A Buffer holds a reference to its owner from buffer_get() to buffer_release().  The
 * owner's slots count the exports; this file only asks and keeps the reference right.
 *
 * What is exported may be written by other threads at any time.  Native code that looks twice at
 * a byte (counts first, then copies) takes buffer_read(), which copies once where that can happen;
 * a Buffer of such a copy has no owner, and `internal` is the copy.
 */
#include "objects/protocol/protocol.h"

#include "base/mem.h"
#include "base/sanitize.h"

#include "objects/error/error.h"
#include "objects/protocol/slot.h"
#include "objects/text/bytes.h"

#include <string.h>

bool
has_buffer(Value v)
{
    return SLOT(type_of(v), get_buffer) != NULL;
}

bool
buffer_get(Thread *th, Value v, Buffer *out, int flags)
{
    memset(out, 0, sizeof *out);
    BufferGetFn fn = SLOT(type_of(v), get_buffer);
    if (fn == NULL) {
        raise_type_error(th, "a bytes-like object is required, not '%T'", v);
        return false;
    }
    return fn(th, v, out, flags);
}

bool
buffer_read(Thread *th, Value v, Buffer *out, int flags)
{
    if (!buffer_get(th, v, out, flags))
        return false;
    if (LIKELY(load_relaxed(&threads_started) == 0 || out->length == 0 ||
               memory_is_constant(out->owner)))
        return true;
    int64_t n = out->length, item_size = out->item_size;
    uint8_t *copy = mem_alloc((size_t)n);
    if (copy != NULL)
        memory_move_raced(copy, out->data, (size_t)n);
    buffer_release(th, out);
    if (copy == NULL) {
        raise_memory(th);
        return false;
    }
    bool good = buffer_fill(th, out, NULL, copy, n, true, BUFFER_SIMPLE);
    out->item_size = item_size;
    out->internal = copy;
    return good;
}

void
buffer_release(Thread *th, Buffer *b)
{
    Value owner = b->owner;
    if (owner == NULL) {
        mem_free(b->internal);
        b->internal = NULL;
        return;
    }
    BufferReleaseFn fn = SLOT(type_of(owner), release_buffer);
    if (fn != NULL)
        fn(th, owner, b);
    b->owner = NULL;
    drop(th, owner);
}

bool
buffer_fill(Thread *th, Buffer *out, Value owner, void *data, int64_t length, bool readonly,
            int flags)
{
    if (readonly && (flags & BUFFER_WRITABLE) != 0) {
        raise_error(th, &exc_BufferError, "Object is not writable.");
        return false;
    }
    out->data = data;
    out->length = length;
    out->item_size = 1;
    out->readonly = readonly;
    out->format = (flags & BUFFER_FORMAT) != 0 ? "B" : NULL;
    out->ndim = 1;
    out->local_shape[0] = length;
    out->local_strides[0] = 1;
    out->shape = (flags & BUFFER_ND) != 0 ? out->local_shape : NULL;
    out->strides = (flags & BUFFER_STRIDES) == BUFFER_STRIDES ? out->local_strides : NULL;
    out->suboffsets = NULL;
    out->internal = NULL;
    out->owner = retain_null(th, owner);
    return true;
}
