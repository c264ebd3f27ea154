package trace

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// mostRequests bounds the spans of a run; a backfill sends a hundred times more.
const mostRequests = 1000

// mostText bounds a text in an attribute, in bytes.
const mostText = 1000

// Options say what is traced, and where to.
type Options struct {
	// Endpoint is an OTLP/HTTP base URL such as http://localhost:4318. Without it
	// the standard variables OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and
	// OTEL_EXPORTER_OTLP_ENDPOINT of the process are read, and without these
	// nothing is traced.
	Endpoint string
	RunID    string
	Job      string // "" if it is none
	Command  string // sync, verify or repair
	Version  string
	Started  time.Time
	// Warn is told once if spans were lost; it may be called from another
	// goroutine, and be nil.
	Warn func(message string)
}

// Run is a run that is traced. It is safe for concurrent use.
type Run struct {
	provider *sdk.TracerProvider
	exporter *exporter
	tracer   trace.Tracer
	root     trace.Span
	inRoot   context.Context

	mu       sync.Mutex
	pending  []Request // of the stream that has not ended yet
	kept     int       // requests with a span
	untraced int       // requests without
	mark     time.Time // when the last stream or publication ended
}

// Request is one request to the source. It has the fields of extract.Attempt.
type Request struct {
	Endpoint string // path without ids and query
	Status   int    // of the answer; 0 if there was none
	Started  time.Time
	Took     time.Duration
	Retry    bool
}

// Stream is how a stream of the run ended.
type Stream struct {
	Started, Ended                        time.Time
	Requests                              int64
	Received, Inserted, Updated, Rejected int64
	Complete                              bool
	Err                                   error // its text holds no secret; may be nil
}

// Outcome is how the run ended.
type Outcome struct {
	Ended    time.Time
	Status   string // as in the journal
	ExitCode int
	Err      error // its text holds no secret; may be nil
}

// Request notes a request. It returns at once.
func (r *Run) Request(request Request) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == mostRequests {
		r.untraced++
		return
	}
	r.kept++
	r.pending = append(r.pending, request)
}

// StreamEnded shows a stream and the requests since the last one: streams run one
// after the other.
func (r *Run) StreamEnded(name string, s Stream) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, span := r.tracer.Start(r.inRoot, "stream "+name, trace.WithTimestamp(s.Started), trace.WithAttributes(
		attribute.String("flashback.stream", name),
		attribute.Int64("flashback.requests", s.Requests),
		attribute.Int64("flashback.rows.received", s.Received),
		attribute.Int64("flashback.rows.inserted", s.Inserted),
		attribute.Int64("flashback.rows.updated", s.Updated),
		attribute.Int64("flashback.rows.rejected", s.Rejected),
		attribute.Bool("flashback.complete", s.Complete),
	))
	r.flushRequests(ctx)
	fail(span, s.Err)
	span.End(trace.WithTimestamp(s.Ended))
	r.mark = s.Ended
}

// Published shows what was published, from the end of the last stream or
// publication on.
func (r *Run) Published(message string, at time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, span := r.tracer.Start(r.inRoot, "publish", trace.WithTimestamp(r.mark),
		trace.WithAttributes(attribute.String("flashback.published", cut(message))))
	span.End(trace.WithTimestamp(at))
	r.mark = at
}

// End shows the run and hands over what is left, for 5 s at most, also if the
// context is cancelled. Nothing may be called after it.
func (r *Run) End(ctx context.Context, outcome Outcome) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flushRequests(r.inRoot) // such as those of a verification
	r.root.SetAttributes(
		attribute.String("flashback.status", outcome.Status),
		attribute.Int("process.exit.code", outcome.ExitCode),
		attribute.Int("flashback.requests.untraced", r.untraced),
	)
	fail(r.root, outcome.Err)
	r.root.End(trace.WithTimestamp(outcome.Ended))
	r.exporter.finish(ctx, r.provider)
}

// flushRequests makes spans of the requests that were noted.
func (r *Run) flushRequests(ctx context.Context) {
	for _, q := range r.pending {
		_, span := r.tracer.Start(ctx, "GET "+q.Endpoint, trace.WithTimestamp(q.Started), trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(
				attribute.String("http.request.method", "GET"),
				attribute.String("url.template", q.Endpoint),
				attribute.Bool("flashback.retry", q.Retry),
			))
		if q.Status != 0 {
			span.SetAttributes(attribute.Int("http.response.status_code", q.Status))
		}
		if q.Status < 200 || q.Status > 299 {
			span.SetStatus(codes.Error, "")
		}
		span.End(trace.WithTimestamp(q.Started.Add(q.Took)))
	}
	r.pending = nil
}

func fail(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, cut(err.Error()))
	}
}
