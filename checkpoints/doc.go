// Package checkpoints knows which ranges of time have been read completely,
// and which are still due.
//
// Coverage is a ledger of intervals for each stream and filter set, not one
// watermark: an interrupted backfill leaves exact gaps, and a changed filter set
// is a different key with nothing covered yet. The watermarks of a run are
// derived from the ledger, never stored beside it.
//
// Invariants: a Set is sorted and its intervals neither touch nor overlap;
// the ledger can only be written through the transaction that commits the rows
// that it covers, so it never claims more than the tables contain.
package checkpoints
