// Package audit compares what is stored with the source and with what is published,
// finds where they differ, and repairs that.
//
// Totals are requested, not rows: one small request for each day. Where a total
// and what is stored disagree, the day is split in halves until a few rows remain,
// and these are read. So the cost follows the damage and not the history. What is
// reported was found by comparing rows, never by a total alone.
//
// Totals cannot show a row that is missing beside one that is stored and gone at the
// source, in the same day. A full verification reads every row.
package audit
