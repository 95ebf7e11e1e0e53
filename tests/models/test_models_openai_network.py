"""Where the requests go and what opens the door: base URLs, Azure, headers, proxies, certificates."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from openai_server.proxy import TinyProxy
from openai_server.server import OpenAIServer, Recorded

from pytest_ragas.errors import ConfigurationError, ModelError, RejectedRequestError, TransientModelError
from pytest_ragas.models.endpoint import endpoint_of
from pytest_ragas.models.openai_api import OpenAIChat
from pytest_ragas.models.transport import CA_BUNDLES
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message

SCHEMA = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
}
MESSAGES = (Message(role="user", content=json.dumps({"text": "It is blue."})),)
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *CA_BUNDLES):
        monkeypatch.delenv(name, raising=False)


def ask(**settings: Any) -> Answer:
    async def main() -> Answer:
        chat = OpenAIChat(ModelSettings(**{"model_name": "judge", **settings}))
        try:
            return await chat.ask(MESSAGES, SCHEMA)
        finally:
            await chat.aclose()

    return asyncio.run(main())


def request_of(server: OpenAIServer, **settings: Any) -> Recorded:
    ask(**{"api_base": server.url, **settings})
    return server.chats[-1]


@pytest.mark.parametrize(
    ("api_base", "shown", "path"),
    [
        ("", "https://api.openai.com/v1", "/v1/chat/completions"),
        ("http://localhost:8000", "http://localhost:8000/v1", "/v1/chat/completions"),
        ("http://localhost:8000/", "http://localhost:8000/v1", "/v1/chat/completions"),
        (" http://localhost:8000/v1/ ", "http://localhost:8000/v1", "/v1/chat/completions"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1", "/v1/chat/completions"),
        ("https://g.example/v1beta/openai/", "https://g.example/v1beta/openai", "/v1beta/openai/chat/completions"),
        ("https://b.example/api/paas/v4", "https://b.example/api/paas/v4", "/api/paas/v4/chat/completions"),
        ("https://me:pw@gw.example/llm/v1", "https://gw.example/llm/v1", "/llm/v1/chat/completions"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1", "/v1/chat/completions"),
    ],
)
def test_api_base_is_taken_as_people_write_it(api_base: str, shown: str, path: str) -> None:
    endpoint = endpoint_of(ModelSettings(model_name="judge", api_base=api_base))
    assert endpoint.shown == shown
    assert endpoint.chat_url == shown + "/chat/completions"
    assert endpoint.chat_url.endswith(path)
    assert endpoint.embeddings_url == shown + "/embeddings"


@pytest.mark.parametrize("api_base", ["localhost:8000/v1", "ftp://x/v1", "http://", "judge", "http://h:99999999/v1"])
def test_an_api_base_that_is_no_url_is_a_configuration_error(api_base: str) -> None:
    with pytest.raises(ConfigurationError, match=r"http://localhost:8000/v1"):
        endpoint_of(ModelSettings(model_name="judge", api_base=api_base))


def test_a_broken_api_base_is_shown_without_its_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint_of(ModelSettings(model_name="judge", api_base="ftp://me:pass-word@x/v1"))
    assert "pass-word" not in str(caught.value)


RESOURCE = "https://res.openai.azure.com"


@pytest.mark.parametrize(
    ("api_base", "version", "url"),
    [
        (RESOURCE, "2024-10-21", f"{RESOURCE}/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21"),
        (
            f"{RESOURCE}/",
            "2024-10-21",
            f"{RESOURCE}/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21",
        ),
        (
            f"{RESOURCE}/openai/",
            "2025-04-01-preview",
            f"{RESOURCE}/openai/deployments/my%20dep/chat/completions?api-version=2025-04-01-preview",
        ),
        (
            f"{RESOURCE}/openai/deployments/other/chat/completions?api-version=2024-10-21",
            "",
            f"{RESOURCE}/openai/deployments/other/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://gateway.corp/llm",
            "2024-10-21",
            "https://gateway.corp/llm/openai/deployments/my%20dep/chat/completions?api-version=2024-10-21",
        ),
        (RESOURCE, "", f"{RESOURCE}/openai/v1/chat/completions"),
        (f"{RESOURCE}/openai/v1/", "", f"{RESOURCE}/openai/v1/chat/completions"),
        (f"{RESOURCE}/openai/v1/", "preview", f"{RESOURCE}/openai/v1/chat/completions?api-version=preview"),
        (RESOURCE, "preview", f"{RESOURCE}/openai/v1/chat/completions?api-version=preview"),
        (
            "https://res.services.ai.azure.com/models",
            "2024-05-01-preview",
            "https://res.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
        ),
    ],
)
def test_azure_urls(api_base: str, version: str, url: str) -> None:
    settings = ModelSettings(
        model_name="my dep", api_base=api_base, api_version=version, api_key=Secret("azure-key-1234")
    )
    endpoint = endpoint_of(settings)
    assert endpoint.chat_url == url
    assert endpoint.headers["api-key"] == "azure-key-1234"
    assert "Authorization" not in endpoint.headers
    assert "?" not in endpoint.shown


def test_azure_on_the_wire(openai_server: OpenAIServer) -> None:
    openai_server.api_key = "azure-key-1234"
    request = request_of(
        openai_server, api_base=openai_server.origin, api_version="2024-10-21", api_key=Secret("azure-key-1234")
    )
    assert request.path == "/openai/deployments/judge/chat/completions"
    assert request.query == {"api-version": "2024-10-21"}
    assert request.headers["api-key"] == "azure-key-1234"
    assert "authorization" not in request.headers


def test_headers_on_the_wire(openai_server: OpenAIServer) -> None:
    request = request_of(
        openai_server,
        api_key=Secret("sk-1234567890"),
        headers={
            "X-Team": "rag",
            "X-Secret": Secret("hidden-value"),
            "content-type": "application/json; charset=utf-8",
        },
    )
    assert request.headers["authorization"] == "Bearer sk-1234567890"
    assert request.headers["x-team"] == "rag"
    assert request.headers["x-secret"] == "hidden-value"
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_no_key_no_authorization(openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not even from ~/.netrc, where aiohttp and requests look for one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    headers = request_of(openai_server).headers
    assert "authorization" not in headers
    assert "api-key" not in headers
    assert "cookie" not in headers


def test_a_header_of_the_user_replaces_ours(openai_server: OpenAIServer) -> None:
    request = request_of(
        openai_server, api_key=Secret("sk-1234567890"), headers={"authorization": Secret("Bearer entra-token")}
    )
    assert request.headers["authorization"] == "Bearer entra-token"


def test_credentials_in_the_url_become_basic_auth(openai_server: OpenAIServer) -> None:
    request = request_of(openai_server, api_base=f"http://me:p%40ss@127.0.0.1:{openai_server.port}/v1")
    assert request.headers["authorization"] == "Basic " + b64encode(b"me:p@ss").decode()


def test_a_proxy_of_the_environment_is_used(openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with TinyProxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        request_of(openai_server, api_key=Secret("sk-1234567890"))
        (first, headers), *_ = proxy.requests
        assert first == f"POST {openai_server.url}/chat/completions HTTP/1.1"
        assert "proxy-authorization" not in headers
        assert "proxy-authorization" not in openai_server.chats[0].headers

        monkeypatch.setenv("NO_PROXY", "other.example,127.0.0.1")
        request_of(openai_server)
        assert len(proxy.requests) == 1
    assert len(openai_server.chats) == 2


def test_a_proxy_with_a_password(openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with TinyProxy(authorization="Basic " + b64encode(b"me:p@ss").decode()) as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        assert request_of(openai_server).route == "chat"
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        with pytest.raises(RejectedRequestError, match="407"):
            ask(api_base=openai_server.url)


def test_a_proxy_that_is_not_there_is_named(openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with TinyProxy() as proxy:
        port = proxy.port
    monkeypatch.setenv("ALL_PROXY", f"http://me:secret-word@127.0.0.1:{port}")
    with pytest.raises(TransientModelError, match=r"NO_PROXY lists hosts that need none") as caught:
        ask(api_base=openai_server.url)
    assert "secret-word" not in str(caught.value)


def test_a_socks_proxy_is_a_configuration_error(openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ConfigurationError, match=r"socks5://127\.0\.0\.1:1080 .* only HTTP proxies"):
        ask(api_base=openai_server.url)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one PEM file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate, and is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem"
    extension = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:TRUE"]
    subprocess.run([*command.split(), *extension], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls_server(certificate: Path) -> Any:
    from pytest_ragas.models.openai_memory import forget

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    forget()
    with OpenAIServer(ssl_context=context) as server:
        yield server
    forget()


def test_an_unknown_certificate_is_refused_with_the_mend(tls_server: OpenAIServer) -> None:
    with pytest.raises(RejectedRequestError) as caught:
        ask(api_base=tls_server.url, api_key=Secret("sk-1234567890"))
    assert f"No secure connection to {tls_server.url}" in str(caught.value)
    assert "name its file in SSL_CERT_FILE" in str(caught.value)
    assert tls_server.requests == []


@pytest.mark.parametrize("name", CA_BUNDLES)
def test_a_certificate_of_the_environment_is_trusted(
    tls_server: OpenAIServer, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(certificate / "cert.pem"))
    assert request_of(tls_server).path == "/v1/chat/completions"


def test_https_through_a_proxy(tls_server: OpenAIServer, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    with TinyProxy(authorization="Basic " + b64encode(b"me:pw").decode()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pw@127.0.0.1:{proxy.port}")
        request = request_of(tls_server, api_key=Secret("sk-1234567890"))
        (first, headers), *_ = proxy.requests
    assert first == f"CONNECT 127.0.0.1:{tls_server.port} HTTP/1.1"
    assert "authorization" not in headers  # the proxy sees neither the key nor the texts
    assert "proxy-authorization" not in request.headers
    assert request.headers["authorization"] == "Bearer sk-1234567890"


def test_plain_http_asked_in_https_is_explained(openai_server: OpenAIServer) -> None:
    with pytest.raises(RejectedRequestError, match="if the server speaks plain HTTP, write http:// in api_base"):
        ask(api_base=openai_server.url.replace("http:", "https:"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    bundle = tmp_path / "corp.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(ConfigurationError, match="which REQUESTS_CA_BUNDLE of the environment names"):
        ask(api_base="https://127.0.0.1:1/v1")


def test_an_http_server_that_is_no_api_is_explained(openai_server: OpenAIServer) -> None:
    with pytest.raises(ModelError, match=r"Is api_base right\?"):
        ask(api_base=f"{openai_server.origin}/wrong/path")
