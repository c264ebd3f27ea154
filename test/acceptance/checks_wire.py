"""Answers that are spoilt on their way, tokens that expire, clocks that are wrong, records that cannot be typed."""

import json
import random

import duckdb

import rows
from checks_misbehaviour import Misbehaving
from compare import differences
from fake_api import DAY, HOUR, MINUTE, Behaviour, Row, parse_instant
from tool import TOKEN

HTML = b"<html><head><title>502</title></head><body>Bad gateway <script>alert(1)</script></body></html>"


def spoil(every, how):
    """A behaviour that spoils every so many answers, and remembers which."""
    spoilt, count = [], iter(range(1, 10**9))

    def wire(request, answer):
        if next(count) % every == 0:
            spoilt.append(request)
            how(answer)

    return Behaviour(wire=wire), spoilt


def status(code, message, **head):
    def how(answer):
        answer.status, answer.body = code, json.dumps({"success": False, "message": message}).encode()
        answer.head |= {name.replace("_", "-"): value for name, value in head.items()}
    return how


def truncate(answer):
    answer.body = answer.body[:len(answer.body) * 2 // 3]


def proxy(answer):
    answer.kind, answer.body = "text/html", HTML


SPOILT = {
    "500": status(500, "Internal Server Error"), "429": status(429, "Too many requests", Retry_After="1"),
    "reset": lambda answer: setattr(answer, "reset", True), "cut off": lambda answer: setattr(answer, "cut", True),
    "truncated JSON": truncate, "HTML": proxy, "success false": status(200, "try again"),
    "hanging": lambda answer: setattr(answer, "delay", 2.0),
}


class Wire(Misbehaving):
    def test_misbehaviour_10_one_answer_in_twenty_is_spoilt(self):
        self.side_by_side(SPOILT, self.judge_spoilt)

    def judge_spoilt(self, how):
        behaviour, spoilt = spoil(20, how)
        api, tool, run = self.begin(behaviour, self.alerts(3000), codes=(0,))
        self.assertTrue(spoilt)
        self.assert_nothing_wrong(tool, api.rows("alerts"), True)
        for waiting in (r for r in spoilt if r.status == 429):
            again = [r for r in api.requests if r.params == waiting.params and r.at > waiting.at and r is not waiting]
            self.assertTrue(again, waiting)
            self.assertGreaterEqual(min(r.at for r in again) - waiting.answered, 1.0, "asked again before Retry-After")
        self.assert_mends(api, tool)

    def test_misbehaviour_10_nobody_asks_while_the_server_wants_a_pause(self):
        """Whoever was told to wait waits with all connections; what was under way may still arrive."""
        behaviour, spoilt = spoil(20, SPOILT["429"])
        api, _, _ = self.begin(behaviour, self.alerts(6000), codes=(0,))
        early = [(r.at - w.answered) for w in spoilt for r in api.requests if 0.25 < r.at - w.answered < 1.0]
        self.assertEqual([], early[:5], f"{len(early)} requests within the pause")

    def test_misbehaviour_10_all_faults_mixed(self):
        kinds = iter(list(SPOILT.values()) * 1000)
        behaviour, _ = spoil(12, lambda answer: next(kinds)(answer))
        api, tool, _ = self.begin(behaviour, self.alerts(4000), codes=(0,))
        self.assert_nothing_wrong(tool, api.rows("alerts"), True)

    def test_misbehaviour_11_a_token_that_expires_in_mid_run(self):
        alerts = self.alerts()
        api, tool = self.serve(Behaviour(), alerts=alerts)
        file = tool.folder / "token"
        file.write_text(TOKEN)
        fresh = TOKEN + "-fresh"

        def expire(served, number):
            if number == 10:
                file.write_text(fresh)
                served.token = fresh

        api.behaviour = Behaviour(before_answer=expire)
        tool.configure(api.url, {"alerts": self.stream()}, token_env=None, token_command=f"cat {file}")
        tool.config.write_text("".join(line for line in tool.config.read_text().splitlines(True) if "token_env" not in line))
        run = tool.sync()
        self.assert_run(run)
        self.assertTrue([r for r in api.requests if r.status == 401])
        self.assertNotIn(TOKEN, run.out + run.err)
        self.assert_equal_to_source(tool, api)

        # The command has no newer token: exit 4, and not a flood of requests.
        api.forget_requests()
        api.token = "yet another"
        run = tool.sync()
        self.assert_run(run, 4)
        self.assertLess(len(api.requests), 20)

    def test_misbehaviour_12_clocks_that_are_wrong(self):
        cases = {"an hour ahead": HOUR, "an hour behind": -HOUR, "no Date": None}
        self.side_by_side(cases, self.judge_clock)

    def judge_clock(self, clock):
        """Whatever the clock says, rows up to now are there, and rows that come later are found later."""
        alerts = rows.many("alerts", 900, self.now - MINUTE, 19 * DAY)
        api, tool, _ = self.begin(Behaviour(clock=clock), alerts, codes=(0,))
        self.assert_nothing_wrong(tool, api.rows("alerts"), True)
        for _ in range(2):
            api.advance(HOUR)
            api.add("alerts", rows.many("alerts", 20, api.now - MINUTE, 50 * MINUTE, seed=api.now, first=api.now))
            self.assert_run(tool.sync())
            self.assert_equal_to_source(tool, api)
        self.assert_mends(api, tool)


    def test_misbehaviour_12_one_date_a_year_ahead_hides_nothing_that_comes_later(self):
        api, tool = self.serve(Behaviour(clock=365 * DAY), alerts=self.alerts(300))
        tool.sync()
        api.behaviour = Behaviour()
        api.advance(10 * DAY)
        api.add("alerts", rows.many("alerts", 200, api.now - MINUTE, 9 * DAY, seed=2, first=10_000))
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)


class Records(Misbehaving):
    """Records that JSON or a table cannot hold: loaded exactly, or kept with their text as rejects."""

    def test_misbehaviour_14_rows_that_cannot_be_typed(self):
        at = self.now - DAY
        when = json.dumps(rows.iso(at)).encode()
        bad = {  # every one bears its name, so that its text can be found again
            "no id": b'{"timestamp":%s,"message":"%%s"}' % when,
            "null id": b'{"id":null,"timestamp":%s,"message":"%%s"}' % when,
            "number id": b'{"id":17,"timestamp":%s,"message":"%%s"}' % when,
            "no time": b'{"id":"x","message":"%s"}',
            "bad time": b'{"id":"x","timestamp":"soon","message":"%s"}',
            "number time": b'{"id":"x","timestamp":1700000000,"message":"%s"}',
            "no such day": b'{"id":"x","timestamp":"2026-02-30T00:00:00Z","message":"%s"}',
            "array message": b'{"id":"x","timestamp":%s,"message":["%%s"]}' % when,
            "bool name": b'{"id":"x","timestamp":%s,"userName":true,"message":"%%s"}' % when,
            "lone surrogate": b'{"id":"x","timestamp":%s,"userName":"\\ud800","message":"%%s"}' % when,
            "invalid UTF-8": b'{"id":"x","timestamp":%s,"userName":"\xff\xfe","message":"%%s"}' % when,
            "repeated id": b'{"id":"x","id":"y","timestamp":%s,"message":"%%s"}' % when,
            "not an object": b'["%s"]', "a string": b'"%s"',
        }
        marks = {name: f"mark-{n}" for n, name in enumerate(bad)}
        odd = [Row(at, {"id": name}, text=text.replace(b"%s", marks[name].encode())) for name, text in bad.items()]
        fine = [rows.plain("alerts", name, at, random.Random(1), **changes) for name, changes in {
            "long": {"message": "Länge" * 2_000_000}, "nul": {"message": "a\0b"}, "beyond int64": {"count": 2**70, "price": 0.1},
            "deep": {"nested": json.loads("[" * 200 + "]" * 200)}}.items()]
        far = rows.plain("alerts", "far", parse_instant("9999-12-31T23:59:59.999Z"), random.Random(1))
        good = self.alerts(500)
        api, tool = self.serve(Behaviour(), alerts=good + odd + fine + [far])
        run = tool.sync()
        self.assert_run(run, 0, 3)
        self.assertEqual([], differences("alerts", good + fine + [far], tool.table("alerts")))
        kept = [raw for raw, in tool.query("SELECT raw FROM rejected_records")]
        self.assertEqual([], [name for name, mark in marks.items() if not any(mark in raw for raw in kept)])
        self.assertEqual(len(kept), run.summary["streams"]["alerts"]["rows_rejected"])
        self.assertLessEqual(parse_instant(run.summary["streams"]["alerts"]["to"]), self.now + HOUR, "a row of the year 9999 moved the watermark")

        self.assert_run(tool.sync(), 0, 3)
        self.assertEqual([], differences("alerts", good + fine + [far], tool.table("alerts")))
        again = tool.query("SELECT raw FROM rejected_records")
        self.assertEqual(len(kept), len(again), "the next run keeps the same rejects again")

    def test_misbehaviour_14_statistics_that_cannot_be_typed(self):
        stats = {"start": rows.iso(self.now - 3 * DAY, 0), "bucket": "1h", "scopes": [{"scope": "org"}]}
        api, tool = self.serve(alerts=[])
        tool.configure(api.url, {"policy_stats": stats})
        bad = [b'{"ts":"soon","alerts":1}', b'{"alerts":2}', b'{"ts":%d,"alerts":%d}' % (self.now // 10**6, 2**63), b'{"ts":1.5,"alerts":1}',
               b'{"ts":%d,"alerts":"3"}' % (self.now // 10**6), b'{"ts":%d,"alerts":1.5}' % (self.now // 10**6)]

        def wire(_, answer):
            answer.body = answer.body.replace(b'"series": [', b'"series": [' + b",".join(bad) + b",")

        api.behaviour = Behaviour(wire=wire)
        run = tool.sync()
        self.assert_run(run, 0, 3)
        self.assertEqual(len(bad), run.summary["streams"]["policy_stats"]["rows_rejected"])
        self.assertEqual(len(bad), tool.query("SELECT count(*) FROM rejected_records WHERE stream = 'policy_stats'")[0][0])
        self.assertEqual(0, tool.query("SELECT count(*) FROM policy_stats GROUP BY bucket_start HAVING count(*) > 1 UNION ALL SELECT 0")[0][0])

    def test_thousands_of_long_texts_arrive(self):
        served = [Row(row.at, row.json | {"message": f"{number:07d} " * 12_500}) for number, row in enumerate(self.alerts(2500))]
        api, tool, run = self.begin(Behaviour(), served, codes=(0,))
        stored = "count(*), count(DISTINCT id), count(DISTINCT message), sum(length(message))"
        want = (2500, 2500, 2500, 2500 * 100_000)
        for place in ("alerts", f"read_parquet('{tool.data}/lake/alerts/*/*.parquet')"):
            with duckdb.connect(str(tool.data / "flashback.duckdb"), read_only=True) as connection:
                self.assertEqual(want, connection.execute(f"SELECT {stored} FROM {place}").fetchone(), place)
        self.assert_run(tool.sync())
