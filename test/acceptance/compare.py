"""Holds what the program wrote against what the server served."""

import json

from rows import FIELDS


def exact(text):
    """JSON with its numbers kept as they were written."""
    return json.loads(text, parse_int=lambda n: ("number", n), parse_float=lambda n: ("number", n))


def expected(stream, row):
    """The columns that a served row must end up in."""
    fields = FIELDS[stream]
    record = {column: row.json.get(name) for name, column in fields.items()}
    record["timestamp"] = row.at
    record["extra"] = {name: value for name, value in exact(row.text).items() if name not in fields}
    return record


def stored(stream, row):
    """A stored row without the columns that the program adds."""
    record = {column: row[column] for column in FIELDS[stream].values()}
    record["extra"] = exact(row["extra"]) if row["extra"] is not None else {}
    return record


def differences(stream, served, copied, limit=5, may_lack_rows=False):
    """What is wrong with the stored rows, in words; empty if they equal the served ones."""
    found, seen = [], set()
    wanted = {row.id: row for row in served}
    for row in copied:
        id_ = row["id"]
        if id_ in seen:
            found.append(f"{id_}: there twice")
        seen.add(id_)
        if id_ not in wanted:
            found.append(f"{id_}: never served")
            continue
        want, have = expected(stream, wanted[id_]), stored(stream, row)
        for column in want:
            if want[column] != have[column]:
                found.append(f"{id_}.{column}: served {shorten(want[column])}, stored {shorten(have[column])}")
    if not may_lack_rows:
        found += [f"{id_}: lost" for id_ in wanted.keys() - seen]
    return found[:limit] + ([f"and {len(found) - limit} more"] if len(found) > limit else [])


def shorten(value):
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}... ({len(text)} characters)"
