#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>

// spare makes all threads share one heap, and gives blocks of 256 KiB and more back to
// the system when they are freed: left alone the C library raises that bound to the
// largest block freed so far, and what it keeps lies in pieces.
__attribute__((constructor)) static void spare(void) {
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
}
#endif
