"""A model of ModelScope, as a folder in its client's own cache. Contacted only where `hub = "modelscope"` is said."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pytest_ragas.errors import ConfigurationError, MissingExtraError, cut
from pytest_ragas.models.local.hub_options import HubOptions


def folder_of(name: str, options: HubOptions, *, check: Callable[[Path], None], draw: bool = False) -> Path:
    """The model's folder; downloaded unless the cache holds it whole. Arguments and errors as for the other hub."""
    try:
        client: Any = importlib.import_module("modelscope.hub.snapshot_download")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "modelscope":
            raise
        raise MissingExtraError(f'The model {name!r} with hub = "modelscope"', "modelscope", "modelscope") from None
    given: dict[str, Any] = {"revision": options.revision, "cache_dir": options.cache_folder}
    with _silent(draw):
        with contextlib.suppress(Exception):  # not in the cache, or not whole
            folder = Path(client.snapshot_download(name, local_files_only=True, **given))
            check(folder)
            return folder
        if options.local_files_only:
            raise _not_found(
                name, "it is not in ModelScope's cache, and local_files_only = true forbids to ask for it."
            )
        try:
            folder = Path(client.snapshot_download(name, token=options.token, **given))
        except Exception as error:
            raise _not_found(name, f"{type(error).__name__}: {cut(str(error))}") from error
    check(folder)
    return folder


@contextlib.contextmanager
def _silent(draw: bool) -> Iterator[None]:
    """Its client prints, logs and draws."""
    if draw:
        yield
        return
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in ("modelscope", "modelscope_hub")}
    for logger in levels:
        logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)


def _not_found(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"Cannot get the model {name!r} of ModelScope: {why} Name a folder with the model, an id that is on ModelScope "
        '(modelscope.cn), or leave hub = "modelscope" out for the Hugging Face hub or "smollm2".'
    )
