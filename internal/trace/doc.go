// Package trace shows a run as OpenTelemetry spans, sent by OTLP over HTTP: the
// run, its streams, their requests, and what was published.
//
// Tracing is a bystander. It never fails a run and never waits for a collector
// but at the end, and then a few seconds at most; one warning says that spans were
// lost. No text of it holds an endpoint or a header, which may be secrets. Spans
// are built when a stream ends, from what was noted until then, so that at most
// some hundred bytes for each of a bounded number of requests are held.
//
// A nil *Run traces nothing, so that callers need not ask whether to trace.
package trace
