package trace

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const tracesPath = "/v1/traces"

// Start begins to trace a run, or returns nil if it is to be traced nowhere. It
// asks nobody. Headers, certificates, timeouts and the sampler are the standard
// OTEL_ variables, which the SDK reads from the process's environment.
func Start(ctx context.Context, o Options) *Run {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	target, name := endpoint(o.Endpoint)
	if target == "" {
		if name != "" {
			o.Warn(name + " is not an http(s) URL: the run is not traced")
		}
		return nil
	}
	silence()
	sent, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(target), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
		Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: patience,
	}))
	if err != nil {
		o.Warn("the settings of OTEL_EXPORTER_OTLP_* do not fit together: the run is not traced")
		return nil
	}
	r := &Run{exporter: newExporter(sent, o.Warn)}
	r.provider = sdk.NewTracerProvider(sdk.WithResource(describe(ctx, o.Version)), sdk.WithBatcher(r.exporter))
	r.tracer = r.provider.Tracer("flashback-sync")
	r.mark = cmp.Or(o.Started, time.Now())
	r.inRoot, r.root = r.tracer.Start(context.WithoutCancel(ctx), o.Command, trace.WithTimestamp(r.mark), trace.WithAttributes(
		attribute.String("flashback.run_id", o.RunID),
		attribute.String("flashback.command", o.Command),
		attribute.String("flashback.job", o.Job),
		attribute.String("flashback.version", o.Version),
	))
	return r
}

// silence keeps the SDK from writing to stderr by itself: it quotes headers and
// addresses that it cannot read.
func silence() {
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
}

// describe says who sends, as far as OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES say nothing else.
func describe(ctx context.Context, version string) *resource.Resource {
	all, err := resource.New(
		ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "flashback-sync"), attribute.String("service.version", version)),
		resource.WithFromEnv(),
	)
	if all == nil || err != nil && all.Len() == 0 { // a variable that cannot be read counts for nothing
		return resource.Empty()
	}
	return all
}

// endpoint is the URL that spans are sent to, "" if there is none: then name is
// the setting that is wrong, if one is. What is configured goes before the
// environment; a variable for traces is taken as it is, a general one is a base.
func endpoint(configured string) (target, name string) {
	if disabled, _ := os.LookupEnv("OTEL_SDK_DISABLED"); strings.EqualFold(disabled, "true") {
		return "", ""
	}
	if configured != "" {
		return below(configured, "traces.endpoint")
	}
	if os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return "", ""
	}
	const own, general = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
	if text := os.Getenv(own); text != "" {
		if parse(text) == nil {
			return "", own
		}
		return text, own
	}
	return below(os.Getenv(general), general)
}

// below adds the path for traces to a base, unless it is there already.
func below(base, setting string) (target, name string) {
	if base == "" {
		return "", ""
	}
	u := parse(base)
	if u == nil {
		return "", setting
	}
	if !strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), tracesPath) {
		u = u.JoinPath(tracesPath)
	}
	return u.String(), setting
}

func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}

func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), mostText)], "")
}
