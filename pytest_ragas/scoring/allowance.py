"""`Allowance`: how many calls a server takes at once, and how fast, learned from its answers and refusals."""

from __future__ import annotations

_FEW = 4
"""Answers between two refusals that show a limit of calls per minute, not a refusal now and then."""
_SHORTEST_GAP, _LONGEST_FIRST_GAP, _LONGEST_GAP = 0.001, 1.0, 60.0


class Allowance:
    """Starts at the limit; halves with a refusal, grows by one with each round-trip of answers. Knows no clock.

    Calls that were sent before the last halving say nothing about it: `halved` tells them apart, so that a burst of
    refusals halves once.

    Where one or two at a time are refused every other time, the server counts calls per minute: then there is a `gap`
    between two calls too, first of half a round-trip, doubled by each refusal and a tenth shorter with each answer.
    """

    def __init__(self, limit: int, *, start: int | None = None) -> None:
        """
        Args:
            limit: Most calls that may ever be in flight.
            start: Calls allowed at first, if not `limit`.
        """
        self.limit = limit
        self.calls = limit if start is None else max(1, min(start, limit))
        """Calls that may be in flight now."""
        self.gap = 0.0
        """Seconds between the starts of two calls."""
        self.halved = 0
        """How often it was made narrower."""
        self._growth = 0
        self._answers = _FEW
        self._round_trip = 0.0
        self._first_gap = 0.0

    def refused(self, *, halved: int, in_flight: int) -> bool:
        """Take in a refusal.

        Args:
            halved: What `halved` was when the call was sent.
            in_flight: Calls in flight, the refused one included.

        Returns:
            Whether it made anything narrower.
        """
        if halved != self.halved:
            return False
        if self.gap:
            self.gap = min(2 * self.gap, _LONGEST_GAP)
        elif self.calls <= 2 and self._answers < _FEW:
            self.gap = self._first_gap = min(max(self._round_trip / 2, _SHORTEST_GAP), _LONGEST_FIRST_GAP)
        # half of what was really in flight, where that is less than was allowed
        self.calls = max(1, min(self.calls // 2, in_flight))
        self.halved += 1
        self._growth = self._answers = 0
        return True

    def answered(self, *, halved: int, seconds: float, needed: bool) -> None:
        """Take in an answer.

        Args:
            halved: What `halved` was when the call was sent.
            seconds: How long it took.
            needed: Whether all that is allowed is in use: otherwise nothing shows that the server would take more.
        """
        if halved != self.halved:
            return
        self._answers += 1
        self._round_trip = seconds
        if self.gap:
            self.gap = self.gap * 0.9 if self.gap > self._first_gap / 2 else 0.0
        elif needed and self.calls < self.limit:
            self._growth += 1
            if self._growth >= self.calls:
                self._growth = 0
                self.calls += 1

    def resize(self, limit: int) -> None:
        """Change the limit; what a server refused stays refused."""
        unthrottled = self.calls >= self.limit
        self.limit = limit
        self.calls = limit if unthrottled else min(limit, max(1, self.calls))
