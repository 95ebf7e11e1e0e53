"""At the end of a run: save it, accept it as the baseline, write its report, and say so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.errors import BaselineError, PytestRagasError
from pytest_ragas.plugin.baselines.collected import PLUGIN as COLLECTING
from pytest_ragas.plugin.baselines.collected import Collecting
from pytest_ragas.plugin.baselines.flags import Asked, asked

if TYPE_CHECKING:
    from pytest_ragas.baselines.baseline import Updated
    from pytest_ragas.plugin.suite import Suite

KEEPER = "ragas-keeper"
"""Name of the plugin; registered where something of the run is to be kept."""


def keep(suite: Suite) -> None:
    """Prepare what the command line asks to keep; nothing where no test runs."""
    config = suite.config
    keeps = asked(config)
    if not keeps or config.option.collectonly or suite.estimates:
        return
    if keeps.update:
        config.pluginmanager.register(Collecting(suite), COLLECTING)
    if not suite.is_worker:
        config.pluginmanager.register(Keeper(suite, keeps), KEEPER)


class Keeper:
    """Of the only process, or of the controller of pytest-xdist."""

    def __init__(self, suite: Suite, keeps: Asked) -> None:
        self._suite = suite
        self._keeps = keeps
        self._done: list[str] = []
        self._failed: list[str] = []
        self._said = False

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """However the run has ended; every process has reported."""
        steps = (
            (self._save, bool(self._keeps.save or self._keeps.autosave)),
            (self._update, self._keeps.update),
            (self._report, self._keeps.json is not None),
        )
        for step, wanted in steps:
            if wanted:
                try:
                    step()
                except PytestRagasError as error:
                    self._failed.append(str(error))
        if self._failed and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            # pytest returns it after this hook
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """After the scores."""
        self._say(terminalreporter, quiet=terminalreporter.verbosity < 0)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Before pytest 9.2, `--no-summary` keeps the hook above from being called."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and not self._said:
            self._say(reporter, quiet=True)

    def _say(self, reporter: pytest.TerminalReporter, *, quiet: bool) -> None:
        self._said = True
        for line in () if quiet else self._done:
            reporter.write_line(line)
        for line in self._failed:  # an exit code needs its reason
            reporter.write_line(line, red=True)

    def _save(self) -> None:
        from pytest_ragas.baselines.store import RunStore
        from pytest_ragas.plugin.baselines.recorded import recorded_run

        if not self._suite.results:
            self._done.append("run not saved: nothing was scored")
            return
        run = recorded_run(self._suite, name=self._keeps.save)
        stored = RunStore(self._suite.settings.path("runs_dir")).save(run)
        stopped = "" if run.complete else "; it was stopped before its end"
        self._done.append(f"run saved: {self._shown(stored.path)} ({_rows(len(run.rows))}{stopped})")

    def _update(self) -> None:
        from pytest_ragas.baselines.baseline import updated
        from pytest_ragas.baselines.outdated import outdated
        from pytest_ragas.baselines.run_file import read_run, write_run
        from pytest_ragas.files.lock import locked
        from pytest_ragas.plugin.baselines.recorded import recorded_run

        path = self._suite.settings.path("baseline")
        shown = self._shown(path)
        run = recorded_run(self._suite)
        collecting = self._suite.config.pluginmanager.get_plugin(COLLECTING)
        assert isinstance(collecting, Collecting)  # registered with this plugin
        gone = outdated(collecting.collected(), run)
        try:
            with locked(path):
                before = read_run(path, shown=shown) if path.exists() else None
                after = updated(before, run, shown=shown, outdated=gone)
                if after.written:
                    write_run(after.run, path, answers=False)
        except OSError as error:
            raise BaselineError(f"{shown} cannot be written: {error.strerror or error}.") from error
        self._done.append(f"baseline {'updated' if after.written else 'is up to date'}: {shown} ({_what(after)})")

    def _report(self) -> None:
        from pytest_ragas.plugin.baselines.report import write_report

        assert self._keeps.json is not None
        write_report(self._suite, self._keeps.json, shown=self._shown(self._keeps.json))
        self._done.append(f"report written: {self._shown(self._keeps.json)}")

    def _shown(self, path: Path) -> str:
        here = self._suite.config.invocation_params.dir
        return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _what(after: Updated) -> str:
    counts = (
        (after.added, "added"),
        (after.changed, "changed"),
        (after.same, "the same"),
        (after.removed, "removed"),
        (after.kept, "not run and kept"),
    )
    said = [f"{count:,} {what}" for count, what in counts if count]
    first, *rest = said
    number, what = first.split(" ", 1)
    return ", ".join([f"{number} {'row' if number == '1' else 'rows'} {what}", *rest])
