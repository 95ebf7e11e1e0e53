"""`Material`: which passage, and which sentence of it, each candidate is written from. Decided by the seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import zip_longest

from pytest_ragas.testset.generate.words import is_crumb, sentences
from pytest_ragas.values.document import Chunk


class Material:
    """Every passage in turn, each time another sentence of it, in an order that the seed shuffles.

    Rows and their candidates are numbered, so that which one gets what does not depend on who is ready first.
    """

    def __init__(self, chunks: Sequence[Chunk], *, seed: int, asked: Sequence[tuple[str, int, int]] = ()) -> None:
        """
        Args:
            chunks: Of all documents, at least one.
            seed: Decides the order.
            asked: Passages that rows which are kept ask about (path, start, end): others come first.
        """
        usable = [at for at, chunk in enumerate(chunks) if not is_crumb(chunk.text)]
        order = usable or list(range(len(chunks)))
        random.Random(f"chunks {seed}").shuffle(order)
        self._seed = seed
        self._asked = {at: sum(_overlap(chunks[at], place) for place in asked) for at in order}
        order.sort(key=self._asked.__getitem__)
        self._foci: dict[int, list[str]] = {}
        for at in order:
            self._foci[at] = foci = sentences(chunks[at].text)
            random.Random(f"sentences {seed} {chunks[at].path} {chunks[at].start}").shuffle(foci)
        turns = zip_longest(*([(at, focus) for focus in foci] for at, foci in self._foci.items()))
        self._picks = [pick for turn in turns for pick in turn if pick is not None]

    def pick(self, slot: int, attempt: int) -> tuple[int, str]:
        """The chunk (its place in `chunks`) and the focus of a candidate.

        First candidates share the passages out among the rows; later ones go through all of them, each row in an order
        of its own.

        Args:
            slot: Number of the row, from 0.
            attempt: Number of the row's candidate, from 0.
        """
        if attempt == 0:
            again, place = divmod(slot, len(self._picks))
            at, focus = self._picks[place]
        else:
            again, place = divmod(attempt, len(self._picks))
            order = list(self._picks)
            random.Random(f"row {self._seed} {slot}").shuffle(order)
            order.sort(key=lambda pick: self._asked[pick[0]])
            at, focus = order[place]
        foci = self._foci[at]
        other = foci[(foci.index(focus) + again) % len(foci)]
        # what has been asked about already, is asked about together with something else
        return at, focus if other == focus else f"{focus} {other}"


def _overlap(chunk: Chunk, place: tuple[str, int, int]) -> bool:
    path, start, end = place
    return chunk.path == path and chunk.start < end and start < chunk.end
