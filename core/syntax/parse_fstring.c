/* parse_fstring.c -- what stands between the quotes of an f-string.
 *
 * The text is scanned for braces first, without knowing Python.  What is
 * between them is copied into parentheses and parsed with a lexer of its own,
 * whose columns are shifted to where the text stands.  Other nodes have the
 * place of all the joined strings, those of a format spec that of its token.
 */
#include "core/syntax/parser_impl.h"
#include "core/syntax/syntax_error.h"

/* One f-string token being parsed. */
typedef struct FString {
    const Token *token;
    const Token *first;     /* of the implicitly joined strings */
    const char *text;       /* of the token, prefix and quotes included */
    const char *end;        /* of the text between the quotes */
    bool raw;
} FString;

static void parse_pieces(Parser *p, const FString *f, const char **at, size_t base,
                         int level);

/* Pushes the text behind `base` as a Constant, if there is any.  Its place is
 * from `first` to `last`. */
void
fstring_flush(Parser *p, const Token *first, const Token *last, size_t base)
{
    size_t length = p->buffer.count - base;
    if (length == 0) {
        return;
    }
    Value value = parser_own(
        p, p->hooks->make_str(p->context, p->buffer.items + base, length));
    AstExpr *constant = make_constant(p, first, AST_LITERAL_STR, value);
    constant->Constant.kind = literal_kind(p, first);
    constant->end_lineno = last->end_lineno;
    constant->end_col_offset = last->end_col;
    p->buffer.count = base;
    seq_push(p, constant);
}

/* -- literal text --------------------------------------------------------- */

/* Appends literal text from `*at` up to a brace or the end.  True when it
 * ended in a doubled brace, which is taken. */
static bool
parse_text(Parser *p, const FString *f, const char **at, int level)
{
    const char *start = *at;
    const char *s = start;
    const char *stop = NULL;
    bool doubled = false;
    while (s < f->end) {
        char c = *s++;
        if (c == '\\' && !f->raw && s < f->end) {
            c = *s++;
            if (c == 'N') {
                if (s < f->end && *s++ == '{') {
                    while (s < f->end && *s++ != '}') {
                    }
                }
                continue;
            }
            if (c == '{') {
                literal_warn_escape(p, f->token, s - 1);
            }
        }
        if (c != '{' && c != '}') {
            continue;
        }
        if (level == 0) {
            if (s < f->end && *s == c) {
                stop = s++;
                doubled = true;
                break;
            }
            if (c == '}') {
                raise_here(p, PARSE_ERROR_SYNTAX, "f-string: single '}' is not allowed");
            }
        }
        stop = --s;
        break;
    }
    literal_decode(p, f->token, start, stop == NULL ? s : stop, f->raw);
    *at = s;
    return doubled;
}

/* -- expressions ---------------------------------------------------------- */

static char
opening_of(char close)
{
    return close == ')' ? '(' : close == ']' ? '[' : '{';
}

/* The end of the expression that starts at `s`: a "!", ":", "=" or "}". */
static const char *
find_expression_end(Parser *p, const FString *f, const char *s)
{
    char open[LEXER_MAX_BRACKETS];
    int depth = 0;
    char quote = 0;
    bool triple = false;
    for (; s < f->end; s++) {
        char c = *s;
        if (c == '\\') {
            raise_here(p, PARSE_ERROR_SYNTAX,
                       "f-string expression part cannot include a backslash");
        }
        if (quote != 0) {
            if (c == quote && (!triple || (s + 2 < f->end && s[1] == c && s[2] == c))) {
                s += triple ? 2 : 0;
                quote = 0;
            }
            continue;
        }
        switch (c) {
        case '\'': case '"':
            quote = c;
            triple = s + 2 < f->end && s[1] == c && s[2] == c;
            s += triple ? 2 : 0;
            continue;
        case '(': case '[': case '{':
            if (depth >= LEXER_MAX_BRACKETS) {
                raise_here(p, PARSE_ERROR_SYNTAX, "f-string: too many nested parenthesis");
            }
            open[depth++] = c;
            continue;
        case '#':
            raise_here(p, PARSE_ERROR_SYNTAX,
                       "f-string expression part cannot include '#'");
        }
        if (depth == 0 && strchr("!:}=<>", c) != NULL) {
            if (s + 1 < f->end && s[1] == '=' && strchr("!=<>", c) != NULL) {
                s++;
                continue;
            }
            if (c == '<' || c == '>') {
                continue;
            }
            break;
        }
        if (c == ')' || c == ']' || c == '}') {
            if (depth == 0) {
                raise_here(p, PARSE_ERROR_SYNTAX, "f-string: unmatched '%c'", c);
            }
            depth--;
            if (open[depth] != opening_of(c)) {
                raise_here(p, PARSE_ERROR_SYNTAX,
                           "f-string: closing parenthesis '%c' does not match "
                           "opening parenthesis '%c'", c, open[depth]);
            }
        }
    }
    if (quote != 0) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: unterminated string");
    }
    if (depth > 0) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: unmatched '%c'", open[depth - 1]);
    }
    return s;
}

/* Where the "{" before `s` stands, as far as nodes are concerned. */
static Place
expression_place(const FString *f, const char *s)
{
    const char *brace = s - 1;
    Place place = {f->token->lineno, 0};
    const char *line = f->text;
    for (const char *c = f->text; c < brace; c++) {
        if (*c == '\n') {
            place.lineno++;
            line = c + 1;
        }
    }
    while (*s == ' ' || *s == '\t' || *s == '\f') {
        s++;
    }
    if (*s == '\n') {
        place.col = place.lineno == f->token->lineno ? f->token->col : 0;
        return place;
    }
    place.col = (int32_t)(brace - line);
    if (place.lineno == f->token->lineno) {
        place.col += f->token->col;
    }
    return place;
}

static void *
parse_whole(Parser *p)
{
    return parse_star_expressions(p);
}

/* Parses [s, end) as an expression in parentheses. */
static AstExpr *
parse_inner(Parser *p, const FString *f, const char *s, const char *end)
{
    const char *c = s;
    while (c < end && (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\f')) {
        c++;
    }
    if (c == end && *end != '}' && end < f->end) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: expression required before '%c'",
                   *end);
    }
    if (c == end) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: empty expression not allowed");
    }
    size_t length = (size_t)(end - s);
    char *text = parser_alloc(p, length + 2 + SOURCE_PADDING);
    text[0] = '(';
    memcpy(text + 1, s, length);
    text[length + 1] = ')';
    memset(text + length + 2, 0, SOURCE_PADDING);
    return parser_run_nested(p, text, expression_place(f, s), parse_whole);
}

/* '{' expression ['='] ['!' conversion] [':' format_spec] '}' ; `*at` stands on
 * the "{".  Appends the text of `=` to p->buffer, flushes it, pushes the node. */
static void
parse_replacement(Parser *p, const FString *f, const char **at, size_t base, int level)
{
    if (level >= 2) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: expressions nested too deeply");
    }
    const char *start = *at + 1;
    const char *s = find_expression_end(p, f, start);
    if (s >= f->end) {
        goto unfinished;
    }
    AstExpr *value = parse_inner(p, f, start, s);
    int conversion = -1;
    bool with_text = false;
    AstExpr *spec = NULL;
    if (*s == '=') {
        need_version(p, 8, "f-string: self documenting expressions are");
        do {
            s++;
        } while (*s == ' ' || (*s >= '\t' && *s <= '\r'));
        if (s >= f->end) {
            goto unfinished;
        }
        with_text = true;
        literal_append(p, start, (size_t)(s - start));
    }
    if (*s == '!') {
        s++;
        if (s >= f->end) {
            goto unfinished;
        }
        conversion = (uint8_t)*s++;
        if (conversion != 's' && conversion != 'r' && conversion != 'a') {
            raise_here(p, PARSE_ERROR_SYNTAX,
                       "f-string: invalid conversion character: expected 's', 'r', or 'a'");
        }
    }
    if (s >= f->end) {
        goto unfinished;
    }
    Place place = {f->first->lineno, f->first->col};
    fstring_flush(p, f->first, p->tok - 1, base);
    if (*s == ':') {
        s++;
        if (s >= f->end) {
            goto unfinished;
        }
        size_t mark = seq_mark(p);
        size_t inner = p->buffer.count;
        parse_pieces(p, f, &s, inner, level + 1);
        fstring_flush(p, f->token, f->token, inner);
        AstExprs values = SEQ(expr, p, mark);
        spec = NEW(p, expr, JoinedStr, ((Place){f->token->lineno, f->token->col}),
                   .values = values);
        spec->end_lineno = f->token->end_lineno;
        spec->end_col_offset = f->token->end_col;
    }
    if (s >= f->end || *s != '}') {
        goto unfinished;
    }
    *at = s + 1;
    if (with_text && spec == NULL && conversion == -1) {
        conversion = 'r';
    }
    seq_push(p, NEW(p, expr, FormattedValue, place, .value = value,
                    .conversion = conversion, .format_spec = spec));
    return;

unfinished:
    raise_here(p, PARSE_ERROR_SYNTAX, "f-string: expecting '}'");
}

/* Text and replacement fields up to the end, or to a "}" in a format spec. */
static void
parse_pieces(Parser *p, const FString *f, const char **at, size_t base, int level)
{
    for (;;) {
        if (parse_text(p, f, at, level)) {
            continue;
        }
        if (*at >= f->end || **at == '}') {
            break;
        }
        parse_replacement(p, f, at, base, level);
    }
    if (level > 0 && *at >= f->end) {
        raise_here(p, PARSE_ERROR_SYNTAX, "f-string: expecting '}'");
    }
}

void
fstring_parse(Parser *p, const Token *token, const Token *first, size_t base,
              const char *s, const char *end, bool raw)
{
    need_version(p, 6, "Format strings are");
    FString f = {token, first, p->lexer->text + token->start, end, raw};
    enter(p);
    parse_pieces(p, &f, &s, base, 0);
    leave(p);
}
