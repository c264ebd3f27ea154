package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flashback-sync/flashback-sync/internal/apisim"
	"github.com/flashback-sync/flashback-sync/internal/run"
	"github.com/flashback-sync/flashback-sync/schema"
)

// Whatever happens at the source within the lookback, and wherever runs are
// interrupted, one clean run later the tables equal the source; rows deleted
// there are kept as they were last seen.
func TestAnyInterleavingConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		w, end := makeWorld(rt, dir, apisim.Options{Seed: 3, Now: noon, Days: 3, AlertsPerDay: 150})
		defer end()
		w.step = 6 * time.Second // some pages a commit
		s := &story{rt: rt, world: w, deleted: map[string]bool{}}
		s.options = s.world.options(alerts)
		s.options.PublishDuckDB = false
		rt.Repeat(map[string]func(*rapid.T){
			"insert": s.insert, "update": s.update, "delete": s.delete, "move": s.move,
			"advance": s.advance, "interrupt": s.interrupt, "run": s.run,
		})
		s.check()
	})
}

// story is a source whose rows change while runs read it. Time passes for less
// than the lookback in all, so that no change leaves it unread.
type story struct {
	rt      *rapid.T
	world   *world
	options run.Options
	deleted map[string]bool
	passed  time.Duration
	made    int
}

const recent = 12 * time.Hour

// pick is an instant within the recent past.
func (s *story) pick(rt *rapid.T) time.Time {
	ago := rapid.Int64Range(0, int64(recent/time.Millisecond)).Draw(rt, "ms ago")
	return s.world.sim.Now().Add(-time.Duration(ago) * time.Millisecond)
}

// victim is the id of a row of the recent past, or "".
func (s *story) victim(rt *rapid.T) string {
	var ids []string
	for _, row := range s.world.sim.Rows(apisim.Alerts) {
		if row.Timestamp.After(s.world.sim.Now().Add(-recent)) {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return rapid.SampledFrom(ids).Draw(rt, "id")
}

func (s *story) insert(rt *rapid.T) {
	at := s.pick(rt)
	for range rapid.IntRange(1, 130).Draw(rt, "rows") { // more than a page of one instant, at times
		s.made++
		row := s.world.sim.NewRow(apisim.Alerts, at, s.made)
		row.ID = fmt.Sprintf("made-%d", s.made)
		s.world.sim.AddAlerts(row)
	}
}

func (s *story) update(rt *rapid.T) {
	s.made++
	if id := s.victim(rt); id != "" {
		s.world.sim.Update(apisim.Alerts, id, func(r *apisim.Row) { r.Message, r.Host = fmt.Sprint("changed ", s.made), nil })
	}
}

func (s *story) move(rt *rapid.T) {
	at := s.pick(rt)
	if id := s.victim(rt); id != "" {
		s.world.sim.Update(apisim.Alerts, id, func(r *apisim.Row) { r.Timestamp = at })
	}
}

func (s *story) delete(rt *rapid.T) {
	if id := s.victim(rt); id != "" {
		s.world.sim.Delete(apisim.Alerts, id)
		s.deleted[id] = true
	}
}

func (s *story) advance(rt *rapid.T) {
	by := time.Duration(rapid.Int64Range(1, int64(3*time.Hour/time.Millisecond)).Draw(rt, "ms")) * time.Millisecond
	if s.passed += by; s.passed < lookback-recent-time.Hour {
		s.world.sim.Advance(by)
	}
}

func (s *story) interrupt(rt *rapid.T) {
	nth := rapid.IntRange(1, 12).Draw(rt, "request")
	if _, err := s.world.interrupted(s.options, nth); err != nil && !errors.Is(err, context.Canceled) {
		rt.Fatalf("interrupted at request %d: %v", nth, err)
	}
}

func (s *story) run(rt *rapid.T) {
	if summary, err := s.world.sync(context.Background(), s.options); err != nil || summary.Status != "ok" {
		rt.Fatalf("%v, %+v", err, summary.Streams)
	}
}

func (s *story) check() {
	s.options.PublishDuckDB = true
	s.run(s.rt)
	w := s.world
	w.coversOnlyWhatIsStored(apisim.Alerts)
	w.derivedAsComputedAnew()
	want, got := w.truth(apisim.Alerts), w.truth(apisim.Alerts)
	clear(got)
	stored := w.lake(schema.Alerts())
	differ(s.rt, "the DuckDB file, against the lake", stored, w.warehouse(schema.Alerts()))
	for id, row := range stored {
		if !s.deleted[id] {
			got[id] = row.source()
		}
	}
	differ(s.rt, "alerts", want, got)
}
