package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/flashback-sync/flashback-sync/internal/published"
	"github.com/flashback-sync/flashback-sync/load/durable"
)

// firstRuns are copies of what a first sync made of data_dir, by the configuration.
var firstRuns struct {
	sync.Mutex
	folders map[string]string
}

// first is a first sync, for tests of what comes after it. The sources of all tests
// begin alike, so one sync is enough for all that have the same configuration. Whoever
// changed the source before names what is different.
func (b *bench) first(different string) {
	b.t.Helper()
	firstRuns.Lock()
	defer firstRuns.Unlock()
	folder, ran := firstRuns.folders[b.rest+different]
	if ran {
		b.copyFolder(folder, b.data())
		b.acknowledge()
		return
	}
	b.must("sync")
	folder, err := os.MkdirTemp("", "first-sync-")
	if err != nil {
		b.t.Fatal(err)
	}
	b.copyFolder(b.data(), folder)
	if firstRuns.folders == nil {
		firstRuns.folders = map[string]string{}
	}
	firstRuns.folders[b.rest+different] = folder
}

func (b *bench) copyFolder(from, to string) {
	b.t.Helper()
	if output, err := exec.Command("cp", "-a", from, to+".copy").CombinedOutput(); err != nil {
		b.t.Fatalf("%v: %s", err, output)
	}
	if err := errors.Join(os.RemoveAll(to), os.Rename(to+".copy", to)); err != nil {
		b.t.Fatal(err)
	}
}

// acknowledge notes the copied files as those that were published.
func (b *bench) acknowledge() {
	b.t.Helper()
	note := published.Read(b.data())
	if note == nil {
		b.t.Fatal("no note of what was published")
	}
	for path := range note.Files {
		note.Files[path], _ = durable.Identify(filepath.Join(b.data(), filepath.FromSlash(path)))
	}
	if err := note.Write(b.data()); err != nil {
		b.t.Fatal(err)
	}
}

func removeFirstRuns() {
	for _, folder := range firstRuns.folders {
		_ = os.RemoveAll(folder)
	}
}
