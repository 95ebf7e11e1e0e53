"""What an exception of somebody's SDK means: the server's reply, a broken connection, or nothing that we know.

By what the exceptions hold and what their classes are called: this serves openai, anthropic, httpx, boto,
google and LangChain alike, and imports none of them.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Iterator, Mapping
from typing import TypeVar

from pytest_ragas.errors import ModelError, RejectedRequestError, StructureError, TransientModelError, cut
from pytest_ragas.models.endpoint import Endpoint
from pytest_ragas.models.transport import Reply

T = TypeVar("T")

_BROKEN = frozenset(
    {
        "APIConnectionError",  # openai, anthropic
        "ModelConnectionError",  # langchain-core
        "TransportError",  # httpx
        "ClientConnectionError",  # aiohttp
        "ConnectionError",  # requests
        "EndpointConnectionError",  # boto
    }
)
_TIMED_OUT = frozenset(
    {"APITimeoutError", "ModelTimeoutError", "TimeoutException", "Timeout", "ReadTimeoutError", "ConnectTimeoutError"}
)
_CUT_OFF = "LengthFinishReasonError"
_FILTERED = "ContentFilterFinishReasonError"


async def outcome(call: Awaitable[T], endpoint: Endpoint, *, timeout: float) -> T | Reply | ModelError:
    """What came of a call into an SDK: its result, or what its exception means (`read_error`).

    The error is returned, so that the caller can raise it where no frame of the SDK, which holds the key, hangs on it.

    Args:
        call: Awaited for at most `timeout` seconds, then cancelled.
        endpoint: Whom it asks.
        timeout: Seconds.
    """
    task = asyncio.ensure_future(call)
    task.add_done_callback(_heard)
    try:
        # not wait_for: what it raises looks like a time-out of the SDK's own
        await asyncio.wait({task}, timeout=timeout)
        if not task.done():
            return TransientModelError(
                f"{endpoint.shown} gave no answer within {timeout:g} s. If it needs longer, raise the model's timeout."
            )
        return task.result()
    except Exception as error:
        return read_error(error, endpoint)
    finally:
        task.cancel()


def _heard(task: asyncio.Future[T]) -> None:
    """Keep asyncio from reporting the exception of a call that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def read_error(error: Exception, endpoint: Endpoint) -> Reply | ModelError:
    """The reply that made an SDK raise, or the `ModelError` that its exception amounts to.

    Args:
        error: Whatever the SDK raised.
        endpoint: Whom it asked, and what must not be shown.

    Returns:
        A reply with a status of 300 or more; or an error to raise. Its `__cause__` is the exception, unless
        that would show a key.
    """
    for link in _chain(error):
        reply = _reply(link)
        if reply is not None:
            return reply
    meaning = next((found for link in _chain(error) if (found := _meaning(link, endpoint))), None)
    if meaning is not None:
        return meaning
    said = f"{type(error).__name__}: {error}"
    unknown = ModelError(f"{endpoint.shown} failed with {endpoint.scrub(cut(said))}")
    if all(endpoint.scrub(str(link)) == str(link) for link in _chain(error)):
        unknown.__cause__ = error
    return unknown


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that it came from: libraries wrap what tells the most."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < 8:
        yield link
        seen.add(id(link))
        link = link.__cause__ or link.__context__


def _reply(error: BaseException) -> Reply | None:
    """What the server answered, if the exception holds it."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # boto
        meta = response.get("ResponseMetadata")
        meta = meta if isinstance(meta, Mapping) else {}
        status, headers = meta.get("HTTPStatusCode"), meta.get("HTTPHeaders") or {}
    else:
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
        status = status or getattr(error, "code", None)
        headers = getattr(response, "headers", None) or {}
    if not isinstance(status, int) or not 300 <= status < 600:
        return None
    try:
        body = getattr(response, "content", b"")
    except Exception:  # a stream that nobody has read
        body = b""
    if not isinstance(body, bytes) or not body:
        body = json.dumps({"error": {"message": str(error)}}).encode("utf-8", "replace")
    return Reply(status=int(status), headers={str(k).lower(): str(v) for k, v in headers.items()}, body=body)


def _meaning(error: BaseException, endpoint: Endpoint) -> ModelError | None:
    names = {kind.__name__ for kind in type(error).__mro__}
    where = endpoint.shown
    if names & _TIMED_OUT or isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return TransientModelError(f"{where} gave no answer in time: {_said(error, endpoint)}")
    if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
        return RejectedRequestError(f"There is no host of the name in {where}: {_said(error, endpoint)}")
    if names & _BROKEN or isinstance(error, ConnectionError):
        reason = next((link for link in _chain(error) if isinstance(link, OSError)), error)
        if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME:
            return RejectedRequestError(f"There is no host of the name in {where}: {_said(reason, endpoint)}")
        return TransientModelError(f"No connection to {where}, or it broke: {_said(reason, endpoint)}")
    if _CUT_OFF in names:
        return StructureError("The answer is truncated: the model was stopped. Raise its max_tokens.")
    if _FILTERED in names:
        return RejectedRequestError("The server's content filter stopped the answer.")
    if getattr(error, "is_retryable", False) is True:  # langchain-core's ModelError
        return TransientModelError(f"{where}: {_said(error, endpoint)}")
    return None


def _said(error: BaseException, endpoint: Endpoint) -> str:
    return endpoint.scrub(cut(str(error) or type(error).__name__))
