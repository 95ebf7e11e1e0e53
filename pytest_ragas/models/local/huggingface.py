"""A model of the Hugging Face hub, as a folder in the hub's own cache."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, cut
from pytest_ragas.models.local.cache import check_room, explained
from pytest_ragas.models.local.hub_options import HubOptions
from pytest_ragas.models.progress_bars import no_progress_bars

_TOKENIZER_AND_MORE = (".json", ".jinja", ".model", ".txt", ".tiktoken", ".py")

_PATIENCE = 20.0
"""Seconds for the one question whether the hub is there and has the model; its client would retry for minutes."""


def folder_of(name: str, options: HubOptions, *, check: Callable[[Path], None], draw: bool = False) -> Path:
    """The model's folder; downloaded unless the cache holds it whole.

    What the cache holds is taken without asking whether there is a newer one.

    Args:
        name: OWNER/NAME.
        options: Revision, token, cache; whether the hub may be asked.
        check: Raises ConfigurationError for a folder that is not whole.
        draw: Draw progress on the terminal.

    Raises:
        ConfigurationError: It is neither in the cache nor on the hub, or the hub may not be asked.
        MissingExtraError: huggingface_hub is not installed.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError:
        raise MissingExtraError(f"The local model {name!r}", "huggingface_hub", "local") from None
    given: dict[str, Any] = {"revision": options.revision, "cache_dir": options.cache_folder}
    found = _cached(huggingface_hub, name, given)
    whole, lacks = False, ""
    if found is not None:
        try:
            check(found)
            whole = True
        except ConfigurationError as error:
            lacks = f" What its cache holds is not whole: {error}"
    if whole and found is not None:
        return found
    if options.local_files_only or huggingface_hub.constants.HF_HUB_OFFLINE:
        why = "HF_HUB_OFFLINE=1" if huggingface_hub.constants.HF_HUB_OFFLINE else "local_files_only = true"
        raise _not_found(name, f"it is not in the cache of the hub, and {why} forbids to ask for it.{lacks}")
    with explained(Path(huggingface_hub.constants.HF_HUB_CACHE)):
        folder = _downloaded(huggingface_hub, name, options, given, draw)
    check(folder)
    return folder


def _cached(library: Any, name: str, given: dict[str, Any]) -> Path | None:
    """The snapshot's folder. `snapshot_download` would not do: it misses the files that we never wanted."""
    try:
        found = library.try_to_load_from_cache(name, "config.json", **given)
    except Exception:  # HFValidationError for what is no id: the download will say so
        return None
    return Path(found).parent if isinstance(found, str) else None


def _downloaded(library: Any, name: str, options: HubOptions, given: dict[str, Any], draw: bool) -> Path:
    try:
        info = library.HfApi().model_info(
            name, revision=options.revision, timeout=_PATIENCE, token=options.token, files_metadata=True
        )
        sizes = {file.rfilename: file.size or 0 for file in info.siblings}
        wanted = _wanted(list(sizes))
        if not any(file.endswith((".safetensors", ".bin")) for file in wanted):
            ggufs = sorted(file for file in sizes if file.endswith(".gguf"))
            raise ConfigurationError(
                f"{name} has no weights that transformers loads. "
                + (
                    f"Download one of its .gguf files ({', '.join(ggufs[:4])}) and name its path."
                    if ggufs
                    else "Name a model with safetensors."
                )
            )
        root = Path(given["cache_dir"] or library.constants.HF_HUB_CACHE).expanduser()
        root.mkdir(parents=True, exist_ok=True)
        check_room(root, sum(sizes[file] for file in wanted), f"Downloading {name}")
        with contextlib.nullcontext() if draw else no_progress_bars():
            return Path(library.snapshot_download(name, allow_patterns=wanted, token=options.token, **given))
    except (ConfigurationError, OSError) as error:
        # the hub's own errors are OSErrors too (HTTP, connection); those of the disk have a number and a file
        if isinstance(error, ConfigurationError) or error.filename is not None:
            raise
        raise _not_found(name, f"{type(error).__name__}: {cut(str(error))}") from error
    except Exception as error:
        raise _not_found(name, f"{type(error).__name__}: {cut(str(error))}") from error


def _wanted(files: Sequence[str]) -> list[str]:
    """Weights in one format, configuration, tokenizer: what lies at the top; some hold the weights thrice."""
    top = [file for file in files if "/" not in file]
    weights = [file for file in top if file.endswith(".safetensors") and not file.startswith("consolidated")]
    weights = weights or [file for file in top if file.startswith("pytorch_model") and file.endswith(".bin")]
    return weights + [file for file in top if file.endswith(_TOKENIZER_AND_MORE)]


def _not_found(name: str, why: str) -> ConfigurationError:
    from pytest_ragas.models.local.weights import THREE_WAYS

    return ConfigurationError(f"Cannot get the model {name!r} of the Hugging Face hub: {why} {THREE_WAYS}")
