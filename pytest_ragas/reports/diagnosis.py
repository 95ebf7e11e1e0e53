"""Retrieval or generation? Rules over the scores of a failed row, in one fixed order. Pure functions.

Nothing is asked of a model, and nothing is said where the scores cannot tell: a low faithfulness alone may be the
fault of either side. docs/diagnosis.md has the rules as a table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pytest_ragas.errors import cut
from pytest_ragas.reports.numbers import score as shown
from pytest_ragas.reports.roles import Readings, Role, read, role_of
from pytest_ragas.values.diagnosis import Diagnosis
from pytest_ragas.values.gate import Threshold
from pytest_ragas.values.recorded import RecordedRow
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

WOULD_TELL = "context_recall"
"""The metric that tells retrieval from generation where nothing else does."""

_PIECE = 200
"""Characters of the sentence that shows the fault."""

_DECLINES = re.compile(
    r"\b(?:i\s+(?:do\s+not|don['’]t)\s+know|(?:can\s?not|can['’]t|unable\s+to|not\s+able\s+to)\s+(?:answer|find|help)"
    r"|no\s+information|(?:not|isn['’]t)\s+(?:mentioned|specified|provided|stated)\s+in)\b",
    re.IGNORECASE,
)
_SHORT = 200
"""Characters up to which such words are the whole of a response, not a remark in it."""

_NEEDS_RETRIEVAL: frozenset[Role] = frozenset({"grounded", "misled", "answers", "correct"})
"""What is low there may be the fault of either side."""


def diagnosis_of(result: SampleResult, *, fell: Collection[str] = ()) -> Diagnosis | None:
    """Whose fault a failed result is; None where it did not fail, or where its scores cannot tell.

    Args:
        result: With its scores, their evidence and its thresholds.
        fell: Metrics to explain although their threshold holds: those that fell since a baseline.
    """
    return diagnose(result.scores, result.thresholds, sample=result.sample, fell=fell)


def diagnosis_of_row(row: RecordedRow, *, fell: Collection[str] = ()) -> Diagnosis | None:
    """As `diagnosis_of`, for a row of a run file: without the sentence, which the file does not keep."""
    scores = [
        Score(metric=score.metric, value=score.value, higher_is_better=score.higher_is_better) for score in row.scores
    ]
    return diagnose(scores, row.thresholds, sample=row.sample, fell=fell)


def diagnose(
    scores: Sequence[Score],
    thresholds: Iterable[Threshold],
    *,
    sample: Sample | None = None,
    fell: Collection[str] = (),
) -> Diagnosis | None:
    """Whose fault a row is.

    Args:
        scores: Of the row, with whatever evidence there is.
        thresholds: What it is held to. Without one that is broken, and without `fell`, there is nothing to explain.
        sample: The row; tells whether the response declines to answer.
        fell: Metrics to explain although their threshold holds.
    """
    readings = read(scores, thresholds, fell=fell)
    if not readings.asked:
        return None
    declines = bool(readings.asked & _NEEDS_RETRIEVAL) and _declines(scores, sample)
    return _retriever_missed(readings, declines) or _generator_failed(readings, declines, sample) or _order(readings)


def diagnosis_counts(results: Iterable[SampleResult]) -> str:
    """How many failed results are whose fault; empty where nothing failed that is known here.

    Returns:
        "retrieval 3, generation 1, unclear 2 (context_recall would tell)".
    """
    causes: Counter[str] = Counter()
    hint = False
    for result in results:
        if result.outcome != "failed":
            continue
        if found := diagnosis_of(result):
            causes[found.cause] += 1
            continue
        readings = read(result.scores, result.thresholds)
        if readings.asked:
            causes["unclear"] += 1
            hint = hint or ("recall" not in readings.present and bool(readings.asked & _NEEDS_RETRIEVAL))
    named = ", ".join(f"{cause} {causes[cause]:,}" for cause in ("retrieval", "generation", "unclear") if causes[cause])
    return f"{named} ({WOULD_TELL} would tell)" if hint else named


def _retriever_missed(readings: Readings, declines: bool) -> Diagnosis | None:
    low = readings.worst("recall")
    also = "the response declines to answer" if declines else ""
    if low is not None:
        text, piece = _missed(low)
        if not also and (invented := readings.worst("grounded")):
            piece_invented = _worst_piece(invented, "response")
            also = f'no context supports "{piece_invented}"' if piece_invented else "no context supports the response"
        return Diagnosis(cause="retrieval", text=text, metric=low.metric, piece=piece, also=also)
    if "recall" in readings.present:
        return None
    topic = readings.worst("topic")
    if topic is not None:
        text = "what was retrieved is not about the question"
        return Diagnosis(cause="retrieval", text=text, metric=topic.metric, also=also)
    order = readings.worst("order")
    if order is not None and order.value == 0:
        text = "none of the contexts is useful for the answer"
        return Diagnosis(cause="retrieval", text=text, metric=order.metric, also=also)
    invented = readings.worst("grounded")
    if invented is not None and "correct" in readings.fine:
        # what is right and stands in no context was not retrieved
        piece = _worst_piece(invented, "response")
        text = f"the response is right, and no context holds {'' if piece else 'it'}".rstrip()
        return Diagnosis(cause="retrieval", text=text, metric=invented.metric, piece=piece)
    return None


def _generator_failed(readings: Readings, declines: bool, sample: Sample | None) -> Diagnosis | None:
    """What only the generator can have done, as the contexts are fine."""
    recalled = "recall" in readings.fine
    if not recalled and ("recall" in readings.present or "topic" not in readings.fine):
        return None
    if declines and recalled:
        return _generation(
            readings, ("answers", "correct", "grounded", "misled"), "it declines, though the contexts hold the answer"
        )
    if low := readings.worst("grounded"):
        piece = _worst_piece(low, "response")
        text = f"no context supports {'' if piece else 'the response'}".rstrip()
        return Diagnosis(cause="generation", text=text, metric=low.metric, piece=piece)
    if recalled and (low := readings.worst("misled")):
        piece = _worst_piece(low, "response")
        text = "contexts misled it to say" if piece else "contexts misled it"
        return Diagnosis(cause="generation", text=text, metric=low.metric, piece=piece)
    if low := readings.worst("answers"):
        piece = _answered_instead(low, sample)
        text = "the response answers another question:" if piece else "the response does not answer the question"
        return Diagnosis(cause="generation", text=text, metric=low.metric, piece=piece)
    if recalled and (low := readings.worst("correct")):
        return _wrong(low, grounded="grounded" in readings.fine)
    return None


def _generation(readings: Readings, roles: Sequence[Role], text: str) -> Diagnosis:
    low = next(score for role in roles if (score := readings.worst(role)))
    return Diagnosis(cause="generation", text=text, metric=low.metric)


def _order(readings: Readings) -> Diagnosis | None:
    """Contexts that are there, and stand too low or among too many others: only where that is what failed."""
    if (low := readings.worst("order")) and "order" in readings.asked:
        text = "useful contexts come behind others"
    elif (low := readings.worst("topic")) and "topic" in readings.asked:
        text = "much that was retrieved is not about the question"
    else:
        return None
    return Diagnosis(cause="retrieval", text=text, metric=low.metric)


def _missed(low: Score) -> tuple[str, str]:
    """What the contexts lack of the reference, counted, and the first of it."""
    pieces = [finding for finding in low.evidence if finding.part in ("reference", "")]
    bad = [finding for finding in pieces if finding.bad]
    if not bad:
        return f"the contexts hold too little of the reference ({low.metric} {shown(low.value)})", ""
    of = f"{len(bad)} of {len(pieces)} " if len(pieces) > 1 else ""
    if (kind := bad[0].kind) == "context":
        return f"{of}reference contexts were not retrieved:" if of else "not retrieved:", _piece(bad[0])
    return f"no context holds {of}{_several(kind)} of the reference:" if of else "no context holds", _piece(bad[0])


def _wrong(low: Score, *, grounded: bool) -> Diagnosis:
    missing = [finding for finding in low.evidence if finding.bad and finding.part in ("reference", "false negative")]
    wrong = [finding for finding in low.evidence if finding.bad and finding.part in ("response", "false positive")]
    how = "wrong though grounded" if grounded else "wrong, though the contexts hold the answer"
    facts = [finding for finding in missing if finding.kind != "similarity"]
    if facts:
        return Diagnosis(cause="generation", text=f"{how}: it leaves out", metric=low.metric, piece=_piece(facts[0]))
    facts = [finding for finding in wrong if finding.kind != "similarity"]
    diagnosis = Diagnosis(cause="generation", text=how, metric=low.metric)
    return replace(diagnosis, text=f"{how}: it says", piece=_piece(facts[0])) if facts else diagnosis


def _answered_instead(low: Score, sample: Sample | None) -> str:
    """The question that the response answers, where the critic wrote one that is not the row's own."""
    asked = cut(sample.user_input, _PIECE) if sample is not None else ""
    written = [finding for finding in low.evidence if finding.kind == "question" and _piece(finding) != asked]
    return _piece(min(written, key=lambda finding: finding.value)) if written else ""


def _worst_piece(low: Score, part: str) -> str:
    pieces = [finding for finding in low.evidence if finding.part in (part, "")]
    # judges rate the response as a whole, which the report shows already
    return _piece(min(pieces, key=lambda finding: finding.value)) if pieces else ""


def _declines(scores: Sequence[Score], sample: Sample | None) -> bool:
    """Whether the response gives no answer: it is empty, the critic calls it noncommittal, or it says so itself."""
    for score in scores:
        said = [score.reason, *(finding.reason for finding in score.evidence)]
        if score.value == 0 and role_of(score.metric) == "answers" and any("noncommittal" in text for text in said):
            return True
    if sample is None or sample.response is None:
        return False
    response = sample.response.strip()
    return not response or (len(response) <= _SHORT and _DECLINES.search(response) is not None)


def _piece(finding: Finding) -> str:
    return cut(finding.text, _PIECE)


def _several(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
