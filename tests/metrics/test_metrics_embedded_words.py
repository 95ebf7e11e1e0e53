from __future__ import annotations

import pytest

from pytest_ragas.metrics.embedded.sentences import LONGEST, sentences
from pytest_ragas.metrics.embedded.words import content, negated, numbers, stem, stems, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cat's hat, e.g. max_retries=3.5!", ["the", "cat", "s", "hat", "e", "g", "max", "retries", "3.5"]),
        ("1,000,000 km", ["1000000", "km"]),
        ("2,5 or 1,2345", ["2,5", "or", "1,2345"]),
        ("Three of 3", ["3", "of", "3"]),
        ("one zero twelve", ["one", "0", "12"]),
        ("It can't, won’t, didn’t; it cannot.", "it can not will not did not it can not".split()),
        ("Málaga CAFÉ cafe\u0301", ["malaga", "cafe", "cafe"]),
        ("Straße ﬁn ＡＢＣ", ["strasse", "fin", "abc"]),
        ("İstanbul", ["istanbul"]),
        ("Москва — столица России", ["москва", "столица", "россии"]),
        ("हिन्दी भाषा है।", ["हिन्दी", "भाषा", "है"]),
        ("كِتَاب", ["كتاب"]),
        ("北京是首都", ["北京", "京是", "是首", "首都"]),
        ("東京はホテルです", ["東京", "は", "ホテ", "テル", "です"]),
        ("中", ["中"]),
        ("GPT4は2019年", ["gpt4", "は", "2019", "年"]),
        ("한국어 말", ["한국", "국어", "말"]),
        ("กรุงเทพ", ["กร", "รุ", "ุง", "งเ", "เท", "ทพ"]),
        ("👍 … \ud800", []),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_ascii_texts_take_the_same_path_as_others() -> None:
    text = "It can't be 1,000.5 of max_retries: three (3) \t\n e.g. x"
    assert words(text) == words(text + " —")


def test_content_words_carry_no_function_words_and_english_endings() -> None:
    assert content(words("Yes, she was not in the markets of Paris.")) == ["markets", "paris"]
    assert [stem(word) for word in ("markets", "cities", "walked", "running", "quickly", "is", "gas")] == [
        "market",
        "cit",
        "walk",
        "runn",
        "quick",
        "is",
        "gas",
    ]
    assert stem("états") == "états", "English endings are for English words"
    assert stems("The city and the cities") == {"city", "cit"}


def test_numbers_and_negation() -> None:
    assert numbers(words("In 1949 it cost $2.5m, the 3rd of seven")) == {"1949", "2.5", "3", "7"}
    assert negated(words("It isn't so"))
    assert negated(words("WITHOUT it"))
    assert not negated(words("It is a knot, notably"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Go." She went.', ['He said "Go."', "She went."]),
        (
            "Dr. Who met J. R. R. Tolkien, e.g. in the U.S. Army.",
            ["Dr. Who met J. R. R. Tolkien, e.g. in the U.S. Army."],
        ),
        ("it costs 3.5 euros. not more", ["it costs 3.5 euros. not more"]),
        ("Wrapped text goes\non here.\nA new one.", ["Wrapped text goes\non here.", "A new one."]),
        ("A heading\nThe text.\n\nand more", ["A heading", "The text.", "and more"]),
        ("1. First.\n2. Second one.\n- Third\n* 4", ["First.", "Second one.", "Third", "4"]),
        ("She (born 22 June 1944) - now 80 - sings.", ["She (born 22 June 1944) - now 80 - sings."]),
        ("# Title\n> quoted", ["Title", "quoted"]),
        ("It is big [1]. It is old [2, 3] too.[^4] Yes【5†source】。", ["It is big.", "It is old too.", "Yes。"]),
        ("東京は首都です。人口は多い！本当？", ["東京は首都です。", "人口は多い！", "本当？"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("Это первое. Второе здесь.", ["Это первое.", "Второе здесь."]),
        (" \n\t ", []),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_what_never_ends_is_cut() -> None:
    pieces = sentences("word " * 1000)
    assert len(pieces) > 5
    assert all(0 < len(piece) <= LONGEST for piece in pieces)
    assert " ".join(pieces).split() == ["word"] * 1000
    assert [len(piece) for piece in sentences("x" * (2 * LONGEST + 1))] == [LONGEST, LONGEST, 1]
