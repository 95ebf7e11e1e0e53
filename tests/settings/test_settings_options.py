"""The rows that declare every option: complete, consistent with `Settings` and with the published schema."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.model import model_settings
from pytest_ragas.settings.option_text import split_gate
from pytest_ragas.settings.options import OPTIONS
from pytest_ragas.settings.schema import SCHEMA_FILE, config_check, config_schema
from pytest_ragas.settings.values import ModelSettings, Settings


def test_every_field_of_the_settings_can_be_set_and_nothing_else() -> None:
    names = {field.name for field in fields(Settings)} - {"notes", "origin", "places"}
    only_in_files = {"metric_options", "prices", "compare_rules"}
    assert {option.name for option in OPTIONS} == (names - only_in_files) | {"config_file"}
    assert set(config_schema()["properties"]) == names
    assert {option.key for option in OPTIONS if option.key} == names - only_in_files


def test_flags_and_variables_carry_our_prefix_and_are_distinct() -> None:
    assert all(re.fullmatch(r"--ragas-[a-z-]+", option.flag) for option in OPTIONS)
    assert all(re.fullmatch(r"PYTEST_RAGAS_[A-Z_]+", option.env) for option in OPTIONS)
    for attribute in ("name", "flag", "env", "dest"):
        values = [getattr(option, attribute) for option in OPTIONS]
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_default_in_words_is_the_default(option: Any) -> None:
    words = {
        "none": (None, (), "", {}),
        "embedded": (ModelSettings(model_name_or_path="embedded"),),
        "the critic LLM": (None,),
    }
    if option.name == "config_file":
        assert option.default == "none"
        return
    default = getattr(Settings(), option.name)
    assert default in words.get(option.default, (default,))
    assert option.default in words or option.default.split(" in ")[0] == str(default)


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.key], ids=lambda option: option.name)
def test_the_example_can_be_typed_on_the_command_line_and_in_the_environment(option: Any, tmp_path: Path) -> None:
    typed = [option.example] if option.repeatable else option.example
    first = load_settings(rootdir=tmp_path, environ={}, command_line={option.name: typed})
    second = load_settings(rootdir=tmp_path, environ={option.env: option.example})
    assert getattr(first, option.name) == getattr(second, option.name) or option.name == "generator_llm"
    assert set(first.origin.values()) == {"command line"}
    assert set(second.origin.values()) == {"environment"}


def test_choices_are_those_of_the_schema() -> None:
    for option in OPTIONS:
        if option.key:
            assert list(option.choices) == config_schema()["properties"][option.key].get("enum", [])


def test_help_names_default_key_and_variable() -> None:
    option = next(option for option in OPTIONS if option.name == "concurrency")
    assert option.help_text == (
        "Critic calls in flight at once, counted over all xdist workers "
        "(default: 16; config key concurrency, env PYTEST_RAGAS_CONCURRENCY)"
    )
    for option in OPTIONS:
        assert option.help[0].isupper() or option.help.split(":")[0] in option.choices
        assert not option.help.endswith(".")
        assert "%" not in option.help_text  # argparse would format it


# ---- the published schema ---------------------------------------------------------------------------


def test_it_is_a_valid_schema_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(config_schema())
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == config_schema()


def properties(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    whole = [schema, schema["$defs"]["llm"], schema["$defs"]["embeddings"]]
    return [(name, declared) for part in whole for name, declared in part["properties"].items()]


@pytest.mark.parametrize(("name", "declared"), properties(config_schema()), ids=lambda value: str(value)[:20])
def test_every_key_is_described_and_its_example_is_valid(name: str, declared: dict[str, Any]) -> None:
    root = config_schema()
    own = {**root["$defs"][declared["$ref"].rsplit("/", 1)[1]], **declared} if "$ref" in declared else declared
    assert own["description"]
    assert own["examples"], name
    for example in own["examples"]:
        Draft202012Validator({**declared, "$defs": root["$defs"]}).validate(example)


def test_every_field_of_a_model_is_a_key() -> None:
    names = {field.name for field in fields(ModelSettings)} - {"options"}
    assert names <= set(config_schema()["$defs"]["llm"]["properties"])


@pytest.mark.parametrize("kind", ["llm", "embeddings"])
def test_keys_beyond_the_fields_of_a_model_become_its_options(kind: str) -> None:
    keys = config_schema()["$defs"][kind]["properties"]
    fitting = {"api_base": "http://h", "timeout": 1, "concurrency": 1}
    values = {name: fitting.get(name, {}) for name in keys}
    model = model_settings(values)
    assert set(model.options) == set(keys) - {field.name for field in fields(ModelSettings)}


values = st.recursive(
    st.sampled_from([None, True, 0, 1, 16.0, 0.5, -1, "", "x", "full", "http://h/v1", "ftp://h", ">= 0.8", "0.8"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["model_name", "api_base", "timeout", "headers", "device", "normalize", "dimensions", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=500)
@given(st.dictionaries(st.sampled_from([*config_schema()["properties"], "nope"]), values, max_size=3) | values)
def test_the_compiled_check_says_what_jsonschema_says(table: Any) -> None:
    assert config_check()(table) == Draft202012Validator(config_schema()).is_valid(table)


@pytest.mark.parametrize("key", config_schema()["properties"])
@settings(deadline=None, max_examples=40)
@given(value=values)
def test_any_value_of_any_key_gives_settings_or_an_error_of_ours(key: str, value: Any) -> None:
    if key in ("metric_options", "prices", "compare_rules"):
        return
    with contextlib.suppress(ConfigurationError):  # and nothing else
        load_settings(rootdir=Path("/nonexistent"), environ={}, command_line={key: value})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mean(faithfulness) >= 0.85", ("mean(faithfulness)", ">= 0.85")),
        ("p10(a, tag=x)<0.5", ("p10(a, tag=x)", "<0.5")),
        ('mean(a, tag="x) > y") >= 85%', ('mean(a, tag="x) > y")', ">= 85%")),
        ("mean(faithfulness)", ("", "")),
        (">= 0.5", ("", "")),
    ],
)
def test_a_gate_is_split_after_its_aggregate(text: str, parts: tuple[str, str]) -> None:
    assert split_gate(text) == parts


def test_no_source_and_good_sources_import_neither_jsonschema_nor_yaml(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[project]\nname = 'x'\ndependencies = ['black']\n")
    pytester.makefile(".toml", ragas="concurrency = 3\n[critic_llm]\nmodel_name_or_path = 'embedded'\n")
    script = pytester.makepyfile(
        """
        import sys
        from pathlib import Path
        from pytest_ragas.settings.load import load_settings

        heavy = {"jsonschema", "yaml", "aiohttp"}
        load_settings(rootdir=Path("."), environ={"PATH": "x"})
        assert not (heavy | {"tomllib", "tomli", "pytest"}) & set(sys.modules), sorted(sys.modules)
        load_settings(
            rootdir=Path("."), config_file=Path("ragas.toml"), environ={"PYTEST_RAGAS_METRICS": "a,b"},
            command_line={"concurrency": "4"},
        )
        assert not heavy & set(sys.modules), sorted(sys.modules)
        """
    )
    assert pytester.runpython(script).ret == 0
