// Package load keeps the private warehouse: state/warehouse.duckdb.
//
// There is one writer; a lock file keeps out others. A commit is one transaction
// with rows, rejects, the ledger intervals they complete and the list of
// partitions that changed: all or nothing. There is no way to save a checkpoint
// without the rows that it covers.
//
// Invariants: after Dedupe, ids are unique in every table although there is no
// index; nobody but this process opens the private file, so readers are never
// blocked and never block; what readers open is made from committed state by
// the publishers in lake and snapshot.
package load
