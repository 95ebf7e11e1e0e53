"""`faithfulness: auroc >= 0.8` -> `AgreementGate`, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast, get_args

from pytest_ragas.errors import GateSyntaxError
from pytest_ragas.values.calibration import Agreement, AgreementGate, AgreementVerdict, Measure
from pytest_ragas.values.gate import Operator

EXAMPLE = "faithfulness: auroc >= 0.8"
MEASURES: tuple[Measure, ...] = get_args(Measure)

_ROUNDING = 1e-9
_GATE = re.compile(
    r"(?:(?P<metric>[^\W\d][\w.:/-]*?)\s*:\s+)?(?P<measure>[a-z_]+)(?:\.(?P<end>low))?\s*"
    r"(?P<operator>>=|<=|>|<)\s*(?P<bound>[+-]?(?:\d+\.?\d*|\.\d+))"
)


def parse_agreement_gate(text: str) -> AgreementGate:
    """Read a gate on the agreement of a critic with people.

    ```text
    gate    = [metric ":"] measure [".low"] operator number
    measure = "auroc" | "balanced_accuracy" | "kappa" | "correlation"
    ```
    Without a metric it holds every metric that has labels; `.low` is the lower end of the interval.

    Raises:
        GateSyntaxError: It cannot be read; the message shows an example.
    """
    flat = " ".join(text.split())
    # "faithfulness:auroc>=0.8" is meant, too; a backend's prefix ("ragas:faithfulness") has no space behind it
    spaced = re.sub(rf":\s*(?=(?:{'|'.join(MEASURES)})\b)", ": ", flat)
    read = _GATE.fullmatch(spaced)
    if read is None:
        raise GateSyntaxError(
            f"Cannot read the gate {flat!r}: expected METRIC: MEASURE OPERATOR NUMBER. Write for example: {EXAMPLE}"
        )
    if read["measure"] not in MEASURES:
        raise GateSyntaxError(
            f"Cannot read the gate {flat!r}: {read['measure']!r} is no measure of agreement. Known: "
            f"{', '.join(MEASURES)}. Write for example: {EXAMPLE}"
        )
    bound = float(read["bound"])
    lowest = -1 if read["measure"] in ("kappa", "correlation") else 0
    if not lowest <= bound <= 1:
        raise GateSyntaxError(
            f"Cannot read the gate {flat!r}: {read['measure']} lies in [{lowest}, 1]. Write for example: {EXAMPLE}"
        )
    return AgreementGate(
        metric=read["metric"] or "",
        measure=read["measure"],
        end="low" if read["end"] else "value",
        operator=cast(Operator, read["operator"]),
        bound=bound,
        text=flat,
    )


def decide_agreement(
    gate: AgreementGate, agreements: Sequence[Agreement], *, min_coverage: float
) -> tuple[AgreementVerdict, ...]:
    """What became of a gate: one verdict for each metric that it is about.

    Args:
        gate: Its metric in standard spelling.
        agreements: Of all metrics that have labels.
        min_coverage: Share of the labelled rows that must have a score, in (0, 1].

    Returns:
        "incomplete", which is red, where the metric has no labels, rows lack a score, or nothing can be measured.
    """
    about = [agreement for agreement in agreements if not gate.metric or agreement.metric == gate.metric]
    if not about:
        why = f"no row has a label for {gate.metric}"
        return (AgreementVerdict(gate=gate, metric=gate.metric, outcome="incomplete", value=None, why=why),)
    return tuple(_decide(gate, agreement, min_coverage) for agreement in about)


def _decide(gate: AgreementGate, agreement: Agreement, min_coverage: float) -> AgreementVerdict:
    measured = agreement.measured(gate.measure)
    value = None if measured is None else measured.low if gate.end == "low" else measured.value
    labelled = agreement.rows + agreement.unscored
    if agreement.rows < min_coverage * labelled - _ROUNDING:
        why = f"{agreement.rows:,} of {labelled:,} labelled rows have a score (min_coverage can allow for it)"
    elif value is None:
        why = _undefined(gate.measure, agreement)
    else:
        holds = {
            ">=": value >= gate.bound - _ROUNDING,
            ">": value > gate.bound + _ROUNDING,
            "<=": value <= gate.bound + _ROUNDING,
            "<": value < gate.bound - _ROUNDING,
        }[gate.operator]
        outcome = "passed" if holds else "failed"
        return AgreementVerdict(gate=gate, metric=agreement.metric, outcome=outcome, value=value)  # type: ignore[arg-type]
    return AgreementVerdict(gate=gate, metric=agreement.metric, outcome="incomplete", value=value, why=why)


def _undefined(measure: Measure, agreement: Agreement) -> str:
    if measure == "correlation":
        return "correlation needs graded labels that differ, and scores that do"
    if not agreement.good or not agreement.bad:
        return f"all {agreement.rows:,} rows are {'good' if agreement.good else 'bad'}"
    return "no threshold tells good from bad"
