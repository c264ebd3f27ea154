package apisim

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape is a JSON value with its scalars replaced by the names of their types.
func shape(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, field := range v {
			out[name] = shape(field)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = shape(v[i])
		}
		return out
	case nil:
		return nil
	default:
		return fmt.Sprintf("%T", v)
	}
}

func documented(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// addDocumented puts the example's rows into an empty organisation.
func addDocumented(t *testing.T, s *Sim, stream Stream, name string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var p page
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	for _, row := range p.rows() {
		s.Add(stream, row.row(t))
	}
}

// withoutClientsFields takes out of a violation what only the client's types list.
func withoutClientsFields(stream Stream, answer map[string]any) {
	for _, row := range answer[string(stream)].([]any) {
		for _, name := range []string{"severity", "block", "llmType", "llmModel", "host"} {
			if stream == Violations {
				delete(row.(map[string]any), name)
			}
		}
	}
}

// The rows of the reference's examples come back exactly as they are there.
func TestExamplesComeBackAsDocumented(t *testing.T) {
	for _, c := range []struct {
		name, target string
		stream       Stream
	}{
		{"alerts", "/policy/alerts?from=2024-01-01T00:00:00.000Z&to=2024-01-31T23:59:59.999Z&take=50", Alerts},
		{"alerts", "/policy/policy-456/alerts", Alerts},
		{"violations", "/policy/violations?from=2024-01-01&to=2024-01-31&take=50", Violations},
		{"policy_violations", "/policy/policy-456/violations?from=2024-01-01&to=2024-01-31&take=50", Violations},
	} {
		t.Run(c.target, func(t *testing.T) {
			s := New(Options{})
			addDocumented(t, s, c.stream, c.name)
			got := get[map[string]any](t, s, c.target, 200)
			withoutClientsFields(c.stream, got)
			if diff := cmp.Diff(documented(t, c.name), got); diff != "" {
				t.Errorf("answer differs from the reference (-documented +got):\n%s", diff)
			}
		})
	}
}

// Generated rows have the fields and types of one of the two documented alerts,
// and both kinds occur.
func TestGeneratedRowsHaveTheDocumentedShape(t *testing.T) {
	s := New(small())
	for _, c := range []struct {
		name   string
		stream Stream
	}{{"alerts", Alerts}, {"policy_violations", Violations}} {
		example := shape(documented(t, c.name)).(map[string]any)
		rows := example[string(c.stream)].([]any)
		whole, partial := rows[0].(map[string]any), rows[1].(map[string]any)
		answer := shape(get[any](t, s, "/policy/"+string(c.stream)+"?take=100", 200)).(map[string]any)
		withoutClientsFields(c.stream, answer)
		bare, untalked := 0, 0
		for _, row := range answer[string(c.stream)].([]any) {
			row := row.(map[string]any)
			want := maps.Clone(whole)
			if _, ok := row["llmModel"]; !ok {
				want = maps.Clone(partial)
				bare++
			}
			if row["conversationId"] == nil {
				untalked++
			}
			want["conversationId"] = row["conversationId"] // null or text, both documented
			if diff := cmp.Diff(want, row); diff != "" {
				t.Fatalf("row of %s (-documented +got):\n%s", c.stream, diff)
			}
		}
		if bare == 0 || untalked == 0 {
			t.Errorf("%s: %d rows without a model, %d without a conversation; want some", c.stream, bare, untalked)
		}
		delete(answer, string(c.stream))
		delete(example, string(c.stream))
		if diff := cmp.Diff(example, answer); diff != "" {
			t.Errorf("envelope of %s (-documented +got):\n%s", c.stream, diff)
		}
	}
}

// What violations have beyond the reference's pages is what the client's types list.
func TestViolationsCarryTheClientsFields(t *testing.T) {
	s := New(small())
	plain := shape(documented(t, "violations")).(map[string]any)["violations"].([]any)[0].(map[string]any)
	answer := get[map[string]any](t, s, "/policy/violations", 200)
	extra := map[string]bool{}
	for _, row := range answer["violations"].([]any) {
		for name := range row.(map[string]any) {
			if _, ok := plain[name]; !ok {
				extra[name] = true
			}
		}
	}
	want := []string{"block", "host", "llmModel", "llmType", "severity"}
	if got := slices.Sorted(maps.Keys(extra)); !slices.Equal(got, want) {
		t.Errorf("fields beyond the reference: %v, want %v", got, want)
	}
}

func TestStatsHaveTheDocumentedShape(t *testing.T) {
	s := New(small())
	example := shape(documented(t, "stats")).(map[string]any)
	got := shape(get[any](t, s, "/v2/stats/policies?scope=org&window=24h", 200)).(map[string]any)
	if diff := cmp.Diff(example["meta"], got["meta"]); diff != "" {
		t.Errorf("meta (-documented +got):\n%s", diff)
	}
	if diff := cmp.Diff(example["summary"], got["summary"]); diff != "" {
		t.Errorf("summary (-documented +got):\n%s", diff)
	}
	want := map[string]any{}
	for _, name := range []string{
		"ts", "violations", "alerts", "blocks", "severityLow", "severityMedium", "severityHigh",
		"policyTokensIn", "policyTokensOut",
	} {
		want[name] = "float64"
	}
	for _, point := range got["series"].([]any) {
		if diff := cmp.Diff(any(want), point); diff != "" {
			t.Fatalf("point (-documented +got):\n%s", diff)
		}
	}
}

func TestErrorsHaveTheDocumentedShape(t *testing.T) {
	s := New(small())
	for target, status := range map[string]int{
		"/policy/alerts?take=101":                    400,
		"/policy/alerts?take=0":                      400,
		"/policy/alerts?take=ten":                    400,
		"/policy/violations?skip=-1":                 400,
		"/policy/alerts?from=yesterday":              400,
		"/policy/violations?to=2024-13-01":           400,
		"/policy/violations?block=maybe":             400,
		"/policy/alerts?repoId=none":                 404,
		"/policy/none/alerts":                        404,
		"/policy/none/violations":                    404,
		"/v2/stats/policies?window=24h":              400,
		"/v2/stats/policies?scope=org":               400,
		"/v2/stats/policies?scope=repo&window=24h":   400,
		"/v2/stats/policies?scope=org&window=25h":    400,
		"/v2/stats/policies?scope=planet&window=24h": 400,
	} {
		got := get[map[string]any](t, s, target, status)
		message, _ := got["message"].(string)
		want := map[string]any{"success": false, "message": message}
		if stream := s.Requests()[len(s.Requests())-1].Stream; stream != PolicyStats {
			want[string(stream)] = []any{}
			want["total"], want["skip"], want["take"] = 0.0, 0.0, 0.0
		}
		if diff := cmp.Diff(want, got); diff != "" || message == "" {
			t.Errorf("GET %s (-documented +got):\n%s", target, diff)
		}
	}
}
