package demo

// queries are what a security team looks at first.
var queries = []struct{ title, sql string }{
	{"Is it complete? The newest days", `
		SELECT c.day, c.weekday, c.complete, sum(e.events) FILTER (kind = 'alert') AS alerts, sum(e.events) FILTER (kind = 'violation') AS violations
		FROM bi.calendar c LEFT JOIN bi.events_daily e USING (day) GROUP BY ALL ORDER BY day DESC LIMIT 4`},
	{"Violations by policy and severity, last 30 complete days", `
		SELECT policy_name AS policy, sum(events) FILTER (severity = 'HIGH') AS high, sum(events) FILTER (severity = 'MEDIUM') AS medium,
			sum(events) FILTER (severity = 'LOW') AS low, sum(blocked) AS blocked, bar(sum(events), 0, max(sum(events)) OVER (), 20) AS violations
		FROM bi.events_daily WHERE kind = 'violation' AND complete AND day > (SELECT max(day) FROM bi.calendar WHERE complete) - 30
		GROUP BY policy_name ORDER BY sum(events) DESC LIMIT 6`},
	{"Where the tokens of the policies' own checks go, by repository", `
		SELECT repo_name AS repo, sum(policy_tokens_in) AS tokens_in, sum(policy_tokens_out) AS tokens_out,
			round(100.0 * sum(policy_tokens_in + policy_tokens_out) / sum(sum(policy_tokens_in + policy_tokens_out)) OVER (), 1) AS share_percent
		FROM bi.stats_repo WHERE complete GROUP BY repo_name ORDER BY share_percent DESC LIMIT 6`},
	{"Who triggers most, and what", `
		SELECT user_name AS user, count(*) FILTER (kind = 'alert') AS alerts, count(*) FILTER (kind = 'violation') AS violations,
			mode(policy_name) AS mostly, mode(model) AS model
		FROM bi.events GROUP BY user_name ORDER BY count(*) DESC LIMIT 6`},
}
