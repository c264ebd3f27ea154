"""What every scenario shares."""

import tempfile
import unittest

from compare import differences
from fake_api import DAY, SECOND, FakeApi, now_in_the_middle_of_an_hour
from rows import iso
from tool import TOKEN, Tool


def list_requests(requests, stream):
    return [r for r in requests if r.stream == stream]


def reading(requests):
    """Without those that only look: a single row, for the server's clock or to try the token."""
    return [r for r in requests if r.params.get("take") != "1"]


class Scenario(unittest.TestCase):
    longMessage = True

    def assert_run(self, run, *codes):
        self.assertIn(run.code, codes or (0,), run)

    def assert_equal_to_source(self, tool, api, *streams, **options):
        for stream in streams or ("alerts",):
            self.assertEqual([], differences(stream, api.rows(stream), tool.table(stream), **options), stream)


class FreshScenario(Scenario):
    """A server and a data folder of its own for every check."""

    def setUp(self):
        self.now = now_in_the_middle_of_an_hour()

    def serve(self, behaviour=None, days=20, token=TOKEN, **rows):
        """A server with the given rows per stream, and the program set up to copy those streams."""
        api = self.enterContext(FakeApi(self.now, token, behaviour))
        for stream, served in rows.items():
            api.add(stream, served)
        folder = self.enterContext(tempfile.TemporaryDirectory())
        return api, Tool(folder, api.url, {stream: self.stream(days) for stream in rows})

    def stream(self, days=20, **options):
        return {"start": iso((self.now - days * DAY) // SECOND * SECOND, 0), "lookback": "48h", **options}
