"""The sign-flip test: how likely a drop is chance, if each change might as well have gone the other way."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence

from pytest_ragas.statistics.normal import normal_below

MOST_EXACT = 24
"""Up to so many changed clusters every pattern of signs is counted: 2^24, as two lists of 2^12."""

DRAWS = 9_999
"""Patterns of signs that are drawn where there are more: with the +1 a p is then a multiple of 1/10,000."""

MOST_VALUES = 40
"""Distinct sizes of change up to which patterns are drawn, since equal ones are flipped all at once. With more of them
the distribution has no steps to speak of, and the saddlepoint is closer to it than drawing is."""

ROUGHLY = 0.25
"""Above this the approximation will do."""


def sign_flip(sums: Sequence[float], *, seed: int = 0, draw: bool = True) -> float:
    """The one-sided p of a drop.

    If only chance (the critic's noise, the weather of a sampled answer) lies between two runs, then before and now
    may be exchanged, and each cluster's change has the other sign as easily. p is the share of sign patterns whose
    sum is as low as the observed one or lower.

    Args:
        sums: The sum of the changes of each cluster.
        seed: Same seed, same p.
        draw: Whether to draw patterns where there are too many to count; else the saddlepoint is taken, which also
            knows p below 1/10,000.

    Returns:
        In (0, 1]; 1 where nothing changed.

    Source:
        R. A. Fisher, The Design of Experiments, 1935, section 21. Up to 24 changes all patterns, by halves (Horowitz
        and Sahni 1974); else 9,999 drawn ones and the observed one (B. Phipson, G. K. Smyth, Permutation P-values
        Should Never Be Zero, SAGMB 9(1), 2010); for many different values the saddlepoint of J. Robinson, JRSS B
        44(1), 1982, with the tail formula of R. Lugannani and S. Rice, Advances in Applied Probability 12(2), 1980.
    """
    sizes = [abs(total) for total in sums if abs(total) > 1e-12]
    observed = math.fsum(sums)
    if not sizes:
        return 1.0
    if len(sizes) <= MOST_EXACT:
        return _exact(sizes, observed)
    groups = _counted(sizes)
    roughly = _saddlepoint(groups, observed)
    if not draw or len(groups) > MOST_VALUES or roughly > ROUGHLY:
        return roughly
    return _drawn(groups, observed, seed)


def _exact(sizes: Sequence[float], observed: float) -> float:
    near = 1e-9
    half = len(sizes) // 2
    first, second = sorted(_patterns(sizes[:half])), sorted(_patterns(sizes[half:]), reverse=True)
    count, at = 0, 0
    for value in second:
        while at < len(first) and first[at] + value <= observed + near:
            at += 1
        count += at
    return math.ldexp(count, -len(sizes))


def _patterns(sizes: Sequence[float]) -> list[float]:
    found = [0.0]
    for size in sizes:
        found = [value - size for value in found] + [value + size for value in found]
    return found


def _counted(sizes: Sequence[float]) -> Counter[float]:
    """How often each size is there. Sums of the same values in another order differ in the last bits."""
    seen: dict[float, float] = {}
    return Counter(seen.setdefault(round(size, 9), size) for size in sizes)


def _drawn(groups: Counter[float], observed: float, seed: int) -> float:
    bits = random.Random(seed).getrandbits
    parts = list(groups.items())
    lowest = -sum(size * count for size, count in parts)
    as_low = sum(
        lowest + 2 * sum(size * bits(count).bit_count() for size, count in parts) <= observed + 1e-9
        for _ in range(DRAWS)
    )
    return (as_low + 1) / (DRAWS + 1)


def _saddlepoint(groups: Counter[float], observed: float) -> float:
    parts = list(groups.items())
    spread = math.sqrt(sum(count * size * size for size, count in parts))
    if observed <= -(1 - 1e-9) * sum(size * count for size, count in parts):
        return max(0.5 ** sum(groups.values()), 1e-300)
    if abs(observed) < 1e-3 * spread:
        return normal_below(observed / spread)
    at = _tilt(parts, observed)
    generating = sum(count * _log_cosh(at * size) for size, count in parts)
    root = math.copysign(math.sqrt(max(0.0, 2 * (at * observed - generating))), at)
    bend = sum(count * size * size * (1 - math.tanh(at * size) ** 2) for size, count in parts)
    tail = math.exp(-root * root / 2) / math.sqrt(2 * math.pi) * (1 / root - 1 / (at * math.sqrt(bend)))
    return min(1.0, max(1e-12, normal_below(root) + tail))


def _tilt(parts: Sequence[tuple[float, int]], observed: float) -> float:
    """Where the slope of the cumulant generating function is the observed sum. The slope is steep near 0 and flat
    outside: Newton's steps could jump, so they are kept between bounds.
    """
    low, high = (-1.0, 0.0) if observed < 0 else (0.0, 1.0)
    while _slope(parts, low) > observed:
        low *= 2
    while _slope(parts, high) < observed:
        high *= 2
    at = (low + high) / 2
    for _ in range(100):
        slope = _slope(parts, at)
        low, high = (at, high) if slope < observed else (low, at)
        bend = sum(count * size * size * (1 - math.tanh(at * size) ** 2) for size, count in parts)
        step = at - (slope - observed) / bend if bend > 0 else low
        step = step if low < step < high else (low + high) / 2
        if abs(step - at) < 1e-10 * abs(at):
            return step
        at = step
    return at


def _slope(parts: Sequence[tuple[float, int]], at: float) -> float:
    return sum(count * size * math.tanh(at * size) for size, count in parts)


def _log_cosh(x: float) -> float:
    return abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2)
