"""The main story, told once: a full copy, an increment, a run with nothing to do, and changed rows.

The checks of checks_sync.py and checks_files.py look at what it saw.
"""

import atexit
import contextlib
import functools
import random
import tempfile
from dataclasses import dataclass

import rows
from fake_api import DAY, HOUR, MINUTE, SECOND, FakeApi, now_in_the_middle_of_an_hour
from scenario import Scenario, list_requests
from tool import COLUMNS, LISTS, TOKEN, Poller, Reader, Run, Tool

COUNT = 20_000
DAYS = 90
LOOKBACK = 48 * HOUR
NEW = {"alerts": 200, "violations": 100}
CHANGED = 6


@dataclass
class Seen:
    """One run, and the world after it."""

    now: int
    run: Run
    requests: list
    stats: list
    published: dict
    tables: dict

    def of(self, stream):
        return list_requests(self.requests, stream)


class Story:
    def __init__(self):
        opened = contextlib.ExitStack()
        atexit.register(opened.close)
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        now = now_in_the_middle_of_an_hour()
        self.api = opened.enter_context(FakeApi(now, TOKEN))
        for stream in LISTS:
            self.api.add(stream, rows.organisation(stream, COUNT, now, DAYS))
        self.stats_start = now - 20 * DAY
        lists = {"start": rows.iso((now - DAYS * DAY) // SECOND * SECOND, 0), "lookback": "48h"}
        self.tool = Tool(folder, self.api.url, {
            "alerts": lists, "violations": lists,
            "policy_stats": {"start": rows.iso(self.stats_start, 0), "bucket": "1h",
                             "scopes": [{"scope": "org"}, {"scope": "repo", "ids": ["auto"]}]},
        })
        self.first = self.observe()
        self.served_first = {stream: self.api.rows(stream) for stream in LISTS}

        self.api.advance(HOUR)
        self.add_new_rows(self.api)
        holder, poller = Reader(self.tool.database), Poller(self.tool.database)
        self.held_before = holder.read()
        self.second = self.observe()
        self.held_after = holder.read()
        holder.close()
        self.polled = poller.finish()
        fresh = Reader(self.tool.database)
        self.opened_anew = fresh.read()
        fresh.close()
        self.served_second = {stream: self.api.rows(stream) for stream in LISTS}

        self.api.advance(7 * SECOND)
        self.third = self.observe()

        self.changed_days = self.change_rows(self.api)
        self.fourth = self.observe()

    def observe(self):
        self.api.forget_requests()
        run = self.tool.sync()
        requests, stats = self.api.forget_requests()
        if run.code != 0:
            raise AssertionError(f"the story cannot go on: {run}")
        tables = {name: self.tool.table(name) for name in COLUMNS}
        return Seen(self.api.now, run, requests, stats, self.tool.published(), tables)

    @staticmethod
    def add_new_rows(api):
        """Most are of the last hour, every fifth came late but within the lookback."""
        for stream, count in NEW.items():
            late = count // 5
            api.add(stream, rows.many(stream, count - late, api.now - MINUTE, HOUR, seed=2, first=COUNT))
            api.add(stream, rows.many(stream, late, api.now - 5 * HOUR, 35 * HOUR, seed=2, first=COUNT + count))

    @staticmethod
    def change_rows(api):
        """Rename the user of some recent alerts and move one in time; returns the days they touch."""
        recent = [r for r in api.rows("alerts") if api.now - 10 * HOUR < r.at < api.now - HOUR and "awkward" not in r.id]
        chosen = random.Random(5).sample(recent, CHANGED)
        days = set()
        for n, old in enumerate(chosen):
            at = old.at if n else old.at - 30 * HOUR
            api.replace("alerts", old, rows.Row(at, old.json | {"userName": "Renamed", "timestamp": rows.iso(at)}, old.workspace))
            days |= {rows.iso(old.at)[:10], rows.iso(at)[:10]}
        return days


@functools.cache
def told():
    """(the story, None), or (None, why it could not be told to its end)"""
    try:
        return Story(), None
    except Exception as error:
        return None, error


class StoryScenario(Scenario):
    @classmethod
    def setUpClass(cls):
        cls.story, error = told()
        if error is not None:
            raise error


def changed_files(before, after):
    names = before.published.keys() | after.published.keys()
    return sorted(n for n in names if before.published.get(n) != after.published.get(n))
