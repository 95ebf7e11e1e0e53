"""Which tests come next, and which of them a target can be asked for already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import PytestRagasError
from pytest_ragas.plugin.fixtures import __name__ as OURS
from pytest_ragas.plugin.marker import NAME, MarkerArguments, read_markers
from pytest_ragas.plugin.marks import marks_named, marks_of
from pytest_ragas.plugin.neighbours.barriers import Barriers
from pytest_ragas.plugin.verdicts.verdict import check_row
from pytest_ragas.plugin.xdist.worker import interactor_of
from pytest_ragas.values.sample import Sample

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.session.plan import Plan

_NODES: dict[str, type[pytest.Collector]] = {"class": pytest.Class, "module": pytest.Module, "package": pytest.Module}
"""Where a fixture of some scope lives. One of a package lives longer than a module, and is asked less far ahead."""

_MAY_NOT_RUN = ("skip", "skipif", "xfail")

_MODELS = ("ragas_critic_llm", "ragas_embeddings", "ragas")


class Upcoming:
    """The tests of this process in the order of the run, as far as it is known."""

    def __init__(self, session: pytest.Session) -> None:
        self._items = session.items
        self._places = {item: place for place, item in enumerate(session.items)}
        self._interactor = interactor_of(session.config)

    @property
    def is_known(self) -> bool:
        """Whether all tests run here, one after the other: not in a worker of pytest-xdist."""
        return self._interactor is None

    def place(self, item: pytest.Item) -> int:
        """Of a test among all that were collected."""
        return self._places[item]

    def after(self, item: pytest.Item, *, start: int = 0) -> Iterator[tuple[int, pytest.Item]]:
        """The tests after this one, with how far they are.

        Args:
            item: The test that runs.
            start: Where all tests are known: the place to begin at, if it is later than the next one.
        """
        if self.is_known:
            here = self._places[item]
            for place in range(max(here + 1, start), len(self._items)):
                yield place - here, self._items[place]
            return
        for distance, place in enumerate(_sent(self._interactor), 1):
            if 0 <= place < len(self._items) and self._items[place] is not item:
                yield distance, self._items[place]


def _sent(interactor: Any) -> Sequence[int]:
    """The tests that a worker of pytest-xdist has been sent and has not begun: the next one, if no more is known."""
    ahead = [getattr(interactor, "nextitem_index", None)]
    torun: Any = getattr(interactor, "torun", None)
    try:
        if hasattr(torun, "mutex"):  # before 3.7
            with torun.mutex:
                ahead += [*torun.queue]
        else:
            with torun.lock() as queue:
                ahead += [*queue]
    except (AttributeError, TypeError):  # private: another version has another queue
        pass
    return [place for place in ahead if isinstance(place, int)]


class Lookahead:
    """Decides for later tests what is otherwise decided when they are set up."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._barriers = Barriers(suite)
        # by the marks, which the tests of one function share
        self._arguments: dict[tuple[int, ...], MarkerArguments | None] = {}
        self._plans: dict[tuple[object, ...], Plan | None] = {}

    def is_barrier(self, item: pytest.Item) -> bool:
        """Whether the test patches the process: then it is asked for while it runs."""
        return self._barriers.is_one(item)

    def arguments(self, item: pytest.Item) -> MarkerArguments | None:
        """What the ragas markers of a test say; None where it has none, or none that can be read."""
        key = _marks(item)
        if key not in self._arguments:
            try:
                self._arguments[key] = read_markers(item.iter_markers(NAME), where=item.nodeid) if key else None
            except PytestRagasError:
                self._arguments[key] = None
        return self._arguments[key]

    def plan(self, item: pytest.Item, evaluator: Evaluator) -> Plan | None:
        """What a test will be scored with by this evaluator; None where that is an error, which its setup will show."""
        arguments = self.arguments(item)
        key = (*_marks(item), evaluator)
        if key not in self._plans:
            try:
                self._plans[key] = (
                    evaluator.plan(
                        metrics=arguments.metrics, thresholds=arguments.thresholds, repeats=arguments.repeats
                    )
                    if arguments
                    else None
                )
            except PytestRagasError:
                self._plans[key] = None
        plan, row = self._plans[key], row_of(item)
        try:
            if plan is not None and row is not None:
                check_row(row, plan)
                return plan
        except PytestRagasError:
            pass
        return None

    def will_run(self, item: pytest.Item) -> bool:
        """Whether a test will run its body, as far as its marks say."""
        if not any(mark.name in _MAY_NOT_RUN for mark in marks_of(item)):
            return True
        try:
            from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks
        except ImportError:  # private: then no test with such a mark
            return False
        try:
            if evaluate_skip_marks(item) is not None:
                return False
            xfail = evaluate_xfail_marks(item)
        except (Exception, pytest.fail.Exception):  # a condition that cannot be evaluated: its setup will show it
            return False
        return xfail is None or xfail.run or bool(item.config.getoption("runxfail", False))


def row_of(item: pytest.Item) -> Sample | None:
    """The row of the testset that a test is about."""
    callspec = getattr(item, "callspec", None)
    row = callspec.params.get("ragas_sample") if callspec is not None else None
    return row if isinstance(row, Sample) else None


def fixture_of(item: pytest.Item, name: str) -> pytest.FixtureDef[Any] | None:
    """The definition of a fixture that a test sees under this name."""
    known: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    definitions = known.get(name)
    return definitions[-1] if definitions else None


def is_parameter(fixture: pytest.FixtureDef[Any]) -> bool:
    """Whether it stands for a value that `@pytest.mark.parametrize` gives directly: there is nothing to tear down."""
    return fixture.func.__module__.startswith("_pytest.")


def shares(fixture: pytest.FixtureDef[Any], one: pytest.Item, other: pytest.Item) -> bool:
    """Whether two tests get the same value from a fixture, if no other is set up in between.

    As far as it can be known beforehand: who uses the value looks whether it is the same.
    """
    if fixture_of(other, fixture.argname) is not fixture or not _same_parameters(fixture, one, other):
        return False
    if fixture.scope == "session" or is_parameter(fixture):
        return True
    kind = _NODES.get(fixture.scope)
    home = _parent(one, kind)
    return home is not None and _parent(other, kind) is home


def share_models(one: pytest.Item, other: pytest.Item) -> bool:
    """Whether two tests are judged by the same models."""
    for name in _MODELS:
        fixture = fixture_of(one, name)
        if fixture is None:
            return False
        ours = fixture.func.__module__ == OURS
        if not (ours and fixture_of(other, name) is fixture) and not shares(fixture, one, other):
            return False
    return True


def _parent(item: pytest.Item, kind: type[pytest.Collector] | None) -> pytest.Collector | None:
    return next((node for node in reversed(item.listchain()) if kind is not None and isinstance(node, kind)), None)


def _same_parameters(fixture: pytest.FixtureDef[Any], one: pytest.Item, other: pytest.Item) -> bool:
    first, second = _parameters(one), _parameters(other)
    if not first and not second:
        return True
    return all(first.get(name) is second.get(name) for name in _closure(fixture, one))


def _parameters(item: pytest.Item) -> dict[str, object]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec is not None else {}


def _closure(fixture: pytest.FixtureDef[Any], item: pytest.Item) -> set[str]:
    """The names of a fixture and of all that it is made from."""
    found: set[str] = set()
    names = [fixture.argname]
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            definition = fixture_of(item, name)
            names.extend(definition.argnames if definition is not None else ())
    return found


def _marks(item: pytest.Item) -> tuple[int, ...]:
    """What tells the ragas markers of a test from others': the marks live as long as their tests."""
    return tuple(id(mark) for mark in marks_named(item, NAME))
