package schema

import "testing"

func TestEveryStreamHasATableThatIsDatedAndPartitioned(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Streams() {
		if seen[s.Name] || s.Table == nil || s.Table.Name != s.Name || s.Table.Partition == Unpartitioned {
			t.Errorf("%s: table %+v", s.Name, s.Table)
		}
		seen[s.Name] = true
		if s.Kind == List {
			if c, ok := s.Table.Column(s.Table.Time); !ok || c.API != s.Time {
				t.Errorf("%s: rows are dated by %q, the table by %q", s.Name, s.Time, c.API)
			}
		}
		if StreamByName(s.Name) != s {
			t.Errorf("%s is not found by its name", s.Name)
		}
	}
}

func TestViewsNameStreams(t *testing.T) {
	for _, v := range Views() {
		for _, name := range v.Streams {
			if StreamByName(name) == nil {
				t.Errorf("%s: there is no stream %q", v.Name, name)
			}
		}
	}
	for name, want := range map[string]int{"events": 2, "violations": 1, "stats_org": 1, "freshness": 0, "nothing": 0} {
		if got := StreamsOf(name); len(got) != want {
			t.Errorf("%s is made of %v", name, got)
		}
	}
}
