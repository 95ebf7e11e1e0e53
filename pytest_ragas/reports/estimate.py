"""What a run would cost, as lines of a terminal. Pure: the plugin writes them."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.reports.numbers import count
from pytest_ragas.reports.table import Column, table_lines
from pytest_ragas.reports.terminal import Line, wrapped_lines
from pytest_ragas.settings.values import Settings
from pytest_ragas.values.estimate import Basis, Estimate, EstimateLine
from pytest_ragas.values.model import Usage
from pytest_ragas.values.spent import dollars

_BOLD = {"bold": True}
_YELLOW = {"yellow": True}

_BASIS: dict[Basis, str] = {
    "recorded": "recorded in the testset",
    "row": "those of the testset's rows, which the tests may replace",
    "assumed": "assumed: as long as the reference, or 600 characters, with 5 contexts of 1,000",
}


def estimate_lines(
    estimate: Estimate, settings: Settings, *, width: int, others: int = 0, missing: int = 0
) -> list[Line]:
    """A line for each metric and model, the total, and what the numbers rest on.

    Args:
        estimate: Of the run.
        settings: Its budgets.
        width: Columns of the terminal; no line is wider.
        others: Tests that score in their own bodies, if at all: nothing is known of them.
        missing: Testsets that are not generated yet.
    """
    if estimate.replays:
        return wrapped_lines("0 calls: --ragas-cache=replay makes none", width, _BOLD)
    lines = [*_table(estimate.lines, width)] if estimate.lines else []
    if not estimate.lines:
        why = "everything is stored" if estimate.stored else "no metric asks a model"
        lines += wrapped_lines(f"0 calls: {why}", width, _BOLD)
    lines.append(Line(text=""))
    for note in _notes(estimate):
        lines += wrapped_lines(note, width, {})
    for warning in [*_warnings(estimate, settings), *_unknown(others, missing)]:
        lines += wrapped_lines(warning, width, _YELLOW)
    return lines


def _table(rows: Sequence[EstimateLine], width: int) -> list[Line]:
    total = sum((row.usage for row in rows), Usage())
    known = [row.usd for row in rows if row.usd is not None]
    cost = dollars(sum(known)) if known else "?"
    usages = [*(row.usage for row in rows), total]
    columns = [
        Column(title="metric", cells=[*(row.metric for row in rows), "total"], right=False),
        Column(title="model", cells=[*(row.identity.name for row in rows), ""], right=False, weight=3),
        Column(title="calls", cells=[f"{usage.calls:,}" for usage in usages]),
        Column(title="tokens read", cells=[f"{usage.prompt_tokens:,}" for usage in usages], weight=2),
        Column(title="written", cells=[f"{usage.completion_tokens:,}" for usage in usages], weight=1),
        Column(
            title="cost",
            cells=[
                *("?" if row.usd is None else dollars(row.usd) for row in rows),
                cost if len(known) == len(rows) or not known else f"{cost} + ?",
            ],
        ),
    ]
    head, *body = table_lines(columns, width=width)
    return [Line(text=head, markup=_BOLD), *(Line(text=line) for line in body[:-1]), Line(text=body[-1], markup=_BOLD)]


def _notes(estimate: Estimate) -> list[str]:
    shares = [f"{number:,} {_BASIS[basis]}" for basis, number in estimate.basis]
    notes = [f"answers of {count(estimate.tests, 'test')}: {'; '.join(shares)}"] if shares else []
    if estimate.scores:
        notes.append(
            f"{estimate.stored:,} of {count(estimate.scores, 'score')} need no call: stored, or the same as another"
        )
    if estimate.lines:
        most = "repeats may be fewer; " if estimate.repeated else ""
        notes.append(
            f"tokens are about: three bytes each, {most}retries and questions that are asked again come on top"
        )
    return notes


def _warnings(estimate: Estimate, settings: Settings) -> list[str]:
    unpriced = dict.fromkeys(row.identity.name for row in estimate.lines if row.usd is None)
    warnings = [f"no price is known of {', '.join(unpriced)}: [tool.pytest-ragas.prices]"] if unpriced else []
    total = sum((row.usage for row in estimate.lines), Usage())
    tokens = total.prompt_tokens + total.completion_tokens
    usd = sum(row.usd or 0.0 for row in estimate.lines)
    if settings.max_calls is not None and total.calls > settings.max_calls:
        warnings.append(f"more than --ragas-max-calls={settings.max_calls}: what does not fit will not be run")
    if settings.max_tokens is not None and tokens > settings.max_tokens:
        warnings.append(f"more than --ragas-max-tokens={settings.max_tokens}: what does not fit will not be run")
    if settings.max_usd is not None and usd > settings.max_usd:
        warnings.append(f"more than --ragas-max-usd={settings.max_usd:g}: what does not fit will not be run")
    return [*warnings, *estimate.problems]


def _unknown(others: int, missing: int) -> list[str]:
    unknown = []
    if others:
        unknown.append(f"not counted: what {count(others, 'test')} with the ragas fixture may score in the body")
    if missing:
        unknown.append(f"not counted: {count(missing, 'testset')} that will be generated first, and the rows in it")
    return unknown
