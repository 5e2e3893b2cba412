/* ops_number.h -- bodies: arithmetic and comparison; ints and floats of the common kind in line.
 *
 * An int n is the word 2n+1: sums and differences are made on the words themselves.
 */
#define BOTH_INT(x, y) ((value_bits(x) & value_bits(y) & VALUE_INT_BIT) != 0)
/* Both words end in the tag 10. */
#define BOTH_FLOAT(x, y)                                                                          \
    ((((value_bits(x) ^ VALUE_FLOAT_TAG) | (value_bits(y) ^ VALUE_FLOAT_TAG)) &                   \
      VALUE_TAG_MASK) == 0)
#define BOTH_IMMEDIATE(x, y) (!value_is_object(x) && !value_is_object(y))
/* The double of an immediate number. */
#define AS_DOUBLE(x) (value_is_fixnum(x) ? (double)value_fixnum(x) : float_decode(x))
#define WORD(n) value_from_bits((uintptr_t)(n))
#define SLOW_BINARY()                                                                             \
    do {                                                                                          \
        SAVE();                                                                                   \
        if (UNLIKELY(!slow_binary(th, F, pc)))                                                    \
            goto error;                                                                           \
        FINISH(0);                                                                                \
    } while (0)
#define FLOAT_RESULT(expression)                                                                  \
    do {                                                                                          \
        Value f_ = float_encode(expression);                                                      \
        if (LIKELY(f_ != NULL))                                                                   \
            PUT_IMMEDIATE(0, f_);                                                                 \
    } while (0)

TARGET(ADD)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y))) {
        int64_t z;
        if (LIKELY(!__builtin_add_overflow((int64_t)value_bits(x) - 1, (int64_t)value_bits(y),
                                           &z)))
            PUT_IMMEDIATE(0, WORD(z));
    } else if (LIKELY(BOTH_FLOAT(x, y))) {
        FLOAT_RESULT(float_decode(x) + float_decode(y));
    } else if (BOTH_IMMEDIATE(x, y)) {
        FLOAT_RESULT(AS_DOUBLE(x) + AS_DOUBLE(y));
    }
    SLOW_BINARY();
}

TARGET(SUBTRACT)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y))) {
        int64_t z;
        if (LIKELY(!__builtin_sub_overflow((int64_t)value_bits(x), (int64_t)value_bits(y) - 1,
                                           &z)))
            PUT_IMMEDIATE(0, WORD(z));
    } else if (LIKELY(BOTH_FLOAT(x, y))) {
        FLOAT_RESULT(float_decode(x) - float_decode(y));
    } else if (BOTH_IMMEDIATE(x, y)) {
        FLOAT_RESULT(AS_DOUBLE(x) - AS_DOUBLE(y));
    }
    SLOW_BINARY();
}

TARGET(MULTIPLY)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y))) {
        int64_t z;
        if (LIKELY(!__builtin_mul_overflow((int64_t)value_bits(x) - 1, value_fixnum(y), &z)))
            PUT_IMMEDIATE(0, WORD(z | 1));
    } else if (LIKELY(BOTH_FLOAT(x, y))) {
        FLOAT_RESULT(float_decode(x) * float_decode(y));
    } else if (BOTH_IMMEDIATE(x, y)) {
        FLOAT_RESULT(AS_DOUBLE(x) * AS_DOUBLE(y));
    }
    SLOW_BINARY();
}

TARGET(TRUE_DIVIDE)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_FLOAT(x, y)) { /* an immediate float is not zero */
        FLOAT_RESULT(float_decode(x) / float_decode(y));
    } else if (BOTH_INT(x, y)) {
        int64_t m = value_fixnum(x), n = value_fixnum(y);
        const int64_t exact = (int64_t)1 << 53;
        if (LIKELY(n != 0 && m >= -exact && m <= exact && n >= -exact && n <= exact))
            FLOAT_RESULT((double)m / (double)n);
    } else if (BOTH_IMMEDIATE(x, y) && y != value_from_fixnum(0)) {
        FLOAT_RESULT(AS_DOUBLE(x) / AS_DOUBLE(y));
    }
    SLOW_BINARY();
}

TARGET(FLOOR_DIVIDE)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_INT(x, y)) {
        int64_t m = value_fixnum(x), n = value_fixnum(y);
        if (LIKELY(n > 0)) {
            int64_t q = m / n;
            q -= (q * n > m);
            PUT_IMMEDIATE(0, value_from_fixnum(q));
        }
    }
    SLOW_BINARY();
}

TARGET(REMAINDER)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_INT(x, y)) {
        int64_t m = value_fixnum(x), n = value_fixnum(y);
        if (LIKELY(n > 0)) {
            int64_t rest = LIKELY((uint64_t)m <= UINT32_MAX && (uint64_t)n <= UINT32_MAX)
                               ? (int64_t)((uint32_t)m % (uint32_t)n)
                               : m % n;
            if (rest < 0)
                rest += n;
            PUT_IMMEDIATE(0, value_from_fixnum(rest));
        }
    }
    SLOW_BINARY();
}

TARGET(LSHIFT)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_INT(x, y)) {
        int64_t m = value_fixnum(x), n = value_fixnum(y);
        if (LIKELY((uint64_t)n < 62 && ((m << n) >> n) == m && fixnum_fits(m << n)))
            PUT_IMMEDIATE(0, value_from_fixnum(m << n));
    }
    SLOW_BINARY();
}

TARGET(RSHIFT)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_INT(x, y)) {
        int64_t m = value_fixnum(x), n = value_fixnum(y);
        if (LIKELY(n >= 0))
            PUT_IMMEDIATE(0, value_from_fixnum(m >> (n < 63 ? n : 63)));
    }
    SLOW_BINARY();
}

TARGET(AND)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y)))
        PUT_IMMEDIATE(0, WORD(value_bits(x) & value_bits(y)));
    SLOW_BINARY();
}

TARGET(OR)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y)))
        PUT_IMMEDIATE(0, WORD(value_bits(x) | value_bits(y)));
    SLOW_BINARY();
}

TARGET(XOR)
{
    Value x = r[pc->b], y = r[pc->c];
    if (LIKELY(BOTH_INT(x, y)))
        PUT_IMMEDIATE(0, WORD((value_bits(x) ^ value_bits(y)) | 1));
    SLOW_BINARY();
}

TARGET(POWER)
TARGET(MATRIX_MULTIPLY)
{
    SLOW_BINARY();
}

TARGET(ADD_IMM)
{
    Value x = r[pc->b];
    if (LIKELY(value_is_fixnum(x))) {
        int64_t z;
        if (LIKELY(!__builtin_add_overflow((int64_t)value_bits(x),
                                           (int64_t)(int16_t)pc->c * 2, &z)))
            PUT_IMMEDIATE(0, WORD(z));
    }
    if (value_is_flonum(x))
        FLOAT_RESULT(float_decode(x) + (double)(int16_t)pc->c);
    SAVE();
    if (UNLIKELY(!slow_binary_imm(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(SUBTRACT_IMM)
{
    Value x = r[pc->b];
    if (LIKELY(value_is_fixnum(x))) {
        int64_t z;
        if (LIKELY(!__builtin_sub_overflow((int64_t)value_bits(x),
                                           (int64_t)(int16_t)pc->c * 2, &z)))
            PUT_IMMEDIATE(0, WORD(z));
    }
    if (value_is_flonum(x))
        FLOAT_RESULT(float_decode(x) - (double)(int16_t)pc->c);
    SAVE();
    if (UNLIKELY(!slow_binary_imm(th, F, pc)))
        goto error;
    FINISH(0);
}

slow_imm:
    SAVE();
    if (UNLIKELY(!slow_binary_imm(th, F, pc)))
        goto error;
    FINISH(0);

TARGET(MULTIPLY_IMM)
{
    Value x = r[pc->b];
    int64_t n = (int16_t)pc->c, z;
    if (LIKELY(value_is_fixnum(x))) {
        if (LIKELY(!__builtin_mul_overflow((int64_t)value_bits(x) - 1, n, &z)))
            PUT_IMMEDIATE(0, WORD(z | 1));
    } else if (value_is_flonum(x)) {
        FLOAT_RESULT(float_decode(x) * (double)n);
    }
    goto slow_imm;
}

TARGET(FLOOR_DIVIDE_IMM)
{
    Value x = r[pc->b];
    int64_t n = (int16_t)pc->c;
    if (LIKELY(value_is_fixnum(x) && n > 0)) {
        int64_t m = value_fixnum(x), q;
        if (LIKELY((uint64_t)m <= UINT32_MAX)) {
            q = (int64_t)((uint32_t)m / (uint32_t)n);
        } else {
            q = m / n;
            q -= (q * n > m);
        }
        PUT_IMMEDIATE(0, value_from_fixnum(q));
    }
    goto slow_imm;
}

TARGET(REMAINDER_IMM)
{
    Value x = r[pc->b];
    int64_t n = (int16_t)pc->c;
    if (LIKELY(value_is_fixnum(x) && n > 0)) {
        int64_t m = value_fixnum(x), rest;
        if (LIKELY((uint64_t)m <= UINT32_MAX)) {
            rest = (int64_t)((uint32_t)m % (uint32_t)n);
        } else {
            rest = m % n;
            if (rest < 0)
                rest += n;
        }
        PUT_IMMEDIATE(0, value_from_fixnum(rest));
    }
    goto slow_imm;
}

TARGET(LSHIFT_IMM)
{
    Value x = r[pc->b];
    unsigned n = pc->c;
    if (LIKELY(value_is_fixnum(x) && n < 62)) {
        int64_t m = value_fixnum(x), z = (int64_t)((uint64_t)m << n);
        if (LIKELY((z >> n) == m && fixnum_fits(z)))
            PUT_IMMEDIATE(0, value_from_fixnum(z));
    }
    goto slow_imm;
}

TARGET(RSHIFT_IMM)
{
    Value x = r[pc->b];
    unsigned n = pc->c;
    if (LIKELY(value_is_fixnum(x) && n < 62))
        PUT_IMMEDIATE(0, value_from_fixnum(value_fixnum(x) >> n));
    goto slow_imm;
}

TARGET(AND_IMM)
{
    Value x = r[pc->b];
    if (LIKELY(value_is_fixnum(x)))
        PUT_IMMEDIATE(0, WORD(value_bits(x) & value_bits(value_from_fixnum((int16_t)pc->c))));
    goto slow_imm;
}

slow_k:
    SAVE();
    if (UNLIKELY(!slow_binary_k(th, F, pc)))
        goto error;
    FINISH(0);

/* `result_` of the immediate number m, a double, and the constant k. */
#define FLOAT_K(name, result_)                                                                    \
    TARGET(name)                                                                                  \
    {                                                                                             \
        Value x = r[pc->b];                                                                       \
        double k = float_decode(F->code->consts[pc->c]);                                          \
        if (LIKELY(value_is_flonum(x))) {                                                         \
            double m = float_decode(x);                                                           \
            FLOAT_RESULT(result_);                                                                \
        } else if (value_is_fixnum(x) && x != value_from_fixnum(0)) {                             \
            double m = (double)value_fixnum(x);                                                   \
            FLOAT_RESULT(result_);                                                                \
        }                                                                                         \
        goto slow_k;                                                                              \
    }
FLOAT_K(ADD_K, m + k)
FLOAT_K(SUBTRACT_K, m - k)
FLOAT_K(MULTIPLY_K, m * k)
FLOAT_K(TRUE_DIVIDE_K, m / k)
FLOAT_K(SUBTRACT_FROM_K, k - m)
FLOAT_K(DIVIDE_K, k / m)
#undef FLOAT_K

TARGET(NEGATIVE)
{
    Value x = r[pc->b];
    if (LIKELY(value_is_fixnum(x) && value_fixnum(x) != FIXNUM_MIN))
        PUT_IMMEDIATE(0, value_from_fixnum(-value_fixnum(x)));
    if (value_is_flonum(x)) /* the sign is bit 2 */
        PUT_IMMEDIATE(0, value_from_bits(value_bits(x) ^ 4));
    SAVE();
    if (UNLIKELY(!slow_unary(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(POSITIVE)
TARGET(INVERT)
{
    SAVE();
    if (UNLIKELY(!slow_unary(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(NOT)
{
    Value x = r[pc->b];
    if (reg_is(x, TRUE))
        PUT_IMMEDIATE(0, REG_STATIC(FALSE));
    if (reg_is(x, FALSE) || reg_is(x, NONE))
        PUT_IMMEDIATE(0, REG_STATIC(TRUE));
    SAVE();
    Answer a = slow_truth(th, F, pc->b);
    if (UNLIKELY(a == FAILED))
        goto error;
    put_result_b(th, F, pc, a == YES ? REG_STATIC(FALSE) : REG_STATIC(TRUE));
    FINISH(0);
}

/* `yes` of the comparison SUB, as an expression over two C numbers. */
#define COMPARE_NUMBERS(yes, m, n)                                                                \
    switch (SUB(pc->flags)) {                                                                     \
    case OP_LT: yes = (m) < (n); break;                                                           \
    case OP_LE: yes = (m) <= (n); break;                                                          \
    case OP_EQ: yes = (m) == (n); break;                                                          \
    case OP_NE: yes = (m) != (n); break;                                                          \
    case OP_GT: yes = (m) > (n); break;                                                           \
    default: yes = (m) >= (n); break;                                                             \
    }

TARGET(COMPARE)
{
    Value x = r[pc->b], y = r[pc->c];
    bool yes;
    if (LIKELY(BOTH_INT(x, y))) {
        COMPARE_NUMBERS(yes, (int64_t)value_bits(x), (int64_t)value_bits(y));
        PUT_IMMEDIATE(0, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE));
    } else if (BOTH_FLOAT(x, y)) {
        COMPARE_NUMBERS(yes, float_decode(x), float_decode(y));
        PUT_IMMEDIATE(0, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE));
    }
    SAVE();
    if (UNLIKELY(!slow_compare(th, F, pc)))
        goto error;
    FINISH(0);
}

TARGET(IS)
{
    bool same = value_strip(r[pc->b]) == value_strip(r[pc->c]);
    FINISH_DROPS(0, put_result(th, F, pc,
                               same != ((pc->flags & FLAG_X) != 0) ? REG_STATIC(TRUE)
                                                                   : REG_STATIC(FALSE)));
}

#define JUMP_ON(yes)                                                                              \
    do {                                                                                          \
        if (yes) {                                                                                \
            pc += 2 + instr_offset(pc);                                                           \
            DISPATCH();                                                                           \
        }                                                                                         \
        NEXT(1);                                                                                  \
    } while (0)

/* The sibling of a comparing jump for immediate numbers, of which none is NaN: "jump if false" is
 * the opposite comparison's "jump if true". */
#define SPECIALIZE_JUMP(first)                                                                    \
    do {                                                                                          \
        static const uint8_t opposite[] = {                                                       \
            [OP_LT] = OP_GE, [OP_LE] = OP_GT, [OP_EQ] = OP_NE,                                    \
            [OP_NE] = OP_EQ, [OP_GT] = OP_LE, [OP_GE] = OP_LT,                                    \
        };                                                                                        \
        unsigned how_ = SUB(pc->flags);                                                           \
        if (!(pc->flags & FLAG_X))                                                                \
            how_ = opposite[how_];                                                                \
        instr_set_op(pc, (uint8_t)((first) + how_));                                              \
        DISPATCH();                                                                               \
    } while (0)
_Static_assert(OP_LT == 0 && OP_LE == 1 && OP_EQ == 2 && OP_NE == 3 && OP_GT == 4 && OP_GE == 5,
               "the order of JUMP_LT .. and JUMP_LT_IMM ..");

TARGET(JUMP_COMPARE)
{
    Value x = r[pc->b], y = r[pc->c];
    if (BOTH_INT(x, y) || BOTH_FLOAT(x, y))
        SPECIALIZE_JUMP(OP_JUMP_LT);
    if (value_is_object(x) && value_is_object(y) && object_shape(reg_object(x)) == SHAPE_STR &&
        object_shape(reg_object(y)) == SHAPE_STR &&
        (SUB(pc->flags) == OP_EQ || SUB(pc->flags) == OP_NE) && instr_op(pc) == OP_JUMP_COMPARE) {
        bool equal = (SUB(pc->flags) == OP_EQ) == ((pc->flags & FLAG_X) != 0);
        instr_set_op(pc, equal ? OP_JUMP_EQ_STR : OP_JUMP_NE_STR);
        DISPATCH();
    }
}
jump_compare_slow:
{
    Value p = r[pc->b], q = r[pc->c];
    if (value_is_object(p) && value_is_object(q) && object_shape(reg_object(p)) == SHAPE_STR &&
        object_shape(reg_object(q)) == SHAPE_STR &&
        (SUB(pc->flags) == OP_EQ || SUB(pc->flags) == OP_NE)) {
        const Str *s = (Str *)(void *)reg_object(p), *t = (Str *)(void *)reg_object(q);
        bool yes = same_str(s, t) == (SUB(pc->flags) == OP_EQ);
        bool slow = pc->flags & B_DEAD ? reg_drop(th, p) : false;
        if (pc->flags & C_DEAD)
            slow |= reg_drop(th, q);
        if (yes == ((pc->flags & FLAG_X) != 0))
            pc += instr_offset(pc);
        FINISH_DROPS(1, slow);
    }
    SAVE();
    Answer a = slow_compare_jump(th, F, pc, false);
    if (UNLIKELY(a == FAILED))
        goto error;
    if ((a == YES) == ((pc->flags & FLAG_X) != 0))
        pc += instr_offset(pc);
    FINISH(1);
}

TARGET(JUMP_COMPARE_IMM)
{
    if (!value_is_object(r[pc->b]))
        SPECIALIZE_JUMP(OP_JUMP_LT_IMM);
}
jump_compare_imm_slow:
{
    SAVE();
    Answer a = slow_compare_jump(th, F, pc, true);
    if (UNLIKELY(a == FAILED))
        goto error;
    if ((a == YES) == ((pc->flags & FLAG_X) != 0))
        pc += instr_offset(pc);
    FINISH(1);
}

#define JUMP_NUMBERS(name, op)                                                                    \
    TARGET(JUMP_##name)                                                                           \
    {                                                                                             \
        Value x = r[pc->b], y = r[pc->c];                                                         \
        if (LIKELY(BOTH_INT(x, y)))                                                               \
            JUMP_ON((int64_t)value_bits(x) op (int64_t)value_bits(y));                            \
        if (LIKELY(BOTH_FLOAT(x, y)))                                                             \
            JUMP_ON(float_decode(x) op float_decode(y));                                          \
        goto jump_compare_slow;                                                                   \
    }                                                                                             \
    TARGET(JUMP_##name##_IMM)                                                                     \
    {                                                                                             \
        Value x = r[pc->b];                                                                       \
        if (LIKELY(value_is_fixnum(x)))                                                           \
            JUMP_ON(value_fixnum(x) op (int64_t)(int16_t)pc->c);                                  \
        if (LIKELY(value_is_flonum(x)))                                                           \
            JUMP_ON(float_decode(x) op (double)(int16_t)pc->c);                                   \
        goto jump_compare_imm_slow;                                                               \
    }
#define JUMP_STRS(name, wanted)                                                                   \
    TARGET(JUMP_##name##_STR)                                                                     \
    {                                                                                             \
        Value x = r[pc->b], y = r[pc->c];                                                         \
        if (LIKELY(value_is_object(x) && value_is_object(y) &&                                    \
                   object_shape(reg_object(x)) == SHAPE_STR &&                                    \
                   object_shape(reg_object(y)) == SHAPE_STR)) {                                   \
            bool same = same_str((Str *)(void *)reg_object(x), (Str *)(void *)reg_object(y));     \
            bool slow = pc->flags & B_DEAD ? reg_drop(th, x) : false;                             \
            if (pc->flags & C_DEAD)                                                               \
                slow |= reg_drop(th, y);                                                          \
            if (same == (wanted))                                                                 \
                pc += instr_offset(pc);                                                           \
            FINISH_DROPS(1, slow);                                                                \
        }                                                                                         \
        goto L_JUMP_COMPARE;                                                                      \
    }
JUMP_STRS(EQ, true)
JUMP_STRS(NE, false)
#undef JUMP_STRS
JUMP_NUMBERS(LT, <)
JUMP_NUMBERS(LE, <=)
JUMP_NUMBERS(EQ, ==)
JUMP_NUMBERS(NE, !=)
JUMP_NUMBERS(GT, >)
JUMP_NUMBERS(GE, >=)
#undef JUMP_NUMBERS
