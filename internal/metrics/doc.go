// Package metrics shows a status to Prometheus: as a page that is scraped, and as
// a file for node_exporter's textfile collector.
//
// Every metric is drawn from one [status.Status] and says what that says. What is
// not known is absent and not 0: a stream has no lag before it was read completely
// once. Counters are sums over the whole journal, so that they never go backwards.
// Label values come from fixed lists, whatever the journal or the source says, so
// that nobody can make more than a few hundred series.
//
// What changes by the clock alone (a lag, a run under way) is left out of the
// file, where it would stand still between runs: a file has the moment up to which
// a stream is complete instead, and a rule compares that with time().
package metrics
