"""A gate's verdict in one line."""

from __future__ import annotations

from pytest_ragas.reports.numbers import against, count
from pytest_ragas.values.gate import Gate, GateVerdict

_NOT = {">=": "<", ">": "<=", "<=": ">", "<": ">="}


def gate_line(verdict: GateVerdict) -> str:
    """What became of a gate: "gate failed: mean(faithfulness) 0.60 < 0.80 (20 samples)"."""
    gate, name = verdict.gate, gate_name(verdict.gate)
    if verdict.outcome == "incomplete" or verdict.value is None:
        asked = f"{name} {gate.operator} {gate.bound:g}"
        return f"gate incomplete: {asked}: {_missing(verdict)}"
    value, bound = against(verdict.value, gate.bound)
    sign = gate.operator if verdict.outcome == "passed" else _NOT[gate.operator]
    of = "" if verdict.scored == verdict.total else f" of {verdict.total:,}"
    return f"gate {verdict.outcome}: {name} {value} {sign} {bound} ({verdict.scored:,}{of} {_samples(verdict)})"


def unasked_line(gate: Gate) -> str:
    """A configured gate that says nothing about this run, because no test asked for its metric."""
    verdict = GateVerdict(gate=gate, outcome="incomplete", value=None, scored=0, total=0)
    return f"gate not decided: {gate_name(gate)} {gate.operator} {gate.bound:g}: {_missing(verdict)}"


def gate_name(gate: Gate) -> str:
    """A gate without its bound, in standard spelling: "mean(faithfulness, tag=billing)"."""
    arguments = [gate.metric] if gate.metric else []
    arguments += [f"{name}={value}" for name, value in gate.filters]
    return f"{gate.aggregate}({', '.join(arguments)})"


def _missing(verdict: GateVerdict) -> str:
    if not verdict.total:
        narrowed = " and ".join(f"{name}={value}" for name, value in verdict.gate.filters)
        metric = f" with {verdict.gate.metric}" if verdict.gate.metric else ""
        return f"no sample of this run{f' with {narrowed}' if narrowed else ''} is scored{metric}"
    so_far = "" if verdict.value is None else f" ({verdict.value:.2f} over those)"
    return f"{verdict.scored:,} of {count(verdict.total, 'sample')} have a score{so_far}"


def _samples(verdict: GateVerdict) -> str:
    return "sample" if verdict.total == 1 else "samples"
