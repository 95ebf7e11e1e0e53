"""A settings file to a `Layer`.

Functions here hold the text of a file, which may hold a key. So they raise no public error: they return problems,
and `load` raises when these frames are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.files.found import found, not_json
from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, check_is_file, read_text
from pytest_ragas.files.toml_text import parse_toml
from pytest_ragas.files.yaml_text import parse_yaml
from pytest_ragas.settings.layers import Layer
from pytest_ragas.settings.options import OPTIONS
from pytest_ragas.settings.seal import seal
from pytest_ragas.settings.task import is_task, read_task
from pytest_ragas.settings.task_layer import sealed_task, task_layer

_STYLES: dict[str, Literal["toml", "yaml", "json"]] = {
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}

Read = tuple[Layer | None, list[ConfigurationError]]
"""What a source says, if it says anything, and what is wrong with it."""


def pyproject_layer(rootdir: Path, environ: Mapping[str, str]) -> Read:
    """`[tool.pytest-ragas]` of the pyproject.toml in the rootdir, if there is one."""
    path = rootdir / "pyproject.toml"
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None, []
    except OSError as error:
        return None, [ConfigurationError(f"Cannot read {path}: {error.strerror or error}.")]
    # most projects say nothing to us, and every pytest start comes by here
    if b"pytest-ragas" not in data and b"pytest_ragas" not in data:
        return None, []
    try:
        tools = parse_toml(read_text(path)).get("tool", {})
    except FileProblem as error:
        return None, [ConfigurationError(f"Cannot read the settings in pyproject.toml: {error}")]
    if "pytest_ragas" in tools:
        known = ["pytest-ragas"]
        return None, [UnknownNameError("table", "pytest_ragas", known, where="pyproject.toml", prefix="tool.")]
    if "pytest-ragas" not in tools:
        return None, []
    place = "[tool.pytest-ragas] of pyproject.toml"
    return _layer(tools["pytest-ragas"], origin="pyproject.toml", style="toml", place=place, environ=environ)


def file_layer(path: Path, *, rootdir: Path, environ: Mapping[str, str]) -> Read:
    """The settings file that `--ragas-config` names."""
    origin = str(path.relative_to(rootdir)) if path.is_relative_to(rootdir) else str(path)
    try:
        check_is_file(path, _STYLES)
        if path.suffix.lower() not in _STYLES:
            raise FileProblem(f"the suffix {path.suffix!r} is not known. A settings file ends in {', '.join(_STYLES)}.")
        style = _STYLES[path.suffix.lower()]
        document = _document(path, style)
        if is_task(document):
            return _task_layer(document, path=path, origin=origin, environ=environ)
        table, inside = settings_table(document)
    except FileProblem as error:
        return None, [ConfigurationError(f"Cannot read the settings file {origin}: {error}")]
    return _layer(table, origin=origin, style=style, place=f"{inside}{origin}", environ=environ)


def settings_table(document: Any) -> tuple[Any, str]:
    """The table of our keys in a settings file, and the words that say where in the file it is.

    Raises:
        FileProblem: It holds no table, or two.
    """
    if document is None:
        return {}, ""
    if not isinstance(document, dict):
        raise FileProblem(f"found {found(document)} where a table of settings must be.")
    tools = document.get("tool")
    ours = [option.key for option in OPTIONS if option.key and option.key in document]
    if isinstance(tools, dict) and "pytest-ragas" in tools:
        if ours:
            raise FileProblem(f"it has [tool.pytest-ragas] and, beside it, {ours[0]!r}. Move that into the table.")
        return tools["pytest-ragas"], "[tool.pytest-ragas] of "
    if tools is not None and not ours:
        raise FileProblem("it has no table [tool.pytest-ragas]. Add one, or write the keys at the top of the file.")
    return document, ""


def _task_layer(document: Any, *, path: Path, origin: str, environ: Mapping[str, str]) -> Read:
    """The settings of a task of EvalScope: its models, metrics and concurrency. Tests name testsets themselves."""
    sealed, problem = sealed_task(document, place=origin, beside=path.parent, environ=environ)
    if problem:
        return None, [ConfigurationError(problem)]
    try:
        task = read_task(sealed, place=origin, environ=environ)
    except ConfigurationError as error:
        return None, [error]
    return task_layer(task.together(), origin=origin, notes=task.notes), []


def mend_of(problem: str) -> str:
    """What to write instead of something that is no JSON value."""
    return "Write a finite number." if "not finite" in problem else "Write it as a text, or leave it out."


def _document(path: Path, style: str) -> Any:
    text = read_text(path)
    if style == "toml":
        return parse_toml(text)
    return parse_yaml(text).value if style == "yaml" else parse_json(text)


def _layer(
    table: Any, *, origin: str, style: Literal["toml", "yaml", "json"], place: str, environ: Mapping[str, str]
) -> Read:
    if not isinstance(table, dict):
        return None, [ConfigurationError(f"{place} is {found(table)}; it must be a table of settings.")]
    path, problem = not_json(table)
    if problem:
        where = f"{path.lstrip('.')} in {place}" if path else place
        return None, [ConfigurationError(f"{where}: found {problem}. {mend_of(problem)}")]
    return Layer(origin=origin, style=style, place=place, table=seal(table, environ=environ, place=place)), []
