"""Every row arrives once, for few requests, and statistics are what the server said."""

import rows
from compare import differences, exact
from fake_api import BUCKETS, SECOND
from scenario import reading
from story import CHANGED, COUNT, LOOKBACK, NEW, StoryScenario, changed_files
from tool import LISTS, NUMBERS


class Rows(StoryScenario):
    def test_every_field_of_every_row_equals_the_source(self):
        for stream in LISTS:
            with self.subTest(stream):
                self.assertEqual([], differences(stream, self.story.served_first[stream], self.story.first.tables[stream]))
                self.assertEqual([], differences(stream, self.story.served_second[stream], self.story.second.tables[stream]))
                self.assertEqual([], differences(stream, self.story.api.rows(stream), self.story.fourth.tables[stream]))

    def test_the_first_run_reports_what_it_inserted(self):
        for stream in LISTS:
            self.assert_summary(self.story.first, stream, rows_inserted=COUNT, rows_updated=0, rows_rejected=0, complete=True, error=None)

    def test_an_increment_reports_exactly_the_new_rows(self):
        for stream in LISTS:
            self.assert_summary(self.story.second, stream, rows_inserted=NEW[stream], rows_updated=0, rows_rejected=0, complete=True)
        self.assertEqual(300, sum(self.story.second.run.summary["streams"][s]["rows_inserted"] for s in LISTS))

    def test_an_increment_makes_a_small_fraction_of_the_first_runs_requests(self):
        for stream in LISTS:
            self.assertLess(len(self.story.second.of(stream)), len(self.story.first.of(stream)) / 10, stream)

    def test_a_run_with_nothing_new_changes_nothing(self):
        for stream in LISTS:
            self.assert_summary(self.story.third, stream, rows_inserted=0, rows_updated=0, complete=True)
        self.assertEqual(self.story.second.tables, self.story.third.tables)

    def test_a_run_with_nothing_new_rewrites_no_file(self):
        self.assertIn("flashback.duckdb", self.story.third.published)
        self.assertIn("lake/manifest.json", self.story.third.published)
        self.assertEqual([], changed_files(self.story.second, self.story.third))

    def test_a_run_with_nothing_new_asks_for_the_lookback_only(self):
        for stream in LISTS:
            requests = reading(self.story.third.of(stream))
            self.assertTrue(requests)
            self.assertTrue(all("from" in r.params for r in requests), stream)
            earliest = min(r.instant("from") for r in requests)
            self.assertGreaterEqual(earliest, self.story.third.now - LOOKBACK - SECOND, f"{stream} from {rows.iso(earliest)}")

    def test_the_lookback_is_read_whole(self):
        for stream in LISTS:
            self.assertLessEqual(min(r.instant("from") for r in reading(self.story.third.of(stream))), self.story.third.now - LOOKBACK)

    def test_changed_rows_replace_their_old_selves(self):
        self.assert_summary(self.story.fourth, "alerts", rows_inserted=0, rows_updated=CHANGED)
        before = {r["id"]: r for r in self.story.third.tables["alerts"]}
        changed = [r for r in self.story.fourth.tables["alerts"] if r != before[r["id"]]]
        self.assertEqual(CHANGED, len(changed))
        for row in changed:
            self.assertEqual(before[row["id"]]["_first_synced_at"], row["_first_synced_at"])
            self.assertGreater(row["_last_changed_at"], before[row["id"]]["_last_changed_at"])
            self.assertEqual(self.story.fourth.run.summary["run_id"], row["_run_id"])

    def test_only_the_partitions_that_changed_are_rewritten(self):
        expected = {"flashback.duckdb", "lake/manifest.json"}
        expected |= {f"lake/alerts/date={day}/alerts.parquet" for day in self.story.changed_days}
        expected |= {f"lake/events_daily/month={day[:7]}/events_daily.parquet" for day in self.story.changed_days}
        self.assertEqual(sorted(expected), changed_files(self.story.third, self.story.fourth))

    def test_a_row_keeps_the_run_that_first_brought_it(self):
        first = self.story.first.run.summary["run_id"]
        for stream in LISTS:
            brought = [r for r in self.story.second.tables[stream] if r["_run_id"] == first]
            self.assertEqual(COUNT, len(brought))
            self.assertTrue(all(r["_first_synced_at"] == r["_last_changed_at"] for r in brought))

    def assert_summary(self, seen, stream, **wanted):
        summary = seen.run.summary
        self.assertEqual("ok", summary["status"])
        have = summary["streams"][stream]
        self.assertEqual(wanted, {name: have.get(name) for name in wanted}, stream)


class Requests(StoryScenario):
    def test_a_full_sync_asks_little_more_than_rows_by_hundred(self):
        for stream in LISTS:
            self.assertLessEqual(len(self.story.first.of(stream)), 1.05 * COUNT / 100 + 20, stream)

    def test_no_request_breaks_the_documented_contract(self):
        self.assertEqual([], self.story.api.breaches[:5])

    def test_the_summary_counts_the_requests_that_were_made(self):
        for seen in (self.story.first, self.story.second, self.story.third):
            for stream in (*LISTS, "policy_stats"):
                made = len(seen.of("stats" if stream == "policy_stats" else stream))
                self.assertEqual(made, seen.run.summary["streams"][stream]["requests"], stream)

    def test_connections_are_kept_alive(self):
        self.assertLessEqual(self.story.api.connections, 4 * (8 * 3 + 4))

    def test_the_client_names_itself(self):
        agents = {r.agent.split("/")[0] for r in self.story.first.requests}
        self.assertEqual({"flashback-sync"}, agents)


class Statistics(StoryScenario):
    def test_statistics_equal_the_servers_series(self):
        expected, first_buckets = {}, set()
        for answer in self.story.first.stats + self.story.second.stats:
            size = BUCKETS[answer.params["timeBucketSize"]]
            for n, point in enumerate(answer.series):
                at = point["ts"] * SECOND
                key = (answer.params["scope"], answer.params.get("id", "") if answer.params["scope"] != "org" else "", at)
                if n == 0 and answer.meta["start"] > point["ts"]:
                    first_buckets.add(key)  # cut off by its window: worth nothing
                elif at >= self.story.stats_start:
                    expected[key] = stats_values(point) | {"closed": at + size <= answer.now}
        stored = {}
        for row in self.story.second.tables["policy_stats"]:
            key = (row["scope"], row["scope_id"] or "", row["bucket_start"])
            self.assertNotIn(key, stored, "a bucket is there twice")
            self.assertEqual("1h", row["bucket_size"])
            stored[key] = {c: row[c] for c in (*NUMBERS, "closed")} | {"extra": exact(row["extra"] or "{}")}
        wrong = [(k, v, stored.get(k)) for k, v in expected.items() if stored.get(k) != v]
        self.assertEqual([], wrong[:3], f"{len(wrong)} of {len(expected)} buckets differ")
        strays = [k for k in stored if k[2] >= self.story.stats_start and k not in expected and k not in first_buckets]
        self.assertEqual([], strays[:3])

    def test_statistics_ask_for_every_repo_that_was_seen(self):
        seen = {r["repo_id"] for stream in LISTS for r in self.story.first.tables[stream]} - {None, ""}
        asked = [(r.params["scope"], r.params.get("id", "") if r.params["scope"] == "repo" else "") for r in self.story.first.of("stats")]
        self.assertEqual(sorted([("org", ""), *(("repo", repo) for repo in seen)]), sorted(asked))

    def test_statistics_use_the_smallest_window_that_reaches_back(self):
        self.assertEqual({"30d"}, {r.params["window"] for r in self.story.first.of("stats")})
        self.assertEqual({"24h"}, {r.params["window"] for r in self.story.second.of("stats")})

    def test_the_summary_of_every_answer_is_kept(self):
        stored = self.story.tool.query("""SELECT scope, coalesce(scope_id, ''), "window", bucket_size, epoch_us("start"), epoch_us("end"),
            total, avg, std_dev, min, max, p10, p50, p90 FROM policy_stats_summary""")
        for answer in self.story.first.stats + self.story.second.stats:
            meta, summary = answer.meta, answer.summary
            scope_id = answer.params.get("id", "") if meta["scope"] != "org" else ""
            self.assertIn((meta["scope"], scope_id, meta["window"], meta["timeBucketSize"], meta["start"] * SECOND, meta["end"] * SECOND,
                           *(summary[n] for n in ("total", "avg", "stdDev", "min", "max", "p10", "p50", "p90"))), stored)


def stats_values(point):
    names = {"violations": "violations", "alerts": "alerts", "blocks": "blocks", "severityLow": "severity_low",
             "severityMedium": "severity_medium", "severityHigh": "severity_high",
             "policyTokensIn": "policy_tokens_in", "policyTokensOut": "policy_tokens_out"}
    values = {column: point[name] for name, column in names.items()}
    return values | {"extra": {k: v for k, v in point.items() if k not in names and k != "ts"}}
