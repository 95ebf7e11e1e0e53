"""`--ragas-estimate`: what a run would ask and cost; no test runs, and nobody is asked."""

from __future__ import annotations

import pytest
from openai_server.server import OpenAIServer

MODELS = """
[tool.pytest-ragas.critic_llm]
model_name = "judge"
api_base = "{url}"
api_key = "env:A_KEY_THAT_IS_NOT_SET"

[tool.pytest-ragas.embeddings]
model_name = "emb"
api_base = "{url}"

[tool.pytest-ragas.prices]
judge = {{ input = 1, output = 4 }}
"""

RECORDED = """
@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5, "answer_similarity": 0.5})
def test_recorded(ragas_sample):
    pass
"""


@pytest.fixture
def project(rag_project, openai_server: OpenAIServer):
    """Three recorded answers, and a server that counts."""
    rag_project.config(MODELS.format(url=openai_server.url)).tests(RECORDED)
    return rag_project.testset(
        "It is so.", "So it is.", "It is not.", reference="It is.", retrieved_contexts=["It is so."]
    )


def test_a_line_for_each_metric_and_model(project, openai_server: OpenAIServer, xdist_args) -> None:
    result = project.run("--ragas-estimate", *xdist_args)
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes() == {}
    result.stdout.fnmatch_lines(
        [
            "=*= ragas estimate =*=",
            "metric * model * calls * tokens read * written * cost",
            "faithfulness * judge * 6 * $0.00*",
            "answer_similarity * emb * 3 * ?",
            "total * 9 * $0.00* + ?",
            "",
            "answers of 3 tests: 3 recorded in the testset",
            "0 of 6 scores need no call: stored, or the same as another",
            "no price is known of emb: [[]tool.pytest-ragas.prices[]]",
        ]
    )
    assert not openai_server.requests
    assert not (project.path / ".pytest-ragas").exists()


def test_what_was_estimated_is_what_is_asked(project, openai_server: OpenAIServer, monkeypatch) -> None:
    monkeypatch.setenv("A_KEY_THAT_IS_NOT_SET", "sk-now-it-is")
    project.run("--ragas-estimate").stdout.fnmatch_lines(["total * 9 *"])
    project.run()
    assert len(openai_server.requests) == 9
    result = project.run("--ragas-estimate")
    result.stdout.fnmatch_lines(
        ["0 calls: everything is stored", "6 of 6 scores need no call: stored, or the same as another"]
    )
    assert len(openai_server.requests) == 9


BODIES = """
@pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
def test_answers(ragas_sample):
    raise AssertionError("no body runs")

@pytest.mark.ragas(testset="open.json", metrics=["faithfulness", "context_precision"])
def test_open(ragas_sample):
    return "an answer"

@pytest.mark.skip
@pytest.mark.ragas(testset="testset.json", metrics=["faithfulness"])
def test_skipped(ragas_sample):
    pass

def test_helpers(ragas):
    raise AssertionError("no body runs")

def test_others():
    raise AssertionError("no body runs")
"""


def test_answers_that_are_not_known_are_assumed_and_said(project) -> None:
    project.tests(BODIES).testset(None, None, name="open.json", reference="It is.")
    result = project.run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "faithfulness * 10 *",  # 3 + 2 rows
            "context_precision * 10 *",  # one for each of the five contexts that two rows are thought to get
            "answers of 5 tests: 3 those of the testset's rows, which the tests may replace; 2 assumed:*",
            "not counted: what 1 test with the ragas fixture may score in the body",
        ]
    )


TARGET = """
@pytest.fixture(scope="session")
def rag():
    raise AssertionError("no fixture runs")

@pytest.mark.ragas(testset="testset.json", target="rag", metrics=["faithfulness"])
def test_target(ragas_sample):
    pass
"""


def test_a_target_is_not_called(project) -> None:
    result = project.tests(TARGET).run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["faithfulness * 6 *", "answers of 3 tests: 3 assumed:*"])


FIXTURE = """
@pytest.fixture(scope="session")
def ragas_critic_llm():
    raise AssertionError("no fixture runs")
"""


def test_a_critic_of_the_suites_own_is_counted_and_has_no_price(project) -> None:
    result = project.conftest(FIXTURE).run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["faithfulness * ragas_critic_llm in conftest.py * 6 * ?", "no price is known of *conftest.py*"]
    )


def test_each_parameter_of_a_critic_is_a_model(project) -> None:
    project.conftest(FIXTURE.replace('scope="session"', 'scope="session", params=["small", "large"]'))
    project.run("--ragas-estimate").stdout.fnmatch_lines(["faithfulness * 6 * ?", "faithfulness * 6 * ?"])


def test_budgets_that_are_too_small_are_said(project) -> None:
    result = project.run("--ragas-estimate", "--ragas-max-calls=8", "--ragas-max-tokens=10")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["more than --ragas-max-calls=8: *", "more than --ragas-max-tokens=10: *"])


def test_a_replay_costs_nothing(project) -> None:
    result = project.run("--ragas-estimate", "--ragas-cache=replay")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["0 calls: --ragas-cache=replay makes none"])


def test_gates_are_not_decided(project) -> None:
    result = project.run("--ragas-estimate", "--ragas-fail-under=mean(faithfulness) >= 0.9")
    assert result.ret == pytest.ExitCode.OK
    assert "gate" not in result.stdout.str().partition("ragas estimate")[2]


def test_the_embedded_critic_asks_nobody(rag_project) -> None:
    rag_project.testset("It is so.", retrieved_contexts=["It is so."])
    rag_project.tests(RECORDED.replace(', "answer_similarity": 0.5', ""))
    result = rag_project.run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["0 calls: no metric asks a model"])


def test_a_likelihood_critic_is_not_loaded(rag_project) -> None:
    rag_project.testset("It is so.", retrieved_contexts=["It is so."])
    rag_project.tests(RECORDED.replace(', "answer_similarity": 0.5', ""))
    critic = '--ragas-critic-llm={"kind": "likelihood", "model_name_or_path": "nobody/has-this-model"}'
    result = rag_project.run("--ragas-estimate", critic)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["0 calls: no metric asks a model"])  # it reads, and costs nothing


def test_a_suite_that_cannot_be_collected_is_red(project) -> None:
    project.tests("import a_module_that_is_not_there", name="test_broken.py")
    result = project.run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "ragas estimate" not in result.stdout.str()


DOCS = """
@pytest.mark.ragas(docs=["*.md"], test_size=2, testset="generated.json", metrics=["faithfulness"])
def test_generated(ragas_sample):
    pass
"""


def test_a_testset_is_not_generated_for_it(project, openai_server: OpenAIServer) -> None:
    (project.path / "handbook.md").write_text("# Leave\n\nEmployees have 30 days of leave a year.\n", encoding="utf-8")
    result = project.tests(DOCS).run("--ragas-estimate")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["not counted: 1 testset that will be generated first, and the rows in it"])
    assert not openai_server.requests
    assert not (project.path / "generated.json").exists()
