package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/page"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func written(t testing.TB, s *status.Status, o page.Options) string {
	t.Helper()
	var out strings.Builder
	if err := page.Write(&out, s, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestThin(t *testing.T) {
	for name, s := range scenarios() {
		began := time.Now()
		text := written(t, s, page.Options{Refresh: 15 * time.Second})
		t.Log(name, len(text), time.Since(began))
	}
}
