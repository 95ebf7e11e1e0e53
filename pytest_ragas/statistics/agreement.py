"""How well scores agree with labels of good and bad: AUROC, balanced accuracy, Cohen's kappa, with intervals.

None of the intervals has zero width: ten answers that were all told apart do not prove that every one will be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from pytest_ragas.statistics.normal import normal_quantile
from pytest_ragas.values.calibration import Measured


@dataclass(frozen=True, slots=True)
class Decisions:
    """Rows by what the critic and what people say of them; may be weighted."""

    good_held: float
    """Good rows whose score holds the threshold."""
    good_broken: float
    bad_held: float
    bad_broken: float

    @property
    def total(self) -> float:
        """All rows."""
        return self.good_held + self.good_broken + self.bad_held + self.bad_broken


def decisions(
    values: Sequence[float], good: Sequence[bool], threshold: float, weights: Sequence[float] | None = None
) -> Decisions:
    """What a threshold makes of scores: those at or above it hold.

    Args:
        values: Scores, higher is better.
        good: What people say of each.
        threshold: The bound.
        weights: How often each counts; once, if not given.
    """
    cells = {(True, True): 0.0, (True, False): 0.0, (False, True): 0.0, (False, False): 0.0}
    for value, is_good, weight in zip(values, good, weights or [1.0] * len(values), strict=True):
        cells[is_good, value >= threshold] += weight
    return Decisions(cells[True, True], cells[True, False], cells[False, True], cells[False, False])


def auroc_value(values: Sequence[float], good: Sequence[bool], weights: Sequence[float] | None = None) -> float:
    """Chance that a good row has the higher score than a bad one; ties count half.

    Args:
        values: Scores, higher is better.
        good: What people say of each; both kinds must be there.
        weights: How often each row counts; once, if not given.
    """
    counts = weights or [1.0] * len(values)
    order = sorted(range(len(values)), key=values.__getitem__)
    goods = bads = won = 0.0
    for _, group in groupby(order, key=values.__getitem__):
        here_good = here_bad = 0.0
        for index in group:
            if good[index]:
                here_good += counts[index]
            else:
                here_bad += counts[index]
        won += here_good * (bads + here_bad / 2)
        goods, bads = goods + here_good, bads + here_bad
    return won / (goods * bads)


def auroc(values: Sequence[float], good: Sequence[bool], *, confidence: float = 0.95) -> Measured | None:
    """The area under the ROC curve with its interval; None where all rows are good, or all are bad.

    Args:
        values: Scores, higher is better.
        good: What people say of each.
        confidence: Of the interval.

    Source:
        Variance: E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988), 837-845. Interval on the scale of the
        logit: M. Pepe, *The Statistical Evaluation of Medical Tests*, 2003, 5.2.5. Where that variance is 0 (all told
        apart, or none) or cannot be had: R. Newcombe, Statistics in Medicine 25 (2006), 559-573, method 5.
    """
    number = sum(good)
    if number in (0, len(good)):
        return None
    value = auroc_value(values, good)
    variance = delong_variance(values, good)
    if variance <= 0 or not 0 < value < 1:
        low, high = _newcombe(value, number, len(good) - number, confidence)
        return Measured(value=value, low=low, high=high)
    logit = math.log(value / (1 - value))
    width = normal_quantile((1 + confidence) / 2) * math.sqrt(variance) / (value * (1 - value))
    return Measured(value=value, low=_expit(logit - width), high=_expit(logit + width))


def delong_variance(values: Sequence[float], good: Sequence[bool]) -> float:
    """Variance of the area by DeLong's structural components; 0 where a kind has one row only.

    The components are found by ranks, so that it takes n log n steps (Sun and Xu 2014), not good times bad ones.
    """
    goods = sorted(value for value, is_good in zip(values, good, strict=True) if is_good)
    bads = sorted(value for value, is_good in zip(values, good, strict=True) if not is_good)
    if min(len(goods), len(bads)) < 2:
        return 0.0
    of_goods = _shares_below(goods, bads)
    of_bads = [1 - share for share in _shares_below(bads, goods)]
    return _variance(of_goods) / len(goods) + _variance(of_bads) / len(bads)


def balanced_accuracy(table: Decisions, *, confidence: float = 0.95) -> Measured:
    """Mean of the shares of good rows that hold and of bad rows that break a threshold. Both kinds must be there.

    Source:
        The interval joins Wilson's of the two shares: R. Newcombe, Statistics in Medicine 17 (1998), 873-890,
        method 10, for a sum; G. Zou, A. Donner, Statistics in Medicine 27 (2008), 1693-1702.
    """
    parts = [
        (table.good_held, table.good_held + table.good_broken),
        (table.bad_broken, table.bad_held + table.bad_broken),
    ]
    shares = [hits / of for hits, of in parts]
    bounds = [wilson(hits, of, confidence=confidence) for hits, of in parts]
    below = math.hypot(*(share - low for share, (low, _) in zip(shares, bounds, strict=True))) / 2
    above = math.hypot(*(high - share for share, (_, high) in zip(shares, bounds, strict=True))) / 2
    value = sum(shares) / 2
    return Measured(value=value, low=max(0.0, value - below), high=min(1.0, value + above))


def kappa(table: Decisions, *, confidence: float = 0.95) -> Measured | None:
    """Cohen's kappa: agreement beyond chance, in [-1, 1]; None where all rows lie in one cell, or there are none.

    Source:
        J. Cohen, Educational and Psychological Measurement 20 (1960), 37-46. Standard error: J. Fleiss, J. Cohen,
        B. Everitt, Psychological Bulletin 72 (1969), 323-327. Unlike them we add 1/2 to each cell for the interval
        (as A. Agresti, *Categorical Data Analysis*, 2013, 3.1, does for log odds): else perfect agreement of ten rows
        would be certain.
    """
    value = kappa_value(table)
    if value is None:
        return None
    added = Decisions(table.good_held + 0.5, table.good_broken + 0.5, table.bad_held + 0.5, table.bad_broken + 0.5)
    centre, width = kappa_value(added), normal_quantile((1 + confidence) / 2) * kappa_error(added)
    assert centre is not None  # no cell is empty
    return Measured(value=value, low=max(-1.0, min(value, centre - width)), high=min(1.0, max(value, centre + width)))


def kappa_value(table: Decisions) -> float | None:
    """Cohen's kappa of a table; None where chance alone would agree always."""
    if not table.total:
        return None
    agreed, chance, _, _ = _kappa_parts(table)
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def kappa_error(table: Decisions) -> float:
    """The large-sample standard error of kappa. Source as `kappa`."""
    agreed, chance, people, critic = _kappa_parts(table)
    value = (agreed - chance) / (1 - chance)
    cells = [[table.good_held, table.good_broken], [table.bad_held, table.bad_broken]]
    share = [[cell / table.total for cell in row] for row in cells]
    same = sum(share[i][i] * (1 - (people[i] + critic[i]) * (1 - value)) ** 2 for i in (0, 1))
    other = sum(share[i][1 - i] * (critic[i] + people[1 - i]) ** 2 for i in (0, 1)) * (1 - value) ** 2
    variance = (same + other - (value - chance * (1 - value)) ** 2) / ((1 - chance) ** 2 * table.total)
    return math.sqrt(max(0.0, variance))


def wilson(hits: float, of: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share. Source: E. Wilson, JASA 22 (1927), 209-212.

    Args:
        hits: At least 0.
        of: More than 0.
        confidence: Of the interval.
    """
    z = normal_quantile((1 + confidence) / 2)
    share = hits / of
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    width = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, centre - width), min(1.0, centre + width)


def _kappa_parts(table: Decisions) -> tuple[float, float, tuple[float, float], tuple[float, float]]:
    """Share that agrees, share that would by chance, and the shares of good and bad that people and critic see."""
    n = table.total
    people = (table.good_held + table.good_broken) / n, (table.bad_held + table.bad_broken) / n
    critic = (table.good_held + table.bad_held) / n, (table.good_broken + table.bad_broken) / n
    agreed = (table.good_held + table.bad_broken) / n
    return agreed, people[0] * critic[0] + people[1] * critic[1], people, critic


def _shares_below(ordered: Sequence[float], others: Sequence[float]) -> list[float]:
    """For each value the share of the others that lie below it, ties counting half; both sorted."""
    shares = []
    below = upto = 0
    for value in ordered:
        while below < len(others) and others[below] < value:
            below += 1
        while upto < len(others) and others[upto] <= value:
            upto += 1
        shares.append((below + upto) / 2 / len(others))
    return shares


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _newcombe(value: float, goods: int, bads: int, confidence: float) -> tuple[float, float]:
    """Areas that the one that was seen does not contradict, by the variance of Hanley and McNeil with both numbers
    replaced by their mean.
    """
    z = normal_quantile((1 + confidence) / 2)
    mean = (goods + bads) / 2 - 1

    def excess(area: float) -> float:
        spread = area * (1 - area) * (1 + mean * ((1 - area) / (2 - area) + area / (1 + area))) / (goods * bads)
        return abs(value - area) - z * math.sqrt(max(0.0, spread))

    return _edge(excess, value, 0.0), _edge(excess, value, 1.0)


def _edge(excess: Callable[[float], float], inside: float, outside: float) -> float:
    """Where `excess` turns positive between a point at which it is not and an end of the range."""
    if inside == outside or excess(outside) <= 0:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        if excess(middle) > 0:
            outside = middle
        else:
            inside = middle
    return inside


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
