"""The table of safeguards fits the source: a change of the source that the table does not know of is found at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from safeguards import SAFEGUARDS, Safeguard

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_each_is_where_the_table_says(safeguard: Safeguard) -> None:
    texts: dict[str, str] = {}
    for file, there, instead in safeguard.cuts:
        text = texts.get(file) or (ROOT / "pytest_ragas" / file).read_text(encoding="utf-8")
        assert text.count(there) == 1, there
        texts[file] = text.replace(there, instead)
        compile(texts[file], file, "exec")


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda safeguard: safeguard.name)
def test_each_has_tests(safeguard: Safeguard) -> None:
    assert safeguard.tests
    for test in safeguard.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_names_tell_them_apart() -> None:
    names = [safeguard.name for safeguard in SAFEGUARDS]
    assert len(set(names)) == len(names)
