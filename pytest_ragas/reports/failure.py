"""What a failed or unscored test says, in a few lines: metric, value, bound, the evidence, the row.

A report of pytest adds two lines of its own (an empty one and the place), so that twelve hold it all.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.errors import cut
from pytest_ragas.reports.diagnosis import diagnosis_of
from pytest_ragas.values.gate import Breach
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score, ScoreFailure

LINES = 10
"""Lines that one text may have."""

WIDTH = 100
"""Characters that one line may have; the first one may have more, for it is what summaries quote."""

_PARAGRAPH = 600
"""Characters of what happened: the mend stands at its end."""


def failure_text(result: SampleResult, breaches: Sequence[Breach], *, lines: int = LINES) -> str:
    """Why scores broke their thresholds.

    Args:
        result: The scored sample.
        breaches: The thresholds that it broke, at least one.
        lines: The most lines that the text may have.

    Returns:
        First the bounds that were broken, then row and answer, then whose fault it is where the scores can tell,
        then what counted against each metric.
    """
    head = ["; ".join(map(str, breaches)), *_row(result.sample), *_diagnosis(result)]
    missing = [(failure.metric, _reason(failure, result.sample)) for failure in result.failures[:1]]
    head += [_line(f"  {metric} could not be scored: {reason}") for metric, reason in missing]
    found = {score.metric: score for score in result.scores}
    broken = [found[breach.threshold.metric] for breach in breaches if breach.threshold.metric in found]
    return "\n".join((head + _evidence(broken, lines - len(head)))[:lines])


def error_text(result: SampleResult, *, lines: int = LINES) -> str:
    """Why a sample has no score: what happened, to which metrics, on which row.

    Args:
        result: The sample, with at least one failure.
        lines: The most lines that the text may have.
    """
    first, *others = result.failures
    reasons = [_reason(failure, result.sample) for failure in result.failures]
    what = "was not run" if first.kind == "not run" else "could not be scored"
    text = [f"{first.metric} {what}: {cut(reasons[0], _PARAGRAPH)}", *_row(result.sample)]
    text += [
        _line(f"  {failure.metric}: {'likewise' if reason == reasons[0] else reason}")
        for failure, reason in zip(others, reasons[1:], strict=True)
    ]
    said = next((failure.raw for failure in result.failures if failure.raw), "")
    if said:
        text.insert(len(text) - len(others), _line(f"  the model said: {said!r}"))
    return "\n".join(_within(text, lines))


def _reason(failure: ScoreFailure, sample: Sample) -> str:
    """What happened, without the metric and the row where the text begins with them: they have lines of their own."""
    where = f" ({sample.source})" if sample.source else ""
    error = failure.error.removeprefix(f"{failure.metric} of row {cut(sample.id, 60)!r}{where}: ")
    return error.removeprefix(f"{failure.metric}: ")


def _row(sample: Sample) -> list[str]:
    where = f" ({sample.source})" if sample.source else ""
    rows = [_line(f"  row          {sample.id}{where}")]
    if sample.user_input:
        rows.append(_line(f"  user_input   {sample.user_input}"))
    if sample.response is not None:
        rows.append(_line(f"  response     {sample.response or '(empty)'}"))
    return rows


def _diagnosis(result: SampleResult) -> list[str]:
    """Retrieval or generation, and what else went wrong."""
    found = diagnosis_of(result)
    if found is None:
        return []
    also = [_line(f"               also {found.also}")] if found.also else []
    return [_line(f"  diagnosis    {found}"), *also]


def _evidence(scores: Sequence[Score], room: int) -> list[str]:
    """A line for each broken metric, and below it what counted against it, shared out fairly."""
    text: list[str] = []
    for place, score in enumerate(scores):
        share = (room - len(text)) // (len(scores) - place)
        if share <= 0:
            break
        bad = [finding for finding in score.evidence if finding.bad]
        bad = bad or sorted(score.evidence, key=lambda finding: finding.value)[:1]
        text.append(_line(f"  {score.metric}: {score.reason or _count(score, bad)}"))
        text += _findings(bad, share - 1)
    return text


def _count(score: Score, bad: Sequence[Finding]) -> str:
    if not score.evidence:
        return f"{score.value:.2f}"
    return f"{len(bad)} of {len(score.evidence)} {score.evidence[0].kind}s count against it"


def _findings(findings: Sequence[Finding], room: int) -> list[str]:
    """Each finding with its reason below it where there is room for all of them, else in one line each."""
    spread = [line for finding in findings for line in _spread(finding)]
    return spread if len(spread) <= room else _within([_finding(finding) for finding in findings], room)


def _spread(finding: Finding) -> list[str]:
    line = _finding(finding, whole=True)
    if len(line) <= WIDTH or not finding.reason:
        return [_line(line)]
    kind = finding.part or finding.kind
    return [_line(f"    - {kind}: {finding.text}"), _line(f"      {' ' * len(kind)}  {finding.reason}")]


def _finding(finding: Finding, *, whole: bool = False) -> str:
    kind = finding.part or finding.kind
    reason = f" ({finding.reason})" if finding.reason else ""
    if whole:
        return f"    - {kind}: {finding.text}{reason}"
    # the reason is worth as much as the text: neither may push the other out of the line
    room = WIDTH - len(kind) - 8
    text = cut(finding.text, room if not reason else max(room - min(len(reason), room // 2), 20))
    return _line(f"    - {kind}: {text}{reason}")


def _line(text: str) -> str:
    indent = len(text) - len(text.lstrip())
    return text[:indent] + _cut(text[indent:], WIDTH - indent)


def _cut(text: str, limit: int) -> str:
    # cut() closes up the gaps of our columns, so only where something must go
    flat = text.replace("\n", " ").replace("\r", " ")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _within(lines: Sequence[str], room: int) -> list[str]:
    """The lines that there is room for, the last of them counting the rest; a single one says more than a count."""
    if len(lines) <= room or room <= 1:
        return list(lines[: max(room, 0)])
    return [*lines[: room - 1], f"    … and {len(lines) - room + 1} more"]
