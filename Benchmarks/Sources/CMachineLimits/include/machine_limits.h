// What this machine can do at most, to hold measured times against.
#ifndef MACHINE_LIMITS_H
#define MACHINE_LIMITS_H

#include <stddef.h>

/// Does that many multiply-adds on eight doubles each, in twelve chains that do not wait for each other, with the
/// widest registers there are. The result keeps the compiler from leaving them out.
double machine_multiply_adds(size_t count);

/// Reads eight of `ins` columns at a time and writes eight of `outs`, and nothing else: what a kernel with these
/// columns cannot beat where they come from memory. `n` is a multiple of 8; columns on 64 bytes; 4 or 6 in, 9 or
/// 15 out.
void machine_stream(size_t n, const double *const *in, int ins, double *const *out, int outs);

#endif
