/* search_impl.h -- searching in characters of one width; included once for each.
 *
 * The includer defines CHAR (the unit), FN(name) (its suffix) and CHAR_SIZE.  find() looks
 * for the first character with the fastest scan there is and compares; when that has cost
 * more than the text is long it goes on with the two-way algorithm (Crochemore and Perrin,
 * "Two-way string-matching", 1991), which is linear in the worst case.
 */

static int64_t
FN(find_char)(const CHAR *p, size_t n, CHAR c)
{
#if CHAR_SIZE == 1
    const CHAR *at = memchr(p, c, n);
    return at == NULL ? -1 : at - p;
#elif CHAR_SIZE == 4
    const CHAR *at = (const CHAR *)(const void *)wmemchr((const wchar_t *)(const void *)p,
                                                          (wchar_t)c, n);
    return at == NULL ? -1 : at - p;
#else
    size_t i = 0;
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi16((short)c);
    for (; i + 16 <= n; i += 16) {
        __m128i low = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + i + 8));
        int hits = _mm_movemask_epi8(_mm_packs_epi16(_mm_cmpeq_epi16(low, wanted),
                                                     _mm_cmpeq_epi16(high, wanted)));
        if (hits != 0) {
            return (int64_t)i + __builtin_ctz((unsigned)hits);
        }
    }
#endif
    for (; i < n; i++) {
        if (p[i] == c) {
            return (int64_t)i;
        }
    }
    return -1;
#endif
}

static int64_t
FN(rfind_char)(const CHAR *p, size_t n, CHAR c)
{
#if CHAR_SIZE == 1
    const CHAR *at = memrchr(p, c, n);
    return at == NULL ? -1 : at - p;
#else
    while (n > 0) {
        if (p[--n] == c) {
            return (int64_t)n;
        }
    }
    return -1;
#endif
}

#if CHAR_SIZE != 1 /* memmem() has its own */
/* Where the maximal suffix of x begins, by < or by >, and its period. */
static size_t
FN(maximal_suffix)(const CHAR *x, size_t m, bool reverse, size_t *period)
{
    size_t start = 0, j = 1, k = 0, p = 1;
    while (j + k < m) {
        CHAR a = x[j + k], b = x[start + k];
        if (a == b) {
            if (++k == p) {
                j += p;
                k = 0;
            }
        } else if (reverse ? a > b : a < b) {
            j += k + 1;
            k = 0;
            p = j - start;
        } else {
            start = j++;
            k = 0;
            p = 1;
        }
    }
    *period = p;
    return start;
}

static int64_t
FN(two_way)(const CHAR *s, size_t n, const CHAR *x, size_t m)
{
    size_t period, other_period;
    size_t cut = FN(maximal_suffix)(x, m, false, &period);
    size_t other = FN(maximal_suffix)(x, m, true, &other_period);
    if (other > cut) {
        cut = other;
        period = other_period;
    }
    bool periodic = period + cut <= m && memcmp(x, x + period, cut * sizeof *x) == 0;
    size_t known = 0; /* characters of x that match already, when it is periodic */
    if (!periodic) {
        period = (cut > m - cut ? cut : m - cut) + 1;
    }
    for (size_t at = 0; at + m <= n;) {
        size_t i = known > cut ? known : cut;
        while (i < m && x[i] == s[at + i]) {
            i++;
        }
        if (i < m) {
            at += i - cut + 1;
            known = 0;
            continue;
        }
        i = cut;
        while (i > known && x[i - 1] == s[at + i - 1]) {
            i--;
        }
        if (i <= known) {
            return (int64_t)at;
        }
        at += period;
        known = periodic ? m - period : 0;
    }
    return -1;
}
#endif

/* 1 <= m */
static int64_t
FN(find)(const CHAR *s, size_t n, const CHAR *x, size_t m)
{
    if (m > n) {
        return -1;
    }
    if (m == 1) {
        return FN(find_char)(s, n, x[0]);
    }
    size_t last = n - m, at = 0, wasted = 0;
    if (n < 32) { /* a call of find_char() costs more */
        CHAR first = x[0], end = x[m - 1];
        for (; at <= last; at++) {
            if (s[at] == first && s[at + m - 1] == end &&
                same_bytes(s + at + 1, x + 1, (m - 1) * sizeof *x)) {
                return (int64_t)at;
            }
        }
        return -1;
    }
#if CHAR_SIZE == 1 && defined(__SSE2__)
    /* 16 places at once: where the first and the last character fit. */
    const __m128i head = _mm_set1_epi8((char)x[0]), tail = _mm_set1_epi8((char)x[m - 1]);
    while (at + 16 + m - 1 <= n) {
        const void *p = s + at, *q = s + at + m - 1;
        unsigned hits = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(p), head),
                          _mm_cmpeq_epi8(_mm_loadu_si128(q), tail)));
        for (; hits != 0; hits &= hits - 1) {
            size_t i = at + (unsigned)__builtin_ctz(hits);
            if (same_bytes(s + i + 1, x + 1, m - 1)) {
                return (int64_t)i;
            }
            wasted += m;
        }
        at += 16;
        if (UNLIKELY(wasted > 256 && wasted > 2 * at)) {
            break; /* the rest in linear time */
        }
    }
#endif
    while (at <= last) {
        int64_t hit = FN(find_char)(s + at, last - at + 1, x[0]);
        if (hit < 0) {
            return -1;
        }
        at += (size_t)hit;
        if (s[at + m - 1] == x[m - 1] && same_bytes(s + at + 1, x + 1, (m - 1) * sizeof *x)) {
            return (int64_t)at;
        }
        at++;
        wasted += 16 + m;
        if (wasted > 256 && wasted > 2 * at) {
#if CHAR_SIZE == 1
            const CHAR *found = memmem(s + at, n - at, x, m);
            return found == NULL ? -1 : found - s;
#else
            int64_t found = FN(two_way)(s + at, n - at, x, m);
            return found < 0 ? -1 : found + (int64_t)at;
#endif
        }
    }
    return -1;
}

static int64_t
FN(rfind)(const CHAR *s, size_t n, const CHAR *x, size_t m)
{
    if (m > n) {
        return -1;
    }
    size_t end = n - m + 1; /* candidates are before it */
    while (end > 0) {
        int64_t hit = FN(rfind_char)(s, end, x[0]);
        if (hit < 0) {
            return -1;
        }
        if (m == 1 || (s[hit + (int64_t)m - 1] == x[m - 1] &&
                       same_bytes(s + hit + 1, x + 1, (m - 1) * sizeof *x))) {
            return hit;
        }
        end = (size_t)hit;
    }
    return -1;
}

static VECTORIZED size_t
FN(count)(const CHAR *s, size_t n, const CHAR *x, size_t m, size_t max)
{
    size_t found = 0;
    if (m == 1 && max >= n) {
        CHAR c = x[0];
        for (size_t i = 0; i < n; i++) {
            found += s[i] == c;
        }
        return found;
    }
    size_t at = 0;
#if CHAR_SIZE == 1 && defined(__SSE2__)
    /* As in find(), without a new start for each occurrence. */
    const __m128i head = _mm_set1_epi8((char)x[0]), tail = _mm_set1_epi8((char)x[m - 1]);
    size_t block = 0, wasted = 0;
    while (m > 1 && block + 16 + m - 1 <= n && (wasted <= 256 || wasted <= 2 * block)) {
        const void *p = s + block, *q = s + block + m - 1;
        unsigned hits = (unsigned)_mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(p), head),
                          _mm_cmpeq_epi8(_mm_loadu_si128(q), tail)));
        for (; hits != 0; hits &= hits - 1) {
            size_t i = block + (unsigned)__builtin_ctz(hits);
            if (i < at) { /* within the last occurrence */
                continue;
            }
            if (same_bytes(s + i + 1, x + 1, m - 1)) {
                if (++found == max) {
                    return found;
                }
                at = i + m;
            } else {
                wasted += m;
            }
        }
        block += 16;
    }
    if (at < block) {
        at = block;
    }
#endif
    while (found < max && at + m <= n) {
        int64_t hit = FN(find)(s + at, n - at, x, m);
        if (hit < 0) {
            break;
        }
        found++;
        at += (size_t)hit + m;
    }
    return found;
}

#undef CHAR
#undef CHAR_SIZE
#undef FN
