/* disasm.c -- bytecode as text, for whoever works on the machine: WEFT_DUMP_CODE=1. */
#include "core/vm/disasm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm/opcode.h"
#include "objects/container/container.h"
#include "objects/text/str.h"

bool
disasm_wanted(void)
{
    const char *s = getenv("WEFT_DUMP_CODE");
    return s != NULL && *s != '\0' && *s != '0';
}

static void
print_name(const Code *c, unsigned r)
{
    char text[40];
    if (r < c->temp_base) {
        str_to_buffer(tuple_item(c->var_names, r), text, sizeof text);
        fprintf(stderr, "%s", text);
    } else {
        fprintf(stderr, "t%u", r - c->temp_base);
    }
}

void
disasm_code(const Code *c)
{
    char text[80];
    str_to_buffer(c->qualname, text, sizeof text);
    fprintf(stderr, "code %s: %u words, %u registers, %u variables\n", text, c->instr_count,
            c->register_count, c->temp_base);
    for (uint32_t i = 0; i < c->instr_count;) {
        const Instr *in = &c->instrs[i];
        uint8_t op = instr_op(in);
        int words = opcode_words(op);
        fprintf(stderr, "%5u %4d  %-20s %s%s%s%s%s s%u  a=%u(", i, code_line(c, i), opcode_name(op),
                in->flags & A_DEAD ? "a" : "-", in->flags & B_DEAD ? "b" : "-",
                in->flags & C_DEAD ? "c" : "-", in->flags & A_LIVE ? "L" : "-",
                in->flags & FLAG_X ? "X" : "-", SUB(in->flags), in->a);
        print_name(c, in->a);
        fprintf(stderr, ") b=%u(", in->b);
        print_name(c, in->b);
        fprintf(stderr, ") c=%u(", in->c);
        print_name(c, in->c);
        fprintf(stderr, ")");
        if (words) {
            uint64_t w;
            memcpy(&w, in + 1, sizeof w);
            fprintf(stderr, " word=%" PRIx64, w);
        }
        uint32_t set = c->live_index[i];
        fprintf(stderr, "  live={");
        for (uint32_t k = c->live_start[set]; k < c->live_start[set + 1]; k++)
            fprintf(stderr, "%st%u", k > c->live_start[set] ? " " : "",
                    c->live_registers[k] - c->temp_base);
        fprintf(stderr, "}\n");
        i += 1 + (uint32_t)words;
    }
    for (uint32_t i = 0; i < c->exception_count; i++)
        fprintf(stderr, "  handler %u..%u -> %u\n", c->exceptions[i].start, c->exceptions[i].end,
                c->exceptions[i].target);
    for (int64_t i = 0; i < tuple_length(c->const_tuple); i++) {
        if (is_exact(tuple_item(c->const_tuple, i), SHAPE_CODE))
            disasm_code(as_code(tuple_item(c->const_tuple, i)));
    }
}
