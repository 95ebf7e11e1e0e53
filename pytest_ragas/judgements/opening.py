"""From settings to `Judgements`: where they lie, and what happens if they cannot be opened."""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import replace
from pathlib import Path

from pytest_ragas.errors import ConfigurationError, JudgementStoreError
from pytest_ragas.judgements.cassette import Cassette
from pytest_ragas.judgements.judgements import Judgements
from pytest_ragas.judgements.recovery import recover
from pytest_ragas.judgements.sqlite_store import SQLiteStore
from pytest_ragas.judgements.store import Store, StoreError
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings, Settings

FILE = "judgements.sqlite3"
"""In the folder of `cache_dir`."""

_KEYLESS = Secret("not-sent", "--ragas-cache=replay")


def open_judgements(settings: Settings) -> Judgements | None:
    """What the settings say of judgements; None for `--ragas-cache=off`. Files are opened, a server is connected to.

    Raises:
        ConfigurationError: `off`, and a cassette.
        JudgementStoreError: In `replay`: there is nothing to replay from, or it cannot be read. In any mode: a
            cassette that cannot be read; it would be overwritten otherwise.
        MissingExtraError: `cache_url` needs the extra "redis".
    """
    if settings.cache == "off":
        if settings.cassette:
            raise ConfigurationError(
                f"--ragas-cache=off neither reads nor records the cassette {settings.cassette}. Leave one of them out."
            )
        return None
    mode = settings.cache
    cassette = Cassette(settings.path("cassette"), shown=settings.cassette) if settings.cassette else None
    store: Store | None = None
    notes: list[str] = []
    if mode == "replay" and cassette is not None:
        if not len(cassette):
            state = "empty" if settings.path("cassette").exists() else "missing"
            raise JudgementStoreError(
                f"The cassette {cassette.shown} is {state}, and --ragas-cache=replay makes no call. "
                f"Record it: run once with --ragas-cache=read-write --ragas-cassette={cassette.shown}."
            )
    else:
        try:
            store = open_store(settings, readonly=mode == "replay")
        except StoreError as error:
            if mode == "replay":
                raise JudgementStoreError(
                    f"{error} --ragas-cache=replay makes no call: record what it needs with --ragas-cache=read-write."
                ) from error
            store, note = _without_writing(settings, error)
            notes.append(note)
    return Judgements(mode=mode, store=store, cassette=cassette, run=_run_name(), notes=notes)


def look_only(settings: Settings) -> Judgements | None:
    """What a run with these settings would find stored; None where it looks for nothing (`off`).

    Nothing is made or changed: give it up with `abandon()`. What cannot be read is not there.
    """
    if settings.cache == "off":
        return None
    store: Store | None = None
    cassette: Cassette | None = None
    if settings.cache != "refresh":
        with contextlib.suppress(StoreError, JudgementStoreError):
            store = open_store(settings, readonly=True)
        if settings.cassette and settings.path("cassette").exists():
            with contextlib.suppress(JudgementStoreError):
                cassette = Cassette(settings.path("cassette"), shown=settings.cassette)
    return Judgements(mode="read-write", store=store, cassette=cassette, run="")


def open_store(settings: Settings, *, readonly: bool) -> Store:
    """The store of the settings: on the server of `cache_url`, else the file in `cache_dir`.

    Raises:
        StoreError: It cannot be opened.
        MissingExtraError: `cache_url` needs the extra "redis".
    """
    if settings.cache_url:
        from pytest_ragas.judgements.redis_store import RedisStore

        url = settings.cache_url
        return RedisStore(url.reveal() if isinstance(url, Secret) else url, readonly=readonly)
    folder = settings.path("cache_dir")
    if not readonly:
        _make(folder)
    store = SQLiteStore(folder / FILE, readonly=readonly)
    if not readonly:
        recover(store.file, lambda run, added, gone: store.write(added, run=run, forget=gone))
    return store


def without_keys(settings: ModelSettings) -> ModelSettings:
    """Settings of a model that will not be called: a machine that only replays has no keys.

    What identifies the model stays as it is.
    """
    return replace(settings, api_key=_KEYLESS if settings.api_key else None, headers={})


def _without_writing(settings: Settings, error: StoreError) -> tuple[Store | None, str]:
    """A read-only checkout still answers what it holds."""
    with contextlib.suppress(StoreError):
        if not settings.cache_url:
            store = open_store(settings, readonly=True)
            return store, f"{error} What is stored there is used; new judgements are not stored."
    return None, f"{error} This run goes on without stored judgements."


def _make(folder: Path) -> None:
    try:
        if folder.is_dir():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was faster
            folder.mkdir()
            # only into a folder that we made: in one of the user's it would hide files of theirs
            (folder / ".gitignore").write_text("# made by pytest-ragas\n*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"The folder {folder} for judgements cannot be made ({error.strerror or error}). "
            "Name another one with --ragas-cache-dir."
        ) from error


def _run_name() -> str:
    """The same in all processes of a pytest-xdist run."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
