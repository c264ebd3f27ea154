package trace

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// patience is how long the end of a run waits for the collector.
const patience = 5 * time.Second

// exporter sends for as long as anybody waits for it, and says once, in words of
// our own, that it could not. It keeps its errors from the SDK, whose handler is
// global.
type exporter struct {
	sdk.SpanExporter
	warn    func(string)
	wait    time.Duration // for all that is left at the end
	once    sync.Once
	giveUp  context.CancelFunc
	endless context.Context // until giveUp
}

func newExporter(to sdk.SpanExporter, warn func(string)) *exporter {
	e := &exporter{SpanExporter: to, warn: warn, wait: patience}
	e.endless, e.giveUp = context.WithCancel(context.Background())
	return e
}

// ExportSpans implements sdk.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(ctx, e.wait*4/5) // so that its own reason comes first
	defer cancel()
	defer context.AfterFunc(e.endless, cancel)()
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.lost(err)
	}
	return nil
}

// finish hands over what is left, and gives up after some time.
func (e *exporter) finish(ctx context.Context, provider *sdk.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.wait)
	defer cancel()
	defer e.giveUp()
	if err := provider.Shutdown(ctx); err != nil {
		e.lost(err)
	}
}

func (e *exporter) lost(err error) {
	e.once.Do(func() {
		e.warn("the run cannot be traced completely, the collector did not take all spans: " + sentence(err))
	})
}

// statusOf finds the status in an error of the SDK, which has it in its text only.
var statusOf = regexp.MustCompile(`: ([1-5][0-9][0-9]) [^:]*\(body: `)

// sentence says why, and nothing of where: the error holds the address, and what
// the collector answered.
func sentence(err error) string {
	var (
		late        net.Error
		name        *net.DNSError
		number      syscall.Errno
		certificate *tls.CertificateVerificationError
	)
	switch {
	case strings.Contains(err.Error(), "retry-able request failure: body: "): // 429 or 5xx, and it stayed so
		return "it takes none at present"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &late) && late.Timeout():
		return "no answer in time"
	case errors.As(err, &name):
		return "the name of its host is not known"
	case errors.As(err, &certificate):
		return "its certificate is not accepted"
	case errors.As(err, &number):
		return number.Error()
	}
	if found := statusOf.FindStringSubmatch(err.Error()); found != nil {
		return "HTTP " + found[1]
	}
	return "it refused them"
}
