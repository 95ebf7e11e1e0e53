"""Testsets of other tools: files that they wrote are read, ours are written as they read them, nothing gets lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_ragas.cli.main import main
from pytest_ragas.errors import TestsetError, UnknownNameError
from pytest_ragas.testset.interchange.convert import EXCHANGES, NAMES, read_any, write_any
from pytest_ragas.testset.load import load_testset
from pytest_ragas.values.sample import Sample
from pytest_ragas.values.testset import Testset

FILES = Path(__file__).with_name("files")
SCRIPT = Path(sys.executable).with_name("pytest-ragas")

ABROAD = "When may I work from abroad?"
WITHIN = "Up to 30 days in a year, within the EU."
CONTEXTS = ("Working from abroad is possible for 30 days a year.", "Only within the EU.")


def read(name: str, tool: str = "") -> tuple[Sample, ...]:
    found = read_any(FILES / name, shown=name, tool=tool)
    assert tool in ("", found.tool)
    return found.testset.samples


# ---- what other tools wrote ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deepeval_goldens.json", "deepeval_goldens.jsonl", "deepeval_goldens.csv"])
def test_goldens_that_deepeval_saved(name: str) -> None:
    assert read_any(FILES / name, shown=name).tool == "deepeval"
    abroad, opens, quotes = read(name)
    assert (abroad.user_input, abroad.response, abroad.reference) == (ABROAD, "Up to 30 days a year.", WITHIN)
    assert (abroad.retrieved_contexts, abroad.reference_contexts) == (CONTEXTS[:1], CONTEXTS)
    assert dict(abroad.metadata) == {
        "team": "hr",
        "level": 2,
        "name": "abroad",
        "comments": "from the handbook",
        "source_file": "handbook.md",
    }
    assert (opens.reference, opens.response, opens.retrieved_contexts) == ("At 08:30.", None, None)
    assert quotes.user_input == 'Ünïcode, "quotes" and a\nline break?'
    # deepeval itself writes contexts with a bar between them, and reads those back
    assert quotes.reference_contexts == (("a | b", "c") if name.endswith(".json") else ("a ", " b", "c"))
    assert abroad.source == f"{name} row 1"


@pytest.mark.parametrize("name", ["ragas_evaluation.jsonl", "ragas_testset.jsonl", "ragas_testset.csv"])
def test_datasets_that_ragas_wrote(name: str) -> None:
    assert read_any(FILES / name, shown=name).tool == "ragas"
    abroad, opens = read(name)
    assert (abroad.user_input, abroad.reference) == (ABROAD, WITHIN)
    assert (abroad.retrieved_contexts, abroad.reference_contexts) == (CONTEXTS[:1], CONTEXTS)
    assert (abroad.metadata["persona_name"], abroad.metadata["query_style"]) == ("Kim", "POLISHED")
    assert (opens.response, opens.retrieved_contexts) == (None, None)
    assert load_testset(FILES / name).samples[0].user_input == ABROAD  # and so does our own loader


def test_examples_of_langsmith() -> None:
    assert read_any(FILES / "langsmith_examples.jsonl", shown="x").tool == "langsmith"
    abroad, opens, canteen = read("langsmith_examples.jsonl")
    assert (abroad.id, abroad.user_input, abroad.reference) == ("0a5ff0c3-3d2f-4e0c-9d39-9d5a0f2d1c11", ABROAD, WITHIN)
    assert abroad.reference_contexts == CONTEXTS
    assert dict(abroad.metadata) == {"team": "hr", "dataset_split": ["base"], "inputs.locale": "en"}
    assert (opens.user_input, opens.reference) == ("When does the office open?", "At 08:30.")
    assert (canteen.user_input, canteen.reference) == ("Is there a canteen?", None)


def test_test_cases_of_promptfoo() -> None:
    assert read_any(FILES / "promptfooconfig.yaml", shown="x").tool == "promptfoo"
    abroad, opens, canteen = read("promptfooconfig.yaml")
    assert (abroad.user_input, abroad.reference, abroad.retrieved_contexts) == (ABROAD, WITHIN, CONTEXTS[:1])
    assert dict(abroad.metadata) == {"team": "hr", "description": "abroad", "locale": "en"}
    assert opens.reference == "At 08:30."
    assert opens.retrieved_contexts == ("The office opens at 08:30.", "It closes at 18:00.")
    assert (canteen.user_input, canteen.reference) == ("Is there a canteen?", None)
    abroad, opens = read("promptfoo_tests.csv")
    assert (abroad.user_input, abroad.reference, abroad.metadata["team"]) == (ABROAD, WITHIN, "hr")
    assert opens.reference == "At 08:30."


# ---- there and back ------------------------------------------------------------------------------

OURS = Testset(
    samples=(
        Sample(
            id="abroad",
            user_input=ABROAD,
            response="Up to 30 days a year.",
            retrieved_contexts=CONTEXTS,
            reference=WITHIN,
            reference_contexts=CONTEXTS[:1],
            retrieved_context_ids=("d1", "d2"),
            reference_context_ids=("d1",),
            tags=("hr", "easy"),
            metadata={
                "team": "hr",
                "level": 2,
                "sources": [{"path": "a.md", "start": 0, "end": 9}],
                "note": "naïve – €",
            },
        ),
        Sample(user_input="When does the office open?"),
        Sample(id="3", user_input='Quotes " and\nlines', reference="", response="", metadata={"comments": "c"}),
    )
)

_ROUND_TRIPS = [
    ("pytest-ragas", "a.yaml"),
    ("ragas", "a.jsonl"),
    ("deepeval", "a.json"),
    ("deepeval", "a.jsonl"),
    ("langsmith", "a.jsonl"),
    ("langsmith", "a.json"),
    ("promptfoo", "a.yaml"),
    ("promptfoo", "a.json"),
]


def without_source(testset: Testset) -> list[dict[str, Any]]:
    rows = [sample.to_json() for sample in testset]
    for row in rows:
        row.pop("source", None)
    return rows


@pytest.mark.parametrize(("tool", "name"), _ROUND_TRIPS)
def test_nothing_gets_lost_there_and_back(tmp_path: Path, tool: str, name: str) -> None:
    write_any(OURS, tmp_path / name, shown=name, tool=tool)
    back = read_any(tmp_path / name, shown=name, tool=tool).testset
    assert without_source(back) == without_source(OURS)
    write_any(back, tmp_path / f"again-{name}", shown=name, tool=tool)
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_a_csv_of_deepeval_keeps_all_but_the_difference_of_nothing_and_empty(tmp_path: Path) -> None:
    write_any(OURS, tmp_path / "a.csv", shown="a.csv", tool="deepeval")
    back = read_any(tmp_path / "a.csv", shown="a.csv").testset.samples
    assert without_source(Testset(samples=back[:2])) == without_source(Testset(samples=OURS.samples[:2]))
    barred = Testset(samples=(Sample(id="x", user_input="q", retrieved_contexts=("a|b",)),))
    with pytest.raises(TestsetError, match=r"Cannot write row 1 \('x'\) for deepeval: .* Write a \.json file\."):
        write_any(barred, tmp_path / "b.csv", shown="b.csv", tool="deepeval")
    assert not (tmp_path / "b.csv").exists()


def test_a_hf_dataset_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra [ragas] is not installed")
    write_any(OURS, tmp_path / "folder", shown="folder", tool="ragas")
    assert datasets.load_from_disk(str(tmp_path / "folder"))[0]["user_input"] == ABROAD
    back = read_any(tmp_path / "folder", shown="folder")
    assert back.tool == "ragas"
    assert without_source(back.testset) == without_source(OURS)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(TestsetError, match="it holds no HF dataset"):
        read_any(tmp_path / "nothing", shown="nothing")


def test_ragas_reads_what_we_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ragas", reason="the extra [ragas] is not installed")
    write_any(OURS, tmp_path / "a.jsonl", shown="a.jsonl", tool="ragas")
    code = (
        "import json, sys\n"
        "from ragas.dataset_schema import EvaluationDataset\n"
        "from ragas.testset.synthesizers.testset_schema import Testset\n"
        "rows = EvaluationDataset.from_jsonl(sys.argv[1])\n"
        "testset = Testset.from_jsonl(sys.argv[1])\n"
        "print(json.dumps([len(rows), rows[0].model_dump(), [s.synthesizer_name for s in testset]]))"
    )
    env = {
        "RAGAS_DO_NOT_TRACK": "true",
        "PATH": "",
        "HOME": str(tmp_path),
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", code, str(tmp_path / "a.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    count, first, names = json.loads(done.stdout.splitlines()[-1])
    assert count == 3
    assert (first["user_input"], first["reference"], first["response"]) == (ABROAD, WITHIN, "Up to 30 days a year.")
    assert tuple(first["retrieved_contexts"]) == CONTEXTS
    assert names == ["unknown"] * 3


# ---- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "name", "text", "message"),
    [
        ("deepeval", "a.json", '[{"scenario": "s", "turns": []}]', "row 1: it is a conversational golden"),
        ("deepeval", "a.json", '[{"input": "q"}, {"input": 3}]', "row 2, user_input: found the number 3"),
        ("ragas", "a.jsonl", '{"user_input": [{"content": "q"}], "rubrics": null}', "a conversation of several turns"),
        ("langsmith", "a.json", '[{"inputs": {"a": "x", "b": "y"}, "outputs": {}}]', "none of its inputs ('a', 'b')"),
        ("promptfoo", "a.yaml", "tests: file://cases.csv", "its tests are in 'file://cases.csv'. Name that file."),
        ("promptfoo", "a.json", '[{"vars": {"a": "x", "b": "y"}}]', "none of its vars ('a', 'b') is a question"),
        ("promptfoo", "a.json", "{", "no valid JSON"),
        ("", "a.toml", "", "the suffix '.toml' is not known"),
        ("deepeval", "a.json", "[]", "it holds no rows"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, tool: str, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TestsetError) as caught:
        read_any(tmp_path / name, shown=name, tool=tool)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"Cannot load the testset {name}: ")


def test_a_suffix_that_the_tool_does_not_read(tmp_path: Path) -> None:
    with pytest.raises(TestsetError, match=r"Cannot write a\.csv: promptfoo reads \.yaml or \.yml or \.json\."):
        write_any(OURS, tmp_path / "a.csv", shown="a.csv", tool="promptfoo")
    with pytest.raises(UnknownNameError, match="Did you mean 'deepeval'"):
        write_any(OURS, tmp_path / "a.json", shown="a.json", tool="deepevel")


# ---- the command ---------------------------------------------------------------------------------


def test_convert(tmp_path: Path) -> None:
    command = [str(SCRIPT), "convert", str(FILES / "deepeval_goldens.json"), "testset.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3 rows of {command[2]} (deepeval) written to testset.json (pytest-ragas)\n"
    assert load_testset(tmp_path / "testset.json").samples[0].user_input == ABROAD
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: testset.json is there already. Remove it first, or name another file.\n"


def test_convert_knows_every_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = str(FILES / "promptfooconfig.yaml")
    for tool, exchange in EXCHANGES.items():
        assert main(["convert", source, f"{tool}{exchange.suffixes[0]}", "--to", tool]) == 0
        assert main(["convert", f"{tool}{exchange.suffixes[0]}", f"from-{tool}.yaml", "--from", tool]) == 0
        assert len(load_testset(f"from-{tool}.yaml")) == 3
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in NAMES)
