"""Judgements, models and settings that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ragas.judgements.judgement import Judgement
from pytest_ragas.settings.secret import Secret
from pytest_ragas.settings.values import ModelSettings, Settings
from pytest_ragas.values.sample import Sample

if TYPE_CHECKING:  # scripts of subprocesses import this file, and most need no server
    from openai_server.server import OpenAIServer

    from pytest_ragas.session.evaluator import Evaluator
    from pytest_ragas.values.score import Score

KEY = "sk-judgement-key-4711"
HEADER = "header-secret-4712"
PASSWORD = "url-password-4713"
SECRETS = (KEY, HEADER, PASSWORD)

MODEL = {"provider": "openai", "name": "judge", "endpoint": "http://localhost/v1", "parameters": {"temperature": "0"}}


def score(key: int | str, *, metric: str = "faithfulness", sample: str = "q1", **changes: Any) -> Judgement:
    content = {"metric": metric, "value": 0.5, "reason": "1 of 2", "evidence": [], "higher_is_better": True}
    return made("score", key, metric=metric, sample=sample, **{"content": content, **changes})


def answer(key: int | str, *, value: Any = None, **changes: Any) -> Judgement:
    return made("answer", key, **{"content": {"value": value or {"a": 1}, "usage": [1, 20, 3]}, **changes})


def made(kind: Any, key: int | str, **changes: Any) -> Judgement:
    given = {"metric": "faithfulness", "sample": "q1", "request": {"model": MODEL}, "content": {}}
    return Judgement(kind=kind, key=f"{key:032x}" if isinstance(key, int) else key, **{**given, **changes})


def samples(count: int, *, response: str = "The capital of {} is {}ville. It is big.") -> list[Sample]:
    return [
        Sample(
            id=f"q{number}",
            user_input=f"What is the capital of land{number}?",
            response=response.format(f"land{number}", f"land{number}"),
            retrieved_contexts=[f"land{number}ville is the capital of land{number}.", "The sea is wide."],
            reference=f"land{number}ville is the capital.",
            reference_contexts=["The capital is a town."],
        )
        for number in range(1, count + 1)
    ]


def settings(server: OpenAIServer | str, folder: Path, **changes: Any) -> Settings:
    """An API critic and API embeddings, with every kind of secret that a configuration may hold."""
    url = server if isinstance(server, str) else server.url
    base = url.replace("http://", f"http://user:{PASSWORD}@")
    given: dict[str, Any] = {
        "critic_llm": ModelSettings(
            model_name="judge", api_base=base, api_key=Secret(KEY), headers={"X-Team": Secret(HEADER)}
        ),
        "embeddings": ModelSettings(model_name="embedder", api_base=url, api_key=Secret(KEY)),
        "cache_dir": str(folder / "cache"),
    }
    return Settings(**{**given, **changes})


def scored(evaluator: Evaluator, row: Sample, metric: str) -> list[Score]:
    """What one metric says of one sample."""
    result = evaluator.submit(row, evaluator.plan(metrics=[metric], defaults=False)).result()
    assert not result.failures, result.failures
    return list(result.scores)


class Judged:
    """What one session made of samples."""

    def __init__(
        self, given: Settings, rows: Sequence[Sample], metrics: Sequence[str] = ("faithfulness",), **models: object
    ) -> None:
        from pytest_ragas.metrics.builtin import registry
        from pytest_ragas.session.session import Session

        session = Session(given, registry())
        try:
            evaluator = session.evaluator(**models)
            plan = evaluator.plan(metrics=list(metrics), defaults=False)
            tickets = [evaluator.submit(row, plan) for row in rows]
            self.results = [ticket.result() for ticket in tickets]
            self.models = session.models()
            self.counts = session.judged()
            self.notes = session.finish()
        finally:
            session.close()

    @property
    def scores(self) -> list[Any]:
        return [entry for result in self.results for entry in result.scores]

    @property
    def failures(self) -> list[Any]:
        return [entry for result in self.results for entry in result.failures]
