"""Prices: a budget in US dollars needs them, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.load import load_settings
from pytest_ragas.settings.prices import price_of
from pytest_ragas.settings.values import Price, Settings
from pytest_ragas.values.model import ModelIdentity

API = '[{key}]\nmodel_name = "judge"\napi_base = "http://localhost/v1"\n'


def load(tmp_path: Path, text: str, **command_line: Any) -> Settings:
    (tmp_path / "ragas.toml").write_text(text, encoding="utf-8")
    file = tmp_path / "ragas.toml"
    return load_settings(rootdir=tmp_path, config_file=file, environ={}, command_line=command_line)


@pytest.mark.parametrize("key", ["critic_llm", "generator_llm", "embeddings"])
def test_a_budget_in_dollars_needs_the_price_of_every_model(tmp_path: Path, key: str) -> None:
    text = API.format(key=key)
    with pytest.raises(ConfigurationError, match=rf"the model 'judge' \({key}.model_name\) has no price"):
        load(tmp_path, text, max_usd="0.5")
    priced = text + "[prices]\njudge = { input = 0.15 }\n"
    assert load(tmp_path, priced, max_usd="0.5").prices == {"judge": Price(input=0.15)}


@pytest.mark.parametrize("given", [{}, {"max_calls": "5", "max_tokens": "5"}, {"max_usd": "1", "cache": "replay"}])
def test_what_costs_no_dollars_needs_no_price(tmp_path: Path, given: dict[str, str]) -> None:
    settings = load(tmp_path, API.format(key="critic_llm"), **given)
    assert price_of(ModelIdentity(provider="openai", name="judge"), settings) == Price()


def test_models_of_this_machine_cost_nothing_unless_they_are_priced(tmp_path: Path) -> None:
    settings = load(tmp_path, 'max_usd = 1\n[prices]\n"Qwen/Qwen3" = { input = 1, output = 2 }\n')
    assert price_of(ModelIdentity(provider="embedded", name="embedded"), settings) == Price()
    assert price_of(ModelIdentity(provider="transformers", name="Qwen/Qwen3"), settings) == Price(input=1, output=2)
    with pytest.raises(ConfigurationError, match=r"the model 'mine' \(of a fixture\) has no price"):
        price_of(ModelIdentity(provider="mine", name="mine"), settings)


@pytest.mark.parametrize("entry", ["{ output = 1 }", "{ input = -1 }", "{ input = 1, cached = 2 }", "0.15"])
def test_a_price_that_is_none_is_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"prices\.judge"):
        load(tmp_path, f"[prices]\njudge = {entry}\n")


def test_prices_of_two_sources_are_merged(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.pytest-ragas.prices]\na = { input = 1 }\nb = { input = 1 }\n", encoding="utf-8"
    )
    prices = load(tmp_path, "[prices]\nb = { input = 2 }\n").prices
    assert prices == {"a": Price(input=1), "b": Price(input=2)}
