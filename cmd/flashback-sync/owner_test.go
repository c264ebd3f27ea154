package main

import (
	"os"
	"strings"
	"testing"

	"github.com/flashback-sync/flashback-sync/internal/exit"
)

// What root writes in the service's data_dir the service cannot replace.
func TestRootIsRefusedInTheDataDirOfAnother(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.first("")
	const service = 65532
	if os.Geteuid() == 0 {
		if err := os.Chown(b.data(), service, service); err != nil {
			t.Fatal(err)
		}
	}
	uid, _ := exit.OwnerOf(b.data())
	for _, test := range []struct {
		euid int
		dir  string
		want bool
	}{
		{0, b.data(), true},
		{uid, b.data(), false},
		{0, "/", false},                   // root's own
		{0, b.data() + "/nowhere", false}, // nobody's yet
	} {
		if owner, foreign := foreignOwner(test.euid, test.dir); foreign != test.want || foreign && owner != uid {
			t.Errorf("user %d in %s: %d, %v", test.euid, test.dir, owner, foreign)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("the rest needs root")
	}
	asked := b.sim.RequestCount()
	for _, args := range [][]string{{"sync"}, {"sync", "--stream", "alerts"}, {"repair"}, {"repair", "--rebuild"}, {"verify", "--job", "verify"}, {"serve"}} {
		r := b.wants(2, "belongs to ", args...)
		if !strings.Contains(r.stderr, "sudo -u '#65532' flashback-sync") {
			t.Errorf("%v: it does not say how:\n%s", args, r.stderr)
		}
	}
	if b.sim.RequestCount() != asked {
		t.Error("the source was asked")
	}
	for _, args := range [][]string{{"status"}, {"query", "SELECT count(*) FROM alerts"}, {"verify"}, {"sync", "--dry-run"}, {"report", "--json"}} {
		b.must(args...)
	}
}
