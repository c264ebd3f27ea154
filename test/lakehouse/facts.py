"""What is compared: for each table its columns and types, counts, bounds and the rows of each day.

Every reader answers the same SQL; what differs is a name for microseconds. The truth is what
DuckDB reads from the Parquet files of the lake.
"""

import json
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Table:
    name: str
    key: str
    time: str
    measure: str

    def queries(self, source, micros, where):
        """Totals, and days: day, rows, first and last time, a sum over the content."""
        return (f"SELECT count(*), count(DISTINCT {self.key}), count(DISTINCT {self.time}) FROM {source} {where}",
                f"SELECT CAST({self.time} AS DATE), count(*), {micros(f'min({self.time})')}, {micros(f'max({self.time})')}, sum({self.measure}) "
                f"FROM {source} {where} GROUP BY 1")


TABLES = (
    Table("alerts", "id", "timestamp", "length(message)"),
    Table("violations", "id", "timestamp", "length(explanation)"),
    Table("policy_stats", "rule_id", "bucket_start", "policy_tokens_in"),
    Table("events_daily", "policy_id", "day", "events"),
    Table("queries", "filter", "complete_to", "length(stream)"),
    Table("coverage", "stream", "from_ts", "length(filter)"),
)

# The columns of the tables whose rows are in the manifest itself, and the keys there.
QUERY = ("stream", "filter", "policy_id", "scope", "scope_id", "rule_id", "api_key_id", "bucket_size")
LISTS = {
    "queries": (", ".join(f"{name} TEXT" for name in QUERY) + ", start_ts TIMESTAMPTZ, complete_to TIMESTAMPTZ", (*QUERY, "start_ts", "complete_to")),
    "coverage": ("stream TEXT, filter TEXT, status TEXT, from_ts TIMESTAMPTZ, to_ts TIMESTAMPTZ", ("stream", "filter", "status", "from", "to")),
}

# Each reader's name of a type, and DuckDB's for the Parquet files.
TYPES = {
    "string": "text", "varchar": "text", "json": "text", "long": "bigint", "bigint": "bigint", "boolean": "boolean", "date": "date",
    "timestamptz": "timestamptz", "timestamp": "timestamptz",  # Spark's timestamp is an instant
    "timestamp with time zone": "timestamptz", "timestamp(6) with time zone": "timestamptz",
}


@dataclass
class Facts:
    columns: dict
    totals: tuple
    days: dict

    def differences(self, other):
        for name in ("columns", "totals", "days"):
            mine, its = getattr(self, name), getattr(other, name)
            if mine == its:
                continue
            if isinstance(mine, dict):
                keys = [k for k in {**mine, **its} if mine.get(k) != its.get(k)]
                yield f"{name}: {len(keys)} differ, as {keys[0]}: {mine.get(keys[0])} instead of {its.get(keys[0])}"
            else:
                yield f"{name}: {mine} instead of {its}"


def duckdb_micros(expression):
    return f"epoch_us(CAST({expression} AS TIMESTAMPTZ))"


def facts(query, describe, table, source, micros, org="default"):
    """Of a reader: query(sql) gives rows, describe(source) pairs of column and type."""
    columns = {name: TYPES.get(typ.lower(), typ) for name, typ in describe(source)}
    where = ""
    if "org" in columns:
        if columns.pop("org") != "text":
            columns["org"] = "not text"
        where = f"WHERE org = '{org}'"
    totals, days = table.queries(source, micros, where)
    [total] = query(totals)
    return Facts(columns, tuple(int(n) for n in total), {str(day): tuple(int(n) for n in rest) for day, *rest in query(days)})


def per_org(query, source):
    """Rows, distinct ids and a sum over the content of each organisation."""
    rows = query(f"SELECT org, count(*), count(DISTINCT id), sum(length(message)) FROM {source} GROUP BY org")
    return {org: tuple(int(n) for n in rest) for org, *rest in rows}


def connect():
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def duckdb_reader(connection):
    """query and describe of a DuckDB connection."""
    return (lambda sql: connection.execute(sql).fetchall(),
            lambda source: [(r[0], r[1]) for r in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()])


def truth(lake, table):
    """The facts of a table in the lake's own files."""
    connection = connect()
    if table.name in LISTS:
        columns, keys = LISTS[table.name]
        rows = [[row.get(key) for key in keys] for row in lake.manifest[table.name]]
        connection.execute(f"CREATE TABLE {table.name} ({columns})")
        connection.executemany(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(keys))})", rows)
        source = table.name
    else:
        source = files_of(lake, table.name)
    return facts(*duckdb_reader(connection), table, source, duckdb_micros)


def truth_of_orgs(lakes):
    query, _ = duckdb_reader(connect())
    expected = {}
    for org, lake in lakes.items():
        expected.update(per_org(query, f"(SELECT '{org}' AS org, * FROM {files_of(lake, 'alerts')})"))
    return expected


def files_of(lake, table):
    paths = json.dumps([str(lake.folder / f["path"]) for f in lake.files(table)]).replace('"', "'")
    return f"read_parquet({paths}, hive_partitioning = false)"
