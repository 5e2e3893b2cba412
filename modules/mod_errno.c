/* mod_errno.c -- module errno: the system's error numbers by name.
 *
 * Of several names for one number the one listed last stands in errorcode.
 */
#include <errno.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/text/str.h"

#define E(name) {#name, name},
static const struct {
    const char *name;
    int number;
} errors[] = {
    E(EWOULDBLOCK)
    E(EDEADLK)
    E(EOPNOTSUPP)
    E(E2BIG)
    E(EACCES)
    E(EADDRINUSE)
    E(EADDRNOTAVAIL)
    E(EADV)
    E(EAFNOSUPPORT)
    E(EAGAIN)
    E(EALREADY)
    E(EBADE)
    E(EBADF)
    E(EBADFD)
    E(EBADMSG)
    E(EBADR)
    E(EBADRQC)
    E(EBADSLT)
    E(EBFONT)
    E(EBUSY)
    E(ECANCELED)
    E(ECHILD)
    E(ECHRNG)
    E(ECOMM)
    E(ECONNABORTED)
    E(ECONNREFUSED)
    E(ECONNRESET)
    E(EDEADLOCK)
    E(EDESTADDRREQ)
    E(EDOM)
    E(EDOTDOT)
    E(EDQUOT)
    E(EEXIST)
    E(EFAULT)
    E(EFBIG)
    E(EHOSTDOWN)
    E(EHOSTUNREACH)
    E(EIDRM)
    E(EILSEQ)
    E(EINPROGRESS)
    E(EINTR)
    E(EINVAL)
    E(EIO)
    E(EISCONN)
    E(EISDIR)
    E(EISNAM)
    E(EKEYEXPIRED)
    E(EKEYREJECTED)
    E(EKEYREVOKED)
    E(EL2HLT)
    E(EL2NSYNC)
    E(EL3HLT)
    E(EL3RST)
    E(ELIBACC)
    E(ELIBBAD)
    E(ELIBEXEC)
    E(ELIBMAX)
    E(ELIBSCN)
    E(ELNRNG)
    E(ELOOP)
    E(EMEDIUMTYPE)
    E(EMFILE)
    E(EMLINK)
    E(EMSGSIZE)
    E(EMULTIHOP)
    E(ENAMETOOLONG)
    E(ENAVAIL)
    E(ENETDOWN)
    E(ENETRESET)
    E(ENETUNREACH)
    E(ENFILE)
    E(ENOANO)
    E(ENOBUFS)
    E(ENOCSI)
    E(ENODATA)
    E(ENODEV)
    E(ENOENT)
    E(ENOEXEC)
    E(ENOKEY)
    E(ENOLCK)
    E(ENOLINK)
    E(ENOMEDIUM)
    E(ENOMEM)
    E(ENOMSG)
    E(ENONET)
    E(ENOPKG)
    E(ENOPROTOOPT)
    E(ENOSPC)
    E(ENOSR)
    E(ENOSTR)
    E(ENOSYS)
    E(ENOTBLK)
    E(ENOTCONN)
    E(ENOTDIR)
    E(ENOTEMPTY)
    E(ENOTNAM)
    E(ENOTRECOVERABLE)
    E(ENOTSOCK)
    E(ENOTSUP)
    E(ENOTTY)
    E(ENOTUNIQ)
    E(ENXIO)
    E(EOVERFLOW)
    E(EOWNERDEAD)
    E(EPERM)
    E(EPFNOSUPPORT)
    E(EPIPE)
    E(EPROTO)
    E(EPROTONOSUPPORT)
    E(EPROTOTYPE)
    E(ERANGE)
    E(EREMCHG)
    E(EREMOTE)
    E(EREMOTEIO)
    E(ERESTART)
    E(ERFKILL)
    E(EROFS)
    E(ESHUTDOWN)
    E(ESOCKTNOSUPPORT)
    E(ESPIPE)
    E(ESRCH)
    E(ESRMNT)
    E(ESTALE)
    E(ESTRPIPE)
    E(ETIME)
    E(ETIMEDOUT)
    E(ETOOMANYREFS)
    E(ETXTBSY)
    E(EUCLEAN)
    E(EUNATCH)
    E(EUSERS)
    E(EXDEV)
    E(EXFULL)
};
#undef E

static bool
errno_exec(Thread *th, Value module)
{
    Value codes = dict_new(th);
    if (codes == NULL || !module_add(th, module, "errorcode", retain(th, codes)))
        goto fail;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        Value name = str_intern_c(th, errors[i].name);
        if (name == NULL ||
            !dict_set_steal(th, codes, value_from_fixnum(errors[i].number), name) ||
            !module_add_int(th, module, errors[i].name, errors[i].number))
            goto fail;
    }
    drop(th, codes);
    return true;
fail:
    drop_null(th, codes);
    return false;
}

const ModuleSpec errno_module = {
    .name = "errno",
    .doc = "This module makes available standard errno system symbols.\n\n"
           "The value of each symbol is the corresponding integer value,\n"
           "e.g., on most systems, errno.ENOENT equals the integer 2.\n\n"
           "The dictionary errno.errorcode maps numeric codes to symbol names.",
    .exec = errno_exec,
};
