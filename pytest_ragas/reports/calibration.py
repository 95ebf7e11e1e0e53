"""A critic against people, as lines of a terminal and as JSON. Pure: the console script writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ragas.errors import cut
from pytest_ragas.reports.numbers import against, count
from pytest_ragas.reports.numbers import score as shown
from pytest_ragas.reports.terminal import Line, wrapped_lines
from pytest_ragas.reports.width import shorten
from pytest_ragas.values.calibration import Agreement, AgreementVerdict, AtThreshold, Disagreement, Measured
from pytest_ragas.values.run import ModelUse

FEW = 20
"""Rows of a kind below which a threshold is little more than a guess."""

_NOT = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
_BOLD = {"bold": True}
_YELLOW = {"yellow": True}
_RED = {"red": True, "bold": True}
_GREEN = {"green": True}


def calibration_lines(
    agreements: Sequence[Agreement], verdicts: Sequence[AgreementVerdict], *, width: int, good_from: float = 0.5
) -> list[Line]:
    """What a person wants to know of a critic, metric by metric; then the gates.

    Args:
        agreements: Of all metrics.
        verdicts: What became of the gates.
        width: Columns of the terminal; no line is wider.
        good_from: Labels from here on were taken as good.
    """
    lines: list[Line] = []
    for agreement in agreements:
        lines += [Line(text="")] if lines else []
        lines += _metric(agreement, width, good_from)
    lines += [Line(text="")] if verdicts else []
    for verdict in sorted(verdicts, key=lambda verdict: verdict.outcome != "passed"):
        lines += wrapped_lines(verdict_line(verdict), width, _GREEN if verdict.outcome == "passed" else _RED)
    return lines


def verdict_line(verdict: AgreementVerdict) -> str:
    """What became of a gate on one metric: "gate failed: faithfulness: auroc 0.71 < 0.80"."""
    gate = verdict.gate
    name = f"{verdict.metric}: {gate.measure}{'.low' if gate.end == 'low' else ''}"
    if verdict.outcome == "incomplete" or verdict.value is None:
        return f"gate incomplete: {name} {gate.operator} {gate.bound:g}: {verdict.why}"
    value, bound = against(verdict.value, gate.bound)
    sign = gate.operator if verdict.outcome == "passed" else _NOT[gate.operator]
    return f"gate {verdict.outcome}: {name} {value} {sign} {bound}"


def calibration_json(
    agreements: Sequence[Agreement],
    verdicts: Sequence[AgreementVerdict],
    models: Sequence[ModelUse],
    *,
    files: Sequence[str],
    good_from: float,
) -> dict[str, Any]:
    """The same as a JSON object."""
    return {
        "format": 1,
        "files": list(files),
        "good_from": good_from,
        "models": [use.to_json() for use in models],
        "metrics": [agreement.to_json() for agreement in agreements],
        "gates": [
            {
                "gate": verdict.gate.text,
                "metric": verdict.metric,
                "outcome": verdict.outcome,
                "value": verdict.value,
                "why": verdict.why,
            }
            for verdict in verdicts
        ],
    }


def _metric(agreement: Agreement, width: int, good_from: float) -> list[Line]:
    grades = f" (labels from {good_from:g} on)" if agreement.graded else ""
    head = f"{agreement.metric}: {count(agreement.rows, 'row')}, {agreement.good:,} good{grades}, {agreement.bad:,} bad"
    lines = wrapped_lines(head, width, _BOLD)
    if agreement.auroc is not None:
        lines += _fact("AUROC", _measured(agreement.auroc), width)
    if agreement.correlation is not None:
        lines += _fact("rank correlation", f"{_measured(agreement.correlation)} with the grades", width)
    if agreement.configured is not None:
        lines += _threshold(agreement, agreement.configured, "of the settings", width)
    if (best := agreement.recommended) is not None:
        how = f"recommended (Youden's J), 95 % interval {shown(best.low)} to {shown(best.high)}"
        lines += _threshold(agreement, best.at, how, width, elsewhere=best.elsewhere)
    for note in _notes(agreement):
        lines += wrapped_lines(f"  {note}", width, _YELLOW)
    return lines + _worst(agreement.disagreements, width)


def _threshold(
    agreement: Agreement, at: AtThreshold, how: str, width: int, *, elsewhere: float | None = None
) -> list[Line]:
    sign = ">=" if agreement.higher_is_better else "<="
    lines = wrapped_lines(f"  threshold {sign} {_bound(at.threshold)}, {how}", width, {})
    others = "" if elsewhere is None else f"; about {shown(elsewhere)} on other rows"
    lines += _fact("  balanced accuracy", _measured(at.balanced_accuracy) + others, width)
    if at.kappa is not None:
        lines += _fact("  Cohen's kappa", _measured(at.kappa), width)
    held = f"{at.good_held:,} of {agreement.good:,} good rows, and {at.bad_held:,} of {agreement.bad:,} bad ones"
    return lines + _fact("  passes", held, width)


def _fact(name: str, text: str, width: int) -> list[Line]:
    return wrapped_lines(f"  {name:<20}{text}", width, {})


def _notes(agreement: Agreement) -> list[str]:
    notes = []
    if agreement.unscored:
        reason = f": {cut(agreement.unscored_because, 160)}" if agreement.unscored_because else ""
        notes.append(f"{count(agreement.unscored, 'labelled row')} could not be scored{reason}")
    if not agreement.rows:
        return notes
    if not agreement.good or not agreement.bad:
        kind = "bad" if not agreement.bad else "good"
        notes.append(f"nothing can be measured: no row is {kind}. Label some of that kind, too.")
    elif min(agreement.good, agreement.bad) < FEW:
        notes.append(f"few labels: at least {FEW} good and {FEW} bad rows make a threshold more than a guess")
    if agreement.good and agreement.bad and agreement.recommended is None:
        notes.append("no threshold tells good from bad: do not gate on this metric with this critic")
    elif agreement.auroc is not None and agreement.auroc.low <= 0.5:
        notes.append("no better than chance, as far as these labels can tell: do not gate on this metric")
    return notes


def _worst(found: Sequence[Disagreement], width: int) -> list[Line]:
    """A line for each row, and below it what was judged, and what the critic says of it."""
    if not found:
        return []
    lines = [Line(text=shorten("  worst disagreements", width), markup=_BOLD)]
    size = max(len(_label(one.label)) for one in found)
    for one in found:
        place = f"{one.row} ({one.source})" if one.source else one.row
        verdict = f"    score {shown(one.score)}, people {_label(one.label):<{size}}"
        lines.append(Line(text=shorten(f"{verdict}  {place}", width)))
        for name, text in (("response", one.response), ("critic", one.reason)):
            if text:
                lines.append(Line(text=shorten(f"      {name:<10}{cut(text, 300)}", width)))
    return lines


def _label(label: float) -> str:
    return {0.0: "bad", 1.0: "good"}.get(label, shown(label))


def _measured(found: Measured) -> str:
    return f"{found.value:.3f} [{found.low:.2f}, {found.high:.2f}]"


def _bound(threshold: float) -> str:
    return f"{threshold:.2f}" if round(threshold, 2) == threshold else f"{threshold:g}"
