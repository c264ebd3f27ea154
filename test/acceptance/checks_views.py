"""The views of schema bi: every figure computed a second time from what the server holds."""

import os
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone

import rows
from fake_api import DAY
from scenario import FreshScenario
from story import StoryScenario

SAFE = {"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"}
RANK = {"HIGH": 3, "MEDIUM": 2, "LOW": 1, "NONE": 0}

# Prints every row of every view as text, sorted, in the client's own time zone.
EVERYTHING = """
import duckdb, hashlib, sys
file = duckdb.connect(sys.argv[1], read_only=True)
file.execute("SET TimeZone = 'Asia/Tokyo'")
file.execute("SET enable_progress_bar = false")  # older releases print it to stdout
for view in sys.argv[2:]:
    found = sorted(repr(row) for row in file.execute(f"SELECT * FROM bi.{view}").fetchall())
    print(view, len(found), hashlib.sha256("\\n".join(found).encode()).hexdigest())
"""


def utc(micros):
    return datetime(1970, 1, 1) + timedelta(microseconds=micros)


def day(micros):
    return utc(micros).date()


class Event:
    """An alert or a violation as the server has it, with what the views make of it."""

    def __init__(self, kind, row):
        self.kind, self.at, self.json = kind, row.at, row.json
        self.severity = row.json.get("severity") or "NONE" if kind == "violation" else "NONE"
        if kind == "violation" and row.json.get("severity") == "":
            self.severity = ""
        self.blocked = kind == "violation" and row.json.get("block") is True

    def __getitem__(self, field):
        return self.json.get(field)


def events(api):
    return [Event(kind, row) for kind, stream in (("alert", "alerts"), ("violation", "violations")) for row in api.rows(stream)]


def latest(all_events, identifier, name):
    """id -> the name that was seen last; of two at one instant the greater."""
    seen = defaultdict(dict)
    for e in all_events:
        if e[identifier] is not None and e[name] is not None:
            seen[e[identifier]][e[name]] = max(e.at, seen[e[identifier]].get(e[name], e.at))
    return {key: sorted(names, key=lambda n: (names[n], n), reverse=True) for key, names in seen.items()}


class Views(StoryScenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.events = events(cls.story.api)
        cls.names = {
            "policies": ("policyId", "policyName"), "repos": ("repoId", "repoName"), "users": ("userId", "userName"),
            "api_keys": ("repoAiApiKeyId", "repoAiApiKeyName"), "models": ("llmModel", "llmModel"),
        }

    def view(self, name, columns="*", *args):
        return self.story.tool.query(f"SELECT {columns} FROM bi.{name}", *args)

    def all_views(self):
        return [name for name, in self.story.tool.query("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi' ORDER BY 1")]

    def test_views_have_types_that_every_tool_reads(self):
        for view in self.all_views():
            types = {name: kind for name, kind, *_ in self.story.tool.query(f"DESCRIBE bi.{view}")}
            self.assertLessEqual(set(types.values()), SAFE, view)

    def test_events_are_those_of_the_source(self):
        columns = ("kind, id, epoch_us(happened_at), day, week, month, policy_id, policy_name_then, conversation_id, repo_id, user_id, api_key_id, "
                   "provider, model, host, severity, severity_rank, blocked, text")
        want = []
        for e in self.events:
            on = day(e.at)
            text = e["message"] if e.kind == "alert" else e["explanation"]
            want.append((e.kind, e["id"], e.at, on, on - timedelta(on.weekday()), on.replace(day=1), e["policyId"], e["policyName"],
                         e["conversationId"], e["repoId"], e["userId"], e["repoAiApiKeyId"], e["llmType"], e["llmModel"], e["host"],
                         e.severity, RANK.get(e.severity), e.blocked, text))
        self.assertEqual(sorted(map(repr, want)), sorted(map(repr, self.view("events", columns))))

    def test_rows_that_came_after_their_day_was_complete_are_late(self):
        first = {(kind, r.id) for kind, stream in (("alert", "alerts"), ("violation", "violations")) for r in self.story.served_first[stream]}
        today = day(self.story.first.now)
        want = {(e.kind, e["id"]) for e in self.events if (e.kind, e["id"]) not in first and day(e.at) < today}
        self.assertTrue(want)
        self.assertEqual(want, set(self.view("events WHERE late", "kind, id")))

    def test_names_are_the_latest(self):
        for view, (identifier, name) in self.names.items():
            names = latest(self.events, identifier, name)
            want = []
            for key in {e[identifier] for e in self.events} - {None}:
                of = [e for e in self.events if e[identifier] == key]
                known = names.get(key, [])
                want.append((key, known[0] if known else None, ", ".join(known[1:]) or None, utc(min(e.at for e in of)), utc(max(e.at for e in of)),
                             sum(e.kind == "alert" for e in of), sum(e.kind == "violation" for e in of), sum(e.blocked for e in of)))
            self.assertEqual(sorted(map(repr, want)), sorted(map(repr, self.view(view))), view)
        users = latest(self.events, "userId", "userName")
        for user, name in self.view("events", "DISTINCT user_id, user_name"):
            if user in users:
                self.assertEqual(users[user][0], name)

    def test_days_are_counted_once(self):
        complete = {(kind, on) for on, kind in self.story.tool.query("""SELECT day, CASE stream WHEN 'alerts' THEN 'alert' ELSE 'violation' END
            FROM bi.coverage_daily WHERE status = 'complete' AND stream <> 'policy_stats'""")}
        want = defaultdict(lambda: [0, 0])
        for e in self.events:
            key = (day(e.at), e.kind, e["policyId"], e["repoId"], e["repoAiApiKeyId"], e["llmType"], e["llmModel"], e.severity)
            want[key][0] += 1
            want[key][1] += e.blocked
        want = {(*key, *figures, (key[1], key[0]) in complete) for key, figures in want.items()}
        columns = "day, kind, policy_id, repo_id, api_key_id, provider, model, severity, events, blocked, complete"
        self.assertEqual(want, set(self.view("events_daily", columns)))
        lake = self.story.tool.query(f"SELECT {columns} FROM read_parquet('{self.story.tool.lake}/events_daily/*/*.parquet')")
        self.assertEqual(sorted(map(repr, want)), sorted(map(repr, lake)))

    def test_conversations_start_with_their_first_event(self):
        of = defaultdict(list)
        for e in self.events:
            if e["conversationId"] is not None:
                of[e["conversationId"]].append(e)
        want = {}
        for key, found in of.items():
            alerts, violations = ([e.at for e in found if e.kind == kind] for kind in ("alert", "violation"))
            between = (min(violations) - min(alerts)) / 1e6 if alerts and violations else None
            top = max((RANK.get(e.severity) or 0) for e in found)
            want[key] = (utc(min(alerts)) if alerts else None, utc(min(violations)) if violations else None, between, len(alerts), len(violations),
                         sum(e.blocked for e in found), next(s for s, r in RANK.items() if r == top))
        got = {key: tuple(rest) for key, *rest in self.view(
            "conversations", "conversation_id, first_alert_at, first_violation_at, seconds_between, alerts, violations, blocked, max_severity")}
        self.assertEqual(want, got)

    def test_statistics_have_one_scope_and_add_up(self):
        stored = self.story.fourth.tables["policy_stats"]
        for view, scope in (("stats_org", "org"), ("stats_repo", "repo")):
            want = [r for r in stored if r["scope"] == scope]
            got, = self.view(view, "count(*), sum(policy_tokens_in), sum(alerts), count(*) FILTER (closed)")
            self.assertEqual((len(want), sum(r["policy_tokens_in"] for r in want), sum(r["alerts"] for r in want), sum(r["closed"] for r in want)), got)

    def test_events_and_statistics_are_compared_by_day(self):
        for on, kind, from_events, from_statistics, difference, comparable in self.view("reconciliation_daily"):
            buckets = [r for r in self.story.fourth.tables["policy_stats"] if r["scope"] == "org" and day(r["bucket_start"]) == on]
            counted = sum(e.kind == kind and day(e.at) == on for e in self.events)
            figure = sum(r["alerts" if kind == "alert" else "violations"] for r in buckets) if buckets else None
            self.assertEqual((counted, figure, None if figure is None else counted - figure), (from_events, from_statistics, difference), on)
            whole = len(buckets) == 24 and all(r["closed"] for r in buckets)
            self.assertEqual(whole, comparable, on)

    def test_every_release_of_duckdb_and_every_time_zone_sees_the_same(self):
        views = self.all_views()
        seen = {}
        for folder in [None, *os.environ.get("ACCEPTANCE_DUCKDBS", "").split(":")]:
            env = os.environ | ({"PYTHONPATH": folder} if folder else {})
            done = subprocess.run([sys.executable, "-c", EVERYTHING, str(self.story.tool.database), *views], capture_output=True, text=True, env=env, timeout=120)
            self.assertEqual(0, done.returncode, f"{folder}: {done.stderr[-800:]}")
            seen[folder] = done.stdout
        for folder, found in seen.items():
            self.assertEqual(seen[None], found, folder)

    def test_query_finds_views_without_their_schema(self):
        run = self.story.tool.run("query", "--format", "csv", "SELECT count(*) AS n FROM events")
        self.assert_run(run)
        self.assertIn(str(len(self.events)), run.out)


class Gaps(FreshScenario):
    def test_only_days_that_were_read_whole_are_complete(self):
        api, tool = self.serve(days=20, alerts=rows.many("alerts", 400, self.now, 19 * DAY), violations=rows.many("violations", 300, self.now, 19 * DAY))
        midnight = self.now // DAY * DAY
        start = midnight - 15 * DAY
        tool.configure(api.url, {s: {"start": rows.iso(start, 0), "lookback": "48h"} for s in ("alerts", "violations")})
        self.assert_run(tool.sync("--to", rows.iso(midnight - 9 * DAY, 0)))
        self.assert_run(tool.sync("--from", rows.iso(midnight - 7 * DAY + DAY // 4, 0)))
        want = {}
        for n in range(-15, 1):
            want[day(midnight + n * DAY)] = {-9: "missing", -8: "missing", -7: "partial", 0: "open"}.get(n, "complete")
        today = datetime.now(timezone.utc).date()
        for stream in ("alerts", "violations"):
            got = dict(tool.query("SELECT day, status FROM bi.coverage_daily WHERE stream = ?", stream))
            self.assertEqual(want, {on: status for on, status in got.items() if on in want}, stream)
            self.assertLessEqual({status for on, status in got.items() if on not in want}, {"open"})
            self.assertLessEqual(max(got), max(today, max(want)))
        complete = {on for on, status in want.items() if status == "complete"}
        self.assertEqual(complete, {on for on, in tool.query("SELECT day FROM bi.calendar WHERE complete")})
        incomplete = {on for on, in tool.query("SELECT day FROM bi.events_daily WHERE NOT complete")}
        self.assertEqual(set(), incomplete & complete)
        self.assert_run(tool.sync())
        self.assertEqual([], tool.query("SELECT * FROM bi.coverage_daily WHERE status NOT IN ('complete', 'open')"))
        self.assertEqual([], tool.query("SELECT id FROM bi.events WHERE late AND day NOT IN ?", list(complete)) if complete else [])
