"""docs/configuration.md: its examples load, its errors are the ones that are said, and it leaves nothing out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.options import OPTIONS
from pytest_ragas.settings.schema import config_schema

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"
TEXT = DOCS.read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([^>]+) -->\n```\w+\n(.*?)\n```", TEXT, re.DOTALL))
ERRORS = re.findall(r"<!-- error: (\S+) -->\n```\w+\n(.*?)\n```\n\n```text\n(.*?)\n```", TEXT, re.DOTALL)
FILES = {name: text for name, text in EXAMPLES.items() if "." in name}


@pytest.mark.parametrize("name", FILES)
def test_the_example_file_loads(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    file = None if name == "pyproject.toml" else tmp_path / name
    settings = load_settings(rootdir=tmp_path, config_file=file, environ={})
    assert set(settings.origin.values()) == {name}


def test_the_files_together_are_merged_as_is_said(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = load_settings(rootdir=tmp_path, config_file=tmp_path / "ragas-ci.yaml", environ={})
    assert settings.gates == ("pass_rate() >= 0.95", "mean(faithfulness) >= 0.9")
    assert settings.critic_llm.api_key is None
    assert settings.metrics == ("faithfulness", "answer_relevancy")
    assert settings.concurrency == 64


def test_the_environment_of_the_example_is_read(tmp_path: Path) -> None:
    environ = dict(part.split("=", 1) for part in shlex.split(EXAMPLES["environment"]))
    settings = load_settings(rootdir=tmp_path, environ=environ)
    assert settings.critic_llm.model_name == "gpt-4o-mini"
    assert settings.embeddings is not None
    assert settings.embeddings.options == {"batch_size": 64}
    assert settings.gates == ("mean(faithfulness) >= 0.85", "p10(faithfulness) >= 0.5")
    assert len(settings.thresholds) == 2


def test_the_command_line_of_the_example_is_read(tmp_path: Path) -> None:
    by_flag = {option.flag: option for option in OPTIONS}
    given: dict[str, object] = {}
    for part in shlex.split(EXAMPLES["command line"]):
        flag, _, value = part.partition("=")
        option = by_flag[flag]
        given[option.name] = [*given.get(option.name, []), value] if option.repeatable else value  # type: ignore[misc]
    settings = load_settings(rootdir=tmp_path, environ={}, command_line=given)
    assert settings.gates == ("mean(faithfulness, tag=billing) >= 0.85",)
    assert len(settings.thresholds) == 2
    assert settings.metrics == ("faithfulness", "answer_relevancy")


@pytest.mark.parametrize(("name", "text", "message"), ERRORS, ids=[name for name, _, _ in ERRORS])
def test_the_error_is_the_one_that_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(rootdir=tmp_path, config_file=tmp_path / name, environ={})
    assert str(caught.value) == message


def test_every_key_flag_variable_and_default_is_documented() -> None:
    for option in OPTIONS:
        row = next(line for line in TEXT.splitlines() if f"`{option.env}`" in line and line.startswith("|"))
        assert f"`{option.flag} {option.metavar}`" in row
        assert f"`{option.key}`" in row or not option.key
        assert option.default in row
        for choice in option.choices:
            assert f"`{choice}`" in row or f'`"{choice}"`' in row
    schema = config_schema()
    for part in (schema, schema["$defs"]["llm"], schema["$defs"]["embeddings"]):
        for name in part["properties"]:
            assert f"`{name}`" in TEXT, name
