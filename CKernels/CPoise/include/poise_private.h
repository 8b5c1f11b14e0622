// What the Swift side of the C ABI needs of C: a place per thread for errors, and a working space on the stack.
// Not installed, not exported.
#ifndef POISE_PRIVATE_H
#define POISE_PRIVATE_H

#include <stdint.h>

#include "poise.h"

/// Keeps an error for `poise_last_error` and its kin; texts are cut where they are too long.
void poise_private_set_error(
    const char *message, const char *reason, poise_place_kind kind, const char *place, int64_t row, const char *field,
    const char *text, double value, int64_t earlier_row);
const char *poise_private_message(void);
const char *poise_private_reason(void);
poise_place_kind poise_private_place_kind(void);
const char *poise_private_place(void);
const char *poise_private_field(void);
const char *poise_private_text(void);
int64_t poise_private_row(void);
int64_t poise_private_earlier_row(void);
double poise_private_value(void);

/// Rows of a block that strided columns are copied to.
#define POISE_PRIVATE_BLOCK 256
/// Columns of such a block: seven of inputs, and as many outputs as there are Greeks.
#define POISE_PRIVATE_COLUMNS (7 + POISE_GREEK_COUNT)

/// The caller's floating point environment, of SSE and of the x87.
typedef struct poise_private_environment {
    uint32_t sse;
    uint16_t x87;
} poise_private_environment;

#if defined(__x86_64__)
// Round to nearest, nothing traps, denormals are kept; without the bits of the first that only tell what has happened.
#define POISE_PRIVATE_SSE 0x1F80u
#define POISE_PRIVATE_SSE_MODES 0xFFC0u
#define POISE_PRIVATE_X87 0x033Fu
#define POISE_PRIVATE_X87_MODES 0x0F3Fu
#endif

/// Sets the environment in which results are promised, where it is another.
static inline poise_private_environment poise_private_enter(void) {
    poise_private_environment found = {0, 0};
#if defined(__x86_64__)
    __asm__ volatile("stmxcsr %0" : "=m"(found.sse) : : "memory");
    __asm__ volatile("fnstcw %0" : "=m"(found.x87) : : "memory");
    if ((found.sse & POISE_PRIVATE_SSE_MODES) != POISE_PRIVATE_SSE) {
        const uint32_t own = POISE_PRIVATE_SSE;
        __asm__ volatile("ldmxcsr %0" : : "m"(own) : "memory");
    }
    if ((found.x87 & POISE_PRIVATE_X87_MODES) != POISE_PRIVATE_X87) {
        const uint16_t own = POISE_PRIVATE_X87;
        __asm__ volatile("fldcw %0" : : "m"(own) : "memory");
    }
#endif
    return found;
}

/// Sets the caller's again, and forgets what has happened meanwhile, which would trap.
static inline void poise_private_leave(poise_private_environment found) {
#if defined(__x86_64__)
    if ((found.sse & POISE_PRIVATE_SSE_MODES) != POISE_PRIVATE_SSE)
        __asm__ volatile("ldmxcsr %0" : : "m"(found.sse) : "memory");
    if ((found.x87 & POISE_PRIVATE_X87_MODES) != POISE_PRIVATE_X87)
        __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(found.x87) : "memory");
#else
    (void)found;
#endif
}

/// Calls `body` with POISE_PRIVATE_BLOCK · POISE_PRIVATE_COLUMNS doubles on the stack.
void poise_private_with_block(void *context, void (*body)(void *context, double *block));

#endif
