/* sre_engine.c -- matching: a machine with an explicit stack of choices.
 *
 * The code is what re/_compiler.py emits.  Where the match may go on in more than one way, an entry
 * for the other ways is pushed; whatever changes (group marks, repeat counters) is pushed with its
 * old value, so that going back to a choice restores it.  Nothing recurses except into lookaround
 * and atomic groups, whose depth is that of the pattern.
 *
 * Characters are read through one function by width; the loops of single-character repeats are
 * specialised.
 */
#include "modules/sre.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/unicode_db.h"
#include "threads/safepoint.h"

enum { UNDO_MARK, UNDO_LAST, UNDO_REPEAT, UNDO_COUNT, CHOICE_ALT, CHOICE_TAIL, CHOICE_BODY, CHOICE_MAX,
       CHOICE_MIN, FIRST_CHOICE = CHOICE_ALT };

typedef struct SreChunk {
    struct SreChunk *next;
    SreRepeat items[128];
} SreChunk;

static inline uint32_t
get(const SreState *s, int64_t i)
{
    switch (s->width) {
    case 1: return ((const uint8_t *)s->data)[i];
    case 2: return ((const uint16_t *)s->data)[i];
    default: return ((const uint32_t *)s->data)[i];
    }
}

/* -- characters ---------------------------------------------------------------------------------------- */

uint32_t
sre_lower_ascii(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

uint32_t
sre_lower_unicode(uint32_t c)
{
    return c < 128 ? sre_lower_ascii(c) : (c <= UNICODE_MAX ? unicode_facts(c)->lower : c);
}

uint32_t
sre_upper_unicode(uint32_t c)
{
    return c < 128 ? (c >= 'a' && c <= 'z' ? c - 32 : c) : (c <= UNICODE_MAX ? unicode_facts(c)->upper : c);
}

static uint32_t
lower_locale(uint32_t c)
{
    return c < 256 ? (uint32_t)tolower((int)c) : c;
}

static bool
locale_ignore(uint32_t pattern, uint32_t c)
{
    return c == pattern || (c < 256 && (lower_locale(c) == pattern || (uint32_t)toupper((int)c) == pattern));
}

static bool
word_ascii(uint32_t c)
{
    return c < 128 && (isalnum((int)c) || c == '_');
}

static bool
word_unicode(uint32_t c)
{
    return c < 128 ? word_ascii(c) : unicode_is(c, UNICODE_ALNUM);
}

static bool
category(uint32_t which, uint32_t c)
{
    switch (which) {
    case 0: return c >= '0' && c <= '9';
    case 1: return !(c >= '0' && c <= '9');
    case 2: return c == ' ' || (c >= 9 && c <= 13);
    case 3: return !(c == ' ' || (c >= 9 && c <= 13));
    case 4: return word_ascii(c);
    case 5: return !word_ascii(c);
    case 6: return c == '\n';
    case 7: return c != '\n';
    case 8: return c < 256 && (isalnum((int)c) || c == '_');
    case 9: return !(c < 256 && (isalnum((int)c) || c == '_'));
    case 10: return c < 128 ? c >= '0' && c <= '9' : unicode_is(c, UNICODE_DECIMAL);
    case 11: return !(c < 128 ? c >= '0' && c <= '9' : unicode_is(c, UNICODE_DECIMAL));
    case 12: return c < 128 ? c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31) : unicode_is(c, UNICODE_SPACE);
    case 13: return !(c < 128 ? c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31) : unicode_is(c, UNICODE_SPACE));
    case 14: return word_unicode(c);
    case 15: return !word_unicode(c);
    case 16: return unicode_is(c, UNICODE_LINE_BREAK);
    default: return !unicode_is(c, UNICODE_LINE_BREAK);
    }
}

static bool
in_set(const uint32_t *set, uint32_t c)
{
    bool ok = true;
    for (;;)
        switch (*set++) {
        case SRE_FAILURE:
            return !ok;
        case SRE_LITERAL:
            if (c == set[0])
                return ok;
            set++;
            break;
        case SRE_CATEGORY:
            if (category(set[0], c))
                return ok;
            set++;
            break;
        case SRE_CHARSET:
            if (c < 256 && (set[c / 32] >> (c & 31) & 1))
                return ok;
            set += 8;
            break;
        case SRE_RANGE:
            if (set[0] <= c && c <= set[1])
                return ok;
            set += 2;
            break;
        case SRE_RANGE_UNI_IGNORE: {
            uint32_t upper = sre_upper_unicode(c);
            if ((set[0] <= c && c <= set[1]) || (set[0] <= upper && upper <= set[1]))
                return ok;
            set += 2;
            break;
        }
        case SRE_NEGATE:
            ok = !ok;
            break;
        case SRE_BIGCHARSET: {
            uint32_t count = *set++;
            int64_t block = c < 65536 ? ((const uint8_t *)set)[c >> 8] : -1;
            set += 64;
            if (block >= 0 && (set[(uint64_t)block * 8 + (c & 255) / 32] >> (c & 31) & 1))
                return ok;
            set += count * 8;
            break;
        }
        default:
            return false;
        }
}

static bool
in_set_locale(const uint32_t *set, uint32_t c)
{
    uint32_t lower = lower_locale(c);
    if (in_set(set, lower))
        return true;
    uint32_t upper = c < 256 ? (uint32_t)toupper((int)c) : c;
    return upper != lower && in_set(set, upper);
}

/* Whether one character matches the single-character instruction at pc. */
static inline bool
single(const SreState *s, const uint32_t *pc, int64_t i)
{
    uint32_t c = get(s, i);
    switch (pc[0]) {
    case SRE_ANY: return c != '\n';
    case SRE_ANY_ALL: return true;
    case SRE_LITERAL: return c == pc[1];
    case SRE_NOT_LITERAL: return c != pc[1];
    case SRE_IN: return in_set(pc + 2, c);
    case SRE_CATEGORY: return category(pc[1], c);
    case SRE_LITERAL_IGNORE: return sre_lower_ascii(c) == pc[1];
    case SRE_NOT_LITERAL_IGNORE: return sre_lower_ascii(c) != pc[1];
    case SRE_IN_IGNORE: return in_set(pc + 2, sre_lower_ascii(c));
    case SRE_LITERAL_UNI_IGNORE: return sre_lower_unicode(c) == pc[1];
    case SRE_NOT_LITERAL_UNI_IGNORE: return sre_lower_unicode(c) != pc[1];
    case SRE_IN_UNI_IGNORE: return in_set(pc + 2, sre_lower_unicode(c));
    case SRE_LITERAL_LOC_IGNORE: return locale_ignore(pc[1], c);
    case SRE_NOT_LITERAL_LOC_IGNORE: return !locale_ignore(pc[1], c);
    case SRE_IN_LOC_IGNORE: return in_set_locale(pc + 2, c);
    default: return false;
    }
}

static bool
is_single(uint32_t op)
{
    switch (op) {
    case SRE_ANY: case SRE_ANY_ALL: case SRE_LITERAL: case SRE_NOT_LITERAL: case SRE_IN: case SRE_CATEGORY:
    case SRE_LITERAL_IGNORE: case SRE_NOT_LITERAL_IGNORE: case SRE_IN_IGNORE: case SRE_LITERAL_UNI_IGNORE:
    case SRE_NOT_LITERAL_UNI_IGNORE: case SRE_IN_UNI_IGNORE: case SRE_LITERAL_LOC_IGNORE:
    case SRE_NOT_LITERAL_LOC_IGNORE: case SRE_IN_LOC_IGNORE:
        return true;
    default:
        return false;
    }
}

static bool
at_position(const SreState *s, uint32_t which, int64_t i)
{
    bool before = i > s->begin, after = i < s->end;
    switch (which) {
    case 0: case 2: return !before;
    case 1: return !before || get(s, i - 1) == '\n';
    case 5: return !after || (i + 1 == s->end && get(s, i) == '\n');
    case 6: return !after || get(s, i) == '\n';
    case 7: return !after;
    default: break;
    }
    if (s->begin == s->end)
        return false;
    bool a, b;
    if (which == 3 || which == 4) {
        a = before && word_ascii(get(s, i - 1));
        b = after && word_ascii(get(s, i));
    } else if (which == 8 || which == 9) {
        a = before && category(8, get(s, i - 1));
        b = after && category(8, get(s, i));
    } else {
        a = before && word_unicode(get(s, i - 1));
        b = after && word_unicode(get(s, i));
    }
    return (which == 3 || which == 8 || which == 10) == (a != b);
}

/* How many characters from `i`, at most `max`, match the instruction. */
static int64_t
count_single(const SreState *s, const uint32_t *pc, int64_t i, uint32_t max)
{
    int64_t limit = s->end - i;
    if (max != SRE_MAXREPEAT && max < limit)
        limit = max;
    int64_t n = 0;
    if (pc[0] == SRE_ANY_ALL)
        return limit;
    if (s->width == 1) {
        const uint8_t *p = (const uint8_t *)s->data + i;
        switch (pc[0]) {
        case SRE_ANY: {
            const uint8_t *nl = memchr(p, '\n', (size_t)limit);
            return nl ? nl - p : limit;
        }
        case SRE_LITERAL:
            while (n < limit && p[n] == pc[1])
                n++;
            return n;
        case SRE_NOT_LITERAL:
            if (pc[1] < 256) {
                const uint8_t *hit = memchr(p, (int)pc[1], (size_t)limit);
                return hit ? hit - p : limit;
            }
            return limit;
        case SRE_IN:
            if (pc[2] == SRE_CHARSET && pc[11] == SRE_FAILURE) {
                while (n < limit && (pc[3 + p[n] / 32] >> (p[n] & 31) & 1))
                    n++;
                return n;
            }
            while (n < limit && in_set(pc + 2, p[n]))
                n++;
            return n;
        default:
            break;
        }
    }
    while (n < limit && single(s, pc, i + n))
        n++;
    return n;
}

/* -- the stack -------------------------------------------------------------------------------------------- */

static inline SreEntry *
push(SreState *s, uint32_t kind)
{
    if (UNLIKELY(s->stack_count == s->stack_capacity)) {
        size_t capacity = s->stack_capacity ? s->stack_capacity * 2 : 64;
        SreEntry *grown = realloc(s->stack, capacity * sizeof *grown);
        if (grown == NULL) {
            if (!s->failed)
                raise_memory(s->th);
            s->failed = true;
            s->stack_count--;
        } else {
            s->stack = grown;
            s->stack_capacity = capacity;
        }
    }
    SreEntry *e = &s->stack[s->stack_count++];
    e->kind = kind;
    return e;
}

static void
set_mark(SreState *s, uint32_t i, int64_t at)
{
    SreEntry *e = push(s, UNDO_MARK);
    e->index = i;
    e->at = s->marks[i];
    s->marks[i] = at;
    if (i & 1) {
        e = push(s, UNDO_LAST);
        e->at = s->last_index;
        s->last_index = (int32_t)(i / 2 + 1);
    }
}

static SreRepeat *
repeat_new(SreState *s)
{
    if (s->chunks == NULL || s->chunk_used == ARRAY_LEN(s->chunks->items)) {
        SreChunk *c = malloc(sizeof *c);
        if (c == NULL) {
            if (!s->failed)
                raise_memory(s->th);
            s->failed = true;
            return NULL;
        }
        c->next = s->chunks;
        s->chunks = c;
        s->chunk_used = 0;
    }
    return &s->chunks->items[s->chunk_used++];
}

static inline void
undo(SreState *s, const SreEntry *e, SreRepeat **repeat)
{
    switch (e->kind) {
    case UNDO_MARK:
        s->marks[e->index] = e->at;
        break;
    case UNDO_LAST:
        s->last_index = (int32_t)e->at;
        break;
    case UNDO_REPEAT:
        *repeat = e->repeat;
        break;
    case UNDO_COUNT:
        e->repeat->count = e->at;
        e->repeat->last = e->extra;
        break;
    default:
        break;
    }
}

/* Undoes everything above `base`. */
static void
unwind(SreState *s, size_t base, SreRepeat **repeat)
{
    while (s->stack_count > base) {
        SreEntry *e = &s->stack[--s->stack_count];
        if (e->kind < FIRST_CHOICE)
            undo(s, e, repeat);
    }
}

/* Keeps the undo entries above `base`, forgets the choices: the way taken is final. */
static void
commit(SreState *s, size_t base)
{
    size_t to = base;
    for (size_t i = base; i < s->stack_count; i++)
        if (s->stack[i].kind < FIRST_CHOICE)
            s->stack[to++] = s->stack[i];
    s->stack_count = to;
}

static void
set_repeat(SreState *s, SreRepeat **repeat, SreRepeat *value)
{
    SreEntry *e = push(s, UNDO_REPEAT);
    e->repeat = *repeat;
    *repeat = value;
}

static void
save_count(SreState *s, SreRepeat *r)
{
    SreEntry *e = push(s, UNDO_COUNT);
    e->repeat = r;
    e->at = r->count;
    e->extra = r->last;
}

static bool
same_group(const SreState *s, uint32_t op, uint32_t group, int64_t *i)
{
    int64_t from = s->marks[2 * group], to = s->marks[2 * group + 1];
    if (from < 0 || to < from || s->end - *i < to - from)
        return false;
    for (; from < to; from++, (*i)++) {
        uint32_t a = get(s, from), b = get(s, *i);
        switch (op) {
        case SRE_GROUPREF: break;
        case SRE_GROUPREF_IGNORE: a = sre_lower_ascii(a); b = sre_lower_ascii(b); break;
        case SRE_GROUPREF_UNI_IGNORE: a = sre_lower_unicode(a); b = sre_lower_unicode(b); break;
        default: a = lower_locale(a); b = lower_locale(b);
        }
        if (a != b)
            return false;
    }
    return true;
}

/* -- the machine -------------------------------------------------------------------------------------------- */

/* Runs from pc at i until SUCCESS (1; *end is where), no way is left (0), or an exception (-1).
 * `top`: the pattern itself, not a lookaround or atomic part. */
static int
run(SreState *s, const uint32_t *pc, int64_t i, SreRepeat *repeat, bool top, int64_t *end)
{
    const size_t base = s->stack_count;
    if (thread_stack_low(s->th)) {
        raise_recursion(s->th, " while matching a regular expression");
        s->failed = true;
        return -1;
    }
    for (;;) {
        if (UNLIKELY((++s->steps & 0x3fff) == 0 || s->failed)) {
            if (s->failed || !safepoint_poll(s->th)) {
                s->failed = true;
                return -1;
            }
        }
        switch (pc[0]) {
        case SRE_SUCCESS:
            if (top && ((s->match_all && i != s->end) || i == s->must_advance))
                goto back;
            *end = i;
            return 1;
        case SRE_FAILURE:
            goto back;
        case SRE_MARK:
            set_mark(s, pc[1], i);
            pc += 2;
            continue;
        case SRE_LITERAL:
            if (i >= s->end || get(s, i) != pc[1])
                goto back;
            i++;
            pc += 2;
            continue;
        case SRE_ANY:
        case SRE_ANY_ALL:
            if (i >= s->end || !single(s, pc, i))
                goto back;
            i++;
            pc++;
            continue;
        case SRE_NOT_LITERAL:
        case SRE_CATEGORY:
        case SRE_LITERAL_IGNORE:
        case SRE_NOT_LITERAL_IGNORE:
        case SRE_LITERAL_UNI_IGNORE:
        case SRE_NOT_LITERAL_UNI_IGNORE:
        case SRE_LITERAL_LOC_IGNORE:
        case SRE_NOT_LITERAL_LOC_IGNORE:
            if (i >= s->end || !single(s, pc, i))
                goto back;
            i++;
            pc += 2;
            continue;
        case SRE_IN:
        case SRE_IN_IGNORE:
        case SRE_IN_UNI_IGNORE:
        case SRE_IN_LOC_IGNORE:
            if (i >= s->end || !single(s, pc, i))
                goto back;
            i++;
            pc += 1 + pc[1];
            continue;
        case SRE_AT:
            if (!at_position(s, pc[1], i))
                goto back;
            pc += 2;
            continue;
        case SRE_JUMP:
        case SRE_INFO:
            pc += 1 + pc[1];
            continue;
        case SRE_BRANCH: {
            const uint32_t *alt = pc + 1;
        next_alternative:
            /* Alternatives that begin with a literal that is not there are passed over. */
            while (alt[0] && (alt[1] == SRE_LITERAL && (i >= s->end || get(s, i) != alt[2])))
                alt += alt[0];
            if (alt[0] == 0)
                goto back;
            const uint32_t *other = alt + alt[0];
            if (other[0]) {
                SreEntry *e = push(s, CHOICE_ALT);
                e->pc = other;
                e->at = i;
                e->repeat = repeat;
            }
            pc = alt + 1;
            continue;
        resume_alternative:
            alt = pc;
            goto next_alternative;
        }
        case SRE_REPEAT: {
            SreRepeat *r = repeat_new(s);
            if (r == NULL)
                return -1;
            *r = (SreRepeat){pc, 0, -1, repeat};
            set_repeat(s, &repeat, r);
            pc += 1 + pc[1]; /* to the UNTIL */
            goto until;
        }
        case SRE_MAX_UNTIL:
        case SRE_MIN_UNTIL:
        until: {
            SreRepeat *r = repeat;
            if (r == NULL) {
                raise_error(s->th, &exc_RuntimeError, "invalid SRE code");
                s->failed = true;
                return -1;
            }
            uint32_t min = r->pc[2], max = r->pc[3];
            bool more = max == SRE_MAXREPEAT || r->count < (int64_t)max;
            if (r->count < (int64_t)min) {
                save_count(s, r);
                r->count++;
                r->last = i;
                pc = r->pc + 4;
                continue;
            }
            if (pc[0] == SRE_MAX_UNTIL) {
                if (more && i != r->last) {
                    SreEntry *e = push(s, CHOICE_TAIL);
                    e->pc = pc + 1;
                    e->at = i;
                    e->repeat = r;
                    save_count(s, r);
                    r->count++;
                    r->last = i;
                    pc = r->pc + 4;
                    continue;
                }
                set_repeat(s, &repeat, r->outer);
                pc++;
                continue;
            }
            if (more && i != r->last) {
                SreEntry *e = push(s, CHOICE_BODY);
                e->pc = pc;
                e->at = i;
                e->repeat = r;
            }
            set_repeat(s, &repeat, r->outer);
            pc++;
            continue;
        }
        case SRE_REPEAT_ONE:
        case SRE_POSSESSIVE_REPEAT_ONE: {
            uint32_t min = pc[2];
            int64_t n = s->end - i < (int64_t)min ? -1 : count_single(s, pc + 4, i, pc[3]);
            if (n < (int64_t)min)
                goto back;
            const uint32_t *tail = pc + 1 + pc[1];
            if (pc[0] == SRE_REPEAT_ONE && n > (int64_t)min) {
                if (tail[0] == SRE_SUCCESS && top && !s->match_all && i + n != s->must_advance) {
                    *end = i + n; /* the longest is taken and nothing can fail */
                    return 1;
                }
                SreEntry *e = push(s, CHOICE_MAX);
                e->pc = tail;
                e->at = i + min;
                e->extra = i + n;
                e->repeat = repeat;
                goto back; /* takes the longest possible from the entry */
            }
            i += n;
            pc = tail;
            continue;
        }
        case SRE_MIN_REPEAT_ONE: {
            uint32_t min = pc[2];
            if (s->end - i < (int64_t)min || (min && count_single(s, pc + 4, i, min) < (int64_t)min))
                goto back;
            SreEntry *e = push(s, CHOICE_MIN);
            e->pc = pc;
            e->at = i + min;
            e->extra = min;
            e->repeat = repeat;
            i += min;
            pc += 1 + pc[1];
            continue;
        }
        case SRE_ASSERT: {
            int64_t from = i - (int64_t)pc[2], unused;
            if (from < s->begin)
                goto back;
            size_t here = s->stack_count;
            int r = run(s, pc + 3, from, NULL, false, &unused);
            if (r < 0)
                return -1;
            if (r == 0)
                goto back;
            commit(s, here);
            pc += 1 + pc[1];
            continue;
        }
        case SRE_ASSERT_NOT: {
            int64_t from = i - (int64_t)pc[2], unused;
            if (from >= s->begin) {
                size_t here = s->stack_count;
                SreRepeat *ignored = NULL;
                int r = run(s, pc + 3, from, NULL, false, &unused);
                if (r < 0)
                    return -1;
                unwind(s, here, &ignored);
                if (r)
                    goto back;
            }
            pc += 1 + pc[1];
            continue;
        }
        case SRE_ATOMIC_GROUP: {
            size_t here = s->stack_count;
            int64_t to;
            int r = run(s, pc + 2, i, NULL, false, &to);
            if (r < 0)
                return -1;
            if (r == 0)
                goto back;
            commit(s, here);
            i = to;
            pc += 1 + pc[1];
            continue;
        }
        case SRE_POSSESSIVE_REPEAT: {
            uint32_t min = pc[2], max = pc[3];
            int64_t count = 0;
            while (max == SRE_MAXREPEAT || count < (int64_t)max) {
                size_t here = s->stack_count;
                int64_t to;
                int r = run(s, pc + 4, i, NULL, false, &to);
                if (r < 0)
                    return -1;
                if (r == 0)
                    break;
                commit(s, here);
                count++;
                if (to == i && count >= (int64_t)min)
                    break;
                i = to;
            }
            if (count < (int64_t)min)
                goto back;
            pc += 1 + pc[1] + 1; /* behind the SUCCESS of the body */
            continue;
        }
        case SRE_GROUPREF:
        case SRE_GROUPREF_IGNORE:
        case SRE_GROUPREF_UNI_IGNORE:
        case SRE_GROUPREF_LOC_IGNORE:
            if (!same_group(s, pc[0], pc[1], &i))
                goto back;
            pc += 2;
            continue;
        case SRE_GROUPREF_EXISTS:
            if (s->marks[2 * pc[1]] >= 0 && s->marks[2 * pc[1] + 1] >= s->marks[2 * pc[1]])
                pc += 3;
            else
                pc += 1 + pc[2];
            continue;
        default:
            raise_error(s->th, &exc_RuntimeError, "invalid SRE code");
            s->failed = true;
            return -1;
        }
    back:
        for (;;) {
            if (s->stack_count == base)
                return 0;
            SreEntry *e = &s->stack[--s->stack_count];
            if (e->kind < FIRST_CHOICE) {
                undo(s, e, &repeat);
                continue;
            }
            i = e->at;
            pc = e->pc;
            if (e->kind == CHOICE_ALT) {
                repeat = e->repeat;
                goto resume_alternative;
            }
            if (e->kind == CHOICE_TAIL) {
                repeat = e->repeat;
                set_repeat(s, &repeat, repeat->outer);
                break;
            }
            if (e->kind == CHOICE_BODY) { /* one more round of a lazy repeat */
                repeat = e->repeat;
                SreRepeat *r = repeat;
                save_count(s, r);
                r->count++;
                r->last = i;
                pc = r->pc + 4;
                break;
            }
            repeat = e->repeat;
            if (e->kind == CHOICE_MAX) { /* at: the least, extra: the most */
                int64_t low = e->at, high = e->extra;
                if (pc[0] == SRE_LITERAL) /* only where the tail can begin */
                    while (high >= low && (high >= s->end || get(s, high) != pc[1]))
                        high--;
                if (high < low)
                    continue;
                if (high > low) {
                    e->extra = high - 1;
                    s->stack_count++; /* stays for the next time */
                }
                i = high;
                break;
            }
            /* CHOICE_MIN: one more character, then the tail. */
            uint32_t max = pc[3];
            if ((max != SRE_MAXREPEAT && e->extra >= (int64_t)max) || i >= s->end || !single(s, pc + 4, i))
                continue;
            e->at = ++i;
            e->extra++;
            s->stack_count++;
            pc += 1 + pc[1];
            break;
        }
    }
}

int
sre_match(SreState *s, const Pattern *p, int64_t at)
{
    s->stack_count = 0;
    s->last_index = -1;
    for (uint32_t k = 0; k < s->mark_count; k++)
        s->marks[k] = -1;
    while (s->chunks && s->chunks->next) {
        SreChunk *c = s->chunks;
        s->chunks = c->next;
        free(c);
    }
    s->chunk_used = 0;
    int64_t end;
    int r = run(s, p->code, at, NULL, true, &end);
    if (s->failed)
        return -1;
    if (r > 0) {
        s->start = at;
        s->at = end;
    }
    return r;
}

int
sre_search(SreState *s, const Pattern *p, int64_t from)
{
    const uint32_t *code = p->code;
    const uint32_t *set = NULL;
    int64_t min_width = 0;
    uint32_t first = 0;
    bool literal = false;
    if (code[0] == SRE_INFO) {
        min_width = code[3];
        if (code[2] & 1) { /* a literal prefix */
            literal = true;
            first = code[7];
        } else if (code[2] & 4)
            set = code + 5;
    }
    const uint32_t *start = code[0] == SRE_INFO ? code + 1 + code[1] : code;
    int64_t last = s->end - min_width;
    if (start[0] == SRE_AT && (start[1] == 0 || start[1] == 2) && last > s->begin)
        last = s->begin; /* ^ and \A hold nowhere else */
    for (int64_t i = from; i <= last; i++) {
        if (literal) {
            if (s->width == 1) {
                if (first > 255)
                    return 0;
                const uint8_t *p8 = (const uint8_t *)s->data;
                const uint8_t *hit = memchr(p8 + i, (int)first, (size_t)(s->end - i));
                if (hit == NULL)
                    return 0;
                i = hit - p8;
            } else {
                while (i < s->end && get(s, i) != first)
                    i++;
                if (i >= s->end)
                    return 0;
            }
            if (i > last)
                return 0;
        } else if (set) {
            while (i < s->end && !in_set(set, get(s, i)))
                i++;
            if (i >= s->end)
                return 0;
        }
        int r = sre_match(s, p, i);
        if (r)
            return r;
        s->must_advance = -1; /* only for a match that begins where the last one ended */
    }
    return 0;
}

bool
sre_begin(SreState *s, Thread *th, const Pattern *p, const Subject *subject, int64_t start, int64_t end)
{
    memset(s, 0, offsetof(SreState, few_marks));
    s->th = th;
    s->data = subject->data;
    s->width = subject->width;
    if (start < 0)
        start = 0;
    else if (start > subject->length)
        start = subject->length;
    if (end < 0)
        end = 0;
    else if (end > subject->length)
        end = subject->length;
    s->begin = 0;
    s->start = start;
    s->end = end;
    s->must_advance = -1;
    s->last_index = -1;
    s->mark_count = 2 * p->groups;
    s->marks = p->groups <= SRE_FEW_GROUPS ? s->few_marks : malloc(s->mark_count * sizeof *s->marks);
    if (s->marks == NULL) {
        raise_memory(th);
        return false;
    }
    return true;
}

void
sre_end(SreState *s)
{
    if (s->marks != s->few_marks)
        free(s->marks);
    free(s->stack);
    while (s->chunks) {
        SreChunk *c = s->chunks;
        s->chunks = c->next;
        free(c);
    }
}

/* -- validation ----------------------------------------------------------------------------------------------- */

static bool
set_valid(const uint32_t *code, size_t n)
{
    size_t i = 0;
    while (i < n)
        switch (code[i]) {
        case SRE_FAILURE: return i + 1 == n;
        case SRE_NEGATE: i++; break;
        case SRE_LITERAL: i += 2; break;
        case SRE_CATEGORY:
            if (i + 1 >= n || code[i + 1] > 17)
                return false;
            i += 2;
            break;
        case SRE_RANGE: case SRE_RANGE_UNI_IGNORE: i += 3; break;
        case SRE_CHARSET: i += 9; break;
        case SRE_BIGCHARSET: {
            if (i + 66 > n)
                return false;
            uint32_t blocks = code[i + 1];
            for (int k = 0; k < 256; k++)
                if (((const uint8_t *)(code + i + 2))[k] >= blocks)
                    return false;
            i += 66 + (size_t)blocks * 8;
            break;
        }
        default: return false;
        }
    return false;
}

/* code[0 .. n) is a sequence that ends where its container says. */
static bool
part_valid(const uint32_t *code, size_t n, uint32_t groups, int depth)
{
    size_t i = 0;
    if (depth > 500)
        return false;
    while (i < n) {
        uint32_t op = code[i];
#define NEED(k) if (n - i < (size_t)(k)) return false
#define SKIP_OK(at) (code[at] >= 1 && code[at] <= n - (at))
        switch (op) {
        case SRE_SUCCESS: case SRE_FAILURE: case SRE_ANY: case SRE_ANY_ALL:
            i++;
            break;
        case SRE_MARK:
            NEED(2);
            if (code[i + 1] >= 2 * groups)
                return false;
            i += 2;
            break;
        case SRE_LITERAL: case SRE_NOT_LITERAL: case SRE_LITERAL_IGNORE: case SRE_NOT_LITERAL_IGNORE:
        case SRE_LITERAL_UNI_IGNORE: case SRE_NOT_LITERAL_UNI_IGNORE: case SRE_LITERAL_LOC_IGNORE:
        case SRE_NOT_LITERAL_LOC_IGNORE:
            NEED(2);
            i += 2;
            break;
        case SRE_CATEGORY:
            NEED(2);
            if (code[i + 1] > 17)
                return false;
            i += 2;
            break;
        case SRE_AT:
            NEED(2);
            if (code[i + 1] > 11)
                return false;
            i += 2;
            break;
        case SRE_IN: case SRE_IN_IGNORE: case SRE_IN_UNI_IGNORE: case SRE_IN_LOC_IGNORE:
            NEED(2);
            if (!SKIP_OK(i + 1) || !set_valid(code + i + 2, code[i + 1] - 1))
                return false;
            i += 1 + code[i + 1];
            break;
        case SRE_INFO:
            NEED(5);
            if (!SKIP_OK(i + 1) || code[i + 1] < 4 || ((code[i + 2] & 1) && code[i + 1] < 7))
                return false;
            if ((code[i + 2] & 4) && !set_valid(code + i + 5, code[i + 1] - 4))
                return false;
            i += 1 + code[i + 1];
            break;
        case SRE_BRANCH: {
            size_t at = i + 1, target = 0;
            for (;;) {
                if (at >= n)
                    return false;
                if (code[at] == 0)
                    break;
                if (!SKIP_OK(at) || code[at] < 3)
                    return false;
                size_t next = at + code[at];
                if (next >= n || code[next - 2] != SRE_JUMP)
                    return false;
                size_t jump = next - 1 + code[next - 1];
                if (target == 0)
                    target = jump;
                if (jump != target || !part_valid(code + at + 1, next - 2 - (at + 1), groups, depth + 1))
                    return false;
                at = next;
            }
            if (target != at + 1)
                return false;
            i = at + 1;
            break;
        }
        case SRE_REPEAT_ONE: case SRE_MIN_REPEAT_ONE: case SRE_POSSESSIVE_REPEAT_ONE:
            NEED(6);
            if (!SKIP_OK(i + 1) || code[i + 1] < 4 || code[i + 2] > code[i + 3] || !is_single(code[i + 4]) ||
                code[i + code[i + 1]] != SRE_SUCCESS ||
                !part_valid(code + i + 4, code[i + 1] - 4, groups, depth + 1))
                return false;
            i += 1 + code[i + 1];
            break;
        case SRE_REPEAT: case SRE_POSSESSIVE_REPEAT: {
            NEED(5);
            if (!SKIP_OK(i + 1) || code[i + 1] < 3 || code[i + 2] > code[i + 3])
                return false;
            size_t until = i + 1 + code[i + 1];
            if (until >= n || !part_valid(code + i + 4, until - (i + 4), groups, depth + 1))
                return false;
            if (op == SRE_REPEAT ? code[until] != SRE_MAX_UNTIL && code[until] != SRE_MIN_UNTIL
                                 : code[until] != SRE_SUCCESS)
                return false;
            i = until + 1;
            break;
        }
        case SRE_ATOMIC_GROUP:
        case SRE_ASSERT: case SRE_ASSERT_NOT: {
            NEED(4);
            size_t head = op == SRE_ATOMIC_GROUP ? 2 : 3;
            if (!SKIP_OK(i + 1) || code[i + 1] < head || code[i + code[i + 1]] != SRE_SUCCESS ||
                (head == 3 && code[i + 2] > INT32_MAX) ||
                !part_valid(code + i + head, code[i + 1] - head, groups, depth + 1))
                return false;
            i += 1 + code[i + 1];
            break;
        }
        case SRE_GROUPREF: case SRE_GROUPREF_IGNORE: case SRE_GROUPREF_UNI_IGNORE: case SRE_GROUPREF_LOC_IGNORE:
            NEED(2);
            if (code[i + 1] >= groups)
                return false;
            i += 2;
            break;
        case SRE_GROUPREF_EXISTS: {
            NEED(3);
            if (code[i + 1] >= groups || code[i + 2] < 2 || code[i + 2] > n - (i + 1))
                return false;
            size_t no = i + 1 + code[i + 2], yes_end = no;
            /* With an alternative, the first part ends in a JUMP over the second. */
            if (no >= i + 5 && code[no - 2] == SRE_JUMP && code[no - 1] >= 1 && code[no - 1] <= n - (no - 1)) {
                size_t after = no - 1 + code[no - 1];
                if (part_valid(code + i + 3, no - 2 - (i + 3), groups, depth + 1) &&
                    part_valid(code + no, after - no, groups, depth + 1)) {
                    i = after;
                    break;
                }
            }
            if (!part_valid(code + i + 3, yes_end - (i + 3), groups, depth + 1))
                return false;
            i = yes_end;
            break;
        }
        default:
            return false;
        }
        if (i > n)
            return false;
#undef NEED
#undef SKIP_OK
    }
    return true;
}

bool
sre_code_valid(const uint32_t *code, size_t n, uint32_t groups)
{
    return n > 0 && code[n - 1] == SRE_SUCCESS && part_valid(code, n - 1, groups, 0);
}
