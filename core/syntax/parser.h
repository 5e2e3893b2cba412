/* parser.h -- source text in, syntax tree out.
 *
 * parse() is the only entry.  What it needs from the object layer stands in
 * a table of functions, ParserHooks, so that core/syntax links with base/
 * alone; an error comes back as a plain ParseError.
 *
 *     ParseOptions options = {.hooks = &hooks, .context = th,
 *                             .mode = PARSE_EXEC, .filename = "x.py"};
 *     Ast ast;
 *     ParseError error;
 *     if (!parse(&options, bytes, length, &ast, &error)) {
 *         raise_syntax_error(&error);
 *         parse_error_free(&error);
 *     } else {
 *         compile(ast.root); ast_free(&ast);
 *     }
 */
#ifndef SYNTAX_PARSER_H
#define SYNTAX_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/value.h"
#include "core/syntax/ast.h"

typedef enum ParseMode {
    PARSE_EXEC,             /* Module */
    PARSE_EVAL,             /* Expression */
    PARSE_SINGLE,           /* Interactive */
    PARSE_FUNC_TYPE         /* FunctionType */
} ParseMode;

/* Bits of ParseOptions.flags; the values are those of compile()'s flags. */
#define PARSE_SOURCE_IS_UTF8 0x0100         /* ignore an encoding cookie */
#define PARSE_DONT_IMPLY_DEDENT 0x0200
#define PARSE_BARRY_AS_BDFL 0x400000        /* `<>` instead of `!=` */
#define PARSE_TYPE_COMMENTS 0x1000
#define PARSE_ALLOW_INCOMPLETE_INPUT 0x4000

typedef enum ParseWarning {
    PARSE_WARNING_DEPRECATION,
    PARSE_WARNING_SYNTAX
} ParseWarning;

/* Every function gets ParseOptions.context first.  One that returns a Value
 * returns a new reference, or NULL with an exception set by its own means;
 * parse() then fails with PARSE_ERROR_RAISED.  When make_int() failed, the
 * error has the number's place and line, for the caller who makes a SyntaxError
 * of "too many digits".
 *
 * Text is UTF-8 and not zero-terminated.  In make_str() it may hold lone
 * surrogates in the three-byte form ("\ud800" in source text). */
typedef struct ParserHooks {
    /* `digits` in `base` (2, 8, 10 or 16), without prefix or underscores */
    Value (*make_int)(void *context, const char *digits, size_t length, int base);
    Value (*make_float)(void *context, double value);
    Value (*make_complex)(void *context, double imag);
    Value (*make_str)(void *context, const char *text, size_t length);
    Value (*make_bytes)(void *context, const char *bytes, size_t length);
    Value (*intern_name)(void *context, const char *name, size_t length);
    /* None, True, False and Ellipsis by AstLiteral */
    Value (*singleton)(void *context, AstLiteral literal);
    void (*release)(void *context, Value value);

    /* Decodes `bytes` by the named codec (other than UTF-8, Latin-1 and ASCII).
     * Stores UTF-8 text from malloc() and returns PARSE_DECODED; or returns
     * PARSE_DECODE_UNKNOWN: no such codec; or PARSE_DECODE_REFUSED and stores
     * what str() says of the codec's error, which becomes a SyntaxError; or
     * PARSE_DECODE_FAILED with an exception set.  May be NULL. */
    int (*decode)(void *context, const char *encoding, const char *bytes,
                  size_t length, char **text, size_t *text_length);

    /* Warns: "invalid escape sequence '\d'" (category DeprecationWarning) or
     * "invalid decimal literal" (SyntaxWarning).  Returns 0 when it was warned,
     * 1 when the filters make an error of it (no exception is set then: parse()
     * fails with `message` as a SyntaxError), -1 when another exception is set.
     * May be NULL. */
    int (*warn)(void *context, ParseWarning category, const char *message, int lineno);
} ParserHooks;

#define PARSE_DECODED 0
#define PARSE_DECODE_UNKNOWN 1
#define PARSE_DECODE_REFUSED 2
#define PARSE_DECODE_FAILED (-1)

typedef struct ParseOptions {
    const ParserHooks *hooks;
    void *context;          /* first argument of every hook; usually a Thread */
    ParseMode mode;
    uint32_t flags;         /* PARSE_... */
    int feature_version;    /* refuse what is newer than Python 3.N; 0: nothing */
    const char *filename;   /* only for messages; may be NULL */
    bool from_file;         /* the bytes were read as a script, not by compile():
                             * other messages about encodings */

    /* The lowest address the C stack may reach; NULL: 256 KiB below the
     * caller's frame.  Source text that nests deeper is an error. */
    const char *stack_limit;
} ParseOptions;

typedef enum ParseErrorKind {
    PARSE_ERROR_SYNTAX,
    PARSE_ERROR_INDENTATION,
    PARSE_ERROR_TAB,
    PARSE_ERROR_VALUE,      /* ValueError: null bytes in the source text */
    PARSE_ERROR_MEMORY,     /* MemoryError: none left, or nested too deeply */
    PARSE_ERROR_RAISED      /* a hook has set an exception; no message */
} ParseErrorKind;

typedef struct ParseError {
    ParseErrorKind kind;
    char *message;          /* UTF-8 */
    int lineno;             /* 0: no place is known, or the text is empty */
    int col;                /* `offset`: characters from 1; may be 0 or -1 */
    int end_lineno;         /* 0: None */
    int end_col;            /* may be 0 or -1; None when end_lineno is 0 */
    char *text;             /* the line, often with its newline; NULL: None */
} ParseError;

/* Parses `length` bytes at `source`.  On success `out` holds the tree, to be
 * given to ast_free(); on failure `err` holds the error, to be given to
 * parse_error_free(), and `out` is empty. */
RAISES bool parse(const ParseOptions *options, const char *source, size_t length,
                  Ast *out, ParseError *err);

void parse_error_free(ParseError *err);

#endif
