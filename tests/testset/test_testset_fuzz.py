"""Any bytes at all: a testset or a `TestsetError`, never anything else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_ragas.errors import TestsetError
from pytest_ragas.testset.formats.table import FORMATS
from pytest_ragas.testset.load import load_testset

WORDS = "question answer contexts id user_input null NaN é".split()
SIGNS = [
    *('"', "'", "[", "]", "{", "}", ":", ",", ";", "\n", "\r", "\t", " "),
    *("- ", "&a", "*a", "<<", "!", "#", "|", ">", "\\", "\\ud800", "1e999", "1", "\x00", "\ufeff"),
]
pieces = st.sampled_from([*WORDS, *SIGNS])
texts = st.lists(pieces, max_size=25).map("".join).map(lambda text: text.encode("utf-8"))


@pytest.mark.parametrize("suffix", FORMATS)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=texts | st.binary(max_size=40))
@example(data=b"question\n\x00")
@example(data=b'question,id\n"a"b,1')
@example(data=b"{question: {<<: [1]}}")
@example(data=b"- question: !!timestamp x")
@example(data=b"- !!int x")
@example(data=b'{"question": ["a"], "question": ["b"]}')
def test_any_bytes_give_a_testset_or_an_error_of_ours(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(TestsetError):
        assert len(load_testset(path)) > 0
