"""One HTTP request and its reply, over aiohttp. The only module that imports it.

A request either gets a reply, whatever its status, or is a `ModelError` that says why there is none. No exception
leaves from inside aiohttp: its frames hold the headers, and a traceback with locals would print the key.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from pytest_ragas.errors import ConfigurationError, ModelError, RejectedRequestError, TransientModelError, cut
from pytest_ragas.models.endpoint import Endpoint, Hidden

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT = 30.0
"""Seconds. A host that takes no connection in this time takes none."""

CA_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Environment variables that name a file (or folder) of certificates, the first one given counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    # no repr: servers quote the key that they refuse
    headers: Mapping[str, str] = field(repr=False)
    """Case-insensitive."""
    body: bytes = field(repr=False)


class Transport(Protocol):
    """How a request gets to a server."""

    async def post(self, url: str, body: bytes) -> Reply:
        """Send a JSON body.

        Raises:
            TransientModelError: The connection failed, broke or timed out.
            RejectedRequestError: There is no such host, or its certificate is not trusted.
        """

    async def aclose(self) -> None:
        """Let go of connections."""


@dataclass(slots=True)
class _Pool:
    """The one session of an event loop, and how many transports use it."""

    session: aiohttp.ClientSession
    users: int = 0


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()


class HTTPTransport:
    """Requests to one endpoint; all transports of a loop share one aiohttp session and its connections."""

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        """
        Args:
            endpoint: Its headers go with every request.
            timeout: Seconds that one request may take.
        """
        self._endpoint = endpoint
        self._timeout = timeout
        self._connect_timeout = min(timeout, CONNECT_TIMEOUT)
        self._options: dict[str, Any] | None = None
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, _Pool] = WeakKeyDictionary()

    async def post(self, url: str, body: bytes) -> Reply:
        """See `Transport.post`."""
        pool = self._held.get(asyncio.get_running_loop()) or self._join()
        if self._options is None:
            self._options = self._request_options()
        reply = await self._exchange(pool.session, url, body)
        if isinstance(reply, ModelError):
            raise reply  # here, where no frame of aiohttp hangs on it
        return reply

    async def aclose(self) -> None:
        """Leave the loop's session; the last one to leave closes it."""
        loop = asyncio.get_running_loop()
        pool = self._held.pop(loop, None)
        if pool is None:
            return
        pool.users -= 1
        if pool.users == 0:
            _POOLS.pop(loop, None)
            await pool.session.close()

    def _join(self) -> _Pool:
        import aiohttp

        loop = asyncio.get_running_loop()
        pool = _POOLS.get(loop)
        if pool is None:
            # limit=0: the engine's limiter decides how many requests are in flight, for all models together
            connector = aiohttp.TCPConnector(limit=0)
            # no cookies: what one request gets must not decide what another one gets
            pool = _POOLS[loop] = _Pool(aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()))
        pool.users += 1
        self._held[loop] = pool
        return pool

    def _request_options(self) -> dict[str, Any]:
        """What every request to this endpoint is sent with; found out once, since the environment is slow to read."""
        import aiohttp

        headers = dict(self._endpoint.headers)
        options: dict[str, Any] = {
            "headers": headers,
            "timeout": aiohttp.ClientTimeout(total=self._timeout, sock_connect=self._connect_timeout),
            # a POST that follows a redirect becomes a GET
            "allow_redirects": False,
        }
        is_https = self._endpoint.origin.scheme == "https"
        if is_https:
            options["ssl"] = _tls(tuple((name, os.environ.get(name, "")) for name in CA_BUNDLES))
        # not by aiohttp's trust_env: it takes two threads a request, and credentials out of ~/.netrc
        proxy, authorization = _proxy_from_environment(self._endpoint)
        if proxy:
            options["proxy"] = proxy
            if authorization and is_https:
                options["proxy_headers"] = {"Proxy-Authorization": authorization}
            elif authorization:
                headers["Proxy-Authorization"] = authorization
        return options

    async def _exchange(self, session: aiohttp.ClientSession, url: str, body: bytes) -> Reply | ModelError:
        import aiohttp

        try:
            async with session.post(url, data=body, **self._options or {}) as response:
                return Reply(status=response.status, headers=response.headers, body=await response.read())
        except asyncio.TimeoutError as error:
            where = self._endpoint.shown
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                return _unsent(f"{where} took no connection within {self._connect_timeout:g} s.")
            return TransientModelError(
                f"{where} gave no answer within {self._timeout:g} s. If it needs longer, raise the model's timeout."
            )
        except Exception as error:
            return self._problem(error)

    def _problem(self, error: Exception) -> ModelError:
        import aiohttp

        where, said = self._endpoint.shown, cut(self._endpoint.scrub(str(error) or type(error).__name__))
        if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
            return RejectedRequestError(
                f"No secure connection to {where}: {said}. If your organisation has its own certificate authority, "
                "name its file in SSL_CERT_FILE; if the server speaks plain HTTP, write http:// in api_base."
            )
        if isinstance(error, aiohttp.ClientHttpProxyError):
            text = f"The proxy on the way to {where} answered {error.status}: {said}"
            if error.status == 407:
                return RejectedRequestError(f"{text}. Write its user and password into HTTPS_PROXY.", status=407)
            return _unsent(f"{text}. It comes from HTTPS_PROXY; NO_PROXY lists hosts that need none.")
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            return _unsent(
                f"The proxy on the way to {where} cannot be reached: {said}. "
                "It comes from HTTP_PROXY or HTTPS_PROXY; NO_PROXY lists hosts that need none."
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            if isinstance(error.os_error, socket.gaierror) and error.os_error.errno == socket.EAI_NONAME:
                return RejectedRequestError(f"There is no host of the name in {where}: {said}. Is api_base right?")
            return _unsent(f"No connection to {where}: {said}. Is the server running, is api_base right?")
        if isinstance(error, (aiohttp.ClientError, OSError)):
            return TransientModelError(f"The connection to {where} broke: {type(error).__name__}: {said}")
        return RejectedRequestError(f"The request to {where} cannot be sent: {type(error).__name__}: {said}")


def _unsent(text: str) -> TransientModelError:
    error = TransientModelError(text)
    error.sent = False
    return error


@lru_cache(maxsize=8)
def _tls(bundles: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    """Whom to trust: the certificates of the first variable that is given, else the system's."""
    for name, path in bundles:
        if path:
            try:
                if os.path.isdir(path):
                    return ssl.create_default_context(capath=path)
                return ssl.create_default_context(cafile=path)
            except (OSError, ssl.SSLError) as error:
                raise ConfigurationError(
                    f"The certificates in {path!r}, which {name} of the environment names, cannot be read: {error}. "
                    f"Name a PEM file, or unset {name}."
                ) from error
    return ssl.create_default_context()


def _proxy_from_environment(endpoint: Endpoint) -> tuple[str, Hidden | None]:
    """The proxy for an endpoint as curl, requests and pip find it, and the header that opens it."""
    from base64 import b64encode
    from urllib.request import getproxies, proxy_bypass

    origin = endpoint.origin
    proxies = getproxies()
    text = proxies.get(origin.scheme) or proxies.get("all")
    port = origin.port or (443 if origin.scheme == "https" else 80)
    if not text or proxy_bypass(f"{origin.hostname}:{port}"):
        return "", None
    url = urlsplit(text if "://" in text else f"http://{text}")
    host = url.netloc.rpartition("@")[2]
    if url.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"The proxy {url.scheme}://{host} of the environment cannot be used: only HTTP proxies can. "
            f"Set {origin.scheme.upper()}_PROXY to one, or list {origin.hostname} in NO_PROXY."
        )
    authorization = None
    if url.username:
        token = b64encode(f"{unquote(url.username)}:{unquote(url.password or '')}".encode()).decode()
        authorization = Hidden(f"Basic {token}")
    return f"{url.scheme}://{host}", authorization
