"""`benchmarks/valid_answers.py`: every answer to a real prompt is valid, and what is not would be counted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_models.conftest import needs
from local_models.random_lm import tiny_model, tiny_tokenizer
from pytest_ragas.errors import StructureError
from pytest_ragas.models.local.llm import TransformersLLM
from pytest_ragas.protocols import JSONSchema
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Answer, Message, ModelIdentity

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The script as a module."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import valid_answers

    yield valid_answers
    sys.modules.pop("valid_answers")


class Liar:
    """Answers without looking at the schema."""

    identity = ModelIdentity(provider="scripted", name="liar")

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    async def ask(self, messages: Sequence[Message], schema: JSONSchema) -> Answer:
        text = self.texts.pop(0)
        if text.startswith("{"):
            return Answer(value={}, raw=text)
        raise StructureError("cut", raw=text)

    async def aclose(self) -> None:
        pass


def test_what_is_not_valid_is_counted(bench: Any) -> None:
    schema = {"title": "Verdict", "type": "object", "properties": {"verdict": {"enum": [0, 1]}}}
    good, wrong, broken = '{"verdict": 1}', '{"verdict": 7}', '{"verdict": 1'
    counting = bench.Counting(Liar(good, wrong, broken, '["half'))

    async def work() -> None:
        for _ in range(4):
            await counting.ask([], schema)

    asyncio.run(work())
    assert counting.counts() == {"whole": 1, "invalid": 3}
    assert "7 is not one of [0, 1]" in counting.wrong[0]
    assert "no JSON" in counting.wrong[2]


def test_every_prompt_is_answered_validly_by_weights_that_know_nothing(
    bench: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them: 13 metrics of ragas, 11 of ours, five types of questions."""
    for library in ("torch", "transformers", "llguidance"):
        needs(library, "local")
    needs("ragas", "ragas")
    tiny_model(max_position_embeddings=16_384).save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    arguments = ["--model", str(tmp_path), "--samples", "1", "--max-tokens", "200", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["valid_answers.py", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        bench.main()
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    rows = [line.strip("| ").split(" | ") for line in said.splitlines()[2:]]
    assert [row[0] for row in rows] == ["13 metrics of ragas", "11 of ours", "testset generation", "all"]
    assert int(rows[-1][2]) >= 60
    for _, _, answers, valid, _, invalid, refused in rows:
        assert (valid, invalid, refused) == (f"{answers} (100%)", "0", "0")


def test_real_weights_answer_validly(bench: Any, smollm2: str) -> None:
    """Few of them: the whole count is in docs/local-models.md."""
    needs("ragas", "ragas")
    settings = ModelSettings(
        model_name_or_path=smollm2,
        generation_config={"max_tokens": 64},
        options={"device": "cpu", "threads": 1},
    )

    async def work() -> list[Any]:
        llm = TransformersLLM(settings)
        row = bench.sample(0)
        try:
            return [
                await bench.ask_metrics(llm, ["ragas:context_precision"], [row]),
                await bench.ask_metrics(llm, ["native:faithfulness"], [row]),
                await bench.ask_generation(llm, ["simple"], 1),
            ]
        finally:
            await llm.aclose()

    for counting in asyncio.run(work()):
        counts = counting.counts()
        assert sum(counts.values()) >= 2
        assert counts.keys() <= {"whole", "cut short"}, counting.wrong


def test_the_stand_in_is_valid(bench: Any) -> None:
    item = {"type": "object", "properties": {"text": {"type": "string"}, "verdict": {"enum": [0, 1]}}}
    schema = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item, "minItems": 2, "maxItems": 2},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "count": {"type": "integer"},
        },
        "required": ["items", "note", "count"],
    }
    assert bench.what_is_wrong(json.dumps(bench.stand_in(schema)), schema) == ""
