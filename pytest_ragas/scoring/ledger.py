"""`Ledger`: what may be spent, what is spent, and what is set aside for requests under way. Bookkeeping alone.

Of one process, or of all the processes of a run: who asks first is told first, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from pytest_ragas.errors import BudgetError
from pytest_ragas.values.spent import Spent, dollars

_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What may be spent; None for any amount."""

    calls: int | None = None
    tokens: int | None = None
    usd: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return (self.calls, self.tokens, self.usd) != (None, None, None)

    def share(self, workers: int, number: int) -> Limits:
        """An equal part of everything, for a process that cannot talk to the others.

        Args:
            workers: How many processes share the limits.
            number: Which of them this is, from 0: the first ones get what is left over. One that takes the place of a
                process that crashed (`workers` and above) gets nothing: what that one spent, nobody knows.
        """
        there = number < workers

        def part(whole: int | None) -> int | None:
            return None if whole is None else there * (whole // workers + (number < whole % workers))

        usd = None if self.usd is None else there * self.usd / workers
        return Limits(calls=part(self.calls), tokens=part(self.tokens), usd=usd)

    def without(self, share: Limits) -> Limits:
        """What is left when somebody has that share."""
        return Limits(
            calls=None if self.calls is None else self.calls - (share.calls or 0),
            tokens=None if self.tokens is None else self.tokens - (share.tokens or 0),
            usd=None if self.usd is None else self.usd - (share.usd or 0.0),
        )


class Ledger:
    """Keeps the account. Belongs to one thread.

    Attributes:
        limits: What may be spent.
        spent: What was spent, and how many requests had no room.
    """

    def __init__(self, limits: Limits, *, share: bool = False) -> None:
        """
        Args:
            limits: What may be spent.
            share: Whether that is a process' share of what the user said, for messages.
        """
        self.limits = limits
        self.spent = Spent()
        self._share = share
        self._set_aside: dict[Hashable, Spent] = {}

    def set_aside(self, request: Hashable, cost: Spent, most: Spent) -> Spent | None:
        """Set aside the most that a request can cost; or all that is left, if nothing else is under way.

        So requests go side by side as long as not even the dearest of all answers could overspend. What is left after
        that is spent by one request at a time.

        Args:
            request: Names it until it is settled.
            cost: What it will cost, as far as one can say. It is not made where that is more than is left.
            most: What it can cost.

        Returns:
            What is set aside. None if there is no room yet, since those under way may cost less than was set aside for
            them.

        Raises:
            BudgetError: There is no room, whatever those under way will cost.
        """
        if (why := self._too_much(self.spent + cost, cost)) is not None:
            self.spent += Spent(refused=1)
            raise BudgetError(why)
        if self._too_much(sum(self._set_aside.values(), self.spent + most), cost) is not None:
            if self._set_aside:
                return None
            most = self._left(most)
        self._set_aside[request] = most
        return most

    def settle(self, request: Hashable, cost: Spent) -> None:
        """A request is over, and this is what it cost."""
        if self._set_aside.pop(request, None) is not None:
            self.spent += cost

    def lose(self, prefix: str) -> None:
        """Nobody will say what the requests of a process have cost: they count as what was set aside for them.

        Args:
            prefix: Of the process: requests are then named (process, number).
        """
        for request in [name for name in self._set_aside if isinstance(name, tuple) and name[0] == prefix]:
            self.spent += self._set_aside.pop(request)

    def _left(self, most: Spent) -> Spent:
        tokens, usd = self.limits.tokens, self.limits.usd
        return Spent(
            calls=most.calls,
            tokens=most.tokens if tokens is None else min(most.tokens, tokens - self.spent.tokens),
            usd=most.usd if usd is None else min(most.usd, usd - self.spent.usd),
        )

    def _too_much(self, total: Spent, cost: Spent) -> str | None:
        """Why a total is more than may be spent; None where it is not."""
        limits, spent = self.limits, self.spent
        if limits.calls is not None and total.calls > limits.calls:
            calls = f"{limits.calls:,} call{'' if limits.calls == 1 else 's'}"
            return self._message(calls, "max-calls", f"{spent.calls:,} {'was' if spent.calls == 1 else 'were'} made")
        if limits.tokens is not None and total.tokens > limits.tokens:
            said = f"{spent.tokens:,} are spent, and this call may take {cost.tokens:,}"
            return self._message(f"{limits.tokens:,} tokens", "max-tokens", said)
        if limits.usd is not None and total.usd > limits.usd + _ROUNDING:
            said = f"{dollars(spent.usd)} are spent, and this call may cost {dollars(cost.usd)}"
            return self._message(dollars(limits.usd), "max-usd", said)
        return None

    def _message(self, limit: str, option: str, said: str) -> str:
        share = f", this worker's share of --ragas-{option}," if self._share else f" (--ragas-{option})"
        return f"the budget of {limit}{share} has no room for another call: {said}"
