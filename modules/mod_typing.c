/* mod_typing.c -- module _typing: what module typing wants as a C function.  Stateless. */
#include "modules/modules.h"
#include "objects/model/native.h"

static Value
typing_idfunc(Thread *th, Value self, Value x)
{
    (void)self;
    return retain(th, x);
}

static const MethodDef typing_methods[] = {
    NATIVE_1("_idfunc", typing_idfunc, "_idfunc($module, x, /)\n--\n\nReturns its argument."),
    NATIVE_END,
};

const ModuleSpec typing_module = {
    .name = "_typing",
    .doc = "Accelerators for the typing module.\n",
    .methods = typing_methods,
};
