"""Clients of the openai SDK against a real server: what goes onto the wire, what comes back, what stays the user's."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import (
    ConfigurationError,
    MissingExtraError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.kinds import is_openai_client
from pytest_ragas.models.openai_api import OpenAIChat
from pytest_ragas.models.openai_sdk import sdk_client, sdk_embeddings, sdk_llm
from pytest_ragas.protocols import LLM, Embeddings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Message

openai = pytest.importorskip("openai")

T = TypeVar("T")
KEY = "sk-a-key-that-nobody-may-see"
SCHEMA: dict[str, Any] = {
    "title": "Statements",
    "type": "object",
    "properties": {"statements": {"type": "array", "items": {"type": "string"}}},
    "required": ["statements"],
    "additionalProperties": False,
}
MESSAGES = (
    Message(role="system", content="Break the text into statements."),
    Message(role="user", content=json.dumps({"text": "It is blue. It is 2 m long."})),
)
VALUE = {"statements": ["It is blue.", "It is 2 m long."]}


def client_of(server: OpenAIServer, kind: str = "AsyncOpenAI", **options: Any) -> Any:
    return getattr(openai, kind)(**{"base_url": server.url, "api_key": KEY, **options})


def used(llm: OpenAIChat, work: Callable[[OpenAIChat], Coroutine[Any, Any, T]] | None = None) -> Any:
    """Run `work`, or ask once, on a loop of its own, and close the client there."""

    async def main() -> Any:
        try:
            return await (work(llm) if work else llm.ask(MESSAGES, SCHEMA))
        finally:
            await llm.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "OpenAI"])
@pytest.mark.parametrize("structure", ["auto", "json_schema", "json_object", "tools", "text"])
def test_a_client_of_the_user_answers_in_every_mode(openai_server: OpenAIServer, kind: str, structure: Any) -> None:
    llm = sdk_llm(client_of(openai_server, kind), ModelSettings(structure=structure), model="judge")
    assert isinstance(llm, LLM)
    answer = used(llm)
    assert answer.value == VALUE
    assert answer.usage.calls == 1
    assert answer.usage.prompt_tokens > 0 < answer.usage.completion_tokens
    (request,) = openai_server.requests
    assert request.mode == ("json_schema" if structure == "auto" else structure)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert llm.identity.endpoint == openai_server.url
    assert llm.identity.name == "judge"


def test_generation_config_is_on_the_wire_and_nothing_else(openai_server: OpenAIServer) -> None:
    settings = ModelSettings(
        model_name="judge",
        generation_config={"max_tokens": 99, "top_p": 0.5, "seed": 7, "extra_body": {"min_p": 0.1}, "top_k": 3},
    )
    used(sdk_llm(client_of(openai_server), settings))
    body = dict(openai_server.requests[0].body)
    assert body.pop("response_format")["type"] == "json_schema"
    assert len(body.pop("messages")) == 2
    assert body == {
        "model": "judge",
        "temperature": 0,
        "max_tokens": 99,
        "top_p": 0.5,
        "seed": 7,
        "min_p": 0.1,
        "top_k": 3,
    }


def test_the_same_identity_as_our_own_client(openai_server: OpenAIServer) -> None:
    """The SDK only carries the requests, so scores of both may be compared."""
    settings = ModelSettings(model_name="judge", api_base=openai_server.url, generation_config={"seed": 7})
    assert sdk_llm(client_of(openai_server), settings).identity == OpenAIChat(settings).identity


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "OpenAI"])
@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_nothing_is_retried_beneath_the_one_retry_layer(openai_server: OpenAIServer, kind: str, status: int) -> None:
    openai_server.fault("status", status=status, headers={"retry-after": "7"})
    client = client_of(openai_server, kind)
    with pytest.raises(TransientModelError) as caught:
        used(sdk_llm(client, ModelSettings(), model="judge"))
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)
    assert len(openai_server.requests) == 1
    assert client.max_retries == 2, "the user's client is as it was"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusals_are_rejected_with_the_mend(openai_server: OpenAIServer, status: int) -> None:
    openai_server.fault("status", status=status, message="no such luck")
    with pytest.raises(RejectedRequestError, match="no such luck") as caught:
        used(sdk_llm(client_of(openai_server), ModelSettings(), model="judge"))
    assert caught.value.status == status
    assert caught.value.usage.calls == 1
    if status == 401:
        assert "Is the key from the AsyncOpenAI object right for this server?" in str(caught.value)


def test_the_key_is_shown_to_nobody(openai_server: OpenAIServer) -> None:
    openai_server.api_key = "another"  # the server quotes the key that it got
    llm = sdk_llm(client_of(openai_server), ModelSettings(), model="judge")
    with pytest.raises(RejectedRequestError) as caught:
        used(llm)
    assert "Incorrect API key provided: ***" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(llm.identity)
    stack = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    ours = [frame for frame in stack if "pytest_ragas" in frame.filename]
    assert ours
    assert KEY not in repr([frame.locals for frame in ours])


def test_dropped_connections_and_silence_are_transient(openai_server: OpenAIServer) -> None:
    openai_server.fault("drop", times=1)
    with pytest.raises(TransientModelError, match=r"No connection to .*, or it broke"):
        used(sdk_llm(client_of(openai_server), ModelSettings(), model="judge"))
    openai_server.fault("hang")
    for kind in ("AsyncOpenAI", "OpenAI"):
        with pytest.raises(TransientModelError, match=r"gave no answer within 0.3 s. If it needs longer"):
            used(sdk_llm(client_of(openai_server, kind), ModelSettings(timeout=0.3), model="judge"))
    with pytest.raises(TransientModelError, match=r"No connection to http://127\.0\.0\.1:9/v1"):
        used(sdk_llm(openai.AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="k"), ModelSettings(), model="judge"))


def test_a_host_that_does_not_exist_is_no_reason_to_wait() -> None:
    client = openai.AsyncOpenAI(base_url="http://no-such-host.invalid/v1", api_key="k")
    with pytest.raises(ModelError, match=r"no-such-host\.invalid/v1") as caught:
        used(sdk_llm(client, ModelSettings(), model="judge"))
    assert isinstance(caught.value, (RejectedRequestError, TransientModelError))  # by what the resolver says


def test_a_truncated_answer_says_so(openai_server: OpenAIServer) -> None:
    openai_server.fault("length")
    with pytest.raises(StructureError, match=r"truncated.*max_tokens"):
        used(sdk_llm(client_of(openai_server), ModelSettings(), model="judge"))


def test_what_the_sdk_raises_on_its_own_is_a_model_error_with_its_cause(openai_server: OpenAIServer) -> None:
    async def no_key() -> str:
        raise LookupError("the vault is closed")

    with pytest.raises(ModelError, match=r"failed with LookupError: the vault is closed") as caught:
        used(sdk_llm(client_of(openai_server, api_key=no_key), ModelSettings(), model="judge"))
    assert isinstance(caught.value.__cause__, LookupError)
    assert openai_server.requests == []


def test_the_application_and_the_engine_use_one_client_on_two_loops(openai_server: OpenAIServer) -> None:
    """Connections belong to a loop: in a common pool, one loop finds those that the other one left."""
    openai_server.brain = lambda request: VALUE
    client = client_of(openai_server, max_retries=0)
    llm = sdk_llm(client, ModelSettings(), model="judge")
    ready, done = threading.Barrier(2, timeout=30), threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def application() -> None:
        async def main() -> None:
            for _ in range(5):
                ready.wait()
                await client.chat.completions.create(model="rag", messages=[{"role": "user", "content": "Hello"}])
                done.wait()
            await client.close()

        try:
            asyncio.run(main())
        except BaseException as error:
            failures.append(error)
            ready.abort()
            done.abort()

    thread = threading.Thread(target=application)
    thread.start()

    async def engine(llm: OpenAIChat) -> None:
        for _ in range(5):
            await asyncio.to_thread(ready.wait)
            await asyncio.to_thread(done.wait)
            assert (await llm.ask(MESSAGES, SCHEMA)).value == VALUE

    used(llm, engine)
    thread.join(30)
    assert failures == []
    assert len(openai_server.requests) == 10


def test_an_http_client_of_the_user_is_used_and_stays_open(openai_server: OpenAIServer) -> None:
    """It may hold proxies, certificates or a mock."""
    seen: list[str] = []

    class Watching(openai.DefaultAsyncHttpxClient):  # type: ignore[misc, name-defined]
        async def send(self, request: Any, **options: Any) -> Any:
            seen.append(str(request.url))
            return await super().send(request, **options)

    async def main() -> None:
        client = client_of(openai_server, http_client=Watching())
        llm = sdk_llm(client, ModelSettings(), model="judge")
        await llm.ask(MESSAGES, SCHEMA)
        await llm.aclose()
        assert not client.is_closed()
        await client.close()

    asyncio.run(main())
    assert seen == [f"{openai_server.url}/chat/completions"]


def test_azure(openai_server: OpenAIServer) -> None:
    client = openai.AsyncAzureOpenAI(
        azure_endpoint=openai_server.origin, api_key=KEY, api_version="2024-10-21", max_retries=0
    )
    assert used(sdk_llm(client, ModelSettings(), model="my-deployment")).value == VALUE
    (request,) = openai_server.requests
    assert request.path == "/openai/deployments/my-deployment/chat/completions"
    assert request.query == {"api-version": "2024-10-21"}
    assert request.headers["api-key"] == KEY


def test_without_a_model_name_the_mend_is_named(openai_server: OpenAIServer) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sdk_llm(client_of(openai_server), ModelSettings(model_name_or_path="embedded"))
    assert "openai.AsyncOpenAI, which does not say which model" in str(caught.value)
    assert '(client, "gpt-4o-mini")' in str(caught.value)
    assert "model_name in [tool.pytest-ragas.critic_llm]" in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"model_name in \[tool.pytest-ragas.embeddings\]"):
        sdk_embeddings(client_of(openai_server), ModelSettings())


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "OpenAI"])
def test_embeddings(openai_server: OpenAIServer, kind: str) -> None:
    openai_server.embed = lambda text: [float(len(text)), 1.0, 2.0]
    embeddings = sdk_embeddings(
        client_of(openai_server, kind), ModelSettings(options={"dimensions": 2, "batch_size": 2}), model="embedder"
    )
    assert isinstance(embeddings, Embeddings)

    async def main() -> Any:
        vectors = await embeddings.embed(["cat dog", "bird", "cat dog", "fish"])
        await embeddings.aclose()
        return vectors

    vectors = asyncio.run(main())
    assert vectors == [[7.0, 1.0], [4.0, 1.0], [7.0, 1.0], [4.0, 1.0]]
    assert [request.body["input"] for request in openai_server.embeddings] == [["cat dog", "bird"], ["fish"]]
    assert openai_server.embeddings[0].body == {
        "model": "embedder",
        "input": ["cat dog", "bird"],
        "dimensions": 2,
        "encoding_format": "base64",
    }


def test_a_client_of_settings(openai_server: OpenAIServer) -> None:
    settings = ModelSettings(
        client="openai",
        model_name="judge",
        api_base=openai_server.url,
        api_key=Secret(KEY),
        headers={"X-Team": "search", "X-Pass": Secret("open sesame")},
    )
    assert used(sdk_llm(sdk_client(settings), settings)).value == VALUE
    headers = openai_server.requests[0].headers
    assert (headers["authorization"], headers["x-team"], headers["x-pass"]) == (
        f"Bearer {KEY}",
        "search",
        "open sesame",
    )


def test_a_client_of_azure_settings(openai_server: OpenAIServer) -> None:
    settings = ModelSettings(
        client="openai",
        model_name="my-deployment",
        api_base=openai_server.origin,
        api_key=Secret(KEY),
        api_version="2024-10-21",
    )
    assert used(sdk_llm(sdk_client(settings), settings)).value == VALUE
    (request,) = openai_server.requests
    assert request.path == "/openai/deployments/my-deployment/chat/completions"
    assert request.query == {"api-version": "2024-10-21"}


def test_a_key_of_the_environment_goes_to_no_server_that_was_not_meant(
    openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = ModelSettings(client="openai", model_name="judge", api_base=openai_server.url)
    used(sdk_llm(sdk_client(settings), settings))
    assert KEY not in json.dumps(openai_server.requests[0].headers)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"needs openai, which is not installed.*pytest-ragas\[langchain\]"):
        sdk_client(ModelSettings(client="openai", model_name="judge"))


def test_clients_are_known_by_their_class() -> None:
    class Mine(openai.AsyncOpenAI):  # type: ignore[misc, name-defined]
        pass

    assert is_openai_client(Mine(api_key="k"))
    assert is_openai_client(openai.OpenAI(api_key="k"))
    assert not is_openai_client(openai)
    assert not is_openai_client("AsyncOpenAI")


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "OpenAI"])
def test_a_call_that_is_cancelled_leaves_nothing_behind(openai_server: OpenAIServer, kind: str) -> None:
    openai_server.fault("hang")

    async def work(llm: OpenAIChat) -> None:
        asking = asyncio.ensure_future(llm.ask(MESSAGES, SCHEMA))
        while not openai_server.requests:
            await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.001)

    used(sdk_llm(client_of(openai_server, kind), ModelSettings(), model="judge"), work)
