/* For ctypes and cffi: the function in a library, and behind one with nothing but scalars. */
#include "target.h"

int target(const target_columns *in, size_t count, double *const out[9]) { return target_greeks(in, count, out); }
