"""`Suite`: what the plugin knows in one pytest process, built when the first test asks for it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:  # an idle suite imports none of them
    from pytest_ragas.metrics.registry import Registry
    from pytest_ragas.plugin.marker import MarkerArguments
    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.session.session import Session
    from pytest_ragas.settings.values import Settings
    from pytest_ragas.values.gate import Gate, GateVerdict
    from pytest_ragas.values.run import ModelUse, Run, RunBuilder, SampleResult
    from pytest_ragas.values.sample import Sample
    from pytest_ragas.values.testset import Testset

HOOKS = "ragas-hooks"
"""Name of the plugin with the hooks that only a suite that uses us needs."""

DEFERRED = "ragas-deferred"
"""Name of the plugin that defers verdicts."""

ESTIMATING = "ragas-estimate"
"""Name of the plugin that estimates a run instead of running it."""

TARGETS = "ragas-targets"
"""Name of the plugin that calls targets."""


class Suite:
    """Settings, session, testsets and results of one pytest process.

    Attributes:
        verdicts: What became of the gates.
        unasked: Configured gates on metrics that no test of this run is scored with.
        summarised: Whether the terminal had its summary.
        stopped: Whether the loop over the tests did not come to its end (-x, Ctrl-C): gates are not decided then.
        crashed: Whether a worker of pytest-xdist has: results of it may be missing.
        metrics: The metrics that marked tests are scored with, in order of collection.
        settings_error: Why the settings cannot be used, once that has ended the run.
        rows: Of test functions with a testset, by nodeid: its rows.
        target_uses: Of test functions: the mark by which they use the fixture of their target.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.verdicts: tuple[GateVerdict, ...] = ()
        self.unasked: tuple[Gate, ...] = ()
        self.stopped = False
        self.crashed = False
        self.summarised = False
        self.metrics: dict[str, None] = {}
        self.settings_error = ""
        self.rows: dict[str, tuple[Sample, ...]] = {}
        self.target_uses: WeakKeyDictionary[FunctionType, pytest.Mark] = WeakKeyDictionary()
        self._looked_at: tuple[pytest.Collector | None, bool] = (None, False)
        self._started, self._began = time.perf_counter(), time.time()
        self._testsets: dict[Path, tuple[tuple[int, int], Testset]] = {}
        self._fingerprints: dict[Path, tuple[str, str]] = {}
        self._evaluators: dict[tuple[int, int], tuple[object, object, Evaluator]] = {}

    @property
    def in_use(self) -> bool:
        """Whether a test of this process, or the command line, has asked for us."""
        return self.config.pluginmanager.has_plugin(HOOKS)

    def use(self) -> None:
        """From now on the suite uses us: register the hooks that an idle one does not pay for."""
        if not self.in_use:
            from pytest_ragas.plugin.deferral.policy import pytest_is_known
            from pytest_ragas.plugin.hooks import Hooks

            self.config.pluginmanager.register(Hooks(self), HOOKS)
            if self.estimates:
                from pytest_ragas.plugin.estimate import Estimating

                self.config.pluginmanager.register(Estimating(self), ESTIMATING)
            elif pytest_is_known():  # otherwise every test waits for its own scores
                from pytest_ragas.plugin.deferral.deferred import Deferred

                self.config.pluginmanager.register(Deferred(self), DEFERRED)

    @property
    def may_have_gates(self) -> bool:
        """Whether this process decides gates at the end of the run."""
        return self.in_use and not self.is_worker and not self.config.option.collectonly and not self.estimates

    @property
    def estimates(self) -> bool:
        """Whether the run is estimated instead (`--ragas-estimate`)."""
        from pytest_ragas.plugin.options import estimates

        return estimates(self.config)

    def marks(self, collector: pytest.Collector) -> bool:
        """Whether a module or class marks the tests in it `ragas`; asked for each of its names in a row."""
        if collector is not self._looked_at[0]:
            self._looked_at = (collector, collector.get_closest_marker("ragas") is not None)
        return self._looked_at[1]

    def expect(self) -> None:
        """Tests that use us were collected: look at what they share before the first one runs.

        Raises:
            UsageError: The settings, or a gate of theirs, cannot be used.
        """
        from pytest_ragas.errors import ConfigurationError

        self.use()
        if self.is_worker:
            return  # the controller decides the gates
        from pytest_ragas.plugin.baselines.comparing import check_baseline
        from pytest_ragas.plugin.gates import check_gates

        try:
            check_gates(self)
            check_baseline(self)
        except ConfigurationError as error:
            self.settings_error = str(error)
            raise pytest.UsageError(self.settings_error) from None

    @property
    def age(self) -> float:
        """Seconds since the run began: in a worker of pytest-xdist, since the controller did."""
        from pytest_ragas.plugin.xdist.shares import age_of_run

        return time.perf_counter() - self._started + age_of_run(self.config, self._began)

    @property
    def is_worker(self) -> bool:
        """Whether this is a worker process of pytest-xdist, which reports to a controller."""
        return hasattr(self.config, "workerinput")

    @cached_property
    def settings(self) -> Settings:
        """What the run is configured to do.

        Raises:
            ConfigurationError: A key or value cannot be used; names its source.
        """
        from pytest_ragas.plugin.options import command_line
        from pytest_ragas.settings.load import load_settings

        given = command_line(self.config)
        file = self.config.getoption("ragas_config")
        settings = load_settings(
            rootdir=self.config.rootpath,
            config_file=self.config.invocation_params.dir / file if file else None,
            environ=os.environ,
            command_line=given,
        )
        for note in () if self.is_worker else settings.notes:
            from pytest_ragas.plugin.unstored import warn

            warn(self.config, note)
        return settings

    @cached_property
    def session(self) -> Session:
        """Models, metrics and engine of this process; nothing is connected or loaded yet."""
        from pytest_ragas.plugin.scoring_logs import keep_apart
        from pytest_ragas.plugin.unstored import PLUGIN, Unstored
        from pytest_ragas.plugin.xdist.shares import join, place_among_workers
        from pytest_ragas.session.session import Session

        place = place_among_workers(self.config)
        session = Session(self.settings, self._registry(), age=self.age, worker=place)
        self.config.add_cleanup(session.close)
        keep_apart(self.config)
        if self.is_worker:
            join(self.config, session.limiter, self.settings.concurrency, session.budget)
        self.config.pluginmanager.register(Unstored(self.config, session), PLUGIN)
        return session

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing of ours goes on in the background inside this block, but what somebody waits for.

        No target is called and nothing is scored; what was under way has ended. Ctrl-C gets through.
        """
        targets = self.config.pluginmanager.get_plugin(TARGETS)
        with contextlib.ExitStack() as held:
            if targets is not None:  # first: their answers are scored
                held.enter_context(targets.calls.quiet())
            held.enter_context(self.session.engine.quiet())
            yield

    def _registry(self) -> Registry:
        import pytest_ragas.metrics.builtin as builtin
        from pytest_ragas.metrics.registry import Registry

        registry = Registry()
        manager = self.config.pluginmanager
        if not manager.is_registered(builtin):
            manager.register(builtin, "ragas-metrics")
        manager.hook.pytest_ragas_register_metrics.call_historic(kwargs={"register": registry.register})
        return registry

    def evaluator(self, critic: object, embeddings: object) -> Evaluator:
        """One evaluator for each pair of models, so that its metrics are built once."""
        key = (id(critic), id(embeddings))
        if key not in self._evaluators:
            # the models are kept beside it, so that no other object is given their id
            self._evaluators[key] = (critic, embeddings, self.session.evaluator(critic, embeddings))
        return self._evaluators[key][2]

    def wanted(self, arguments: MarkerArguments, *, where: str = "") -> tuple[str, ...]:
        """The metrics that a marked test is scored with.

        Raises:
            UnknownNameError: The marker names a metric that does not exist.
        """
        names, _ = self.session.wanted(metrics=arguments.metrics, thresholds=arguments.thresholds, where=where)
        return names

    def testset(self, name: str | os.PathLike[str], *, beside: Path) -> Testset:
        """The testset of a file, loaded once for as long as the file stays the same.

        Args:
            name: As the marker names it: relative to the folder of the test file, else to the rootdir.
            beside: The folder of the test file.

        Raises:
            TestsetError: There is no such file, or it cannot be read.
        """
        from pytest_ragas.errors import TestsetError
        from pytest_ragas.testset.load import load_testset

        places = list(dict.fromkeys([beside / name, self.config.rootpath / name]))
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            tried = " nor ".join(map(str, places))
            raise TestsetError(
                f"There is no testset {os.fspath(name)!r}: neither {tried} is a file."
                if len(places) > 1
                else f"There is no testset {os.fspath(name)!r}: {tried} is no file."
            )
        stat = path.stat()
        state = (stat.st_mtime_ns, stat.st_size)
        if path not in self._testsets or self._testsets[path][0] != state:
            self._testsets[path] = (state, load_testset(path, shown_as=os.fspath(name)))
            self._fingerprints.pop(path, None)
        return self._testsets[path][1]

    def fingerprints(self) -> dict[str, str]:
        """Of each testset file that was loaded, from the rootdir -> its fingerprint; each computed once."""
        root = self.config.rootpath
        for path, (_, testset) in self._testsets.items():
            if path not in self._fingerprints:
                place = Path(os.path.normpath(path))
                shown = place.relative_to(root).as_posix() if place.is_relative_to(root) else testset.path
                self._fingerprints[path] = (shown, testset.fingerprint)
        return dict(self._fingerprints.values())

    # ---- the run so far ---------------------------------------------------------------------------

    @cached_property
    def _gathered(self) -> RunBuilder:
        from pytest_ragas.values.run import RunBuilder

        return RunBuilder()

    def gather(self, results: tuple[SampleResult, ...]) -> None:
        """Take results of any process into the run."""
        self._gathered.results.extend(results)

    def gather_models(self, uses: tuple[ModelUse, ...]) -> None:
        """Take what a process used of the models into the run."""
        for use in uses:
            self._gathered.add_use(use)

    @property
    def results(self) -> tuple[SampleResult, ...]:
        """Every result so far, in the order of the run."""
        return tuple(self._gathered.results)

    def models(self) -> tuple[ModelUse, ...]:
        """The models that this process used."""
        return self.session.models() if "session" in self.__dict__ else ()

    def run(self) -> Run:
        """The run so far."""
        from pytest_ragas.values.run import RunBuilder

        builder = RunBuilder(results=self._gathered.results)
        for use in (*self._gathered.build(seconds=0.0).models, *self.models()):
            builder.add_use(use)
        return builder.build(seconds=time.perf_counter() - self._started)


SUITE = pytest.StashKey[Suite]()


def suite_of(config: pytest.Config) -> Suite:
    """The suite of this pytest process."""
    return config.stash[SUITE]
