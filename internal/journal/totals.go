package journal

import "time"

// add adds a line: a run, or the totals of many.
func (t *Totals) add(l line) {
	if l.Folded != nil {
		t.addAll(l.Folded)
	} else {
		t.addAll(totalsOf(l.Run))
	}
}

func totalsOf(r *Run) *Totals {
	one := &Totals{
		Runs:     map[string]map[string]int64{r.Name(): {r.Status: 1}},
		Requests: r.Requests, Retries: r.Retries,
		Streams: map[string]StreamTotals{},
	}
	if r.Status != Skipped {
		one.Seconds = map[string]float64{r.Name(): max(0, r.Took().Seconds())}
	}
	if r.Good() {
		one.Good = map[string]time.Time{r.Name(): r.FinishedAt}
	}
	for name, s := range r.Streams {
		one.Streams[name] = StreamTotals{Received: s.Received, Inserted: s.Inserted, Updated: s.Updated, Rejected: s.Rejected}
	}
	return one
}

func (t *Totals) addAll(more *Totals) {
	if t.Runs == nil {
		t.Runs, t.Requests, t.Seconds = map[string]map[string]int64{}, map[string]int64{}, map[string]float64{}
		t.Streams, t.Good = map[string]StreamTotals{}, map[string]time.Time{}
	}
	for job, statuses := range more.Runs {
		if t.Runs[job] == nil {
			t.Runs[job] = map[string]int64{}
		}
		for status, n := range statuses {
			t.Runs[job][status] += n
		}
	}
	for status, n := range more.Requests {
		t.Requests[status] += n
	}
	t.Retries += more.Retries
	for job, seconds := range more.Seconds {
		t.Seconds[job] += seconds
	}
	for job, at := range more.Good {
		if at.After(t.Good[job]) {
			t.Good[job] = at
		}
	}
	for name, s := range more.Streams {
		sum := t.Streams[name]
		sum.Received += s.Received
		sum.Inserted += s.Inserted
		sum.Updated += s.Updated
		sum.Rejected += s.Rejected
		t.Streams[name] = sum
	}
}
