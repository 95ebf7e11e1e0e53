"""LangChain objects: ChatOpenAI against a real server, and chat models of other makes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from openai_server.server import OpenAIServer

from pytest_ragas.errors import (
    MissingExtraError,
    ModelError,
    RejectedRequestError,
    StructureError,
    TransientModelError,
)
from pytest_ragas.models.langchain import LangChainEmbeddings, LangChainLLM
from pytest_ragas.models.openai_memory import forget
from pytest_ragas.protocols import LLM, Embeddings
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Message

langchain_openai = pytest.importorskip("langchain_openai")

from langchain_core.embeddings import Embeddings as LangChainEmbeddingsBase  # noqa: E402
from langchain_core.language_models import BaseChatModel  # noqa: E402
from langchain_core.messages import AIMessage, BaseMessage  # noqa: E402
from langchain_core.outputs import ChatGeneration, ChatResult  # noqa: E402

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
TEXT = json.dumps(VALUE)


def chat_of(server: OpenAIServer, **options: Any) -> Any:
    return langchain_openai.ChatOpenAI(**{"model": "judge", "base_url": server.url, "api_key": KEY, **options})


def used(llm: LangChainLLM, work: Callable[[LangChainLLM], Coroutine[Any, Any, Any]] | None = None) -> Any:
    """Run `work`, or ask once, on a loop of its own, and close the model there."""

    async def main() -> Any:
        try:
            return await (work(llm) if work else llm.ask(MESSAGES, SCHEMA))
        finally:
            await llm.aclose()

    return asyncio.run(main())


def embedded(embeddings: LangChainEmbeddings, texts: Sequence[str]) -> Any:
    async def main() -> Any:
        try:
            return await embeddings.embed(texts)
        finally:
            await embeddings.aclose()

    return asyncio.run(main())


# ChatOpenAI from a fixture


@pytest.mark.parametrize("structure", ["auto", "json_schema", "json_object", "tools", "text"])
def test_chat_openai_answers_in_every_mode(openai_server: OpenAIServer, structure: Any) -> None:
    llm = LangChainLLM(chat_of(openai_server), ModelSettings(structure=structure))
    assert isinstance(llm, LLM)
    answer = used(llm)
    assert answer.value == VALUE
    assert (answer.raw, answer.usage.calls) == (TEXT, 1)
    assert answer.usage.prompt_tokens > 0 < answer.usage.completion_tokens
    (request,) = openai_server.requests
    assert request.mode == ("json_schema" if structure == "auto" else structure)
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_server_that_can_only_talk_is_found_out_once(openai_server: OpenAIServer) -> None:
    openai_server.modes = {"text"}
    llm = LangChainLLM(chat_of(openai_server))

    async def work(llm: LangChainLLM) -> None:
        assert (await llm.ask(MESSAGES, SCHEMA)).value == VALUE
        found_out = len(openai_server.requests)
        assert (await llm.ask(MESSAGES, SCHEMA)).value == VALUE
        assert len(openai_server.requests) == found_out + 1

    used(llm, work)
    assert openai_server.requests[-1].mode == "text"


def test_the_parameters_are_those_of_the_object(openai_server: OpenAIServer) -> None:
    """No temperature 0 of ours, and none of the settings' generation_config."""
    settings = ModelSettings(generation_config={"temperature": 0.9, "seed": 1})
    used(LangChainLLM(chat_of(openai_server, temperature=0.3, top_p=0.5, extra_body={"min_p": 0.1}), settings))
    body = openai_server.requests[0].body
    assert (body["temperature"], body["top_p"], body["min_p"]) == (0.3, 0.5, 0.1)
    assert "seed" not in body
    used(LangChainLLM(chat_of(openai_server)))
    assert "temperature" not in openai_server.requests[-1].body


def test_what_is_bound_to_the_object_is_sent(openai_server: OpenAIServer) -> None:
    bound = chat_of(openai_server).bind(seed=7).with_config(tags=["judge"])
    llm = LangChainLLM(bound)
    assert used(llm).value == VALUE
    assert openai_server.requests[0].body["seed"] == 7
    assert dict(llm.identity.parameters)["seed"] == "7"


def test_the_object_stays_as_it_is(openai_server: OpenAIServer) -> None:
    chat = chat_of(openai_server)
    before = {name: value for name, value in vars(chat).items()}
    used(LangChainLLM(chat))
    assert vars(chat) == before
    assert all(vars(chat)[name] is before[name] for name in before)
    assert chat.root_async_client.max_retries == 2
    assert not chat.root_async_client.is_closed()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_nothing_is_retried_beneath_the_one_retry_layer(openai_server: OpenAIServer, status: int) -> None:
    openai_server.fault("status", status=status, headers={"retry-after": "7"})
    with pytest.raises(TransientModelError) as caught:
        used(LangChainLLM(chat_of(openai_server, max_retries=6)))
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)
    assert len(openai_server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusals_are_rejected_with_the_mend(openai_server: OpenAIServer, status: int) -> None:
    openai_server.fault("status", status=status, message="no such luck")
    with pytest.raises(RejectedRequestError, match="no such luck") as caught:
        used(LangChainLLM(chat_of(openai_server)))
    assert caught.value.status == status
    if status == 401:
        assert "Is the key from the ChatOpenAI object right for this server?" in str(caught.value)


def test_the_key_is_shown_to_nobody(openai_server: OpenAIServer) -> None:
    openai_server.api_key = "another"  # the server quotes the key that it got
    llm = LangChainLLM(chat_of(openai_server))
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
        used(LangChainLLM(chat_of(openai_server)))
    openai_server.fault("hang")
    with pytest.raises(TransientModelError, match=r"gave no answer within 0\.3 s\. If it needs longer"):
        used(LangChainLLM(chat_of(openai_server), ModelSettings(timeout=0.3)))


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("length", StructureError, r"truncated.*max_tokens"),
        ("truncated", StructureError, r"cut off"),
        ("not_json", StructureError, r"holds no JSON"),
        ("wrong_schema", StructureError, r"not in the structure.*lacks 'statements'"),
        ("refusal", RejectedRequestError, r"refused to answer: I cannot judge this"),
        ("content_filter", RejectedRequestError, r"content filter"),
    ],
)
def test_answers_that_are_none(openai_server: OpenAIServer, fault: str, error: type[Exception], message: str) -> None:
    openai_server.fault(fault)
    with pytest.raises(error, match=message):
        used(LangChainLLM(chat_of(openai_server), ModelSettings(structure="json_schema")))


@pytest.mark.parametrize("fault", ["fenced", "prose", "trailing_comma", "thinking"])
def test_answers_that_are_seen_through(openai_server: OpenAIServer, fault: str) -> None:
    openai_server.fault(fault)
    assert used(LangChainLLM(chat_of(openai_server))).value == VALUE


def test_the_identity_tells_what_decides_the_answers(openai_server: OpenAIServer) -> None:
    one = LangChainLLM(chat_of(openai_server, temperature=0.3, max_retries=5)).identity
    assert (one.provider, one.name, one.endpoint) == ("langchain", "judge", openai_server.url)
    assert dict(one.parameters) == {"class": '"ChatOpenAI"', "temperature": "0.3"}
    assert one == LangChainLLM(chat_of(openai_server, temperature=0.3)).identity
    others = [{"temperature": 0.4}, {"model": "other"}, {"extra_body": {"min_p": 0.1}}, {"extra_body": {"min_p": 0.2}}]
    identities = [LangChainLLM(chat_of(openai_server, **{"temperature": 0.3, **other})).identity for other in others]
    assert len({one, *identities}) == 5


def test_the_application_and_the_engine_use_one_object_on_two_loops(openai_server: OpenAIServer) -> None:
    """All objects of langchain-openai share one pool of connections, which belong to the loop that opened them."""
    openai_server.brain = lambda request: VALUE
    chat = chat_of(openai_server, max_retries=0)
    llm = LangChainLLM(chat)
    ready, done = threading.Barrier(2, timeout=30), threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def application() -> None:
        async def main() -> None:
            for _ in range(5):
                ready.wait()
                await chat.ainvoke("Hello")
                done.wait()

        try:
            asyncio.run(main())
        except BaseException as error:
            failures.append(error)
            ready.abort()
            done.abort()

    thread = threading.Thread(target=application)
    thread.start()

    async def engine(llm: LangChainLLM) -> None:
        for _ in range(5):
            await asyncio.to_thread(ready.wait)
            await asyncio.to_thread(done.wait)
            assert (await llm.ask(MESSAGES, SCHEMA)).value == VALUE

    used(llm, engine)
    thread.join(30)
    assert failures == []


def test_a_cache_of_the_application_answers_for_nobody_else(openai_server: OpenAIServer) -> None:
    """It would answer the second of two judgements that shall be independent."""
    from langchain_core.caches import InMemoryCache
    from langchain_core.globals import set_llm_cache

    set_llm_cache(InMemoryCache())
    try:
        llm = LangChainLLM(chat_of(openai_server))

        async def twice(llm: LangChainLLM) -> None:
            for _ in range(2):
                await llm.ask(MESSAGES, SCHEMA)

        used(llm, twice)
    finally:
        set_llm_cache(None)
    assert len(openai_server.requests) == 2


def test_callbacks_of_the_user_see_the_calls(openai_server: OpenAIServer) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Watching(BaseCallbackHandler):
        seen = 0

        def on_chat_model_start(self, *arguments: Any, **options: Any) -> None:
            self.seen += 1

    on_object, by_config = Watching(), Watching()
    used(LangChainLLM(chat_of(openai_server, callbacks=[on_object]).with_config(callbacks=[by_config])))
    assert (on_object.seen, by_config.seen) == (1, 1)


def test_nothing_is_traced_unless_the_environment_asks_for_it(openai_server: OpenAIServer) -> None:
    program = f"""
import asyncio, socket
real = socket.socket.connect
def connect(self, address):
    assert address[0] == "127.0.0.1", address
    return real(self, address)
socket.socket.connect = connect
from langchain_openai import ChatOpenAI
from pytest_ragas.models.langchain import LangChainLLM
from pytest_ragas.values.model import Message
async def main():
    llm = LangChainLLM(ChatOpenAI(model="judge", base_url={openai_server.url!r}, api_key="k"))
    text = '{{"text": "It is blue."}}'
    print((await llm.ask([Message(role="user", content=text)], {SCHEMA!r})).value)
    await llm.aclose()
asyncio.run(main())
from langsmith.utils import tracing_is_enabled
assert not tracing_is_enabled()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("{'statements': ['It is blue.']}\n", "")


# client = "langchain"


def settings_of(server: OpenAIServer, **changes: Any) -> ModelSettings:
    return ModelSettings(**{"client": "langchain", "model_name": "judge", "api_base": server.url, **changes})


def test_generation_config_is_on_the_wire_and_nothing_else(openai_server: OpenAIServer) -> None:
    config = {"max_tokens": 99, "top_p": 0.5, "seed": 7, "extra_body": {"min_p": 0.1}, "top_k": 3}
    headers = {"X-Team": "search", "X-Pass": Secret("open sesame")}
    settings = settings_of(openai_server, generation_config=config, api_key=Secret(KEY), headers=headers)
    llm = LangChainLLM.of_settings(settings)
    assert used(llm).value == VALUE
    (request,) = openai_server.requests
    body = dict(request.body)
    assert body.pop("response_format")["type"] == "json_schema"
    assert len(body.pop("messages")) == 2
    assert body == {
        "model": "judge",
        "stream": False,
        "temperature": 0,
        "max_tokens": 99,
        "top_p": 0.5,
        "seed": 7,
        "min_p": 0.1,
        "top_k": 3,
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert (request.headers["x-team"], request.headers["x-pass"]) == ("search", "open sesame")
    assert dict(llm.identity.parameters) == {
        "class": '"ChatOpenAI"',
        "max_tokens": "99",
        "min_p": "0.1",
        "seed": "7",
        "temperature": "0",
        "top_k": "3",
        "top_p": "0.5",
    }


def test_a_model_without_temperatures_is_asked_without(openai_server: OpenAIServer) -> None:
    openai_server.refuses = {"temperature": "Unsupported value: 'temperature' does not support 0 with this model."}
    llm = LangChainLLM.of_settings(settings_of(openai_server))
    assert used(llm).value == VALUE
    assert "temperature" not in openai_server.requests[-1].body
    assert llm.notes == ("judge takes no temperature; it answers at its own",)


def test_a_key_of_the_environment_goes_to_no_server_that_was_not_meant(
    openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    used(LangChainLLM.of_settings(settings_of(openai_server)))
    embedded(LangChainEmbeddings.of_settings(settings_of(openai_server)), ["a"])
    assert len(openai_server.requests) == 2
    for request in openai_server.requests:
        assert KEY not in json.dumps(request.headers)


def test_azure(openai_server: OpenAIServer) -> None:
    settings = settings_of(
        openai_server, api_base=openai_server.origin, api_key=Secret(KEY), api_version="2024-10-21", model_name="mine"
    )
    assert used(LangChainLLM.of_settings(settings)).value == VALUE
    embedded(LangChainEmbeddings.of_settings(settings), ["a"])
    chat, embeddings = openai_server.requests
    assert chat.path == "/openai/deployments/mine/chat/completions"
    assert embeddings.path == "/openai/deployments/mine/embeddings"
    assert chat.query == embeddings.query == {"api-version": "2024-10-21"}
    assert chat.headers["api-key"] == KEY


def test_embeddings_of_settings_send_plain_texts(openai_server: OpenAIServer) -> None:
    """LangChain's default sends token ids, and downloads a vocabulary to make them."""
    openai_server.embed = lambda text: [float(len(text)), 1.0, 2.0]
    embeddings = LangChainEmbeddings.of_settings(
        settings_of(openai_server, options={"dimensions": 2, "batch_size": 2}, model_name="embedder")
    )
    assert embedded(embeddings, ["a", "bb", "ccc"]) == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
    assert [request.body for request in openai_server.embeddings] == [
        {"model": "embedder", "input": texts, "dimensions": 2, "encoding_format": "float"}
        for texts in (["a", "bb"], ["ccc"])
    ]
    assert embeddings.identity.name == "embedder"
    assert dict(embeddings.identity.parameters)["dimensions"] == "2"


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    for build in (LangChainLLM.of_settings, LangChainEmbeddings.of_settings):
        with pytest.raises(MissingExtraError, match=r'client = "langchain" needs langchain-openai.*\[langchain\]'):
            build(ModelSettings(client="langchain", model_name="judge"))


# chat models of other makes


class Talker(BaseChatModel):
    """Synchronous, and without structured output."""

    says: Any = TEXT
    error: Any = None
    heard: list[list[BaseMessage]] = []  # noqa: RUF012 - pydantic copies it
    max_retries: int = 6
    model: str = "talker-1"
    temperature: float = 0.2

    @property
    def _llm_type(self) -> str:
        return "talker"

    def _generate(self, messages: list[BaseMessage], *arguments: Any, **options: Any) -> ChatResult:
        self.heard.append(messages)
        if self.error is not None:
            raise self.error
        message = self.says if isinstance(self.says, AIMessage) else AIMessage(content=self.says)
        return ChatResult(generations=[ChatGeneration(message=message)])


class ToolUser(Talker):
    """Asynchronous, with tools, as most providers' models are."""

    bound: list[Any] = []  # noqa: RUF012 - pydantic copies it

    async def _agenerate(self, messages: list[BaseMessage], *arguments: Any, **options: Any) -> ChatResult:
        assert threading.current_thread().name != "ragas-langchain"
        self.bound.append(options)
        if options.get("tools") and isinstance(self.says, str):
            call = {"name": options["tools"][0]["title"], "args": json.loads(self.says), "id": "1"}
            message = AIMessage(
                content=[{"type": "thinking", "thinking": "hm"}],
                tool_calls=[call],
                usage_metadata={"input_tokens": 7, "output_tokens": 3, "total_tokens": 10},
            )
            return ChatResult(generations=[ChatGeneration(message=message)])
        return self._generate(messages)

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self.bind(tools=tools, **options)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    forget()  # what is learned of a class of models


def test_a_synchronous_model_that_only_talks(monkeypatch: pytest.MonkeyPatch) -> None:
    talker = Talker(heard=[])
    llm = LangChainLLM(talker)
    assert used(llm).value == VALUE
    (messages,) = talker.heard
    assert [message.type for message in messages] == ["system", "human"]
    assert "JSON Schema" in messages[0].content, "what the model is asked for is said in words"
    assert (llm.identity.name, llm.identity.endpoint) == ("talker-1", "")
    assert dict(llm.identity.parameters) == {"class": '"Talker"', "temperature": "0.2"}


def test_synchronous_calls_run_at_once_in_threads() -> None:
    """LangChain's own threads are as few as the cores."""
    together = threading.Barrier(20, timeout=30)
    first = threading.Event()

    class Waiting(Talker):
        def _generate(self, *arguments: Any, **options: Any) -> ChatResult:
            if first.is_set():
                together.wait()
            first.set()
            assert threading.current_thread().name == "ragas-langchain"
            return super()._generate(*arguments, **options)

    async def work(llm: LangChainLLM) -> None:
        await llm.ask(MESSAGES, SCHEMA)
        await asyncio.gather(*(llm.ask(MESSAGES, SCHEMA) for _ in range(20)))

    used(LangChainLLM(Waiting()), work)


def test_a_model_with_tools_is_asked_in_its_provider_s_way() -> None:
    model = ToolUser(heard=[], bound=[])
    answer = used(LangChainLLM(model))
    assert answer.value == VALUE
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)
    (options,) = model.bound
    assert options["tools"][0]["title"] == "Statements"
    assert options["tools"][0]["properties"] == SCHEMA["properties"]


def test_a_provider_that_refuses_tools_is_asked_in_words() -> None:
    class NoTools(ToolUser):
        async def _agenerate(self, *arguments: Any, **options: Any) -> ChatResult:
            if options.get("tools"):
                raise StatusError("registry/llama2 does not support tools", 400)
            return self._generate(*arguments, **options)

    model = NoTools(heard=[])
    assert used(LangChainLLM(model)).value == VALUE
    assert len(model.heard) == 1


def test_the_retries_of_a_model_are_off_on_the_copy_only() -> None:
    class Counting(Talker):
        def _generate(self, *arguments: Any, **options: Any) -> ChatResult:
            assert self.max_retries == 0
            return super()._generate(*arguments, **options)

    model = Counting()
    used(LangChainLLM(model))
    assert model.max_retries == 6


class StatusError(Exception):
    """As anthropic, mistral, ollama and others have them."""

    def __init__(self, message: str, status_code: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = type("Response", (), {"headers": headers or {}, "status_code": status_code})()


class ClientError(Exception):
    """As boto has it."""

    response = {"ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"Retry-After": "3"}}}  # noqa: RUF012


class GoogleError(Exception):
    code = 503


class ReadTimeout(Exception):
    """As httpx has it."""


class TransportError(Exception):
    """As httpx has it."""


def _wrapped(cause: Exception) -> Exception:
    error = RuntimeError("the provider's own words")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (StatusError("slow down", 429, {"retry-after": "3"}), TransientModelError, "429 Too Many Requests: slow down"),
        (StatusError("overloaded", 529), TransientModelError, "Talker answered 529: overloaded"),
        (StatusError("bad key", 401), RejectedRequestError, "Is the key from the Talker object right"),
        (StatusError("no such model", 404), RejectedRequestError, "404 Not Found"),
        (ClientError("throttled"), TransientModelError, "429 Too Many Requests: throttled"),
        (_wrapped(GoogleError("unavailable")), TransientModelError, "503 Service Unavailable: unavailable"),
        (TimeoutError("slow"), TransientModelError, "Talker gave no answer in time: slow"),
        (TransportError("broken"), TransientModelError, "No connection to Talker, or it broke: broken"),
        (_wrapped(ConnectionResetError("reset")), TransientModelError, "No connection to Talker, or it broke: reset"),
        (ValueError("no idea"), ModelError, "Talker failed with ValueError: no idea"),
    ],
)
def test_what_exceptions_of_other_sdks_mean(error: Exception, kind: type[ModelError], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        used(LangChainLLM(Talker(error=error)))
    assert type(caught.value) is kind
    assert message in str(caught.value)
    if kind is ModelError:
        assert caught.value.__cause__ is error
    if kind is TransientModelError and "429" in message:
        assert caught.value.retry_after == 3.0  # type: ignore[attr-defined]


def test_a_key_in_an_unknown_exception_is_shown_to_nobody() -> None:
    from pydantic import SecretStr

    class Keyed(Talker):
        api_key: SecretStr = SecretStr(KEY)

    with pytest.raises(ModelError) as caught:
        used(LangChainLLM(Keyed(error=ValueError(f"cannot log in with {KEY}"))))
    assert "cannot log in with ***" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        (AIMessage(content=TEXT[:20], response_metadata={"stop_reason": "max_tokens"}), StructureError, "truncated"),
        (AIMessage(content=TEXT[:20], response_metadata={"finish_reason": "MAX_TOKENS"}), StructureError, "truncated"),
        (AIMessage(content="", response_metadata={"finish_reason": "SAFETY"}), RejectedRequestError, "content filter"),
        (AIMessage(content=""), StructureError, "empty"),
    ],
)
def test_how_providers_say_that_an_answer_is_none(message: AIMessage, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        used(LangChainLLM(Talker(says=message)))


def test_answers_in_blocks() -> None:
    blocks = [{"type": "reasoning", "reasoning": "{}"}, {"type": "text", "text": TEXT}]
    assert used(LangChainLLM(Talker(says=AIMessage(content=blocks)))).value == VALUE


# embeddings


def test_openai_embeddings_of_the_user(openai_server: OpenAIServer) -> None:
    openai_server.embed = lambda text: [float(len(text)), 1.0]
    theirs = langchain_openai.OpenAIEmbeddings(
        model="embedder", base_url=openai_server.url, api_key=KEY, check_embedding_ctx_length=False, chunk_size=2
    )
    embeddings = LangChainEmbeddings(theirs)
    assert isinstance(embeddings, Embeddings)
    assert embedded(embeddings, ["a", "bb", "ccc"]) == [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]
    assert len(openai_server.embeddings) == 2
    assert (embeddings.identity.provider, embeddings.identity.name) == ("langchain", "embedder")
    assert embeddings.identity.endpoint == openai_server.url
    openai_server.fault("status", status=429, headers={"retry-after": "7"}, route="embeddings")
    with pytest.raises(TransientModelError) as caught:
        embedded(LangChainEmbeddings(theirs), ["a"])
    assert caught.value.retry_after == 7.0
    assert len(openai_server.embeddings) == 3
    assert theirs.async_client._client.max_retries == 2, "theirs is as it was"


class Lengths(LangChainEmbeddingsBase):
    """Synchronous, and no pydantic model."""

    def __init__(self, *vectors: list[float]) -> None:
        self.vectors = vectors
        self.calls: list[list[str]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        assert threading.current_thread().name == "ragas-langchain-embeddings"
        self.calls.append(texts)
        return list(self.vectors) or [[float(len(text)), 1.0] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("all texts are embedded alike")


def test_synchronous_embeddings_run_in_one_thread_and_gather() -> None:
    theirs = Lengths()
    embeddings = LangChainEmbeddings(theirs)
    assert embeddings.identity.name == "Lengths"

    async def main() -> Any:
        answers = await asyncio.gather(*(embeddings.embed(["x" * number]) for number in range(1, 31)))
        await embeddings.aclose()
        return answers

    assert asyncio.run(main()) == [[[float(number), 1.0]] for number in range(1, 31)]
    assert len(theirs.calls) < 30


def test_asynchronous_embeddings_are_awaited() -> None:
    class Async(Lengths):
        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[0.5] for _ in texts]

    assert embedded(LangChainEmbeddings(Async()), ["a", "b"]) == [[0.5], [0.5]]
    assert embedded(LangChainEmbeddings(Async()), []) == []


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0]], "gave 1 vectors for 2 texts"),
        ([[1.0], [1.0, 2.0]], "vectors of different lengths"),
        ([[1.0], [float("nan")]], "not finite"),
        ([[1.0], []], "no vector"),
    ],
)
def test_vectors_that_are_none(vectors: list[list[float]], message: str) -> None:
    with pytest.raises(RejectedRequestError, match=message):
        embedded(LangChainEmbeddings(Lengths(*vectors)), ["a", "b"])


def test_an_unknown_exception_of_embeddings_keeps_its_cause() -> None:
    class Broken(Lengths):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise LookupError("no index")

    with pytest.raises(ModelError, match="Broken failed with LookupError: no index") as caught:
        embedded(LangChainEmbeddings(Broken()), ["a"])
    assert isinstance(caught.value.__cause__, LookupError)
