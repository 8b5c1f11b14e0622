#ifndef MACHINE_LIMITS_H
#define MACHINE_LIMITS_H

#include <stddef.h>

/// What a loop can be made of: instructions on the widest registers that this was compiled for.
enum machine_kind {
    MACHINE_MULTIPLY_ADD,
    MACHINE_ADD,
    MACHINE_LOGIC,
    MACHINE_LOAD,
    MACHINE_STORE,
    MACHINE_DIVIDE,
    MACHINE_KINDS
};

/// Doubles in one of those registers: 8 or 4.
int machine_width(void);

/// `rounds` times 24 independent multiply-adds, and among them 8 instructions of a kind (2 divisions; of
/// multiply-adds, 8 more). So what an instruction of a kind costs beside multiply-adds is the difference in time.
double machine_mix(enum machine_kind kind, size_t rounds);

/// 24 multiply-adds alone, `rounds` times.
double machine_multiply_adds(size_t rounds);

/// Reads `ins` columns of n doubles and writes their sum to `outs` columns, past the caches as bulk results are:
/// (4 or 6, 9 or 15), n a multiple of 8, all 64-byte aligned.
void machine_stream(size_t n, const double *const *in, int ins, double *const *out, int outs);

/// Processors that this process may use.
int machine_processors(void);

#endif
