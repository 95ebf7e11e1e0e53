"""`Batch`: answers under way together, one forward pass a step for all of them.

A prompt is read alone, from where its beginning is not known yet: reading several at once gains nothing on a CPU, and
pads. Then its keys and values join those of the others, padded on the left. Whoever is done leaves. So a batch has no
beginning and no end, and nobody waits for the longest answer.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pytest_ragas.errors import RejectedRequestError
from pytest_ragas.models.local.cache_argument import cache_argument
from pytest_ragas.models.local.grammar import Grammar, Guide
from pytest_ragas.models.local.load import LoadedLM
from pytest_ragas.models.local.prefixes import KeyValues, Prefixes
from pytest_ragas.models.local.sampling import Sampling

_CHUNK = 256
"""Tokens of a prompt that are read before it is asked whether anybody still wants the answer."""
_STRIDE = 16
"""Tokens that cannot be otherwise which are read in one step."""


class GivenUpError(Exception):
    """Nobody waits for the answer any more. Never leaves the worker."""


class Row:
    """One answer under way."""

    def __init__(self, prompt: Sequence[int], guide: Guide, generator: Callable[[], Any] = lambda: None) -> None:
        """
        Args:
            prompt: Tokens.
            guide: Of a fresh answer.
            generator: Makes its random numbers.
        """
        self.prompt = prompt
        self.guide = guide
        self._make_generator = generator
        self.generator = generator()
        self.unread: list[int] = []
        """Tokens of the answer that the model has not read yet."""
        self.length = 0
        """Tokens that it has read."""
        self.error: RejectedRequestError | None = None
        """Why there will be no answer."""

    def restart(self) -> None:
        """As if it had not begun; the answer will be the same."""
        self.guide.restart()
        self.generator = self._make_generator()
        self.unread, self.length = [], 0

    @property
    def most(self) -> int:
        """Tokens that prompt and answer may have together."""
        return len(self.prompt) + self.guide.limit

    @property
    def done(self) -> bool:
        """Whether the answer is complete, or has no room left, or will not be."""
        return self.error is not None or self.guide.done or self.guide.full


class Batch:
    """Rows of one model, in one thread."""

    def __init__(self, loaded: LoadedLM, grammar: Grammar, sampling: Sampling, prefixes: Prefixes) -> None:
        import torch

        self._torch: Any = torch
        self._model = loaded.model
        self._takes_cache = cache_argument(loaded.model)
        self._device = loaded.device
        self._grammar = grammar
        self._sampling = sampling
        self._prefixes = prefixes
        text = loaded.model.config.get_text_config()
        # a window counts columns, and a row that waits for others' forced tokens has empty ones
        self._stride = 1 if getattr(text, "sliding_window", None) else _STRIDE
        self.rows: list[Row] = []
        self._cache: Any = None
        """Of transformers: keys and values of each layer, shape (rows, heads, columns, width)."""
        self._mask: Any = None
        """Shape (rows, columns): 1 where a row has a token."""

    @property
    def columns(self) -> int:
        """Tokens that each row takes room for."""
        return int(self._mask.shape[1]) if self.rows else 0

    def free(self) -> None:
        """Give back what memory can be given back."""
        self.clear()
        self._prefixes.clear()
        if self._device.startswith("cuda"):
            self._torch.cuda.empty_cache()

    def clear(self) -> None:
        """Drop all rows."""
        self.rows, self._cache, self._mask = [], None, None

    # ---- a row comes ------------------------------------------------------------------------------

    def join(self, row: Row, waiting: Iterable[Sequence[int]], gave_up: Callable[[], bool]) -> None:
        """Read a prompt, choose the first token, and take the row in; it may be done already.

        Args:
            row: A fresh one.
            waiting: Prompts that will follow, for what they share with this one.
            gave_up: Whether the answer is not wanted any more.

        Raises:
            GivenUpError: It is not.
        """
        known, key_values = self._prefixes.longest(row.prompt)
        split = self._prefixes.split(row.prompt, known, waiting)
        cache = _cache_of(key_values)
        if split > known:
            self._read(row.prompt, known, split, cache, gave_up)
            self._prefixes.keep(row.prompt[:split], [(layer.keys, layer.values) for layer in cache.layers])
        logits = self._read(row.prompt, split, len(row.prompt), cache, gave_up)
        row.length = len(row.prompt)
        self._choose([row], logits)
        if not row.done:
            self._add(row, cache)

    def _read(self, tokens: Sequence[int], start: int, end: int, cache: Any, gave_up: Callable[[], bool]) -> Any:
        """Logits after the last token."""
        torch, logits = self._torch, None
        for first in range(start, end, _CHUNK):
            if gave_up():
                raise GivenUpError
            last = min(first + _CHUNK, end)
            ids = torch.tensor([list(tokens[first:last])], device=self._device)
            positions = torch.arange(first, last, device=self._device)[None]
            logits = self._model(
                input_ids=ids, position_ids=positions, use_cache=True, logits_to_keep=1, **{self._takes_cache: cache}
            ).logits[:, -1]
        return logits

    def _add(self, row: Row, cache: Any) -> None:
        torch = self._torch
        mask = torch.ones((1, row.length), dtype=torch.long, device=self._device)
        if not self.rows:
            self._cache, self._mask = cache, mask
        else:
            self._pack()
            width = max(self.columns, row.length)
            self._mask = torch.cat([_padded(torch, part, width, -1) for part in (self._mask, mask)])
            for mine, its in zip(self._cache.layers, cache.layers, strict=True):
                mine.keys = torch.cat([_padded(torch, part, width, -2) for part in (mine.keys, its.keys)])
                mine.values = torch.cat([_padded(torch, part, width, -2) for part in (mine.values, its.values)])
        self.rows.append(row)

    # ---- all rows go on ---------------------------------------------------------------------------

    def step(self) -> list[Row]:
        """Read what each row has unread, choose each one's next token.

        Returns:
            The rows that are done; they have left.
        """
        torch = self._torch
        parts = [row.unread[: self._stride] for row in self.rows]
        width = max(map(len, parts))
        # on the left: the last column is then the last token of each row
        ids = torch.tensor([[0] * (width - len(part)) + part for part in parts])
        step_mask = torch.tensor([[0] * (width - len(part)) + [1] * len(part) for part in parts])
        starts = torch.tensor([row.length for row in self.rows])[:, None]
        positions = (starts + step_mask.cumsum(-1) - 1).clamp(min=0)
        self._mask = torch.cat([self._mask, step_mask.to(self._device)], dim=1)
        logits = self._model(
            input_ids=ids.to(self._device),
            attention_mask=self._mask,
            position_ids=positions.to(self._device),
            use_cache=True,
            logits_to_keep=1,
            **{self._takes_cache: self._cache},
        ).logits[:, -1]
        for row, part in zip(self.rows, parts, strict=True):
            row.unread = row.unread[len(part) :]
            row.length += len(part)
        ready = [index for index, row in enumerate(self.rows) if not row.unread]
        self._choose([self.rows[index] for index in ready], logits[ready])
        done = [row for row in self.rows if row.done]
        self.drop(done)
        return done

    def drop(self, rows: Iterable[Row]) -> None:
        """Take rows out."""
        out = set(map(id, rows))
        stay = [index for index, row in enumerate(self.rows) if id(row) not in out]
        if len(stay) == len(self.rows):
            return
        if not stay:
            self.clear()
            return
        self.rows = [self.rows[index] for index in stay]
        self._mask = self._mask[stay]
        for layer in self._cache.layers:
            layer.keys, layer.values = layer.keys[stay], layer.values[stay]
        self._pack()

    def _pack(self) -> None:
        """Drop empty columns, where they are many: each row's tokens move to the right."""
        torch = self._torch
        needed = max(row.length for row in self.rows)
        if self.columns <= needed + max(64, needed // 4):
            return
        # stable: the order of a row's tokens stays
        order = self._mask.argsort(dim=1, stable=True)[:, -needed:]
        self._mask = self._mask.gather(1, order)
        for layer in self._cache.layers:
            layer.keys, layer.values = _columns(torch, layer.keys, order), _columns(torch, layer.values, order)

    # ---- tokens -----------------------------------------------------------------------------------

    def _choose(self, rows: Sequence[Row], logits: Any) -> None:
        """Append the next token, and those that it leaves no choice about, to the answer of each row."""
        if not rows:
            return
        torch = self._torch
        words = self._grammar.words
        masks = torch.zeros((len(rows), words), dtype=torch.int32)
        for index, row in enumerate(rows):
            row.guide.write_mask(masks[index].data_ptr(), words)
        allowed = _bits(torch, masks.to(self._device))[:, : logits.shape[1]]
        logits = logits.float()
        if allowed.shape[1] < logits.shape[1]:
            logits = logits[:, : allowed.shape[1]]
        logits = logits.masked_fill(~allowed, -torch.inf)
        likeliest = logits.argmax(-1).tolist()
        for index, row in enumerate(rows):
            own = logits[index : index + 1]
            if self._sampling.repetition_penalty != 1.0:
                seen = torch.tensor([[*row.prompt, *row.guide.tokens]], device=self._device)
                own = self._sampling.penalised(seen, own)
                likeliest[index] = int(own.argmax())
            plain = row.generator is None
            wanted = likeliest[index] if plain else self._sampling.choose(own, row.generator)
            token = wanted
            ends = row.guide.ends(lambda candidate, row_allowed=masks[index]: _has(row_allowed, candidate))
            if ends:
                token = max(ends, key=lambda end: float(own[0, end]))
            try:
                row.guide.take(token, wanted=wanted)
                row.unread = [token, *row.guide.take_forced()]
            except RejectedRequestError as error:
                row.error = error


def _cache_of(key_values: KeyValues) -> Any:
    """A cache that begins with copies of these."""
    library: Any = importlib.import_module("transformers")
    cache = library.DynamicCache()
    for index, (keys, values) in enumerate(key_values):
        cache.update(keys, values, index)
    return cache


def _columns(torch: Any, part: Any, order: Any) -> Any:
    return torch.gather(part, 2, order[:, None, :, None].expand(-1, part.shape[1], -1, part.shape[3]))


def _padded(torch: Any, part: Any, width: int, dimension: int) -> Any:
    """A tensor with zeros before it, so that a dimension has `width`."""
    missing = width - part.shape[dimension]
    if not missing:
        return part
    shape = list(part.shape)
    shape[dimension] = missing
    return torch.cat([part.new_zeros(shape), part], dim=dimension)


def _bits(torch: Any, words: Any) -> Any:
    """Shape (rows, words) of 32 bits each to (rows, words * 32) of booleans."""
    places = torch.arange(32, dtype=torch.int32, device=words.device)
    return ((words[:, :, None] >> places) & 1).bool().flatten(1)


def _has(words: Any, token: int) -> bool:
    return bool((int(words[token // 32]) >> (token % 32)) & 1)
