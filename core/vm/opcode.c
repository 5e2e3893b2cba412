/* opcode.c -- names, sizes and relations of opcodes, from opcodes.def and special.def. */
#include "core/vm/opcode.h"

#include "base/assert.h"

static const char *const op_names[] = {
#define OP(name, words, ...) #name,
#include "core/vm/opcodes.def"
#undef OP
#define SPECIAL(name, generic, family) #name,
#include "core/vm/special.def"
#undef SPECIAL
};

static const uint8_t base_words[] = {
#define OP(name, words, ...) words,
#include "core/vm/opcodes.def"
#undef OP
};

const OpFacts op_facts[OP_BASE_COUNT] = {
#define OP(name, words, a, b, c, rest, text) {{a, b, c}, rest},
#include "core/vm/opcodes.def"
#undef OP
};

static const uint8_t special_generic[] = {
#define SPECIAL(name, generic, family) OP_##generic,
#include "core/vm/special.def"
#undef SPECIAL
};

uint8_t
opcode_generic(uint8_t op)
{
    if (op < OP_BASE_COUNT || op >= OP_COUNT)
        return op;
    return special_generic[op - OP_BASE_COUNT];
}

int
opcode_words(uint8_t op)
{
    op = opcode_generic(op);
    return op < OP_BASE_COUNT ? base_words[op] : 0;
}

const char *
opcode_name(uint8_t op)
{
    return op < OP_COUNT ? op_names[op] : "UNKNOWN";
}

bool
opcode_has_cache(uint8_t op)
{
    switch (opcode_generic(op)) {
    case OP_LOAD_GLOBAL:
    case OP_LOAD_NAME:
    case OP_STORE_GLOBAL:
    case OP_STORE_NAME:
    case OP_LOAD_ATTR:
    case OP_STORE_ATTR:
    case OP_LOAD_METHOD:
    case OP_GET_ITEM:
    case OP_CALL:
    case OP_CALL_METHOD:
    case OP_WITH_PREPARE:
        return true;
    default:
        return false;
    }
}
