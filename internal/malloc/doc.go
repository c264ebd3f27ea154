// Package malloc makes the C library give memory back. Importing it is all there is to
// do: the allocator has to be set up before the first thread asks for memory, which is
// before any Go code runs.
//
// DuckDB's many small objects, its Parquet writer and the batches of rows come from the
// C library. Each thread gets a heap of its own there, and what it frees waits for it. Go
// runs a call of C in whatever thread is free, so that every heap grows to what one needs
// at most.
package malloc

import "C" // the package has C files
