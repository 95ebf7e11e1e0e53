"""`RunPurse`: the budget of a whole run, as one of its processes asks for it; the ledger is the server's.

```text
worker                      server (`run_ledger.py`), which keeps the one `Ledger`
  ask   number, cost, most  ->  what is set aside · nothing yet: wait for `again` · no room: why
  paid  number, cost        ->  what was set aside is replaced; who waits is told `again`
```

A worker that cannot reach the server makes no calls: what others spend meanwhile it cannot know, and a budget is never
overspent. What it had under way when it died counts as what was set aside for it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from pytest_ragas.errors import BudgetError
from pytest_ragas.scoring.share_lines import BrokenLineError
from pytest_ragas.values.spent import Spent

GONE = (
    "the budget of the run is kept by pytest-xdist's controller, which this worker cannot reach: "
    "no further call is made"
)


class RunPurse:
    """Asks on an event loop, hears in the thread of the share client."""

    def __init__(self, say: Callable[..., None]) -> None:
        """
        Args:
            say: Sends a message to the server, from any thread; raises `BrokenLineError` where that fails.
        """
        self._say = say
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._pid = os.getpid()
        self._asked: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[Mapping[str, Any]]]] = {}
        self._of: dict[Hashable, int] = {}
        self._gone = False
        self.again: Callable[[], None] = lambda: None
        """Told, in any thread, when there may be room that there was not."""

    async def set_aside(self, request: Hashable, cost: Spent, most: Spent) -> Spent | None:
        """See `Ledger.set_aside`; the answer is the server's.

        Raises:
            BudgetError: There is no room, or nobody who would know.
        """
        loop = asyncio.get_running_loop()
        number, answer = next(self._numbers), loop.create_future()
        with self._lock:
            if self._gone or self._pid != os.getpid():  # a forked child has no thread that would hear the answer
                raise BudgetError(GONE)
            self._asked[number] = loop, answer
        self._tell(purse="ask", number=number, cost=cost.to_json(), most=most.to_json())
        try:
            said = await answer
        except asyncio.CancelledError:
            self._tell(purse="paid", number=number)  # if there was room, nobody has used it
            raise
        finally:
            with self._lock:
                self._asked.pop(number, None)
        if "why" in said:
            raise BudgetError(str(said["why"]))
        if said.get("room") is None:
            return None
        self._of[request] = number
        return Spent.from_json(said["room"])

    def settle(self, request: Hashable, cost: Spent) -> None:
        """A request is over, and this is what it cost."""
        number = self._of.pop(request, None)
        if number is not None:
            self._tell(purse="paid", number=number, cost=cost.to_json())

    def hear(self, message: Mapping[str, Any]) -> None:
        """The server has said something. In the client's thread."""
        if message["purse"] == "again":
            self.again()
            return
        with self._lock:
            asked = self._asked.get(int(message["number"]))
        if asked is not None:
            _resolve(*asked, message)

    def lost(self) -> None:
        """The server is gone. In any thread; may be called twice."""
        with self._lock:
            self._gone = True
            asked = tuple(self._asked.values())
        for loop, answer in asked:
            _resolve(loop, answer, {"why": GONE})
        self.again()  # who waits for room asks once more, and is told

    def _tell(self, **message: Any) -> None:
        try:
            self._say(**message)
        except BrokenLineError:
            self.lost()


def _resolve(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Mapping[str, Any]], message: Mapping[str, Any]
) -> None:
    def tell() -> None:
        if not answer.done():
            answer.set_result(message)

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # that loop is closed
        pass
