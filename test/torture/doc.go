// Package torture judges the program as it is shipped, from outside: the built
// binary is killed, starved and lied to while it syncs a simulated source over
// real HTTP, and afterwards what it published must equal the source.
//
// One invariant holds in every test: whatever happened to a run, those who read
// meanwhile saw whole files, and the next run that is left alone ends with exit
// 0, the source's rows in flashback.duckdb and in the Parquet files, a manifest
// that fits, and nothing left over.
//
// A run is stopped at a chosen system call by a tracer of our own. strace counts
// calls for each thread and Go moves its work among threads, so "the 30th write"
// means nothing to it, and the temporary files' names, which it could be told
// to wait for, are random. The tracer counts for the whole process and sees the
// paths.
//
// Environment: TORTURE_BIN is a binary to judge instead of one built here,
// TORTURE_KILLS the number of random kills (200), TORTURE_SEED their seed, and
// TORTURE_ALL makes tests that sample the system calls of a run try them all.
// With CI set, a test whose tools are missing fails instead of being skipped.
package torture
