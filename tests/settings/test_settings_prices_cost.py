"""What usage costs."""

from __future__ import annotations

import pytest

from pytest_ragas.settings.prices import cost_of
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import Usage


def test_cost_is_by_the_million() -> None:
    usage = Usage(calls=3, prompt_tokens=2_000_000, completion_tokens=500_000)
    assert cost_of(usage, Price(input=0.15, output=0.60)) == pytest.approx(0.6)


def test_no_price_no_cost() -> None:
    assert cost_of(Usage(calls=3, prompt_tokens=5), None) == 0.0
