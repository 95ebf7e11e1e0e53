"""What every form of a comparison says in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_ragas.reports.numbers import against, count, score
from pytest_ragas.values.comparison import Comparison, HardBreak, Incomparable, MetricChange, Pairing
from pytest_ragas.values.recorded import RowKey

POWER = "80 %"
"""At which `MetricChange.detectable` is meant."""


def verdict(change: MetricChange) -> str:
    """What became of a metric, in a few words."""
    if change.failed:
        return "worse"
    if change.low > 0:
        return "better"
    if change.high < 0:
        return f"within {score(change.floor)}"
    if change.low == change.high == 0:
        return "unchanged"
    return "no drop seen"


def signed(value: float) -> str:
    """A change with its sign, with as many digits as show that it is one (two to four): "+0.03", "-0.0041", "0.00"."""
    for digits in (2, 3, 4):
        text = f"{value:+.{digits}f}"
        if float(text):
            return text
    return "0.00"


def interval(change: MetricChange) -> str:
    """Of the mean change."""
    return f"{signed(change.low)} to {signed(change.high)}"


def probability(p: float, *, sign: str = "") -> str:
    """A p value: "0.012" or "<0.001"; with the sign "=", as a text has it: "p=0.012", "p<0.001"."""
    text = "<0.001" if p < 0.001 else f"{sign}{p:.3f}"
    return f"p{text}" if sign else text


def ends(before: float, after: float) -> str:
    """A score then and now: "1.00 -> 0.20"."""
    first, second = against(before, after)
    return f"{first} -> {second}"


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRow:
    """A row with everything that broke in it."""

    key: RowKey
    breaks: tuple[HardBreak, ...]
    """At least one; the greatest fall first."""

    @property
    def worst(self) -> HardBreak:
        """The greatest fall."""
        return self.breaks[0]

    @property
    def what(self) -> str:
        """The greatest fall in words, and how many metrics broke beside it: "faithfulness 1.00 -> 0.20 (+1)"."""
        more = f" (+{len(self.breaks) - 1})" if len(self.breaks) > 1 else ""
        return f"{self.worst.metric} {ends(self.worst.before, self.worst.after)}{more}"

    @property
    def flipped(self) -> bool:
        """Whether a threshold held before, and is broken."""
        return any(found.why == "flipped" for found in self.breaks)


def broken_title(breaks: Sequence[HardBreak]) -> str:
    """What it takes to break: "rows that broke: fell by more than 0.30, or flipped from passed to failed"."""
    allowed = [found.allowed for found in breaks if found.why == "fell"]
    ways = [f"fell by more than {score(min(allowed))}"] if allowed else []
    ways += ["flipped from passed to failed"] if len(allowed) < len(breaks) else []
    return f"rows that broke: {', or '.join(ways)}"


def broken_rows(breaks: Iterable[HardBreak]) -> list[BrokenRow]:
    """Broken rows, the greatest fall first."""
    rows: dict[RowKey, list[HardBreak]] = {}
    for found in sorted(breaks, key=lambda found: -abs(found.after - found.before)):
        rows.setdefault(found.key, []).append(found)
    return [BrokenRow(key=key, breaks=tuple(found)) for key, found in rows.items()]


def slice_words(change: MetricChange) -> str:
    """Where a drop lives: "tag=leave: faithfulness 0.95 -> 0.45 over 4 rows, p 0.012"."""
    rows = count(change.pairs, "row")
    ended = ends(change.before, change.after)
    return f"{change.slice}: {change.metric} {ended} over {rows}, {probability(change.p, sign='=')}"


def rows_words(pairing: Pairing) -> str:
    """How many rows there were of each kind: "14 rows compared, 2 added, 1 edited"."""
    compared = {pair.key for pair in pairing.pairs}
    unscored = {missing.key for missing in pairing.unscored}
    parts = [f"{count(len(compared), 'row')} compared"]
    for number, kind in (
        (len(pairing.added), "added"),
        (len(pairing.removed), "removed"),
        (len(pairing.edited), "edited"),
        (len(pairing.not_run), "not run"),
        (len(unscored), "without a score"),
    ):
        if number:
            parts.append(f"{number:,} {kind}")
    return ", ".join(parts)


def listed_rows(pairing: Pairing) -> list[tuple[str, list[str]]]:
    """(kind, ids) of the rows that have no pair, kinds without rows left out."""
    kinds: list[tuple[str, Iterable[RowKey]]] = [
        ("added", pairing.added),
        ("removed", pairing.removed),
        ("edited", pairing.edited),
        ("unscored", (missing.key for missing in pairing.unscored)),
    ]
    named = [(kind, list(dict.fromkeys(key.sample_id for key in keys))) for kind, keys in kinds]
    return [(kind, ids) for kind, ids in named if ids]


def detectable_words(changes: Sequence[MetricChange]) -> str:
    """The smallest drops that this suite could have seen; empty where nobody knows."""
    metrics: dict[str, list[str]] = {}
    for change in changes:
        if change.detectable is not None:
            metrics.setdefault(signed(change.detectable).lstrip("+"), []).append(change.metric)
    if not metrics:
        return ""
    drops = "; ".join(f"{drop} in {', '.join(names)}" for drop, names in metrics.items())
    return "; ".join([f"smallest drop that this suite would have seen (power {POWER}): {drops}", *_needed(changes)])


def _needed(changes: Sequence[MetricChange]) -> Iterator[str]:
    """What it would take to see the drops that were asked for."""
    for change in changes:
        if change.rows_needed is not None:
            ways = [f"{count(change.rows_needed, 'row')} instead of {change.pairs:,}"]
            if change.repeats_needed is not None:
                ways.append(f"{count(change.repeats_needed, 'repeat')} of each")
            yield f"a drop of {change.floor:g} in {change.metric} takes {', or '.join(ways)}"


def upside_down(comparison: Comparison) -> str:
    """Metrics whose change has another sign than the difference of their means; empty where there are none."""
    names = dict.fromkeys(pair.metric for pair in comparison.pairing.pairs if not pair.after.higher_is_better)
    if not names:
        return ""
    return f"of {', '.join(names)} lower scores are better: a rise is a change below 0"


def outcome_words(comparison: Comparison | Incomparable) -> list[str]:
    """What became of the comparison: the verdict in the first words, and what else is red or can be done."""
    name = comparison.baseline
    if isinstance(comparison, Incomparable):
        return [*(f"comparison impossible: {found}" for found in comparison.differences), *comparison.mends]
    if not comparison.failed:
        rows = count(len({pair.key for pair in comparison.pairing.pairs}), "row")
        return [f"comparison passed: nothing got worse than {name} ({rows})"]
    texts = [f"comparison incomplete: {why}" for why in comparison.incomplete]
    worse = [change for change in comparison.changes if change.failed]
    parts = [f"{change.metric} {signed(change.change)}" for change in worse]
    reasons = [", ".join(parts)] if parts else []
    if comparison.breaks:
        reasons.append(f"{count(len({found.key for found in comparison.breaks}), 'row')} broke")
    return [f"comparison failed: {'; '.join(reasons)} (against {name})", *texts] if reasons else texts
