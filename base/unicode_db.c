/* unicode_db.c -- what Unicode 14 says about a code point; see unicode_db.h.
 *
 * libunistring has no names of unified ideographs, no control characters' aliases and
 * no numeric values of ideographs: the tables for these are here.
 */
#include "base/unicode_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicase.h>
#include <uniname.h>
#include <unictype.h>

UnicodePageRef unicode_pages[0x1100];

const char *const unicode_category_names[] = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp",
    "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So",
};

/* Ideographs that are numbers, and numbers above 32 bits. */
static const struct {
    uint32_t c;
    int64_t value;
} ideograph_numbers[] = {
    {0x3405, 5}, {0x3483, 2}, {0x382a, 5}, {0x3b4d, 7}, {0x4e00, 1}, {0x4e03, 7},
    {0x4e07, 10000}, {0x4e09, 3}, {0x4e5d, 9}, {0x4e8c, 2}, {0x4e94, 5}, {0x4e96, 4},
    {0x4ebf, 100000000}, {0x4ec0, 10}, {0x4edf, 1000}, {0x4ee8, 3}, {0x4f0d, 5}, {0x4f70, 100},
    {0x5104, 100000000}, {0x5146, 1000000000000}, {0x5169, 2}, {0x516b, 8}, {0x516d, 6},
    {0x5341, 10}, {0x5343, 1000}, {0x5344, 20}, {0x5345, 30}, {0x534c, 40}, {0x53c1, 3},
    {0x53c2, 3}, {0x53c3, 3}, {0x53c4, 3}, {0x56db, 4}, {0x58f1, 1}, {0x58f9, 1}, {0x5e7a, 1},
    {0x5efe, 9}, {0x5eff, 20}, {0x5f0c, 1}, {0x5f0d, 2}, {0x5f0e, 3}, {0x5f10, 2},
    {0x62fe, 10}, {0x634c, 8}, {0x67d2, 7}, {0x6f06, 7}, {0x7396, 9}, {0x767e, 100},
    {0x8086, 4}, {0x842c, 10000}, {0x8cae, 2}, {0x8cb3, 2}, {0x8d30, 2}, {0x9621, 1000},
    {0x9646, 6}, {0x964c, 100}, {0x9678, 6}, {0x96f6, 0}, {0xf96b, 3}, {0xf973, 10},
    {0xf978, 2}, {0xf9b2, 0}, {0xf9d1, 6}, {0xf9d3, 6}, {0xf9fd, 10},
    {0x16b60, 10000000000}, {0x16b61, 1000000000000}, {0x20001, 7},
    {0x20064, 4}, {0x200e2, 4}, {0x20121, 5}, {0x2092a, 1}, {0x20983, 30}, {0x2098c, 40},
    {0x2099c, 40}, {0x20aea, 6}, {0x20afd, 3}, {0x20b19, 3}, {0x22390, 2}, {0x22998, 3},
    {0x23b1b, 3}, {0x2626d, 4}, {0x2f890, 9}, 
};

static bool
ideograph_number(uint32_t c, double *value)
{
    size_t low = 0, high = ARRAY_LEN(ideograph_numbers);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ideograph_numbers[mid].c == c) {
            *value = (double)ideograph_numbers[mid].value;
            return true;
        }
        if (ideograph_numbers[mid].c < c) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return false;
}

static uint8_t
category_of(uint32_t c)
{
    const char *name = uc_general_category_name(uc_general_category(c));
    for (size_t i = 0; i < ARRAY_LEN(unicode_category_names); i++) {
        if (name != NULL && strcmp(name, unicode_category_names[i]) == 0) {
            return (uint8_t)i;
        }
    }
    return CATEGORY_Cn;
}

typedef uint32_t *(*MapFn)(const uint32_t *, size_t, const char *, uninorm_t, uint32_t *,
                           size_t *);

/* Maps one character by a string function of libunistring. */
static int
map_char(MapFn fn, uint32_t c, uint32_t out[3])
{
    uint32_t buffer[8];
    size_t n = ARRAY_LEN(buffer);
    uint32_t *got = fn(&c, 1, NULL, NULL, buffer, &n);
    if (got == NULL || n == 0 || n > 3) {
        out[0] = c;
        n = 1;
    } else {
        memcpy(out, got, n * sizeof *out);
    }
    if (got != buffer) {
        free(got);
    }
    return (int)n;
}

static uint32_t
flags_of(uint32_t c, const UnicodeFacts *f)
{
    uint32_t flags = 0;
    switch (f->category) {
    case CATEGORY_Lt:
        flags |= UNICODE_TITLE; /* fall through */
    case CATEGORY_Lu: case CATEGORY_Ll: case CATEGORY_Lm: case CATEGORY_Lo:
        flags |= UNICODE_ALPHA;
        break;
    default:
        break;
    }
    switch (f->category) {
    case CATEGORY_Cc: case CATEGORY_Cf: case CATEGORY_Cs: case CATEGORY_Co: case CATEGORY_Cn:
    case CATEGORY_Zl: case CATEGORY_Zp: case CATEGORY_Zs:
        break;
    default:
        flags |= UNICODE_PRINTABLE;
    }
    if (c == ' ') {
        flags |= UNICODE_PRINTABLE;
    }
    if (f->decimal >= 0) {
        flags |= UNICODE_DECIMAL;
    }
    if (f->digit >= 0) {
        flags |= UNICODE_DIGIT;
    }
    double number;
    if (unicode_numeric(c, &number)) {
        flags |= UNICODE_NUMERIC;
    }
    if (uc_is_property_lowercase(c)) {
        flags |= UNICODE_LOWER;
    }
    if (uc_is_property_uppercase(c)) {
        flags |= UNICODE_UPPER;
    }
    if (f->category == CATEGORY_Zs || (c >= 9 && c <= 13) || (c >= 28 && c <= 31) || c == 0x85 ||
        c == 0x2028 || c == 0x2029) {
        flags |= UNICODE_SPACE;
    }
    if ((c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 ||
        c == 0x2029) {
        flags |= UNICODE_LINE_BREAK;
    }
    if (uc_is_property_xid_start(c)) {
        flags |= UNICODE_XID_START;
    }
    if (uc_is_property_xid_continue(c)) {
        flags |= UNICODE_XID_CONTINUE;
    }
    if (uc_is_property_cased(c)) {
        flags |= UNICODE_CASED;
    }
    if (uc_is_property_case_ignorable(c)) {
        flags |= UNICODE_CASE_IGNORABLE;
    }
    uint32_t out[3];
    if (c >= 0x80 && (c < 0xd800 || c > 0xdfff)) {
        if (map_char(u32_toupper, c, out) > 1 || map_char(u32_tolower, c, out) > 1 ||
            map_char(u32_totitle, c, out) > 1) {
            flags |= UNICODE_SPECIAL_CASE;
        }
        if (map_char(u32_casefold, c, out) > 1 || out[0] != f->lower) {
            flags |= UNICODE_FOLDS;
        }
    }
    return flags;
}

static void
facts_make(uint32_t c, UnicodeFacts *f)
{
    f->category = category_of(c);
    f->combining = (uint8_t)uc_combining_class(c);
    f->lower = uc_tolower(c);
    f->upper = uc_toupper(c);
    f->title = uc_totitle(c);
    f->decimal = (int8_t)uc_decimal_value(c);
    f->digit = (int8_t)uc_digit_value(c);
    f->flags = flags_of(c, f);
}

const UnicodePage *
unicode_page_make(uint32_t page)
{
    UnicodePage *made = malloc(sizeof *made);
    if (made == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    for (uint32_t i = 0; i < 256; i++) {
        facts_make(page << 8 | i, &made->facts[i]);
    }
    UnicodePage *other = NULL;
    /* release: pairs with the acquire in unicode_facts() */
    if (!cas_acq_rel(&unicode_pages[page], &other, made)) {
        free(made);
        return other;
    }
    return made;
}

int
unicode_to_lower(uint32_t c, uint32_t out[3])
{
    const UnicodeFacts *f = unicode_facts(c);
    if (UNLIKELY(f->flags & UNICODE_SPECIAL_CASE)) {
        return map_char(u32_tolower, c, out);
    }
    out[0] = f->lower;
    return 1;
}

int
unicode_to_upper(uint32_t c, uint32_t out[3])
{
    const UnicodeFacts *f = unicode_facts(c);
    if (UNLIKELY(f->flags & UNICODE_SPECIAL_CASE)) {
        return map_char(u32_toupper, c, out);
    }
    out[0] = f->upper;
    return 1;
}

int
unicode_to_title(uint32_t c, uint32_t out[3])
{
    const UnicodeFacts *f = unicode_facts(c);
    if (UNLIKELY(f->flags & UNICODE_SPECIAL_CASE)) {
        return map_char(u32_totitle, c, out);
    }
    out[0] = f->title;
    return 1;
}

int
unicode_fold(uint32_t c, uint32_t out[3])
{
    const UnicodeFacts *f = unicode_facts(c);
    if (UNLIKELY(f->flags & UNICODE_FOLDS)) {
        return map_char(u32_casefold, c, out);
    }
    out[0] = f->lower;
    return 1;
}

bool
unicode_numeric(uint32_t c, double *value)
{
    if (ideograph_number(c, value)) {
        return true;
    }
    uc_fraction_t f = uc_numeric_value(c);
    if (f.denominator == 0) {
        return false;
    }
    *value = (double)f.numerator / (double)f.denominator;
    return true;
}

/* -- names -- */

/* Ideographs whose name is a prefix and their number. */
static const struct {
    uint32_t first, last;
    const char *prefix;
} numbered[] = {
    {0x3400, 0x4dbf, "CJK UNIFIED IDEOGRAPH-"},   {0x4e00, 0x9fff, "CJK UNIFIED IDEOGRAPH-"},
    {0x20000, 0x2a6df, "CJK UNIFIED IDEOGRAPH-"}, {0x2a700, 0x2b738, "CJK UNIFIED IDEOGRAPH-"},
    {0x2b740, 0x2b81d, "CJK UNIFIED IDEOGRAPH-"}, {0x2b820, 0x2cea1, "CJK UNIFIED IDEOGRAPH-"},
    {0x2ceb0, 0x2ebe0, "CJK UNIFIED IDEOGRAPH-"}, {0x30000, 0x3134a, "CJK UNIFIED IDEOGRAPH-"},
};

/* Aliases that libunistring lacks: control characters and abbreviations. */
static const struct {
    const char *name;
    uint32_t c;
} aliases[] = {
    {"NULL", 0x0},
    {"NUL", 0x0},
    {"START OF HEADING", 0x1},
    {"SOH", 0x1},
    {"START OF TEXT", 0x2},
    {"STX", 0x2},
    {"END OF TEXT", 0x3},
    {"ETX", 0x3},
    {"END OF TRANSMISSION", 0x4},
    {"EOT", 0x4},
    {"ENQUIRY", 0x5},
    {"ENQ", 0x5},
    {"ACKNOWLEDGE", 0x6},
    {"ACK", 0x6},
    {"ALERT", 0x7},
    {"BEL", 0x7},
    {"BACKSPACE", 0x8},
    {"BS", 0x8},
    {"CHARACTER TABULATION", 0x9},
    {"HORIZONTAL TABULATION", 0x9},
    {"HT", 0x9},
    {"TAB", 0x9},
    {"LINE FEED", 0xa},
    {"NEW LINE", 0xa},
    {"END OF LINE", 0xa},
    {"LF", 0xa},
    {"NL", 0xa},
    {"EOL", 0xa},
    {"LINE TABULATION", 0xb},
    {"VERTICAL TABULATION", 0xb},
    {"VT", 0xb},
    {"FORM FEED", 0xc},
    {"FF", 0xc},
    {"CARRIAGE RETURN", 0xd},
    {"CR", 0xd},
    {"SHIFT OUT", 0xe},
    {"LOCKING-SHIFT ONE", 0xe},
    {"SO", 0xe},
    {"SHIFT IN", 0xf},
    {"LOCKING-SHIFT ZERO", 0xf},
    {"SI", 0xf},
    {"DATA LINK ESCAPE", 0x10},
    {"DLE", 0x10},
    {"DEVICE CONTROL ONE", 0x11},
    {"DC1", 0x11},
    {"DEVICE CONTROL TWO", 0x12},
    {"DC2", 0x12},
    {"DEVICE CONTROL THREE", 0x13},
    {"DC3", 0x13},
    {"DEVICE CONTROL FOUR", 0x14},
    {"DC4", 0x14},
    {"NEGATIVE ACKNOWLEDGE", 0x15},
    {"NAK", 0x15},
    {"SYNCHRONOUS IDLE", 0x16},
    {"SYN", 0x16},
    {"END OF TRANSMISSION BLOCK", 0x17},
    {"ETB", 0x17},
    {"CANCEL", 0x18},
    {"CAN", 0x18},
    {"END OF MEDIUM", 0x19},
    {"EOM", 0x19},
    {"SUBSTITUTE", 0x1a},
    {"SUB", 0x1a},
    {"ESCAPE", 0x1b},
    {"ESC", 0x1b},
    {"INFORMATION SEPARATOR FOUR", 0x1c},
    {"FILE SEPARATOR", 0x1c},
    {"FS", 0x1c},
    {"INFORMATION SEPARATOR THREE", 0x1d},
    {"GROUP SEPARATOR", 0x1d},
    {"GS", 0x1d},
    {"INFORMATION SEPARATOR TWO", 0x1e},
    {"RECORD SEPARATOR", 0x1e},
    {"RS", 0x1e},
    {"INFORMATION SEPARATOR ONE", 0x1f},
    {"UNIT SEPARATOR", 0x1f},
    {"US", 0x1f},
    {"SP", 0x20},
    {"DELETE", 0x7f},
    {"DEL", 0x7f},
    {"PADDING CHARACTER", 0x80},
    {"PAD", 0x80},
    {"HIGH OCTET PRESET", 0x81},
    {"HOP", 0x81},
    {"BREAK PERMITTED HERE", 0x82},
    {"BPH", 0x82},
    {"NO BREAK HERE", 0x83},
    {"NBH", 0x83},
    {"INDEX", 0x84},
    {"IND", 0x84},
    {"NEXT LINE", 0x85},
    {"NEL", 0x85},
    {"START OF SELECTED AREA", 0x86},
    {"SSA", 0x86},
    {"END OF SELECTED AREA", 0x87},
    {"ESA", 0x87},
    {"CHARACTER TABULATION SET", 0x88},
    {"HORIZONTAL TABULATION SET", 0x88},
    {"HTS", 0x88},
    {"CHARACTER TABULATION WITH JUSTIFICATION", 0x89},
    {"HORIZONTAL TABULATION WITH JUSTIFICATION", 0x89},
    {"HTJ", 0x89},
    {"LINE TABULATION SET", 0x8a},
    {"VERTICAL TABULATION SET", 0x8a},
    {"VTS", 0x8a},
    {"PARTIAL LINE FORWARD", 0x8b},
    {"PARTIAL LINE DOWN", 0x8b},
    {"PLD", 0x8b},
    {"PARTIAL LINE BACKWARD", 0x8c},
    {"PARTIAL LINE UP", 0x8c},
    {"PLU", 0x8c},
    {"REVERSE LINE FEED", 0x8d},
    {"REVERSE INDEX", 0x8d},
    {"RI", 0x8d},
    {"SINGLE SHIFT TWO", 0x8e},
    {"SINGLE-SHIFT-2", 0x8e},
    {"SS2", 0x8e},
    {"SINGLE SHIFT THREE", 0x8f},
    {"SINGLE-SHIFT-3", 0x8f},
    {"SS3", 0x8f},
    {"DEVICE CONTROL STRING", 0x90},
    {"DCS", 0x90},
    {"PRIVATE USE ONE", 0x91},
    {"PRIVATE USE-1", 0x91},
    {"PU1", 0x91},
    {"PRIVATE USE TWO", 0x92},
    {"PRIVATE USE-2", 0x92},
    {"PU2", 0x92},
    {"SET TRANSMIT STATE", 0x93},
    {"STS", 0x93},
    {"CANCEL CHARACTER", 0x94},
    {"CCH", 0x94},
    {"MESSAGE WAITING", 0x95},
    {"MW", 0x95},
    {"START OF GUARDED AREA", 0x96},
    {"START OF PROTECTED AREA", 0x96},
    {"SPA", 0x96},
    {"END OF GUARDED AREA", 0x97},
    {"END OF PROTECTED AREA", 0x97},
    {"EPA", 0x97},
    {"START OF STRING", 0x98},
    {"SOS", 0x98},
    {"SINGLE GRAPHIC CHARACTER INTRODUCER", 0x99},
    {"SGC", 0x99},
    {"SINGLE CHARACTER INTRODUCER", 0x9a},
    {"SCI", 0x9a},
    {"CONTROL SEQUENCE INTRODUCER", 0x9b},
    {"CSI", 0x9b},
    {"STRING TERMINATOR", 0x9c},
    {"ST", 0x9c},
    {"OPERATING SYSTEM COMMAND", 0x9d},
    {"OSC", 0x9d},
    {"PRIVACY MESSAGE", 0x9e},
    {"PM", 0x9e},
    {"APPLICATION PROGRAM COMMAND", 0x9f},
    {"APC", 0x9f},
    {"NBSP", 0xa0},
    {"SHY", 0xad},
    {"CGJ", 0x34f},
    {"ALM", 0x61c},
    {"ZWSP", 0x200b},
    {"ZWNJ", 0x200c},
    {"ZWJ", 0x200d},
    {"LRM", 0x200e},
    {"RLM", 0x200f},
    {"LRE", 0x202a},
    {"RLE", 0x202b},
    {"PDF", 0x202c},
    {"LRO", 0x202d},
    {"RLO", 0x202e},
    {"NNBSP", 0x202f},
    {"MMSP", 0x205f},
    {"WJ", 0x2060},
    {"LRI", 0x2066},
    {"RLI", 0x2067},
    {"FSI", 0x2068},
    {"PDI", 0x2069},
    {"BOM", 0xfeff},
    {"ZWNBSP", 0xfeff},
    {"BYTE ORDER MARK", 0xfeff},
    {"FVS1", 0x180b},
    {"FVS2", 0x180c},
    {"FVS3", 0x180d},
    {"FVS4", 0x180f},
    {"MVS", 0x180e},
};

/* Hangul syllables are named by their jamo (Unicode, section 3.12). */
#define HANGUL_FIRST 0xac00u
#define HANGUL_LAST 0xd7a3u
static const char *const jamo_lead[19] = {"G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S",
                                          "SS", "", "J", "JJ", "C", "K", "T", "P", "H"};
static const char *const jamo_vowel[21] = {"A", "AE", "YA", "YAE", "EO", "E", "YEO",
                                           "YE", "O", "WA", "WAE", "OE", "YO", "U",
                                           "WEO", "WE", "WI", "YU", "EU", "YI", "I"};
static const char *const jamo_tail[28] = {"", "G", "GG", "GS", "N", "NJ", "NH",
                                          "D", "L", "LG", "LM", "LB", "LS", "LT",
                                          "LP", "LH", "M", "B", "BS", "S", "SS",
                                          "NG", "J", "C", "K", "T", "P", "H"};
static const char hangul_prefix[] = "HANGUL SYLLABLE ";

static void
hangul_name(uint32_t c, char *name)
{
    uint32_t i = c - HANGUL_FIRST;
    snprintf(name, UNICODE_NAME_MAX, "%s%s%s%s", hangul_prefix, jamo_lead[i / (21 * 28)],
             jamo_vowel[i / 28 % 21], jamo_tail[i % 28]);
}

/* The longest entry that begins `text`, -1 if none does. */
static int
longest_jamo(const char *const *table, int count, const char *text)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < count; i++) {
        size_t n = strlen(table[i]);
        if (strncmp(text, table[i], n) == 0 && (best < 0 || n > best_length)) {
            best = i;
            best_length = n;
        }
    }
    return best;
}

static bool
hangul_by_name(const char *text, uint32_t *c)
{
    int lead = longest_jamo(jamo_lead, 19, text);
    text += strlen(jamo_lead[lead]);
    int vowel = longest_jamo(jamo_vowel, 21, text);
    if (vowel < 0) {
        return false;
    }
    text += strlen(jamo_vowel[vowel]);
    int tail = longest_jamo(jamo_tail, 28, text);
    if (text[strlen(jamo_tail[tail])] != 0) {
        return false;
    }
    *c = HANGUL_FIRST + (uint32_t)((lead * 21 + vowel) * 28 + tail);
    return true;
}

bool
unicode_name(uint32_t c, char *name)
{
    if (c >= HANGUL_FIRST && c <= HANGUL_LAST) {
        hangul_name(c, name);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
        if (c >= numbered[i].first && c <= numbered[i].last) {
            snprintf(name, UNICODE_NAME_MAX, "%s%X", numbered[i].prefix, (unsigned)c);
            return true;
        }
    }
    return unicode_character_name(c, name) != NULL;
}

/* A name that ends in a number the way ideographs' names do. */
static bool
numbered_by_name(const char *name, uint32_t *c)
{
    for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
        size_t n = strlen(numbered[i].prefix);
        if (strncmp(name, numbered[i].prefix, n) != 0) {
            continue;
        }
        const char *digits = name + n;
        size_t length = strlen(digits);
        if (length < 4 || length > 5 || strspn(digits, "0123456789ABCDEF") != length) {
            return false;
        }
        uint32_t code = (uint32_t)strtoul(digits, NULL, 16);
        if (code >= numbered[i].first && code <= numbered[i].last) {
            *c = code;
            return true;
        }
    }
    return false;
}

bool
unicode_by_name(const char *name, size_t length, uint32_t *c)
{
    char upper[UNICODE_NAME_MAX], exact[UNICODE_NAME_MAX];
    if (length == 0 || length >= sizeof upper) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char b = name[i];
        if (b == 0 || b == '_' || (b & 0x80) != 0) {
            return false;
        }
        exact[i] = b;
        upper[i] = (char)(b >= 'a' && b <= 'z' ? b - 32 : b);
    }
    upper[length] = exact[length] = 0;
    /* Names that are computed are known in upper case only. */
    if (strncmp(exact, hangul_prefix, sizeof hangul_prefix - 1) == 0) {
        return hangul_by_name(exact + sizeof hangul_prefix - 1, c);
    }
    if (numbered_by_name(exact, c)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcmp(aliases[i].name, upper) == 0) {
            *c = aliases[i].c;
            return true;
        }
    }
    unsigned number, used = 0;
    if (sscanf(upper, "VS%3u%n", &number, (int *)&used) == 1 && used == length &&
        upper[2] != '0' && number >= 1 && number <= 256) {
        *c = number <= 16 ? 0xfe00 + number - 1 : 0xe0100 + number - 17;
        return true;
    }
    if (strncmp(upper, hangul_prefix, sizeof hangul_prefix - 1) == 0) {
        return false;
    }
    ucs4_t found = unicode_name_character(upper);
    if (found == UNINAME_INVALID) {
        return false;
    }
    *c = found;
    return true;
}

bool
unicode_by_own_name(const char *name, size_t length, uint32_t *c)
{
    char own[UNICODE_NAME_MAX];
    return unicode_by_name(name, length, c) && unicode_name(*c, own) && strlen(own) == length &&
           strncasecmp(own, name, length) == 0;
}
