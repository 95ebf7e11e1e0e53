"""Every native metric, judged over HTTP by the lexical critic in every structure mode: scores computed by hand."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from typing import Any

import pytest
from openai_server.server import MODES, OpenAIServer

from pytest_ragas.metrics.native.specs import SPECS
from pytest_ragas.models.openai_api import OpenAIChat, OpenAIEmbeddings
from pytest_ragas.protocols import MetricContext
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score

SAMPLE = Sample(
    user_input="How long is the Nile?",
    response="The Nile is 6650 km long. It flows through Egypt. It is green.",
    retrieved_contexts=[
        "Cats sleep a lot.",
        "The Nile is 6650 km long and flows north.",
        "Egypt lies in Africa; it, the Nile, flows through Egypt.",
    ],
    reference="The Nile is 6650 km long. It flows north. It is blue in Sudan.",
)

# words of the response: is 2, it 2, nine others; of the reference: is 2, it 2, ten others; common: is, it, six others
SIMILARITY = 14 / math.sqrt(17 * 18)

EXPECTED: list[tuple[str, dict[str, Any], float, int]] = [
    # name, options, score, chat requests
    # length and Egypt are in the contexts, green is not
    ("faithfulness", {}, 2 / 3, 2),
    # "Is it true that The Nile is 6650 km long?" has long, is (twice), the, nile of the question's five words
    ("answer_relevancy", {}, 5 / math.sqrt(5 * 12), 1),
    # only the second context holds half of the reference's words
    ("context_precision", {}, 1 / 2, 3),
    # the second and the third hold half of the response's words
    ("context_precision_without_reference", {}, (1 / 2 + 2 / 3) / 2, 3),
    # length and north are in the contexts, blue and Sudan are not
    ("context_recall", {}, 2 / 3, 1),
    # the contexts say "long" and "nile", but not "how": both judges give 1 of 2
    ("context_relevancy", {}, 1 / 2, 2),
    # the second and the third sentence have words of the question
    ("context_relevancy", {"method": "sentences"}, 2 / 3, 1),
    # one of three statements right, two of three missing: F1 = 1/3, with weight 0.75
    ("answer_correctness", {}, 0.75 / 3 + 0.25 * SIMILARITY, 3),
    ("answer_correctness", {"weights": [1, 0]}, 1 / 3, 3),
    # one of three claims on either side, rounded to two digits as ragas does
    ("factual_correctness", {}, 0.33, 4),
    ("factual_correctness", {"mode": "precision"}, 0.33, 2),
    ("answer_similarity", {}, SIMILARITY, 0),
    # Egypt is not in the reference, and comes from the third context, which supports nothing of the reference
    ("noise_sensitivity", {}, 0.0, 6),
    ("noise_sensitivity", {"mode": "irrelevant"}, 1 / 3, 6),
    # of Nile, 6650 and Sudan the contexts name two
    ("context_entity_recall", {}, 2 / 3, 2),
    # all of the response's words but "green": both judges give 1 of 2
    ("response_groundedness", {}, 1 / 2, 2),
]


def score_all(server: OpenAIServer, structure: str) -> list[Score]:
    """Every metric of `EXPECTED` at once, as a run would."""
    specs = {spec.name: spec for spec in SPECS}

    async def main() -> list[Score]:
        critic = OpenAIChat(ModelSettings(model_name="judge", api_base=server.url, structure=structure))  # type: ignore[arg-type]
        embeddings = OpenAIEmbeddings(ModelSettings(model_name="emb", api_base=server.url))
        metrics = [
            specs[name].factory(MetricContext(critic=critic, embeddings=embeddings, options=options, name=name))
            for name, options, _, _ in EXPECTED
        ]
        try:
            return await asyncio.gather(*(metric.score(SAMPLE) for metric in metrics))
        finally:
            await critic.aclose()
            await embeddings.aclose()

    return asyncio.run(main())


def test_every_native_metric_is_here() -> None:
    assert {name for name, *_ in EXPECTED} == {spec.name for spec in SPECS}


@pytest.mark.parametrize("mode", MODES)
def test_scores_are_those_of_hand_computation(openai_server: OpenAIServer, mode: str) -> None:
    scores = score_all(openai_server, mode)
    assert [(score.metric, round(score.value, 9)) for score in scores] == [
        (name, round(value, 9)) for name, _, value, _ in EXPECTED
    ]
    assert {request.mode for request in openai_server.chats} == {mode}
    assert len(openai_server.chats) == sum(calls for *_, calls in EXPECTED)


def test_modes_that_are_found_out_give_the_same_scores(openai_server: OpenAIServer) -> None:
    """A server that ignores json_schema and refuses json_object: the metrics notice nothing."""
    openai_server.ignores = {"json_schema"}
    openai_server.modes = {"json_schema", "tools", "text"}
    scores = score_all(openai_server, "auto")
    assert [round(score.value, 9) for score in scores] == [round(value, 9) for _, _, value, _ in EXPECTED]
    modes = Counter(request.mode for request in openai_server.chats)
    calls = sum(calls for *_, calls in EXPECTED)
    in_flight = modes["json_schema"]  # the first calls of all metrics, which hope for the best
    assert modes == {"json_schema": in_flight, "json_object": 1, "tools": calls}
    assert in_flight < calls


def test_the_evidence_is_what_the_critic_said(openai_server: OpenAIServer) -> None:
    faithfulness = score_all(openai_server, "auto")[0]
    assert [(finding.text, finding.value, finding.reason) for finding in faithfulness.evidence] == [
        ("The Nile is 6650 km long.", 1, "every word is there"),
        ("It flows through Egypt.", 1, "every word is there"),
        ("It is green.", 0, "missing: green"),
    ]
