"""The fake API judged by itself: it must be right before it may judge anyone."""

import json
import unittest
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode

from fake_api import DAY, HOUR, SECOND, Behaviour, FakeApi, now_in_the_middle_of_an_hour, parse_instant, route
from rows import FIELDS, iso, many, one_instant, organisation

NOW = now_in_the_middle_of_an_hour()


def get(api, path, token="right", **params):
    query = urlencode({k.rstrip("_"): v for k, v in params.items()})
    request = urllib.request.Request(f"{api.url}{path}?{query}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class FakeApiTest(unittest.TestCase):
    def serve(self, behaviour=None, rows=()):
        api = self.enterContext(FakeApi(NOW, "right", behaviour))
        api.add("alerts", rows)
        return api

    def test_lists_newest_first_with_total_and_default_take(self):
        rows = many("alerts", 230, NOW, DAY)
        status, body = get(self.serve(rows=rows), "/policy/alerts")
        self.assertEqual((200, 230, 0, 50), (status, body["total"], body["skip"], body["take"]))
        expected = [r.at for r in sorted(rows, key=lambda r: -r.at)][:50]
        self.assertEqual(expected, [parse_instant(a["timestamp"]) for a in body["alerts"]])

    def test_every_row_can_be_read_by_skip(self):
        rows = organisation("alerts", 400, NOW)
        api = self.serve(rows=rows)
        seen = [a for skip in range(0, 500, 100) for a in get(api, "/policy/alerts", take=100, skip=skip)[1]["alerts"]]
        self.assertEqual({r.id: r.json for r in rows}, {a["id"]: a for a in seen})
        self.assertEqual(400, len(seen))
        self.assertEqual([], api.breaches)

    def test_the_instant_in_a_row_is_the_one_it_is_sorted_by(self):
        for stream in FIELDS:
            for row in organisation(stream, 300, NOW):
                self.assertEqual(row.at, parse_instant(row.json["timestamp"]), row.json["timestamp"])
                self.assertEqual(row.json, json.loads(row.text))

    def test_ids_are_unique(self):
        for stream in FIELDS:
            rows = organisation(stream, 5000, NOW)
            self.assertEqual(5000, len({r.id for r in rows}))

    def test_bounds_are_read_as_the_behaviour_says(self):
        at = NOW // DAY * DAY - HOUR + 300_000
        rows = [*one_instant("alerts", 1, at)]
        for bounds, precision, from_, to, found in [
            ("inclusive", "exact", at, at, 1), ("exclusive", "exact", at, at + 1000, 0), ("exclusive", "exact", at - 1000, at, 0),
            ("exclusive", "exact", at - 1000, at + 1000, 1), ("half-open", "exact", at, at, 0), ("half-open", "exact", at, at + 1000, 1),
            ("inclusive", "floor-seconds", at + 1000, at + SECOND, 1), ("inclusive", "floor-seconds", at - SECOND, at, 0),
            ("inclusive", "whole-seconds", at + 1000, at + 2000, 1), ("inclusive", "whole-days", at + HOUR // 2, at + HOUR // 2, 1),
            ("inclusive", "whole-days", at + 2 * HOUR, at + 2 * HOUR, 0),
        ]:
            with self.subTest(bounds=bounds, precision=precision, from_=from_ - at, to=to - at):
                api = self.serve(Behaviour(bounds=bounds, precision=precision), rows)
                self.assertEqual(found, get(api, "/policy/alerts", from_=iso(from_), to=iso(to))[1]["total"])

    def test_filters(self):
        rows = many("alerts", 300, NOW, DAY)
        api = self.serve(rows=rows)
        for params, keep in [
            ({"repoId": "repo ü/&+1"}, lambda r: r.json["repoId"] == "repo ü/&+1"),
            ({"workspaceId": "workspace-1"}, lambda r: r.workspace == "workspace-1"),
            ({"llmType": "OPENAI,AWS"}, lambda r: r.json["llmType"] in ("OPENAI", "AWS")),
            ({"policyId": "policy-2", "host": "bedrock"}, lambda r: (r.json["policyId"], r.json["host"]) == ("policy-2", "bedrock")),
        ]:
            with self.subTest(params):
                self.assertEqual(sum(map(keep, rows)), get(api, "/policy/alerts", **params)[1]["total"])
        by_policy = get(api, "/policy/policy-2/alerts")[1]["total"]
        self.assertEqual(sum(r.json["policyId"] == "policy-2" for r in rows), by_policy)
        self.assertEqual([], api.breaches)

    def test_errors_have_the_documented_shape(self):
        api = self.serve(rows=many("alerts", 3, NOW, DAY))
        empty = {"success": False, "alerts": [], "total": 0, "skip": 0, "take": 0}
        for status, path, params in [
            (401, "/policy/alerts", {"token": "wrong"}), (400, "/policy/alerts", {"take": 101}), (400, "/policy/alerts", {"from_": "never"}),
            (404, "/policy/alerts", {"repoId": "repo-unknown"}), (404, "/policy/unknown/alerts", {}),
        ]:
            with self.subTest(path=path, params=params):
                got, body = get(api, path, **params)
                self.assertEqual(status, got)
                self.assertTrue(body.pop("message"))
                self.assertEqual(empty, body)
        self.assertEqual(400, get(api, "/v2/stats/policies", scope="repo", window="7d")[0])

    def test_breaches_are_written_down(self):
        api = self.serve()
        for path in ("/policy/alerts?page=2", "/policy/alerts?take=101", "/policy/alerts?take=1&take=2", "/policy/x/alerts?policyId=x", "/nowhere"):
            api.breaches.clear()
            bare, _, query = path.partition("?")
            api.answer(bare, query, {"Authorization": "Bearer right"})
            self.assertEqual(1, len(api.breaches), path)

    def test_a_policy_id_is_one_path_segment(self):
        self.assertEqual(("alerts", "a/b %2e"), route("/policy/" + quote("a/b %2e", safe="") + "/alerts"))
        self.assertEqual((None, None), route("/policy/a/b/alerts"))

    def test_ties_come_in_another_order_when_asked_for(self):
        api = self.serve(Behaviour(shuffle_ties=True), one_instant("alerts", 200, NOW))
        pages = [[a["id"] for a in get(api, "/policy/alerts", take=100)[1]["alerts"]] for _ in range(2)]
        self.assertNotEqual(*pages)

    def test_closed_buckets_are_the_same_in_every_answer_and_open_ones_grow(self):
        api = self.serve()
        first = get(api, "/v2/stats/policies", scope="org", window="7d", timeBucketSize="1h")[1]["series"]
        api.advance(HOUR)
        second = get(api, "/v2/stats/policies", scope="org", window="24h", timeBucketSize="1h")[1]["series"]
        earlier = {p["ts"]: p for p in first}
        whole = [p["ts"] for p in second[1:] if p["ts"] in earlier and p["ts"] != first[-1]["ts"]]
        self.assertEqual(22, len(whole))
        self.assertTrue(all(earlier[p["ts"]] == p for p in second if p["ts"] in whole))
        self.assertLess(earlier[first[-1]["ts"]]["policyTokensIn"], second[-2]["policyTokensIn"])
        self.assertEqual(second[-2]["ts"], first[-1]["ts"])


if __name__ == "__main__":
    unittest.main()
