"""Under pytest-xdist limit of calls and budget are the run's: the workers share them, by what each can use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_ragas.scoring.budget import Budget
    from pytest_ragas.scoring.limits import Limiter
    from pytest_ragas.values.spent import Spent


_INPUT = "ragas_shares"
"""Of a worker's input: where the controller deals out the limit and keeps the purse."""

_BEGAN = "ragas_began"
"""Of a worker's input: when the run began, in Unix seconds; of one on another machine, how many seconds ago."""

_CLIENT = pytest.StashKey[Any]()


class Dealing:
    """In the controller: deals out the limit and keeps the purse. Costs an idle suite one thread that sleeps."""

    def __init__(self, workers: int) -> None:
        from pytest_ragas.scoring.share_server import ShareServer

        self._server = ShareServer(workers)

    def configure(self, node: Any, *, age: float) -> None:
        """A worker is about to start: tell it where the limit is dealt out, and how old the run is."""
        node.workerinput[_BEGAN] = {"at": time.time() - age} if node.gateway.spec.popen else {"ago": age}
        if node.gateway.spec.popen:
            node.workerinput[_INPUT] = {"port": self._server.port, "token": self._server.token}
        else:  # on another machine, perhaps
            self._server.reserve(node.gateway.id)

    def forget(self, node: Any) -> None:
        """A worker has ended."""
        self._server.forget(node.gateway.id)

    def spent(self) -> Spent | None:
        """What the workers have spent from the common purse; None where nobody knows any more."""
        return self._server.spent()

    def stop_workers(self) -> None:
        """The run is over: workers need not wait for scores."""
        self._server.stop_workers()

    def close(self) -> None:
        """No worker is left."""
        self._server.close()


def join(config: pytest.Config, limiter: Limiter, limit: int, budget: Budget) -> None:
    """In a worker: from now on the limiter has this worker's share of the limit, and the budget is the run's.

    One on another machine, which cannot talk to the controller, has an equal part of each.
    """
    from pytest_ragas.scoring.share_client import ShareClient
    from pytest_ragas.scoring.shares import static_share

    given: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]  # of pytest-xdist
    number, workers = place_among_workers(config)
    fallback = static_share(limit, workers, number)
    if _INPUT not in given:
        limiter.set_limit(fallback)
        budget.divide(workers, number)
        return
    client = ShareClient(
        limiter, worker=given["workerid"], limit=limit, fallback=fallback, budget=budget, **given[_INPUT]
    )
    config.stash[_CLIENT] = client
    config.add_cleanup(client.close)


def place_among_workers(config: pytest.Config) -> tuple[int, int]:
    """Which worker this process is, from 0, and how many there are; (0, 1) without pytest-xdist."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    return int("".join(filter(str.isdigit, given.get("workerid", ""))) or 0), given.get("workercount", 1)


def age_of_run(config: pytest.Config, began: float) -> float:
    """Seconds by which the run is older than this process, which began at some Unix second."""
    said: dict[str, float] = getattr(config, "workerinput", {}).get(_BEGAN, {})
    return max(0.0, began - said["at"] if "at" in said else said.get("ago", 0.0))


def told_to_stop(config: pytest.Config) -> bool:
    """In a worker: whether the controller has said that the run is over."""
    client = config.stash.get(_CLIENT, None)
    return client is not None and client.stopped
