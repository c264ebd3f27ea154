package views_test

import (
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/iceberg/views"
)

func TestPrint(t *testing.T) {
	for _, dialect := range views.Dialects {
		text, err := views.Print(dialect, "c.n", "c.bi")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"VIEW c.bi.names AS", "VIEW c.bi.api_keys AS", "VIEW c.bi.stats_repo AS", "FROM c.n.alerts", "WHERE dimension = 'api_key'"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q", dialect, want)
			}
		}
		if n := strings.Count(text, "CREATE OR REPLACE VIEW"); n != 16 || strings.Contains(text, "<no value>") {
			t.Errorf("%s: %d views", dialect, n)
		}
	}
	if _, err := views.Print("oracle", "c.n", "c.bi"); err == nil {
		t.Error("an unknown dialect is accepted")
	}
}
