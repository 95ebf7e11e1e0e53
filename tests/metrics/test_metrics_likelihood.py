"""The likelihood metrics: arithmetic on log-probabilities, and what they ask of a critic. No torch."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ragas.errors import ConfigurationError, ModelError, NothingToJudgeError, UnknownNameError
from pytest_ragas.metrics.builtin import registry
from pytest_ragas.metrics.likelihood.share import calibrated_yes, explained, least_explained, words_of
from pytest_ragas.models.scripted import ScriptedCritic
from pytest_ragas.values.likelihood import Likelihood
from pytest_ragas.values.model import EmbeddedCritic, ModelIdentity
from pytest_ragas.values.sample import Sample

SAMPLE = Sample(
    user_input="How long may I return it?",
    response="Within 30 days. Bananas are blue.",
    retrieved_contexts=["Returns are accepted within 30 days.", " "],
    reference="Within 30 days.",
)


def likelihood(alone: Sequence[float], given: Sequence[float], **more: Any) -> Likelihood:
    pieces = more.pop("tokens", tuple(f" w{number}" for number in range(len(alone))))
    return Likelihood(statement="".join(pieces), tokens=pieces, alone=tuple(alone), given=tuple(given), **more)


class Reader:
    """Satisfies `LikelihoodCritic`: expects, once it has read a context, the words that are in it."""

    identity = ModelIdentity(provider="likelihood", name="reader")

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def likelihoods(
        self, statements: Sequence[str], *, context: str, question: str = "", yes_no: bool = False
    ) -> Sequence[Likelihood]:
        self.asked.append({"statements": list(statements), "context": context, "question": question, "yes_no": yes_no})
        read = []
        for statement in statements:
            words = statement.split()
            given = [0.0 if word.strip(".").lower() in context.lower() else -10.0 for word in words]
            read.append(
                Likelihood(
                    statement=statement,
                    tokens=tuple(f" {word}" for word in words),
                    alone=(-10.0,) * len(words),
                    given=tuple(given),
                    yes=2.0 if yes_no else None,
                    yes_alone=2.0 + min(given) if yes_no else None,
                )
            )
        return read

    async def aclose(self) -> None:
        """Nothing to let go of."""


def score(name: str, sample: Sample = SAMPLE, *, critic: Any = None, **options: Any) -> Any:
    built = registry().build(name, critic=critic or Reader(), options=options)
    return asyncio.run(built.metric.score(sample))


@pytest.mark.parametrize(
    ("alone", "given", "share"),
    [
        ([-4.0, -6.0], [-1.0, -1.5], 0.75),
        ([-4.0, -6.0], [0.0, 0.0], 1.0),
        ([-4.0], [-4.0], 0.0),
        ([-4.0], [-9.0], 0.0),  # a context that misleads
        ([0.0], [0.0], 0.0),  # certain anyway: nothing to explain
        ([-1e-9], [-5.0], 0.0),
        ([-1e300, -1e300], [-1e300, -1.0], 0.5),
    ],
)
def test_explained_is_the_share_of_surprisal_that_goes(alone: list[float], given: list[float], share: float) -> None:
    assert explained(likelihood(alone, given)) == pytest.approx(share)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_no_score(bad: float) -> None:
    with pytest.raises(ModelError, match="not finite"):
        explained(likelihood([-1.0, bad], [-1.0, -1.0]))
    with pytest.raises(ModelError, match="not finite"):
        calibrated_yes(likelihood([-1.0], [-1.0], yes=bad, yes_alone=0.0))


@pytest.mark.parametrize(
    ("yes", "alone", "chance"),
    [(2.0, 2.0, 0.5), (math.log(3), 0.0, 0.75), (0.0, math.log(3), 0.25), (5000.0, 0.0, 1.0), (-5000.0, 0.0, 0.0)],
)
def test_yes_counts_as_far_as_the_context_adds_it(yes: float, alone: float, chance: float) -> None:
    assert calibrated_yes(likelihood([-1.0], [-1.0], yes=yes, yes_alone=alone)) == pytest.approx(chance)


def test_yes_that_nobody_asked_for() -> None:
    with pytest.raises(ModelError, match="no log-odds"):
        calibrated_yes(likelihood([-1.0], [-1.0]))


def test_words_are_put_together_from_pieces() -> None:
    pieces = ("In", " ", "18", "89", " Gust", "ave", ".")
    read = likelihood([-1.0] * 7, [-0.5, -0.1, -2.0, -3.0, -4.0, 0.0, -0.2], tokens=pieces)
    words = words_of(read)
    assert [word.text for word in words] == ["In", "1889", "Gustave."]
    assert [word.given for word in words] == pytest.approx([0.5, 5.1, 4.2])
    assert sum(word.alone for word in words) == pytest.approx(7.0)
    assert [word.text for word in least_explained(read, most=2, above=1.0)] == ["1889", "Gustave."]
    assert least_explained(read, most=2, above=6.0) == ()


def test_faithfulness_is_the_mean_over_sentences_with_evidence() -> None:
    critic = Reader()
    found = score("faithfulness", critic=critic)
    assert found.value == pytest.approx(2 / 3)
    assert [(finding.text, finding.value) for finding in found.evidence] == [
        ("Within 30 days.", pytest.approx(1.0)),
        ("Bananas are blue.", pytest.approx(1 / 3)),
    ]
    assert "1 of 2 sentences of the response" in found.reason
    assert found.evidence[1].reason == (
        "surprisal 30.0 nats, 20.0 once the contexts were read; least expected: 'Bananas' 10.0, 'blue.' 10.0"
    )
    # one question for all sentences, and blank contexts are not read
    assert critic.asked == [
        {
            "statements": ["Within 30 days.", "Bananas are blue."],
            "context": "Returns are accepted within 30 days.",
            "question": "How long may I return it?",
            "yes_no": False,
        }
    ]


def test_context_recall_reads_the_reference() -> None:
    assert score("context_recall").value == pytest.approx(1.0)
    assert score("ContextRecall").evidence[0].part == "reference"


def test_the_measure_may_be_yes_or_no() -> None:
    critic = Reader()
    found = score("faithfulness", critic=critic, measure="yes_no")
    assert critic.asked[0]["yes_no"] is True
    assert found.value == pytest.approx((0.5 + 1 / (1 + math.exp(-10))) / 2)
    assert "log-odds of yes 2.0 with the contexts, -8.0 without" in found.evidence[1].reason


def test_a_measure_that_does_not_exist() -> None:
    with pytest.raises(ConfigurationError, match='must be one of "explained", "yes_no"'):
        score("faithfulness", measure="vibes")
    with pytest.raises(UnknownNameError, match="measure"):
        score("faithfulness", measur="yes_no")


@pytest.mark.parametrize(
    "sample",
    [
        Sample(user_input="?", response=" ", retrieved_contexts=["a"]),
        Sample(user_input="?", response="[1]", retrieved_contexts=["a"]),
        Sample(user_input="?", response="a", retrieved_contexts=[" "]),
        Sample(user_input="?", response="a", retrieved_contexts=[]),
    ],
)
def test_nothing_to_judge(sample: Sample) -> None:
    with pytest.raises(NothingToJudgeError, match=r"(are|is) empty"):
        score("faithfulness", sample)


def test_a_short_answer_can_be_judged() -> None:
    sample = Sample(user_input="Is it?", response="Yes", retrieved_contexts=["Yes, it is."])
    assert score("faithfulness", sample).value == 1.0


def test_the_likelihood_critic_takes_its_own_backend() -> None:
    known = registry()
    assert known.resolve("faithfulness", critic=Reader()).backend == "likelihood"
    assert known.resolve("embedded:faithfulness", critic=Reader()).backend == "embedded"
    assert known.resolve("rouge_l", critic=Reader()).backend == "free"
    assert known.resolve("faithfulness", critic=ScriptedCritic([])).backend == "native"
    assert known.resolve("faithfulness", critic=EmbeddedCritic()).backend == "embedded"


@pytest.mark.parametrize("name", ["answer_relevancy", "context_precision", "noise_sensitivity", "native:faithfulness"])
def test_what_likelihoods_do_not_tell_is_an_error_that_says_so(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        score(name)
    message = str(caught.value)
    assert message.startswith(
        f'{name} is judged by an LLM, and the critic reader is of kind = "likelihood", which reads likelihoods and '
        "answers no prompt. "
    )
    assert "without one there are context_recall, faithfulness, response_groundedness" in message
    is_embedded_too = name != "noise_sensitivity"
    assert (f"'embedded:{name.removeprefix('native:')}', which measures the wording" in message) == is_embedded_too


@pytest.mark.parametrize("critic", [EmbeddedCritic(), ScriptedCritic([])])
def test_who_asks_for_likelihoods_of_another_critic_is_told(critic: Any) -> None:
    with pytest.raises(ConfigurationError, match=r'likelihood:faithfulness is measured on.*kind = "likelihood"'):
        score("likelihood:faithfulness", critic=critic)
