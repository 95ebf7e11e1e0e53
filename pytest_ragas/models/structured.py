"""`extract`: the JSON value in a model's text, validated; the words for what is wrong with it.

Every client reads its model's answers here, so that a fenced answer means the same whoever wrote it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pytest_ragas.errors import StructureError, cut
from pytest_ragas.files.schema_check import Check, compile_check
from pytest_ragas.models.repair import repair_text, settle
from pytest_ragas.protocols import JSONSchema

RAW_LIMIT = 4_000
"""Characters of a model's text that an error keeps."""

_MOST_OPENINGS = 64
_KNOWN_LIMIT = 256
_OPENING = re.compile(r"[{\[]")
_BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_THOUGHT_END = re.compile(r"</think(?:ing)?>")
_THOUGHT_START = re.compile(r"<think(?:ing)?>")


def extract(text: str, schema: JSONSchema) -> Any:
    """Find the JSON value that a model was asked for in what it wrote, and validate it.

    A fence, prose around it, the thoughts of a reasoning model, trailing commas, single quotes and the like
    are seen through. What would take a guess is an error: JSON that is cut off, two different answers
    in one text, a key given twice, verdicts that the schema does not allow.

    Args:
        text: What the model wrote.
        schema: JSON Schema (draft 2020-12) of the value.

    Returns:
        The value, valid against `schema`.

    Raises:
        StructureError: There is no such value; the message says what is wrong in words that the model
            understands too, and `raw` is the text, cut.
    """
    return Structure.of(schema).read(text)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A piece of the text that begins like JSON."""

    value: Any = None
    problem: str = ""
    """Why there is no value."""


class Structure:
    """A JSON schema that answers are read with, and what is derived from it once."""

    # by identity and by text: metrics make the same schema anew for each request, or keep one for all of them
    _by_id: dict[int, Structure] = {}  # noqa: RUF012 - a cache, shared on purpose
    _by_text: dict[str, Structure] = {}  # noqa: RUF012

    def __init__(self, schema: JSONSchema, text: str) -> None:
        """Use `Structure.of`."""
        self.schema = schema
        self.text = text
        """The schema as JSON."""

    @classmethod
    def of(cls, schema: JSONSchema) -> Structure:
        """The structure of a schema; the same one whenever an equal schema comes again."""
        known = cls._by_id.get(id(schema))
        if known is not None and known.schema is schema:  # as long as it is held, no other one has its id
            return known
        text = json.dumps(schema, ensure_ascii=False, default=dict)
        known = cls._by_text.get(text)
        if known is None:
            if len(cls._by_text) >= _KNOWN_LIMIT:
                cls._by_text.clear()
                cls._by_id.clear()
            known = cls._by_text[text] = cls._by_id[id(schema)] = cls(schema, text)
        return known

    @cached_property
    def _quick(self) -> Check:
        # jsonschema takes 25 µs for each verdict of a list, the compiled check 2; what that one does not
        # know, jsonschema decides
        try:
            return compile_check(self.schema)
        except ValueError:
            return lambda value: False

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.schema)

    def valid(self, value: Any) -> bool:
        """Whether a value satisfies the schema."""
        return self._quick(value) or self._validator.is_valid(value)

    def problem(self, value: Any) -> str:
        """What is wrong with a value that does not satisfy the schema, in one sentence."""
        from jsonschema.exceptions import best_match

        return _in_words(best_match(self._validator.iter_errors(value)))

    def read(self, text: str) -> Any:
        """See `extract`."""
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError):
            return self._search(text)
        if self._quick(value):
            return _printable(value, text)
        return _printable(self._choose([_Candidate(value)], text), text)

    def _search(self, text: str) -> Any:
        visible = _without_thoughts(text)
        if not visible.strip():
            thinking = _THOUGHT_START.search(text)
            raise _error(
                "The answer ends before the model stopped thinking; raise max_tokens"
                if thinking
                else "The answer is empty",
                text,
            )
        return _printable(self._choose(list(_candidates(visible)), visible), text)

    def _choose(self, candidates: list[_Candidate], text: str) -> Any:
        values = [candidate.value for candidate in candidates if not candidate.problem]
        # a JSON string that holds JSON: encoded twice
        values = [_decoded(value) if isinstance(value, str) else value for value in values]
        good = [value for value in values if self.valid(value)]
        if not good:
            # beside other JSON, a list may be a piece of an answer that fell apart
            alone = len(candidates) == 1
            good = [settled for value in values if self.valid(settled := settle(value, self.schema, alone=alone))]
        problem = next((candidate.problem for candidate in candidates if candidate.problem), "")
        if good and not problem.startswith(_CUT_OFF):
            if all(value == good[0] for value in good[1:]):
                return good[0]
            raise _error(f"The answer holds {len(good)} different JSON values where one was asked for", text)
        if problem and (not values or problem.startswith(_CUT_OFF)):
            raise _error(f"The JSON of the answer {problem}", text)
        if not values:
            raise _error(f"The answer holds no JSON; it begins with {cut(text, 60)!r}", text)
        largest = max(values, key=lambda value: len(json.dumps(value)))
        raise _error(f"The answer is not in the structure that was asked for: {self.problem(largest)}", text)


_CUT_OFF = "is cut off"


def _candidates(text: str) -> Iterator[_Candidate]:
    """Every piece of the text, from left to right, that begins like JSON and is not inside another."""
    at = 0
    for _ in range(_MOST_OPENINGS):
        opening = _OPENING.search(text, at)
        if opening is None:
            return
        start = opening.start()
        try:
            value, at = _DECODER.raw_decode(text, start)
        except RecursionError:
            yield _Candidate(problem="is nested too deeply")
            return
        except ValueError as error:
            end = _closing(text, start)
            if end is None:
                if text[start] == "{" or text[start + 1 :].lstrip()[:1] in ("", '"', "'", "{", "["):
                    # never look inside what is cut off: its parts are not the answer
                    yield _Candidate(problem=f"{_CUT_OFF}, or its brackets do not match: it ends with {text[-40:]!r}")
                    return
                at = start + 1  # a bracket in prose
                continue
            at = end
            yield _mended(text[start:end], error)
        else:
            yield _Candidate(value)


def _mended(broken: str, error: ValueError) -> _Candidate:
    if isinstance(error, _AmbiguousError):
        return _Candidate(problem=f"cannot be read: {error}")
    try:
        return _Candidate(repair_text(broken))
    except ValueError as reason:
        return _Candidate(problem=f"cannot be read: {error}, and {reason}")


def _closing(text: str, start: int) -> int | None:
    """Where the bracket at `start` closes, strings skipped; None if it does not, or if a quote is missing."""
    open_brackets: list[str] = []
    for match in _BRACKET_OR_STRING.finditer(text, start):
        token = match.group()
        if token in ("{", "["):
            open_brackets.append("}" if token == "{" else "]")
        elif token in ("}", "]"):
            if token != open_brackets.pop():
                return None
            if not open_brackets:
                # with a quote missing, what is a string and what is not are mistaken for each other
                piece = text[start : match.end()]
                even = piece.count("{") == piece.count("}") and piece.count("[") == piece.count("]")
                goes_on = text[match.end() :].lstrip()[:1] in tuple(",:]}")
                return match.end() if even and not goes_on else None
    return None


def _without_thoughts(text: str) -> str:
    """The text after the thoughts of a reasoning model, which may hold drafts of the answer."""
    ends = list(_THOUGHT_END.finditer(text))
    if ends:
        return text[ends[-1].end() :]
    start = _THOUGHT_START.match(text.lstrip())
    return "" if start else text


def _in_words(error: Any) -> str:
    """One validation error as a sentence: where, what was found, what was wanted."""
    where = _path(error.absolute_path)
    found = cut(json.dumps(error.instance, ensure_ascii=False), 80)
    kind, wanted = error.validator, error.validator_value
    if kind == "required":
        return f"{where} lacks {', '.join(repr(name) for name in wanted if name not in error.instance)}"
    if kind in ("enum", "const"):
        choices = wanted if kind == "enum" else [wanted]
        return f"{where} is {found}, not one of {', '.join(json.dumps(choice) for choice in choices)}"
    if kind == "type":
        return f"{where} is {found}, not of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    if kind in ("minItems", "maxItems"):
        bound = "at least" if kind == "minItems" else "at most"
        return f"{where} has {len(error.instance)} items, but {bound} {wanted} are wanted"
    if kind in ("minimum", "maximum"):
        return f"{where} is {found}, but {kind} is {wanted}"
    return f"{where}: {cut(error.message, 160)}"


def _path(parts: Any) -> str:
    """`verdicts[2].verdict`, as people write it; "the answer" for the whole."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".") or "the answer"


def _error(message: str, text: str) -> StructureError:
    return StructureError(f"{message}.", raw=text if len(text) <= RAW_LIMIT else text[: RAW_LIMIT - 1] + "…")


class _AmbiguousError(ValueError):
    """JSON that can be read, but not in one way."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _AmbiguousError(f"the key {cut(twice, 60)!r} is given twice")
    for name in value:
        if "{" in name or "}" in name:
            raise _AmbiguousError(f"the key {cut(name, 60)!r} holds a bracket: a quote is missing")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _AmbiguousError(f"{cut(digits, 40)} is no finite number")
    return number


def _constant(name: str) -> float:
    raise _AmbiguousError(f"{name} is no number of JSON")


# strict=False: a line break inside a string is a mistake that leaves no doubt
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_constant, strict=False)


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text


def _printable(value: Any, text: str) -> Any:
    """The value without halves of UTF-16 pairs, which no file and no report can be written with."""
    if (text.isascii() and "\\u" not in text) or not _SURROGATE.search(text):
        return value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_printable(name, text): _printable(part, text) for name, part in value.items()}
    if isinstance(value, list):
        return [_printable(part, text) for part in value]
    return value
