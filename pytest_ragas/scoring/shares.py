"""How a limit is divided among those who share it: by what each can use, fairly where that is too much."""

from __future__ import annotations

from collections.abc import Sequence


def fair_shares(limit: int, wants: Sequence[int], *, turn: int = 0) -> list[int]:
    """Divide a limit.

    Nobody gets less than another who wants no more; who wants little gets it whole; what nobody wants is dealt out
    evenly, so that nobody has to ask for the first of it.

    Args:
        limit: What there is, at least 0.
        wants: How much each can use now.
        turn: Where there is not one for each, who comes first: count it up now and then.

    Returns:
        The shares, in the order of `wants`; their sum is `limit`, or 0 where there is nobody.
    """
    shares = [0] * len(wants)
    left = limit
    wanting = [index for index, want in enumerate(wants) if want > 0]
    while left and wanting:
        each = left // len(wanting)
        if not each:
            first = turn % len(wanting) if not shares[wanting[0]] else 0
            for index in [*wanting[first:], *wanting[:first]][:left]:
                shares[index] += 1
            return shares
        for index in wanting:
            given = min(each, wants[index] - shares[index])
            shares[index] += given
            left -= given
        wanting = [index for index in wanting if shares[index] < wants[index]]
    for index in range(len(wants)):
        shares[index] += left // len(wants) + (index < left % len(wants))
    return shares


def static_share(limit: int, workers: int, number: int) -> int:
    """A share that needs no talk, for when there is none: an equal part, at least 1, as 0 would never end.

    Args:
        limit: What there is.
        workers: How many share it.
        number: Which of them asks, from 0.
    """
    workers = max(1, workers)
    return max(1, limit // workers + (number % workers < limit % workers))
