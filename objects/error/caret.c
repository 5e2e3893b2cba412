/* caret.c -- which part of an expression's text a traceback points at with ^.
 *
 * `a + b` is shown as ~~^~~ and `a[b]` as ~^^^.  The text is one expression that has
 * been compiled already, so it is enough to find the operator that is done last: a scan
 * over its tokens outside of brackets and strings, by precedence.  No state.
 */
#include "objects/error/caret.h"

#include <string.h>

/* How tightly binary operators bind; what binds less than | is no arithmetic. */
enum {
    BIND_NONE = 0,
    BIND_OR = 1,
    BIND_XOR,
    BIND_AND,
    BIND_SHIFT,
    BIND_ADD,
    BIND_MULTIPLY,
    BIND_POWER,
};

typedef struct Scan {
    const char *text;
    size_t n, at;
    int depth;            /* of brackets */
    bool operand;         /* the last token can end an operand */
    bool other;           /* something that binds less than arithmetic is at the top */
    bool unary_first;     /* starts with a unary operator */
    int lowest;           /* BIND_ of the operator found so far */
    size_t op_start, op_end;
    size_t bracket;       /* where the last bracket at the top opened */
    bool bracket_trails;  /* it followed an operand */
    char last;            /* the last token's last character */
} Scan;

static inline bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || (unsigned char)c >= 0x80;
}

/* Skips a string that starts at `at` with a quote; false if it does not end. */
static bool
skip_string(Scan *s, bool raw)
{
    char quote = s->text[s->at];
    size_t length = 1;
    if (s->n - s->at >= 3 && s->text[s->at + 1] == quote && s->text[s->at + 2] == quote)
        length = 3;
    s->at += length;
    while (s->at < s->n) {
        if (s->text[s->at] == '\\' && s->at + 1 < s->n) {
            s->at += 2; /* in raw strings, too, a backslash keeps the quote */
            continue;
        }
        size_t k = 0;
        while (k < length && s->at + k < s->n && s->text[s->at + k] == quote)
            k++;
        if (k == length) {
            s->at += length;
            return true;
        }
        s->at++;
    }
    (void)raw;
    return false;
}

static bool
word_is(const char *word, size_t n, const char *what)
{
    return strlen(what) == n && memcmp(word, what, n) == 0;
}

/* A name, number or keyword. */
static bool
scan_word(Scan *s)
{
    size_t start = s->at;
    bool number = s->text[start] >= '0' && s->text[start] <= '9';
    while (s->at < s->n &&
           (is_word(s->text[s->at]) ||
            (number && (s->text[s->at] == '.' ||
                        ((s->text[s->at] == '+' || s->text[s->at] == '-') &&
                         (s->text[s->at - 1] == 'e' || s->text[s->at - 1] == 'E') &&
                         !(s->at > start + 1 && (s->text[start + 1] | 0x20) == 'x'))))))
        s->at++;
    if (s->at < s->n && (s->text[s->at] == '"' || s->text[s->at] == '\'') && s->at - start <= 2)
        return skip_string(s, true); /* its prefix */
    static const char *const loose[] = {"if",  "else",   "lambda", "not",   "and",  "or",
                                        "in",  "is",     "for",    "yield", "from", "async"};
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        if (word_is(s->text + start, s->at - start, loose[i])) {
            if (s->depth == 0)
                s->other = true;
            s->operand = false;
            s->last = 'a';
            return true;
        }
    }
    if (word_is(s->text + start, s->at - start, "await")) {
        if (start == 0)
            s->unary_first = true;
        s->operand = false;
        s->last = 'a';
        return true;
    }
    s->operand = true;
    s->last = 'a';
    return true;
}

/* How the operator at `at` binds, and its length; BIND_NONE: it is none of arithmetic. */
static int
operator_at(const Scan *s, size_t *length)
{
    char c = s->text[s->at];
    char next = s->at + 1 < s->n ? s->text[s->at + 1] : '\0';
    *length = 1;
    switch (c) {
    case '+':
    case '-': return BIND_ADD;
    case '%':
    case '@': return BIND_MULTIPLY;
    case '*':
        if (next == '*') {
            *length = 2;
            return BIND_POWER;
        }
        return BIND_MULTIPLY;
    case '/':
        if (next == '/')
            *length = 2;
        return BIND_MULTIPLY;
    case '<':
    case '>':
        if (next == c) {
            *length = 2;
            return BIND_SHIFT;
        }
        return BIND_NONE;
    case '&': return BIND_AND;
    case '^': return BIND_XOR;
    case '|': return BIND_OR;
    default: return BIND_NONE;
    }
}

static void
scan_operator(Scan *s)
{
    size_t length;
    int bind = operator_at(s, &length);
    bool binary = s->operand;
    if (s->depth == 0) {
        if (!binary) { /* a sign, or a star of an argument */
            if (s->at == 0)
                s->unary_first = true;
        } else if (bind == BIND_NONE) {
            if (s->text[s->at] != '.')
                s->other = true;
        } else if (s->lowest == BIND_NONE || bind < s->lowest ||
                   (bind == s->lowest && bind != BIND_POWER)) {
            s->lowest = bind; /* of equals the last, but of powers the first */
            s->op_start = s->at;
            s->op_end = s->at + length;
        }
    }
    s->last = s->text[s->at];
    s->at += length;
    s->operand = false;
}

static bool
scan(Scan *s)
{
    while (s->at < s->n) {
        char c = s->text[s->at];
        if (c == ' ' || c == '\t' || c == '\f' || c == '\\' || c == '\n' || c == '\r') {
            s->at++;
        } else if (c == '#') {
            return false;
        } else if (c == '"' || c == '\'') {
            if (!skip_string(s, false))
                return false;
            s->operand = true;
            s->last = c;
        } else if (is_word(c) ||
                   (c == '.' && !s->operand && s->at + 1 < s->n && s->text[s->at + 1] >= '0' &&
                    s->text[s->at + 1] <= '9')) {
            if (c == '.')
                s->at++;
            if (!scan_word(s))
                return false;
        } else if (c == '(' || c == '[' || c == '{') {
            if (s->depth++ == 0) {
                s->bracket = s->at;
                s->bracket_trails = s->operand;
            }
            s->operand = false;
            s->last = c;
            s->at++;
        } else if (c == ')' || c == ']' || c == '}') {
            if (--s->depth < 0)
                return false;
            s->operand = true;
            s->last = c;
            s->at++;
        } else {
            scan_operator(s);
        }
    }
    return s->depth == 0;
}

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f' || c == '\n' || c == '\r';
}

/* Whether [start, end) is "(...)" around one expression, not a tuple or generator. */
static bool
is_group(const char *text, size_t start, size_t end)
{
    if (end - start < 3 || text[start] != '(' || text[end - 1] != ')')
        return false;
    Scan s = {.text = text, .n = end - 1, .at = start + 1};
    while (s.at < s.n) {
        char c = text[s.at];
        size_t before = s.at;
        if (c == '"' || c == '\'') {
            if (!skip_string(&s, false))
                return false;
        } else if (is_word(c)) {
            scan_word(&s);
            if (s.depth == 0 && word_is(text + before, s.at - before, "for"))
                return false;
        } else {
            if (c == '(' || c == '[' || c == '{')
                s.depth++;
            else if ((c == ')' || c == ']' || c == '}') && --s.depth < 0)
                return false;
            else if (c == ',' && s.depth == 0)
                return false;
            s.at++;
        }
    }
    return s.depth == 0;
}

/* Narrows [*start, *end) to the expression without blanks and parentheses around it. */
static void
strip_group(const char *text, size_t *start, size_t *end)
{
    for (;;) {
        while (*start < *end && is_blank(text[*start]))
            ++*start;
        while (*end > *start && is_blank(text[*end - 1]))
            --*end;
        if (!is_group(text, *start, *end))
            return;
        ++*start;
        --*end;
    }
}

/* Marks the operator between [0, op_start) and [op_end, n): one character behind the left operand's end, which lies
 * inside of parentheses, and a second one that is no blank. */
static void
mark_operator(const Scan *s, size_t *start, size_t *end)
{
    size_t left = 0, left_end = s->op_start, right = s->op_end, right_end = s->n;
    strip_group(s->text, &left, &left_end);
    strip_group(s->text, &right, &right_end);
    while (left_end < right && is_blank(s->text[left_end]))
        left_end++;
    *start = left_end;
    *end = left_end + 1;
    if (*end < right && !is_blank(s->text[*end]))
        ++*end;
}

/* The same for a subscript: from the end of what is indexed to one character behind the index. */
static void
mark_subscript(const Scan *s, size_t *start, size_t *end)
{
    size_t value = 0, value_end = s->bracket, index = s->bracket + 1, index_end = s->n - 1;
    strip_group(s->text, &value, &value_end);
    strip_group(s->text, &index, &index_end);
    *start = value_end;
    *end = index_end + 1;
}

bool
caret_anchors(const char *text, size_t n, size_t *start, size_t *end)
{
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    Scan s = {.text = text, .n = n};
    if (n == 0 || !scan(&s) || s.other)
        return false;
    if (s.lowest != BIND_NONE) {
        /* -a ** b is a negation; await a ** b is a power. */
        if (s.lowest == BIND_POWER && s.unary_first && !is_word(text[0]))
            return false;
        mark_operator(&s, start, end);
        return true;
    }
    if (s.unary_first || s.last != ']' || !s.bracket_trails)
        return false;
    mark_subscript(&s, start, end);
    return true;
}
