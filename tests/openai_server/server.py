"""`OpenAIServer`: chat completions and embeddings over HTTP, on 127.0.0.1, in a thread of its own."""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from openai_server.faults import SPOILED, Fault
from openai_server.lexical import Brain, bag_of_words, lexical_critic
from pytest_ragas.models.openai_wire import ASK_FOR_JSON

MODES = ("json_schema", "json_object", "tools", "text")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One request that came in."""

    route: str
    """"chat" or "embeddings"."""
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: dict[str, Any]
    at: float = field(default_factory=time.time)
    """When it came in, as `time.time()`."""

    @property
    def mode(self) -> str:
        """In which of `MODES` a structure was asked for."""
        if "tools" in self.body:
            return "tools"
        return str(self.body.get("response_format", {}).get("type", "text"))


@dataclass
class OpenAIServer:
    """Configure it by its attributes, before or while it runs; look at `requests` and `peak` afterwards.

    The brain gets `{"title", "schema", "data", "messages", "body"}` of a chat request and returns the JSON value of the
    answer (or a str: the text as it is; or an awaitable of either).
    """

    brain: Brain = lexical_critic
    embed: Callable[[str], Sequence[float]] = bag_of_words
    latency: float = 0.0
    """Seconds that every answer takes."""
    modes: set[str] = field(default_factory=lambda: set(MODES))
    """Structure modes that it takes; the others are refused with `refusal_status`."""
    ignores: set[str] = field(default_factory=set)
    """Structure modes that it takes and does nothing about: the model, who saw no schema, answers in prose."""
    refusal_status: int = 400
    refuses: dict[str, str] = field(default_factory=dict)
    """Names of body fields that are answered with 400, and the message."""
    api_key: str = ""
    """What must come as `Authorization: Bearer` or `api-key`; empty: anything goes."""
    refuse: Callable[[dict[str, Any]], str] = lambda body: ""
    """A message for bodies that are answered with 400; empty for the others."""
    complete: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda body, completion: completion
    """Has the last word on a chat completion: its usage, where it ends."""
    max_batch: int = 0
    """Most texts in one embeddings request; 0: any number."""
    shuffled: bool = False
    """Embeddings come back in another order, with their `index`."""
    plain_vectors: bool = False
    """`encoding_format` is ignored: embeddings come as numbers."""
    ssl_context: ssl.SSLContext | None = None
    faults: list[Fault] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    peak: int = 0
    """Most requests in flight at once."""
    in_flight: int = 0
    port: int = 0

    @property
    def origin(self) -> str:
        return f"{'https' if self.ssl_context else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What goes into `api_base`."""
        return f"{self.origin}/v1"

    @property
    def chats(self) -> list[Recorded]:
        return [request for request in self.requests if request.route == "chat"]

    @property
    def embeddings(self) -> list[Recorded]:
        return [request for request in self.requests if request.route == "embeddings"]

    def fault(self, kind: str, **details: Any) -> Fault:
        """Inject a fault from now on."""
        fault = Fault(kind=kind, **details)
        self.faults.append(fault)
        return fault

    def reset(self) -> None:
        """Forget requests and faults."""
        self.requests.clear()
        self.faults.clear()
        self.peak = 0

    def __enter__(self) -> OpenAIServer:
        started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(started,), name="openai-server", daemon=True)
        self._thread.start()
        started.wait(30)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self, started: threading.Event) -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            self._failure = error
            started.set()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.ssl_context, backlog=1024)
        await site.start()
        server = site._server
        assert isinstance(server, asyncio.Server)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        route = {"completions": "chat", "embeddings": "embeddings"}.get(request.path.rpartition("/")[2], "")
        if request.method != "POST" or not route or not request.path.startswith(("/v1/", "/openai/", "/models/")):
            return _error(404, f"Invalid URL ({request.method} {request.path})")
        body = json.loads(await request.read())
        for message in body.get("messages", ()):
            if isinstance(message["content"], list):  # other clients send parts
                message["content"] = "".join(part.get("text", "") for part in message["content"])
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(
            Recorded(route=route, path=request.path, query=dict(request.query), headers=headers, body=body)
        )
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._answer(route, headers, body, request)
        finally:
            self.in_flight -= 1

    async def _answer(
        self, route: str, headers: dict[str, str], body: dict[str, Any], request: web.Request
    ) -> web.StreamResponse:
        struck = [fault for fault in self.faults if fault.strikes(route, body)][:1]
        for fault in struck:
            if fault.kind == "hang":
                await self._stop.wait()
            if fault.kind in ("drop", "hang"):
                if request.transport is not None:  # the client has not given up meanwhile
                    request.transport.abort()
                return web.Response()
            if fault.kind == "status":
                return _error(fault.status, fault.message, code=fault.code, headers=dict(fault.headers))
            if fault.kind == "embedded_error":
                return web.json_response({"error": {"message": fault.message, "code": fault.status}})
            if fault.kind == "body":
                return web.Response(
                    status=fault.status, body=fault.body, content_type=fault.content_type, headers=dict(fault.headers)
                )
        sent = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("api-key", "")
        if self.api_key and sent != self.api_key:
            return _error(401, f"Incorrect API key provided: {sent}.", code="invalid_api_key")
        for name, message in self.refuses.items():
            if name in body:
                return _error(400, message, param=name)
        if message := self.refuse(body):
            return _error(400, message)
        if route == "embeddings":
            return self._embeddings(body)
        return await self._chat(body, struck[0].kind if struck else "")

    def _embeddings(self, body: dict[str, Any]) -> web.Response:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if self.max_batch and len(texts) > self.max_batch:
            return _error(400, f"batch size is invalid, it should not be larger than {self.max_batch}.")
        if not all(isinstance(text, str) and text for text in texts):
            return _error(400, "'$.input' is invalid: texts wanted.")
        entries = []
        for index, text in enumerate(texts):
            vector: Any = list(self.embed(text))[: body.get("dimensions")]
            if body.get("encoding_format") == "base64" and not self.plain_vectors:
                vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
            entries.append({"object": "embedding", "index": index, "embedding": vector})
        tokens = sum(len(text.split()) for text in texts)
        return web.json_response(
            {
                "object": "list",
                "model": body["model"],
                "data": entries[::-1] if self.shuffled else entries,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    async def _chat(self, body: dict[str, Any], spoiled: str) -> web.Response:
        mode = Recorded(route="chat", path="", query={}, headers={}, body=body).mode
        if mode not in self.modes:
            field_name = "tools" if mode == "tools" else "response_format"
            return _error(
                self.refusal_status,
                f"'{field_name}' of type '{mode}' is not supported by this model.",
                param=field_name,
            )
        if mode in self.ignores:
            text: str | None = "Well, most of what is said there can be found in the contexts."
        else:
            value = self.brain(read_request(body))
            value = await value if inspect.isawaitable(value) else value
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if spoiled in SPOILED:
            text = SPOILED[spoiled](text or "")
        completion = _completion(body, mode, text, spoiled, prose=mode in self.ignores)
        return web.json_response(self.complete(body, completion))


def read_request(body: dict[str, Any]) -> dict[str, Any]:
    """What a chat request asks: the schema wherever the mode puts it, and the JSON object that is the data."""
    schema: Any = None
    if "tools" in body:
        schema = body["tools"][0]["function"]["parameters"]
    elif "json_schema" in body.get("response_format", {}):
        schema = body["response_format"]["json_schema"]["schema"]
    data: Any = None
    for message in body["messages"]:
        said, marker, rest = message["content"].partition(ASK_FOR_JSON)
        if marker:
            schema, end = json.JSONDecoder().raw_decode(rest)
            said = said if message["role"] == "user" and _data(said.strip()) else rest[end:]
        if message["role"] == "user" and data is None:
            data = _data(said.strip())
    title = schema.get("title", "") if isinstance(schema, dict) else ""
    return {"title": title, "schema": schema, "data": data, "messages": body["messages"], "body": body}


def _data(text: str) -> Any:
    """The JSON object that a message is, or ends with."""
    starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]
    for start in starts:
        if text.startswith("{", start):
            try:
                return json.loads(text[start:])
            except ValueError:
                continue
    return None


def _completion(body: dict[str, Any], mode: str, text: str | None, spoiled: str, *, prose: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if mode == "tools" and not prose:
        name = body["tools"][0]["function"]["name"]
        call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": text}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    if spoiled == "refusal":
        message = {"role": "assistant", "content": None, "refusal": "I cannot judge this."}
    finish = {"length": "length", "content_filter": "content_filter"}.get(spoiled, "stop")
    prompt = sum(len(turn["content"].split()) for turn in body["messages"])
    written = len((text or "").split())
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {"index": index, "message": message, "finish_reason": finish} for index in range(body.get("n") or 1)
        ],
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
    }


def _error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return web.json_response(body, status=status, headers=headers)
