"""Measure what reading a context once for all its statements saves a likelihood critic, in CPU-seconds.

python benchmarks/likelihood_speed.py
python benchmarks/likelihood_speed.py --model path/to/model --context 400 --statements 8
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence

from pytest_ragas.models.local.likelihood import CausalLikelihoods
from pytest_ragas.models.local.load import load_causal_lm
from pytest_ragas.settings.values import ModelSettings
from pytest_ragas.values.likelihood import Likelihood

QUESTION = "What is there to know of the bridge?"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="smollm2", help='"smollm2", a path or a hub id (default smollm2)')
    parser.add_argument("--context", type=int, default=400, help="words of the context (default 400)")
    parser.add_argument("--statements", type=int, default=8, help="statements about it (default 8)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    options = parser.parse_args()
    settings = ModelSettings(
        model_name_or_path=options.model, options={"kind": "likelihood", "threads": options.threads}
    )
    loaded = load_causal_lm(settings)  # kept, so that every critic below reads with it
    spans = [f"Span {number} of the bridge was finished in {1800 + number}." for number in range(options.context // 9)]
    statements = [spans[number].replace("finished", "built") for number in range(options.statements)]
    context = " ".join(spans)
    asyncio.run(read(settings, [statements[:1]], context))  # what the first pass alone costs
    single, alone = asyncio.run(read(settings, [[statement] for statement in statements], context))
    together, at_once = asyncio.run(read(settings, [statements], context))
    differs = max(abs(sum(one.given) - sum(other.given)) for one, other in zip(alone, at_once, strict=True))
    print(f"{loaded.identity}, {loaded.dtype} on {loaded.device}: {len(statements)} statements")
    print(f"one by one {single:.1f} CPU-s, together {together:.1f} CPU-s: x {single / together:.1f}")
    print(f"their surprisal differs by {differs:.4f} nats at most")


async def read(
    settings: ModelSettings, requests: Sequence[Sequence[str]], context: str
) -> tuple[float, list[Likelihood]]:
    """CPU-seconds for requests one after the other, and what was read."""
    critic = CausalLikelihoods(settings)
    found: list[Likelihood] = []
    start = time.process_time()
    for statements in requests:
        found += await critic.likelihoods(statements, context=context, question=QUESTION)
    seconds = time.process_time() - start
    await critic.aclose()
    return seconds, found


if __name__ == "__main__":
    main()
