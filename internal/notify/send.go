package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	timeout = 10 * time.Second // for one try
	tries   = 3
)

// sender sends one message, a few times if it must. Its errors are sentences of
// our own: Go's contain the URL, and a server may answer with it.
type sender struct {
	client http.Client
	pause  time.Duration // before the second try; it doubles
}

func newSender() sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // messages are rare
	return sender{pause: time.Second, client: http.Client{
		Transport: transport, Timeout: timeout,
		// A POST that is redirected may become a GET, and would look as if it had been delivered.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send posts the body, or gets the address if there is none.
func (s *sender) send(ctx context.Context, address, kind string, body []byte) error {
	pause := s.pause
	for try := 1; ; try++ {
		again, err := s.once(ctx, address, kind, body)
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// once says whether another try may help.
func (s *sender) once(ctx context.Context, address, kind string, body []byte) (again bool, err error) {
	method := http.MethodGet
	if len(body) > 0 {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the URL cannot be used")
	}
	request.Header.Set("User-Agent", "flashback-sync")
	if len(body) > 0 {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return true, s.sentence(err)
	}
	_ = answer.Body.Close() // what it says may repeat the URL
	switch code := answer.StatusCode; {
	case code < 300:
		return false, nil
	case code < 400:
		return false, fmt.Errorf("HTTP %d: redirects are not followed: use the address that it redirects to", code)
	default:
		return code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout, fmt.Errorf("HTTP %d", code)
	}
}

// sentence says why there was no answer, in words that contain nothing of the URL.
func (s *sender) sentence(err error) error {
	var (
		late        net.Error
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		number      syscall.Errno
	)
	switch {
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no answer within %s", s.client.Timeout)
	case errors.As(err, &name):
		return errors.New("no answer: the name of its host is not known")
	case errors.As(err, &certificate):
		return errors.New("no answer: its certificate is not accepted")
	case errors.As(err, &number):
		return errors.New("no answer: " + number.Error())
	}
	return errors.New("no answer: the connection broke off")
}
