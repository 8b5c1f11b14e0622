/* A function that does nothing, with the arguments of a call for the Greeks: seven columns in, nine out. */
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *type;
    const double *spot, *strike, *years, *volatility, *rate, *dividend;
} target_columns;

static inline int target_greeks(const target_columns *in, size_t count, double *const out[9]) {
    for (int i = 0; i < 9; i++)
        if (count) out[i][0] = in->spot[0];
    return in->type[0] > 1;
}
