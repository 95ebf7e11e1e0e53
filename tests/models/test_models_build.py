"""From settings to a model: which client, and what is said where there is none."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, MissingExtraError
from pytest_ragas.models.build import build_embeddings, build_llm
from pytest_ragas.models.embeddings import SentenceTransformerEmbeddings
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.protocols import LLM, Embeddings
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.model import EmbeddedCritic

API = {"model_name": "judge", "api_base": "http://127.0.0.1:9/v1"}


def test_the_default_critic_is_the_embedded_one() -> None:
    assert build_llm(Settings().critic_llm) == EmbeddedCritic()


def test_an_api_model_is_asked_by_our_own_client() -> None:
    llm, embeddings = build_llm(ModelSettings(**API)), build_embeddings(ModelSettings(**API))
    assert isinstance(llm, OpenAIChat)
    assert isinstance(embeddings, OpenAIEmbeddings)
    assert llm.identity.endpoint == API["api_base"]


@pytest.mark.parametrize(("client", "library"), [("openai", "openai"), ("langchain", "langchain_openai")])
def test_other_clients(client: Any, library: str) -> None:
    pytest.importorskip(library)
    llm = build_llm(ModelSettings(**API, client=client))
    embeddings = build_embeddings(ModelSettings(**API, client=client))
    assert isinstance(llm, LLM)
    assert isinstance(embeddings, Embeddings)
    assert llm.identity.provider == embeddings.identity.provider == client
    assert llm.identity.endpoint == embeddings.identity.endpoint == API["api_base"]


@pytest.mark.parametrize("client", ["openai", "langchain"])
@pytest.mark.parametrize("build", [build_llm, build_embeddings])
def test_a_client_that_is_not_installed_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, client: Any, build: Any
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    with pytest.raises(MissingExtraError, match=rf'client = "{client}" needs .*pytest-ragas\[langchain\]'):
        build(ModelSettings(**API, client=client))


def test_local_embeddings() -> None:
    assert isinstance(build_embeddings(ModelSettings(model_name_or_path="minilm")), SentenceTransformerEmbeddings)


@pytest.mark.parametrize("build", [build_llm, build_embeddings])
def test_evalscope_names_api_models_either_way(build: Any) -> None:
    settings = ModelSettings(model_name_or_path="judge", api_base=API["api_base"])
    assert build(settings).identity == build(ModelSettings(**API)).identity
    both = ModelSettings(model_name_or_path="judge", **API)
    assert build(both).identity == build(ModelSettings(**API)).identity


@pytest.mark.parametrize("build", [build_llm, build_embeddings])
def test_two_names_that_differ_are_an_error(build: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"both model_name = 'judge' and model_name_or_path = 'other' are given"
    ):
        build(ModelSettings(model_name_or_path="other", **API))


def test_a_local_llm_is_built_without_looking_for_it() -> None:
    llm = build_llm(ModelSettings(model_name_or_path="qwen/Qwen2-7B-Instruct", template_type="qwen"))
    assert (llm.identity.provider, llm.identity.name) == ("transformers", "qwen/Qwen2-7B-Instruct")
    assert dict(llm.identity.parameters) == {"temperature": "0.0", "template_type": '"qwen"'}


def test_minilm_is_no_critic() -> None:
    with pytest.raises(ConfigurationError, match=r'"minilm" is an embedding model and cannot judge'):
        build_llm(ModelSettings(model_name_or_path="minilm"))


def test_embedded_is_no_embedding_model() -> None:
    with pytest.raises(ConfigurationError, match=r'embeddings = "embedded" does not exist.*"minilm"'):
        build_embeddings(ModelSettings(model_name_or_path="embedded"))


@pytest.mark.parametrize("build", [build_llm, build_embeddings])
def test_settings_that_name_no_model(build: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"name no model\. Write model_name and api_base"):
        build(ModelSettings())


def test_building_the_default_imports_nothing_heavy() -> None:
    program = """
import sys
from pytest_ragas.models.build import build_llm
from pytest_ragas.settings.values import ModelSettings
build_llm(ModelSettings(model_name_or_path="embedded"))
heavy = {"aiohttp", "openai", "httpx", "jsonschema", "langchain_core", "langchain_openai", "torch", "asyncio"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
