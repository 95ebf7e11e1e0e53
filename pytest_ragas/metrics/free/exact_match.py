"""`exact_match`: is the response the reference?"""

from __future__ import annotations

import re
import string

from pytest_ragas.errors import NothingToJudgeError
from pytest_ragas.metrics.options import choice
from pytest_ragas.protocols import MetricContext
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Finding, Score

__all__ = ["ExactMatch", "squad_normalised"]

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def squad_normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, without a/an/the, white space collapsed.

    Source:
        `normalize_answer` of the SQuAD 1.1 evaluation script, Rajpurkar et al. 2016, arXiv:1606.05250.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


class ExactMatch:
    """1 if the response equals the reference, else 0.

    Option `normalize`: "none" (default) compares the strings as they are, as ragas' `ExactMatch` does;
    "squad" compares what `squad_normalised` leaves of them.
    """

    def __init__(self, context: MetricContext) -> None:
        """
        Raises:
            ConfigurationError: An option that cannot be used.
        """
        self.name = context.name or "exact_match"
        self._normalize = choice(context.options, "normalize", ("none", "squad"), metric=self.name, default="none")

    async def score(self, sample: Sample) -> Score:
        """Compare `response` with `reference`.

        Raises:
            NothingToJudgeError: The response is empty.
        """
        response, reference = sample.response or "", sample.reference or ""
        if not response.strip():
            raise NothingToJudgeError("The response is empty: there is nothing to compare with the reference.")
        if self._normalize == "squad":
            equal = squad_normalised(response) == squad_normalised(reference)
        else:
            equal = response == reference
        reason = "the response is the reference" if equal else "the response is not the reference, word for word"
        finding = Finding(kind="statement", text=response, value=float(equal), reason=f"reference: {reference}")
        return Score(metric=self.name, value=float(equal), reason=reason, evidence=(finding,))
