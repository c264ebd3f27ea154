"""Dagster 1: a job for each organisation, which syncs and then pushes to Iceberg tables: dagster dev -f flashback_fleet.py

Both programs are on the PATH of the process that runs the jobs, and data_dir is on its disk. The secrets are files
that only its user can read. A run that is repeated, or killed, does no harm: the programs find out themselves what is
left to do.
"""

import os
import subprocess

import dagster as dg

ORGANISATIONS = ["acme", "globex"]
HOME = "/var/lib/flashback"
SETTINGS = "/etc/flashback"
RETRIES = dg.RetryPolicy(max_retries=2, delay=600)


def run(command, **variables):
    """The output goes to the step's log."""
    subprocess.run(command, check=True, env={**os.environ, **variables})


def job_of(org):
    name = org.replace("-", "_")

    @dg.op(name=f"sync_{name}", out=dg.Out(dg.Nothing), retry_policy=RETRIES)
    def sync():
        run(["flashback-sync", "sync"], FLASHBACK_SYNC_CONFIG=f"{SETTINGS}/flashback-sync.yaml",
            FLASHBACK_SYNC_DATA_DIR=f"{HOME}/{org}", FLASHBACK_SYNC_API_TOKEN_FILE=f"{SETTINGS}/{org}/token")

    @dg.op(name=f"push_{name}", ins={"synced": dg.In(dg.Nothing)}, retry_policy=RETRIES)
    def push():
        # lakehouse.env sets the credentials of the catalog and the storage.
        run(["sh", "-c", f"set -a; . {SETTINGS}/{org}/lakehouse.env; exec flashback-iceberg push"],
            FLASHBACK_ICEBERG_CONFIG=f"{SETTINGS}/flashback-iceberg.yaml",
            FLASHBACK_ICEBERG_LAKE=f"{HOME}/{org}/lake", FLASHBACK_ICEBERG_ORG=org)

    @dg.job(name=f"flashback_{name}")
    def flashback():
        push(synced=sync())

    return flashback


jobs = [job_of(org) for org in ORGANISATIONS]
defs = dg.Definitions(jobs=jobs, schedules=[dg.ScheduleDefinition(job=job, cron_schedule="17 2 * * *") for job in jobs])
