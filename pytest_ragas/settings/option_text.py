"""Texts of the command line and the environment to the values that a config file would hold.

A text that is no number stays a text: validation then says what should stand there, as it does for a file.
"""

from __future__ import annotations

from typing import Any

EVERY_METRIC = "*"
"""Stands for every metric that is not named."""


def plain(text: str) -> str:
    """The text itself, without spaces around it."""
    return text.strip()


def number(text: str) -> Any:
    """`16` and `0.95` as numbers."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text.strip()


def names(text: str) -> list[str]:
    """`faithfulness, answer_relevancy` as a list."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def model(text: str) -> Any:
    """The name of a local model as it is; a JSON object or TOML inline table as a table.

    Raises:
        ValueError: Neither of the two; the message does not show the text, which may hold a key.
    """
    return _table(text) if text.lstrip().startswith("{") else text.strip()


def thresholds(text: str) -> dict[str, Any]:
    """`faithfulness=0.8, answer_relevancy=0.7`, or an inline table, as a table.

    Raises:
        ValueError: A part without "=".
    """
    if text.lstrip().startswith("{"):
        return _table(text)
    table = {}
    for part in names(text):
        metric, equals, bound = part.partition("=")
        if not equals or not metric.strip():
            raise ValueError(f"{part!r} is not METRIC=BOUND")
        table[metric.strip()] = number(bound)
    return table


def drops(text: str) -> dict[str, Any]:
    """`faithfulness:0.02, 0.05`, or an inline table, as a table; a drop without a metric is that of "*", every metric.

    Raises:
        ValueError: A part that is no drop.
    """
    if text.lstrip().startswith("{"):
        return _table(text)
    table = {}
    for part in names(text):
        metric, colon, drop = part.rpartition(":")
        if isinstance(number(drop), str) or (colon and not metric.strip()):
            raise ValueError(f"{part!r} is not METRIC:DROP")
        table[metric.strip() or EVERY_METRIC] = number(drop)
    return table


def gates(text: str) -> list[str]:
    """One gate, or several with semicolons between them, as a list."""
    return [gate for gate in (part.strip() for part in text.split(";")) if gate]


def split_gate(text: str) -> tuple[str, str]:
    """`mean(faithfulness) >= 0.85` as ("mean(faithfulness)", ">= 0.85"); ("", "") if it is not of that form.

    Only the form: whether aggregate, operator and number make sense is for `gates.expression` to say.
    """
    aggregate, bracket, bound = text.rpartition(")")
    return (f"{aggregate.strip()})", bound.strip()) if bracket and bound.strip() else ("", "")


def _table(text: str) -> dict[str, Any]:
    # not at the top: every pytest start reads this module, to add its options
    from pytest_ragas.files.json_text import parse_json
    from pytest_ragas.files.text import FileProblem

    try:
        value = parse_json(text)
    except FileProblem:
        pass
    else:
        if isinstance(value, dict):
            return value
    from pytest_ragas.files.toml_text import parse_toml

    try:
        table: dict[str, Any] = parse_toml("value = " + text.strip())["value"]
    except FileProblem:
        raise ValueError("it is neither a JSON object nor a TOML inline table") from None
    return table
