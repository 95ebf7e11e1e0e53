"""`Retry`: the one place where a request is sent again."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from pytest_ragas.errors import StructureError, TransientModelError, cut
from pytest_ragas.scoring.deadline import Deadline
from pytest_ragas.scoring.limits import MAX_PAUSE, Limiter
from pytest_ragas.values.model import Answer, Message

T = TypeVar("T")
log = logging.getLogger("pytest_ragas.retry")

DEADLINE = 600.0
"""Seconds that one call may take, all its requests and pauses together."""
RAW_SHOWN = 4_000
"""Characters of a wrong answer that are shown to the model when it is asked again."""


class Retry:
    """When a request is sent again, how long to wait, and when to give up. Configured once; keeps nothing of a call.

    - `TransientModelError`: sent again after an exponentially growing, fully jittered pause, or after what the
      server's `Retry-After` says, up to `attempts` requests. The slot is free meanwhile.
    - `StructureError`: asked again at once, at most `reasks` times, with the wrong answer and what is wrong with it;
      not where it says that this leads nowhere.
    - anything else, `RejectedRequestError` first of all: given up at once.

    A call costs at most `attempts + reasks` requests, and at most `deadline` seconds of requests and pauses.

    Source:
        "Full jitter" of M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
    """

    def __init__(
        self,
        *,
        attempts: int = 6,
        reasks: int = 2,
        base: float = 0.5,
        cap: float = 20.0,
        max_retry_after: float = MAX_PAUSE,
        deadline: float = DEADLINE,
        seed: int | None = None,
    ) -> None:
        """
        Args:
            attempts: Requests of one call that may go without an answer, at least 1.
            reasks: How often an answer of the wrong structure is asked again.
            base: Longest pause before the second request, in seconds; doubles with each further one.
            cap: Longest pause that the doubling leads to, in seconds.
            max_retry_after: A server that asks to wait longer, in seconds, is not asked again: coming back
                earlier than it said would only be refused.
            deadline: Seconds that the requests and pauses of one call may take together (waiting for a slot is
                not counted); a request still under way is cut off. Give more than the time-out of one request.
            seed: Makes the pauses the same in every run.
        """
        if attempts < 1 or reasks < 0 or base < 0 or cap < 0 or deadline <= 0:
            raise ValueError(f"cannot retry with {attempts=}, {reasks=}, {base=}, {cap=}, {deadline=}")
        self.attempts = attempts
        self.reasks = reasks
        self.base = base
        self.cap = cap
        self.max_retry_after = max_retry_after
        self.deadline = deadline
        self._random = random.Random(seed)

    @classmethod
    def for_timeout(cls, timeout: float) -> Retry:
        """The usual policy for a model whose single request may take `timeout` seconds: time for three of them."""
        return cls(deadline=max(DEADLINE, 3 * timeout))

    async def call(self, once: Callable[[], Awaitable[T]], *, limiter: Limiter, model: object) -> T:
        """Send one request until it is answered.

        Args:
            once: Sends it once.
            limiter: Gives each attempt its slot, and learns how it went.
            model: Which model, for messages; its `str` is taken.

        Raises:
            TransientModelError: No answer after all attempts; the message counts them and ends with the last error.
            ModelError: Whatever else `once` raised.
        """
        return await _Call(self, limiter, model).answer(once)

    async def ask(
        self,
        once: Callable[[Sequence[Message]], Awaitable[Answer]],
        messages: Sequence[Message],
        *,
        limiter: Limiter,
        model: object,
    ) -> Answer:
        """Ask an LLM until it answers in the right structure.

        Args:
            once: Asks once with these messages.
            messages: The conversation; what is wrong with an answer is appended for the next try.
            limiter: Gives each attempt its slot, and learns how it went.
            model: Which model, for messages; its `str` is taken.

        Raises:
            TransientModelError: No answer after all attempts.
            StructureError: Answers, but never in the structure; carries the last one's text.
            ModelError: Whatever else `once` raised.
        """
        call = _Call(self, limiter, model)
        conversation, answers = messages, 0
        while True:
            try:
                return await call.answer(functools.partial(once, conversation))
            except StructureError as error:
                if error.final:
                    raise
                answers += 1
                log.info("%s: answer %d has the wrong structure: %s", model, answers, cut(str(error)))
                if answers > self.reasks:
                    raise StructureError(
                        f"{model} never answered in the structure that was asked for "
                        f"({_times(answers, 'answer')}). The last one: {error}",
                        raw=error.raw,
                    ) from error
                conversation = (*messages, *correction(error))

    def pause(self, failed: int) -> float:
        """Seconds to wait after `failed` requests (1, 2, …) without an answer."""
        # 2.0 ** 1024 overflows
        return self._random.uniform(0.0, min(self.cap, self.base * 2.0 ** min(failed - 1, 60)))


class _Call:
    """One call under way: its attempts so far, and the time that they took."""

    def __init__(self, retry: Retry, limiter: Limiter, model: object) -> None:
        self._retry = retry
        self._limiter = limiter
        self._model = model
        self._failed = 0
        self._spent = 0.0
        self._loop = asyncio.get_running_loop()

    async def answer(self, once: Callable[[], Awaitable[T]]) -> T:
        while True:
            deadline: Deadline | None = None
            try:
                async with self._limiter.slot():
                    start = self._loop.time()
                    try:
                        with Deadline(start + self._retry.deadline - self._spent) as deadline:
                            return await once()
                    finally:
                        self._spent += self._loop.time() - start - (deadline.rested if deadline is not None else 0.0)
            except TransientModelError as error:
                self._failed += 1
                pause = self._pause(error)
                log.info(
                    "%s: attempt %d failed, again in %.1f s: %s", self._model, self._failed, pause, cut(str(error))
                )
            except asyncio.CancelledError:
                if deadline is None or not deadline.expired:
                    raise
                self._failed += 1
                raise self._exhausted(f"no answer within the {self._retry.deadline:g} s that a call may take") from None
            await self._limiter.rest(pause)
            self._spent += pause

    def _pause(self, error: TransientModelError) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            TransientModelError: There is none.
        """
        retry = self._retry
        if self._failed >= retry.attempts:
            raise self._exhausted(str(error), error) from error
        pause = retry.pause(self._failed)
        if error.retry_after is not None:
            if error.retry_after > retry.max_retry_after:
                waits = f"it asks to wait {error.retry_after:g} s; we wait {retry.max_retry_after:g} s at most"
                raise self._exhausted(f"{error} ({waits})", error) from error
            # jitter on top: all who were refused would come back in the same moment
            pause = max(0.0, error.retry_after) + retry.pause(1)
        if self._spent + pause >= retry.deadline:
            raise self._exhausted(f"{error} (a call may take {retry.deadline:g} s)", error) from error
        return pause

    def _exhausted(self, last: str, error: TransientModelError | None = None) -> TransientModelError:
        return TransientModelError(
            f"{self._model} gave no answer in {_times(self._failed, 'attempt')} over {self._spent:.1f} s. "
            f"Last error: {last}",
            status=error.status if error else None,
            retry_after=error.retry_after if error else None,
        )


def correction(error: StructureError) -> tuple[Message, ...]:
    """What is said to a model whose answer had the wrong structure."""
    raw = error.raw[:RAW_SHOWN]
    said = (Message(role="assistant", content=raw),) if raw.strip() else ()
    return (
        *said,
        Message(
            role="user",
            content=f"That answer cannot be used: {error}\n"
            "Answer the same request again. Write only the JSON object, exactly in the structure that was asked for.",
        ),
    )


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
