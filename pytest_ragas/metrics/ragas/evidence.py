"""The evidence of a score of ragas: the statements, verdicts, questions and ratings that its class asked for.

Ragas throws them away. They went through our seam, so a failure can show them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ragas.metrics.ragas.conversation import Conversation, Exchange
from pytest_ragas.values.score import Finding

__all__ = ["findings", "summary"]

_VERDICTS = ("verdict", "attributed", "equivalent", "faithful", "relevant")
_REASONS = ("reason", "feedback")
_RATINGS = {"ContextRelevanceOutput": 2, "ResponseGroundednessOutput": 2, "AnswerAccuracyOutput": 4}
"""Structure -> its highest rating."""
_GOOD: Mapping[str, str] = {"statement": "hold", "context": "useful", "question": "fit", "entity": "found"}
_CLASSES = {
    "TP": ("true positive", 1.0),
    "FP": ("false positive", 0.0),
    "FN": ("false negative", 0.0),
}


def findings(talk: Conversation, inputs: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What the critic LLM said, piece by piece, in the order of its answers."""
    exchanges = talk.exchanges
    if any(exchange.title == "StatementFaithfulnessOutput" for exchange in exchanges):
        return tuple(_noise(exchanges, inputs))
    out: list[Finding] = []
    for exchange in exchanges:
        if exchange.title in _RATINGS:
            out.append(_rating(exchange, judge=len(out) + 1))
        elif exchange.title != "EntitiesList":
            out += _of_exchange(exchange, talk, inputs)
    out += _entities(exchanges, inputs)
    out += _answers(exchanges)
    return tuple(out)


def summary(found: Sequence[Finding]) -> str:
    """One line: "2 of 3 statements hold", or what the judges rated."""
    if any(finding.part.startswith("judge") for finding in found):
        return ", ".join(f"{finding.part}: {finding.reason}" for finding in found)
    parts = []
    for kind in dict.fromkeys(finding.kind for finding in found):
        of_kind = [finding for finding in found if finding.kind == kind]
        good = sum(not finding.bad for finding in of_kind)
        plural = kind if len(of_kind) == 1 else "entities" if kind == "entity" else f"{kind}s"
        parts.append(f"{good} of {len(of_kind)} {plural} {_GOOD.get(kind, 'good')}")
    return ", ".join(parts)


def _of_exchange(exchange: Exchange, talk: Conversation, inputs: Mapping[str, Any]) -> Iterator[Finding]:
    value = exchange.value
    if exchange.title == "AnswerRelevanceOutput":
        evasive = bool(value["noncommittal"])
        yield Finding(
            kind="question",
            text=value["question"],
            value=0.0 if evasive else _likeness(talk, value["question"], inputs.get("user_input", "")),
            reason="the response is noncommittal" if evasive else "likeness to the user_input",
        )
    elif exchange.title == "ClassificationWithReason":
        for key, (part, worth) in _CLASSES.items():
            for item in value.get(key, ()):
                yield Finding(
                    kind="statement", text=item["statement"], value=worth, reason=item.get("reason", ""), part=part
                )
    elif (verdict := _verdict(value)) is not None:
        context = exchange.data.get("context")
        yield Finding(
            kind="statement" if context is None else "context",
            text=str(context or inputs.get("response", "")),
            value=verdict,
            reason=_reason(value),
        )
    else:
        for item in _items(value):
            verdict = _verdict(item)
            if verdict is not None:
                yield Finding(
                    kind="statement",
                    text=str(item.get("statement", "")),
                    value=verdict,
                    reason=_reason(item),
                    part=_other_side(exchange, inputs),
                )


def _rating(exchange: Exchange, *, judge: int) -> Finding:
    """What one of two judges said; ragas asks the second with the response and the reference changed over."""
    rating, highest = exchange.value["rating"], _RATINGS[exchange.title]
    of_contexts = exchange.title == "ContextRelevanceOutput"
    text = exchange.data.get("context" if of_contexts else "response") or exchange.data.get("user_answer", "")
    return Finding(
        kind="context" if of_contexts else "statement",
        text=str(text),
        value=rating / highest,
        reason=f"rated {rating} of {highest}",
        part=f"judge {judge}",
    )


def _noise(exchanges: Sequence[Exchange], inputs: Mapping[str, Any]) -> Iterator[Finding]:
    """The response's statements against the reference; which contexts carry them is their reason."""
    judged = [exchange for exchange in exchanges if exchange.title == "StatementFaithfulnessOutput"]
    if not judged:
        return
    carried: dict[str, list[int]] = {}
    contexts = list(inputs.get("retrieved_contexts", ()))
    for exchange in judged[:-1]:
        for item in exchange.value["statements"]:
            if item["verdict"] and exchange.data.get("context") in contexts:
                carried.setdefault(item["statement"], []).append(contexts.index(exchange.data["context"]) + 1)
    for item in judged[-1].value["statements"]:  # ragas asks about the reference last
        places = ", ".join(map(str, sorted(set(carried.get(item["statement"], ())))))
        yield Finding(
            kind="statement",
            text=item["statement"],
            value=float(bool(item["verdict"])),
            reason="; ".join(
                part
                for part in (item.get("reason", ""), f"retrieved context {places} carries it" * bool(places))
                if part
            ),
            part="response",
        )


def _entities(exchanges: Sequence[Exchange], inputs: Mapping[str, Any]) -> Iterator[Finding]:
    asked = [exchange for exchange in exchanges if exchange.title == "EntitiesList"]
    if len(asked) != 2:
        return
    reference, contexts = (list(dict.fromkeys(exchange.value["entities"])) for exchange in asked)
    for entity in reference:
        there = entity in contexts
        yield Finding(
            kind="entity",
            text=entity,
            value=float(there),
            reason="in the retrieved contexts" if there else "not in the retrieved contexts",
            part="reference",
        )


def _answers(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """SummaryScore: which questions on the contexts the summary answers."""
    for exchange in exchanges:
        if exchange.title == "AnswersGenerated":
            for question, answer in zip(exchange.data.get("questions", ()), exchange.value["answers"], strict=False):
                answered = answer == "1"
                yield Finding(
                    kind="question",
                    text=str(question),
                    value=float(answered),
                    reason="the response answers it" if answered else "the response does not answer it",
                )


def _items(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        for part in value.values():
            if isinstance(part, list):
                yield from (item for item in part if isinstance(item, Mapping))


def _verdict(value: Any) -> float | None:
    """1 or 0, where the value is a verdict; it may be an integer, a truth value or the digit as text."""
    if isinstance(value, Mapping):
        for key in _VERDICTS:
            if key in value:
                return 0.0 if value[key] in (0, False, "0") else 1.0
    return None


def _reason(value: Mapping[str, Any]) -> str:
    return next((str(value[key]) for key in _REASONS if value.get(key)), "")


def _other_side(exchange: Exchange, inputs: Mapping[str, Any]) -> str:
    """Statements judged by the reference are the response's, and the other way round."""
    against = exchange.data.get("context")
    if against is None:
        return ""
    return {inputs.get("reference"): "response", inputs.get("response"): "reference"}.get(against, "")


def _likeness(talk: Conversation, left: str, right: str) -> float:
    a, b = talk.vectors.get(left), talk.vectors.get(right)
    if not a or not b:
        return 1.0
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return min(1.0, max(0.0, product / math.hypot(*a) / math.hypot(*b)))
