/* modules.c -- the table of native modules. */
#include "modules/modules.h"

const ModuleSpec *const native_modules[] = {
#define MODULE(symbol) &symbol##_module,
#include "modules/modules.def"
#undef MODULE
    NULL,
};
