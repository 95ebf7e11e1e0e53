"""`pytest-ragas generate`: a testset from documents, checked against them, brought up to date."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ragas.cli.live_line import LiveLine
from pytest_ragas.cli.open_session import open_session

if TYPE_CHECKING:
    from pytest_ragas.session.session import Session
    from pytest_ragas.session.testset_file import Author, Condition
    from pytest_ragas.testset.generate.recipe import Recipe
    from pytest_ragas.testset.generate.report import Report

SUMMARY = "write a testset from documents, check it against them, bring it up to date"
DESCRIPTION = (
    "Write a testset from documents with the generator LLM of the settings; the critic LLM judges every row before it "
    "is kept. Beside FILE, FILE.lock says what it was made from. Ctrl-C loses nothing: run it again. Exit status of "
    "--check: 1 if rows are stale or missing."
)

_INTERRUPTED = "what the models answered is stored; run it again to go on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument(
        "docs",
        nargs="*",
        metavar="DOCS",
        help="files, folders or globs; with --check and --update those of the lock if none are given",
    )
    parser.add_argument("--output", default="testset.json", metavar="FILE", help="the testset (default: testset.json)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say which rows are stale; no call is made")
    what.add_argument("--update", action="store_true", help="replace stale rows, add missing ones, keep all others")
    parser.add_argument("--test-size", type=int, metavar="N", help="rows (default: 10)")
    parser.add_argument(
        "--distribution",
        type=_distribution,
        metavar="SHARES",
        help="shares of the question types (default: simple=0.5,multi_context=0.4,reasoning=0.1); "
        "also: unanswerable, conversational",
    )
    parser.add_argument("--language", metavar="NAME", help='of the questions, e.g. "German" (default: the documents\')')
    parser.add_argument("--seed", type=int, metavar="N", help="decides which passages are asked about (default: 0)")
    parser.add_argument("--chunk-size", type=int, metavar="N", help="characters of a passage")
    parser.add_argument("--attempts", type=int, metavar="N", help="candidates for a row at most (default: 5)")
    parser.add_argument(
        "--generator",
        choices=("native", "ragas"),
        help="whose steps write the questions: ours, or ragas' TestsetGenerator (default: of the settings, native)",
    )
    parser.add_argument(
        "--respond",
        action="store_true",
        default=None,
        help="let the generator LLM answer each question too, as a stand-in for a RAG",
    )
    parser.add_argument("--config", metavar="FILE", help="settings beside pyproject.toml, as pytest's --ragas-config")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done; 0, or 1 if --check finds something."""
    from pytest_ragas.errors import ConfigurationError
    from pytest_ragas.session.testset_file import from_root
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    root = rootdir()
    file = Path(arguments.config).absolute() if arguments.config else None
    settings = load_settings(rootdir=root, config_file=file, environ=os.environ)
    docs = [from_root(name, base=Path.cwd(), root=root) for name in arguments.docs]
    if arguments.check:
        return _check(arguments, root, docs)
    if not docs and not arguments.update:
        raise ConfigurationError("No documents are named. Write for example: pytest-ragas generate docs/*.md")
    with open_session(settings, interrupted=_INTERRUPTED) as session:
        _generate(arguments, root, docs, session)
    return 0


def _generate(arguments: argparse.Namespace, root: Path, docs: list[str], session: Session) -> None:
    from pytest_ragas.session.testset_file import make, refuse_existing, update
    from pytest_ragas.testset.generate.recipe import Recipe

    path = Path(arguments.output)
    if not arguments.update:
        recipe = Recipe.from_json({"generator": session.settings.generator, **_given(arguments)})
        refuse_existing(path, arguments.output)
        with LiveLine("generating") as line:
            made = make(_author(session, root, line), path, docs, recipe)
        print(f"{arguments.output}: {made.report.rows_line()}")
        _print_cost(made.report, session)
        return
    asked = _recipe_of(arguments, path)
    with LiveLine("generating") as line:
        before, replaced = update(_author(session, root, line), path, shown=arguments.output, docs=docs, recipe=asked)
    stale, added = len(before.of("stale")), sum(before.missing.values())
    print(f"{arguments.output}: {stale} replaced, {added} added, {len(before.rows) - stale} kept")
    _print_edited(before)
    if replaced is not None:
        _print_cost(replaced.report, session)


def _check(arguments: argparse.Namespace, root: Path, docs: list[str]) -> int:
    from pytest_ragas.session.testset_file import condition

    path = Path(arguments.output)
    found = condition(path, shown=arguments.output, root=root, docs=docs, recipe=_recipe_of(arguments, path))
    stale = found.of("stale")
    missing = ", ".join(f"{count} {name}" for name, count in found.missing.items())
    state = "up to date" if found.up_to_date else f"{len(stale)} stale, {missing or 'none'} missing"
    print(f"{arguments.output}: {len(found.rows)} rows, {state}")
    for name, documents in (("changed", found.changed), ("new", found.new), ("gone", found.gone)):
        if documents:
            print(f"  {name} documents: {', '.join(documents)}")
    for row in stale:
        print(f"  stale {row.row.id} ({row.question_type}): {row.why}")
    _print_edited(found)
    if not found.up_to_date:
        print(f"Bring it up to date: pytest-ragas generate --update --output {arguments.output}")
    return 0 if found.up_to_date else 1


def _print_edited(found: Condition) -> None:
    for row in found.of("edited"):
        print(f"  edited {row.row.id} ({row.question_type}): kept" + (f"; look at it: {row.why}" if row.why else ""))


def _print_cost(report: Report, session: Session) -> None:
    print(f"  {report.rejected_line()}")
    for use in session.models():
        usage = use.usage
        tokens = usage.prompt_tokens + usage.completion_tokens
        print(f"  {use.role} {use.identity.name}: {usage.calls:,} calls, {tokens:,} tokens")


def _author(session: Session, root: Path, progress: Callable[[int, int], None]) -> Author:
    from pytest_ragas.session.generation import generation_models
    from pytest_ragas.session.testset_file import Author
    from pytest_ragas.testset.generate.builtin import question_types

    return Author(
        session=session, models=generation_models(session), types=question_types(), root=root, progress=progress
    )


def _given(arguments: argparse.Namespace) -> dict[str, object]:
    names = ("test_size", "distribution", "language", "seed", "chunk_size", "attempts", "respond", "generator")
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _recipe_of(arguments: argparse.Namespace, path: Path) -> Recipe | None:
    """The recipe of the lock, as far as the command line says nothing else."""
    from pytest_ragas.testset.generate.recipe import Recipe
    from pytest_ragas.testset.lock import read_lock

    given = _given(arguments)
    return Recipe.from_json({**read_lock(path, shown_as=arguments.output).recipe.to_json(), **given}) if given else None


def _distribution(text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            equals = ""
        if not equals:
            raise argparse.ArgumentTypeError(
                f"found {part!r}; write for example simple=0.5,multi_context=0.4,reasoning=0.1"
            )
    return shares
