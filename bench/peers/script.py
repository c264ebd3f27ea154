"""A straightforward async script: script.py URL FILE CONNECTIONS.

It pages by skip, several requests at once, and inserts Arrow tables. It checks and
publishes nothing, and must begin again after a failure.
"""

import asyncio
import sys

import duckdb
import httpx
import orjson
import pyarrow as pa

PAGE = 100
PAGES_AT_ONCE = 500

COMMON = ["id", "policyId", "policyName", "timestamp", "conversationId", "repoId", "repoName", "userId", "userName",
          "repoAiApiKeyId", "repoAiApiKeyName", "llmType", "llmModel", "host"]
SCHEMAS = {
    "alerts": pa.schema([(name, pa.string()) for name in [*COMMON, "message"]]),
    "violations": pa.schema([(name, pa.string()) for name in [*COMMON, "explanation", "severity"]] + [("block", pa.bool_())]),
}

url, file, connections = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def page(client: httpx.AsyncClient, limit: asyncio.Semaphore, stream: str, skip: int) -> dict:
    async with limit:
        answer = await client.get(f"/policy/{stream}", params={"take": PAGE, "skip": skip})
    answer.raise_for_status()
    return orjson.loads(answer.content)


async def read(client: httpx.AsyncClient, limit: asyncio.Semaphore, database: duckdb.DuckDBPyConnection, stream: str) -> None:
    total = (await page(client, limit, stream, 0))["total"]
    created = False
    for start in range(0, total, PAGE * PAGES_AT_ONCE):
        skips = range(start, min(start + PAGE * PAGES_AT_ONCE, total), PAGE)
        pages = await asyncio.gather(*(page(client, limit, stream, skip) for skip in skips))
        rows = pa.Table.from_pylist([row for answer in pages for row in answer[stream]], schema=SCHEMAS[stream])  # noqa: F841: DuckDB finds it by name
        if created:
            database.execute(f"INSERT INTO {stream} BY NAME SELECT * REPLACE (timestamp::TIMESTAMPTZ AS timestamp) FROM rows")
        else:
            database.execute(f"CREATE TABLE {stream} AS SELECT * REPLACE (timestamp::TIMESTAMPTZ AS timestamp) FROM rows")
            created = True


async def main() -> None:
    limit = asyncio.Semaphore(connections)
    headers = {"Authorization": "Bearer bench"}
    with duckdb.connect(file) as database:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=httpx.Limits(max_connections=connections)) as client:
            for stream in ("alerts", "violations"):
                await read(client, limit, database, stream)


asyncio.run(main())
