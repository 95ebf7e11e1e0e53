"""The verdict on a marked test: prepared at its setup, handed over after its body, concluded when scores are there.

`prepare` -> body -> `submit` -> `conclude`. Whether a test waits between the last two or the suite goes on
meanwhile is not decided here.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import ConfigurationError, MetricError, ModelError, PytestRagasError, cut
from pytest_ragas.plugin.handle import SampleHandle
from pytest_ragas.plugin.marker import NAME, MarkerArguments, read_markers
from pytest_ragas.plugin.marks import marks_named, marks_of
from pytest_ragas.plugin.results import note, noted
from pytest_ragas.plugin.scoring_logs import note_logs
from pytest_ragas.plugin.suite import suite_of
from pytest_ragas.plugin.verdicts.outcomes import NothingScored, ThresholdFailure, unscored_error
from pytest_ragas.reports.failure import LINES, error_text, failure_text
from pytest_ragas.values.run import SampleResult
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import FailureKind, ScoreFailure

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pytest_ragas.plugin.evaluator import RagasEvaluator
    from pytest_ragas.plugin.targets.answers import AnswerTicket
    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.session.plan import Plan, Ticket

HANDLE = pytest.StashKey[SampleHandle]()
"""Of an item: the row and what was recorded for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What a marked test will be scored with."""

    evaluator: Evaluator
    plan: Plan
    handle: SampleHandle


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """The scores that one test waits for: a ticket for each answer that it recorded."""

    item: pytest.Item = field(repr=False)
    tickets: tuple[Ticket | AnswerTicket, ...]
    _bells: list[threading.Lock] = field(default_factory=list, repr=False, compare=False)

    def done(self) -> bool:
        """Whether every score, or the reason why there is none, is there."""
        return all(ticket.done() for ticket in self.tickets)

    def wait(self, seconds: float) -> bool:
        """Wait until something arrives, but not longer than that. Ctrl-C gets through, at the latest then.

        By a lock of our own: Ctrl-C in `concurrent.futures.wait` may leave the lock of a future taken, and the engine
        would wait for it for ever. No event: pytest reads the source of every frame that Ctrl-C ends, and would spend a
        tenth of its farewell on the module `threading`.

        Returns:
            Whether every score is there.
        """
        if not self._bells:
            bell = threading.Lock()
            bell.acquire()

            def ring(_: Future[SampleResult]) -> None:
                with contextlib.suppress(RuntimeError):  # it rings already
                    bell.release()

            self._bells.append(bell)
            for ticket in self.tickets:
                ticket.future.add_done_callback(ring)
        self._bells[0].acquire(timeout=seconds)
        return self.done()

    def results(self) -> tuple[SampleResult, ...]:
        """Wait for the scores. Ctrl-C gets through."""
        return tuple(ticket.result() for ticket in self.tickets)

    def cancel(self) -> None:
        """Give up: what is in flight is cancelled."""
        for ticket in self.tickets:
            ticket.cancel()


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """A recorded answer that was handed over before its test."""

    ticket: Ticket
    evaluator: Evaluator
    plan: Plan

    def fits(self, prepared: Prepared, samples: Sequence[Sample]) -> bool:
        """Whether it is all that the test has to be scored, and as it is to be scored."""
        return (
            len(samples) == 1
            and samples[0] is self.ticket.sample
            and prepared.evaluator is self.evaluator
            and prepared.plan == self.plan
        )


AHEAD = pytest.StashKey[Ahead]()

PREPARED = pytest.StashKey[Prepared]()
PENDING = pytest.StashKey[Pending]()

ORDER = pytest.StashKey[int]()
"""Of an item whose verdict is deferred: its place in line for scoring. An item without one waits for its scores."""

SCORING_SECONDS = "ragas.scoring_s"
"""User property of a scored test: seconds from hand-over to the last score."""


_READ = pytest.StashKey[dict[tuple[int, ...], tuple[tuple[pytest.Mark, ...], MarkerArguments]]]()
"""Of a configuration: what markers say, by the identities of the marks, which are kept beside it."""


def is_marked(item: pytest.Item) -> bool:
    """Whether the test, its class or its module is marked `ragas`."""
    return any(mark.name == NAME for mark in marks_of(item))


def arguments_of(item: pytest.Item) -> MarkerArguments:
    """What the item's ragas markers say together.

    Raises:
        ConfigurationError: They cannot be read.
    """
    marks = marks_named(item, NAME)
    known = item.config.stash.setdefault(_READ, {})
    # the rows of a testset share their markers, and a marker may hold ten thousand rows
    key = tuple(map(id, marks))
    if key not in known:
        known[key] = marks, read_markers(marks, where=item.nodeid)
    return known[key][1]


def start_anew(item: pytest.Item) -> None:
    """The test is set up, perhaps once more: what an earlier attempt waited for is not this one's."""
    if PREPARED in item.stash:
        del item.stash[PREPARED]
    if PENDING in item.stash:
        del item.stash[PENDING]


def prepare(item: pytest.Item, evaluator: RagasEvaluator) -> Prepared:
    """Find out, before the body runs, what a marked test is scored with.

    Raises:
        ConfigurationError: A metric does not exist, or needs a model that is not configured.
        MissingFieldError: The row lacks what no answer can bring, e.g. a reference.
    """
    arguments = arguments_of(item)
    plan = evaluator.evaluator.plan(
        metrics=arguments.metrics, thresholds=arguments.thresholds, repeats=arguments.repeats
    )
    handle = item.stash.setdefault(HANDLE, SampleHandle())
    ahead = item.stash.get(AHEAD, None)
    if handle.from_testset and not (ahead is not None and ahead.plan is plan and ahead.ticket.sample is handle.row):
        check_row(handle.row, plan)
    return Prepared(evaluator=evaluator.evaluator, plan=plan, handle=handle)


_ANSWER: dict[str, Any] = {"response": "-", "retrieved_contexts": ("-",), "retrieved_context_ids": ("-",)}
"""An answer, as a stand-in."""


def check_row(row: Sample, plan: Plan) -> None:
    """Find out, before there is an answer, whether a row has what no answer can bring.

    Raises:
        MissingFieldError: It does not.
    """
    from pytest_ragas.session.judging import check_sample, lacks

    if lacks(row, plan) <= _ANSWER.keys():
        return
    # as if answered: the test's body may still bring these
    check_sample(replace(row, **_ANSWER), plan)


def submit(item: pytest.Item) -> Pending | None:
    """Hand over what the body of a marked test recorded.

    Returns:
        What to wait for; None where the test scored by itself with the helpers, and recorded nothing.

    Raises:
        MissingFieldError: An answer lacks a field that a metric needs. No call was made for any answer.
        NothingScored: There is nothing to score.
    """
    from pytest_ragas.scoring.engine import AT_ONCE
    from pytest_ragas.session.judging import check_sample

    prepared = item.stash[PREPARED]
    order = item.stash.get(ORDER, AT_ONCE)
    answer = prepared.handle.answer
    if answer is not None and not prepared.handle.recorded:  # the target's, which need not be there yet
        ticket = answer.hand_over(prepared.evaluator, prepared.plan, order=order)
        return Pending(item=item, tickets=(ticket,))
    samples = prepared.handle.samples()
    if not samples:
        if noted(item):
            return None
        raise NothingScored(_nothing(prepared.handle))
    ahead = item.stash.get(AHEAD, None)
    if ahead is not None and ahead.fits(prepared, samples):
        return Pending(item=item, tickets=(ahead.ticket,))
    for sample in samples:
        check_sample(sample, prepared.plan)
    tickets = tuple(
        prepared.evaluator.submit(sample, prepared.plan, nodeid=item.nodeid, order=order) for sample in samples
    )
    return Pending(item=item, tickets=tickets)


def _nothing(handle: SampleHandle) -> str:
    row = f", and row {handle.id!r} of the testset carries no response" if handle.from_testset else ""
    return (
        f"This test is marked ragas, but evaluates nothing: it records no answer{row}.\n"
        "Return the answer of your RAG from the test, or call "
        "ragas_sample.record(response=..., retrieved_contexts=[...])."
    )


def conclude(pending: Pending) -> BaseException | None:
    """The verdict: what the test is to raise, or None where every threshold holds. Waits for the scores.

    A broken threshold wins over a missing score.
    """
    from pytest_ragas.session.judging import breaches

    found = pending.results()
    note_logs(pending.item, [record for ticket in pending.tickets for record in ticket.records])
    for ticket in pending.tickets:
        if ticket.error is not None:
            return ticket.error
    for result in found:
        note(pending.item, result)
    # in the test's `call` duration only where it waited; the slowest answer, as they are scored concurrently
    seconds = max((result.seconds for result in found), default=0.0)
    pending.item.user_properties.append((SCORING_SECONDS, round(seconds, 3)))
    failed = [result for result in found if result.outcome == "failed"]
    if failed:
        text = _with_others(failed, lambda result, lines: failure_text(result, breaches(result), lines=lines))
        return ThresholdFailure(text, failed)
    missing = [result for result in found if result.failures]
    if missing:
        return unscored_error(_with_others(missing, lambda result, lines: error_text(result, lines=lines)), missing)
    return None


def _with_others(found: Sequence[SampleResult], text: Callable[[SampleResult, int], str]) -> str:
    """The text of the first result, and a line that counts the others."""
    if len(found) == 1:
        return text(found[0], LINES)
    others = ", ".join(result.sample.id for result in found[1:])
    return f"{text(found[0], LINES - 1)}\n  likewise     {cut(others, 80)}"


def note_unscored(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """A marked test that failed before it was scored lacks its scores in the run, and gates must see that.

    Skipped tests and expected failures were never to be scored.
    """
    pending = item.stash.get(PENDING, None)
    if pending is not None and all(ticket.error is None for ticket in pending.tickets):
        return  # its scores are there, or will be
    if report.failed and call.when != "teardown" and call.excinfo and is_marked(item) and not noted(item):
        if (result := unscored(item, call.excinfo.value)) is not None:
            note(item, result)


def unscored(item: pytest.Item, error: BaseException) -> SampleResult | None:
    """The result of a marked test that ended before it could be scored, so that gates miss it.

    Args:
        item: The test.
        error: What ended its setup or its body.

    Returns:
        A result without scores; None where it cannot be said what should have been scored.
    """
    try:
        wanted = suite_of(item.config).wanted(arguments_of(item))
    except PytestRagasError:
        return None
    ours = isinstance(error, PytestRagasError)
    text = str(error) if ours else f"the test ended before its answer was scored: {type(error).__name__}: {error}"
    row = _row(item)
    return SampleResult(
        sample=row,
        scores=(),
        failures=tuple(
            ScoreFailure(metric=metric, sample_id=row.id, kind=_kind(error), error=cut(text)) for metric in wanted
        ),
        thresholds=(),
        outcome="error" if ours else "not run",
        nodeid=item.nodeid,
    )


def _kind(error: BaseException) -> FailureKind:
    for root, kind in _KINDS.items():
        if isinstance(error, root):
            return kind
    return "not run"


_KINDS: dict[type[PytestRagasError], FailureKind] = {
    MetricError: "sample",
    ConfigurationError: "configuration",
    ModelError: "critic",
}


def _row(item: pytest.Item) -> Sample:
    if handle := item.stash.get(HANDLE, None):
        return handle.known()
    # the setup of another fixture broke first
    row = getattr(item, "callspec", None) and item.callspec.params.get("ragas_sample")  # type: ignore[attr-defined]
    return row if isinstance(row, Sample) else Sample()
