package offheap

/*
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
static void spare(void) {
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_ARENA_MAX, 1);
}
#else
static void spare(void) {}
#endif
*/
import "C"

// spare makes the C library give blocks of 256 KiB and more back to the system when
// they are freed: left alone it raises that bound to the largest block freed so far,
// and what it keeps lies in pieces. And it makes all threads share one heap, instead
// of each leaving holes in its own. Together that is some 75 MB after a long sync.
func spare() { C.spare() }
