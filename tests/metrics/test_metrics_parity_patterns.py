"""Native metrics and ragas' own classes give the same score when the critic gives the same verdicts."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_ragas.metrics.native.specs import SPECS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ragas") is None, reason="ragas is an extra")

ROOT = Path(__file__).parents[2]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


parity = _load(ROOT / "benchmarks" / "parity.py")

# scores that 200 patterns must at least give, so that a truth that has become trivial is noticed
DISTINCT = {"context_relevancy": 5, "response_groundedness": 5}


@pytest.mark.parametrize("case", parity.CASES, ids=lambda case: case.metric)
def test_two_hundred_random_patterns_score_alike(case: object) -> None:
    pairs = parity.compare(case)
    assert len(pairs) == 200
    apart = [(seed, pair) for seed, pair in enumerate(pairs) if abs(pair.native - pair.ragas) > case.tolerance]  # type: ignore[attr-defined]
    assert apart == []
    metric = case.metric  # type: ignore[attr-defined]
    assert len({round(pair.native, 6) for pair in pairs}) >= DISTINCT.get(metric, 10)
    assert case.tolerance <= 1e-9 or case.note  # type: ignore[attr-defined]


def test_every_native_metric_is_compared() -> None:
    assert {case.metric for case in parity.CASES} == {spec.name for spec in SPECS}


def test_every_option_that_both_have_is_tried() -> None:
    from pytest_ragas.metrics.ragas.specs import TABLE

    native = {spec.name: spec.options for spec in SPECS}
    for case in parity.CASES:
        shared = native[case.metric] & set(TABLE[case.ragas][2])
        tried = {option for options in case.options for option in options}
        assert shared - tried <= {"coverage"}, case.metric  # it only changes the prompt, as atomicity does


def test_the_document_shows_every_metric_and_its_largest_difference() -> None:
    text = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    table = text.partition(parity.BEGIN)[2].partition(parity.END)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "`" in line]
    assert [row[0] for row in rows] == [f"`{case.metric}`" for case in parity.CASES]
    for row, case in zip(rows, parity.CASES, strict=True):
        assert row[1:3] == [f"`{case.ragas}`", "200"]
        assert float(row[4]) <= case.tolerance
        assert case.note in text
