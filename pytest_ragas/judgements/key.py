"""Keys: digests of everything that decides a judgement, and of nothing else.

Never of a threshold, a row's id, a key or a header.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from pytest_ragas.judgements.judgement import FORMAT_VERSION
from pytest_ragas.protocols import JSONSchema, MetricSpec
from pytest_ragas.values.model import Message, ModelIdentity
from pytest_ragas.values.sample import Sample

_SAMPLE_FIELDS = frozenset(entry.name for entry in fields(Sample))

_SCHEMAS_KEPT = 256

# by id: metrics pass module-level schemas, whose JSON need not be written for each call. The schema is kept beside
# its digest, so that its id is not given to another one.
_schemas: dict[int, tuple[JSONSchema, str]] = {}


def digest(value: Any, *, digits: int = 32) -> str:
    """Hex digits that are the same for equal JSON values, in every process and version of Python."""
    return hashlib.sha256(_write(value).encode("ascii")).hexdigest()[:digits]  # ASCII: a surrogate cannot fail


def short(value: Any) -> str:
    """A digest that is only compared with that of another version of the same thing."""
    return _short_text(value) if type(value) is str else digest(value, digits=16)


@lru_cache(maxsize=256)
def _short_text(text: str) -> str:
    # the instructions of a prompt come with every request
    return digest(text, digits=16)


def answer_key(model: ModelIdentity, messages: Sequence[Message], schema: JSONSchema, repeat: int) -> str:
    """Of the whole request to an LLM."""
    said = [[message.role, message.content] for message in messages]
    return digest([FORMAT_VERSION, "answer", _model(model), said, _schema_digest(schema), repeat])


def answer_request(
    model: ModelIdentity, messages: Sequence[Message], schema: JSONSchema, repeat: int
) -> dict[str, Any]:
    """What that key was made of, texts as digests."""
    return {
        "model": _model(model),
        "messages": [[message.role, short(message.content)] for message in messages],
        "structure": [str(schema.get("title", "")), _schema_digest(schema)[:16]],
        "repeat": repeat,
    }


def vector_key(model: ModelIdentity, text: str) -> str:
    """Of one text that was embedded. Not of the repeat: a vector of the same text is the same vector."""
    return digest([FORMAT_VERSION, "vector", _model(model), text])


def vector_request(model: ModelIdentity, text: str) -> dict[str, Any]:
    """What that key was made of."""
    return {"model": _model(model), "text": short(text)}


def score_request(
    spec: MetricSpec,
    *,
    options: Mapping[str, Any],
    critic: ModelIdentity | None,
    embeddings: ModelIdentity | None,
) -> dict[str, Any]:
    """What decides a score beside the sample and the repeat."""
    return {
        "backend": spec.backend,
        "metric": spec.name,
        "version": spec.version,
        "options": {name: _plain(value) for name, value in options.items()},
        "critic": critic.to_json() if critic else None,
        "embeddings": embeddings.to_json() if embeddings else None,
    }


def sample_content(sample: Sample, names: Sequence[str]) -> list[Any]:
    """The content of these fields; a name that is no field of `Sample` is looked up in its metadata."""
    return [getattr(sample, name) if name in _SAMPLE_FIELDS else sample.metadata.get(name) for name in names]


@lru_cache(maxsize=64)
def _model(model: ModelIdentity) -> Mapping[str, Any]:
    return model.to_json()


def _schema_digest(schema: JSONSchema) -> str:
    kept = _schemas.get(id(schema))
    if kept is not None:
        return kept[1]
    found = digest(schema)
    if len(_schemas) >= _SCHEMAS_KEPT:
        _schemas.clear()
    _schemas[id(schema)] = (schema, found)
    return found


def _plain(value: Any) -> Any:
    """What JSON does not know, as what it knows."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return value if value is None or isinstance(value, (str, bool, int, float)) else repr(value)


# made once: json.dumps() would make an encoder for each of the twelve keys of a sample
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
