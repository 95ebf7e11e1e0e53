"""Judgements as lines of JSON: the form that is exported, committed, merged with `cat`, and replayed from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from pytest_ragas.errors import cut
from pytest_ragas.judgements.judgement import FORMAT_VERSION, KINDS, Judgement, text_of

_HEAD = re.compile(rb'\{"format":%d,"key":"([0-9a-f]{32})",' % FORMAT_VERSION)
_KEY = re.compile(r"[0-9a-f]{32}")


class LineProblem(ValueError):
    """A line holds no judgement; the text says why, without the line's number."""


def line_of(judgement: Judgement) -> str:
    """One line, without the line break. Always the same for equal judgements."""
    data = {
        "format": FORMAT_VERSION,
        "key": judgement.key,
        "kind": judgement.kind,
        "metric": judgement.metric,
        "sample": judgement.sample,
        "content": judgement.content,
        "request": dict(judgement.request),
    }
    if judgement.answers:
        data["answers"] = list(judgement.answers)
    return text_of(data)


def read_line(line: str | bytes) -> Judgement:
    """The judgement of a line; unknown keys of it are ignored.

    Raises:
        LineProblem: It holds none, or one of a newer format.
    """
    try:
        data = json.loads(line)
    except ValueError:
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
            raise LineProblem(
                "a merge was not resolved. Delete the three marker lines; duplicates are allowed."
            ) from None
        raise LineProblem(f"found {cut(text, 60)!r}, which is no JSON.") from None
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise LineProblem(
            f"it is of format {version}, and this pytest-ragas reads up to {FORMAT_VERSION}. Upgrade pytest-ragas."
        )
    try:
        judgement = Judgement(
            kind=data["kind"],
            key=data["key"],
            metric=str(data.get("metric", "")),
            sample=str(data.get("sample", "")),
            request=dict(data["request"]),
            content=data["content"],
            answers=tuple(map(str, data.get("answers", ()))),
        )
        usable = version == FORMAT_VERSION and judgement.kind in KINDS and _KEY.fullmatch(judgement.key)
    except (KeyError, TypeError, ValueError):
        usable = None
    if not usable:
        raise LineProblem(f"found {cut(str(data), 60)}, which is no judgement of pytest-ragas.")
    return judgement


def key_of(line: bytes) -> str:
    """The key of a line; lines as we write them are not parsed for it.

    Raises:
        LineProblem: It holds no judgement.
    """
    found = _HEAD.match(line)
    return found[1].decode("ascii") if found else read_line(line).key


def numbered(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that hold something, with their numbers from 1."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if stripped := line.strip():  # git may have written \r\n
            yield number, stripped.removeprefix(b"\xef\xbb\xbf")


def sorted_text(judgements: Iterable[Judgement]) -> str:
    """A whole file: sorted, each key once, one judgement a line."""
    return "".join(f"{line_of(judgement)}\n" for judgement in sorted(judgements, key=Judgement.order))
