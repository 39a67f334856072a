"""Serving figures over HTTP to whoever scrapes them: one request after the other, read-only.

A request for anything but the figures gets nothing. There is neither encryption nor a password:
listen on this machine, or behind something that has them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from threading import Event, Timer
from typing import Final

from memtend.errors import ListenRefused, MemtendError

PATH: Final = "/metrics"
LOOK_S: Final = 0.25
REQUEST_S: Final = 10.0
"""A caller that has not sent its request by then, or not taken its answer for so long, is hung up
on, for the others wait meanwhile."""


def serve(
    address: str,
    render: Callable[[], bytes],
    content_type: str,
    ended: Event,
    ready: Callable[[str], object],
) -> None:
    """Answer scrapes on `HOST:PORT` until `ended`; `ready` is told the address that is listened on.

    Raises `ListenRefused`.
    """
    host, port = _parsed(address)

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_S
        server_version = "memtend"
        sys_version = ""

        def handle(self) -> None:
            """The timeout begins anew with every byte; one at a time would go on for ever."""
            self._late = Timer(REQUEST_S, self._hang_up)
            self._late.daemon = True
            self._late.start()
            try:
                super().handle()
            finally:
                self._late.cancel()

        def parse_request(self) -> bool:
            parsed = super().parse_request()
            self._late.cancel()
            return parsed

        def _hang_up(self) -> None:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != PATH:
                self._answer(404, f"the figures are at {PATH}\n".encode(), "text/plain")
                return
            try:
                text = render()
            except MemtendError as error:
                self._answer(503, f"{error}\n".encode(), "text/plain; charset=utf-8")
                return
            self._answer(200, text, content_type)

        do_HEAD = do_GET  # noqa: N815 — the same

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A scrape every few seconds is no news."""

    class Server(TCPServer):  # an HTTPServer would ask the DNS for its own name
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        allow_reuse_address = True
        timeout = LOOK_S

        def handle_error(self, request: object, client_address: object) -> None:
            """A caller that has hung up is its own matter."""

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        raise ListenRefused(address=address, why=error.strerror or str(error)) from error
    with server:
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{server.server_address[1]}{PATH}")
        while not ended.is_set():
            server.handle_request()


def _parsed(address: str) -> tuple[str, int]:
    """
    >>> _parsed("127.0.0.1:9464"), _parsed("[::1]:0")
    (('127.0.0.1', 9464), ('::1', 0))
    """
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ListenRefused(address=address, why="it is no HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)
