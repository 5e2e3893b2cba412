/* token.h -- what the lexer hands to the parser. */
#ifndef SYNTAX_TOKEN_H
#define SYNTAX_TOKEN_H

#include <stdint.h>

typedef enum TokenType {
#define TOKEN(name, text) TOKEN_##name,
#define OPERATOR(name, text) TOKEN_##name,
#define KEYWORD(name, text) TOKEN_##name,
#include "core/syntax/token.def"
    TOKEN_TYPE_COUNT
} TokenType;

#define TOKEN_FIRST_KEYWORD TOKEN_FALSE

/* Fixed places in the table of names: keywords first, soft names next. */
typedef enum NameIndex {
#define KEYWORD(name, text) NAME_##name,
#include "core/syntax/token.def"
#define SOFT_NAME(name, text) NAME_##name,
#include "core/syntax/token.def"
    NAME_FIXED_COUNT
} NameIndex;

/* Bits of a STRING token's `flags`. */
#define STRING_RAW 1
#define STRING_BYTES 2
#define STRING_FORMATTED 4
#define STRING_UNICODE 8        /* u"..." */
#define STRING_TRIPLE 16

/* One token.  `start` and `end` are offsets into the lexer's text, columns
 * count UTF-8 bytes.  NEWLINE, INDENT and DEDENT carry in end_lineno and
 * end_col the end of the last token before them that has a text, which is
 * where a node that ends here ends. */
typedef struct Token {
    uint8_t type;               /* TokenType */
    uint8_t flags;
    uint16_t level;             /* how many brackets are open behind it */
    uint32_t name;              /* NAME and keywords: index of the name */
    uint32_t start;
    uint32_t end;
    int32_t lineno;
    int32_t col;
    int32_t end_lineno;
    int32_t end_col;
} Token;

/* "(" or "name": how a message shows a kind of token. */
const char *token_text(TokenType type);

#endif
