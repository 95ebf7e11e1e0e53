"""`run_task`: EvalScope's task dicts for its RAGAS backend, generation of a testset and evaluation, in one call."""

from __future__ import annotations

import importlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ragas.errors import ConfigurationError, PytestRagasWarning, TestsetError
from pytest_ragas.settings.seal import Unseen

if TYPE_CHECKING:
    from pytest_ragas.metrics.registry import Registry
    from pytest_ragas.session.session import Session
    from pytest_ragas.settings.task import Evaluation, Generation, Task
    from pytest_ragas.values.gate import Gate, GateVerdict
    from pytest_ragas.values.run import Run
    from pytest_ragas.values.testset import Testset


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskScores(Mapping[str, "float | None"]):
    """What a task gave: a mapping of metrics to their means over the testset, and everything behind them.

    A mean is None where a row could not be scored: `run.results` says which, and why. A task that only generates has no
    metrics.
    """

    testset: Testset
    """The rows that were scored, or were generated."""
    run: Run
    """Every row with its scores and evidence; without results for a task that only generates."""
    score_file: Path | None = None
    """Where they were written, beside the testset."""
    verdicts: tuple[GateVerdict, ...] = ()
    """What became of the gates of the settings, if there are any."""
    unasked: tuple[Gate, ...] = ()
    """Gates on metrics that the task does not name."""

    @property
    def passed(self) -> bool:
        """Whether every row has every score, and thresholds and gates of the settings hold."""
        held = all(verdict.outcome == "passed" for verdict in self.verdicts)
        return held and all(result.outcome == "passed" for result in self.run.results)

    def __getitem__(self, metric: str) -> float | None:
        return self._means()[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._means())

    def __len__(self) -> int:
        return len(self._means())

    def __repr__(self) -> str:
        return f"TaskScores({self._means()})"

    def _means(self) -> dict[str, float | None]:
        from pytest_ragas.reports.score_file import means

        return means(self.run)


def run_task(task_cfg: Mapping[str, Any] | str | os.PathLike[str]) -> TaskScores:
    """Run a task of EvalScope's RAGAS backend: generate a testset, evaluate one, or first the one and then the other.

    Paths in it begin at the working directory. Settings of `[tool.pytest-ragas]` hold where the task says nothing
    (concurrency, cache, prices, thresholds …). Keys that are retired warn once each.

    Args:
        task_cfg: The dict, which is not changed; or the path of a `.yaml` or `.json` file that holds it.

    Returns:
        The scores, which also lie in `<testset>_score.json` beside the testset.

    Raises:
        ConfigurationError: The task cannot be used; lists everything that is wrong with it.
        PytestRagasError: Documents, testset or models do not do what it takes; `raise_exceptions` makes a score that
            cannot be computed such an error, too.
    """
    if isinstance(task_cfg, (str, os.PathLike)):
        task, place = read_task_file(Path(task_cfg))
    else:
        from pytest_ragas.settings.task_layer import sealed_task, task_of

        place = "the task"
        sealed, problem = sealed_task(task_cfg, place=place, beside=Path.cwd(), environ=os.environ)
        del task_cfg  # it may hold keys, and tracebacks may print this frame
        task = task_of(sealed, problem, place=place, environ=Unseen(os.environ, "environment"))
    return run_read_task(task, place)


def read_task_file(path: Path) -> tuple[Task, str]:
    """The task of a file, and how messages name it. Errors as `run_task`."""
    from pytest_ragas.settings.task_layer import sealed_file, task_of

    sealed, problem = sealed_file(path, environ=os.environ)
    return task_of(sealed, problem, place=str(path), environ=Unseen(os.environ, "environment")), str(path)


def run_read_task(task: Task, place: str) -> TaskScores:
    """Run a task that was read. Arguments, result and errors as `run_task`."""
    for note in task.notes:
        warnings.warn(PytestRagasWarning(note), stacklevel=3)
    scores = None
    if task.generation is not None:
        scores = _generate(task, task.generation, place)
    if task.evaluation is not None:
        scores = _evaluate(task, task.evaluation, place)
    assert scores is not None  # a task has a part
    return scores


def _session(task: Task, table: Mapping[str, Any], place: str) -> Session:
    from pytest_ragas.metrics.builtin import registry
    from pytest_ragas.session.session import Session
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir
    from pytest_ragas.settings.task_layer import task_layer

    known = registry()
    table = {**table, **task.settings}
    if "metrics" in table:
        table["metrics"] = [
            _imported(name, known) if "." in name else _spelled(name, known) for name in table["metrics"]
        ]
    settings = load_settings(rootdir=rootdir(), environ=os.environ, task=task_layer(table, origin=place))
    return Session(settings, known)


def _spelled(name: str, registry: Registry) -> str:
    """A name as we write it, also where EvalScope has it without any break between its words: "answerrelevancy"."""
    run_together = {known.replace("_", ""): known for known in registry.names()}
    return run_together.get(name.lower(), name)


def _imported(name: str, registry: Registry) -> str:
    """The name of a metric that is named by where it is defined: "my_metrics.BREVITY", a `MetricSpec`."""
    from pytest_ragas.protocols import MetricSpec

    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] == "ragas":  # EvalScope takes the path of any class of ragas
        return f"ragas:{attribute}"
    try:
        spec = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"The metric {name!r} cannot be imported: {error}.") from None
    if not isinstance(spec, MetricSpec):
        raise ConfigurationError(
            f"The metric {name!r} is a {type(spec).__name__}, and must be a MetricSpec, as the hook "
            "pytest_ragas_register_metrics takes it."
        )
    registry.register(spec)
    return spec.name


def _finish(session: Session) -> None:
    for note in session.finish():
        warnings.warn(PytestRagasWarning(note), stacklevel=5)


def _generate(task: Task, part: Generation, place: str) -> TaskScores:
    from pytest_ragas.session.generation import generation_models
    from pytest_ragas.session.testset_file import Author, from_root, make, refuse_existing, update
    from pytest_ragas.settings.rootdir import rootdir
    from pytest_ragas.testset.generate.builtin import question_types
    from pytest_ragas.testset.generate.recipe import Recipe
    from pytest_ragas.testset.load import load_testset
    from pytest_ragas.testset.lock import lock_path, read_lock
    from pytest_ragas.values.run import Run

    path, root = Path(part.output_file), rootdir()
    docs = [from_root(name, base=Path.cwd(), root=root) for name in part.docs]
    session = _session(task, part.settings, place)
    try:
        recipe = Recipe(**{"generator": session.settings.generator, **part.recipe}, respond=True)
        known = path.exists() and lock_path(path).is_file()
        if not known:
            refuse_existing(path, part.output_file)
        elif read_lock(path, shown_as=part.output_file).recipe != recipe:
            raise TestsetError(
                f"{part.output_file} is there already, and was made by another recipe. Remove it, or name another "
                "output_file."
            )
        author = Author(session=session, models=generation_models(session), types=question_types(), root=root)
        if known:
            update(author, path, shown=part.output_file, docs=docs, recipe=recipe)
        else:
            make(author, path, docs, recipe)
        run = Run(models=session.models())
    finally:
        _finish(session)
        session.close()
    return TaskScores(testset=load_testset(path, shown_as=part.output_file), run=run)


def _evaluate(task: Task, part: Evaluation, place: str) -> TaskScores:
    from pytest_ragas.session.whole_testset import read_gates, score_testset, verdicts
    from pytest_ragas.testset.load import load_testset

    testset = load_testset(part.testset_file)
    session = _session(task, part.settings, place)
    try:
        gates = read_gates(session)
        run = score_testset(session, testset, raise_exceptions=part.raise_exceptions)
        decided, unasked = verdicts(session, gates, run.results)
    finally:
        _finish(session)
        session.close()
    file = Path(part.testset_file)
    file = file.with_name(f"{file.stem}_score.json")
    _write_scores(run, file)
    return TaskScores(testset=testset, run=run, score_file=file, verdicts=decided, unasked=unasked)


def _write_scores(run: Run, file: Path) -> None:
    from pytest_ragas.files.whole import written_whole
    from pytest_ragas.reports.score_file import score_records

    try:
        with written_whole(file) as stream:
            json.dump(score_records(run), stream, ensure_ascii=False, indent=4, allow_nan=False)
            stream.write("\n")
    except OSError as error:
        raise TestsetError(f"{file} cannot be written: {error.strerror or error}.") from error
