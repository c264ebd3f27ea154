"""Kills a push at each request that writes, before and after it, and wants the next push to leave nothing to do."""

import os
import subprocess
from contextlib import contextmanager

import writers
from gate import Gate, proxy

ORG = "steps"


def kill_everywhere(program, catalog, lake):
    """How many kills there were."""
    gate, killed = Gate(), 0
    with gated(catalog, gate) as environment:
        run(program, lake, environment)  # the first push: from here on only alerts change
        for before in (True, False):
            at = 0
            while True:
                at += 1
                change(lake, at)
                gate.reset(at, before)
                process = subprocess.Popen(writers.command(program, lake, ORG), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                gate.victim = process
                _, said = process.communicate(timeout=120)
                if process.returncode == 0:
                    break  # it had no more
                assert process.returncode == -9, f"killed at write {at}, the push ended with {process.returncode}: {said}"
                killed += 1
                where = f"after the kill {'before' if before else 'after'} write {at} ({gate.requests[-1]['method']} {gate.requests[-1]['path']})"
                gate.reset(None)
                run(program, lake, environment, where)
                run(program, lake, environment, where, "verify")
    assert killed >= 8, f"{killed} kills: this proves nothing"
    return f"{killed} kills"


def change(lake, at):
    """Another day changes each time."""
    files = lake.files("alerts")
    file = files[at % len(files)]
    lake.keep(file, file["rows"] - 1)
    lake.publish()


def run(program, lake, environment, where="", command="push"):
    done = subprocess.run([program, command, "--lake", lake.folder, "--org", ORG], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} {where}: {done.stdout} {done.stderr}"


@contextmanager
def gated(catalog, gate):
    """The settings of flashback-iceberg with everything through proxies; PostgreSQL is no HTTP."""
    environment = {**os.environ, **catalog.environment}
    with proxy(gate, "storage", catalog.storage.port) as storage:
        environment["FLASHBACK_ICEBERG_S3_ENDPOINT"] = storage
        if catalog.kind != "rest":
            yield environment
            return
        with proxy(gate, "catalog", catalog.rest.port) as rest:
            environment["FLASHBACK_ICEBERG_CATALOG"] = f"rest+{rest}"
            yield environment
