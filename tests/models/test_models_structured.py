"""What `extract` sees through, what it refuses to guess, and how it says so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pytest_ragas.errors import StructureError
from pytest_ragas.models.repair import repair_text
from pytest_ragas.models.structured import RAW_LIMIT, Structure, extract

SCHEMA: dict[str, Any] = {
    "title": "Verdicts",
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "reason": {"type": "string"},
                    "verdict": {"type": "integer", "enum": [0, 1]},
                },
                "required": ["reason", "verdict"],
            },
        },
        "language": {"type": "string", "enum": ["English", "Deutsch"]},
        "sure": {"type": "boolean"},
    },
    "required": ["verdicts"],
}
GOOD = '{"verdicts": [{"reason": "says so", "verdict": 1}]}'
VALUE = {"verdicts": [{"reason": "says so", "verdict": 1}]}
OTHER = GOOD.replace("1}", "0}")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"\ufeff  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}",
        f"Sure, here it is:\n\n{GOOD}\n\nLet me know {{if}} you need more [1].",
        f"Sehr gern! Die Urteile lauten wie folgt: {GOOD}",
        f"回答如下:{GOOD}。",
        f"<think>perhaps {OTHER}?</think>\n{GOOD}",
        f"{GOOD}\nAgain: {GOOD}",
        json.dumps(GOOD),
        '{"verdicts": [{"reason": "says so", "verdict": 1},],}',
        "{'verdicts': [{'reason': 'says so', 'verdict': 1}]}",
        '{verdicts: [{reason: "says so", verdict: 1}]}',
        '{"verdicts": [{"reason": "says so" "verdict": 1}]}',
        '{"verdicts": [{"reason": "says so", "verdict": "1"}]}',
        '{"verdicts": [{"reason": "says so", "verdict": true}]}',
        '{"verdicts": [{"reason": "says so", "verdict": 1}], "language": null, "sure": null}',
        '[{"reason": "says so", "verdict": 1}]',
        '{"Verdicts": {"verdicts": [{"reason": "says so", "verdict": 1}]}}',
    ],
)
def test_the_answer_is_found_where_its_meaning_is_certain(text: str) -> None:
    assert extract(text, SCHEMA) == VALUE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"verdicts": [{"reason": "it says "Paris" there", "verdict": 1}]}', 'it says "Paris" there'),
        ('{"verdicts": [{"reason": "a 5" pipe", "verdict": 1}]}', 'a 5" pipe'),
        ('{"verdicts": [{"reason": "two\nlines", "verdict": 1}]}', "two\nlines"),
        (r'{"verdicts": [{"reason": "it says \"yes\", and: \"no\"", "verdict": 1},]}', 'it says "yes", and: "no"'),
        (r'{"verdicts": [{"reason": "a \\ and \u00fc", "verdict": 1},]}', "a \\ and ü"),
        ('{"verdicts": [{"reason": "Стол", "verdict": 1},]}', "Стол"),
        ('{"verdicts": [{"reason": "half \\ud83d pair", "verdict": 1}]}', "half \ufffd pair"),
        ('{"verdicts": [{"reason": "whole \\ud83d\\ude00 pair", "verdict": 1}]}', "whole 😀 pair"),
    ],
)
def test_repairs_keep_every_word(text: str, reason: str) -> None:
    assert extract(text, SCHEMA)["verdicts"][0]["reason"] == reason


def test_texts_are_spelled_as_the_schema_spells_them() -> None:
    value = extract('{"verdicts": [], "language": " english", "sure": "true"}', SCHEMA)
    assert value == {"verdicts": [], "language": "English", "sure": True}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The answer is empty."),
        (" \n", "The answer is empty."),
        ("<think>let me see", "ends before the model stopped thinking; raise max_tokens"),
        ("I cannot help with that.", "holds no JSON; it begins with 'I cannot help with that.'"),
        ("null", "the answer is null, not of type object"),
        ("[]", "the answer is [], not of type object"),
        ("{}", "the answer lacks 'verdicts'"),
        ("nothing to see []", "the answer is [], not of type object"),
        (GOOD[:-1], "is cut off"),
        (GOOD[:-4], "is cut off"),
        (GOOD[:25], "is cut off"),
        (f"```json\n{GOOD[:-2]}\n```", "is cut off"),
        ('{"verdicts": [{"reason": "says so", "verdict": 1}, {"reason": "bu', "is cut off"),
        ('{"verdicts": [{"reason": "says so", "verdict": 1}}', "is cut off, or its brackets do not match"),
        ('{"verdicts": [{"reason": "says so", "verdict": 1}, ...]}', "repairing it would be a guess"),
        ('{"verdicts": [{"reason": "says so", "verdict": 1, "verdict": 0}]}', "'verdict' is given twice"),
        ('{"verdicts": [{"reason": "a", "verdict": 1, "verdict": 1}]}', "'verdict' is given twice"),
        ('"verdicts": [{"reason": "a", "verdict": 1}, ]{"reason": "b", "verdict": 1}]}', "not of type object"),
        ('{"verdicts": [{"reason": "a", "verdict 0}, {reason": "b", "verdict": 0}]}', "a quote is missing"),
        (f"{GOOD} or rather {OTHER}", "2 different JSON values"),
        (f"{GOOD} or rather {OTHER[:-3]}", "is cut off"),
        ('{"verdicts": [{"reason": "r", "verdict": 7}]}', "verdicts[0].verdict is 7, not one of 0, 1"),
        ('{"verdicts": [{"reason": "r", "verdict": 0.5}]}', "verdicts[0].verdict is 0.5"),
        ('{"verdicts": [{"reason": "r", "verdict": "yes"}]}', 'verdicts[0].verdict is "yes"'),
        ('{"verdicts": [{"reason": "r", "verdict": null}]}', "verdicts[0].verdict is null"),
        ('{"verdicts": [{"verdict": 1}]}', "verdicts[0] lacks 'reason'"),
        ('{"verdicts": [{"reason": null, "verdict": 1}]}', "verdicts[0].reason is null, not of type string"),
        ('{"verdicts": NaN}', "NaN is no number of JSON"),
        ('{"verdicts": [{"reason": "r", "verdict": 1e999}]}', "1e999 is no finite number"),
        ('{"判定": []}', "the answer lacks 'verdicts'"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_would_take_a_guess_is_an_error_that_says_so(text: str, says: str) -> None:
    with pytest.raises(StructureError) as caught:
        extract(text, SCHEMA)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_error_keeps_the_text_but_not_a_novel() -> None:
    with pytest.raises(StructureError) as short:
        extract("no JSON here", SCHEMA)
    with pytest.raises(StructureError) as long:
        extract("no JSON here " * 10_000, SCHEMA)
    assert short.value.raw == "no JSON here"
    assert len(long.value.raw) == RAW_LIMIT


def test_counts_and_ranges_are_said_in_words() -> None:
    schema = {
        "type": "object",
        "properties": {
            "scores": {"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "number", "maximum": 1}}
        },
        "required": ["scores"],
        "additionalProperties": False,
    }
    for text, says in [
        ('{"scores": [1]}', "scores has 1 items, but at least 2 are wanted"),
        ('{"scores": [1, 1, 1, 1]}', "scores has 4 items, but at most 3 are wanted"),
        ('{"scores": [1, 2]}', "scores[1] is 2, but maximum is 1"),
        ('{"scores": [1, 1], "note": 1}', "the answer: Additional properties are not allowed ('note' was unexpected)"),
    ]:
        with pytest.raises(StructureError) as caught:
            extract(text, schema)
        assert says in str(caught.value)


def test_references_and_nullable_properties_are_read() -> None:
    schema = {
        "$defs": {"Verdict": {"type": "object", "properties": {"v": {"type": "integer"}}, "required": ["v"]}},
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/Verdict"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["items", "note"],
    }
    assert extract('{"items": [{"v": "3"}], "note": null}', schema) == {"items": [{"v": 3}], "note": None}


def test_a_schema_is_prepared_once() -> None:
    assert Structure.of(SCHEMA) is Structure.of(SCHEMA) is Structure.of(json.loads(json.dumps(SCHEMA)))
    for number in range(600):  # schemas made for one request do not pile up
        schema = {"type": "object", "title": str(number)}
        assert extract('{"a": 1}', schema) == {"a": 1}
        assert Structure.of(schema).schema["title"] == str(number)
    assert len(Structure._by_text) <= 256
    assert len(Structure._by_id) <= 256


def test_a_good_answer_loads_no_validator() -> None:
    """jsonschema costs 0.1 CPU-s and json-repair 0.03: only an answer that is not plainly right pays it."""
    code = (
        "import sys; from pytest_ragas.models.structured import extract;"
        f"extract({GOOD!r}, {SCHEMA!r}); print([m for m in ('jsonschema', 'json_repair') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "broken",
    ['{"a": "b", "c"}', '{"a": 1.}', '{"a": 1/2 and 3, "b"}', '{"a": true and false}', '{"a": 007}', '{"a": "x" * 3}'],
)
def test_a_repair_that_would_change_a_word_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match=r"guess|Missing|strict|Expect"):
        repair_text(broken)


TWO = """{"verdicts": [{"reason": "it says so, in part", "verdict": 1}, {"reason": "it's not there", "verdict": 0}]}"""


def test_no_accident_to_one_character_changes_a_verdict() -> None:
    """A character lost, doubled or swapped with the next: the answer is an error, or has the verdicts that it had."""
    read = 0
    for index in range(len(TWO)):
        before, char, after = TWO[:index], TWO[index], TWO[index + 1 :]
        for broken in (before + after, before + char + char + after, before + after[:1] + char + after[1:]):
            try:
                value = extract(broken, SCHEMA)
            except StructureError:
                continue
            read += 1
            assert [item["verdict"] for item in value["verdicts"]] == [1, 0], broken
    assert read > len(TWO)  # most accidents are harmless, and are seen through


def test_several_accidents_to_the_punctuation_change_no_verdict() -> None:
    """Up to three of them at random: quotes and brackets lost, doubled or strewn in."""
    rng = random.Random(7)
    reasons = [
        "The context says so.",
        "it's not there, or is it?",
        '"Paris" is named: twice',
        "[1] says {x}",
        "日本語です。",
    ]
    read = 0
    for _ in range(3000):
        items = [{"reason": rng.choice(reasons), "verdict": rng.randint(0, 1)} for _ in range(rng.randint(1, 4))]
        chars = list(json.dumps({"verdicts": items}, ensure_ascii=False))
        for _ in range(rng.randint(1, 3)):
            place = rng.choice([index for index, char in enumerate(chars) if char in '{}[]":,\\ '])
            chars[place : place + 1] = rng.choice(["", "", chars[place] * 2, rng.choice('{}[]":,\\\n') + chars[place]])
        broken = "".join(chars)
        try:
            value = extract(broken, SCHEMA)
        except StructureError:
            continue
        read += 1
        assert [item["verdict"] for item in value["verdicts"]] == [item["verdict"] for item in items], broken
    assert read > 600


def test_what_is_cut_off_anywhere_is_never_completed() -> None:
    for wrapped in (TWO, f"```json\n{TWO}\n```", f"Here: {TWO}"):
        for end in range(wrapped.index(TWO) + len(TWO)):
            with pytest.raises(StructureError):
                extract(wrapped[:end], SCHEMA)


@given(text=st.text() | st.text(alphabet='{}[]",:01 abverdict\\\n'))
def test_any_text_is_read_or_is_an_error(text: str) -> None:
    try:
        value = extract(text, SCHEMA)
    except StructureError:
        return
    Draft202012Validator(SCHEMA).validate(value)


def test_a_schema_beyond_the_compiled_check_is_left_to_jsonschema() -> None:
    schema = {"type": "array", "uniqueItems": True}
    assert extract("[1, 2]", schema) == [1, 2]
    with pytest.raises(StructureError):
        extract("[1, 1]", schema)
