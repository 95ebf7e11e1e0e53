"""Measure what a local LLM answers in a second: `generate` one by one, batched, and with shared beginnings read once.

    python benchmarks/local_throughput.py
    python benchmarks/local_throughput.py --model Qwen/Qwen2.5-0.5B-Instruct --device cuda --requests 256 --alone 32

The requests are those of faithfulness: verdicts on two statements, four answers for each set of contexts. All modes
decode greedily under the same grammar, so that in float32 their answers are the same, character by character. CPU
seconds are the honest measure on a machine that others use too; without a GPU, ratios are of them.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import time
from collections import deque
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
    """transformers' own `generate`, one request after the other, held to the same grammar by a logits processor.

    The rules are those of a batch to the letter: the same tokens for text that cannot be otherwise, the same end of an
    answer that has no room left. So it writes the same tokens, one forward pass each.
    """

    def write(self, data: dict[str, Any]) -> tuple[str, int]:
        import torch
        import transformers

        row = self._row(prompt("verdicts").messages(data), Structure.of(SCHEMA))
        loaded, grammar = self._loaded, self._grammar
        assert loaded is not None
        assert grammar is not None
        guide, settled = row.guide, deque[int]()

        class Held(transformers.LogitsProcessor):  # type: ignore[misc]
            def __call__(self, ids: Any, scores: Any) -> Any:
                if not settled:
                    mask = torch.zeros((1, grammar.words), dtype=torch.int32)
                    guide.write_mask(mask.data_ptr(), grammar.words)
                    bits = ((mask[:, :, None] >> torch.arange(32, dtype=torch.int32)) & 1).bool().flatten(1)
                    bits = bits[:, : scores.shape[1]].to(scores.device)
                    allowed = scores.float()[:, : bits.shape[1]].masked_fill(~bits, -torch.inf)
                    wanted = int(allowed.argmax())
                    ends = guide.ends(lambda token: bool(bits[0, token]))
                    guide.take(max(ends, key=lambda end: float(allowed[0, end])) if ends else wanted, wanted=wanted)
                    settled.extend([guide.tokens[-1], *guide.take_forced()])
                only = torch.full_like(scores, -torch.inf)
                only[0, settled.popleft()] = 0.0
                return only

        class Ended(transformers.StoppingCriteria):  # type: ignore[misc]
            def __call__(self, ids: Any, scores: Any, **_: Any) -> Any:
                return torch.tensor([not settled and (guide.done or guide.full)], device=ids.device)

        ids = torch.tensor([row.prompt], device=loaded.device)
        with torch.inference_mode():
            loaded.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                logits_processor=transformers.LogitsProcessorList([Held()]),
                stopping_criteria=transformers.StoppingCriteriaList([Ended()]),
                max_new_tokens=guide.limit,
                do_sample=False,
                pad_token_id=loaded.tokenizer.pad_token_id,
            )
        return guide.text, len(guide.tokens)


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
    """One row for each mode; answers to what was asked one by one are compared, character by character."""
    first, ours = modes[0], modes[1]
    print(
        "| mode | requests | wall s | CPU s | requests / s | requests / CPU s | tokens / CPU s | x "
        "| as generate | as ours alone |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for mode in modes:
        answers = mode.answers if len(mode.answers) == len(places) else [mode.answers[place] for place in places]
        same = [sum(map(operator.eq, answers, other.answers)) for other in (first, ours)]
        print(
            f"| {mode.name} | {len(mode.answers)} | {mode.wall:.1f} | {mode.cpu:.1f} | "
            f"{len(mode.answers) / mode.wall:.2f} | {mode.rate:.2f} | {mode.tokens / mode.cpu:.1f} | "
            f"{mode.rate / first.rate:.1f} | {same[0]}/{len(places)} | {same[1]}/{len(places)} |"
        )


if __name__ == "__main__":
    main()
