"""Many organisations push their first lake into the same tables, all at the same time, as their CronJobs do at night."""

import os
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
    """A process for each of them, started together; then each once more, which has nothing to do."""
    environment = {**os.environ, **catalog.environment}
    began = time.monotonic()
    processes = {org: subprocess.Popen(writers.command(program, lake, org, "--json"), env=environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True) for org, lake in lakes.items()}
    problems = []
    for org, process in processes.items():
        _, said = process.communicate()
        if process.returncode != 0:
            problems.append(f"{org}: exit {process.returncode}: {said[-500:]}")
    seconds = time.monotonic() - began
    assert not problems, f"{len(problems)} of {len(lakes)} failed:\n" + "\n".join(problems[:5])
    return f"{len(lakes)} first pushes in {seconds:.0f} s"
