"""`Cassette`: a JSONL file of judgements that is committed, and replayed from as it is."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_ragas.errors import JudgementStoreError
from pytest_ragas.files.lock import locked
from pytest_ragas.judgements.judgement import Judgement, Kind, text_of
from pytest_ragas.judgements.lines import LineProblem, key_of, numbered, read_line, sorted_text


class Cassette:
    """The judgements of a file, read into memory when it is first looked at. A line is parsed when it is asked for."""

    def __init__(self, path: Path, *, shown: str = "") -> None:
        """
        Args:
            path: The file; may be missing until something is recorded.
            shown: How the user calls it.
        """
        # a link stays one: the file that it points to is replaced
        self._path = Path(os.path.realpath(path))
        self.shown = shown or str(path)
        """How messages call it."""
        self._lines: dict[str, tuple[int, bytes]] = self._read()

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: str) -> bool:
        return key in self._lines

    def find(self, kind: Kind, key: str) -> Any:
        """The content of a judgement; None if there is none.

        Raises:
            JudgementStoreError: The line cannot be read.
        """
        found = self._lines.get(key)
        if found is None:
            return None
        judgement = self._parsed(*found)
        return judgement.content if judgement.kind == kind else None

    def near(self, kind: Kind, metric: str, sample: str) -> Sequence[Judgement]:
        """What is recorded of this kind for a metric and a row. Errors as `find`."""
        return [one for one in self.everything() if one.kind == kind and one.metric == metric and one.sample == sample]

    def everything(self) -> list[Judgement]:
        """All judgements, each key once. Errors as `find`."""
        return [self._parsed(number, line) for number, line in self._lines.values()]

    def add(self, judgements: Iterable[Judgement]) -> int:
        """Put judgements into the file, over those of the same keys; what else it holds by now stays.

        The file is sorted, replaced in one step, and not touched if nothing in it changes.

        Returns:
            How many lines are new or different.

        Raises:
            JudgementStoreError: The file cannot be read.
            OSError: It cannot be written.
        """
        new = {judgement.key: judgement for judgement in judgements}
        if not new:
            return 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._path):
            self._lines = self._read()  # another process may have written since
            before = {judgement.key: judgement for judgement in self.everything()}
            changed = [key for key in new if key not in before or not _same(before[key], new[key])]
            if changed:
                replace_file(self._path, sorted_text({**before, **{key: new[key] for key in changed}}.values()))
                self._lines = self._read()
        return len(changed)

    def _read(self) -> dict[str, tuple[int, bytes]]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise JudgementStoreError(
                f"The cassette {self.shown} cannot be read: {error.strerror or error}."
            ) from error
        lines: dict[str, tuple[int, bytes]] = {}
        for number, line in numbered(data):
            try:
                lines[key_of(line)] = (number, line)
            except LineProblem as error:
                raise self._problem(number, error) from None
        return lines

    def _parsed(self, number: int, line: bytes) -> Judgement:
        try:
            return read_line(line)
        except LineProblem as error:
            raise self._problem(number, error) from None

    def _problem(self, number: int, error: LineProblem) -> JudgementStoreError:
        return JudgementStoreError(f"The cassette {self.shown} cannot be read: line {number}: {error}")


def replace_file(path: Path, text: str) -> None:
    """Write a whole file in one step: who reads it meanwhile sees the old one or the new one.

    Raises:
        OSError: It cannot be written; an old one stays as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _same(one: Judgement, other: Judgement) -> bool:
    """Whether two judgements of one key say the same. Who asked first is a matter of chance."""
    texts = [text_of([entry.content, dict(entry.request), list(entry.answers)]) for entry in (one, other)]
    return texts[0] == texts[1]
