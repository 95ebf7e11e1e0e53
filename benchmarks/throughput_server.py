"""The critic of `suite_throughput.py`: an OpenAI-protocol server in a process of its own, which answers anybody.

Our own prompts are answered by the lexical critic of the test server. For other libraries every property of the
structure they ask for is filled with something plausible; ragas' older metrics write the structure into the prompt.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

OURS = "judge"
"""Name of the model that our suite asks; other libraries insist on names that they know."""


def anybodys_critic(request: dict[str, Any]) -> object:
    """The answer to one chat request."""
    from openai_server.lexical import lexical_critic

    if request["body"]["model"] == OURS:
        return lexical_critic(request)
    schema = request["schema"] or _schema_in(request["body"]["messages"])
    return _filled(schema, schema) if schema else "It is well supported."


def _schema_in(messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    for message in messages:
        _, marker, rest = str(message["content"]).partition("as specified in JSON Schema:\n")
        if marker:
            schema: dict[str, Any] = json.JSONDecoder().raw_decode(rest)[0]
            return schema
    return None


def _filled(schema: dict[str, Any], root: dict[str, Any], name: str = "") -> Any:
    if "$ref" in schema:
        return _filled(root["$defs"][schema["$ref"].rpartition("/")[2]], root, name)
    if "enum" in schema:
        return "yes" if "yes" in schema["enum"] else schema["enum"][-1]
    if "anyOf" in schema:
        return _filled(schema["anyOf"][0], root, name)
    kind = schema.get("type")
    if kind == "object":
        return {key: _filled(part, root, key) for key, part in schema.get("properties", {}).items()}
    if kind == "array":
        count = min(max(3, schema.get("minItems", 0)), schema.get("maxItems", 3))
        return [_filled(schema["items"], root, name) for _ in range(count)]
    if kind in ("integer", "number"):
        return 0 if name == "noncommittal" else 1
    return True if kind == "boolean" else f"The {name or 'answer'} follows from the first context."


@dataclass(frozen=True, kw_only=True)
class ServerStats:
    """What came in since the last `reset()`."""

    chats: int
    embeddings: int
    peak: int
    """Most requests in flight at once."""
    cpu: float
    """CPU seconds of the server's process."""
    first: float
    """When the first request came in, as `time.time()`; 0 without any."""
    last: float
    """When the last one came in."""

    @property
    def calls(self) -> int:
        return self.chats + self.embeddings


class ServerProcess:
    """The server, as a context manager."""

    def __init__(self, latency: float) -> None:
        """
        Args:
            latency: Seconds that every answer takes.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there, latency), daemon=True)
        self._process.start()
        there.close()
        self.url: str = self._pipe.recv()

    def reset(self) -> None:
        """Count from zero."""
        self._pipe.send("reset")
        self._pipe.recv()

    def stats(self) -> ServerStats:
        """Since then."""
        self._pipe.send("stats")
        stats: ServerStats = self._pipe.recv()
        return stats

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(10)


def _serve(pipe: Connection, latency: float) -> None:
    from openai_server.server import OpenAIServer

    with OpenAIServer(brain=anybodys_critic, latency=latency) as server:
        pipe.send(server.url)
        began = time.process_time()
        try:
            while True:
                if pipe.recv() == "reset":
                    server.reset()
                    began = time.process_time()
                    pipe.send(None)
                else:
                    stats = ServerStats(
                        chats=len(server.chats),
                        embeddings=len(server.embeddings),
                        peak=server.peak,
                        cpu=time.process_time() - began,
                        first=server.requests[0].at if server.requests else 0.0,
                        last=server.requests[-1].at if server.requests else 0.0,
                    )
                    pipe.send(stats)
        except EOFError:
            pass
