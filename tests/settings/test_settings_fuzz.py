"""Any text at all as a settings file: settings or a `ConfigurationError`, never anything else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.load import load_settings

WORDS = "critic_llm thresholds gates metrics concurrency api_key headers tool pytest-ragas env:X nan true".split()
SIGNS = [
    *('"', "'", "[", "]", "{", "}", ":", "=", ","),
    *(".", "\n", " ", "- ", "&a ", "*a", "<<", "!", "1", "0.5"),
]
pieces = st.sampled_from([*WORDS, *SIGNS])
texts = st.lists(pieces, max_size=20).map("".join).map(lambda text: text.encode("utf-8"))


@pytest.mark.parametrize("name", ["c.toml", "c.yaml", "c.json", "pyproject.toml"])
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=texts | st.binary(max_size=30))
def test_any_bytes_give_settings_or_an_error_of_ours(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(b"[tool.pytest-ragas]\n" + data if name == "pyproject.toml" else data)
    with contextlib.suppress(ConfigurationError):
        load_settings(rootdir=tmp_path, config_file=None if name == "pyproject.toml" else path, environ={})


@given(st.text(max_size=20))
@settings(deadline=None)
def test_any_text_of_an_option_gives_settings_or_an_error_of_ours(text: str) -> None:
    for name in ("critic_llm", "metrics", "thresholds", "gates", "concurrency", "min_coverage", "summary"):
        with contextlib.suppress(ConfigurationError):
            load_settings(rootdir=Path("/nonexistent"), environ={}, command_line={name: text})
