/* code_priv.h -- what code.c, code_type.c, code_verify.c and code_flow.c share. */
#ifndef CORE_VM_CODE_PRIV_H
#define CORE_VM_CODE_PRIV_H

#include "core/vm/code.h"

/* Walks the runs of the position table: start with a zeroed CodeRun. */
typedef struct CodeRun {
    uint32_t next_byte; /* + 1; 0 at the start */
    int32_t line;
    uint32_t start, words;
    Position position;
} CodeRun;
bool code_next_run(const Code *c, CodeRun *run);

/* Compresses positions, without columns if `lines_only`: malloc'ed, NULL without memory. */
uint8_t *code_encode_positions(const Position *p, uint32_t count, int32_t first_line,
                               bool lines_only, uint32_t *size);

/* Letters of op_facts (opcode.h). */
static inline bool
fact_is_wide(char letter)
{
    return letter == 'N' || letter == 'K' || letter == 'J' || letter == 'Z';
}

static inline bool
facts_have(const char *facts, char letter)
{
    while (*facts != '\0' && *facts != letter)
        facts++;
    return *facts == letter;
}

/* Renames the registers from `locals` on, by `by`, in instructions and a live map. */
void code_move_registers(Instr *instrs, uint32_t count, uint16_t *live, uint32_t live_count,
                         uint32_t locals, int32_t by);

/* -- code_verify.c, code_flow.c -- */
/* The word behind the instruction at `at`, 0 if it has none. */
uint64_t code_extra_word(const CodeInit *in, uint32_t at);
/* How many registers the UNPACK or UNPACK_EX at `at` writes. */
uint64_t code_unpack_count(const CodeInit *in, uint32_t at);
/* Whether the instruction expects an exception that is being raised, as only a handler finds it. */
bool code_starts_handler(uint8_t op);
/* Follows what registers hold; the rest of the check was done. `starts`: words that begin one. */
bool code_flow(const CodeInit *in, const uint8_t *starts, CodeFault *fault);

void code_visit(Object *o, VisitFn visit, void *arg);
void code_dealloc(Thread *th, Object *o);

#endif
