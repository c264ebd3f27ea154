"""Maintenance by Spark while eight organisations push: everything that users run, again and again."""

import threading
from collections import Counter

import writers

CALLS = {
    "rewrite_manifests": "CALL {catalog}.system.rewrite_manifests(table => 'flashback.alerts')",
    "expire_snapshots": "CALL {catalog}.system.expire_snapshots(table => 'flashback.alerts', older_than => current_timestamp(), retain_last => 1)",
    "remove_orphan_files": "CALL {catalog}.system.remove_orphan_files(table => 'flashback.alerts')",
    "rewrite_data_files": "CALL {catalog}.system.rewrite_data_files(table => 'flashback.alerts', options => map('rewrite-all', 'true'))",
}
# What Spark reports when a push was faster.
CONFLICTS = ("CommitFailed", "ValidationException", "Cannot commit", "has changed", "RewriteManifests", "NotFoundException", "No such file", "does not exist",
             "FileNotFound", "missing")


def beside(view, program, catalog, lakes, seconds):
    """Let all of them write while Spark maintains their table."""
    over, done, conflicts, errors = threading.Event(), Counter(), Counter(), []

    def maintain():
        while not over.is_set():
            for name, call in CALLS.items():
                try:
                    view.query(call.format(catalog=view.catalog))
                    done[name] += 1
                except Exception as error:  # noqa: BLE001: judged below
                    conflicts[name] += 1
                    if not any(c in str(error) for c in CONFLICTS):
                        errors.append(f"{name}: {error}")

    thread = threading.Thread(target=maintain)
    thread.start()
    finished = writers.compete(program, catalog, lakes, seconds)
    over.set()
    thread.join()
    for writer in finished:  # Spark may have come last
        again = writers.push(program, catalog, writer.lake, writer.org)
        if again.returncode != 0:
            writer.error = again.stderr
    problems = errors + [f"{w.org}: {w.error}" for w in finished if w.error] + [f"no {name} was done" for name in CALLS if not done[name]]
    assert not problems, "\n".join(problems)
    return (f"{sum(w.killed for w in finished)} pushes killed, {sum(w.finished for w in finished)} not; of Spark "
            + ", ".join(f"{done[name]} {name} ({conflicts[name]} in conflict)" for name in CALLS))
