"""Many organisations push their first lake into the same tables, all at the same time, as their CronJobs do at night."""

import json
import os
import resource
import subprocess
import time

import writers

DAYS = 3


def lakes_of(lake, folder, count):
    """Each has another number of rows, so that none can pass for another one's."""
    folder.mkdir()
    lakes = {}
    for n in range(count):
        small = lake.part(folder / f"fleet-{n:03}", DAYS)
        file = small.files("alerts")[n % DAYS]
        small.keep(file, file["rows"] - 1 - n // DAYS % 20)
        small.publish()
        lakes[f"fleet-{n:03}"] = small
    return lakes


def at_once(program, catalog, lakes):
    """A process for each of them, started together. Says how long they took, and how often a commit was tried."""
    environment = {**os.environ, **catalog.environment}
    began, used = time.monotonic(), cpu_seconds()
    processes = {org: subprocess.Popen(writers.command(program, lake, org, "--json"), env=environment, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True) for org, lake in lakes.items()}
    problems, done, tried = [], 0, 0
    for org, process in processes.items():
        out, said = process.communicate()
        if process.returncode != 0:
            problems.append(f"{org}: exit {process.returncode}: {said[-500:]}")
            continue
        tables = json.loads(out)["tables"].values()
        done += sum(1 for t in tables if t.get("snapshot_id"))
        tried += sum(t["commits_tried"] for t in tables)
    assert not problems, f"{len(problems)} of {len(lakes)} failed:\n" + "\n".join(problems[:5])
    return f"{len(lakes)} first pushes in {time.monotonic() - began:.0f} s, {cpu_seconds() - used:.0f} s of CPU; {done} commits, {tried} tried"


def cpu_seconds():
    """Of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
