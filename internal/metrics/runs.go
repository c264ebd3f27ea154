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
	byJob    = []string{"job"}
)

// expected are the answers that rules ask for: they are 0 until they come, so that
// the first one is seen as an increase.
var expected = []string{"200", "401", "403", "404", "429", "500", "502", "503", "504", noAnswer}

const noAnswer = "none"

func runFamilies() []family {
	return []family{
		{
			name: "runs_total", kind: counter, labels: []string{"job", "status"},
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
			name: "run_duration_seconds_total", kind: counter, labels: byJob,
			help: "Time that runs took, summed up; over runs_total without the skipped it is the mean.",
			read: func(s *status.Status, add add) {
				for _, job := range jobs(s) {
					add(s.Totals.Seconds[job], job)
				}
			},
		},
		{
			name: "requests_total", kind: counter, labels: []string{"status"},
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
			name: "retries_total", kind: counter, help: "Requests that repeated one that had failed.",
			read: func(s *status.Status, add add) { add(float64(s.Totals.Retries)) },
		},
		{
			name: "run_in_progress", kind: gauge, live: true,
			help: "1 while a run is under way, 0 otherwise; absent in a textfile.",
			read: func(s *status.Status, add add) {
				if s.Progress.Alive(s.At) {
					add(1)
				} else {
					add(0)
				}
			},
		},
		{
			name: "run_started_timestamp_seconds", kind: gauge, live: true,
			help: "When the run under way began, in seconds since 1970; absent between runs, and in a textfile.",
			read: func(s *status.Status, add add) {
				if s.Progress.Alive(s.At) {
					moment(s.Progress.StartedAt, add)
				}
			},
		},
		{
			name: "next_run_timestamp_seconds", kind: gauge, labels: byJob, live: true,
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
	}
}

// jobs are those that are scheduled or have run.
func jobs(s *status.Status) []string {
	return known(jobNames, func(name string) bool {
		for _, job := range s.Jobs {
			if job.Name == name {
				return true
			}
		}
		return s.Totals.Runs[name] != nil
	})
}

// answerLabel bounds what a strange source can answer.
func answerLabel(answer string) string {
	if code, err := strconv.Atoi(answer); answer == noAnswer || err == nil && http.StatusText(code) != "" {
		return answer
	}
	return "other"
}
