"""Gates of a pytest run: which apply, what became of them, and the exit code."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.errors import UnknownNameError
from pytest_ragas.gates.decide import decide_gate
from pytest_ragas.gates.expression import parse_gate
from pytest_ragas.values.gate import Gate, GateVerdict

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

OPTION = "--ragas-fail-under"


def read_gates(suite: Suite) -> tuple[Gate, ...]:
    """The gates of the settings, with metrics as the user spelled them.

    Raises:
        ConfigurationError: The settings cannot be used, or a gate cannot be read.
    """
    return tuple(parse_gate(text) for text in suite.settings.gates)


def check_gates(suite: Suite) -> None:
    """Look at every gate before the run, not after it.

    Raises:
        ConfigurationError: A gate cannot be read, or names a metric that does not exist.
    """
    for gate in read_gates(suite):
        _standard(suite, gate)


def decide_gates(suite: Suite) -> bool:
    """Decide every gate on the results of the whole run, and keep the verdicts for the summary.

    A gate of the configuration says nothing about a run in which no test is scored with its metric (one file of
    many, a suite without marked tests); one that was typed for this run fails it then.

    Returns:
        Whether the run may be green.
    """
    results, typed = suite.results, _typed(suite)
    verdicts: list[GateVerdict] = []
    unasked: list[Gate] = []
    for gate in map(lambda gate: _known(suite, gate), read_gates(suite)):
        verdict = decide_gate(gate, results, min_coverage=suite.settings.min_coverage)
        if verdict.total or gate.text in typed:
            verdicts.append(verdict)
        else:
            unasked.append(gate)
    suite.verdicts, suite.unasked = tuple(verdicts), tuple(unasked)
    return all(verdict.outcome == "passed" for verdict in verdicts)


def apply_gates(suite: Suite, session: pytest.Session) -> None:
    """Turn the run red if a gate is: called right after the loop, before pytest reads `testsfailed`."""
    # the controller of pytest-xdist cannot know beforehand whether the suite uses us
    if (suite.results or _typed(suite)) and not decide_gates(suite):
        session.testsfailed += 1


def _typed(suite: Suite) -> frozenset[str]:
    """Gates that were typed for this very run, not ones that `addopts` brings."""
    arguments = [str(argument) for argument in suite.config.invocation_params.args]
    inline = {argument.partition("=")[2] for argument in arguments if argument.startswith(f"{OPTION}=")}
    apart = {after for before, after in itertools.pairwise(arguments) if before == OPTION}
    return frozenset(inline | apart)


def _standard(suite: Suite, gate: Gate) -> Gate:
    if not gate.metric:
        return gate
    return replace(gate, metric=suite.session.registry.canonical(gate.metric, where=f"the gate {gate.text!r}"))


def _known(suite: Suite, gate: Gate) -> Gate:
    # under xdist the controller may not have loaded the conftest.py that brings the metric
    try:
        return _standard(suite, gate)
    except UnknownNameError:
        return gate
