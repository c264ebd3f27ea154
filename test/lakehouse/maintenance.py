"""Maintenance by Spark while eight organisations push: everything that users run, again and again."""

import threading
from collections import Counter

import writers

CALLS = {
    "rewrite_manifests": "CALL {catalog}.system.rewrite_manifests(table => '{catalog}.flashback.alerts')",
    "expire_snapshots": "CALL {catalog}.system.expire_snapshots(table => '{catalog}.flashback.alerts', older_than => current_timestamp(), retain_last => 1)",
    "remove_orphan_files": "CALL {catalog}.system.remove_orphan_files(table => '{catalog}.flashback.alerts', prefix_listing => true)",
    "rewrite_data_files": "CALL {catalog}.system.rewrite_data_files(table => '{catalog}.flashback.alerts', options => map('rewrite-all', 'true'))",
}
# What Spark reports when a push was faster.
CONFLICTS = ("CommitFailed", "ValidationException", "Cannot commit", "has changed", "RewriteManifests", "NotFoundException", "No such file", "does not exist",
             "FileNotFound", "missing")


def beside(view, program, catalog, lakes, seconds):
    """Let all of them write while Spark maintains their table."""
    over, done, conflicts, errors = threading.Event(), Counter(), Counter(), []

    def call(name):
        try:
            view.query(CALLS[name].format(catalog=view.catalog))
            done[name] += 1
        except Exception as error:  # noqa: BLE001: judged below
            conflicts[name] += 1
            if not any(c in str(error) for c in CONFLICTS):
                errors.append(f"{name}: {str(error)[:1000]}")

    def maintain():
        while not over.is_set():
            for name in CALLS:
                call(name)

    thread = threading.Thread(target=maintain)
    thread.start()
    finished = writers.compete(program, catalog, lakes, seconds)
    over.set()
    thread.join()
    for name in CALLS:  # Spark gives up after some conflicts; now there are none
        if not done[name]:
            call(name)
    for writer in finished:  # Spark came last
        again = writers.push(program, catalog, writer.lake, writer.org)
        if again.returncode != 0:
            writer.error = again.stderr
    problems = errors + [f"{w.org}: {w.error}" for w in finished if w.error] + [f"no {name} was done" for name in CALLS if not done[name]]
    assert not problems, "\n".join(problems)
    return (f"{sum(w.killed for w in finished)} pushes killed, {sum(w.finished for w in finished)} not; of Spark "
            + ", ".join(f"{done[name]} {name} ({conflicts[name]} in conflict)" for name in CALLS))
