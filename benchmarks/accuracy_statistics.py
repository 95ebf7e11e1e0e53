"""How well values tell good cases from bad ones, by the statistics of `pytest-ragas calibrate`, bootstrapped."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_ragas.statistics.agreement import auroc_value, decisions


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A statistic with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Values of a measure for cases that are known to be good or bad."""

    values: tuple[float, ...]
    good: tuple[bool, ...]

    def auroc(self, *, repeats: int, seed: int) -> Interval:
        """Chance that a good case has the higher value than a bad one; ties count half."""
        drawn = [auroc_value(self.values, self.good, counts) for counts in self._draws(repeats, seed)]
        return _interval(auroc_value(self.values, self.good), drawn)

    def balanced_accuracy(self, threshold: float, *, repeats: int, seed: int) -> Interval:
        """Mean of the shares of good cases at or above a threshold and of bad cases below it."""
        drawn = [self._accuracy_at(threshold, counts) for counts in self._draws(repeats, seed)]
        return _interval(self._accuracy_at(threshold), drawn)

    def best_threshold(self) -> float:
        """The threshold, to two digits, of the highest balanced accuracy on these very cases."""
        return max(sorted({round(value, 2) for value in self.values}), key=self._accuracy_at)

    def accuracy_of_few_labels(self, labels: int, *, repeats: int, seed: int) -> float:
        """Mean balanced accuracy on the other cases of a threshold that was chosen on `labels` of them."""
        rng = random.Random(seed)
        accuracies: list[float] = []
        while len(accuracies) < repeats:
            chosen = set(rng.sample(range(len(self.values)), labels))
            few, rest = self._only(chosen), self._only(set(range(len(self.values))) - chosen)
            if 0 < sum(few.good) < labels and 0 < sum(rest.good) < len(rest.good):
                accuracies.append(rest._accuracy_at(few.best_threshold()))
        return sum(accuracies) / len(accuracies)

    def mean(self, good: bool) -> float:
        """Mean value of the good, or of the bad, cases."""
        values = [value for value, kind in zip(self.values, self.good, strict=True) if kind == good]
        return sum(values) / len(values)

    def _accuracy_at(self, threshold: float, counts: Sequence[float] | None = None) -> float:
        table = decisions(self.values, self.good, threshold, counts)
        good, bad = table.good_held + table.good_broken, table.bad_held + table.bad_broken
        return (table.good_held / good + table.bad_broken / bad) / 2

    def _only(self, indexes: set[int]) -> Judged:
        return Judged(
            values=tuple(self.values[index] for index in sorted(indexes)),
            good=tuple(self.good[index] for index in sorted(indexes)),
        )

    def _draws(self, repeats: int, seed: int) -> Iterator[list[float]]:
        """How often each case is drawn, with replacement; never only good or only bad ones."""
        rng = random.Random(seed)
        size = len(self.values)
        done = 0
        while done < repeats:
            counts = [0.0] * size
            for index in rng.choices(range(size), k=size):
                counts[index] += 1
            if len({good for good, count in zip(self.good, counts, strict=True) if count}) == 2:
                done += 1
                yield counts


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    ordered = sorted(drawn)
    cut = round(0.025 * len(ordered))
    return Interval(value=value, low=ordered[cut], high=ordered[-1 - cut])
