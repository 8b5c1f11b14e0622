// A C host: opens the shared library, as it is installed, and calls it in a loop.
#ifndef CALLER_H
#define CALLER_H

#include <stddef.h>
#include <stdint.h>

typedef struct caller caller;

/// NULL where the library cannot be used.
caller *caller_open(const char *library);

/// Options in full form and nine columns of `count` rows one behind the other for the Greeks that a book is run on.
void caller_set(
    caller *caller, size_t count, const uint8_t *type, const double *spot, const double *strike, const double *years,
    const double *volatility, const double *rate, const double *dividend, double *greeks);

/// Calls poise_greeks that often; the number of calls that failed.
long caller_greeks(caller *caller, long repetitions);

/// Calls a function that does nothing but look at its argument: what a call costs at least.
long caller_nothing(caller *caller, long repetitions);

#endif
