"""`mean(faithfulness) >= 0.85` -> `Gate`: the little language of gates."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from pytest_ragas.errors import GateSyntaxError
from pytest_ragas.values.gate import Gate, Operator

AGGREGATES = ("mean", "median", "min", "max", "pass_rate")
"""Names of aggregates; `pNN` (p10, p90 …) beside them."""

FILTERS = ("tag", "question_type", "source")
"""What may narrow the samples of a gate down, as fields of `Gate`."""

EXAMPLE = "mean(faithfulness) >= 0.85"

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?(?![\w.]))
  | (?P<name>[^\W\d](?:[\w.:/-]*\w)?)
  | (?P<text>"[^"]*"|'[^']*')
  | (?P<operator>>=|<=|>|<)
  | (?P<wrong>=>|=<|==|!=|≥|≤)
  | (?P<mark>[(),=])
    """,
    re.VERBOSE,
)
_PERCENTILE = re.compile(r"p(\d{1,3})")
_OPERATORS: dict[str, Operator] = {">=": ">=", ">": ">", "<=": "<=", "<": "<"}
_FILTERS_SHOWN = "tag=…, question_type=… or source=…"
_VALUES = {"tag": "billing", "question_type": "simple", "source": "docs/billing.md"}
_MEANT = {"=>": ">=", "=<": "<=", "==": ">=", "!=": ">=", "≥": ">=", "≤": "<=", "=": ">="}


def parse_gate(text: str) -> Gate:
    """Read a gate.

    ```text
    gate      = aggregate "(" [metric] {"," filter} ")" operator number
    filter    = ("tag" | "question_type" | "source") "=" value
    aggregate = "mean" | "median" | "min" | "max" | "p" 0…100 | "pass_rate"
    operator  = ">=" | ">" | "<=" | "<"
    number    = 0.85 | .85 | 85%                  in [0, 1]
    value     = name | "any text" | 'any text'
    ```
    Spaces are free. `pass_rate()` may go without a metric, and is then the share of tests that passed; a filter
    may stand first there.

    Args:
        text: What the user wrote, e.g. in `--ragas-fail-under`. Metric names are taken as they are.

    Raises:
        GateSyntaxError: It cannot be read; the message points at the place and shows an example.
    """
    return _Reader(text).gate()


class _Reader:
    """Reads a gate from left to right, one token at a time."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.split())  # one line, so that the caret of an error stands right
        self.at = 0
        self.kind = self.token = ""
        self._next = 0
        self._advance()

    def gate(self) -> Gate:
        aggregate = self._aggregate()
        self._take("mark", "(", f'"(" after {aggregate!r}')
        metric, filters = self._arguments(aggregate)
        operator = self._operator()
        bound = self._bound()
        if self.kind != "end":
            raise self._error("nothing more: a gate is one comparison; write a second gate for the rest")
        return Gate(aggregate=aggregate, metric=metric, operator=operator, bound=bound, text=self.text, **filters)

    def _aggregate(self) -> str:
        known = ", ".join(AGGREGATES) + " or pNN (p10)"
        if self.kind != "name":
            raise self._error(f"an aggregate ({known})")
        name, start = self.token, self.at
        percentile = _PERCENTILE.fullmatch(name)
        if percentile:
            if int(percentile[1]) > 100:
                raise self._error("a percentile from p0 to p100")
            name = f"p{int(percentile[1])}"
        elif name not in AGGREGATES:
            self._advance()
            if self.token != "(":
                raise self._error(f'an aggregate around the metric, as in "mean({name})"', at=start)
            close = difflib.get_close_matches(name.lower(), AGGREGATES, n=1)
            raise self._error(f"an aggregate ({known})" + (f"; did you mean {close[0]!r}?" if close else ""), at=start)
        self._advance()
        return name

    def _arguments(self, aggregate: str) -> tuple[str, dict[str, str]]:
        metric = ""
        filters: dict[str, str] = {}
        if self.kind == "name":
            name, start = self.token, self.at
            self._advance()
            if self.token == "=":
                filters.update(self._filter(name, start, filters))
            else:
                metric = name
            while self.token == ",":
                self._advance()
                name, start = self.token, self.at
                if self.kind != "name":
                    raise self._error(f"{_FILTERS_SHOWN} after the comma")
                self._advance()
                filters.update(self._filter(name, start, filters))
        if not metric and aggregate != "pass_rate":
            raise self._error(f'a metric, as in "{aggregate}(faithfulness)"; only pass_rate() goes without')
        self._take("mark", ")", '")"')
        return metric, filters

    def _filter(self, name: str, start: int, known: Mapping[str, str]) -> dict[str, str]:
        if name not in FILTERS:
            raise self._error(f"{_FILTERS_SHOWN}, the only filters there are", at=start)
        if name in known:
            raise self._error(f"each filter once: {name}= stands here twice", at=start)
        self._take("mark", "=", f'"=" after "{name}"')
        what = {"tag": "the name of a tag", "question_type": "a type of question", "source": "the name of a document"}
        if self.kind not in ("name", "text", "number"):
            raise self._error(f'{what[name]}, as in {name}={_VALUES[name]} or {name}="any text"')
        value = self.token[1:-1].strip() if self.kind == "text" else self.token
        if not value:
            raise self._error(f"{what[name]} between the quotes")
        self._advance()
        if self.token not in (",", ")"):
            # "2024/billing.md" is a number and more
            raise self._error(f'"," or ")" after {name}={value}; put a {name} of other characters into quotes')
        return {name: value}

    def _operator(self) -> Operator:
        expected = "an operator: >=, >, <= or <"
        if self.kind == "wrong" or self.token == "=":
            raise self._error(f"{expected} (did you mean {_MEANT[self.token]}?)")
        if self.kind != "operator":
            raise self._error(expected)
        operator = _OPERATORS[self.token]
        self._advance()
        return operator

    def _bound(self) -> float:
        expected = "a number in [0, 1], as in 0.85 or 85%: scores and shares lie there"
        if self.kind != "number":
            raise self._error(expected)
        percent = self.token.endswith("%")
        value = float(self.token[:-1]) / 100 if percent else float(self.token)
        if not 0 <= value <= 1:
            hint = f" (did you mean {self.token}%?)" if 1 < value <= 100 and not percent else ""
            raise self._error(expected + hint)
        self._advance()
        return value

    def _take(self, kind: str, token: str, expected: str) -> None:
        if self.kind != kind or self.token != token:
            raise self._error(expected)
        self._advance()

    def _advance(self) -> None:
        """Go to the next token that is no space."""
        self.kind = "space"
        while self.kind == "space":
            self.at = self._next
            if self.at == len(self.text):
                self.kind, self.token = "end", ""
                return
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                self.kind, self.token, self._next = "unknown", self.text[self.at], self.at + 1
                return
            self.kind, self.token, self._next = found.lastgroup or "", found[0], found.end()

    def _error(self, expected: str, *, at: int | None = None) -> GateSyntaxError:
        if not self.text:
            return GateSyntaxError(f"Cannot read an empty gate. Write for example: {EXAMPLE}")
        at = self.at if at is None else at
        return GateSyntaxError(
            f"Cannot read the gate {self.text!r}: expected {expected}.\n"
            f"    {self.text}\n"
            f"    {' ' * at}^\n"
            f"Write for example: {EXAMPLE}"
        )
