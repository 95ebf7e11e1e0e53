"""`docs=` of the marker: a testset whose file is missing is generated once, and from then on loaded like any other."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ragas.errors import ConfigurationError, TestsetError
from pytest_ragas.plugin.marker import MarkerArguments

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite
    from pytest_ragas.testset.generate.recipe import Recipe
    from pytest_ragas.testset.generate.types import QuestionTypes

NOTES = pytest.StashKey[list[str]]()
"""What was generated, or would be; shown below "collected N items"."""

_TYPES = pytest.StashKey["QuestionTypes"]()
_PATIENCE = 24 * 3600.0
"""Seconds that a process waits for the one that generates; an LLM on a laptop takes its time."""


def ensure_testset(suite: Suite, arguments: MarkerArguments, metafunc: pytest.Metafunc) -> bool:
    """Generate the testset that a marker names, if its file is missing.

    Under pytest-xdist every worker comes here; one of them generates, the others wait for it and find the file.

    Returns:
        Whether it is there now. Not with `--collect-only`, which generates nothing.

    Raises:
        ConfigurationError: There is no generator LLM; says both ways out.
        PytestRagasError: It could not be generated; nothing was written.
    """
    from pytest_ragas.plugin.generating.generation_models import writer_name
    from pytest_ragas.testset.generate.recipe import Recipe

    name, docs = arguments.testset, arguments.docs
    assert isinstance(name, (str, os.PathLike))
    assert docs is not None
    beside, root = metafunc.definition.path.parent, suite.config.rootpath
    try:
        recipe = Recipe(**{"generator": suite.settings.generator, **arguments.recipe})
    except ConfigurationError as error:
        raise ConfigurationError(f"In the ragas marker of {metafunc.definition.nodeid}: {error}") from None
    there = next((place / name for place in (beside, root) if (place / name).is_file()), None)
    if there is not None:
        _note_another_recipe(suite.config, there, os.fspath(name), arguments)
        return True
    types = question_types(suite.config)
    types.check(recipe.distribution)
    named = [_from_root(doc, beside, root) for doc in docs]
    if suite.config.option.collectonly or suite.estimates:
        what = f"{recipe.test_size} rows from {', '.join(named)} with {writer_name(suite, metafunc)}"
        _note(suite.config, f"{os.fspath(name)} is missing: would generate {what}")
        return False
    path = beside / name
    _generate_once(suite, metafunc, path, named, recipe, shown=os.fspath(name), types=types)
    return True


def question_types(config: pytest.Config) -> QuestionTypes:
    """Every question type, also those of conftest.py files that are loaded later."""
    import pytest_ragas.testset.generate.builtin as builtin
    from pytest_ragas.testset.generate.types import QuestionTypes

    if _TYPES not in config.stash:
        config.stash[_TYPES] = types = QuestionTypes()
        manager = config.pluginmanager
        manager.register(builtin, "ragas-question-types")
        manager.hook.pytest_ragas_register_question_types.call_historic(kwargs={"register": types.register})
    return config.stash[_TYPES]


def _generate_once(
    suite: Suite,
    metafunc: pytest.Metafunc,
    path: Path,
    docs: list[str],
    recipe: Recipe,
    *,
    shown: str,
    types: QuestionTypes,
) -> None:
    from pytest_ragas.files.lock import locked
    from pytest_ragas.plugin.generating.generation_line import GenerationLine
    from pytest_ragas.plugin.generating.generation_models import overridden, writer
    from pytest_ragas.session.generation import generation_models
    from pytest_ragas.session.session import CONFIGURED
    from pytest_ragas.session.testset_file import Author, make

    # found out before anybody waits for anything
    models = generation_models(
        suite.session,
        generator=writer(suite, metafunc),
        critic=overridden(metafunc, "ragas_critic_llm", CONFIGURED),
        embeddings=overridden(metafunc, "ragas_embeddings", None),
    )
    with locked(path, patience=_PATIENCE):
        if path.is_file():  # another process was faster
            return
        with GenerationLine(suite, shown) as line:
            author = Author(
                session=suite.session, models=models, types=types, root=suite.config.rootpath, progress=line.show
            )
            line.begin(recipe.test_size, models.generator.identity.name)
            made = make(author, path, docs, recipe)
    _note(suite.config, f"generated {shown}: {made.report.rows_line()}; {made.report.rejected_line()}")


def _note_another_recipe(config: pytest.Config, path: Path, shown: str, arguments: MarkerArguments) -> None:
    """Say that the file is not as the marker wants it: it is loaded all the same, and stays as it is."""
    from pytest_ragas.testset.lock import read_lock

    try:
        recipe = read_lock(path, shown_as=shown).recipe.to_json()
    except TestsetError:  # it was written by hand, and needs no lock
        return
    other = [f"{name}={recipe[name]!r}" for name, value in arguments.recipe.items() if recipe[name] != value]
    if other:
        _note(
            config,
            f"{shown} was generated with {', '.join(other)}, and the marker says otherwise. "
            "Bring it up to date with pytest-ragas generate --update, or remove it.",
        )


def _from_root(doc: str, beside: Path, root: Path) -> str:
    """Where a marker's document is: beside the test file, as its testset would be, else below the rootdir."""
    from pytest_ragas.session.testset_file import from_root

    place = beside / Path(doc).expanduser()
    there = place.exists() or (glob.has_magic(doc) and any(glob.iglob(str(place), recursive=True)))
    return from_root(doc, base=beside if there else root, root=root)


def _note(config: pytest.Config, text: str) -> None:
    notes = config.stash.setdefault(NOTES, [])
    if text not in notes:
        notes.append(text)
