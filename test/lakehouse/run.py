"""Pushes lakes into two Iceberg catalogs and reads them with four engines:
python3 run.py FLASHBACK_SYNC FLASHBACK_ICEBERG WORK

Prints a line for every check, what failed, and `N passed, N failed, N skipped`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import clouds
import facts
import fleet
import maintenance
import readers
import steps
import views
import writers
from lake import Lake
from services import both_catalogs

SECONDS = int(os.environ.get("LAKEHOUSE_SECONDS", "60"))  # that the writers compete, for each catalog
FLEET = int(os.environ.get("LAKEHOUSE_FLEET", "20"))  # organisations that push at once


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, who, catalog, what, question):
        """question() returns what to show, or raises."""
        began = time.monotonic()
        try:
            detail = question()
            self.passed += 1
            self.line("ok", who, catalog, what, detail, began)
        except Exception as error:  # noqa: BLE001: the next check goes on
            self.failed += 1
            self.line("FAIL", who, catalog, what, "", began)
            text = str(error) if isinstance(error, AssertionError) else traceback.format_exc(limit=-3)
            print("        " + text.strip()[-3000:].replace("\n", "\n        "), flush=True)

    def skip(self, who, catalog, what, reason):
        self.skipped += 1
        self.line("SKIP", who, catalog, what, reason, time.monotonic())

    @staticmethod
    def line(verdict, who, catalog, what, detail, began):
        print(f"{verdict:5}{who:17} {catalog:11} {what:22} {time.monotonic() - began:6.1f} s  {detail or ''}".rstrip(), flush=True)


def java_homes():
    """The Java installations of this machine by their version."""
    found = {}
    candidates = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    if on_path:
        candidates.append(Path(on_path).resolve().parents[1])
    for name, value in os.environ.items():
        if re.fullmatch(r"JAVA_HOME_\d+_X64", name):  # as CI services name them
            candidates.append(Path(value))
    candidates += sorted(Path("/usr/lib/jvm").glob("*"))
    for home in candidates:
        if (home / "bin/java").is_file():
            said = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True).stderr
            version = re.search(r'version "(\d+)', said)
            if version:
                found.setdefault(int(version[1]), home)
    return found


def pushed(report, program, catalog, lake, what, tables, org="default"):
    """Push, and check how many tables got a commit."""
    def question():
        done = writers.push(program, catalog, lake, org, "--json")
        assert done.returncode == 0, done.stderr
        committed = sorted(name for name, t in json.loads(done.stdout)["tables"].items() if t.get("snapshot_id"))
        assert committed == sorted(tables), f"commits of {committed} instead of {sorted(tables)}"
        return f"{len(committed)} commits"
    report.check("flashback-iceberg", catalog.kind, what, question)


def write(report, program, catalogs, lake, whole, folder):
    names = [t.name for t in facts.TABLES]
    for catalog in catalogs:
        pushed(report, program, catalog, lake, "first push", names)
        pushed(report, program, catalog, lake, "push again", [])
        pushed(report, program, catalog, whole, "another organisation", names, WHOLE)
    day = lake.files("alerts")[40]
    lake.keep(day, day["rows"] // 2)
    lake.publish()
    for catalog in catalogs:
        pushed(report, program, catalog, lake, "push of a changed day", ["alerts"])
    pushed_lakes = {}
    for catalog in catalogs:
        few = lake.part(folder / f"{catalog.kind}-{steps.ORG}", 2)
        report.check("flashback-iceberg", catalog.kind, "killed at each write", lambda c=catalog, few=few: steps.kill_everywhere(program, c, few))
        many = fleet.lakes_of(lake, folder / f"{catalog.kind}-fleet", FLEET)
        report.check("flashback-iceberg", catalog.kind, f"{FLEET} writers at once", lambda c=catalog, many=many: fleet.at_once(program, c, many))
        pushed_lakes[catalog.kind] = {"default": lake, WHOLE: whole, steps.ORG: few, **many, **competition(report, program, catalog, lake, folder)}
    return pushed_lakes


def elsewhere(report, program, work, folder, lake):
    """The emulators of other clouds, one after the other."""
    for cloud in clouds.CLOUDS:
        name = cloud.__name__
        if name == "azure" and not (work / "azurite").exists():
            report.skip("flashback-iceberg", name, "push to forget", "it needs Node.js")
            continue
        few = lake.part(folder / f"{name}-lake", clouds.DAYS)
        try:
            with cloud(work, folder) as opened:
                report.check("flashback-iceberg", name, "push to forget", lambda c=opened, few=few: clouds.follow(program, c, few))
                report.check(readers.PyIceberg.name, name, "reads", lambda c=opened, few=few: clouds.read(c, few))
                if name == "azure":
                    report.check("flashback-iceberg", name, "another key", lambda c=opened, few=few: clouds.refused(program, c, few))
        except Exception:  # noqa: BLE001: the other clouds go on
            error = traceback.format_exc(limit=-3)
            report.check("flashback-iceberg", name, "emulator", lambda error=error: fail(error))


WHOLE = "whole"  # an organisation whose lake stays as flashback-sync published it, for the views


def competition(report, program, catalog, lake, folder):
    """The lakes of the eight organisations, as they are in the end."""
    lakes = {}
    for n in range(writers.WRITERS):
        org = f"org-{n + 1}"
        lakes[org] = lake.part(folder / f"{catalog.kind}-{org}", writers.DAYS + n)

    def question():
        finished = writers.compete(program, catalog, lakes, SECONDS)
        problems = [f"{w.org}: {w.error}" for w in finished if w.error]
        assert not problems, "\n".join(problems)
        killed, done = sum(w.killed for w in finished), sum(w.finished for w in finished)
        assert killed and done, f"{killed} pushes killed and {done} not: this proves nothing"
        return f"{killed} pushes killed, {done} not"
    report.check("flashback-iceberg", catalog.kind, "eight writers", question)
    return lakes


def maintain(report, spark, program, catalogs, lakes):
    """Maintenance by Spark while the writers go on."""
    with spark.open(catalogs) as opened:
        for catalog in catalogs:
            report.check(spark.name, catalog.kind, "maintains meanwhile", lambda c=catalog: maintenance.beside(
                opened[c.kind], program, c, {org: lake for org, lake in lakes[c.kind].items() if org.startswith("org-")}, SECONDS))


def read(report, reader, catalogs, lake, whole, lakes, program):
    """Compare what a reader sees in both catalogs with the lakes."""
    questions = [(t.name, lambda view, _, t=t: compare(view.facts(t), facts.truth(lake, t))) for t in facts.TABLES]
    questions.append(("alerts of eight writers", lambda view, c: compare_orgs(view.per_org(), facts.truth_of_orgs(lakes[c.kind]))))
    if hasattr(reader, "dialect"):
        questions.append(("views", lambda view, _: views.compare(view, reader.dialect, program, whole.folder.parent / "flashback.duckdb", WHOLE)))
    try:
        with reader.open(catalogs) as opened:
            for catalog in catalogs:
                for what, question in questions:
                    report.check(reader.name, catalog.kind, what, lambda q=question, c=catalog: q(opened[c.kind], c))
    except Exception:  # noqa: BLE001: the other readers go on
        error = traceback.format_exc(limit=-3)
        report.check(reader.name, "", "opens the catalogs", lambda: fail(error))


def fail(text):
    raise AssertionError(text)


def compare(seen, expected):
    problems = list(seen.differences(expected))
    assert not problems, "\n".join(problems)
    return f"{expected.totals[0]} rows, {len(expected.days)} days, {len(expected.columns)} columns"


def compare_orgs(seen, expected):
    wrong = {org: (seen.get(org), expected.get(org)) for org in {**seen, **expected} if seen.get(org) != expected.get(org)}
    assert not wrong, f"seen and expected differ: {wrong}"
    return f"{sum(n for n, *_ in expected.values())} rows of {len(expected)} organisations"


def main(sync, program, work):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers are stopped, too
    report, work = Report(), Path(work)
    java = java_homes()
    common = java.get(17) or java.get(21)
    if not common:
        sys.exit("lakehouse: Java 17 or 21 is missing, which Spark needs")
    newer = max((v for v in java if v >= 24), default=None)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=work))
    folder.chmod(0o711)  # PostgreSQL runs as another user
    try:
        subprocess.run([sync, "demo", "--dir", folder / "demo"], check=True, stdout=subprocess.DEVNULL)
        whole = Lake(folder / "demo/lake")
        lake = Lake(shutil.copytree(whole.folder, folder / "lake"))
        elsewhere(report, program, work, folder, lake)
        with both_catalogs(work, folder, common / "bin/java") as catalogs:
            lakes = write(report, program, catalogs, lake, whole, folder)
            spark = readers.Spark(work, folder, common)
            maintain(report, spark, program, catalogs, lakes)
            for reader in (readers.PyIceberg(), readers.DuckDB(), spark):
                read(report, reader, catalogs, lake, whole, lakes, program)
            if newer and (work / "jars/trino-server-476.tar.gz").exists():
                read(report, readers.Trino(work, folder, java[newer]), catalogs, lake, whole, lakes, program)
            else:
                for catalog in catalogs:
                    for table in (*[t.name for t in facts.TABLES], "alerts of eight writers"):
                        report.skip(readers.Trino.name, catalog.kind, table, "it needs Java 24 or later" if not newer else "it could not be installed")
    finally:
        if os.environ.get("LAKEHOUSE_KEEP") != "1":
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
