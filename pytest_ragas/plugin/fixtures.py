"""The fixtures: models that a suite may replace, the evaluator, and the row of a marked test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ragas.plugin.current import current_item
from pytest_ragas.plugin.suite import suite_of

if TYPE_CHECKING:  # nothing of ours is imported before a test asks for a fixture
    from pytest_ragas.plugin.evaluator import RagasEvaluator
    from pytest_ragas.plugin.handle import SampleHandle
    from pytest_ragas.protocols import Critic, Embeddings


# Those that every marked test goes through take neither `request` nor `pytestconfig`: for a test with a fixture that
# does, pytest reads a signature anew three times, which costs more than all that we do.
# The docstrings have no empty lines: `pytest --fixtures` prints up to the first one, and the example shall be there.


@pytest.fixture(scope="session")
def ragas_critic_llm() -> Critic:
    """The critic LLM that judges answers: [tool.pytest-ragas.critic_llm]; "embedded" where none is configured.
    To bring your own, override it in conftest.py, a module or a class, at any scope. It may be any LangChain chat
    model, an openai client as (client, model name), a ScriptedCritic, or an object with our `LLM` protocol:
        @pytest.fixture(scope="session")
        def ragas_critic_llm():
            return ChatOpenAI(model="gpt-4o-mini", temperature=0)
    Session scope, because connections and local models are worth keeping.
    """
    return suite_of(current_item("ragas_critic_llm").config).session.critic()


@pytest.fixture(scope="session")
def ragas_generator_llm(pytestconfig: pytest.Config) -> Critic:
    """The generator LLM that writes testsets: [tool.pytest-ragas.generator_llm]; else the critic LLM.
    To bring your own, override it as you would `ragas_critic_llm`:
        @pytest.fixture(scope="session")
        def ragas_generator_llm():
            return ChatOpenAI(model="gpt-4o", temperature=0.7)
    Session scope, because connections and local models are worth keeping.
    """
    return suite_of(pytestconfig).session.generator()


@pytest.fixture(scope="session")
def ragas_embeddings() -> Embeddings | None:
    """The embeddings that metrics compare texts with: [tool.pytest-ragas.embeddings]; None where none are configured.
    To bring your own, override it in conftest.py, a module or a class, at any scope. They may be any LangChain
    embeddings, ScriptedEmbeddings, or an object with our `Embeddings` protocol:
        @pytest.fixture(scope="session")
        def ragas_embeddings():
            return OpenAIEmbeddings(model="text-embedding-3-small")
    Session scope, because connections and local models are worth keeping.
    """
    return suite_of(current_item("ragas_embeddings").config).session.embeddings()


@pytest.fixture
def ragas(ragas_critic_llm: object, ragas_embeddings: object) -> RagasEvaluator:
    """The evaluator: scores samples inside a test, at once, without asserting anything.
        def test_contexts(ragas):
            scores = ragas.score(Sample(...), ["context_precision"])     # async: await ragas.ascore(...)
            assert scores["context_precision"].value >= 0.5
    It judges with `ragas_critic_llm` and `ragas_embeddings`. Function scope, so that a module or a class may override
    these at its own scope; metrics are built once for each of them all the same.
    """
    from pytest_ragas.plugin.evaluator import RagasEvaluator

    item = current_item("ragas")
    suite = suite_of(item.config)
    suite.use()
    return RagasEvaluator(suite.evaluator(ragas_critic_llm, ragas_embeddings), item)


@pytest.fixture
def ragas_sample(ragas: RagasEvaluator) -> SampleHandle:
    """The row of the testset that this test is about, and where its answer is recorded.
        @pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
        def test_rag(ragas_sample, rag):
            answer = rag.ask(ragas_sample.user_input)
            ragas_sample.record(response=answer.text, retrieved_contexts=answer.chunks)
    It has .user_input, .response, .retrieved_contexts, .reference, .reference_contexts, .id, .tags and .metadata.
    Instead of recording the answer, a test may return it: a string, a mapping, a `Sample`, or an object with
    .response and .retrieved_contexts. Without a testset, record the question too: record(user_input=..., ...).
    Where the marker names a target, .response and .retrieved_contexts are its answer, which is waited for.
    """
    from pytest_ragas.errors import ConfigurationError
    from pytest_ragas.plugin.deferral.lookahead import row_of
    from pytest_ragas.plugin.handle import SampleHandle
    from pytest_ragas.plugin.verdicts.verdict import HANDLE, arguments_of, is_marked

    # `ragas` is a parameter, though unused, so that pytest sees a parametrized critic LLM when it collects
    item = current_item("ragas_sample")
    if not is_marked(item):
        raise ConfigurationError(
            f"{item.nodeid} takes ragas_sample, but is not marked. Mark it: "
            '@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8}).'
        )
    row, target = row_of(item), arguments_of(item).target
    if row is None or target is None:
        handle = SampleHandle(row)
    else:
        from pytest_ragas.plugin.targets.target import targets_of

        handle = targets_of(suite_of(item.config)).handle(item, target, row)
    item.stash[HANDLE] = handle
    return handle
