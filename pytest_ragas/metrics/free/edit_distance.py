"""Similarity of two strings by the edits that turn one into the other."""

from __future__ import annotations

__all__ = ["levenshtein", "similarity"]


def levenshtein(left: str, right: str) -> int:
    """How many characters must be inserted, deleted or replaced to turn one string into the other.

    Source:
        Myers 1999, "A fast bit-vector algorithm for approximate string matching", in the form of
        Hyyrö 2003 for global distance: the whole table's column lives in the bits of two integers, so
        that a pair of 2,000-character passages takes a millisecond instead of seconds.
    """
    if not left or not right:
        return max(len(left), len(right))
    places: dict[str, int] = {}
    for index, letter in enumerate(left):
        places[letter] = places.get(letter, 0) | 1 << index
    mask, last = (1 << len(left)) - 1, 1 << (len(left) - 1)
    # bits of `up` and `down`: where the column's values rise or fall by one from row to row
    up, down, distance = mask, 0, len(left)
    for letter in right:
        same = places.get(letter, 0)
        diagonal = (((same & up) + up) ^ up) | same | down
        rise = down | ~(diagonal | up) & mask
        fall = up & diagonal
        if rise & last:
            distance += 1
        elif fall & last:
            distance -= 1
        rise = rise << 1 | 1
        up = (fall << 1 | ~(diagonal | rise)) & mask
        down = rise & diagonal & mask
    return distance


def similarity(left: str, right: str) -> float:
    """1 - edits / length of the longer string, in [0, 1]; 1 for two empty strings.

    The value of `1 - rapidfuzz.distance.Levenshtein.normalized_distance`, which ragas'
    `NonLLMStringSimilarity` and `NonLLMContextRecall` use.
    """
    longest = max(len(left), len(right))
    return 1 - levenshtein(left, right) / longest if longest else 1.0
