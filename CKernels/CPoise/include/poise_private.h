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
#define POISE_PRIVATE_COLUMNS 22

/// Calls `body` with POISE_PRIVATE_BLOCK · POISE_PRIVATE_COLUMNS doubles on the stack.
void poise_private_with_block(void *context, void (*body)(void *context, double *block));

#endif
