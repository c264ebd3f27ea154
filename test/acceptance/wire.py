"""The fake API's answers on their way to the client: whole, or spoilt as its behaviour says. Standard library only."""

import gzip
import socket
import struct
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Wire:
    """One answer, which a behaviour may spoil before it is sent."""

    status: int
    kind: str
    body: bytes
    head: dict = field(default_factory=dict)
    delay: float = 0.0  # seconds before the first byte
    reset: bool = False  # half of the body, then a reset
    cut: bool = False  # the body ends early, and the connection with it


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api):
        super().__init__(("127.0.0.1", 0), Handler)
        self.api = api

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with self.server.api.lock:
            self.server.api.connections += 1

    def do_GET(self):
        api, url = self.server.api, urlsplit(self.path)
        record, kind, body = api.answer(url.path, url.query, self.headers)
        answer = Wire(record.status, kind, body)
        behaviour = api.behaviour
        if behaviour.wire:
            with api.lock:
                behaviour.wire(record, answer)
            record.status = answer.status
        time.sleep(answer.delay)

        body = answer.body
        head = [f"HTTP/1.1 {answer.status} {self.responses[answer.status][0]}", f"Content-Type: {answer.kind}"]
        head += [f"{name}: {value}" for name, value in answer.head.items()]
        if behaviour.clock is not None:
            head.append(f"Date: {formatdate((api.now + behaviour.clock) / 1e6, usegmt=True)}")
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000:
            body = gzip.compress(body, compresslevel=1)
            head.append("Content-Encoding: gzip")
        head.append(f"Content-Length: {len(body)}")
        record.answered = time.monotonic()
        if answer.reset or answer.cut:
            body = body[:len(body) // 2]
            self.close_connection = True
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)
        if answer.reset:
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_):
        pass
