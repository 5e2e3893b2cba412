/* disasm.h -- bytecode as text on stderr. */
#ifndef CORE_VM_DISASM_H
#define CORE_VM_DISASM_H

#include "core/vm/code.h"

/* Whether the environment asks for dumps (WEFT_DUMP_CODE). */
bool disasm_wanted(void);
/* Prints the code and the code objects among its constants. */
void disasm_code(const Code *c);

#endif
