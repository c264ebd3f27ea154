"""HTTP proxies in front of storage and catalog that count requests, and kill the client at one of them."""

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """Counts the requests of one process. At its kill_at-th request that writes the process is killed: before the request is
    passed on, or after that, so that its answer is lost. Between two of them nothing changes that others see."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset(None)

    def reset(self, kill_at, before=True):
        with self.lock:
            self.victim, self.requests, self.kill_at, self.before = None, [], kill_at, before

    def enter(self, request):
        """Whether the request is the last one."""
        with self.lock:
            self.requests.append(request)
            writes = [r for r in self.requests if r["method"] not in ("GET", "HEAD")]
            return request in writes[-1:] and len(writes) == self.kill_at

    def counts(self, kind):
        """Requests to storage or catalog by method: how many, and the bytes that were sent and received."""
        totals = {}
        for r in self.requests:
            if r["kind"] == kind:
                n, sent, received = totals.get(r["method"], (0, 0, 0))
                totals[r["method"]] = (n + 1, sent + r["sent"], received + r["received"])
        return totals


@contextmanager
def proxy(gate, kind, port):
    """The address of a proxy to a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True  # the client is dead

        def pass_on(self):
            body = self.body()
            request = {"kind": kind, "method": self.command, "path": self.path, "sent": len(body), "received": 0}
            last = gate.enter(request)
            if last and gate.before:
                gate.victim.kill()
                self.close_connection = True
                return
            server = http.client.HTTPConnection("127.0.0.1", port)
            try:
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        server.putheader(name, value)  # Host, too: it is signed
                if body or self.command in ("PUT", "POST"):
                    server.putheader("Content-Length", str(len(body)))
                server.endheaders(body)
                answer = server.getresponse()
                content = answer.read()
            finally:
                server.close()
            request["received"] = len(content)
            if last:
                gate.victim.kill()
                self.close_connection = True
                return
            self.answer(answer, content)

        def body(self):
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)

        def answer(self, answer, content):
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
            if answer.status not in (204, 304) and length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
