"""What a server's error means: try again, give up and how to mend it, or ask in another way."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pytest_ragas.errors import ModelError, RejectedRequestError, StructureError, TransientModelError, cut
from pytest_ragas.models.endpoint import Endpoint
from pytest_ragas.models.openai_memory import Quirk
from pytest_ragas.models.openai_wire import Form
from pytest_ragas.models.structured import RAW_LIMIT
from pytest_ragas.models.transport import Reply

_TRANSIENT = frozenset({408, 409, 425, 429})
_REFUSES_A_PART = frozenset({400, 404, 405, 422, 500, 501})
"""Statuses by which servers say that they do not know a field; some call it their own error."""

_NO_QUOTA = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota|billing", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|too many (?:input )?tokens|too long|max_model_len"
    r"|reduce the length|token limit|maximum number of tokens",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|deploymentnotfound|\b(?:model|deployment)\b.*(?:not|n't)", re.IGNORECASE | re.S
)
_FILTERED = re.compile(r"content_filter|content management policy|responsibleai", re.IGNORECASE)
_ABOUT_LENGTH = re.compile(r"max_(?:completion_|new_|output_)?tokens", re.IGNORECASE)
_FAILED_GENERATION = re.compile(r"json_validate_failed|tool_use_failed", re.IGNORECASE)
# not the bare word: servers also print all parameters of a request that failed for another reason
_NO_TEMPERATURE = re.compile(
    r"(?:unsupported|unknown|unrecognized|invalid|extra|not (?:support|allow|permit)|deprecated)[^.]{0,80}temperature"
    r"|temperature[^.]{0,80}(?:unsupported|unknown|unrecognized|not (?:support|allow|permit)|deprecated|only|must)",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(r"system.{0,40}not support|not support.{0,40}system|roles must alternate", re.IGNORECASE | re.S)
_ABOUT_FORMAT = re.compile(
    r"response_?format|json[_ -]?schema|json[_ -]?object|json[_ -]?mode|structured|guided|grammar|schema", re.IGNORECASE
)
_ABOUT_TOOLS = re.compile(r"\btools?\b|tool[_ ]?(?:choice|use|call)|function", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.S)
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.IGNORECASE | re.S)

_LONGEST = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerError:
    """What a server says went wrong, however it wraps it."""

    status: int
    message: str = ""
    code: str = ""
    """Its code and type, as one text."""
    param: str = ""
    """The field that it blames."""
    retry_after: float | None = None
    generated: str = ""
    """What the model wrote, where that is the error."""

    @property
    def text(self) -> str:
        """All of it, to look for words in."""
        return f"{self.message} {self.code} {self.param}"


def read_reply(reply: Reply, endpoint: Endpoint) -> Mapping[str, Any] | ServerError | ModelError:
    """The JSON object of a good answer; or what the server says went wrong; or the exception to raise.

    It does not raise itself: the body, which may quote the key, is a local of this frame.

    Returns:
        Of exceptions, a `TransientModelError` where the body of a good answer is no JSON, and a
        `RejectedRequestError` where it is of something else: a proxy, a login, another API.
    """
    data = _json(reply.body)
    if isinstance(data, list) and data and isinstance(data[0], Mapping):
        data = data[0]
    if not 200 <= reply.status < 300:
        return _server_error(reply.status, reply, data, endpoint)
    if isinstance(data, Mapping):
        error = data.get("error")
        if not error or "choices" in data or "data" in data:
            return data
        # routers answer 200 and put the status of the model behind them into the body
        code = error.get("code") if isinstance(error, Mapping) else None
        return _server_error(code if isinstance(code, int) and 400 <= code < 600 else 400, reply, data, endpoint)
    text = _readable(reply.body, endpoint)
    if _is_html(reply) or data is not None:
        kind = "a web page" if data is None else "JSON"
        return RejectedRequestError(
            f"{endpoint.shown} answered with {kind} that is no answer of the OpenAI API: {text!r}. "
            "Is api_base right (it usually ends in /v1), or does a proxy answer in its place?",
            status=reply.status,
        )
    return TransientModelError(f"{endpoint.shown} answered {text!r}, which is no JSON.", status=reply.status)


def problem(error: ServerError, *, endpoint: Endpoint, model: str, given: Collection[str] = ()) -> ModelError:
    """The exception for a server's error, with the mend.

    Args:
        error: What it says.
        endpoint: Where.
        model: Which model was asked for.
        given: Names of the parameters that the user set.
    """
    status = error.status
    what = f"{endpoint.shown} answered {_named(status)}: {error.message.rstrip('. ')}."
    if _FAILED_GENERATION.search(error.code):
        return StructureError(
            f"The model did not write the JSON that was asked for: {error.message}", raw=error.generated
        )
    if status == 429 and _NO_QUOTA.search(error.text):
        return RejectedRequestError(f"{what} The account's quota is used up: see its billing page.", status=status)
    if status in _TRANSIENT or status >= 500:
        return TransientModelError(what, status=status, retry_after=error.retry_after)
    return RejectedRequestError(f"{what} {_mend(error, endpoint, model, given)}".strip(), status=status)


def _mend(error: ServerError, endpoint: Endpoint, model: str, given: Collection[str]) -> str:
    status = error.status
    if status == 401 and not endpoint.key_origin:
        return 'No api_key is configured; set for example api_key = "env:OPENAI_API_KEY".'
    if status in (401, 403):
        key = f"the key from {endpoint.key_origin}" if endpoint.key_origin else "the request, which carries no key,"
        return f"Is {key} right for this server{'' if status == 401 else f' and allowed to use the model {model!r}'}?"
    if status == 413 or _TOO_LONG.search(error.text):
        return (
            "The prompt is longer than the model can read: retrieve fewer or shorter contexts, lower max_tokens, "
            "or take a model with a larger context."
        )
    if _FILTERED.search(error.text):
        return "The server's content filter refuses a text of this sample."
    if status == 404 and _NO_MODEL.search(error.text):
        return f"Is the model name {model!r} right? It must be one that this server lists."
    if status in (404, 405):
        return f"Is api_base right? {endpoint.shown}/… was asked; most servers want it to end in /v1."
    if 300 <= status < 400:
        return "Write the address that it redirects to into api_base."
    blamed = [name for name in given if re.search(rf"\b{re.escape(name)}\b", error.text)]
    if blamed:
        return f"Change or remove {', '.join(blamed)} in generation_config."
    if _NO_MODEL.search(error.text):
        return f"Is the model name {model!r} right?"
    return ""


def refuses_form(error: ServerError, form: Form) -> bool:
    """Whether the server refuses the way in which the schema was put to it, rather than the request."""
    if form == "text" or error.status not in _REFUSES_A_PART or _TOO_LONG.search(error.text):
        return False
    if _FAILED_GENERATION.search(error.code) or _FILTERED.search(error.text):
        return False
    return bool((_ABOUT_TOOLS if form == "tools" else _ABOUT_FORMAT).search(error.text))


def refuses_length(error: ServerError) -> bool:
    """Whether the server refuses an answer of the length that was asked for: more than it writes, or has room for."""
    return error.status in (400, 422) and bool(_ABOUT_LENGTH.search(error.text) or _TOO_LONG.search(error.text))


def quirk_of(
    error: ServerError, *, default_temperature: bool, sends_max_tokens: bool, sends_system: bool
) -> Quirk | None:
    """What about the request the model cannot take and nobody asked for, so that it may be sent again without.

    Args:
        error: What it says.
        default_temperature: Whether the temperature was ours, not the user's.
        sends_max_tokens: Whether `max_tokens` was sent under this name.
        sends_system: Whether a system message was sent.
    """
    if error.status not in (400, 422, 500):
        return None
    if sends_max_tokens and "max_completion_tokens" in error.text:
        return "max_completion_tokens"
    if default_temperature and (error.param == "temperature" or _NO_TEMPERATURE.search(error.text)):
        return "no temperature"
    if sends_system and _NO_SYSTEM.search(error.text):
        return "no system"
    return None


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds that the server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.

    Args:
        headers: Of the reply, case-insensitive.
        now: Unix time; the clock's where not given.
    """
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        try:
            seconds = float(text) / scale
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now)
            except (ValueError, TypeError, OverflowError):
                continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def _server_error(status: int, reply: Reply, data: Any, endpoint: Endpoint) -> ServerError:
    inner = data.get("error", data) if isinstance(data, Mapping) else data
    if isinstance(inner, str):
        inner = {"message": inner}
    fields: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    message = fields.get("message") or fields.get("msg") or fields.get("detail") or fields.get("error")
    if isinstance(message, list):  # FastAPI: one entry for each field that it does not like
        message = "; ".join(_validation(entry) for entry in message)
    if not isinstance(message, str) or not message.strip():
        message = _readable(reply.body, endpoint)
    if 300 <= status < 400:
        message = f"redirected to {reply.headers.get('location', 'nowhere')}"
    if _is_html(reply):
        message = f"{message} (a web page: a proxy or gateway answers?)"
    code = " ".join(str(fields[name]) for name in ("code", "type", "status") if fields.get(name))
    return ServerError(
        status=status,
        message=cut(endpoint.scrub(message), _LONGEST),
        code=cut(endpoint.scrub(code), 120),
        param=cut(str(fields.get("param") or ""), 120),
        retry_after=retry_after(reply.headers),
        generated=endpoint.scrub(str(fields.get("failed_generation") or ""))[:RAW_LIMIT],
    )


def _validation(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    place = ".".join(str(part) for part in entry.get("loc", ()))
    return f"{place}: {entry.get('msg', '')}".strip(": ")


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _json(body: bytes) -> Any:
    """The JSON of a body; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_html(reply: Reply) -> bool:
    kind = reply.headers.get("content-type", "").lower()
    return "html" in kind or reply.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _readable(body: bytes, endpoint: Endpoint) -> str:
    """The beginning of a body, as text for a message."""
    text = body[:20_000].decode("utf-8", "replace")
    title = _TITLE.search(text)
    if title:
        text = title[1]
    elif "<" in text and ">" in text:
        text = _TAG.sub(" ", text)
    return cut(endpoint.scrub(text), 200) or "nothing"
