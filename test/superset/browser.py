"""Opens a page in headless chromium, by the DevTools protocol."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import time

import requests
import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser:
    """One page of a chromium that ends with the block."""

    def __init__(self, profile, width, height):
        self.profile = pathlib.Path(profile)
        self.size = {"width": width, "height": height}
        self.events = []
        self.last = 0

    def __enter__(self):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise SystemExit("chromium was not found")
        shutil.rmtree(self.profile, ignore_errors=True)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"]
        flags += [f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port()
        page = next(t for t in requests.get(f"http://127.0.0.1:{port}/json", timeout=10).json() if t["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60, suppress_origin=True)
        self.call("Emulation.setDeviceMetricsOverride", **self.size, deviceScaleFactor=1, mobile=False)
        return self

    def __exit__(self, *_):
        self.socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
        self.process.wait(60)
        self.socket.close()

    def _port(self):
        file = self.profile / "DevToolsActivePort"
        for _ in range(150):
            if file.exists() and file.read_text().strip():
                return file.read_text().split()[0]
            time.sleep(0.2)
        self.process.kill()
        raise SystemExit("chromium did not start")

    def call(self, method, **params):
        self.last += 1
        self.socket.send(json.dumps({"id": self.last, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def finished(self, part):
        """The requests whose address has this part and whose answer is complete: (body of request, status, answer)."""
        sent, status, done = {}, {}, []
        for event in self.events:
            params = event.get("params", {})
            if event["method"] == "Network.requestWillBeSent" and part in params["request"]["url"]:
                sent[params["requestId"]] = params["request"].get("postData")
            elif event["method"] == "Network.responseReceived":
                status[params["requestId"]] = params["response"]["status"]
            elif event["method"] == "Network.loadingFinished" and params["requestId"] in sent:
                done.append(params["requestId"])
        return [(sent[i], status[i], self.call("Network.getResponseBody", requestId=i)["body"]) for i in done]

    def screenshot(self, file):
        os.makedirs(os.path.dirname(os.path.abspath(file)), exist_ok=True)
        pathlib.Path(file).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
