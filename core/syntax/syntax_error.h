/* syntax_error.h -- saying what is wrong with a text. */
#ifndef SYNTAX_SYNTAX_ERROR_H
#define SYNTAX_SYNTAX_ERROR_H

#include "core/syntax/parser_impl.h"

/* -- diagnose.c, diagnose_call.c ------------------------------------------ */

/* Rules with something better to say than "invalid syntax".  Each is tried
 * once at a token, in the second pass only. */
typedef enum Diagnosis {
    DIAGNOSE_EXPRESSION,
    DIAGNOSE_NAMED_EXPRESSION,
    DIAGNOSE_FOR_TARGET,
    DIAGNOSE_PARENTHESES,
    DIAGNOSE_BRACKETS,
    DIAGNOSE_BRACES,
    DIAGNOSE_PAIRS,
    DIAGNOSE_ARGUMENTS,
    DIAGNOSE_PARAMS,
    DIAGNOSE_LAMBDA_PARAMS,
    DIAGNOSE_ASSIGNMENT,
    DIAGNOSE_DEL,
    DIAGNOSE_WITH_ITEM,
    DIAGNOSE_EXCEPT,
    DIAGNOSE_AS_PATTERN,
    DIAGNOSE_CLASS_PATTERN
} Diagnosis;

COLD void diagnose(Parser *p, Diagnosis rule);
#define DIAGNOSE(p, rule)                                                      \
    do {                                                                       \
        if (UNLIKELY((p)->diagnosing)) {                                       \
            diagnose(p, DIAGNOSE_##rule);                                      \
        }                                                                      \
    } while (0)

void diagnose_arguments(Parser *p);
void diagnose_params(Parser *p, bool lambda);

/* -- syntax_error.c ------------------------------------------------------- */

/* All of these leave with an error, except the last group.  Columns are
 * bytes from 0. */
PRINTF_LIKE(7, 8) NORETURN COLD void
raise_at(Parser *p, ParseErrorKind kind, int lineno, int col, int end_lineno, int end_col,
         const char *format, ...);
PRINTF_LIKE(5, 6) NORETURN COLD void
raise_range(Parser *p, Place start, int end_lineno, int end_col, const char *format, ...);
PRINTF_LIKE(3, 4) NORETURN COLD void
raise_at_token(Parser *p, const Token *token, const char *format, ...);
PRINTF_LIKE(3, 4) NORETURN COLD void
raise_at_node(Parser *p, const void *node, const char *format, ...);
/* At the last token that was looked at. */
PRINTF_LIKE(3, 4) NORETURN COLD void
raise_here(Parser *p, ParseErrorKind kind, const char *format, ...);
PRINTF_LIKE(3, 4) NORETURN COLD void
raise_starting_from(Parser *p, Place start, const char *format, ...);
PRINTF_LIKE(4, 5) NORETURN COLD void
raise_starting_from_to(Parser *p, Place start, const Token *last, const char *format, ...);
NORETURN COLD void raise_lexer_error(Parser *p);
NORETURN COLD void raise_multiple_statements(Parser *p);
/* The first pass stopped at the end of the text. */
NORETURN COLD void raise_incomplete(Parser *p);
/* The first pass stopped, and no rule had anything to say. */
NORETURN COLD void raise_generic(Parser *p);

/* Notes that a token was looked at. */
void error_look(Parser *p, const Token *token);
/* Fills p->err with the place of a token. */
COLD void error_fill_token(Parser *p, ParseErrorKind kind, const Token *token);

#endif
