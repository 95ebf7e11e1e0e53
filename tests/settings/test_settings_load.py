"""Settings from four sources: what each can say, which weighs more, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.options import OPTIONS
from pytest_ragas.settings.schema import config_schema
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.gate import Threshold

GOLDEN = Path(__file__).parents[1] / "golden" / "settings_messages.txt"

FULL = """
[project]
name = "mine"

[tool.pytest-ragas]
metrics = ["faithfulness", "answer_relevancy", "faithfulness"]
metric_backend = "ragas"
concurrency = 32
min_coverage = 1
summary = "full"
scoring = "blocking"
target_concurrency = 4

[tool.pytest-ragas.critic_llm]
model_name = "gpt-4o-mini"
api_base = "https://api.openai.com/v1/"
api_key = "env:MY_KEY"
api_version = "2024-10-21"
structure = "json_object"
timeout = 30
headers = { X-Team = "search", Authorization = "Bearer env:MY_KEY" }
generation_config = { temperature = 0, max_tokens = 100, extra = { top_k = 1 } }

[tool.pytest-ragas.embeddings]
model_name_or_path = "minilm"
device = "cpu"
dimensions = 128
encode_kwargs = { show_progress_bar = false }

[tool.pytest-ragas.metric_options.answer_correctness]
weights = [0.75, 0.25]

[tool.pytest-ragas.thresholds]
faithfulness = 0.8
answer_relevancy = 0

[tool.pytest-ragas.gates]
"mean(faithfulness)" = ">= 0.85"
"pass_rate()" = ">= 0.95"
"""


class Project:
    """A folder with settings in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def settings(self, *, file: str = "", environ: Mapping[str, str] | None = None, **command_line: Any) -> Settings:
        return load_settings(
            rootdir=self.folder,
            config_file=self.folder / file if file else None,
            environ=environ or {},
            command_line=command_line,
        )

    def message(self, **sources: Any) -> str:
        with pytest.raises(ConfigurationError) as caught:
            self.settings(**sources)
        return str(caught.value)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def table(text: str) -> str:
    return f"[tool.pytest-ragas]\n{text}\n"


# ---- what a file says -------------------------------------------------------------------------------


def test_no_source_gives_the_defaults(project: Project) -> None:
    assert project.settings() == Settings()
    project.put("pyproject.toml", '[project]\nname = "x"\ndependencies = ["pytest-ragas"]\n')
    assert project.settings(concurrency=None, critic_llm=None) == Settings()


def test_every_key_of_pyproject_arrives(project: Project) -> None:
    project.put("pyproject.toml", FULL)
    settings = project.settings(environ={"MY_KEY": " sk-123 \n"})
    critic = settings.critic_llm
    assert (critic.model_name, critic.api_base, critic.api_version) == (
        "gpt-4o-mini",
        "https://api.openai.com/v1",
        "2024-10-21",
    )
    assert (critic.structure, critic.timeout, critic.client) == ("json_object", 30.0, "")
    assert critic.generation_config == {"temperature": 0, "max_tokens": 100, "extra": {"top_k": 1}}
    assert critic.api_key is not None
    assert (critic.api_key.reveal(), critic.api_key.origin) == ("sk-123", "env:MY_KEY")
    assert {name: value.reveal() for name, value in critic.headers.items()} == {  # type: ignore[union-attr]
        "X-Team": "search",
        "Authorization": "Bearer sk-123",
    }
    assert settings.embeddings == ModelSettings(
        model_name_or_path="minilm",
        options={"device": "cpu", "dimensions": 128, "encode_kwargs": {"show_progress_bar": False}},
    )
    assert settings.metrics == ("faithfulness", "answer_relevancy")
    assert settings.thresholds == (
        Threshold(metric="faithfulness", bound=0.8),
        Threshold(metric="answer_relevancy", bound=0.0),
    )
    assert settings.gates == ("mean(faithfulness) >= 0.85", "pass_rate() >= 0.95")
    assert settings.metric_options == {"answer_correctness": {"weights": [0.75, 0.25]}}
    assert (settings.metric_backend, settings.summary, settings.scoring) == ("ragas", "full", "blocking")
    assert (settings.concurrency, settings.target_concurrency, settings.min_coverage) == (32, 4, 1.0)
    assert type(settings.min_coverage) is float
    assert set(settings.origin.values()) == {"pyproject.toml"}


SAME = {
    "own.toml": 'concurrency = 3\nthresholds = { faithfulness = 0.5 }\ncritic_llm = "embedded"\n',
    "tool.toml": "[tool.black]\nx = 1\n[tool.pytest-ragas]\nconcurrency = 3\nthresholds.faithfulness = 0.5\n"
    "critic_llm = 'embedded'\n",
    "own.yaml": "concurrency: 3\nthresholds: {faithfulness: 0.5}\ncritic_llm: embedded\n",
    "own.yml": "\ufeffconcurrency: 3.0\nthresholds:\n  faithfulness: 0.5\ncritic_llm: {model_name_or_path: embedded}\n",
    "tool.yaml": "tool:\n  pytest-ragas: {concurrency: 3, thresholds: {faithfulness: 0.5}, critic_llm: embedded}\n",
    "own.json": '{"concurrency": 3, "thresholds": {"faithfulness": 0.5}, "critic_llm": "embedded"}',
    "OWN.JSON": '{"concurrency": 3, "thresholds": {"faithfulness": 0.5}, "critic_llm": "embedded"}',
}


@pytest.mark.parametrize("name", SAME)
def test_a_config_file_of_every_format_says_the_same(project: Project, name: str) -> None:
    project.put(name, SAME[name])
    settings = project.settings(file=name)
    assert settings == Settings(
        concurrency=3,
        thresholds=(Threshold(metric="faithfulness", bound=0.5),),
        origin={"concurrency": name, "thresholds.faithfulness": name, "critic_llm": name},
    )
    assert type(settings.concurrency) is int


@pytest.mark.parametrize("name", ["empty.toml", "empty.yaml"])
def test_an_empty_config_file_says_nothing(project: Project, name: str) -> None:
    project.put(name, "# later\n")
    assert project.settings(file=name) == Settings()


def test_an_environment_variable_may_name_the_config_file(project: Project) -> None:
    path = project.put("ci.yaml", "concurrency: 3")
    other = project.put("other.yaml", "concurrency: 4")
    assert project.settings(environ={"PYTEST_RAGAS_CONFIG": str(path)}).concurrency == 3
    assert project.settings(file=other.name, environ={"PYTEST_RAGAS_CONFIG": str(path)}).concurrency == 4


# ---- which weighs more ------------------------------------------------------------------------------


def test_each_source_outweighs_the_ones_before_it(project: Project) -> None:
    project.put(
        "pyproject.toml", table("concurrency = 1\ntarget_concurrency = 1\nsummary = 'off'\nscoring = 'blocking'")
    )
    project.put("ci.toml", "concurrency = 2\ntarget_concurrency = 2\nsummary = 'full'")
    environ = {"PYTEST_RAGAS_CONCURRENCY": "3", "PYTEST_RAGAS_TARGET_CONCURRENCY": "3"}
    settings = project.settings(file="ci.toml", environ=environ, concurrency="4")
    assert (settings.concurrency, settings.target_concurrency) == (4, 3)
    assert (settings.summary, settings.scoring) == ("full", "blocking")
    assert settings.origin == {
        "concurrency": "command line",
        "target_concurrency": "environment",
        "summary": "ci.toml",
        "scoring": "pyproject.toml",
    }


def test_thresholds_are_merged_metric_by_metric(project: Project) -> None:
    project.put("pyproject.toml", table("thresholds = { faithfulness = 0.8, answer_relevancy = 0.7 }"))
    environ = {"PYTEST_RAGAS_THRESHOLDS": "answer_relevancy=0.6, context_recall=0.5"}
    settings = project.settings(environ=environ, thresholds=["context_recall=0.4", "rouge_l=0.1"])
    assert {threshold.metric: threshold.bound for threshold in settings.thresholds} == {
        "faithfulness": 0.8,
        "answer_relevancy": 0.6,
        "context_recall": 0.4,
        "rouge_l": 0.1,
    }
    assert settings.origin["thresholds.faithfulness"] == "pyproject.toml"
    assert settings.origin["thresholds.answer_relevancy"] == "environment"
    assert settings.origin["thresholds.rouge_l"] == "command line"


def test_gates_are_merged_by_aggregate_and_direction(project: Project) -> None:
    project.put("pyproject.toml", table("gates = { 'mean( faithfulness )' = '>=0.85', 'pass_rate()' = '> 0.5' }"))
    settings = project.settings(gates=["mean(faithfulness) >= 0.9", "mean(faithfulness) <= 0.99"])
    assert settings.gates == ("pass_rate() > 0.5", "mean(faithfulness) >= 0.9", "mean(faithfulness) <= 0.99")
    assert settings.origin == {
        "gates.pass_rate()": "pyproject.toml",
        "gates.mean( faithfulness )": "pyproject.toml",
        "gates.mean(faithfulness)": "command line",
    }
    environ = {"PYTEST_RAGAS_FAIL_UNDER": "min(rouge_l) > 0.1; mean(faithfulness, tag=a) >= 0.9"}
    assert project.settings(environ=environ).gates[2:] == ("min(rouge_l) > 0.1", "mean(faithfulness, tag=a) >= 0.9")


def test_options_of_metrics_are_merged_option_by_option(project: Project) -> None:
    project.put("pyproject.toml", table("metric_options = { a = { x = 1, y = 1 }, b = { x = 1 } }"))
    project.put("ci.yaml", "metric_options: {a: {y: 2}}")
    assert project.settings(file="ci.yaml").metric_options == {"a": {"x": 1, "y": 2}, "b": {"x": 1}}


def test_a_model_is_replaced_whole_so_that_no_key_goes_to_another_endpoint(project: Project) -> None:
    project.put("pyproject.toml", FULL)
    critic = '{"model_name": "m", "api_base": "http://localhost:8000/v1"}'
    settings = project.settings(environ={"PYTEST_RAGAS_CRITIC_LLM": critic, "MY_KEY": "sk-1"})
    assert settings.critic_llm == ModelSettings(model_name="m", api_base="http://localhost:8000/v1")
    assert settings.origin["critic_llm"] == "environment"
    assert project.settings(critic_llm="embedded").critic_llm == ModelSettings(model_name_or_path="embedded")


# ---- texts of the environment and the command line --------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("embedded", ModelSettings(model_name_or_path="embedded")),
        (" models/mine ", ModelSettings(model_name_or_path="models/mine")),
        (
            '{"model_name_or_path": "m", "device": "cpu"}',
            ModelSettings(model_name_or_path="m", options={"device": "cpu"}),
        ),
        ("{ model_name_or_path = 'm', threads = 2 }", ModelSettings(model_name_or_path="m", options={"threads": 2})),
    ],
)
@pytest.mark.parametrize("option", ["critic_llm", "generator_llm", "embeddings"])
def test_a_model_is_a_name_or_a_table_in_json_or_toml(
    project: Project, option: str, text: str, expected: ModelSettings
) -> None:
    variable = f"PYTEST_RAGAS_{option.upper()}"
    assert getattr(project.settings(environ={variable: text}), option) == expected
    assert getattr(project.settings(**{option: text}), option) == expected


def test_lists_and_tables_can_be_typed_and_repeated(project: Project) -> None:
    settings = project.settings(metrics=["a, b", "c"], thresholds='{"a": 0.5}', gates="mean(a) > 0.1")
    assert settings.metrics == ("a", "b", "c")
    assert settings.thresholds == (Threshold(metric="a", bound=0.5),)
    assert settings.gates == ("mean(a) > 0.1",)
    assert project.settings(environ={"PYTEST_RAGAS_METRICS": "a,,b"}).metrics == ("a", "b")


def test_values_of_the_right_type_are_taken_as_they_are(project: Project) -> None:
    settings = project.settings(
        concurrency=3, metrics=["a"], thresholds={"a": 0.5}, critic_llm={"model_name_or_path": "m"}
    )
    assert (settings.concurrency, settings.metrics) == (3, ("a",))
    assert settings.critic_llm.model_name_or_path == "m"


def test_an_empty_variable_says_nothing(project: Project) -> None:
    names = ("CONCURRENCY", "CRITIC_LLM", "CONFIG", "FAIL_UNDER", "NO_SUCH_THING")
    assert project.settings(environ={f"PYTEST_RAGAS_{name}": " " for name in names}) == Settings()


# ---- what is wrong ----------------------------------------------------------------------------------


def golden() -> list[tuple[str, str]]:
    """(input, message) pairs of the golden file."""
    blocks = GOLDEN.read_text(encoding="utf-8").split("\n$ ")[1:]
    return [(given, message.strip()) for given, _, message in (block.partition("\n") for block in blocks)]


@pytest.mark.parametrize(("given", "message"), golden())
def test_what_cannot_be_used_is_told_with_path_source_finding_and_mend(
    project: Project, given: str, message: str
) -> None:
    name, _, value = given.partition("=")
    if name.startswith("PYTEST_RAGAS_"):
        said = project.message(environ={name: value})
    elif name.startswith("--"):
        option = next(option for option in OPTIONS if option.flag == name)
        said = project.message(**{option.name: [value] if option.repeatable else value})
    else:
        project.put("pyproject.toml", table(given))
        said = project.message()
    assert said == message


def test_a_name_without_neighbours_lists_those_that_exist(project: Project) -> None:
    project.put("pyproject.toml", table("xyz = 3"))
    known = ", ".join(sorted(config_schema()["properties"]))
    assert project.message() == f"Unknown key 'xyz' in [tool.pytest-ragas] of pyproject.toml. Known: {known}."


def test_a_wrong_name_has_its_own_type(project: Project) -> None:
    with pytest.raises(UnknownNameError):
        project.settings(environ={"PYTEST_RAGAS_CONCURENCY": "3"})
    with pytest.raises(UnknownNameError):
        project.settings(critic_llm='{"model_nam": "m"}')


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.toml", "a = ", "Cannot read the settings file c.toml: no valid TOML"),
        ("c.json", '{"a": }', "Cannot read the settings file c.json: no valid JSON at line 1, column 7"),
        ("c.json", '{"concurrency": 1, "concurrency": 2}', "c.json: found the key 'concurrency' twice in one object"),
        ("c.json", "", "Cannot read the settings file c.json: no valid JSON at line 1"),
        ("c.yaml", "a: [", "Cannot read the settings file c.yaml: no valid YAML at line"),
        ("c.yaml", "[1]", "found a list of 1 where a table of settings must be"),
        ("c.yaml", "concurrency: .inf", "concurrency in c.yaml: found the number inf"),
        ("c.ini", "", "the suffix '.ini' is not known. A settings file ends in .toml, .yaml, .yml, .json."),
        ("c.toml", b"a = '\xff'", "Cannot read the settings file c.toml: byte 0xff at offset 5 (line 1) is not UTF-8"),
        ("c.toml", "[tool.black]\nx = 1", "c.toml: it has no table [tool.pytest-ragas]"),
        (
            "c.toml",
            "concurrency = 1\n[tool.pytest-ragas]\nconcurrency = 2",
            "and, beside it, 'concurrency'. Move that into",
        ),
        ("c.toml", "[tool]\npytest-ragas = 3", "[tool.pytest-ragas] of c.toml is the number 3; it must be a table"),
        ("c.yaml", "concurency: 1", "Unknown key 'concurency' in c.yaml. Did you mean 'concurrency'?"),
    ],
)
def test_a_config_file_that_cannot_be_used_is_named(project: Project, name: str, text: str, message: str) -> None:
    project.put(name, text)
    assert message in project.message(file=name)


def test_a_missing_config_file_names_its_neighbours(project: Project) -> None:
    project.put("ragas.toml", "")
    assert "Did you mean 'ragas.toml'?" in project.message(file="rags.toml")
    assert "it is a directory. Name one of its files: 'ragas.toml'." in project.message(file=".")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[tool.pytest-ragas]\nx = \n", "Cannot read the settings in pyproject.toml: no valid TOML"),
        (b"[tool.pytest-ragas]\nx = '\xff'\n", "Cannot read the settings in pyproject.toml: byte 0xff at offset 25"),
        (b"[tool.pytest_ragas]\nx = 1\n", "Unknown table 'tool.pytest_ragas' in pyproject.toml. Did you mean 'tool."),
    ],
)  # fmt: skip
def test_a_pyproject_that_cannot_be_used_is_named(project: Project, text: bytes, message: str) -> None:
    project.put("pyproject.toml", text)
    assert message in project.message()


def test_a_broken_pyproject_that_says_nothing_to_us_is_not_ours_to_judge(project: Project) -> None:
    project.put("pyproject.toml", "[tool.black\n")
    assert project.settings() == Settings()


def test_everything_that_is_wrong_is_told_at_once(project: Project) -> None:
    project.put("pyproject.toml", table("concurency = 1\nsummary = 'x'"))
    project.put("c.yaml", "scoring: sometimes")
    said = project.message(file="c.yaml", environ={"PYTEST_RAGAS_METRIC_BACKEND": "x"}, concurrency="many")
    assert said.startswith("5 settings cannot be used:\n")
    for name in ("concurency", "summary", "scoring", "PYTEST_RAGAS_METRIC_BACKEND", "--ragas-concurrency"):
        assert name in said
