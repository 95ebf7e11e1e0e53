"""Ragas' synthesizers, which choose alike in every run, whichever answer comes first and whatever a hash is.

What they choose decides what is asked: the same choices find their answers in the store.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pytest_ragas.libraries.ragas_door import ragas_modules
from pytest_ragas.testset.generate.from_ragas.in_thread import seeded

WRITES: Mapping[str, tuple[str, ...]] = {
    "simple": ("SingleHopSpecificQuerySynthesizer",),
    "multi_context": ("MultiHopAbstractQuerySynthesizer", "MultiHopSpecificQuerySynthesizer"),
    "reasoning": ("MultiHopSpecificQuerySynthesizer", "MultiHopAbstractQuerySynthesizer"),
}
"""Question type -> classes of ragas that write it; the first one for which the documents have what it needs.

Source:
    EvalScope 0.6.1, which took this reading when ragas replaced the evolutions of its 0.1 by synthesizers.
"""


def synthesizers(llm: Any, graph: Any, kinds: tuple[str, ...], *, language: str, seed: object) -> dict[str, Any]:
    """Question type -> the synthesizer that writes it; types for which there is none in this graph are missing.

    Args:
        llm: The generator LLM as ragas sees it.
        graph: Ragas' knowledge graph of the passages.
        kinds: Question types.
        language: Of questions and answers; empty for ragas' own choice.
        seed: Decides what is chosen.
    """
    found = {}
    for kind in kinds:
        for name in WRITES[kind]:
            # `llm_context` reaches only the prompts that write questions; to the others a language makes no difference
            context = (
                f"Write query and answer in {language}, whatever the language of the context." if language else None
            )
            one = _classes()[name](llm=llm, llm_context=context)
            one.name = kind
            one.seed = (seed, kind)
            if _has_clusters(one, graph):
                found[kind] = one
                break
    return found


def _has_clusters(synthesizer: Any, graph: Any) -> bool:
    try:
        return bool(synthesizer.get_node_clusters(graph))
    except ValueError:  # ragas' word for none
        return False


@functools.cache
def _classes() -> dict[str, Any]:
    single, multi = ragas_modules(
        "testset.synthesizers.single_hop.specific", "testset.synthesizers.multi_hop", what="Ragas' generator"
    )

    class Steady:
        seed: object = 0

        def _next(self) -> tuple[object, ...]:
            self.__dict__.setdefault("turns", Counter())["all"] += 1
            return (self.seed, self.__dict__["turns"]["all"])

        def _in_turn(self, found: list[Any], key: Callable[[Any], list[str]]) -> list[Any]:
            """Shuffled: ragas takes them from the first one on, and rounds want others."""
            found = sorted(found, key=key)
            random.Random(repr(self.seed)).shuffle(found)
            return found

    class SingleHop(Steady, single.SingleHopSpecificQuerySynthesizer):  # type: ignore[misc,name-defined]
        def _extract_themes_from_items(self, items: Any) -> list[str]:
            return sorted(super()._extract_themes_from_items(items))

        def sample_combinations(self, data: Any, num_samples: int) -> Any:
            with seeded(*self._next()):
                return super().sample_combinations(data, num_samples)

    class MultiHop(Steady):
        def sample_diverse_combinations(self, data: Any, num_samples: int) -> Any:
            with seeded(*self._next()):
                return super().sample_diverse_combinations(data, num_samples)  # type: ignore[misc]

    class Specific(MultiHop, multi.MultiHopSpecificQuerySynthesizer):  # type: ignore[misc,name-defined]
        def get_node_clusters(self, knowledge_graph: Any) -> Any:
            found = super().get_node_clusters(knowledge_graph)
            return self._in_turn(found, key=lambda cluster: [cluster[0].id.hex, cluster[-1].id.hex])

        def _extract_themes_from_overlaps(self, overlapped_items: Any) -> list[str]:
            return sorted(super()._extract_themes_from_overlaps(overlapped_items))

    class Abstract(MultiHop, multi.MultiHopAbstractQuerySynthesizer):  # type: ignore[misc,name-defined]
        def get_node_clusters(self, knowledge_graph: Any, n: int = 1) -> Any:
            found = super().get_node_clusters(knowledge_graph, n)
            in_order = [sorted(cluster, key=lambda node: node.id.hex) for cluster in found]
            return self._in_turn(in_order, key=lambda cluster: [node.id.hex for node in cluster])

    return {
        "SingleHopSpecificQuerySynthesizer": SingleHop,
        "MultiHopSpecificQuerySynthesizer": Specific,
        "MultiHopAbstractQuerySynthesizer": Abstract,
    }
