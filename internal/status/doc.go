// Package status gathers what is known of a data_dir into one value, from what
// is published, the journal and the schedule. The status page, the report, the
// metrics and the alarms are drawn from it and from nothing else, so that they
// cannot disagree.
//
// Holdings, the part that needs DuckDB, is read by a process of its own where a
// server needs it: nothing that a file does to DuckDB can take the scheduler
// down. Reading changes nothing and waits for nobody.
package status
