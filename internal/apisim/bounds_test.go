package apisim

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// Rows are at these offsets from noon, named by them.
func boundsSim(t *testing.T, m Semantics) *Sim {
	t.Helper()
	s := New(Options{Semantics: m})
	for _, offset := range []time.Duration{
		-24 * time.Hour, -time.Second, -time.Millisecond, 0, time.Millisecond, 500 * time.Millisecond, time.Second, 24 * time.Hour,
	} {
		row := s.NewRow(Alerts, noon.Add(offset), 0)
		row.ID = offset.String()
		s.AddAlerts(row)
	}
	return s
}

func TestBounds(t *testing.T) {
	at := func(offset time.Duration) string { return noon.Add(offset).Format(iso) }
	for _, c := range []struct {
		name      string
		semantics Semantics
		query     string
		want      []string
	}{
		{"inclusive", Semantics{}, "from=" + at(0) + "&to=" + at(time.Second), []string{"1s", "500ms", "1ms", "0s"}},
		{"exclusive from", Semantics{FromExclusive: true}, "from=" + at(0) + "&to=" + at(time.Second), []string{"1s", "500ms", "1ms"}},
		{"exclusive to", Semantics{ToExclusive: true}, "from=" + at(0) + "&to=" + at(time.Second), []string{"500ms", "1ms", "0s"}},
		{"both exclusive", Semantics{FromExclusive: true, ToExclusive: true}, "from=" + at(0) + "&to=" + at(time.Second), []string{"500ms", "1ms"}},
		{"empty", Semantics{}, "from=" + at(time.Second) + "&to=" + at(0), nil},
		{"only from", Semantics{}, "from=" + at(time.Second), []string{"24h0m0s", "1s"}},
		{"only to", Semantics{}, "to=" + at(-time.Second), []string{"-1s", "-24h0m0s"}},
		{
			"truncated seconds",
			Semantics{Resolution: TruncatedSecond},
			"from=" + at(700*time.Millisecond) + "&to=" + at(900*time.Millisecond),
			[]string{"0s"},
		},
		{
			"whole seconds",
			Semantics{Resolution: WholeSecond},
			"from=" + at(700*time.Millisecond) + "&to=" + at(900*time.Millisecond),
			[]string{"500ms", "1ms", "0s"},
		},
		{
			"whole seconds, exclusive",
			Semantics{Resolution: WholeSecond, FromExclusive: true, ToExclusive: true},
			"from=" + at(-time.Millisecond) + "&to=" + at(time.Second+5*time.Millisecond),
			[]string{"500ms", "1ms", "0s"},
		},
		{"truncated day", Semantics{Resolution: TruncatedDay}, "from=" + at(0) + "&to=" + at(12*time.Hour), []string{"1s", "500ms", "1ms", "0s", "-1ms", "-1s"}},
		{"truncated day, same", Semantics{Resolution: TruncatedDay}, "from=" + at(0) + "&to=" + at(0), nil},
		{"whole day", Semantics{Resolution: WholeDay}, "from=" + at(0) + "&to=" + at(0), []string{"1s", "500ms", "1ms", "0s", "-1ms", "-1s"}},
		{"ignored from", Semantics{IgnoreFrom: true}, "from=" + at(0) + "&to=" + at(0), []string{"0s", "-1ms", "-1s", "-24h0m0s"}},
		{"ignored to", Semantics{IgnoreTo: true}, "from=" + at(time.Second) + "&to=" + at(0), []string{"24h0m0s", "1s"}},
		{"dates", Semantics{}, "from=2026-03-18&to=2026-03-19", []string{"1s", "500ms", "1ms", "0s", "-1ms", "-1s"}},
		{"zone", Semantics{}, "from=2026-03-18T13:34:56%2B01:00&to=2026-03-18T12:34:56Z", []string{"0s"}},
		{"no zone, no seconds", Semantics{}, "from=2026-03-18T12:34&to=2026-03-18T12:34:56", []string{"0s", "-1ms", "-1s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := boundsSim(t, c.semantics)
			p := get[page](t, s, "/policy/alerts?"+c.query, 200)
			if !slices.Equal(p.ids(), c.want) && len(p.ids())+len(c.want) > 0 {
				t.Errorf("%s: got %v, want %v", c.query, p.ids(), c.want)
			}
			if p.Total != len(c.want) {
				t.Errorf("total %d, want %d", p.Total, len(c.want))
			}
			filtered := get[page](t, s, "/policy/alerts?repoId="+s.NewRow(Alerts, noon, 0).RepoID+"&"+c.query, 200)
			if !slices.Equal(filtered.ids(), p.ids()) {
				t.Errorf("filtered %v, unfiltered %v", filtered.ids(), p.ids())
			}
		})
	}
}

func TestDigits(t *testing.T) {
	for _, c := range []struct {
		digits   Digits
		length   int
		hasFiner bool
	}{{MillisecondDigits, len(iso), false}, {MicrosecondDigits, len(iso) + 3, true}, {HiddenMicroseconds, len(iso), true}} {
		t.Run(strconv.Itoa(int(c.digits)), func(t *testing.T) {
			options := small()
			options.Semantics.Digits = c.digits
			s := New(options)
			finer, longest := false, 0
			for _, row := range s.Alerts() {
				finer = finer || row.Timestamp.Nanosecond()/1000%1000 != 0
			}
			for _, row := range get[page](t, s, "/policy/alerts", 200).Alerts {
				longest = max(longest, len(row.Timestamp))
			}
			if finer != c.hasFiner || longest != c.length {
				t.Errorf("finer rows: %v, longest timestamp: %d", finer, longest)
			}
		})
	}
}
