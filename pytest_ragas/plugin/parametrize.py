"""A testset becomes tests: one for each of its rows, named by the row's id."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_ragas.errors import ConfigurationError, PytestRagasError, TestsetError
from pytest_ragas.plugin.gates import read_gates
from pytest_ragas.plugin.marker import NAME, MarkerArguments, read_markers
from pytest_ragas.plugin.suite import Suite
from pytest_ragas.plugin.targets.target_fixture import check_target
from pytest_ragas.testset.rows import sample_from_row
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset

FIXTURE = "ragas_sample"


def parametrize(suite: Suite, metafunc: pytest.Metafunc) -> None:
    """Collect a marked test function: read its markers, and give it a test for each row of its testset.

    Raises:
        CollectError: Markers or testset cannot be used; pytest shows the message alone.
    """
    where = metafunc.definition.nodeid
    try:
        read_gates(suite)
    except ConfigurationError as error:
        # this ends the run (`settings_error.py`); what follows, only the collection of this file
        suite.settings_error = str(error)
        raise pytest.Collector.CollectError(suite.settings_error) from None
    try:
        arguments = read_markers(metafunc.definition.iter_markers(NAME), where=where)
        suite.metrics.update(dict.fromkeys(suite.wanted(arguments, where=f"the ragas marker of {where}")))
        check_target(suite, metafunc, arguments, where=where)
        if arguments.testset is not None:
            rows = _rows(suite, arguments, metafunc)
            if rows is None:  # --collect-only: a stand-in for the rows that are not there yet
                metafunc.parametrize(FIXTURE, [None], indirect=True, ids=["not-generated"])
            else:
                suite.rows[where] = rows
                metafunc.parametrize(FIXTURE, rows, indirect=True, ids=[row.id for row in rows])
    except PytestRagasError as error:
        raise pytest.Collector.CollectError(str(error)) from None


def _rows(suite: Suite, arguments: MarkerArguments, metafunc: pytest.Metafunc) -> tuple[Sample, ...] | None:
    source = arguments.testset
    if FIXTURE not in metafunc.fixturenames:
        raise ConfigurationError(
            f"{metafunc.definition.nodeid} has a testset, but takes no row of it. "
            f"Add the argument: def {metafunc.function.__name__}({FIXTURE}, ...)."
        )
    if isinstance(source, Testset):
        return source.samples
    if isinstance(source, (list, tuple)):
        return _unique(_sample(row, number) for number, row in enumerate(source, 1))
    if arguments.docs is not None:
        from pytest_ragas.plugin.generating.generated import ensure_testset

        if not ensure_testset(suite, arguments, metafunc):
            return None
    return suite.testset(source, beside=metafunc.definition.path.parent).samples  # type: ignore[arg-type]


def _sample(row: object, number: int) -> Sample:
    return row if isinstance(row, Sample) else sample_from_row(row, source=f"the marker's row {number}")  # type: ignore[arg-type]


def _unique(rows: Iterable[Sample]) -> tuple[Sample, ...]:
    found: dict[str, Sample] = {}
    for row in rows:
        if row.id in found:
            raise TestsetError(
                f"Two rows of the marker's testset have the id {row.id!r}. Ids come from user_input and reference; "
                "give one of the rows an id of its own."
            )
        found[row.id] = row
    return tuple(found.values())
