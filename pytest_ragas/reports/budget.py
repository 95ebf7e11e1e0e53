"""What became of a run's budget, in one line."""

from __future__ import annotations

from pytest_ragas.reports.numbers import count, duration
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.spent import Spent, dollars


def budget_line(settings: Settings, spent: Spent, *, seconds: float) -> str:
    """`budget: 40 of 40 calls, $0.0123 of $0.50; 3 calls did not fit and were not made`; empty without a budget.

    Args:
        settings: What may be spent.
        spent: What was spent.
        seconds: How long the run took.
    """
    parts = []
    if settings.max_calls is not None:
        parts.append(f"{spent.calls:,} of {count(settings.max_calls, 'call')}")
    if settings.max_tokens is not None:
        parts.append(f"{spent.tokens:,} of {count(settings.max_tokens, 'token')}")
    if settings.max_usd is not None:
        parts.append(f"{dollars(spent.usd)} of {dollars(settings.max_usd)}")
    if settings.max_seconds is not None:
        parts.append(f"{duration(seconds)} of {duration(settings.max_seconds)}")
    if not parts:
        return ""
    rest = f"; {count(spent.refused, 'call')} had no room and {'was' if spent.refused == 1 else 'were'} not made"
    return f"budget: {', '.join(parts)}{rest if spent.refused else ''}"
