// What the processor that runs the program can do.
#ifndef POISE_PROCESSOR_H
#define POISE_PROCESSOR_H

#include <stdbool.h>

/// AVX2, FMA, BMI2 and the operating system's consent to the 256-bit registers (x86-64-v3).
bool poise_processor_has_avx2(void);

/// AVX-512 F, BW, CD, DQ, VL and the operating system's consent to the 512-bit registers (x86-64-v4).
bool poise_processor_has_avx512(void);

#endif
