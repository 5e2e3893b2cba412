/* mod_blake2.c -- module _blake2: BLAKE2b and BLAKE2s (RFC 7693) with keys, salts and tree parameters, which
 * libcrypto's interface has no room for.
 *
 * One object type's struct serves both; the state is under a lock of its own, because a long update runs
 * offline and two threads may feed one object. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/static_types.h"

#include <stdio.h>
#include <string.h>

#include "modules/fork_mutex.h"

enum { OFFLINE_SIZE = 4096 };

static const uint8_t sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};
static const uint64_t iv_b[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b), UINT64_C(0x3c6ef372fe94f82b),
    UINT64_C(0xa54ff53a5f1d36f1), UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};
static const uint32_t iv_s[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* A digest under way, of either kind. */
typedef struct State {
    union {
        uint64_t b[8];
        uint32_t s[8];
    } h;
    uint64_t count;     /* bytes compressed so far */
    uint8_t block[128]; /* not yet compressed: the last block is only known at the end */
    uint32_t used;
    bool last_node;
} State;

typedef struct Blake2 {
    struct Object head;
    ForkMutex lock;
    State state;         /* [lock] */
    bool small;          /* [const] BLAKE2s */
    uint8_t digest_size; /* [const] */
} Blake2;

static Type blake2b_type, blake2s_type;

static Blake2 *as_blake2(Value v) { return (Blake2 *)(void *)value_object(v); }

/* The compression function F for words of WORD; machines are little-endian. */
#define COMPRESS(NAME, WORD, IV, ROUNDS, R1, R2, R3, R4)                                                               \
    static void NAME(WORD h[8], const uint8_t *block, uint64_t count, bool last, bool last_node)                       \
    {                                                                                                                  \
        WORD m[16], v[16];                                                                                             \
        memcpy(m, block, sizeof m);                                                                                    \
        for (int i = 0; i < 8; i++) {                                                                                  \
            v[i] = h[i];                                                                                               \
            v[i + 8] = IV[i];                                                                                          \
        }                                                                                                              \
        v[12] ^= (WORD)count;                                                                                          \
        v[13] ^= sizeof(WORD) == 4 ? (WORD)(count >> 32) : 0; /* no text has 2^64 bytes */                             \
        v[14] ^= last ? (WORD)-1 : 0;                                                                                  \
        v[15] ^= last_node ? (WORD)-1 : 0;                                                                             \
        for (int r = 0; r < ROUNDS; r++) {                                                                             \
            const uint8_t *s = sigma[r % 10];                                                                          \
            for (int g = 0; g < 8; g++) {                                                                              \
                int a = g & 3, k = g >> 2; /* four columns, then four diagonals */                                     \
                int b = 4 + ((a + k) & 3), c = 8 + ((a + 2 * k) & 3), d = 12 + ((a + 3 * k) & 3);                      \
                v[a] += v[b] + m[s[2 * g]];                                                                            \
                v[d] = ROTATE(WORD, v[d] ^ v[a], R1);                                                                  \
                v[c] += v[d];                                                                                          \
                v[b] = ROTATE(WORD, v[b] ^ v[c], R2);                                                                  \
                v[a] += v[b] + m[s[2 * g + 1]];                                                                        \
                v[d] = ROTATE(WORD, v[d] ^ v[a], R3);                                                                  \
                v[c] += v[d];                                                                                          \
                v[b] = ROTATE(WORD, v[b] ^ v[c], R4);                                                                  \
            }                                                                                                          \
        }                                                                                                              \
        for (int i = 0; i < 8; i++)                                                                                    \
            h[i] ^= v[i] ^ v[i + 8];                                                                                   \
    }
#define ROTATE(WORD, x, n) ((WORD)((x) >> (n) | (x) << (sizeof(WORD) * 8 - (n))))
COMPRESS(compress_b, uint64_t, iv_b, 12, 32, 24, 16, 63)
COMPRESS(compress_s, uint32_t, iv_s, 10, 16, 12, 8, 7)

static uint32_t
block_size(bool small)
{
    return small ? 64 : 128;
}

static void
state_compress(State *t, bool small, const uint8_t *block, size_t n, bool last)
{
    t->count += n;
    if (small)
        compress_s(t->h.s, block, t->count, last, last && t->last_node);
    else
        compress_b(t->h.b, block, t->count, last, last && t->last_node);
}

static void
state_update(State *t, bool small, const uint8_t *p, size_t n)
{
    uint32_t size = block_size(small);
    while (n > 0) {
        if (t->used == size) { /* there is more: it is not the last */
            state_compress(t, small, t->block, size, false);
            t->used = 0;
        }
        if (t->used == 0 && n > size) {
            state_compress(t, small, p, size, false);
            p += size;
            n -= size;
            continue;
        }
        size_t part = size - t->used < n ? size - t->used : n;
        memcpy(t->block + t->used, p, part);
        t->used += (uint32_t)part;
        p += part;
        n -= part;
    }
}

/* What the parameters come to (RFC 7693, 2.5, with the tree parameters of the BLAKE2 paper). */
typedef struct Parameters {
    uint8_t digest_size, key_size, fanout, depth, node_depth, inner_size;
    uint32_t leaf_size;
    uint64_t node_offset;
    uint8_t salt[16], person[16];
} Parameters;

static void
state_start(State *t, bool small, const Parameters *p)
{
    uint8_t words[64] = {p->digest_size, p->key_size, p->fanout, p->depth};
    memset(t, 0, sizeof *t);
    memcpy(words + 4, &p->leaf_size, 4);
    memcpy(words + 8, &p->node_offset, small ? 6 : 8);
    words[small ? 14 : 16] = p->node_depth;
    words[small ? 15 : 17] = p->inner_size;
    memcpy(words + (small ? 16 : 32), p->salt, small ? 8 : 16);
    memcpy(words + (small ? 24 : 48), p->person, small ? 8 : 16);
    if (small) {
        memcpy(t->h.s, words, sizeof t->h.s);
        for (int i = 0; i < 8; i++)
            t->h.s[i] ^= iv_s[i];
    } else {
        memcpy(t->h.b, words, sizeof t->h.b);
        for (int i = 0; i < 8; i++)
            t->h.b[i] ^= iv_b[i];
    }
}

static bool
feed(Thread *th, Blake2 *h, Value data)
{
    if (is_str(data)) {
        raise_type_error(th, "Strings must be encoded before hashing");
        return false;
    }
    if (!has_buffer(data)) {
        raise_type_error(th, "object supporting the buffer API required");
        return false;
    }
    Buffer b;
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return false;
    if (b.ndim > 1) {
        buffer_release(th, &b);
        raise_error(th, &exc_BufferError, "Buffer must be single dimension");
        return false;
    }
    (void)fork_mutex_lock(th, &h->lock);
    bool offline = b.length > OFFLINE_SIZE;
    if (offline)
        blocking_begin(th);
    state_update(&h->state, h->small, b.data, (size_t)b.length);
    if (offline)
        blocking_end(th);
    fork_mutex_unlock(&h->lock);
    buffer_release(th, &b);
    return true;
}

/* -- arguments -- */

/* Up to `size` bytes of a buffer; the rest stays 0. */
static bool
bytes_arg(Thread *th, Value v, const char *what, uint8_t *out, size_t size, size_t *n)
{
    *n = 0;
    if (v == NULL)
        return true;
    Buffer b;
    if (!buffer_lend(th, v, &b, BUFFER_SIMPLE))
        return false;
    bool fits = (size_t)b.length <= size;
    if (fits) {
        memcpy(out, b.data, (size_t)b.length);
        *n = (size_t)b.length;
    }
    buffer_release(th, &b);
    if (!fits)
        raise_value_error(th, "maximum %s length is %zu bytes", what, size);
    return fits;
}

static bool
byte_arg(Thread *th, Value v, int min, int max, const char *message, uint8_t *out)
{
    int n = *out;
    if (!arg_int(th, v, &n))
        return false;
    if (n < min || n > max) {
        raise_value_error(th, "%s", message);
        return false;
    }
    *out = (uint8_t)n;
    return true;
}

/* An unsigned number of at most `max`. */
static bool
wide_arg(Thread *th, Value v, uint64_t max, const char *what, uint64_t *out)
{
    if (v == NULL)
        return true;
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool ok = int_sign(n) >= 0;
    if (!ok)
        raise_value_error(th, "value must be positive");
    ok = ok && int_to_u64(th, n, out);
    drop(th, n);
    if (ok && *out > max) {
        raise_error(th, &exc_OverflowError, "%s is too large", what);
        return false;
    }
    return ok;
}

static Value
blake2_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames, bool small)
{
    ParamSpec params = {.name = small ? "blake2s" : "blake2b",
                        .names = {"", "digest_size", "key", "salt", "person", "fanout", "depth", "leaf_size",
                                  "node_offset", "node_depth", "inner_size", "last_node", "usedforsecurity"},
                        .positional = 1, .posonly = 1};
    Value v[13];
    int most = small ? 32 : 64;
    Parameters p = {.digest_size = (uint8_t)most, .fanout = 1, .depth = 1};
    uint8_t key[128] = {0};
    size_t key_size, unused;
    uint64_t leaf_size = 0;
    bool last_node = false, security = true;
    char size_message[64], inner_message[64];
    snprintf(size_message, sizeof size_message, "digest_size must be between 1 and %d bytes", most);
    snprintf(inner_message, sizeof inner_message, "inner_size must be between 0 and is %d", most);
    if (!args_bind(th, &params, a, n, kwnames, v) || !byte_arg(th, v[1], 1, most, size_message, &p.digest_size) ||
        !bytes_arg(th, v[3], "salt", p.salt, small ? 8 : 16, &unused) ||
        !bytes_arg(th, v[4], "person", p.person, small ? 8 : 16, &unused) ||
        !byte_arg(th, v[5], 0, 255, "fanout must be between 0 and 255", &p.fanout) ||
        !byte_arg(th, v[6], 1, 255, "depth must be between 1 and 255", &p.depth) ||
        !wide_arg(th, v[7], UINT32_MAX, "leaf_size", &leaf_size) ||
        !wide_arg(th, v[8], small ? (UINT64_C(1) << 48) - 1 : UINT64_MAX, "node_offset", &p.node_offset) ||
        !byte_arg(th, v[9], 0, 255, "node_depth must be between 0 and 255", &p.node_depth) ||
        !byte_arg(th, v[10], 0, most, inner_message, &p.inner_size) ||
        !bytes_arg(th, v[2], "key", key, (size_t)most, &key_size) || !arg_bool(th, v[11], &last_node) ||
        !arg_bool(th, v[12], &security))
        return NULL;
    p.leaf_size = (uint32_t)leaf_size;
    p.key_size = (uint8_t)key_size;
    Value r = type_alloc(th, type, 0);
    if (r == NULL)
        return NULL;
    Blake2 *h = as_blake2(r);
    h->small = small;
    h->digest_size = p.digest_size;
    state_start(&h->state, small, &p);
    h->state.last_node = last_node;
    if (key_size > 0)
        state_update(&h->state, small, key, block_size(small));
    if (v[0] && !feed(th, h, v[0]))
        DROP_CLEAR(th, r);
    return r;
}

static Value
blake2b_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    return blake2_new(th, type, a, n, kwnames, false);
}

static Value
blake2s_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    return blake2_new(th, type, a, n, kwnames, true);
}

/* -- methods -- */

static Value
blake2_update(Thread *th, Value self, Value data)
{
    return feed(th, as_blake2(self), data) ? NONE : NULL;
}

static Value
blake2_copy(Thread *th, Value self)
{
    Blake2 *h = as_blake2(self);
    Value v = type_alloc(th, h->small ? &blake2s_type : &blake2b_type, 0);
    if (v) {
        Blake2 *c = as_blake2(v);
        c->small = h->small;
        c->digest_size = h->digest_size;
        (void)fork_mutex_lock(th, &h->lock);
        c->state = h->state;
        fork_mutex_unlock(&h->lock);
    }
    return v;
}

/* The digest of what was fed so far, in `out` of 64 bytes. */
static void
finish(Thread *th, Blake2 *h, uint8_t *out)
{
    (void)fork_mutex_lock(th, &h->lock);
    State t = h->state;
    fork_mutex_unlock(&h->lock);
    memset(t.block + t.used, 0, sizeof t.block - t.used);
    state_compress(&t, h->small, t.block, t.used, true);
    memcpy(out, &t.h, sizeof t.h);
}

static Value
blake2_digest(Thread *th, Value self)
{
    uint8_t out[64];
    finish(th, as_blake2(self), out);
    return bytes_from(th, out, as_blake2(self)->digest_size);
}

static Value
blake2_hexdigest(Thread *th, Value self)
{
    uint8_t out[64];
    char text[129];
    finish(th, as_blake2(self), out);
    size_t n = as_blake2(self)->digest_size;
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", out[i]);
    return str_from_ascii(th, text, 2 * n);
}

static Value
blake2_get_name(Thread *th, Value self, void *closure)
{
    (void)closure;
    return str_from_c(th, as_blake2(self)->small ? "blake2s" : "blake2b");
}

static Value
blake2_get_block_size(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return value_from_fixnum(block_size(as_blake2(self)->small));
}

static Value
blake2_get_digest_size(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return value_from_fixnum(as_blake2(self)->digest_size);
}

static const MethodDef blake2_methods[] = {
    NATIVE_1("update", blake2_update, "update($self, data, /)\n--\n\nUpdate this hash object's state with the provided bytes-like object."),
    NATIVE_0("copy", blake2_copy, "copy($self, /)\n--\n\nReturn a copy of the hash object."),
    NATIVE_0("digest", blake2_digest, "digest($self, /)\n--\n\nReturn the digest value as a bytes object."),
    NATIVE_0("hexdigest", blake2_hexdigest, "hexdigest($self, /)\n--\n\nReturn the digest value as a string of hexadecimal digits."),
    NATIVE_END,
};
static const GetterDef blake2_getters[] = {
    {"name", blake2_get_name, NULL, NULL, NULL}, {"block_size", blake2_get_block_size, NULL, NULL, NULL},
    {"digest_size", blake2_get_digest_size, NULL, NULL, NULL}, {.name = NULL}};

#define SIGNATURE(name)                                                                                                \
    name "(data=b\'\', /, *, digest_size=_blake2." name ".MAX_DIGEST_SIZE,\n        key=b\'\', salt=b\'\', person=b\'\', " \
         "fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n"      \
         "        usedforsecurity=True)\n--\n\nReturn a new hash object."
static const TypeSpec blake2b_spec = {
    .name = "_blake2.blake2b", .size = sizeof(Blake2), .flags = TYPE_BASE | TYPE_IMMUTABLE, .doc = SIGNATURE("blake2b"),
    .methods = blake2_methods, .getters = blake2_getters, .slots = {.new = blake2b_new},
};
static const TypeSpec blake2s_spec = {
    .name = "_blake2.blake2s", .size = sizeof(Blake2), .flags = TYPE_BASE | TYPE_IMMUTABLE, .doc = SIGNATURE("blake2s"),
    .methods = blake2_methods, .getters = blake2_getters, .slots = {.new = blake2s_new},
};

/* The sizes, once on the type and once on the module. */
static bool
add_sizes(Thread *th, Value m, Type *type, const char *prefix, int digest, int salt)
{
    const struct {
        const char *name;
        int value;
    } sizes[] = {{"SALT_SIZE", salt}, {"PERSON_SIZE", salt}, {"MAX_KEY_SIZE", digest}, {"MAX_DIGEST_SIZE", digest}};
    char name[40];
    Value dict = field_read(th, &type->ops.head, &type->dict); /* nobody has looked into it yet */
    bool ok = true;
    for (size_t i = 0; ok && i < ARRAY_LEN(sizes); i++) {
        snprintf(name, sizeof name, "%s_%s", prefix, sizes[i].name);
        ok = dict_set_c(th, dict, sizes[i].name, value_from_fixnum(sizes[i].value)) &&
             module_add_int(th, m, name, sizes[i].value);
    }
    drop(th, dict);
    return ok && module_add_type(th, m, type);
}

static bool
blake2_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&blake2b_type, &blake2b_spec}, {&blake2s_type, &blake2s_spec}};
    return static_types_ready(th, types, ARRAY_LEN(types)) && add_sizes(th, m, &blake2b_type, "BLAKE2B", 64, 16) &&
           add_sizes(th, m, &blake2s_type, "BLAKE2S", 32, 8);
}

const ModuleSpec blake2_module = {
    .name = "_blake2", .doc = "_blake2b provides BLAKE2b for hashlib", .exec = blake2_exec,
};
