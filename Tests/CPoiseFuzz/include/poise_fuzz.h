// Calls of the C ABI with random arguments: right ones, wrong ones, and mixtures.
#ifndef POISE_FUZZ_H
#define POISE_FUZZ_H

#include <stdint.h>

/// What a run came to.
typedef struct poise_fuzz_outcome {
    /// Calls that succeeded, and that failed with a status.
    uint64_t succeeded, failed;
    /// Broken promises: statuses that there are none of, failures without a message, writes outside of buffers,
    /// NaN where a row was said to be computed.
    uint64_t broken;
    /// Failures by status.
    uint64_t statuses[16];
} poise_fuzz_outcome;

/// Makes `calls` calls; the same ones for the same seed. Prints the first broken promises.
poise_fuzz_outcome poise_fuzz(uint64_t seed, uint64_t calls);

/// Lets every floating point exception trap from here on, and none.
static inline void poise_test_unmask(void) {
#if defined(__x86_64__)
    const uint32_t sse = 0;
    const uint16_t x87 = 0x0340;
    __asm__ volatile("fnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(x87), "m"(sse) : "memory");
#endif
}

static inline void poise_test_mask(void) {
#if defined(__x86_64__)
    const uint32_t sse = 0x1F80;
    const uint16_t x87 = 0x037F;
    __asm__ volatile("fnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(x87), "m"(sse) : "memory");
#endif
}

#endif
