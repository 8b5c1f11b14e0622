// Operations on eight doubles that Swift's SIMD8<Double> cannot name: it would call the scalar library
// eight times, or shuffle lane by lane. Each compiles for the instruction set of the importing module.
#ifndef POISE_LANES_H
#define POISE_LANES_H

#include <stdbool.h>

typedef double poise_lanes __attribute__((ext_vector_type(8)));
typedef long long poise_lane_mask __attribute__((ext_vector_type(8)));

#define POISE_LANES_INLINE static inline __attribute__((always_inline, const))

/// a·b + c, rounded once. Only for modules whose instruction set has it: without, it calls libm.
POISE_LANES_INLINE poise_lanes poise_fused_multiply_add(poise_lanes a, poise_lanes b, poise_lanes c) {
    return __builtin_elementwise_fma(a, b, c);
}

/// a·b + c, each operation rounded. Swift's own operators are eight scalar ones each, which LLVM's vectorizer must
/// find again; in large bodies it misses some.
POISE_LANES_INLINE poise_lanes poise_multiply_add(poise_lanes a, poise_lanes b, poise_lanes c) {
#pragma clang fp contract(off)
    return a * b + c;
}

/// Whole vectors from the start: in long bodies LLVM's vectorizer does not join Swift's eight scalar operations again.
POISE_LANES_INLINE poise_lanes poise_add(poise_lanes a, poise_lanes b) { return a + b; }
POISE_LANES_INLINE poise_lanes poise_subtract(poise_lanes a, poise_lanes b) { return a - b; }
POISE_LANES_INLINE poise_lanes poise_multiply(poise_lanes a, poise_lanes b) { return a * b; }
POISE_LANES_INLINE poise_lanes poise_divide(poise_lanes a, poise_lanes b) { return a / b; }

/// The larger, or the smaller, of two lanes; that of b where one is NaN.
POISE_LANES_INLINE poise_lanes poise_larger(poise_lanes a, poise_lanes b) { return a > b ? a : b; }
POISE_LANES_INLINE poise_lanes poise_smaller(poise_lanes a, poise_lanes b) { return a < b ? a : b; }

/// The sums of the lanes of eight, one in each lane: neighbours first, then pairs, then halves.
POISE_LANES_INLINE poise_lanes poise_sums(
    poise_lanes a, poise_lanes b, poise_lanes c, poise_lanes d, poise_lanes e, poise_lanes f, poise_lanes g,
    poise_lanes h) {
#define POISE_NEIGHBOURS(x, y)                                  \
    (__builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14) + \
     __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15))
// Of lanes in twos.
#define POISE_PAIRS(x, y)                                       \
    (__builtin_shufflevector(x, y, 0, 1, 4, 5, 8, 9, 12, 13) +  \
     __builtin_shufflevector(x, y, 2, 3, 6, 7, 10, 11, 14, 15))
    const poise_lanes ab = POISE_NEIGHBOURS(a, b), cd = POISE_NEIGHBOURS(c, d);
    const poise_lanes ef = POISE_NEIGHBOURS(e, f), gh = POISE_NEIGHBOURS(g, h);
    const poise_lanes abcd = POISE_PAIRS(ab, cd), efgh = POISE_PAIRS(ef, gh);
    return POISE_PAIRS(abcd, efgh);
#undef POISE_NEIGHBOURS
#undef POISE_PAIRS
}

/// The correctly rounded square root of each lane.
POISE_LANES_INLINE poise_lanes poise_square_root(poise_lanes a) { return __builtin_elementwise_sqrt(a); }

#if defined(__AVX512F__)
/// 1/√a to 14 bits.
POISE_LANES_INLINE poise_lanes poise_rough_inverse_square_root(poise_lanes a) {
    typedef double all __attribute__((vector_size(64)));
    return (poise_lanes)__builtin_ia32_rsqrt14pd512_mask((all)a, (all)a, (unsigned char)-1);
}
#endif

/// What was read is read again after it rather than kept in a register: a load is cheaper than a spill.
static inline __attribute__((always_inline)) void poise_forget_memory(void) { __asm__ volatile("" ::: "memory"); }

/// Whether any lane of a mask (0 or all ones) is set.
POISE_LANES_INLINE bool poise_any(poise_lane_mask mask) { return __builtin_reduce_or(mask) != 0; }

/// Which lanes of a mask (0 or all ones) are set, the first one lowest.
POISE_LANES_INLINE unsigned char poise_bits(poise_lane_mask mask) {
    typedef bool bools __attribute__((ext_vector_type(8)));
    const bools set = __builtin_convertvector(mask, bools);
    unsigned char result;
    __builtin_memcpy(&result, &set, 1);
    return result;
}

/// Of a table of eight the entry that the low three bits of each lane name.
POISE_LANES_INLINE poise_lanes poise_entries(poise_lanes table, poise_lane_mask index) {
#if defined(__AVX512F__)
    typedef double all __attribute__((vector_size(64)));
    typedef long long places __attribute__((vector_size(64)));
    return (poise_lanes)__builtin_ia32_permvardf512((all)table, (places)index);
#elif defined(__AVX2__)
    // Each half of the table by pairs of floats, then one or the other by the third bit.
    typedef float floats __attribute__((vector_size(32)));
    typedef double half __attribute__((vector_size(32)));
    typedef int places __attribute__((vector_size(32)));
    typedef long long four __attribute__((ext_vector_type(4)));
    typedef int eight __attribute__((ext_vector_type(8)));
    const double __attribute__((ext_vector_type(4))) table_low = table.lo, table_high = table.hi;
    poise_lanes result;
#pragma clang loop unroll(full)
    for (int i = 0; i < 2; i++) {
        const four wanted = i ? index.hi : index.lo;
        const eight words = (eight)wanted;
        const places pairs = (places)(__builtin_shufflevector(words, words, 0, 0, 2, 2, 4, 4, 6, 6) << 1) +
                             (places){0, 1, 0, 1, 0, 1, 0, 1};
        const half low = (half)__builtin_ia32_permvarsf256((floats)table_low, pairs);
        const half high = (half)__builtin_ia32_permvarsf256((floats)table_high, pairs);
        const half entry = __builtin_ia32_blendvpd256(low, high, (half)(wanted << 61));
        if (i) {
            result.hi = (double __attribute__((ext_vector_type(4))))entry;
        } else {
            result.lo = (double __attribute__((ext_vector_type(4))))entry;
        }
    }
    return result;
#else
    poise_lanes result;
    for (int i = 0; i < 8; i++) result[i] = table[index[i] & 7];
    return result;
#endif
}

/// Stores past the caches; `place` is a multiple of 64 bytes. To be followed by `poise_finish_streams`.
static inline __attribute__((always_inline)) void poise_stream(double *place, poise_lanes a) {
    __builtin_nontemporal_store(a, (poise_lanes *)place);
}

/// Makes what `poise_stream` stored visible to readers of the caller's next store.
static inline __attribute__((always_inline)) void poise_finish_streams(void) {
#if defined(__x86_64__)
    __asm__ volatile("sfence" ::: "memory");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

// LLVM would see through the shuffles below and compute what they take apart lane by lane. An empty
// instruction that wants whole registers keeps the arithmetic in front of it whole.
#if defined(__AVX512F__)
#define POISE_KEEP_WHOLE(a) __asm__("" : "+v"(a))
#elif defined(__AVX__)
#define POISE_KEEP_WHOLE(a)                                                 \
    do {                                                                    \
        double __attribute__((ext_vector_type(4))) low = a.lo, high = a.hi; \
        __asm__("" : "+x"(low), "+x"(high));                                \
        a = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);     \
    } while (0)
#else
#define POISE_KEEP_WHOLE(a) (void)(a)
#endif

/// Stores eight vectors as rows, `stride` doubles apart: row i gets lane i of each, in order.
static inline __attribute__((always_inline)) void poise_store_transposed(
    double *rows, long stride, poise_lanes a, poise_lanes b, poise_lanes c, poise_lanes d, poise_lanes e, poise_lanes f,
    poise_lanes g, poise_lanes h) {
#define POISE_EVEN(x, y) __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14)
#define POISE_ODD(x, y) __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15)
// Pairs of lanes 0 and 2, or 1 and 3, of both: one instruction each, unlike other orders.
#define POISE_EVEN_PAIRS(x, y) __builtin_shufflevector(x, y, 0, 1, 4, 5, 8, 9, 12, 13)
#define POISE_ODD_PAIRS(x, y) __builtin_shufflevector(x, y, 2, 3, 6, 7, 10, 11, 14, 15)
    POISE_KEEP_WHOLE(a);
    POISE_KEEP_WHOLE(b);
    POISE_KEEP_WHOLE(c);
    POISE_KEEP_WHOLE(d);
    POISE_KEEP_WHOLE(e);
    POISE_KEEP_WHOLE(f);
    POISE_KEEP_WHOLE(g);
    POISE_KEEP_WHOLE(h);
    const poise_lanes ab[2] = {POISE_EVEN(a, b), POISE_ODD(a, b)};
    const poise_lanes cd[2] = {POISE_EVEN(c, d), POISE_ODD(c, d)};
    const poise_lanes ef[2] = {POISE_EVEN(e, f), POISE_ODD(e, f)};
    const poise_lanes gh[2] = {POISE_EVEN(g, h), POISE_ODD(g, h)};
#pragma clang loop unroll(full)
    for (int odd = 0; odd < 2; odd++) {
        const poise_lanes near_left = POISE_EVEN_PAIRS(ab[odd], cd[odd]);
        const poise_lanes near_right = POISE_EVEN_PAIRS(ef[odd], gh[odd]);
        const poise_lanes far_left = POISE_ODD_PAIRS(ab[odd], cd[odd]);
        const poise_lanes far_right = POISE_ODD_PAIRS(ef[odd], gh[odd]);
        const poise_lanes row[4] = {
            POISE_EVEN_PAIRS(near_left, near_right), POISE_EVEN_PAIRS(far_left, far_right),
            POISE_ODD_PAIRS(near_left, near_right), POISE_ODD_PAIRS(far_left, far_right)};
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) __builtin_memcpy(rows + (2 * i + odd) * stride, &row[i], sizeof row[i]);
    }
#undef POISE_EVEN
#undef POISE_ODD
#undef POISE_EVEN_PAIRS
#undef POISE_ODD_PAIRS
}

/// Stores two vectors as rows of two, `stride` doubles apart.
static inline __attribute__((always_inline)) void poise_store_pairs(
    double *rows, long stride, poise_lanes a, poise_lanes b) {
    typedef double pair __attribute__((ext_vector_type(2)));
    POISE_KEEP_WHOLE(a);
    POISE_KEEP_WHOLE(b);
    const poise_lanes even = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
    const poise_lanes odd = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    const pair row[8] = {__builtin_shufflevector(even, even, 0, 1), __builtin_shufflevector(odd, odd, 0, 1),
                         __builtin_shufflevector(even, even, 2, 3), __builtin_shufflevector(odd, odd, 2, 3),
                         __builtin_shufflevector(even, even, 4, 5), __builtin_shufflevector(odd, odd, 4, 5),
                         __builtin_shufflevector(even, even, 6, 7), __builtin_shufflevector(odd, odd, 6, 7)};
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) __builtin_memcpy(rows + i * stride, &row[i], sizeof row[i]);
}

#undef POISE_KEEP_WHOLE

#endif
