// jemalloc reads this variable once, before main, after DuckDB's own settings
// (narenas: one for each core; both delays 1 s). DuckDB's definition is weak. Where a
// DuckDB has no jemalloc, nobody reads it.
//
// narenas: one heap for all threads. dirty_decay_ms: freed pages are kept for so long.
// muzzy_decay_ms: then they are returned at once, instead of being offered to the
// system, which counts them as ours until it is short of memory.
const char *duckdb_je_malloc_conf_2_conf_harder = "narenas:1,dirty_decay_ms:200,muzzy_decay_ms:0";
