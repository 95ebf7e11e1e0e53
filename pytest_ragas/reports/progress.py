"""How far scoring is, as one line of text. Pure: the plugin decides when and where it is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_ragas.reports.numbers import count
from pytest_ragas.reports.width import shorten, width_of
from pytest_ragas.values.spent import dollars

_WINDOW = 10.0
"""Seconds over which speed is measured: long enough to be steady, short enough to show a server that slows down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far scoring is at one moment."""

    scored: int
    """Samples whose scores, or the reasons why there are none, are there."""
    total: int
    """Samples that were handed over so far."""
    in_flight: int = 0
    """Calls that wait for an answer."""
    calls: int = 0
    """Calls that were answered or lost so far, retries included."""
    tokens: int = 0
    """Tokens read and written so far, as far as servers say; 0 where none does."""
    usd: float = 0.0
    """US dollars for them, at the configured prices; 0 without prices."""


class Speed:
    """Calls and samples per second over the last seconds, from standings that are noted now and then."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, Standing]] = deque()

    def note(self, now: float, standing: Standing) -> None:
        """Take in how far scoring is.

        Args:
            now: Seconds of a clock that never goes back.
            standing: At that moment.
        """
        noted = self._noted
        noted.append((now, standing))
        # one that is older than the window stays, so that the window is always covered
        while len(noted) > 2 and noted[1][0] <= now - _WINDOW:
            noted.popleft()

    @property
    def calls(self) -> float | None:
        """Calls per second; None before anything can be said."""
        return self._rate(lambda standing: standing.calls)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until every sample that was handed over is scored; None before anything can be said."""
        if not (rate := self._rate(lambda standing: standing.scored)):
            return None
        last = self._noted[-1][1]
        return (last.total - last.scored) / rate

    def _rate(self, number: Callable[[Standing], int]) -> float | None:
        if len(self._noted) < 2:
            return None
        (began, first), (ended, last) = self._noted[0], self._noted[-1]
        return (number(last) - number(first)) / (ended - began) if ended > began else None


def progress_text(standing: Standing, speed: Speed, *, width: int) -> str:
    """`ragas: 12 of 40 scored, 16 calls in flight, 78 calls/s, 3 s left, 12,345 tokens so far`.

    Args:
        standing: How far scoring is.
        speed: Of the last seconds.
        width: Columns at most; what does not fit is left out.
    """
    parts = [f"{standing.scored:,} of {standing.total:,} scored"]
    if standing.calls or standing.in_flight:
        parts.append(f"{count(standing.in_flight, 'call')} in flight")
        if speed.calls is not None:
            parts.append(f"{speed.calls:.{0 if speed.calls >= 10 else 1}f} calls/s")
    if speed.seconds_left is not None:
        parts.append(f"{_rough(speed.seconds_left)} left")
    if standing.usd:
        parts.append(f"{dollars(standing.usd)} so far")
    elif standing.tokens:
        parts.append(f"{standing.tokens:,} tokens so far")
    while len(parts) > 1 and width_of(_line(parts)) > width:
        parts.pop()
    return shorten(_line(parts), width)


def _line(parts: Sequence[str]) -> str:
    return f"ragas: {', '.join(parts)}"


def _rough(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
