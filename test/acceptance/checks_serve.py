"""Every night, unattended: serve runs the schedule, shows how it went, and tells when something is wrong."""

import json
import re
import signal
import time
from collections import Counter

import rows
from fake_api import DAY, HOUR, MINUTE, SECOND, Behaviour
from scenario import FreshScenario
from served import Receiver, Served, wait_until
from tool import TOKEN

OFTEN = {"sync": "@every 2s"}
SECRET = "canary-hook-5d1f"


class Serve(FreshScenario):
    def served(self, schedule=OFTEN, behaviour=None, count=600, env=(), **sections):
        api, tool = self.serve(behaviour, alerts=rows.many("alerts", count, self.now - MINUTE, 19 * DAY))
        tool.env |= dict(env)
        return api, tool, self.enterContext(Served(tool, schedule, **sections))

    def add(self, api, first, count=20):
        api.advance(SECOND)
        api.add("alerts", rows.many("alerts", count, api.now - SECOND, HOUR, seed=first, first=first))

    def await_rows(self, tool, api):
        expected = len(api.rows("alerts"))
        wait_until(lambda: tool.database.exists() and tool.query("SELECT count(*) FROM alerts") == [(expected,)], f"{expected} rows are published")

    def test_serve_keeps_up_with_the_source(self):
        api, tool, served = self.served()
        for step in range(4):
            self.add(api, 10_000 + 100 * step)
            self.await_rows(tool, api)
        self.assert_equal_to_source(tool, api)
        self.assertEqual(143, served.stop())
        self.assertEqual([], [r for r in read_journal(tool) if r["status"] not in ("ok", "interrupted", "skipped")])

    def test_serve_survives_children_and_itself_being_killed(self):
        api, tool, served = self.served(count=3000, behaviour=Behaviour(wire=lambda _, answer: setattr(answer, "delay", 0.01)))
        kills = tries = 0
        deadline = time.monotonic() + 30
        while kills < 8 and time.monotonic() < deadline:
            tries += 1
            self.add(api, 20_000 + 100 * tries)
            wait_until(served.children, "a run is under way")
            time.sleep(0.05 * (tries % 5))
            if kills % 4 == 3:
                served.stop(signal.SIGKILL)
                served.start()
                kills += 1
            else:
                kills += served.kill_child()
        self.assertGreaterEqual(kills, 6)
        self.await_rows(tool, api)
        self.assert_equal_to_source(tool, api)
        crashed = [r for r in served.runs() if r["status"] == "crashed"]
        self.assertGreaterEqual(len(crashed), 3)
        self.assertEqual(len({r["run_id"] for r in crashed}), len(crashed), "each is noted once")
        self.assertEqual(143, served.stop())

    def test_serve_never_runs_twice_at_once_and_counts_what_it_skips(self):
        busiest = Counter()

        def slow(_, answer):
            busiest["runs"] = max(busiest["runs"], len(served.children()))
            answer.delay = 0.4

        api, tool, served = self.served({"sync": "@every 1s"}, count=1500)
        api.behaviour.wire = slow
        skipped = ("flashback_sync_runs_total", ("job", "sync"), ("status", "skipped"))
        wait_until(lambda: busiest["runs"] and served.metrics().get(skipped, 0) >= 2, "slots are skipped and counted")
        self.assertEqual(1, busiest["runs"])
        self.assertIn("skipped", {r["status"] for r in served.runs()})

    def test_serve_yields_to_a_run_by_hand(self):
        api, tool, served = self.served({"sync": "@every 1h"}, count=100)
        wait_until(lambda: any(r["status"] != "skipped" for r in served.runs()), "the first run is over")
        api.behaviour.wire = lambda _, answer: setattr(answer, "delay", 1)
        by_hand = tool.start("sync", "--json", "--from", "2020-01-01")
        wait_until(lambda: (served.status()["progress"] or {}).get("pid") == by_hand.pid, "the page shows the run by hand")
        served.schedule({"sync": "@every 1s"})
        served.send(signal.SIGHUP)
        wait_until(lambda: any(r["status"] == "skipped" for r in served.runs()), "the slot is skipped")
        self.assertNotIn("failed", {r["status"] for r in served.runs()})
        self.assert_run(tool.finish(by_hand, "sync", "--json"))

    def test_serve_catches_up_once_after_downtime(self):
        api, tool, served = self.served({"sync": "@every 1h"}, count=200)
        wait_until(lambda: any(r["status"] != "skipped" for r in served.runs()), "the first run is over")
        served.stop(signal.SIGKILL)
        served.schedule({"sync": time.strftime("%M %H * * *", time.gmtime(time.time() - 120))})
        before = len(read_journal(tool))
        served.start()  # the slot two minutes ago was followed by a run: nothing is due
        time.sleep(2)
        self.assertEqual(before, len([r for r in read_journal(tool) if r["status"] != "crashed"]))
        served.stop()
        self.backdate(tool, 3 * 86400)
        before = len(read_journal(tool))
        served.start()
        wait_until(lambda: len(read_journal(tool)) > before, "one run catches up")
        time.sleep(2)
        self.assertEqual(before + 1, len(read_journal(tool)))

    @staticmethod
    def backdate(tool, seconds):
        """Make the journal believe that its runs were so long ago."""
        path = tool.data / "state" / "runs.jsonl"
        old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))
        path.write_text(re.sub(r'"(started_at|finished_at)":"[^"]*"', rf'"\1":"{old}"', path.read_text()))

    def test_serve_takes_over_a_changed_schedule_and_refuses_a_wrong_one(self):
        api, tool, served = self.served({"sync": "@every 1h"}, count=100)
        wait_until(lambda: any(r["status"] != "skipped" for r in served.runs()), "the first run is over")
        served.schedule({"sync": "not a schedule"})
        served.send(signal.SIGHUP)
        wait_until(lambda: "schedule.sync" in served.logged(), "the mistake is logged")
        self.assertEqual("@every 1h", served.status()["jobs"][0]["schedule"])
        served.schedule({"sync": "@every 1s"})
        served.send(signal.SIGHUP)
        wait_until(lambda: served.status()["jobs"][0]["schedule"] == "@every 1s", "the new schedule holds")
        before = len(served.runs())
        wait_until(lambda: len(served.runs()) > before, "the new schedule runs")

    def test_serve_schedules_a_stream_apart(self):
        api, tool = self.serve(alerts=rows.many("alerts", 50, self.now - MINUTE, 19 * DAY),
                               violations=rows.many("violations", 50, self.now - MINUTE, 19 * DAY))
        served = self.enterContext(Served(tool, {"sync": "@every 1h", "alerts": "@every 1s", "verify": "@every 2s"}))
        wait_until(lambda: {"alerts", "sync", "verify"} <= {r["job"] for r in served.runs()}, "each job runs")
        for run in served.runs():
            if run["status"] == "ok" and run["job"] != "verify":
                self.assertEqual({"alerts": ["alerts"], "sync": ["violations"]}[run["job"]], sorted(run["streams"]))
        wait_until(lambda: {r["verdict"] for r in served.runs() if r["job"] == "verify" and "verdict" in r} == {"match"}, "verify ran")

    def test_serve_is_not_shown_to_a_network_without_a_password(self):
        api, tool = self.serve(alerts=[])
        for listen in ("0.0.0.0:0", ":0", "[::]:0"):
            served = Served(tool, OFTEN, listen=listen)
            run = tool.run("serve", timeout=20)
            self.assert_run(run, 2)
            self.assertIn("password", run.err)
            served.log.close()

    def test_serve_asks_for_the_password(self):
        _, tool, served = self.served(env={"FLASHBACK_PAGE_PASSWORD": SECRET}.items())
        for path in ("/", "/metrics", "/status.json"):
            self.assertEqual(401, served.ask(path)[0])
            self.assertEqual(401, served.ask(path, password="wrong")[0])
            self.assertEqual(200, served.ask(path, password=SECRET)[0])
        for path in ("/healthz", "/readyz"):
            self.assertEqual(200, served.ask(path)[0])
        served.stop()
        self.assertNotIn(SECRET, served.logged())
        self.assertEqual([], holders(tool, SECRET))

    def test_serve_answers_no_foreign_name(self):
        _, _, served = self.served()
        self.assertEqual(421, served.ask("/", host="evil.example.com")[0])
        self.assertEqual(200, served.ask("/", host="localhost")[0])

    def test_serve_runs_once_for_a_folder(self):
        _, tool, served = self.served()
        port = served.sections["serve"]["listen"]
        served.sections["serve"]["listen"] = "127.0.0.1:0"
        served.schedule(OFTEN)
        self.assert_run(tool.run("serve", timeout=20), 7)
        served.sections["serve"]["listen"] = port
        served.schedule(OFTEN)
        self.assert_run(tool.run("serve", "--probe", timeout=20), 0)
        served.stop()
        self.assert_run(tool.run("serve", "--probe", timeout=20), 1)

    def test_serve_shows_a_page_that_needs_nothing_else(self):
        api, tool, served = self.served()
        api.add("alerts", [rows.plain("alerts", 99_999, api.now - MINUTE, __import__("random").Random(1), policyName="<script>alert(1)</script>")])
        wait_until(lambda: "script&gt;" in served.get("/"), "the page shows the policy")
        status, headers, page = served.ask("/")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("unsafe-inline", headers["Content-Security-Policy"])
        self.assert_alone(page)
        report = tool.folder / "report.html"
        self.assert_run(tool.run("report", "--out", str(report)))
        self.assert_alone(report.read_text())
        self.assertNotIn("User ", page)

    def assert_alone(self, page):
        self.assertNotRegex(page, r"<script")
        self.assertEqual([], re.findall(r'(?:src|action)="(?!data:)[^"]*"', page))
        self.assertLessEqual(set(re.findall(r'href="((?!#|data:)[^"]*)"', page)), {"?refresh=off", "report.html"})  # for people to follow
        self.assertNotRegex(page, r"@import|url\((?!['\"]?data:)")

    def test_metrics_are_what_prometheus_reads(self):
        api, tool, served = self.served()
        wait_until(lambda: any(r["status"] == "ok" for r in served.runs()), "a run is over")
        metrics = served.metrics()
        self.assertEqual(600, metrics["flashback_sync_rows", ("stream", "alerts")])
        self.assertLess(metrics["flashback_sync_lag_seconds", ("stream", "alerts")], 3 * 3600)
        self.assertGreater(metrics["flashback_sync_requests_total", ("status", "200")], 5)
        before = Counter(metrics)
        wait_until(lambda: len(served.runs()) > 2, "more runs are over")
        for (name, *labels), value in served.metrics().items():
            if name.startswith("flashback_sync_") and name.endswith("_total"):
                self.assertGreaterEqual(value, before[(name, *labels)], name)

    def test_metrics_of_a_single_run_stand_in_a_file(self):
        api, tool = self.serve(alerts=rows.many("alerts", 50, self.now - MINUTE, 19 * DAY))
        target = tool.folder / "flashback_sync.prom"
        tool.env["FLASHBACK_SYNC_METRICS_TEXTFILE"] = str(target)
        self.assert_run(tool.sync())
        from prometheus_client.parser import text_string_to_metric_families
        families = {f.name for f in text_string_to_metric_families(target.read_text())}
        self.assertIn("flashback_sync_rows", families)
        self.assertEqual(0o644, target.stat().st_mode & 0o777)

    def test_alarms_of_failure_and_recovery_arrive_once(self):
        receiver = self.enterContext(Receiver())
        env = {"FLASHBACK_PING_URL": f"{receiver.url}/ping/{SECRET}", "FLASHBACK_WEBHOOK_URL": f"{receiver.url}/hook/{SECRET}"}
        api, tool, served = self.served(env=env.items())
        ping, hook = f"/ping/{SECRET}", f"/hook/{SECRET}"
        wait_until(lambda: receiver.paths(ping)[:2] == ["/start", ""], "a good run pings start and success")
        self.assertEqual([], receiver.bodies(hook))
        api.token = "another"
        wait_until(lambda: "/fail" in receiver.paths(ping), "a bad run pings fail")
        wait_until(lambda: receiver.bodies(hook), "the webhook is told")
        wait_until(lambda: receiver.paths(ping).count("/fail") >= 3, "it goes on failing")
        self.assertEqual(1, len(receiver.bodies(hook)), "once")
        self.assertIn("401", json.loads(receiver.bodies(hook)[0])["text"] + receiver.bodies(hook)[0])
        api.token = TOKEN
        wait_until(lambda: len(receiver.bodies(hook)) == 2, "recovery is told")
        served.stop()
        for text in (served.logged(), *receiver.bodies(hook), *receiver.bodies(ping)):
            self.assertNotIn(SECRET, text)
            self.assertNotIn(TOKEN, text)
        self.assertEqual([], holders(tool, SECRET) + holders(tool, TOKEN))

    def test_alarms_of_a_killed_run_arrive(self):
        receiver = self.enterContext(Receiver())
        api, tool, served = self.served({"sync": "@every 1h"}, count=3000, env={"FLASHBACK_WEBHOOK_URL": receiver.url + "/hook"}.items(),
                                        behaviour=Behaviour(wire=lambda _, answer: setattr(answer, "delay", 0.3)))
        wait_until(served.kill_child, "the first run is killed")
        wait_until(lambda: receiver.bodies("/hook"), "the webhook is told")

    def test_alarms_of_a_stale_stream_arrive(self):
        self.now -= 3 * HOUR  # the source's clock: what is read ends there
        receiver = self.enterContext(Receiver())
        _, _, served = self.served({"sync": "@every 1h"}, count=50, env={"FLASHBACK_WEBHOOK_URL": receiver.url + "/hook"}.items(),
                                   alarms={"stale_after": "1h"})
        wait_until(lambda: receiver.bodies("/hook"), "the webhook gets the alarm")
        self.assertIn("alerts", receiver.bodies("/hook")[0])
        self.assertIn("stale", receiver.bodies("/hook")[0])
        self.assertEqual("bad", served.status()["problems"][0]["level"])

    def test_alarms_of_single_runs_arrive_too(self):
        receiver = self.enterContext(Receiver())
        api, tool = self.serve(alerts=rows.many("alerts", 50, self.now - MINUTE, 19 * DAY))
        tool.env |= {"FLASHBACK_PING_URL": receiver.url + "/ping?x=1", "FLASHBACK_WEBHOOK_URL": receiver.url + "/hook"}
        self.assert_run(tool.sync())
        self.assertEqual(["/start", ""], receiver.paths("/ping"))
        api.token = "another"
        self.assert_run(tool.sync(), 4)
        self.assertEqual(["/start", "", "/start", "/fail"], receiver.paths("/ping"))
        self.assertEqual(1, len(receiver.bodies("/hook")))
        receiver.status = 500
        api.token = TOKEN
        self.assert_run(tool.sync())  # whoever cannot be told changes nothing


def read_journal(tool):
    return [json.loads(line) for line in (tool.data / "state" / "runs.jsonl").read_text().splitlines()]


def holders(tool, secret):
    return [str(p) for p in tool.data.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
