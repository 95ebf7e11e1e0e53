"""What ragas asks a model for, as a schema that our clients understand and that leaves no room for accidents.

Ragas describes an answer by a pydantic class whose verdicts are plain integers and whose lists have any
length. Its formulas then take a verdict of 7 for a score of 7, and a list that is too short for a short
answer. The schemas here say what the formulas assume, so that such an answer is asked again, or refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.protocols import JSONSchema

__all__ = ["prompt_data", "structure_of"]

_VALUES: Mapping[tuple[str, str], Sequence[object]] = {
    ("StatementFaithfulnessAnswer", "verdict"): (0, 1),
    ("ContextPrecisionOutput", "verdict"): (0, 1),
    ("ContextRecallClassification", "attributed"): (0, 1),
    ("AnswerRelevanceOutput", "noncommittal"): (0, 1),
    ("ContextRelevanceOutput", "rating"): (0, 1, 2),
    ("ResponseGroundednessOutput", "rating"): (0, 1, 2),
    ("AnswerAccuracyOutput", "rating"): (0, 2, 4),
    ("RubricScoreOutput", "score"): (1, 2, 3, 4, 5),
}
"""(structure, property) -> the only values that ragas' formula can count with."""

_ONE_FOR_EACH: Mapping[tuple[str, str], str] = {
    ("NLIStatementOutput", "statements"): "statements",
    ("StatementFaithfulnessOutput", "statements"): "statements",
    ("AnswersGenerated", "answers"): "questions",
    ("TopicClassificationOutput", "classifications"): "topics",
}
"""(structure, list in the answer) -> the list in the request whose every item it must answer."""

_INPUT = "\ninput: "
"""What ragas' prompts write before the JSON of the request; a JSON string cannot hold this line break."""


def prompt_data(prompt: str) -> Mapping[str, Any]:
    """The JSON object that a prompt of ragas asks about; empty if the prompt ends in none."""
    _, found, rest = prompt.rpartition(_INPUT)
    if not found:
        return {}
    try:
        data, _ = json.JSONDecoder().raw_decode(rest.lstrip())
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def structure_of(model: Any, data: Mapping[str, Any]) -> JSONSchema:
    """The schema of a pydantic class, as it is sent; the same object for the same structure.

    Args:
        model: The class that ragas wants an instance of.
        data: What the request is about, of `prompt_data`.

    Returns:
        The schema without `$ref`, every object closed, with the values and lengths that ragas assumes.

    Raises:
        ConfigurationError: The class refers to itself, which no inlined schema can say.
    """
    counts = tuple(
        (key, len(data[counted]))
        for (structure, key), counted in _ONE_FOR_EACH.items()
        if structure == model.__name__ and isinstance(data.get(counted), list)
    )
    return _structure(model, counts)


@lru_cache(maxsize=512)
def _structure(model: Any, counts: tuple[tuple[str, int], ...]) -> JSONSchema:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    out = _inlined({key: value for key, value in schema.items() if key != "$defs"}, definitions, ())
    for key, count in counts:
        out["properties"][key] |= {"minItems": count, "maxItems": count}
    return {"title": model.__name__, **out}


def _inlined(schema: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_inlined(item, definitions, inside) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in inside:
            raise ConfigurationError(
                f"Ragas asks for a {name} that holds another {name}; no schema of ours can say so."
            )
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_inlined(definitions[name], definitions, (*inside, name)), **beside}
    title = str(schema.get("title", ""))
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: _property(title, name, _inlined(one, definitions, inside)) for name, one in value.items()}
        elif key not in ("title", "default"):  # pydantic titles every property with its own name
            out[key] = _inlined(value, definitions, inside)
    if out.get("type") == "object" and "properties" in out:
        # what servers ask of a strict schema: no further properties, none left out
        out |= {"required": list(out["properties"]), "additionalProperties": False}
    return out


def _property(structure: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    values = _VALUES.get((structure, name))
    return {**schema, "enum": list(values)} if values else schema
