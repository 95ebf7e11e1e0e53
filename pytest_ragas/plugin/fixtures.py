"""The fixtures: models that a suite may replace, the evaluator, and the row of a marked test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ragas.plugin.suite import suite_of

if TYPE_CHECKING:  # nothing of ours is imported before a test asks for a fixture
    from pytest_ragas.plugin.evaluator import RagasEvaluator
    from pytest_ragas.plugin.handle import SampleHandle
    from pytest_ragas.protocols import LLM, Embeddings
    from pytest_ragas.values.model import EmbeddedCritic


@pytest.fixture(scope="session")
def ragas_critic_llm(pytestconfig: pytest.Config) -> LLM | EmbeddedCritic:
    """The critic LLM that judges answers, from [tool.pytest-ragas.critic_llm]; "embedded" where none is configured.

    Override it in conftest.py or a test module, at any scope, to bring your own: an object with our `LLM`
    protocol, an `openai.AsyncOpenAI` client, any LangChain chat model, or a scripted critic in tests of a suite:

        @pytest.fixture(scope="session")
        def ragas_critic_llm():
            return ChatOpenAI(model="gpt-4o-mini", temperature=0)

    Session scope, because connections and local models are worth keeping.
    """
    return suite_of(pytestconfig).session.critic()


@pytest.fixture(scope="session")
def ragas_generator_llm(pytestconfig: pytest.Config) -> LLM | EmbeddedCritic:
    """The generator LLM that writes testsets, from [tool.pytest-ragas.generator_llm]; else the critic LLM.

    Override it like `ragas_critic_llm`.
    """
    return suite_of(pytestconfig).session.generator()


@pytest.fixture(scope="session")
def ragas_embeddings(pytestconfig: pytest.Config) -> Embeddings | None:
    """The embeddings that metrics compare texts with, from [tool.pytest-ragas.embeddings]; None where there are none.

    Override it in conftest.py or a test module, at any scope, with an object of our `Embeddings` protocol or
    any LangChain embeddings:

        @pytest.fixture(scope="session")
        def ragas_embeddings():
            return OpenAIEmbeddings(model="text-embedding-3-small")
    """
    return suite_of(pytestconfig).session.embeddings()


@pytest.fixture
def ragas(request: pytest.FixtureRequest, ragas_critic_llm: object, ragas_embeddings: object) -> RagasEvaluator:
    """The evaluator: scores samples inside a test, at once.

        def test_contexts(ragas):
            scores = ragas.score(Sample(...), ["context_precision"])     # async: await ragas.ascore(...)
            assert scores["context_precision"].value >= 0.5

    Function scope, so that a test module or class may override `ragas_critic_llm` and `ragas_embeddings` at its own
    scope; what they hold is built once for each of them.
    """
    from pytest_ragas.plugin.evaluator import RagasEvaluator

    suite = suite_of(request.config)
    suite.use()
    return RagasEvaluator(suite.evaluator(ragas_critic_llm, ragas_embeddings), request.node)


@pytest.fixture
def ragas_sample(request: pytest.FixtureRequest, ragas: RagasEvaluator) -> SampleHandle:
    """The row of the testset that this test is about, and where its answer is recorded.

        @pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
        def test_rag(ragas_sample, rag):
            answer = rag.ask(ragas_sample.user_input)
            ragas_sample.record(response=answer.text, retrieved_contexts=answer.chunks)

    It has .user_input, .response, .retrieved_contexts, .reference, .reference_contexts, .id, .tags and .metadata.
    Instead of recording the answer, a test may return it: a string, a mapping, a `Sample`, or an object with
    .response and .retrieved_contexts. Without a testset, record the question too: record(user_input=..., ...).
    """
    from pytest_ragas.errors import ConfigurationError
    from pytest_ragas.plugin.handle import SampleHandle
    from pytest_ragas.plugin.verdict import HANDLE, is_marked

    # `ragas` is a parameter, though unused, so that pytest sees a parametrized critic LLM when it collects
    if not is_marked(request.node):
        raise ConfigurationError(
            f"{request.node.nodeid} takes ragas_sample, but is not marked. Mark it: "
            '@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8}).'
        )
    handle = SampleHandle(getattr(request, "param", None))
    request.node.stash[HANDLE] = handle
    return handle
