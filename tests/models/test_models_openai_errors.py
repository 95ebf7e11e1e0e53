"""What becomes of a server's errors: worth another try or not, the mend, and never the key."""

from __future__ import annotations

import asyncio
import email.utils
import json
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import (
    ConfigurationError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.models.openai_errors import retry_after
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Message, Usage

KEY = "sk-proj-AbCdEf0123456789_very/secret+key=="
SCHEMA = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
}
MESSAGES = (Message(role="user", content=json.dumps({"text": "It is blue."})),)


def settings_of(server: OpenAIServer, **changes: Any) -> ModelSettings:
    defaults = {"model_name": "judge", "api_base": server.url, "api_key": Secret(KEY, "env:JUDGE_KEY")}
    return ModelSettings(**{**defaults, **changes})


def failure_of(settings: ModelSettings) -> ModelError:
    async def main() -> ModelError:
        chat = OpenAIChat(settings)
        try:
            with pytest.raises(ModelError) as caught:
                await chat.ask(MESSAGES, SCHEMA)
            return caught.value
        finally:
            await chat.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_transient(openai_server: OpenAIServer, status: int) -> None:
    openai_server.fault("status", status=status, message="slow down", headers={"Retry-After": "7"})
    error = failure_of(settings_of(openai_server))
    assert type(error) is TransientModelError
    assert (error.status, error.retry_after) == (status, 7.0)
    assert f"{openai_server.url} answered {status}" in str(error)
    assert "slow down" in str(error)
    assert len(openai_server.chats) == 1
    assert error.usage == Usage(calls=1)


@pytest.mark.parametrize(
    ("status", "message", "code", "mend"),
    [
        (400, "bad thing", None, "bad thing."),
        (401, "Incorrect API key provided.", "invalid_api_key", "Is the key from env:JUDGE_KEY right for this server?"),
        (
            403,
            "no access",
            None,
            "the key from env:JUDGE_KEY right for this server and allowed to use the model 'judge'?",
        ),
        (404, "The model `judge` does not exist", "model_not_found", "Is the model name 'judge' right?"),
        (404, "model 'judge' not found, try pulling it first", None, "Is the model name 'judge' right?"),
        (404, "", "DeploymentNotFound", "Is the model name 'judge' right?"),
        (404, "Not Found", None, "Is api_base right?"),
        (405, "Method Not Allowed", None, "most servers want it to end in /v1"),
        (400, "This model's maximum context length is 8192 tokens.", None, "retrieve fewer or shorter contexts"),
        (400, "x", "context_length_exceeded", "retrieve fewer or shorter contexts"),
        (400, "the request exceeds the available context size, try increasing it", None, "fewer or shorter contexts"),
        (413, "Payload Too Large", None, "retrieve fewer or shorter contexts"),
        (400, "filtered", "content_filter", "content filter refuses a text of this sample"),
        (422, "seed must be positive", None, "seed must be positive."),
        (429, "You exceeded your current quota", "insufficient_quota", "quota is used up: see its billing page"),
        (451, "not in your country", None, "451 Unavailable For Legal Reasons"),
        (307, "", None, "Write the address that it redirects to into api_base."),
    ],
)
def test_what_will_not_pass_is_rejected_with_the_mend(
    openai_server: OpenAIServer, status: int, message: str, code: str | None, mend: str
) -> None:
    openai_server.fault(
        "status", status=status, message=message, code=code, headers={"Location": "https://x.example/v1"}
    )
    error = failure_of(settings_of(openai_server))
    assert type(error) is RejectedRequestError
    assert error.status == status
    assert mend in str(error)
    assert ".." not in str(error)
    assert len(openai_server.chats) == 1


def test_a_missing_key_is_named(openai_server: OpenAIServer) -> None:
    openai_server.api_key = KEY
    error = failure_of(settings_of(openai_server, api_key=None))
    assert type(error) is RejectedRequestError
    assert 'No api_key is configured; set for example api_key = "env:OPENAI_API_KEY".' in str(error)
    assert "authorization" not in openai_server.chats[0].headers


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error": "model not loaded"}', "model not loaded"),
        (b'{"error": {"message": "nested"}}', "nested"),
        (b'{"object": "error", "message": "vllm says", "code": 400}', "vllm says"),
        (b'{"detail": "fastapi says"}', "fastapi says"),
        (b'{"detail": [{"loc": ["body", "seed"], "msg": "not an int"}, "odd"]}', "body.seed: not an int; odd"),
        (b'[{"error": {"message": "gemini says", "status": "INVALID"}}]', "gemini says"),
        (b"plain text", "plain text"),
        (b"", "nothing"),
        (b"\xff\xfe\x00", "400 Bad Request"),
        (b"<html><head><title>Bad\n Gateway</title><body>long</body></html>", "Bad Gateway (a web page: a proxy"),
        (b"<p>something <b>broke</b></p>", "something broke"),
        (b'{"error": {"message": 17}}', "17"),
    ],
)
def test_an_error_is_read_in_every_wrapping(openai_server: OpenAIServer, body: bytes, says: str) -> None:
    openai_server.fault("body", status=400, body=body)
    error = failure_of(settings_of(openai_server))
    assert type(error) is RejectedRequestError
    assert says in str(error)


def test_a_long_error_is_cut(openai_server: OpenAIServer) -> None:
    openai_server.fault("status", status=503, message="x" * 100_000)
    assert len(str(failure_of(settings_of(openai_server)))) < 800


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (
            b"<!DOCTYPE html><title>Log in</title>",
            RejectedRequestError,
            "a web page that is no answer of the OpenAI API",
        ),
        (b'"ok"', RejectedRequestError, "Is api_base right"),
        (b"[]", RejectedRequestError, "Is api_base right"),
        (b'{"choices": [', TransientModelError, "which is no JSON"),
        (b"", TransientModelError, "answered 'nothing', which is no JSON"),
    ],
)
def test_a_good_status_with_a_bad_body(
    openai_server: OpenAIServer, body: bytes, kind: type[ModelError], says: str
) -> None:
    openai_server.fault("body", status=200, body=body)
    error = failure_of(settings_of(openai_server))
    assert type(error) is kind
    assert says in str(error)


def test_an_error_inside_a_good_status_counts(openai_server: OpenAIServer) -> None:
    openai_server.fault("embedded_error", status=429, message="upstream is busy", times=1)
    openai_server.fault("embedded_error", status=0, message="upstream is odd")
    busy, odd = failure_of(settings_of(openai_server)), failure_of(settings_of(openai_server))
    assert (type(busy), type(odd)) == (TransientModelError, RejectedRequestError)
    assert "upstream is busy" in str(busy)


def test_a_generation_that_failed_is_a_matter_of_structure(openai_server: OpenAIServer) -> None:
    inner = {"message": "Failed to generate JSON.", "code": "json_validate_failed", "failed_generation": '{"a": '}
    openai_server.fault("body", status=400, body=json.dumps({"error": inner}).encode())
    error = failure_of(settings_of(openai_server, structure="json_object"))
    assert type(error) is StructureError
    assert error.raw == '{"a": '


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:16:50 GMT"}, 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 99 Foo 1970 00:00:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=1000.0) == seconds


def test_retry_after_as_a_date_counts_from_now(openai_server: OpenAIServer) -> None:
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    openai_server.fault("status", status=429, headers={"Retry-After": date})
    error = failure_of(settings_of(openai_server))
    assert isinstance(error, TransientModelError)
    assert error.retry_after is not None
    assert 50 < error.retry_after <= 60


def test_a_dropped_connection_is_transient(openai_server: OpenAIServer) -> None:
    openai_server.fault("drop")
    error = failure_of(settings_of(openai_server))
    assert type(error) is TransientModelError
    assert f"The connection to {openai_server.url} broke" in str(error)


def test_a_server_that_says_nothing_is_given_up(openai_server: OpenAIServer) -> None:
    openai_server.fault("hang")
    error = failure_of(settings_of(openai_server, timeout=0.2))
    assert type(error) is TransientModelError
    assert str(error) == (
        f"{openai_server.url} gave no answer within 0.2 s. If it needs longer, raise the model's timeout."
    )


def test_nobody_listens(openai_server: OpenAIServer, unused_port: int) -> None:
    error = failure_of(settings_of(openai_server, api_base=f"http://127.0.0.1:{unused_port}/v1"))
    assert type(error) is TransientModelError
    assert "Is the server running, is api_base right?" in str(error)


def test_a_host_that_does_not_exist_is_not_asked_again(openai_server: OpenAIServer) -> None:
    error = failure_of(settings_of(openai_server, api_base="http://no-such-host.invalid/v1"))
    # some resolvers say "try again" where there is none
    assert type(error) in (RejectedRequestError, TransientModelError)
    assert "http://no-such-host.invalid/v1" in str(error)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def everything_shown(error: BaseException) -> str:
    """What the most talkative traceback prints: every frame with its locals, every cause and context."""
    parts: list[str] = []
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None:
            continue
        told = traceback.TracebackException.from_exception(current, capture_locals=True)
        # not the frames of this file, which hold what it looks for
        parts += [f"{frame.filename} {frame.line} {frame.locals}" for frame in told.stack if frame.filename != __file__]
        parts += [str(current), repr(current), repr(vars(current))]
        todo += [current.__cause__, current.__context__]
    return "".join(parts)


BREAKS: dict[str, Callable[[OpenAIServer], object]] = {
    "401 that quotes the key": lambda server: server.fault("status", status=401, message=f"Incorrect API key: {KEY}"),
    "500 that quotes the header": lambda server: server.fault(
        "status", message=f"headers: Authorization: Bearer {KEY}"
    ),
    "key across the cut": lambda server: server.fault("status", message="x" * 580 + KEY),
    "code that quotes the key": lambda server: server.fault("status", status=400, code=KEY, message=""),
    "HTML that quotes the key": lambda server: server.fault("body", body=f"<title>{KEY}</title>".encode()),
    "text that quotes the key": lambda server: server.fault("body", status=200, body=f"oh {KEY}".encode()),
    "URL-quoted": lambda server: server.fault(
        "status", message="?key=sk-proj-AbCdEf0123456789_very%2Fsecret%2Bkey%3D%3D"
    ),
    "another key": lambda server: server.fault("status", message="used sk-other-000011112222 instead"),
    "drop": lambda server: server.fault("drop"),
    "hang": lambda server: server.fault("hang"),
    "malformed": lambda server: server.fault("not_json"),
    "redirect": lambda server: server.fault("status", status=302, headers={"Location": f"http://x/?{KEY}"}),
}


@pytest.mark.parametrize("broken", BREAKS)
@pytest.mark.parametrize("azure", [False, True])
def test_the_key_is_in_no_exception_and_in_no_local_of_a_traceback(
    openai_server: OpenAIServer, broken: str, azure: bool
) -> None:
    BREAKS[broken](openai_server)
    base = {"api_base": f"{openai_server.origin}/openai/v1", "api_version": "preview"} if azure else {}
    error = failure_of(settings_of(openai_server, timeout=0.3, **base))
    sent = openai_server.chats[0].headers
    assert sent.get("api-key") == KEY if azure else sent["authorization"] == f"Bearer {KEY}"
    shown = everything_shown(error)
    assert KEY not in shown
    assert "secret%2Bkey" not in shown
    assert "sk-proj" not in shown
    assert "sk-other" not in shown


def test_the_key_is_in_no_local_of_a_cancelled_request(openai_server: OpenAIServer) -> None:
    openai_server.fault("hang")

    async def main() -> BaseException:
        chat = OpenAIChat(settings_of(openai_server, headers={"X-Token": "token-in-a-header"}))
        task = asyncio.create_task(chat.ask(MESSAGES, SCHEMA))
        while not openai_server.chats:
            await asyncio.sleep(0.01)
        task.cancel()
        try:
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            return caught.value
        finally:
            await chat.aclose()

    shown = everything_shown(asyncio.run(main()))
    assert "aiohttp" in shown  # its frames are there: a cancellation goes through
    assert KEY not in shown
    assert "token-in-a-header" not in shown


def test_the_key_is_in_no_repr(openai_server: OpenAIServer) -> None:
    chat = OpenAIChat(settings_of(openai_server, headers={"X-Token": Secret("token-in-a-header")}))
    shown = "".join(repr(part) for part in (chat, chat.identity, vars(chat), chat._endpoint, chat._endpoint.headers))
    assert KEY not in shown
    assert "token-in-a-header" not in shown


@pytest.mark.parametrize("key", ["with a space", "line\nbreak", "schlüssel", "\u200bsk-1", "   "])
def test_a_key_that_no_header_can_carry_is_named_by_its_origin(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OpenAIChat(ModelSettings(model_name="judge", api_key=Secret(key, "env:JUDGE_KEY")))
    assert "The API key from env:JUDGE_KEY is blank or holds a character" in str(caught.value)
    assert key.strip() not in everything_shown(caught.value) or not key.strip()


def test_a_line_break_at_the_end_of_a_key_is_taken_off(openai_server: OpenAIServer) -> None:
    openai_server.api_key = KEY

    async def main() -> None:
        embeddings = OpenAIEmbeddings(settings_of(openai_server, api_key=Secret(f"{KEY}\n")))
        assert len(await embeddings.embed(["a"])) == 1
        await embeddings.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    "headers", [{"X Y": "1"}, {"": "1"}, {"X-Y": "a\r\nHost: evil"}, {"X-Y": Secret("a\nb-secret")}]
)
def test_a_header_that_cannot_be_sent_is_a_configuration_error(headers: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be sent") as caught:
        OpenAIChat(ModelSettings(model_name="judge", headers=headers))
    assert "b-secret" not in everything_shown(caught.value)
