"""What fails a comparison, and what does not."""

from __future__ import annotations

import random

import pytest

from pytest_ragas.baselines.decide import decide_comparison, steady_metrics
from pytest_ragas.values.comparison import Comparison, Pairing, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules
from pytest_ragas.values.recorded import MetricIdentity, RecordedRun, RecordedScore, RowKey

DEFAULTS = ComparisonRules()


def pair(
    row: int,
    before: float | tuple[float, ...],
    after: float | tuple[float, ...],
    *,
    metric: str = "faithfulness",
    document: str = "",
    slices: tuple[str, ...] = (),
    threshold: float | None = None,
    same_answer: bool = False,
    higher_is_better: bool = True,
) -> ScorePair:
    old, new = score(metric, before, higher_is_better), score(metric, after, higher_is_better)
    return ScorePair(
        key=RowKey(test="test_rag", sample_id=f"row{row}"),
        metric=metric,
        before=old,
        after=new,
        cluster=document or f"row{row}",
        slices=slices,
        held_before=None if threshold is None else old.value >= threshold,
        held_after=None if threshold is None else new.value >= threshold,
        same_answer=same_answer,
    )


def score(metric: str, judged: float | tuple[float, ...], higher_is_better: bool) -> RecordedScore:
    if isinstance(judged, tuple):
        value = sum(judged) / len(judged)
        return RecordedScore(metric=metric, value=value, repeats=judged, higher_is_better=higher_is_better)
    return RecordedScore(metric=metric, value=judged, higher_is_better=higher_is_better)


def decide(pairs: list[ScorePair], rules: ComparisonRules = DEFAULTS, *, steady: tuple[str, ...] = ()) -> Comparison:
    return decide_comparison(Pairing(pairs=tuple(pairs)), rules, baseline="main", steady=steady)


def noisy(count: int, *, drop: float = 0.0, seed: int = 0, metric: str = "faithfulness") -> list[ScorePair]:
    r = random.Random(seed)
    made = []
    for row in range(count):
        true = r.uniform(0.4, 0.8)
        made.append(pair(row, true + r.gauss(0, 0.05), true - drop + r.gauss(0, 0.05), metric=metric))
    return made


@pytest.mark.parametrize("count", [20, 200, 2_000])
def test_a_drop_of_a_tenth_is_seen_from_20_rows_on(count: int) -> None:
    found = decide(noisy(count, drop=0.1))
    assert found.failed
    (change,) = found.changes
    assert change.p < 0.01
    assert change.low < change.change < change.high < 0
    assert change.change == pytest.approx(-0.1, abs=0.05)
    assert (change.pairs, change.clusters) == (count, count)


@pytest.mark.parametrize("count", [20, 200])
def test_noise_alone_passes_19_times_of_20(count: int) -> None:
    assert sum(decide(noisy(count, seed=seed)).failed for seed in range(100)) <= 5


def test_a_rise_passes() -> None:
    found = decide(noisy(50, drop=-0.1))
    assert not found.failed
    assert found.changes[0].p > 0.9


def test_where_lower_is_better_a_rise_fails() -> None:
    pairs = [pair(row, 0.1, 0.2 + row / 1000, metric="noise_sensitivity", higher_is_better=False) for row in range(30)]
    found = decide(pairs)
    assert found.failed
    assert found.changes[0].change == pytest.approx(-0.1145)


def test_a_drop_within_the_asked_for_effect_passes() -> None:
    pairs = noisy(2_000, drop=0.03)
    assert decide(pairs).failed
    assert not decide(pairs, ComparisonRules(effects={"faithfulness": 0.05})).failed
    assert decide(pairs, ComparisonRules(effect=0.05, effects={"faithfulness": 0.02})).failed


def test_the_floor_is_the_critics_noise_of_the_mean() -> None:
    """Spread 0.1 in each of 3 judgements: 0.1 * sqrt(2/3) a row, a tenth of that in the mean of 100; 1.88 times it."""
    pairs = [pair(row, (0.4, 0.5, 0.6), (0.4, 0.5, 0.6)) for row in range(100)]
    found = decide(pairs)
    assert found.spreads == {"faithfulness": pytest.approx(0.1)}
    assert found.changes[0].floor == pytest.approx(1.881 * 0.1 * (2 / 3) ** 0.5 / 10, rel=1e-3)


def test_several_metrics_share_one_alpha() -> None:
    """Six rows that all fell have a p of 1/64: enough for one metric, not for three."""
    alone = [pair(row, 0.8, 0.7 + row / 1000) for row in range(6)]
    assert decide(alone).failed
    others = [pair(row, 0.8, 0.8 + row / 1000, metric=name) for row in range(6) for name in ("one", "two")]
    found = decide([*alone, *others])
    assert not found.failed
    assert found.changes[0].p == pytest.approx(3 / 64)


def test_rows_of_one_document_count_once() -> None:
    """Ten documents, of which two had a bad day with all of their twenty rows."""
    pairs = [
        pair(row, 0.8, 0.5 if row < 40 else 0.8 + row % 3 / 100, document=f"document{row // 20}") for row in range(200)
    ]
    apart = [pair(row, entry.before.value, entry.after.value) for row, entry in enumerate(pairs)]
    assert decide(apart).failed
    found = decide(pairs)
    assert not found.failed
    assert found.changes[0].clusters == 10


def test_too_few_documents_are_no_clusters_and_that_is_said() -> None:
    found = decide([pair(row, 0.8, 0.7, document=f"document{row % 3}") for row in range(30)])
    assert found.changes[0].clusters == 30
    assert found.notes == (
        "The rows come from 3 documents, fewer than 8: they are taken as independent of each other.",
    )


def test_without_repeats_no_row_of_an_llm_critic_breaks() -> None:
    """One judgement on each side cannot be told from a coin that fell the other way."""
    pairs = [pair(0, 1.0, 0.0, threshold=0.8), *(pair(row, 1.0, 1.0, threshold=0.8) for row in range(1, 20))]
    assert not decide(pairs).failed


def test_a_row_breaks_where_no_llm_judges() -> None:
    pairs = [pair(0, 1.0, 0.2), *(pair(row, 1.0, 1.0) for row in range(1, 20))]
    found = decide(pairs, steady=("faithfulness",))
    (broken,) = found.breaks
    assert (broken.key.sample_id, broken.why, broken.allowed) == ("row0", "fell", 0.5)
    assert found.failed
    assert not decide(pairs, ComparisonRules(fall=0.9), steady=("faithfulness",)).breaks


def test_a_flip_breaks_a_row_however_little_it_fell() -> None:
    pairs = [pair(0, 0.82, 0.78, threshold=0.8), *(pair(row, 0.9, 0.9, threshold=0.8) for row in range(1, 20))]
    found = decide(pairs, steady=("faithfulness",))
    assert [(broken.why, broken.allowed) for broken in found.breaks] == [("flipped", 0.0)]
    assert not decide(pairs, ComparisonRules(flips=False), steady=("faithfulness",)).breaks


def test_a_metric_that_changed_its_mind_is_not_steady() -> None:
    """The same answer had another score: whoever says that no LLM judges here is wrong."""
    pairs = [pair(0, 1.0, 0.2), pair(1, 0.9, 0.6, same_answer=True), *(pair(row, 1.0, 1.0) for row in range(2, 20))]
    assert not decide(pairs, steady=("faithfulness",)).breaks


def test_a_row_with_the_same_answer_does_not_break() -> None:
    quiet = [pair(row, (1.0,) * 5, (1.0,) * 5) for row in range(1, 20)]
    for same in (False, True):
        found = decide([pair(0, (1.0,) * 5, (0.0,) * 5, same_answer=same), *quiet])
        assert bool(found.breaks) != same


@pytest.mark.parametrize(("repeats", "breaks"), [(2, False), (3, True), (5, True)])
def test_repeats_that_agree_break_a_row_from_three_on(repeats: int, breaks: bool) -> None:
    pairs = [pair(row, (1.0,) * repeats, (1.0,) * repeats) for row in range(1, 20)]
    assert bool(decide([pair(0, (1.0,) * repeats, (0.0,) * repeats), *pairs]).breaks) == breaks


def test_where_other_rows_are_coins_a_clean_break_may_be_one_too() -> None:
    coins = [pair(row, (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)) for row in range(1, 8)]
    assert not decide([pair(0, (1.0,) * 3, (0.0,) * 3), *coins]).breaks


def test_a_known_spread_stands_for_repeats() -> None:
    pairs = [pair(0, 1.0, 0.2), *(pair(row, 1.0, 1.0) for row in range(1, 20))]
    assert decide(pairs, ComparisonRules(spreads={"faithfulness": 0.05})).breaks
    assert not decide(pairs, ComparisonRules(spreads={"faithfulness": 0.3})).breaks


def test_a_drop_that_lives_in_one_slice_is_named() -> None:
    """A tenth of the rows lost 0.2: too little for the mean of all, plain in the slice."""
    r = random.Random(1)
    pairs = [
        pair(
            row,
            0.7 + r.gauss(0, 0.05),
            (0.5 if row < 20 else 0.72) + r.gauss(0, 0.05),
            slices=("tag=billing",) if row < 20 else (f"tag=other{row % 3}",),
        )
        for row in range(200)
    ]
    found = decide(pairs)
    assert not found.failed
    assert [change.slice for change in found.slices] == ["tag=billing"]
    assert found.slices[0].change == pytest.approx(-0.2, abs=0.04)


def test_a_drop_of_all_rows_names_no_slice_and_one_that_most_comes_from_is_named() -> None:
    everywhere = [
        pair(row, 0.8, 0.6 + row % 7 / 100, slices=(f"tag={row % 4}", f"question_type={row % 2}")) for row in range(80)
    ]
    assert decide(everywhere).failed
    assert decide(everywhere).slices == ()
    one = [
        pair(row, 0.8, (0.3 if row % 4 == 1 else 0.78) + row % 7 / 100, slices=(f"tag={row % 4}",)) for row in range(80)
    ]
    assert decide(one).failed
    assert [change.slice for change in decide(one).slices] == ["tag=1"]


def test_the_same_pairs_give_the_same_comparison() -> None:
    pairs = noisy(60, drop=0.02)
    assert decide(pairs) == decide(pairs)


def test_nothing_to_compare_decides_nothing() -> None:
    found = decide([])
    assert (found.changes, found.breaks, found.slices) == ((), (), ())


def test_metrics_that_no_llm_judges_are_steady_where_both_runs_say_so() -> None:
    embedded, native = (
        RecordedRun(
            name="",
            created="",
            rows=(),
            metrics=(
                MetricIdentity(metric="faithfulness", backend=backend, version="1"),
                MetricIdentity(metric="rouge_l", backend="free", version="1"),
            ),
        )
        for backend in ("embedded", "native")
    )
    assert steady_metrics(embedded, embedded) == {"faithfulness", "rouge_l"}
    assert steady_metrics(embedded, native) == {"rouge_l"}


def test_ten_thousand_rows_of_four_metrics_with_a_thousand_documents_are_decided() -> None:
    """In half a second of an idle core; what grows with the square of the rows would not come to its end here."""
    pairs = [
        ScorePair(
            key=entry.key,
            metric=entry.metric,
            before=entry.before,
            after=entry.after,
            cluster=entry.cluster,
            slices=(f"tag={row % 20}", f"source={row // 10}"),
        )
        for number in range(4)
        for row, entry in enumerate(noisy(10_000, drop=0.01, seed=number, metric=f"metric{number}"))
    ]
    assert decide(pairs).failed


def test_a_suite_too_small_for_the_drop_it_gates_says_what_it_would_take() -> None:
    """Half of the changes is the critic's noise: repeats help, up to what the answers themselves vary."""
    r = random.Random(2)
    pairs = []
    for row in range(40):
        before, after = r.gauss(0.6, 0.05), r.gauss(0.6, 0.05)
        pairs.append(
            pair(
                row,
                tuple(before + r.gauss(0, 0.1) for _ in range(3)),
                tuple(after + r.gauss(0, 0.1) for _ in range(3)),
            )
        )
    (change,) = decide(pairs, ComparisonRules(effect=0.035)).changes
    assert change.rows_needed is not None
    assert change.repeats_needed is not None
    assert 45 < change.rows_needed < 120
    assert 3 < change.repeats_needed < 60
    (hopeless,) = decide(pairs, ComparisonRules(effect=0.01)).changes
    assert hopeless.rows_needed is not None
    assert hopeless.rows_needed > 500
    assert hopeless.repeats_needed is None
    (enough,) = decide(pairs, ComparisonRules(effect=0.2)).changes
    assert (enough.rows_needed, enough.repeats_needed) == (None, None)
    (unasked,) = decide(pairs).changes
    assert (unasked.rows_needed, unasked.repeats_needed) == (None, None)
