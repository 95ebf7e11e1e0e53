"""A run by its slices: tags, types of questions, documents; and the one that most of its failures lie in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_ragas.statistics.overlap import chance_of_overlap
from pytest_ragas.values.origin import slices_of
from pytest_ragas.values.run import SampleResult

_FEWEST = 3
"""Failures below which nobody needs to be told where they lie."""

_ALPHA = 0.05
"""Chance that a slice is named although failures fall where they like, over all slices of a run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The results of one slice."""

    name: str
    """"tag=billing", "question_type=simple", "source=docs/a.md"."""
    results: tuple[SampleResult, ...]
    failed: int
    """Results whose score broke a threshold."""

    @property
    def kind(self) -> str:
        """What it is a slice by: "tag", "question_type" or "source"."""
        return self.name.partition("=")[0]

    @property
    def value(self) -> str:
        """What distinguishes it from others of its kind."""
        return self.name.partition("=")[2]

    @property
    def badness(self) -> tuple[float, int]:
        """Sorts the worst last: by the share that failed, then by how many."""
        return self.failed / len(self.results), len(self.results)


def slices_by_kind(results: Iterable[SampleResult]) -> dict[str, tuple[Slice, ...]]:
    """Kind -> its slices, in order of first appearance; kinds in the order tag, question_type, source."""
    found: dict[str, list[SampleResult]] = {}
    for result in results:
        for name in slices_of(result.sample):
            found.setdefault(name, []).append(result)
    kinds: dict[str, list[Slice]] = {"tag": [], "question_type": [], "source": []}
    for name, members in found.items():
        one = Slice(name=name, results=tuple(members), failed=sum(map(_failed, members)))
        kinds[one.kind].append(one)
    return {kind: tuple(slices) for kind, slices in kinds.items() if slices}


def telling(slices: Sequence[Slice], results: int) -> bool:
    """Whether the slices of one kind say more than the whole run does."""
    return any(len(one.results) < results for one in slices)


def most_failures(results: Sequence[SampleResult]) -> str:
    """The slice that holds most of the failures, where that is no chance; else empty.

    Returns:
        "question_type=reasoning holds 5 of 6 failures: 5 of its 8 results failed, 1 of the 20 others".
    """
    failed = sum(map(_failed, results))
    if failed < _FEWEST:
        return ""
    slices = [one for of_kind in slices_by_kind(results).values() for one in of_kind if len(one.results) < len(results)]
    likely = []
    for one in slices:
        if 2 * one.failed <= failed or one.failed < _FEWEST:
            continue
        chance = chance_of_overlap(total=len(results), marked=failed, drawn=len(one.results), both=one.failed)
        # Bonferroni: every slice of the run was looked at
        if chance * len(slices) < _ALPHA:
            likely.append((chance, one))
    if not likely:
        return ""
    _, one = min(likely, key=lambda found: (found[0], -found[1].failed))
    others = len(results) - len(one.results)
    return (
        f"{one.name} holds {one.failed:,} of {failed:,} failures: {one.failed:,} of its {len(one.results):,} results "
        f"failed, {failed - one.failed:,} of the {others:,} others"
    )


def _failed(result: SampleResult) -> bool:
    return result.outcome == "failed"
