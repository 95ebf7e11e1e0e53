"""`compare`: two recorded runs to a verdict, or to the reasons why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ragas.baselines.comparable import differences, remarks
from pytest_ragas.baselines.decide import decide_comparison, steady_metrics
from pytest_ragas.baselines.pair import pair
from pytest_ragas.values.comparison import Comparison, Incomparable, Pairing
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.recorded import RecordedRun

_ROUNDING = 1e-9


def compare(
    baseline: RecordedRun,
    current: RecordedRun,
    rules: ComparisonRules,
    *,
    name: str,
    file: str,
    anyway: bool = False,
    anyway_flag: str = "--ragas-compare-anyway",
    partial: bool = False,
    min_coverage: float = 1.0,
) -> Comparison | Incomparable:
    """Hold a run against its baseline.

    Args:
        baseline: The earlier run.
        current: Today's.
        rules: What fails.
        name: What messages call the baseline.
        file: Where it lies, for commands in messages.
        anyway: Whether scores that were made in different ways are compared all the same.
        anyway_flag: The flag that says so, for messages.
        partial: Whether today's run left rows out on purpose.
        min_coverage: Share of the rows with a score in the baseline that must have one today, in (0, 1]; of those that
            were run.

    Returns:
        A comparison; `Incomparable` where another critic, other embeddings or another metric made the scores.
    """
    found = differences(baseline, current)
    if found and not anyway:
        return Incomparable(
            baseline=name, differences=found, mends=_mends(baseline, file=file, anyway_flag=anyway_flag)
        )
    pairing = pair(baseline, current, partial=partial)
    return decide_comparison(
        pairing,
        rules,
        baseline=name,
        steady=steady_metrics(baseline, current),
        differences=found,
        notes=remarks(baseline, current),
        incomplete=tuple(_lacks(pairing, name, min_coverage)),
    )


def _mends(baseline: RecordedRun, *, file: str, anyway_flag: str) -> tuple[str, ...]:
    anyway = f"Compare them anyway with {anyway_flag}."
    if any(row.sample is not None for row in baseline.rows):
        return f"Have its answers judged again by what judges today: pytest-ragas rejudge {file}", anyway
    return (
        f"Have its answers judged again, where a saved run has them: pytest-ragas rejudge {file} --baseline {file}",
        "Else run the accepted version of your RAG with what judges today and --ragas-update-baseline.",
        anyway,
    )


def _lacks(pairing: Pairing, name: str, min_coverage: float) -> Iterator[str]:
    """Why the comparison says too little."""
    if not pairing.pairs and not pairing.unscored:
        yield f"no score of this run has a counterpart in {name}"
    scored: dict[str, int] = {}
    missing: dict[str, int] = {}
    for entry in pairing.pairs:
        scored[entry.metric] = scored.get(entry.metric, 0) + 1
    for lacking in pairing.unscored:
        if lacking.side == "after":
            missing[lacking.metric] = missing.get(lacking.metric, 0) + 1
    for metric, without in missing.items():
        total = scored.get(metric, 0) + without
        if total - without < min_coverage * total - _ROUNDING:
            yield f"{metric}: {total - without:,} of {total:,} rows that {name} has a score of have one today"
