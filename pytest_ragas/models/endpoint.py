"""`Endpoint`: where an OpenAI-compatible API lies, what opens it, and how to speak of it without showing the key."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings

OPENAI = "https://api.openai.com/v1"
"""Where a model without `api_base` is."""

_ROUTES = re.compile(r"/(?:chat/completions|completions|embeddings|responses)$")
_AZURE_HOST = re.compile(r"\.(?:openai|services\.ai|cognitiveservices)\.azure\.(?:com|us|cn)$")
_DEPLOYMENT = re.compile(r"/openai/deployments/[^/]+$")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SENSITIVE = re.compile(r"auth|key|token|secret|cookie|password|credential", re.IGNORECASE)
_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:Bearer|Basic)\s+[^\s\"',;]+|\bsk-[\w*.-]{6,}", re.IGNORECASE)


class Hidden(str):
    """Text that goes onto the wire as it is and shows itself to nobody: tracebacks print the `repr` of locals."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One API, as its settings describe it."""

    shown: str
    """Its base URL without credentials: for messages and identities."""
    chat_url: str = field(repr=False)
    embeddings_url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """What every request carries; the confidential ones are `Hidden`."""
    secrets: tuple[str, ...] = field(repr=False)
    """What `scrub` takes out of texts."""
    key_origin: str = ""
    """Where the key came from, for messages; empty if there is none."""
    strict_subset: bool = False
    """Whether the server is known to refuse, or to pay for, bounds in the schemas that it is given:
    Azure refuses them, and OpenAI prepares each new schema for seconds."""

    @property
    def origin(self) -> SplitResult:
        """Scheme, host and port."""
        return urlsplit(self.chat_url)

    def scrub(self, text: str) -> str:
        """A text that the server or a library wrote, without the key: servers like to quote it."""
        for secret in self.secrets:
            if len(secret) >= 8:
                text = text.replace(secret, "***")
            else:  # a short one may be a part of ordinary words
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
        return _LOOKS_LIKE_A_KEY.sub("***", text)


def endpoint_of(settings: ModelSettings) -> Endpoint:
    """The endpoint that the settings of an API model name.

    `api_base` may be given with or without `/v1`, a trailing slash, or the route of one call; of Azure, as the
    resource, as the deployment (with `api_version`) or as the newer `/openai/v1`.

    Raises:
        ConfigurationError: `api_base` is no http(s) URL, or the key or a header cannot go into a request.
    """
    url = _split(settings.api_base)
    query = parse_qsl(url.query)
    version = settings.api_version or dict(query).get("api-version", "")
    is_azure = bool(version or _AZURE_HOST.search(url.hostname or ""))
    path = _ROUTES.sub("", url.path.rstrip("/")).rstrip("/")
    if is_azure:
        path = _azure_path(path, settings.model_name, dated=version[:1].isdigit())
        query = [(name, value) for name, value in query if name != "api-version"]
        query += [("api-version", version)] if version else []
    elif not path:
        path = "/v1"
    host = url.netloc.rpartition("@")[2]
    base = f"{url.scheme}://{host}{path}"
    suffix = f"?{urlencode(query)}" if query else ""
    headers, secrets = _headers(settings, url, azure=is_azure)
    return Endpoint(
        shown=base,
        chat_url=f"{base}/chat/completions{suffix}",
        embeddings_url=f"{base}/embeddings{suffix}",
        headers=headers,
        secrets=tuple(sorted({*secrets, *_query_secrets(query)}, key=len, reverse=True)),
        key_origin=(settings.api_key.origin or "api_key") if settings.api_key else "",
        strict_subset=is_azure or (url.hostname or "").endswith(".openai.com"),
    )


def _split(api_base: str) -> SplitResult:
    text = api_base.strip() or OPENAI
    try:
        url = urlsplit(text)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        shown = re.sub(r"//[^/@]*@", "//***@", text)
        raise ConfigurationError(
            f"api_base {shown!r} is no URL of an API. Write it with scheme and path, for example http://localhost:8000/v1."
        )
    return url


def _azure_path(path: str, model: str, *, dated: bool) -> str:
    """The path below which Azure's routes lie. A dated `api-version` belongs to the routes per deployment."""
    if path.endswith(("/v1", "/models")) or _DEPLOYMENT.search(path):
        return path
    root = path[: -len("/openai")] if path.endswith("/openai") else path
    return f"{root}/openai/deployments/{quote(model, safe='')}" if dated else f"{root}/openai/v1"


def _headers(settings: ModelSettings, url: SplitResult, *, azure: bool) -> tuple[dict[str, str], list[str]]:
    """Headers of every request, and the confidential texts in them."""
    own: dict[str, str] = {"Content-Type": "application/json", "Accept": "application/json"}
    secrets: list[str] = []
    if settings.api_key:
        key = _checked_key(settings.api_key)
        own.update({"api-key": key} if azure else {"Authorization": Hidden(f"Bearer {key}")})
        secrets += [key, Hidden(quote(key, safe=""))]
    elif url.username:
        user, password = unquote(url.username), Hidden(unquote(url.password or ""))
        token = Hidden(base64.b64encode(f"{user}:{password}".encode()).decode())
        own["Authorization"] = Hidden(f"Basic {token}")
        secrets.append(token)
    if url.password:
        secrets += [Hidden(url.password), Hidden(unquote(url.password))]
    for name, value in settings.headers.items():
        text = _checked_header(name, value)
        for known in [known for known in own if known.lower() == name.lower()]:
            del own[known]
        own[name] = text
        if isinstance(text, Hidden):
            secrets += [text, *map(Hidden, text.split()[1:])]
    return own, [secret for secret in secrets if secret.strip()]


def _checked_key(key: Secret) -> Hidden:
    text = Hidden(key.reveal().strip())
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(
            f"The API key from {key.origin or 'api_key'} is blank or holds a character that no HTTP header can carry "
            "(a line break, a space, a letter that is not ASCII). Copy it again."
        )
    return text


def _checked_header(name: str, value: str | Secret) -> str:
    hide = isinstance(value, Secret) or _SENSITIVE.search(name)
    text = Hidden(value.reveal().strip()) if isinstance(value, Secret) else value.strip()
    if not _HEADER_NAME.fullmatch(name) or not text.isprintable():
        raise ConfigurationError(
            f"The header {name!r} cannot be sent: its name or its value holds a line break or worse."
        )
    return Hidden(text) if hide else text


def _query_secrets(query: list[tuple[str, str]]) -> list[str]:
    return [Hidden(value) for name, value in query if value and name != "api-version"]
