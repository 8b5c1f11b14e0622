// Counts heap allocations of the calling thread by standing in for the C library's allocator.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

/// Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign by this thread so far.
unsigned long allocation_count(void);

#endif
