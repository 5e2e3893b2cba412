/* plain_hooks.c -- ParserHooks without an object layer, for tests. */
#include "plain_hooks.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

long plain_live;
bool plain_print_warnings;

typedef struct Text {
    size_t length;
    size_t room;
    char *bytes;
} Text;

static void
put(Text *t, const char *bytes, size_t length)
{
    if (length == 0) {
        return;
    }
    if (t->length + length + 1 > t->room) {
        t->room = 2 * (t->length + length) + 32;
        t->bytes = realloc(t->bytes, t->room);
        if (t->bytes == NULL) {
            abort();
        }
    }
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

static Value
done(Text t)
{
    plain_live++;
    return value_of(t.bytes);
}

static Value
plain_text(const char *text)
{
    Text t = {0, 0, NULL};
    put(&t, text, strlen(text));
    return done(t);
}

static Value
make_int(void *context, const char *digits, size_t length, int base)
{
    (void)context;
    /* billions, least first */
    size_t room = length / 2 + 4;
    uint32_t *parts = calloc(room, sizeof(*parts));
    size_t count = 1;
    for (size_t i = 0; i < length; i++) {
        char c = digits[i];
        uint64_t carry = c <= '9' ? (uint64_t)(c - '0') : (uint64_t)((c | 32) - 'a' + 10);
        for (size_t k = 0; k < count; k++) {
            carry += (uint64_t)parts[k] * (uint64_t)base;
            parts[k] = (uint32_t)(carry % 1000000000);
            carry /= 1000000000;
        }
        if (carry != 0) {
            parts[count++] = (uint32_t)carry;
        }
    }
    Text t = {0, 0, NULL};
    char part[16];
    for (size_t k = count; k-- > 0;) {
        snprintf(part, sizeof(part), k == count - 1 ? "%u" : "%09u", parts[k]);
        put(&t, part, strlen(part));
    }
    free(parts);
    return done(t);
}

static Value
make_double(const char *kind, double value)
{
    uint64_t bits;
    char text[48];
    memcpy(&bits, &value, sizeof(bits));
    snprintf(text, sizeof(text), "%s:%016llx", kind, (unsigned long long)bits);
    return plain_text(text);
}

static Value
make_float(void *context, double value)
{
    (void)context;
    return make_double("float", value);
}

static Value
make_complex(void *context, double value)
{
    (void)context;
    return make_double("complex", value);
}

static void
put_code(Text *t, unsigned c, char quote)
{
    char text[16];
    if (c == '\n') {
        strcpy(text, "\\n");
    } else if (c == '\r') {
        strcpy(text, "\\r");
    } else if (c == '\t') {
        strcpy(text, "\\t");
    } else if (c == '\\' || c == (unsigned)quote) {
        snprintf(text, sizeof(text), "\\%c", (char)c);
    } else if (c >= 32 && c < 127) {
        snprintf(text, sizeof(text), "%c", (char)c);
    } else if (c < 256) {
        snprintf(text, sizeof(text), "\\x%02x", c);
    } else if (c < 65536) {
        snprintf(text, sizeof(text), "\\u%04x", c);
    } else {
        snprintf(text, sizeof(text), "\\U%08x", c);
    }
    put(t, text, strlen(text));
}

static char
choose_quote(const char *text, size_t length)
{
    bool single = length > 0 && memchr(text, '\'', length) != NULL;
    bool twice = length > 0 && memchr(text, '"', length) != NULL;
    return single && !twice ? '"' : '\'';
}

static Value
make_str(void *context, const char *text, size_t length)
{
    (void)context;
    Text t = {0, 0, NULL};
    char quote = choose_quote(text, length);
    put(&t, &quote, 1);
    for (size_t i = 0; i < length;) {
        unsigned c = (uint8_t)text[i];
        int more = c < 0x80 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
        c &= more == 0 ? 0x7F : more == 1 ? 0x1F : more == 2 ? 0x0F : 0x07;
        for (i++; more > 0; more--, i++) {
            c = c << 6 | ((uint8_t)text[i] & 0x3F);
        }
        put_code(&t, c, quote);
    }
    put(&t, &quote, 1);
    return done(t);
}

static Value
make_bytes(void *context, const char *bytes, size_t length)
{
    (void)context;
    Text t = {0, 0, NULL};
    char quote = choose_quote(bytes, length);
    put(&t, "b", 1);
    put(&t, &quote, 1);
    for (size_t i = 0; i < length; i++) {
        put_code(&t, (uint8_t)bytes[i], quote);
    }
    put(&t, &quote, 1);
    return done(t);
}

static Value
singleton(void *context, AstLiteral literal)
{
    (void)context;
    switch (literal) {
    case AST_LITERAL_TRUE: return plain_text("True");
    case AST_LITERAL_FALSE: return plain_text("False");
    case AST_LITERAL_ELLIPSIS: return plain_text("Ellipsis");
    default: return plain_text("None");
    }
}

static void
release(void *context, Value value)
{
    (void)context;
    plain_live--;
    free(value);
}

static int
warn(void *context, ParseWarning category, const char *message, int lineno)
{
    (void)context;
    (void)category;
    if (plain_print_warnings) {
        printf("warning %d: %s\n", lineno, message);
    }
    return 0;
}

static int
decode(void *context, const char *encoding, const char *bytes, size_t length,
       char **text, size_t *text_length)
{
    (void)context;
    iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == (iconv_t)-1) {
        return PARSE_DECODE_UNKNOWN;
    }
    char *out = *text = malloc(4 * length + 4);
    char *in = (char *)(uintptr_t)bytes;
    size_t room = 4 * length;
    size_t rest = length;
    size_t result = iconv(converter, &in, &rest, &out, &room);
    iconv_close(converter);
    if (result == (size_t)-1) {
        strcpy(*text, "cannot be decoded");
        return PARSE_DECODE_REFUSED;
    }
    *text_length = (size_t)(out - *text);
    return PARSE_DECODED;
}

void
plain_show(FILE *file, Value value, void *context)
{
    (void)context;
    fputs((const char *)value, file);
}

const ParserHooks plain_hooks = {
    .make_int = make_int,
    .make_float = make_float,
    .make_complex = make_complex,
    .make_str = make_str,
    .make_bytes = make_bytes,
    .intern_name = make_str,
    .singleton = singleton,
    .release = release,
    .decode = decode,
    .warn = warn,
};
