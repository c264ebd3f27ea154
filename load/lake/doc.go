// Package lake publishes the Parquet lake: one stable file for each table and
// partition, and manifest.json, which names them all.
//
//	lake/alerts/date=2024-01-15/alerts.parquet
//	lake/policy_stats/month=2024-01/policy_stats.parquet
//	lake/manifest.json
//
// A file is written beside its place, mostly by DuckDB, synced, described and put
// in its place; several at once. What was written is noted in the manifest.
//
// Only partitions whose rows changed are written again. Every file is put in its
// place whole, so a reader may open any of them at any moment. The manifest is
// written last: what it says of a file was true when it was written, and after a
// crash in between the partitions are still listed as changed and are published
// by the next run.
package lake
