/* mod_hash.c -- modules _md5, _sha1, _sha256, _sha512 and _sha3: message digests by OpenSSL's libcrypto.
 *
 * One type serves all; the digest's state is under a lock of its own, because a long update runs
 * offline and two threads may feed one object.
 *
 * The library is loaded with the first of these modules: that takes a tenth of the time in which a short script starts.
 */
#include "core/run/run.h"
#include "modules/fork_mutex.h"
#include "modules/modules.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define CRYPTO_FUNCTIONS(X)                                                                        \
    X(EVP_get_digestbyname) X(EVP_MD_get_size) X(EVP_MD_CTX_new) X(EVP_MD_CTX_free) X(EVP_MD_CTX_copy_ex) \
    X(EVP_DigestInit_ex) X(EVP_DigestUpdate) X(EVP_DigestFinal_ex) X(EVP_DigestFinalXOF)

/* The functions of libcrypto, filled in before an interpreter has the type of hashes. */
static struct Crypto {
#define X(function) __typeof__(&function) function;
    CRYPTO_FUNCTIONS(X)
#undef X
} crypto;                        /* [crypto_lock] while it is filled */
static bool crypto_loaded;       /* [crypto_lock] */
static ForkMutex crypto_lock;

#define STRING(x) #x
#define LIBRARY(version) "libcrypto.so." STRING(version)

RAISES static bool
crypto_load(Thread *th)
{
    char missing[64] = "";
    (void)fork_mutex_lock(th, &crypto_lock);
    if (!crypto_loaded) {
        struct Crypto found;
        void *library = dlopen(LIBRARY(OPENSSL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
        bool ok = library != NULL;
        if (!ok)
            snprintf(missing, sizeof missing, "%s", LIBRARY(OPENSSL_VERSION_MAJOR));
#define X(function)                                                                                \
    if (ok) {                                                                                      \
        void *address = dlsym(library, #function);                                                 \
        memcpy(&found.function, &address, sizeof address);                                         \
        if (address == NULL) {                                                                     \
            snprintf(missing, sizeof missing, "%s", #function);                                    \
            ok = false;                                                                            \
        }                                                                                          \
    }
        CRYPTO_FUNCTIONS(X)
#undef X
        if (ok)
            crypto = found;
        crypto_loaded = ok;
    }
    fork_mutex_unlock(&crypto_lock);
    if (missing[0])
        raise_error(th, &exc_ImportError, "OpenSSL cannot be loaded: %s is missing", missing);
    return missing[0] == 0;
}

typedef struct Hash {
    struct Object head;
    ForkMutex lock;              /* the context */
    EVP_MD_CTX *context;     /* [lock] */
    const char *name;        /* [const] as hashlib spells it */
    int digest_size, block_size; /* [const] digest_size 0: the length is asked for (shake) */
} Hash;

typedef struct HashKind {
    const char *name;        /* hashlib's */
    const char *openssl;
    int block_size;
} HashKind;

static const HashKind kinds[] = {
    {"md5", "MD5", 64},           {"sha1", "SHA1", 64},         {"sha224", "SHA224", 64},
    {"sha256", "SHA256", 64},     {"sha384", "SHA384", 128},    {"sha512", "SHA512", 128},
    {"sha3_224", "SHA3-224", 144}, {"sha3_256", "SHA3-256", 136}, {"sha3_384", "SHA3-384", 104},
    {"sha3_512", "SHA3-512", 72}, {"shake_128", "SHAKE128", 168}, {"shake_256", "SHAKE256", 136},
};

enum { MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SHA3_224, SHA3_256, SHA3_384, SHA3_512, SHAKE_128, SHAKE_256 };

static Type *
hash_type(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_HASH]); /* pairs with native_publish() */
}

static Hash *
as_hash(Value v)
{
    return (Hash *)(void *)v;
}

static Value
no_openssl(Thread *th)
{
    return raise_value_error(th, "the digest is not available from OpenSSL");
}

static bool
feed(Thread *th, Hash *h, Value data)
{
    if (is_str(data)) {
        raise_type_error(th, "Strings must be encoded before hashing");
        return false;
    }
    Buffer b;
    if (!has_buffer(data)) {
        raise_type_error(th, "object supporting the buffer API required");
        return false;
    }
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return false;
    if (b.ndim > 1) {
        buffer_release(th, &b);
        raise_error(th, &exc_BufferError, "Buffer must be single dimension");
        return false;
    }
    (void)fork_mutex_lock(th, &h->lock);
    int ok;
    if (b.length > 65536) {
        blocking_begin(th);
        ok = crypto.EVP_DigestUpdate(h->context, b.data, (size_t)b.length);
        blocking_end(th);
    } else
        ok = crypto.EVP_DigestUpdate(h->context, b.data, (size_t)b.length);
    fork_mutex_unlock(&h->lock);
    buffer_release(th, &b);
    if (!ok)
        no_openssl(th);
    return ok;
}

static Value
hash_new(Thread *th, int kind, Value data)
{
    const EVP_MD *md = crypto.EVP_get_digestbyname(kinds[kind].openssl);
    Value v = md ? type_alloc(th, hash_type(th), 0) : no_openssl(th);
    if (v == NULL)
        return NULL;
    Hash *h = as_hash(v);
    h->name = kinds[kind].name;
    h->block_size = kinds[kind].block_size;
    h->digest_size = kind >= SHAKE_128 ? 0 : crypto.EVP_MD_get_size(md);
    h->context = crypto.EVP_MD_CTX_new();
    if (h->context == NULL)
        raise_memory(th);
    else if (!crypto.EVP_DigestInit_ex(h->context, md, NULL))
        no_openssl(th);
    else if (data == NULL || feed(th, h, data))
        return v;
    drop(th, v);
    return NULL;
}

static void
hash_dealloc(Thread *th, Object *o)
{
    (void)th;
    crypto.EVP_MD_CTX_free(((Hash *)o)->context);
}

static Value
hash_update(Thread *th, Value self, Value data)
{
    return feed(th, as_hash(self), data) ? NONE : NULL;
}

static Value
hash_copy(Thread *th, Value self)
{
    Hash *h = as_hash(self);
    Value v = type_alloc(th, hash_type(th), 0);
    if (v == NULL)
        return NULL;
    Hash *c = as_hash(v);
    c->name = h->name;
    c->block_size = h->block_size;
    c->digest_size = h->digest_size;
    c->context = crypto.EVP_MD_CTX_new();
    (void)fork_mutex_lock(th, &h->lock);
    bool ok = c->context && crypto.EVP_MD_CTX_copy_ex(c->context, h->context);
    fork_mutex_unlock(&h->lock);
    if (!ok) {
        drop(th, v);
        return raise_memory(th);
    }
    return v;
}

/* The digest so far, as bytes. */
static Value
finish(Thread *th, Value self, int64_t length)
{
    Hash *h = as_hash(self);
    Value b = bytes_new(th, (size_t)length);
    EVP_MD_CTX *copy = b ? crypto.EVP_MD_CTX_new() : NULL;
    if (copy == NULL) {
        drop_null(th, b);
        return b ? raise_memory(th) : NULL;
    }
    (void)fork_mutex_lock(th, &h->lock);
    bool ok = crypto.EVP_MD_CTX_copy_ex(copy, h->context);
    fork_mutex_unlock(&h->lock);
    unsigned n;
    if (h->digest_size)
        ok = ok && crypto.EVP_DigestFinal_ex(copy, as_bytes(b)->data, &n);
    else if (length)
        ok = ok && crypto.EVP_DigestFinalXOF(copy, as_bytes(b)->data, (size_t)length);
    crypto.EVP_MD_CTX_free(copy);
    if (!ok) {
        drop(th, b);
        return no_openssl(th);
    }
    return b;
}

static bool
length_arg(Thread *th, Value self, const char *name, const Arg *a, size_t n, Value kwnames, int64_t *length)
{
    ParamSpec params = {.name = name, .names = {"length"}, .positional = 1, .required = 1};
    Value v[1];
    *length = as_hash(self)->digest_size;
    if (*length)
        return args_count(th, name, n, 0, 0) && args_no_keywords(th, name, kwnames);
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[0], length))
        return false;
    if (*length < 0 || *length >= 1 << 29) {
        raise_value_error(th, *length < 0 ? "value must be positive" : "length is too large");
        return false;
    }
    return true;
}

static Value
hash_digest(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t length;
    return length_arg(th, self, "digest", a, n, kwnames, &length) ? finish(th, self, length) : NULL;
}

static Value
hash_hexdigest(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    int64_t length;
    if (!length_arg(th, self, "hexdigest", a, n, kwnames, &length))
        return NULL;
    Value b = finish(th, self, length);
    Value s = b ? call_method_0(th, b, str_intern_immortal(th, "hex")) : NULL;
    drop_null(th, b);
    return s;
}

static Value
hash_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return str_from_c(th, as_hash(self)->name);
}

static Value
hash_digest_size(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return value_from_fixnum(as_hash(self)->digest_size);
}

static Value
hash_block_size(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return value_from_fixnum(as_hash(self)->block_size);
}

static const MethodDef hash_methods[] = {
    NATIVE_1("update", hash_update, "update($self, obj, /)\n--\n\nUpdate this hash object's state with the provided string."),
    NATIVE_0("copy", hash_copy, "copy($self, /)\n--\n\nReturn a copy of the hash object."),
    NATIVE_K("digest", hash_digest, "Return the digest value as a bytes object."),
    NATIVE_K("hexdigest", hash_hexdigest, "Return the digest value as a string of hexadecimal digits."),
    NATIVE_END,
};

static const GetterDef hash_getters[] = {
    {"name", hash_name, NULL, NULL, NULL},
    {"digest_size", hash_digest_size, NULL, NULL, NULL},
    {"block_size", hash_block_size, NULL, NULL, NULL},
    {.name = NULL},
};

static const TypeSpec hash_spec = {
    .name = "_hash.digest", .size = sizeof(Hash), .flags = TYPE_DISALLOW_NEW, .methods = hash_methods,
    .getters = hash_getters, .dealloc = hash_dealloc,
};

static Value
make(Thread *th, int kind, const Arg *a, size_t n, Value kwnames)
{
    ParamSpec params = {.name = kinds[kind].name, .names = {"string", "usedforsecurity"}, .positional = 1};
    Value v[2];
    return args_bind(th, &params, a, n, kwnames, v) ? hash_new(th, kind, v[0]) : NULL;
}

#define MAKER(function, kind)                                                                      \
    static Value function(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)           \
    {                                                                                              \
        (void)self;                                                                                \
        return make(th, kind, a, n, kwnames);                                                      \
    }
MAKER(make_md5, MD5)
MAKER(make_sha1, SHA1)
MAKER(make_sha224, SHA224)
MAKER(make_sha256, SHA256)
MAKER(make_sha384, SHA384)
MAKER(make_sha512, SHA512)
MAKER(make_sha3_224, SHA3_224)
MAKER(make_sha3_256, SHA3_256)
MAKER(make_sha3_384, SHA3_384)
MAKER(make_sha3_512, SHA3_512)
MAKER(make_shake_128, SHAKE_128)
MAKER(make_shake_256, SHAKE_256)

#define M(name, function) NATIVE_K(name, function, name "(string=b'', *, usedforsecurity=True)\n\nReturn a new hash object.")
static const MethodDef md5_methods[] = {M("md5", make_md5), NATIVE_END};
static const MethodDef sha1_methods[] = {M("sha1", make_sha1), NATIVE_END};
static const MethodDef sha256_methods[] = {M("sha224", make_sha224), M("sha256", make_sha256), NATIVE_END};
static const MethodDef sha512_methods[] = {M("sha384", make_sha384), M("sha512", make_sha512), NATIVE_END};
static const MethodDef sha3_methods[] = {
    M("sha3_224", make_sha3_224), M("sha3_256", make_sha3_256), M("sha3_384", make_sha3_384),
    M("sha3_512", make_sha3_512), M("shake_128", make_shake_128), M("shake_256", make_shake_256), NATIVE_END};

/* The type belongs to the interpreter; whichever module comes first makes it, and it stays. */
static bool
need_type(Thread *th, Value m)
{
    if (hash_type(th))
        return true;
    if (!crypto_load(th))
        return false;
    Type *t = type_from_spec(th, &hash_spec, m, NULL);
    if (t == NULL)
        return false;
    native_publish(th, NATIVE_HASH, t, value_of_type(t));
    drop(th, value_of_type(t));
    return true;
}

const ModuleSpec md5_module = {.name = "_md5", .methods = md5_methods, .exec = need_type};
const ModuleSpec sha1_module = {.name = "_sha1", .methods = sha1_methods, .exec = need_type};
const ModuleSpec sha256_module = {.name = "_sha256", .methods = sha256_methods, .exec = need_type};
const ModuleSpec sha512_module = {.name = "_sha512", .methods = sha512_methods, .exec = need_type};
const ModuleSpec sha3_module = {.name = "_sha3", .methods = sha3_methods, .exec = need_type};
