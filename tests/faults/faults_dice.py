"""Faults at random, known beforehand: what befalls a request follows from a seed, its text, and how often it came."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from faults_world import key_of
from openai_server.faults import Fault

ATTEMPTS, REASKS = 6, 2

TRANSIENT: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "drop"},
    {"kind": "hang"},
    {"kind": "body", "status": 200, "body": b"hello"},
)
WRONG: tuple[dict[str, Any], ...] = tuple(
    {"kind": kind} for kind in ("truncated", "not_json", "empty", "null", "wrong_schema", "other_language")
)
FINAL: tuple[dict[str, Any], ...] = ({"kind": "refusal"}, {"kind": "status", "status": 400, "message": "bad"})
REPAIRED: tuple[dict[str, Any], ...] = tuple({"kind": kind} for kind in ("fenced", "prose", "trailing_comma"))


class Dice:
    """Which fault befalls which request, at a rate."""

    def __init__(self, seed: int, *, rate: float = 0.3, transient: Sequence[dict[str, Any]] = TRANSIENT) -> None:
        self.seed = seed
        self.rate = rate
        self.transient = transient
        self.seen: Counter[tuple[str, str]] = Counter()
        """Requests by kind and content, however often they were asked again."""
        self.lots: dict[tuple[str, str], list[str]] = defaultdict(list)
        """What became of each request of a content: "transient", "wrong", "final", "repaired" or "good"."""
        self._last: dict[str, Any] | None = None
        self._drawn: dict[str, Any] | None = None

    def faults(self) -> list[Fault]:
        """For the server."""
        every = {id(fault): fault for fault in (*TRANSIENT, *WRONG, *FINAL, *REPAIRED)}
        return [Fault(**fault, route="any", when=self._when(fault)) for fault in every.values()]

    def _when(self, fault: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
        def draws(body: dict[str, Any]) -> bool:
            if body is not self._last:  # the server asks each fault about the same request
                self._last = body
                _, kind, content = key_of(body)
                self.seen[kind, content] += 1
                sort, self._drawn = self.lot(kind, content, self.seen[kind, content])
                self.lots[kind, content].append(sort)
            return self._drawn is fault

        return draws

    def lot(self, kind: str, content: str, number: int) -> tuple[str, dict[str, Any] | None]:
        """What befalls the request of this content when it comes for the n-th time."""
        dice = random.Random(f"{self.seed} {kind} {content} {number}")
        if dice.random() >= self.rate:
            return "good", None
        if kind == "embeddings":
            # 500 also says that packed vectors are refused: what it costs depends on which request was the first
            return "transient", dice.choice([fault for fault in self.transient if fault.get("status") != 500])
        sorts = (("transient", self.transient), ("wrong", WRONG), ("final", FINAL), ("repaired", REPAIRED))
        [(sort, faults)] = dice.choices(sorts, weights=(3, 5, 1, 1))
        return sort, dice.choice(faults)


def course(lots: list[str]) -> str:
    """How a call ends whose requests had these lots, by the rules of the retry layer; "" while it goes on.

    Raises:
        AssertionError: Requests were made after its end.
    """
    failed = wrong = 0
    ended = ""
    for lot in lots:
        assert not ended, f"asked again after {ended}: {lots}"
        failed += lot == "transient"
        wrong += lot == "wrong"
        if lot in ("good", "repaired"):
            ended = "answered"
        elif lot == "final" or failed == ATTEMPTS:
            ended = "critic"
        elif wrong > REASKS:
            ended = "structure"
    return ended
