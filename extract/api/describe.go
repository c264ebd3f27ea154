package api

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
)

// What the source sends may be personal, and an error's text goes to logs, files,
// monitors and webhooks. So an error describes the structure of an answer, and
// never quotes its bytes, whichever part of it they are from.

// mediaTypes are the content types that are named in an error. Any other text in
// that header is the source's own.
var mediaTypes = []string{
	"application/json", "application/problem+json", "application/octet-stream", "application/xml",
	"text/html", "text/plain", "text/xml", "text/csv",
}

// describe is the structure of an answer: "text/html, 312 bytes, starts like HTML".
func describe(header http.Header, body []byte) string {
	size := fmt.Sprintf("%d bytes", len(body))
	if len(body) == maxExcerpt {
		size += " or more"
	}
	return contentType(header) + ", " + size + ", starts like " + startsLike(body)
}

func contentType(header http.Header) string {
	switch kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); {
	case header.Get("Content-Type") == "":
		return "no content type"
	case slices.Contains(mediaTypes, kind):
		return kind
	}
	return "another content type"
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func startsLike(body []byte) string {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, byteOrderMark))
	switch {
	case len(body) == 0:
		return "nothing"
	case body[0] == '{' || body[0] == '[':
		return "JSON"
	case bytes.HasPrefix(body, []byte("<?xml")):
		return "XML"
	case body[0] == '<':
		return "HTML"
	case bytes.HasPrefix(body, []byte("\x1f\x8b")):
		return "gzip"
	}
	return "other text"
}

// connectionError is why there was no answer, or not all of it. Go's own texts quote
// status lines, header lines and the names in certificates; only those that come from
// this machine, or from a table of Go's, are kept.
func connectionError(err error) error {
	var (
		lookup  *net.DNSError
		network *net.OpError
		system  syscall.Errno
		alert   tls.AlertError
		record  tls.RecordHeaderError
		corrupt flate.CorruptInputError
	)
	onNetwork := errors.As(err, &network)
	switch {
	case errors.Is(err, errBodyTooLarge):
		return errBodyTooLarge
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &system) && onNetwork:
		return network
	case errors.As(err, &system):
		return system
	case certificateError(err) != nil:
		return certificateError(err)
	case errors.As(err, &alert):
		return alert
	case errors.As(err, &record):
		return errors.New("the other side does not speak TLS")
	case onNetwork && network.Op == "proxyconnect":
		return errors.New("the proxy refused the connection")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return errors.New("the connection was closed")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return errors.New("its gzip is damaged")
	}
	return fmt.Errorf("the connection broke, or what came is not HTTP (%s)", typeOf(err))
}

// certificateError is what is wrong with the source's certificate, which does not pass;
// nil if that is not the failure.
func certificateError(err error) error {
	var unknownAuthority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknownAuthority):
		return errors.New("the certificate is signed by an unknown authority")
	case errors.As(err, &hostname):
		return errors.New("the certificate is for other host names")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("the certificate has expired or is not valid yet")
	case errors.As(err, &invalid), errors.As(err, &verification):
		return errors.New("the certificate is not valid")
	}
	return nil
}

// typeOf names the innermost error's type, which says more than nothing and quotes
// nothing.
func typeOf(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", err), "*")
}
