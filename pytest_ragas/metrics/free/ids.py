"""Metrics on the ids of the contexts: what was retrieved of what should have been.

Ids are compared as strings. An id that was retrieved twice counts once, at its first place: several
chunks of one document are one document here. Ragas' `IDBased…` metrics compare sets too.
"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.options import positive_int
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

__all__ = ["HitRate", "IdContextPrecision", "IdContextRecall", "ReciprocalRank"]


def _unique(ids: Sequence[object] | None) -> list[str]:
    """The ids as strings, each at its first place."""
    return list(dict.fromkeys(str(one) for one in ids or ()))


def _wanted(sample: Sample) -> list[str]:
    """The ids that should be retrieved.

    Raises:
        NothingToJudgeError: There are none.
    """
    wanted = _unique(sample.reference_context_ids)
    if not wanted:
        raise NothingToJudgeError("reference_context_ids is empty: no context is right, so none can be missed.")
    return wanted


def _retrieved(retrieved: Sequence[str], wanted: Sequence[str]) -> tuple[Finding, ...]:
    """Every retrieved id, and whether it is one of the right ones."""
    return tuple(
        Finding(
            kind="context",
            text=one,
            value=float(one in wanted),
            reason=f"rank {rank}: {'one of the' if one in wanted else 'none of the'} reference_context_ids",
            part="retrieved",
        )
        for rank, one in enumerate(retrieved, start=1)
    )


class IdContextRecall:
    """Share of the distinct `reference_context_ids` that are among the `retrieved_context_ids`.

    recall = |retrieved ∩ reference| / |reference|. Nothing retrieved is a recall of 0.

    Source:
        Manning, Raghavan, Schütze 2008, "Introduction to Information Retrieval", 8.3; ragas 0.4
        `IDBasedContextRecall`, which gives NaN without reference ids.
    """

    def __init__(self, context: MetricContext) -> None:
        self.name = context.name or "id_context_recall"

    async def score(self, sample: Sample) -> Score:
        """Compare the ids.

        Raises:
            NothingToJudgeError: `reference_context_ids` is empty.
        """
        wanted, retrieved = _wanted(sample), _unique(sample.retrieved_context_ids)
        evidence = tuple(
            Finding(
                kind="context",
                text=one,
                value=float(one in retrieved),
                reason=f"retrieved at rank {retrieved.index(one) + 1}" if one in retrieved else "not retrieved",
                part="reference",
            )
            for one in wanted
        )
        found = sum(1 for one in wanted if one in retrieved)
        reason = f"{found} of {len(wanted)} reference contexts were retrieved"
        return Score(metric=self.name, value=found / len(wanted), reason=reason, evidence=evidence)


class IdContextPrecision:
    """Share of the distinct `retrieved_context_ids` that are among the `reference_context_ids`.

    precision = |retrieved ∩ reference| / |retrieved|.

    Source:
        Manning, Raghavan, Schütze 2008, 8.3; ragas 0.4 `IDBasedContextPrecision`, which gives NaN where
        nothing was retrieved.
    """

    def __init__(self, context: MetricContext) -> None:
        self.name = context.name or "id_context_precision"

    async def score(self, sample: Sample) -> Score:
        """Compare the ids.

        Raises:
            NothingToJudgeError: `retrieved_context_ids` or `reference_context_ids` is empty.
        """
        wanted, retrieved = _wanted(sample), _unique(sample.retrieved_context_ids)
        if not retrieved:
            raise NothingToJudgeError(
                "retrieved_context_ids is empty: there is no context whose precision could be measured. "
                "id_context_recall and hit_rate measure that nothing was found."
            )
        evidence = _retrieved(retrieved, wanted)
        found = sum(1 for finding in evidence if not finding.bad)
        reason = f"{found} of {len(retrieved)} retrieved contexts are reference contexts"
        return Score(metric=self.name, value=found / len(retrieved), reason=reason, evidence=evidence)


class HitRate:
    """1 if any right id is among the first k retrieved ids, else 0; its mean over a testset is hit@k.

    Option `k`: how many distinct ids to look at; all of them where it is not given.

    Source:
        Success@k, e.g. Karpukhin et al. 2020, arXiv:2004.04906 ("top-k retrieval accuracy").
    """

    def __init__(self, context: MetricContext) -> None:
        """
        Raises:
            ConfigurationError: An option that cannot be used.
        """
        self.name = context.name or "hit_rate"
        self._k = positive_int(context.options, "k", metric=self.name)

    async def score(self, sample: Sample) -> Score:
        """Compare the ids.

        Raises:
            NothingToJudgeError: `reference_context_ids` is empty.
        """
        wanted = _wanted(sample)
        retrieved = _unique(sample.retrieved_context_ids)[: self._k]
        evidence = _retrieved(retrieved, wanted)
        rank = _first_hit(evidence)
        looked = f"the first {len(retrieved)}" if self._k else f"{len(retrieved)}"
        reason = f"a reference context is at rank {rank}" if rank else f"no reference context among {looked} retrieved"
        return Score(metric=self.name, value=float(rank > 0), reason=reason, evidence=evidence)


class ReciprocalRank:
    """1 / rank of the first right id among the retrieved ids, 0 if there is none; its mean is the MRR.

    Option `k`: how many distinct ids to look at; all of them where it is not given.

    Source:
        Voorhees 1999, "The TREC-8 Question Answering Track Report".
    """

    def __init__(self, context: MetricContext) -> None:
        """
        Raises:
            ConfigurationError: An option that cannot be used.
        """
        self.name = context.name or "mrr"
        self._k = positive_int(context.options, "k", metric=self.name)

    async def score(self, sample: Sample) -> Score:
        """Compare the ids.

        Raises:
            NothingToJudgeError: `reference_context_ids` is empty.
        """
        wanted = _wanted(sample)
        evidence = _retrieved(_unique(sample.retrieved_context_ids)[: self._k], wanted)
        rank = _first_hit(evidence)
        reason = f"the first reference context is at rank {rank}" if rank else "no reference context was retrieved"
        return Score(metric=self.name, value=1 / rank if rank else 0.0, reason=reason, evidence=evidence)


def _first_hit(retrieved: Sequence[Finding]) -> int:
    """Rank of the first right one, counted from 1; 0 if there is none."""
    return next((rank for rank, finding in enumerate(retrieved, start=1) if not finding.bad), 0)
