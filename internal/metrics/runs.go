package metrics

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

var (
	// jobNames are those of the schedule, and what a person runs by hand.
	jobNames = append(status.JobNames(), "repair")
	statuses = []string{journal.OK, journal.Partial, journal.Failed, journal.Interrupted, journal.Crashed, journal.Skipped}
	// verdicts are what a verification can find.
	verdicts = []string{"match", "missing", "extra", "differs", "unproven"}
)

// expected are the answers that rules use: they are 0 until they come, so that
// the first one is seen as an increase.
var expected = []string{"200", "401", "403", "404", "429", "500", "502", "503", "504", noAnswer}

const noAnswer = "none"

func (d drawing) runs() {
	for _, job := range jobNames {
		d.job(job, labels{"job": job})
	}
	counts := map[string]int64{}
	for _, answer := range expected {
		counts[answer] = 0
	}
	for answer, n := range d.Totals.Requests {
		counts[answerLabel(answer)] += n
	}
	for answer, n := range counts {
		d.add("requests_total", "Requests sent to the source by the status of the answer; none is a request without an answer, other a status that HTTP does not know.",
			float64(n), labels{"status": answer})
	}
	d.add("retries_total", "Requests that repeated one that had failed.", float64(d.Totals.Retries), nil)
	if d.live {
		alive := d.Progress.Alive(d.At)
		d.truth("run_in_progress", "1 while a run is under way, 0 otherwise; absent in a textfile.", alive, nil)
		if alive {
			d.moment("run_started_timestamp_seconds", "When the run under way began, in seconds since 1970; absent between runs, and in a textfile.", &d.Progress.StartedAt, nil)
		}
	}
}

// job is a job that may be scheduled, or may have run.
func (d drawing) job(name string, with labels) {
	scheduled := slices.IndexFunc(d.Jobs, func(j status.Job) bool { return j.Name == name })
	if runs := d.Totals.Runs[name]; scheduled >= 0 || runs != nil {
		for _, how := range statuses {
			d.add("runs_total", "Runs by how they ended: ok, partial, failed, interrupted (stopped by a signal), crashed, and slots of the schedule that were skipped. Runs that a person narrowed count under their command.",
				float64(runs[how]), labels{"job": name, "status": how})
		}
		d.add("run_duration_seconds_total", "Time that runs took, summed up; over runs_total without the skipped it is the mean.", d.Totals.Seconds[name], with)
	}
	if scheduled >= 0 && d.live {
		d.moment("next_run_timestamp_seconds", "When the job is due next, in seconds since 1970; only where flashback-sync itself keeps the schedule.", &d.Jobs[scheduled].Next, with)
	}
	good := d.Totals.Good[name]
	d.moment("last_success_timestamp_seconds", "When the last run ended that did all that it was for, in seconds since 1970; absent if none ever did.", &good, with)
	if last := d.Standing(name); last != nil {
		d.last(last, with)
	}
}

// last is the last run of a job.
func (d drawing) last(r *journal.Run, with labels) {
	const which = ". Runs that were skipped or stopped by a signal are passed over; absent once a good run of all streams has done the job's work."
	d.moment("last_run_timestamp_seconds", "When the last run ended, in seconds since 1970"+which, &r.FinishedAt, with)
	d.add("last_run_duration_seconds", "How long the last run took"+which, max(0, r.Took().Seconds()), with)
	d.truth("last_run_success", "1 if the last run did all that it was for, 0 if it was partial, failed or crashed"+which, r.Good(), with)
	d.add("last_run_exit_code", "Exit code of the last run: 0 is good, 3 partial, -1 crashed"+which, float64(r.ExitCode), with)
	if r.PeakBytes > 0 {
		d.add("last_run_peak_memory_bytes", "Largest resident memory of the last run"+which, float64(r.PeakBytes), with)
	}
}

func (d drawing) verification() {
	v := d.LastVerification()
	if v == nil {
		return
	}
	d.moment("verification_timestamp_seconds", "When the stored rows were last compared with the source, in seconds since 1970; absent if it never was.", &v.FinishedAt, nil)
	d.add("verification_missing_rows", "Rows that the last verification found missing.", float64(v.Missing), nil)
	for _, verdict := range verdicts {
		d.truth("verification_verdict", "1 for what the last verification found, 0 for the others: match, missing, extra (the source has deleted rows), differs, unproven.",
			verdict == v.Verdict, labels{"verdict": verdict})
	}
}

// answerLabel bounds what a source can answer.
func answerLabel(answer string) string {
	if code, err := strconv.Atoi(answer); answer == noAnswer || err == nil && http.StatusText(code) != "" {
		return answer
	}
	return "other"
}
