#include "machine_limits.h"

typedef double lanes __attribute__((ext_vector_type(8)));

double machine_multiply_adds(size_t count) {
    enum { CHAINS = 12 };
    lanes chain[CHAINS];
    for (int c = 0; c < CHAINS; c++) chain[c] = (lanes)(1.0 + c);
    lanes factor = (lanes)(0.999999), summand = (lanes)(1e-6);
    for (size_t i = 0; i < count; i += CHAINS) {
#pragma clang loop unroll(full)
        for (int c = 0; c < CHAINS; c++) chain[c] = __builtin_elementwise_fma(chain[c], factor, summand);
    }
    double sum = 0;
    for (int c = 0; c < CHAINS; c++) sum += chain[c][0] + chain[c][7];
    return sum;
}

static inline __attribute__((always_inline)) void stream(
    size_t n, const double *const *in, const int ins, double *const *out, const int outs) {
    for (size_t i = 0; i < n; i += 8) {
        lanes sum = *(const lanes *)(in[0] + i);
#pragma clang loop unroll(full)
        for (int c = 1; c < ins; c++) sum += *(const lanes *)(in[c] + i);
#pragma clang loop unroll(full)
        for (int c = 0; c < outs; c++) *(lanes *)(out[c] + i) = sum;
    }
}

void machine_stream(size_t n, const double *const *in, int ins, double *const *out, int outs) {
    if (ins == 4 && outs == 9) stream(n, in, 4, out, 9);
    if (ins == 4 && outs == 15) stream(n, in, 4, out, 15);
    if (ins == 6 && outs == 9) stream(n, in, 6, out, 9);
    if (ins == 6 && outs == 15) stream(n, in, 6, out, 15);
}
