"""Settings from pyproject.toml, a file, the environment and the command line, in that order of weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.settings.check import layer_problems
from pytest_ragas.settings.file_layer import file_layer, pyproject_layer
from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.merge import merged
from pytest_ragas.settings.option_layers import command_line_layer, environment_layer
from pytest_ragas.settings.prices import check_priced
from pytest_ragas.settings.seal import Unseen
from pytest_ragas.settings.values import Settings


def load_settings(
    *,
    rootdir: Path,
    config_file: Path | None = None,
    environ: Mapping[str, str],
    command_line: Mapping[str, Any] = MappingProxyType({}),
    task: Layer | None = None,
) -> Settings:
    """What every source of settings says together.

    A default weighs least, then `[tool.pytest-ragas]` of pyproject.toml, the file of `--ragas-config`, the
    environment, the command line. Thresholds, gates and options of metrics are merged entry by entry, everything
    else is replaced.

    Args:
        rootdir: Where pyproject.toml is looked for.
        config_file: The file of `--ragas-config`; without it, `PYTEST_RAGAS_CONFIG` may name one.
        environ: Environment variables: `PYTEST_RAGAS_…`, and those that `env:NAME` asks for.
        command_line: Values of the options under the names of `OPTIONS`: texts as they were typed, lists of them
            for repeatable options, or values of the right type. None is "not given".
        task: What a task of EvalScope says; weighs as the file of `--ragas-config` does, and comes after it.

    Raises:
        ConfigurationError: Something in a source cannot be used; lists everything, each with its place and mend.
        UnknownNameError: The one thing that is wrong is a name.
    """
    # this frame is part of every traceback from here on, and tracebacks may print its locals
    environ = Unseen(environ, "environment")
    command_line = Unseen(command_line, "command line")
    layers, problems = _read(rootdir, config_file, environ, command_line, task)
    if problems:
        raise problems[0] if len(problems) == 1 else _together(problems)
    settings = merged(layers)
    check_priced(settings)
    return replace(settings, places=_places(settings, rootdir.absolute()))


def _places(settings: Settings, rootdir: Path) -> dict[str, Path]:
    # now, because a test may change the working directory
    return {
        key: (Path.cwd() if settings.origin.get(key) in ("command line", "environment") else rootdir)
        / Path(text).expanduser()
        for key in ("cache_dir", "cassette", "baseline", "runs_dir")
        if (text := getattr(settings, key))
    }


def _read(
    rootdir: Path,
    config_file: Path | None,
    environ: Mapping[str, str],
    command_line: Mapping[str, Any],
    task: Layer | None,
) -> tuple[list[Layer], list[ConfigurationError]]:
    named = config_file or environ.get("PYTEST_RAGAS_CONFIG", "").strip() or None
    reads = [
        pyproject_layer(rootdir, environ),
        file_layer(Path(named), rootdir=rootdir, environ=environ) if named else (None, []),
        (task, []),
        environment_layer(environ),
        command_line_layer(command_line, environ),
    ]
    layers = [layer for layer, _ in reads if layer is not None]
    problems = [problem for _, found in reads for problem in found]
    return layers, problems + [problem for layer in layers for problem in layer_problems(layer)]


def _together(problems: list[ConfigurationError]) -> ConfigurationError:
    lines = "\n".join(f"  {problem}" for problem in problems)
    return ConfigurationError(f"{len(problems)} settings cannot be used:\n{lines}")
