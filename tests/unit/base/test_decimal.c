/* test_decimal.c -- shortest digits read back the same; reading agrees with libc. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "tests/tap.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t
random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static double
double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* Whether the shortest digits of v read back as v, and one digit less does not. */
static bool
round_trip(double v)
{
    char digits[DECIMAL_SHORTEST_MAX], text[40];
    int point, n = decimal_shortest(v, digits, &point);
    if (n < 1 || n > DECIMAL_SHORTEST_MAX || digits[0] == '0' || (n > 1 && digits[n - 1] == '0'))
        return false;
    int length = snprintf(text, sizeof text, "0.%.*se%d", n, digits, point);
    double back;
    if (decimal_parse(text, (size_t)length, &back) != (size_t)length || back != v)
        return false;
    if (n == 1)
        return true;
    char shorter[40];
    snprintf(shorter, sizeof shorter, "%.*e", n - 2, v);
    return strtod(shorter, NULL) != v;
}

static void
test_shortest(void)
{
    bool powers = true, borders = true, random = true;
    for (int e = -1074; e <= 1023; e++)
        powers &= round_trip(ldexp(1.0, e));
    for (int e = -1022; e <= 1023; e++)
        borders &= round_trip(nextafter(ldexp(1.0, e), 0.0)) &&
                   round_trip(nextafter(ldexp(1.0, e), HUGE_VAL));
    for (long i = 0; i < TAP_SCALE(200000); i++) {
        double v = double_of(random_word() >> 1);
        if (isfinite(v) && v > 0.0)
            random &= round_trip(v);
    }
    OK(powers, "powers of two");
    OK(borders, "neighbours of powers of two");
    OK(random, "random doubles");
}

static void
test_parse(void)
{
    bool same = true;
    for (long i = 0; i < TAP_SCALE(200000); i++) {
        char text[80];
        int exponent = (int)(random_word() % 680) - 345;
        int n = snprintf(text, sizeof text, "%llu.%llue%d",
                         (unsigned long long)(random_word() >> 20),
                         (unsigned long long)(random_word() >> (random_word() % 60)), exponent);
        double v;
        same &= decimal_parse(text, (size_t)n, &v) == (size_t)n && v == strtod(text, NULL);
    }
    OK(same, "reading agrees with strtod()");
    double v;
    OK(decimal_parse("1e", 2, &v) == 1 && v == 1.0, "an exponent without digits is left out");
    OK(decimal_parse(".5", 2, &v) == 2 && v == 0.5, "no digit before the point");
    OK(decimal_parse(".", 1, &v) == 0, "no digits at all");
    OK(decimal_parse("-0", 2, &v) == 2 && v == 0.0 && signbit(v), "minus zero");
    OK(decimal_parse("1e400", 5, &v) == 5 && isinf(v), "too large");
}

static void
test_round(void)
{
    OK(decimal_round(2.675, 2) == 2.67, "a tie in text is none in binary");
    OK(decimal_round(0.5, 0) == 0.0 && decimal_round(1.5, 0) == 2.0, "ties go to even");
    OK(decimal_round(12345.0, -2) == 12300.0, "left of the point");
    OK(decimal_round(6.0, -1) == 10.0 && decimal_round(5.0, -1) == 0.0, "above the first digit");
    OK(signbit(decimal_round(-0.4, 0)), "the sign stays");
    OK(decimal_round(1e300, 300) == 1e300, "no digits there");
}

int
main(void)
{
    test_shortest();
    test_parse();
    test_round();
    DONE();
}
