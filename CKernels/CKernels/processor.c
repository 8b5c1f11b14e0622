#include "poise_processor.h"

#if defined(__x86_64__)

bool poise_processor_has_avx2(void) { return __builtin_cpu_supports("x86-64-v3"); }

bool poise_processor_has_avx512(void) { return __builtin_cpu_supports("x86-64-v4"); }

#else

bool poise_processor_has_avx2(void) { return false; }

bool poise_processor_has_avx512(void) { return false; }

#endif
