/* number_text.c -- what int(), float() and complex() do to a text before they read it.
 *
 * Digits of every script count as digits, white space at the ends is left out, and single
 * underscores may stand between digits.  The result is ASCII in memory of the caller's stack or of
 * its own; number_text_free() gives it back.  Works on immutable strs: no locks.
 */
#include "objects/number/int_priv.h"

#include "base/unicode_db.h"
#include "objects/text/str.h"

static bool
is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
strip(NumberText *t)
{
    while (t->n > 0 && is_ascii_space(t->p[0])) {
        t->p++;
        t->n--;
    }
    while (t->n > 0 && is_ascii_space(t->p[t->n - 1]))
        t->n--;
}

/* Room for n bytes and a final zero. */
static bool
reserve(Thread *th, NumberText *t, size_t n)
{
    t->memory = NULL;
    t->p = t->local;
    t->n = n;
    if (n < sizeof t->local)
        return true;
    t->memory = buffer_new(th, n + 1);
    t->p = t->memory;
    return t->p != NULL;
}

bool
number_text_from_str(Thread *th, NumberText *t, Value str)
{
    const Str *s = as_str(str);
    size_t n = s->length;
    if (!reserve(th, t, n))
        return false;
    if (s->ascii)
        memcpy(t->p, s->data, n);
    else {
        for (size_t i = 0; i < n; i++) {
            uint32_t c = str_char(s, i);
            if (c >= 128) {
                const UnicodeFacts *facts = unicode_facts(c);
                if (facts->flags & UNICODE_SPACE)
                    c = ' ';
                else
                    c = facts->decimal >= 0 ? '0' + (uint32_t)facts->decimal : '?';
            }
            t->p[i] = (char)c;
        }
    }
    t->p[n] = 0;
    strip(t);
    return true;
}

bool
number_text_from_bytes(Thread *th, NumberText *t, const uint8_t *p, size_t n)
{
    if (!reserve(th, t, n))
        return false;
    memcpy(t->p, p, n);
    t->p[n] = 0;
    strip(t);
    return true;
}

bool
number_text_underscores(NumberText *t)
{
    if (memchr(t->p, '_', t->n) == NULL)
        return true;
    size_t out = 0;
    char before = 0;
    for (size_t i = 0; i < t->n; i++) {
        char c = t->p[i];
        if (c == '_') {
            if (before < '0' || before > '9')
                return false;
        } else {
            if (before == '_' && (c < '0' || c > '9'))
                return false;
            t->p[out++] = c;
        }
        before = c;
    }
    if (before == '_')
        return false;
    t->n = out;
    t->p[out] = 0;
    return true;
}

void
number_text_free(NumberText *t)
{
    if (t->memory != NULL)
        buffer_free(t->memory);
}
