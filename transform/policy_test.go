package transform_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

var key = []byte("a key of thirty-two characters!!")

// policy is a preset with some columns treated otherwise.
func policy(t testing.TB, preset string, columns map[string]schema.Treatment) *transform.Policy {
	t.Helper()
	all := map[string]schema.Treatment{}
	for _, c := range schema.Treatable() {
		all[c.Path()] = schema.Preset(preset, c.Column)
	}
	for path, with := range columns {
		all[path] = with
	}
	p, err := transform.NewPolicy(all, key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// treatedBatch is a batch of violations under a policy.
func treatedBatch(t testing.TB, p *transform.Policy) *transform.Batch {
	t.Helper()
	allocator := memory.NewCheckedAllocator(memory.DefaultAllocator)
	batch := transform.NewBatch(schema.Violations(), p, allocator)
	t.Cleanup(func() {
		batch.Release()
		allocator.AssertSize(t, 0)
	})
	return batch
}

const person = `{"id":"v-1","timestamp":"2024-05-01T10:00:00.000Z","policyId":"p-1","policyName":"No secrets","userId":"u-canary","userName":"Jane Canary",` +
	`"conversationId":"c-canary","repoId":"r-1","repoName":"api","explanation":"Jane Canary wrote to jane@canary.example","severity":"HIGH","block":true,"host":"h","unknown":{"name":"Jane Canary"}}`

func TestAPresetSaysWhatIsStored(t *testing.T) {
	hash := policy(t, "strict", nil).Hash
	for preset, want := range map[string]row{
		"none":   {"user_id": "u-canary", "user_name": "Jane Canary", "explanation": "Jane Canary wrote to jane@canary.example", "extra": `{"unknown":{"name":"Jane Canary"}}`},
		"names":  {"user_id": "user-" + hash("u-canary")[:12], "user_name": "user-" + hash("u-canary")[:12], "explanation": "Jane Canary wrote to jane@canary.example", "extra": `{"unknown":{"name":"Jane Canary"}}`},
		"strict": {"user_id": hash("u-canary"), "user_name": hash("Jane Canary"), "explanation": nil, "extra": nil},
	} {
		batch := treatedBatch(t, policy(t, preset, nil))
		if outcome := batch.Add([]byte(person)); outcome != transform.Added {
			t.Fatalf("%s: outcome %v", preset, outcome)
		}
		rows, _ := take(t, batch)
		for column, value := range want {
			if rows[0][column] != value {
				t.Errorf("%s: %s is %v, want %v", preset, column, rows[0][column], value)
			}
		}
		for column, value := range map[string]any{"id": "v-1", "policy_name": "No secrets", "repo_id": "r-1", "conversation_id": "c-canary", "severity": "HIGH", "block": true} {
			if rows[0][column] != value {
				t.Errorf("%s: %s is %v, want %v", preset, column, rows[0][column], value)
			}
		}
	}
}

func TestSingleColumnsAreTreated(t *testing.T) {
	p := policy(t, "none", map[string]schema.Treatment{
		"violations.user_name": schema.Hash, "violations.explanation": schema.Mask, "violations.extra": schema.Mask,
		"violations.policy_id": schema.Hash, "violations.repo_name": schema.Pseudonym, "violations.host": schema.Drop, "violations.id": schema.Hash,
	})
	batch := treatedBatch(t, p)
	batch.Add([]byte(person))
	rows, built := take(t, batch)
	for column, value := range (row{
		"id": p.Hash("v-1"), "user_id": "u-canary", "user_name": p.Hash("Jane Canary"), "policy_id": p.Hash("p-1"),
		"repo_name": "repo-" + p.Hash("r-1")[:12], "repo_id": "r-1", "host": nil, "severity": "HIGH",
	}) {
		if rows[0][column] != value {
			t.Errorf("%s is %v, want %v", column, rows[0][column], value)
		}
	}
	if text := fmt.Sprint(rows[0]["explanation"]); strings.Contains(text, "jane@") || !strings.Contains(text, "wrote to") {
		t.Errorf("masked text %q", text)
	}
	if len(built.Sealed) != 0 {
		t.Errorf("sealed %v of a column that is kept", built.Sealed)
	}
}

func TestAPseudonymIsOfThePersonNotOfTheName(t *testing.T) {
	batch := treatedBatch(t, policy(t, "names", nil))
	for i, who := range []string{`"userId":"u1","userName":"Jane"`, `"userId":"u1","userName":"Jane Smith"`, `"userId":"u2","userName":"Jane"`, `"userName":"Jane"`, `"userId":"u1"`, `"userId":"","userName":""`} {
		record := fmt.Sprintf(`{"id":"%d","timestamp":"2024-05-01T10:00:00Z",%s}`, i, who)
		if outcome := batch.Add([]byte(record)); outcome != transform.Added {
			t.Fatalf("%s: %v", who, outcome)
		}
	}
	rows, _ := take(t, batch)
	if rows[0]["user_name"] != rows[1]["user_name"] || rows[0]["user_name"] == rows[2]["user_name"] || rows[0]["user_id"] != rows[0]["user_name"] {
		t.Errorf("pseudonyms %v", rows)
	}
	if !regexp.MustCompile(`^user-[0-9a-f]{12}$`).MatchString(fmt.Sprint(rows[3]["user_name"])) || rows[3]["user_id"] != nil || rows[4]["user_name"] != nil {
		t.Errorf("pseudonyms without a name or an id: %v, %v", rows[3], rows[4])
	}
	if rows[5]["user_name"] != "" || rows[5]["user_id"] != "" {
		t.Errorf("empty texts became %v", rows[5])
	}
}

// canaries are records that no row can be made of, with a person everywhere.
var canaries = []string{
	`{"id":"v","userId":"u-canary","userName":"Jane Canary","explanation":"Jane Canary","x":"Jane Canary"}`,
	`{"id":"v","timestamp":"2024-05-01T10:00:00Z","userId":["u-canary"],"userName":{"first":"Jane Canary"}}`,
	`{"id":"v","timestamp":"2024-05-01T10:00:00Z","userName":"Jane Canary","userName":"Jane Canary"}`,
	`{"id":"v","timestamp":"Jane Canary","userName":null,"block":"Jane Canary"}`,
	`{"id":"v","timestamp":"2024-05-01T10:00:00Z","Jane_Canary":1,"Jane_Canary":2}`,
	`{"id":"v","timestamp":"2024-05-01T10:00:00Z","userName":"Jane Canary`,
	`["Jane Canary"]`,
	`"Jane Canary"`,
	"\xff{\"Jane Canary\":1}",
}

func TestARejectObeysThePolicy(t *testing.T) {
	for _, p := range []*transform.Policy{
		policy(t, "strict", nil),
		policy(t, "names", map[string]schema.Treatment{"violations.explanation": schema.Drop, "violations.extra": schema.Drop}),
	} {
		for _, record := range canaries {
			if strings.Contains(record, `"timestamp":"Jane`) && p.Of("rejected_records", "raw") == schema.Keep {
				continue // a time and a boolean are kept
			}
			batch := treatedBatch(t, p)
			if outcome := batch.Add([]byte(record)); outcome != transform.Rejected {
				t.Fatalf("%s: outcome %v", record, outcome)
			}
			_, built := take(t, batch)
			stored := built.Rejects[0].Reason + built.Rejects[0].Raw + fmt.Sprint(batch.UnknownFields())
			if lower := strings.ToLower(stored); strings.Contains(lower, "canary") || strings.Contains(lower, "jane") {
				t.Errorf("%s is stored as %s", record, stored)
			}
			again := treatedBatch(t, p)
			again.Add([]byte(record))
			_, second := take(t, again)
			if second.Rejects[0] != built.Rejects[0] {
				t.Errorf("%s: stored as %v, then as %v", record, built.Rejects[0], second.Rejects[0])
			}
		}
	}
}

func TestAMaskedRejectHasNoSecrets(t *testing.T) {
	p := policy(t, "none", map[string]schema.Treatment{"violations.extra": schema.Mask, "violations.explanation": schema.Mask, "rejected_records.raw": schema.Mask})
	batch := treatedBatch(t, p)
	batch.Add([]byte(`{"id":"v","explanation":"to jane@canary.example","password":"canary-1","more":{"card":4111111111111111,"mail":"jane\u0040canary.example"}}`))
	_, built := take(t, batch)
	for _, secret := range []string{"canary", "4111"} {
		if strings.Contains(built.Rejects[0].Raw, secret) {
			t.Errorf("%s is in %s", secret, built.Rejects[0].Raw)
		}
	}
	again := treatedBatch(t, p)
	again.AddReject([]byte(built.Rejects[0].Raw))
	if _, second := take(t, again); second.Rejects[0].Raw != built.Rejects[0].Raw {
		t.Errorf("treated again it is %s, was %s", second.Rejects[0].Raw, built.Rejects[0].Raw)
	}
}

// A reject that can be typed later becomes the row that the source's record would be.
func TestATreatedRejectBecomesItsRow(t *testing.T) {
	p := policy(t, "names", map[string]schema.Treatment{"violations.policy_id": schema.Hash, "violations.explanation": schema.Mask})
	batch := treatedBatch(t, p)
	broken := strings.Replace(person, `"2024-05-01T10:00:00.000Z"`, `"soon"`, 1)
	batch.Add([]byte(broken))
	_, built := take(t, batch)
	repaired := strings.Replace(built.Rejects[0].Raw, `"soon"`, `"2024-05-01T10:00:00.000Z"`, 1)
	later, source := treatedBatch(t, p), treatedBatch(t, p)
	if outcome := later.AddReject([]byte(repaired)); outcome != transform.Added {
		t.Fatalf("outcome %v of %s", outcome, repaired)
	}
	source.Add([]byte(person))
	a, _ := take(t, later)
	b, _ := take(t, source)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("%v, want %v", a, b)
	}
}

func TestHiddenRepositoriesAreSealed(t *testing.T) {
	p := policy(t, "none", map[string]schema.Treatment{"violations.repo_id": schema.Hash})
	batch := treatedBatch(t, p)
	batch.Add([]byte(person))
	batch.Add([]byte(strings.Replace(person, `"v-1"`, `"v-2"`, 1)))
	_, built := take(t, batch)
	if len(built.Sealed) != 1 || strings.Contains(built.Sealed[0], "r-1") || built.Sealed[0] != p.Seal("r-1") {
		t.Fatalf("sealed %v", built.Sealed)
	}
	if id, err := p.Open(built.Sealed[0]); err != nil || id != "r-1" {
		t.Errorf("opened as %q, %v", id, err)
	}
	other, err := transform.NewPolicy(nil, []byte("another key of some length"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sealed := range []string{built.Sealed[0], "", "!", "QUJD"} {
		if id, err := other.Open(sealed); err == nil {
			t.Errorf("another key opens %q as %q", sealed, id)
		}
	}
}

func TestAPolicyNeedsAKey(t *testing.T) {
	for path, with := range map[string]schema.Treatment{"alerts.user_name": schema.Hash, "alerts.user_id": schema.Pseudonym, "rejected_records.raw": schema.Drop} {
		if _, err := transform.NewPolicy(map[string]schema.Treatment{path: with}, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := transform.NewPolicy(map[string]schema.Treatment{path: with}, []byte("short")); err == nil {
			t.Errorf("%s: a short key is accepted", path)
		}
	}
	p, err := transform.NewPolicy(map[string]schema.Treatment{"violations.explanation": schema.Drop, "violations.extra": schema.Mask}, nil)
	if err != nil || p.HasKey() || p.KeyID() != "" {
		t.Fatalf("key %q, %v", p.KeyID(), err)
	}
	batch := treatedBatch(t, p)
	for _, record := range canaries {
		batch.Add([]byte(record))
	}
}

func TestHiddenRecordsAreWithheld(t *testing.T) {
	plain := policy(t, "none", nil)
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, preset := range []string{"none", "names", "strict"} {
		p := policy(t, preset, nil).Hiding(transform.Hidden{
			Since: map[string]map[string]time.Time{
				schema.User:         {plain.Hash("u-gone"): {}, plain.Hash("u-later"): noon},
				schema.Conversation: {plain.Hash("c-gone"): {}},
			},
			Mentions: []schema.Mention{mention(t, plain, "Jane Doe"), mention(t, plain, "u-gone")},
		})
		for record, want := range map[string]transform.Outcome{
			`{"id":"1","timestamp":"2024-05-01T10:00:00Z","userId":"u-gone"}`:                                        transform.Withheld,
			`{"id":"2","timestamp":"2024-05-01T10:00:00Z","userId":"u-later"}`:                                       transform.Added,
			`{"id":"3","timestamp":"2024-05-01T12:00:00Z","userId":"u-later"}`:                                       transform.Withheld,
			`{"id":"4","timestamp":"2024-05-01T10:00:00Z","userId":"u","conversationId":"c-gone"}`:                   transform.Withheld,
			`{"id":"5","timestamp":"2024-05-01T10:00:00Z","userId":"c-gone"}`:                                        transform.Added,
			`{"id":"6","timestamp":"never","userId":"u-gone"}`:                                                       transform.Withheld,
			`{"id":"7","timestamp":"2024-05-01T10:00:00Z","userId":"u-gone","userId":"u"}`:                           transform.Withheld,
			`{"id":"8","timestamp":"2024-05-01T10:00:00Z","userId":"u-gone","block":`:                                transform.Withheld,
			`{"id":"9","timestamp":"2024-05-01T10:00:00Z","u\u0073erId":"u-\u0067one"}`:                              transform.Withheld,
			`{"id":"quotes","timestamp":"2024-05-01T10:00:00Z","explanation":"Of JANE doe's","x":"J\u0061ne.Doe"}`:   transform.Added,
			`{"id":"others","timestamp":"2024-05-01T10:00:00Z","explanation":"Jane or Doe, u-gone1","userName":"u"}`: transform.Added,
			`broken by Jane Doe`:             transform.Withheld,
			`{"broken":"J\u0061ne \u0044oe"`: transform.Withheld,
			`broken by Jane Doer`:            transform.Rejected,
		} {
			if strings.Contains(record, "broken") && preset != "none" {
				want = transform.Rejected // and leaves a fingerprint
			}
			batch := treatedBatch(t, p)
			if outcome := batch.Add([]byte(record)); outcome != want {
				t.Errorf("%s: %s: outcome %v, want %v", preset, record, outcome, want)
			}
			rows, built := take(t, batch)
			if want == transform.Withheld && len(rows)+len(built.Rejects) > 0 {
				t.Errorf("%s: %s is stored: %v, %v", preset, record, rows, built.Rejects)
			}
			if len(rows) == 1 && rows[0]["id"] == "quotes" && (rows[0]["explanation"] != nil || rows[0]["extra"] != nil) {
				t.Errorf("%s: texts are stored: %v", preset, rows[0])
			}
			if len(rows) == 1 && rows[0]["id"] == "others" && preset == "none" && rows[0]["explanation"] == nil {
				t.Errorf("%s: a text that mentions nobody is not stored: %v", preset, rows[0])
			}
		}
	}
}

func mention(t testing.TB, p *transform.Policy, of string) schema.Mention {
	t.Helper()
	m, ok := p.Mention(of)
	if !ok {
		t.Fatalf("%q cannot be searched", of)
	}
	return m
}

func TestWordsAreWhatIsBetweenPunctuation(t *testing.T) {
	for text, want := range map[string]string{
		"Jane_Doe's":           "jane doe s",
		"jane.doe@example.com": "jane doe example com",
		"ÉCOLE u1/u10":         "école u1 u10",
		" ' \" % ; ":           "",
		"李小龙":                  "李小龙",
	} {
		if got := strings.Join(transform.Words(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := transform.Unescaped(`J\u0061ne\nD\"oe\u00`); got != "Jane D\"oe00" {
		t.Errorf("got %q", got)
	}
}
