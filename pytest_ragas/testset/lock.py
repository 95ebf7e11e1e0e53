"""`Lock`: what a generated testset was made from, in a file beside it.

`generated.json` is an ordinary testset; `generated.json.lock` says by which recipe, from which state of which
documents and by which models it was made. What a row was made from is in its own metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError, TestsetError
from pytest_ragas.files.json_text import parse_json
from pytest_ragas.files.text import FileProblem, read_text
from pytest_ragas.files.whole import written_whole
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.values.document import Document
from pytest_ragas.values.model import ModelIdentity

FORMAT_VERSION = 1
# 1: first release


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """What a generated testset was made from. Holds no key and no address of a server."""

    recipe: Recipe
    docs: tuple[str, ...]
    """Files, folders and globs as they were named, from the rootdir."""
    documents: Mapping[str, str]
    """Path -> SHA-256 of the text."""
    models: Mapping[str, Mapping[str, Any]]
    """"generator LLM", "critic LLM", "embeddings" -> provider, name and parameters."""
    question_types: Mapping[str, str]
    """Name -> version: of its prompts."""

    def to_json(self) -> dict[str, Any]:
        """A JSON object; `from_json` reads it back."""
        return {
            "format": FORMAT_VERSION,
            "recipe": self.recipe.to_json(),
            "docs": list(self.docs),
            "documents": dict(sorted(self.documents.items())),
            "models": {role: dict(model) for role, model in self.models.items()},
            "question_types": dict(self.question_types),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Lock:
        """The lock that `to_json` wrote.

        Raises:
            ConfigurationError: It is of a newer version, or somebody has edited it so that it is none.
        """
        version = data.get("format")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise ConfigurationError(
                f"It has format {version}, and this version of pytest-ragas reads up to {FORMAT_VERSION}. "
                "Upgrade pytest-ragas."
            )
        try:
            return cls(
                recipe=Recipe.from_json(data["recipe"]),
                docs=tuple(data["docs"]),
                documents=dict(data["documents"]),
                models=dict(data["models"]),
                question_types=dict(data["question_types"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"It is no lock of a testset ({type(error).__name__}: {error}).") from None


def lock_path(testset: Path) -> Path:
    """The lock of a testset file."""
    return testset.with_name(f"{testset.name}.lock")


def read_lock(testset: Path, *, shown_as: str) -> Lock:
    """What a testset file was made from.

    Raises:
        TestsetError: It has no lock, or one that cannot be read.
    """
    path, shown = lock_path(testset), f"{shown_as}.lock"
    if not path.is_file():
        raise TestsetError(
            f"{shown_as} has no lock ({shown}): it was not generated, or the lock was not committed. "
            "A testset that was written by hand needs no check."
        )
    try:
        data = parse_json(read_text(path))
        if not isinstance(data, dict):
            raise FileProblem("It is no JSON object.")
        return Lock.from_json(data)
    except (FileProblem, ConfigurationError) as error:
        raise TestsetError(f"Cannot read {shown}: {error}") from None


def write_lock(lock: Lock, testset: Path) -> None:
    """Write the lock of a testset file, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    with written_whole(lock_path(testset)) as stream:
        json.dump(lock.to_json(), stream, ensure_ascii=False, indent=2, allow_nan=False)
        stream.write("\n")


def digests(documents: Sequence[Document]) -> dict[str, str]:
    """Path -> SHA-256 of the text."""
    return {document.path: document.digest for document in documents}


def model_json(identity: ModelIdentity) -> dict[str, Any]:
    """A model as locks name it: not where its server is, which is nobody's business and changes."""
    return {"provider": identity.provider, "name": identity.name, "parameters": dict(identity.parameters)}
