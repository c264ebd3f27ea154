"""What the checks of proof, damage and secrets share."""

import json

import duckdb

import rows
from fake_api import DAY, HOUR, MINUTE, Behaviour, parse_instant
from scenario import FreshScenario
from tool import sha256


class TrustScenario(FreshScenario):
    def copied(self, count=3000, days=20, **more):
        """A server and an exact copy of it."""
        served = {"alerts": rows.many("alerts", count, self.now - MINUTE, days * DAY - HOUR)} | more
        api, tool = self.serve(Behaviour(), days, **served)
        self.assert_run(tool.sync())
        api.forget_requests()
        return api, tool

    @staticmethod
    def by_hand(file, sql):
        """Change a DuckDB file as somebody with a shell would; returns what the statement returns."""
        file.chmod(0o600)  # what is published is read-only
        with duckdb.connect(str(file)) as connection:
            return connection.execute(sql).fetchall()

    @staticmethod
    def warehouse(tool):
        return tool.data / "state" / "warehouse.duckdb"

    @staticmethod
    def tree(tool):
        return {str(p.relative_to(tool.data)): (p.stat().st_mode, sha256(p)) for p in tool.data.rglob("*") if p.is_file()}

    def verify(self, tool, *codes):
        """Verify, which must change no byte; returns its report."""
        before = self.tree(tool)
        run = tool.run("verify", "--json")
        self.assertEqual(before, self.tree(tool), "verify changed something in data_dir")
        self.assert_run(run, *codes)
        report = json.loads(run.out)
        self.assertEqual(run.code == 0, report["status"] == "match", run)
        return report

    def assert_found(self, report, ids, stream="alerts", kind="missing"):
        """The report names this stream alone, an interval around these rows alone, and the rows."""
        self.assertEqual([stream], [s["stream"] for s in report["streams"] if s["status"] != "match"])
        found = next(s for s in report["streams"] if s["stream"] == stream)
        self.assertEqual(len(ids), found[kind], found["findings"])
        named = {id_ for finding in found["findings"] for id_ in finding["samples"]}
        self.assertEqual(set(ids), named)
        for id_, at in ids.items():
            self.assertTrue([f for f in found["findings"] if parse_instant(f["from"]) <= at <= parse_instant(f["to"])], f"no interval holds {id_}")

    def assert_repaired(self, api, tool, *streams):
        """Repair; returns the number of requests it took."""
        api.forget_requests()
        self.assert_run(tool.run("repair"))
        asked = len(api.forget_requests()[0])
        self.assertEqual("match", self.verify(tool, 0)["status"])
        for stream in streams or ("alerts",):
            self.assert_equal_to_source(tool, api, stream)
            self.assertEqual(sorted(r["id"] for r in tool.table(stream)), sorted(r["id"] for r in tool.lake_table(stream)))
        return asked
