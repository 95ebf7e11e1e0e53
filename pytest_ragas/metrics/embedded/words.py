"""Words of a text, in any script: what the embedded measures compare.

Two texts match where their normalised words match: letter case, accents (`Málaga`, `Malaga`), full-width forms,
curly apostrophes, thousands commas and whether a small number is spelled out make no difference. English words
lose their ending and, where they carry no content, are left out; words of other languages are compared as they
stand. Scripts that put no spaces between words are read as overlapping pairs of characters, as search engines do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

_STOP_WORDS = frozenset(
    """a an the of to in on at by for with from as is are was were be been being am and or but if then that this
    these those it its he she they them his her their i you we your our my me him us do does did done has have had
    not no nor so than too very can could will would shall should may might must about into over under again further
    here there when where why how all any both each few more most other some such only own same also just which who
    whom what s t yes""".split()
)
_ENDINGS = ("ingly", "edly", "ing", "ies", "ied", "es", "ed", "ly", "s")
_NEGATIONS = frozenset(("not", "no", "never", "none", "neither", "nor", "without"))
# Without "one", which is mostly a pronoun
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate("zero - two three four five six seven eight nine ten eleven twelve".split())
}

# Accents, Hebrew and Arabic vowel points, Arabic tatweel: they decorate a letter and are often left out
_DECORATION = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670]")
# Letters of Indic scripts come with vowel signs, which `\w` does not match; between these ranges lie the full stops
_INDIC = "\u0900-\u0963\u0966-\u0dff"
# Han; hiragana; katakana; Hangul (its words end in particles); Thai and Lao; Tibetan; Burmese; Khmer
_UNSPACED = (
    "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f",
    "\u3041-\u3096",
    "\u30a1-\u30fa\u30fc-\u30ff",
    "\uac00-\ud7a3",
    "\u0e01-\u0e4e\u0e81-\u0ece",
    "\u0f40-\u0fbc",
    "\u1000-\u103f",
    "\u1780-\u17d3",
)
# A change of script is the end of a word: 東京は is 東京 and は
_RUNS = "|".join(f"[{letters}]+" for letters in _UNSPACED)
_WORD = re.compile(rf"(?P<unspaced>{_RUNS})|(?:(?![{''.join(_UNSPACED)}])[^\W_]|[{_INDIC}])+(?:[.,]\d+)*")
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def words(text: str) -> list[str]:
    """Normalised words of a text, in order; pairs of characters where the script puts no spaces."""
    found = _ASCII_WORD.findall(_plain_spelling(text.lower())) if text.isascii() else _any_words(text)
    return [_NUMBER_WORDS.get(word, word) for word in found]


def content(found: Iterable[str]) -> list[str]:
    """Those of the normalised words that carry content, in order."""
    return [word for word in found if word not in _STOP_WORDS]


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """An English word without its ending; any other word as it is."""
    if word.isascii():
        for ending in _ENDINGS:
            if len(word) > len(ending) + 2 and word.endswith(ending):
                return word[: -len(ending)]
    return word


def stems(text: str) -> set[str]:
    """Stems of the content words of a text."""
    return {stem(word) for word in content(words(text))}


def numbers(found: Iterable[str]) -> set[str]:
    """Numbers among the normalised words: `{"1949", "2.5"}`."""
    return {number for word in found if not word.isalpha() for number in _NUMBER.findall(word)}


def negated(found: Iterable[str]) -> bool:
    """Whether an English negation is among the normalised words."""
    return not _NEGATIONS.isdisjoint(found)


def _any_words(text: str) -> Iterator[str]:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFC", _DECORATION.sub("", decomposed)).replace("’", "'")
    for found in _WORD.finditer(_plain_spelling(plain)):
        word = found.group()
        if found.lastgroup and len(word) > 1:
            yield from map("".join, pairwise(word))
        else:
            yield word


def _plain_spelling(text: str) -> str:
    """`can't` and `cannot` as `can not`, `1,000` as `1000`."""
    if "n't" in text:
        text = text.replace("can't", "can not").replace("won't", "will not").replace("n't", " not")
    if "cannot" in text:
        text = text.replace("cannot", "can not")
    return _THOUSANDS.sub("", text) if "," in text else text
