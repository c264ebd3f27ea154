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
)

// holdings keeps what is published as it was read last. It is read again, by a
// child, when a published file was replaced.
type holdings struct {
	dataDir string
	child   func(context.Context) *exec.Cmd // prints holdings as JSON

	mu     sync.Mutex
	files  string // what the published files looked like
	readAt time.Time
	last   *status.Holdings
	failed error
}

// read returns what is published, nil if nothing is. After a failure it also
// returns what was read before.
func (h *holdings) read(ctx context.Context) (*status.Holdings, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if files := h.look(); files != h.files || time.Since(h.readAt) > sameAge {
		held, err := h.ask(ctx)
		if ctx.Err() != nil {
			return h.last, h.failed // nobody waits for it any more
		}
		h.files, h.readAt, h.failed = files, time.Now(), err
		if err == nil {
			h.last = held
		}
	}
	return h.last, h.failed
}

// look tells one state of the published files from another.
func (h *holdings) look() string {
	var all strings.Builder
	for _, name := range []string{snapshot.Name, filepath.Join("lake", lake.ManifestName)} {
		info, err := os.Stat(filepath.Join(h.dataDir, name))
		if err != nil {
			fmt.Fprintf(&all, "%s none\n", name)
			continue
		}
		fmt.Fprintf(&all, "%s %d %s\n", name, info.Size(), info.ModTime())
	}
	return all.String()
}

func (h *holdings) ask(ctx context.Context) (*status.Holdings, error) {
	ctx, cancel := context.WithTimeout(ctx, readingTime)
	defer cancel()
	var out, problem bounded
	out.most, problem.most = mostHoldings, 4096
	command := h.child(ctx)
	command.Stdout, command.Stderr, command.WaitDelay = &out, &problem, time.Second
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
	_, _ = b.Buffer.Write(p[:min(len(p), max(0, b.most-b.Len()))])
	return len(p), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return clean(strings.TrimPrefix(line, "flashback-sync: "), 500)
}
