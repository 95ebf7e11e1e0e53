"""The fixtures: overridden at any scope, and documented where pytest prints them."""

from __future__ import annotations

import pytest

# a critic that finds every statement supported, or none
CRITICS = """
def critic(verdict, name):
    def answer(messages, schema):
        title = schema["title"].lower()
        calls.append((name, title))
        return script(schema, verdict)
    return ScriptedCritic(answer, name=name)

calls = []


def script(schema, verdict):
    # whatever the structure is called: one statement, judged as `verdict`
    def fill(part):
        if "$ref" in part:
            return fill(schema["$defs"][part["$ref"].rsplit("/", 1)[1]])
        if "enum" in part:
            return verdict if verdict in part["enum"] else part["enum"][0]
        kind = part.get("type")
        if kind == "object":
            return {key: fill(value) for key, value in part["properties"].items()}
        if kind == "array":
            return [fill(part["items"])]
        if kind in ("integer", "number"):
            return verdict
        if kind == "boolean":
            return bool(verdict)
        return "It is so."
    return fill(schema)


SAMPLE = Sample(user_input="?", response="It is so.", retrieved_contexts=["It is so."], reference="It is so.")
"""


def test_a_critic_of_the_users_judges(rag_project, xdist_args):
    result = rag_project.conftest("from pytest_ragas import *" + CRITICS + """
@pytest.fixture(scope="session")
def ragas_critic_llm():
    return critic(0, "strict judge")
""").tests("""
        from conftest import SAMPLE

        def test_it():
            assert_faithfulness(SAMPLE, threshold=0.5)
    """).run(*xdist_args)  # fmt: skip
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["faithfulness 0.00 < 0.50", "critic LLM  strict judge: 2 calls"])


@pytest.mark.parametrize("scope", ["session", "module", "class", "function"])
def test_a_critic_may_be_overridden_at_any_scope(rag_project, scope):
    module = (
        CRITICS
        + f"""
@pytest.fixture(scope="{scope}")
def ragas_critic_llm():
    yield critic(VERDICT, "judge")

@pytest.mark.ragas(thresholds={{"faithfulness": 0.5}})
def test_marked(ragas_sample):
    return SAMPLE

def test_helper():
    assert_faithfulness(SAMPLE, threshold=0.5)
"""
    )
    rag_project.tests("VERDICT = 1\n" + module, name="test_kind.py")
    rag_project.tests("VERDICT = 0\n" + module, name="test_strict.py")
    rag_project.run("-v").assert_outcomes(passed=2, failed=2)


def test_a_class_may_have_its_own_critic(rag_project):
    rag_project.tests(CRITICS + """
class TestKind:
    @pytest.fixture
    def ragas_critic_llm(self):
        return critic(1, "kind")

    def test_it(self):
        assert_faithfulness(SAMPLE, threshold=0.5)


class TestStrict:
    @pytest.fixture
    def ragas_critic_llm(self):
        return critic(0, "strict")

    def test_it(self):
        assert_faithfulness(SAMPLE, threshold=0.5)
""").run().assert_outcomes(passed=1, failed=1)  # fmt: skip


def test_a_parametrized_critic_multiplies_the_tests(rag_project):
    result = rag_project.testset("It is so.", retrieved_contexts=["c"]).tests(CRITICS + """
@pytest.fixture(params=["kind", "strict"])
def ragas_critic_llm(request):
    return critic(int(request.param == "kind"), request.param)

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5})
def test_rag(ragas_sample):
    pass
""").run("-v")  # fmt: skip
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines_random(["critic LLM  kind: 2 calls", "critic LLM  strict: 2 calls"])


def test_an_async_critic_fixture_works_for_marked_tests(rag_project):
    rag_project.testset("It is so.", retrieved_contexts=["c"]).tests(CRITICS + """
import pytest_asyncio

@pytest_asyncio.fixture
async def ragas_critic_llm():
    return critic(0, "strict")

@pytest.mark.asyncio
@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5})
async def test_rag(ragas_sample):
    pass
""").run().assert_outcomes(failed=1)  # fmt: skip


def test_a_fixture_that_gives_no_critic_is_an_error_with_the_mend(rag_project):
    result = rag_project.tests(CRITICS + """
@pytest.fixture
def ragas_critic_llm():
    return 42

@pytest.mark.ragas(metrics=["faithfulness"])
def test_rag(ragas_sample):
    return SAMPLE
""").run()  # fmt: skip
    result.assert_outcomes(errors=1)
    assert "pytest_ragas/" not in result.stdout.str()
    result.stdout.fnmatch_lines(["The fixture ragas_critic_llm returned a int, *", "test_rag.py:*: ConfigurationError"])


def test_a_metric_that_needs_an_llm_is_refused_under_the_embedded_critic(rag_project):
    result = rag_project.tests("""
        @pytest.mark.ragas(metrics=["noise_sensitivity"])
        def test_rag(ragas_sample):
            return Sample(user_input="?", response="A", retrieved_contexts=["c"], reference="A")
    """).run()  # fmt: skip
    result.assert_outcomes(errors=1)
    assert "pytest_ragas/" not in result.stdout.str()
    assert "noise_sensitivity" in result.stdout.str()


def test_pytest_fixtures_documents_ours_with_examples(rag_project):
    text = rag_project.run("--fixtures").stdout.str()
    for line in (
        "ragas_critic_llm [session scope]",
        "ragas_generator_llm [session scope]",
        "ragas_embeddings [session scope]",
        "ragas -- ",
        "ragas_sample -- ",
        'return ChatOpenAI(model="gpt-4o-mini", temperature=0)',
        'scores = ragas.score(Sample(...), ["context_precision"])',
        "answer = rag.ask(ragas_sample.user_input)",
    ):
        assert line in text


def test_a_user_may_wrap_our_critic(rag_project):
    rag_project.tests("""
        @pytest.fixture(scope="session")
        def ragas_critic_llm(ragas_critic_llm):
            assert ragas_critic_llm.identity.name == "embedded"
            return ragas_critic_llm

        def test_it(ragas):
            assert ragas.evaluator.critic.identity.name == "embedded"
    """).run().assert_outcomes(passed=1)  # fmt: skip


def test_a_critic_fixture_that_returns_nothing_is_an_error(pytester):
    """It does not fall back to the configured critic: somebody meant another one to judge."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def ragas_critic_llm():
            "Forgot to return it."
        """
    )
    pytester.makepyfile(
        """
        from pytest_ragas import Sample, assert_faithfulness

        def test_it():
            assert_faithfulness(Sample(response="It is so.", retrieved_contexts=["It is so."]), threshold=0.5)
        """
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*return*"])


@pytest.mark.parametrize("spelling", ["factual_correctness", "FactualCorrectness"])
def test_options_of_a_metric_are_found_in_either_spelling(pytester, spelling):
    pytester.makepyprojecttoml(
        f"""
        [tool.pytest-ragas]
        critic_llm = {{ model_name = "m", api_base = "http://127.0.0.1:9/v1" }}

        [tool.pytest-ragas.metric_options.{spelling}]
        no_such_option = 1
        """
    )
    pytester.makepyfile(
        """
        from pytest_ragas import Sample

        def test_it(ragas):
            ragas.score(Sample(response="It is so.", reference="It is so."), "factual_correctness")
        """
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.stdout.fnmatch_lines(["*no_such_option*"])
