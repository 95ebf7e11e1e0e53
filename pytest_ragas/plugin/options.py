"""The options of `settings/options.py` as pytest options, all in one group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.plugin.baselines.flags import FLAGS, add_flags, check_asked, dest
from pytest_ragas.settings.options import OPTIONS

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite


ESTIMATE = "--ragas-estimate"
"""Like pytest's own --collect-only: of one run, and not for a file."""


def add_options(parser: pytest.Parser) -> None:
    """Add the group `ragas` to `pytest --help`."""
    group = parser.getgroup("ragas", "RAG regression tests: metrics, thresholds, gates (pytest-ragas)")
    for option in OPTIONS:
        bare = {"nargs": "?", "const": option.bare} if option.bare else {}
        group.addoption(
            option.flag,
            **bare,
            dest=option.dest,
            action="append" if option.repeatable else "store",
            default=None,
            metavar=option.metavar,
            choices=option.choices or None,
            # argparse formats help texts with %
            help=option.help_text.replace("%", "%%"),
        )

    group.addoption(
        ESTIMATE,
        action="store_true",
        help="Print what the run would ask of models and what that costs, per metric; run no test and ask nobody",
    )
    add_flags(group)


def command_line(config: pytest.Config) -> dict[str, Any]:
    """What the command line says, by field of `Settings`; what it does not say is absent."""
    values = {option.name: config.getoption(option.dest) for option in OPTIONS if option.key}
    return {name: value for name, value in values.items() if value is not None}


def given(config: pytest.Config) -> bool:
    """Whether the command line, or `addopts`, has any of our options."""
    return (
        estimates(config)
        or any(config.getoption(dest(flag)) not in (None, False) for flag, _ in FLAGS)
        or any(config.getoption(option.dest) is not None for option in OPTIONS)
    )


def estimates(config: pytest.Config) -> bool:
    """Whether the run is to be estimated instead."""
    return bool(config.getoption("ragas_estimate"))


def check(suite: Suite) -> None:
    """Read the settings at once, because an option of ours asks for them.

    Raises:
        UsageError: They cannot be used; names the source.
    """
    from pytest_ragas.errors import ConfigurationError
    from pytest_ragas.plugin.baselines.comparing import check_baseline
    from pytest_ragas.plugin.baselines.keeper import keep
    from pytest_ragas.plugin.gates import read_gates

    suite.use()
    try:
        read_gates(suite)
        check_asked(suite.config, suite.settings.baseline)
        check_baseline(suite)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None
    keep(suite)
