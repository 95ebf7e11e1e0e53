"""What the first request to an endpoint taught us, for the rest of the process.

Servers differ in how they take a schema, and models in which parameters they take. The first request finds out. The
others hope for the form that most servers take, and wait once a single request was refused: those that are in flight
by then are refused too, at no token, but not hundreds after them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

from pytest_ragas.errors import ModelError, RejectedRequestError, TransientModelError

Quirk = Literal["no temperature", "max_completion_tokens", "no system"]
"""no temperature: it takes only its own. max_completion_tokens: its name of max_tokens. no system: no such role."""


@dataclass(eq=False, slots=True)
class Memory:
    """What is known of one model at one endpoint."""

    form: str = ""
    """How it takes a schema (`openai_wire.FORMS`); empty until the first answer."""
    quirks: set[Quirk] = field(default_factory=set)
    hopeful: bool = True
    """Whether no request in the first form has been refused yet."""
    _first: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[ModelError | None]] = field(
        default_factory=WeakKeyDictionary
    )

    @property
    def settled(self) -> bool:
        """Whether an answer has come, so that everything is known."""
        return bool(self.form)

    def under_way(self) -> asyncio.Future[ModelError | None] | None:
        """The first request of this loop, if another task has sent it and it has not come back."""
        return self._first.get(asyncio.get_running_loop())

    def begin(self) -> FirstRequest:
        """Be the first request; the others of this loop wait for it."""
        loop = asyncio.get_running_loop()
        self._first[loop] = loop.create_future()
        return FirstRequest(self)


@dataclass(slots=True)
class FirstRequest:
    """Context of the request that finds out."""

    memory: Memory

    def __enter__(self) -> None:
        """Nothing to do; `Memory.begin` did it."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        waiting = self.memory._first.pop(asyncio.get_running_loop(), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(_for_all(error))


def _for_all(error: BaseException | None) -> ModelError | None:
    """The error, if those who waited would have got it too: a server that is down, a key that is wrong.

    Then they get it now, instead of finding out one after the other.
    """
    if isinstance(error, RejectedRequestError):
        return error if error.status in (401, 403, 404) else None
    return error if isinstance(error, TransientModelError) else None


def same_error(error: ModelError) -> ModelError:
    """A copy to raise in another task: a traceback grows with every raise."""
    if isinstance(error, TransientModelError):
        return TransientModelError(str(error), status=error.status, retry_after=error.retry_after)
    return RejectedRequestError(str(error), status=getattr(error, "status", None))


_MEMORIES: dict[Hashable, Memory] = {}


def remembered(key: Hashable) -> Memory:
    """The memory of an endpoint and model; the same object for equal keys."""
    return _MEMORIES.setdefault(key, Memory())


def forget() -> None:
    """Forget everything, for tests: the next server may listen where the last one did."""
    _MEMORIES.clear()
