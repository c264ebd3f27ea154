"""Runs `serve` and watches it from outside."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tool import Run, Tool


def wait_until(true, what, seconds=40):
    """Return the first true answer of true(), which may also raise until then."""
    deadline = time.monotonic() + seconds
    while True:
        problem = None
        try:
            if answer := true():
                return answer
        except (OSError, KeyError, ValueError) as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what} ({problem})")
        time.sleep(0.1)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Served:
    """`serve` with a schedule; `with Served(tool, schedule) as served:` starts it and stops it in the end."""

    def __init__(self, tool, schedule, listen=None, **sections):
        self.tool = tool
        self.url = f"http://127.0.0.1:{free_port()}"
        self.sections = {"serve": {"listen": listen or self.url.removeprefix("http://")}, **sections}
        self.schedule(schedule)
        self.log = tempfile.NamedTemporaryFile("r+", suffix=".log")
        self.process = None

    def schedule(self, schedule):
        """Write the schedule into the configuration."""
        base = self.tool.config.read_text().split("schedule:\n")[0]
        text = base + "schedule:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in schedule.items())
        for name, keys in self.sections.items():
            text += f"{name}:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in keys.items())
        self.tool.config.write_text(text)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()
        self.log.close()

    def start(self):
        self.process = subprocess.Popen(self.tool.command("serve", "--log-format", "json"), stdout=subprocess.DEVNULL, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env=self.tool.env, cwd=self.tool.folder, text=True)
        wait_until(lambda: self.process.poll() is not None or self.get("/healthz").startswith("ok"), "serve answers")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=40):
        """Its exit code."""
        self.send(number)
        code = self.process.wait(seconds)
        Tool.runs.append(Run(("serve",), code, "", self.logged()))
        return code

    def logged(self):
        return Path(self.log.name).read_text()

    def children(self):
        """Pids of the processes that serve started for runs (not those that read for the page)."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except (OSError, IndexError):
                continue
            if parent == self.process.pid and (b"sync" in words or b"verify" in words):
                found.append(int(folder.name))
        return found

    def kill_child(self):
        """Kill a run once; False if none runs."""
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    # --- what it says -----------------------------------------------------

    def ask(self, path, password=None, host=None):
        """(status, headers, text)"""
        request = urllib.request.Request(self.url + path)
        if password:
            request.add_header("Authorization", "Basic " + b64encode(f"flashback:{password}".encode()).decode())
        if host:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def get(self, path, **kwargs):
        status, _, text = self.ask(path, **kwargs)
        if status != 200:
            raise ValueError(f"GET {path}: {status} {text[:200]}")
        return text

    def status(self):
        return json.loads(self.get("/status.json"))

    def runs(self):
        """The newest first."""
        return self.status()["runs"] or []

    def metrics(self):
        """(name, sorted labels) -> value"""
        return {(sample.name, *sorted(sample.labels.items())): sample.value
                for family in text_string_to_metric_families(self.get("/metrics")) for sample in family.samples}


class Receiver:
    """An HTTP server that takes pings and webhooks."""

    def __init__(self):
        receiver = self
        self.received = []  # (method, path with query, body)
        self.lock = threading.Lock()
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                with receiver.lock:
                    receiver.received.append((self.command, self.path, body))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def paths(self, beginning):
        """Paths below the beginning, without query, in order."""
        with self.lock:
            return [path.split("?")[0].removeprefix(beginning) for _, path, _ in self.received if path.startswith(beginning)]

    def bodies(self, beginning):
        with self.lock:
            return [body for _, path, body in self.received if path.startswith(beginning)]
