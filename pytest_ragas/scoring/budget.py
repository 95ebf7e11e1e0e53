"""`Budget`: whether there is room for another request, of calls, tokens and US dollars; asked before each.

Before a request the most that it can cost is set aside; its real usage replaces that when it is over. A request for
which there is no room beside what is set aside waits for what is in flight, which may cost less than was set aside.
One for whose estimate there is no room beside what is spent is not made. What is left in the end, too little for the
dearest of answers, is spent by one request at a time, and an answer is stopped where it would overspend.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import os
import time
from collections.abc import Callable
from types import TracebackType

from pytest_ragas.errors import BudgetError, ModelError, StructureError, TransientModelError
from pytest_ragas.protocols import another_request, answer_room
from pytest_ragas.scoring.deadline import resting
from pytest_ragas.scoring.ledger import Ledger, Limits
from pytest_ragas.scoring.limits import current_order
from pytest_ragas.scoring.run_purse import RunPurse
from pytest_ragas.settings.values import Price
from pytest_ragas.values.model import ModelIdentity, Usage
from pytest_ragas.values.spent import Spent

__all__ = [
    "ANSWER",
    "BYTES_PER_TOKEN",
    "FIRST_ROOM",
    "ROOM",
    "SHORTEST",
    "Budget",
    "Charge",
    "Limits",
    "Purse",
    "longest_answer",
]

BYTES_PER_TOKEN = 3.0
"""UTF-8 bytes of a token before a model has said how many it counts: English has 4 to 5, Chinese about 3."""
ANSWER = 1_024
"""Tokens of an answer before one of its structure was seen, where no `max_tokens` says less."""

SHORTEST = 64
"""Tokens of an answer below which no estimate goes: short answers vary most."""

ROOM = 1_024
"""Tokens that every answer may have, however short those before it were."""
FIRST_ROOM = 4_096
"""Tokens that an answer may have before one of its structure was seen."""
HEAD_START = 0.01
"""Seconds in which a row that was just answered asks its next question before those that wait for room: rows that are
finished are worth more than as many that are begun."""
TEMPLATE = 64
"""Tokens that a server may add to a request: marks of its chat template."""

FORKED = (
    "this process is a fork (pytest-forked), whose calls nobody would count against the budget of the run: none is made"
)

_MILLION = 1_000_000


class Budget:
    """What one process may spend and has spent. Used on one event loop.

    Attributes:
        spent: What this process has spent, and how many of its requests had no room.
    """

    def __init__(self, limits: Limits) -> None:
        """
        Args:
            limits: Of the run.
        """
        self.spent = Spent()
        self._ledger = Ledger(limits)
        self._run: RunPurse | None = None
        self._closes, self._why = math.inf, ""
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._calling = False

    @property
    def limits(self) -> Limits:
        """What may be spent."""
        return self._ledger.limits

    def divide(self, workers: int, number: int) -> None:
        """Keep to an equal part: other processes, which this one cannot talk to, have the others."""
        self._ledger = Ledger(self._ledger.limits.share(workers, number), share=True)

    def join(self, run: RunPurse) -> None:
        """From now on ask a purse that all processes of the run share."""
        self._run = run
        run.again = self._again_from_outside

    @property
    def joined(self) -> bool:
        """Whether the whole run has one purse, which others keep account of."""
        return self._run is not None

    def close_at(self, moment: float, why: str) -> None:
        """Set nothing aside any more from some moment on.

        Args:
            moment: As `time.monotonic()` says it.
            why: What the error says.
        """
        self._closes, self._why = moment, why

    def purse(self, identity: ModelIdentity, price: Price) -> Purse:
        """What one model is paid from."""
        return Purse(self, price, most=longest_answer(identity))

    async def reserve(self, charge: Charge, estimate: Callable[[], tuple[Spent, Spent]]) -> Spent:
        """Set aside what a request can cost.

        Args:
            charge: The request.
            estimate: What it will cost, and what it can cost, as far as is known at the moment.

        Returns:
            What is set aside.

        Raises:
            BudgetError: There is no room for it.
        """
        self._loop = asyncio.get_running_loop()
        if self._pid != os.getpid():
            self.spent += Spent(refused=1)
            raise BudgetError(FORKED)
        while True:
            # before it is asked: what ends in between may be what makes room
            turn: asyncio.Future[None] = self._loop.create_future()
            place = current_order.get(), turn
            self._waiting.append(place)
            try:
                if time.monotonic() >= self._closes:  # it has waited for room until the end
                    raise BudgetError(self._why)
                room = await self._set_aside(charge, *estimate())
                if room is not None:
                    return room
                with resting():
                    await turn
            except BudgetError:
                self.spent += Spent(refused=1)
                raise
            finally:
                if place in self._waiting:
                    self._waiting.remove(place)

    async def _set_aside(self, charge: Charge, cost: Spent, most: Spent) -> Spent | None:
        if self._run is None:
            return self._ledger.set_aside(charge, cost, most)
        return await self._run.set_aside(charge, cost, most)

    def settle(self, charge: Charge, cost: Spent) -> None:
        """A request is over."""
        (self._ledger if self._run is None else self._run).settle(charge, cost)
        self.spent += cost
        self._again()

    def _again(self) -> None:
        if self._waiting and not self._calling and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # that loop is closed
                self._loop.call_later(HEAD_START, self._call)
                self._calling = True

    def _call(self) -> None:
        """Let all who wait ask once more, the oldest row first."""
        self._calling = False
        waiting, self._waiting = self._waiting, []
        for _, turn in sorted(waiting, key=lambda place: place[0]):
            if not turn.done():
                turn.set_result(None)

    def _again_from_outside(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # that loop is closed
                self._loop.call_soon_threadsafe(self._again)


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
        await self.reserve(charge)
        return charge

    async def reserve(self, charge: Charge) -> None:
        """Set aside what a request can cost, and say in the charge how long its answer may be.

        Raises:
            BudgetError: There is no room for it.
        """
        charge.room = charge.wanted_room = None
        room = await self._budget.reserve(charge, charge.estimate)
        if charge.answers and self._most is None:
            charge.wanted_room = self._longest(charge.kind)
            charge.room = self._room(charge, room)

    def usage(self, charge: Charge) -> Usage:
        """What a request will cost, roughly.

        Its answer: what is configured as the longest one; else twice the longest one of its kind so far.
        """
        per_byte = self._per_byte or 1 / BYTES_PER_TOKEN
        written = self._written(charge.kind) if charge.answers else 0
        return Usage(calls=1, prompt_tokens=int(charge.size * per_byte) + 1, completion_tokens=written)

    def most(self, charge: Charge) -> Usage:
        """What a request can cost: no token is less than a byte, and no answer longer than it may be."""
        read = max(charge.size + TEMPLATE, self.usage(charge).prompt_tokens)
        written = self._longest(charge.kind) if charge.answers else 0
        return Usage(calls=1, prompt_tokens=read, completion_tokens=written)

    def _written(self, kind: str) -> int:
        if self._most is not None:
            return self._most
        seen = self._answers.get(kind)
        return ANSWER if seen is None else max(SHORTEST, 2 * seen)

    def _longest(self, kind: str) -> int:
        if self._most is not None:
            return self._most
        return max(ROOM, 2 * self._written(kind)) if kind in self._answers else FIRST_ROOM

    def _room(self, charge: Charge, aside: Spent) -> int | None:
        """Tokens that the answer may have, for what is set aside; None where no budget depends on them."""
        limits, cost = self._budget.limits, self.usage(charge)

        def beside(read: int) -> list[int]:
            rooms = [] if limits.tokens is None else [aside.tokens - read]
            if limits.usd is not None and self._price.output:
                rooms.append(int((aside.usd * _MILLION - read * self._price.input) / self._price.output))
            return rooms

        rooms = beside(self.most(charge).prompt_tokens)
        if rooms and min(rooms) < cost.completion_tokens:  # the last call: all that overspends is how much it reads
            rooms = beside(cost.prompt_tokens)
        return max(1, min(self._longest(charge.kind), *rooms)) if rooms else None

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

    def was_longer(self, charge: Charge) -> None:
        """An answer was stopped: the next of its kind shall have more room, also where the server counts nothing."""
        self._answers[charge.kind] = max(self._answers.get(charge.kind, 0), charge.room or 0)


class Charge:
    """One request, or several in a row that answer one call: paid for when its `with` block ends.

    Attributes:
        usage: What it cost, as the model said; None where it has not.
        room: Tokens that the answer may have; None where the configuration says it, or no budget depends on it.
        wanted_room: Tokens that it would have in a budget with more left.
    """

    __slots__ = "_paid", "_purse", "_reserved", "_tokens", "answers", "kind", "room", "size", "usage", "wanted_room"

    def __init__(self, purse: Purse, kind: str, size: int, *, answers: bool) -> None:
        self._purse = purse
        self.kind = kind
        self.size = size
        self.answers = answers
        self.usage: Usage | None = None
        self.room: int | None = None
        self.wanted_room: int | None = None
        self._paid = Usage()
        self._reserved = True

    async def another(self, so_far: Usage) -> None:
        """The call takes one more request: pay for those before, and set aside what this one may cost.

        Args:
            so_far: What the requests of the call have cost.

        Raises:
            BudgetError: There is no room for it.
        """
        self._reserved = False
        self._purse.settle(self, so_far - self._paid, learn=False)
        self._paid = so_far
        await self._purse.reserve(self)
        self._reserved = True

    def estimate(self) -> tuple[Spent, Spent]:
        """What it will cost, and what it can cost."""
        return self._purse.cost(self._purse.usage(self)), self._purse.cost(self._purse.most(self))

    def check_room(self, error: StructureError) -> None:
        """A wrong answer: was it stopped because no more was left?

        Raises:
            BudgetError: It was.
        """
        if error.truncated and self.room is not None and self.wanted_room is not None and self.room < self.wanted_room:
            self.usage = error.usage if isinstance(error.usage, Usage) else None
            raise BudgetError(
                f"what was left of the budget of the run had room for an answer of {self.room:,} tokens, and this one "
                "was longer: it was stopped there"
            ) from error

    def __enter__(self) -> Charge:
        self._tokens = another_request.set(self.another), answer_room.set(lambda: self.room)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(ValueError):  # the loop is gone, and this is the end of its last task
            another_request.reset(self._tokens[0])
            answer_room.reset(self._tokens[1])
        if not self._reserved:
            return  # it is paid for, and the next request was not sent
        usage = self.usage
        if usage is None and isinstance(error, ModelError) and isinstance(error.usage, Usage):
            usage = error.usage
        if usage is not None:
            usage -= self._paid
        calls = max(1, usage.calls) if usage is not None else 1
        counted = usage is not None and bool(usage.prompt_tokens or usage.completion_tokens)
        if usage is None or not counted:
            # a refusal costs nothing; a server that counts no tokens, and a request that was cut off, what they may
            usage = Usage() if _refused(error) else self._purse.usage(self)
        self._purse.settle(self, dataclasses.replace(usage, calls=calls), learn=counted)
        if isinstance(error, StructureError) and error.truncated and self.room is not None:
            self._purse.was_longer(self)


def _refused(error: BaseException | None) -> bool:
    """Whether no model has worked for it. One that never answered may have, and so may one that broke off."""
    if isinstance(error, TransientModelError):
        return not error.sent or (error.status is not None and error.status >= 400)
    return isinstance(error, ModelError) and not isinstance(error, StructureError)


def longest_answer(identity: ModelIdentity) -> int | None:
    """The tokens that a model may write, where its configuration says so."""
    given = dict(identity.parameters)
    for name in ("max_completion_tokens", "max_tokens", "max_new_tokens"):
        if given.get(name, "").isdigit():
            return int(given[name])
    return None
