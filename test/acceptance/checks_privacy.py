"""What the privacy policy does not store is in no byte of anything, whatever the source sends."""

import hashlib
import hmac
import json
import random

import duckdb
import pyarrow.parquet as pq

import rows
from fake_api import DAY, HOUR, MINUTE, Behaviour
from served import Receiver, Served, wait_until
from trust import TrustScenario

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ID, NAME, MAIL = "u-zz-canaryson", "Zara Canaryson", "zara@canaryson.example"
QUOTE = f"{NAME} ({MAIL}) pasted a password"


def hashed(text):
    """As an auditor with the key would compute it."""
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def canaries(stream, now):
    """Rows, and records that are no rows, with the person wherever there may be one."""
    words = "message" if stream == "alerts" else "explanation"
    person = {"userId": ID, "userName": NAME, words: QUOTE}
    rng = random.Random(stream)
    changes = [
        person,
        person | {"nickname": NAME, "contact": {"mail": MAIL, NAME: [ID]}},
        {words: QUOTE},
        person | {"userName": [NAME]},
        person | {"timestamp": NAME},
        person | {"id": {"of": ID}},
        person | {"id": None},
    ]
    found = [rows.plain(stream, f"odd-{n}", now - (n + 1) * HOUR, rng, **change) for n, change in enumerate(changes)]
    twice = rows.plain(stream, "twice", now - 30 * HOUR, rng, **person)
    twice.text = twice.text[:-1] + b', "Canaryson": 1, "Canaryson": 2}'
    return [*found, twice]


def answered_badly(stream):
    """Answers that quote the person: an error, and what is no JSON."""
    return {stream: (500, "application/json", json.dumps({"success": False, "message": QUOTE}).encode())}


class Privacy(TrustScenario):
    def people(self, preset, columns=None, **behaviour):
        """An organisation with a canary, and the program with a policy."""
        served = {stream: rows.many(stream, 400, self.now - MINUTE, 19 * DAY) + canaries(stream, self.now) for stream in ("alerts", "violations")}
        api, tool = self.serve(Behaviour(**behaviour), **served)
        self.configure(api, tool, preset, columns)
        return api, tool

    def configure(self, api, tool, preset, columns=None, views=None):
        tool.configure(api.url, {"alerts": self.stream(), "violations": self.stream(), "policy_stats": {"bucket": "1d"}})
        tool.env["FLASHBACK_PRIVACY_KEY"] = KEY
        text = f"privacy: {json.dumps({'preset': preset} | ({'columns': columns} if columns else {}))}\n"
        if views:
            text += f"publish: {json.dumps({'views': views})}\n"
        tool.config.write_text(tool.config.read_text() + text)

    def assert_absent(self, tool, *outputs):
        """The person is in no byte below data_dir, in no value of a file, and in nothing that was printed."""
        for path in tool.data.rglob("*"):
            if path.is_file():
                self.assertEqual([], seen(path.read_bytes()), path)
        for path in tool.data.glob("*.duckdb"):
            self.assertEqual([], in_duckdb(path), path)
        for path in tool.parquet_files():
            table = pq.ParquetFile(path).read()
            self.assertEqual([], seen(repr(table.to_pylist()).encode()), path)
        for output in outputs:
            self.assertEqual([], seen(output.encode()), output[:300])

    def test_strict_leaves_no_trace_of_a_person(self):
        api, tool = self.people("strict")
        report = tool.folder / "report.html"
        runs = [tool.sync("--log-level", "trace")]
        self.assert_run(runs[0])
        for args in (("verify", "--full", "--json"), ("status", "--json"), ("check",), ("query", "SELECT * FROM bi.users"),
                     ("query", "SELECT * FROM rejected_records"), ("report", "--out", str(report)), ("sync", "--retry-rejected", "--json"), ("verify", "--full")):
            runs.append(tool.run(*args, "--log-level", "trace"))
            self.assert_run(runs[-1])
        for stream in ("alerts", "violations"):
            api.behaviour.broken = answered_badly(stream)
            runs.append(tool.sync("--log-level", "trace", timeout=400))
            self.assert_run(runs[-1], 5)
        self.assert_absent(tool, *(run.out + run.err for run in runs), report.read_text())

    def test_strict_leaves_no_trace_on_page_metrics_and_webhooks(self):
        api, tool = self.people("strict", wire=None)
        with Receiver() as receiver:
            tool.env |= {"FLASHBACK_WEBHOOK_URL": receiver.url + "/hook", "FLASHBACK_PING_URL": receiver.url + "/ping"}
            textfile = tool.folder / "metrics.prom"
            with Served(tool, {"sync": "@every 2s"}, metrics={"textfile": str(textfile)}) as served:
                wait_until(lambda: any(run["status"] == "ok" for run in served.runs()), "a run ended", 90)
                api.behaviour.broken = answered_badly("alerts")
                wait_until(lambda: receiver.bodies("/hook"), "the webhook was called", 120)
                shown = [served.get(path) for path in ("/", "/status.json", "/metrics")] + [textfile.read_text(), served.logged()]
            self.assert_absent(tool, *shown, *(repr(call) for call in receiver.received))

    def test_hashes_are_those_that_the_key_gives(self):
        api, tool = self.people("strict")
        self.assert_run(tool.sync())
        users = {row.json["userId"] for row in api.rows("violations") if row.json.get("userId")}
        stored = {user for (user,) in tool.query("SELECT DISTINCT user_id FROM violations")}
        self.assertEqual({hashed(user) for user in users}, stored)
        self.assertEqual([("hash", 1)], tool.query("SELECT DISTINCT treatment, (SELECT count(DISTINCT key_id) FROM sync_privacy) FROM sync_privacy WHERE column_name = 'user_id'"))
        manifest = json.loads((tool.lake / "manifest.json").read_text())
        self.assertIn({"table": "violations", "column": "user_id", "treatment": "hash"}, [{k: t[k] for k in ("table", "column", "treatment")} for t in manifest["privacy"]])

    def test_a_key_is_needed_and_another_is_refused(self):
        api, tool = self.people("names")
        right = tool.env.pop("FLASHBACK_PRIVACY_KEY")
        run = tool.sync()
        self.assert_run(run, 2)
        self.assertEqual([], api.requests)
        tool.env["FLASHBACK_PRIVACY_KEY"] = right
        self.assert_run(tool.sync())
        tool.env["FLASHBACK_PRIVACY_KEY"] = "another key, as long as the other"
        for command in ("sync", "verify", "repair"):
            run = tool.run(command)
            self.assert_run(run, 2)
            self.assertIn("key", run.err)
        tool.env["FLASHBACK_PRIVACY_KEY"] = right
        self.verify(tool, 0)

    def test_a_policy_is_applied_to_what_is_stored(self):
        api, tool = self.people("none")
        self.assert_run(tool.sync())
        count = tool.query("SELECT count(*), count(DISTINCT user_id) FROM bi.events")
        self.configure(api, tool, "strict", views=[{"name": "team-leads", "preset": "strict", "tables": ["bi.*"]}])
        run = tool.sync()
        self.assert_run(run, 2)
        self.assertIn("--apply-privacy", run.err)
        self.assert_run(tool.sync("--apply-privacy"))
        self.assertEqual(count, tool.query("SELECT count(*), count(DISTINCT user_id) FROM bi.events"))
        self.assert_absent(tool)
        self.verify(tool, 0)

    def test_less_trusted_readers_get_a_file_without_texts_and_names(self):
        api, tool = self.people("none")
        self.configure(api, tool, "none", views=[{"name": "team-leads", "preset": "strict", "tables": ["bi.*"]}])
        self.assert_run(tool.sync())
        path = tool.data / "team-leads.duckdb"
        self.assertEqual([], seen(path.read_bytes()) + in_duckdb(path))
        with duckdb.connect(str(path), read_only=True) as leads:
            for sql in ("SELECT count(*), count(DISTINCT user_id) FROM bi.events", "SELECT sum(events) FROM bi.events_daily"):
                self.assertEqual(tool.query(sql), leads.execute(sql).fetchall())
        self.assertEqual(0o440, path.stat().st_mode & 0o777)
        self.verify(tool, 0)


def seen(content):
    """Which of the canary's words are in some bytes."""
    lower = content.lower()
    return [word for word in (b"canaryson", b"zara") if word in lower]


def in_duckdb(path):
    """Columns of a DuckDB file that name the person."""
    found = []
    with duckdb.connect(str(path), read_only=True) as file:
        for schema, table, column in file.execute("SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall():
            sql = f"""SELECT count(*) FROM "{schema}"."{table}" WHERE regexp_matches(lower("{column}"::VARCHAR), 'canaryson|zara')"""
            if file.execute(sql).fetchone()[0]:
                found.append(f"{schema}.{table}.{column}")
    return found
