//go:build unix

package schedule

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary play the child, too.
func TestMain(m *testing.M) {
	if part := os.Getenv(partVariable); part != "" {
		play(part)
	}
	goleak.VerifyTestMain(m)
}
