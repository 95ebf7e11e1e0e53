"""Measure what a local LLM answers in a second: `generate` one by one, batched, and with shared beginnings read once.

    python benchmarks/local_throughput.py
    python benchmarks/local_throughput.py --model Qwen/Qwen2.5-0.5B-Instruct --device cuda --requests 256 --alone 32

The requests are those of faithfulness: verdicts on two statements, four answers for each set of contexts. All modes
decode greedily under the same grammar. CPU seconds are the honest measure on a machine that others use too; without a
GPU, ratios are of them.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.errors import StructureError
from pytest_ragas.metrics.native.prompt import prompt
from pytest_ragas.metrics.native.structure import numbered, verdicts_structure
from pytest_ragas.models.local.batch import Batch
from pytest_ragas.models.local.llm import TransformersLLM
from pytest_ragas.models.local.prefixes import Prefixes
from pytest_ragas.models.local.worker import Limits
from pytest_ragas.models.structured import Structure
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.model import Usage

SCHEMA = verdicts_structure(2)
THINGS = ("tower", "bridge", "museum", "library", "station", "theatre", "harbour", "market")
CITIES = ("Paris", "Rome", "Oslo", "Lisbon", "Vienna", "Prague", "Athens", "Dublin")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One mode."""

    name: str
    wall: float
    cpu: float
    tokens: int
    """Written."""
    answers: Sequence[str]

    @property
    def rate(self) -> float:
        """Requests in a CPU second."""
        return len(self.answers) / self.cpu


def data_of(count: int) -> list[dict[str, Any]]:
    """What is asked about: four pairs of statements on each passage."""
    found = []
    for index in range(count):
        place, pair = divmod(index, 4)
        thing, city, year = THINGS[place % 8], CITIES[(place // 8 + place) % 8], 1850 + place
        passage = (
            f"The old {thing} of {city} was opened in {year}, after seven years of work. It is built of stone and "
            f"is {20 + place} metres high. Every year about {100 + place},000 people visit it, most of them in summer. "
            f"A restoration that ended in {year + 120} made the upper floor accessible again."
        )
        texts = [
            (f"The {thing} is in {city}.", f"The {thing} was opened in {year}."),
            (f"The {thing} is built of glass.", f"It is {20 + place} metres high."),
            (f"The {thing} is closed in winter.", f"{100 + place},000 people visit it every year."),
            (f"The restoration ended in {year + 120}.", f"The {thing} burnt down in {year + 50}."),
        ][pair]
        found.append({"contexts": [passage], "statements": numbered(texts)})
    return found


class Bare(TransformersLLM):
    """Without what requests share."""

    def _load(self) -> tuple[Batch, Limits]:
        batch, limits = super()._load()
        batch._prefixes = Prefixes(0)
        return batch, limits


class Generate(TransformersLLM):
    """transformers' own `generate`, one request after the other, under the same grammar."""

    def write(self, data: dict[str, Any]) -> tuple[str, int]:
        import torch
        import transformers

        row = self._row(prompt("verdicts").messages(data), Structure.of(SCHEMA))
        loaded, words = self._loaded, self._grammar.words  # type: ignore[union-attr]
        assert loaded is not None
        length = len(row.prompt)

        class Constrained(transformers.LogitsProcessor):  # type: ignore[misc]
            def __call__(self, ids: Any, scores: Any) -> Any:
                for token in ids[0, length + len(row.guide.tokens) :].tolist():
                    row.guide.take(token, wanted=token)
                mask = torch.zeros((1, words), dtype=torch.int32)
                row.guide.write_mask(mask.data_ptr(), words)
                bits = ((mask[:, :, None] >> torch.arange(32, dtype=torch.int32)) & 1).bool().flatten(1)
                return scores.masked_fill(~bits[:, : scores.shape[1]].to(scores.device), -torch.inf)

        ids = torch.tensor([row.prompt], device=loaded.device)
        with torch.inference_mode():
            out = loaded.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                logits_processor=transformers.LogitsProcessorList([Constrained()]),
                max_new_tokens=row.guide.limit,
                do_sample=False,
                pad_token_id=loaded.tokenizer.pad_token_id,
            )
        written = out[0, length:].tolist()
        return loaded.tokenizer.decode(written, skip_special_tokens=True), len(written)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="smollm2", help='"smollm2", a path or a hub id (default smollm2)')
    parser.add_argument("--requests", type=int, default=64, help="requests that are batched (default 64)")
    parser.add_argument("--alone", type=int, default=64, help="of them, how many are answered one by one (default 64)")
    parser.add_argument("--batch-size", type=int, help="requests answered together at most")
    parser.add_argument("--max-tokens", type=int, default=96, help="of an answer (default 96)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    options = parser.parse_args()
    given = {"device": options.device, "dtype": options.dtype, "threads": options.threads}
    if options.batch_size:
        given["batch_size"] = options.batch_size
    settings = ModelSettings(
        model_name_or_path=options.model, generation_config={"max_tokens": options.max_tokens}, options=given
    )
    data = data_of(options.requests)
    alone = data[:: max(1, len(data) // options.alone)][: options.alone]
    modes = [
        by_generate(Generate(settings), alone),
        asyncio.run(measured("one by one, ours", Bare(settings), alone, together=False)),
        asyncio.run(measured("batched", Bare(settings), data, together=True)),
        asyncio.run(measured("batched, shared beginnings once", TransformersLLM(settings), data, together=True)),
    ]
    print_table(modes, [data.index(one) for one in alone])


def by_generate(llm: Generate, data: Sequence[dict[str, Any]]) -> Measured:
    llm._load()
    llm.write(data[0])
    clock = Clock()
    return clock.stop("generate, one by one", [llm.write(one) for one in data])


class Clock:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, name: str, written: Sequence[tuple[str, int]]) -> Measured:
        """What was written since, and its tokens."""
        return Measured(
            name=name,
            wall=time.perf_counter() - self._wall,
            cpu=time.process_time() - self._cpu,
            tokens=sum(count for _, count in written),
            answers=[text for text, _ in written],
        )


async def measured(name: str, llm: TransformersLLM, data: Sequence[dict[str, Any]], *, together: bool) -> Measured:
    async def ask(one: dict[str, Any]) -> tuple[str, int]:
        try:
            answer = await prompt("verdicts").ask(llm, one, SCHEMA)
        except StructureError as error:
            usage = error.usage
            assert isinstance(usage, Usage)
            return error.raw, usage.completion_tokens
        return answer.raw, answer.usage.completion_tokens

    await ask({"contexts": ["warm"], "statements": numbered(["one", "two"])})  # loads the model
    clock = Clock()
    written = list(await asyncio.gather(*map(ask, data))) if together else [await ask(one) for one in data]
    found = clock.stop(name, written)
    await llm.aclose()
    return found


def print_table(modes: Sequence[Measured], places: Sequence[int]) -> None:
    """One row for each mode; the answers are compared with those of ours, one by one."""
    first, ours = modes[0], modes[1]
    print("| mode | requests | wall s | CPU s | requests / CPU s | tokens / CPU s | x | same answers |")
    print("|---|---|---|---|---|---|---|---|")
    for mode in modes:
        answers = mode.answers if len(mode.answers) == len(places) else [mode.answers[place] for place in places]
        same = sum(left == right for left, right in zip(answers, ours.answers, strict=True))
        print(
            f"| {mode.name} | {len(mode.answers)} | {mode.wall:.1f} | {mode.cpu:.1f} | {mode.rate:.2f} | "
            f"{mode.tokens / mode.cpu:.1f} | {mode.rate / first.rate:.1f} | {same}/{len(places)} |"
        )


if __name__ == "__main__":
    main()
