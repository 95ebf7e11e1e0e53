"""`PrefixReader`: what a causal language model says of several texts after the same beginning, which it reads once.

On a CPU, reading is bound by arithmetic: a context that is read once for all its statements, and not once for each, is
what saves time (a factor of 4 for eight statements), and putting statements into one batch is what saves overhead.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ragas.models.local.cache_argument import cache_argument

CHUNK = 512
"""Tokens of a beginning that are read in one go: whoever waits can give up between two."""
ROW_TOKENS = 8_192
"""Tokens of all rows of a batch, their beginning counted each time: what the keys and values of a batch may take."""
SCORED_TOKENS = 512
"""Tokens of a batch whose probabilities over the whole vocabulary are held at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suffix:
    """A text behind a beginning."""

    ids: tuple[int, ...]
    """Its tokens; at least one."""
    start: int
    """The first of them whose probability is asked for, at least 1: the one before it must be in the suffix too."""
    stop: int
    """The one behind the last of these."""
    odds: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """Tokens whose log-odds, the first group against the second, are asked for behind the last token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a model says of a suffix."""

    logprobs: tuple[float, ...]
    """Natural logarithms of the probabilities of the tokens from `start` to `stop`."""
    odds: float | None


class PrefixReader:
    """Reads with one model. Not to be used in two threads at once."""

    def __init__(self, model: Any, *, device: str, pad: int) -> None:
        """
        Args:
            model: A `transformers` causal language model in evaluation mode.
            device: Where it is.
            pad: Any token; it fills rows up behind their end, where nothing reads it.
        """
        self._model = model
        self._takes_cache = cache_argument(model)
        self._device = device
        self._pad = pad

    def read(
        self, prefix: Sequence[int], suffixes: Sequence[Suffix], *, go_on: Callable[[], bool] = lambda: True
    ) -> list[Reading] | None:
        """Probabilities of the suffixes, each right behind the prefix; in order.

        Args:
            prefix: At least one token.
            suffixes: What may come behind it.
            go_on: Asked between two passes through the model.

        Returns:
            One reading for each suffix; None where it was told not to go on.
        """
        import torch

        found: dict[int, Reading] = {}
        with torch.inference_mode():
            cache = self._begin(prefix, go_on)
            if cache is None:
                return None
            for rows in batches(suffixes, prefix=len(prefix)):
                if not go_on():
                    return None
                read = self._batch(cache, len(prefix), [suffixes[row] for row in rows])
                found.update(zip(rows, read, strict=True))
        return [found[row] for row in range(len(suffixes))]

    def _begin(self, prefix: Sequence[int], go_on: Callable[[], bool]) -> Any:
        """The keys and values of the prefix; None where it was told not to go on."""
        import torch
        from transformers import DynamicCache

        cache: Any = DynamicCache(config=self._model.config)
        for start in range(0, len(prefix), CHUNK):
            if not go_on():
                return None
            ids = torch.tensor([list(prefix[start : start + CHUNK])], device=self._device)
            # one row of logits is the least that can be asked for
            self._model(input_ids=ids, use_cache=True, logits_to_keep=1, **{self._takes_cache: cache})
        return cache

    def _batch(self, beginning: Any, length: int, suffixes: Sequence[Suffix]) -> Iterator[Reading]:
        import torch

        longest = max(len(suffix.ids) for suffix in suffixes)
        ids = torch.full((len(suffixes), longest), self._pad)
        for row, suffix in enumerate(suffixes):
            ids[row, : len(suffix.ids)] = torch.tensor(suffix.ids)
        # a copy, not `crop` afterwards: caches with sliding windows cannot be cropped, and copying costs little
        cache = copy.deepcopy(beginning)
        if len(suffixes) > 1:
            cache.batch_repeat_interleave(len(suffixes))
        first = min(suffix.start for suffix in suffixes) - 1
        # no mask: rows are filled up at their end, and a causal model does not look ahead
        positions = torch.arange(length, length + longest).expand(len(suffixes), -1)
        logits = self._model(
            input_ids=ids.to(self._device),
            position_ids=positions.to(self._device),
            use_cache=True,
            logits_to_keep=longest - first,
            **{self._takes_cache: cache},
        ).logits
        return (self._reading(logits[row], first, suffix) for row, suffix in enumerate(suffixes))

    def _reading(self, logits: Any, first: int, suffix: Suffix) -> Reading:
        import torch

        # what follows a token is said at that token; in float32, as bfloat16 has two digits
        said = torch.log_softmax(logits[suffix.start - 1 - first : suffix.stop - 1 - first].float(), dim=-1)
        wanted = torch.tensor(suffix.ids[suffix.start : suffix.stop], device=said.device)
        odds = None
        if suffix.odds is not None:
            last = logits[len(suffix.ids) - 1 - first].float()
            yes, no = (torch.logsumexp(last[list(group)], dim=0) for group in suffix.odds)
            odds = float(yes - no)
        return Reading(logprobs=tuple(said.gather(1, wanted[:, None])[:, 0].tolist()), odds=odds)


def batches(suffixes: Sequence[Suffix], *, prefix: int) -> Iterator[list[int]]:
    """Indexes of suffixes that are read together: of about one length, and not too many for the memory."""
    rows: list[int] = []
    for row in sorted(range(len(suffixes)), key=lambda index: len(suffixes[index].ids)):
        longest, count = len(suffixes[row].ids), len(rows) + 1  # sorted: this one is the longest so far
        if rows and (count * (prefix + longest) > ROW_TOKENS or count * longest > SCORED_TOKENS):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows
