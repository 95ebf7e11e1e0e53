"""`RunLedger`: the server's side of the purse that the processes of a run share; what they say is in `run_purse.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_ragas.errors import BudgetError
from pytest_ragas.scoring.ledger import Ledger, Limits
from pytest_ragas.scoring.share_lines import BrokenLineError
from pytest_ragas.values.spent import Spent


class RunLedger:
    """Belongs to the server's thread. Nothing has a limit before the first process has said what it is."""

    def __init__(self, workers: int) -> None:
        """
        Args:
            workers: How many processes share the budget.
        """
        self._workers = workers
        self._whole = Limits()
        self._ledger = Ledger(self._whole)
        self._opened = False
        self._apart: set[str] = set()
        self._waiting: dict[str, Callable[..., None]] = {}

    @property
    def spent(self) -> Spent:
        """What was spent through this ledger, and how many requests had no room."""
        return self._ledger.spent

    def open(self, limits: Mapping[str, Any]) -> None:
        """A process says what the run may spend; all say the same.

        Raises:
            TypeError: It says something else.
        """
        if not self._opened:
            self._opened = True
            self._ledger.limits = self._whole = Limits(**limits)
            for name in self._apart:
                self._take(name)

    def set_apart(self, worker: str) -> None:
        """A process that cannot talk to the server keeps to its equal part."""
        if worker not in self._apart:
            self._apart.add(worker)
            if self._opened:
                self._take(worker)

    def told(self, worker: str, message: Mapping[str, Any], *, say: Callable[..., None]) -> None:
        """A process asks for room, or says what a request cost.

        Args:
            worker: Which one.
            message: What it says.
            say: Answers it.
        """
        request = worker, int(message["number"])
        cost = Spent.from_json(message.get("cost") or {})
        if message["purse"] == "paid":
            self._ledger.settle(request, cost)
            self._tell_waiting()
            return
        try:
            room = self._ledger.set_aside(request, cost, Spent.from_json(message["most"]))
        except BudgetError as error:
            say(purse="said", number=request[1], why=str(error))
            return
        if room is None:
            self._waiting[worker] = say
        say(purse="said", number=request[1], room=None if room is None else room.to_json())

    def lose(self, worker: str) -> None:
        """A process is gone: nobody will say what its requests under way have cost."""
        self._waiting.pop(worker, None)
        self._ledger.lose(worker)
        self._tell_waiting()

    def _take(self, worker: str) -> None:
        number = int("".join(filter(str.isdigit, worker)) or 0)
        self._ledger.limits = self._ledger.limits.without(self._whole.share(self._workers, number))

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for say in waiting.values():
            try:
                say(purse="again")
            except BrokenLineError:
                continue  # its end is heard next
