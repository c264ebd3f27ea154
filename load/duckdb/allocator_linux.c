#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>

// DuckDB's small objects, its Parquet writer and the batches of rows come from the C
// library. By default each thread gets a heap of its own there and keeps what it frees. Go
// runs a call of C in any free thread, so that every heap would grow to the most that one
// call needs. So all threads share one heap, and blocks of 256 KiB and more go back to the
// system when they are freed: by default that bound rises to the largest block freed so far.
//
// It runs before the first thread allocates, which is before any Go code runs.
__attribute__((constructor)) static void limit_heaps(void) {
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
}
#endif
