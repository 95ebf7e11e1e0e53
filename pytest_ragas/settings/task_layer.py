"""A task of EvalScope, as somebody wrote it, to a `Task` and to layers of settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.files.found import found, not_json
from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, check_is_file, read_text
from pytest_ragas.files.yaml_text import parse_yaml
from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.seal import seal
from pytest_ragas.settings.task import Task, is_task, read_task

_SUFFIXES = (".yaml", ".yml", ".json")


def load_document(path: Path) -> Any:
    """What a `.yaml` or `.json` file holds.

    Raises:
        FileProblem: There is no such file, or it cannot be read.
    """
    check_is_file(path, _SUFFIXES)
    if path.suffix.lower() not in _SUFFIXES:
        raise FileProblem(f"the suffix {path.suffix!r} is not known. A task ends in {', '.join(_SUFFIXES)}.")
    text = read_text(path)
    return parse_json(text) if path.suffix.lower() == ".json" else parse_yaml(text).value


def sealed_task(document: Any, *, place: str, beside: Path, environ: Mapping[str, str]) -> tuple[Any, str]:
    """A copy of a task with every secret sealed, and what is wrong with it, if anything is.

    Raises nothing: this frame holds the secrets.

    Args:
        document: As it was written or given; it is not changed.
        place: Where it came from, for messages.
        beside: The folder in which a file is looked for that `eval_config` names.
        environ: Where `env:NAME` is looked up.
    """
    if not isinstance(document, Mapping):
        return None, f"{place} is {found(document)}; it must be an object with eval_backend and eval_config."
    whole = _plain(document)
    config = whole.get("eval_config")
    if isinstance(config, str):
        try:
            whole["eval_config"] = parse_json(config) if config.lstrip()[:1] == "{" else load_document(beside / config)
        except FileProblem as error:
            return None, f"eval_config in {place} cannot be read: {error}"
    path, problem = not_json(whole)
    if problem:
        return None, f"{path.lstrip('.') or 'the task'} in {place}: found {problem}."
    return seal(whole, environ=environ, place=place), ""


def sealed_file(path: Path, *, environ: Mapping[str, str]) -> tuple[Any, str]:
    """The task of a file, as `sealed_task` gives it; raises nothing either."""
    try:
        document = load_document(path)
    except FileProblem as error:
        return None, f"Cannot read the task {path}: {error}"
    if not is_task(document):
        return None, (
            f"{path} holds no task: it has neither eval_backend nor eval_config. Settings of tests are given to pytest "
            "by --ragas-config."
        )
    return sealed_task(document, place=str(path), beside=path.parent, environ=environ)


def task_of(sealed: Any, problem: str, *, place: str, environ: Mapping[str, str]) -> Task:
    """The task that `sealed_task` gave, when the frames that saw its secrets are gone.

    Raises:
        ConfigurationError: It is none; lists everything.
    """
    if problem:
        raise ConfigurationError(problem)
    return read_task(sealed, place=place, environ=environ)


def task_layer(table: Mapping[str, Any], *, origin: str, notes: tuple[str, ...] = ()) -> Layer:
    """A layer of what a task, or a part of one, says of the settings."""
    styles: dict[str, Literal["yaml", "json"]] = {".yaml": "yaml", ".yml": "yaml"}
    style = styles.get(Path(origin).suffix.lower(), "json")
    return Layer(origin=origin, style=style, place=origin, table=dict(table), notes=notes)


def _plain(value: Any) -> Any:
    """A deep copy in the types of JSON: Python programs write tuples and paths too."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value
