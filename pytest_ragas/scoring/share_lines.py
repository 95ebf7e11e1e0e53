"""The wire between those who share a limit: a line of JSON for each message, over a loopback socket."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from socket import socket as Socket  # as it is now: plugins replace `socket.socket` while tests run
from typing import Any

HOST = "127.0.0.1"
_LONGEST = 4_096
"""Bytes of a line: messages are a few numbers."""


class BrokenLineError(Exception):
    """The other side is gone, or does not speak our language."""


class Line:
    """One connection. Reading and writing belong to one thread each."""

    def __init__(self, connection: Socket) -> None:
        # a message that waits until the one before it is acknowledged comes 40 ms late
        with contextlib.suppress(OSError):  # closed already
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.connection = connection
        self._read = b""

    def send(self, **message: Any) -> None:
        """Send a message.

        Raises:
            BrokenLineError: The other side is gone, or does not read.
        """
        try:
            self.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise BrokenLineError(str(error)) from None

    def receive(self) -> Iterator[dict[str, Any]]:
        """The messages that one read brings; none after a time-out of the socket.

        Raises:
            BrokenLineError: The other side has closed, or does not speak our language.
        """
        try:
            read = self.connection.recv(_LONGEST)
        except (TimeoutError, BlockingIOError):
            return
        except OSError as error:
            raise BrokenLineError(str(error)) from None
        if not read:
            raise BrokenLineError("closed")
        *lines, self._read = (self._read + read).split(b"\n")
        if len(self._read) > _LONGEST:
            raise BrokenLineError("too long a line")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                raise BrokenLineError("no JSON") from None
            if not isinstance(message, dict):
                raise BrokenLineError("no message")
            yield message

    def close(self) -> None:
        """Let go of it."""
        self.connection.close()


def connect(port: int, *, timeout: float) -> Line:
    """Connect to a server on this machine.

    Args:
        port: Where it listens.
        timeout: Seconds.

    Raises:
        BrokenLineError: It cannot be reached.
    """
    connection = Socket(AF_INET, SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect((HOST, port))
    except OSError as error:
        connection.close()
        raise BrokenLineError(str(error)) from None
    return Line(connection)
