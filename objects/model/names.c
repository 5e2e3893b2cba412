/* names.c -- the interned names of names.def.
 *
 * Filled once, while the process starts, by one thread; constant afterwards.
 */
#include "objects/model/names.h"

#include "objects/model/type_priv.h"
#include "objects/text/str.h"

Names names;

bool
names_fill(Thread *th)
{
    static const struct {
        Value *where;
        const char *text;
    } table[] = {
#define N(x) {&names.x, #x},
#define NX(field, text) {&names.field, text},
#include "objects/model/names.def"
#undef NX
#undef N
    };
    if (names.end_ != NULL)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        Value s = str_intern_immortal(th, table[i].text);
        if (s == NULL)
            return false;
        *table[i].where = s;
    }
    names.end_ = str_empty;
    return true;
}
