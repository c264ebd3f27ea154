// jemalloc reads this variable once, before main, after DuckDB's own settings
// (narenas: one for each core; both delays 1 s). DuckDB's definition is weak. Where a
// DuckDB has no jemalloc, nobody reads it.
//
// narenas: one heap for all threads. muzzy_decay_ms: freed pages that were kept for a
// second are returned, instead of being offered to the system, which counts them as
// ours until it is short of memory.
const char *duckdb_je_malloc_conf_2_conf_harder = "narenas:1,muzzy_decay_ms:0";
