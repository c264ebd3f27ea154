// Package malloc makes the two C allocators of a process give memory back. Importing
// it is all there is to do: both have to be told before the first thread asks for
// memory, which is before any Go code runs.
//
// What DuckDB holds in buffers and hash tables comes from its own jemalloc; its many
// small objects, its Parquet writer and the batches of package offheap come from the
// C library. Both are made for speed on many threads: each thread gets a heap of its
// own out of some, and what it frees waits there for it. Go runs a call of C in
// whatever thread is free, so that every heap grows to what one needs at most. And a
// thread's heap in the C library is never cut in the middle: it only grows, with
// holes, as history does.
//
// Measured with a full sync of 5,000,000 rows on two cores. Of 370 MB at the peak
// DuckDB had 90 MB in use and as much again in jemalloc that was freed, and the C
// library 91 MB for 45 in use, 52 MB more than after 500,000 rows. One heap in each,
// and freed pages returned after a second, come to 261 MB for no more CPU time.
// Returning them after a fifth of a second would save another 10 MB for 5 to 10% more
// CPU, at once (a delay of 0) 20 MB for a fifth more.
package malloc

import "C" // the package has C files
