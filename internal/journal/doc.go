// Package journal records how runs went, beside the warehouse and without it.
//
// A line of state/runs.jsonl is one run (or one slot of a schedule that was
// skipped), written once by the process that ran, in whichever way it ended;
// a run that was killed is recorded by whoever finds its progress file. The
// journal is for the status page, for metrics and for alarms: no decision about
// rows depends on it, and losing it loses no row.
//
// It does not grow without end: Append folds runs beyond the newest into one
// line of totals, so that counters never go backwards.
package journal
