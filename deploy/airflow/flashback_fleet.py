"""Airflow 3: a DAG for each organisation, which syncs and then pushes to Iceberg tables. Copy it into the dags folder.

Both programs are on the workers' PATH, and data_dir is on a disk of the worker that runs them (give the tasks a queue
of their own if there are several). The secrets are files that only the worker's user can read. A run that is repeated,
or killed, does no harm: the programs find out themselves what is left to do.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

ORGANISATIONS = ["acme", "globex"]
HOME = "/var/lib/flashback"
SETTINGS = "/etc/flashback"

for org in ORGANISATIONS:
    with DAG(
        dag_id=f"flashback_{org}",
        schedule="17 2 * * *",
        start_date=datetime(2026, 1, 1),
        catchup=False,  # a sync fetches everything that is missing
        max_active_runs=1,
        default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    ):
        sync = BashOperator(
            task_id="sync",
            bash_command="flashback-sync sync",
            env={
                "FLASHBACK_SYNC_CONFIG": f"{SETTINGS}/flashback-sync.yaml",
                "FLASHBACK_SYNC_DATA_DIR": f"{HOME}/{org}",
                "FLASHBACK_SYNC_API_TOKEN_FILE": f"{SETTINGS}/{org}/token",
            },
            append_env=True,
        )
        push = BashOperator(
            task_id="push",
            # lakehouse.env sets the credentials of the catalog and the storage.
            bash_command=f"set -a; . {SETTINGS}/{org}/lakehouse.env; exec flashback-iceberg push",
            env={
                "FLASHBACK_ICEBERG_CONFIG": f"{SETTINGS}/flashback-iceberg.yaml",
                "FLASHBACK_ICEBERG_LAKE": f"{HOME}/{org}/lake",
                "FLASHBACK_ICEBERG_ORG": org,
            },
            append_env=True,
        )
        sync >> push
