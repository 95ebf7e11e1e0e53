"""A second brain of the test server: it writes questions and judges them, by their words alone.

A question is "What does the handbook say on <words of the focus>?" and its answer the focus, word for word, so that
faithfulness by words (`lexical.py`) holds. What evolves a question adds a sentence of every context. Then:

- Check: answerable if the contexts hold every content word of the answer; a question with `VAGUE` in it is not
  self-contained; German is told by `DEUTSCH`.
- Alone: answerable if the context holds every content word of the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from openai_server.lexical import lexical_critic, words

VAGUE = "according to the text"
DEUTSCH = "Was sagt das Handbuch"
_WORD = re.compile(r"[^\W_]+")
_ASKED = "What does the handbook say on"


def author(request: dict[str, Any]) -> object:
    """The answer to one request, of a generator LLM or of its critic."""
    title = request["title"]
    return _ANSWERS[title](request["data"]) if title in _ANSWERS else lexical_critic(request)


def _pair(question: str, answer: str) -> dict[str, str]:
    return {"question": question, "answer": answer}


def _about(text: str, language: str = "") -> str:
    opening = DEUTSCH if language == "German" else _ASKED
    return f"{opening} {' '.join(_WORD.findall(text)[:12])}?"


def _sentence(text: str) -> str:
    """The longest sentence of a text: that which says most."""
    pieces = [" ".join(piece.split()) for piece in re.split(r"(?<=[.!?])\s+|\n\s*\n", text)]
    return max(pieces, key=lambda piece: (len(words(piece)), piece))


def _question(data: Mapping[str, Any]) -> dict[str, str]:
    return _pair(_about(data["focus"], data["language"]), data["focus"])


def _reasoning(data: Mapping[str, Any]) -> dict[str, str]:
    return _pair(f"What follows from this: {data['question']}", data["answer"])


def _multi_context(data: Mapping[str, Any]) -> dict[str, str]:
    pieces = [data["answer"], *map(_sentence, data["contexts"][1:])]
    return _pair(_about(" ".join(" ".join(piece.split()[:6]) for piece in pieces), data["language"]), " ".join(pieces))


def _follow_up(data: Mapping[str, Any]) -> dict[str, str]:
    sentence = _sentence(data["contexts"][0])
    return _pair(f"And what about it: {_about(sentence)}", sentence)


def _unanswerable(data: Mapping[str, Any]) -> dict[str, str]:
    return _pair(f"Who invented {' '.join(data['focus'].split()[:4])}?", "There is no information on zyxwv.")


def _check(data: Mapping[str, Any]) -> dict[str, object]:
    missing = words(data["answer"]) - words(" ".join(data["contexts"]))
    german = DEUTSCH in data["question"]
    return {
        "reason": f"missing: {', '.join(sorted(missing))}" if missing else "every word is there",
        "self_contained": int(VAGUE not in data["question"]),
        "answerable": int(not missing),
        "in_language": int(german == (data["language"] == "German")),
        "meets_requirement": 1,
    }


def _alone(data: Mapping[str, Any]) -> dict[str, object]:
    asked = words(data["question"].removeprefix(_ASKED).removeprefix(DEUTSCH))
    return {"reason": "by its words", "answerable": int(asked <= words(data["context"]))}


_ANSWERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "Question": _question,
    "Reasoning": _reasoning,
    "MultiContext": _multi_context,
    "FollowUp": _follow_up,
    "Unanswerable": _unanswerable,
    "Asked": lambda data: {"question": _about(data["sentence"], data["language"])},
    "Check": _check,
    "Alone": _alone,
    "Response": lambda data: {"response": _sentence(data["contexts"][0])},
}
