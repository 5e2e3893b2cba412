/* test_float_encode.c -- floats in words: every class of exponents, both signs. */
#include <math.h>
#include <string.h>

#include "objects/number/fast.h"
#include "tests/tap.h"

static double
double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* Whether a double of this exponent field is kept as it should be. */
static bool
field_ok(uint64_t field)
{
    static const uint64_t fractions[] = {0, 1, 0x8000000000000, 0xfffffffffffff, 0x5555555555555};
    bool common = field >= 0x300 && field <= 0x4ff;
    for (uint64_t sign = 0; sign < 2; sign++)
        for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
            uint64_t bits = sign << 63 | field << 52 | fractions[i];
            Value v = float_encode(double_of(bits));
            if ((v != NULL) != common)
                return false;
            if (v == NULL)
                continue;
            double back = float_decode(v);
            uint64_t back_bits;
            memcpy(&back_bits, &back, sizeof back_bits);
            if (!value_is_flonum(v) || back_bits != bits || value_strip(v) != v ||
                ((value_bits(v) >> 2) & 1) != sign || flo_negative(v) != float_encode(-back))
                return false;
        }
    return true;
}

static void
test_fixnums(void)
{
    static const int64_t n[] = {0, 1, -1, 2, -2, 7, -7, 1000003, FIXNUM_MIN, FIXNUM_MAX,
                                FIXNUM_MIN + 1, FIXNUM_MAX - 1, (int64_t)1 << 31,
                                -((int64_t)1 << 31)};
    bool sums = true, products = true, quotients = true, shifts = true;
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
            Value a = value_from_fixnum(n[i]), b = value_from_fixnum(n[k]);
            __int128 sum = (__int128)n[i] + n[k], product = (__int128)n[i] * n[k];
            Value s = fix_add(a, b), p = fix_multiply(a, b);
            bool fits = sum >= FIXNUM_MIN && sum <= FIXNUM_MAX;
            sums &= fits ? s != NULL && value_fixnum(s) == (int64_t)sum : s == NULL;
            fits = product >= FIXNUM_MIN && product <= FIXNUM_MAX;
            products &= fits ? p != NULL && value_fixnum(p) == (int64_t)product : p == NULL;
            Value q = fix_floor_divide(a, b), r = fix_remainder(a, b);
            if (n[k] == 0)
                quotients &= q == NULL && r == NULL;
            else if (q != NULL)
                quotients &= value_fixnum(q) * n[k] + value_fixnum(r) == n[i] &&
                             (value_fixnum(r) == 0 || (value_fixnum(r) < 0) == (n[k] < 0));
            Value shifted = fix_lshift(a, value_from_fixnum(5));
            fits = n[i] >= FIXNUM_MIN / 32 && n[i] <= FIXNUM_MAX / 32;
            shifts &= fits ? shifted != NULL && value_fixnum(shifted) == n[i] * 32
                           : shifted == NULL;
        }
    OK(sums, "sums are immediate or NULL");
    OK(products, "products are immediate or NULL");
    OK(quotients, "quotients and remainders have Python's signs");
    OK(shifts, "shifts are immediate or NULL");
}

int
main(void)
{
    bool all = true;
    for (uint64_t field = 0; field < 0x800; field++)
        all &= field_ok(field);
    OK(all, "immediate exactly for the common exponents, and the same double back");
    OK(float_encode(0.0) == NULL && float_encode(-0.0) == NULL, "zeros are objects");
    OK(float_encode(HUGE_VAL) == NULL && float_encode((double)NAN) == NULL,
       "infinities and NaN are objects");
    test_fixnums();
    DONE();
}
