package journal

import "time"

// job is the name that a run is counted under: its job, otherwise its command.
func (r *Run) job() string {
	if r.Job != "" {
		return r.Job
	}
	return r.Command
}

func (t *Totals) add(r *Run) {
	one := &Totals{
		Runs:     map[string]map[string]int64{r.job(): {r.Status: 1}},
		Requests: r.Requests, Retries: r.Retries,
		Streams: map[string]StreamTotals{},
	}
	if r.Status != Skipped {
		one.Seconds = map[string]float64{r.job(): max(0, r.Took().Seconds())}
	}
	if r.Good() {
		one.Good = map[string]time.Time{r.job(): r.FinishedAt}
	}
	for name, s := range r.Streams {
		one.Streams[name] = StreamTotals{Received: s.Received, Inserted: s.Inserted, Updated: s.Updated, Rejected: s.Rejected}
	}
	t.addAll(one)
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
