"""Filters, ranges, exit codes, interruptions: what an operator sets, sees and does."""

import json
import signal
import socket

import rows
from fake_api import DAY, HOUR, MINUTE, SECOND, Behaviour, Row
from scenario import FreshScenario, list_requests, reading

DAYS = 20
COUNT = 1200


class Options(FreshScenario):
    def both(self):
        return {stream: rows.many(stream, COUNT, self.now - MINUTE, DAYS * DAY - HOUR) for stream in ("alerts", "violations")}

    def test_a_wider_filter_leaves_no_gap(self):
        api, tool = self.serve(days=DAYS, **self.both())
        tool.configure(api.url, {"alerts": self.stream(filter={"repo_id": "repo-1"})})
        self.assert_run(tool.sync())
        self.assertEqual({"repo-1"}, {r["repo_id"] for r in tool.table("alerts")})
        self.assertEqual({"repo-1"}, {r.params.get("repoId") for r in list_requests(api.requests, "alerts")})

        tool.configure(api.url, {"alerts": self.stream()})
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_another_filter_adds_its_rows(self):
        api, tool = self.serve(days=DAYS, **self.both())
        for repo in ("repo-1", "repo ü/&+1"):
            tool.configure(api.url, {"alerts": self.stream(filter={"repo_id": repo})})
            self.assert_run(tool.sync())
        wanted = {r.id for r in api.rows("alerts") if r.json["repoId"] in ("repo-1", "repo ü/&+1")}
        self.assertEqual(wanted, {r["id"] for r in tool.table("alerts")})

    def test_filters_are_sent_as_documented(self):
        api, tool = self.serve(days=DAYS, **self.both())
        tool.configure(api.url, {
            "alerts": self.stream(filter={"workspace_id": "workspace-1", "llm_type": ["OPENAI", "AWS"], "llm_model": ["gpt-4", "titan"],
                                          "host": ["api.openai.com", "bedrock"]}),
            "violations": self.stream(filter={"severity": ["HIGH", "LOW"]}),
        })
        self.assert_run(tool.sync())
        self.assertEqual([], api.breaches)
        alerts = {r.id for r in api.rows("alerts") if r.workspace == "workspace-1" and r.json["llmType"] in ("OPENAI", "AWS")}
        violations = {r.id for r in api.rows("violations") if r.json["severity"] in ("HIGH", "LOW")}
        self.assertEqual(alerts, {r["id"] for r in tool.table("alerts")})
        self.assertEqual(violations, {r["id"] for r in tool.table("violations")})

    def test_policies_are_asked_for_one_by_one(self):
        odd = "policy/ü %2e?#"
        strange = rows.many("alerts", 150, self.now - HOUR, DAY, seed=4, first=COUNT)
        strange = [Row(r.at, r.json | {"policyId": odd}, r.workspace) for r in strange]
        api, tool = self.serve(days=DAYS, alerts=self.both()["alerts"] + strange)
        tool.configure(api.url, {"alerts": self.stream(policies=["policy-2", odd])})
        self.assert_run(tool.sync())
        self.assertEqual({"policy-2", odd}, {r.policy for r in api.requests})
        wanted = {r.id for r in api.rows("alerts") if r.json["policyId"] in ("policy-2", odd)}
        self.assertEqual(wanted, {r["id"] for r in tool.table("alerts")})
        self.assertEqual([], api.breaches)

    def test_one_unknown_policy_stops_no_other(self):
        api, tool = self.serve(days=DAYS, **self.both())
        tool.configure(api.url, {"alerts": self.stream(policies=["no-such-policy", "policy-2"])})
        self.assert_run(tool.sync(), 3)
        wanted = {r.id for r in api.rows("alerts") if r.json["policyId"] == "policy-2"}
        self.assertEqual(wanted, {r["id"] for r in tool.table("alerts")})

    def test_from_and_to_limit_a_run_and_a_later_run_fills_the_rest(self):
        api, tool = self.serve(days=DAYS, **self.both())
        first, last = self.now - 10 * DAY, self.now - 7 * DAY
        self.assert_run(tool.sync("--from", rows.iso(first, 0), "--to", rows.iso(last, 0)))
        for stream in ("alerts", "violations"):
            within = {r.id for r in api.rows(stream) if first < r.at < last}
            stored = tool.table(stream)
            self.assertEqual(set(), within - {r["id"] for r in stored})
            self.assertEqual([], [r for r in stored if not first - 1000 <= r["timestamp"] <= last + 1000])
            reads = reading(list_requests(api.requests, stream))
            self.assertEqual([], [r.params for r in reads if not {"from", "to"} <= r.params.keys()])
            self.assertGreaterEqual(min(r.instant("from") for r in reads), first - SECOND)
            self.assertLessEqual(max(r.instant("to") for r in reads), last + SECOND)
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api, "alerts", "violations")

    def test_stream_limits_a_run(self):
        api, tool = self.serve(days=DAYS, **self.both())
        run = tool.sync("--stream", "violations")
        self.assert_run(run)
        self.assertEqual({"violations"}, {r.stream for r in api.requests})
        self.assertEqual(["violations"], list(run.summary["streams"]))

    def test_a_dry_run_writes_nothing(self):
        _, tool = self.serve(days=DAYS, **self.both())
        self.assert_run(tool.run("sync", "--dry-run"))
        self.assertEqual({}, tool.published())

    def test_an_optional_stream_may_be_missing(self):
        missing = (404, "application/json", b'{"success":false,"message":"Not found"}')
        api, tool = self.serve(Behaviour(broken={"violations": missing}), DAYS, **self.both())
        tool.configure(api.url, {"alerts": self.stream(), "violations": self.stream(optional=True)})
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_a_stream_that_fails_stops_no_other(self):
        refused = (400, "application/json", b'{"success":false,"message":"Bad request"}')
        api, tool = self.serve(Behaviour(broken={"violations": refused}), DAYS, **self.both())
        run = tool.sync()
        self.assert_run(run, 3, 5)
        self.assertTrue(run.summary["streams"]["alerts"]["complete"])
        self.assertTrue(run.summary["streams"]["violations"]["error"])
        self.assert_equal_to_source(tool, api)

    def test_a_window_that_is_refused_gives_way_to_a_smaller_one(self):
        api, tool = self.serve(Behaviour(refused_windows={"90d", "180d", "365d"}), DAYS, alerts=self.both()["alerts"])
        stats = {"start": rows.iso((self.now - 60 * DAY) // SECOND * SECOND, 0), "bucket": "1d", "scopes": [{"scope": "org"}]}
        tool.configure(api.url, {"policy_stats": stats})
        self.assert_run(tool.sync(), 0, 3)
        self.assertEqual(["90d", "30d"], [r.params["window"] for r in api.requests])
        self.assertEqual({"1d"}, {r["bucket_size"] for r in tool.table("policy_stats")})

    def test_records_that_cannot_be_typed_are_kept_as_rejects(self):
        at = self.now - DAY
        text = rows.iso(at)
        bad = [Row(at, record, text=b"") for record in (
            {"timestamp": text, "message": "no id"}, {"id": "no-time"}, {"id": "bad-time", "timestamp": "yesterday"},
            {"id": None, "timestamp": text}, {"id": 5, "timestamp": text}, {"id": "bad-type", "timestamp": text, "message": {"a": 1}})]
        good = self.both()["alerts"]
        api, tool = self.serve(days=DAYS, alerts=good + bad)
        run = tool.sync()
        self.assert_run(run, 0, 3)
        self.assertEqual({r.id for r in good}, {r["id"] for r in tool.table("alerts")})
        self.assertEqual(len(bad), run.summary["streams"]["alerts"]["rows_rejected"])
        kept = tool.query("SELECT stream, reason, raw, run_id FROM rejected_records")
        self.assertEqual(sorted(json.dumps(r.json) for r in bad), sorted(json.dumps(json.loads(raw)) for _, _, raw, _ in kept))
        self.assertTrue(all(stream == "alerts" and reason and run_id for stream, reason, _, run_id in kept))

    def test_a_terminated_backfill_stops_cleanly_and_is_finished_later(self):
        api, tool = self.serve(days=DAYS, alerts=rows.many("alerts", 6000, self.now - MINUTE, DAYS * DAY - HOUR))
        running = []

        def terminate(_, number):
            if number == 20:
                running[0].send_signal(signal.SIGTERM)

        api.behaviour.before_answer = terminate
        running.append(tool.start("sync", "--json"))
        self.assert_run(tool.finish(running[0], "sync", "--json", timeout=30), 143)
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_a_killed_backfill_is_finished_later(self):
        api, tool = self.serve(days=DAYS, alerts=rows.many("alerts", 6000, self.now - MINUTE, DAYS * DAY - HOUR))
        running = []
        api.behaviour.before_answer = lambda _, number: running[0].kill() if number == 40 else None
        running.append(tool.start("sync", "--json"))
        self.assert_run(tool.finish(running[0], "sync", "--json"), -signal.SIGKILL)
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_a_second_instance_asks_nothing(self):
        api, tool = self.serve(days=DAYS, **self.both())
        second = []

        def meanwhile(_, number):
            if number == 1:
                asked = len(api.requests)
                second.append((tool.sync(timeout=60), len(api.requests) - asked))

        api.behaviour.before_answer = meanwhile
        self.assert_run(tool.sync())
        run, asked = second[0]
        self.assert_run(run, 7)
        self.assertEqual(0, asked)

    def test_exit_2_names_every_mistake_with_its_line(self):
        api, tool = self.serve(days=DAYS, alerts=[])
        tool.configure(api.url, {"alerts": {"start": "never", "lookbak": "48h"}}, max_concurrency=-1)
        run = tool.sync()
        self.assert_run(run, 2)
        lines = tool.config.read_text().splitlines()
        for word in ("never", "lookbak", "max_concurrency"):
            line = 1 + next(n for n, text in enumerate(lines) if word in text)
            self.assertRegex(run.err, rf"(?m):{line}:\d+.*|line {line}\b", word)
        self.assertIn("lookbak", run.err)
        self.assertEqual([], api.requests)

    def test_exit_2_for_a_flag_that_does_not_exist(self):
        _, tool = self.serve(days=DAYS, alerts=[])
        self.assert_run(tool.run("sync", "--no-such-flag"), 2)
        self.assert_run(tool.run("sync", "--stream", "no-such-stream"), 2)
        self.assert_run(tool.run("sync", "--from", "no-such-day"), 2)

    def test_exit_2_for_a_configuration_that_is_not_there(self):
        _, tool = self.serve(days=DAYS, alerts=[])
        tool.config.unlink()
        self.assert_run(tool.sync(), 2)

    def test_exit_4_for_a_token_that_is_refused(self):
        api, tool = self.serve(days=DAYS, token="another", **self.both())
        run = tool.sync()
        self.assert_run(run, 4)
        self.assertLess(len(api.requests), 20)
        self.assertNotIn("another", run.out + run.err)
        self.assert_run(tool.run("check"), 4)

    def test_exit_5_for_a_server_that_is_not_there(self):
        _, tool = self.serve(days=DAYS, alerts=[])
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        tool.configure(f"http://127.0.0.1:{port}", {"alerts": self.stream()})
        self.assert_run(tool.sync(timeout=400), 5)

    def test_exit_5_for_a_server_that_speaks_something_else(self):
        page = (200, "text/html", b"<html><body>Sign in</body></html>")
        _, tool = self.serve(Behaviour(broken={"alerts": page}), DAYS, alerts=[])
        self.assert_run(tool.sync(timeout=400), 5)

    def test_check_says_what_a_run_would_do(self):
        _, tool = self.serve(days=DAYS, **self.both())
        run = tool.run("check")
        self.assert_run(run)
        self.assertIn("alerts", run.out + run.err)
        self.assertEqual({}, tool.published())
