"""`Answer`: a row's answer by the target of its test, on its way. Asked for ahead, read by the test, scored on arrival.

```text
ask ─ in line ─ called ─ reply ─┬─ the test reads it      ragas_sample.response
                                └─ handed over ─ scored   the test's verdict
```
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent import futures
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import PytestRagasError
from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.plugin.verdicts.outcomes import NothingScored
from pytest_ragas.scoring.engine import AT_ONCE
from pytest_ragas.scoring.target_calls import Call, Reply, TargetCalls, tell_if_cancelled
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample

if TYPE_CHECKING:
    import contextvars

    from pytest_ragas.scoring.target import Target
    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.session.plan import Plan, Ticket

_SLICE = 0.25
"""Seconds that a wait sleeps at most."""


class TargetTimeout(NothingScored):
    """The target took too long: the test's own failure."""

    __module__ = "builtins"


class Interrupts:
    """A target that ends the whole run: `pytest.exit()` or `KeyboardInterrupt`, raised where the main thread looks."""

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._raised = False

    def note(self, error: BaseException) -> bool:
        """Of any thread: whether this is such an end; then it is kept."""
        if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
            self._error = self._error or error
            return True
        return False

    def look(self, *, again: bool = False) -> None:
        """Raise it, in the main thread.

        Args:
            again: Also where it was raised before: the caller waits for what will not come.
        """
        if self._error is not None and (again or not self._raised):
            self._raised = True
            raise self._error


class Answer:
    """One row's answer by a target."""

    def __init__(
        self,
        row: Sample,
        target: Target,
        calls: TargetCalls,
        *,
        nodeid: str,
        context: contextvars.Context,
        interrupts: Interrupts,
        over: Callable[[Answer], None],
    ) -> None:
        """
        Args:
            row: The row.
            target: What answers.
            calls: Where it is called.
            nodeid: The test.
            context: The context that the target is called in, a copy of it.
            interrupts: Where an end of the whole run is noted.
            over: Told, in any thread, when the reply is there or given up.
        """
        self.row = row
        self.nodeid = nodeid
        self.ticket: AnswerTicket | None = None
        self.interrupts = interrupts
        self.calls = calls
        self._target = target
        self._context = context
        self._over = over
        self._call: Call | None = None

    def ask(self, order: int) -> Call:
        """Call the target, once; other rows' calls with a smaller order go first."""
        if self._call is None:
            self._call = self.calls.call(
                self._target.function,
                self._target.argument(self.row),
                order=order,
                read=self._read,
                context=self._context,
            )
            self._call.reply.add_done_callback(lambda _: self._over(self))
        return self._call

    def sample(self) -> Sample:
        """The row with the answer in it. Waits for it; Ctrl-C gets through.

        Raises:
            NothingScored: What the target returned is no answer, or it took too long.
            BaseException: Whatever the target raised, with its own frames.
        """
        __tracebackhide__ = True
        call = self.ask(0)
        self.arrive()
        reply = self.calls.wait(call)
        if (error := self.error_of(reply)) is not None:
            raise error
        sample: Sample = reply.value
        return sample

    def arrive(self) -> None:
        """Wait until the reply is there, or given up; not, where nobody has asked. Ctrl-C gets through."""
        __tracebackhide__ = True
        while self._call is not None and not self._call.reply.done():
            self.interrupts.look(again=True)
            self.calls.hurry(self._call)
            futures.wait([self._call.reply], timeout=_SLICE)

    def known(self) -> Sample:
        """The row, with the answer in it if that is there."""
        if self._call is None or not self.is_there or self._call.reply.cancelled():
            return self.row
        reply = self._call.reply.result()
        return self.row if reply.timed_out or reply.error is not None else reply.value

    def hand_over(self, evaluator: Evaluator, plan: Plan, *, order: int) -> AnswerTicket:
        """Have the answer scored as soon as it is there; once, as long as evaluator and plan stay the same."""
        if self.ticket is None or not self.ticket.scores_with(evaluator, plan):
            if self.ticket is not None:
                self.ticket.cancel()
            self.ticket = AnswerTicket(self, self.ask(order), evaluator, plan, order=order)
        return self.ticket

    def cancel(self) -> None:
        """Nobody needs it: neither ask nor score."""
        if self._call is not None:
            self._call.cancel()
        if self.ticket is not None:
            self.ticket.cancel()

    @property
    def was_asked(self) -> bool:
        """Whether the target was called, or is in line to be."""
        return self._call is not None

    @property
    def is_there(self) -> bool:
        """Whether the reply is there, or given up."""
        return self._call is not None and self._call.reply.done()

    @property
    def records(self) -> Sequence[logging.LogRecord]:
        """What the target logged for this row."""
        return self._call.records if self._call is not None else ()

    def error_of(self, reply: Reply) -> BaseException | None:
        """Why there is no answer: what the test is to raise, with the frames of the target and no others."""
        if reply.timed_out:
            return TargetTimeout(
                f"The target {self._target.name!r} gave no answer to the row {self.row.id!r} "
                f"within {self.calls.timeout:g} s (target_timeout)."
            )
        return None if reply.error is None else reply.error.with_traceback(reply.traceback)

    def is_of(self, error: BaseException) -> bool:
        """Whether this is what the target raised for this row."""
        call = self._call
        return call is not None and self.is_there and not call.reply.cancelled() and call.reply.result().error is error

    def own_frames(self) -> Any:
        """The traceback of what the target raised: its own frames."""
        return self._call.reply.result().traceback if self._call is not None else None

    def _read(self, value: object) -> Sample:
        """In the thread of the call: the object may change later."""
        __tracebackhide__ = True
        handle = SampleHandle(self.row)
        problem = "It returned None."
        if value is not None:
            try:
                return handle.record(value)
            except TypeError as error:
                problem = str(error)
        raise NothingScored(
            f"The target {self._target.name!r} gave no answer to the row {self.row.id!r}.\n{problem}\n"
            'It may return a string, a mapping {"response": ..., "retrieved_contexts": [...]}, a Sample, or an object '
            "with .response and .retrieved_contexts."
        )


class OwedAnswers:
    """Answers to tests that are over, by targets that are about to be torn down."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._answers = answers

    @property
    def pending(self) -> OwedAnswers:
        """What is waited for, under the name that it has in a report block."""
        return self

    def done(self) -> bool:
        """Whether all are there."""
        return all(answer.is_there for answer in self._answers)

    def wait(self, seconds: float) -> bool:
        """Wait for the answers, but not longer than that. Ctrl-C gets through, at the latest when the time is over."""
        for answer in self._answers:
            answer.interrupts.look(again=True)
        futures.wait([answer.ask(0).reply for answer in self._answers], timeout=seconds)
        return self.done()


class AnswerTicket:
    """A `Ticket` for an answer that may not be there yet.

    Attributes:
        sample: The row.
        nodeid: The test.
        future: The result. One without scores where the target gave no answer.
        error: Why there is no answer that could be scored; what the test is to raise.
    """

    def __init__(self, answer: Answer, call: Call, evaluator: Evaluator, plan: Plan, *, order: int) -> None:
        self.sample = answer.row
        self.nodeid = answer.nodeid
        self.error: BaseException | None = None
        self.future: Future[SampleResult] = Future()
        self._answer = answer
        self._call = call
        self._evaluator = evaluator
        self._plan = plan
        self._order = order
        self._scoring: Ticket | None = None
        self.future.add_done_callback(tell_if_cancelled)
        self.future.add_done_callback(self._given_up)
        call.reply.add_done_callback(self._replied)

    def scores_with(self, evaluator: Evaluator, plan: Plan) -> bool:
        """Whether these are the models, metrics and thresholds."""
        return self._evaluator is evaluator and self._plan == plan and not self.future.cancelled()

    @property
    def records(self) -> Sequence[logging.LogRecord]:
        """What the target and scoring logged."""
        return [*self._answer.records, *(self._scoring.records if self._scoring is not None else ())]

    def done(self) -> bool:
        """Whether the scores are there, or the reason why there are none. Raises where a target ends the run."""
        self._answer.interrupts.look()
        return self.future.done()

    def result(self) -> SampleResult:
        """Wait for the scores. Ctrl-C gets through."""
        while not self.future.done():
            self._answer.interrupts.look(again=True)
            self._hasten()
            futures.wait([self.future], timeout=_SLICE)
        return self.future.result()

    def cancel(self) -> None:
        """Give up: neither ask nor score."""
        self._call.cancel()
        self.future.cancel()

    def _hasten(self) -> None:
        """Somebody waits: go on also while everything else is held."""
        self._answer.calls.hurry(self._call)
        scoring = self._scoring
        if scoring is not None and not scoring.done() and scoring.engine.stats().held and self._order != AT_ONCE:
            self._order = AT_ONCE
            self._submit(scoring.sample)
            scoring.cancel()

    # ---- in any thread: a callback that raises would leave the test waiting for ever -----------------

    def _replied(self, future: Future[Reply]) -> None:
        try:
            if future.cancelled():
                self.future.cancel()
            elif not self.future.cancelled():
                self._go_on(future.result())
        except Exception as error:
            self._end(error)

    def _go_on(self, reply: Reply) -> None:
        error = self._answer.error_of(reply)
        if error is None:
            self._submit(reply.value)
        elif not self._answer.interrupts.note(error):
            self._end(error)

    def _submit(self, sample: Sample) -> None:
        try:
            scoring = self._evaluator.submit(sample, self._plan, nodeid=self.nodeid, order=self._order)
        except PytestRagasError as error:  # the answer lacks a field
            self._end(error)
            return
        self._scoring = scoring
        if self.future.cancelled():
            scoring.cancel()
        scoring.future.add_done_callback(self._scored)

    def _scored(self, future: Future[SampleResult]) -> None:
        if self._scoring is None or future is not self._scoring.future:
            return  # it was submitted again
        with contextlib.suppress(InvalidStateError):
            if future.cancelled():
                self.future.cancel()
            elif (error := future.exception()) is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(future.result())

    def _end(self, error: BaseException) -> None:
        self.error = error
        result = SampleResult(
            sample=self.sample,
            scores=(),
            failures=(),
            thresholds=self._plan.thresholds,
            outcome="not run",
            nodeid=self.nodeid,
        )
        with contextlib.suppress(InvalidStateError):
            self.future.set_result(result)

    def _given_up(self, future: Future[SampleResult]) -> None:
        if future.cancelled() and self._scoring is not None:
            self._scoring.cancel()


class TargetHandle(SampleHandle):
    """`ragas_sample` of a test with a target: reading the answer waits for it, and for nothing else."""

    answer: Answer

    def __init__(self, row: Sample, answer: Answer) -> None:
        """
        Args:
            row: The row of the testset.
            answer: The target's, which need not be there yet.
        """
        super().__init__(row)
        self.answer = answer

    @property
    def sample(self) -> Sample:
        """The row with the target's answer in it. Waits for it."""
        __tracebackhide__ = True
        return self.answer.sample()

    @property
    def response(self) -> str | None:
        """What the target answered. Waits for it."""
        __tracebackhide__ = True
        return self.sample.response

    @property
    def retrieved_contexts(self) -> Sequence[str] | None:
        """What the target retrieved. Waits for it."""
        __tracebackhide__ = True
        return self.sample.retrieved_contexts

    def known(self) -> Sample:
        """What is known of the answer right now; nothing is waited for."""
        return self.recorded[-1] if self.recorded else self.answer.known()
