#define _GNU_SOURCE
#include "machine_limits.h"

#include <sched.h>

typedef double lanes __attribute__((ext_vector_type(8)));

#if defined(__x86_64__)
#if defined(__AVX512F__)
typedef double native __attribute__((vector_size(64)));
#define REGISTER "+v"
#define LOGIC "vpxorq"
#elif defined(__FMA__)
typedef double native __attribute__((vector_size(32)));
#define REGISTER "+x"
#define LOGIC "vpxor"
#endif
#endif

#ifdef REGISTER
int machine_width(void) { return sizeof(native) / sizeof(double); }

// Instructions by name, so that the compiler can neither merge nor drop any.
#define MULTIPLY_ADD(x) __asm__ volatile("vfmadd213pd %1, %2, %0" : REGISTER(x) : "v"(a), "v"(b))
#define ADD(x) __asm__ volatile("vaddpd %1, %0, %0" : REGISTER(x) : "v"(a))
#define DIVIDE(x) __asm__ volatile("vdivpd %1, %0, %0" : REGISTER(x) : "v"(b))
#define XOR(x) __asm__ volatile(LOGIC " %1, %0, %0" : REGISTER(x) : "v"(a))
#define LOAD(x, p) __asm__ volatile("vmovupd %1, %0" : "=v"(x) : "m"(p))
#define STORE(x, p) __asm__ volatile("vmovupd %1, %0" : "=m"(p) : "v"(x))

#define ROUNDS(OTHER)                                                    \
    for (size_t round = 0; round < rounds; round++) {                    \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < 8; i++) { \
            MULTIPLY_ADD(x[3 * i % 12]);                                 \
            OTHER;                                                       \
            MULTIPLY_ADD(x[(3 * i + 1) % 12]);                           \
            MULTIPLY_ADD(x[(3 * i + 2) % 12]);                           \
        }                                                                \
    }

static double mix(int kind, size_t rounds) {
    native x[12], y[8];
    const native a = (native){} + 1e-6, b = (native){} + 0.999999;
    for (int i = 0; i < 12; i++) x[i] = (native){} + 1.0;
    for (int i = 0; i < 8; i++) y[i] = (native){} + 1.0;
    static native memory[2][64] __attribute__((aligned(64)));
    switch (kind) {
    case MACHINE_MULTIPLY_ADD:
        ROUNDS(MULTIPLY_ADD(y[i])) break;
    case MACHINE_ADD:
        ROUNDS(ADD(y[i])) break;
    case MACHINE_LOGIC:
        ROUNDS(XOR(y[i])) break;
    case MACHINE_LOAD:
        ROUNDS(LOAD(y[i], memory[0][i])) break;
    case MACHINE_STORE:
        ROUNDS(STORE(a, memory[1][8 * (round & 7) + i])) break;
    case MACHINE_DIVIDE:
        ROUNDS(if (i % 4 == 0) DIVIDE(y[i])) break;
    default:
        ROUNDS() break;
    }
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += x[i][0];
    for (int i = 0; i < 8; i++) sum += y[i][0];
    return sum;
}
#else
int machine_width(void) { return 2; }

static double mix(int kind, size_t rounds) {
    (void)kind;
    double x[48];
    for (int i = 0; i < 48; i++) x[i] = 1.0 + i;
    for (size_t round = 0; round < rounds; round++)
        for (int i = 0; i < 48; i++) x[i] = __builtin_fma(x[i], 0.999999, 1e-6);
    return x[0] + x[47];
}
#endif

double machine_mix(enum machine_kind kind, size_t rounds) { return mix(kind, rounds); }

double machine_multiply_adds(size_t rounds) { return mix(-1, rounds); }

static inline __attribute__((always_inline)) void stream(
    size_t n, const double *const *in, const int ins, double *const *out, const int outs) {
    for (size_t i = 0; i < n; i += 8) {
        lanes sum = *(const lanes *)(in[0] + i);
#pragma clang loop unroll(full)
        for (int c = 1; c < ins; c++) sum += *(const lanes *)(in[c] + i);
#pragma clang loop unroll(full)
        for (int c = 0; c < outs; c++) __builtin_nontemporal_store(sum, (lanes *)(out[c] + i));
    }
}

void machine_stream(size_t n, const double *const *in, int ins, double *const *out, int outs) {
    if (ins == 4 && outs == 9) stream(n, in, 4, out, 9);
    if (ins == 4 && outs == 15) stream(n, in, 4, out, 15);
    if (ins == 6 && outs == 9) stream(n, in, 6, out, 9);
    if (ins == 6 && outs == 15) stream(n, in, 6, out, 15);
}

int machine_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
