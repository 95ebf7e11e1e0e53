"""A tiny HTTP proxy: forwards plain requests and tunnels CONNECT, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit


class TinyProxy:
    """On 127.0.0.1, in threads. `requests` holds (first line, headers) of what came in."""

    def __init__(self, *, authorization: str = "") -> None:
        """
        Args:
            authorization: What `Proxy-Authorization` must be; else the answer is 407.
        """
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._authorization = authorization

    def __enter__(self) -> TinyProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # close() alone leaves a blocked accept() listening
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head, _, rest = _read_head(client).partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.requests.append((first, headers))
            if self._authorization and headers.get("proxy-authorization") != self._authorization:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            method, target, _ = first.split(" ")
            if method == "CONNECT":
                host, _, port = target.partition(":")
            else:
                url = urlsplit(target)
                host, port = str(url.hostname), str(url.port)
            with socket.create_connection((host, int(port))) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    server.sendall(
                        head.replace(target.encode(), urlsplit(target).path.encode(), 1) + b"\r\n\r\n" + rest
                    )
                _pipe(client, server)


def _read_head(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(65536)
        if not chunk:
            raise OSError("gone")
        data += chunk
    return data


def _pipe(one: socket.socket, other: socket.socket) -> None:
    while True:
        readable, _, _ = select.select([one, other], [], [], 10)
        if not readable:
            return
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
