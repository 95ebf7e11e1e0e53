"""A testset generated against the test server, with everything between: session, engine, store, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openai_server.server import OpenAIServer

from pytest_ragas.metrics.builtin import registry
from pytest_ragas.session.generation import generation_models
from pytest_ragas.session.session import Session
from pytest_ragas.session.testset_file import Author, condition, make, update
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.testset.generate.builtin import question_types
from pytest_ragas.testset.generate.generate import Generated
from pytest_ragas.testset.generate.recipe import Recipe
from pytest_ragas.testset.load import load_testset
from pytest_ragas.values.testset import Testset

SEED_DISTRIBUTION = {"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1}

PARAGRAPHS = {
    "opening.md": [
        ("Opening hours", "The office in Lund opens at 08:30 on working days and closes at 18:00 in the evening."),
        ("Fridays", "On Fridays the office in Lund closes at 16:00 already. Visitors leave it by 15:45 then."),
        ("Reception", "The reception takes parcels until 17:00 every day. Parcels for Erik Holm wait in room 204."),
        ("Holidays", "On public holidays the office stays closed. Only the guard Maria Lind is there then."),
        ("Keys", "Keys are handed out by Maria Lind against a signature. A lost key costs the employee 50 euros."),
    ],
    "vacation.md": [
        ("Vacation", "Every employee gets 25 days of vacation a year. Whoever has worked here ten years gets 30."),
        ("Requests", "A request for vacation goes to Anna Berg four weeks before it begins. She answers soon."),
        ("Sickness", "Whoever falls ill during a vacation gets those days back. A note must reach Anna Berg."),
        ("Carrying over", "Up to five days of vacation are carried over to the next year. They expire in March."),
        ("Parents", "Parents of small children choose their vacation first. Anna Berg keeps the list of them."),
    ],
    "travel.md": [
        ("Trains", "Trains are booked by Erik Holm in the second class. Seats in the quiet coach are reserved."),
        ("Flights", "Flights are allowed where a train takes longer than nine hours. Erik Holm must agree."),
        ("Expenses", "A meal on a journey is paid up to 40 euros a day. Receipts must reach Erik Holm in May."),
        ("Hotels", "A hotel may cost 120 euros a night in Sweden. In Norway it may cost 150 euros a night."),
        ("Cars", "A car is hired only where no train goes. The car of the company stands in the yard."),
    ],
}
"""Three handbooks of five sections each; every section becomes a chunk of its own at `CHUNK` characters."""

CHUNK = 150


def write_docs(folder: Path, sections: dict[str, list[tuple[str, str]]] | None = None) -> None:
    """The handbooks as Markdown, in `docs/`."""
    (folder / "docs").mkdir(exist_ok=True)
    for name, parts in (sections or PARAGRAPHS).items():
        text = "\n\n".join(f"## {title}\n\n{said}" for title, said in parts)
        (folder / "docs" / name).write_text(f"# Handbook\n\n{text}\n", encoding="utf-8")


def settings_of(server: OpenAIServer, folder: Path, **changes: Any) -> Settings:
    author = ModelSettings(model_name="author", api_base=server.url, structure="json_schema")
    critic = ModelSettings(model_name="critic", api_base=server.url, structure="json_schema")
    vectors = ModelSettings(model_name="vectors", api_base=server.url)
    given = {"generator_llm": author, "critic_llm": critic, "embeddings": vectors, "cache_dir": str(folder / "cache")}
    return Settings(**{**given, **changes})


class Project:
    """A folder with documents, and one generated testset."""

    def __init__(self, server: OpenAIServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.path = folder / "generated.json"
        self.changes: dict[str, Any] = {}
        self.report: Any = None
        write_docs(folder)

    def generate(self, *, docs: tuple[str, ...] = ("docs",), path: Path | None = None, **recipe: Any) -> Generated:
        """Generate into a new file, in a session of its own."""
        wanted = Recipe(**{"chunk_size": CHUNK, **recipe})
        return self._in_session(lambda author: make(author, path or self.path, docs, wanted))

    def update(self, **recipe: Any) -> tuple[Any, Generated | None]:
        wanted = Recipe(**{"chunk_size": CHUNK, **recipe}) if recipe else None
        return self._in_session(lambda author: update(author, self.path, shown="generated.json", recipe=wanted))

    def condition(self) -> Any:
        return condition(self.path, shown="generated.json", root=self.folder)

    def testset(self) -> Testset:
        return load_testset(self.path)

    def edit(self, document: str, old: str, new: str) -> None:
        file = self.folder / "docs" / document
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _in_session(self, work: Any) -> Any:
        session = Session(settings_of(self.server, self.folder, **self.changes), registry())
        try:
            return work(
                Author(session=session, models=generation_models(session), types=question_types(), root=self.folder)
            )
        finally:
            session.finish()
            session.close()
