"""context_entity_recall: the share of the reference's entities that the retrieved contexts name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pytest_ragas.metrics.native.inputs import contexts_of, nothing_found, text_of
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.structure import TEXT, array, read_texts, structure
from pytest_ragas.metrics.native.together import together
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

ENTITIES = "entities"
"""Name of the prompt."""

_STRUCTURE = structure("Entities", entities=array(TEXT))


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextEntityRecall:
    """Entities of the reference that the contexts name too / its entities. Two calls at once.

    Source:
        ragas 0.4.3 `ContextEntityRecall`. Unlike it, case and white space do not make two entities of one.
    """

    name: str
    llm: LLM

    @classmethod
    def build(cls, context: MetricContext) -> ContextEntityRecall:
        """The metric for this critic."""
        return cls(name=context.name, llm=require_llm(context))

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Reference or contexts are empty, or the reference names no entity.
            ModelError: The critic did not answer.
        """
        reference = text_of(sample, "reference", self.name)
        contexts = contexts_of(sample, self.name)
        expected, found = await together(self._entities(reference), self._entities("\n".join(contexts)))
        if not expected:
            raise nothing_found(sample, "entity", "reference", self.name)
        hits = sum(key in found for key in expected)
        return Score(
            metric=self.name,
            value=hits / len(expected),
            reason=f"the contexts name {hits} of {len(expected)} entities of the reference",
            evidence=tuple(
                Finding(
                    kind="entity",
                    text=entity,
                    value=float(key in found),
                    reason="" if key in found else "the contexts do not name it",
                    part="reference",
                )
                for key, entity in expected.items()
            ),
        )

    async def _entities(self, text: str) -> dict[str, str]:
        """Entities by the form in which they are compared, in the order of the text."""
        answer = await prompt(ENTITIES).ask(self.llm, {"text": text}, _STRUCTURE)
        found: dict[str, str] = {}
        for entity in read_texts(answer, "entities"):
            found.setdefault(_form(entity), entity)
        return found


def _form(entity: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", entity).casefold().split())
