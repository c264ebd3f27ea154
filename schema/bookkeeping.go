package schema

// SyncRuns is one row per run and stream.
func SyncRuns() *Table {
	return &Table{
		Name: "sync_runs", Time: "started_at", Key: []string{"run_id", "stream"},
		Doc: "What each run of flashback-sync did: one row for each run and stream.",
		Columns: bookkept(
			text("run_id", "", Public, "Identifier of the run (UUIDv7: sorts by time).").required(),
			text("stream", "", Public, "Stream: alerts, violations or policy_stats.").required(),
			text("status", "", Public, "running, ok, partial, failed or interrupted.").oneOf("running", "ok", "partial", "failed", "interrupted").required(),
			instant("started_at", "When the run started (UTC).").required(),
			instant("finished_at", "When the stream was done (UTC); NULL while it runs or if it was killed."),
			instant("from_ts", "Lower watermark: start of the time range that the run read (UTC)."),
			instant("to_ts", "Upper watermark: end of the time range that the run read (UTC, exclusive)."),
			count("requests", "", "Requests sent to the API, retries included."),
			count("rows_received", "", "Rows received, the same row counted each time it came."),
			count("rows_inserted", "", "Rows that were new."),
			count("rows_updated", "", "Rows that replaced an older version of themselves."),
			count("rows_unchanged", "", "Rows that were already stored, unchanged."),
			count("rows_duplicate", "", "Rows received more than once in the run."),
			count("rows_rejected", "", "Rows that could not be typed; see rejected_records."),
			Column{Name: "complete", Type: Boolean, Privacy: Public, Doc: "Whether everything that was due has been read and proven complete."},
			text("error", "", Internal, "What went wrong; NULL if nothing did."),
			text("version", "", Public, "Release of flashback-sync that ran."),
			count("rows_recovered", "", "Rejected records of earlier runs that could be typed in this one."),
			text("verified", "", Public, "What the run's verification of the totals found: match, missing, extra, differs or unproven; NULL if none was due."),
			count("verified_missing", "", "Rows that the verification found missing; NULL if none was due."),
			count("rows_withheld", "", "Rows of persons or conversations that were forgotten or are suppressed. They are not stored."),
		),
	}
}

// SyncCoverage is the coverage ledger.
func SyncCoverage() *Table {
	return &Table{
		Name: "sync_coverage", Time: "from_ts", Key: []string{"stream", "filter", "status", "from_ts"},
		Doc: "The coverage ledger: for each stream and filter set, the time ranges that have been read completely, and those that have expired.",
		Columns: bookkept(
			text("stream", "", Public, "Stream: alerts, violations or policy_stats.").required(),
			text("filter", "", Internal, "The filter set, as one JSON object; {} is everything.").required(),
			text("status", "", Public, "covered: everything in the range is stored. lost: the source can no longer give the range. expired: what was stored of the range was dropped on purpose, and it is not read again.").oneOf("covered", "lost", "expired").required(),
			instant("from_ts", "Start of the range (UTC, inclusive).").required(),
			instant("to_ts", "End of the range (UTC, exclusive).").required(),
			text("run_id", "", Public, "Run that extended the range last.").required(),
		),
	}
}

// SyncLateness is how late rows came that were not there when their time was read.
func SyncLateness() *Table {
	return &Table{
		Name: "sync_lateness", Time: "observed_at", Key: []string{"run_id", "stream", "up_to_s"},
		Doc: "How late rows appeared inside time that had been read completely before: a histogram for each run and stream.",
		Columns: bookkept(
			text("run_id", "", Public, "Run that found the rows.").required(),
			text("stream", "", Public, "Stream: alerts or violations.").required(),
			instant("observed_at", "When the run started (UTC).").required(),
			count("up_to_s", "", "Upper end of the class, in seconds: at least so long before the end of what had been read the rows are dated, and they were not there then.").required(),
			count("rows", "", "Rows in the class.").required(),
			count("max_s", "", "The latest of them, in seconds.").required(),
		),
	}
}

// RejectedRecords keeps what could not be typed.
func RejectedRecords() *Table {
	return &Table{
		Name: "rejected_records", Time: "rejected_at", Key: []string{"stream", "raw"},
		Doc: "Quarantine: records that could not be typed, with their raw text.",
		Columns: bookkept(
			text("stream", "", Public, "Stream the record came from.").required(),
			text("run_id", "", Public, "Run that rejected the record first.").required(),
			text("reason", "", Public, "Why it was rejected.").required(),
			text("raw", "", Content, "The record's raw text. Bytes that are not UTF-8 are written as \\xNN.").required(),
			instant("rejected_at", "When it was rejected (UTC).").required(),
		),
	}
}

// SyncPrivacy is the privacy policy that everything stored obeys.
func SyncPrivacy() *Table {
	return &Table{
		Name: "sync_privacy", Time: "since", Key: []string{"table_name", "column_name"},
		Doc: "The privacy policy that everything stored obeys: one row for each column that it can treat.",
		Columns: bookkept(
			text("table_name", "", Public, "Table.").required(),
			text("column_name", "", Public, "Column.").required(),
			text("treatment", "", Public, "What is stored of its values: keep, drop, hash, pseudonym or mask.").oneOf("keep", "drop", "hash", "pseudonym", "mask").required(),
			text("key_id", "", Public, "Key of the hashes and pseudonyms: the beginning of a hash that only the key gives; NULL if the policy has no key."),
			instant("since", "When this treatment began (UTC).").required(),
		),
	}
}

func bookkept(columns ...Column) []Column {
	for i := range columns {
		columns[i].Origin = Bookkeeping
	}
	return columns
}
