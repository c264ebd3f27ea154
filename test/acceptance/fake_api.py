"""An independent server that speaks the documented Flashback policy API.

It holds its rows in memory, records every request it is sent, and writes down
every breach of the documented contract in `breaches`. It knows nothing of the
program it judges. Standard library only.

Instants are whole microseconds since 1970 (UTC) throughout.
"""

import bisect
import hashlib
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import parse_qsl, unquote

import wire

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TAKE_MAX = 100

LIST_FILTERS = {"workspaceId", "repoId", "from", "to", "take", "skip", "llmType", "llmModel", "host"}
# Documented, or in the types of the published client.
PARAMETERS = {
    "alerts": LIST_FILTERS,
    "violations": LIST_FILTERS | {"severity", "block"},
    "stats": {"scope", "id", "window", "timeBucketSize", "ruleId", "apiKeyId"},
}
SEVERAL_VALUES = {"llmType", "llmModel", "host", "severity"}
WINDOWS = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY, "180d": 180 * DAY, "365d": 365 * DAY}
BUCKETS = {"5m": 5 * MINUTE, "10m": 10 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "12h": 12 * HOUR, "1d": DAY}


MISSING = object()


class ApiError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class Row:
    """One alert or violation: when it happened, where, and its JSON as served."""

    at: int
    json: dict
    workspace: str = "workspace-1"
    text: bytes = b""

    def __post_init__(self):
        # Half of the rows go out with \u escapes, half as plain UTF-8.
        escaped = hashlib.sha256(str(self.json.get("id")).encode()).digest()[0] % 2 == 0
        self.text = self.text or json.dumps(self.json, ensure_ascii=escaped).encode()

    @property
    def id(self):
        return self.json.get("id")


@dataclass
class Request:
    stream: str
    path: str
    policy: str | None
    params: dict
    status: int
    rows: int = 0
    total: object = 0
    agent: str = ""
    at: float = field(default_factory=time.monotonic)
    answered: float = 0.0

    def instant(self, name):
        return parse_instant(self.params[name]) if name in self.params else None


@dataclass
class StatsAnswer:
    params: dict
    meta: dict
    summary: dict
    series: list
    now: int


@dataclass
class Behaviour:
    """What the documentation leaves open, and how a server may misbehave."""

    bounds: str = "inclusive"  # inclusive | exclusive | half-open: [from, to)
    precision: str = "exact"  # exact | floor-seconds | whole-seconds | whole-days
    shuffle_ties: bool = False  # rows of one instant come in another order every time
    total: object = None  # function(true total) -> the total that is claimed: any JSON value, or MISSING
    take: int = TAKE_MAX  # a page never holds more, whatever was asked
    ignore_skip: bool = False
    serve: object = None  # function(rows of the page, request) -> those that are served in their place
    clock: int | None = 0  # what the Date header is off by; None: there is none
    wire: object = None  # function(request, Wire): spoils an answer on its way
    before_answer: object = None  # function(api, number of list requests so far)
    broken: dict = field(default_factory=dict)  # stream -> (status, content type, body)
    refused_windows: set = field(default_factory=set)


class Table:
    """The rows of one stream, newest first."""

    def __init__(self):
        self.rows = []

    def add(self, row):
        bisect.insort(self.rows, row, key=lambda r: -r.at)

    def remove(self, row):
        self.rows.remove(row)

    def between(self, newest, oldest):
        """Rows with oldest <= at <= newest."""
        first = bisect.bisect_left(self.rows, -newest, key=lambda r: -r.at)
        last = bisect.bisect_right(self.rows, -oldest, key=lambda r: -r.at)
        return self.rows[first:last]


class FakeApi:
    """Start with `with FakeApi(...) as api:`; `api.url` is its base URL."""

    def __init__(self, now, token, behaviour=None):
        self.now, self.token = now, token
        self.behaviour = behaviour or Behaviour()
        self.tables = {"alerts": Table(), "violations": Table()}
        self.repos, self.policies = set(), set()
        self.requests, self.breaches, self.stats_answers = [], [], []
        self.connections = 0
        self.lock = threading.RLock()
        self.random = random.Random(7)

    def __enter__(self):
        self._server = wire.Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def add(self, stream, rows):
        with self.lock:
            for row in rows:
                self.tables[stream].add(row)
                self.repos.add(row.json.get("repoId"))
                self.policies.add(row.json.get("policyId"))

    def replace(self, stream, old, new):
        with self.lock:
            self.tables[stream].remove(old)
            self.add(stream, [new])

    def rows(self, stream):
        with self.lock:
            return list(self.tables[stream].rows)

    def advance(self, duration):
        with self.lock:
            self.now += duration

    def forget_requests(self):
        """Return what was recorded so far and begin anew."""
        with self.lock:
            taken = self.requests, self.stats_answers
            self.requests, self.stats_answers = [], []
            return taken

    # --- answering -------------------------------------------------------

    def answer(self, raw_path, query, headers):
        """Return (the recorded request, content type, body)."""
        stream, policy = route(raw_path)
        pairs = parse_qsl(query, keep_blank_values=True)
        params = dict(pairs)
        with self.lock:
            record = Request(stream, raw_path, policy, params, 0, agent=headers.get("User-Agent", ""))
            self.requests.append(record)
            try:
                self.check_contract(record, pairs)
                if headers.get("Authorization") != f"Bearer {self.token}":
                    raise ApiError(401, "Unauthorized")
                if stream in self.behaviour.broken:
                    record.status, kind, body = self.behaviour.broken[stream]
                    return record, kind, body
                body = self.stats(params) if stream == "stats" else self.list(record)
                record.status = 200
            except ApiError as error:
                record.status = error.status
                empty = {stream: [], "total": 0, "skip": 0, "take": 0} if stream in self.tables else {}
                body = json.dumps({"success": False, **empty, "message": error.message}).encode()
            return record, "application/json; charset=utf-8", body

    def check_contract(self, record, pairs):
        where = f"GET {record.path} {record.params}"
        if record.stream is None:
            self.breaches.append(f"unknown path: {where}")
            raise ApiError(404, "Not found")
        allowed = set(PARAMETERS[record.stream])
        if record.stream != "stats" and record.policy is None:
            allowed.add("policyId")
        for name in record.params.keys() - allowed:
            self.breaches.append(f"undocumented parameter {name}: {where}")
        if len(pairs) != len(record.params):
            self.breaches.append(f"a parameter is given twice: {where}")

    def list(self, record):
        behaviour, params = self.behaviour, record.params
        if behaviour.before_answer:
            behaviour.before_answer(self, sum(r.stream in self.tables for r in self.requests))
        take, skip = self.whole_number(params, "take", 50), self.whole_number(params, "skip", 0)
        if take > TAKE_MAX or take < 1:
            self.breaches.append(f"take={take}: {record.path}")
            raise ApiError(400, f"take must be between 1 and {TAKE_MAX}")
        if record.policy is not None and record.policy not in self.policies:
            raise ApiError(404, "Policy not found")
        if params.get("repoId") and params["repoId"] not in self.repos:
            raise ApiError(404, "Repo not found")

        newest, oldest = self.bounds(params)
        rows = [r for r in self.tables[record.stream].between(newest, oldest) if matches(r, params, record.policy)]
        if behaviour.shuffle_ties:
            rows = sorted(rows, key=lambda r: (-r.at, self.random.random()))
        total = behaviour.total(len(rows)) if behaviour.total else len(rows)
        skip, take = 0 if behaviour.ignore_skip else skip, min(take, behaviour.take)
        page = rows[skip:skip + take]
        if behaviour.serve:
            page = behaviour.serve(page, record)
        record.rows, record.total = len(page), total
        counted = b"" if total is MISSING else b',"total":%s' % json.dumps(total).encode()
        return b'{"success":true,"%s":[%s]%s,"skip":%d,"take":%d}' % (
            record.stream.encode(), b",".join(r.text for r in page), counted, skip, take)

    def bounds(self, params):
        """The inclusive range of instants that `from` and `to` ask for, as this server reads them."""
        newest, oldest = 1 << 60, -(1 << 60)
        unit = {"exact": 1, "floor-seconds": SECOND, "whole-seconds": SECOND, "whole-days": DAY}[self.behaviour.precision]
        whole = self.behaviour.precision.startswith("whole")
        open_from = self.behaviour.bounds == "exclusive"
        open_to = self.behaviour.bounds in ("exclusive", "half-open")
        if "from" in params:
            oldest = self.instant(params["from"]) // unit * unit + (1 if open_from else 0)
        if "to" in params:
            newest = self.instant(params["to"]) // unit * unit
            newest += unit - 1 if whole else 0
            newest -= 1 if open_to else 0
        return newest, oldest

    def instant(self, text):
        try:
            return parse_instant(text)
        except ValueError as error:
            self.breaches.append(f"unreadable instant {text!r}")
            raise ApiError(400, f"Invalid date: {text}") from error

    def whole_number(self, params, name, default):
        try:
            number = int(params.get(name, default))
        except ValueError:
            number = -1
        if number < 0:
            self.breaches.append(f"{name}={params[name]!r}")
            raise ApiError(400, f"{name} must be a whole number")
        return number

    def stats(self, params):
        scope, window, bucket = params.get("scope"), params.get("window"), params.get("timeBucketSize", "1h")
        if scope not in ("org", "workspace", "repo") or window not in WINDOWS or bucket not in BUCKETS:
            self.breaches.append(f"statistics with scope={scope} window={window} timeBucketSize={bucket}")
            raise ApiError(400, "Invalid parameters")
        if scope != "org" and not params.get("id"):
            self.breaches.append(f"statistics of a {scope} without its id")
            raise ApiError(400, "id is required")
        if window in self.behaviour.refused_windows:
            raise ApiError(400, f"window {window} is not available")
        size, start = BUCKETS[bucket], self.now - WINDOWS[window]
        series = [self.point(params, at, size, start) for at in range(start // size * size, self.now, size)]
        counts = sorted(p["violations"] for p in series)
        mean = sum(counts) / len(counts)
        summary = {
            "total": sum(counts), "avg": mean,
            "stdDev": (sum((c - mean) ** 2 for c in counts) / len(counts)) ** 0.5,
            "min": counts[0], "max": counts[-1],
            **{f"p{p}": counts[p * (len(counts) - 1) // 100] for p in (10, 50, 90)},
        }
        meta = {"start": start // SECOND, "end": self.now // SECOND, "scope": scope,
                "window": window, "timeBucketSize": bucket}
        self.stats_answers.append(StatsAnswer(dict(params), meta, summary, series, self.now))
        body = json.dumps({"success": True, "meta": meta, "summary": summary, "series": series}).encode()
        # The same integer, spelt as some serializers do.
        return body.replace(b'"policyTokensOut": 4000000000', b'"policyTokensOut": 4.0e9')

    def point(self, params, at, size, window_start):
        """One bucket. It counts only the minutes that have passed and lie in the window."""
        minutes = (min(self.now, at + size) - max(at, window_start)) // MINUTE
        key = "|".join([*(params.get(n, "") for n in ("scope", "id", "ruleId", "apiKeyId")), str(at), str(size)])
        seed = hashlib.sha256(key.encode()).digest()

        def part(value):
            return value * minutes * MINUTE // size

        low, medium, high = (part(b % 30) for b in seed[:3])
        tokens_out = 4_000_000_000 if seed[4] % 50 == 0 else part(1000 + seed[5] * 997)
        point = {
            "ts": at // SECOND, "violations": low + medium + high, "alerts": part(seed[3] % 90),
            "blocks": high, "severityLow": low, "severityMedium": medium, "severityHigh": high,
            "policyTokensIn": part(seed[6] * 20_000_000), "policyTokensOut": tokens_out,
        }
        if params["scope"] == "repo":
            point["entityId"] = params["id"]
        return point


def route(raw_path):
    """(stream, policy id) of a path; (None, None) for one that is not documented."""
    match raw_path.split("/"):
        case ["", "v2", "stats", "policies"]:
            return "stats", None
        case ["", "policy", ("alerts" | "violations") as stream]:
            return stream, None
        case ["", "policy", policy, ("alerts" | "violations") as stream]:
            return stream, unquote(policy)
    return None, None


def matches(row, params, policy):
    if policy is not None and row.json.get("policyId") != policy:
        return False
    for name, wanted in params.items():
        if name in ("from", "to", "take", "skip") or wanted == "":
            continue
        if name == "workspaceId":
            if row.workspace != wanted:
                return False
        elif name == "block":
            if row.json.get("block") is not (wanted == "true"):
                return False
        elif row.json.get(name) not in (wanted.split(",") if name in SEVERAL_VALUES else [wanted]):
            return False
    return True


def parse_instant(text):
    """ISO 8601: a date, or a date and time with its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if len(text) > len("2024-01-31"):
            raise ValueError(f"no zone: {text}")
        moment = moment.replace(tzinfo=timezone.utc)
    delta = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (delta.days * 86400 + delta.seconds) * SECOND + delta.microseconds


def now_in_the_middle_of_an_hour():
    """Real time within 90 minutes, but never near the end of a statistics bucket."""
    hour = int(time.time()) // 3600 - 1
    return hour * HOUR + 30 * MINUTE
