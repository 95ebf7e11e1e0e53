"""What the command line asks to keep and compare of one run alone: neither keys of a file nor variables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SAVE = "--ragas-save"
AUTOSAVE = "--ragas-autosave"
UPDATE = "--ragas-update-baseline"
JSON = "--ragas-json"
ANYWAY = "--ragas-compare-anyway"

FLAGS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        SAVE,
        {
            "metavar": "NAME",
            "help": "Save the run with its answers as NNNN_NAME.json in the folder of --ragas-runs-dir",
        },
    ),
    (AUTOSAVE, {"action": "store_true", "help": "Save the run under the name of its commit"}),
    (
        UPDATE,
        {
            "action": "store_true",
            "help": "Accept the scores of this run: write them to the file of --ragas-baseline; a run of a part of the "
            "suite replaces its rows",
        },
    ),
    (
        ANYWAY,
        {
            "action": "store_true",
            "help": "Compare the run also with one that another critic LLM, other embeddings or other metrics scored",
        },
    ),
    (JSON, {"metavar": "FILE", "help": "Write every result, gate, model and cost of the run to this .json file"}),
)
"""Flag, and what argparse is told of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is to be kept of a run."""

    save: str = ""
    """Name of the run."""
    autosave: bool = False
    update: bool = False
    """Whether its scores become the baseline."""
    json: Path | None = None
    """File of the report."""

    def __bool__(self) -> bool:
        return bool(self.save or self.autosave or self.update or self.json)


def add_flags(group: pytest.OptionGroup) -> None:
    """Add the flags to a group of `pytest --help`."""
    for flag, said in FLAGS:
        group.addoption(flag, **said)


def asked(config: pytest.Config) -> Asked:
    """What this run is asked to keep."""
    name, file = (config.getoption(dest(flag)) for flag in (SAVE, JSON))
    return Asked(
        save=name or "",
        autosave=bool(config.getoption(dest(AUTOSAVE))),
        update=bool(config.getoption(dest(UPDATE))),
        json=config.invocation_params.dir / Path(file).expanduser() if file else None,
    )


def check_asked(config: pytest.Config, baseline: str) -> None:
    """Find out before the run, not after it, what could not be kept.

    Args:
        config: Of pytest.
        baseline: The file of --ragas-baseline; empty for none.

    Raises:
        UsageError: The name or a file cannot be used; says the mend.
    """
    from pytest_ragas.baselines.store import check_name
    from pytest_ragas.errors import BaselineError

    name, file = (config.getoption(dest(flag)) for flag in (SAVE, JSON))
    keeps = asked(config)
    if name is not None:
        try:
            check_name(name)
        except BaselineError as error:
            raise pytest.UsageError(str(error)) from None
    if file is not None and (not file or keeps.json is None or keeps.json.is_dir()):
        raise pytest.UsageError(f"{JSON}: {file!r} is no file to write. Write for example {JSON}=ragas.json.")
    if keeps.update and not baseline:
        raise pytest.UsageError(
            f"{UPDATE} does not say which file. Add --ragas-baseline=baseline.json, or set baseline in "
            "[tool.pytest-ragas]."
        )


def dest(flag: str) -> str:
    """Where pytest's parser keeps a flag."""
    return flag.lstrip("-").replace("-", "_")
