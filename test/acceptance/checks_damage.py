"""Damage, kills, and many instances at once; and every exit code, provoked."""

import os
import random
import signal
import subprocess
import sys
import time

import rows
from fake_api import DAY, HOUR, MINUTE, SECOND, Behaviour
from tool import TOKEN, sha256
from trust import TrustScenario

READER = """
import duckdb, glob, select, sys
import pyarrow as pa, pyarrow.parquet as pq
data, turns = sys.argv[1], 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    with duckdb.connect(data + "/flashback.duckdb", read_only=True) as connection:
        count, ids = connection.execute("SELECT count(*), count(DISTINCT id) FROM alerts").fetchone()
        assert count == ids, f"{count - ids} rows are there twice"
    for path in glob.glob(data + "/lake/alerts/*/alerts.parquet"):
        # Opened once: read_table opens a path twice, and may find two versions of the file there. By Arrow: its threads
        # may let go of a file of Python's while the interpreter ends, which aborts it (1 in 200; apache/arrow#34314).
        with pa.OSFile(path) as file:
            ids = pq.ParquetFile(file).read(columns=["id"]).column(0).to_pylist()
        assert len(ids) == len(set(ids)), f"a row is there twice in {path}"
    turns += 1
print(turns)
"""


class Damage(TrustScenario):
    def spoil(self, tool):
        self.warehouse(tool).write_bytes(os.urandom(100_000))
        return sha256(self.warehouse(tool))

    def damaged(self):
        """A copy whose statistics reach back further than the server's windows do now; the warehouse is then garbage."""
        api, tool = self.copied(2000)
        stats = {"start": rows.iso((self.now - 60 * DAY) // SECOND * SECOND, 0), "bucket": "1d", "scopes": [{"scope": "org"}]}
        tool.configure(api.url, {"alerts": self.stream(), "policy_stats": stats})
        self.assert_run(tool.sync())
        api.behaviour = Behaviour(refused_windows={"30d", "90d", "180d", "365d"})
        stored = {r["bucket_start"]: r for r in tool.table("policy_stats") if r["closed"]}
        self.assertGreater(len(stored), 50)
        self.spoil(tool)
        return api, tool, stored

    def rebuild(self, api, tool, stored):
        self.assert_run(tool.run("repair", "--rebuild"))
        self.assert_equal_to_source(tool, api)
        self.assertEqual(sorted(r["id"] for r in tool.table("alerts")), sorted(r["id"] for r in tool.lake_table("alerts")))
        after = {r["bucket_start"]: r for r in tool.table("policy_stats")}
        forget = {"_run_id", "_last_changed_at"}
        clean = lambda row: {k: v for k, v in row.items() if k not in forget}  # noqa: E731
        self.assertEqual([], [rows.iso(at) for at, row in stored.items() if at not in after or clean(after[at]) != clean(row)], "statistics lost")
        self.assert_run(tool.sync())
        self.assert_run(tool.run("verify"))

    def test_damage_is_named_and_left_alone_and_rebuilt(self):
        api, tool, stored = self.damaged()
        garbage = sha256(self.warehouse(tool))
        for args in (("sync", "--json"), ("verify",), ("repair",)):
            run = tool.run(*args)
            self.assert_run(run, 8)
            self.assertIn("repair --rebuild", run.err)
            self.assertEqual(garbage, sha256(self.warehouse(tool)))
        self.rebuild(api, tool, stored)
        self.assertIn(garbage, {sha256(p) for p in (tool.data / "state").iterdir() if p.is_file()}, "the damaged file is kept")

    def test_damage_with_a_parquet_file_missing(self):
        api, tool, stored = self.damaged()
        tool.parquet_files("alerts")[3].unlink()
        self.rebuild(api, tool, stored)

    def test_damage_with_the_manifest_missing(self):
        api, tool, stored = self.damaged()
        (tool.lake / "manifest.json").unlink()
        self.rebuild(api, tool, stored)

    def test_damage_with_the_analysts_file_missing(self):
        api, tool, stored = self.damaged()
        tool.database.unlink()
        self.rebuild(api, tool, stored)

    def test_damage_with_a_parquet_file_altered(self):
        api, tool, stored = self.damaged()
        file = tool.parquet_files("alerts")[3]
        file.write_bytes(b"PAR1" + os.urandom(3000) + b"PAR1")
        self.rebuild(api, tool, stored)

    def test_damage_warehouse_cut_in_half(self):
        api, tool = self.copied(5000)
        file = self.warehouse(tool)
        file.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
        cut = sha256(file)
        run = tool.sync()
        self.assert_run(run, 8)
        self.assertEqual(cut, sha256(file))
        self.rebuild(api, tool, {})

    def test_damage_warehouse_gone_is_no_reason_to_lose_statistics(self):
        api, tool, stored = self.damaged()
        self.warehouse(tool).unlink()
        self.rebuild(api, tool, stored)

    def test_exit_codes_are_those_of_the_design(self):
        api, tool = self.copied(500)
        stream = {"alerts": self.stream()}
        self.assert_run(tool.sync(), 0)
        self.assert_run(tool.run("verify"), 0)
        self.assert_run(tool.run("query", "SELEC nonsense"), 1, 2)
        self.assert_run(tool.run("sync", "--nonsense"), 2)
        self.assert_run(tool.run("nonsense"), 2)
        self.assert_run(tool.run("verify", "--from", "nonsense"), 2)
        self.assert_run(tool.run("repair", "--stream", "nonsense"), 2)

        api.behaviour = Behaviour(total=lambda true: true + 9)
        self.assert_run(tool.sync("--from", rows.iso(self.now - 5 * DAY, 0)), 3)
        api.behaviour = Behaviour()
        api.token = "another"
        for command in ("sync", "verify", "repair", "check"):
            self.assert_run(tool.run(command), 4)
        api.token = TOKEN
        api.behaviour = Behaviour(broken={"alerts": (400, "application/json", b'{"success":false,"message":"no"}')})
        for command in ("sync", "verify", "repair", "check"):
            self.assert_run(tool.run(command), 5)
        api.behaviour = Behaviour()

        elsewhere = tool.data
        tool.data = tool.folder / "a file"
        tool.data.write_text("")
        tool.configure(api.url, stream)
        api.forget_requests()
        self.assert_run(tool.sync(), 6)
        self.assertEqual([], api.forget_requests()[0], "the API was asked before the folder was looked at")
        tool.data = elsewhere
        tool.configure(api.url, stream)

        self.by_hand(self.warehouse(tool), "DELETE FROM alerts WHERE id = 'alert-7'")
        self.assert_run(tool.run("verify"), 9)
        self.assert_run(tool.run("repair"), 0)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(code=code):
                running = []
                api.behaviour = Behaviour(before_answer=lambda _, n: running and running.pop().send_signal(number))
                process = tool.start("sync", "--json", "--from", rows.iso(self.now - 19 * DAY, 0))
                running.append(process)
                began = time.monotonic()
                self.assert_run(tool.finish(process, "sync", "--json", timeout=30), code)
                self.assertLess(time.monotonic() - began, 10)
                api.behaviour = Behaviour()
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)

    def test_exit_7_for_all_but_one_of_thirty_instances(self):
        alerts = rows.many("alerts", 500, self.now - MINUTE, 19 * DAY)
        api, tool = self.serve(Behaviour(wire=lambda _, answer: setattr(answer, "delay", 1.0)), alerts=alerts)
        runs = [tool.finish(p, "sync", "--json") for p in [tool.start("sync", "--json") for _ in range(30)]]
        codes = sorted(r.code for r in runs)
        self.assertEqual({0, 7}, set(codes), codes)
        asked = sum(r.summary["streams"]["alerts"]["requests"] for r in runs if r.code == 0)
        self.assertEqual(asked, len(api.requests), "those that ended with 7 asked something")
        self.assertLessEqual(codes.count(0), 3, "so many cannot have run one after the other")
        self.assert_equal_to_source(tool, api)

    def test_kills_at_random_for_half_a_minute_with_readers_in_between(self):
        api, tool = self.copied(2000)
        readers = [subprocess.Popen([sys.executable, "-c", READER, str(tool.data)], text=True, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        rng, turns, kills, ended = random.Random(11), 0, 0, time.monotonic() + 30
        while time.monotonic() < ended:
            api.advance(10 * MINUTE)
            api.add("alerts", rows.many("alerts", 300, api.now - MINUTE, 40 * HOUR, seed=turns, first=10_000 + 300 * turns))
            process = tool.start("sync", "--json")
            time.sleep(rng.uniform(0.02, 1.6))
            process.kill()
            code = tool.finish(process, "sync", "--json").code
            self.assertIn(code, (0, -signal.SIGKILL))
            kills += code != 0
            turns += 1
        self.assertGreater(kills, 3)
        for reader in readers:
            out, err = reader.communicate("\n", timeout=60)
            self.assertEqual(0, reader.returncode, err[-1500:])
            self.assertGreater(int(out.split()[-1]), 10)
        self.assert_run(tool.sync())
        self.assert_equal_to_source(tool, api)
        self.verify(tool, 0)
        self.assertEqual([], [p.name for p in tool.data.rglob("*") if "tmp" in p.name], "leftovers")
