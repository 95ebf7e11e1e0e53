"""CSV: headers, quoting, several texts in a cell, and what spreadsheets and pandas make of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pytest_ragas import load_testset
from pytest_ragas.errors import TestsetError
from pytest_ragas.values.sample import Sample


def rows(folder: Path, text: str) -> list[Sample]:
    path = folder / "t.csv"
    path.write_bytes(text.encode())
    return list(load_testset(path, shown_as="t.csv"))


def message(folder: Path, text: str) -> str:
    with pytest.raises(TestsetError) as caught:
        rows(folder, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cell", "contexts"),
    [
        ('"[""a"", ""b, c""]"', ("a", "b, c")),
        ("[]", ()),
        ("\"['a', 'b']\"", ("a", "b")),
        ('"[\'it\\\'s\', ""b\\nc"", ]"', ("it's", "b\nc")),
        ("one passage", ("one passage",)),
        ("[1] as the footnote says", ("[1] as the footnote says",)),
        ("[see below]", ("[see below]",)),
        ("", None),
        ('""""""', ("",)),
    ],
)
def test_a_cell_of_contexts_is_a_json_list_a_python_list_or_one_text(
    tmp_path: Path, cell: str, contexts: tuple[str, ...] | None
) -> None:
    assert rows(tmp_path, f"question,contexts\nq,{cell}\n")[0].retrieved_contexts == contexts


@pytest.mark.parametrize("cell", ["\"['a' 'b']\"", "\"['a', b]\"", '"[""a"", ""b"""', "\"['a', __import__('os')]\""])
def test_what_begins_like_a_list_and_is_none_is_refused_or_one_text(tmp_path: Path, cell: str) -> None:
    text = f"question,contexts\nq,{cell}\n"
    if cell.endswith(']"'):
        said = message(tmp_path, text)
        assert 'row 1 (line 2), contexts: it begins like a list but is no JSON list. Write ["first' in said
    else:
        assert len(rows(tmp_path, text)[0].retrieved_contexts or ()) == 1


def test_ids_and_tags_and_metadata_cells(tmp_path: Path) -> None:
    text = 'question,retrieved_context_ids,tags,metadata,page\nq,"[1, ""b""]","x, y","{""author"": ""z""}",12\n'
    sample = rows(tmp_path, text)[0]
    assert sample.retrieved_context_ids == ("1", "b")
    assert sample.tags == ("x", "y")
    assert sample.metadata == {"author": "z", "page": "12"}
    assert "metadata: no valid JSON" in message(tmp_path, "question,metadata\nq,oops\n")
    assert "metadata: found the number 3; it must be an object" in message(tmp_path, "question,metadata\nq,3\n")


def test_an_empty_cell_is_not_given_and_two_quotes_are_an_empty_text(tmp_path: Path) -> None:
    first, second = rows(tmp_path, 'question,answer,note\na,,\nb,"""""",x\n')
    assert (first.response, first.metadata) == (None, {})
    assert (second.response, second.metadata) == ("", {"note": "x"})


def test_cells_may_hold_line_ends_quotes_and_the_delimiter(tmp_path: Path) -> None:
    sample = rows(tmp_path, 'question;answer\r\n"a;\r\nb";"she said ""yes"""\r\n')[0]
    assert (sample.user_input, sample.response) == ("a;\r\nb", 'she said "yes"')


def test_a_context_longer_than_the_csv_module_expects(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    assert rows(tmp_path, f"question,contexts\nq,{'x' * 300_000}\n")[0].retrieved_contexts == ("x" * 300_000,)
    assert csv.field_size_limit() == before


def test_the_unnamed_index_column_of_pandas_is_kept_as_metadata(tmp_path: Path) -> None:
    assert rows(tmp_path, ",question\n0,q\n")[0].metadata == {"column_1": "0"}


def test_ragged_rows_are_all_listed(tmp_path: Path) -> None:
    said = message(tmp_path, "question,answer\nq,a,b\nr,c\ns\n")
    assert "2 bad rows" in said
    assert "row 1 (line 2): found 3 cells where the header has 2 columns. Quote cells that hold a comma." in said
    assert "row 3 (line 4): found 1 cells where the header has 2 columns." in said


@pytest.mark.parametrize("broken", ['"a" b,c\n', '"never closed,c\nmore\n'])
def test_broken_quoting_is_listed_with_the_rows_before_it(tmp_path: Path, broken: str) -> None:
    said = message(tmp_path, "question,id\nq,1\nr,1\n" + broken)
    assert "row 2 (line 3), id: row 1 (line 2) has the id '1' too" in said
    assert "row 3 (line 4): no valid CSV: " in said
    assert said.endswith("What follows was not read.")


def test_an_invalid_byte_is_listed_with_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"question,id\nq,1\nr,1\ncaf\xe9,2\n")
    with pytest.raises(TestsetError, match=r"(?s)2 bad rows.*row 3 \(line 4\): byte 0xe9 at offset 23 \(line 4\)"):
        load_testset(path)
