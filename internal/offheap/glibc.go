package offheap

/*
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
static void return_large_blocks(void) { mallopt(M_MMAP_THRESHOLD, 256 << 10); }
#else
static void return_large_blocks(void) {}
#endif
*/
import "C"

// returnLargeBlocks makes the C library give blocks of 256 KiB and more back to the
// system when they are freed. Left alone it raises that bound to the largest block
// freed so far, and what it keeps lies in pieces: some 50 MB after a long sync.
func returnLargeBlocks() { C.return_large_blocks() }
