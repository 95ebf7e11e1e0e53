"""A file to a testset: every format, every shape, every way to be wrong."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from pytest_ragas import load_testset
from pytest_ragas.errors import TestsetError
from pytest_ragas.testset.formats.table import FORMATS
from pytest_ragas.values.sample import Sample, stable_id
from pytest_ragas.values.testset import Testset

SEED_COLUMNS = """{
    "question": ["When was the first super bowl?", "Who won the most super bowls?"],
    "answer": [
        "The first superbowl was held on Jan 15, 1967",
        "The most super bowls have been won by The New England Patriots"
    ],
    "contexts": [
        ["The First AFL–NFL World Championship Game was an American football game"],
        ["The Green Bay Packers...Green Bay, Wisconsin.", "The Packers compete...Football Conference"]
    ],
    "ground_truth": [
        "The first superbowl was held on January 15, 1967",
        "The New England Patriots have won the Super Bowl a record six times"
    ]
}
"""

SAME_IN_EVERY_FORMAT = {
    "records.json": """[
        {"question": "q1", "answer": "a1", "contexts": ["c1", "c2"], "id": 7, "level": "easy"},
        {"user_input": "q2", "response": null, "retrieved_contexts": "c3", "tags": "x, y"}
    ]""",
    "columns.json": """{
        "user_input": ["q1", "q2"], "answer": ["a1", null], "contexts": [["c1", "c2"], "c3"],
        "id": [7, null], "tags": [null, ["x", "y"]], "metadata": [{"level": "easy"}, null], "reference": null
    }""",
    "lines.jsonl": '{"question": "q1", "answer": "a1", "contexts": ["c1", "c2"], "id": "7", "level": "easy"}\n'
    '\n{"user_input": "q2", "contexts": ["c3"], "tags": ["x", "y"]}\n',
    "records.yaml": "- question: q1\n  answer: a1\n  contexts: [c1, c2]\n  id: 7\n  level: easy\n"
    "- user_input: q2\n  contexts: c3\n  tags: x, y\n",
    "columns.yml": "question: [q1, q2]\nanswer: [a1, ~]\ncontexts: [[c1, c2], [c3]]\nid: ['7', ~]\n"
    "tags: [~, [x, y]]\nmetadata: [{level: easy}, ~]\n",
    "commas.csv": 'question,answer,contexts,id,tags,level\nq1,a1,"[""c1"", ""c2""]",7,,easy\n\nq2,,c3,,"x, y",\n',
    "semicolons.csv": "question;answer;contexts;id;tags;level\r\nq1;a1;['c1', \"c2\"];7;;easy\r\nq2;;c3;;x,y;\r\n",
    "tabs.csv": 'question\tanswer\tcontexts\tid\ttags\tlevel\nq1\ta1\t"[""c1"", ""c2""]"\t7\t\teasy\nq2\t\tc3\t\tx,y\t',
}


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def message(path: Path, **options: str) -> str:
    """What `load_testset` says against a file."""
    with pytest.raises(TestsetError) as caught:
        load_testset(path, **options)
    return str(caught.value)


def without_level(testset: Testset) -> list[tuple[object, ...]]:
    return [
        (s.user_input, s.response, s.retrieved_contexts, s.reference, s.id, s.tags, dict(s.metadata)) for s in testset
    ]


@pytest.mark.parametrize("name", SAME_IN_EVERY_FORMAT)
def test_every_format_says_the_same(tmp_path: Path, name: str) -> None:
    testset = load_testset(put(tmp_path, name, SAME_IN_EVERY_FORMAT[name]))
    assert without_level(testset) == [
        ("q1", "a1", ("c1", "c2"), None, "7", (), {"level": "easy"}),
        ("q2", None, ("c3",), None, stable_id("q2", None), ("x", "y"), {}),
    ]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_a_byte_order_mark_changes_nothing(tmp_path: Path, suffix: str, mark: bytes) -> None:
    text = {
        ".json": '[{"question": "Grüße"}]',
        ".jsonl": '{"question": "Grüße"}',
        ".yaml": "- question: Grüße",
        ".yml": "- question: Grüße",
        ".csv": "question\nGrüße",
    }[suffix]
    assert load_testset(put(tmp_path, f"t{suffix.upper()}", mark + text.encode())).samples[0].user_input == "Grüße"


def test_the_dataset_of_the_evalscope_page_loads_to_two_rows(tmp_path: Path) -> None:
    testset = load_testset(put(tmp_path, "seed.json", SEED_COLUMNS))
    assert len(testset) == 2
    assert testset.samples[1] == Sample(
        user_input="Who won the most super bowls?",
        response="The most super bowls have been won by The New England Patriots",
        retrieved_contexts=[
            "The Green Bay Packers...Green Bay, Wisconsin.",
            "The Packers compete...Football Conference",
        ],
        reference="The New England Patriots have won the Super Bowl a record six times",
        source=f"{tmp_path / 'seed.json'} row 2",
    )


def test_messages_and_sources_name_the_file_as_asked(tmp_path: Path) -> None:
    path = put(tmp_path, "testset.json", '[{"question": "q"}]')
    testset = load_testset(path, shown_as="testset.json")
    assert testset.path == "testset.json"
    assert testset.samples[0].source == "testset.json row 1"
    assert load_testset(str(path)).path == str(path)
    path.write_text("[3]")
    assert message(path, shown_as="testset.json").startswith("Cannot load the testset testset.json: 1 bad row.\n")


@pytest.mark.parametrize("order", ["given", "reversed"])
def test_the_order_of_the_file_is_kept(tmp_path: Path, order: str) -> None:
    names = ["b", "a", "c"] if order == "given" else ["c", "a", "b"]
    path = put(tmp_path, "t.jsonl", "".join(f'{{"question": "{name}"}}\n' for name in names))
    assert [sample.user_input for sample in load_testset(path)] == names


def test_a_column_that_is_null_in_row_7_is_not_given_there(tmp_path: Path) -> None:
    rows = [{"question": f"q{n}", "answer": None if n == 7 else "a"} for n in range(1, 10)]
    testset = load_testset(put(tmp_path, "t.json", json.dumps(rows)))
    assert [number for number, sample in enumerate(testset, 1) if sample.response is None] == [7]
    columns = {"question": [f"q{n}" for n in range(1, 10)], "contexts": [["c"]] * 6 + [None] + [["c"]] * 2}
    testset = load_testset(put(tmp_path, "c.json", json.dumps(columns)))
    assert [number for number, sample in enumerate(testset, 1) if sample.retrieved_contexts is None] == [7]


def test_a_question_that_is_null_in_row_7_is_an_error(tmp_path: Path) -> None:
    rows = [{"question": None if n == 7 else f"q{n}"} for n in range(1, 10)]
    assert "row 7, user_input: found null as question. Every row needs" in message(
        put(tmp_path, "t.json", json.dumps(rows))
    )


# ---- nothing in it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_empty_file_says_so_with_the_mend(tmp_path: Path, suffix: str) -> None:
    text = message(put(tmp_path, f"t{suffix}", ""))
    assert text.endswith("the file is empty. Add at least one row with a user_input, or remove the testset.")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", "[]"),
        ("t.json", '{"question": [], "answer": []}'),
        ("t.json", " \n"),
        ("t.json", "\ufeff"),
        ("t.jsonl", "\n\n"),
        ("t.yaml", "# nothing yet\n"),
        ("t.yaml", "[]"),
        ("t.csv", "question,answer\n"),
        ("t.csv", "\n\n"),
    ],
)
def test_no_rows_say_so_with_the_mend(tmp_path: Path, name: str, text: str) -> None:
    assert "it holds no rows. Add at least one row" in message(put(tmp_path, name, text))


# ---- not a file, not a testset ----------------------------------------------------------------------


def test_a_missing_file_a_directory_and_an_unknown_suffix(tmp_path: Path) -> None:
    put(tmp_path, "testset.json", "[]")
    assert "Did you mean 'testset.json'?" in message(tmp_path / "testsett.json")
    assert "it is a directory. Name one of its files: 'testset.json'." in message(tmp_path)
    known = "A testset is a file that ends in .json, .jsonl, .yaml, .yml, .csv."
    assert f"the suffix '.xlsx' is not known. {known}" in message(put(tmp_path, "t.xlsx", ""))
    assert f"it has no suffix. {known}" in message(put(tmp_path, "t", ""))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.json", "[{]", "no valid JSON at line 1, column 3"),
        ("t.json", '[{"question": "q"}', "no valid JSON at line 1, column 19"),
        ("t.json", '{"question": "a"}\n{"question": "b"}\n', "name it .jsonl"),
        ("t.json", '"q"', "found the text 'q' where a list of rows must be"),
        ("t.json", "null", "found null where a list of rows must be"),
        ("t.json", '{"question": "q", "contexts": ["c"]}', "it is a single row. Put it into a list"),
        ("t.json", '{"rows": [{"question": "q"}]}', "none of its keys ('rows') is a column of a testset"),
        ("t.json", "{}", "none of its keys (it has none)"),
        ("t.json", '{"question": {"0": "q"}, "answer": {"0": "a"}}', 'to_json(path, orient="records")'),
        ("t.json", '{"question": ["a", "b"], "answer": ["a"]}', "unequal lengths (question 2, answer 1)"),
        ("t.json", '{"question": ["a"], "note": "x"}', "the column 'note' is the text 'x', and others are lists"),
        ("t.json", "[" * 100_000, "nested too deeply"),
        ("t.json", '["a"'.encode("utf-16"), "begins a UTF-16 file. Save it as UTF-8"),
        ("t.json", b'[{"question": "caf\xe9"}]', "byte 0xe9 at offset 18 (line 1) is not UTF-8"),
        ("t.jsonl", '[\n{"question": "a"},\n{"question": "b"}\n]', "one JSON value over several lines: name it .json"),
        ("t.jsonl", '[{"question": "a"}]', "its first line is a list, where one object must be: name it .json"),
        ("t.yaml", "- question: [", "no valid YAML at line"),
        ("t.yaml", "question: a\nquestion: b", "the key 'question' stands twice in one mapping, again at line 2"),
        ("t.yaml", "- a\n---\n- b", "no valid YAML at line 2"),
        ("t.yaml", "just text", "found the text 'just text' where a list of rows must be"),
        ("t.csv", "When?,Then\nWhere?,There\n", "its first line names no column of a testset: found 'When?', 'Then'"),
        ("t.csv", "question,answer,question\n", "names the column 'question' twice"),
        ("t.csv", "question\ncaf\xe9".encode("latin-1"), "byte 0xe9 at offset 12 (line 2) is not UTF-8"),
        ("t.csv", "question\nq".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_testset_is_told_with_the_mend(tmp_path: Path, name: str, text: str | bytes, expected: str) -> None:
    path = put(tmp_path, name, text)
    said = message(path)
    assert said.startswith(f"Cannot load the testset {path}: ")
    assert expected in said


# ---- bad rows ---------------------------------------------------------------------------------------


def test_all_bad_rows_are_listed_with_row_line_field_finding_and_mend(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "t.jsonl",
        data := b'{"question": "good"}\n'
        b'{"question": "q", "answer": 3}\n'
        b"\n"
        b'{"question": "q", "contexts": ["c", null], "x": NaN}\n'
        b"oops\n"
        b'{"question": "caf\xe9"}\n'
        b'{"question": "q", "question": "r"}\n'
        b'{"question": "q", "user_input": "r"}\n',
    )
    assert message(path, shown_as="t.jsonl").splitlines() == [
        "Cannot load the testset t.jsonl: 6 bad rows.",
        "  row 2 (line 2), answer: found the number 3; it must be one text. Put it in quotes.",
        "  row 3 (line 4), contexts[1]: found null inside the list. Leave it out, or give the whole field as null. "
        'Write for example "contexts": ["first passage", "second passage"].',
        "  row 3 (line 4), x: found the number nan, which is not finite. Write it as a text, or leave it out.",
        "  row 4 (line 5): no valid JSON at column 1: Expecting value. Each line is one JSON object.",
        f"  row 5 (line 6): byte 0xe9 at offset {data.index(0xE9)} (line 6) is not UTF-8 (invalid continuation byte). "
        "Save the file as UTF-8.",
        "  row 6 (line 7), question: stands twice in this row. Keep one of them.",
        "  row 7 (line 8), question and user_input: both are given for one field, with different values (the text 'q' "
        "and the text 'r'). Keep one of them.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("t.json", '[{"question": "q"},\n {"question": 3}]', "row 2, question"),
        ("c.json", '{"question": ["q", 3]}', "row 2, question"),
        ("t.jsonl", '\n{"question": "q"}\n\n{"question": 3}', "row 2 (line 4), question"),
        ("t.yaml", "- question: q\n\n- question: 3\n", "row 2 (line 3), question"),
        ("t.csv", 'question,id\n"two\nlines",\n\nq,"[1"\n,3\n', "row 3 (line 6), user_input"),
    ],
)
def test_rows_count_from_one_and_lines_where_the_format_has_them(
    tmp_path: Path, name: str, text: str, place: str
) -> None:
    assert f"\n  {place}: " in message(put(tmp_path, name, text))


def test_very_many_bad_rows_are_all_listed_the_later_ones_by_number(tmp_path: Path) -> None:
    rows = [{"question": f"q{n}", "answer": 3 if n % 2 or n > 190 else "a"} for n in range(1, 201)]
    lines = message(put(tmp_path, "t.json", json.dumps(rows))).splitlines()
    assert "105 bad rows." in lines[0]
    assert len(lines) == 1 + 50 + 1
    assert lines[-1].startswith("  also bad: rows 101, 103, 105, ")
    assert lines[-1].endswith(" 187, 189, 191-200")


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": [Infinity]}', '{"a": 1e999}'])
@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_nan_and_infinity_are_refused_with_row_and_field(tmp_path: Path, name: str, text: str) -> None:
    row = '{"question": "q", ' + text[1:]
    said = message(put(tmp_path, name, f"[{row}]" if name == "t.json" else row))
    assert re.search(r"row 1.*, a(\[0\])?: found the number (nan|inf), which is not finite", said)


def test_yaml_nan_and_tags_of_python_are_refused(tmp_path: Path) -> None:
    assert "row 1 (line 1), x: found the number nan" in message(put(tmp_path, "t.yaml", "- {question: q, x: .nan}"))
    assert "no valid YAML" in message(put(tmp_path, "t.yaml", "- !!python/object/apply:os.getcwd []"))


def test_a_yaml_key_that_is_no_text_is_told(tmp_path: Path) -> None:
    assert "found the number 1 as the name of a column. Put it in quotes." in message(
        put(tmp_path, "t.yaml", "- question: q\n  1: x\n")
    )


# ---- ids ------------------------------------------------------------------------------------------


def test_two_rows_of_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    path = put(tmp_path, "t.jsonl", '{"question": "a", "id": 7}\n{"question": "b"}\n{"question": "c", "id": "7"}\n')
    assert "row 3 (line 3), id: row 1 (line 1) has the id '7' too. Give each row an id of its own." in message(path)


def test_two_rows_that_ask_the_same_are_an_error_with_both_mends(tmp_path: Path) -> None:
    rows = [{"question": "a", "answer": "x"}, {"question": "b"}, {"question": "a", "answer": "y"}]
    said = message(put(tmp_path, "t.json", json.dumps(rows)))
    assert "row 3, id: it asks the same as row 1 ('a', with the same reference)" in said
    assert "Remove one of them, or give each an 'id' of its own." in said
    # another reference, or an id, tells them apart
    rows[2]["ground_truth"] = "g"
    assert len(load_testset(put(tmp_path, "t.json", json.dumps(rows)))) == 3
    rows[2] = {"question": "a", "id": "second"}
    assert len(load_testset(put(tmp_path, "t.json", json.dumps(rows)))) == 3


def test_an_id_survives_a_changed_answer(tmp_path: Path) -> None:
    first = load_testset(put(tmp_path, "a.json", '[{"question": "q", "ground_truth": "g", "answer": "a"}]'))
    second = load_testset(put(tmp_path, "b.json", '[{"user_input": "q", "reference": "g", "response": "b"}]'))
    assert first.samples[0].id == second.samples[0].id
    assert first.fingerprint == second.fingerprint


# ---- never more than it costs -----------------------------------------------------------------------


def test_good_rows_import_neither_jsonschema_nor_yaml(pytester: pytest.Pytester) -> None:
    pytester.makefile(".json", t='[{"question": "q"}]')
    pytester.makefile(".csv", t="question\nq")
    script = pytester.makepyfile(
        """
        import sys
        from pytest_ragas import load_testset
        load_testset("t.json"), load_testset("t.csv")
        assert not {"jsonschema", "yaml", "aiohttp"} & set(sys.modules), sorted(sys.modules)
        """
    )
    assert pytester.runpython(script).ret == 0


def test_a_relative_path_is_seen_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "t.json", '[{"question": "q"}]')
    monkeypatch.chdir(tmp_path)
    assert load_testset("t.json").samples[0].source == "t.json row 1"
    assert f"(seen from {os.getcwd()})" in message(Path("missing.json"))
