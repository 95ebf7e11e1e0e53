"""`pytest-ragas cache`: what is stored of judgements, out to a file, in from files, and away."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ragas.judgements.judgement import Kind
    from pytest_ragas.judgements.store import Store

SUMMARY = "show, export, import or prune stored judgements"
DESCRIPTION = (
    "What critic LLMs and embeddings answered, and what metrics made of it, is stored in .pytest-ragas of the rootdir "
    "(cache_dir), or on a Redis server (cache_url); the settings of the project say which, unless an option does."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--cache-dir", metavar="DIR", help="folder of the file with stored judgements")
    where.add_argument("--cache-url", metavar="URL", help="Redis server; with a password: env:NAME")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    actions.add_parser("stats", parents=[where], help="how much is stored, of which metrics and models")

    export = actions.add_parser("export", parents=[where], help="write everything to a .jsonl file, to be committed")
    export.add_argument("file", metavar="FILE", help="replaced if it exists; - for standard output")
    export.add_argument(
        "--only", choices=("score", "answer", "vector"), help="only scores, answers of LLMs, or vectors of embeddings"
    )

    take = actions.add_parser("import", parents=[where], help="add what .jsonl files hold")
    take.add_argument("files", nargs="+", metavar="FILE", help="as export or --ragas-cassette wrote it")

    prune = actions.add_parser("prune", parents=[where], help="delete what is not used any more")
    which = prune.add_mutually_exclusive_group(required=True)
    which.add_argument("--older-than", type=_days, metavar="DAYS", help="last used by a run that began so long ago")
    which.add_argument(
        "--unused", action="store_true", help="not used by the last run; run the whole suite before, not a part of it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done; 0."""
    from pytest_ragas.errors import JudgementStoreError
    from pytest_ragas.judgements.store import StoreError

    try:
        store = _open(arguments, readonly=arguments.action in ("stats", "export"))
        try:
            _ACTIONS[arguments.action](store, arguments)
        finally:
            store.close()
    except StoreError as error:
        raise JudgementStoreError(str(error)) from error
    return 0


def _stats(store: Store, arguments: argparse.Namespace) -> None:
    from datetime import datetime

    contents = store.contents()
    size = f", {_size(contents.size)}" if contents.size is not None else ""
    print(f"{store.name}{size}")
    print(f"  {_counts(contents.kinds)}, {contents.tokens:,} tokens")
    if contents.last_run is not None:
        last = datetime.fromtimestamp(contents.last_run).isoformat(sep=" ", timespec="minutes")
        print(f"  {_count(contents.runs, 'run')}, the last one at {last}")
    for title, found in (("metric", contents.metrics), ("model", contents.models)):
        for name, count in found.items():
            what = "score" if title == "metric" else "answer"
            print(f"  {title:<7} {name or '?':<40} {_count(count, what):>14}")


def _export(store: Store, arguments: argparse.Namespace) -> None:
    from pytest_ragas.errors import JudgementStoreError
    from pytest_ragas.judgements.cassette import replace_file
    from pytest_ragas.judgements.lines import sorted_text

    judgements = [one for one in store.everything() if arguments.only in (None, one.kind)]
    text = sorted_text(judgements)
    if arguments.file == "-":
        sys.stdout.buffer.write(text.encode("utf-8"))  # as in a file, whatever the terminal's encoding is
        return
    try:
        replace_file(Path(arguments.file), text)
    except OSError as error:
        raise JudgementStoreError(f"{arguments.file} cannot be written: {error.strerror or error}.") from error
    print(f"{_count(len(judgements), 'judgement')} of {store.name} written to {arguments.file}")


def _import(store: Store, arguments: argparse.Namespace) -> None:
    import uuid

    from pytest_ragas.errors import JudgementStoreError
    from pytest_ragas.judgements.cassette import Cassette

    found = {}
    for file in arguments.files:
        if not Path(file).exists():
            raise JudgementStoreError(f"There is no file {file}. Nothing was imported.")
        found.update({judgement.key: judgement for judgement in Cassette(Path(file), shown=file).everything()})
    known = sum(1 for _ in store.read(found))
    # all or nothing, and the files weigh more than what is stored
    store.write(list(found.values()), run=uuid.uuid4().hex)
    print(f"{_count(len(found), 'judgement')} imported to {store.name}: {len(found) - known} new, {known} replaced")


def _prune(store: Store, arguments: argparse.Namespace) -> None:
    import time

    before = None if arguments.unused else time.time() - arguments.older_than * 86_400
    deleted = store.prune(older_than=before)
    contents = store.contents()
    size = f" ({_size(contents.size)})" if contents.size is not None else ""
    print(f"deleted from {store.name}: {_counts(deleted)}")
    print(f"left: {_counts(contents.kinds)}{size}")


_ACTIONS = {"stats": _stats, "export": _export, "import": _import, "prune": _prune}


def _open(arguments: argparse.Namespace, *, readonly: bool) -> Store:
    from pytest_ragas.judgements.opening import open_store
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    typed = {"cache_dir": arguments.cache_dir, "cache_url": arguments.cache_url}
    settings = load_settings(rootdir=rootdir(), environ=os.environ, command_line=typed)
    if arguments.cache_dir and not arguments.cache_url:  # a configured server must not hide the folder that was named
        settings = replace(settings, cache_url="")
    return open_store(settings, readonly=readonly)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= 36_500:
        raise argparse.ArgumentTypeError(f"found {text!r}; write a number of days, for example 30")
    return days


def _counts(kinds: Mapping[Kind, int]) -> str:
    return ", ".join(_count(kinds.get(kind, 0), kind) for kind in ("score", "answer", "vector"))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
