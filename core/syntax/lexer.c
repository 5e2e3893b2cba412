/* lexer.c -- text to tokens: indentation, names, numbers, operators.
 *
 * lexer_line() makes the tokens of one logical line at a time.  The text ends
 * in a newline and SOURCE_PADDING zero bytes, so that scanning needs no bounds
 * check: a zero byte stops everything and stands only at the end.
 *
 * An error makes one ERROR token, the last one ever; what is wrong stands in
 * lexer->error until the parser comes to that token.
 */
#include "core/syntax/parser_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <uniname.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* -- classes of bytes ----------------------------------------------------- */

enum {
    NAME_START = 1,
    NAME_PART = 2,
    DIGIT = 4,
    HEX_DIGIT = 8,
    NON_ASCII = 16
};

#define LETTER (NAME_START | NAME_PART)
static const uint8_t byte_class[256] = {
    ['0' ... '9'] = NAME_PART | DIGIT | HEX_DIGIT,
    ['a' ... 'f'] = LETTER | HEX_DIGIT,
    ['g' ... 'z'] = LETTER,
    ['A' ... 'F'] = LETTER | HEX_DIGIT,
    ['G' ... 'Z'] = LETTER,
    ['_'] = LETTER,
    [128 ... 255] = LETTER | NON_ASCII,
};

static inline bool
is_class(char c, int class)
{
    return (byte_class[(uint8_t)c] & class) != 0;
}

#define is_digit(c) is_class(c, DIGIT)

/* -- names ---------------------------------------------------------------- */

static inline uint64_t
load_bytes(const char *text, uint32_t length)
{
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    if (length < 8) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        word &= ((uint64_t)1 << (8 * length)) - 1;
#else
        word &= ~(~(uint64_t)0 >> (8 * length));
#endif
    }
    return word;
}

static inline uint32_t
name_hash(const char *text, uint32_t length, uint64_t head)
{
    uint64_t hash = head * UINT64_C(0x9E3779B97F4A7C15) + length;
    if (length > 8) {
        uint64_t tail;
        memcpy(&tail, text + length - 8, sizeof(tail));
        hash = (hash ^ tail ^ (hash >> 29)) * UINT64_C(0xBF58476D1CE4E5B9);
        if (length > 16) {
            uint64_t middle;
            memcpy(&middle, text + 8, sizeof(middle));
            hash = (hash ^ middle) * UINT64_C(0x94D049BB133111EB);
        }
    }
    return (uint32_t)(hash >> 32);
}

static bool
names_grow(Parser *p)
{
    uint32_t size = p->name_table == NULL ? 256 : 2 * (p->name_mask + 1);
    uint32_t *table = calloc(size, sizeof(*table));
    if (table == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < p->names.count; i++) {
        uint32_t slot = p->names.items[i].hash & (size - 1);
        while (table[slot] != 0) {
            slot = (slot + 1) & (size - 1);
        }
        table[slot] = i + 1;
    }
    free(p->name_table);
    p->name_table = table;
    p->name_mask = size - 1;
    return true;
}

uint32_t
name_lookup(Parser *p, const char *text, uint32_t length)
{
    uint64_t head = load_bytes(text, length);
    uint32_t hash = name_hash(text, length, head);
    uint32_t slot = hash & p->name_mask;
    uint32_t index;
    while ((index = p->name_table[slot]) != 0) {
        const NameEntry *entry = &p->names.items[index - 1];
        if (entry->head == head && entry->length == length &&
            (length <= 8 || memcmp(entry->text + 8, text + 8, length - 8) == 0)) {
            return index - 1;
        }
        slot = (slot + 1) & p->name_mask;
    }
    index = (uint32_t)p->names.count;
    NameEntry entry = {head, text, length, hash, NULL, TOKEN_NAME};
    if (!vec_push(&p->names, entry)) {
        parser_no_memory(p);
    }
    p->name_table[slot] = index + 1;
    if (UNLIKELY(p->names.count * 2 > p->name_mask) && !names_grow(p)) {
        parser_no_memory(p);
    }
    return index;
}

bool
names_init(Parser *p)
{
    /* Each text has 8 readable bytes behind its start. */
    static const struct {
        char text[16];
        uint8_t length;
        uint8_t type;
    } fixed[] = {
#define KEYWORD(name, text) {text, sizeof(text) - 1, TOKEN_##name},
#include "core/syntax/token.def"
#define SOFT_NAME(name, text) {text, sizeof(text) - 1, TOKEN_NAME},
#include "core/syntax/token.def"
    };
    if (!names_grow(p)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        uint32_t index = name_lookup(p, fixed[i].text, fixed[i].length);
        p->names.items[index].type = fixed[i].type;
    }
    return true;
}

Value
name_value(Parser *p, uint32_t index)
{
    NameEntry *entry = &p->names.items[index];
    if (entry->value == NULL) {
        entry->value = parser_own(
            p, p->hooks->intern_name(p->context, entry->text, entry->length));
    }
    return entry->value;
}

/* -- making tokens -------------------------------------------------------- */

static inline int32_t
column(const Lexer *lexer, const char *s)
{
    int32_t col = (int32_t)(s - lexer->line_start);
    return lexer->lineno == lexer->first_lineno ? col + lexer->first_col : col;
}

/* A token that lies in the present line. */
Token *
lexer_token(Parser *p, Lexer *lexer, TokenType type, const char *start, const char *end)
{
    if (UNLIKELY(!vec_reserve(&lexer->tokens, 1))) {
        parser_no_memory(p);
    }
    Token *token = &lexer->tokens.items[lexer->tokens.count++];
    int32_t col = column(lexer, start);
    *token = (Token){
        .type = (uint8_t)type,
        .level = (uint16_t)lexer->level,
        .start = (uint32_t)(start - lexer->text),
        .end = (uint32_t)(end - lexer->text),
        .lineno = lexer->lineno,
        .col = col,
        .end_lineno = lexer->lineno,
        .end_col = col + (int32_t)(end - start),
    };
    return token;
}

/* A token without text: where the last one with text ends is its end. */
static Token *
empty_token(Parser *p, Lexer *lexer, TokenType type, const char *start, const char *end)
{
    Token *before = lexer->tokens.count > 0 ? &vec_last(&lexer->tokens) : NULL;
    if (before != NULL) {
        lexer->end_lineno = before->end_lineno;
        lexer->end_col = before->end_col;
    }
    Token *token = lexer_token(p, lexer, type, start, end);
    token->end_lineno = lexer->end_lineno;
    token->end_col = lexer->end_col;
    return token;
}

const char *
lexer_error_at(Parser *p, Lexer *lexer, LexerError error)
{
    lexer->error = error;
    lexer->state = LEXER_FAILED;
    empty_token(p, lexer, TOKEN_ERROR, lexer->cursor, lexer->cursor);
    return NULL;
}

/* The error stands at the character before `at`. */
const char *
lexer_error(Parser *p, Lexer *lexer, const char *at, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char *message = arena_copy(&p->ast->arena, text, strlen(text));
    if (message == NULL) {
        parser_no_memory(p);
    }
    int col = (int)(at - lexer->line_start);
    return lexer_error_at(p, lexer, (LexerError){.message = message,
                                                 .lineno = lexer->lineno, .col = col,
                                                 .end_lineno = lexer->lineno,
                                                 .end_col = col});
}

/* -- names ---------------------------------------------------------------- */

/* Says what is wrong with the character at `s`. */
static COLD const char *
bad_character(Parser *p, Lexer *lexer, const char *s, ucs4_t c, int length)
{
    bool printable = uc_is_general_category_withtable(
        c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_N |
               UC_CATEGORY_MASK_P | UC_CATEGORY_MASK_S) || c == ' ';
    if (printable) {
        return lexer_error(p, lexer, s + length, "invalid character '%.*s' (U+%04X)",
                           length, s, (unsigned)c);
    }
    return lexer_error(p, lexer, s + length, "invalid non-printable character U+%04X",
                       (unsigned)c);
}

/* A name with other than ASCII letters in [s, end): checked and normalised. */
static COLD NOINLINE const char *
unicode_name(Parser *p, Lexer *lexer, const char *s, const char *end)
{
    bool first = true;
    for (const char *c = s; c < end;) {
        ucs4_t code;
        int length = u8_mbtoucr(&code, (const uint8_t *)c, (size_t)(end - c));
        bool good = length > 0 &&
            (code == '_' || (first ? uc_is_property_xid_start(code)
                                   : uc_is_property_xid_continue(code)));
        if (!good) {
            lexer->cursor = c;
            if (length <= 0) {
                code = (uint8_t)*c;
                length = 1;
            }
            return bad_character(p, lexer, c, code, length);
        }
        first = false;
        c += length;
    }
    size_t length;
    uint8_t *normal = u8_normalize(UNINORM_NFKC, (const uint8_t *)s, (size_t)(end - s),
                                   NULL, &length);
    char *copy = normal == NULL ? NULL : arena_calloc(&p->ast->arena, length + 16);
    if (copy == NULL) {
        free(normal);
        parser_no_memory(p);
    }
    memcpy(copy, normal, length);
    free(normal);
    uint32_t name = name_lookup(p, copy, (uint32_t)length);
    Token *token = lexer_token(p, lexer, TOKEN_NAME, s, end);
    token->name = name;
    return end;
}

/* Before 3.7, `async` is a keyword only before `def`, and both it and `await` are
 * in the body of such a function.  `s` stands behind the word. */
static COLD TokenType
lex_async(Lexer *lexer, TokenType type, const char *s)
{
    if (lexer->async_indent >= 0) {
        return type;
    }
    s += strspn(s, " \t\f");
    if (type == TOKEN_ASYNC && memcmp(s, "def", 3) == 0 && !is_class(s[3], NAME_PART)) {
        lexer->async_indent = lexer->indent_count;
        lexer->async_body = false;
        return type;
    }
    return TOKEN_NAME;
}

static inline const char *
lex_name(Parser *p, Lexer *lexer, const char *s)
{
    const char *start = s;
    uint8_t seen = 0;
    uint8_t class;
    while ((class = byte_class[(uint8_t)*s]) & NAME_PART) {
        seen |= class;
        s++;
    }
    if (UNLIKELY(seen & NON_ASCII)) {
        return unicode_name(p, lexer, start, s);
    }
    uint32_t name = name_lookup(p, start, (uint32_t)(s - start));
    TokenType type = p->names.items[name].type;
    if (UNLIKELY(type == TOKEN_ASYNC || type == TOKEN_AWAIT) && p->feature_version < 7) {
        type = lex_async(lexer, type, s);
    }
    Token *token = lexer_token(p, lexer, type, start, s);
    token->name = name;
    return s;
}

/* Whether `s` starts a string: then `*quote` is its first quote. */
static inline bool
is_string_prefix(const char *s, const char **quote, int *flags)
{
    int found = 0;
    for (;; s++) {
        switch (*s) {
        case 'b': case 'B':
            if (found & (STRING_BYTES | STRING_UNICODE | STRING_FORMATTED)) {
                return false;
            }
            found |= STRING_BYTES;
            break;
        case 'u': case 'U':
            if (found != 0) {
                return false;
            }
            found |= STRING_UNICODE;
            break;
        case 'r': case 'R':
            if (found & (STRING_RAW | STRING_UNICODE)) {
                return false;
            }
            found |= STRING_RAW;
            break;
        case 'f': case 'F':
            if (found & (STRING_BYTES | STRING_UNICODE | STRING_FORMATTED)) {
                return false;
            }
            found |= STRING_FORMATTED;
            break;
        case '"': case '\'':
            *quote = s;
            *flags = found;
            return true;
        default:
            return false;
        }
    }
}

/* -- numbers -------------------------------------------------------------- */

/* Checks what follows a number.  A keyword may, with a warning. */
static bool
number_end(Parser *p, Lexer *lexer, const char *s, const char *kind)
{
    if (LIKELY(!is_class(*s, NAME_PART))) {
        return true;
    }
    bool keyword = false;
    switch (*s) {
    case 'a': keyword = s[1] == 'n' && s[2] == 'd'; break;
    case 'e': keyword = s[1] == 'l' && s[2] == 's' && s[3] == 'e'; break;
    case 'f': keyword = s[1] == 'o' && s[2] == 'r'; break;
    case 'i': keyword = s[1] == 'f' || s[1] == 'n' || s[1] == 's'; break;
    case 'n': keyword = s[1] == 'o' && s[2] == 't'; break;
    case 'o': keyword = s[1] == 'r'; break;
    }
    lexer->cursor = s;
    if (!keyword) {
        lexer_error(p, lexer, s, "invalid %s literal", kind);
        return false;
    }
    if (p->hooks->warn == NULL || p->second_pass) {
        return true;
    }
    char message[64];
    snprintf(message, sizeof(message), "invalid %s literal", kind);
    int result = p->hooks->warn(p->context, PARSE_WARNING_SYNTAX, message, lexer->lineno);
    if (result < 0) {
        parser_raised(p);
    }
    if (result > 0) {
        lexer_error(p, lexer, s, "%s", message);
        return false;
    }
    return true;
}

/* Digits with single underscores between them, from a digit at `s` on. */
static inline const char *
decimal_tail(Parser *p, Lexer *lexer, const char *s)
{
    for (;;) {
        while (is_digit(*s)) {
            s++;
        }
        if (LIKELY(*s != '_')) {
            return s;
        }
        s++;
        if (!is_digit(*s)) {
            lexer->cursor = s;
            return lexer_error(p, lexer, s, "invalid decimal literal");
        }
    }
}

static bool
is_digit_of(char c, int base)
{
    return base == 16 ? is_class(c, HEX_DIGIT) : c >= '0' && c < '0' + base;
}

/* 0x..., 0o... or 0b...; `s` stands behind the letter. */
static const char *
lex_based(Parser *p, Lexer *lexer, const char *s, int base, const char *kind)
{
    do {
        if (*s == '_') {
            s++;
        }
        if (!is_digit_of(*s, base)) {
            lexer->cursor = s;
            if (is_digit(*s)) {
                return lexer_error(p, lexer, s + 1, "invalid digit '%c' in %s literal",
                                   *s, kind);
            }
            return lexer_error(p, lexer, s, "invalid %s literal", kind);
        }
        while (is_digit_of(*s, base)) {
            s++;
        }
    } while (*s == '_');
    if (is_digit(*s)) {
        return lexer_error(p, lexer, s + 1, "invalid digit '%c' in %s literal", *s, kind);
    }
    return number_end(p, lexer, s, kind) ? s : NULL;
}

/* The rest of a number from its fraction's first digit, or NULL. */
static const char *
lex_exponent(Parser *p, Lexer *lexer, const char *s, bool *is_float)
{
    if (*s == 'e' || *s == 'E') {
        const char *e = s++;
        if (*s == '+' || *s == '-') {
            s++;
            if (!is_digit(*s)) {
                lexer->cursor = s;
                return lexer_error(p, lexer, s, "invalid decimal literal");
            }
        } else if (!is_digit(*s)) {
            return number_end(p, lexer, e, "decimal") ? e : NULL;
        }
        *is_float = true;
        s = decimal_tail(p, lexer, s);
        if (s == NULL) {
            return NULL;
        }
    }
    if (*s == 'j' || *s == 'J') {
        s++;
        *is_float = true;
        return number_end(p, lexer, s, "imaginary") ? s : NULL;
    }
    return number_end(p, lexer, s, "decimal") ? s : NULL;
}

static const char *
lex_fraction(Parser *p, Lexer *lexer, const char *s)
{
    bool is_float;
    if (is_digit(*s)) {
        s = decimal_tail(p, lexer, s);
        if (s == NULL) {
            return NULL;
        }
    }
    return lex_exponent(p, lexer, s, &is_float);
}

static const char *
lex_zero(Parser *p, Lexer *lexer, const char *start)
{
    const char *s = start + 1;
    switch (*s) {
    case 'x': case 'X': return lex_based(p, lexer, s + 1, 16, "hexadecimal");
    case 'o': case 'O': return lex_based(p, lexer, s + 1, 8, "octal");
    case 'b': case 'B': return lex_based(p, lexer, s + 1, 2, "binary");
    }
    for (;;) {
        if (*s == '_') {
            s++;
            if (!is_digit(*s)) {
                lexer->cursor = s;
                return lexer_error(p, lexer, s, "invalid decimal literal");
            }
        }
        if (*s != '0') {
            break;
        }
        s++;
    }
    const char *zeros_end = s;
    bool nonzero = is_digit(*s);
    if (nonzero) {
        s = decimal_tail(p, lexer, s);
        if (s == NULL) {
            return NULL;
        }
    }
    if (*s == '.') {
        return lex_fraction(p, lexer, s + 1);
    }
    bool is_float = false;
    if (nonzero && *s != 'e' && *s != 'E' && *s != 'j' && *s != 'J') {
        lexer->cursor = s;
        return lexer_error_at(
            p, lexer,
            (LexerError){.message = "leading zeros in decimal integer literals are not "
                                    "permitted; use an 0o prefix for octal integers",
                         .lineno = lexer->lineno,
                         .col = (int)(start - lexer->line_start) + 1,
                         .end_lineno = lexer->lineno,
                         .end_col = (int)(zeros_end - lexer->line_start) + 1,
                         .in_bytes = true});
    }
    return lex_exponent(p, lexer, s, &is_float);
}

static const char *
lex_number(Parser *p, Lexer *lexer, const char *start)
{
    const char *s = start;
    bool is_float;
    if (*s == '0') {
        s = lex_zero(p, lexer, s);
    } else {
        s = decimal_tail(p, lexer, s);
        if (s == NULL) {
            return NULL;
        }
        s = *s == '.' ? lex_fraction(p, lexer, s + 1) : lex_exponent(p, lexer, s, &is_float);
    }
    if (s != NULL) {
        lexer_token(p, lexer, TOKEN_NUMBER, start, s);
    }
    return s;
}

/* -- indentation ---------------------------------------------------------- */

/* Wrong indentation of the line at `s`. */
static COLD const char *
indentation_error(Parser *p, Lexer *lexer, ParseErrorKind kind, const char *s, int col,
                  int end_col, const char *message)
{
    lexer->cursor = s;
    return lexer_error_at(p, lexer, (LexerError){.kind = kind, .message = message,
                                                 .lineno = lexer->lineno, .col = col,
                                                 .end_lineno = lexer->lineno,
                                                 .end_col = end_col,
                                                 .newline = true});
}

static COLD const char *
tab_error(Parser *p, Lexer *lexer, const char *s)
{
    return indentation_error(p, lexer, PARSE_ERROR_TAB, s, 1, 0,
                             "inconsistent use of tabs and spaces in indentation");
}

/* Makes INDENT or DEDENTs for a line that starts at `s` with its first token. */
static const char *
lex_indentation(Parser *p, Lexer *lexer, const char *s, int32_t col, int32_t tabbed)
{
    int top = lexer->indent_count;
    if (col == lexer->indents[top]) {
        if (UNLIKELY(tabbed != lexer->tabbed_indents[top])) {
            return tab_error(p, lexer, s);
        }
        return s;
    }
    if (col > lexer->indents[top]) {
        if (top + 1 >= LEXER_MAX_INDENTS) {
            return indentation_error(p, lexer, PARSE_ERROR_INDENTATION, s, 1, 0,
                                     "too many levels of indentation");
        }
        if (tabbed <= lexer->tabbed_indents[top]) {
            return tab_error(p, lexer, s);
        }
        lexer->indent_count = ++top;
        lexer->indents[top] = col;
        lexer->tabbed_indents[top] = tabbed;
        empty_token(p, lexer, TOKEN_INDENT, s, s);
        return s;
    }
    int dedents = 0;
    while (top > 0 && col < lexer->indents[top]) {
        top--;
        dedents++;
    }
    lexer->indent_count = top;
    if (col != lexer->indents[top]) {
        int length = (int)strcspn(lexer->line_start, "\n");
        length += lexer->line_start[length] == '\n';
        return indentation_error(p, lexer, PARSE_ERROR_INDENTATION, s, length, -1,
                                 "unindent does not match any outer indentation level");
    }
    if (tabbed != lexer->tabbed_indents[top]) {
        return tab_error(p, lexer, s);
    }
    while (dedents-- > 0) {
        empty_token(p, lexer, TOKEN_DEDENT, s, s);
    }
    return s;
}

/* -- comments ------------------------------------------------------------- */

/* Behind "# type:" and blanks, or NULL for an ordinary comment. */
static const char *
type_comment_text(const char *s)
{
    s++;
    while (*s == ' ' || *s == '\t') {
        s++;
    }
    if (memcmp(s, "type:", 5) != 0) {
        return NULL;
    }
    s += 5;
    while (*s == ' ' || *s == '\t') {
        s++;
    }
    return s;
}

static void
add_type_ignore(Parser *p, Lexer *lexer, const char *s, const char *end)
{
    AstTypeIgnore *ignore = parser_alloc(p, AST_SIZE(TypeIgnore));
    memset(ignore, 0, AST_SIZE(TypeIgnore));
    ignore->kind = AST_TypeIgnore;
    ignore->TypeIgnore.lineno = lexer->lineno;
    ignore->TypeIgnore.tag =
        parser_own(p, p->hooks->make_str(p->context, s, (size_t)(end - s)));
    if (!vec_push(&p->type_ignores, ignore)) {
        parser_no_memory(p);
    }
}

/* Skips the comment at `s`.  True when it is a type comment, whose token was made. */
static bool
lex_comment(Parser *p, Lexer *lexer, const char **s)
{
    const char *start = *s;
    const char *end = start;
    while (*end != '\n' && *end != '\0') {
        end++;
    }
    *s = end;
    if (LIKELY(!p->type_comments)) {
        return false;
    }
    const char *text = type_comment_text(start);
    if (text == NULL || text > end) {
        return false;
    }
    if (memcmp(text, "ignore", 6) == 0 && !is_class(text[6], NON_ASCII) &&
        (!is_class(text[6], NAME_PART) || text[6] == '_')) {
        if (!p->diagnosing) {
            add_type_ignore(p, lexer, text + 6, end);
        }
        return false;
    }
    lexer_token(p, lexer, TOKEN_TYPE_COMMENT, text, end);
    return true;
}

/* -- operators ------------------------------------------------------------ */

static COLD const char *
bad_closing(Parser *p, Lexer *lexer, const char *s)
{
    lexer->cursor = s + 1;
    if (lexer->level == 0) {
        return lexer_error(p, lexer, s + 1, "unmatched '%c'", *s);
    }
    const Bracket *open = &lexer->brackets[lexer->level - 1];
    if (open->lineno != lexer->lineno) {
        return lexer_error(p, lexer, s + 1,
                           "closing parenthesis '%c' does not match "
                           "opening parenthesis '%c' on line %d",
                           *s, open->open, open->lineno);
    }
    return lexer_error(p, lexer, s + 1,
                       "closing parenthesis '%c' does not match opening parenthesis '%c'",
                       *s, open->open);
}

static inline const char *
lex_open(Parser *p, Lexer *lexer, TokenType type, const char *s)
{
    if (UNLIKELY(lexer->level >= LEXER_MAX_BRACKETS)) {
        lexer->cursor = s + 1;
        return lexer_error(p, lexer, s + 1, "too many nested parentheses");
    }
    lexer->brackets[lexer->level++] =
        (Bracket){*s, lexer->lineno, (int32_t)(s - lexer->line_start)};
    lexer_token(p, lexer, type, s, s + 1);
    return s + 1;
}

static inline const char *
lex_close(Parser *p, Lexer *lexer, TokenType type, const char *s, char open)
{
    if (UNLIKELY(lexer->level == 0 || lexer->brackets[lexer->level - 1].open != open)) {
        return bad_closing(p, lexer, s);
    }
    lexer->level--;
    lexer_token(p, lexer, type, s, s + 1);
    return s + 1;
}

/* A character that starts no token. */
static COLD const char *
lex_unknown(Parser *p, Lexer *lexer, const char *s)
{
    if ((uint8_t)*s < ' ' || *s == 127) {
        lexer->cursor = s + 1;
        return lexer_error(p, lexer, s + 1, "invalid non-printable character U+%04X",
                           (unsigned)(uint8_t)*s);
    }
    lexer_token(p, lexer, TOKEN_UNKNOWN, s, s + 1);
    return s + 1;
}

/* Tokens of one, two or three characters: the longest that fits. */
static const char *
lex_operator(Parser *p, Lexer *lexer, const char *s)
{
    TokenType type;
    int length = 1;
#define ONE(c, name)                                                           \
    case c:                                                                    \
        type = TOKEN_##name;                                                   \
        break;
/* c, c= */
#define ASSIGNED(c, name, assign)                                              \
    case c:                                                                    \
        type = TOKEN_##name;                                                   \
        if (s[1] == '=') {                                                     \
            type = TOKEN_##assign;                                             \
            length = 2;                                                        \
        }                                                                      \
        break;
/* c, c=, cc, cc= */
#define DOUBLED(c, name, assign, twice, twice_assign)                          \
    case c:                                                                    \
        type = TOKEN_##name;                                                   \
        if (s[1] == '=') {                                                     \
            type = TOKEN_##assign;                                             \
            length = 2;                                                        \
        } else if (s[1] == c) {                                                \
            type = TOKEN_##twice;                                              \
            length = 2;                                                        \
            if (s[2] == '=') {                                                 \
                type = TOKEN_##twice_assign;                                   \
                length = 3;                                                    \
            }                                                                  \
        }                                                                      \
        break;
    switch (*s) {
    ONE(',', COMMA)
    ONE(';', SEMI)
    ONE('~', TILDE)
    ASSIGNED(':', COLON, COLONEQUAL)
    ASSIGNED('=', EQUAL, EQEQUAL)
    ASSIGNED('+', PLUS, PLUSEQUAL)
    ASSIGNED('%', PERCENT, PERCENTEQUAL)
    ASSIGNED('@', AT, ATEQUAL)
    ASSIGNED('&', AMPER, AMPEREQUAL)
    ASSIGNED('|', VBAR, VBAREQUAL)
    ASSIGNED('^', CIRCUMFLEX, CIRCUMFLEXEQUAL)
    DOUBLED('*', STAR, STAREQUAL, DOUBLESTAR, DOUBLESTAREQUAL)
    DOUBLED('/', SLASH, SLASHEQUAL, DOUBLESLASH, DOUBLESLASHEQUAL)
    DOUBLED('>', GREATER, GREATEREQUAL, RIGHTSHIFT, RIGHTSHIFTEQUAL)
    DOUBLED('<', LESS, LESSEQUAL, LEFTSHIFT, LEFTSHIFTEQUAL)
    case '-':
        type = TOKEN_MINUS;
        if (s[1] == '=') {
            type = TOKEN_MINEQUAL;
            length = 2;
        } else if (s[1] == '>') {
            type = TOKEN_RARROW;
            length = 2;
        }
        break;
    case '!':
        if (s[1] != '=') {
            return lex_unknown(p, lexer, s);
        }
        type = TOKEN_NOTEQUAL;
        length = 2;
        break;
    case '.':
        type = TOKEN_DOT;
        if (s[1] == '.' && s[2] == '.') {
            type = TOKEN_ELLIPSIS;
            length = 3;
        }
        break;
    default:
        return lex_unknown(p, lexer, s);
    }
#undef ONE
#undef ASSIGNED
#undef DOUBLED
    if (type == TOKEN_LESS && s[1] == '>') {
        /* `<>`: one token, which the parser likes only on the first of April */
        type = TOKEN_NOTEQUAL;
        length = 2;
    }
    lexer_token(p, lexer, type, s, s + length);
    return s + length;
}

/* -- lines ---------------------------------------------------------------- */

static inline void
new_line(Lexer *lexer, const char *s)
{
    lexer->line_start = s;
    lexer->lineno++;
}

/* `s` stands on a "\".  Behind the newline that must follow it, or NULL. */
static const char *
lex_continuation(Parser *p, Lexer *lexer, const char *s)
{
    s++;
    if (*s != '\n') {
        lexer->cursor = s;
        return lexer_error_at(
            p, lexer,
            (LexerError){.message = "unexpected character after line continuation character",
                         .lineno = lexer->lineno,
                         .col = (int)(s - lexer->line_start) + (*s != '\0'),
                         .end_lineno = lexer->lineno,
                         .newline = true});
    }
    s++;
    if (*s == '\0') {
        lexer->cursor = s;
        lexer->state = LEXER_EOF;
        empty_token(p, lexer, TOKEN_ERROR, s, s);
        return NULL;
    }
    new_line(lexer, s);
    return s;
}

/* The end of the text: DEDENTs and ENDMARKER, and a NEWLINE before them in
 * PARSE_SINGLE, with a flag.  Their place is behind the last line. */
static void
lex_end(Parser *p, Lexer *lexer, const char *s)
{
    bool whole_line = s == lexer->line_start;
    bool single = p->options->mode == PARSE_SINGLE && lexer->nested_in == NULL;
    const Token *before = lexer->tokens.items;
    /* no token was made before, but the one of lexer_start() */
    bool nothing = lexer->tokens.count == 1 && before->type == TOKEN_NEWLINE && before->end == 0;
    lexer->cursor = s;
    if (whole_line && s > lexer->text) {
        const char *line = s - 1;
        while (line > lexer->text && line[-1] != '\n') {
            line--;
        }
        lexer->line_start = line;
        lexer->lineno--;
    }
    if (lexer->level > 0) {
        lexer->state = LEXER_EOF;
        empty_token(p, lexer, TOKEN_ERROR, s, s);
        return;
    }
    bool more = (whole_line || lexer->indent_count > 0) && !nothing;
    if (single && !whole_line && !nothing) {
        empty_token(p, lexer, TOKEN_NEWLINE, s, s)->flags = 1;
    }
    if (!single || whole_line || (p->options->flags & PARSE_DONT_IMPLY_DEDENT) == 0) {
        for (; lexer->indent_count > 0; lexer->indent_count--) {
            empty_token(p, lexer, TOKEN_DEDENT, s, s);
        }
    }
    if (single && more) {
        empty_token(p, lexer, TOKEN_NEWLINE, s, s)->flags = 1;
    }
    empty_token(p, lexer, TOKEN_ENDMARKER, s, s);
    lexer->state = LEXER_FINISHED;
}

/* Skips blank lines and comments to the first token of a line and makes its
 * INDENT or DEDENTs.  NULL at the end or after an error. */
static const char *
lex_line_start(Parser *p, Lexer *lexer, const char *s)
{
    for (;;) {
        int32_t col = 0;
        int32_t tabbed = 0;
        int32_t continued = 0;
        int32_t continued_tabbed = 0;
        for (;; s++) {
            if (*s == ' ') {
                col++;
                tabbed++;
            } else if (*s == '\t') {
                col = (col / 8 + 1) * 8;
                tabbed++;
            } else if (*s == '\f') {
                col = tabbed = 0;
            } else if (UNLIKELY(*s == '\\')) {
                if (continued == 0) {
                    continued = col;
                    continued_tabbed = tabbed;
                }
                s = lex_continuation(p, lexer, s);
                if (s == NULL) {
                    return NULL;
                }
                s--;
            } else {
                break;
            }
        }
        if (*s == '#') {
            if (lex_comment(p, lexer, &s)) {
                return s;
            }
            if (*s == '\0') {
                lex_end(p, lexer, s);
                return NULL;
            }
        }
        if (*s == '\n') {
            s++;
            new_line(lexer, s);
            continue;
        }
        if (*s == '\0') {
            if (s > lexer->line_start && lex_indentation(p, lexer, s, col, tabbed) == NULL) {
                return NULL;
            }
            lex_end(p, lexer, s);
            return NULL;
        }
        return lex_indentation(p, lexer, s, continued ? continued : col,
                               continued ? continued_tabbed : tabbed);
    }
}

/* The end of a logical line at `s`; a comment before it belongs to the token. */
static void
lex_newline(Parser *p, Lexer *lexer, const char *comment, const char *s)
{
    empty_token(p, lexer, TOKEN_NEWLINE, comment, s);
    new_line(lexer, s + 1);
    lexer->at_line_start = true;
    lexer->cursor = s + 1;
}

void
lexer_line(Parser *p, Lexer *lexer)
{
    const char *s = lexer->cursor;
    if (lexer->at_line_start && lexer->level == 0) {
        lexer->at_line_start = false;
        s = lex_line_start(p, lexer, s);
        if (UNLIKELY(lexer->async_indent >= 0) && lexer->async_body &&
            lexer->indent_count <= lexer->async_indent) {
            lexer->async_indent = -1;
        }
        lexer->async_body = true;
    }
    while (s != NULL) {
        char c = *s;
        switch (c) {
        case ' ': case '\t': case '\f':
            s++;
            continue;
        case '\n':
            if (lexer->level > 0) {
                s++;
                new_line(lexer, s);
                continue;
            }
            lex_newline(p, lexer, s, s);
            return;
        case '#': {
            const char *comment = s;
            if (!lex_comment(p, lexer, &s) && *s == '\n' && lexer->level == 0) {
                lex_newline(p, lexer, comment, s);
                return;
            }
            continue;
        }
        case '\0':
            lex_end(p, lexer, s);
            return;
        case '\\':
            s = lex_continuation(p, lexer, s);
            continue;
        case 'b': case 'B': case 'f': case 'F': case 'r': case 'R': case 'u': case 'U': {
            const char *quote;
            int flags;
            if (is_string_prefix(s, &quote, &flags)) {
                s = lex_string(p, lexer, s, quote, flags);
            } else {
                s = lex_name(p, lexer, s);
            }
            continue;
        }
        case '"': case '\'':
            s = lex_string(p, lexer, s, s, 0);
            continue;
        case '(':
            s = lex_open(p, lexer, TOKEN_LPAR, s);
            continue;
        case '[':
            s = lex_open(p, lexer, TOKEN_LSQB, s);
            continue;
        case '{':
            s = lex_open(p, lexer, TOKEN_LBRACE, s);
            continue;
        case ')':
            s = lex_close(p, lexer, TOKEN_RPAR, s, '(');
            continue;
        case ']':
            s = lex_close(p, lexer, TOKEN_RSQB, s, '[');
            continue;
        case '}':
            s = lex_close(p, lexer, TOKEN_RBRACE, s, '{');
            continue;
        case '0' ... '9':
            s = lex_number(p, lexer, s);
            continue;
        case '.':
            if (is_digit(s[1])) {
                const char *start = s;
                s = lex_fraction(p, lexer, s + 1);
                if (s != NULL) {
                    lexer_token(p, lexer, TOKEN_NUMBER, start, s);
                }
                continue;
            }
            s = lex_operator(p, lexer, s);
            continue;
        default:
            if (is_class(c, NAME_START)) {
                s = lex_name(p, lexer, s);
            } else {
                s = lex_operator(p, lexer, s);
            }
            continue;
        }
    }
}

void
lexer_init(Lexer *lexer, const char *text)
{
    lexer->text = lexer->cursor = lexer->line_start = text;
    lexer->lineno = lexer->first_lineno = 1;
    lexer->first_col = 0;
    lexer->state = LEXER_RUNNING;
    lexer->at_line_start = true;
    lexer->failed_at = lexer->furthest = 0;
    lexer->diagnosed = NULL;
    lexer->nested_in = NULL;
    lexer->level = 0;
    lexer->indent_count = 0;
    lexer->async_indent = -1;
    lexer->async_body = false;
    lexer->indents[0] = lexer->tabbed_indents[0] = 0;
    lexer->end_lineno = 1;
    lexer->end_col = 0;
    lexer->tokens.count = 0;
}

void
lexer_free(Lexer *lexer)
{
    while (lexer != NULL) {
        Lexer *nested = lexer->nested;
        vec_free(&lexer->tokens);
        free(lexer);
        lexer = nested;
    }
}
