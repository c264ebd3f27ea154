"""No secret gets out, and no name or text from the source does anything but be shown."""

import csv
import io
import os
import pty
import random
import select
import signal
import subprocess
import time
from pathlib import Path

import rows
from fake_api import DAY, MINUTE, Behaviour
from tool import TOKEN
from trust import TrustScenario

SQL = ["'; DROP TABLE alerts; --", "x' OR '1'='1", '"; DELETE FROM alerts; --', "$1", "?", "%s", "\\'", "a/../../b", "C:\\x", "*"]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", " =1"]
ESCAPES = ["\x1b[2Jgone", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\u202egnp.exe", "\x08\x08\x08", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"]


class Secrets(TrustScenario):
    def holders(self, tool):
        return [str(p) for p in tool.data.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]

    def source_of_token(self, tool, api, kind):
        """Configure one of the three ways to find the token."""
        secret = tool.folder / "secret"
        secret.write_text(TOKEN + "\n")
        secret.chmod(0o600)
        tool.configure(api.url, {"alerts": self.stream()})
        if kind == "token_env":
            return
        tool.env = {k: v for k, v in tool.env.items() if k != "FLASHBACK_TOKEN"}
        value = {"token_file": str(secret), "token_command": f"cat {secret}"}[kind]
        tool.config.write_text(tool.config.read_text().replace('token_env: "FLASHBACK_TOKEN"', f'{kind}: "{value}"'))

    def test_secrets_the_token_shows_nowhere(self):
        def echo(request, answer):  # a server that says the token back, as some do
            if answer.status >= 400:
                answer.body = b'{"success":false,"message":"bad token Bearer %s"}' % TOKEN.encode()

        for kind in ("token_env", "token_file", "token_command"):
            with self.subTest(kind):
                api, tool = self.serve(Behaviour(wire=echo), alerts=rows.many("alerts", 400, self.now - MINUTE, 19 * DAY))
                self.source_of_token(tool, api, kind)
                seen = []
                api.behaviour.before_answer = lambda *_: seen.append(Path(f"/proc/{running[0].pid}/cmdline").read_bytes())
                running = [tool.start("sync", "--json", "--log-level", "trace")]
                outputs = [tool.finish(running[0], "sync", "--json")]
                self.assert_run(outputs[0])
                self.assertTrue(seen)
                self.assertNotIn(TOKEN.encode(), b"".join(seen))
                api.behaviour.before_answer = None
                self.by_hand(self.warehouse(tool), "DELETE FROM alerts WHERE id = 'alert-7'")
                for args in (("verify", "--json"), ("repair", "--json"), ("status",), ("check",), ("query", "SELEC x"), ("query", "SELECT getenv('FLASHBACK_TOKEN')")):
                    outputs.append(tool.run(*args, "--log-level", "trace"))
                right, api.token = api.token, "another"
                outputs += [tool.run(command, "--log-level", "trace") for command in ("sync", "verify", "repair", "check")]
                api.token = right
                api.behaviour.wire = lambda _, answer: setattr(answer, "delay", 3)
                crashed = tool.start("sync", "--json", "--log-level", "trace")
                time.sleep(1)
                crashed.send_signal(signal.SIGQUIT)  # Go prints every stack
                outputs.append(tool.finish(crashed, "sync", "--json"))
                for run in outputs:
                    self.assertNotIn(TOKEN, run.out + run.err, run.args)
                self.assertEqual([], self.holders(tool))

    def test_hostile_ids_are_only_text(self):
        alerts = [rows.plain("alerts", n, self.now - n * MINUTE, random.Random(n), id=text, repoId=text, policyId=text, policyName=text)
                  for n, text in enumerate(SQL + FORMULAS + ESCAPES, 1)]
        api, tool = self.copied(300, alerts=alerts)
        self.assert_equal_to_source(tool, api)
        self.assert_run(tool.run("verify", "--full"))

    def test_hostile_policies_stay_in_their_path_segment(self):
        names = ["../../x", "%2e%2e", "..", "a/b?c#d", "policy-1", "x y", "..%2f..%2fadmin"]
        alerts = [rows.plain("alerts", f"{i}-{n}", self.now - n * MINUTE, random.Random(n), policyId=name) for i, name in enumerate(names) for n in range(1, 5)]
        api, tool = self.serve(alerts=alerts)
        tool.configure(api.url, {"alerts": self.stream(policies=names)})
        run = tool.sync()
        self.assertEqual([], api.breaches)
        self.assertLessEqual({r.policy for r in api.requests}, set(names))
        if run.code == 2:  # refused before anything was asked
            self.assertEqual([], api.requests)
            tool.configure(api.url, {"alerts": self.stream(policies=[n for n in names if n != ".."])})
            run = tool.sync()
            self.assert_run(run)
        self.assert_run(run)
        asked = {r.policy for r in api.requests}
        self.assertEqual({r.id for r in api.rows("alerts") if r.json["policyId"] in asked}, {r["id"] for r in tool.table("alerts")})
        self.assertEqual({"flashback.duckdb", "lake", "state"}, {p.name for p in tool.data.iterdir()})

    def test_hostile_cells_do_nothing_in_a_spreadsheet(self):
        alerts = [rows.plain("alerts", n, self.now - n * MINUTE, random.Random(n), message=text) for n, text in enumerate(FORMULAS, 1)]
        api, tool = self.copied(alerts=alerts)
        run = tool.run("query", "--format", "csv", "SELECT message FROM alerts ORDER BY timestamp DESC")
        self.assert_run(run)
        cells = [row[0] for row in csv.reader(io.StringIO(run.out, newline=""))][1:]
        self.assertEqual(len(FORMULAS), len(cells))
        self.assertEqual([], [c for c in cells if c[:1] in tuple("=+-@\t\r")], "a spreadsheet would calculate these")
        numbers = tool.run("query", "--format", "csv", "SELECT -1 AS n, -1.5 AS x, '-1' AS t")
        self.assertIn("-1,-1.5,", numbers.out, "a number needs no defusing")

    def test_hostile_text_does_nothing_to_a_terminal(self):
        alerts = [rows.plain("alerts", n, self.now - n * MINUTE, random.Random(n), message=text, policyName=text) for n, text in enumerate(ESCAPES, 1)]
        api, tool = self.copied(alerts=alerts)
        shown = on_a_terminal(tool.command("query", "SELECT message, policy_name FROM alerts"), tool)
        self.assert_tame(shown)

    def assert_tame(self, shown):
        for text in ("\x1b[2J", "\x1b]0;", "\x9b", "\u202e", "\x08", "\x1b]8", "a\rb"):
            self.assertNotIn(text, shown)

    def test_hostile_names_of_columns_do_nothing(self):
        """PIVOT makes columns of what the source sent."""
        alerts = [rows.plain("alerts", n, self.now - n * MINUTE, random.Random(n), policyName=text) for n, text in enumerate(ESCAPES + FORMULAS, 1)]
        _, tool = self.copied(alerts=alerts)
        pivot = "FROM (PIVOT alerts ON policy_name USING count(*) GROUP BY llm_type)"
        self.assert_tame(on_a_terminal(tool.command("query", pivot), tool))
        run = tool.run("query", "--format", "csv", pivot)
        names = next(csv.reader(io.StringIO(run.out, newline="")))
        self.assertEqual([], [n for n in names if n[:1] in tuple("=+-@\t\r")], "a spreadsheet would calculate these")

    def test_hostile_messages_of_the_server_do_nothing_to_a_terminal(self):
        body = b'{"success":false,"message":"\\u001b[2Jgone\\u001b]0;x\\u0007"}'
        api, tool = self.serve(Behaviour(broken={"alerts": (400, "application/json", body)}), alerts=[])
        for command in ("sync", "check"):
            shown = on_a_terminal(tool.command(command), tool)
            for text in ("\x1b[2J", "\x1b]0;", "\x07"):
                self.assertNotIn(text, shown)


def on_a_terminal(command, tool):
    """Run with a terminal for output; returns what it was sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=tool.env | {"TERM": "xterm"}, cwd=tool.folder)
    os.close(theirs)
    shown, ended = b"", time.monotonic() + 60
    while time.monotonic() < ended:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        elif process.poll() is not None:
            break
    process.wait(10)
    os.close(ours)
    return shown.decode(errors="replace")
