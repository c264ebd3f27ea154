"""The pipeline that dlt's documentation of its REST source shows: dlt_pipeline.py URL FILE."""

import sys

import dlt
from dlt.sources.rest_api import rest_api_source


def resource(name: str) -> dict:
    return {"name": name, "endpoint": {"path": f"policy/{name}", "data_selector": name}, "parallelized": True}


source = rest_api_source({
    "client": {
        "base_url": sys.argv[1],
        "auth": {"type": "bearer", "token": "bench"},
        "paginator": {
            "type": "offset", "limit": 100, "limit_param": "take", "offset_param": "skip", "total_path": "total",
        },
    },
    # A full load without merging: the cheapest of dlt's write dispositions.
    "resource_defaults": {"primary_key": "id", "write_disposition": "replace"},
    "resources": [resource("alerts"), resource("violations")],
})

pipeline = dlt.pipeline(
    pipeline_name="flashback", destination=dlt.destinations.duckdb(sys.argv[2]), dataset_name="main", pipelines_dir=sys.argv[2] + ".dlt",
)
pipeline.run(source)
