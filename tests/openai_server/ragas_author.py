"""A brain that answers the prompts of ragas' TestsetGenerator too, by their words alone; `author` judges them.

A summary is the text's longest sentence, its entities and themes are its names, numbers and long words, every reader is
interested in everything, and a question is about the sentences that hold its theme.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from openai_server.author import _about, _pair, _sentence, author
from pytest_ragas.libraries.ragas_structure import prompt_data


def ragas_author(request: dict[str, Any]) -> object:
    """The answer to one request, of ragas' generator or of our judging."""
    title = request["title"]
    if title not in _ANSWERS:
        return author(request)
    return _ANSWERS[title](prompt_data(request["messages"][0]["content"]))


def _names(text: str) -> list[str]:
    found = re.findall(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)?|\d[\d:]*|\b[a-z]{7,}", text)
    return list(dict.fromkeys(found)) or [_sentence(text).split()[0]]


def _with_theme(text: str, themes: list[str]) -> str:
    sentences = [" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s+|\n\s*\n", text)]
    return next((one for one in sentences for theme in themes if theme in one and len(one) > 25), _sentence(text))


def _query(data: Mapping[str, Any]) -> dict[str, str]:
    contexts = data["context"] if isinstance(data["context"], list) else [data["context"]]
    themes = data.get("themes") or [data["term"]]
    pieces = [_with_theme(context.partition("-hop>\n\n")[2] or context, themes) for context in contexts]
    language = "German" if "German" in data.get("llm_context", "") else ""
    written = _pair(_about(" ".join(" ".join(piece.split()[:6]) for piece in pieces), language), " ".join(pieces))
    return {"query": written["question"], "answer": written["answer"]}


_ANSWERS: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "StringIO": lambda data: {"text": _sentence(data["text"])},
    "ThemesAndConcepts": lambda data: {"output": _names(data["text"])},
    "NEROutput": lambda data: {"entities": _names(data["text"])},
    "Persona": lambda data: {"name": f"Reader of {data['text'].split()[0]}", "role_description": "Reads it all."},
    "PersonaThemesMapping": lambda data: {"mapping": {persona["name"]: data["themes"] for persona in data["personas"]}},
    "ConceptCombinations": lambda data: {
        "combinations": [
            [one, other] for one in data["lists_of_concepts"][0][:2] for other in data["lists_of_concepts"][-1][:2]
        ]
    },
    "GeneratedQueryAnswer": _query,
}
