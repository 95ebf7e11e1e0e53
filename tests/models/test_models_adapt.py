"""What a fixture may return, and what is said of everything else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.models.adapt import as_embeddings, as_llm
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.models.scripted import ScriptedCritic, ScriptedEmbeddings
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, EmbeddedCritic, Message, ModelIdentity

CRITIC = ModelSettings(model_name_or_path="embedded")


@dataclass
class Mine:
    """A model of the user's own."""

    identity: Any = ModelIdentity(provider="mine", name="judge")

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        return Answer(value={})

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [[1.0] for _ in texts]

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("value", [ScriptedCritic([]), EmbeddedCritic(), Mine()])
def test_an_llm_is_itself(value: Any) -> None:
    assert as_llm(value, CRITIC) is value


@pytest.mark.parametrize("value", [ScriptedEmbeddings({}), Mine()])
def test_embeddings_are_themselves(value: Any) -> None:
    assert as_embeddings(value, None) is value


def test_settings_are_built() -> None:
    settings = ModelSettings(model_name="judge", api_base="http://127.0.0.1:9/v1")
    assert isinstance(as_llm(settings, CRITIC), OpenAIChat)
    assert isinstance(as_embeddings(settings), OpenAIEmbeddings)


@pytest.mark.parametrize("kind", ["AsyncOpenAI", "OpenAI"])
def test_openai_clients(kind: str) -> None:
    openai = pytest.importorskip("openai")
    client = getattr(openai, kind)(api_key="k", base_url="http://127.0.0.1:9/v1")
    named = ModelSettings(model_name="judge", generation_config={"seed": 7}, structure="tools")
    llm = as_llm(client, named)
    assert (
        llm.identity
        == OpenAIChat(
            ModelSettings(
                model_name="judge", api_base="http://127.0.0.1:9/v1", generation_config={"seed": 7}, structure="tools"
            )
        ).identity
    )
    assert as_llm((client, "other"), named).identity.name == "other"
    assert as_embeddings((client, "embedder")).identity.name == "embedder"
    with pytest.raises(ConfigurationError, match="does not say which model to ask"):
        as_llm(client, CRITIC)
    with pytest.raises(ConfigurationError, match="does not say which model to ask"):
        as_embeddings(client, None)


def test_langchain_objects() -> None:
    pytest.importorskip("langchain_core")
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.language_models import FakeListChatModel

    chat = FakeListChatModel(responses=["{}"])
    assert as_llm(chat, CRITIC).identity.provider == "langchain"
    assert as_llm(chat.bind(stop=["x"]).with_config(tags=["t"]), CRITIC).identity.provider == "langchain"
    assert as_embeddings(DeterministicFakeEmbedding(size=3)).identity.provider == "langchain"


async def _async_fixture() -> None: ...


async def _async_generator_fixture() -> Any:
    yield 1


class Half:
    """Lacks something."""

    identity = ModelIdentity(provider="mine", name="half")

    async def ask(self, messages: Any, schema: Any) -> Any: ...


MISTAKES = [
    (lambda: None, "returned None. Does it lack a return?"),
    (lambda: "gpt-4o-mini", "returned a text; a fixture returns the model itself. To name one, leave it out"),
    (lambda: ScriptedCritic, "returned the class ScriptedCritic, not an object of it. Write ScriptedCritic(…)"),
    (_async_fixture, "is async, and nothing awaited it. Make it a plain def"),
    (_async_generator_fixture, "is async, and nothing awaited it. Make it a plain def"),
    (Mock, "returned a Mock, which answers anything to everything. Return ScriptedCritic"),
    (MagicMock, "returned a MagicMock, which"),
    (AsyncMock, "returned a AsyncMock, which"),
    (lambda: {"model_name": "x"}, "returned a mapping; settings belong into [tool.pytest-ragas."),
    (lambda: 7, "returned a int, which we cannot ask. Return "),
    (lambda: ("a", "b"), "returned a tuple, which we cannot ask. Return "),
    (lambda: Mine(identity="judge"), "returned a Mine whose identity is 'judge'. Make it a ModelIdentity"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES)
def test_mistakes_say_what_came_and_what_to_return(make: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        as_llm(make(), CRITIC)
    assert str(caught.value).startswith("The fixture ragas_critic_llm ")
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        as_embeddings(make(), None)
    assert str(caught.value).startswith("The fixture ragas_embeddings ")


def test_what_half_a_model_lacks_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"returned a .*Half, which we cannot ask\. It lacks aclose\. Return"):
        as_llm(Half(), CRITIC)
    with pytest.raises(ConfigurationError, match=r"It lacks embed, aclose\. Return LangChain embeddings"):
        as_embeddings(Half())


def test_the_generator_s_fixture_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"fixture ragas_generator_llm returned a text.*\.generator_llm\]"):
        as_llm("gpt", CRITIC, fixture="ragas_generator_llm")


def test_what_looks_like_a_model_and_is_none() -> None:
    pytest.importorskip("langchain_core")
    from langchain_core.language_models import FakeListChatModel
    from langchain_core.language_models.fake import FakeListLLM

    chat = FakeListChatModel(responses=["{}"])
    for chain in (chat.with_retry(), chat.with_fallbacks([chat]), chat | (lambda message: message)):
        with pytest.raises(ConfigurationError, match="return the chat model itself; retries are ours"):
            as_llm(chain, CRITIC)
    with pytest.raises(ConfigurationError, match="It completes texts and knows no messages"):
        as_llm(FakeListLLM(responses=["{}"]), CRITIC)


@pytest.mark.parametrize(
    ("name", "package", "message"),
    [
        ("SentenceTransformer", "sentence_transformers.base", "model_name_or_path = its path or hub id"),
        ("LangchainEmbeddingsWrapper", "ragas.embeddings.base", "Return the LangChain object that it wraps"),
        ("OpenAIEmbeddings", "ragas.embeddings", "Return the client or LangChain object that it was made from"),
    ],
)
def test_objects_of_other_libraries(name: str, package: str, message: str) -> None:
    value = type(name, (), {"__module__": package})()
    with pytest.raises(ConfigurationError, match=message):
        as_embeddings(value)


def test_looking_at_a_value_imports_nothing() -> None:
    program = """
import sys
from pytest_ragas.models.adapt import as_llm
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.settings.values import ModelSettings
as_llm(ScriptedCritic([]), ModelSettings())
heavy = {"aiohttp", "openai", "httpx", "jsonschema", "langchain_core", "langchain_openai", "torch"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
