package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/dustin/go-humanize/english"

	"github.com/flashback-sync/flashback-sync/checkpoints"
	"github.com/flashback-sync/flashback-sync/extract"
	"github.com/flashback-sync/flashback-sync/internal/crash"
	"github.com/flashback-sync/flashback-sync/schema"
	"github.com/flashback-sync/flashback-sync/transform"
)

// Series is one time series of statistics.
type Series struct {
	Scope    string `json:"scope"`
	ID       string `json:"id,omitempty"`
	RuleID   string `json:"rule_id,omitempty"`
	APIKeyID string `json:"api_key_id,omitempty"`
	Bucket   string `json:"bucket"`
	auto     bool   // found in the events, not configured
}

// Key is the key of the series in the coverage ledger.
func (s Series) Key() checkpoints.Key {
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		panic(err)
	}
	return checkpoints.Key{Stream: PolicyStats, Filter: string(b)}
}

// Found reports whether the series is one of a repository that only the events name.
func (s Series) Found() bool { return s.auto }

// BucketLength is how long a bucket of the size is.
func BucketLength(size string) time.Duration { return bucketLengths[size] }

// bucketLengths are the bucket sizes that the API knows.
var bucketLengths = map[string]time.Duration{
	"5m": 5 * time.Minute, "10m": 10 * time.Minute, "1h": time.Hour,
	"6h": 6 * time.Hour, "12h": 12 * time.Hour, "1d": 24 * time.Hour,
}

// reading is a series and what was read of it.
type reading struct {
	series Series
	since  time.Time // the first instant that is wanted
	first  bool      // nothing of it is held yet
	window checkpoints.Window
	answer *extract.StatsAnswer
	err    error
}

// syncStats reads every series of the statistics.
func (r *run) syncStats(ctx context.Context, stats Stats, result *Result) error {
	err := r.storing(ctx, PolicyStats, func() error { return r.readStats(ctx, stats, result) })
	result.Complete = err == nil
	return err
}

func (r *run) readStats(ctx context.Context, stats Stats, result *Result) error {
	all, err := planStats(ctx, r.warehouse, stats)
	if err != nil {
		return err
	}
	all = r.mending(all)
	r.observe(Event{Kind: Planned, Stream: PolicyStats, Message: fmt.Sprintf("%d series", len(all))})
	gathered := r.gather(ctx, schema.PolicyStats(), result)
	gathered.summaries = transform.NewBatch(schema.PolicyStatsSummary(), memory.DefaultAllocator)
	defer gathered.release()
	return gathered.finish(ctx, r.drainStats(ctx, all, gathered))
}

// mending narrows the series to those that a repair reads again.
func (r *run) mending(all []reading) []reading {
	if r.options.Repair == nil {
		return all
	}
	var some []reading
	for _, read := range all {
		if since, ok := r.options.Repair.Series[read.series.Key().Filter]; ok {
			read.since = since
			some = append(some, read)
		}
	}
	return some
}

// drainStats gathers the series as they come. A series that the source refuses
// leaves the others alone; a source that does not answer ends the stream.
func (r *run) drainStats(ctx context.Context, all []reading, g *gatherer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	before := r.source.Requests()
	var fatal, incomplete error
	var short shortReach
	for read := range r.readAll(ctx, all) {
		err := read.err
		if err == nil {
			short.note(read, r.options.Now())
			err = r.addSeries(ctx, read, g)
		}
		switch kind, known := extract.KindOf(err); {
		case err == nil || fatal != nil || r.shrugOff(read.series, err):
		case errors.Is(err, ErrIncomplete):
			incomplete = err
		case known && (kind == extract.NotFound || kind == extract.Refused) && len(all) > 1:
			incomplete = fmt.Errorf("%w: %s: %w", ErrIncomplete, read.series.Label(), err)
		default:
			fatal = err
			stop()
		}
		r.observe(Event{Kind: Progressed, Stream: PolicyStats, Rows: g.result.Received, Requests: r.source.Requests() - before})
	}
	if short.series > 0 {
		r.warn(PolicyStats, fmt.Sprintf("the source reaches back to %s only, not to %s, for %s that %s read for the first time",
			short.from.Format(time.RFC3339), short.wanted.Format(time.RFC3339), english.Plural(short.series, "series", "series"),
			english.PluralWord(short.series, "is", "are")))
	}
	if fatal != nil {
		return fatal
	}
	return incomplete
}

// shortReach counts the series of which the source has less than is wanted when
// they are read for the first time. Nothing of them is lost: it was never to be had.
type shortReach struct {
	series       int
	from, wanted time.Time
}

func (s *shortReach) note(read reading, now time.Time) {
	from := read.series.Request(read.window, read.answer, now).Range().From
	if !read.first || !from.After(read.since) {
		return
	}
	s.series++
	s.wanted = read.since
	if s.from.IsZero() || from.Before(s.from) {
		s.from = from
	}
}

// shrugOff reports whether a failure is no failure: a repository that was found
// in the events and that the source no longer knows.
func (r *run) shrugOff(s Series, err error) bool {
	kind, known := extract.KindOf(err)
	if !s.auto || !known || kind != extract.NotFound {
		return false
	}
	r.warn(PolicyStats, fmt.Sprintf("repository %s has no statistics: %v", s.ID, err))
	return true
}

// ledger is what planning needs to know of what is held.
type ledger interface {
	Coverage(ctx context.Context, key checkpoints.Key, status checkpoints.Status) (checkpoints.Set, error)
	Repos(ctx context.Context) ([]string, error)
}

// planStats lists the series and since when each is due.
func planStats(ctx context.Context, held ledger, stats Stats) ([]reading, error) {
	series, err := stats.Series(ctx, held)
	if err != nil {
		return nil, err
	}
	all := make([]reading, len(series))
	for i, s := range series {
		if all[i], err = planSeries(ctx, held, stats, s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Series lists the series: each scope unfiltered, then by each rule, then by each
// API key.
func (s Stats) Series(ctx context.Context, held ledger) (all []Series, err error) {
	for _, scope := range s.Scopes {
		targets, err := targets(ctx, held, scope, s.Bucket)
		if err != nil {
			return nil, err
		}
		for _, target := range targets {
			all = append(all, s.filtered(target)...)
		}
	}
	return all, nil
}

// targets are the unfiltered series of a scope: those that are named, and with
// auto the repositories seen in the events that are not.
func targets(ctx context.Context, held ledger, scope Scope, bucket string) ([]Series, error) {
	all := scope.named(bucket)
	if !scope.Auto {
		return all, nil
	}
	seen, err := held.Repos(ctx)
	for _, id := range seen {
		if !slices.Contains(scope.IDs, id) {
			all = append(all, Series{Scope: scope.Scope, ID: id, Bucket: bucket, auto: true})
		}
	}
	return all, err
}

// named are the unfiltered series that the scope names itself.
func (s Scope) named(bucket string) (all []Series) {
	if s.Scope == "org" {
		return []Series{{Scope: s.Scope, Bucket: bucket}}
	}
	for _, id := range s.IDs {
		all = append(all, Series{Scope: s.Scope, ID: id, Bucket: bucket})
	}
	return all
}

func (s Stats) filtered(whole Series) []Series {
	all := []Series{whole}
	for _, rule := range s.RuleIDs {
		part := whole
		part.RuleID = rule
		all = append(all, part)
	}
	for _, key := range s.APIKeyIDs {
		part := whole
		part.APIKeyID = key
		all = append(all, part)
	}
	return all
}

// Named are the smallest requests that reach every series the configuration names;
// those of repositories that only the events name are not among them.
func (s Stats) Named() (all []extract.StatsQuery) {
	for _, one := range s.named() {
		all = append(all, one.query("24h"))
	}
	return all
}

// named are the series that the configuration names.
func (s Stats) named() (all []Series) {
	for _, scope := range s.Scopes {
		for _, target := range scope.named(s.Bucket) {
			all = append(all, s.filtered(target)...)
		}
	}
	return all
}

func (s Series) query(window string) extract.StatsQuery {
	return extract.StatsQuery{Scope: s.Scope, ID: s.ID, Window: window, Bucket: s.Bucket, RuleID: s.RuleID, APIKeyID: s.APIKeyID}
}

func planSeries(ctx context.Context, held ledger, stats Stats, s Series) (reading, error) {
	covered, err := held.Coverage(ctx, s.Key(), checkpoints.Covered)
	read := reading{series: s, since: stats.Start, first: len(covered) == 0}
	if !read.first {
		read.since = covered[len(covered)-1].To
	}
	return read, err
}

// readAll asks for the series, several at once, and yields them as they come.
func (r *run) readAll(ctx context.Context, all []reading) <-chan reading {
	todo, done := make(chan reading), make(chan reading)
	workers := min(r.source.Concurrency(), len(all))
	left := make(chan struct{}, workers)
	for range workers {
		go func() {
			defer crash.Exit()
			for read := range todo {
				read.window, read.answer, read.err = r.readSeries(ctx, read)
				done <- read
			}
			left <- struct{}{}
		}()
	}
	go func() {
		defer crash.Exit()
		for _, read := range all {
			todo <- read
		}
		close(todo)
		for range workers {
			<-left
		}
		close(done)
	}()
	return done
}

// readSeries asks as far back as the series is due.
func (r *run) readSeries(ctx context.Context, read reading) (checkpoints.Window, *extract.StatsAnswer, error) {
	return read.series.ReadBack(ctx, r.source, r.now(), read.since)
}

// ReadBack asks with the smallest window that reaches back far enough from now, by
// the clock of the source as soon as the answer tells it.
func (s Series) ReadBack(ctx context.Context, from Source, now, since time.Time) (checkpoints.Window, *extract.StatsAnswer, error) {
	tries := checkpoints.Reaching(now, since)
	window, answer, err := askWindows(ctx, from, s, tries)
	if err != nil || window != tries[0] {
		return window, answer, err
	}
	if again := checkpoints.Reaching(answer.Now, since); again[0].Length > window.Length {
		return askWindows(ctx, from, s, again)
	}
	return window, answer, nil
}

// askWindows tries the windows in turn: one that the source refuses gives way to
// the next smaller one.
func askWindows(ctx context.Context, from Source, s Series, tries []checkpoints.Window) (window checkpoints.Window, answer *extract.StatsAnswer, err error) {
	for _, window = range tries {
		answer, err = from.Stats(ctx, s.query(window.Name))
		if kind, known := extract.KindOf(err); !known || kind != extract.Refused {
			break
		}
	}
	return window, answer, err
}

// addSeries gathers the points and the summary of an answer. It returns
// ErrIncomplete if buckets are lost: they were due after an earlier run, and have
// left the source's reach since.
func (r *run) addSeries(ctx context.Context, read reading, g *gatherer) error {
	s := read.series.Request(read.window, read.answer, r.options.Now())
	for _, point := range read.answer.Series {
		err := g.add(ctx, func() transform.Outcome { _, _, outcome := g.rows.AddPoint(s, point); return outcome })
		if err != nil {
			return err
		}
	}
	if len(read.answer.Summary) > 0 {
		g.summaries.AddSummary(s, read.answer.Summary)
	}
	held := s.Range()
	g.result.widen(held)
	g.cover(read.series.Key(), checkpoints.Covered, checkpoints.Of(checkpoints.Interval(held)))
	gap := checkpoints.Interval{From: read.since.Truncate(s.Length), To: held.From}
	lost := !gap.Empty() && !read.first // what lay beyond the source's reach at first was never to be had
	if lost {
		g.cover(read.series.Key(), checkpoints.Lost, checkpoints.Of(gap))
	}
	if err := g.commitIfDue(ctx); err != nil || !lost {
		return err
	}
	return fmt.Errorf("%w: %s: the source no longer has the statistics of %s", ErrIncomplete, read.series.Label(), gap)
}

// Label names the series for a person.
func (s Series) Label() string {
	if s.ID == "" {
		return s.Scope
	}
	return s.Scope + " " + s.ID
}

// widen extends the watermarks to hold a range.
func (r *Result) widen(held transform.Span) {
	if !held.From.Before(held.To) {
		return
	}
	if r.From == nil || held.From.Before(*r.From) {
		r.From = &held.From
	}
	if r.To == nil || held.To.After(*r.To) {
		r.To = &held.To
	}
}

// Request is what an answer was asked for, as its points need it.
func (s Series) Request(window checkpoints.Window, answer *extract.StatsAnswer, now time.Time) transform.Series {
	return transform.Series{
		Scope: s.Scope, ScopeID: s.ID, RuleID: s.RuleID, APIKeyID: s.APIKeyID,
		Window: window.Name, Reach: window.Length, Bucket: s.Bucket, Length: bucketLengths[s.Bucket],
		Start: answer.Start, End: answer.End, Now: answer.Now, FetchedAt: now.UTC(),
	}
}
