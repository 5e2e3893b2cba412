/* text_init.c -- the start of objects/text: static strs and bytes, the intern table. */
#include "objects/text/text_priv.h"

bool
text_init(Thread *th)
{
    if (str_empty != NULL) {
        return true; /* one set for the process */
    }
    text_latin1_init();
    bytes_static_init();
    if (!intern_init()) {
        raise_memory(th);
        return false;
    }
    for (int c = 0; c < 256; c++) {
        if (str_intern(th, str_latin1((uint8_t)c)) == NULL) {
            return false;
        }
    }
    return true;
}
