"""factual_correctness: how far the claims of response and reference support each other."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ragas.metrics.native.inputs import nothing_found, text_of
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.statements import judge_statements, statement_findings, supported
from pytest_ragas.metrics.native.structure import TEXT, Verdict, array, read_texts, structure
from pytest_ragas.metrics.native.together import together
from pytest_ragas.metrics.options import choice, positive
from pytest_ragas.metrics.requirements import require_llm
from pytest_ragas.protocols import LLM, MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

CLAIMS = "claims"
"""Name of the prompt."""

_STRUCTURE = structure("Claims", claims=array(TEXT))
_LEVELS = ("low", "high")
# ragas adds it to denominators of precision and recall; since the score is rounded to two digits, 3/8 shows it
_RAGAS_EPSILON = 1e-8


@dataclass(frozen=True, kw_only=True, slots=True)
class FactualCorrectness:
    """Precision, recall or F of the response's claims against the reference's, rounded to two digits like ragas.

    A true positive is a claim of the response that the reference supports, a false positive one that it does not, a
    false negative a claim of the reference that the response does not support. Both directions at once, two calls
    one after the other in each; precision needs only the first.

    Source:
        ragas 0.4.3 `FactualCorrectness`.
    """

    name: str
    llm: LLM
    mode: str
    """"precision", "recall" or "f1"."""
    beta: float
    """Above 1 recall weighs more, below 1 precision does."""
    atomicity: str
    coverage: str

    @classmethod
    def build(cls, context: MetricContext) -> FactualCorrectness:
        """The metric for this critic; options `mode` ("f1"), `beta` (1), `atomicity` and `coverage` ("low")."""
        name, options = context.name, context.options
        return cls(
            name=name,
            llm=require_llm(context),
            mode=choice(options, "mode", ("f1", "precision", "recall"), metric=name, default="f1"),
            beta=positive(options, "beta", metric=name, default=1.0),
            atomicity=choice(options, "atomicity", _LEVELS, metric=name, default="low"),
            coverage=choice(options, "coverage", _LEVELS, metric=name, default="low"),
        )

    async def score(self, sample: Sample) -> Score:
        """Measure one sample.

        Raises:
            NothingToJudgeError: Response or reference are empty, or the critic finds no claim in them.
            ModelError: The critic did not answer, or not one verdict for each claim.
        """
        response = text_of(sample, "response", self.name)
        reference = text_of(sample, "reference", self.name)
        directions = [self._check(sample, "response", response, reference)]
        if self.mode != "precision":
            directions.append(self._check(sample, "reference", reference, response))
        (claims, verdicts), *rest = await together(*directions)
        right = supported(verdicts)
        wrong = len(verdicts) - right
        evidence = statement_findings(claims, verdicts, "response")
        reason = f"{right} of {len(verdicts)} claims of the response supported by the reference"
        missed = 0
        for expected, found in rest:
            missed = len(found) - supported(found)
            evidence += statement_findings(expected, found, "reference")
            reason += f", {len(found) - missed} of {len(found)} of the reference by the response"
        return Score(metric=self.name, value=self._value(right, wrong, missed), reason=reason, evidence=evidence)

    async def _check(self, sample: Sample, field: str, text: str, against: str) -> tuple[list[str], list[Verdict]]:
        data = {"atomicity": self.atomicity, "coverage": self.coverage, "text": text}
        answer = await prompt(CLAIMS).ask(self.llm, data, _STRUCTURE)
        claims = read_texts(answer, "claims")
        if not claims:
            raise nothing_found(sample, "claim", field, self.name)
        return claims, await judge_statements(self.llm, [against], claims)

    def _value(self, right: int, wrong: int, missed: int) -> float:
        if self.mode == "precision":
            value = right / (right + wrong + _RAGAS_EPSILON)
        elif self.mode == "recall":
            value = right / (right + missed + _RAGAS_EPSILON)
        elif right == 0:
            value = 0.0
        else:
            value = f_beta(right / (right + wrong), right / (right + missed), self.beta)
        return round(value * 100) / 100


def f_beta(precision: float, recall: float, beta: float) -> float:
    """Weighted harmonic mean of precision and recall; 0 if both are 0."""
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
