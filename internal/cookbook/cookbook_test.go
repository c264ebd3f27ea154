package cookbook_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/cookbook"
)

func TestTheDocumentIsCurrent(t *testing.T) {
	document, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil || string(document) != cookbook.Markdown() {
		t.Errorf("run 'flashback-sync ask --markdown > docs/cookbook.md' (%v)", err)
	}
}

func TestEveryQuestionIsReadAndHasThreeLines(t *testing.T) {
	source, err := os.ReadFile("cookbook.sql")
	if err != nil {
		t.Fatal(err)
	}
	all := cookbook.Questions()
	if want := strings.Count(string(source), ";\n"); len(all) != want || want < 25 {
		t.Errorf("%d questions are read, %d are there", len(all), want)
	}
	names := map[string]bool{}
	for _, q := range all {
		if names[q.Name] || strings.Count(q.SQL, "\n") > 2 || !strings.Contains(q.SQL, "bi.") {
			t.Errorf("%s: twice, longer than three lines, or not on bi", q.Name)
		}
		names[q.Name] = true
	}
}

func TestThePeriodIsPutIntoTheSQL(t *testing.T) {
	q := cookbook.Question{SQL: "SELECT first_day_seen FROM t WHERE day BETWEEN first_day AND last_day"}
	got := q.Within(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC))
	if want := "SELECT first_day_seen FROM t WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-10-31'"; got != want {
		t.Errorf("%s", got)
	}
}
