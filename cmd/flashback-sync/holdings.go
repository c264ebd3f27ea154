package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/internal/status"
	"github.com/flashback-sync/flashback-sync/load/lake"
	"github.com/flashback-sync/flashback-sync/load/snapshot"
)

const (
	// readingTime bounds how long a page waits for what is published.
	readingTime = 30 * time.Second
	// mostHoldings bounds what a child may print, in bytes.
	mostHoldings = 64 << 20
	// sameAge is how old holdings may grow while no file changes: their overview
	// ends with today.
	sameAge = 15 * time.Minute
	// failedAge is when what could not be read is tried again.
	failedAge = 20 * time.Second
)

// holdings keeps what is published as it was read last. It is read again, by a
// child, when a published file was replaced, or something else is wanted.
type holdings struct {
	source func() status.Source            // what to read, as it is configured at present
	child  func(context.Context) *exec.Cmd // is given the source, and prints holdings, both as JSON
	now    func() time.Time

	mu     sync.Mutex
	seen   string // what was wanted, and what the published files looked like
	readAt time.Time
	last   *status.Holdings
	failed error
}

// read returns what is published, nil if nothing is. After a failure it also
// returns what was read before.
func (h *holdings) read(ctx context.Context) (*status.Holdings, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	age := sameAge
	if h.failed != nil {
		age = failedAge
	}
	source := h.source()
	if seen := look(source); seen != h.seen || h.now().Sub(h.readAt) > age {
		held, err := h.ask(ctx, source)
		if ctx.Err() != nil {
			return h.last, h.failed // nobody waits for it any more
		}
		h.seen, h.readAt, h.failed = seen, h.now(), err
		if err == nil {
			h.last = held
		}
	}
	return h.last, h.failed
}

// look tells one state of the published files from another.
func look(source status.Source) string {
	var all strings.Builder
	fmt.Fprintln(&all, source.DuckDB, source.Names, source.Lookbacks, source.Wanted)
	for _, name := range []string{snapshot.Name, filepath.Join("lake", lake.ManifestName)} {
		info, err := os.Stat(filepath.Join(source.DataDir, name))
		if err != nil {
			fmt.Fprintf(&all, "%s none\n", name)
			continue
		}
		fmt.Fprintf(&all, "%s %d %s\n", name, info.Size(), info.ModTime())
	}
	return all.String()
}

func (h *holdings) ask(ctx context.Context, source status.Source) (*status.Holdings, error) {
	question, err := json.Marshal(source)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	var out, problem bounded
	out.most, problem.most = mostHoldings, 4096
	command := h.child(ctx)
	command.Stdin, command.Stdout, command.Stderr, command.WaitDelay = bytes.NewReader(question), &out, &problem, time.Second
	if err := command.Run(); err != nil {
		if said := firstLine(problem.String()); said != "" {
			err = errors.New(said)
		}
		return nil, err
	}
	var held *status.Holdings
	if err := json.Unmarshal(out.Bytes(), &held); err != nil {
		return nil, fmt.Errorf("read what the child printed: %w", err)
	}
	return held, nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	defer crash.Exit() // os/exec calls it in a goroutine of its own
	_, _ = b.Buffer.Write(p[:min(len(p), max(0, b.most-b.Len()))])
	return len(p), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clean(strings.TrimPrefix(line, "flashback-sync: "), 500)
}
