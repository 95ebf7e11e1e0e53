"""Measure how well a likelihood critic tells good from bad on labelled data, as the tables of docs/local-critics.md.

    python benchmarks/local_accuracy.py DATA_DIR
    python benchmarks/local_accuracy.py DATA_DIR --model path/to/model --cases 100 --write docs/local-critics.md

DATA_DIR holds .jsonl testsets as `embedded_accuracy.py` reads them; the data are never part of the project. Scores are
stored in `--cache-dir`, so that a run that was stopped goes on where it was, and a second one computes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy_statistics import Interval, Judged
from embedded_accuracy import bigram_coverage, metric_value, replace_between_marks, scored, table
from labelled_cases import Case, CaseSet, faithfulness_sets, labelled_files

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.session import Session
from pytest_ragas.settings.values import ModelSettings, Settings

LABELS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One set with what every measure says of its cases."""

    name: str
    source: str
    """The file that its cases come from; empty for those made of several."""
    judged: Mapping[str, Judged]
    """By measure; all of the same cases."""
    left_out: int
    """Cases without content words, which the embedded measure does not score."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, metavar="DATA_DIR", help="folder of labelled .jsonl testsets")
    parser.add_argument("--model", default="smollm2", help='"smollm2", a path or a hub id (default smollm2)')
    parser.add_argument("--cases", type=int, default=120, help="cases of each set at most (default 120)")
    parser.add_argument("--asked", type=int, default=40, help="cases of each set that are asked, too (default 40)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    parser.add_argument("--cache-dir", default=".pytest-ragas", help="where scores are stored (default .pytest-ragas)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the marks of a file")
    parser.add_argument("--repeats", type=int, default=1000, help="bootstrap draws (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of edits and draws (default 0)")
    options = parser.parse_args()
    sets = faithfulness_sets(labelled_files(options.data, seed=options.seed), seed=options.seed)
    bench = Bench(repeats=options.repeats, seed=options.seed)
    measured = list(measure(sets, ("explained",), options.cases, options))
    asked = list(measure(sets, ("explained", "yes_no"), options.asked, options))
    text = "\n\n".join([bench.auroc_table(measured), bench.threshold_table(measured), bench.auroc_table(asked)])
    print(text)
    if options.write:
        replace_between_marks(options.write, text)


def measure(
    sets: Sequence[CaseSet], measures: Sequence[str], most: int, options: argparse.Namespace
) -> Iterator[Measured]:
    """What every measure says of the cases of every set, set after set."""
    embedded = metric_value("faithfulness")
    for case_set in sets:
        chosen = some(case_set, most)
        good = sum(case.good for case in chosen)
        if min(good, len(chosen) - good) <= LABELS // 2:
            continue  # too few of a kind to say anything of
        cases = [case for case in chosen if embedded(case.sample) is not None]
        values = {
            "embedded": [embedded(case.sample) for case in cases],
            "bigram coverage": [bigram_coverage(case.sample) for case in cases],
            **{f"likelihood, {how}": likelihood_scores(cases, how, options) for how in measures},
        }
        yield Measured(
            name=case_set.name,
            source="" if case_set.name.startswith("edits") else case_set.name.partition(",")[0],
            judged={name: scored(cases, found) for name, found in values.items()},
            left_out=len(chosen) - len(cases),
        )


def some(case_set: CaseSet, most: int) -> Sequence[Case]:
    """At most so many cases of a set, as good as the set: of those with lengths matched, as many good as bad ones."""
    if "matched" not in case_set.name:
        return case_set.cases[:most]
    kinds = [[case for case in case_set.cases if case.good == good] for good in (True, False)]
    return [case for pair in zip(*kinds, strict=True) for case in pair][:most]


def likelihood_scores(cases: Sequence[Case], how: str, options: argparse.Namespace) -> list[float]:
    """Scores as a suite gets them: stored ones first, the others read together where their contexts are the same."""
    model = ModelSettings(model_name_or_path=options.model, options={"kind": "likelihood", "threads": options.threads})
    settings = Settings(
        critic_llm=model,
        concurrency=64,
        cache_dir=options.cache_dir,
        metric_options={"faithfulness": {"measure": how}},
    )
    session = Session(settings, registry())
    try:
        evaluator = session.evaluator()
        plan = evaluator.plan(metrics=["faithfulness"], defaults=False)
        tickets = [evaluator.submit(case.sample, plan) for case in cases]
        scores = []
        for ticket in tickets:
            result = ticket.result()
            if result.failures:
                raise SystemExit(result.failures[0].error)
            scores.append(result.scores[0].value)
        session.finish()
        return scores
    finally:
        session.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Writes tables."""

    repeats: int
    seed: int

    def auroc_table(self, sets: Sequence[Measured]) -> str:
        """How well each measure orders good before bad."""
        names = list(sets[0].judged)
        rows = [
            [found.name, len(found.judged[names[0]].values), *(self._auroc(found.judged[name]) for name in names)]
            for found in sets
        ]
        means = [sum(self._auroc(found.judged[name]).value for found in sets) / len(sets) for name in names]
        return table(["AUROC [95 %]", "n", *names], [*rows, ["mean", "", *means]])

    def threshold_table(self, sets: Sequence[Measured]) -> str:
        """What a threshold is worth: the best one, one from other data, and one from a few labelled rows."""
        rows = []
        for found in sets:
            for name, judged in found.judged.items():
                best, other = judged.best_threshold(), pooled(sets, found, name).best_threshold()
                rows.append(
                    [
                        found.name,
                        name,
                        f"{judged.mean(True):.2f} / {judged.mean(False):.2f}",
                        f"{self._accuracy(judged, best)} at {best:.2f}",
                        f"{self._accuracy(judged, other)} at {other:.2f}",
                        judged.accuracy_of_few_labels(LABELS, repeats=200, seed=self.seed),
                    ]
                )
        return table(
            [
                "balanced accuracy",
                "measure",
                "mean good / bad",
                "at the best threshold",
                "at one from other data",
                f"at one from {LABELS} labels",
            ],
            rows,
        )

    def _auroc(self, judged: Judged) -> Interval:
        return judged.auroc(repeats=self.repeats, seed=self.seed)

    def _accuracy(self, judged: Judged, threshold: float) -> Interval:
        return judged.balanced_accuracy(threshold, repeats=self.repeats, seed=self.seed)


def pooled(sets: Sequence[Measured], without: Measured, name: str) -> Judged:
    """The cases of all files but the one that a set comes from; of all files where a set is made of several."""
    others = [found.judged[name] for found in sets if found.source == found.name and found.source != without.source]
    if not others:
        raise SystemExit("A threshold from other data needs two files.")
    return Judged(
        values=tuple(value for judged in others for value in judged.values),
        good=tuple(good for judged in others for good in judged.good),
    )


if __name__ == "__main__":
    main()
