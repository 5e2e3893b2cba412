/* sre.h -- what the files of module _sre share: patterns, the match state, the engine. */
#ifndef MODULES_SRE_H
#define MODULES_SRE_H

#include "core/run/run.h"
#include "modules/modules.h"

enum {
    SRE_FAILURE, SRE_SUCCESS, SRE_ANY, SRE_ANY_ALL, SRE_ASSERT, SRE_ASSERT_NOT, SRE_AT, SRE_BRANCH,
    SRE_CATEGORY, SRE_CHARSET, SRE_BIGCHARSET, SRE_GROUPREF, SRE_GROUPREF_EXISTS, SRE_IN, SRE_INFO,
    SRE_JUMP, SRE_LITERAL, SRE_MARK, SRE_MAX_UNTIL, SRE_MIN_UNTIL, SRE_NOT_LITERAL, SRE_NEGATE,
    SRE_RANGE, SRE_REPEAT, SRE_REPEAT_ONE, SRE_SUBPATTERN, SRE_MIN_REPEAT_ONE, SRE_ATOMIC_GROUP,
    SRE_POSSESSIVE_REPEAT, SRE_POSSESSIVE_REPEAT_ONE, SRE_GROUPREF_IGNORE, SRE_IN_IGNORE,
    SRE_LITERAL_IGNORE, SRE_NOT_LITERAL_IGNORE, SRE_GROUPREF_LOC_IGNORE, SRE_IN_LOC_IGNORE,
    SRE_LITERAL_LOC_IGNORE, SRE_NOT_LITERAL_LOC_IGNORE, SRE_GROUPREF_UNI_IGNORE, SRE_IN_UNI_IGNORE,
    SRE_LITERAL_UNI_IGNORE, SRE_NOT_LITERAL_UNI_IGNORE, SRE_RANGE_UNI_IGNORE, SRE_OP_COUNT
};
enum { SRE_FLAG_IGNORECASE = 2, SRE_FLAG_LOCALE = 4, SRE_FLAG_UNICODE = 32 };
#define SRE_MAXREPEAT 4294967295u
#define SRE_MAXGROUPS 1073741823
#define SRE_FEW_GROUPS 8

typedef struct Pattern {
    struct Object head;
    Value pattern;           /* [const] str, bytes or None */
    Value group_index;       /* [const] mapping of names to numbers */
    Value index_group;       /* [const] tuple of names by number */
    uint32_t flags;          /* [const] */
    uint32_t groups;         /* [const] */
    int is_bytes;            /* [const] 1, 0, or -1: any */
    uint32_t code_count;     /* [const] words */
    uint32_t *code;          /* [const] owned */
} Pattern;

/* The text being matched. */
typedef struct Subject {
    Value string;            /* borrowed */
    Buffer buffer;           /* of bytes-like strings */
    bool buffered, bytes;
    const void *data;
    int width;
    int64_t length;
} Subject;

typedef struct SreRepeat {
    const uint32_t *pc;      /* the REPEAT instruction */
    int64_t count;
    int64_t last;            /* where the last round began, -1: none */
    struct SreRepeat *outer;
} SreRepeat;

typedef struct SreEntry {
    uint32_t kind;
    uint32_t index;
    const uint32_t *pc;
    int64_t at, extra;
    SreRepeat *repeat;
} SreEntry;

/* One search; lives on the C stack, buffers are freed by sre_end(). */
typedef struct SreState {
    Thread *th;
    const void *data;
    int width;
    int64_t begin, start, end; /* begin: where the string begins for anchors; end: where it ends */
    int64_t at;                /* where the match ended */
    int64_t *marks;            /* 2 * groups, -1: unset */
    uint32_t mark_count;
    int32_t last_index;
    SreEntry *stack;
    size_t stack_count, stack_capacity;
    struct SreChunk *chunks;   /* of repeat contexts */
    size_t chunk_used;
    bool match_all;            /* fullmatch */
    int64_t must_advance;      /* position an empty match must not end at, -1 */
    bool failed;               /* an exception is set */
    uint32_t steps;
    int64_t few_marks[2 * SRE_FEW_GROUPS]; /* where `marks` points as long as that is enough */
} SreState;

bool sre_begin(SreState *s, Thread *th, const Pattern *p, const Subject *subject, int64_t start, int64_t end);
void sre_end(SreState *s);
/* 1: matched (s->start .. s->at), 0: not, -1: exception. */
int sre_match(SreState *s, const Pattern *p, int64_t at);
int sre_search(SreState *s, const Pattern *p, int64_t from);
/* Whether the code can be run without looking before each step. */
bool sre_code_valid(const uint32_t *code, size_t n, uint32_t groups);

uint32_t sre_lower_ascii(uint32_t c);
uint32_t sre_lower_unicode(uint32_t c);
uint32_t sre_upper_unicode(uint32_t c);

#endif
