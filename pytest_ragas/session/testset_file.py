"""A generated testset and its lock on disk: made, checked against the documents of today, brought up to date."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ragas.errors import TestsetError
from pytest_ragas.session.generation import GenerationModels, generate_rows
from pytest_ragas.session.session import Session
from pytest_ragas.testset.documents.chunks import split
from pytest_ragas.testset.documents.read import read_documents
from pytest_ragas.testset.generate.allocate import allocate
from pytest_ragas.testset.generate.from_ragas.writer import import_ragas
from pytest_ragas.testset.generate.generate import Generated
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.generate.types import QuestionTypes
from pytest_ragas.testset.load import load_testset
from pytest_ragas.testset.lock import Lock, digests, lock_path, model_json, read_lock, write_lock
from pytest_ragas.testset.save import save_testset
from pytest_ragas.testset.stale import RowState, row_state
from pytest_ragas.values.document import Document
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """Who makes testsets in this process, and of what."""

    session: Session
    models: GenerationModels
    types: QuestionTypes
    root: Path
    """What paths of documents are shown from, and relative ones begin at."""
    progress: Progress | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """A generated testset against the documents of today."""

    rows: tuple[RowState, ...]
    changed: tuple[str, ...]
    """Documents that are not as they were."""
    new: tuple[str, ...]
    gone: tuple[str, ...]
    missing: Mapping[str, int] = field(default_factory=dict)
    """Rows that the recipe asks for and the file does not have, by question type; stale ones are there."""

    def of(self, state: str) -> tuple[RowState, ...]:
        """The rows in a state."""
        return tuple(row for row in self.rows if row.state == state)

    @property
    def up_to_date(self) -> bool:
        """Whether there is nothing to replace and nothing to add."""
        return not self.of("stale") and not self.missing


def make(author: Author, path: Path, docs: Sequence[str], recipe: Recipe) -> Generated:
    """Generate a testset into a file that is not there yet.

    The lock is written first: a file without it could not be told from one that was written by hand.

    Raises:
        TestsetError: It cannot be written.
        PytestRagasError: As `generate_rows` and `read_documents` do; nothing was written.
    """
    author.types.check(recipe.distribution)
    documents = read_documents(list(docs), root=author.root)
    made = generate_rows(
        author.session, documents, recipe, models=author.models, types=author.types, progress=author.progress
    )
    _write(author, path, docs, recipe, documents, made.rows)
    return made


def condition(
    path: Path, *, shown: str, root: Path, docs: Sequence[str] = (), recipe: Recipe | None = None
) -> Condition:
    """A generated testset against the documents of today. Makes no call, writes nothing.

    Args:
        path: The testset file.
        shown: How messages name it.
        root: What paths of documents are shown from.
        docs: The documents; those of the lock if none are given.
        recipe: What it shall be like; None for what the lock says.

    Raises:
        PytestRagasError: Testset, lock or documents cannot be read.
    """
    lock = read_lock(path, shown_as=shown)
    documents = read_documents(list(docs or lock.docs), root=root)
    return _condition(load_testset(path, shown_as=shown), lock, documents, recipe or lock.recipe)


def _condition(testset: Testset, lock: Lock, documents: Sequence[Document], recipe: Recipe) -> Condition:
    by_path = {document.path: document for document in documents}
    chunks = [chunk for document in documents for chunk in split(document, size=lock.recipe.chunk_size)]
    rows = tuple(row_state(row, by_path, chunks) for row in testset)
    there = Counter(row.question_type for row in rows)
    wanted = allocate(recipe.distribution, recipe.test_size)
    today = digests(documents)
    return Condition(
        rows=rows,
        changed=tuple(sorted(name for name, digest in lock.documents.items() if today.get(name, digest) != digest)),
        new=tuple(sorted(today.keys() - lock.documents.keys())),
        gone=tuple(sorted(lock.documents.keys() - today.keys())),
        missing={name: count - there[name] for name, count in wanted.items() if count > there[name]},
    )


def update(
    author: Author, path: Path, *, shown: str, docs: Sequence[str] = (), recipe: Recipe | None = None
) -> tuple[Condition, Generated | None]:
    """Replace the stale rows of a generated testset, each in its place, and add those that are missing at the end.

    All other rows stay as they are, edited ones are marked so (`metadata.edited`), and nothing is taken away.

    Returns:
        What was found, and what was generated; None where nothing was.

    Raises:
        TestsetError: It cannot be written.
        PytestRagasError: As `condition` and `generate_rows` do; nothing was written.
    """
    lock = read_lock(path, shown_as=shown)
    recipe = recipe or lock.recipe
    author.types.check(recipe.distribution)
    named = tuple(docs or lock.docs)
    documents = read_documents(list(named), root=author.root)
    before = _condition(load_testset(path, shown_as=shown), lock, documents, recipe)
    stale = before.of("stale")
    wanted: Counter[str] = Counter(row.question_type for row in stale)
    wanted.update(before.missing)
    author.types.check(wanted)
    made: Generated | None = None
    fresh: dict[str, list[Sample]] = {}
    if wanted:
        kept = [row.row for row in before.rows if row.state != "stale"]
        made = generate_rows(
            author.session,
            documents,
            recipe,
            models=author.models,
            types=author.types,
            wanted=wanted,
            kept=kept,
            progress=author.progress,
        )
        for row in made.rows:
            fresh.setdefault(str(row.metadata["question_type"]), []).append(row)
    rows = [fresh[row.question_type].pop(0) if row.state == "stale" else row.row for row in before.rows]
    rows += [row for kind in wanted for row in fresh.get(kind, ())]
    _write(author, path, named, recipe, documents, rows)
    return before, made


def _write(
    author: Author,
    path: Path,
    docs: Sequence[str],
    recipe: Recipe,
    documents: Sequence[Document],
    rows: Sequence[Sample],
) -> None:
    models = author.models
    used = {"generator LLM": models.generator.identity, "critic LLM": models.critic.identity}
    if models.embeddings is not None:
        used["embeddings"] = models.embeddings.identity
    lock = Lock(
        recipe=recipe,
        docs=tuple(docs),
        documents=digests(documents),
        models={role: model_json(identity) for role, identity in used.items()},
        question_types=_versions(author, recipe),
    )
    try:
        # first: a testset without a lock could not be told from one that was written by hand
        write_lock(lock, path)
        save_testset(Testset(samples=tuple(rows)), path)
    except OSError as error:
        raise TestsetError(f"{path} cannot be written: {error.strerror or error}.") from error


def _versions(author: Author, recipe: Recipe) -> dict[str, str]:
    """Of what writes each question type."""
    if recipe.generator == "ragas":
        return dict.fromkeys(recipe.distribution, f"ragas {import_ragas()}")
    return {name: author.types.get(name).version for name in recipe.distribution}


def refuse_existing(path: Path, shown: str) -> None:
    """A file that is there is never written over.

    Raises:
        TestsetError: It is there; says what to do instead.
    """
    if path.exists():
        how = "bring it up to date with --update" if lock_path(path).is_file() else "it was not generated"
        raise TestsetError(f"{shown} is there already: {how}, or remove it first.")


def from_root(name: str, *, base: Path, root: Path) -> str:
    """A file, folder or glob that begins at `base`, as it is named from the root.

    Args:
        name: As it was written.
        base: The folder that it was written for.
        root: What a lock names documents from.
    """
    place = base / Path(name).expanduser()
    try:
        return Path(os.path.relpath(place, root)).as_posix()
    except ValueError:  # another drive of Windows
        return place.as_posix()
