/* suggest.c -- the name that was probably meant, for uncaught NameError and AttributeError.
 *
 * Candidates are compared by weighted edit distance: inserting, deleting or changing a
 * character costs 2, changing only its case 1.  At most about a third of the characters
 * may differ.  Nothing here raises: without an answer there is just no suggestion.
 */
#include "objects/error/error.h"

#include "objects/container/container.h"
#include "objects/error/exception_priv.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <string.h>

enum { MOVE_COST = 2, CASE_COST = 1, LENGTH_MAX = 40, CANDIDATES_MAX = 750 };

static inline char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline size_t
change_cost(char a, char b)
{
    if (a == b)
        return 0;
    return lower(a) == lower(b) ? CASE_COST : MOVE_COST;
}

static inline size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The distance of two names, or something above `limit` if it is above it. */
static size_t
edit_distance(const char *a, size_t na, const char *b, size_t nb, size_t limit)
{
    while (na > 0 && nb > 0 && a[0] == b[0]) {
        a++, na--;
        b++, nb--;
    }
    while (na > 0 && nb > 0 && a[na - 1] == b[nb - 1]) {
        na--;
        nb--;
    }
    if (na == 0 || nb == 0)
        return (na + nb) * MOVE_COST;
    if (na > LENGTH_MAX || nb > LENGTH_MAX)
        return limit + 1;
    size_t difference = na > nb ? na - nb : nb - na;
    if (difference * MOVE_COST > limit)
        return limit + 1;
    size_t row[LENGTH_MAX + 1]; /* distances of a[0..i) from b[0..k) for the present k */
    for (size_t i = 0; i <= na; i++)
        row[i] = i * MOVE_COST;
    for (size_t k = 1; k <= nb; k++) {
        size_t diagonal = row[0];
        row[0] = k * MOVE_COST;
        size_t best = row[0];
        for (size_t i = 1; i <= na; i++) {
            size_t changed = diagonal + change_cost(a[i - 1], b[k - 1]);
            size_t moved = least(row[i], row[i - 1]) + MOVE_COST;
            diagonal = row[i];
            row[i] = least(changed, moved);
            best = least(best, row[i]);
        }
        if (best > limit)
            return limit + 1;
    }
    return row[na];
}

/* The nearest name in a list of names, new; NULL if none is near. */
static Value
nearest(Thread *th, Value list, Value name)
{
    int64_t n = list_length(list);
    size_t length;
    const char *text = str_utf8(th, name, &length);
    if (n >= CANDIDATES_MAX || text == NULL)
        return NULL;
    Value found = NULL;
    size_t found_distance = SIZE_MAX;
    for (int64_t i = 0; i < n; i++) {
        Value item = list_get(th, list, i);
        if (item == NULL)
            break;
        size_t item_length;
        const char *item_text = is_str(item) ? str_utf8(th, item, &item_length) : NULL;
        if (item_text == NULL) {
            drop(th, item);
            break;
        }
        size_t limit = (length + item_length + 3) * MOVE_COST / 6;
        limit = least(limit, found_distance - 1);
        size_t distance = str_equal(item, name) ?
                              SIZE_MAX :
                              edit_distance(text, length, item_text, item_length, limit);
        if (distance <= limit) {
            drop_null(th, found);
            found = item;
            found_distance = distance;
        } else {
            drop(th, item);
        }
    }
    return found;
}

/* Looks among the names that an iterable or mapping gives. */
static Value
nearest_in(Thread *th, Value STEALS names_, Value name)
{
    if (names_ == NULL)
        return NULL;
    Value list = sequence_list(th, names_);
    drop(th, names_);
    if (list == NULL)
        return NULL;
    Value found = nearest(th, list, name);
    drop(th, list);
    return found;
}

static Value
suggest_attribute(Thread *th, Value exc)
{
    AttributeErrorObject *e = (AttributeErrorObject *)(void *)value_object(exc);
    Value name = field_read(th, &e->base.head, &e->name);
    Value obj = field_read(th, &e->base.head, &e->obj);
    Value found = NULL;
    if (name != NULL && obj != NULL && is_str(name))
        found = nearest_in(th, to_dir(th, obj), name);
    drop_null(th, name);
    drop_null(th, obj);
    return found;
}

/* The frame where the exception was raised: that of the last traceback entry. */
static Value
innermost_frame(Thread *th, Value exc)
{
    Value tb = exception_traceback(th, exc);
    if (tb == NULL)
        return NULL;
    for (;;) {
        Traceback *t = (Traceback *)(void *)value_object(tb);
        Value next = field_read(th, &t->head, &t->next);
        if (next == NULL)
            break;
        drop(th, tb);
        tb = next;
    }
    Value frame = retain(th, ((Traceback *)(void *)value_object(tb))->frame);
    drop(th, tb);
    return frame;
}

static Value
suggest_name(Thread *th, Value exc)
{
    NameErrorObject *e = (NameErrorObject *)(void *)value_object(exc);
    Value name = field_read(th, &e->base.head, &e->name);
    Value frame = innermost_frame(th, exc);
    Value code = NULL;
    Value found = NULL;
    if (name == NULL || frame == NULL || !is_str(name))
        goto done;
    code = get_attr_c(th, frame, "f_code");
    static const char *const of_code[] = {"co_varnames", "co_cellvars", "co_freevars"};
    for (size_t i = 0; code != NULL && found == NULL && i < ARRAY_LEN(of_code); i++)
        found = nearest_in(th, get_attr_c(th, code, of_code[i]), name);
    static const char *const of_frame[] = {"f_globals", "f_builtins"};
    for (size_t i = 0; !error_set(th) && found == NULL && i < ARRAY_LEN(of_frame); i++)
        found = nearest_in(th, get_attr_c(th, frame, of_frame[i]), name);
done:
    drop_null(th, name);
    drop_null(th, frame);
    drop_null(th, code);
    return found;
}

Value
error_suggestion(Thread *th, Value exc)
{
    Value saved = error_take(th);
    Value found = NULL;
    if (type_of(exc) == &exc_AttributeError)
        found = suggest_attribute(th, exc);
    else if (type_of(exc) == &exc_NameError)
        found = suggest_name(th, exc);
    error_restore(th, saved);
    return found;
}
