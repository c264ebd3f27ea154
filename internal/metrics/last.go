package metrics

import (
	"github.com/flashback-sync/flashback-sync/internal/journal"
	"github.com/flashback-sync/flashback-sync/internal/status"
)

func lastRunFamilies() []family {
	return []family{
		last("last_run_timestamp_seconds", "When the last run ended, in seconds since 1970", func(r *journal.Run, add add) { moment(r.FinishedAt, add, r.Job) }),
		last("last_run_duration_seconds", "How long the last run took", func(r *journal.Run, add add) { add(max(0, r.Took().Seconds()), r.Job) }),
		last("last_run_success", "1 if the last run did all that it was for, 0 if it was partial, failed or crashed", func(r *journal.Run, add add) {
			if r.Good() {
				add(1, r.Job)
			} else {
				add(0, r.Job)
			}
		}),
		last("last_run_exit_code", "Exit code of the last run: 0 is good, 3 partial, -1 crashed", func(r *journal.Run, add add) { add(float64(r.ExitCode), r.Job) }),
		last("last_run_peak_memory_bytes", "Largest resident memory of the last run", func(r *journal.Run, add add) {
			if r.PeakBytes > 0 {
				add(float64(r.PeakBytes), r.Job)
			}
		}),
		{
			name: "last_success_timestamp_seconds", kind: gauge, labels: byJob,
			help: "When the last run ended that did all that it was for, in seconds since 1970; absent if none ever did.",
			read: func(s *status.Status, add add) {
				for _, job := range jobNames {
					if at, ever := s.Totals.Good[job]; ever {
						moment(at, add, job)
					}
				}
			},
		},
	}
}

// last is a gauge of the last run of every job.
func last(name, help string, read func(r *journal.Run, add add)) family {
	return family{
		name: name, kind: gauge, labels: byJob,
		help: help + ". Runs that were skipped or stopped by a signal are passed over; absent once a good run of all streams has done the job's work.",
		read: func(s *status.Status, add add) {
			for _, job := range jobNames {
				if run := s.Standing(job); run != nil {
					read(run, add)
				}
			}
		},
	}
}

// verdicts are what a verification can find.
var verdicts = []string{"match", "missing", "extra", "differs", "unproven"}

func proofFamilies() []family {
	return []family{
		{
			name: "verification_timestamp_seconds", kind: gauge,
			help: "When the stored rows were last compared with the source, in seconds since 1970; absent if it never was.",
			read: proof(func(v *journal.Run, add add) { moment(v.FinishedAt, add) }),
		},
		{
			name: "verification_missing_rows", kind: gauge,
			help: "Rows that the last verification found missing.",
			read: proof(func(v *journal.Run, add add) { add(float64(v.Missing)) }),
		},
		{
			name: "verification_verdict", kind: gauge, labels: []string{"verdict"},
			help: "1 for what the last verification found, 0 for the others: match, missing, extra (the source has deleted rows), differs, unproven.",
			read: proof(func(v *journal.Run, add add) {
				for _, verdict := range verdicts {
					if verdict == v.Verdict {
						add(1, verdict)
					} else {
						add(0, verdict)
					}
				}
			}),
		},
	}
}

func proof(read func(v *journal.Run, add add)) func(*status.Status, add) {
	return func(s *status.Status, add add) {
		if v := s.LastVerification(); v != nil {
			read(v, add)
		}
	}
}
