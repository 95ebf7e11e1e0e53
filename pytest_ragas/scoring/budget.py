"""`Budget`: how many requests, tokens and US dollars this process may still spend; asked before each request.

Before a request an estimate of it is set aside; its real usage replaces the estimate when it is over. A request for
which there is no room beside what is set aside waits for what is in flight, which may cost less than was set aside.
One for which there is no room beside what is spent is not made.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from pytest_ragas.errors import BudgetError, ModelError, StructureError
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.spent import Spent, dollars

BYTES_PER_TOKEN = 3.0
"""UTF-8 bytes of a token before a model has said how many it counts: English has 4 to 5, Chinese about 3."""
ANSWER = 1_024
"""Tokens of an answer before one of its structure was seen, where no `max_tokens` says less."""

SHORTEST = 64
"""Tokens of an answer below which no estimate goes: short answers vary most."""

_ROUNDING = 1e-9
_MILLION = 1_000_000


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
        """An equal part of everything.

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


class Budget:
    """What one process may spend and has spent. Used on one event loop.

    Attributes:
        limits: What may be spent.
        spent: What was spent, and how many requests had no room.
    """

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: Of the run, or this process' share of them.
        """
        self.limits = limits
        self.spent = Spent()
        self._shared = 1
        self._in_flight: dict[Charge, Spent] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def divide(self, workers: int, number: int) -> None:
        """Keep to an equal part: other processes have the others."""
        self.limits = self.limits.share(workers, number)
        self._shared = workers

    def purse(self, identity: ModelIdentity, price: Price) -> Purse:
        """What one model is paid from."""
        return Purse(self, price, most=_most(identity))

    async def reserve(self, charge: Charge, estimate: Callable[[], Spent]) -> None:
        """Set aside what a request may cost.

        Args:
            charge: The request.
            estimate: What it may cost, as far as is known at the moment.

        Raises:
            BudgetError: There is no room for it.
        """
        while True:
            cost = estimate()
            if (why := self._too_much(self.spent + cost, cost)) is not None:
                self.spent += Spent(refused=1)
                raise BudgetError(why)
            if self._too_much(self.spent + self._set_aside() + cost, cost) is None:
                self._in_flight[charge] = cost
                return
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def settle(self, charge: Charge, cost: Spent) -> None:
        """A request is over."""
        del self._in_flight[charge]
        self.spent += cost
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _set_aside(self) -> Spent:
        return sum(self._in_flight.values(), Spent())

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
        share = f", this worker's share of --ragas-{option}," if self._shared > 1 else f" (--ragas-{option})"
        return f"the budget of {limit}{share} has no room for another call: {said}"


class Purse:
    """Pays for the requests to one model, and learns from what they cost what the next ones may."""

    def __init__(self, budget: Budget, price: Price, *, most: int | None = None) -> None:
        """
        Args:
            budget: Of the process.
            price: Of the model.
            most: Tokens that the model writes at most, where that is configured.
        """
        self._budget = budget
        self._price = price
        self._most = most
        self._per_byte = 0.0
        self._answers: dict[str, int] = {}

    async def pay(self, kind: str, size: int, *, answers: bool = True) -> Charge:
        """Set aside what a request may cost; `with` the charge, make it.

        Args:
            kind: What is asked for: requests of one kind have answers of about one length.
            size: UTF-8 bytes that are sent.
            answers: Whether the model writes tokens.

        Raises:
            BudgetError: There is no room for it.
        """
        charge = Charge(self, kind, size, answers=answers)
        await self._budget.reserve(charge, charge.estimate)
        return charge

    def usage(self, charge: Charge) -> Usage:
        """What a request may cost, at most.

        What is configured as the longest answer; else twice the longest one of its kind so far.
        """
        per_byte = self._per_byte or 1 / BYTES_PER_TOKEN
        written = self._written(charge.kind) if charge.answers else 0
        return Usage(calls=1, prompt_tokens=int(charge.size * per_byte) + 1, completion_tokens=written)

    def _written(self, kind: str) -> int:
        if self._most is not None:
            return self._most
        seen = self._answers.get(kind)
        return ANSWER if seen is None else max(SHORTEST, 2 * seen)

    def cost(self, usage: Usage) -> Spent:
        """What usage costs."""
        usd = (usage.prompt_tokens * self._price.input + usage.completion_tokens * self._price.output) / _MILLION
        return Spent(calls=usage.calls, tokens=usage.prompt_tokens + usage.completion_tokens, usd=usd)

    def settle(self, charge: Charge, usage: Usage, *, learn: bool) -> None:
        """A request is over.

        Args:
            charge: The request.
            usage: What it cost.
            learn: Whether that says something of the next ones.
        """
        if learn:
            if charge.size:
                self._per_byte = max(self._per_byte, usage.prompt_tokens / usage.calls / charge.size)
            self._answers[charge.kind] = max(self._answers.get(charge.kind, 0), usage.completion_tokens)
        self._budget.settle(charge, self.cost(usage))


class Charge:
    """One request: paid for when its `with` block ends.

    Attributes:
        usage: What it cost, as the model said; None where it has not.
    """

    __slots__ = ("_purse", "answers", "kind", "size", "usage")

    def __init__(self, purse: Purse, kind: str, size: int, *, answers: bool) -> None:
        self._purse = purse
        self.kind = kind
        self.size = size
        self.answers = answers
        self.usage: Usage | None = None

    def estimate(self) -> Spent:
        """What it may cost."""
        return self._purse.cost(self._purse.usage(self))

    def __enter__(self) -> Charge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        usage = self.usage
        if usage is None and isinstance(error, ModelError) and isinstance(error.usage, Usage):
            usage = error.usage
        calls = max(1, usage.calls) if usage is not None else 1
        counted = usage is not None and bool(usage.prompt_tokens or usage.completion_tokens)
        if usage is None or not counted:
            refused = isinstance(error, ModelError) and not isinstance(error, StructureError)
            # a refusal costs nothing; a server that counts no tokens, and a request that was cut off, what they may
            usage = Usage() if refused else self._purse.usage(self)
        self._purse.settle(self, dataclasses.replace(usage, calls=calls), learn=counted)


def _most(identity: ModelIdentity) -> int | None:
    """The tokens that a model may write, where its configuration says so."""
    given = dict(identity.parameters)
    for name in ("max_completion_tokens", "max_tokens", "max_new_tokens"):
        if given.get(name, "").isdigit():
            return int(given[name])
    return None
