"""The brain of the test server: a critic that only looks at words, so that every score can be computed by hand.

Content words are the case-folded words and numbers of a text without `STOP_WORDS`. A text is *covered* by others
if they hold all of its content words. Then:

- Statements and Claims: the sentences of the text.
- Verdicts and Correctness: 1 if the piece is covered by the contexts (by the other side's statements), else 0.
- Usefulness: 1 if the context and the answer share at least half of the answer's content words.
- Rating of an assertion or a question: 2 if the contexts cover it, 0 if they share no content word, else 1.
- RelevantSentences: those that share a content word with the question.
- Entities: capitalised words that do not begin a sentence, and numbers.
- Questions: "Is it true that <first sentence>?" as often as asked; noncommittal if the answer has "don't know".
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

STOP_WORDS = frozenset(
    "a an and are at by did does for from in is it its of on that the to was were what where who".split()
)
DIMENSIONS = 2048

Brain = Callable[[dict[str, Any]], object]


def lexical_critic(request: dict[str, Any]) -> object:
    """The answer to one request of a native metric.

    Args:
        request: `title` of the structure and `data` (the JSON object of the user message).
    """
    return _ANSWERS[request["title"]](request["data"])


def bag_of_words(text: str) -> list[float]:
    """A vector with one count for each word: the cosine of two texts is that of their word counts."""
    vector = [0.0] * DIMENSIONS
    for word in _all_words(text):
        vector[zlib.crc32(word.encode()) % DIMENSIONS] += 1.0
    return vector


def sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?])\s+", text.strip()) if sentence]


def _all_words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def words(text: str) -> set[str]:
    return set(_all_words(text)) - STOP_WORDS


def _covered(text: str, others: Iterable[str]) -> bool:
    return words(text) <= words(" ".join(others))


def _verdicts(pieces: list[dict[str, Any]], others: list[str]) -> list[dict[str, Any]]:
    out = []
    for piece in pieces:
        missing = sorted(words(piece["text"]) - words(" ".join(others)))
        reason = f"missing: {', '.join(missing)}" if missing else "every word is there"
        out.append({"number": piece["number"], "reason": reason, "verdict": int(not missing)})
    return out


def _correctness(data: Mapping[str, Any]) -> dict[str, Any]:
    response, reference = data["response_statements"], data["reference_statements"]
    return {
        "response_verdicts": _verdicts(response, [piece["text"] for piece in reference]),
        "reference_verdicts": _verdicts(reference, [piece["text"] for piece in response]),
    }


def _questions(data: Mapping[str, Any]) -> dict[str, Any]:
    first = sentences(data["answer"])[0].rstrip(".!?")
    evasive = int("don't know" in data["answer"])
    return {"questions": [{"question": f"Is it true that {first}?", "noncommittal": evasive}] * data["count"]}


def _usefulness(data: Mapping[str, Any]) -> dict[str, Any]:
    wanted = words(data["answer"])
    shared = wanted & words(data["context"])
    return {"reason": f"{len(shared)} of {len(wanted)} words", "verdict": int(2 * len(shared) >= len(wanted))}


def _rating(data: Mapping[str, Any]) -> dict[str, Any]:
    wanted = words(data.get("assertion") or data["question"])
    shared = wanted & words(" ".join(data["contexts"]))
    return {"reason": f"{len(shared)} of {len(wanted)} words", "rating": 2 if shared == wanted else int(bool(shared))}


def _relevant(data: Mapping[str, Any]) -> dict[str, Any]:
    asked = words(data["question"])
    return {
        "reason": "shared words",
        "numbers": [piece["number"] for piece in data["sentences"] if words(piece["text"]) & asked],
    }


def _entities(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, None] = {}
    for sentence in sentences(data["text"]):
        for place, word in enumerate(re.findall(r"\w+", sentence)):
            if word.isdigit() or (place and word[0].isupper()):
                found.setdefault(word)
    return {"entities": list(found)}


_ANSWERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "Statements": lambda data: {"statements": sentences(data["text"])},
    "Claims": lambda data: {"claims": sentences(data["text"])},
    "Verdicts": lambda data: {"verdicts": _verdicts(data["statements"], data["contexts"])},
    "Correctness": _correctness,
    "Questions": _questions,
    "Usefulness": _usefulness,
    "Rating": _rating,
    "RelevantSentences": _relevant,
    "Entities": _entities,
}
