package metrics

import (
	"net/http"
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

func runFamilies() []family {
	return []family{
		{
			name: "runs_total", labels: []string{"job", "status"},
			help: "Runs by how they ended: ok, partial, failed, interrupted (stopped by a signal), crashed, and slots of the schedule that were skipped. Runs that a person narrowed count under their command.",
			read: func(s *status.Status, add add) {
				for _, job := range jobs(s) {
					for _, how := range statuses {
						add(float64(s.Totals.Runs[job][how]), job, how)
					}
				}
			},
		},
		{
			name: "run_duration_seconds_total", labels: []string{"job"},
			help: "Time that runs took, summed up; over runs_total without the skipped it is the mean.",
			read: func(s *status.Status, add add) {
				for _, job := range jobs(s) {
					add(s.Totals.Seconds[job], job)
				}
			},
		},
		{
			name: "requests_total", labels: []string{"status"},
			help: "Requests sent to the source by the status of the answer; none is a request without an answer, other a status that HTTP does not know.",
			read: func(s *status.Status, add add) {
				counts := map[string]int64{}
				for _, answer := range expected {
					counts[answer] = 0
				}
				for answer, n := range s.Totals.Requests {
					counts[answerLabel(answer)] += n
				}
				for answer, n := range counts {
					add(float64(n), answer)
				}
			},
		},
		{
			name: "retries_total", help: "Requests that repeated one that had failed.",
			read: func(s *status.Status, add add) { add(float64(s.Totals.Retries)) },
		},
		{
			name: "run_in_progress", live: true,
			help: "1 while a run is under way, 0 otherwise; absent in a textfile.",
			read: func(s *status.Status, add add) { add(truth(s.Progress.Alive(s.At))) },
		},
		{
			name: "run_started_timestamp_seconds", live: true,
			help: "When the run under way began, in seconds since 1970; absent between runs, and in a textfile.",
			read: func(s *status.Status, add add) {
				if s.Progress.Alive(s.At) {
					moment(s.Progress.StartedAt, add)
				}
			},
		},
		{
			name: "next_run_timestamp_seconds", labels: []string{"job"}, live: true,
			help: "When the job is due next, in seconds since 1970; only where flashback-sync itself keeps the schedule.",
			read: func(s *status.Status, add add) {
				for _, name := range jobNames {
					for _, job := range s.Jobs {
						if job.Name == name {
							moment(job.Next, add, name)
						}
					}
				}
			},
		},
		lastRun("last_run_timestamp_seconds", "When the last run ended, in seconds since 1970", func(r *journal.Run, add add) { moment(r.FinishedAt, add) }),
		lastRun("last_run_duration_seconds", "How long the last run took", func(r *journal.Run, add add) { add(max(0, r.Took().Seconds())) }),
		lastRun("last_run_success", "1 if the last run did all that it was for, 0 if it was partial, failed or crashed", func(r *journal.Run, add add) { add(truth(r.Good())) }),
		lastRun("last_run_exit_code", "Exit code of the last run: 0 is good, 3 partial, -1 crashed", func(r *journal.Run, add add) { add(float64(r.ExitCode)) }),
		lastRun("last_run_peak_memory_bytes", "Largest resident memory of the last run", func(r *journal.Run, add add) {
			if r.PeakBytes > 0 {
				add(float64(r.PeakBytes))
			}
		}),
		{
			name: "last_success_timestamp_seconds", labels: []string{"job"},
			help: "When the last run ended that did all that it was for, in seconds since 1970; absent if none ever did.",
			read: func(s *status.Status, add add) {
				for _, job := range jobNames {
					moment(s.Totals.Good[job], add, job)
				}
			},
		},
		{
			name: "verification_timestamp_seconds",
			help: "When the stored rows were last compared with the source, in seconds since 1970; absent if it never was.",
			read: verification(func(v *journal.Run, add add) { moment(v.FinishedAt, add) }),
		},
		{
			name: "verification_missing_rows", help: "Rows that the last verification found missing.",
			read: verification(func(v *journal.Run, add add) { add(float64(v.Missing)) }),
		},
		{
			name: "verification_verdict", labels: []string{"verdict"},
			help: "1 for what the last verification found, 0 for the others: match, missing, extra (the source has deleted rows), differs, unproven.",
			read: verification(func(v *journal.Run, add add) {
				for _, verdict := range verdicts {
					add(truth(verdict == v.Verdict), verdict)
				}
			}),
		},
	}
}

// lastRun is a gauge of the last run of every job.
func lastRun(name, help string, read func(r *journal.Run, add add)) family {
	help += ". Runs that were skipped or stopped by a signal are passed over; absent once a good run of all streams has done the job's work."
	return family{name: name, help: help, labels: []string{"job"}, read: func(s *status.Status, add add) {
		for _, job := range jobNames {
			if run := s.Standing(job); run != nil {
				read(run, func(value float64, _ ...string) { add(value, job) })
			}
		}
	}}
}

func verification(read func(v *journal.Run, add add)) func(*status.Status, add) {
	return func(s *status.Status, add add) {
		if v := s.LastVerification(); v != nil {
			read(v, add)
		}
	}
}

// jobs are those that are scheduled or have run.
func jobs(s *status.Status) (names []string) {
	scheduled := map[string]bool{}
	for _, job := range s.Jobs {
		scheduled[job.Name] = true
	}
	for _, name := range jobNames {
		if scheduled[name] || s.Totals.Runs[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// answerLabel bounds what a source can answer.
func answerLabel(answer string) string {
	if code, err := strconv.Atoi(answer); answer == noAnswer || err == nil && http.StatusText(code) != "" {
		return answer
	}
	return "other"
}
