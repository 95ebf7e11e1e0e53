"""`Prefixes`: keys and values of the beginnings that prompts share, so that each is computed once.

Our prompts begin with their instructions, and the data with what several requests have in common (the contexts).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Any

_WORTH = 24
"""Tokens that two prompts must share beyond what is known, to be computed on their own."""
_REMEMBERED = 64
"""Prompts that new ones are compared with."""

KeyValues = list[tuple[Any, Any]]
"""Of each layer: keys and values, shape (1, heads, tokens, width)."""


class Prefixes:
    """The beginnings that were used last, as many as have room."""

    def __init__(self, most_tokens: int) -> None:
        """
        Args:
            most_tokens: Of all beginnings together; 0 keeps none.
        """
        self._most = most_tokens
        self._kept: OrderedDict[tuple[int, ...], KeyValues] = OrderedDict()
        self._seen: deque[tuple[int, ...]] = deque(maxlen=_REMEMBERED)

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()
        self._seen.clear()

    def longest(self, tokens: Sequence[int]) -> tuple[int, KeyValues]:
        """The longest known beginning of a prompt that leaves something to compute.

        Returns:
            Its length, 0 if none is known, and its keys and values.
        """
        best: tuple[int, ...] = ()
        for prefix in self._kept:
            if len(best) < len(prefix) < len(tokens) and tuple(tokens[: len(prefix)]) == prefix:
                best = prefix
        if not best:
            return 0, []
        self._kept.move_to_end(best)
        return len(best), self._kept[best]

    def split(self, tokens: Sequence[int], known: int, waiting: Iterable[Sequence[int]]) -> int:
        """Where a prompt's beginning ends that others share too; `known` where that is not worth keeping.

        Args:
            tokens: The prompt.
            known: Length of the longest beginning that is kept.
            waiting: Prompts that will follow.
        """
        shared = 0
        if self._most:
            for other in (*waiting, *self._seen):
                shared = max(shared, _common(tokens, other))
        self._seen.append(tuple(tokens))
        shared = min(shared, len(tokens) - 1)
        return shared if shared >= known + _WORTH and shared <= self._most else known

    def keep(self, tokens: Sequence[int], key_values: KeyValues) -> None:
        """Keep a beginning, and drop those that were not used for longest."""
        self._kept[tuple(tokens)] = key_values
        while len(self._kept) > 1 and sum(map(len, self._kept)) > self._most:
            self._kept.popitem(last=False)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two prompts begin with alike; nothing if they are the same prompt."""
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            return length
        length += 1
    return length
