"""The run beside an earlier one: that is found before the run, compared after it, and may turn the exit code red."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.errors import BaselineError, ConfigurationError
from pytest_ragas.plugin.baselines.flags import ANYWAY, asked, dest
from pytest_ragas.values.comparison import Comparison, Incomparable

if TYPE_CHECKING:
    from pytest_ragas.baselines.store import RunStore
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.values.recorded import RecordedRun, RowKey

OFF, AUTO, LATEST = "off", "auto", "latest"

_LEAVE_OUT = ("keyword", "markexpr", "deselect", "lf", "stepwise")
"""Options of pytest that leave tests out on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """The run that this one is compared with."""

    run: RecordedRun
    name: str
    """What messages call it."""
    file: str
    """Where it lies, from where pytest was started."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What became of the comparison."""

    result: Comparison | Incomparable | None = None
    questions: dict[RowKey, str] | None = None
    causes: str = ""
    """Whose fault the rows that broke are."""
    problem: str = ""
    """Why there is no result, and that is red."""
    remark: str = ""
    """Why there is no result, and that is all right."""

    @property
    def red(self) -> bool:
        """Whether the run may not be green."""
        return bool(self.problem) or (self.result is not None and self.result.failed)


_EARLIER = pytest.StashKey["Earlier | str"]()
"""The run that this one is compared with; a text says why there is none."""

COMPARED = pytest.StashKey[Compared]()
"""What became of the comparison, once the tests have run."""


def check_baseline(suite: Suite) -> None:
    """Find the run that this one is compared with before any test runs.

    Raises:
        ConfigurationError: It is not there, or cannot be read.
    """
    if suite.is_worker or suite.estimates or suite.config.option.collectonly:
        return  # the controller compares
    try:
        _earlier(suite)
    except BaselineError as error:
        raise ConfigurationError(str(error)) from error


def apply_comparison(suite: Suite, session: pytest.Session) -> None:
    """Compare, and turn the run red if it got worse: called right after the loop, as gates are."""
    # the controller of pytest-xdist cannot know beforehand whether the suite uses us
    if not suite.results and not _typed(suite):
        return
    try:
        earlier = _earlier(suite)
    except BaselineError as error:
        compared = Compared(problem=str(error))
    else:
        if not earlier:
            return
        compared = Compared(remark=earlier) if isinstance(earlier, str) else _compared(suite, earlier)
    suite.config.stash[COMPARED] = compared
    if compared.red:
        session.testsfailed += 1


def stopped_line(suite: Suite) -> str:
    """What to say where the run was stopped before it could be compared; empty where nobody asked."""
    earlier = suite.config.stash.get(_EARLIER, None)
    if isinstance(earlier, Earlier) and suite.stopped:
        return f"the run was not compared with {earlier.name}: it was stopped"
    return ""


def _compared(suite: Suite, earlier: Earlier) -> Compared:
    from pytest_ragas.baselines.compare import compare
    from pytest_ragas.plugin.baselines.recorded import recorded_run
    from pytest_ragas.reports.comparison.causes import broken_causes
    from pytest_ragas.settings.comparison import comparison_rules

    current, settings = recorded_run(suite), suite.settings
    result = compare(
        earlier.run,
        current,
        comparison_rules(settings),
        name=earlier.name,
        file=earlier.file,
        anyway=bool(suite.config.getoption(dest(ANYWAY))),
        anyway_flag=ANYWAY,
        partial=_leaves_out(suite.config),
        min_coverage=settings.min_coverage,
    )
    if _says_nothing(result) and not _typed(suite) and _narrowed(suite.config):
        return Compared(remark=f"not compared with {earlier.name}: it has no scores of the tests that were run")
    return Compared(
        result=result,
        questions={row.key: row.sample.user_input for row in current.rows if row.sample is not None},
        causes=broken_causes(result, current.rows),
    )


def _says_nothing(result: Comparison | Incomparable) -> bool:
    return isinstance(result, Comparison) and not result.pairing.pairs and not result.pairing.unscored


def _typed(suite: Suite) -> bool:
    """Whether the comparison was typed for this very run, and is not what `addopts`, a variable or a file brings."""
    flags = {str(argument).partition("=")[0] for argument in suite.config.invocation_params.args}
    return bool(flags & {"--ragas-compare", "--ragas-baseline"})


def _leaves_out(config: pytest.Config) -> bool:
    return any(config.getoption(name, None) for name in _LEAVE_OUT) or any("::" in str(name) for name in config.args)


def _narrowed(config: pytest.Config) -> bool:
    """Whether somebody chose what is run: a part of a suite need not have what the baseline has."""
    return _leaves_out(config) or config.args_source is pytest.Config.ArgsSource.ARGS


def _wanted(suite: Suite) -> str:
    """Which run: `OFF`, `AUTO`, or what the store finds one by."""
    if suite.settings.compare:
        return suite.settings.compare
    # a baseline that is about to be replaced judges nobody
    return AUTO if suite.settings.baseline and not asked(suite.config).update else OFF


def _earlier(suite: Suite) -> Earlier | str:
    """The run that this one is compared with, read once; a text where there is none, empty where nobody wants one."""
    stash = suite.config.stash
    if _EARLIER not in stash:
        stash[_EARLIER] = _find(suite)
    return stash[_EARLIER]


def _find(suite: Suite) -> Earlier | str:
    from pytest_ragas.baselines.store import RunStore

    wanted, settings = _wanted(suite), suite.settings
    if wanted == OFF:
        return ""
    if wanted == AUTO:
        if settings.baseline and not (asked(suite.config).update and not settings.path("baseline").is_file()):
            return _baseline(suite)
        wanted = LATEST
    store = RunStore(settings.path("runs_dir"))
    if wanted == LATEST and not store.list():
        return _none_yet(suite, store)
    typed = settings.origin.get("compare") in ("command line", "environment")
    if typed:
        _refuse_tests(suite.config, wanted)
    elif wanted.endswith(".json"):  # a path in a file of settings begins at the rootdir
        wanted = str(suite.config.rootpath / wanted)
    found = store.find(wanted, where="--ragas-compare" if typed else "the setting compare")
    return Earlier(
        run=found.read(), name=found.name if not found.number else found.path.stem, file=_shown(suite, found.path)
    )


def _baseline(suite: Suite) -> Earlier:
    from pytest_ragas.baselines.run_file import read_run

    path = suite.settings.path("baseline")
    shown = _shown(suite, path)
    if not path.is_file():
        raise BaselineError(
            f"There is no baseline {shown}. Run the suite once with --ragas-update-baseline, look at the scores, and "
            "commit the file."
        )
    return Earlier(run=read_run(path, shown=shown), name=shown, file=shown)


def _none_yet(suite: Suite, store: RunStore) -> str:
    """The first run of all has nothing to be compared with; that is fine where it is saved itself."""
    keeps = asked(suite.config)
    if keeps.save or keeps.autosave or keeps.update:
        return "not compared: this is the first run that is kept"
    raise BaselineError(
        f"There is nothing to compare with: no run is saved in {_shown(suite, store.folder)} yet. Save one with "
        "--ragas-save=NAME or --ragas-autosave, or name a baseline with --ragas-baseline=FILE."
    )


def _refuse_tests(config: pytest.Config, wanted: str) -> None:
    """`--ragas-compare tests/` takes the tests for the run, as every option with an optional value does."""
    path = config.invocation_params.dir / wanted.partition("::")[0]
    if path.is_dir() or path.suffix == ".py":
        raise BaselineError(
            f"--ragas-compare: {wanted!r} are tests, not a run. Write --ragas-compare={AUTO} before them, or name the "
            "tests first."
        )


def _shown(suite: Suite, path: Path) -> str:
    here = suite.config.invocation_params.dir
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
