// One-instruction operations on eight doubles that Swift's SIMD8<Double> cannot name: it would call
// the scalar library eight times. Each compiles for the instruction set of the importing module.
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

/// The correctly rounded square root of each lane.
POISE_LANES_INLINE poise_lanes poise_square_root(poise_lanes a) {
    return __builtin_elementwise_sqrt(a);
}

/// Whether any lane of a mask (0 or all ones) is set.
POISE_LANES_INLINE bool poise_any(poise_lane_mask mask) {
    return __builtin_reduce_or(mask) != 0;
}

#endif
