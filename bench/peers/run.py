"""Compares a first sync with other ways to the same rows: run.py BINARY BENCH [--rows N] [--rounds N].

All read the same simulator, one after the other, in the same run: flashback-sync, dlt's
REST pipeline, and an async script. Each begins with an empty folder and is timed from
the start of its process to its end. The best round of each counts. All must store the
same number of rows.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

here = Path(__file__).parent
STREAMS = ("alerts", "violations")


class Simulator:
    """The simulator of bench, in a process of its own. It ends when its input does."""

    def __init__(self, bench: str, rows: int):
        per_day = max(rows // 100, 1)
        spec = {"Days": max(rows // per_day, 1), "PerDay": per_day}
        self.process = subprocess.Popen([bench, "-role", "serve", json.dumps(spec)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        status = json.loads(self.process.stdout.readline())
        self.url, self.oldest, self.rows = status["URL"], status["Oldest"], [status["Rows"][stream] for stream in STREAMS]

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def flashback_sync(binary: str, simulator: Simulator, folder: Path, connections: int) -> tuple[list[str], Path]:
    stream = {"start": simulator.oldest}
    settings = folder / "flashback-sync.yaml"
    settings.write_text(json.dumps({
        "api": {"base_url": simulator.url, "max_concurrency": connections},
        "data_dir": str(folder / "data"),
        "streams": {name: stream for name in STREAMS},
    }))
    return [binary, "--config", str(settings), "--log-level", "error", "sync"], folder / "data" / "flashback.duckdb"


def python(script: str, simulator: Simulator, folder: Path, connections: int) -> tuple[list[str], Path]:
    file = folder / "peer.duckdb"
    return [sys.executable, str(here / script), simulator.url, str(file), str(connections)], file


def measured(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of the process. The system counts those of children that have ended, so not the simulator's."""
    env = os.environ | {"FLASHBACK_TOKEN": "bench", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def stored(file: Path) -> list[int]:
    with duckdb.connect(str(file), read_only=True) as database:
        return [database.execute(f"SELECT count(*) FROM {stream}").fetchone()[0] for stream in STREAMS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("bench")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of each of two streams, about")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=8, help="of flashback-sync and of the script; dlt reads each stream page by page")
    parser.add_argument("--skip", action="append", default=[], choices=["async script", "dlt"], help="leave one out; may be repeated")
    args = parser.parse_args()
    simulator = Simulator(args.bench, args.rows)
    ways = {
        "flashback-sync": lambda folder: flashback_sync(args.binary, simulator, folder, args.connections),
        "async script": lambda folder: python("script.py", simulator, folder, args.connections),
        "dlt": lambda folder: python("dlt_pipeline.py", simulator, folder, args.connections),
    }
    ways = {name: way for name, way in ways.items() if name not in args.skip}
    best = {}
    try:
        for number in range(args.rounds):
            for name, way in ways.items():
                with tempfile.TemporaryDirectory() as folder:
                    command, file = way(Path(folder))
                    wall, cpu = measured(command)
                    if stored(file) != simulator.rows:
                        sys.exit(f"{name} stored {stored(file)} rows instead of {simulator.rows}")
                print(f"round {number + 1}: {name}: {wall:.1f} s, CPU {cpu:.1f} s", flush=True)
                best[name] = min(wall, best.get(name, (wall, cpu))[0]), min(cpu, best.get(name, (wall, cpu))[1])
    finally:
        simulator.stop()
    rows = sum(simulator.rows)
    print(f"\n{rows:,} rows, best of {args.rounds}, {os.cpu_count()} CPUs; the last columns are wall and CPU against flashback-sync")
    for name, (wall, cpu) in best.items():
        our_wall, our_cpu = best["flashback-sync"]
        print(f"{name:<16} {wall:>8.1f} s {cpu:>8.1f} s CPU {rows / wall:>10,.0f} rows/s {wall / our_wall:>6.1f} × {cpu / our_cpu:>6.1f} ×")


main()
