"""The views that flashback-iceberg prints, in an engine, against schema bi of flashback.duckdb."""

import subprocess
from collections import Counter

import facts

# What the lake has nothing of: docs/lakehouse.md says why.
MISSING = {"events": {"late"}, "freshness": {"last_success_at", "last_verified_at"}}


def compare(view, dialect, program, database, org):
    """Make the views, and compare every row of each."""
    namespace = f"{view.catalog}.bi_{dialect}"
    make(view, dialect, program, namespace)
    connection = facts.connect()
    connection.execute(f"ATTACH '{database}' AS flashback (READ_ONLY)")
    connection.execute("USE flashback")
    names = [r[0] for r in connection.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi' ORDER BY 1").fetchall()]
    problems, rows = [], 0
    for name in names:
        columns = [c for c in connection.execute(f"DESCRIBE bi.{name}").fetchall() if c[0] not in MISSING.get(name, ())]
        expected = content(lambda sql: connection.execute(sql).fetchall(), columns, f"bi.{name}", facts.duckdb_micros, '"')
        seen = content(view.query, columns, f"{namespace}.{name} WHERE org = '{org}'", view.micros, "`" if dialect == "spark" else '"')
        rows += expected.total()
        if seen != expected:
            problems.append(f"{name} has {seen.total()} rows of {expected.total()}; too many, as {list((seen - expected).items())[:2]}, and missing, as "
                            f"{list((expected - seen).items())[:2]}")
    assert not problems, "\n".join(problems)
    return f"{rows} rows of {len(names)} views"


def make(view, dialect, program, namespace):
    printed = subprocess.run([program, "views", "--dialect", dialect, "--catalog-name", view.catalog, "--in", namespace],
                             check=True, capture_output=True, text=True).stdout
    view.query(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
    for statement in printed.split(";\n"):
        if statement.strip():
            view.query(statement)


def content(query, columns, source, micros, quote):
    """The rows, each as often as it is there: times as microseconds, the rest as Python has it."""
    parts = []
    for name, kind, *_ in columns:
        name = f"{quote}{name}{quote}"
        parts.append(micros(name) if kind.startswith("TIMESTAMP") else name)
    return Counter(tuple(plain(value, kind) for value, (_, kind, *_) in zip(row, columns)) for row in query(f"SELECT {', '.join(parts)} FROM {source}"))


def plain(value, kind):
    if value is None or kind in ("BOOLEAN", "VARCHAR"):
        return value
    return str(value) if kind == "DATE" else float(value) if kind == "DOUBLE" else int(value)
