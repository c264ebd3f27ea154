package cookbook_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/cookbook"
	"github.com/flashback-sync/flashback-sync/internal/query"
)

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
	got := q.In(query.Period{First: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)})
	if want := "SELECT first_day_seen FROM t WHERE day BETWEEN DATE '2026-10-01' AND DATE '2026-10-31'"; got != want {
		t.Errorf("%s", got)
	}
}

func TestAPeriodIsAMonthOrEndsWithTheNewestDay(t *testing.T) {
	newest := time.Date(2026, 10, 14, 0, 0, 0, 0, time.UTC)
	for flags, want := range map[[3]string]string{
		{}:                               "2026-09-15 to 2026-10-14",
		{"2026-02"}:                      "2026-02-01 to 2026-02-28",
		{"", "2026-10-01"}:               "2026-10-01 to 2026-10-14",
		{"", "", "2026-03-30"}:           "2026-03-01 to 2026-03-30",
		{"", "2026-10-03", "2026-10-03"}: "2026-10-03 to 2026-10-03",
		{"March"}:                        "--month is to be like 2026-10",
		{"", "March"}:                    "--from is to be a day, like 2026-10-01",
		{"", "", "March"}:                "--to is to be a day, like 2026-10-01",
		{"2026-02", "", "2026-02-03"}:    "give --month, or --from and --to",
		{"", "2026-10-03", "2026-10-02"}: "--from must not be after --to",
	} {
		p, err := cookbook.ParsePeriod(flags[0], flags[1], flags[2], newest)
		got := p.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", flags, got, want)
		}
	}
}
