"""`Material`: which passage, and which sentence of it, each candidate is written from. Decided by the seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import zip_longest

from pytest_ragas.testset.generate.words import sentences, words
from pytest_ragas.values.document import Chunk

_FEW_WORDS = 8
"""A passage of fewer says too little to be asked about, where there are others."""


class Material:
    """Every passage in turn, each time another sentence of it, in an order that the seed shuffles.

    Candidates are numbered, so that which one gets what does not depend on who is ready first.
    """

    def __init__(self, chunks: Sequence[Chunk], *, seed: int, asked: Sequence[tuple[str, int, int]] = ()) -> None:
        """
        Args:
            chunks: Of all documents, at least one.
            seed: Decides the order.
            asked: Passages that rows which are kept ask about (path, start, end): others come first.
        """
        usable = [at for at, chunk in enumerate(chunks) if len(words(chunk.text)) >= _FEW_WORDS]
        order = usable or list(range(len(chunks)))
        random.Random(f"chunks {seed}").shuffle(order)
        order.sort(key=lambda at: sum(_overlap(chunks[at], place) for place in asked))
        rounds = []
        for at in order:
            foci = sentences(chunks[at].text)
            random.Random(f"sentences {seed} {chunks[at].path} {chunks[at].start}").shuffle(foci)
            rounds.append([(at, focus) for focus in foci])
        self._picks = [pick for turn in zip_longest(*rounds) for pick in turn if pick is not None]
        self._foci = {at: [focus for _, focus in foci] for (at, _), foci in ((part[0], part) for part in rounds)}

    def pick(self, number: int) -> tuple[int, str]:
        """The chunk (its place in `chunks`) and the focus of a candidate.

        Args:
            number: From 0. Beyond the last sentence of the last chunk it begins anew, with two sentences at once.
        """
        again, place = divmod(number, len(self._picks))
        at, focus = self._picks[place]
        if again:
            foci = self._foci[at]
            other = foci[(foci.index(focus) + again) % len(foci)]
            focus = f"{focus} {other}" if other != focus else focus
        return at, focus


def _overlap(chunk: Chunk, place: tuple[str, int, int]) -> bool:
    path, start, end = place
    return chunk.path == path and chunk.start < end and start < chunk.end
