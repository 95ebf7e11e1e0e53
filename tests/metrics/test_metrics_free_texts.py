"""exact_match, rouge_l and text_context_recall against hand computation, published examples and the originals."""

from __future__ import annotations

import asyncio
import random
from functools import cache

import pytest

from pytest_ragas.errors import ConfigurationError, NothingToJudgeError
from pytest_ragas.metrics.free.edit_distance import levenshtein, similarity
from pytest_ragas.metrics.free.exact_match import ExactMatch, squad_normalised
from pytest_ragas.metrics.free.rouge_l import RougeL
from pytest_ragas.metrics.free.text_recall import TextContextRecall
from pytest_ragas.metrics.free.words import common_words, words
from pytest_ragas.protocols import Metric, MetricContext
from pytest_ragas.values.model import EmbeddedCritic
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.score import Score


def context(**options: object) -> MetricContext:
    return MetricContext(critic=EmbeddedCritic(), options=options)


def scored(metric: Metric, **fields: object) -> Score:
    return asyncio.run(metric.score(Sample(**fields)))  # type: ignore[arg-type]


# exact_match


@pytest.mark.parametrize(
    ("response", "reference", "value"),
    [("Paris", "Paris", 1.0), ("Paris.", "Paris", 0.0), ("paris", "Paris", 0.0), ("Paris\n", "Paris", 0.0)],
)
def test_exact_match_compares_character_by_character(response: str, reference: str, value: float) -> None:
    score = scored(ExactMatch(context()), response=response, reference=reference)
    assert score.value == value
    assert score.metric == "exact_match"
    assert score.evidence[0].text == response
    assert reference in score.evidence[0].reason


@pytest.mark.parametrize(
    ("response", "reference", "value"),
    [
        ("The Eiffel Tower.", "eiffel  tower", 1.0),
        ("An apple a day!", "apple day", 1.0),
        ("theory", "ory", 0.0),  # "the" is an article only as a word
        ("Eiffel Towers", "Eiffel Tower", 0.0),
    ],
)
def test_exact_match_normalised_as_squad_does(response: str, reference: str, value: float) -> None:
    assert scored(ExactMatch(context(normalize="squad")), response=response, reference=reference).value == value


def test_squad_normalisation_keeps_letters_of_other_languages() -> None:
    assert squad_normalised(" The  Zürich, Straße! ") == "zürich straße"


def test_exact_match_of_an_empty_response_is_no_score() -> None:
    for response in ("", " \n"):
        with pytest.raises(NothingToJudgeError, match="response is empty"):
            scored(ExactMatch(context()), response=response, reference="Paris")


def test_exact_match_refuses_another_normalisation() -> None:
    with pytest.raises(ConfigurationError, match=r"'normalize' of metric 'exact_match' is 'lower'.*\"squad\""):
        ExactMatch(context(normalize="lower"))


# words and rouge_l


def test_words_are_runs_of_letters_and_digits() -> None:
    assert words("Apollo-11's crew: 3 (snake_case, ÉCOLE, straße)") == [
        "apollo", "11", "s", "crew", "3", "snake", "case", "école", "straße",
    ]  # fmt: skip
    assert words("… — !") == []


def test_chinese_and_japanese_characters_are_a_word_each() -> None:
    assert words("东京タワーは333m") == ["东", "京", "タ", "ワ", "ー", "は", "333m"]


def naive_common(left: list[str], right: list[str]) -> int:
    @cache
    def longest(i: int, j: int) -> int:
        if not i or not j:
            return 0
        if left[i - 1] == right[j - 1]:
            return longest(i - 1, j - 1) + 1
        return max(longest(i - 1, j), longest(i, j - 1))

    return longest(len(left), len(right))


def test_common_words_equal_the_textbook_recursion() -> None:
    rng = random.Random(4)
    for _ in range(300):
        left = rng.choices("abcde", k=rng.randrange(0, 40))
        right = rng.choices("abcdef", k=rng.randrange(0, 40))
        assert common_words(left, right) == naive_common(left, right)


def test_common_words_of_very_long_texts() -> None:
    """A table of 10^8 cells would take minutes in Python."""
    left = [str(number % 997) for number in range(10_000)]
    assert common_words(left, left[::2]) == 5_000


# what rouge-score 0.1.2 says with RougeScorer(["rougeL"], use_stemmer=False).score(reference, response);
# rows 2 and 3 are the example of Lin 2004, section 3.1
ROUGE = [
    ("The quick brown dog jumps on the log.", "The quick brown fox jumps over the lazy dog", 5 / 8, 5 / 9),
    ("police kill the gunman", "police killed the gunman", 0.75, 0.75),
    ("the gunman kill police", "police killed the gunman", 0.5, 0.5),
    ("The Eiffel Tower is 330 metres tall, in Paris.", "Paris' Eiffel-Tower: 330 m tall.", 4 / 9, 4 / 6),
    ("a b c d e f g", "g f e d c b a", 1 / 7, 1 / 7),
    ("alpha", "beta", 0.0, 0.0),
    (
        "In 1969, Apollo 11 landed; Armstrong walked first.",
        "Neil Armstrong walked on the Moon in 1969 (Apollo 11).",
        0.5,
        0.4,
    ),
    ("x " * 50 + "y", "y " + "x " * 30, 30 / 51, 30 / 31),
]


@pytest.mark.parametrize(("response", "reference", "precision", "recall"), ROUGE)
def test_rouge_l_equals_published_and_original_values(
    response: str, reference: str, precision: float, recall: float
) -> None:
    f1 = 2 * precision * recall / (precision + recall) if precision else 0.0
    for mode, value in (("f1", f1), ("precision", precision), ("recall", recall)):
        score = scored(RougeL(context(mode=mode)), response=response, reference=reference)
        assert score.value == pytest.approx(value, abs=1e-12)
    assert scored(RougeL(context()), response=response, reference=reference).value == pytest.approx(f1, abs=1e-12)


def test_rouge_l_equals_the_rouge_score_package() -> None:
    rouge_scorer = pytest.importorskip("rouge_score.rouge_scorer")
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    rng = random.Random(5)
    alphabet = ["Tower", "tower", "330", "m.", "(Paris)", "is", "tall,", "the", "it's", "--"]
    for _ in range(300):
        response, reference = (" ".join(rng.choices(alphabet, k=rng.randrange(1, 30))) + " end" for _ in range(2))
        theirs = scorer.score(reference, response)["rougeL"]
        ours = scored(RougeL(context()), response=response, reference=reference)
        assert ours.value == pytest.approx(theirs.fmeasure, abs=1e-12)
        assert [finding.value for finding in ours.evidence] == pytest.approx([theirs.precision, theirs.recall])


def test_rouge_l_shows_what_it_counted() -> None:
    score = scored(RougeL(context()), response=ROUGE[0][0], reference=ROUGE[0][1])
    assert score.reason == "5 words in the same order, of 8 in the response, 9 in the reference"
    assert [(finding.part, finding.reason) for finding in score.evidence] == [
        ("response", "precision: 5 of 8 words"),
        ("reference", "recall: 5 of 9 words"),
    ]


@pytest.mark.parametrize(("response", "reference", "field"), [("?!", "Paris", "response"), ("Paris", " ", "reference")])
def test_rouge_l_without_words_is_no_score(response: str, reference: str, field: str) -> None:
    with pytest.raises(NothingToJudgeError, match=f"The {field} has no words"):
        scored(RougeL(context()), response=response, reference=reference)


def test_rouge_l_refuses_another_mode() -> None:
    with pytest.raises(ConfigurationError, match='"f1", "precision", "recall"'):
        RougeL(context(mode="fmeasure"))


# edit distance and text_context_recall


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("kitten", "sitting", 3), ("Saturday", "Sunday", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0), ("a", "a", 0)],
)
def test_levenshtein_of_the_textbook_pairs(left: str, right: str, distance: int) -> None:
    assert levenshtein(left, right) == distance


def naive_distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
    return row[-1]


def test_levenshtein_equals_the_textbook_table() -> None:
    rng = random.Random(6)
    for _ in range(500):
        left = "".join(rng.choices("abcé", k=rng.randrange(0, 90)))
        right = "".join(rng.choices("abcé ", k=rng.randrange(0, 90)))
        assert levenshtein(left, right) == levenshtein(right, left) == naive_distance(left, right)


def test_similarity_equals_rapidfuzz() -> None:
    distance = pytest.importorskip("rapidfuzz.distance")
    rng = random.Random(7)
    for _ in range(300):
        left, right = ("".join(rng.choices("abcdefgh ", k=rng.randrange(0, 400))) for _ in range(2))
        theirs = 1 - distance.Levenshtein.normalized_distance(left, right)
        assert similarity(left, right) == pytest.approx(theirs, abs=1e-12)


def test_text_context_recall_counts_passages_that_are_alike() -> None:
    score = scored(
        TextContextRecall(context()),
        reference_contexts=["The tower is 330 m tall.", "It was built in 1889."],
        retrieved_contexts=["Lyon lies on the Rhône.", "The tower is 324 m tall."],
    )
    assert score.value == 0.5
    assert score.reason == "1 of 2 reference contexts were retrieved"
    assert [finding.value for finding in score.evidence] == [1.0, 0.0]
    # 2 of 24 characters differ
    assert score.evidence[0].reason == "retrieved context 2 is the most alike, 0.92"


def test_text_context_recall_is_strict_at_the_threshold() -> None:
    """As ragas: greater than the threshold; "ab" and "ac" are 0.5 alike."""
    sample = {"reference_contexts": ["ab"], "retrieved_contexts": ["ac"]}
    assert scored(TextContextRecall(context()), **sample).value == 0.0
    assert scored(TextContextRecall(context(threshold=0.49)), **sample).value == 1.0
    same = {"reference_contexts": ["ab"], "retrieved_contexts": ["ab"]}
    assert scored(TextContextRecall(context(threshold=1.0)), **same).value == 1.0


def test_a_passage_inside_a_large_chunk_is_found_by_containment_only() -> None:
    passage = "The tower was built in 1889."
    chunk = f"{'Gustave Eiffel was an engineer. ' * 5}{passage} {'It stands in Paris. ' * 5}"
    sample = {"reference_contexts": [passage], "retrieved_contexts": [chunk]}
    assert scored(TextContextRecall(context()), **sample).value == 0.0
    assert scored(TextContextRecall(context(measure="containment")), **sample).value == 1.0
    other = {"reference_contexts": ["The bridge fell in 1889 again"], "retrieved_contexts": [chunk]}
    assert scored(TextContextRecall(context(measure="containment")), **other).value == 0.0


def test_nothing_retrieved_is_a_recall_of_zero() -> None:
    score = scored(TextContextRecall(context()), reference_contexts=["a passage"], retrieved_contexts=[])
    assert score.value == 0.0
    assert score.evidence[0].reason == "nothing was retrieved"


@pytest.mark.parametrize("passages", [[], [" ", ""]])
def test_no_reference_context_is_no_score(passages: list[str]) -> None:
    with pytest.raises(NothingToJudgeError, match="reference_contexts holds no text"):
        scored(TextContextRecall(context()), reference_contexts=passages, retrieved_contexts=["a"])


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "0.5", True, float("nan")])
def test_text_context_recall_refuses_other_thresholds(threshold: object) -> None:
    with pytest.raises(ConfigurationError, match="a number between 0 and 1"):
        TextContextRecall(context(threshold=threshold))
