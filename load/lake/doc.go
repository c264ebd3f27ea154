// Package lake publishes the Parquet lake: one stable file for each table and
// partition, and manifest.json, which names them all.
//
//	lake/alerts/date=2024-01-15/alerts.parquet
//	lake/policy_stats/month=2024-01/policy_stats.parquet
//	lake/manifest.json
//
// A file is written under a temporary name, mostly by DuckDB, fsynced, described and
// renamed; several at once. Only partitions whose rows changed are written again.
//
// Every file is complete when it gets its name, so a reader may open any of them at any
// moment. The manifest is written last. After a crash before that, the partitions are still
// listed as changed and the next run publishes them.
package lake
