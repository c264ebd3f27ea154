"""A server that misbehaves while it is read: equal data, or an honest word about what is missing.

Every check ends in one of two ways: exit 0 and all rows, or another exit code,
a reason in the summary, nothing wrong and nothing twice. Once the server
behaves again, the next run is exact.
"""

import random
from concurrent.futures import ThreadPoolExecutor

import rows
from compare import differences
from fake_api import DAY, HOUR, MINUTE, MISSING, SECOND, Behaviour
from scenario import FreshScenario, list_requests
from tool import LISTS

DAYS = 20
COUNT = 2500
MOST_REQUESTS = 3000


class Misbehaving(FreshScenario):
    def alerts(self, count=COUNT):
        return rows.many("alerts", count, self.now - MINUTE, DAYS * DAY - HOUR)

    def begin(self, behaviour, alerts=None, codes=(0, 3), **streams):
        """One run against the misbehaving server."""
        there = self.alerts() if alerts is None else alerts
        api, tool = self.serve(behaviour, DAYS, alerts=there, **streams)
        run = tool.sync()
        self.assert_run(run, *codes)
        self.assert_honest(run)
        self.assertLessEqual(len(list_requests(api.requests, "alerts")), MOST_REQUESTS)
        self.assertEqual([], api.breaches[:5])
        return api, tool, run

    def assert_honest(self, run, stream="alerts"):
        summary = run.summary["streams"][stream]
        self.assertEqual(run.code == 0, summary["complete"], run)
        self.assertEqual(run.code == 0, run.summary["status"] == "ok", run)
        if run.code != 0:
            self.assertTrue(summary["error"], run)
            self.assertIn(stream, run.err, run)

    def assert_nothing_wrong(self, tool, ever, complete, stream="alerts"):
        """What is stored was served as it is, once, in both kinds of files; and is all of it, if the run says so."""
        if not tool.database.exists():
            self.assertFalse(complete)
            return
        stored = tool.table(stream)
        self.assertEqual([], differences(stream, ever, stored, may_lack_rows=not complete))
        self.assertEqual(sorted(r["id"] for r in stored), sorted(r["id"] for r in tool.lake_table(stream)))

    def assert_mends(self, api, tool, ever=None):
        """The server behaves again: the next run is exact."""
        api.behaviour = Behaviour()
        run = tool.sync()
        self.assert_run(run)
        self.assert_nothing_wrong(tool, ever or api.rows("alerts"), True)

    def side_by_side(self, cases, judge):
        """Judge every case, several at once: most of the time is the program's waiting before it asks again."""
        with ThreadPoolExecutor(len(cases)) as pool:
            running = {name: pool.submit(judge, case) for name, case in cases.items()}
        for name, done in running.items():
            with self.subTest(name):
                done.result()

    def judge(self, behaviour, alerts=None, codes=(0, 3)):
        api, tool, run = self.begin(behaviour, alerts, codes)
        self.assert_nothing_wrong(tool, api.rows("alerts"), run.code == 0)
        self.assert_mends(api, tool)
        return run


class WhileReading(Misbehaving):
    def test_misbehaviour_01_rows_inserted_on_every_request(self):
        def insert(api, number):
            late = (0, 0, HOUR, 30 * HOUR)[number % 4]
            api.add("alerts", rows.many("alerts", 4, api.now - late - 1000, MINUTE, seed=number, first=100_000 + 10 * number))

        there = self.alerts()
        api, tool, run = self.begin(Behaviour(before_answer=insert), list(there))
        self.assert_nothing_wrong(tool, api.rows("alerts"), False)
        if run.code == 0:
            self.assertEqual(set(), {r.id for r in there} - {r["id"] for r in tool.table("alerts")})
        self.assert_mends(api, tool)

    def test_misbehaviour_02_rows_deleted_on_every_third_request(self):
        gone = []

        def delete(api, number):
            if number % 3 == 0 and len(gone) < 120:
                table = api.rows("alerts")
                for n in range(4):
                    row = table.pop((number * 7919 + n * 104729) % len(table))
                    gone.append(row)
                    api.tables["alerts"].remove(row)

        api, tool, run = self.begin(Behaviour(before_answer=delete))
        self.assertTrue(gone)
        self.assert_nothing_wrong(tool, api.rows("alerts") + gone, False)
        if run.code == 0:
            self.assertEqual(set(), {r.id for r in api.rows("alerts")} - {r["id"] for r in tool.table("alerts")})
        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assertEqual(set(), {r.id for r in api.rows("alerts")} - {r["id"] for r in tool.table("alerts")})

    def moving(self, choose, target):
        """Move a row on every other request while history is read; returns what a complete run must have seen."""
        rng, moved = random.Random(3), set()

        def move(api, number):
            if number % 2 or len(moved) >= 40:
                return
            table = [r for r in api.rows("alerts") if r.id not in moved]
            old = choose(rng, table, number)
            at = target(rng, old)
            moved.add(old.id)
            api.replace("alerts", old, rows.Row(at, old.json | {"timestamp": rows.iso(at)}, old.workspace))

        # One worker: then "already read" means newer than what was asked last.
        there = self.alerts()
        api, tool = self.serve(Behaviour(before_answer=move), DAYS, alerts=there)
        tool.configure(api.url, {"alerts": self.stream(DAYS)}, max_concurrency=1)
        run = tool.sync()
        self.assert_run(run, 0, 3)
        self.assert_honest(run)
        self.assertTrue(moved)
        stored = [r["id"] for r in tool.table("alerts")]
        self.assertEqual(len(stored), len(set(stored)), "a row is there twice")
        lacking = {r.id for r in api.rows("alerts")} - set(stored)
        if run.code == 0:
            self.assertEqual(set(), lacking, "the run says it is complete")
        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assert_run(tool.run("repair"))
        self.assertEqual(sorted(r.id for r in api.rows("alerts")), sorted(r["id"] for r in tool.table("alerts")))
        self.assert_run(tool.sync("--from", rows.iso(self.now - DAYS * DAY, 0)))
        self.assert_equal_to_source(tool, api)

    def test_misbehaviour_03_timestamps_move_into_the_past(self):
        self.moving(lambda rng, table, _: table[rng.randrange(len(table) // 3)], lambda rng, old: old.at - rng.randrange(5 * DAY // 1000) * 1000)

    def test_misbehaviour_03_timestamps_move_from_the_unread_past_into_what_was_read(self):
        newest = self.now - 3 * DAY
        self.moving(lambda rng, table, _: table[-1 - rng.randrange(200)], lambda rng, old: newest - rng.randrange(HOUR // 1000) * 1000)

    def test_misbehaviour_03_timestamps_move_into_the_lookback(self):
        self.moving(lambda rng, table, _: table[rng.randrange(len(table))], lambda rng, old: self.now - rng.randrange(HOUR // 1000) * 1000)

    def test_misbehaviour_04_late_rows_within_the_lookback_are_found_by_the_next_run(self):
        api, tool, _ = self.begin(Behaviour(), codes=(0,))
        api.advance(HOUR)
        api.add("alerts", rows.many("alerts", 50, self.now - 2 * HOUR, 40 * HOUR, seed=4, first=COUNT))
        self.assert_mends(api, tool)

    def test_misbehaviour_04_late_rows_beyond_the_lookback_are_found_by_verify_and_restored_by_repair(self):
        api, tool, _ = self.begin(Behaviour(), codes=(0,))
        late = rows.many("alerts", 3, self.now - 9 * DAY, HOUR, seed=4, first=COUNT)
        api.add("alerts", late)
        self.assert_run(tool.sync())
        run = tool.run("verify")
        self.assert_run(run, 9)
        self.assertIn("alerts", run.out)
        self.assert_run(tool.run("repair"))
        self.assert_run(tool.run("verify"))
        self.assert_equal_to_source(tool, api)

    def test_misbehaviour_05_five_thousand_ties_in_random_order_while_rows_come(self):
        def insert(api, number):
            if number % 10 == 0:
                api.add("alerts", rows.many("alerts", 1, api.now - 1000, MINUTE, seed=number, first=100_000 + number))

        ties = rows.one_instant("alerts", 5000, self.now - 3 * DAY)
        api, tool, run = self.begin(Behaviour(shuffle_ties=True, before_answer=insert), ties + self.alerts(300))
        self.assert_nothing_wrong(tool, api.rows("alerts"), False)
        self.assert_mends(api, tool)


class Bounds(Misbehaving):
    """A burst, ties over a second's edge, and rows at the edges of days: where bounds that are read otherwise hide rows."""

    def edges(self):
        second = (self.now - 5 * DAY) // SECOND * SECOND
        midnight = (self.now - 4 * DAY) // DAY * DAY
        burst = [rows.plain("alerts", f"edge-{n}", at, random.Random(n)) for n, at in enumerate(
            [second - 1000] * 130 + [second] * 130 + [second + 999_000] * 130 + [midnight - 1000, midnight, midnight + 1000] * 50)]
        return self.alerts(1200) + burst

    def test_misbehaviour_06_bounds_read_otherwise(self):
        pairs = [("exact", "exclusive"), ("floor-seconds", "inclusive"), ("floor-seconds", "half-open"),
                 ("whole-seconds", "exclusive"), ("whole-seconds", "half-open"), ("whole-days", "exclusive"), ("whole-days", "half-open")]
        for precision, bounds in pairs:
            with self.subTest(precision=precision, bounds=bounds):
                self.judge(Behaviour(bounds=bounds, precision=precision), self.edges())


class Counting(Misbehaving):
    def test_misbehaviour_07_take_lowered_silently(self):
        run = self.judge(Behaviour(take=25), self.alerts(1200), codes=(0,))
        self.assertLessEqual(run.summary["streams"]["alerts"]["requests"], 1200 // 24 + 20)

    def test_misbehaviour_07_take_lowered_silently_with_many_ties(self):
        self.judge(Behaviour(take=25), self.alerts(200) + rows.one_instant("alerts", 140, self.now - 3 * DAY))

    def test_misbehaviour_08_skip_is_ignored(self):
        run = self.judge(Behaviour(ignore_skip=True), self.alerts(300) + rows.one_instant("alerts", 250, self.now - 3 * DAY), codes=(5,))
        self.assertIn("ignores a parameter", run.err, "150 rows cannot be reached")

    def test_misbehaviour_09_totals_that_lie(self):
        calls = iter(range(10**9))
        self.side_by_side({
            "too low": lambda true: true - true // 7, "too high": lambda true: true + 3, "half": lambda true: true // 2,
            "always one": lambda true: 1, "huge": lambda true: 10**9, "negative": lambda true: -1,
            "changing": lambda true: max(0, true + (next(calls) * 7) % 11 - 5),
            "missing": lambda true: MISSING, "null": lambda true: None, "a string": str, "a fraction": lambda true: true + 0.5,
        }, lambda total: self.judge(Behaviour(total=total), self.alerts(600), codes=(0, 3, 5)))

    def test_misbehaviour_09_an_absurd_total_ends(self):
        self.judge_within(30, Behaviour(total=lambda true: 10**15), self.alerts(900))

    def judge_within(self, seconds, behaviour, alerts):
        api, tool = self.serve(behaviour, DAYS, alerts=alerts)
        run = tool.sync(timeout=seconds)
        self.assert_run(run, 0, 3, 5)
        self.assert_honest(run)
        self.assertLessEqual(len(api.requests), MOST_REQUESTS)
        self.assert_mends(api, tool)

    def repeating(self, within):
        """Five rows of earlier pages take the place of five of each page."""
        given = []

        def again(page, request):
            fit = [r for r in given if not within or request.instant("from") <= r.at <= (request.instant("to") or self.now)]
            repeated = random.Random(len(given)).sample(fit, min(5, len(fit)))
            given.extend(page[:10])
            return page[:95] + repeated

        return Behaviour(serve=again)

    def test_misbehaviour_13_ids_that_come_again_on_later_pages(self):
        self.judge(self.repeating(within=True), self.alerts(1200))

    def test_misbehaviour_13_ids_that_come_again_where_they_do_not_belong(self):
        self.judge(self.repeating(within=False), self.alerts(1200), codes=(0, 3, 5))

    def test_misbehaviour_13_one_id_under_two_timestamps(self):
        """FAULTS 22: an id twice is one row, counted; and it stops nothing else."""
        gaps = (SECOND, HOUR, 30 * HOUR, 5 * DAY, 10 * DAY)
        pairs = [rows.plain("alerts", f"twice-{n}", at, random.Random(n)) for n, gap in enumerate(gaps)
                 for at in (self.now - 3 * HOUR, self.now - 3 * HOUR - gap)]
        single = self.alerts(600)
        api, tool = self.serve(Behaviour(), DAYS, alerts=single + pairs)
        for _ in range(3):
            self.assert_run(tool.sync(), 0, 3)
            ids = [r["id"] for r in tool.table("alerts")]
            self.assertEqual(sorted({r.id for r in single + pairs}), sorted(ids))

    def test_misbehaviour_13_ids_under_more_timestamps_with_every_run(self):
        """The source keeps every version of a row in its list, and versions of many rows lie between each other."""
        api, tool = self.serve(Behaviour(), DAYS, alerts=self.alerts(600))
        self.assert_run(tool.sync())
        for _ in range(4):
            api.advance(10 * MINUTE)
            api.add("alerts", rows.many("alerts", 300, api.now - MINUTE, 40 * HOUR, first=10_000))
            self.assert_run(tool.sync(), 0, 3)
            ids = [r["id"] for r in tool.table("alerts")]
            self.assertEqual(sorted({r.id for r in api.rows("alerts")}), sorted(ids))

    def test_misbehaviour_13_every_row_twice_in_its_answer(self):
        self.judge(Behaviour(take=50, serve=lambda page, _: [r for row in page for r in (row, row)]), self.alerts(600))


class Streams(Misbehaving):
    def test_misbehaviour_15_one_stream_fails_for_ever(self):
        failing = (500, "application/json", b'{"success":false,"message":"Internal Server Error"}')
        violations = rows.many("violations", 800, self.now - MINUTE, DAYS * DAY - HOUR)
        alerts = self.alerts(800)
        api, tool = self.serve(Behaviour(broken={"violations": failing}), DAYS, alerts=alerts, violations=violations)
        run = tool.sync(timeout=400)
        self.assert_run(run, 5)
        self.assertEqual("ok", "ok" if run.summary["streams"]["alerts"]["complete"] else run)
        self.assert_honest(run, "violations")
        self.assert_nothing_wrong(tool, alerts, True)
        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api, *LISTS)
