"""`RunStore`: the folder of saved runs. `0001_name.json`: a counter, and what the user called it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ragas.baselines.run_file import read_run, write_run
from pytest_ragas.errors import BaselineError, UnknownNameError
from pytest_ragas.files.lock import locked
from pytest_ragas.values.recorded import RecordedRun

LATEST = "latest"
"""Names the last run that came to its end."""

OURS = ".pytest-ragas"
"""The folder that runs lie in by default, beside stored judgements."""

_FILE = re.compile(r"(?P<number>[0-9]{4,})_(?P<name>.+)\.json")
_ILLEGAL = '\\/:*?"<>|'
_LONGEST = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRun:
    """One file with a run."""

    path: Path
    name: str
    """What the user called it; of a file elsewhere, its name without suffix."""
    number: int = 0
    """Its counter in the store; 0 for a file elsewhere."""
    at_hand: RecordedRun | None = field(default=None, repr=False, compare=False)
    """The run, where the file was read to find it."""

    def __str__(self) -> str:
        return self.path.stem if self.number else str(self.path)

    def read(self) -> RecordedRun:
        """The run.

        Raises:
            BaselineError: The file is damaged, of a newer format, or gone.
        """
        return self.at_hand or read_run(self.path)


class RunStore:
    """Saved runs of one project."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: Where they lie; made when the first one is saved.
        """
        self.folder = folder

    def save(self, run: RecordedRun) -> StoredRun:
        """Keep a run, with its answers, under its name and the next number. Two processes may save at once.

        Raises:
            BaselineError: It cannot be written, or cannot be called so.
        """
        check_name(run.name)
        try:
            self._make()
            with locked(self.folder):
                number = max((stored.number for stored in self.list()), default=0) + 1
                path = self.folder / f"{number:04}_{run.name}.json"
                write_run(run, path, answers=True)
        except OSError as error:
            raise BaselineError(
                f"The run cannot be saved in {self.folder}: {error.strerror or error}. "
                "Name another folder with --ragas-runs-dir."
            ) from error
        return StoredRun(path=path, name=run.name, number=number)

    def list(self) -> tuple[StoredRun, ...]:
        """Every saved run, oldest first; none where there is no folder."""
        try:
            files = [(path, _FILE.fullmatch(path.name)) for path in self.folder.iterdir() if path.is_file()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise BaselineError(f"The folder {self.folder} cannot be read: {error.strerror or error}.") from error
        found = [StoredRun(path=path, name=m["name"], number=int(m["number"])) for path, m in files if m]
        return tuple(sorted(found, key=lambda stored: (stored.number, stored.name)))

    def find(self, wanted: str, *, where: str = "") -> StoredRun:
        """The run that somebody means.

        Args:
            wanted: "latest" (the last run that came to its end), a number, a name (the last run of this name), or a
                file, from the current folder.
            where: Where it was written, for the message: "--ragas-compare".

        Raises:
            BaselineError: There is no such file, or no run is saved yet.
            UnknownNameError: No run has this number or name; lists those that there are.
        """
        wanted = wanted.strip()
        file = Path(wanted).expanduser()
        if file.suffix.lower() == ".json" or "/" in wanted or "\\" in wanted:
            return self._file(file)
        runs = self.list()
        if wanted in ("", LATEST):
            return self._latest(runs)
        same = [stored for stored in runs if wanted in (stored.name, stored.path.stem)]
        if not same and wanted.isascii() and wanted.isdigit():
            same = [stored for stored in runs if stored.number == int(wanted)]
        if same:
            return same[-1]
        if file.is_file():
            return self._file(file)
        if not runs:
            raise self._none(f"No run is called {wanted!r}: ")
        names = [name for stored in runs for name in (stored.path.stem, stored.name)]
        raise UnknownNameError(f"run of {self.folder}", wanted, [*dict.fromkeys(names), LATEST], where=where)

    def _file(self, path: Path) -> StoredRun:
        path = path.absolute()
        match = _FILE.fullmatch(path.name) if path.parent == self.folder.absolute() else None
        if match:
            return StoredRun(path=path, name=match["name"], number=int(match["number"]))
        return StoredRun(path=path, name=path.stem)

    def _latest(self, runs: tuple[StoredRun, ...]) -> StoredRun:
        if not runs:
            raise self._none("")
        for stored in reversed(runs):
            # a damaged file is somebody's to mend, but not a reason to fall back to an older run in silence
            run = stored.read()
            if run.complete:
                return replace(stored, at_hand=run)
        return runs[-1]

    def _none(self, before: str) -> BaselineError:
        text = f"{before}no run is saved in {self.folder} yet. Save one with --ragas-save=NAME or --ragas-autosave."
        return BaselineError(text[0].upper() + text[1:])

    def _make(self) -> None:
        made = [folder for folder in (self.folder.parent, self.folder) if not folder.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        for folder in made:
            # only into folders that we made: in one of the user's it would hide files of theirs
            if folder == self.folder or folder.name == OURS:
                with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
                    file.write("# made by pytest-ragas\n*\n")


def check_name(name: str) -> None:
    """Make sure that a run can be called so, and found by it again.

    Raises:
        BaselineError: It cannot.
    """
    wrong = ""
    if illegal := sorted({sign for sign in name if sign in _ILLEGAL or not sign.isprintable()}):
        wrong = f"it holds {', '.join(map(repr, illegal))}, which file names cannot"
    elif not name.strip() or name != name.strip():
        wrong = "it is empty or has spaces around it"
    elif name == LATEST or name.isdigit() or name.lower().endswith(".json"):
        wrong = "that means the last run, a number or a file where runs are looked up"
    elif len(name.encode()) > _LONGEST:
        wrong = f"it has more than {_LONGEST} bytes"
    if wrong:
        raise BaselineError(
            f"A run cannot be called {name!r}: {wrong}. Write for example --ragas-save=before-reranker."
        )
