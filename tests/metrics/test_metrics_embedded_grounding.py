from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ragas.metrics.embedded.grounding import ContextIndex, Support, mean
from pytest_ragas.metrics.embedded.sentences import sentences

TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["The cat", "sat.", "not", "3", "three", "10,000", "東京は", "首都。", "Это", "\n", "- ", "[1]", "Dr."]
    )
).map(" ".join)

# Our own pairs: context, what it says, what it does not say
PAIRS = [
    (
        "Refunds are granted within 30 days of purchase. Opened software is excluded.",
        "You can get a refund within 30 days of the purchase.",
        "You can get a refund within 90 days and we pay the shipping.",
    ),
    (
        "The lighthouse was built in 1874 by Ada Norton. It is 40 metres high.",
        "Ada Norton built the lighthouse in 1874.",
        "Pedro Alvarez painted the lighthouse in 1921.",
    ),
    (
        "The pump must not run dry. Check the oil every week.",
        "The pump must not run dry.",
        "The pump must run dry.",
    ),
    (
        "Das Museum ist montags geschlossen. Der Eintritt kostet zwölf Euro.",
        "Der Eintritt kostet zwölf Euro.",
        "Der Eintritt ist für Kinder frei.",
    ),
    (
        "Столица страны — Астана. Население растёт.",
        "Столица страны — Астана.",
        "Климат здесь очень мягкий.",
    ),
    ("東京は日本の首都です。人口は約千四百万人です。", "日本の首都は東京です。", "大阪には古い城があります。"),
    ("서울은 대한민국의 수도이다. 한강이 흐른다.", "대한민국의 수도는 서울이다.", "부산에는 큰 항구가 있다."),
    ("दिल्ली भारत की राजधानी है। यहाँ यमुना बहती है।", "भारत की राजधानी दिल्ली है।", "मुंबई में समुद्र का किनारा सुंदर है।"),
    ("باريس هي عاصمة فرنسا. يعبرها نهر السين.", "عاصمة فرنسا هي باريس.", "يحب الأطفال لعب الكرة كثيرا."),
]


def judged(contexts: list[str], text: str) -> Support:
    [support] = ContextIndex(contexts).supports(text)
    return support


def test_the_formula_by_hand() -> None:
    """One context sentence: a word in it weighs ln(2/1.5), a word that is not ln(2/0.5)."""
    support = judged(["The cat sat on the mat."], "The dog sat on the mat.")
    there, absent = math.log(2 / 1.5), math.log(2 / 0.5)
    coverage = 2 * there / (2 * there + absent)
    phrasing = 3 / 5  # sat on, on the, the mat; not: the dog, dog sat
    assert support.value == pytest.approx(0.5 * coverage + 0.5 * phrasing)
    assert support.value == pytest.approx(0.4467, abs=1e-4)
    assert support.missing_words == ("dog",)
    assert support.window == "The cat sat on the mat."
    assert not support.carried


def test_a_repeated_word_counts_as_often_as_it_is_said() -> None:
    support = judged(["Cats sleep."], "Dogs dogs sleep.")
    there, absent = math.log(2 / 1.5), math.log(2 / 0.5)
    assert support.value == pytest.approx(0.5 * there / (there + 2 * absent))
    assert support.missing_words == ("dogs",)


def test_rare_words_weigh_more() -> None:
    contexts = ["Pumps need oil. Pumps need power. Pumps need water. Valves leak."]
    rare, common = judged(contexts, "Valves explode."), judged(contexts, "Pumps explode.")
    assert rare.value > common.value > 0


def test_windows_are_two_sentences_of_one_context() -> None:
    together = judged(["Alpha beta. Gamma delta."], "Alpha beta gamma delta.")
    apart = judged(["Alpha beta.", "Gamma delta."], "Alpha beta gamma delta.")
    assert together.value == pytest.approx(1.0)
    assert together.window == "Alpha beta. Gamma delta."
    # half of the weight in either window, and two of three pairs of neighbours
    assert apart.value == pytest.approx(0.5 * 0.5 + 0.5 * 2 / 3)
    assert apart.window == "Alpha beta."
    far = judged(["Alpha beta. Something else. Gamma delta."], "Alpha beta gamma delta.")
    assert far.value == pytest.approx(0.5 * 0.5 + 0.5 * 2 / 3)


def test_a_missing_number_costs_and_is_named() -> None:
    contexts = ["Refunds take 14 days and two weeks."]
    right = judged(contexts, "Refunds take 14 days and 2 weeks.")
    wrong = judged(contexts, "Refunds take 30 days and 2 weeks.")
    assert right.value == pytest.approx(1.0)
    assert wrong.missing_numbers == ("30",)
    assert wrong.missing_words == ("30",)
    there, absent = math.log(2 / 1.5), math.log(2 / 0.5)
    coverage = 5 * there / (5 * there + absent)  # refunds take days 2 weeks; and is no content word
    assert wrong.value == pytest.approx(0.5 * coverage + 0.5 * 4 / 6 - 0.15)


def test_numbers_are_looked_for_in_the_window_only() -> None:
    contexts = ["The tower has 7 floors. It is old. A hut stands in the valley. It has 3 rooms."]
    assert judged(contexts, "The tower has 7 old floors.").missing_numbers == ()
    assert judged(contexts, "The old tower has 3 floors.").missing_numbers == ("3",)


def test_a_negation_that_only_one_side_has_costs() -> None:
    plain = judged(["The pump may run dry."], "The pump may run dry.")
    negated = judged(["The pump may run dry."], "The pump may not run dry.")
    assert plain.value == pytest.approx(1.0)
    assert negated.negation_differs
    assert negated.value == pytest.approx(0.5 + 0.5 * 3 / 5 - 0.15)
    assert not judged(["The pump can't run dry."], "The pump cannot run dry.").negation_differs


def test_of_equal_sentences_the_one_that_agrees_decides() -> None:
    contexts = ["The pump is safe. The pump is not safe."]
    assert judged(contexts, "The pump is safe.").value == pytest.approx(1.0)
    assert judged(contexts, "The pump is not safe.").value == pytest.approx(1.0)


def test_nothing_in_common_is_zero() -> None:
    support = judged(["Cats sleep."], "Rockets fly.")
    assert support == Support(
        sentence="Rockets fly.",
        value=0.0,
        window="",
        missing_words=("rockets", "fly"),
        missing_numbers=(),
        negation_differs=False,
    )


def test_sentences_without_content_words_are_not_judged() -> None:
    index = ContextIndex(["Cats sleep."])
    assert index.supports("Yes, it is. Cats sleep. No!") == index.supports("Cats sleep.")
    assert index.supports("Yes.") == ()
    assert index.supports("!?") == ()


def test_an_index_without_words_is_false() -> None:
    assert not ContextIndex([])
    assert not ContextIndex(["", " \n", "!!"])
    assert ContextIndex(["", "a"])


@pytest.mark.parametrize(("context", "said", "unsaid"), PAIRS)
def test_what_is_said_beats_what_is_not(context: str, said: str, unsaid: str) -> None:
    index = ContextIndex([context])
    assert mean(index.supports(said)) > 0.4
    assert mean(index.supports(said)) > mean(index.supports(unsaid)) + 0.1


@pytest.mark.parametrize(
    "decorated",
    [
        "  The lighthouse \t was  built in 1874. ",
        "THE LIGHTHOUSE WAS BUILT IN 1874.",
        "- The lighthouse was built in 1874 [2].",
        "1. The *lighthouse* was **built** in 1874.[^1]",
        "The lighthouse was\nbuilt in 1874",
        "“The lighthouse was built in 1874.”",
    ],
)
def test_layout_makes_no_difference(decorated: str) -> None:
    contexts = ["The lighthouse was built in 1874 by Ada Norton."]
    assert judged(contexts, decorated).value == judged(contexts, "The lighthouse was built in 1874.").value


@given(st.lists(TEXTS, max_size=4), TEXTS)
@settings(deadline=None)
def test_any_text_gives_a_finite_score(contexts: list[str], text: str) -> None:
    for support in ContextIndex(contexts).supports(text):
        assert math.isfinite(support.value)
        assert 0.0 <= support.value <= 1.0


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(deadline=None)
def test_a_copied_sentence_is_supported(contexts: list[str]) -> None:
    index = ContextIndex(contexts)
    for sentence in {sentence for context in contexts for sentence in sentences(context)}:
        for support in index.supports(sentence):
            assert support.value >= 0.99, support


@given(st.lists(TEXTS, min_size=1, max_size=4), st.lists(st.sampled_from([pair[1] for pair in PAIRS]), min_size=1))
@settings(deadline=None)
def test_order_makes_no_difference(contexts: list[str], said: list[str]) -> None:
    index = ContextIndex(contexts)
    turned = ContextIndex(contexts[::-1])
    value = mean(index.supports(" ".join(said)))
    assert mean(index.supports(" ".join(reversed(said)))) == pytest.approx(value)
    assert mean(turned.supports(" ".join(said))) == pytest.approx(value)


def test_more_context_never_hides_what_was_found_among_equals() -> None:
    """A passage is found wherever it stands among many others."""
    rng = random.Random(0)
    filler = [f"Item {rng.randrange(1000)} costs {rng.randrange(1000)} coins." for _ in range(500)]
    for at in (0, 250, 500):
        context = " ".join([*filler[:at], "The harbour closes at noon on Sundays.", *filler[at:]])
        support = judged([context], "The harbour closes at noon on Sundays.")
        assert support.value == pytest.approx(1.0)
        assert "The harbour closes" in support.window
