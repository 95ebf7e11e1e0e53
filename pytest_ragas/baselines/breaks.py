"""Hard breaks: rows that fell too far, whatever the mean did."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pytest_ragas.baselines.noise import MetricNoise, judgements
from pytest_ragas.statistics.row_noise import coin_chance, noise_allowance
from pytest_ragas.values.comparison import HardBreak, ScorePair
from pytest_ragas.values.comparison_rules import ComparisonRules

_ROUNDING = 1e-9

_LIKE_THE_FALL = 0.5
"""Part of a fall that another row's repeats must lie apart to be a coin of its kind."""


def hard_breaks(
    pairs: Sequence[ScorePair], noise: MetricNoise, rules: ComparisonRules, *, metrics: int
) -> tuple[HardBreak, ...]:
    """The rows of one metric that fell by more than the rules allow, and further than the critic's noise takes a row.

    A row whose answer is the same as in the baseline does not break: what changed there is the critic's mind. Nor does
    any where nothing is known of the noise: one judgement on each side cannot tell a broken row from a coin that
    landed the other way, since each of the largest changes is as likely to be a rise as a fall.

    Where repeats tell the noise, two things must hold. The fall is larger than the one that the spread of any row makes
    likely; and it is no coin's: were the row, and every row whose repeats lie half the fall apart, one that the critic
    throws a coin over, a clean break like this would still be unlikely. The second is for rows that are coins and
    happened to fall the same way each time: their own spread says nothing.

    Args:
        pairs: Of one metric, at least one.
        noise: Of the metric.
        rules: What may fall how far.
        metrics: How many share the chance of a false alarm.
    """
    if noise.spread is None or rules.break_alpha <= 0:
        return ()
    by_noise = noise_allowance([noise.of_row(pair) for pair in pairs], alpha=rules.break_alpha / metrics)
    ranges = sorted(_range(pair) for pair in pairs)
    found = []
    for pair in pairs:
        fall = -pair.change
        if fall <= by_noise + _ROUNDING or pair.same_answer:
            continue
        # a row that the critic throws a coin over shows it: its repeats lie as far apart as the fall, more or less
        coins = 1 + len(ranges) - bisect_left(ranges, fall * _LIKE_THE_FALL)
        if not noise.trusted and coins * coin_chance(*judgements(pair)) > rules.break_alpha:
            continue
        fell = rules.fall is not None and fall > rules.fall + _ROUNDING
        flipped = rules.flips and pair.held_before is True and pair.held_after is False
        if fell or flipped:
            allowed = max(rules.fall or 0.0, by_noise) if fell else by_noise
            found.append(
                HardBreak(
                    key=pair.key,
                    metric=pair.metric,
                    before=pair.before.value,
                    after=pair.after.value,
                    why="fell" if fell else "flipped",
                    allowed=allowed,
                )
            )
    return tuple(found)


def _range(pair: ScorePair) -> float:
    """How far the repeats of a row lie apart in one run."""
    return max(
        (max(values) - min(values) for values in (pair.before.repeats, pair.after.repeats) if values), default=0.0
    )
