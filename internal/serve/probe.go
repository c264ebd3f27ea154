package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

const probeTimeout = 5 * time.Second

// Probe checks that the serve that listens at host:port is healthy.
func Probe(ctx context.Context, host, port string) error {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // needs no name to be resolved, as in an empty container
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("serve does not answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("serve is not healthy: %s", answer.Status)
	}
	return nil
}
