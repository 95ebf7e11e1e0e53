"""`ShareClient`: keeps a `Limiter` at its share of the run's limit, by what it can use now; asks the run's purse."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections import deque
from typing import Any

from pytest_ragas.scoring.budget import Budget
from pytest_ragas.scoring.limits import Limiter
from pytest_ragas.scoring.run_purse import RunPurse
from pytest_ragas.scoring.share_lines import BrokenLineError, Line, connect

_TICK = 0.05
"""Seconds between two looks at what the limiter could use."""
_REMEMBERED = 6
"""Looks of which the greediest counts: a share that is given back between two calls of one metric would come and go."""
_CONNECTING = 5.0

log = logging.getLogger("pytest_ragas.shares")


class ShareClient:
    """Talks to a `ShareServer`, in a thread of its own. Without one, the limiter has a static share.

    Attributes:
        stopped: Whether the server has said that the run is over.
    """

    def __init__(
        self,
        limiter: Limiter,
        *,
        port: int,
        token: str,
        worker: str,
        limit: int,
        fallback: int,
        budget: Budget | None = None,
    ) -> None:
        """
        Args:
            limiter: Of this process.
            port: Where the server listens.
            token: What it wants to hear.
            worker: Name of this process.
            limit: The limit of the run.
            fallback: The share without a server.
            budget: Of this process; from now on the run has one purse.
        """
        self.stopped = False
        self._limiter = limiter
        self._fallback = fallback
        self._number = 0
        self._told = 0
        self._wants: deque[int] = deque(maxlen=_REMEMBERED)
        self._said: tuple[int, int, int] | None = None
        self._closing = threading.Event()
        self._limiter.set_limit(0)
        self._thread: threading.Thread | None = None
        self._line: Line | None = None
        self._sending = threading.Lock()  # what is asked of the purse is sent by the loop's thread
        self._purse: RunPurse | None = None
        greeting: dict[str, Any] = {"token": token, "worker": worker, "limit": limit}
        if budget is not None and budget.limits.any:
            self._purse = RunPurse(self._send)
            greeting["budget"] = dataclasses.asdict(budget.limits)
            budget.join(self._purse)
        try:
            self._line = connect(port, timeout=_CONNECTING)
            self._send(**greeting)
            self._line.connection.settimeout(_TICK)
        except BrokenLineError as error:
            self._fall_back(error)
            return
        self._thread = threading.Thread(target=self._main, name="ragas-share", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread. May be called twice."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(1)

    def _main(self) -> None:
        assert self._line is not None
        try:
            while not self._closing.is_set():
                for message in self._line.receive():
                    if "purse" in message and self._purse is not None:
                        self._purse.hear(message)
                    self.stopped = self.stopped or message.get("stop", False)
                    if "limit" in message:
                        self._number, self._told = int(message["number"]), int(message["limit"])
                        self._limiter.set_limit(self._told)
                self._say()
        except (BrokenLineError, KeyError, TypeError, ValueError) as error:
            self._fall_back(error)
        finally:
            if self._purse is not None:
                self._purse.lost()
            self._line.close()

    def _send(self, **message: Any) -> None:
        if self._line is None:
            raise BrokenLineError("closed")
        with self._sending:
            self._line.send(**message)

    def _say(self) -> None:
        stats = self._limiter.stats()
        self._wants.append(stats.in_flight + stats.waiting)
        if not stats.settled:
            return  # its loop has not heard of the new limit yet: what is in flight may still grow
        if stats.waiting and stats.in_flight < stats.allowed:
            self._limiter.set_limit(self._told)  # one that was set in the moment its loop began did not wake it
        said = (max(self._wants), max(self._told, stats.in_flight), self._number)
        if said != self._said:
            self._said = said
            self._send(want=said[0], have=said[1], number=said[2])

    def _fall_back(self, error: Exception) -> None:
        if not self._closing.is_set():
            self._limiter.set_limit(self._fallback)
            if self._purse is not None:
                self._purse.lost()
            log.warning("the limit of calls is not shared by demand (%s): this process has %d", error, self._fallback)
