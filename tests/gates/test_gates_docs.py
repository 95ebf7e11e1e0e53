"""Every gate that docs/gates.md shows is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_ragas.gates.expression import AGGREGATES, parse_gate
from pytest_ragas.scoring.limits import MAX_PAUSE
from pytest_ragas.scoring.retry import DEADLINE, Retry

TEXT = (Path(__file__).parent.parent.parent / "docs" / "gates.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\| `([^`]+)` \|", TEXT.partition("<!-- gates -->")[2].partition("\n\n")[0], re.MULTILINE)
TYPED = re.findall(r"--ragas-fail-under '([^']+)'", TEXT)
CONFIGURED = [" ".join(pair) for pair in re.findall(r'^"([^"]+)" = "([^"]+)"$', TEXT, re.MULTILINE)]


@pytest.mark.parametrize("text", [*SHOWN, *TYPED, *CONFIGURED])
def test_a_gate_of_the_docs_is_read(text: str) -> None:
    assert parse_gate(text).text == text


def test_the_docs_show_every_aggregate_and_operator() -> None:
    assert len(SHOWN) >= 10
    assert TYPED
    assert CONFIGURED
    gates = [parse_gate(text) for text in SHOWN]
    assert {gate.aggregate for gate in gates} >= {*AGGREGATES, "p10"}
    assert {gate.operator for gate in gates} >= {">=", ">", "<="}


def test_the_numbers_of_the_docs_are_those_of_the_code() -> None:
    retry = Retry()
    assert f"up to {retry.attempts} requests a call" in TEXT
    pauses = [min(retry.cap, retry.base * 2**number) for number in range(retry.attempts - 1)]
    assert f"pauses of up to {', '.join(f'{pause:g}' for pause in pauses[:-1])} and {pauses[-1]:g} s" in TEXT
    assert f"A call costs {retry.attempts + retry.reasks} requests at most" in TEXT
    assert f"`Retry-After` above {MAX_PAUSE:g} s" in TEXT
    assert f"more than {DEADLINE:g} s in requests and pauses" in TEXT
