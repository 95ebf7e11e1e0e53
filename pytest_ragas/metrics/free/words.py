"""Words of a text, and the longest sequence of them that two texts share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["common_words", "words"]

# Hiragana, katakana and Han. Scripts without spaces between words are read character by character: one
# "word" that spans a whole sentence could only match the identical sentence.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def words(text: str) -> list[str]:
    """The text's words: NFKC, lower case, runs of letters and digits; everything else separates.

    On ASCII text these are the tokens of Google's `rouge_score` without its stemmer. Unlike it, letters
    outside ASCII count (it drops them), and Chinese and Japanese characters are a word each.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def common_words(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence of two lists of words.

    Source:
        Hyyrö 2004, "Bit-parallel LCS-length computation revisited": the dynamic programme's O(n·m)
        table, one column of it at a time in the bits of one integer.
    """
    places: dict[str, int] = {}
    for index, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << index
    mask = (1 << len(left)) - 1
    column = mask
    for word in right:
        matches = column & places.get(word, 0)
        column = ((column + matches) | (column - matches)) & mask
    return len(left) - column.bit_count()
