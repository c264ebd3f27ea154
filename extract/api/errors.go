package api

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies a failure by what its reader should do.
type Kind int

const (
	// Unreachable: the source did not answer, or kept failing.
	Unreachable Kind = iota
	// Unauthorized: the token was refused, or could not be had.
	Unauthorized
	// NotFound: the endpoint, policy or repository does not exist.
	NotFound
	// Refused: the source calls the request wrong.
	Refused
	// OffContract: the answer is not what the API documents.
	OffContract
)

// Error is a failed request. Its text has neither the token nor anything that the
// source sent; see describe.go.
type Error struct {
	Kind      Kind
	Path      string // endpoint, without host and query
	Status    int    // HTTP status; 0 if there was no answer
	Message   string // what is wrong with the answer, in our words
	Err       error  // cause, may be nil
	temporary bool
	wait      time.Duration // by Retry-After
	final     string        // why it is not retried although it may pass
}

func (e *Error) Error() string {
	text := "GET " + e.Path
	if e.Status != 0 {
		text += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.final != "" {
		text += "; " + e.final
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of a failure of this package; ok is false for others,
// such as a cancelled context.
func KindOf(err error) (kind Kind, ok bool) {
	var failure *Error
	if !errors.As(err, &failure) {
		return 0, false
	}
	return failure.Kind, true
}
