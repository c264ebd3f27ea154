"""Servers that read the documentation differently, or misbehave: equal data, or an honest exit 3."""

import rows
from fake_api import DAY, HOUR, MINUTE, SECOND, ApiError, Behaviour
from scenario import FreshScenario, list_requests
from compare import differences

DAYS = 20
COUNT = 1500
# No server, however odd, may be asked without end.
MOST_REQUESTS = 3000


class Servers(FreshScenario):
    def alerts(self):
        """Rows all over the days, and a burst of 300 within two seconds, several to a millisecond."""
        burst_at = (self.now - 5 * DAY) // SECOND * SECOND + 700_000
        burst = rows.many("alerts", 300, burst_at, 2 * SECOND // 10, seed=9, first=COUNT)
        return rows.many("alerts", COUNT, self.now - MINUTE, DAYS * DAY - HOUR) + burst

    def judge(self, behaviour, alerts=None, must_be_complete=False):
        api, tool = self.serve(behaviour, DAYS, alerts=self.alerts() if alerts is None else alerts)
        run = tool.sync()
        self.assert_run(run, 0, *([] if must_be_complete else [3]))
        stream = run.summary["streams"]["alerts"]
        self.assertEqual(run.code == 0, stream["complete"], run)
        self.assertEqual("ok" if run.code == 0 else "partial", run.summary["status"], run)
        self.assert_equal_to_source(tool, api, may_lack_rows=run.code == 3)
        self.assertLessEqual(len(list_requests(api.requests, "alerts")), MOST_REQUESTS)
        self.assertEqual([], api.breaches[:5])

        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_inclusive_bounds(self):
        self.judge(Behaviour(bounds="inclusive"), must_be_complete=True)

    def test_exclusive_bounds(self):
        self.judge(Behaviour(bounds="exclusive"), must_be_complete=True)

    def test_half_open_bounds(self):
        self.judge(Behaviour(bounds="half-open"), must_be_complete=True)

    def test_bounds_cut_to_the_second(self):
        self.judge(Behaviour(precision="floor-seconds"))

    def test_exclusive_bounds_cut_to_the_second(self):
        self.judge(Behaviour(bounds="exclusive", precision="floor-seconds"))

    def test_bounds_that_mean_whole_seconds(self):
        self.judge(Behaviour(precision="whole-seconds"))

    def test_bounds_that_mean_whole_days(self):
        self.judge(Behaviour(precision="whole-days"))

    def test_five_thousand_rows_in_one_millisecond(self):
        ties = rows.one_instant("alerts", 5000, self.now - 3 * DAY)
        around = rows.many("alerts", 300, self.now - MINUTE, 10 * DAY)
        self.judge(Behaviour(), ties + around, must_be_complete=True)

    def test_five_thousand_rows_in_one_millisecond_with_exclusive_bounds(self):
        ties = rows.one_instant("alerts", 5000, self.now - 3 * DAY)
        self.judge(Behaviour(bounds="exclusive"), ties, must_be_complete=True)

    def test_five_thousand_rows_in_one_millisecond_in_another_order_every_time(self):
        ties = rows.one_instant("alerts", 5000, self.now - 3 * DAY)
        around = rows.many("alerts", 300, self.now - MINUTE, 10 * DAY)
        self.judge(Behaviour(shuffle_ties=True), ties + around)

    def test_exactly_one_page_of_ties(self):
        self.judge(Behaviour(shuffle_ties=True), rows.one_instant("alerts", 100, self.now - DAY), must_be_complete=True)

    def test_a_total_that_is_too_high(self):
        self.judge(Behaviour(total=lambda true: true + 7))

    def test_a_total_that_is_too_low(self):
        self.judge(Behaviour(total=lambda true: true * 9 // 10))

    def test_a_total_that_is_always_zero(self):
        self.judge(Behaviour(total=lambda true: 0))

    def test_a_total_that_wavers(self):
        calls = iter(range(10**9))
        self.judge(Behaviour(total=lambda true: max(0, true + (0, 3, -3, 5)[next(calls) % 4])))

    def test_every_seventh_request_is_refused_for_a_moment(self):
        def refuse(_, number):
            if number % 7 == 0:
                raise ApiError(503, "Service Unavailable")
        self.judge(Behaviour(before_answer=refuse), must_be_complete=True)

    def test_no_rows_at_all(self):
        self.judge(Behaviour(), [], must_be_complete=True)

    def test_rows_that_come_while_reading_shift_nothing(self):
        def insert(api, number):
            late = HOUR if number % 5 == 0 else 0
            api.add("alerts", rows.many("alerts", 3, api.now - late - 1000, MINUTE, seed=number, first=100_000 + 10 * number))

        there = self.alerts()
        api, tool = self.serve(Behaviour(before_answer=insert), DAYS, alerts=list(there))
        run = tool.sync()
        self.assert_run(run, 0, 3)
        stored = tool.table("alerts")
        self.assertEqual([], differences("alerts", api.rows("alerts"), stored, may_lack_rows=True))
        if run.code == 0:
            self.assertEqual(set(), {r.id for r in there} - {r["id"] for r in stored})

        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_rows_that_go_while_reading_hide_no_other(self):
        gone = []

        def delete(api, number):
            if number % 2 == 0 and len(gone) < 60:
                table = api.rows("alerts")
                gone.append(table[(number * 7919) % len(table)])
                api.tables["alerts"].remove(gone[-1])

        api, tool = self.serve(Behaviour(before_answer=delete), DAYS, alerts=self.alerts())
        run = tool.sync()
        self.assert_run(run, 0, 3)
        self.assertTrue(gone)
        ever = api.rows("alerts") + gone
        stored = tool.table("alerts")
        self.assertEqual([], differences("alerts", ever, stored, may_lack_rows=True))
        if run.code == 0:
            self.assertEqual(set(), {r.id for r in api.rows("alerts")} - {r["id"] for r in stored})

        api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        lacking = {r.id for r in api.rows("alerts")} - {r["id"] for r in tool.table("alerts")}
        self.assertEqual(set(), lacking)
