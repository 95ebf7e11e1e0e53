"""docs/testsets.md: its examples load, its errors are the ones that are said, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_ragas.errors import TestsetError
from pytest_ragas.testset.aliases import KINDS, OLD_NAMES
from pytest_ragas.testset.formats.table import FORMATS
from pytest_ragas.testset.load import load_testset
from pytest_ragas.testset.save import save_testset

DOCS = Path(__file__).parents[2] / "docs" / "testsets.md"
TEXT = DOCS.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- example: (\S+) rows=(\d+) -->\n```\w+\n(.*?)\n```", TEXT, re.DOTALL)
ERRORS = re.findall(r"<!-- error: (\S+) -->\n```\w+\n(.*?)\n```\n\n```text\n(.*?)\n```", TEXT, re.DOTALL)


def test_every_format_has_an_example() -> None:
    assert {Path(name).suffix for name, _, _ in EXAMPLES} | {".yml"} == set(FORMATS)
    assert ERRORS


@pytest.mark.parametrize(("name", "rows", "text"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_the_example_loads(tmp_path: Path, name: str, rows: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text + "\n", encoding="utf-8")
    assert len(load_testset(path)) == int(rows)


def test_the_examples_mean_what_is_said_of_them(tmp_path: Path) -> None:
    texts = {name: text for name, _, text in EXAMPLES}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = load_testset(tmp_path / "testset.json")
    assert (second.id, second.tags, dict(second.metadata)) == ("most-wins", ("counting",), {"author": "Kim"})
    assert second.response is None
    yes, opens = load_testset(tmp_path / "testset.yaml")
    assert (yes.reference, opens.reference, yes.tags) == ("no", "08:30", ("remote", "legal"))
    asked, won, played = load_testset(tmp_path / "testset.csv")
    assert asked.retrieved_contexts == ("It was played in 1967.", "It was played in Los Angeles.")
    assert (won.response, won.retrieved_contexts) == (None, ("The Green Bay Packers play in Wisconsin.",))
    assert (played.response, played.retrieved_contexts, played.tags) == ("", (), ())
    save_testset(load_testset(tmp_path / "testset.json"), tmp_path / "saved.csv")
    assert [sample.id for sample in load_testset(tmp_path / "saved.csv")] == [first.id, second.id]


@pytest.mark.parametrize(("name", "text", "message"), ERRORS, ids=[name for name, _, _ in ERRORS])
def test_the_error_is_the_one_that_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(TestsetError) as caught:
        load_testset(path, shown_as=name)
    assert str(caught.value) == message


def test_every_column_and_suffix_is_documented() -> None:
    for name in (*KINDS, *OLD_NAMES, *FORMATS):
        assert f"`{name}`" in TEXT, name


def test_the_description_is_the_one_that_check_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_ragas.cli.check import description

    monkeypatch.chdir(tmp_path)
    Path("testset.json").write_text(EXAMPLES[0][2], encoding="utf-8")
    assert "```text\n" + "\n".join(description(load_testset("testset.json"))) + "\n```" in TEXT
