// Package schedule decides when a job runs, and runs it: the supervisor of
// `serve`. It knows neither HTTP nor DuckDB, so that nothing a run does to a
// file can take it down: a run is a process of its own (Child).
//
//   - Plan: an expression and a time zone; which slots it has, also when clocks
//     change.
//   - Supervisor: one loop that reads the wall clock and starts what is due.
//   - Child: a run as a child process.
//
// Its invariants: a slot leads to one run at most. Of all jobs one runs at a
// time, since they work on one data_dir. However long nothing looked at the
// clock, a job has one run to catch up with. The loop waits for nothing that a
// run does, so it beats as long as it works.
package schedule
